//! `thimble compare`

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use thimble_challenge::result::{EvaluationResult, MAX_RESULT_BYTES, Mode};

use crate::comparison::{Comparison, Entry};
use crate::exit::{ExitStatus, Failure};
use crate::{input, output};

/// Put results side by side: what each is better at, and which dominates.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Reads what `thimble run --out FILE` wrote. Behind each figure stands its difference from the first result, or how many \
times the first it is. One result dominates another when no metric is worse, FLOPs/sample are no more, and one of \
them is better. Results under different challenges, datasets, tariffs or engines are shown, and never ranked together. \
Of an official run, only what is published is shown.

Examples:
  thimble run --out first.json
  thimble compare first.json second.json")]
pub(crate) struct Opts {
    /// Result files, the one to compare with first
    #[arg(required = true, num_args = 2.., value_name = "RESULT")]
    results: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        let mut results = Vec::new();
        for path in &self.results {
            let bytes = input::file("result", path, MAX_RESULT_BYTES)?;
            let result = EvaluationResult::from_json(&bytes)
                .map_err(|error| Failure::input(format!("result {}: {error}", path.display())))?;
            results.push(result);
        }
        let names = names(&self.results, &results);
        let entries = names.into_iter().zip(&results).map(|(name, result)| Entry::of(name, result)).collect();
        let comparison = Comparison::new(entries, obstacles(&results));
        output::print(&if self.json { output::json(&comparison)? } else { comparison.text() })?;
        Ok(ExitStatus::Success)
    }
}

/// What each result is called: the submission's name, or the file's where that is not enough.
fn names(paths: &[PathBuf], results: &[EvaluationResult]) -> Vec<String> {
    let submission = |result: &EvaluationResult| {
        result.comparable.submission.as_ref().and_then(|submission| submission.name.clone()).unwrap_or_default()
    };
    let candidates: [Vec<String>; 2] = [
        results.iter().map(submission).collect(),
        paths.iter().map(|path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned()).collect(),
    ];
    let distinct = |names: &Vec<String>| {
        names.iter().all(|name| !name.is_empty()) && names.iter().collect::<BTreeSet<_>>().len() == names.len()
    };
    candidates
        .into_iter()
        .find(distinct)
        .unwrap_or_else(|| paths.iter().map(|path| path.display().to_string()).collect())
}

/// Why the results cannot be ranked together, in sentences; empty when they can.
fn obstacles(results: &[EvaluationResult]) -> Vec<String> {
    let mut obstacles = Vec::new();
    let mut differ = |what: &str, of: &dyn Fn(&EvaluationResult) -> (String, String), then: &str| {
        // What is shown, by what must be equal.
        let values: BTreeMap<_, _> = results.iter().map(of).collect();
        if values.len() > 1 {
            let shown: BTreeSet<_> = values.values().map(String::as_str).collect();
            let shown = shown.into_iter().collect::<Vec<_>>().join(" and ");
            obstacles.push(format!("different {what} ({shown}){then}"));
        }
    };
    let mode = |result: &EvaluationResult| match result.comparable.mode {
        Mode::Validation => "validation".to_owned(),
        Mode::Official => "official".to_owned(),
    };
    differ("modes", &|result| (mode(result), mode(result)), "");
    differ(
        "challenges",
        &|result| {
            let challenge = &result.comparable.challenge;
            (challenge.digest.to_string(), challenge.name.clone())
        },
        ": another name, seed or limit",
    );
    differ(
        "datasets",
        &|result| (result.comparable.dataset.to_string(), short(&result.comparable.dataset.to_string())),
        "",
    );
    differ(
        "tariffs",
        &|result| {
            let meter = &result.comparable.meter;
            (meter.tariff_digest.to_string(), format!("{} {}", meter.tariff, short(&meter.tariff_digest.to_string())))
        },
        ": results under different tariffs are never ranked together",
    );
    differ(
        "engines",
        &|result| {
            let meter = &result.comparable.meter;
            let engine = format!("{}, {}", meter.engine, meter.contract);
            (engine.clone(), engine)
        },
        "",
    );
    obstacles
}

/// The start of a digest, enough to tell two apart.
fn short(digest: &str) -> String {
    digest.chars().take("sha256:".len() + 8).collect()
}
