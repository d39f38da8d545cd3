//! `cargo xtask demo`: two solutions, one challenge, one comparison; or one solution of another task.

use std::fs;
use std::process::Command;

use crate::examples;
use crate::step::{blank, run, step};
use crate::toolchain::GuestToolchain;
use crate::workspace::Workspace;
use anyhow::{Context as _, Result};

/// A challenge of examples/challenges and the examples that run on it.
struct Demo {
    challenge: &'static str,
    solutions: &'static [&'static str],
}

const DEMO: Demo = Demo { challenge: "imagenet-pareto-500k", solutions: &["centroid", "mlp"] };

/// Sets everything up, runs two solutions on imagenet-pareto-500k and compares them.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {
    /// Run the example of this task instead
    #[arg(long)]
    task: Option<Task>,
}

/// The tasks, by the names of `thimble metrics list`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
enum Task {
    ImageClassification,
    TextClassification,
    TabularClassification,
    ObjectDetection,
    SemanticSegmentation,
    InstanceSegmentation,
    KeypointDetection,
    TabularRegression,
    TimeSeriesForecasting,
    TimeToEvent,
}

impl Task {
    const fn demo(self) -> Demo {
        let (challenge, solutions): (_, &[_]) = match self {
            Self::ImageClassification => ("digit-images", &["digit-cnn"]),
            Self::TextClassification => ("ticket-routing", &["hashed-words"]),
            Self::TabularClassification => ("breast-cancer", &["newton-logistic"]),
            Self::ObjectDetection => ("shape-boxes", &["component-boxes"]),
            Self::SemanticSegmentation => ("shape-pixels", &["component-pixels"]),
            Self::InstanceSegmentation => ("shape-masks", &["component-masks"]),
            Self::KeypointDetection => ("kite-corners", &["kite-frame"]),
            Self::TabularRegression => ("diabetes-progression", &["ridge"]),
            Self::TimeSeriesForecasting => ("sunspots", &["autoregressive"]),
            Self::TimeToEvent => ("rossi", &["cox"]),
        };
        Demo { challenge, solutions }
    }
}

impl Opts {
    pub(crate) fn run(self, workspace: &Workspace, choice: GuestToolchain) -> Result<()> {
        examples::set_up(workspace, choice)?;
        let Demo { challenge, solutions } = self.task.map_or(DEMO, Task::demo);
        let challenge = format!("examples/challenges/{challenge}");

        let results = workspace.target("demo");
        fs::create_dir_all(&results).with_context(|| format!("cannot create {}", results.display()))?;
        let mut compare = Command::new(workspace.thimble());
        compare.current_dir(workspace.root()).arg("compare");
        for name in solutions {
            blank();
            let out = format!("target/demo/{name}.json");
            compare.arg(&out);
            step(&format!("run {name}"), || {
                let mut thimble = Command::new(workspace.thimble());
                // Relative paths: the command can be typed again as it stands in the output.
                thimble.current_dir(workspace.root()).arg("run").arg(format!("target/examples/{name}.zip"));
                thimble.args(["--challenge", &challenge, "--cache", "target/cache"]).arg("--out").arg(&out);
                run(&mut thimble)
            })?;
        }
        if solutions.len() > 1 {
            println!();
            run(&mut compare)?;
        }
        println!("\nresults: target/demo/*.json; try: target/release/thimble run --help");
        Ok(())
    }
}
