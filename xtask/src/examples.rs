//! `cargo xtask examples`: example packages and datasets.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::guests::{self, SOLUTIONS};
use crate::step::{run, step};
use crate::toolchain::{GuestToolchain, Route, guest_route};
use crate::workspace::Workspace;

/// One package made from a crate of `examples/solutions`.
struct Example {
    /// `target/examples/NAME.zip`.
    name: &'static str,
    crate_name: &'static str,
    features: &'static str,
    /// Declared in the manifest. A run that returns another number says so.
    parameters: u64,
}

/// A crate stands before its variants: every build leaves its component under the crate's name.
const EXAMPLES: [Example; 3] = [
    // (384 + 1) × 384 + (384 + 1) × 128
    Example { name: "mlp", crate_name: "mlp", features: "", parameters: 197_120 },
    // (384 + 1) × 128
    Example { name: "centroid", crate_name: "centroid", features: "", parameters: 49_280 },
    Example { name: "centroid-train-only", crate_name: "centroid", features: "train-only", parameters: 49_280 },
];

/// Builds the example packages into target/examples and the datasets into target/datasets.
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
    Ok(route)
}

/// The release binary, which packs, generates and runs. The whole workspace is built, so that dependencies have the features
/// that the tests will ask for, and the engine is compiled once.
fn build_thimble(workspace: &Workspace) -> Result<()> {
    step("thimble", || run(workspace.cargo().args(["build", "--release", "--workspace"])))
}

/// Every package of [`EXAMPLES`].
fn build_packages(workspace: &Workspace, route: Route) -> Result<()> {
    let packages = workspace.target("examples");
    fs::create_dir_all(&packages).with_context(|| format!("cannot create {}", packages.display()))?;
    for example in &EXAMPLES {
        step(&format!("example {}", example.name), || {
            guests::build(workspace, route, SOLUTIONS, &["-p", example.crate_name, "--features", example.features])?;
            let mut pack = Command::new(workspace.thimble());
            pack.arg("pack").arg(guests::component(workspace, example.crate_name));
            pack.args(["--name", example.name, "--parameters", &example.parameters.to_string()]);
            pack.arg("--out").arg(packages.join(example.name).with_extension("zip"));
            run(pack.stdout(std::process::Stdio::null()))
        })?;
    }
    Ok(())
}

/// Family, which of it is public, and the directory of target/datasets.
const DATASETS: [(&str, &str, &str); 3] = [
    ("imagenet-pareto", "--canonical", "imagenet-pareto-canonical"),
    ("frugal-digits", "--public", "frugal-digits-public"),
    ("frugal-embeddings", "--public", "frugal-embeddings-public"),
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
