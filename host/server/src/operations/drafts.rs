//! Challenges as operators write them: drafts, publication, edits, the close.

use std::sync::Arc;

use bytes::Bytes;
use thimble_api::challenge::Stage;
use thimble_api::draft::{Draft, Edit, NewDraft};
use thimble_api::id::ChallengeName;
use thimble_api::operator::DraftView;
use thimble_api::page::{MAX_LIMIT, PageQuery};
use thimble_api::{Compute, ErrorCode, Page, Timestamp};
use thimble_store::{Actor, ChallengeRow, Cover};

use crate::auth::Identity;
use crate::board;
use crate::catalog;
use crate::failure::{Failure, Result};
use crate::publish;
use crate::service::Service;
use crate::upload;

/// Drafts and challenges, newest first.
pub(crate) async fn list(service: &Service, identity: &Identity, query: &PageQuery) -> Result<Page<DraftView>> {
    let viewer = Some(&*identity.principal);
    let page = service.store.challenges(viewer, true, None, query.after.as_deref(), query.limit).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for row in &page.items {
        items.push(view(service, row).await?);
    }
    Ok(Page { items, next: page.next })
}

/// Begins a draft.
pub(crate) async fn create(service: &Service, identity: &Identity, new: &NewDraft) -> Result<DraftView> {
    let row = service.store.create_draft(new, &identity.actor(), Timestamp::now()).await?;
    service.catalog.forget(&row);
    view(service, &row).await
}

/// A draft or challenge, with what publishing it would refuse.
pub(crate) async fn get(service: &Service, name: &ChallengeName) -> Result<DraftView> {
    view(service, &catalog::fresh(service, name).await?).await
}

pub(crate) async fn view(service: &Service, row: &ChallengeRow) -> Result<DraftView> {
    let faults = match row.stage {
        Stage::Draft => match publish::assemble(service, &row.name, &row.draft).await? {
            Ok(_) => publish::check_deadline(&row.draft.rules, Timestamp::now()).into_iter().collect(),
            Err(faults) => faults,
        },
        Stage::Published | Stage::Closed => Vec::new(),
    };
    Ok(DraftView {
        name: row.name.clone(),
        stage: row.stage,
        revision: row.revision,
        draft: Draft::clone(&row.draft),
        faults,
        has_cover: row.cover.is_some(),
        has_exploration: row.exploration.is_some(),
        cost: service.config.price.of(promised(service, row).await?),
    })
}

/// Compute of all teams, and of those that may still accept an invitation.
async fn promised(service: &Service, row: &ChallengeRow) -> Result<Compute> {
    let teams = service.store.teams(row.id).await?;
    let granted = teams.iter().filter(|team| !team.budget.revoked).map(|team| team.budget.granted).sum::<Compute>();
    let (mut invited, mut after) = (Compute::ZERO, None::<String>);
    let now = Timestamp::now();
    loop {
        let page = service.store.invites(row.id, after.as_deref(), Some(MAX_LIMIT)).await?;
        let open = page
            .items
            .iter()
            .filter(|invite| invite.accepted_by.is_none() && invite.revoked_at.is_none() && invite.expires_at > now);
        invited = open.map(|invite| invite.budget.unwrap_or(row.draft.rules.team_budget)).fold(invited, Compute::plus);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(granted.plus(invited)),
        }
    }
}

/// Replaces a draft, unless it has changed since the revision that the caller knows.
pub(crate) async fn save(
    service: &Service,
    identity: &Identity,
    name: &ChallengeName,
    revision: Option<u64>,
    draft: &Draft,
) -> Result<DraftView> {
    let row = catalog::fresh(service, name).await?;
    let row = service.store.save_draft(row.id, revision, draft, &identity.actor(), Timestamp::now()).await?;
    service.catalog.forget(&row);
    view(service, &row).await
}

/// Changes what can still change of a challenge that is in force.
pub(crate) async fn edit(
    service: &Service,
    identity: &Identity,
    name: &ChallengeName,
    revision: Option<u64>,
    edit: Edit,
) -> Result<DraftView> {
    let row = catalog::fresh(service, name).await?;
    let Some(before) = &row.published else {
        return Err(Failure::new(ErrorCode::Conflict, format!("{name} is a draft: save it instead")));
    };
    let mut draft = Draft::clone(&row.draft);
    let Edit { title, summary, keywords, description, visibility, quotas, rules } = edit;
    draft.title = title.unwrap_or(draft.title);
    draft.summary = summary.unwrap_or(draft.summary);
    draft.keywords = keywords.unwrap_or(draft.keywords);
    draft.description = description.unwrap_or(draft.description);
    draft.visibility = visibility.unwrap_or(draft.visibility);
    draft.quotas = quotas.unwrap_or(draft.quotas);
    draft.rules = rules.unwrap_or(draft.rules);
    let now = Timestamp::now();
    let late =
        publish::check_deadline(&draft.rules, now).filter(|_| draft.rules.closes_at != row.draft.rules.closes_at);
    let published = publish::edited(before, &draft).map_err(publish::refused)?;
    if let Some(fault) = late {
        return Err(publish::refused(vec![fault]));
    }
    // What was read is what is replaced: an edit between would be lost.
    let revision = Some(revision.unwrap_or(row.revision));
    let row = service.store.edit(row.id, revision, &draft, published, &identity.actor(), now).await?;
    service.catalog.forget(&row);
    view(service, &row).await
}

/// Keeps a cover image, encoded anew, or takes it away.
pub(crate) async fn set_cover(
    service: &Service,
    identity: &Identity,
    name: &ChallengeName,
    image: Option<Bytes>,
) -> Result<DraftView> {
    let row = catalog::fresh(service, name).await?;
    let cover = match image {
        None => None,
        Some(image) => {
            let (bytes, media_type) = upload::cover(image).await?;
            Some(Cover { digest: service.store.put_artifact(bytes).await?, media_type: media_type.to_owned() })
        }
    };
    let row = service.store.set_cover(row.id, cover, &identity.actor(), Timestamp::now()).await?;
    service.catalog.forget(&row);
    view(service, &row).await
}

/// Keeps a page of statistics, drawn anew, or takes it away.
pub(crate) async fn set_exploration(
    service: &Service,
    identity: &Identity,
    name: &ChallengeName,
    file: Option<Bytes>,
) -> Result<DraftView> {
    let row = catalog::fresh(service, name).await?;
    let page = match file {
        None => None,
        Some(file) => {
            let html = upload::exploration(name.as_str(), file).await?;
            Some(service.store.put_artifact(html.into()).await?)
        }
    };
    let row = service.store.set_exploration(row.id, page, &identity.actor(), Timestamp::now()).await?;
    service.catalog.forget(&row);
    view(service, &row).await
}

/// Puts a draft in force.
pub(crate) async fn publish(service: &Service, identity: &Identity, name: &ChallengeName) -> Result<DraftView> {
    let row = catalog::fresh(service, name).await?;
    if row.stage != Stage::Draft {
        return Err(Failure::new(ErrorCode::Conflict, format!("{name} is published already")));
    }
    let now = Timestamp::now();
    let late = publish::check_deadline(&row.draft.rules, now);
    let published = match publish::assemble(service, name, &row.draft).await? {
        Ok(published) if late.is_none() => published,
        Ok(_) => return Err(publish::refused(late.into_iter().collect())),
        Err(faults) => return Err(publish::refused(faults.into_iter().chain(late).collect())),
    };
    let row = service.store.publish(row.id, Some(row.revision), published, &identity.actor(), now).await?;
    service.catalog.forget(&row);
    view(service, &row).await
}

/// Ends a challenge: no more submissions, figures that were kept until now, anchors as they are with these, the salt of the commitment in the open.
pub(crate) async fn close(service: &Service, actor: &Actor, name: &ChallengeName) -> Result<DraftView> {
    let row = Arc::new(catalog::fresh(service, name).await?);
    let Some(published) = row.published.as_ref().filter(|_| row.stage == Stage::Published) else {
        return Err(Failure::new(ErrorCode::Conflict, format!("{name} is a draft, or closed already")));
    };
    let salt = match &published.official_path {
        None => None,
        Some(path) => {
            let secret = publish::secret(path).await?.map_err(|reason| {
                let message = format!("the salt of the commitment cannot be read: {reason}");
                Failure { cause: Some(message.clone()), ..Failure::new(ErrorCode::Conflict, message) }
            })?;
            Some(hex::encode(secret.commitment_salt))
        }
    };
    let anchors = board::anchors_at_close(service, &row).await?;
    let row = service.store.close(row.id, anchors, salt, actor, Timestamp::now()).await?;
    service.catalog.forget(&row);
    view(service, &row).await
}

/// Closes the challenges whose time is over.
pub(crate) async fn close_due(service: &Service) -> Result<()> {
    for row in service.store.due(Timestamp::now()).await? {
        match close(service, &Actor::Local, &row.name).await {
            Ok(_) => tracing::info!(challenge = %row.name, "closed at its deadline"),
            Err(failure) => {
                let cause = failure.cause.as_deref().unwrap_or(&failure.message);
                tracing::error!(challenge = %row.name, cause, "a challenge was not closed at its deadline");
            }
        }
    }
    Ok(())
}
