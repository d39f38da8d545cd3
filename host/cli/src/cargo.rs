//! Cargo: what it knows of a project, and the component that it builds.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use toml_edit::DocumentMut;

/// What guests are compiled to.
const GUEST_TARGET: &str = "wasm32-wasip2";
/// Without these, no loop is vectorised.
const TARGET_FEATURES: &str = "+simd128,+relaxed-simd";
/// What makes a release component small and fast, where the project's profile does not say otherwise.
const PROFILE: [(&str, &str); 2] = [("lto", "true"), ("codegen-units", "1")];

/// Whether a component keeps the names of its functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// As it is submitted: nobody counts names, but they are bytes.
    Stripped,
    /// As it is profiled.
    Kept,
}

/// A package, as far as cargo knows it.
#[derive(Debug)]
pub(crate) struct CargoPackage {
    pub(crate) name: String,
    pub(crate) version: String,
    /// `package.metadata.thimble.challenge` as it stands in the manifest.
    pub(crate) challenge: Option<PathBuf>,
    pub(crate) target_directory: PathBuf,
    directory: PathBuf,
    workspace_root: PathBuf,
    id: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    manifest_path: PathBuf,
    metadata: Option<PackageMetadata>,
}

#[derive(Deserialize)]
struct PackageMetadata {
    thimble: Option<ThimbleMetadata>,
}

/// `[package.metadata.thimble]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ThimbleMetadata {
    challenge: Option<PathBuf>,
}

/// A line of `cargo build --message-format json`.
#[derive(Deserialize)]
struct Message {
    reason: String,
    package_id: Option<String>,
    filenames: Option<Vec<PathBuf>>,
}

impl CargoPackage {
    /// The package whose manifest is in `directory`. Nothing is fetched.
    pub(crate) fn open(directory: &Path) -> anyhow::Result<Self> {
        let directory = fs::canonicalize(directory)?;
        let mut cargo = cargo(&directory);
        cargo.args(["metadata", "--no-deps", "--format-version", "1"]).stderr(Stdio::inherit());
        let output = cargo.output().context("cannot start cargo")?;
        if !output.status.success() {
            bail!("cargo cannot read the project ({})", output.status);
        }
        let metadata: Metadata = serde_json::from_slice(&output.stdout)
            .context("cannot read its description: is [package.metadata.thimble] as the guide has it?")?;
        let manifest = directory.join("Cargo.toml");
        let package = metadata.packages.into_iter().find(|package| package.manifest_path == manifest);
        let package = package.context("Cargo.toml is of a workspace; name the directory of one of its packages")?;
        Ok(Self {
            name: package.name,
            version: package.version,
            challenge: package.metadata.and_then(|metadata| metadata.thimble).and_then(|thimble| thimble.challenge),
            target_directory: metadata.target_directory,
            directory,
            workspace_root: metadata.workspace_root,
            id: package.id,
        })
    }

    /// `cargo build`, its words passed on as they come. Returns the component's path.
    pub(crate) fn build(&self, names: Names, options: &[OsString]) -> anyhow::Result<PathBuf> {
        if !options.iter().any(|option| option.to_string_lossy().starts_with("-Zbuild-std")) {
            require_target(&self.directory)?;
        }
        let mut cargo = cargo(&self.directory);
        cargo.args(["build", "--release", "--target", GUEST_TARGET, "--package", &self.id]);
        // Diagnostics go to stderr as people read them; artifacts are named on stdout.
        cargo.arg("--message-format=json-render-diagnostics");
        for setting in self.settings(names)? {
            cargo.arg("--config").arg(setting);
        }
        // These would replace the flags in the project's own configuration.
        cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        let mut child = cargo.args(options).stdout(Stdio::piped()).spawn().context("cannot start cargo")?;
        let mut component = None;
        if let Some(stdout) = child.stdout.take() {
            for line in BufReader::new(stdout).lines() {
                // What is not an artifact of this package may have any shape.
                let message = serde_json::from_str::<Message>(&line.context("cannot read cargo's messages")?);
                component = message.ok().and_then(|message| self.component(message)).or(component);
            }
        }
        let status = child.wait().context("cannot wait for cargo")?;
        if !status.success() {
            bail!("cargo build failed ({status})");
        }
        component.context("the build left no component: Cargo.toml needs [lib] crate-type = [\"cdylib\", \"rlib\"]")
    }

    /// `--config` of a build: target features, names, and what the profile leaves open.
    fn settings(&self, names: Names) -> anyhow::Result<Vec<String>> {
        // Names without the debug information of the standard library, which may pass the limit on custom sections.
        let strip = if names == Names::Stripped { "true" } else { "\"debuginfo\"" };
        let mut settings = vec![
            format!("target.{GUEST_TARGET}.rustflags=[\"-Ctarget-feature={TARGET_FEATURES}\"]"),
            format!("profile.release.strip={strip}"),
            // Debug information is not names, and may pass the limit on custom sections.
            "profile.release.debug=false".to_owned(),
        ];
        let manifest = self.workspace_root.join("Cargo.toml");
        let text = fs::read_to_string(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
        let manifest: DocumentMut = text.parse().with_context(|| format!("cannot read {}", manifest.display()))?;
        let profile = manifest.get("profile").and_then(|profile| profile.get("release"));
        let open = PROFILE.iter().filter(|(key, _)| profile.and_then(|profile| profile.get(key)).is_none());
        settings.extend(open.map(|(key, value)| format!("profile.release.{key}={value}")));
        Ok(settings)
    }

    fn component(&self, message: Message) -> Option<PathBuf> {
        let own = message.reason == "compiler-artifact" && message.package_id.as_ref() == Some(&self.id);
        let files = message.filenames.filter(|_| own)?;
        files.into_iter().find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
    }
}

/// The `cargo` that runs this, if one does.
fn cargo(directory: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(directory).stdin(Stdio::null());
    command
}

/// Fails with what to type when the compiler has no standard library for guests.
fn require_target(directory: &Path) -> anyhow::Result<()> {
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.current_dir(directory).args(["--print", "target-libdir", "--target", GUEST_TARGET]);
    let output = rustc.output().context("cannot start rustc; Rust is at https://rustup.rs")?;
    let libraries = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let is_std = |entry: fs::DirEntry| entry.file_name().to_string_lossy().starts_with("libstd-");
    if !fs::read_dir(libraries).is_ok_and(|entries| entries.flatten().any(is_std)) {
        bail!("the target {GUEST_TARGET} is not installed; type: rustup target add {GUEST_TARGET}");
    }
    Ok(())
}
