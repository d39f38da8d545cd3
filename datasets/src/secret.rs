//! What an operator keeps secret beside an official dataset.

use std::{fmt, io};

use cap_std::fs::Dir;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
use crate::files::{self, FileError};
use crate::limits;
use crate::seed::Seed;

/// The two keys of an official dataset, `operator-secret.json` in its directory.
#[derive(Clone, PartialEq, Eq)]
pub struct OperatorSecret {
    /// Hides the dataset's digest in the published commitment, and is revealed when the challenge closes.
    pub commitment_salt: [u8; 32],
    /// Orders the test rows of each submission; never revealed.
    pub permutation_key: [u8; 32],
}

/// Why an operator's secret cannot be read or written. Never repeats its contents.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The file is missing, cannot be read, is no regular file or is too long.
    #[error(transparent)]
    File(#[from] FileError),
    /// Not the JSON of the schema.
    #[error("{}: at `{path}`: {reason}", limits::OPERATOR_SECRET_FILE)]
    Json {
        /// The field's path.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The file is there already: the published commitment may depend on it.
    #[error("{} is there already; it may be what a published commitment depends on", limits::OPERATOR_SECRET_FILE)]
    Exists,
    /// The system refused.
    #[error("{file} cannot be written: {0}", file = limits::OPERATOR_SECRET_FILE)]
    Io(#[from] io::Error),
}

const SCHEMA_VERSION: u32 = 1;

/// The file's form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretFile {
    schema_version: u32,
    commitment_salt: String,
    permutation_key: String,
}

impl OperatorSecret {
    /// The secret that belongs to a seed: [`Seed`]'s keys for the purposes `commitment salt` and `permutation key`, which are
    /// none of those that data is drawn from. An operator who keeps the seed file can rebuild the data and the secret.
    pub fn from_seed(seed: &Seed) -> Self {
        Self {
            commitment_salt: seed.derive("commitment salt", &[]),
            permutation_key: seed.derive("permutation key", &[]),
        }
    }

    /// Reads `operator-secret.json`.
    pub fn read(dir: &Dir) -> Result<Self, SecretError> {
        let bytes = files::read(dir, limits::OPERATOR_SECRET_FILE, limits::OPERATOR_SECRET_BYTES)?;
        let mut deserializer = serde_json::Deserializer::from_slice(&bytes);
        // The parser's own text may quote a value, and every value here is secret: only where it failed is told.
        let file: SecretFile = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let (line, column) = (error.inner().line(), error.inner().column());
            json_error(&error.path().to_string(), format!("not of this form, line {line} column {column}"))
        })?;
        deserializer.end().map_err(|_| json_error(".", "text after the end".into()))?;
        if file.schema_version != SCHEMA_VERSION {
            return Err(json_error("schema_version", format!("{} is not {SCHEMA_VERSION}", file.schema_version)));
        }
        Ok(Self {
            commitment_salt: key("commitment_salt", &file.commitment_salt)?,
            permutation_key: key("permutation_key", &file.permutation_key)?,
        })
    }

    /// Writes `operator-secret.json`, readable by its owner only (mode 0600). Refuses to replace one.
    pub fn write(&self, dir: &Dir) -> Result<(), SecretError> {
        if dir.try_exists(limits::OPERATOR_SECRET_FILE)? {
            return Err(SecretError::Exists);
        }
        let file = SecretFile {
            schema_version: SCHEMA_VERSION,
            commitment_salt: hex::encode(self.commitment_salt),
            permutation_key: hex::encode(self.permutation_key),
        };
        let json = crate::json::to_vec(&file)?;
        Ok(files::write_whole(dir, limits::OPERATOR_SECRET_FILE, |writer| writer.write_all(&json))?)
    }

    /// What a challenge publishes about its official data: the SHA-256 of the salt followed by the 32 bytes of the dataset's
    /// digest.
    pub fn commitment(&self, dataset: &Digest) -> Digest {
        let hasher = Sha256::new().chain_update(self.commitment_salt).chain_update(dataset.as_bytes());
        Digest::from_bytes(hasher.finalize().into())
    }
}

impl fmt::Debug for OperatorSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperatorSecret(…)")
    }
}

fn json_error(path: &str, reason: String) -> SecretError {
    SecretError::Json { path: path.into(), reason }
}

fn key(path: &str, digits: &str) -> Result<[u8; 32], SecretError> {
    let wrong = || json_error(path, "must be 64 lower-case hexadecimal digits".into());
    let mut bytes = [0; 32];
    if digits.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(wrong());
    }
    hex::decode_to_slice(digits, &mut bytes).map_err(|_| wrong())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use cap_std::ambient_authority;
    use cap_std::fs::PermissionsExt as _;

    use super::*;

    type TestResult = Result<(), Box<dyn std::error::Error>>;

    const SECRET: OperatorSecret = OperatorSecret { commitment_salt: [7; 32], permutation_key: [9; 32] };

    fn directory() -> io::Result<(tempfile::TempDir, Dir)> {
        let temporary = tempfile::tempdir()?;
        let dir = Dir::open_ambient_dir(temporary.path(), ambient_authority())?;
        Ok((temporary, dir))
    }

    #[test]
    fn a_secret_round_trips_and_only_its_owner_reads_it() -> TestResult {
        let (_temporary, dir) = directory()?;
        SECRET.write(&dir)?;
        assert_eq!(OperatorSecret::read(&dir)?, SECRET);
        assert_eq!(dir.metadata(limits::OPERATOR_SECRET_FILE)?.permissions().mode() & 0o777, 0o600);
        assert!(matches!(SECRET.write(&dir), Err(SecretError::Exists)));
        assert_eq!(format!("{SECRET:?}"), "OperatorSecret(…)");
        Ok(())
    }

    #[test]
    fn wrong_files_are_refused_without_repeating_them() -> TestResult {
        let (_temporary, dir) = directory()?;
        let legal = |salt: &str, more: &str| {
            format!(
                r#"{{"schema_version":1,"commitment_salt":"{salt}","permutation_key":"{}"{more}}}"#,
                "ab".repeat(32)
            )
        };
        let digits = "ab".repeat(32);
        dir.write(limits::OPERATOR_SECRET_FILE, legal(&digits, ""))?;
        assert!(OperatorSecret::read(&dir).is_ok());
        let wrong = [
            String::new(),
            "[]".into(),
            legal(&digits, r#","more":1"#),
            legal(&digits, "") + "x",
            legal(&digits.to_uppercase(), ""),
            legal(&digits[1..], ""),
            legal(&format!("{digits}ab"), ""),
            legal(&digits, "").replace("\"schema_version\":1", "\"schema_version\":2"),
            legal(&digits, "").replace(&format!("\"{digits}\"}}"), "12345}"),
            format!("\"{digits}\""),
        ];
        for text in wrong {
            dir.write(limits::OPERATOR_SECRET_FILE, &text)?;
            let error = OperatorSecret::read(&dir).err().ok_or_else(|| format!("accepted {text}"))?.to_string();
            assert!(error.starts_with("operator-secret.json: at `"), "{error}");
            assert!(!error.contains("abab") && !error.contains("12345"), "{error}");
        }
        Ok(())
    }

    #[test]
    fn the_commitment_is_the_hash_of_salt_and_digest() {
        let dataset = Digest::of(b"data");
        let expected = Digest::of(&[&[7; 32][..], dataset.as_bytes()].concat());
        assert_eq!(SECRET.commitment(&dataset), expected);
    }

    #[test]
    fn a_seed_gives_two_unrelated_keys() -> TestResult {
        let secret = OperatorSecret::from_seed(&Seed::parse(&std::array::from_fn::<u8, 32, _>(|i| i as u8))?);
        assert_ne!(secret.commitment_salt, secret.permutation_key);
        Ok(())
    }
}
