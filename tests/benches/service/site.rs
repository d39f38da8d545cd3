//! A data directory with two challenges and many results, and the process that serves it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::TempDir;
use thimble_api::account::{Scope, TokenRequest};
use thimble_api::challenge::ServiceRules;
use thimble_api::draft::{Draft, NewDraft};
use thimble_api::{Compute, SubmissionId, Timestamp};
use thimble_challenge::result::{Mode, Outcome, Published};
use thimble_challenge::{Challenge, ParameterCount};
use thimble_client::{Client, IdempotencyKey, NewSubmission, Server};
use thimble_datasets::Digest;
use thimble_metrics::MetricValue;
use thimble_store::{Actor, PublishedChallenge, Store};
use thimble_tests::evaluation::{product, thimble};

/// A challenge with 10,000 builders of one result each.
pub(crate) const WIDE: &str = "ten-thousand";
/// A challenge with 100,000 results of 20,000 builders.
pub(crate) const FULL: &str = "hundred-thousand";

/// The directory, and a builder's token.
pub(crate) struct Site {
    directory: TempDir,
    pub(crate) token: String,
}

/// A running service.
pub(crate) struct Served {
    child: Child,
    url: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    pub(crate) fn address(&self) -> SocketAddr {
        self.url.trim_start_matches("http://").parse().expect("an address")
    }
}

/// Evaluations one after the other.
pub(crate) struct Evaluations {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<u32>,
}

impl Evaluations {
    pub(crate) fn stop(self) -> u32 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("evaluations ran")
    }
}

impl Site {
    pub(crate) async fn new() -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let store = Store::open(&directory.path().join("data")).await.expect("the store opens");
        let request = TokenRequest {
            account: "builder".parse().expect("a name"),
            team: None,
            scope: Scope::Builder,
            expires_at: None,
        };
        let made = store.create_token(&request, &Actor::Local, Timestamp::now()).await.expect("made");
        for name in [WIDE, FULL] {
            publish(&store, name).await;
        }
        store.disconnect().await;
        let site = Self { directory, token: made.secret };
        let mut connection = site.connect().await;
        fill(&mut connection, WIDE, 10_000, 1).await;
        fill(&mut connection, FULL, 20_000, 5).await;
        connection.close().await.expect("written");
        site
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    async fn connect(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.data().join("thimble.sqlite"));
        options.connect().await.expect("the database opens")
    }

    pub(crate) fn serve(&self, evaluating: bool) -> Served {
        let mut command = Command::new(thimble());
        command.args(["serve", "--listen", "127.0.0.1:0", "--no-rate-limits", "--workers"]);
        command.arg(if evaluating { "1" } else { "0" }).arg("--data").arg(self.data()).env("THIMBLE_LOG", "error");
        let mut child = command.stderr(Stdio::piped()).spawn().expect("thimble starts");
        let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let url = loop {
            let line = lines.next().expect("it listens").expect("text");
            if let Some(url) = line.strip_prefix("thimble listens on ") {
                break url.to_owned();
            }
        };
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| eprintln!("{line}")));
        Served { child, url }
    }

    /// Submits the example MLP in validation, again and again: two seconds of training each.
    pub(crate) fn keep_evaluating(&self, served: &Served) -> Evaluations {
        let server: Server = served.url.parse().expect("an address");
        let client = Client::new(server).with_token(self.token.parse().expect("a token"));
        let package = fs::read(product("examples/mlp.zip")).expect("the package is readable");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            let mut ended = 0;
            while !stopped.load(Ordering::Relaxed) {
                let key = IdempotencyKey::fresh();
                let new = NewSubmission { package: &package, mode: Mode::Validation, note: "", key: &key, again: true };
                let id =
                    client.submit(&FULL.parse().expect("a name"), &new).expect("it is accepted").value.submission.id;
                while !stopped.load(Ordering::Relaxed) {
                    thread::sleep(std::time::Duration::from_millis(250));
                    let list = client.submissions(&Default::default()).expect("the service answers").value;
                    if list.items.iter().any(|submission| submission.id == id && submission.run.is_finished()) {
                        ended += 1;
                        break;
                    }
                }
            }
            ended
        });
        Evaluations { stop, thread }
    }

    /// Some submissions of a challenge.
    pub(crate) async fn ids(&self, challenge: &str, count: u32) -> Vec<SubmissionId> {
        let mut connection = self.connect().await;
        let ids: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT s.id FROM submissions s JOIN challenges c ON c.id = s.challenge_id WHERE c.name = ? LIMIT ?",
        )
        .bind(challenge)
        .bind(count)
        .fetch_all(&mut connection)
        .await
        .expect("rows");
        ids.iter().filter_map(|id| SubmissionId::from_bytes(<[u8; 16]>::try_from(&**id).ok()?)).collect()
    }
}

/// The figures of a result.
pub(crate) fn published(accuracy: f64, flops: f64) -> Published {
    Published {
        outcome: Outcome::Scored,
        failure: None,
        metrics: [("accuracy".to_owned(), MetricValue::Value(accuracy))].into(),
        score: Some(accuracy),
        parameters: Some(ParameterCount(49_280)),
        flops_per_sample: Some(flops),
        gco2e_per_sample: Some(flops * 4e-14),
        component_bytes: Some(20_000),
        transductive: Some(false),
        practice: true,
    }
}

async fn publish(store: &Store, name: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/challenges/frugal-embeddings/challenge.json");
    // The composite score: every result moves every score.
    let composite: Challenge = serde_json::from_slice(&fs::read(path).expect("the example")).expect("a challenge");
    let pareto = path.replace("frugal-embeddings", "imagenet-pareto-500k");
    let mut challenge: Challenge =
        serde_json::from_slice(&fs::read(pareto).expect("the example")).expect("a challenge");
    challenge.name = name.to_owned();
    challenge.score = composite.score;
    challenge.release.tick_seconds = 0;
    challenge.quotas.official_per_day = 1_000;
    challenge.quotas.validation_per_day = 10_000;
    let now = Timestamp::now();
    let new = NewDraft { name: name.parse().expect("a name"), title: challenge.title.clone() };
    let row = store.create_draft(&new, &Actor::Local, now).await.expect("made");
    let rules = ServiceRules { team_budget: Compute::MAX, ..ServiceRules::default() };
    let draft = Draft { title: challenge.title.clone(), rules, ..Draft::default() };
    store.save_draft(row.id, None, &draft, &Actor::Local, now).await.expect("saved");
    let json = challenge.to_json();
    let published = PublishedChallenge {
        digest: Digest::of(json.as_bytes()),
        json,
        challenge,
        statement: "# A challenge\n".to_owned(),
        public_path: product("datasets/imagenet-pareto-canonical"),
        official_path: Some(product("datasets/imagenet-pareto-canonical")),
        validation_rows: 1_024,
        official_rows: 1_024,
    };
    store.publish(row.id, None, published, &Actor::Local, now).await.expect("published");
}

/// Results as if they had been evaluated: one transaction, for these would take a day.
async fn fill(connection: &mut SqliteConnection, challenge: &str, builders: u32, each: u32) {
    let mut transaction = connection.begin().await.expect("begun");
    let challenge_id: i64 = sqlx::query_scalar("SELECT id FROM challenges WHERE name = ?")
        .bind(challenge)
        .fetch_one(&mut *transaction)
        .await
        .expect("it is there");
    let now = Timestamp::now().millis() - 3_600_000;
    let mut state = 1_u32;
    let mut random = move || {
        // Numerical Recipes' linear congruential generator; only spread is wanted.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1_u32 << 24)
    };
    for builder in 0..builders {
        let name = format!("{challenge}-{builder}");
        let team: i64 = sqlx::query_scalar("INSERT INTO teams (name) VALUES (?) RETURNING id")
            .bind(&name)
            .fetch_one(&mut *transaction)
            .await
            .expect("written");
        let account: i64 =
            sqlx::query_scalar("INSERT INTO accounts (name, team_id, created_at) VALUES (?, ?, ?) RETURNING id")
                .bind(&name)
                .bind(team)
                .bind(now)
                .fetch_one(&mut *transaction)
                .await
                .expect("written");
        for index in 0..each {
            let id = SubmissionId::fresh();
            let digest = Digest::of(format!("{name} {index}").as_bytes());
            let quality = random();
            let flops = 1e4 * 10f64.powf(random() * 4.0);
            let figures = published(0.5 + quality / 2.0, flops);
            let json = serde_json::to_string(&figures).expect("JSON");
            sqlx::query(
                "INSERT INTO submissions (id, challenge_id, account_id, team_id, mode, state, submitted_at, note, component, \
                 package, package_bytes, concurrency, reserved, started_at, finished_at, released_at, verdict, published) \
                 VALUES (?1, ?2, ?3, ?4, 'official', 'finished', ?5, '', ?6, ?6, 1, 1, 0, ?5, ?5, ?5, 'scored', ?7)",
            )
            .bind(id.as_bytes().as_slice())
            .bind(challenge_id)
            .bind(account)
            .bind(team)
            .bind(now)
            .bind(digest.as_bytes().as_slice())
            .bind(&json)
            .execute(&mut *transaction)
            .await
            .expect("written");
            sqlx::query(
                "INSERT INTO publications (challenge_id, submission_id, released_at, published, withdrawn) \
                 VALUES (?, ?, ?, ?, 0)",
            )
            .bind(challenge_id)
            .bind(id.as_bytes().as_slice())
            .bind(now)
            .bind(&json)
            .execute(&mut *transaction)
            .await
            .expect("written");
        }
    }
    transaction.commit().await.expect("written");
}
