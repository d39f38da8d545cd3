//! A served site with submissions that take as long as a test needs.

use std::time::Duration;

use thimble_api::id::ChallengeName;
use thimble_api::operator::{RecordState, SubmissionRecord};
use thimble_api::submission::{BuilderRun, SubmissionView, ValidationState};
use thimble_api::{Compute, SubmissionId};
use thimble_challenge::Verdict;
use thimble_challenge::challenge::{Quotas, Visibility};
use thimble_challenge::result::{Mode, Phase};
use thimble_challenge::units::Flops;
use thimble_client::{Client, ClientError, IdempotencyKey, NewSubmission};
use thimble_tests::fixture;
use thimble_tests::template::{Solution, predict, solve};

use super::processes::{started_with, wait_for};
use super::site::{self, Served, Site};

/// The challenge [`site::CORNERS`] with budgets of seconds.
pub(super) const LONG: &str = "long-corners";
/// How long a submission may take on a machine that does other things.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);

/// A service with both challenges, and who uses it.
pub(super) struct Running {
    pub(super) site: Site,
    pub(super) served: Served,
    pub(super) operator: Client,
    pub(super) builder: Client,
    tokens: [String; 2],
}

impl Running {
    pub(super) fn new(options: &str) -> Self {
        let site = Site::new();
        let served = site.serve_corners(&format!("--no-rate-limits {options}"));
        let tokens = [site.token("operator", "operator"), site.token("builder", "builder")];
        let [operator, builder] = tokens.each_ref().map(|token| served.client(token));
        let mut rules = fixture::challenge();
        rules.limits.training_flops = Flops(100_000_000_000);
        rules.limits.prediction_flops_per_sample = Flops(8_000_000_000);
        rules.limits.wall_seconds = 300;
        site::publish(&operator, LONG, &rules, ("corners-public", "corners-official"), Visibility::Public, |draft| {
            draft.quotas = Quotas { official_per_day: 1_000, validation_per_day: 10_000 };
            draft.rules.concurrency = 4;
            draft.practice = true;
        });
        Self { site, served, operator, builder, tokens }
    }

    /// Goes on with another process that serves the same data.
    pub(super) fn reach(&mut self, served: Served) {
        [self.operator, self.builder] = self.tokens.each_ref().map(|token| served.client(token));
        self.served = served;
    }

    /// The builder's token.
    pub(super) fn token(&self) -> &str {
        &self.tokens[1]
    }

    /// The processes that evaluate, of the service itself.
    pub(super) fn workers(&self) -> Vec<u32> {
        started_with(self.served.process.id(), "worker-child")
    }

    /// Submits for validation.
    pub(super) fn submit(&self, challenge: &str, component: &[u8]) -> SubmissionId {
        self.try_submit(challenge, component).expect("it is accepted")
    }

    pub(super) fn try_submit(&self, challenge: &str, component: &[u8]) -> Result<SubmissionId, ClientError> {
        let name: ChallengeName = challenge.parse().expect("a name");
        let key = IdempotencyKey::fresh();
        let new = NewSubmission { package: component, mode: Mode::Validation, note: "", key: &key, again: true };
        Ok(self.builder.submit(&name, &new)?.value.submission.id)
    }

    /// What the operator sees of it.
    pub(super) fn record(&self, id: SubmissionId) -> SubmissionRecord {
        self.operator.record(id).expect("the operator sees it").value
    }

    /// Its record, once it has ended.
    pub(super) fn ended(&self, id: SubmissionId) -> SubmissionRecord {
        wait_for("the end of a submission", PATIENCE, || {
            Some(self.record(id)).filter(|record| record.state == RecordState::Finished)
        })
    }

    /// As [`ended`](Self::ended), with the verdict `scored` and the comparable block of the result.
    pub(super) fn scored(&self, id: SubmissionId) -> (SubmissionRecord, String) {
        let record = self.ended(id);
        assert_eq!(record.verdict, Some(Verdict::Scored), "{record:?}");
        let comparable = comparable(&record);
        (record, comparable)
    }

    /// Waits until its worker has told that it is in `phase`.
    pub(super) fn wait_until_in(&self, id: SubmissionId, phase: Phase) {
        wait_for(&format!("{phase:?}"), PATIENCE, || {
            let SubmissionView::Builder(own) = self.builder.submission(id).expect("it is one's own").value else {
                panic!("it is one's own");
            };
            match own.run {
                BuilderRun::Validation(ValidationState::Running(progress)) => {
                    (progress.phase == Some(phase)).then_some(())
                }
                BuilderRun::Validation(ValidationState::Finished(outcome)) => panic!("it has ended: {outcome:?}"),
                _ => None,
            }
        });
    }

    /// Ended as a fault of ours, which costs nothing.
    pub(super) fn ends_as_our_fault(&self, id: SubmissionId) -> SubmissionRecord {
        let record = self.ended(id);
        assert_eq!((record.verdict, record.charged), (Some(Verdict::PlatformFault), Compute::ZERO), "{record:?}");
        record
    }
}

/// The part of a result that is the same whenever and wherever it is computed.
pub(super) fn comparable(record: &SubmissionRecord) -> String {
    let result = record.result.as_ref().expect("a result");
    serde_json::to_string_pretty(&result.comparable).expect("JSON")
}

/// Turns of a loop that takes a nanosecond or two each.
fn turns(count: u32) -> String {
    format!(
        "(loop $more (br_if $more (i32.lt_u (local.tee $turn (i32.add (local.get $turn) (i32.const 1))) (i32.const {count}))))"
    )
}

/// Learns for seconds.
pub(super) fn learns_for_long() -> Solution {
    solve(&format!("(local $turn i32) {} (call $return_f32 (i32.const 8))", turns(4_000_000_000)))
}

/// Predicts for seconds.
pub(super) fn predicts_for_long() -> Solution {
    predict(&format!("(local $turn i32) {} (call $return_zeros (call $rows (local.get $inputs)))", turns(200_000_000)))
}

/// Reads the training data again and again, for seconds.
pub(super) fn reads_for_long() -> Solution {
    solve(
        "(local $turn i32) (local $heap i32)
        (local.set $heap (global.get $heap))
        (loop $more
          (global.set $heap (local.get $heap))
          (if (i32.eqz (call $next_batch (i32.load (local.get $args))))
            (then (call $rewind (i32.load (local.get $args)))))
          (br_if $more (i32.lt_u (local.tee $turn (i32.add (local.get $turn) (i32.const 1))) (i32.const 200000000))))
        (call $return_f32 (i32.const 8))",
    )
}
