//! `cargo xtask fuzz`: libFuzzer on the compiler at hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::step::{blank, capture, run, run_keeping, step};
use crate::workspace::Workspace;

/// What cargo-fuzz passes for coverage, without the sanitizers, which want a nightly compiler.
const COVERAGE: &str = "-Ccodegen-units=1 -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table";

/// And for what numbers are compared with, which finds the words of a format. Not for the engine: a compiler compares all
/// the time, which would be more than half of a run, and what it compares stands nowhere in the input.
const COMPARISONS: &str = "-Cllvm-args=-sanitizer-coverage-trace-compares";

/// The crate of what reads bytes of strangers, a workspace of its own.
pub(crate) const FUZZ: &str = "fuzz";
/// The crate that compares products on all processors, a workspace of its own.
pub(crate) const KERNELS_FUZZ: &str = "host/kernels/fuzz";
/// The crate that evaluates random solutions, a workspace of its own.
pub(crate) const RUNTIME_FUZZ: &str = "host/runtime/fuzz";

/// The targets, each in the directory of its crate.
const TARGETS: [(&str, &str); 9] = [
    (FUZZ, "package"),
    (FUZZ, "challenge"),
    (FUZZ, "component"),
    (FUZZ, "frame"),
    (FUZZ, "result"),
    (FUZZ, "dataset"),
    (KERNELS_FUZZ, "gemm"),
    (RUNTIME_FUZZ, "engine"),
    (RUNTIME_FUZZ, "pulley"),
];

/// As `thimble_fuzz::SEEDS` says.
const SEEDS: &str = "THIMBLE_FUZZ_SEEDS";

/// One input may take this long, and a whole run this much memory: both far above what any takes, so that either is a finding.
const BOUNDS: [&str; 2] = ["-timeout=10", "-rss_limit_mb=1024"];

/// What libFuzzer says at its end, before the number.
const EXECUTED: &str = "stat::number_of_executed_units:";

/// Builds every fuzz target and runs each for some time, from its own seeds and what earlier runs found. Wants a C++ compiler.
///
/// target/fuzz-corpus keeps what reached new code, target/fuzz-artifacts what crashed. A crash ends the run with status 1.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {
    /// Seconds for each target; as it is, all of them take ten minutes
    #[arg(long, default_value_t = 65, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Only this target; can be repeated
    #[arg(long, value_name = "NAME", value_parser = TARGETS.map(|(_, target)| target))]
    target: Vec<String>,
}

impl Opts {
    pub(crate) fn run(self, workspace: &Workspace) -> Result<()> {
        let host = host_target(workspace)?;
        let chosen = |target: &str| self.target.is_empty() || self.target.iter().any(|name| name == target);
        let targets: Vec<_> = TARGETS.into_iter().filter(|(_, target)| chosen(target)).collect();
        for (directory, target) in &targets {
            step(&format!("build fuzz target {target}"), || {
                run(&mut cargo(workspace, &host, directory, "build", target))
            })?;
        }
        let mut rows = Vec::new();
        let mut failed = Vec::new();
        for (directory, target) in targets {
            blank();
            // Every target runs, also after one that found something.
            let (executed, outcome) = self.fuzz(workspace, &host, directory, target);
            rows.push((target, executed));
            failed.extend(outcome.err().map(|error| format!("{error:#}")));
        }
        blank();
        println!("{:<10} {:>14}", "target", "executions");
        for (target, executed) in rows {
            println!("{target:<10} {:>14}", executed.map_or_else(|| "unknown".to_owned(), |count| count.to_string()));
        }
        if failed.is_empty() { Ok(()) } else { bail!("{}", failed.join("\n")) }
    }

    /// Runs a target; the number of inputs that it executed, where it said so.
    fn fuzz(&self, workspace: &Workspace, host: &str, directory: &str, target: &str) -> (Option<u64>, Result<()>) {
        let mut executed = None;
        let outcome = step(&format!("fuzz {target}"), || {
            let seeds = emptied(workspace.target("fuzz-seeds").join(target))?;
            let corpus = made(workspace.target("fuzz-corpus").join(target))?;
            let artifacts = made(workspace.target("fuzz-artifacts").join(target))?;
            let scratch = Scratch::new(workspace, target)?;
            let mut cargo = cargo(workspace, host, directory, "run", target);
            cargo.env(SEEDS, &seeds).env("TMPDIR", &scratch.0);
            cargo.arg("--").arg(format!("-max_total_time={}", self.seconds)).arg("-print_final_stats=1").args(BOUNDS);
            // The slash makes it a directory.
            cargo.arg(format!("-artifact_prefix={}/", artifacts.display())).args([&corpus, &seeds]);
            let (kept, outcome) = run_keeping(&mut cargo, |line| line.starts_with(EXECUTED));
            executed = kept.iter().find_map(|line| executions(line));
            outcome.with_context(|| format!("{target}: an input may be in {}", artifacts.display()))
        });
        (executed, outcome)
    }
}

/// The count in the line of libFuzzer that has it.
fn executions(line: &str) -> Option<u64> {
    line.strip_prefix(EXECUTED)?.trim().parse().ok()
}

fn cargo(workspace: &Workspace, host: &str, directory: &str, subcommand: &str, target: &str) -> Command {
    let mut cargo = workspace.cargo();
    cargo.current_dir(workspace.path(directory)).env("CARGO_TARGET_DIR", workspace.target("fuzz"));
    // A target of its own keeps the flags from build scripts.
    cargo.args([subcommand, "--release", "--locked", "--target", host, "--bin", target]);
    let flags = if directory == RUNTIME_FUZZ { COVERAGE.to_owned() } else { format!("{COVERAGE} {COMPARISONS}") };
    cargo.env("RUSTFLAGS", flags);
    cargo
}

fn made(directory: PathBuf) -> Result<PathBuf> {
    fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
    Ok(directory)
}

/// A directory with nothing in it: seeds of an older target would stay among the new ones.
fn emptied(directory: PathBuf) -> Result<PathBuf> {
    if directory.exists() {
        fs::remove_dir_all(&directory).with_context(|| format!("cannot remove {}", directory.display()))?;
    }
    made(directory)
}

/// A directory for temporary files, in memory where there is one: targets rewrite small files thousands of times a second.
/// Removed at the end, since libFuzzer leaves a process without running destructors.
struct Scratch(PathBuf);

impl Scratch {
    fn new(workspace: &Workspace, target: &str) -> Result<Self> {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { made(workspace.target("fuzz-scratch"))? };
        let directory = parent.join(format!("thimble-fuzz-{target}-{}", std::process::id()));
        fs::create_dir(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
        Ok(Self(directory))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("cannot remove {}: {error}", self.0.display());
        }
    }
}

/// The target of the compiler itself.
fn host_target(workspace: &Workspace) -> Result<String> {
    let version = capture(Command::new("rustc").current_dir(workspace.root()).arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc -vV names no host")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_are_read_from_the_line_that_has_them() {
        assert_eq!(executions("stat::number_of_executed_units: 4117656"), Some(4_117_656));
        assert_eq!(executions("stat::average_exec_per_sec:     257353"), None);
        assert_eq!(executions("stat::number_of_executed_units: many"), None);
    }

    /// A crate with a lock file of its own has an engine of its own.
    #[test]
    fn the_engine_that_is_fuzzed_is_the_one_that_is_shipped() -> Result<()> {
        let workspace = Workspace::locate()?;
        let engine = |directory: &str| -> Result<Vec<String>> {
            let lock = fs::read_to_string(workspace.path(directory).join("Cargo.lock"))?;
            let lock: toml_edit::DocumentMut = lock.parse()?;
            let packages = lock["package"].as_array_of_tables().context("packages")?;
            let named = |name: &str| name == "wasmtime" || name == "cranelift-codegen" || name == "pulley-interpreter";
            let ours = packages.iter().filter(|package| package["name"].as_str().is_some_and(named));
            Ok(ours.map(|package| format!("{} {}", package["name"], package["version"])).collect())
        };
        let shipped = engine(".")?;
        assert_eq!(shipped.len(), 3, "{shipped:?}");
        assert_eq!(engine(RUNTIME_FUZZ)?, shipped);
        Ok(())
    }

    /// A binary without a target here would never run, and one here without a binary would stop the others.
    #[test]
    fn every_binary_of_the_fuzz_crates_is_a_target() -> Result<()> {
        let workspace = Workspace::locate()?;
        for crate_directory in [FUZZ, KERNELS_FUZZ, RUNTIME_FUZZ] {
            let manifest = fs::read_to_string(workspace.path(crate_directory).join("Cargo.toml"))?;
            let manifest: toml_edit::DocumentMut = manifest.parse()?;
            let binaries = manifest["bin"].as_array_of_tables().context("binaries")?;
            let binaries: Vec<_> = binaries.iter().filter_map(|binary| binary["name"].as_str()).collect();
            let ours = TARGETS.iter().filter(|(directory, _)| *directory == crate_directory);
            assert_eq!(binaries, ours.map(|(_, target)| *target).collect::<Vec<_>>(), "{crate_directory}");
        }
        Ok(())
    }
}
