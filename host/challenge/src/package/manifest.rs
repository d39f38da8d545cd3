//! The two manifests a package may have: `thimble.json`, and `agentics.solution.json` of the `zip_project` protocol.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thimble_datasets::Digest;

use crate::json::{self, JsonError};
use crate::name::{NAME_RULE, excerpt, is_name};
use crate::units::ParameterCount;

/// The contract this host runs: package and version of `wit/thimble.wit`.
pub const CONTRACT: &str = "thimble:solution@0.1.0";
/// Largest manifest, in bytes.
pub const MAX_MANIFEST_BYTES: u64 = 128 << 10;
/// Longest note, in bytes.
pub const MAX_NOTE_BYTES: usize = 1_024;
/// Longest version, in bytes.
pub const MAX_VERSION_BYTES: usize = 32;
/// Largest count a manifest may declare: every JSON reader holds it exactly.
const MAX_DECLARED: u64 = 1 << 53;
/// The other protocol and the version of it that is accepted.
const ZIP_PROJECT: (&str, u64) = ("zip_project", 1);

/// `thimble.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Always [`CONTRACT`].
    pub protocol: String,
    /// The builder's name for the submission, 3 to 63 characters as for challenges.
    pub name: String,
    /// `MAJOR.MINOR.PATCH`, optionally `-` and a label of letters, digits, dots and hyphens; at most 32 bytes.
    pub version: String,
    /// For people, at most 1,024 bytes; no control characters but line breaks and tabs.
    #[serde(default)]
    pub note: String,
    /// The parameter count that `solve` may not exceed, in validation and officially, and that is published; null when not
    /// declared.
    #[serde(default)]
    pub parameters: Option<ParameterCount>,
    /// The package that this one was derived from.
    #[serde(default)]
    pub parent: Option<Digest>,
}

/// `agentics.solution.json`. Its commands are read and never run: what counts is `solution.wasm` beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZipProject {
    /// Always `zip_project`.
    pub protocol: String,
    /// Always 1.
    pub protocol_version: u64,
    /// For people, as in [`Manifest::note`].
    #[serde(default)]
    pub note: String,
    /// Scripts, as relative paths.
    pub commands: Commands,
}

/// The scripts of a `zip_project`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commands {
    /// Set-up script.
    #[serde(default)]
    pub setup: Option<String>,
    /// Build script.
    #[serde(default)]
    pub build: Option<String>,
    /// Run script.
    pub run: String,
}

/// What is wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not the JSON that is asked for.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Another contract.
    #[error("speaks `{found}`, this host speaks `{expected}`")]
    Protocol {
        /// What this host runs.
        expected: String,
        /// What the manifest says.
        found: String,
    },
    /// A field breaks its rule.
    #[error("{field}: must have {rule}; found {found}")]
    Field {
        /// The field.
        field: &'static str,
        /// Its rule, with the limit.
        rule: String,
        /// The value.
        found: String,
    },
}

/// The one field that every version of either manifest has; the rest may differ in another version.
#[derive(Deserialize)]
struct Probe {
    protocol: String,
    protocol_version: Option<serde_json::Value>,
}

impl Manifest {
    /// Parses and checks `thimble.json`.
    ///
    /// # Errors
    /// Size, JSON, another contract, or the first field that breaks its rule.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ManifestError> {
        let probe: Probe = json::parse(bytes, MAX_MANIFEST_BYTES)?;
        expect_protocol(CONTRACT, &probe.protocol)?;
        let manifest: Self = json::parse(bytes, MAX_MANIFEST_BYTES)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// Pretty JSON with a final newline.
    pub fn to_json(&self) -> String {
        json::pretty(self)
    }

    /// The JSON Schema of `thimble.json`.
    pub fn schema() -> String {
        json::pretty(&schemars::schema_for!(Self))
    }

    fn check(&self) -> Result<(), ManifestError> {
        if !is_name(&self.name) {
            return Err(field("name", NAME_RULE, format!("\"{}\"", excerpt(&self.name))));
        }
        if self.version.len() > MAX_VERSION_BYTES {
            return Err(field("version", &format!("at most {MAX_VERSION_BYTES} bytes"), self.version.len()));
        }
        if !is_version(&self.version) {
            return Err(field("version", "the form 1.2.3 or 1.2.3-label", format!("\"{}\"", excerpt(&self.version))));
        }
        check_note(&self.note)?;
        match self.parameters {
            Some(count) if count.0 > MAX_DECLARED => {
                Err(field("parameters", &format!("a value of at most {MAX_DECLARED}"), count))
            }
            _ => Ok(()),
        }
    }
}

impl ZipProject {
    /// Parses and checks `agentics.solution.json`.
    ///
    /// # Errors
    /// Size, JSON, another protocol or version of it, or the first field that breaks its rule.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ManifestError> {
        let probe: Probe = json::parse(bytes, MAX_MANIFEST_BYTES)?;
        let (name, version) = ZIP_PROJECT;
        let shown = probe.protocol_version.map_or("no version".to_owned(), |version| version.to_string());
        expect_protocol(&format!("{name} {version}"), &format!("{} {shown}", probe.protocol))?;
        let project: Self = json::parse(bytes, MAX_MANIFEST_BYTES)?;
        check_note(&project.note)?;
        let Commands { setup, build, run } = &project.commands;
        let scripts =
            [("commands.setup", setup.as_ref()), ("commands.build", build.as_ref()), ("commands.run", Some(run))];
        for (name, script) in scripts {
            if let Some(script) = script
                && super::layout::check_name(script.as_bytes()).is_err()
            {
                return Err(field(name, "a safe relative path", format!("\"{}\"", excerpt(script))));
            }
        }
        Ok(project)
    }
}

fn expect_protocol(expected: &str, found: &str) -> Result<(), ManifestError> {
    if found == expected {
        return Ok(());
    }
    Err(ManifestError::Protocol { expected: expected.to_owned(), found: excerpt(found) })
}

fn field(field: &'static str, rule: &str, found: impl ToString) -> ManifestError {
    ManifestError::Field { field, rule: rule.to_owned(), found: found.to_string() }
}

fn check_note(note: &str) -> Result<(), ManifestError> {
    if note.len() > MAX_NOTE_BYTES {
        return Err(field("note", &format!("at most {MAX_NOTE_BYTES} bytes"), note.len()));
    }
    match note.chars().find(|c| c.is_control() && !"\n\r\t".contains(*c)) {
        Some(c) => Err(field("note", "no control characters but line breaks and tabs", format!("{c:?}"))),
        None => Ok(()),
    }
}

/// `1.2.3` or `1.2.3-label`.
fn is_version(version: &str) -> bool {
    let (numbers, label) = version.split_once('-').map_or((version, None), |(n, label)| (n, Some(label)));
    let parts: Vec<_> = numbers.split('.').collect();
    let number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let legal = |b: u8| b.is_ascii_alphanumeric() || b".-".contains(&b);
    parts.len() == 3 && parts.iter().all(number) && label.is_none_or(|l| !l.is_empty() && l.bytes().all(legal))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(edit: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
        let mut value = serde_json::json!({"protocol": CONTRACT, "name": "centroid", "version": "0.1.0"});
        edit(&mut value);
        value.to_string().into_bytes()
    }

    fn error(edit: impl FnOnce(&mut serde_json::Value)) -> String {
        Manifest::from_json(&json(edit)).map_or_else(|error| error.to_string(), |_| "ok".to_owned())
    }

    #[test]
    fn optional_fields_are_absent_by_default() {
        let manifest = Manifest::from_json(&json(|_| ()));
        let expected = Manifest {
            protocol: CONTRACT.to_owned(),
            name: "centroid".to_owned(),
            version: "0.1.0".to_owned(),
            note: String::new(),
            parameters: None,
            parent: None,
        };
        assert_eq!(manifest, Ok(expected.clone()));
        assert_eq!(Manifest::from_json(expected.to_json().as_bytes()), Ok(expected));
    }

    #[test]
    fn another_contract_is_named_before_its_fields() {
        let text = error(|m| {
            m["protocol"] = "thimble:solution@0.2.0".into();
            m["of_the_future"] = 1.into();
        });
        assert_eq!(text, "speaks `thimble:solution@0.2.0`, this host speaks `thimble:solution@0.1.0`");
    }

    #[test]
    fn fields_ok_err() {
        assert_eq!(error(|m| m["note"] = "a\n\r\t".into()), "ok");
        assert_eq!(error(|m| m["note"] = "é".repeat(512).into()), "ok");
        assert_eq!(error(|m| m["note"] = "é".repeat(513).into()), "note: must have at most 1024 bytes; found 1026");
        assert!(error(|m| m["note"] = "\u{1b}[2J".into()).starts_with("note: must have no control characters"));
        assert_eq!(error(|m| m["parameters"] = (1_u64 << 53).into()), "ok");
        assert!(error(|m| m["parameters"] = ((1_u64 << 53) + 1).into()).starts_with("parameters:"));
        assert!(error(|m| m["parameters"] = (-1).into()).starts_with("parameters: invalid value"));
        assert!(error(|m| m["name"] = "No".into()).starts_with("name: must have 3 to 63 characters"));
        assert!(error(|m| m["parent"] = "sha256:0".into()).starts_with("parent: a digest is"));
        assert!(error(|m| m["runtime"] = 1.into()).contains("unknown field `runtime`"));
    }

    #[test]
    fn versions_ok_err() {
        let long = format!("1.2.3-{}", "a".repeat(26));
        for version in ["0.0.0", "10.20.30", "1.2.3-rc.1", "1.2.3-a-b", &long] {
            assert_eq!(error(|m| m["version"] = version.into()), "ok", "{version}");
        }
        for version in ["", "1", "1.2", "1.2.3.4", "1..3", "1.2.3-", "1.2.3-ü", "v1.2.3", &format!("{long}a")] {
            assert!(error(|m| m["version"] = version.into()).starts_with("version: "), "{version}");
        }
    }

    #[test]
    fn zip_project_is_read_and_its_version_checked() {
        let project = |text: &str| ZipProject::from_json(text.as_bytes()).map_err(|error| error.to_string());
        let good =
            r#"{"protocol":"zip_project","protocol_version":1,"commands":{"build":"build.sh","run":"scripts/run.sh"}}"#;
        assert_eq!(
            project(good).map(|p| (p.commands.setup, p.commands.run, p.note)),
            Ok((None, "scripts/run.sh".to_owned(), String::new()))
        );
        let speaks = |found: &str| Err(format!("speaks `{found}`, this host speaks `zip_project 1`"));
        assert_eq!(project(&good.replace(":1,", ":2,")).map(|_| ()), speaks("zip_project 2"));
        assert_eq!(project(r#"{"protocol":"x"}"#).map(|_| ()), speaks("x no version"));
        for path in ["/bin/sh", "../run.sh", "a\\\\b", ""] {
            let text = project(&good.replace("scripts/run.sh", path));
            assert!(text.is_err_and(|text| text.starts_with("commands.run: must have a safe relative path")), "{path}");
        }
    }

    #[test]
    fn size_ok_err() {
        let padded = |bytes: usize| {
            let mut text = json(|_| ());
            text.resize(bytes, b' ');
            Manifest::from_json(&text)
        };
        assert!(padded(MAX_MANIFEST_BYTES as usize).is_ok());
        assert!(padded(MAX_MANIFEST_BYTES as usize + 1).is_err());
    }
}
