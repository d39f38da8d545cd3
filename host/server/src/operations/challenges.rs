//! Challenges, as everyone who may see them does.

use std::sync::Arc;

use bytes::Bytes;
use thimble_api::challenge::{ChallengeSummary, ChallengeView, ChallengesQuery, MetricView};
use thimble_api::leaderboard::{Leaderboard, LeaderboardQuery};
use thimble_api::{Page, Timestamp};
use thimble_challenge::challenge::metric_task;
use thimble_challenge::result::Mode;
use thimble_leaderboard::Column;
use thimble_store::{ChallengeRow, Cover};

use crate::answer::Prepared;
use crate::auth::Caller;
use crate::board::{self, Key, Snapshot, What};
use crate::catalog;
use crate::failure::{Failure, Result};
use crate::ranking;
use crate::service::Service;

/// The challenges that the caller may see, newest first; drafts are not among them.
pub(crate) async fn list(
    service: &Service,
    caller: &Caller,
    query: &ChallengesQuery,
) -> Result<Page<ChallengeSummary>> {
    let q = query.q.as_deref();
    let page = service.store.challenges(caller.principal(), false, q, query.after.as_deref(), query.limit).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for row in &page.items {
        items.push(summary(service, row).await?);
    }
    Ok(Page { items, next: page.next })
}

/// A challenge in a list. One that is not published yet has stand-ins for what is not chosen.
pub(crate) async fn summary(service: &Service, row: &ChallengeRow) -> Result<ChallengeSummary> {
    let published = row.published.as_ref().ok_or_else(Failure::not_found)?;
    let challenge = &published.challenge;
    let metric = challenge.ranking_metric().ok_or_else(|| Failure::internal("a challenge without its metric"))?;
    let (builders, results) = catalog::counts(service, row.id).await?;
    Ok(ChallengeSummary {
        name: row.name.clone(),
        title: challenge.title.clone(),
        summary: challenge.summary.clone(),
        keywords: challenge.keywords.clone(),
        task: metric_task(&challenge.task).name().to_owned(),
        metric: MetricView::from(metric),
        stage: row.stage,
        visibility: challenge.visibility,
        closes_at: row.closes_at,
        builders,
        results,
        cover: row.cover.as_ref().map(|_| format!("/api/v1/challenges/{}/cover", row.name)),
    })
}

/// A challenge, with the quotas and the budget of whoever asks.
pub(crate) async fn view(service: &Service, caller: &Caller, row: &ChallengeRow) -> Result<ChallengeView> {
    let published = row.published.as_ref().ok_or_else(Failure::not_found)?;
    let (mut quotas, mut budget) = (Vec::new(), None);
    if let Some(principal) = caller.principal() {
        let now = Timestamp::now();
        for mode in [Mode::Official, Mode::Validation] {
            quotas.push(service.store.quota(row, principal.account_id, mode, now).await?);
        }
        budget = Some(if caller.is_operator() {
            service.store.budget(row, principal.team_id).await?
        } else {
            service.store.visible_budget(row, principal.team_id, now).await?
        });
    }
    Ok(ChallengeView {
        summary: summary(service, row).await?,
        challenge: published.challenge.clone(),
        digest: published.digest,
        revision: row.revision,
        published_at: row.published_at,
        has_exploration: row.exploration.is_some(),
        rules: row.draft.rules,
        revealed_salt: row.revealed_salt.clone(),
        quotas,
        budget,
    })
}

/// The statement: Markdown.
pub(crate) fn statement(row: &ChallengeRow) -> Result<&str> {
    Ok(&row.published.as_ref().ok_or_else(Failure::not_found)?.statement)
}

/// The cover image and its media type. Its digest is in what is stored, so its bytes are what was encoded here.
pub(crate) async fn cover(service: &Service, row: &ChallengeRow) -> Result<(Bytes, &'static str)> {
    let Some(Cover { digest, media_type }) = &row.cover else { return Err(Failure::not_found()) };
    let kind = ["image/png", "image/jpeg"].into_iter().find(|kind| kind == media_type);
    let kind = kind.ok_or_else(|| Failure::internal(format!("a cover of type {media_type}")))?;
    let bytes = service.store.artifact(digest).await?.ok_or_else(Failure::not_found)?;
    Ok((bytes, kind))
}

/// The page of statistics: HTML.
pub(crate) async fn exploration(service: &Service, row: &ChallengeRow) -> Result<Bytes> {
    let digest = row.exploration.as_ref().ok_or_else(Failure::not_found)?;
    service.store.artifact(digest).await?.ok_or_else(Failure::not_found)
}

/// Every metric of the challenge's task, the ranking one first.
pub(crate) fn metrics(row: &ChallengeRow) -> Result<Vec<MetricView>> {
    let challenge = &row.published.as_ref().ok_or_else(Failure::not_found)?.challenge;
    let mut metrics: Vec<MetricView> =
        thimble_metrics::metrics(metric_task(&challenge.task)).map(MetricView::from).collect();
    // Stable: the others stay in the registry's order.
    metrics.sort_by_key(|metric| metric.name != challenge.ranking.metric);
    Ok(metrics)
}

/// The board at the version that is asked for.
pub(crate) async fn snapshot(
    service: &Service,
    row: &Arc<ChallengeRow>,
    version: Option<u64>,
) -> Result<Arc<Snapshot>> {
    match version {
        None => board::current(service, row).await,
        Some(version) => board::at(service, row, version).await,
    }
}

/// Whose results are marked on a board: the caller's, where they have some there.
pub(crate) fn marked<'a>(caller: &'a Caller, snapshot: &Snapshot) -> Option<&'a thimble_store::Principal> {
    caller.principal().filter(|principal| snapshot.has(&principal.account))
}

/// A part of the board.
pub(crate) fn leaderboard(snapshot: &Snapshot, caller: &Caller, query: &LeaderboardQuery) -> Result<Leaderboard> {
    let own = marked(caller, snapshot).map(|principal| &principal.account);
    snapshot.leaderboard(ranking::first(query.after.as_deref())?, ranking::limit(query.limit)?, own)
}

/// What an answer about a board depends on.
pub(crate) fn key(snapshot: &Snapshot, what: What, viewer: Option<i64>) -> Key {
    Key {
        challenge: snapshot.challenge.id,
        revision: snapshot.challenge.revision,
        version: snapshot.version,
        what,
        viewer,
    }
}

/// A part of the board as JSON, from memory where it was asked for before.
pub(crate) async fn leaderboard_json(
    service: &Service,
    caller: &Caller,
    row: &Arc<ChallengeRow>,
    query: &LeaderboardQuery,
) -> Result<Prepared> {
    let (first, limit) = (ranking::first(query.after.as_deref())?, ranking::limit(query.limit)?);
    let snapshot = snapshot(service, row, query.version).await?;
    let own = marked(caller, &snapshot);
    let key = key(&snapshot, What::Json { first, limit }, own.map(|principal| principal.account_id));
    let own = own.map(|principal| principal.account.clone());
    let make = async || {
        let making = move || Prepared::json(&snapshot.leaderboard(first, limit, own.as_ref())?);
        tokio::task::spawn_blocking(making).await.map_err(Failure::internal)?
    };
    service.boards.answer(key, make).await
}

/// The whole board as CSV.
pub(crate) async fn leaderboard_csv(
    service: &Service,
    row: &Arc<ChallengeRow>,
    version: Option<u64>,
) -> Result<Prepared> {
    let snapshot = snapshot(service, row, version).await?;
    let key = key(&snapshot, What::Csv, None);
    let make = async || {
        let kind = axum::http::HeaderValue::from_static("text/csv; charset=utf-8");
        let making = move || Prepared::new(snapshot.computed.csv(), kind);
        tokio::task::spawn_blocking(making).await.map_err(Failure::internal)
    };
    service.boards.answer(key, make).await
}

/// How a published figure is spread.
pub(crate) async fn distribution(service: &Service, row: &Arc<ChallengeRow>, figure: &str) -> Result<Prepared> {
    let snapshot = snapshot(service, row, None).await?;
    let column = Column::named(snapshot.computed.challenge(), figure).ok_or_else(Failure::not_found)?;
    let key = key(&snapshot, What::Distribution(column.name()), None);
    service.boards.answer(key, async || Prepared::json(&snapshot.distribution(&column))).await
}
