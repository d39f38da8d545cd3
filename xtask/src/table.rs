//! `cargo xtask table`: every example solution on the benchmark challenges, as a table with a drawing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context as _, Result, anyhow, bail};
use sha2::{Digest as _, Sha256};

use crate::examples;
use crate::step::{blank, capture, line, run, step};
use crate::toolchain::{GuestToolchain, Route};
use crate::workspace::Workspace;

/// What the solutions are measured on.
const CHALLENGES: [&str; 2] = ["frugal-digits", "frugal-embeddings"];

/// Under `target/`. Results are kept by what they depend on, so that only what changed is run again: what the table shows of
/// them is the same in every run.
const RESULTS: &str = "table";

/// Runs every example solution on the benchmark challenges and writes the table of examples/README.md, with its figures
/// (table.json) and one drawing per challenge (frontier-CHALLENGE.svg).
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {
    /// Write nothing, and fail when the committed table is not what the runs give
    #[arg(long)]
    check: bool,
}

impl Opts {
    pub(crate) fn run(self, workspace: &Workspace, choice: GuestToolchain) -> Result<()> {
        let route = examples::set_up(workspace, choice)?;
        blank();
        if self.check {
            return check(workspace, route);
        }
        measure(workspace)?;
        step("write examples/README.md", || run(&mut table(workspace, route)?))
    }
}

/// Whether the committed table is what the examples, which are set up, give now.
pub(crate) fn check(workspace: &Workspace, route: Route) -> Result<()> {
    measure(workspace)?;
    step("table of examples/README.md", || {
        let mut table = table(workspace, route)?;
        let status = table.arg("--check").status().with_context(|| format!("cannot start {}", line(&table)))?;
        // It has said what differs.
        if status.success() { Ok(()) } else { bail!("the table is stale") }
    })
}

/// A result of every solution on every challenge; on every core one run at a time.
fn measure(workspace: &Workspace) -> Result<()> {
    let thimble = fingerprint(&[&workspace.thimble()])?;
    let mut missing = Vec::new();
    for challenge in CHALLENGES {
        let results = workspace.target(RESULTS).join(challenge);
        fs::create_dir_all(&results).with_context(|| format!("cannot create {}", results.display()))?;
        for (name, _) in examples::solutions() {
            let evaluation = Evaluation {
                package: PathBuf::from(format!("target/examples/{name}.zip")),
                challenge: PathBuf::from(format!("examples/challenges/{challenge}")),
                out: results.join(name).with_extension("json"),
            };
            let key = evaluation.key(workspace, &thimble)?;
            if !evaluation.is_kept(&key) {
                missing.push((format!("{name} on {challenge}"), evaluation, key));
            }
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("      runs  {}, the others are kept in target/{RESULTS}", missing.len());
    let next = AtomicUsize::new(0);
    let work = || -> Result<()> {
        while let Some((name, evaluation, key)) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
            step(name, || evaluation.run(workspace, key))?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..cores.min(missing.len())).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow!("a run panicked"))?)
    })
}

/// One run of `thimble`. Paths are relative to the repository, so that the command can be typed again as errors show it.
struct Evaluation {
    package: PathBuf,
    challenge: PathBuf,
    out: PathBuf,
}

impl Evaluation {
    /// Everything that the comparable block depends on: the program with its engine, the package, and the challenge, which
    /// names its data by digest.
    fn key(&self, workspace: &Workspace, thimble: &str) -> Result<String> {
        let challenge = workspace.root().join(&self.challenge).join("challenge.json");
        let inputs = fingerprint(&[&workspace.root().join(&self.package), &challenge])?;
        Ok(format!("{thimble} {inputs}\n"))
    }

    fn is_kept(&self, key: &str) -> bool {
        self.out.exists() && fs::read_to_string(self.key_file()).is_ok_and(|kept| kept == key)
    }

    fn key_file(&self) -> PathBuf {
        self.out.with_extension("key")
    }

    /// A run that is not scored leaves a result too, and is a row of the table.
    fn run(&self, workspace: &Workspace, key: &str) -> Result<()> {
        for stale in [&self.out, &self.key_file()] {
            if stale.exists() {
                fs::remove_file(stale).with_context(|| format!("cannot remove {}", stale.display()))?;
            }
        }
        let mut thimble = Command::new(workspace.thimble());
        thimble.current_dir(workspace.root()).arg("run").arg(&self.package).arg("--challenge").arg(&self.challenge);
        thimble.args(["--cache", "target/cache"]).arg("--out").arg(&self.out);
        let output = thimble.output().with_context(|| format!("cannot start {}", line(&thimble)))?;
        if !self.out.exists() {
            bail!("{} left no result\n{}", line(&thimble), String::from_utf8_lossy(&output.stderr).trim_end());
        }
        let file = self.key_file();
        fs::write(&file, key).with_context(|| format!("cannot write {}", file.display()))
    }
}

/// The program that makes files of results.
fn table(workspace: &Workspace, route: Route) -> Result<Command> {
    let mut table = Command::new(workspace.target("release/example-table"));
    table.current_dir(workspace.root()).args(["--examples", "examples"]);
    table.arg("--results").arg(workspace.target(RESULTS));
    for challenge in CHALLENGES {
        table.args(["--challenge", challenge]);
    }
    for (name, directory) in examples::solutions() {
        table.arg("--solution").arg(format!("{name}={directory}"));
    }
    for compiler in [&mut route.rustc(), &mut Command::new("clang")] {
        let version = capture(compiler.arg("--version"))?;
        table.arg("--compiler").arg(version.lines().next().unwrap_or_default());
    }
    Ok(table)
}

/// SHA-256 over the bytes of files, each behind its length.
fn fingerprint(paths: &[&Path]) -> Result<String> {
    let mut hash = Sha256::new();
    for path in paths {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(&bytes);
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_kept_under_its_key_only() -> Result<()> {
        let directory = std::env::temp_dir().join(format!("thimble-table-{}", std::process::id()));
        fs::create_dir_all(&directory)?;
        let evaluation =
            Evaluation { package: PathBuf::new(), challenge: PathBuf::new(), out: directory.join("mlp.json") };
        assert!(!evaluation.is_kept("key"));
        fs::write(evaluation.key_file(), "key")?;
        assert!(!evaluation.is_kept("key"), "a key without a result");
        fs::write(&evaluation.out, "{}")?;
        assert!(evaluation.is_kept("key") && !evaluation.is_kept("other"));

        // The same bytes, divided differently.
        let [a, b, c] = ["a", "b", "c"].map(|name| directory.join(name));
        for (path, bytes) in [(&a, "12"), (&b, "3"), (&c, "123")] {
            fs::write(path, bytes)?;
        }
        assert_ne!(fingerprint(&[&a, &b])?, fingerprint(&[&c])?);
        assert_ne!(fingerprint(&[&a, &b])?, fingerprint(&[&b, &a])?);
        fs::remove_dir_all(&directory)?;
        Ok(())
    }
}
