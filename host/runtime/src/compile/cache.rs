//! Artifacts on disk, by component digest and engine hash.

use std::io::{Read, Write};
use std::time::SystemTime;

use cap_std::fs::{Dir, OpenOptions};
use thimble_datasets::Digest;

/// Bytes the cache may hold; the oldest artifacts go first.
const CACHE_BYTES: u64 = 1 << 30;
const EXTENSION: &str = ".artifact";

pub(super) struct Key<'a> {
    pub(super) component: &'a Digest,
    pub(super) engine_hash: &'a [u8; 32],
}

impl Key<'_> {
    fn file_name(&self) -> String {
        let engine = Digest::from_bytes(*self.engine_hash).to_hex();
        format!("{}-{}{EXTENSION}", self.component.to_hex(), &engine[..32])
    }
}

/// A whole, undamaged artifact, or nothing.
pub(super) fn get(dir: &Dir, key: &Key<'_>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    dir.open(key.file_name()).ok()?.take(super::ARTIFACT_BYTES + 33).read_to_end(&mut bytes).ok()?;
    let (digest, _) = bytes.split_first_chunk::<32>()?;
    let expected = Digest::from_bytes(*digest);
    let artifact = bytes.split_off(32);
    (Digest::of(&artifact) == expected).then_some(artifact)
}

/// Written under another name first: a reader never sees half of it.
pub(super) fn put(dir: &Dir, key: &Key<'_>, artifact: &[u8]) -> std::io::Result<()> {
    let name = key.file_name();
    let temporary = format!("{name}.{}", std::process::id());
    let mut file = dir.open_with(&temporary, OpenOptions::new().write(true).create(true).truncate(true))?;
    let written = file
        .write_all(Digest::of(artifact).as_bytes())
        .and_then(|()| file.write_all(artifact))
        .and_then(|()| dir.rename(&temporary, dir, &name));
    if written.is_err() {
        let _ = dir.remove_file(&temporary);
    }
    written.and_then(|()| prune(dir))
}

/// Also counts what a process that died left under a temporary name.
fn prune(dir: &Dir) -> std::io::Result<()> {
    let mut files = Vec::new();
    for entry in dir.entries()? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.contains(EXTENSION)) {
            let metadata = entry.metadata()?;
            let modified = metadata.modified().map_or(SystemTime::UNIX_EPOCH, cap_std::time::SystemTime::into_std);
            files.push((modified, metadata.len(), name));
        }
    }
    files.sort();
    let mut total: u64 = files.iter().map(|(_, len, _)| len).sum();
    for (_, len, name) in files {
        if total <= CACHE_BYTES {
            break;
        }
        dir.remove_file(name)?;
        total -= len;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use cap_std::ambient_authority;

    use super::*;

    #[test]
    fn damaged_artifacts_and_other_engines_are_misses() -> std::io::Result<()> {
        let temporary = tempfile::tempdir()?;
        let dir = Dir::open_ambient_dir(temporary.path(), ambient_authority())?;
        let component = Digest::of(b"component");
        let key = Key { component: &component, engine_hash: &[1; 32] };
        assert_eq!(get(&dir, &key), None);
        put(&dir, &key, b"code")?;
        assert_eq!(get(&dir, &key).as_deref(), Some(&b"code"[..]));
        assert_eq!(get(&dir, &Key { engine_hash: &[2; 32], ..key }), None);
        let mut bytes = dir.read(key.file_name())?;
        bytes[34] ^= 1;
        dir.write(key.file_name(), &bytes)?;
        assert_eq!(get(&dir, &key), None);
        Ok(())
    }
}
