//! The interfaces that a submission may import and must export.

use crate::refusal::{Place, Refusal, Rule};

/// The version of the contract `wit/thimble.wit` that this host speaks.
pub const CONTRACT_VERSION: &str = "0.1.0";

const CONTRACT: &str = "thimble:solution";

/// Interfaces a submission may import, without version: the contract's own, and those that Rust's standard library
/// links when a guest prints, panics, hashes, asks for the time or opens a file. The host answers the latter with stubs
/// that know nothing: frozen clocks, no files, no input.
pub const IMPORTS: [&str; 25] = [
    "thimble:solution/data",
    "thimble:solution/journal",
    "thimble:solution/kernels",
    "thimble:solution/task",
    "thimble:solution/tensors",
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

/// Interfaces a submission must export, without version.
pub const EXPORTS: [&str; 2] = ["thimble:solution/learner", "thimble:solution/predictor"];

/// Splits `package:name/interface@version`.
fn split(name: &str) -> (&str, Option<&str>) {
    match name.split_once('@') {
        Some((interface, version)) => (interface, Some(version)),
        None => (name, None),
    }
}

fn is_contract(interface: &str) -> bool {
    interface.strip_prefix(CONTRACT).is_some_and(|rest| rest.starts_with('/'))
}

/// `0.2.x`, a release.
fn is_wasi_02(version: &str) -> bool {
    version.strip_prefix("0.2.").is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|b| b.is_ascii_digit()))
}

fn other_version(place: Place, version: Option<&str>) -> Refusal {
    let speaks = match version {
        Some(version) => format!("{CONTRACT}@{}", crate::refusal::shown(version, 40)),
        None => format!("{CONTRACT} without a version"),
    };
    let detail = format!("speaks {speaks}, this host speaks {CONTRACT}@{CONTRACT_VERSION}");
    Refusal::broken(Rule::ContractVersion, place, detail)
}

/// Whether the host answers an imported interface. The caller collects those it does not: one refusal lists them all.
///
/// # Errors
/// The interface is known, but in another version.
pub(crate) fn import_is_answered(name: &str) -> Result<bool, Refusal> {
    let (interface, version) = split(name);
    if is_contract(interface) && version != Some(CONTRACT_VERSION) {
        return Err(other_version(Place::Import(name.to_owned()), version));
    }
    if !IMPORTS.contains(&interface) {
        return Ok(false);
    }
    if is_contract(interface) || version.is_some_and(is_wasi_02) {
        return Ok(true);
    }
    let detail = "is not of WASI 0.2, which is the version this host answers";
    Err(Refusal::broken(Rule::Import, Place::Import(name.to_owned()), detail))
}

/// Judges the name of an exported interface; its index in [`EXPORTS`].
pub(crate) fn export(name: &str) -> Result<usize, Refusal> {
    let (interface, version) = split(name);
    if is_contract(interface) && version != Some(CONTRACT_VERSION) {
        return Err(other_version(Place::Export(name.to_owned()), version));
    }
    EXPORTS.iter().position(|known| *known == interface).ok_or_else(|| {
        Refusal::broken(Rule::Export, Place::Export(name.to_owned()), "is not part of the contract's world")
    })
}

/// The refusal for the interfaces that were not on the allow-list, in order of appearance.
pub(crate) fn unknown_imports(names: &[String]) -> Refusal {
    const SHOWN: usize = 10;
    let mut list = names.iter().take(SHOWN).map(|name| crate::refusal::shown(name, 80)).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        list.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    Refusal::broken(Rule::Import, Place::Component, format!("imports {list}, which this host does not provide"))
}

/// What to do about imports that `detail` names.
pub(crate) fn import_remedy(detail: &str) -> String {
    const KNOWN: [(&str, &str); 4] = [
        ("wasi:sockets/", "remove the use of std::net and of crates that open connections"),
        ("wasi:http/", "remove HTTP clients and servers: a submission has no network"),
        ("wasi:nn/", "bring the model as parameters: there is no inference engine on the host"),
        ("wasi_snapshot_preview1", "build for wasm32-wasip2, not for wasm32-wasip1"),
    ];
    let found: Vec<_> = KNOWN.iter().filter(|(name, _)| detail.contains(name)).map(|(_, remedy)| *remedy).collect();
    if found.is_empty() { Rule::Import.remedy().to_owned() } else { found.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wasi_versions() {
        for good in ["0.2.0", "0.2.6", "0.2.12"] {
            assert!(is_wasi_02(good), "{good}");
        }
        for bad in ["0.2", "0.2.", "0.3.0", "0.2.0-rc1", "0.20.1", "1.0.2", ""] {
            assert!(!is_wasi_02(bad), "{bad}");
        }
    }

    #[test]
    fn a_name_that_only_starts_like_the_contract_is_not_it() {
        assert_eq!(import_is_answered("thimble:solution-x/data@0.1.0"), Ok(false));
        assert_eq!(import_is_answered("thimble:solution/data@0.1.0"), Ok(true));
        assert_eq!(import_is_answered("thimble:solution/secrets@0.1.0"), Ok(false));
        assert_eq!(import_is_answered("thimble:solution/data").map_err(|e| e.rule()), Err("contract_version"));
        assert_eq!(import_is_answered("wasi:io/poll@0.3.0").map_err(|e| e.rule()), Err("import"));
    }
}
