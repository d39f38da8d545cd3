//! Step 3: the description, and what it will look like.

use maud::{Markup, html};
use thimble_api::ErrorDetail;
use thimble_api::operator::DraftView;

use super::StepPage;
use crate::forms::{Step, Step3Form};
use crate::layout::input_id;
use crate::markdown;
use crate::text::plain;
use crate::viewer::Viewer;

/// Step 3. What was typed is shown as it will be, also when it was not saved.
pub fn step3(viewer: &Viewer, view: &DraftView, form: &Step3Form, faults: &[ErrorDetail]) -> Markup {
    let page = StepPage { viewer, view, step: Step::Description, faults, multipart: false, continues: true };
    let inputs = page.inputs();
    let id = input_id("description");
    let body = html! {
        p.field {
            label for=(id) { "Description" }
            span.hint id="f-description-hint" {
                "Markdown, up to 200 KiB: what the data is, what a good model achieves, what to know of the domain. "
                "Tables work; pictures and HTML that moves or loads do not. The table of figures is added."
            }
            // A line feed at the beginning of a textarea is not part of it.
            textarea.code id=(id) name="description" rows="22" dir="auto" spellcheck="true" aria-describedby="f-description-hint" aria-invalid=[inputs.is_faulty("description")] {
                "\n" (plain(&form.description))
            }
            (inputs.after("description"))
        }
    };
    let after = html! {
        section.panel aria-labelledby="preview" {
            h2 id="preview" { "Preview" }
            p.quiet { "As of the last save." }
            @if form.description.trim().is_empty() { p.quiet { "Nothing is written yet." } } @else {
                (markdown::html(&form.description))
            }
        }
    };
    page.around(&body, &after)
}
