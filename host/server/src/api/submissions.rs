//! `/submissions`: made, followed, cancelled.

use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post_with};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName};
use axum::response::Response;
use schemars::json_schema;
use thimble_api::leaderboard::RankingContext;
use thimble_api::submission::{Accepted, BuilderSubmission, ListQuery, Log, MAX_NOTE_BYTES, SubmissionView};
use thimble_api::{ErrorCode, Page, Timestamp};
use thimble_challenge::result::Mode;
use thimble_pages::forms::Fields;

use super::describe::{answers, header as takes_header, named, takes};
use super::{Identified, Named};
use crate::answer::{Answer, Made};
use crate::auth::{Builder, Caller};
use crate::body;
use crate::events;
use crate::extract::{Path, Query, header};
use crate::failure::{Failure, Result};
use crate::operations::submissions::{self, Sent};
use crate::service::Service;
use crate::status;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// The longest idempotency key.
const MOST_KEY: usize = 200;

pub(super) fn router() -> ApiRouter<Service> {
    let tag = "submissions";
    ApiRouter::new()
        .api_route(
            "/challenges/{name}/submissions",
            post_with(submit, |o| {
                let o = named("submit", tag, "Submit a package")(o);
                let key = json_schema!({ "type": "string", "pattern": "^[!-~]{1,200}$" });
                let o = takes_header(o, "Idempotency-Key", "Two requests with the same key are one submission", key);
                let form = json_schema!({
                    "type": "object",
                    "required": ["package"],
                    "additionalProperties": false,
                    "properties": {
                        "package": { "description": "The ZIP of `thimble build`, or a bare component" },
                        "mode": { "type": "string", "enum": ["validation", "official"], "default": "validation" },
                        "note": { "type": "string", "maxLength": MAX_NOTE_BYTES },
                        "again": { "type": "string", "enum": ["true", "false"], "default": "false",
                            "description": "Run it although the team has submitted the same component before" }
                    }
                });
                let o = takes(o, [("multipart/form-data", form)]);
                o.response_with::<200, axum::Json<Accepted>, _>(|r| {
                    r.description("It was submitted before, under this key")
                })
            }),
        )
        .api_route("/submissions", get_with(list, named("listSubmissions", tag, "One's own submissions, newest first")))
        .api_route("/submissions/{id}", get_with(view, named("getSubmission", tag, "Status of a submission")))
        .api_route(
            "/submissions/{id}/events",
            get_with(follow, |o| {
                let o = named("followSubmission", tag, "Status of a submission as it changes")(o);
                let id = json_schema!({ "type": "string", "pattern": "^[!-~]{0,100}$" });
                let o = takes_header(o, "Last-Event-ID", "Id of the last event that was received", id);
                answers(o, 200, &["text/event-stream"], "Events `status`, each with a SubmissionView as its data")
            }),
        )
        .api_route("/submissions/{id}/log", get_with(log, named("getLog", tag, "The solution's own words")))
        .api_route(
            "/submissions/{id}/context",
            get_with(context, named("getContext", tag, "Its builder among neighbours")),
        )
        .api_route("/submissions/{id}/cancel", post_with(cancel, named("cancelSubmission", tag, "Cancel a submission")))
}

async fn submit(
    State(service): State<Service>,
    Builder(identity): Builder,
    Path(Named { name }): Path<Named>,
    headers: HeaderMap,
    request: Request,
) -> Result<Made<Accepted, 202>> {
    let idempotency_key = key(&headers)?;
    let form = body::multipart(&service, request, service.config.max_submission_bytes).await?;
    let fields = &form.fields;
    let sent = Sent {
        package: form
            .file("package")
            .ok_or_else(|| Failure::of_field("package", "must be a file that is not empty"))?,
        mode: mode(fields)?,
        note: fields.text("note").to_owned(),
        idempotency_key,
        again: again(fields)?,
    };
    let accepted = submissions::submit(&service, &identity, &name, sent).await?;
    let address = format!("/api/v1/submissions/{}", accepted.submission.id);
    Ok(Made::of(&accepted)?.at(&address).repeated(accepted.repeated))
}

fn key(headers: &HeaderMap) -> Result<Option<String>> {
    let Some(key) = header(headers, &IDEMPOTENCY_KEY)? else { return Ok(None) };
    if (1..=MOST_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(Some(key.to_owned()));
    }
    let message = format!("Idempotency-Key must have 1 to {MOST_KEY} visible ASCII characters");
    Err(Failure::new(ErrorCode::BadRequest, message))
}

fn mode(fields: &Fields) -> Result<Mode> {
    match fields.text("mode") {
        "" | "validation" => Ok(Mode::Validation),
        "official" => Ok(Mode::Official),
        _ => Err(Failure::of_field("mode", "must be validation or official")),
    }
}

fn again(fields: &Fields) -> Result<bool> {
    match fields.text("again") {
        "" | "false" => Ok(false),
        "true" => Ok(true),
        _ => Err(Failure::of_field("again", "must be true or false")),
    }
}

async fn list(
    State(service): State<Service>,
    Builder(identity): Builder,
    Query(query): Query<ListQuery>,
) -> Result<Answer<Page<BuilderSubmission>>> {
    Answer::of(&submissions::list(&service, &Caller::from(&identity), &query).await?)
}

async fn view(
    State(service): State<Service>,
    caller: Caller,
    Path(Identified { id }): Path<Identified>,
) -> Result<Answer<SubmissionView>> {
    let (prepared, _) = status::status(&service, &caller, id).await?;
    Ok(prepared.into())
}

async fn follow(
    State(service): State<Service>,
    caller: Caller,
    Path(Identified { id }): Path<Identified>,
    headers: HeaderMap,
) -> Result<Response> {
    events::events(&service, caller, id, header(&headers, &LAST_EVENT_ID)?).await
}

async fn log(
    State(service): State<Service>,
    Builder(identity): Builder,
    Path(Identified { id }): Path<Identified>,
) -> Result<Answer<Log>> {
    Answer::of(&submissions::log(&service, &Caller::from(&identity), id).await?)
}

async fn context(
    State(service): State<Service>,
    caller: Caller,
    Path(Identified { id }): Path<Identified>,
) -> Result<Answer<RankingContext>> {
    Answer::of(&submissions::context(&service, &caller, id).await?)
}

async fn cancel(
    State(service): State<Service>,
    Builder(identity): Builder,
    Path(Identified { id }): Path<Identified>,
) -> Result<Answer<BuilderSubmission>> {
    let row = submissions::cancel(&service, &identity, id).await?;
    Answer::of(&status::builder_view(&service, &row, Timestamp::now()).await?)
}
