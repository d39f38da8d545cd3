//! The table of the example solutions: from result files to `table.json`, `README.md` and one SVG per challenge.
//!
//! `cargo xtask table` runs the solutions and then this. A program of its own, so that `cargo xtask` stays quick to build.

mod axis;
mod figures;
mod labels;
mod markdown;
mod plot;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use thimble_challenge::{Challenge, EvaluationResult};

use crate::figures::{Figures, Row};
use crate::markdown::Solution;

const FIGURES: &str = "table.json";
const README: &str = "README.md";

/// Writes the table of the example solutions, from result files.
#[derive(Debug, Parser)]
struct Opts {
    /// The directory with challenges/, solutions/ and README.md
    #[arg(long)]
    examples: PathBuf,
    /// Where the results are: CHALLENGE/SOLUTION.json
    #[arg(long)]
    results: PathBuf,
    /// A challenge of the table, in order
    #[arg(long = "challenge", required = true)]
    challenges: Vec<String>,
    /// A solution and its directory under solutions/, NAME=DIRECTORY, in order
    #[arg(long = "solution", required = true)]
    solutions: Vec<Solution>,
    /// A compiler that built the solutions, as it names itself
    #[arg(long = "compiler")]
    compilers: Vec<String>,
    /// Write nothing, and fail when the committed files are not what the results give
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    match Opts::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Opts {
    fn run(&self) -> Result<()> {
        let challenges = self.challenges.iter().map(|name| self.challenge(name)).collect::<Result<Vec<_>>>()?;
        let fresh = self.measure(&challenges)?;
        if !self.check {
            return self.files(&challenges, &fresh)?.iter().try_for_each(|(name, text)| {
                let path = self.examples.join(name);
                fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
            });
        }
        let committed = Figures::from_json(&read(&self.examples.join(FIGURES))?).context(FIGURES)?;
        let mut faults = committed.differences(&fresh);
        for (name, text) in self.files(&challenges, &committed)? {
            let path = self.examples.join(&name);
            let found = if path.exists() { read(&path)? } else { String::new() };
            faults.extend(markdown::first_difference(&found, &text).map(|line| format!("{name}: {line}")));
        }
        if !faults.is_empty() {
            bail!("not what the results give; `cargo xtask table` writes it anew:\n  {}", faults.join("\n  "));
        }
        Ok(())
    }

    fn challenge(&self, name: &str) -> Result<Challenge> {
        let path = self.examples.join("challenges").join(name).join("challenge.json");
        Challenge::from_json(read(&path)?.as_bytes()).with_context(|| path.display().to_string())
    }

    /// What the result files say.
    fn measure(&self, challenges: &[Challenge]) -> Result<Figures> {
        let mut rows = BTreeMap::new();
        for challenge in challenges {
            let of_challenge = rows.entry(challenge.name.clone()).or_insert_with(BTreeMap::new);
            for solution in &self.solutions {
                let path = self.results.join(&challenge.name).join(format!("{}.json", solution.name));
                let result =
                    EvaluationResult::from_json(read(&path)?.as_bytes()).with_context(|| path.display().to_string())?;
                of_challenge.insert(solution.name.clone(), Row::of(&result.comparable, &challenge.ranking.metric));
            }
        }
        Ok(Figures { compilers: self.compilers.clone(), rows })
    }

    /// Every file of the table, by its path in the directory of the examples.
    fn files(&self, challenges: &[Challenge], figures: &Figures) -> Result<Vec<(String, String)>> {
        let solutions = self.solutions.iter().map(|solution| {
            let directory = self.examples.join("solutions").join(&solution.directory);
            Ok((solution, description(&directory)?))
        });
        let section = markdown::section(challenges, &solutions.collect::<Result<Vec<_>>>()?, figures);
        let readme = markdown::replaced(&read(&self.examples.join(README))?, &section)
            .with_context(|| format!("{README} has no table to replace"))?;
        let mut files = vec![(FIGURES.to_owned(), figures.to_json()), (README.to_owned(), readme)];
        for challenge in challenges {
            files.push((markdown::drawing(challenge), plot::svg(challenge, figures.of(challenge))));
        }
        Ok(files)
    }
}

/// What a solution is, in one line: the description of its crate, or the heading of its README.
fn description(directory: &Path) -> Result<String> {
    let manifest = directory.join("Cargo.toml");
    let (path, start, end) =
        if manifest.exists() { (manifest, "description = \"", "\"") } else { (directory.join(README), "# ", "") };
    let text = read(&path)?;
    let line = text.lines().find_map(|line| line.strip_prefix(start)?.strip_suffix(end));
    let line = line.with_context(|| format!("{} has no line `{start}…{end}`", path.display()))?;
    Ok(format!("{}.", line.trim_end_matches('.')))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
