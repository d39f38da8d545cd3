//! One job: its package, its challenge, its evaluation, its end.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use thimble_api::{Compute, Timestamp};
use thimble_challenge::result::{EvaluationResult, Phase};
use thimble_challenge::{Flops, Fuel, Verdict};
use thimble_runtime::{Request, Runner};
use thimble_store::{Finish, Job, Recorded, Store, StoreError};

use crate::challenge::{Bound, Data};
use crate::progress::Seen;

/// What an evaluation needs beside its job.
#[derive(Debug, Clone)]
pub(crate) struct Evaluator {
    pub(crate) store: Store,
    pub(crate) runner: Arc<Runner>,
    pub(crate) data: Arc<Mutex<Data>>,
}

/// An evaluation that came to its end.
#[derive(Debug)]
pub(crate) struct Evaluated {
    result: EvaluationResult,
    bound: Arc<Bound>,
    failures_per_day: u32,
}

/// Why a job could not be evaluated. Never the submission's doing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the challenge of the submission is not published")]
    NoChallenge,
    #[error("artifact {0} of the submission is missing")]
    NoPackage(thimble_datasets::Digest),
    #[error(transparent)]
    Data(#[from] crate::challenge::DataError),
    #[error("the evaluating thread ended without a result")]
    Thread,
}

impl Evaluator {
    /// Evaluates a job on a thread of its own, at a lower priority than those that answer requests.
    pub(crate) async fn evaluate(&self, job: &Job, seen: Seen, cancel: Arc<AtomicBool>) -> Result<Evaluated, Fault> {
        let submission = &job.submission;
        let challenge = self.store.challenge_by_id(submission.challenge_id).await?.ok_or(Fault::NoChallenge)?;
        let published = challenge.published.ok_or(Fault::NoChallenge)?;
        let package = self.store.artifact(&submission.package).await?.ok_or(Fault::NoPackage(submission.package))?;
        let failures_per_day = challenge.draft.rules.failures_per_day;
        let (evaluator, mode) = (self.clone(), submission.mode);
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let run = move || {
            // Evaluations take every core there is; whoever asks for a page should not notice.
            let _ = rustix::process::nice(10);
            let bound = evaluator.data.lock().unwrap_or_else(PoisonError::into_inner).bound(&published, mode);
            let evaluated = bound.map_err(Fault::from).map(|bound| {
                let request =
                    Request { submission: &package, challenge: &bound.challenge, data: &bound.data, cancel: &cancel };
                let mut observer = seen;
                let result = evaluator.runner.evaluate(&request, &mut observer);
                Evaluated { result, bound, failures_per_day }
            });
            // Nobody waits any more when the server was stopped meanwhile.
            let _ = sender.send(evaluated);
        };
        let thread = std::thread::Builder::new().name(format!("evaluate {}", job.attempt)).spawn(run);
        thread.map_err(|_| Fault::Thread)?;
        receiver.await.map_err(|_| Fault::Thread)?
    }

    /// Writes the end of an evaluation down.
    pub(crate) async fn finish(&self, job: &Job, evaluated: &Evaluated) -> Result<Recorded, StoreError> {
        let Evaluated { result, bound, failures_per_day } = evaluated;
        let digest = self.store.put_artifact(result.to_json().into_bytes().into()).await?;
        let end = Finish {
            verdict: result.comparable.verdict,
            result: digest,
            used: used(result, bound.challenge.challenge.limits.prediction_flops_per_sample),
            published: result.published.clone(),
            published_at_close: result.published_at_close.clone(),
            challenge: &bound.challenge.challenge,
            failures_per_day: *failures_per_day,
        };
        self.store.finish(job, &end, Timestamp::now()).await
    }
}

/// What a run is charged: training as the result says, and prediction, in full where it did not return.
fn used(result: &EvaluationResult, prediction_flops_per_sample: Flops) -> Compute {
    let compute = &result.comparable.compute;
    if result.comparable.verdict == Verdict::PlatformFault {
        return Compute::ZERO;
    }
    let prediction = match (&compute.prediction_fuel, &result.comparable.failure) {
        (Some(fuel), _) => *fuel,
        (None, Some(failure)) if failure.phase == Phase::Predict => {
            Fuel(prediction_flops_per_sample.fuel().0.saturating_mul(compute.test_rows))
        }
        (None, _) => Fuel(0),
    };
    Compute::of_fuel(compute.training_fuel_charged).plus(Compute::of_fuel(prediction))
}
