//! What operators do.

use serde::{Deserialize, Serialize};
use thimble_api::account::{InviteRequest, InviteView, NewInvite, NewToken, TokenRequest, TokenView};
use thimble_api::draft::{Draft, Edit, NewDraft};
use thimble_api::id::ChallengeName;
use thimble_api::operator::{
    AccountView, AuditEntry, BudgetRequest, Capacity, DatasetView, DraftView, Monitor, SubmissionRecord, TeamBudget,
};
use thimble_api::page::PageQuery;
use thimble_api::{AccountName, Page, SubmissionId, TeamName};

use crate::answer::Answer;
use crate::client::Client;
use crate::error::ClientError;
use crate::exchange::{Request, segment};

/// A cover image, by what its first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Image {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
}

impl Image {
    /// By its signature; none for anything else.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
            Some(Self::Jpeg)
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else {
            None
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

/// Submissions that run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requeued {
    /// How many.
    pub queued: u64,
}

/// Every method: the service cannot be reached, or refuses; all need the scope `operator`.
impl Client {
    /// Challenges as they are written.
    pub fn drafts(&self, query: &PageQuery) -> Result<Answer<Page<DraftView>>, ClientError> {
        self.answer(&Request::get("/operator/drafts").query(query)?)
    }

    /// Begins a draft.
    pub fn new_draft(&self, draft: &NewDraft) -> Result<Answer<DraftView>, ClientError> {
        self.answer(&Request::post("/operator/drafts").json(draft)?)
    }

    /// A draft or a published challenge, as it is written.
    pub fn draft(&self, name: &ChallengeName) -> Result<Answer<DraftView>, ClientError> {
        self.answer(&Request::get(format!("/operator/challenges/{name}")))
    }

    /// Replaces a draft, if it is still at `revision`.
    pub fn put_draft(
        &self,
        name: &ChallengeName,
        draft: &Draft,
        revision: u64,
    ) -> Result<Answer<DraftView>, ClientError> {
        let request = Request::put(format!("/operator/challenges/{name}"))
            .header("if-match", format!("\"{revision}\""))
            // The second time, the first has made another revision.
            .repeatable(false)
            .json(draft)?;
        self.answer(&request)
    }

    /// Changes what can be changed once a challenge is published.
    pub fn edit(&self, name: &ChallengeName, edit: &Edit) -> Result<Answer<DraftView>, ClientError> {
        self.answer(&Request::patch(format!("/operator/challenges/{name}")).json(edit)?)
    }

    /// Sets the cover image.
    pub fn put_cover(&self, name: &ChallengeName, kind: Image, image: &[u8]) -> Result<Answer<DraftView>, ClientError> {
        self.answer(&Request::put(format!("/operator/challenges/{name}/cover")).bytes(kind.media_type(), image))
    }

    /// Takes the cover image away.
    pub fn delete_cover(&self, name: &ChallengeName) -> Result<Answer<DraftView>, ClientError> {
        self.answer(&Request::delete(format!("/operator/challenges/{name}/cover")))
    }

    /// Sets the page of statistics: a notebook, or what `thimble dataset explore --json` writes.
    pub fn put_exploration(
        &self,
        name: &ChallengeName,
        notebook: bool,
        bytes: &[u8],
    ) -> Result<Answer<DraftView>, ClientError> {
        let media_type = if notebook { "application/x-ipynb+json" } else { "application/json" };
        self.answer(&Request::put(format!("/operator/challenges/{name}/exploration")).bytes(media_type, bytes))
    }

    /// Takes the page of statistics away.
    pub fn delete_exploration(&self, name: &ChallengeName) -> Result<Answer<DraftView>, ClientError> {
        self.answer(&Request::delete(format!("/operator/challenges/{name}/exploration")))
    }

    /// Opens a challenge for submissions.
    pub fn publish(&self, name: &ChallengeName) -> Result<Answer<DraftView>, ClientError> {
        self.answer(&Request::post(format!("/operator/challenges/{name}/publish")))
    }

    /// Ends a challenge, and reveals its salt.
    pub fn close(&self, name: &ChallengeName) -> Result<Answer<DraftView>, ClientError> {
        self.answer(&Request::post(format!("/operator/challenges/{name}/close")))
    }

    /// Invitations to a challenge.
    pub fn invites(&self, name: &ChallengeName, query: &PageQuery) -> Result<Answer<Page<InviteView>>, ClientError> {
        self.answer(&Request::get(format!("/operator/challenges/{name}/invites")).query(query)?)
    }

    /// Invites.
    pub fn invite(&self, name: &ChallengeName, request: &InviteRequest) -> Result<Answer<NewInvite>, ClientError> {
        self.answer(&Request::post(format!("/operator/challenges/{name}/invites")).json(request)?)
    }

    /// Ends an invitation that was not accepted.
    pub fn revoke_invite(&self, prefix: &str) -> Result<(), ClientError> {
        self.done(&Request::delete(format!("/operator/invites/{}", segment("invitation", prefix)?)))
    }

    /// Teams of a challenge with their budgets.
    pub fn teams(&self, name: &ChallengeName, query: &PageQuery) -> Result<Answer<Page<TeamBudget>>, ClientError> {
        self.answer(&Request::get(format!("/operator/challenges/{name}/teams")).query(query)?)
    }

    /// Gives a team compute, more or less than before, or takes it away.
    pub fn set_budget(
        &self,
        name: &ChallengeName,
        team: &TeamName,
        request: &BudgetRequest,
    ) -> Result<Answer<TeamBudget>, ClientError> {
        self.answer(&Request::put(format!("/operator/challenges/{name}/teams/{team}/budget")).json(request)?)
    }

    /// The use of a challenge.
    pub fn monitor(&self, name: &ChallengeName) -> Result<Answer<Monitor>, ClientError> {
        self.answer(&Request::get(format!("/operator/challenges/{name}/monitor")))
    }

    /// Submissions of everyone, newest first, without their results.
    pub fn records(
        &self,
        name: &ChallengeName,
        query: &PageQuery,
    ) -> Result<Answer<Page<SubmissionRecord>>, ClientError> {
        self.answer(&Request::get(format!("/operator/challenges/{name}/submissions")).query(query)?)
    }

    /// A submission with everything that is known of it.
    pub fn record(&self, id: SubmissionId) -> Result<Answer<SubmissionRecord>, ClientError> {
        self.answer(&Request::get(format!("/operator/submissions/{id}")))
    }

    /// Runs a submission again; its result stands until the new one is there.
    pub fn rescore(&self, id: SubmissionId) -> Result<Answer<SubmissionRecord>, ClientError> {
        self.answer(&Request::post(format!("/operator/submissions/{id}/rescore")))
    }

    /// Runs all official submissions of a challenge again.
    pub fn rescore_all(&self, name: &ChallengeName) -> Result<Answer<Requeued>, ClientError> {
        self.answer(&Request::post(format!("/operator/challenges/{name}/rescore")))
    }

    /// Takes a submission off the leaderboard.
    pub fn withdraw(&self, id: SubmissionId) -> Result<Answer<SubmissionRecord>, ClientError> {
        self.answer(&Request::post(format!("/operator/submissions/{id}/withdraw")))
    }

    /// Puts a withdrawn submission back.
    pub fn reinstate(&self, id: SubmissionId) -> Result<Answer<SubmissionRecord>, ClientError> {
        self.answer(&Request::post(format!("/operator/submissions/{id}/reinstate")))
    }

    /// Cancels anyone's submission.
    pub fn cancel_any(&self, id: SubmissionId) -> Result<Answer<SubmissionRecord>, ClientError> {
        self.answer(&Request::post(format!("/operator/submissions/{id}/cancel")))
    }

    /// Datasets that drafts may name.
    pub fn datasets(&self, query: &PageQuery) -> Result<Answer<Page<DatasetView>>, ClientError> {
        self.answer(&Request::get("/operator/datasets").query(query)?)
    }

    /// Accounts.
    pub fn accounts(&self, query: &PageQuery) -> Result<Answer<Page<AccountView>>, ClientError> {
        self.answer(&Request::get("/operator/accounts").query(query)?)
    }

    /// Lets an account do nothing any more, or again.
    pub fn set_disabled(&self, account: &AccountName, disabled: bool) -> Result<Answer<AccountView>, ClientError> {
        let act = if disabled { "disable" } else { "enable" };
        self.answer(&Request::post(format!("/operator/accounts/{account}/{act}")))
    }

    /// Tokens, without their secrets.
    pub fn tokens(&self, query: &PageQuery) -> Result<Answer<Page<TokenView>>, ClientError> {
        self.answer(&Request::get("/operator/tokens").query(query)?)
    }

    /// Makes a token, and an account where there is none of that name.
    pub fn new_token(&self, request: &TokenRequest) -> Result<Answer<NewToken>, ClientError> {
        self.answer(&Request::post("/operator/tokens").json(request)?)
    }

    /// Ends a token.
    pub fn revoke_token(&self, prefix: &str) -> Result<(), ClientError> {
        self.done(&Request::delete(format!("/operator/tokens/{}", segment("token", prefix)?)))
    }

    /// What operators did, newest first.
    pub fn audit(&self, query: &PageQuery) -> Result<Answer<Page<AuditEntry>>, ClientError> {
        self.answer(&Request::get("/operator/audit").query(query)?)
    }

    /// Workers, queue and room.
    pub fn capacity(&self) -> Result<Answer<Capacity>, ClientError> {
        self.answer(&Request::get("/operator/capacity"))
    }
}
