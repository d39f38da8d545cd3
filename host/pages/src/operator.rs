//! The operator's own page: challenges and drafts, capacity, datasets, the last acts.

use maud::{Markup, html};
use thimble_api::ErrorDetail;
use thimble_api::challenge::Stage;
use thimble_api::operator::{AuditEntry, Capacity, DatasetView, DraftView};
use thimble_challenge::challenge::grouped;

use crate::challenges::stage;
use crate::forms::NewDraftForm;
use crate::input::{Inputs, Line};
use crate::layout::{
    Column::{Number, Words},
    Frame, badge, csrf, fault_list, head, scroll,
};
use crate::text::{self, NONE, clock, count, foreign, time};
use crate::viewer::Viewer;

/// What the operator's page shows.
#[derive(Debug, Clone, Copy)]
pub struct OperatorHome<'a> {
    /// Drafts and challenges, newest first.
    pub drafts: &'a [DraftView],
    /// Workers, the queue, the room left.
    pub capacity: &'a Capacity,
    /// Registered datasets.
    pub datasets: &'a [DatasetView],
    /// The last acts, newest first.
    pub audit: &'a [AuditEntry],
}

/// The operator's page. `form` and `faults` are those of a challenge that could not be begun; empty otherwise.
pub fn operator(viewer: &Viewer, home: &OperatorHome<'_>, form: &NewDraftForm, faults: &[ErrorDetail]) -> Markup {
    let body = html! {
        h1 { "Operator" }
        (capacity(home.capacity))
        section aria-labelledby="challenges" {
            h2 id="challenges" { "Challenges" }
            @if home.drafts.is_empty() { p.notice { "There is none yet. Begin one below." } } @else {
                (scroll("Challenges", &challenges(home.drafts)))
            }
            (begin(viewer, form, faults))
        }
        section aria-labelledby="datasets" {
            h2 id="datasets" { "Datasets" }
            @if home.datasets.is_empty() {
                p.notice {
                    "None is registered. Register one on the machine of the service, where its rows are: they never "
                    "leave it."
                }
            }
            @else { (scroll("Datasets", &datasets(home.datasets))) }
        }
        section aria-labelledby="audit" {
            h2 id="audit" { "Last acts" }
            @if home.audit.is_empty() { p.notice { "None yet." } } @else { (scroll("Last acts", &audit(home.audit))) }
        }
    };
    Frame::still(viewer, "Operator").around(&body)
}

fn capacity(capacity: &Capacity) -> Markup {
    html! {
        section aria-labelledby="capacity" {
            h2.unseen id="capacity" { "Capacity" }
            @if capacity.workers.is_empty() { p.notice.bad { "No worker is alive: submissions wait until one is." } }
            ul.numbers {
                li { strong { (capacity.workers.len()) } span { "workers alive" } }
                li { strong { (grouped(capacity.running)) } span { "running" } }
                li { strong { (grouped(capacity.queued_official)) } span { "official waiting" } }
                li { strong { (grouped(capacity.queued_validation)) } span { "validation waiting" } }
                li {
                    strong {
                        @match capacity.expected_wait_seconds { Some(wait) => (text::seconds(wait)), None => (NONE) }
                    }
                    span { "expected wait" }
                }
                li {
                    strong {
                        @match capacity.mean_run_seconds {
                            Some(mean) => (text::seconds(mean.max(0.0) as u64)),
                            None => (NONE)
                        }
                    }
                    span { "mean run of the last day" }
                }
                li {
                    strong { (text::bytes(capacity.database_bytes.saturating_add(capacity.artifact_bytes))) }
                    span { "stored" }
                }
            }
            @if !capacity.workers.is_empty() {
                details { summary { "Workers" } (scroll("Workers", &html! { table {
                    caption { "Workers heard within their lease" }
                    (head(&[Words("Worker"), Words("Last sign of life"), Words("Runs")]))
                    tbody { @for worker in &capacity.workers { tr {
                        th scope="row" { (foreign(&worker.name)) } td { (clock(worker.heartbeat_at)) }
                        td {
                            @match worker.submission {
                                Some(id) => a href={ "/submissions/" (id) }
                                { (crate::submission::short_id(&id.to_string())) },
                                None => "idle"
                            }
                        }
                    } } }
                } })) }
            }
        }
    }
}

fn challenges(drafts: &[DraftView]) -> Markup {
    html! { table {
        caption { "Drafts and challenges" }
        (head(&[Words("Challenge"), Words("State"), Words("To do"), Number("Budgets cost at most"), Words("Pages")]))
        tbody { @for view in drafts { tr {
            th scope="row" {
                @if view.draft.title.is_empty() { (view.name) } @else {
                    (foreign(&view.draft.title)) span.team { (view.name) }
                }
            }
            td { (stage(view.stage)) }
            td {
                @if view.stage == Stage::Draft { @if view.faults.is_empty() { (badge("good", "ready to publish")) } @else { (count(view.faults.len() as u64, "fault", "faults")) " to mend" } } @else {
                    (NONE)
                }
            }
            td.n { (view.cost) }
            td {
                a href={ "/operator/challenges/" (view.name) "/step/1" } { "Edit" }
                @if view.stage != Stage::Draft {
                    " · " a href={ "/challenges/" (view.name) "/monitor" } { "Monitor" }
                }
            }
        } } }
    } }
}

fn begin(viewer: &Viewer, form: &NewDraftForm, faults: &[ErrorDetail]) -> Markup {
    let inputs = Inputs { faults, missing: &[] };
    html! {
        section.panel aria-labelledby="new" {
            h3 id="new" { "New challenge" }
            (fault_list(faults))
            form method="post" action="/operator/new" {
                (csrf(viewer))
                (inputs.line(&Line { most: Some(82), ..Line::new("title", "Title", &form.title, "1 to 82 characters") }))
                (inputs.line(&Line { most: Some(63), ..Line::new("name", "Name", &form.name, "The last part of its address, never changed: 3 to 63 lower-case letters, digits and single hyphens") }))
                p { button.main { "Begin a draft" } }
            }
        }
    }
}

fn datasets(datasets: &[DatasetView]) -> Markup {
    html! { table {
        caption { "Registered datasets: what is known of them, never their rows" }
        (head(&[
            Words("Dataset"), Words("For"), Words("Task"), Number("Train"), Number("Validation"), Number("Test"),
            Words("Fields"), Words("Registered"),
        ]))
        tbody { @for view in datasets { tr {
            th scope="row" { (view.name) }
            td { @if view.official { (badge("accent", "official")) } @else { (badge("quiet", "public")) } }
            td { (foreign(&view.metadataset.task.to_string())) }
            td.n { (grouped(view.metadataset.splits.train.rows)) }
            td.n { (grouped(view.metadataset.splits.validation.rows)) }
            td.n { (grouped(view.metadataset.splits.test.rows)) }
            td.words { (fields(view)) }
            td { (time(view.registered_at)) }
        } } }
    } }
}

/// The fields of a dataset in a line.
pub(crate) fn fields(view: &DatasetView) -> Markup {
    html! { @for (i, field) in view.metadataset.fields.iter().enumerate() {
        @if i > 0 { ", " }
        code { (foreign(&field.name)) } " " (field.dtype) @if !field.shape.is_empty() {
            " " (format!("{:?}", field.shape))
        }
        @if field.role == thimble_datasets::Role::Target { " (target)" }
    } }
}

fn audit(entries: &[AuditEntry]) -> Markup {
    html! { table {
        caption { "What operators did, newest first" }
        (head(&[Number("#"), Words("When"), Words("Who"), Words("What"), Words("To what"), Words("Particulars")]))
        tbody { @for entry in entries { tr {
            td.n { (entry.sequence) } td { (clock(entry.at)) } td { (foreign(&entry.actor)) } th scope="row" { code { (foreign(&entry.action)) } } td {
                (foreign(&entry.subject))
            }
            td.words {
                @for (i, (key, value)) in entry.details.iter().enumerate() {
                    @if i > 0 { ", " } (foreign(key)) " " (foreign(value))
                }
            }
        } } }
    } }
}
