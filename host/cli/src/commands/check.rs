//! `thimble check`

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;
use thimble_admission::{Facts, Refusal, StaticLimits, inspect};
use thimble_challenge::challenge::{Limits, grouped};
use thimble_challenge::{Manifest, Package, PackageError, ParameterCount, parameters};
use thimble_datasets::Digest;

use crate::exit::{ExitStatus, Failure};
use crate::{input, output};

/// Check a submission without running it: package, manifest, static rules.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  thimble check target/examples/centroid.zip
  thimble check solution.wasm --challenge examples/challenges/imagenet-pareto-500k --json

Exit status: 0 without findings, 10 with, 3 when a file cannot be read.")]
pub(crate) struct Opts {
    /// A package (.zip) or a bare component (.wasm)
    submission: PathBuf,
    /// Also hold it against this challenge's parameter limit
    #[arg(long, value_name = "DIR")]
    challenge: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was found; what could not be read is null.
#[derive(Debug, Default, Serialize)]
struct Report {
    manifest: Option<Manifest>,
    package_digest: Option<Digest>,
    component_digest: Option<Digest>,
    facts: Option<Facts>,
    /// With a challenge: the parameters that the component's own bytes are.
    embedded: Option<u64>,
    /// With a challenge: its limit.
    limit: Option<ParameterCount>,
    findings: Vec<Finding>,
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
        let limits = match &self.challenge {
            Some(path) => Some(input::challenge(path)?.challenge.limits),
            None => None,
        };
        let report = Report::of(&input::submission(&self.submission)?, limits.as_ref());
        output::print(&if self.json { output::json(&report)? } else { report.text() })?;
        Ok(if report.findings.is_empty() { ExitStatus::Success } else { ExitStatus::Rejected })
    }
}

impl Report {
    fn of(submission: &[u8], limits: Option<&Limits>) -> Self {
        let package = match Package::read(submission) {
            Ok(package) => package,
            Err(error) => return Self { findings: vec![Finding::in_package(&error)], ..Self::default() },
        };
        let declared = package.manifest.as_ref().and_then(|manifest| manifest.parameters);
        let mut report = Self {
            manifest: package.manifest,
            package_digest: package.package_digest,
            component_digest: Some(package.component_digest),
            limit: limits.map(|limits| limits.parameters),
            ..Self::default()
        };
        match inspect(&package.component, &StaticLimits::OFFICIAL) {
            Ok(facts) => {
                if let Some(limits) = limits {
                    report.count(&facts, limits, declared);
                }
                report.facts = Some(facts);
            }
            Err(refusal) => report.findings.push(Finding::in_component(&refusal)),
        }
        report
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

    fn text(&self) -> String {
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
        if self.findings.is_empty() {
            text.push_str("no findings\n");
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
