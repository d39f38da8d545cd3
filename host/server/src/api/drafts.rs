//! `/operator/drafts` and `/operator/challenges`: challenges as they are written, published, edited, closed.

use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post_with, put_with};
use aide::transform::TransformOperation;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::IF_MATCH;
use schemars::json_schema;
use thimble_api::draft::{Draft, Edit, NewDraft};
use thimble_api::operator::DraftView;
use thimble_api::page::PageQuery;
use thimble_api::{ErrorCode, Page};

use super::Named;
use super::describe::{binary, header as takes_header, named, takes};
use crate::answer::{Answer, Made};
use crate::auth::Operator;
use crate::body;
use crate::extract::{Json, Path, Query, has_type, header};
use crate::failure::{Failure, Result};
use crate::operations::drafts;
use crate::service::Service;

pub(super) fn router() -> ApiRouter<Service> {
    let tag = "drafts";
    ApiRouter::new()
        .api_route(
            "/operator/drafts",
            get_with(list, named("listDrafts", tag, "Drafts and challenges, newest first"))
                .post_with(create, named("createDraft", tag, "Begin a challenge")),
        )
        .api_route(
            "/operator/challenges/{name}",
            get_with(get, named("getDraft", tag, "A draft or challenge, with what publishing would refuse"))
                .put_with(save, |o| takes_revision(named("saveDraft", tag, "Replace a draft")(o)))
                .patch_with(edit, |o| {
                    takes_revision(named("editChallenge", tag, "Change a challenge that is in force")(o))
                }),
        )
        .api_route(
            "/operator/challenges/{name}/cover",
            put_with(put_cover, |o: TransformOperation<'_>| {
                let o = named("putCover", tag, "Set the cover image: JPEG or PNG, at most 25 MiB")(o);
                takes(o, [("image/jpeg", binary()), ("image/png", binary())])
            })
            .delete_with(delete_cover, named("deleteCover", tag, "Take the cover image away")),
        )
        .api_route(
            "/operator/challenges/{name}/exploration",
            put_with(put_exploration, |o: TransformOperation<'_>| {
                let o = named(
                    "putExploration",
                    tag,
                    "Set the statistics: `thimble dataset explore --json`, or a notebook",
                )(o);
                let object = || json_schema!({ "type": "object" });
                takes(o, [("application/json", object()), ("application/x-ipynb+json", object())])
            })
            .delete_with(delete_exploration, named("deleteExploration", tag, "Take the statistics away")),
        )
        .api_route(
            "/operator/challenges/{name}/publish",
            post_with(publish, named("publishChallenge", tag, "Put a draft in force")),
        )
        .api_route(
            "/operator/challenges/{name}/close",
            post_with(close, named("closeChallenge", tag, "End a challenge: freeze anchors, reveal the salt")),
        )
}

fn takes_revision(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let schema = json_schema!({ "type": "string", "pattern": "^\"[0-9]{1,18}(-[0-9a-f]{8})?\"$" });
    takes_header(operation, "If-Match", "The draft's revision, as in its ETag", schema)
}

/// A draft with its revision in the entity tag, and a part of the digest of the rest: faults and cost change by themselves.
fn answer(view: &DraftView) -> Result<Answer<DraftView>> {
    let answer = Answer::of(view)?;
    let tag = format!("{}-{}", view.revision, answer.short_tag());
    Ok(answer.tagged(&tag))
}

/// The revision that the caller knows.
fn if_match(headers: &HeaderMap) -> Result<Option<u64>> {
    let Some(tag) = header(headers, &IF_MATCH)? else { return Ok(None) };
    if tag == "*" {
        return Ok(None);
    }
    let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    let revision = inner.and_then(|tag| tag.split('-').next()?.parse().ok());
    let message = "If-Match must be the revision in quotes, as in the ETag of the draft";
    revision.map(Some).ok_or_else(|| Failure::new(ErrorCode::BadRequest, message))
}

async fn list(
    State(service): State<Service>,
    Operator(identity): Operator,
    Query(query): Query<PageQuery>,
) -> Result<Answer<Page<DraftView>>> {
    Answer::of(&drafts::list(&service, &identity, &query).await?)
}

async fn create(
    State(service): State<Service>,
    Operator(identity): Operator,
    Json(new): Json<NewDraft>,
) -> Result<Made<DraftView, 201>> {
    let view = drafts::create(&service, &identity, &new).await?;
    Ok(Made::of(&view)?.at(&format!("/api/v1/operator/challenges/{}", view.name)))
}

async fn get(
    State(service): State<Service>,
    Operator(_): Operator,
    Path(Named { name }): Path<Named>,
) -> Result<Answer<DraftView>> {
    answer(&drafts::get(&service, &name).await?)
}

async fn save(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(Named { name }): Path<Named>,
    headers: HeaderMap,
    Json(draft): Json<Draft>,
) -> Result<Answer<DraftView>> {
    answer(&drafts::save(&service, &identity, &name, if_match(&headers)?, &draft).await?)
}

async fn edit(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(Named { name }): Path<Named>,
    headers: HeaderMap,
    Json(edit): Json<Edit>,
) -> Result<Answer<DraftView>> {
    answer(&drafts::edit(&service, &identity, &name, if_match(&headers)?, edit).await?)
}

async fn put_cover(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(Named { name }): Path<Named>,
    request: Request,
) -> Result<Answer<DraftView>> {
    if !["image/jpeg", "image/png"].into_iter().any(|kind| has_type(request.headers(), kind)) {
        return Err(Failure::new(ErrorCode::UnsupportedMediaType, "the cover must be image/jpeg or image/png"));
    }
    let held = body::read(&service, request, thimble_api::draft::MAX_COVER_BYTES).await?;
    answer(&drafts::set_cover(&service, &identity, &name, Some(held.bytes.clone())).await?)
}

async fn delete_cover(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(Named { name }): Path<Named>,
) -> Result<Answer<DraftView>> {
    answer(&drafts::set_cover(&service, &identity, &name, None).await?)
}

async fn put_exploration(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(Named { name }): Path<Named>,
    request: Request,
) -> Result<Answer<DraftView>> {
    if !["application/json", "application/x-ipynb+json"].into_iter().any(|kind| has_type(request.headers(), kind)) {
        let message = "the statistics must be application/json, a notebook application/x-ipynb+json";
        return Err(Failure::new(ErrorCode::UnsupportedMediaType, message));
    }
    let held = body::read(&service, request, thimble_api::draft::MAX_EXPLORATION_BYTES).await?;
    answer(&drafts::set_exploration(&service, &identity, &name, Some(held.bytes.clone())).await?)
}

async fn delete_exploration(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(Named { name }): Path<Named>,
) -> Result<Answer<DraftView>> {
    answer(&drafts::set_exploration(&service, &identity, &name, None).await?)
}

async fn publish(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(Named { name }): Path<Named>,
) -> Result<Answer<DraftView>> {
    answer(&drafts::publish(&service, &identity, &name).await?)
}

async fn close(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(Named { name }): Path<Named>,
) -> Result<Answer<DraftView>> {
    answer(&drafts::close(&service, &identity.actor(), &name).await?)
}
