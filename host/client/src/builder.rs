//! What builders and readers do.

use thimble_api::account::{JoinRequest, Joined, NewToken, Whoami};
use thimble_api::challenge::{ChallengeSummary, ChallengeView, ChallengesQuery, MetricView};
use thimble_api::id::ChallengeName;
use thimble_api::leaderboard::{Distribution, Leaderboard, LeaderboardQuery, RankingContext};
use thimble_api::submission::{Accepted, BuilderSubmission, ListQuery, Log, SubmissionView};
use thimble_api::{Page, SubmissionId};
use thimble_challenge::result::Mode;
use uuid::Uuid;

use crate::answer::Answer;
use crate::client::Client;
use crate::error::ClientError;
use crate::exchange::{Request, segment};

/// Names a submission before it is sent: the same key and the same bytes are one submission, however often they arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// One that nobody has used.
    pub fn fresh() -> Self {
        Self(Uuid::now_v7().to_string())
    }

    /// The text of the header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is submitted.
#[derive(Debug, Clone)]
pub struct NewSubmission<'a> {
    /// A package or a bare component.
    pub package: &'a [u8],
    /// On public or on private data.
    pub mode: Mode,
    /// The builder's own words; empty for none.
    pub note: &'a str,
    /// Its name until it has an id.
    pub key: &'a IdempotencyKey,
    /// Run it although the team has submitted the same component before.
    pub again: bool,
}

/// The name of a mode in a request.
pub(crate) const fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Validation => "validation",
        Mode::Official => "official",
    }
}

/// Every method: the service cannot be reached, or refuses.
impl Client {
    /// Challenges that this account sees, newest first.
    pub fn challenges(&self, query: &ChallengesQuery) -> Result<Answer<Page<ChallengeSummary>>, ClientError> {
        self.answer(&Request::get("/challenges").public().query(query)?)
    }

    /// One challenge.
    pub fn challenge(&self, name: &ChallengeName) -> Result<Answer<ChallengeView>, ClientError> {
        self.answer(&Request::get(format!("/challenges/{name}")).public())
    }

    /// A challenge's statement, in Markdown.
    pub fn statement(&self, name: &ChallengeName) -> Result<String, ClientError> {
        self.text(&Request::get(format!("/challenges/{name}/statement")).public())
    }

    /// Metrics that a challenge of this task can publish, the ranking one first.
    pub fn metrics(&self, name: &ChallengeName) -> Result<Answer<Vec<MetricView>>, ClientError> {
        self.answer(&Request::get(format!("/challenges/{name}/metrics")).public())
    }

    /// A part of a leaderboard.
    pub fn leaderboard(
        &self,
        name: &ChallengeName,
        query: &LeaderboardQuery,
    ) -> Result<Answer<Leaderboard>, ClientError> {
        self.answer(&Request::get(format!("/challenges/{name}/leaderboard")).public().query(query)?)
    }

    /// A whole leaderboard as CSV, now or at a version.
    pub fn leaderboard_csv(&self, name: &ChallengeName, version: Option<u64>) -> Result<String, ClientError> {
        let query = LeaderboardQuery { version, ..LeaderboardQuery::default() };
        self.text(&Request::get(format!("/challenges/{name}/leaderboard.csv")).public().query(&query)?)
    }

    /// How a published figure is spread.
    pub fn distribution(&self, name: &ChallengeName, figure: &str) -> Result<Answer<Distribution>, ClientError> {
        let figure = segment("figure", figure)?;
        self.answer(&Request::get(format!("/challenges/{name}/distribution/{figure}")).public())
    }

    /// Submits. The key makes it safe to send again, so it is sent again when no answer comes.
    pub fn submit(
        &self,
        name: &ChallengeName,
        submission: &NewSubmission<'_>,
    ) -> Result<Answer<Accepted>, ClientError> {
        let mut fields = vec![("mode", mode_name(submission.mode))];
        if !submission.note.is_empty() {
            fields.push(("note", submission.note));
        }
        if submission.again {
            fields.push(("again", "true"));
        }
        let request = Request::post(format!("/challenges/{name}/submissions"))
            .header("idempotency-key", submission.key.as_str())
            .package(submission.package, fields)
            .repeatable(true);
        self.answer(&request)
    }

    /// The account's own submissions, newest first.
    pub fn submissions(&self, query: &ListQuery) -> Result<Answer<Page<BuilderSubmission>>, ClientError> {
        self.answer(&Request::get("/submissions").query(query)?)
    }

    /// A submission, as far as this account is told.
    pub fn submission(&self, id: SubmissionId) -> Result<Answer<SubmissionView>, ClientError> {
        self.answer(&Request::get(format!("/submissions/{id}")).public())
    }

    /// The guest's own words.
    pub fn log(&self, id: SubmissionId) -> Result<Answer<Log>, ClientError> {
        self.answer(&Request::get(format!("/submissions/{id}/log")))
    }

    /// Where the submission's builder stands.
    pub fn context(&self, id: SubmissionId) -> Result<Answer<RankingContext>, ClientError> {
        self.answer(&Request::get(format!("/submissions/{id}/context")).public())
    }

    /// Cancels what has not ended.
    pub fn cancel(&self, id: SubmissionId) -> Result<Answer<BuilderSubmission>, ClientError> {
        self.answer(&Request::post(format!("/submissions/{id}/cancel")))
    }

    /// Whose token this is.
    pub fn whoami(&self) -> Result<Answer<Whoami>, ClientError> {
        self.answer(&Request::get("/whoami"))
    }

    /// Replaces the token that asks; the old one ends.
    pub fn rotate(&self) -> Result<Answer<NewToken>, ClientError> {
        self.answer(&Request::post("/tokens/rotate"))
    }

    /// Ends the token that asks.
    pub fn revoke(&self) -> Result<(), ClientError> {
        self.done(&Request::post("/tokens/revoke"))
    }

    /// Accepts an invitation, as this account or as a new one.
    pub fn join(&self, request: &JoinRequest) -> Result<Answer<Joined>, ClientError> {
        self.answer(&Request::post("/join").public().secret().json(request)?)
    }
}
