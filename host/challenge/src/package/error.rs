//! Why a package is refused.

use super::manifest::ManifestError;

/// Why a package is refused; each rule has a stable identifier.
///
/// `entry` is the entry's name made safe to print.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "every variant's text says what it is, and fields are the limit, the value, the entry")]
pub enum PackageError {
    #[error("a submission is a ZIP package or a WebAssembly component; this starts with the bytes {start}")]
    UnknownFormat { start: String },
    #[error("a submission must have at most {limit} bytes; found {found}")]
    PackageBytes { limit: u64, found: u64 },
    #[error("solution.wasm must have at most {limit} bytes; found {found}")]
    ComponentBytes { limit: u64, found: u64 },
    #[error("the manifest must have at most {limit} bytes; found {found}")]
    ManifestBytes { limit: u64, found: u64 },
    #[error("all files together must have at most {limit} bytes; found {found}")]
    ExpandedBytes { limit: u64, found: u64 },
    #[error("a package must have at most {limit} entries; found {found}")]
    EntryCount { limit: u64, found: u64 },
    #[error("the name of an entry must have at most {limit} bytes; found {found}: {entry}")]
    NameBytes { limit: u64, found: u64, entry: String },
    #[error("{found} bytes stand before the archive")]
    PrefixBytes { found: u64 },
    #[error("a comment or other bytes stand after the archive's end record")]
    TrailingData,
    #[error("{found} bytes after {entry} belong to no entry")]
    UnclaimedBytes { found: u64, entry: String },
    #[error("the archive is split over several disks")]
    MultiDisk,
    #[error("the archive uses ZIP64, which no package of legal size needs")]
    Zip64,
    #[error("{entry} overlaps another entry or the directory")]
    Overlapping { entry: String },
    #[error("the two headers of an entry disagree: {detail}")]
    HeaderMismatch { detail: String },
    #[error("{entry} is there twice (upper and lower case are the same)")]
    Duplicate { entry: String },
    #[error("{entry} is encrypted")]
    Encrypted { entry: String },
    #[error("{entry} is an absolute path")]
    AbsoluteName { entry: String },
    #[error("{entry} has an empty, `.` or `..` segment")]
    Traversal { entry: String },
    #[error("{entry} has a backslash")]
    Backslash { entry: String },
    #[error("{entry} must be named in printable ASCII")]
    NameCharacters { entry: String },
    #[error("{entry} is not a regular file (unix mode {mode:o})")]
    NotRegular { entry: String, mode: u32 },
    #[error("{entry} is a directory with content")]
    DirectoryContent { entry: String },
    #[error("{entry} uses compression method {method}; only 0 (stored) and 8 (deflate) are accepted")]
    Method { entry: String, method: u16 },
    #[error("{entry} is an archive inside the package")]
    Nested { entry: String },
    #[error("{entry} declares {declared} bytes and has {}", if *.longer { "more" } else { "fewer" })]
    SizeMismatch { entry: String, declared: u64, longer: bool },
    #[error("the archive is damaged: {detail}")]
    Corrupt { detail: String },
    #[error("solution.wasm is missing from the root of the package")]
    MissingComponent,
    #[error("thimble.json is missing from the root of the package")]
    MissingManifest,
    #[error("thimble.json and agentics.solution.json cannot both be there")]
    TwoManifests,
    #[error("{entry} has no place in a package: sources stand in src/, see docs/challenge-format.md")]
    UnexpectedFile { entry: String },
    #[error("{file}: {error}")]
    Manifest { file: &'static str, error: ManifestError },
}

impl PackageError {
    /// A stable identifier.
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::UnknownFormat { .. } => "package_format",
            Self::PackageBytes { .. } => "package_bytes",
            Self::ComponentBytes { .. } => "component_bytes",
            Self::ManifestBytes { .. } => "manifest_bytes",
            Self::ExpandedBytes { .. } => "expanded_bytes",
            Self::EntryCount { .. } => "entry_count",
            Self::NameBytes { .. } => "entry_name_bytes",
            Self::PrefixBytes { .. } => "prefix_bytes",
            Self::TrailingData => "trailing_data",
            Self::UnclaimedBytes { .. } => "unclaimed_bytes",
            Self::MultiDisk => "multi_disk",
            Self::Zip64 => "zip64",
            Self::Overlapping { .. } => "overlapping_entries",
            Self::HeaderMismatch { .. } => "header_mismatch",
            Self::Duplicate { .. } => "duplicate_entry",
            Self::Encrypted { .. } => "encrypted_entry",
            Self::AbsoluteName { .. } => "entry_absolute",
            Self::Traversal { .. } => "entry_traversal",
            Self::Backslash { .. } => "entry_backslash",
            Self::NameCharacters { .. } => "entry_name_characters",
            Self::NotRegular { .. } => "entry_not_regular",
            Self::DirectoryContent { .. } => "directory_content",
            Self::Method { .. } => "compression_method",
            Self::Nested { .. } => "nested_archive",
            Self::SizeMismatch { .. } => "entry_size_mismatch",
            Self::Corrupt { .. } => "damaged_archive",
            Self::MissingComponent => "component_missing",
            Self::MissingManifest => "manifest_missing",
            Self::TwoManifests => "two_manifests",
            Self::UnexpectedFile { .. } => "unexpected_file",
            Self::Manifest { error: ManifestError::Protocol { .. }, .. } => "manifest_protocol",
            Self::Manifest { .. } => "manifest_field",
        }
    }
}
