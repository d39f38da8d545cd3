//! What is told to whom of a submission. Total functions from the store's row to the type of each audience.
//!
//! Of an official run, a builder is told what DESIGN §7 lists: that it waits, that it runs, and after its release the
//! published figures. The types have no field for more; what is decided here is when a figure is released, and which words go
//! with it: never those of a verdict that only the operator knows.

use std::collections::BTreeMap;

use thimble_api::Timestamp;
use thimble_api::operator::{RecordState, SubmissionRecord};
use thimble_api::submission::{
    Alive, BuilderRun, BuilderSubmission, Cost, Log, OfficialEnding, OfficialOutcome, OfficialState, Progress,
    PublicSubmission, Queued, ValidationOutcome, ValidationState, remedy,
};
use thimble_challenge::challenge::Limits;
use thimble_challenge::result::{EvaluationResult, Mode, Outcome, Published};
use thimble_challenge::units::FUEL_PER_FLOP;
use thimble_challenge::{Fuel, Verdict};
use thimble_store::SubmissionRow;

/// Said of an official run that failed after it began: why may speak of private data.
const FAILED_OFFICIALLY: &str = "an official run tells no more, since it might speak of private data: submit the same package in validation to see why";

/// A worker is heard several times in it.
const MINUTE_MILLIS: i64 = 60_000;

/// What a projection needs beside the row.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Known<'a> {
    /// The place in the queue, of one that waits.
    pub(crate) place: Option<Queued>,
    /// The whole result, of a validation run that has ended.
    pub(crate) result: Option<&'a EvaluationResult>,
    /// The challenge's limits and the rows of its public test split.
    pub(crate) limits: Option<(&'a Limits, u64)>,
}

/// Whether the end can be told now.
pub(crate) fn is_released(row: &SubmissionRow, now: Timestamp) -> bool {
    let ended = row.state == RecordState::Finished || keeps_its_end(row);
    ended && (row.mode == Mode::Validation || ending(row).is_some_and(|(at, _)| at <= now))
}

/// It is evaluated again, and what it had stands until then.
fn keeps_its_end(row: &SubmissionRow) -> bool {
    row.rescoring && row.finished_at.is_some()
}

/// For its builder and the team.
pub(crate) fn builder(row: &SubmissionRow, known: Known<'_>, now: Timestamp) -> BuilderSubmission {
    let run = match row.mode {
        Mode::Validation => BuilderRun::Validation(validation(row, known)),
        Mode::Official => BuilderRun::Official(official(row, known, now)),
    };
    let ended = row.state == RecordState::Finished || keeps_its_end(row);
    let charged = match row.mode {
        Mode::Validation => Some(if ended { row.charged } else { row.reserved }),
        Mode::Official => None,
    };
    BuilderSubmission {
        id: row.id,
        challenge: row.challenge.clone(),
        builder: row.builder.clone(),
        team: row.team.clone(),
        submitted_at: row.submitted_at,
        name: row.name.clone(),
        version: row.version.clone(),
        note: row.note.clone(),
        component: row.component,
        package: row.package,
        package_bytes: row.package_bytes,
        duplicate_of: row.duplicate_of,
        charged,
        run,
    }
}

fn queued(row: &SubmissionRow, known: Known<'_>) -> Queued {
    known.place.unwrap_or(Queued { position: 1, expected_wait_seconds: None, attempt: row.attempts + 1 })
}

fn validation(row: &SubmissionRow, known: Known<'_>) -> ValidationState {
    match row.state {
        _ if keeps_its_end(row) => {}
        RecordState::Queued => return ValidationState::Queued(queued(row, known)),
        RecordState::Running => {
            let heard = row.heartbeat_at.or(row.started_at).unwrap_or(row.submitted_at);
            let nothing = Progress {
                heartbeat_at: heard,
                phase: None,
                fuel_used: None,
                fuel_budget: None,
                curves: BTreeMap::new(),
            };
            return ValidationState::Running(row.progress.clone().unwrap_or(nothing));
        }
        RecordState::Finished => {}
    }
    let finished_at = row.finished_at.unwrap_or(row.submitted_at);
    ValidationState::Finished(Box::new(validation_outcome(row, known, finished_at)))
}

fn flops(fuel: Fuel) -> f64 {
    // Below 2^53: exact.
    fuel.0 as f64 / FUEL_PER_FLOP as f64
}

fn validation_outcome(row: &SubmissionRow, known: Known<'_>, finished_at: Timestamp) -> ValidationOutcome {
    let verdict = row.verdict.filter(|_| !row.cancelled);
    let limits = known.limits;
    let nothing = ValidationOutcome {
        finished_at,
        verdict,
        remedy: verdict.and_then(remedy).map(str::to_owned),
        failure: None,
        metrics: BTreeMap::new(),
        baseline: None,
        score: None,
        parameters: None,
        independence: None,
        cost: Cost {
            training_flops: None,
            training_flops_budget: limits.map_or(0.0, |(limits, _)| limits.training_flops.0 as f64),
            flops_per_sample: None,
            training_gco2e: None,
            gco2e_per_sample: None,
            test_rows: limits.map_or(0, |(_, rows)| rows),
        },
        seconds: BTreeMap::new(),
        peak_memory_bytes: None,
        curves: BTreeMap::new(),
    };
    let Some(result) = known.result.filter(|_| verdict.is_some()) else { return nothing };
    let (comparable, run) = (&result.comparable, &result.run);
    let compute = &comparable.compute;
    ValidationOutcome {
        failure: comparable.failure.clone(),
        metrics: comparable.metrics.clone(),
        baseline: comparable.baseline.clone(),
        score: comparable.score.map(|score| score.value),
        parameters: comparable.parameters.clone(),
        independence: comparable.independence.clone(),
        cost: Cost {
            training_flops: compute.training_flops,
            training_flops_budget: flops(compute.training_fuel_budget),
            flops_per_sample: compute.flops_per_sample,
            training_gco2e: compute.training_gco2e,
            gco2e_per_sample: compute.gco2e_per_sample,
            test_rows: compute.test_rows,
        },
        seconds: run.seconds.clone(),
        peak_memory_bytes: run.peak_memory_bytes,
        curves: run.journal.as_ref().map(|journal| journal.curves.clone()).unwrap_or_default(),
        ..nothing
    }
}

fn official(row: &SubmissionRow, known: Known<'_>, now: Timestamp) -> OfficialState {
    let ended = row.state == RecordState::Finished || keeps_its_end(row);
    match (ended, row.state) {
        (false, RecordState::Queued) => return OfficialState::Queued(queued(row, known)),
        (false, _) => {
            let heard = row.heartbeat_at.or(row.started_at);
            return alive(row, heard, now);
        }
        (true, _) => {}
    }
    match ending(row) {
        Some((released_at, ending)) if released_at <= now => {
            let remedy = official_remedy(&ending).map(str::to_owned);
            OfficialState::Finished(Box::new(OfficialOutcome { released_at, ending, remedy }))
        }
        // It has ended, and its end is not told yet: neither is when it ended.
        _ => alive(row, Some(now), now),
    }
}

/// That it goes on. Where results wait for a grid of time, a sign of life is told to the minute, and also while a result waits:
/// when a run ended would be a message of its own.
fn alive(row: &SubmissionRow, heard: Option<Timestamp>, now: Timestamp) -> OfficialState {
    let minute = |time: Timestamp| Timestamp::from_millis(time.millis() - time.millis() % MINUTE_MILLIS);
    let heartbeat_at = if row.release_tick_seconds == 0 {
        heard
    } else {
        heard.map(|heard| minute(if now.millis() - heard.millis() < MINUTE_MILLIS { now } else { heard }))
    };
    OfficialState::Running(Alive { heartbeat_at, release_tick_seconds: row.release_tick_seconds })
}

/// The end of an official run, and when it is told.
fn ending(row: &SubmissionRow) -> Option<(Timestamp, OfficialEnding)> {
    let at = row.released_at;
    if row.cancelled {
        return Some((at.or(row.finished_at)?, OfficialEnding::Cancelled));
    }
    if row.verdict == Some(Verdict::PlatformFault) {
        return Some((at.or(row.finished_at)?, OfficialEnding::PlatformFault));
    }
    if !row.improved {
        return Some((at?, OfficialEnding::NotImproved));
    }
    Some((at?, OfficialEnding::Published(Published::clone(row.published.as_ref()?))))
}

fn official_remedy(ending: &OfficialEnding) -> Option<&'static str> {
    match ending {
        OfficialEnding::Published(published) => match published.outcome {
            Outcome::Scored => None,
            Outcome::OverParameterLimit => remedy(Verdict::OverParameterLimit),
            Outcome::Failed if published.failure.is_some() => remedy(Verdict::Rejected),
            Outcome::Failed => Some(FAILED_OFFICIALLY),
        },
        OfficialEnding::NotImproved | OfficialEnding::Cancelled => None,
        OfficialEnding::PlatformFault => remedy(Verdict::PlatformFault),
    }
}

/// For everyone who sees the challenge: what stands on its board, or did until a better one came.
pub(crate) fn public(row: &SubmissionRow, now: Timestamp) -> Option<PublicSubmission> {
    if row.mode != Mode::Official || row.withdrawn || !is_released(row, now) {
        return None;
    }
    let (released_at, OfficialEnding::Published(figures)) = ending(row)? else { return None };
    (figures.outcome == Outcome::Scored).then(|| PublicSubmission {
        id: row.id,
        challenge: row.challenge.clone(),
        builder: row.builder.clone(),
        team: row.team.clone(),
        submitted_at: row.submitted_at,
        released_at,
        figures,
    })
}

/// For operators.
pub(crate) fn record(row: &SubmissionRow, result: Option<EvaluationResult>) -> SubmissionRecord {
    SubmissionRecord {
        id: row.id,
        challenge: row.challenge.clone(),
        builder: row.builder.clone(),
        team: row.team.clone(),
        mode: row.mode,
        state: row.state,
        submitted_at: row.submitted_at,
        started_at: row.started_at,
        heartbeat_at: row.heartbeat_at,
        finished_at: row.finished_at,
        released_at: row.released_at,
        worker: row.worker.clone(),
        attempts: row.attempts,
        verdict: row.verdict.filter(|_| !row.cancelled),
        withdrawn: row.withdrawn,
        component: row.component,
        package: row.package,
        charged: if row.state == RecordState::Finished { row.charged } else { row.charged.plus(row.reserved) },
        result: result.map(Box::new),
    }
}

/// The guest's own words, of a validation run that has ended.
pub(crate) fn log(row: &SubmissionRow, result: Option<&EvaluationResult>) -> Log {
    if row.mode == Mode::Official {
        return Log::Withheld;
    }
    if row.state != RecordState::Finished && !keeps_its_end(row) {
        return Log::NotYet;
    }
    match result.and_then(|result| result.run.journal.as_ref()) {
        Some(journal) => Log::Available {
            text: journal.log.clone(),
            dropped_bytes: journal.log_dropped_bytes,
            error: journal.error.clone(),
        },
        None => Log::NotKept,
    }
}

#[cfg(test)]
#[path = "project_tests.rs"]
mod tests;
