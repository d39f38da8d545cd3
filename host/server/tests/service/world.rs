//! A service with an operator, two datasets and a challenge.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use thimble_api::account::{Scope, TokenRequest};
use thimble_api::{Compute, SubmissionId, Timestamp};
use thimble_challenge::Verdict;
use thimble_challenge::result::{
    self, ChallengeRef, Comparable, EvaluationResult, Journal, MeterRef, Mode, Outcome, Phase, Published, Run,
};
use thimble_challenge::{Challenge, Fuel, ParameterCount};
use thimble_datasets::{Digest, Metadataset, OperatorSecret};
use thimble_metrics::MetricValue;
use thimble_server::{Config, Rates, Service};
use thimble_store::{Actor, Finish, Moment, NewDataset, Store};
use tower::ServiceExt as _;

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) service: Service,
    pub(crate) router: Router,
    /// An operator's token.
    pub(crate) operator: String,
    pub(crate) directory: tempfile::TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The code of an error, after checking that it has the one shape.
    pub(crate) fn code(&self) -> String {
        let envelope: thimble_api::ErrorEnvelope = serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("no envelope ({error}): {} {}", self.status, self.text()));
        assert_eq!(envelope.error.code.status(), self.status.as_u16(), "{}", self.text());
        assert_eq!(envelope.error.request_id, self.header("x-request-id"));
        assert!(!envelope.error.message.is_empty());
        self.json()["error"]["code"].as_str().unwrap().to_owned()
    }

    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }
}

/// No limits on rates, and nothing older than it must be.
pub(crate) fn config() -> Config {
    Config {
        rates: Rates::NONE,
        status_ttl: Duration::ZERO,
        board_ttl: Duration::ZERO,
        stream_poll: Duration::from_millis(10),
        ..Config::default()
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(config()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("data")).await.unwrap();
        let service = Service::new(store.clone(), config);
        let router = thimble_server::router(service.clone());
        let mut world = Self { store, service, router, operator: String::new(), directory };
        world.operator = world.token("olga", Scope::Operator).await;
        world.register("tiny", b"public", false).await;
        world.register("tiny-official", b"official", true).await;
        world
    }

    pub(crate) async fn token(&self, account: &str, scope: Scope) -> String {
        let request = TokenRequest { account: account.parse().unwrap(), team: None, scope, expires_at: None };
        self.store.create_token(&request, &Actor::Local, Timestamp::now()).await.unwrap().secret
    }

    pub(crate) async fn builder(&self, account: &str) -> String {
        self.token(account, Scope::Builder).await
    }

    /// Registers a dataset of a regression with two columns; of its directory only the operator's secret is ever read.
    async fn register(&self, name: &str, content: &[u8], official: bool) {
        let path = self.directory.path().join(name);
        std::fs::create_dir(&path).unwrap();
        if official {
            let dir = cap_std::fs::Dir::open_ambient_dir(&path, cap_std::ambient_authority()).unwrap();
            OperatorSecret { commitment_salt: [7; 32], permutation_key: [9; 32] }.write(&dir).unwrap();
        }
        let digest = Digest::of(content);
        let split = |file: &str| json!({ "file": file, "file_digest": digest, "rows": 100 });
        let metadataset: Metadataset = serde_json::from_value(json!({
            "schema_version": 1,
            "name": name,
            "task": { "kind": "tabular_regression" },
            "fields": [
                { "name": "features", "dtype": "f32", "shape": [2], "role": "input" },
                { "name": "target", "dtype": "f64", "shape": [], "role": "target" }
            ],
            "splits": { "train": split("train.arrow"), "validation": split("validation.arrow"), "test": split("test.arrow") },
            "digest": digest
        }))
        .unwrap();
        let name = name.parse().unwrap();
        let new = NewDataset { name, path, digest, official, metadataset };
        self.store.register_dataset(&new, &Actor::Local, Timestamp::now()).await.unwrap();
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    pub(crate) async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        self.send(request(Method::GET, path, token).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn call(&self, method: Method, path: &str, token: &str, body: &Value) -> Answer {
        let body = Body::from(body.to_string());
        let request = request(method, path, Some(token)).header(CONTENT_TYPE, "application/json").body(body).unwrap();
        self.send(request).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str) -> Answer {
        self.send(request(Method::POST, path, Some(token)).body(Body::empty()).unwrap()).await
    }

    /// Publishes a challenge whose results appear at once.
    pub(crate) async fn challenge(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let created = json!({ "name": name, "title": "Tiny" });
        self.call(Method::POST, "/api/v1/operator/drafts", &self.operator, &created).await.expect(201);
        let mut draft = draft();
        change(&mut draft);
        let path = format!("/api/v1/operator/challenges/{name}");
        self.call(Method::PUT, &path, &self.operator, &draft).await.expect(200);
        self.post(&format!("{path}/publish"), &self.operator).await.expect(200);
    }

    /// Invites someone who is known: they may see the challenge then.
    pub(crate) async fn invite(&self, challenge: &str, token: &str) {
        let path = format!("/api/v1/operator/challenges/{challenge}/invites");
        let made = self.call(Method::POST, &path, &self.operator, &json!({ "label": "someone" })).await.expect(201);
        let code = made.json()["code"].clone();
        self.call(Method::POST, "/api/v1/join", token, &json!({ "code": code })).await.expect(200);
    }

    /// Submits a component that nobody has submitted before.
    pub(crate) async fn submit(&self, challenge: &str, token: &str, mode: &str) -> SubmissionId {
        let mark = SubmissionId::fresh().to_string();
        let answer = self.submit_as(challenge, token, &[("mode", mode)], mark.as_bytes(), &[]).await.expect(202);
        answer.json()["submission"]["id"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) async fn submit_as(
        &self,
        challenge: &str,
        token: &str,
        fields: &[(&str, &str)],
        mark: &[u8],
        headers: &[(&str, &str)],
    ) -> Answer {
        let component = [b"\0asm", mark].concat();
        let (kind, body) = multipart(fields, &[("package", "solution.wasm", &component)]);
        let path = format!("/api/v1/challenges/{challenge}/submissions");
        let mut request = request(Method::POST, &path, Some(token)).header(CONTENT_TYPE, kind);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// What a worker does: takes the next submission, and ends it with a metric.
    pub(crate) async fn finish_next(&self, verdict: Verdict, metric: f64, flops: f64) -> SubmissionId {
        let now = Timestamp::now();
        let job = self.store.lease("a worker", 60_000, Moment::now()).await.unwrap().unwrap();
        let row = self.store.challenge_by_id(job.submission.challenge_id).await.unwrap().unwrap();
        let challenge = row.published.unwrap().challenge.clone();
        let result = result(&challenge, job.submission.mode, verdict, metric, flops);
        let official = |metric| published(&challenge, verdict, metric, flops);
        let result = self.store.put_artifact(result.to_json().into()).await.unwrap();
        let end = Finish {
            verdict,
            result,
            published: (job.submission.mode == Mode::Official).then(|| official(metric)),
            // On the kept rows, the order of all is the other way round.
            published_at_close: challenge.release.shown_share.map(|_| official(1.0 - metric)),
            used: Compute::from_flops(1_000),
            challenge: &challenge,
            failures_per_day: 10,
        };
        self.store.finish(&job, &end, now).await.unwrap();
        job.submission.id
    }
}

fn published(challenge: &Challenge, verdict: Verdict, metric: f64, flops: f64) -> Published {
    let scored = verdict == Verdict::Scored;
    Published {
        outcome: if scored { Outcome::Scored } else { Outcome::Failed },
        failure: None,
        metrics: [(challenge.ranking.metric.clone(), MetricValue::Value(metric))]
            .into_iter()
            .filter(|_| scored)
            .collect(),
        score: scored.then_some(metric),
        parameters: Some(ParameterCount(10)),
        flops_per_sample: scored.then_some(flops),
        gco2e_per_sample: scored.then_some(flops * 1e-12),
        component_bytes: Some(100),
        transductive: Some(false),
        practice: false,
    }
}

/// A whole result, with words of the guest in validation.
fn result(challenge: &Challenge, mode: Mode, verdict: Verdict, metric: f64, flops: f64) -> EvaluationResult {
    let scored = verdict == Verdict::Scored;
    let validation = mode == Mode::Validation;
    EvaluationResult {
        schema_version: 1,
        comparable: Comparable {
            mode,
            challenge: ChallengeRef { name: challenge.name.clone(), digest: Digest::of(b"challenge") },
            dataset: Digest::of(b"data"),
            submission: None,
            meter: MeterRef {
                contract: "thimble:solution@0.1.0".to_owned(),
                tariff: "t".to_owned(),
                tariff_digest: Digest::of(b"t"),
                engine: "e".to_owned(),
            },
            verdict,
            failure: None,
            parameters: None,
            metrics: [(challenge.ranking.metric.clone(), MetricValue::Value(metric))]
                .into_iter()
                .filter(|_| scored)
                .collect(),
            parts: None,
            baseline: None,
            score: None,
            compute: result::Compute {
                training_fuel: Some(Fuel(1_234_567)),
                training_fuel_charged: Fuel(1_234_567),
                training_fuel_budget: Fuel(16_000_000),
                prediction_fuel: Some(Fuel(7_654_321)),
                test_rows: 100,
                training_flops: Some(77_160.0),
                flops_per_sample: scored.then_some(flops),
                training_gco2e: Some(1.0),
                gco2e_per_sample: Some(1.0),
            },
            independence: None,
            ranked: scored,
        },
        published: None,
        published_at_close: None,
        run: Run {
            seconds: [(Phase::Learn, 1.5)].into(),
            peak_memory_bytes: Some(9_876_543),
            journal: validation.then(|| Journal { log: "words of the guest".to_owned(), ..Journal::default() }),
            ..Run::default()
        },
    }
}

/// A draft without faults.
pub(crate) fn draft() -> Value {
    json!({
        "title": "Tiny",
        "summary": "Two numbers in, one out.",
        "keywords": ["small"],
        "public_dataset": "tiny",
        "official_dataset": "tiny-official",
        "metric": "rmse",
        "description": "# Tiny\n\nPredict a number.",
        "release": { "tick_seconds": 0 },
        "quotas": { "official_per_day": 1000, "validation_per_day": 1000 }
    })
}

pub(crate) fn request(method: Method, path: &str, token: Option<&str>) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(path);
    match token {
        Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
        None => request,
    }
}

/// A form with files, and its content type.
pub(crate) fn multipart(fields: &[(&str, &str)], files: &[(&str, &str, &[u8])]) -> (&'static str, Vec<u8>) {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part = format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    for (name, file, bytes) in files {
        let head = format!(
            "--edge\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\n\
             content-type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    ("multipart/form-data; boundary=edge", body)
}
