//! `cargo xtask demo`: two solutions, one challenge, one comparison.

use std::fs;
use std::process::Command;

use crate::examples;
use crate::step::{blank, run, step};
use crate::toolchain::GuestToolchain;
use crate::workspace::Workspace;
use anyhow::{Context as _, Result};

const CHALLENGE: &str = "examples/challenges/imagenet-pareto-500k";
const SOLUTIONS: [&str; 2] = ["centroid", "mlp"];

/// Sets everything up, runs two solutions on imagenet-pareto-500k and compares them.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {}

impl Opts {
    pub(crate) fn run(self, workspace: &Workspace, choice: GuestToolchain) -> Result<()> {
        examples::set_up(workspace, choice)?;

        let results = workspace.target("demo");
        fs::create_dir_all(&results).with_context(|| format!("cannot create {}", results.display()))?;
        let mut compare = Command::new(workspace.thimble());
        compare.current_dir(workspace.root()).arg("compare");
        for name in SOLUTIONS {
            blank();
            let out = format!("target/demo/{name}.json");
            compare.arg(&out);
            step(&format!("run {name}"), || {
                let mut thimble = Command::new(workspace.thimble());
                // Relative paths: the command can be typed again as it stands in the output.
                thimble.current_dir(workspace.root()).arg("run").arg(format!("target/examples/{name}.zip"));
                thimble.args(["--challenge", CHALLENGE, "--cache", "target/cache"]).arg("--out").arg(&out);
                run(&mut thimble)
            })?;
        }
        println!();
        run(&mut compare)?;
        println!("\nresults: target/demo/*.json; try: target/release/thimble run --help");
        Ok(())
    }
}
