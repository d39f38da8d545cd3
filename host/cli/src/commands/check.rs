//! `thimble check`

use std::fmt::Write as _;

use serde::Serialize;
use thimble_admission::{Facts, Inspection, Refusal, StaticLimits, inspect_all};
use thimble_challenge::challenge::{Limits, grouped};
use thimble_challenge::{Manifest, Package, PackageError, ParameterCount, parameters};
use thimble_datasets::Digest;

use crate::cargo::Names;
use crate::exit::{ExitStatus, Failure};
use crate::project::SubmissionOpts;
use crate::{input, output};

/// Check a submission without running it: package, manifest, static rules, and with a challenge its parameter limit.
///
/// Names every finding, with what to do about it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  thimble check target/examples/centroid.zip
  thimble check solution.wasm --challenge examples/challenges/imagenet-pareto-500k --json

  # The project here, built first, for the challenge that its Cargo.toml names
  thimble check

Exit status: 0 without findings, 10 with, 3 when a file cannot be read.")]
pub(crate) struct Opts {
    #[command(flatten)]
    submission: SubmissionOpts,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was found; what could not be read is null.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    manifest: Option<Manifest>,
    package_digest: Option<Digest>,
    component_digest: Option<Digest>,
    facts: Option<Facts>,
    /// With a challenge: the parameters that the component's own bytes are.
    embedded: Option<u64>,
    /// With a challenge: its limit.
    limit: Option<ParameterCount>,
    findings: Vec<Finding>,
    /// Findings beyond those listed.
    unlisted: u64,
}

/// One broken rule.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    rule: String,
    message: String,
    remedy: String,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        let submission = self.submission.find()?;
        let limits = match submission.challenge_if_named() {
            Some(path) => Some(input::challenge(path)?.challenge.limits),
            None => None,
        };
        let report = Report::of(&submission.read(Names::Stripped)?, limits.as_ref());
        output::print(&if self.json { output::json(&report)? } else { report.text() })?;
        Ok(if report.is_clean() { ExitStatus::Success } else { ExitStatus::Rejected })
    }
}

impl Report {
    pub(crate) fn of(submission: &[u8], limits: Option<&Limits>) -> Self {
        let package = match Package::read(submission) {
            Ok(package) => package,
            Err(error) => return Self::of_unreadable(&error, submission, limits),
        };
        let declared = package.manifest.as_ref().and_then(|manifest| manifest.parameters);
        let mut report = Self {
            manifest: package.manifest,
            package_digest: package.package_digest,
            component_digest: Some(package.component_digest),
            limit: limits.map(|limits| limits.parameters),
            ..Self::default()
        };
        report.inspect(&package.component, limits, declared);
        report
    }

    /// What is wrong with a package, and with its component where that can be read all the same.
    fn of_unreadable(error: &PackageError, submission: &[u8], limits: Option<&Limits>) -> Self {
        let mut report = Self { limit: limits.map(|limits| limits.parameters), ..Self::default() };
        if let (PackageError::ComponentBytes { .. }, true) = (error, submission.starts_with(b"\0asm")) {
            report.component_digest = Some(Digest::of(submission));
            // Its size is among the refusals.
            report.inspect(submission, limits, None);
        } else {
            report.findings.push(Finding::in_package(error));
        }
        report
    }

    fn inspect(&mut self, component: &[u8], limits: Option<&Limits>, declared: Option<ParameterCount>) {
        let Inspection { facts, refusals, unlisted } = inspect_all(component, &StaticLimits::OFFICIAL);
        self.findings.extend(refusals.iter().map(Finding::in_component));
        self.unlisted = unlisted;
        if let (Some(facts), Some(limits)) = (&facts, limits) {
            self.count(facts, limits, declared);
        }
        self.facts = facts;
    }

    /// Whether there is nothing to say against it.
    pub(crate) fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// What is known of the parameters before anything has run.
    fn count(&mut self, facts: &Facts, limits: &Limits, declared: Option<ParameterCount>) {
        // Without tensors there is nothing whose form could be wrong.
        let Ok(counted) = parameters::count(&[], facts.counted_bytes, limits, declared) else { return };
        self.embedded = Some(counted.embedded);
        if counted.counted > limits.parameters {
            self.findings.push(Finding {
                rule: "parameters".to_owned(),
                message: format!(
                    "the component alone is {} parameters ({} bytes, of which {} are free), the limit is {}",
                    counted.embedded, facts.counted_bytes, limits.embedded_allowance_bytes, limits.parameters
                ),
                remedy: "keep weights out of the component, and build with `opt-level = \"s\"` and `lto = true`"
                    .to_owned(),
            });
        }
        if let Some(declared) = declared.filter(|declared| *declared > limits.parameters) {
            self.findings.push(Finding {
                rule: "declared_over_limit".to_owned(),
                message: format!("thimble.json declares {declared} parameters, the limit is {}", limits.parameters),
                remedy: "pack it again for this challenge: `thimble pack --challenge DIR`".to_owned(),
            });
        }
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let mut row = |label: &str, value: String| {
            let _ = writeln!(text, "{label:<12} {value}");
        };
        if let Some(manifest) = &self.manifest {
            row("submission", format!("{} {}", manifest.name, manifest.version));
        }
        if let Some(digest) = &self.package_digest {
            row("package", digest.to_string());
        }
        if let Some(digest) = &self.component_digest {
            row("component", digest.to_string());
        }
        if let Some(facts) = &self.facts {
            let (total, custom) = (grouped(facts.total_bytes), grouped(facts.custom_bytes));
            row("size", format!("{total} bytes, {custom} of them in custom sections"));
            row("code", format!("{} bytes in {} functions", grouped(facts.code_bytes), grouped(facts.functions)));
            row("data", format!("{} bytes", grouped(facts.data_bytes)));
            row("imports", facts.imports.join("\n             "));
        }
        if let (Some(embedded), Some(limit)) = (self.embedded, self.limit) {
            row("embedded", format!("{} of {} parameters", grouped(embedded), grouped(limit.0)));
        }
        if let Some(manifest) = &self.manifest {
            let declared = manifest.parameters.map_or_else(|| "not declared".to_owned(), |count| grouped(count.0));
            row("parameters", declared);
        }
        for Finding { rule, message, remedy } in &self.findings {
            let _ = writeln!(text, "\nfinding: {message} ({rule})\n  remedy: {remedy}");
        }
        match (self.findings.len(), self.unlisted) {
            (0, _) => text.push_str("no findings\n"),
            (listed, 0) => {
                let _ = writeln!(text, "\n{listed} finding{}", if listed == 1 { "" } else { "s" });
            }
            (listed, unlisted) => {
                let _ = writeln!(text, "\n{listed} findings, and {unlisted} more");
            }
        }
        text
    }
}

impl Finding {
    fn in_package(error: &PackageError) -> Self {
        let remedy = match error {
            PackageError::UnknownFormat { .. } => "name a package made by `thimble pack`, or a component",
            PackageError::ComponentBytes { .. } => "build with `--release`, `lto = true`, `strip = true`",
            PackageError::Manifest { .. } => "correct the manifest, or let `thimble pack` write it",
            _ => "make the package with `thimble pack`",
        };
        Self { rule: error.rule().to_owned(), message: error.to_string(), remedy: remedy.to_owned() }
    }

    /// A static rule that is broken.
    pub(crate) fn in_component(refusal: &Refusal) -> Self {
        Self { rule: refusal.rule().to_owned(), message: refusal.to_string(), remedy: refusal.remedy() }
    }

    /// On one line, for errors.
    pub(crate) fn line(&self) -> String {
        format!("{} ({}); {}", self.message, self.rule, self.remedy)
    }
}
