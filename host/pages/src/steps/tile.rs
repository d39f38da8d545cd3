//! Step 1: title, cover, visibility, and the tile as it will be.

use maud::{Markup, html};
use thimble_api::ErrorDetail;
use thimble_api::challenge::{Better, ChallengeSummary, MetricView};
use thimble_api::draft::MAX_COVER_BYTES;
use thimble_api::operator::DraftView;
use thimble_challenge::challenge::Visibility;

use super::{StepPage, radios};
use crate::challenges::tile;
use crate::forms::{Step, Step1Form};
use crate::input::{Inputs, Line};
use crate::layout::input_id;
use crate::text::plain;
use crate::viewer::Viewer;

/// Step 1. `form` is what was typed or what the draft has; `faults` are those of what was sent.
pub fn step1(viewer: &Viewer, view: &DraftView, form: &Step1Form, faults: &[ErrorDetail]) -> Markup {
    let page = StepPage { viewer, view, step: Step::Tile, faults, multipart: true, continues: true };
    let inputs = page.inputs();
    let visibility = [
        (
            "public",
            html! { strong { "Public" } " — everyone sees it and its results; submitting takes an invitation or an account" },
        ),
        ("private", html! { strong { "Private" } " — only those invited know that it exists" }),
    ];
    let body = html! {
        div.beside {
            div {
                (inputs.line(&Line { most: Some(82), ..Line::new("title", "Title", &form.title, "1 to 82 characters") }))
                (summary(&inputs, &form.summary))
                (inputs.line(&Line::new("keywords", "Keywords", &form.keywords, "Up to 6 of at most 30 bytes, with commas between")))
                (cover(&inputs, view, form))
                (radios(&inputs, "visibility", "Privacy", &form.visibility, &visibility))
            }
            aside aria-label="Preview of the tile" { p.quiet { "Preview of the tile" } (tile(&preview(view, form))) }
        }
    };
    page.around(&body, &html! {})
}

fn summary(inputs: &Inputs<'_>, text: &str) -> Markup {
    let id = input_id("summary");
    html! {
        p.field {
            label for=(id) { "Summary" }
            span.hint id="f-summary-hint" { "One or two sentences, 1 to 500 characters" }
            textarea id=(id) name="summary" rows="3" maxlength="500" dir="auto" aria-describedby="f-summary-hint" aria-invalid=[inputs.is_faulty("summary")] {
                (plain(text))
            }
            (inputs.after("summary"))
        }
    }
}

fn cover(inputs: &Inputs<'_>, view: &DraftView, form: &Step1Form) -> Markup {
    html! {
        p.field {
            label for="f-cover" { "Cover image (optional)" }
            span.hint id="f-cover-hint" { "JPG or PNG, at most " (MAX_COVER_BYTES >> 20) " MB; it is encoded anew" }
            input id="f-cover" type="file" name="cover" accept="image/jpeg,image/png" aria-describedby="f-cover-hint" aria-invalid=[inputs.is_faulty("cover")];
            (inputs.after("cover"))
        }
        @if view.has_cover { (inputs.tick("remove_cover", form.remove_cover, &html! { "Take the cover image away" })) }
    }
}

/// The tile of what is known so far.
fn preview(view: &DraftView, form: &Step1Form) -> ChallengeSummary {
    let draft = &view.draft;
    let or = |text: &str, other: &str| if text.is_empty() { other.to_owned() } else { text.to_owned() };
    let known = draft.metric.as_deref().and_then(|name| {
        thimble_metrics::Task::ALL
            .into_iter()
            .find_map(|task| thimble_metrics::metric(task, name))
            .map(MetricView::from)
    });
    let unknown = MetricView {
        name: String::new(),
        title: "chosen in step 2".into(),
        better: Better::Higher,
        min: None,
        max: None,
    };
    ChallengeSummary {
        name: view.name.clone(),
        title: or(&form.title, "Title"),
        summary: or(&form.summary, "Summary"),
        keywords: form.keywords.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect(),
        task: "of the data chosen in step 2".into(),
        metric: known.unwrap_or(unknown),
        stage: view.stage,
        visibility: if form.visibility == "private" { Visibility::Private } else { Visibility::Public },
        closes_at: draft.rules.closes_at,
        builders: 0,
        results: 0,
        cover: view.has_cover.then(|| format!("/api/v1/challenges/{}/cover", view.name)),
    }
}
