//! `/challenges`: what everyone may see who may see the challenge.

use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{IntoResponse as _, Response};
use thimble_api::Page;
use thimble_api::challenge::{ChallengeSummary, ChallengeView, ChallengesQuery, MetricView};
use thimble_api::leaderboard::{Distribution, Leaderboard, LeaderboardQuery};

use super::describe::{answers, named};
use super::{Named, NamedFigure};
use crate::answer::{Answer, HTML, Prepared};
use crate::auth::Caller;
use crate::catalog;
use crate::extract::{Path, Query};
use crate::failure::Result;
use crate::operations::challenges;
use crate::service::Service;

/// The page of statistics has a style of its own and pictures inside it, and nothing that runs. It is shown in a frame here.
const STATISTICS: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'self'; sandbox",
);
const MARKDOWN: HeaderValue = HeaderValue::from_static("text/markdown; charset=utf-8");

pub(super) fn router() -> ApiRouter<Service> {
    let tag = "challenges";
    ApiRouter::new()
        .api_route("/challenges", get_with(list, named("listChallenges", tag, "Challenges, newest first")))
        .api_route("/challenges/{name}", get_with(view, named("getChallenge", tag, "A challenge and its rules")))
        .api_route(
            "/challenges/{name}/statement",
            get_with(statement, |o| {
                let o = named("getStatement", tag, "The statement, with the table of figures")(o);
                answers(o, 200, &["text/markdown"], "Markdown")
            }),
        )
        .api_route(
            "/challenges/{name}/explore",
            get_with(explore, |o| {
                let o = named("getExploration", tag, "Statistics of the data, a page without scripts")(o);
                answers(o, 200, &["text/html"], "HTML")
            }),
        )
        .api_route(
            "/challenges/{name}/cover",
            get_with(cover, |o| {
                let o = named("getCover", tag, "The cover image")(o);
                answers(o, 200, &["image/png", "image/jpeg"], "At most 1200 × 630 pixels")
            }),
        )
        .api_route(
            "/challenges/{name}/metrics",
            get_with(metrics, named("listMetrics", tag, "Metrics of the challenge's task, the ranking one first")),
        )
        .api_route(
            "/challenges/{name}/leaderboard",
            get_with(leaderboard, named("getLeaderboard", tag, "A part of the leaderboard, now or as of a version")),
        )
        .api_route(
            "/challenges/{name}/leaderboard.csv",
            get_with(leaderboard_csv, |o| {
                let o = named("getLeaderboardCsv", tag, "The whole leaderboard as a table")(o);
                answers(o, 200, &["text/csv"], "CSV by RFC 4180, with a header")
            }),
        )
        .api_route(
            "/challenges/{name}/distribution/{figure}",
            get_with(distribution, named("getDistribution", tag, "How a figure is spread over the best results")),
        )
}

async fn list(
    State(service): State<Service>,
    caller: Caller,
    Query(query): Query<ChallengesQuery>,
) -> Result<Answer<Page<ChallengeSummary>>> {
    Answer::of(&challenges::list(&service, &caller, &query).await?)
}

async fn view(
    State(service): State<Service>,
    caller: Caller,
    Path(Named { name }): Path<Named>,
) -> Result<Answer<ChallengeView>> {
    let row = catalog::published(&service, &caller, &name).await?;
    Answer::of(&challenges::view(&service, &caller, &row).await?)
}

async fn statement(
    State(service): State<Service>,
    caller: Caller,
    Path(Named { name }): Path<Named>,
) -> Result<Prepared> {
    let row = catalog::published(&service, &caller, &name).await?;
    Ok(Prepared::new(challenges::statement(&row)?.to_owned(), MARKDOWN))
}

async fn explore(
    State(service): State<Service>,
    caller: Caller,
    Path(Named { name }): Path<Named>,
) -> Result<Response> {
    let row = catalog::visible(&service, &caller, &name).await?;
    let page = Prepared::new(challenges::exploration(&service, &row).await?, HTML);
    let mut response = page.into_response();
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, STATISTICS);
    Ok(response)
}

async fn cover(State(service): State<Service>, caller: Caller, Path(Named { name }): Path<Named>) -> Result<Prepared> {
    let row = catalog::visible(&service, &caller, &name).await?;
    let (bytes, kind) = challenges::cover(&service, &row).await?;
    Ok(Prepared::new(bytes, HeaderValue::from_static(kind)))
}

async fn metrics(
    State(service): State<Service>,
    caller: Caller,
    Path(Named { name }): Path<Named>,
) -> Result<Answer<Vec<MetricView>>> {
    let row = catalog::published(&service, &caller, &name).await?;
    Answer::of(&challenges::metrics(&row)?)
}

async fn leaderboard(
    State(service): State<Service>,
    caller: Caller,
    Path(Named { name }): Path<Named>,
    Query(query): Query<LeaderboardQuery>,
) -> Result<Answer<Leaderboard>> {
    let row = catalog::published(&service, &caller, &name).await?;
    Ok(challenges::leaderboard_json(&service, &caller, &row, &query).await?.into())
}

/// Which version of a leaderboard is asked for.
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct VersionQuery {
    /// As it was at this version; null for now.
    #[serde(default)]
    version: Option<u64>,
}

async fn leaderboard_csv(
    State(service): State<Service>,
    caller: Caller,
    Path(Named { name }): Path<Named>,
    Query(VersionQuery { version }): Query<VersionQuery>,
) -> Result<Prepared> {
    let row = catalog::published(&service, &caller, &name).await?;
    challenges::leaderboard_csv(&service, &row, version).await
}

async fn distribution(
    State(service): State<Service>,
    caller: Caller,
    Path(NamedFigure { name, figure }): Path<NamedFigure>,
) -> Result<Answer<Distribution>> {
    let row = catalog::published(&service, &caller, &name).await?;
    Ok(challenges::distribution(&service, &row, &figure).await?.into())
}
