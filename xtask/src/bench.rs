//! `cargo xtask bench`

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use serde_json::Value;

use crate::step::{capture, run, step, succeeds};
use crate::toolchain::GuestToolchain;
use crate::workspace::Workspace;
use crate::{examples, guests};

/// Sets up the examples and runs `cargo bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {
    /// Also compare the training of `examples/solutions/mlp` with another framework
    #[arg(long, value_enum)]
    against: Option<Framework>,
    /// Passed on to `cargo bench`, for example `-p thimble-tests --bench kernels`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

/// What the training is compared with.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Framework {
    /// PyTorch 2.4 with one thread, in a virtual environment of its own under target/ (5 GB)
    Torch,
}

impl Opts {
    pub(crate) fn run(self, workspace: &Workspace, choice: GuestToolchain) -> Result<()> {
        let route = examples::set_up(workspace, choice)?;
        guests::build_hostile(workspace, route)?;
        step("benches", || {
            let mut cargo = workspace.cargo();
            cargo.arg("bench");
            if self.args.is_empty() {
                // Unit tests are no benches, and do not take a bench's arguments.
                cargo.args(["--workspace", "--benches"]);
            }
            run(cargo.args(&self.args))
        })?;
        match self.against {
            Some(Framework::Torch) => against_torch(workspace),
            None => Ok(()),
        }
    }
}

/// The two in turn, the best of three each: the machine is the same, and so is what disturbs it.
fn against_torch(workspace: &Workspace) -> Result<()> {
    let python = torch(workspace)?;
    let seconds = |text: &str| text.trim().parse::<f64>().with_context(|| format!("no time: {text}"));
    let torch = seconds(&capture(Command::new(&python).arg(workspace.path("tests/benches/mlp.py")))?)?;
    let mut thimble = f64::INFINITY;
    for _ in 0..3 {
        let mut run = Command::new(workspace.thimble());
        run.arg("run").arg(workspace.target("examples/mlp.zip")).arg("--json");
        run.arg("--challenge").arg(workspace.path("examples/challenges/imagenet-pareto-500k"));
        let result: Value = serde_json::from_str(&capture(&mut run)?).context("no result")?;
        thimble = thimble.min(result["run"]["seconds"]["learn"].as_f64().context("the result has no time")?);
    }
    println!("mlp, 50 epochs: thimble {thimble:.2} s, PyTorch with one thread {torch:.2} s, ratio {:.3} (<= 1.0)", {
        thimble / torch
    });
    Ok(())
}

/// The interpreter of an environment that has PyTorch.
fn torch(workspace: &Workspace) -> Result<PathBuf> {
    let environment = workspace.target("torch");
    let python = environment.join("bin/python");
    if !succeeds(Command::new(&python).args(["-c", "import torch"])) {
        step("PyTorch", || {
            run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
            run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "torch==2.4.1", "numpy<2"]))
        })?;
    }
    Ok(python)
}
