//! The tab Submissions: one's own, and the form for another.

use maud::{Markup, html};
use thimble_api::challenge::{ChallengeView, Stage};
use thimble_api::submission::{
    BuilderRun, BuilderSubmission, MAX_NOTE_BYTES, OfficialEnding, OfficialState, QuotaLeft, ValidationState,
};
use thimble_api::{ErrorDetail, Page};
use thimble_challenge::result::{Mode, Published};
use thimble_metrics::MetricValue;

use crate::challenge::{Tab, tab};
use crate::forms::SubmitForm;
use crate::input::{faults_of, marked};
use crate::layout::{badge, budget, csrf, fault_list, next_part, scroll};
use crate::submission::{mode, short_id};
use crate::text::{self, NONE, foreign, time};
use crate::verdict;
use crate::viewer::Viewer;

/// The tab Submissions. `form` and `faults` are those of a submission that was refused; empty otherwise.
pub fn submissions(
    viewer: &Viewer,
    view: &ChallengeView,
    page: &Page<BuilderSubmission>,
    form: &SubmitForm,
    faults: &[ErrorDetail],
) -> Markup {
    let address = Tab::Submissions.address(&view.summary.name);
    let inside = html! {
        @if viewer.signed_in().is_none() {
            p.notice {
                a href={ "/login?next=" (text::path(&address)) } { "Sign in" }
                " to submit, and to see your submissions. Results of others are on the "
                a href=(Tab::Leaderboard.address(&view.summary.name)) { "leaderboard" } "."
            }
        } @else {
            @if view.summary.stage == Stage::Published { (upload(viewer, view, form, faults)) }
            @else {
                p.notice {
                    "This challenge takes no submissions "
                    @if view.summary.stage == Stage::Draft { "yet." } @else { "any more." }
                }
            }
            section aria-labelledby="own" {
                h2 id="own" { "Your submissions" }
                @if page.items.is_empty() { p.notice { "There is none yet." } } @else {
                    (scroll("Your submissions", &table(view, &page.items)))
                }
                (next_part(&address, page.next.as_deref()))
            }
        }
    };
    tab(viewer, view, Tab::Submissions, None, &inside)
}

fn upload(viewer: &Viewer, view: &ChallengeView, form: &SubmitForm, faults: &[ErrorDetail]) -> Markup {
    let official = form.mode == "official";
    html! {
        section.panel aria-labelledby="upload" {
            h2 id="upload" { "Submit" }
            (fault_list(faults))
            form method="post" action={ "/challenges/" (view.summary.name) "/submit" } enctype="multipart/form-data" {
                (csrf(viewer))
                p.field {
                    label for="f-package" { "Package" }
                    span.hint id="h-package" {
                        "The ZIP that " code { "thimble build" } " makes, or a bare " code { ".wasm" } " component"
                    }
                    (marked("package", faults, &html! { input id="f-package" type="file" name="package" accept=".zip,.wasm" required aria-describedby="h-package" aria-invalid=[faults_of("package", faults).next().map(|_| "true")]; }))
                }
                fieldset {
                    legend { "Data" }
                    label.choice {
                        input type="radio" name="mode" value="validation" checked[!official]; span {
                            strong { "Validation" }
                            " on public data: every figure, the log and the curves are shown. "
                            (quota(view, Mode::Validation))
                        }
                    }
                    label.choice {
                        input type="radio" name="mode" value="official" checked[official]; span {
                            strong { "Official" } " on private data: the published figures are shown, and rank. "
                            (quota(view, Mode::Official))
                        }
                    }
                    (marked("mode", faults, &html! {}))
                }
                p.field {
                    label for="f-note" { "Note to yourself" }
                    (marked("note", faults, &html! { input id="f-note" name="note" value=(text::plain(&form.note)) maxlength=(MAX_NOTE_BYTES) dir="auto"; }))
                }
                @if let Some(left) = &view.budget { (budget(left)) }
                p { button.main { "Submit" } }
            }
        }
    }
}

/// What is left of a quota, in a sentence.
fn quota(view: &ChallengeView, mode: Mode) -> Markup {
    let found = view.quotas.iter().find(|quota| quota.mode == mode);
    html! { @if let Some(left) = found { span.quiet { (quota_words(left)) } } }
}

/// What is left of a quota.
pub(crate) fn quota_words(quota: &QuotaLeft) -> Markup {
    html! {
        (quota.left) " of " (quota.per_day) " in 24 hours left"
        @if let Some(next) = quota.next_at { ", the next at " (time(next)) }
        @if let (Some(left), Some(all)) = (quota.lifetime_left, quota.lifetime) { ", " (left) " of " (all) " in all" }
        "."
    }
}

fn table(view: &ChallengeView, items: &[BuilderSubmission]) -> Markup {
    html! {
        table {
            caption { "Newest first" }
            thead { tr {
                th scope="col" { "Submission" } th scope="col" { "Submitted" } th scope="col" { "Data" } th scope="col" {
                    "State"
                }
                th.n scope="col" { (foreign(&view.summary.metric.title)) " " (text::arrow(view.summary.metric.better)) }
                th.n scope="col" { "FLOPs / sample" } th.n scope="col" { "Charged" } th scope="col" { "Note" }
            } }
            tbody { @for item in items { (line(view, item)) } }
        }
    }
}

fn line(view: &ChallengeView, item: &BuilderSubmission) -> Markup {
    let id = item.id.to_string();
    let (value, flops) = figures(view, &item.run);
    html! {
        tr {
            th scope="row" {
                a href={ "/submissions/" (id) } {
                    @match &item.name {
                        Some(name) => {
                            (foreign(name))
                            @if let Some(version) = &item.version { " " (foreign(version)) }
                        },
                        None => (short_id(&id))
                    }
                }
                @if item.duplicate_of.is_some() { " " (badge("quiet", "duplicate")) }
            }
            td { (time(item.submitted_at)) }
            td { (mode(item.run.mode())) }
            td { (state(&item.run)) }
            td.n { (text::metric_value(value, &view.summary.metric, view.challenge.release.metric_decimals)) }
            td.n { (text::flops(flops)) }
            td.n { @match item.charged { Some(charged) => (text::compute(charged)), None => (NONE) } }
            td.words { (foreign(&item.note)) }
        }
    }
}

/// The ranking metric and the FLOPs of a row, where there are any.
fn figures<'a>(view: &ChallengeView, run: &'a BuilderRun) -> (Option<&'a MetricValue>, Option<f64>) {
    let ranking = &view.challenge.ranking.metric;
    match run {
        BuilderRun::Validation(ValidationState::Finished(end)) => (end.metrics.get(ranking), end.cost.flops_per_sample),
        BuilderRun::Official(OfficialState::Finished(end)) => match &end.ending {
            OfficialEnding::Published(figures) => (figures.metrics.get(ranking), figures.flops_per_sample),
            _ => (None, None),
        },
        _ => (None, None),
    }
}

fn state(run: &BuilderRun) -> Markup {
    match run {
        BuilderRun::Validation(ValidationState::Queued(queue)) | BuilderRun::Official(OfficialState::Queued(queue)) => {
            html! { (badge("warn", "queued")) " position " (queue.position) }
        }
        BuilderRun::Validation(ValidationState::Running(_)) | BuilderRun::Official(OfficialState::Running(_)) => {
            badge("warn", "running")
        }
        BuilderRun::Validation(ValidationState::Finished(end)) => match end.verdict {
            Some(ending) => badge(verdict::class(ending), verdict::title(ending)),
            None => badge("quiet", "Cancelled"),
        },
        BuilderRun::Official(OfficialState::Finished(end)) => match &end.ending {
            OfficialEnding::Published(Published { outcome, .. }) => {
                let (class, title, _) = verdict::of_outcome(*outcome);
                badge(class, title)
            }
            OfficialEnding::NotImproved => badge("quiet", "Not improved"),
            OfficialEnding::Cancelled => badge("quiet", "Cancelled"),
            OfficialEnding::PlatformFault => badge("warn", verdict::title(thimble_challenge::Verdict::PlatformFault)),
        },
    }
}
