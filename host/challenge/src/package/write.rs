//! Writing a package: the same bytes for the same content, on every machine and at every time.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

use super::error::PackageError;
use super::manifest::Manifest;
use super::{COMPONENT, MANIFEST, Package};

/// Writes a package: `thimble.json`, `solution.wasm`, then `sources` (path and content) in the order of their paths.
///
/// Entries are stored, not compressed: a compressor's output may differ between its versions and processors.
///
/// # Errors
/// What [`Package::read`] would say to it: what is written was read back.
pub fn write(manifest: &Manifest, component: &[u8], sources: &[(String, Vec<u8>)]) -> Result<Vec<u8>, PackageError> {
    let json = manifest.to_json();
    let mut files = vec![(MANIFEST, json.as_bytes()), (COMPONENT, component)];
    let mut sources: Vec<_> = sources.iter().map(|(path, content)| (path.as_str(), content.as_slice())).collect();
    sources.sort_unstable();
    files.append(&mut sources);
    let bytes = write_files(&files).map_err(|error| PackageError::Corrupt { detail: error.to_string() })?;
    Package::read(&bytes)?;
    Ok(bytes)
}

fn write_files(files: &[(&str, &[u8])]) -> zip::result::ZipResult<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::DEFAULT)
        .system(System::Unix)
        .unix_permissions(0o644);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, content) in files {
        writer.start_file(*path, options)?;
        writer.write_all(content)?;
    }
    Ok(writer.finish()?.into_inner())
}
