//! Reading a submission into memory. Nothing is ever written to disk, and no size is believed before it was read.

use std::io::{Cursor, Read};

use thimble_datasets::Digest;
use zip::read::{ArchiveOffset, Config};
use zip::{ZipArchive, ZipReadOptions};

use super::error::PackageError;
use super::layout::{self, Record};
use super::manifest::{MAX_MANIFEST_BYTES, Manifest, ZipProject};
use super::{COMPONENT, MANIFEST, Package, ZIP_PROJECT_MANIFEST};
use crate::name::excerpt;

/// Largest submission as it is sent.
pub const MAX_PACKAGE_BYTES: u64 = 20 << 20;
/// Largest sum of all files of a package.
pub const MAX_EXPANDED_BYTES: u64 = 50 << 20;
/// Largest component.
pub const MAX_COMPONENT_BYTES: u64 = 4 << 20;

/// Files that may stand in the root beside manifest and component, besides the directory `src/`.
pub const ROOT_SOURCES: [&str; 6] =
    ["Cargo.toml", "Cargo.lock", "README.md", "LICENSE", "build.rs", "rust-toolchain.toml"];

const WASM_MAGIC: &[u8] = b"\0asm";
const ZIP_MAGICS: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

impl Package {
    /// Reads a ZIP package or a bare component, told apart by the first bytes.
    ///
    /// # Errors
    /// The first rule of `docs/challenge-format.md` that the submission breaks.
    pub fn read(bytes: &[u8]) -> Result<Self, PackageError> {
        let found = bytes.len() as u64;
        if found > MAX_PACKAGE_BYTES {
            return Err(PackageError::PackageBytes { limit: MAX_PACKAGE_BYTES, found });
        }
        if bytes.starts_with(WASM_MAGIC) {
            if found > MAX_COMPONENT_BYTES {
                return Err(PackageError::ComponentBytes { limit: MAX_COMPONENT_BYTES, found });
            }
            return Ok(Self {
                manifest: None,
                zip_project: None,
                package_digest: None,
                component: bytes.to_vec(),
                component_digest: Digest::of(bytes),
            });
        }
        if is_archive(bytes) {
            return read_zip(bytes);
        }
        // A prefix that other readers skip, such as a shell script that unpacks itself.
        Err(match layout::records(bytes) {
            Err(PackageError::PrefixBytes { found }) => PackageError::PrefixBytes { found },
            _ => PackageError::UnknownFormat { start: hex::encode(&bytes[..bytes.len().min(4)]) },
        })
    }
}

fn is_archive(bytes: &[u8]) -> bool {
    ZIP_MAGICS.iter().any(|magic| bytes.starts_with(magic))
}

fn read_zip(bytes: &[u8]) -> Result<Package, PackageError> {
    let records = layout::records(bytes)?;
    check_content(&records)?;
    let config = Config { archive_offset: ArchiveOffset::Known(0) };
    let mut archive = ZipArchive::with_config(config, Cursor::new(bytes)).map_err(damaged)?;
    // The library checks local against central headers, and that no local header is left out.
    archive
        .validate_header_consistency()
        .map_err(|error| PackageError::HeaderMismatch { detail: excerpt(&error.to_string()) })?;
    let (mut component, mut manifest) = (None, None);
    for (index, record) in records.iter().enumerate() {
        let content = read_entry(&mut archive, index, record)?;
        if is_archive(&content) {
            return Err(PackageError::Nested { entry: excerpt(record.name) });
        }
        match record.name {
            COMPONENT => component = Some(content),
            MANIFEST | ZIP_PROJECT_MANIFEST => manifest = Some(content),
            // Sources are carried for people; the content was read to check it, and is dropped.
            _ => {}
        }
    }
    let component = component.ok_or(PackageError::MissingComponent)?;
    let text = manifest.ok_or(PackageError::MissingManifest)?;
    let (manifest, zip_project) = if records.iter().any(|record| record.name == MANIFEST) {
        let parsed = Manifest::from_json(&text);
        (Some(parsed.map_err(|error| PackageError::Manifest { file: MANIFEST, error })?), None)
    } else {
        let parsed = ZipProject::from_json(&text);
        (None, Some(parsed.map_err(|error| PackageError::Manifest { file: ZIP_PROJECT_MANIFEST, error })?))
    };
    let component_digest = Digest::of(&component);
    Ok(Package { manifest, zip_project, package_digest: Some(Digest::of(bytes)), component, component_digest })
}

/// What may be in a package, by name and declared size; the sizes are enforced while reading.
fn check_content(records: &[Record<'_>]) -> Result<(), PackageError> {
    let size = |name| records.iter().find(|record| record.name == name).map(|record| record.size);
    let component = size(COMPONENT).ok_or(PackageError::MissingComponent)?;
    let (manifest, is_project) = match (size(MANIFEST), size(ZIP_PROJECT_MANIFEST)) {
        (Some(_), Some(_)) => return Err(PackageError::TwoManifests),
        (None, None) => return Err(PackageError::MissingManifest),
        (Some(size), None) => (size, false),
        (None, Some(size)) => (size, true),
    };
    if component > MAX_COMPONENT_BYTES {
        return Err(PackageError::ComponentBytes { limit: MAX_COMPONENT_BYTES, found: component });
    }
    if manifest > MAX_MANIFEST_BYTES {
        return Err(PackageError::ManifestBytes { limit: MAX_MANIFEST_BYTES, found: manifest });
    }
    let expanded = records.iter().map(|record| record.size).sum();
    if expanded > MAX_EXPANDED_BYTES {
        return Err(PackageError::ExpandedBytes { limit: MAX_EXPANDED_BYTES, found: expanded });
    }
    // A `zip_project` carries whatever its scripts need.
    let has_place = |name: &str| {
        is_project || [COMPONENT, MANIFEST].contains(&name) || ROOT_SOURCES.contains(&name) || name.starts_with("src/")
    };
    match records.iter().find(|record| !has_place(record.name)) {
        Some(record) => Err(PackageError::UnexpectedFile { entry: excerpt(record.name) }),
        None => Ok(()),
    }
}

/// The content of an entry: exactly as many bytes as it declares, its checksum right.
fn read_entry(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    index: usize,
    record: &Record<'_>,
) -> Result<Vec<u8>, PackageError> {
    let file = archive.by_index_data(index).map_err(damaged)?;
    let entry = || excerpt(record.name);
    // A unicode-path field would give it another name than the one checked.
    if file.name_raw() != record.name.as_bytes() || file.size() != record.size || file.is_dir() != record.is_directory {
        return Err(PackageError::HeaderMismatch { detail: format!("{} is described in two ways", entry()) });
    }
    let declared = record.size;
    // The declared size was checked against its limit, and no more than that is kept.
    let (content, end) = inflate(archive, index, declared, false)?;
    let length = content.len() as u64;
    if length < declared {
        return Err(PackageError::SizeMismatch { entry: entry(), declared, longer: false });
    }
    match end {
        Ok(0) => Ok(content),
        // Either there is more, or the checksum is wrong: without checksums only the first still fails.
        _ if matches!(inflate(archive, index, declared, true)?, (_, Ok(0))) => {
            Err(PackageError::Corrupt { detail: format!("{}: the checksum is wrong", entry()) })
        }
        _ => Err(PackageError::SizeMismatch { entry: entry(), declared, longer: true }),
    }
}

/// At most `declared` bytes of an entry, and what reading one byte more says: `Ok(0)` at a proper end.
fn inflate(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    index: usize,
    declared: u64,
    ignore_checksum: bool,
) -> Result<(Vec<u8>, std::io::Result<usize>), PackageError> {
    let options = ZipReadOptions::new().ignore_crc32(ignore_checksum).enforce_header_consistency(true);
    let mut file = archive.by_index_with_options(index, options).map_err(damaged)?;
    let mut content = Vec::new();
    let read = (&mut file).take(declared).read_to_end(&mut content);
    read.map_err(|error| PackageError::Corrupt { detail: excerpt(&error.to_string()) })?;
    let end = file.read(&mut [0]);
    Ok((content, end))
}

fn damaged(error: zip::result::ZipError) -> PackageError {
    PackageError::Corrupt { detail: excerpt(&error.to_string()) }
}
