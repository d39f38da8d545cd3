//! Report: what was found, as a result.

use std::time::SystemTime;

use jiff::{Timestamp, Unit};
use thimble_challenge::challenge::RowRule;
use thimble_challenge::result::{
    ChallengeRef, Comparable, Compute, EvaluationResult, Failure, MeterRef, Mode, Phase, Published, Run, Score,
};
use thimble_challenge::{Fuel, Verdict};
use thimble_datasets::Digest;

use crate::contract::CONTRACT;
use crate::engine::ENGINE;
use crate::evaluate::{Evaluation, Findings, Training};
use crate::session::Session;
use crate::stop::Stop;
use crate::tariff::TARIFF;

/// Turns the end of an evaluation into its result.
pub(crate) fn report(
    evaluation: Evaluation<'_>,
    findings: Findings,
    end: Result<(), Stop>,
    started_at: SystemTime,
    engine_hash: &[u8; 32],
) -> EvaluationResult {
    let challenge = &evaluation.request.challenge.challenge;
    let (compile_cached, parameters_digest) = (findings.compile_cached, findings.parameters_digest);
    let comparable = comparable(&evaluation, findings, end);
    let mode = comparable.mode;
    let Session { left, isolation, .. } = evaluation.session;
    EvaluationResult {
        schema_version: 1,
        published: (mode == Mode::Official).then(|| Published::of(&comparable, challenge)),
        published_at_close: Published::at_close(&comparable, challenge),
        comparable,
        run: Run {
            started_at: timestamp(started_at),
            target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
            engine_hash: Digest::from_bytes(*engine_hash).to_hex(),
            compile_cached,
            seconds: evaluation.seconds,
            isolation,
            peak_memory_bytes: left.peak_memory,
            parameters_digest,
            journal: left.journal,
        },
    }
}

fn comparable(evaluation: &Evaluation<'_>, findings: Findings, end: Result<(), Stop>) -> Comparable {
    let request = evaluation.request;
    let challenge = &request.challenge.challenge;
    let verdict = end.as_ref().err().map_or(Verdict::Scored, Stop::verdict);
    let compute = compute(evaluation, &findings, verdict);
    let scored = findings.scored;
    let score = match verdict {
        Verdict::Scored => scored.as_ref().and_then(|scored| scored.score),
        Verdict::OverParameterLimit => Some(Score::ZERO),
        _ => None,
    };
    let transductive = findings.independence.as_ref().is_some_and(|independence| independence.transductive);
    let rows_as_asked = challenge.rows == RowRule::Transductive || !transductive;
    // By the published figure, as the score that is shown.
    let published = challenge.ranking_metric().and_then(|metric| {
        let scored = scored.as_ref()?;
        let shown = scored.parts.as_ref().map_or(&scored.metrics, |parts| &parts.shown.metrics);
        let value = shown.get(metric.name)?.value()?;
        Some(challenge.release.round(metric, value))
    });
    let good_enough = published.is_some_and(|metric| challenge.score.ranks(metric));
    Comparable {
        mode: request.data.mode(),
        challenge: ChallengeRef { name: challenge.name.clone(), digest: request.challenge.digest },
        dataset: request.data.identity,
        submission: findings.submission,
        meter: MeterRef {
            contract: CONTRACT.to_owned(),
            tariff: TARIFF.name.to_owned(),
            tariff_digest: TARIFF.digest(),
            engine: ENGINE.to_owned(),
        },
        verdict,
        failure: end.err().map(|stop| failure(evaluation, stop)),
        parameters: findings.parameters,
        baseline: scored.as_ref().and_then(|scored| scored.baseline.clone()),
        parts: scored.as_ref().and_then(|scored| scored.parts.clone()),
        metrics: scored.map(|scored| scored.metrics).unwrap_or_default(),
        score,
        compute,
        independence: findings.independence,
        ranked: request.data.mode() == Mode::Official && verdict == Verdict::Scored && good_enough && rows_as_asked,
    }
}

fn failure(evaluation: &Evaluation<'_>, stop: Stop) -> Failure {
    let phase = evaluation.phase;
    // From here on a guest has seen data: a shape, a value or a size in a message would be a message of its own.
    let guest_saw_data = !matches!(phase, Phase::Admit | Phase::Compile);
    let (rule, message) = match stop {
        Stop::Guest { rule, .. } if evaluation.mode() == Mode::Official && guest_saw_data => {
            (rule.to_owned(), "the details of a failure are kept in validation runs only".to_owned())
        }
        Stop::Guest { rule, message, .. } => (rule.to_owned(), message),
        Stop::Platform(fault) => (fault.rule().to_owned(), fault.to_string()),
    };
    Failure { phase, rule, message }
}

fn compute(evaluation: &Evaluation<'_>, findings: &Findings, verdict: Verdict) -> Compute {
    let carbon = &evaluation.request.challenge.challenge.carbon;
    let budget = evaluation.session.whole_training_budget();
    let (training_fuel, charged) = match findings.training {
        Training::NotStarted => (None, Fuel(0)),
        Training::Returned(fuel) => (Some(fuel), fuel),
        // A trap loses fuel that was not flushed, so a run that did not return is charged in full.
        Training::Started => (None, budget),
    };
    let training_fuel_charged = if verdict == Verdict::PlatformFault { Fuel(0) } else { charged };
    let test_rows = evaluation.test_rows() as u64;
    let training_flops = training_fuel.map(Fuel::flops);
    let flops_per_sample = findings.prediction_fuel.map(|fuel| fuel.flops() / test_rows as f64);
    Compute {
        training_fuel,
        training_fuel_charged,
        training_fuel_budget: budget,
        prediction_fuel: findings.prediction_fuel,
        test_rows,
        training_flops,
        flops_per_sample,
        training_gco2e: training_flops.map(|flops| carbon.grams(flops)),
        gco2e_per_sample: flops_per_sample.map(|flops| carbon.grams(flops)),
    }
}

/// RFC 3339 in UTC, to the second.
fn timestamp(time: SystemTime) -> String {
    let rounded = Timestamp::try_from(time).and_then(|timestamp| timestamp.round(Unit::Second));
    rounded.map_or_else(|_| "unknown".to_owned(), |timestamp| timestamp.to_string())
}
