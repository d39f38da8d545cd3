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
    /// Declared in the manifest, where it is the same on every challenge of the canonical data. A run that returns another
    /// number says so.
    parameters: Option<u64>,
}

/// A crate stands before its variants: every build leaves its component under the crate's name.
const EXAMPLES: [Example; 7] = [
    // (384 + 1) × 384 + (384 + 1) × 128
    Example { name: "mlp", crate_name: "mlp", features: "", parameters: Some(197_120) },
    // (384 + 1) × 128
    Example { name: "centroid", crate_name: "centroid", features: "", parameters: Some(49_280) },
    Example { name: "centroid-train-only", crate_name: "centroid", features: "train-only", parameters: Some(49_280) },
    // As many neurons as the challenge's limit allows.
    Example { name: "int8", crate_name: "int8", features: "", parameters: None },
    Example { name: "pruned", crate_name: "pruned", features: "", parameters: None },
    Example { name: "lookup", crate_name: "lookup", features: "", parameters: None },
    Example { name: "lookup-mlp", crate_name: "lookup-mlp", features: "", parameters: None },
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
            pack.args(["--name", example.name]);
            if let Some(parameters) = example.parameters {
                pack.args(["--parameters", &parameters.to_string()]);
            }
            pack.arg("--out").arg(packages.join(example.name).with_extension("zip"));
            run(pack.stdout(std::process::Stdio::null()))
        })?;
    }
    Ok(())
}

/// The canonical data. Generated anew each time: it takes less than a second, and never goes stale.
fn build_datasets(workspace: &Workspace) -> Result<()> {
    step("canonical dataset", || {
        let datasets = workspace.target("datasets");
        fs::create_dir_all(&datasets).with_context(|| format!("cannot create {}", datasets.display()))?;
        let mut generate = Command::new(workspace.thimble());
        generate.args(["dataset", "generate", "imagenet-pareto", "--canonical", "--overwrite", "--out"]);
        run(generate.arg(datasets.join("imagenet-pareto-canonical")).stdout(std::process::Stdio::null()))
    })
}
