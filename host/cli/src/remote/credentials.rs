//! The saved login.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use thimble_api::AccountName;
use thimble_client::{Server, Token};

use crate::exit::{Blame as _, Failure};
use crate::input;
use crate::output::{self, Readers};

/// Far above what is written.
const MAX_BYTES: u64 = 16 << 10;

/// A login: one account of one service.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    pub(crate) server: Server,
    pub(crate) account: AccountName,
    pub(crate) token: Token,
}

/// The file's content.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    schema_version: u32,
    server: String,
    account: AccountName,
    token: String,
}

/// Where the login is kept: `credentials.json` in a directory of its own.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    directory: PathBuf,
}

impl Place {
    /// `$XDG_CONFIG_HOME/thimble`, or `~/.config/thimble`.
    pub(crate) fn of_user() -> Self {
        // The XDG specification: relative paths are invalid and ignored.
        let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let config = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")));
        // Without a home there is no login, and none can be saved.
        let config = config.unwrap_or_else(|| PathBuf::from("/nonexistent"));
        Self { directory: config.join("thimble") }
    }

    fn file(&self) -> PathBuf {
        self.directory.join("credentials.json")
    }

    /// The login, if there is one. A file that others can read is refused: its token is no secret any more.
    pub(crate) fn load(&self) -> Result<Option<Credentials>, Failure> {
        let path = self.file();
        let metadata = match fs::metadata(&path) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            metadata => metadata.with_context(|| format!("cannot read the login {}", path.display())).or_input()?,
        };
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(Failure::input(format!(
                "the login {0} can be read by others (mode {mode:03o}): `chmod 600 {0}`, and log in again if they may have",
                path.display()
            )));
        }
        let bytes = input::file("login", &path, MAX_BYTES)?;
        parse(&bytes).with_context(|| format!("the login {}: log in again", path.display())).or_input().map(Some)
    }

    /// Makes the directory, and finds out whether a file can be written there: before a secret is asked for that is shown once.
    pub(crate) fn prepare(&self) -> Result<(), Failure> {
        let prepare = || -> std::io::Result<()> {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
            tempfile::tempfile_in(&self.directory).map(|_| ())
        };
        prepare().with_context(|| format!("cannot save a login in {}", self.directory.display())).or_output()
    }

    /// Replaces the login.
    pub(crate) fn save(&self, credentials: &Credentials) -> Result<(), Failure> {
        self.prepare()?;
        let stored = Stored {
            schema_version: 1,
            server: credentials.server.to_string(),
            account: credentials.account.clone(),
            token: credentials.token.expose().to_owned(),
        };
        output::write_file(&self.file(), output::json(&stored)?.as_bytes(), Readers::Owner)
    }

    /// Removes the login; whether there was one.
    pub(crate) fn forget(&self) -> Result<bool, Failure> {
        match fs::remove_file(self.file()) {
            Ok(()) => Ok(true),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
            Err(error) => Err(error).with_context(|| format!("cannot remove {}", self.file().display())).or_output(),
        }
    }

    pub(crate) fn shown(&self) -> PathBuf {
        shortened(&self.file())
    }
}

/// With `~` for the home directory.
fn shortened(path: &Path) -> PathBuf {
    let home = env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    let rest = home.and_then(|home| path.strip_prefix(home).ok().map(Path::to_owned));
    rest.map_or_else(|| path.to_owned(), |rest| Path::new("~").join(rest))
}

/// No error of this says what stands in the file.
fn parse(bytes: &[u8]) -> anyhow::Result<Credentials> {
    let Ok(stored) = serde_json::from_slice::<Stored>(bytes) else { bail!("it is not what `thimble login` writes") };
    if stored.schema_version != 1 {
        bail!("it is of version {}; this program knows version 1", stored.schema_version);
    }
    Ok(Credentials { server: stored.server.parse()?, account: stored.account, token: stored.token.parse()? })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

    use super::*;

    fn login() -> Credentials {
        Credentials {
            server: "https://example.org".parse().unwrap(),
            account: "ada".parse().unwrap(),
            token: "thb_secret".parse().unwrap(),
        }
    }

    #[test]
    fn a_login_is_for_its_owner_alone() {
        let home = tempfile::tempdir().unwrap();
        let place = Place { directory: home.path().join("config/thimble") };
        assert!(place.load().unwrap().is_none());
        place.save(&login()).unwrap();
        place.save(&login()).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&place.directory), mode(&place.file())), (0o700, 0o600));
        let loaded = place.load().unwrap().unwrap();
        assert_eq!((loaded.server, loaded.account, loaded.token), (login().server, login().account, login().token));
        assert_eq!(fs::read_dir(&place.directory).unwrap().count(), 1);
        assert!(place.forget().unwrap());
        assert!(!place.forget().unwrap());
    }

    #[test]
    fn a_login_that_others_can_read_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let place = Place { directory: home.path().to_owned() };
        place.save(&login()).unwrap();
        for mode in [0o640, 0o604] {
            fs::set_permissions(place.file(), fs::Permissions::from_mode(mode)).unwrap();
            assert!(place.load().unwrap_err().error.to_string().contains("chmod 600"));
        }
    }

    #[test]
    fn an_error_of_the_file_does_not_show_the_token() {
        let home = tempfile::tempdir().unwrap();
        let place = Place { directory: home.path().to_owned() };
        for content in ["thb_secret", "{\"token\": \"thb_secret\"}", "{\"schema_version\": \"thb_secret\"}"] {
            output::write_file(&place.file(), content.as_bytes(), Readers::Owner).unwrap();
            let error = format!("{:#}", place.load().unwrap_err().error);
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
