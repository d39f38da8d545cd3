//! Challenges as they were a moment ago, and who may see them.

use std::sync::Arc;

use thimble_api::Timestamp;
use thimble_api::challenge::Stage;
use thimble_api::id::ChallengeName;
use thimble_challenge::challenge::Visibility;
use thimble_store::{ChallengeRow, StoreError};

use crate::auth::Caller;
use crate::cache::{Cache, Loaded};
use crate::failure::{Failure, Result};
use crate::service::Service;

/// Challenges that are remembered at most.
const MOST: usize = 4_096;

/// Challenges by name and by key, and how many results they have.
#[derive(Debug)]
pub(crate) struct Catalog {
    by_name: Cache<ChallengeName, Option<Arc<ChallengeRow>>>,
    by_id: Cache<i64, Option<Arc<ChallengeRow>>>,
    counts: Cache<i64, (u64, u64)>,
    seen: Cache<(i64, i64), bool>,
}

impl Catalog {
    pub(crate) fn new() -> Self {
        Self {
            by_name: Cache::new(MOST, usize::MAX),
            by_id: Cache::new(MOST, usize::MAX),
            counts: Cache::new(MOST, usize::MAX),
            seen: Cache::new(4 * MOST, usize::MAX),
        }
    }

    /// After a change: the next who asks sees it.
    pub(crate) fn forget(&self, row: &ChallengeRow) {
        self.by_name.forget(&row.name);
        self.by_id.forget(&row.id);
    }

    /// After an invitation was accepted.
    pub(crate) fn forget_membership(&self, challenge_id: i64, account_id: i64) {
        self.seen.forget(&(challenge_id, account_id));
    }
}

/// A challenge by its key.
pub(crate) async fn by_id(service: &Service, id: i64) -> Result<Option<Arc<ChallengeRow>>> {
    let load = async |_| {
        let value = service.store.challenge_by_id(id).await?.map(Arc::new);
        Ok::<_, StoreError>(Loaded { value, ttl: service.config.board_ttl, weight: 1 })
    };
    Ok(service.catalog.by_id.get_or_load(&id, load).await?)
}

async fn by_name(service: &Service, name: &ChallengeName) -> Result<Option<Arc<ChallengeRow>>> {
    let load = async |_| {
        let value = service.store.challenge(name).await?.map(Arc::new);
        Ok::<_, StoreError>(Loaded { value, ttl: service.config.board_ttl, weight: 1 })
    };
    Ok(service.catalog.by_name.get_or_load(name, load).await?)
}

/// A challenge as the store has it now: for what changes it.
pub(crate) async fn fresh(service: &Service, name: &ChallengeName) -> Result<ChallengeRow> {
    service.store.challenge(name).await?.ok_or_else(Failure::not_found)
}

/// A challenge that the caller may see. One that is hidden is as one that is not there.
pub(crate) async fn visible(service: &Service, caller: &Caller, name: &ChallengeName) -> Result<Arc<ChallengeRow>> {
    let row = by_name(service, name).await?.ok_or_else(Failure::not_found)?;
    if may_see(service, caller, &row).await? { Ok(row) } else { Err(Failure::not_found()) }
}

/// A challenge that the caller may see, and that has been published: it has a leaderboard.
pub(crate) async fn published(service: &Service, caller: &Caller, name: &ChallengeName) -> Result<Arc<ChallengeRow>> {
    let row = visible(service, caller, name).await?;
    if row.published.is_some() { Ok(row) } else { Err(Failure::not_found()) }
}

/// Whether the caller may see a challenge.
pub(crate) async fn may_see(service: &Service, caller: &Caller, row: &ChallengeRow) -> Result<bool> {
    if caller.is_operator() {
        return Ok(true);
    }
    if row.stage == Stage::Draft {
        return Ok(false);
    }
    if row.visibility() == Visibility::Public {
        return Ok(true);
    }
    let Some(principal) = caller.principal() else { return Ok(false) };
    let load = async |_| {
        let value = service.store.may_see(row, Some(principal)).await?;
        Ok::<_, StoreError>(Loaded { value, ttl: service.config.board_ttl, weight: 1 })
    };
    Ok(service.catalog.seen.get_or_load(&(row.id, principal.account_id), load).await?)
}

/// Builders with a released result, and released results.
pub(crate) async fn counts(service: &Service, id: i64) -> Result<(u64, u64)> {
    let load = async |_| {
        let value = service.store.counts(id, Timestamp::now()).await?;
        Ok::<_, StoreError>(Loaded { value, ttl: 4 * service.config.board_ttl, weight: 1 })
    };
    Ok(service.catalog.counts.get_or_load(&id, load).await?)
}
