//! A store with a published challenge and two builders, for the tests of the queue.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use thimble_api::account::{Scope, TokenRequest};
use thimble_api::challenge::ServiceRules;
use thimble_api::draft::{Draft, NewDraft};
use thimble_api::leaderboard::BudgetUse;
use thimble_api::operator::BudgetRequest;
use thimble_api::submission::QuotaLeft;
use thimble_api::{Compute, Timestamp};
use thimble_challenge::result::{Mode, Outcome, Published};
use thimble_challenge::{Challenge, ParameterCount, Verdict};
use thimble_datasets::Digest;
use thimble_metrics::MetricValue;
use thimble_store::{
    Actor, ChallengeRow, Finish, Job, Moment, NewSubmission, Principal, Publication, PublishedChallenge, Recorded,
    Refusal, RefusedOr, Store, Submitted,
};

/// What every run of these tests is charged.
pub(crate) const USED: Compute = Compute::from_flops(123_456_789);

/// Seconds since midnight of a day that begins on every grid.
pub(crate) fn at(seconds: i64) -> Timestamp {
    // 2027-01-16: 20,834 days.
    Timestamp::from_millis((1_800_057_600 + seconds) * 1_000)
}

/// The same on the clock of leases.
pub(crate) fn moment(seconds: i64) -> Moment {
    static MIDNIGHT: LazyLock<Instant> = LazyLock::new(Instant::now);
    Moment { wall: at(seconds), steady: *MIDNIGHT + Duration::from_secs(seconds.unsigned_abs()) }
}

/// The service's memory with a challenge.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) store: Store,
    _directory: std::sync::Arc<TempDir>,
}

impl Service {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With a challenge that is changed before it is published.
    pub(crate) async fn with(change: impl FnOnce(&mut Challenge)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("data")).await.unwrap();
        let service = Self { store, _directory: directory.into() };
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/challenges/frugal-digits");
        let mut challenge: Challenge =
            serde_json::from_slice(&std::fs::read(root.join("challenge.json")).unwrap()).unwrap();
        change(&mut challenge);
        let store = &service.store;
        for name in ["ada", "bob"] {
            let request =
                TokenRequest { account: name.parse().unwrap(), team: None, scope: Scope::Builder, expires_at: None };
            store.create_token(&request, &Actor::Local, at(0)).await.unwrap();
        }
        let new = NewDraft { name: challenge.name.parse().unwrap(), title: challenge.title.clone() };
        let row = store.create_draft(&new, &Actor::Local, at(0)).await.unwrap();
        let rules = ServiceRules { failures_per_day: 2, ..ServiceRules::default() };
        let draft = Draft { title: challenge.title.clone(), rules, ..Draft::default() };
        let row = store.save_draft(row.id, None, &draft, &Actor::Local, at(0)).await.unwrap();
        let json = challenge.to_json();
        let published = PublishedChallenge {
            digest: Digest::of(json.as_bytes()),
            json,
            challenge,
            statement: "A statement.".to_owned(),
            public_path: "/public".into(),
            official_path: Some("/official".into()),
            validation_rows: 1_000,
            official_rows: 1_000,
        };
        store.publish(row.id, None, published, &Actor::Local, at(0)).await.unwrap();
        service
    }

    pub(crate) async fn challenge(&self) -> ChallengeRow {
        self.store.challenge(&"frugal-digits".parse().unwrap()).await.unwrap().unwrap()
    }

    /// A principal of the builder's: a token of its own each time.
    pub(crate) async fn principal(&self, name: &str) -> Principal {
        let request =
            TokenRequest { account: name.parse().unwrap(), team: None, scope: Scope::Builder, expires_at: None };
        let token = self.store.create_token(&request, &Actor::Local, at(0)).await.unwrap();
        self.store.authenticate(&token.secret, at(0)).await.unwrap().unwrap()
    }

    pub(crate) async fn submit(
        &self,
        builder: &str,
        mode: Mode,
        component: &str,
        now: Timestamp,
    ) -> Result<Submitted, Refusal> {
        self.submit_with(builder, mode, component, None, false, now).await
    }

    pub(crate) async fn submit_with(
        &self,
        builder: &str,
        mode: Mode,
        component: &str,
        key: Option<&str>,
        again: bool,
        now: Timestamp,
    ) -> Result<Submitted, Refusal> {
        let (challenge, principal) = (self.challenge().await, self.principal(builder).await);
        self.store.put_artifact(component.to_owned().into()).await.unwrap();
        let new = NewSubmission {
            challenge: &challenge,
            principal: &principal,
            mode,
            package: Digest::of(component.as_bytes()),
            package_bytes: 100,
            component: Some(Digest::of(component.as_bytes())),
            name: None,
            version: None,
            note: component.to_owned(),
            idempotency_key: key.map(str::to_owned),
            again,
        };
        self.store.submit(new, now).await.map_err(|error| match error {
            RefusedOr::Refused(refusal) => refusal,
            RefusedOr::Failed(error) => unreachable!("{error}"),
        })
    }

    pub(crate) async fn finish(&self, job: &Job, verdict: Verdict, metric: Option<f64>, now: Timestamp) -> Recorded {
        let row = self.challenge().await;
        let challenge = &row.published.as_ref().unwrap().challenge;
        let outcome = if verdict == Verdict::Scored { Outcome::Scored } else { Outcome::Failed };
        let figures = |metric: Option<f64>| Published {
            outcome,
            failure: None,
            metrics: metric.map(|value| ("accuracy".to_owned(), MetricValue::Value(value))).into_iter().collect(),
            score: metric,
            parameters: Some(ParameterCount(10)),
            flops_per_sample: Some(1_000.0),
            gco2e_per_sample: None,
            component_bytes: Some(100),
            transductive: Some(false),
            practice: false,
        };
        let end = Finish {
            verdict,
            result: self.store.put_artifact(b"result"[..].into()).await.unwrap(),
            published: (job.submission.mode == Mode::Official).then(|| figures(metric)),
            published_at_close: challenge.release.shown_share.map(|_| figures(metric.map(kept))),
            used: USED,
            challenge,
            failures_per_day: row.draft.rules.failures_per_day,
        };
        self.store.finish(job, &end, now).await.unwrap()
    }

    pub(crate) async fn publications(&self, now: Timestamp) -> Vec<Publication> {
        self.store.publications(self.challenge().await.id, 0, 1_000, now).await.unwrap()
    }

    pub(crate) async fn kept(&self, package: &Digest) -> bool {
        self.store.artifact(package).await.unwrap().is_some()
    }

    pub(crate) async fn quota(&self, builder: &str, mode: Mode, now: Timestamp) -> QuotaLeft {
        let account_id = self.principal(builder).await.account_id;
        self.store.quota(&self.challenge().await, account_id, mode, now).await.unwrap()
    }

    pub(crate) async fn budget(&self, builder: &str) -> BudgetUse {
        let team_id = self.principal(builder).await.team_id;
        self.store.budget(&self.challenge().await, team_id).await.unwrap()
    }

    pub(crate) async fn visible_budget(&self, builder: &str, now: Timestamp) -> BudgetUse {
        let team_id = self.principal(builder).await.team_id;
        self.store.visible_budget(&self.challenge().await, team_id, now).await.unwrap()
    }

    pub(crate) async fn set_budget(&self, team: &str, request: BudgetRequest) {
        let challenge = self.challenge().await;
        self.store.set_budget(&challenge, &team.parse().unwrap(), request, &Actor::Local, at(0)).await.unwrap();
    }

    pub(crate) async fn estimate(&self, mode: Mode) -> Compute {
        thimble_store::estimate(&self.challenge().await, mode)
    }
}

/// The metric on the kept rows of what has this one on the shown rows.
pub(crate) fn kept(shown: f64) -> f64 {
    1.0 - shown
}
