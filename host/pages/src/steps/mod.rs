//! The four steps in which operators write a challenge.

mod data;
mod description;
mod rules;
mod tile;

use maud::{Markup, html};
use thimble_api::ErrorDetail;
use thimble_api::challenge::Stage;
use thimble_api::operator::DraftView;

use crate::assets;
use crate::challenges::stage;
use crate::forms::{Step, is_open};
use crate::input::Inputs;
use crate::layout::{Frame, csrf, fault_list, input_id};
use crate::text::{foreign, plain};
use crate::viewer::Viewer;

pub use data::step2;
pub use description::step3;
pub use rules::{Invitations, step4};
pub use tile::step1;

/// What a step shows around its form.
struct StepPage<'a> {
    viewer: &'a Viewer,
    view: &'a DraftView,
    step: Step,
    faults: &'a [ErrorDetail],
    /// The form has a file.
    multipart: bool,
    /// There is nothing left on this step that only shows once what was chosen is saved.
    continues: bool,
}

impl StepPage<'_> {
    fn inputs(&self) -> Inputs<'_> {
        let missing: &[ErrorDetail] = if is_open(self.view.stage) { &self.view.faults } else { &[] };
        Inputs { faults: self.faults, missing }
    }

    fn address(&self, step: Step) -> String {
        format!("/operator/challenges/{}/step/{}", self.view.name, step.number())
    }

    /// A page of the form's inputs, and of what stands after the form: forms cannot stand inside each other.
    fn around(&self, inputs: &Markup, after: &Markup) -> Markup {
        let name =
            if self.view.draft.title.is_empty() { self.view.name.to_string() } else { plain(&self.view.draft.title) };
        let title = format!("Step {}: {} · {name}", self.step.number(), self.step.title());
        let enctype = if self.multipart { "multipart/form-data" } else { "application/x-www-form-urlencoded" };
        let can_save = is_open(self.view.stage) || self.step != Step::Data;
        let body = html! {
            nav.crumbs aria-label="Where this is" {
                a href="/operator" { "Operator" }
                @if !is_open(self.view.stage) {
                    " › " a href={ "/challenges/" (self.view.name) } { (foreign(&name)) }
                }
            }
            p.badges { (stage(self.view.stage)) }
            h1 { bdi { (name) } }
            (self.navigation())
            @if self.view.stage == Stage::Published {
                p.notice {
                    "It is published: what is measured, and on what, does not change under the submissions that were "
                    "made. What can still be edited is open below."
                }
            }
            @if self.view.stage == Stage::Closed { p.notice { "It is closed." } }
            (fault_list(self.faults))
            form.step method="post" action=(self.address(self.step)) enctype=(enctype) {
                (csrf(self.viewer))
                h2 { "Step " (self.step.number()) ": " (self.step.title()) }
                (inputs)
                @if can_save { (self.buttons()) }
            }
            (after)
        };
        // The script shows title and summary in the tile as they are typed.
        let script = (self.step == Step::Tile).then_some(assets::LIVE);
        Frame { viewer: self.viewer, title: &title, script, refresh: None }.around(&body)
    }

    fn navigation(&self) -> Markup {
        html! {
            nav.steps aria-label="Steps" { ol { @for step in Step::ALL {
                @let missing = self.inputs().missing.iter().filter(|fault| Step::of_fault(&fault.field) == step).count();
                li {
                    a href=(self.address(step)) aria-current=[(step == self.step).then_some("step")] {
                        span.number { (step.number()) } " " (step.title())
                        @if missing > 0 {
                            " "
                            span.count title="faults to mend before publishing" {
                                (missing) span.unseen { " to mend" }
                            }
                        }
                    }
                }
            } } }
        }
    }

    fn buttons(&self) -> Markup {
        html! {
            p.buttons {
                @match (is_open(self.view.stage), self.step) {
                    (true, Step::Rules) => {
                        button.main name="then" value="publish" { "Publish" }
                        button name="then" value="save" { "Save as draft" }
                    },
                    (true, _) if !self.continues => button.main name="then" value="save" {
                        "Save, and choose the metric"
                    },
                    (true, _) => {
                        button.main name="then" value="next" { "Save and continue" }
                        button name="then" value="save" { "Save as draft" }
                    },
                    (false, _) => button.main name="then" value="save" { "Save" },
                }
            }
        }
    }
}

/// A group of choices of which one is taken: value, and what it means.
fn radios(inputs: &Inputs<'_>, name: &str, legend: &str, chosen: &str, options: &[(&str, Markup)]) -> Markup {
    html! {
        fieldset id=(input_id(name)) {
            legend { (legend) }
            @for (value, words) in options {
                label.choice {
                    input type="radio" name=(name) value=(value) checked[*value == chosen]; span { (words) }
                }
            }
            (inputs.after(name))
        }
    }
}
