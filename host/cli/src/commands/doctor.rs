//! `thimble doctor`

use std::fmt::Write as _;

use anyhow::Context as _;
use serde_json::{Value, json};
use thimble_sandbox::probe::{Examination, Outcome, ProbeFinding};
use thimble_sandbox::{Job, Kernel, Layer};

use crate::evaluate;
use crate::exit::{Blame as _, ExitStatus, Failure};
use crate::output;

/// Show whether this machine can hold a guest in: the layers of the sandbox, and attacks on it from inside.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A child process locks itself in as for an evaluation and then tries to get out. Since the filter of system calls would hide \
the layers behind it, the same attempts are made with each layer alone. Every attempt must fail, with the error of the layer \
that stops it. Takes a second and changes nothing.

Exit status 8 says that a required layer does not hold, or that the processor has no fused multiply-add.

Examples:
  # The layers that do not hold, and why:
  thimble doctor --json | jq '.layers[] | select(.holds | not)'")]
pub(crate) struct Opts {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        let mut command = evaluate::child_command()?;
        command.push("probe".into());
        let directory = tempfile::tempdir().context("cannot make a directory for the probes").or_output()?;
        let examination =
            Examination::of(&command, directory.path()).context("cannot examine the sandbox").or_internal()?;
        let machine = Machine::here();
        output::print(&if self.json {
            output::json(&as_json(&machine, &examination))?
        } else {
            text(&machine, &examination)
        })?;
        let fit = examination.holds() && machine.fused_multiply_add;
        Ok(if fit { ExitStatus::Success } else { ExitStatus::Unfit })
    }
}

/// What the machine is, apart from what the probes find.
struct Machine {
    linux: String,
    kernel: Kernel,
    /// Without it the engine's relaxed multiply-add is a library call, some twenty times slower.
    fused_multiply_add: bool,
}

impl Machine {
    fn here() -> Self {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            linux: release.trim().to_owned(),
            kernel: Kernel::probe(),
            #[cfg(target_arch = "x86_64")]
            fused_multiply_add: std::arch::is_x86_feature_detected!("fma"),
            // Part of the architecture.
            #[cfg(target_arch = "aarch64")]
            fused_multiply_add: true,
        }
    }
}

fn as_json(machine: &Machine, examination: &Examination) -> Value {
    let layers = examination.layers.iter().map(|finding| {
        json!({
            "layer": finding.layer,
            "required": Layer::REQUIRED.contains(&finding.layer),
            "holds": finding.objection.is_none(),
            "objection": finding.objection,
        })
    });
    let calls = |job: Job| job.calls().collect::<Vec<_>>();
    json!({
        "linux": machine.linux,
        "architecture": std::env::consts::ARCH,
        "landlock_abi": machine.kernel.landlock_abi,
        "fused_multiply_add": machine.fused_multiply_add,
        "holds": examination.holds(),
        "not_locked": examination.not_locked,
        "layers": layers.collect::<Vec<_>>(),
        "system_calls": { "compile": calls(Job::Compile), "run": calls(Job::Run) },
        "probes": examination.probes.iter().map(probe_as_json).collect::<Vec<_>>(),
    })
}

fn probe_as_json(finding: &ProbeFinding) -> Value {
    let stopped_by =
        finding.stopped_by.iter().map(|(layers, errno)| json!({ "layers": layers, "error": error_name(*errno) }));
    let breaches =
        finding.breaches.iter().map(|(layers, outcome)| json!({ "layers": layers, "outcome": outcome_name(*outcome) }));
    json!({
        "probe": finding.probe.name,
        "tries_to": finding.probe.what,
        "outcome": finding.outcome.map(outcome_name),
        "stopped_by": stopped_by.collect::<Vec<_>>(),
        "breaches": breaches.collect::<Vec<_>>(),
    })
}

fn text(machine: &Machine, examination: &Examination) -> String {
    let abi = machine.kernel.landlock_abi.map_or("no Landlock".to_owned(), |abi| format!("Landlock ABI {abi}"));
    let mut text = format!("Linux {} on {}, {abi}\n", machine.linux, std::env::consts::ARCH);
    let fma =
        if machine.fused_multiply_add { "fused multiply-add" } else { "no fused multiply-add: evaluations are slow" };
    // Writing to a string cannot fail.
    let _ = writeln!(text, "processor: {fma}\n\nlayers of the sandbox");
    for finding in &examination.layers {
        let optional = if Layer::REQUIRED.contains(&finding.layer) { "" } else { "optional; " };
        let state =
            finding.objection.as_deref().map_or("holds".to_owned(), |objection| format!("does not hold: {objection}"));
        let _ = writeln!(text, "  {:17}  {optional}{state}", finding.layer);
    }
    if let Some(reason) = &examination.not_locked {
        let _ = writeln!(text, "\nthe whole sandbox cannot be locked: {reason}");
    }
    let refused =
        examination.probes.iter().filter(|finding| matches!(finding.outcome, Some(Outcome::Refused(_)))).count();
    let _ = writeln!(text, "\nattempts from inside: {refused} of {} refused", examination.probes.len());
    let _ = writeln!(text, "  {:20}  {:7}  stopped by, each alone", "attempt", "error");
    for finding in &examination.probes {
        let outcome = finding.outcome.map_or_else(|| "-".to_owned(), outcome_name);
        let _ = writeln!(text, "  {:20}  {outcome:7}  {}", finding.probe.name, stopped_by(finding));
        for (layers, outcome) in &finding.breaches {
            let _ = writeln!(text, "  {:20}  NOT stopped by {}: {}", "", names(layers), outcome_name(*outcome));
        }
    }
    let verdict = if examination.holds() { "the sandbox holds" } else { "the sandbox does NOT hold" };
    let _ = writeln!(text, "\n{verdict}");
    text
}

fn stopped_by(finding: &ProbeFinding) -> String {
    let sets: Vec<_> =
        finding.stopped_by.iter().map(|(layers, errno)| format!("{} {}", names(layers), error_name(*errno))).collect();
    sets.join(", ")
}

fn names(layers: &[Layer]) -> String {
    layers.iter().map(|layer| layer.name()).collect::<Vec<_>>().join("+")
}

fn outcome_name(outcome: Outcome) -> String {
    match outcome {
        Outcome::Refused(errno) => error_name(errno),
        Outcome::Done => "done".to_owned(),
        Outcome::NotTried => "not tried".to_owned(),
    }
}

/// The symbol of an error number of Linux, for those that a layer answers with.
fn error_name(errno: i32) -> String {
    let name = match errno {
        1 => "EPERM",
        2 => "ENOENT",
        9 => "EBADF",
        11 => "EAGAIN",
        12 => "ENOMEM",
        13 => "EACCES",
        24 => "EMFILE",
        38 => "ENOSYS",
        97 => "EAFNOSUPPORT",
        other => return format!("error {other}"),
    };
    name.to_owned()
}
