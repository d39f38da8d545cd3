//! The four steps in which a challenge is written, and its publication.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use thimble_api::ErrorDetail;
use thimble_api::Timestamp;
use thimble_api::account::NewInvite;
use thimble_api::challenge::Stage;
use thimble_api::draft::Draft;
use thimble_api::id::ChallengeName;
use thimble_api::operator::DraftView;
use thimble_api::page::MAX_LIMIT;
use thimble_pages::forms::{After, InviteForm, Step, Step1Form, Step2Form, Step3Form, Step4Form, edit_of};
use thimble_pages::{Invitations, Viewer};

use super::operator::all_datasets;
use super::{SMALL_FORM, form_of, mendable, origin, see_other, shown, unkept, viewer};
use crate::api::Named;
use crate::auth::{Caller, Identity, Operator};
use crate::body::Form;
use crate::catalog;
use crate::extract::Path;
use crate::failure::{Failure, Result};
use crate::operations::{drafts, running};
use crate::pages::shown::Shown;
use crate::publish;
use crate::service::Service;

pub(super) fn router() -> Router<Service> {
    Router::new()
        .route("/operator/challenges/{name}/step/{step}", get(show).post(save))
        .route("/operator/challenges/{name}/publish", post(publish_now))
        .route("/operator/challenges/{name}/invite", post(invite))
}

#[derive(Debug, Deserialize)]
struct AtStep {
    name: ChallengeName,
    step: u8,
}

impl AtStep {
    fn step(&self) -> Result<Step> {
        Step::of_number(self.step).ok_or_else(Failure::not_found)
    }
}

/// What a step's form holds.
enum Filled {
    Tile(Step1Form),
    Data(Box<Step2Form>),
    Description(Step3Form),
    Rules(Box<Step4Form>),
}

impl Filled {
    fn of(step: Step, draft: &Draft) -> Self {
        match step {
            Step::Tile => Self::Tile(Step1Form::of(draft)),
            Step::Data => Self::Data(Box::new(Step2Form::of(draft))),
            Step::Description => Self::Description(Step3Form::of(draft)),
            Step::Rules => Self::Rules(Box::new(Step4Form::of(draft))),
        }
    }

    fn read(step: Step, form: &Form) -> Self {
        let fields = &form.fields;
        match step {
            Step::Tile => Self::Tile(Step1Form::read(fields)),
            Step::Data => Self::Data(Box::new(Step2Form::read(fields))),
            Step::Description => Self::Description(Step3Form::read(fields)),
            Step::Rules => Self::Rules(Box::new(Step4Form::read(fields))),
        }
    }

    fn apply(&self, draft: &mut Draft, stage: Stage) -> Vec<ErrorDetail> {
        match self {
            Self::Tile(form) => form.apply(draft),
            Self::Data(form) => form.apply(draft),
            Self::Description(form) => form.apply(draft),
            Self::Rules(form) => form.apply(draft, stage),
        }
    }
}

/// A step's page and all that it needs.
struct StepPage<'a> {
    service: &'a Service,
    identity: &'a Identity,
    origin: String,
}

impl StepPage<'_> {
    fn viewer(&self) -> Viewer {
        viewer(&Caller::from(self.identity))
    }

    async fn shown(
        &self,
        view: &DraftView,
        filled: &Filled,
        faults: &[ErrorDetail],
        created: Option<&NewInvite>,
    ) -> Result<Shown> {
        let viewer = self.viewer();
        let html = match filled {
            Filled::Tile(form) => thimble_pages::step1(&viewer, view, form, faults),
            Filled::Data(form) => {
                let datasets = all_datasets(self.service).await?;
                thimble_pages::step2(&viewer, view, form, faults, &datasets)
            }
            Filled::Description(form) => thimble_pages::step3(&viewer, view, form, faults),
            Filled::Rules(form) => {
                let row = catalog::fresh(self.service, &view.name).await?;
                let invites = self.service.store.invites(row.id, None, Some(MAX_LIMIT)).await?.items;
                let teams = self.service.store.teams(row.id).await?.len() as u64;
                let now = Timestamp::now();
                let open = invites.iter().filter(|invite| {
                    invite.accepted_by.is_none() && invite.revoked_at.is_none() && invite.expires_at > now
                });
                let invitations = Invitations {
                    teams: teams + open.count() as u64,
                    invites: &invites,
                    created,
                    price: self.service.config.price,
                    origin: &self.origin,
                };
                thimble_pages::step4(&viewer, view, form, faults, &invitations)
            }
        };
        Ok(shown(&viewer, html.into_string()))
    }
}

async fn show(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(at): Path<AtStep>,
    headers: HeaderMap,
) -> Result<Response> {
    let step = at.step()?;
    let view = drafts::get(&service, &at.name).await?;
    let page = StepPage { service: &service, identity: &identity, origin: origin(&service, &headers) };
    Ok(page.shown(&view, &Filled::of(step, &view.draft), &[], None).await?.into_response())
}

async fn save(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(at): Path<AtStep>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response> {
    let step = at.step()?;
    let limit = if matches!(step, Step::Tile | Step::Data) { service.config.max_upload_bytes } else { SMALL_FORM };
    let form = form_of(&service, &identity, request, limit).await?;
    let filled = Filled::read(step, &form);
    match saved(&service, &identity, &at.name, step, &filled, &form).await {
        Ok(()) => see_other(&next_address(&at.name, step, After::read(&form.fields))),
        Err(failure) => {
            let faults = mendable(failure, "")?;
            let view = drafts::get(&service, &at.name).await?;
            let page = StepPage { service: &service, identity: &identity, origin: origin(&service, &headers) };
            let shown = page.shown(&view, &filled, &faults, None).await?;
            Ok(unkept(shown.faulty(StatusCode::UNPROCESSABLE_ENTITY)))
        }
    }
}

fn next_address(name: &ChallengeName, step: Step, after: After) -> String {
    let at = |step: Step| format!("/operator/challenges/{name}/step/{}", step.number());
    match after {
        After::Save => at(step),
        After::Next => at(Step::of_number(step.number() + 1).unwrap_or(step)),
        After::Publish => format!("/challenges/{name}"),
    }
}

/// Saves a step: a draft as it is, of what is in force what can still change; then its file; then publishes, where asked to.
async fn saved(
    service: &Service,
    identity: &Identity,
    name: &ChallengeName,
    step: Step,
    filled: &Filled,
    form: &Form,
) -> Result<()> {
    let row = catalog::fresh(service, name).await?;
    let mut draft = Draft::clone(&row.draft);
    let faults = filled.apply(&mut draft, row.stage);
    if !faults.is_empty() {
        return Err(publish::refused(faults));
    }
    if row.stage == Stage::Draft {
        drafts::save(service, identity, name, Some(row.revision), &draft).await?;
    } else {
        drafts::edit(service, identity, name, Some(row.revision), edit_of(step, &draft)).await?;
    }
    match filled {
        Filled::Tile(tile) => match form.file("cover") {
            Some(image) => drop(drafts::set_cover(service, identity, name, Some(image)).await?),
            None if tile.remove_cover => drop(drafts::set_cover(service, identity, name, None).await?),
            None => {}
        },
        Filled::Data(data) => match form.file("exploration") {
            Some(file) => drop(drafts::set_exploration(service, identity, name, Some(file)).await?),
            None if data.remove_exploration => drop(drafts::set_exploration(service, identity, name, None).await?),
            None => {}
        },
        Filled::Description(_) | Filled::Rules(_) => {}
    }
    if After::read(&form.fields) == After::Publish && row.stage == Stage::Draft {
        drafts::publish(service, identity, name).await?;
    }
    Ok(())
}

async fn publish_now(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(Named { name }): Path<Named>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response> {
    form_of(&service, &identity, request, SMALL_FORM).await?;
    match drafts::publish(&service, &identity, &name).await {
        Ok(_) => see_other(&format!("/challenges/{name}")),
        Err(failure) => {
            let faults = mendable(failure, "")?;
            let view = drafts::get(&service, &name).await?;
            let page = StepPage { service: &service, identity: &identity, origin: origin(&service, &headers) };
            let shown = page.shown(&view, &Filled::of(Step::Rules, &view.draft), &faults, None).await?;
            Ok(unkept(shown.faulty(StatusCode::UNPROCESSABLE_ENTITY)))
        }
    }
}

async fn invite(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(Named { name }): Path<Named>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response> {
    let form = InviteForm::read(&form_of(&service, &identity, request, SMALL_FORM).await?.fields);
    let outcome = match form.request(Timestamp::now()) {
        Ok(request) => running::invite(&service, &identity, &name, &request).await,
        Err(faults) => Err(publish::refused(faults)),
    };
    let (created, faults, status) = match outcome {
        Ok(created) => (Some(created), Vec::new(), StatusCode::OK),
        Err(failure) => (None, mendable(failure, "label")?, StatusCode::UNPROCESSABLE_ENTITY),
    };
    let view = drafts::get(&service, &name).await?;
    let page = StepPage { service: &service, identity: &identity, origin: origin(&service, &headers) };
    let shown = page.shown(&view, &Filled::of(Step::Rules, &view.draft), &faults, created.as_ref()).await?;
    // The code of an invitation is on this page, and nowhere else.
    Ok(unkept(shown.faulty(status)))
}
