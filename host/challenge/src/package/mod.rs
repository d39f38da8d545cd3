//! Submissions on disk: a ZIP package with a manifest and `solution.wasm`, or the bare component.
//!
//! The bytes come from strangers. `layout` reads the archive's frame strictly, `read` the content under caps that are
//! counted on bytes actually read, and every refusal has a rule with a stable name.

mod error;
mod layout;
mod manifest;
mod read;
#[cfg(test)]
mod tests;
mod write;

use thimble_datasets::Digest;

pub use error::PackageError;
pub use layout::{MAX_ENTRIES, MAX_ENTRY_NAME};
pub use manifest::{
    CONTRACT, Commands, MAX_MANIFEST_BYTES, MAX_NOTE_BYTES, MAX_VERSION_BYTES, Manifest, ManifestError, ZipProject,
};
pub use read::{MAX_COMPONENT_BYTES, MAX_EXPANDED_BYTES, MAX_PACKAGE_BYTES, ROOT_SOURCES};
pub use write::write;

/// Name of the component in a package.
pub const COMPONENT: &str = "solution.wasm";
/// Name of the manifest in a package.
pub const MANIFEST: &str = "thimble.json";
/// Name of the manifest of the other accepted protocol.
pub const ZIP_PROJECT_MANIFEST: &str = "agentics.solution.json";

/// A submission, read and checked. The component itself is checked by admission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// From `thimble.json`; none for a bare component and for a `zip_project`.
    pub manifest: Option<Manifest>,
    /// From `agentics.solution.json`: neither name, version nor declared count.
    pub zip_project: Option<ZipProject>,
    /// SHA-256 of the ZIP; none for a bare component.
    pub package_digest: Option<Digest>,
    /// `solution.wasm`.
    pub component: Vec<u8>,
    /// SHA-256 of `solution.wasm`.
    pub component_digest: Digest,
}
