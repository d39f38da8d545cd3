//! A submission of the service as a table, a word, and an exit status.

use thimble_api::Timestamp;
use thimble_api::submission::{
    BuilderRun, BuilderSubmission, Cost, OfficialEnding, OfficialOutcome, OfficialState, Progress, PublicSubmission,
    Queued, SubmissionView, ValidationOutcome, ValidationState,
};
use thimble_challenge::Verdict;
use thimble_challenge::challenge::grouped;
use thimble_challenge::result::{Failure as Why, Mode, Outcome, Published};
use thimble_challenge::score::si;
use thimble_client::line;

use crate::exit::ExitStatus;
use crate::report::{self, Table, phase_name};

/// The name of a mode on the command line and in the API.
pub(crate) const fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Validation => "validation",
        Mode::Official => "official",
    }
}

/// Seconds for people.
pub(crate) fn spoken(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3_600)),
    }
}

/// A time without its fraction of a second: `2026-11-22 10:00:00Z`.
pub(crate) fn time(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(..19).map_or(text.clone(), |whole| format!("{}Z", whole.replace('T', " ")))
}

/// How a command that waited for a submission ends.
pub(crate) fn exit_status(view: &SubmissionView) -> ExitStatus {
    let run = match view {
        SubmissionView::Public(public) => return published_status(&public.figures),
        SubmissionView::Builder(submission) => &submission.run,
    };
    match run {
        BuilderRun::Validation(ValidationState::Finished(outcome)) => {
            outcome.verdict.map_or(ExitStatus::Cancelled, ExitStatus::from)
        }
        BuilderRun::Official(OfficialState::Finished(outcome)) => match &outcome.ending {
            OfficialEnding::Published(published) => published_status(published),
            OfficialEnding::NotImproved => ExitStatus::Success,
            OfficialEnding::Cancelled => ExitStatus::Cancelled,
            OfficialEnding::PlatformFault => ExitStatus::PlatformFault,
        },
        // It goes on.
        _ => ExitStatus::Success,
    }
}

/// Of a failed official run it is published that it failed; only what admission refused has a reason.
fn published_status(published: &Published) -> ExitStatus {
    match (published.outcome, &published.failure) {
        (Outcome::Scored, _) => ExitStatus::Success,
        (Outcome::OverParameterLimit, _) => ExitStatus::OverParameterLimit,
        (Outcome::Failed, Some(_)) => ExitStatus::Rejected,
        (Outcome::Failed, None) => ExitStatus::Failed,
    }
}

/// A word or two for a list.
pub(crate) fn state(run: &BuilderRun) -> String {
    match run {
        BuilderRun::Validation(ValidationState::Queued(queued))
        | BuilderRun::Official(OfficialState::Queued(queued)) => {
            format!("queued, {}", place(queued))
        }
        BuilderRun::Validation(ValidationState::Running(progress)) => match progress.phase {
            Some(phase) => format!("running, {}", phase_name(phase)),
            None => "running".to_owned(),
        },
        BuilderRun::Official(OfficialState::Running(_)) => "running".to_owned(),
        BuilderRun::Validation(ValidationState::Finished(outcome)) => match outcome.verdict {
            Some(Verdict::Scored) => outcome.score.map_or("scored".to_owned(), report::scored),
            Some(verdict) => verdict.to_string(),
            None => "cancelled".to_owned(),
        },
        BuilderRun::Official(OfficialState::Finished(outcome)) => match &outcome.ending {
            OfficialEnding::Published(published) => match (published.outcome, published.score) {
                (Outcome::Scored, Some(score)) => report::scored(score),
                (own, _) => outcome_name(own).to_owned(),
            },
            OfficialEnding::NotImproved => "not improved".to_owned(),
            OfficialEnding::Cancelled => "cancelled".to_owned(),
            OfficialEnding::PlatformFault => Verdict::PlatformFault.to_string(),
        },
    }
}

/// Place in the queue, and how long that may be.
pub(crate) fn place(queued: &Queued) -> String {
    let wait = queued.expected_wait_seconds.map(|seconds| format!(", about {}", spoken(seconds))).unwrap_or_default();
    format!("number {}{wait}", queued.position)
}

/// Everything that is told of a submission.
pub(crate) fn table(view: &SubmissionView) -> String {
    let mut table = Table::default();
    match view {
        SubmissionView::Public(public) => public_rows(&mut table, public),
        SubmissionView::Builder(submission) => {
            header(&mut table, submission);
            match &submission.run {
                BuilderRun::Validation(state) => validation(&mut table, state),
                BuilderRun::Official(state) => official(&mut table, state),
            }
            if let Some(charged) = submission.charged {
                table.row("charged", charged.shown());
            }
        }
    }
    table.0
}

fn public_rows(table: &mut Table, public: &PublicSubmission) {
    table.row("id", public.id);
    table.row("challenge", format!("{} (official)", public.challenge));
    table.row("builder", format!("{}, team {}", public.builder, public.team));
    table.row("submitted", time(public.submitted_at));
    table.row("released", time(public.released_at));
    published(table, &public.figures);
}

fn header(table: &mut Table, submission: &BuilderSubmission) {
    table.row("id", submission.id);
    table.row("challenge", format!("{} ({})", submission.challenge, mode_name(submission.run.mode())));
    let name = submission.name.as_deref().unwrap_or("(bare component)");
    let version = submission.version.as_deref().unwrap_or_default();
    table.row("submission", line(format!("{name} {version}").trim_end()));
    if !submission.note.is_empty() {
        table.row("note", line(&submission.note));
    }
    table.row("submitted", format!("{} by {}", time(submission.submitted_at), submission.builder));
    if let Some(earlier) = submission.duplicate_of {
        table.row("the same as", format!("{earlier}: the same component, submitted before"));
    }
}

fn queued(table: &mut Table, queued: &Queued) {
    table.row("state", format!("queued, {}", place(queued)));
    if queued.attempt > 1 {
        table.row("attempt", format!("{}: a worker was lost, which is not charged", queued.attempt));
    }
}

fn validation(table: &mut Table, state: &ValidationState) {
    match state {
        ValidationState::Queued(own) => queued(table, own),
        ValidationState::Running(progress) => {
            table.row("state", running(progress));
            table.row("heartbeat", time(progress.heartbeat_at));
        }
        ValidationState::Finished(outcome) => validation_outcome(table, outcome),
    }
}

/// The phase, and the fuel of it.
pub(crate) fn running(progress: &Progress) -> String {
    let phase = progress.phase.map(|phase| format!(", {}", phase_name(phase))).unwrap_or_default();
    match (progress.fuel_used, progress.fuel_budget) {
        (Some(used), Some(budget)) => {
            format!("running{phase}, {} of {}", si(used.flops(), "FLOP"), si(budget.flops(), "FLOP"))
        }
        _ => format!("running{phase}"),
    }
}

fn validation_outcome(table: &mut Table, outcome: &ValidationOutcome) {
    table.row("finished", time(outcome.finished_at));
    table.row("verdict", outcome.verdict.map_or("cancelled".to_owned(), |verdict| verdict.to_string()));
    why(table, outcome.failure.as_ref(), outcome.remedy.as_deref());
    if let Some(score) = outcome.score {
        table.row("score", report::scored(score));
    }
    report::metrics(table, &outcome.metrics);
    if let Some(baseline) = &outcome.baseline {
        table.row("naive baseline", report::baseline(baseline));
    }
    if let Some(parameters) = &outcome.parameters {
        table.row("parameters", report::counted(parameters));
    }
    cost(table, &outcome.cost);
    if let Some(independence) = &outcome.independence {
        table.row("rows", report::independence(independence));
    }
    report::seconds(table, &outcome.seconds);
    if let Some(bytes) = outcome.peak_memory_bytes {
        table.row("memory", format!("{} at most", si(bytes as f64, "B")));
    }
    report::series(table, &outcome.curves);
}

fn cost(table: &mut Table, cost: &Cost) {
    if let Some(flops) = cost.flops_per_sample {
        let carbon = report::carbon(cost.gco2e_per_sample);
        table.row("prediction", format!("{} per sample{carbon}", si(flops, "FLOP")));
    }
    if let Some(flops) = cost.training_flops {
        let carbon = report::carbon(cost.training_gco2e);
        table.row("training", format!("{} of {}{carbon}", si(flops, "FLOP"), si(cost.training_flops_budget, "FLOP")));
    }
}

fn why(table: &mut Table, failure: Option<&Why>, remedy: Option<&str>) {
    if let Some(Why { phase, rule, message }) = failure {
        table.row("why", format!("{} ({}, phase {})", line(message), line(rule), phase_name(*phase)));
    }
    if let Some(remedy) = remedy {
        table.row("what to do", line(remedy));
    }
}

fn official(table: &mut Table, state: &OfficialState) {
    match state {
        OfficialState::Queued(own) => queued(table, own),
        OfficialState::Running(alive) => {
            table.row("state", "running");
            if let Some(at) = alive.heartbeat_at {
                table.row("heartbeat", time(at));
            }
            if alive.release_tick_seconds > 0 {
                table.row(
                    "release",
                    format!("results of this challenge appear every {}", spoken(alive.release_tick_seconds)),
                );
            }
        }
        OfficialState::Finished(outcome) => official_outcome(table, outcome),
    }
}

fn official_outcome(table: &mut Table, outcome: &OfficialOutcome) {
    table.row("released", time(outcome.released_at));
    match &outcome.ending {
        OfficialEnding::Published(own) => published(table, own),
        OfficialEnding::NotImproved => {
            table.row(
                "outcome",
                "scored, and not better than your last figure by what the challenge asks for: that one stands",
            );
        }
        OfficialEnding::Cancelled => table.row("outcome", "cancelled"),
        OfficialEnding::PlatformFault => {
            table.row("outcome", "platform_fault: the service's own, neither counted nor charged");
        }
    }
    why(table, None, outcome.remedy.as_deref());
}

fn published(table: &mut Table, published: &Published) {
    table.row("outcome", outcome_name(published.outcome));
    why(table, published.failure.as_ref(), None);
    report::published_figures(table, published);
    if let Some(bytes) = published.component_bytes {
        table.row("component", format!("{} bytes", grouped(bytes)));
    }
}

const fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Scored => "scored",
        Outcome::OverParameterLimit => "over_parameter_limit",
        Outcome::Failed => "failed",
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

    use serde_json::{Value, json};

    use super::*;

    fn view(mode: &str, status: Value) -> SubmissionView {
        serde_json::from_value(json!({"audience": "builder", "submission": {
            "id": "018bcfe5-687b-7000-8000-000000000001", "challenge": "toy", "builder": "ada", "team": "engines",
            "submitted_at": "2026-11-22T10:00:00.123Z", "name": "mlp", "version": "0.1.0", "note": "wider\u{1b}[2J",
            "component": null, "package": format!("sha256:{}", "0".repeat(64)), "package_bytes": 3,
            "duplicate_of": null, "charged": "2PF", "run": {"mode": mode, "status": status}}}))
        .unwrap()
    }

    fn published(outcome: &str, failure: Value) -> Value {
        json!({"state": "finished", "released_at": "2026-11-22T10:15:00Z", "remedy": null, "ending": "published",
            "figures": {"outcome": outcome, "failure": failure, "metrics": {"accuracy": {"value": 0.9004}},
            "score": 64.43, "parameters": 197_120, "flops_per_sample": 417_000.0, "gco2e_per_sample": 1.69e-8,
            "component_bytes": 123_000, "transductive": false, "practice": false}})
    }

    #[test]
    fn an_official_result_shows_what_was_published() {
        let expected = "\
id             018bcfe5-687b-7000-8000-000000000001
challenge      toy (official)
submission     mlp 0.1.0
note           wider[2J
submitted      2026-11-22 10:00:00Z by ada
released       2026-11-22 10:15:00Z
outcome        scored
score          64.43
accuracy       0.9004
parameters     197,120 declared
prediction     417 kFLOP per sample, 16.9 ngCO2e
component      123,000 bytes
charged        2.00 PFLOP
";
        assert_eq!(table(&view("official", published("scored", Value::Null))), expected);
    }

    #[test]
    fn a_queued_submission_says_where_it_stands_and_that_lost_workers_are_not_charged() {
        let queued = json!({"state": "queued", "position": 3, "expected_wait_seconds": 200, "attempt": 2});
        let table = table(&view("validation", queued.clone()));
        assert!(table.contains("state          queued, number 3, about 4 min\n"), "{table}");
        assert!(table.contains("attempt        2: a worker was lost, which is not charged\n"), "{table}");
        let SubmissionView::Builder(submission) = view("official", queued) else { unreachable!("built as such") };
        assert_eq!(state(&submission.run), "queued, number 3, about 4 min");
    }

    #[test]
    fn every_end_has_its_exit_status() {
        let failure = json!({"phase": "admit", "rule": "imports", "message": "no sockets"});
        let ended = |ending: &str| json!({"state": "finished", "released_at": "2026-11-22T10:15:00Z", "remedy": null, "ending": ending});
        for (status, exit) in [
            (published("scored", Value::Null), ExitStatus::Success),
            (published("over_parameter_limit", Value::Null), ExitStatus::OverParameterLimit),
            (published("failed", failure), ExitStatus::Rejected),
            (published("failed", Value::Null), ExitStatus::Failed),
            (ended("not_improved"), ExitStatus::Success),
            (ended("cancelled"), ExitStatus::Cancelled),
            (ended("platform_fault"), ExitStatus::PlatformFault),
        ] {
            assert_eq!(exit_status(&view("official", status.clone())), exit, "{status}");
        }
    }
}
