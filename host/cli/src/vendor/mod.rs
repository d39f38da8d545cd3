//! The SDK as `thimble new` puts it into a project: it is in no registry, so the binary carries its sources.

mod lock;
mod manifest;

use std::path::PathBuf;

/// Sources by their place in the repository.
const SOURCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/vendored.rs"));
/// What the crates inherit.
const ROOT_MANIFEST: &str = include_str!("../../../../Cargo.toml");
/// The versions that the example solutions are built and tested with.
const GUEST_LOCK: &str = include_str!("../../../../examples/solutions/Cargo.lock");

/// The vendored files, side by side as in the repository: each crate stands alone, whatever workspace is around it.
///
/// # Errors
/// A manifest of this repository is not what [`manifest`] reads: a defect of the build, which tests exclude.
pub(crate) fn files() -> anyhow::Result<Vec<(PathBuf, String)>> {
    SOURCES
        .iter()
        .map(|&(place, text)| {
            let is_manifest = place.ends_with("Cargo.toml");
            let text = if is_manifest { manifest::standalone(text, ROOT_MANIFEST)? } else { text.to_owned() };
            Ok((PathBuf::from(place), text))
        })
        .collect()
}

/// `Cargo.lock` of a project that depends on the vendored SDK and nothing else.
///
/// # Errors
/// The project has the name of a dependency.
pub(crate) fn lockfile(project: &str) -> anyhow::Result<String> {
    lock::of_project(project, GUEST_LOCK)
}
