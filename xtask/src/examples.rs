//! `cargo xtask examples`: example packages and datasets.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::c;
use crate::guests::{self, SOLUTIONS};
use crate::step::{run, step};
use crate::toolchain::{GuestToolchain, Route, guest_route};
use crate::workspace::Workspace;

/// One package made from a directory of `examples/solutions`.
struct Example {
    /// `target/examples/NAME.zip`.
    name: &'static str,
    source: Source,
    /// Declared in the manifest, where it is the same on every challenge of the canonical data. A run that returns another
    /// number says so.
    parameters: Option<u64>,
}

/// What an example is written in.
enum Source {
    Rust { crate_name: &'static str, features: &'static str },
    C { directory: &'static str },
}

impl Source {
    /// Under [`SOLUTIONS`]; crates are named as their directories.
    const fn directory(&self) -> &'static str {
        match *self {
            Self::Rust { crate_name, .. } => crate_name,
            Self::C { directory } => directory,
        }
    }
}

impl Example {
    /// A crate of the example's own name, whose parameter count depends on the challenge or on its data.
    const fn rust(name: &'static str) -> Self {
        Self { name, source: Source::Rust { crate_name: name, features: "" }, parameters: None }
    }

    const fn declaring(self, parameters: u64) -> Self {
        Self { parameters: Some(parameters), ..self }
    }

    /// Builds it and says where its component is.
    fn build(&self, workspace: &Workspace, route: Route) -> Result<PathBuf> {
        match self.source {
            Source::Rust { crate_name, features } => {
                guests::build(workspace, route, SOLUTIONS, &["-p", crate_name, "--features", features])?;
                Ok(guests::component(workspace, crate_name))
            }
            Source::C { directory } => c::build(workspace, directory),
        }
    }
}

/// A crate stands before its variants: every build leaves its component under the crate's name.
const EXAMPLES: [Example; 14] = [
    // (384 + 1) × 384 + (384 + 1) × 128
    Example::rust("mlp").declaring(197_120),
    // (384 + 1) × 128
    Example::rust("centroid").declaring(49_280),
    Example {
        name: "centroid-train-only",
        source: Source::Rust { crate_name: "centroid", features: "train-only" },
        parameters: Some(49_280),
    },
    Example::rust("shrunken-centroid"),
    Example::rust("low-rank"),
    Example::rust("int8"),
    Example::rust("pruned"),
    Example::rust("distilled"),
    Example::rust("early-exit"),
    Example::rust("lookup"),
    Example::rust("lookup-mlp"),
    Example::rust("forest"),
    Example::rust("logistic"),
    Example { name: "c-discriminant", source: Source::C { directory: "c-discriminant" }, parameters: None },
];

/// One for each task, whose parameter counts depend on the challenge.
const TASK_EXAMPLES: [Example; 10] = [
    Example::rust("digit-cnn"),
    Example::rust("hashed-words"),
    Example::rust("newton-logistic"),
    Example::rust("component-boxes"),
    Example::rust("component-pixels"),
    Example::rust("component-masks"),
    Example::rust("kite-frame"),
    Example::rust("ridge"),
    Example::rust("autoregressive"),
    Example::rust("cox"),
];

/// Name and directory, under [`SOLUTIONS`], of every example for the benchmark challenges.
pub(crate) fn solutions() -> impl Iterator<Item = (&'static str, &'static str)> {
    EXAMPLES.iter().map(|example| (example.name, example.source.directory()))
}

/// Builds the example packages into target/examples, and into target/datasets the canonical data and, in export/CHALLENGE,
/// the public data of every example challenge for native tests.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {}

impl Opts {
    pub(crate) fn run(self, workspace: &Workspace, choice: GuestToolchain) -> Result<()> {
        set_up(workspace, choice).map(drop)
    }
}

/// Everything that a run of an example needs; the route is for further guests.
pub(crate) fn set_up(workspace: &Workspace, choice: GuestToolchain) -> Result<Route> {
    let route = guest_route(workspace, choice)?;
    build_thimble(workspace)?;
    build_packages(workspace, route)?;
    build_datasets(workspace)?;
    export_public_data(workspace)?;
    Ok(route)
}

/// The release binary, which packs, generates and runs. The whole workspace is built, so that dependencies have the features
/// that the tests will ask for, and the engine is compiled once.
fn build_thimble(workspace: &Workspace) -> Result<()> {
    step("thimble", || run(workspace.cargo().args(["build", "--release", "--workspace"])))
}

/// Every package of [`EXAMPLES`] and [`TASK_EXAMPLES`].
fn build_packages(workspace: &Workspace, route: Route) -> Result<()> {
    let packages = workspace.target("examples");
    fs::create_dir_all(&packages).with_context(|| format!("cannot create {}", packages.display()))?;
    for example in EXAMPLES.iter().chain(&TASK_EXAMPLES) {
        step(&format!("example {}", example.name), || {
            let component = example.build(workspace, route)?;
            let mut pack = Command::new(workspace.thimble());
            pack.arg("pack").arg(component).args(["--name", example.name]);
            if let Some(parameters) = example.parameters {
                pack.args(["--parameters", &parameters.to_string()]);
            }
            pack.arg("--out").arg(packages.join(example.name).with_extension("zip"));
            run(pack.stdout(std::process::Stdio::null()))
        })?;
    }
    Ok(())
}

/// Family, which of it is public, and the directory of target/datasets.
const DATASETS: [(&str, &str, &str); 13] = [
    ("imagenet-pareto", "--canonical", "imagenet-pareto-canonical"),
    ("frugal-digits", "--public", "frugal-digits-public"),
    ("frugal-embeddings", "--public", "frugal-embeddings-public"),
    ("digit-images", "--public", "digit-images-public"),
    ("ticket-routing", "--public", "ticket-routing-public"),
    ("breast-cancer", "--public", "breast-cancer-public"),
    ("shape-boxes", "--public", "shape-boxes-public"),
    ("shape-pixels", "--public", "shape-pixels-public"),
    ("shape-masks", "--public", "shape-masks-public"),
    ("kite-corners", "--public", "kite-corners-public"),
    ("diabetes-progression", "--public", "diabetes-progression-public"),
    ("sunspots", "--public", "sunspots-public"),
    ("rossi", "--public", "rossi-public"),
];

/// The public data. Generated anew each time: it takes less than a second a set, and never goes stale.
fn build_datasets(workspace: &Workspace) -> Result<()> {
    step("public datasets", || {
        let datasets = workspace.target("datasets");
        fs::create_dir_all(&datasets).with_context(|| format!("cannot create {}", datasets.display()))?;
        for (family, public, name) in DATASETS {
            let mut generate = Command::new(workspace.thimble());
            generate.args(["dataset", "generate", family, public, "--overwrite", "--out"]);
            run(generate.arg(datasets.join(name)).stdout(std::process::Stdio::null()))?;
        }
        Ok(())
    })
}

/// The public data of every example challenge, for the solutions' native tests.
fn export_public_data(workspace: &Workspace) -> Result<()> {
    step("public data of the example challenges", || {
        let exports = workspace.target("datasets/export");
        fs::create_dir_all(&exports).with_context(|| format!("cannot create {}", exports.display()))?;
        let challenges = workspace.path("examples/challenges");
        for entry in fs::read_dir(&challenges).with_context(|| format!("cannot read {}", challenges.display()))? {
            let challenge = entry.with_context(|| format!("cannot read {}", challenges.display()))?;
            // What several challenges share lies beside them.
            if challenge.path().join("challenge.json").exists() {
                let mut export = Command::new(workspace.thimble());
                export.args(["dataset", "export", "--overwrite", "--cache"]).arg(workspace.target("datasets/cache"));
                export.arg(challenge.path()).arg("--out").arg(exports.join(challenge.file_name()));
                run(export.stdout(std::process::Stdio::null()))?;
            }
        }
        Ok(())
    })
}
