//! A store in a directory of its own, and what tests put into it.

use std::path::PathBuf;

use tempfile::TempDir;
use thimble_api::account::{InviteRequest, NewInvite, NewToken, Scope, TokenRequest};
use thimble_api::draft::{Draft, NewDraft};
use thimble_api::{ErrorCode, Timestamp};
use thimble_challenge::Challenge;
use thimble_challenge::challenge::Visibility;
use thimble_datasets::Digest;
use thimble_store::{Actor, ChallengeRow, Principal, PublishedChallenge, RefusedOr, Store};

/// Seconds after a midnight.
pub(crate) fn at(seconds: i64) -> Timestamp {
    // 20,000 days after 1970-01-01.
    Timestamp::from_millis((20_000 * 86_400 + seconds) * 1_000)
}

/// The store is dropped before its directory.
pub(crate) struct Service {
    pub(crate) store: Store,
    pub(crate) directory: TempDir,
}

impl Service {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { store: Store::open(&directory.path().join("data")).await.unwrap(), directory }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// A connection that knows no rules but the database's own.
    pub(crate) async fn raw(&self) -> sqlx::SqliteConnection {
        use sqlx::ConnectOptions as _;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.data().join("thimble.sqlite"));
        options.connect().await.unwrap()
    }

    pub(crate) async fn token(&self, account: &str, scope: Scope) -> NewToken {
        self.store.create_token(&request(account, scope), &Actor::Local, at(0)).await.unwrap()
    }

    pub(crate) async fn principal(&self, account: &str, scope: Scope) -> Principal {
        let token = self.token(account, scope).await;
        self.store.authenticate(&token.secret, at(0)).await.unwrap().unwrap()
    }

    pub(crate) async fn draft(&self, name: &str) -> ChallengeRow {
        let new = NewDraft { name: name.parse().unwrap(), title: "A title".to_owned() };
        self.store.create_draft(&new, &Actor::Local, at(0)).await.unwrap()
    }

    /// A published challenge.
    pub(crate) async fn published(&self, name: &str, visibility: Visibility) -> ChallengeRow {
        let row = self.draft(name).await;
        let draft = Draft { visibility, ..Draft::clone(&row.draft) };
        let row = self.store.save_draft(row.id, None, &draft, &Actor::Local, at(0)).await.unwrap();
        self.store.publish(row.id, None, in_force(name, visibility), &Actor::Local, at(0)).await.unwrap()
    }

    pub(crate) async fn invite(&self, challenge: &ChallengeRow) -> NewInvite {
        self.store.invite(challenge.id, &invitation(), &Actor::Local, at(0)).await.unwrap()
    }

    /// Actions in the audit log, oldest first.
    pub(crate) async fn actions(&self) -> Vec<String> {
        let entries = self.store.audit_log(None, Some(200)).await.unwrap().items;
        entries.into_iter().rev().map(|entry| entry.action).collect()
    }
}

pub(crate) fn request(account: &str, scope: Scope) -> TokenRequest {
    TokenRequest { account: account.parse().unwrap(), team: None, scope, expires_at: None }
}

pub(crate) fn invitation() -> InviteRequest {
    InviteRequest { label: "Ada, ada@example.org".to_owned(), budget: None, expires_at: None }
}

pub(crate) fn in_force(name: &str, visibility: Visibility) -> PublishedChallenge {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/challenges/frugal-digits/challenge.json");
    let mut challenge: Challenge = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    challenge.name = name.to_owned();
    challenge.visibility = visibility;
    let json = challenge.to_json();
    PublishedChallenge {
        digest: Digest::of(json.as_bytes()),
        json,
        challenge,
        statement: "A statement.".to_owned(),
        public_path: "/data/public".into(),
        official_path: Some("/data/official".into()),
        validation_rows: 1_000,
        official_rows: 2_000,
    }
}

/// The code of a refusal; anything else fails the test.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, RefusedOr>) -> ErrorCode {
    match result {
        Err(RefusedOr::Refused(refusal)) => refusal.code,
        other => panic!("not refused: {other:?}"),
    }
}
