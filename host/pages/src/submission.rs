//! The page of a submission: where it stands, how it ended, what it cost.

use maud::{Markup, html};
use thimble_api::challenge::ChallengeView;
use thimble_api::leaderboard::RankingContext;
use thimble_api::submission::{
    Alive, BuilderRun, BuilderSubmission, Log, OfficialState, Progress, PublicSubmission, Queued, SubmissionView,
    ValidationState,
};
use thimble_challenge::challenge::grouped;
use thimble_challenge::result::Mode;

use crate::challenge::Tab;
use crate::layout::{Frame, badge, bar, facts, post, scroll};
use crate::leaderboard::Columns;
use crate::text::{self, clock, foreign, time};
use crate::verdict::PHASES;
use crate::viewer::Viewer;
use crate::{assets, curves, leaderboard, outcome};

/// Seconds after which a browser without scripts asks again.
const REFRESH_SECONDS: u32 = 10;

/// The page of a submission. `log` and `context` where there is something to show; the context only of an official one.
pub fn submission(
    viewer: &Viewer,
    view: &ChallengeView,
    submission: &SubmissionView,
    log: Option<&Log>,
    context: Option<&RankingContext>,
) -> Markup {
    match submission {
        SubmissionView::Public(public) => of_public(viewer, view, public, context),
        SubmissionView::Builder(own) => of_builder(viewer, view, own, log, context),
    }
}

/// Whether it has ended, in a word; scripts say it when it changes.
fn standing(run: &BuilderRun) -> &'static str {
    match run {
        BuilderRun::Validation(ValidationState::Queued(_)) | BuilderRun::Official(OfficialState::Queued(_)) => "queued",
        BuilderRun::Validation(ValidationState::Running(_)) | BuilderRun::Official(OfficialState::Running(_)) => {
            "running"
        }
        BuilderRun::Validation(ValidationState::Finished(_)) | BuilderRun::Official(OfficialState::Finished(_)) => {
            "finished"
        }
    }
}

fn of_builder(
    viewer: &Viewer,
    view: &ChallengeView,
    own: &BuilderSubmission,
    log: Option<&Log>,
    context: Option<&RankingContext>,
) -> Markup {
    let name = title(own);
    let finished = own.run.is_finished();
    let state = standing(&own.run);
    let events = (!finished).then(|| format!("/api/v1/submissions/{}/events", own.id));
    let body = html! {
        (crumbs(view))
        h1 { bdi { (name) } }
        p.unseen role="status" data-live-status="" {}
        // Replaced as a whole by what the server says next.
        div id="live" data-events=[events] data-state=(state) {
            p.badges {
                (mode(own.run.mode()))
                (badge(if finished { "good" } else { "warn" }, state))
                @if !finished {
                    noscript {
                        span.quiet { "This page asks again every " (REFRESH_SECONDS) " s. " }
                        a href={ "/submissions/" (own.id) } { "Reload" }
                    }
                }
            }
            (run(view, own))
            @if let Some(log) = log { (log_text(log)) }
            @if let Some(context) = context { (neighbours(viewer, view, context)) }
            (details(own))
            @if !finished && viewer.is(&own.builder) {
                section {
                    (post(viewer, &format!("/submissions/{}/cancel", own.id), "Cancel this submission", "plain"))
                }
            }
            @if finished { (leaderboard::carbon(&view.challenge.carbon)) }
        }
    };
    let (script, refresh) = if finished { (None, None) } else { (Some(assets::LIVE), Some(REFRESH_SECONDS)) };
    Frame { viewer, title: &format!("{name} · {}", view.summary.title), script, refresh }.around(&body)
}

fn title(own: &BuilderSubmission) -> String {
    let version = own.version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
    match &own.name {
        Some(name) => text::plain(&format!("{name}{version}")),
        None => format!("Submission {}", short_id(&own.id.to_string())),
    }
}

/// The end of an id: it begins with the time, which neighbours share.
pub(crate) fn short_id(id: &str) -> String {
    let skip = id.chars().count().saturating_sub(8);
    format!("…{}", id.chars().skip(skip).collect::<String>())
}

pub(crate) fn mode(mode: Mode) -> Markup {
    match mode {
        Mode::Validation => badge("quiet", "validation"),
        Mode::Official => badge("accent", "official"),
    }
}

pub(crate) fn crumbs(view: &ChallengeView) -> Markup {
    html! {
        nav.crumbs aria-label="Where this is" {
            a href=(Tab::Leaderboard.address(&view.summary.name)) { (foreign(&view.summary.title)) }
            " › "
            a href=(Tab::Submissions.address(&view.summary.name)) { "Submissions" }
        }
    }
}

fn run(view: &ChallengeView, own: &BuilderSubmission) -> Markup {
    match &own.run {
        BuilderRun::Validation(ValidationState::Queued(queue)) | BuilderRun::Official(OfficialState::Queued(queue)) => {
            queued(queue)
        }
        BuilderRun::Validation(ValidationState::Running(progress)) => running(progress),
        BuilderRun::Official(OfficialState::Running(alive)) => going_on(alive),
        BuilderRun::Validation(ValidationState::Finished(end)) => outcome::validation(view, end),
        BuilderRun::Official(OfficialState::Finished(end)) => outcome::official(view, end),
    }
}

fn queued(queue: &Queued) -> Markup {
    html! {
        section.panel {
            h2 { "Waiting for a worker" }
            p.big { "Position " strong { (grouped(queue.position)) } @if queue.position == 1 { ": next" } }
            p {
                @match queue.expected_wait_seconds {
                    Some(wait) => {
                        "Expected wait about " (text::seconds(wait))
                        ", by the runs of the last day and the workers alive."
                    },
                    None => "No wait can be estimated yet: nothing has run in the last day, or no worker is alive.",
                }
            }
            @if queue.attempt > 1 {
                p.notice {
                    "Attempt " (queue.attempt)
                    ": a worker was lost. That is the service's matter; nothing is charged for it."
                }
            }
        }
    }
}

fn running(progress: &Progress) -> Markup {
    let used = progress.fuel_used.zip(progress.fuel_budget);
    html! {
        section.panel {
            h2 { "Running" }
            ol.phases { @for (phase, name) in PHASES {
                @let current = progress.phase == Some(phase);
                li class=[progress.phase.is_some_and(|now| phase < now).then_some("done")] aria-current=[current.then_some("step")] {
                    (name)
                }
            } }
            @if let Some((used, budget)) = used {
                @let share = if budget.0 == 0 { 0.0 } else { used.0 as f64 / budget.0 as f64 };
                (bar(share, 0.0))
                p {
                    (text::flops(Some(used.flops()))) " of " (text::flops(Some(budget.flops()))) " in this step ("
                    (format!("{:.0}", share * 100.0)) " %)"
                }
            }
            p.quiet { "Last sign of life " (clock(progress.heartbeat_at)) }
        }
        @if !progress.curves.is_empty() { section { h2 { "Curves" } (curves::curves(&progress.curves)) } }
    }
}

fn going_on(alive: &Alive) -> Markup {
    html! {
        section.panel {
            h2 { "Running" }
            p {
                "An official run says nothing of itself before its result is released: its progress alone would tell "
                "of private data."
            }
            @if alive.release_tick_seconds > 0 {
                p { "Results of this challenge are released every " (text::seconds(alive.release_tick_seconds)) "." }
            }
            @if let Some(at) = alive.heartbeat_at { p.quiet { "Last sign of life " (clock(at)) } }
        }
    }
}

fn log_text(log: &Log) -> Markup {
    html! {
        section aria-labelledby="log" {
            h2 id="log" { "Log" }
            @match log {
                Log::Available { text, dropped_bytes, error } => {
                    @if let Some(error) = error {
                        p { "It returned the error:" } pre.bad tabindex="0" dir="auto" { (text::plain(error)) }
                    }
                    @if text.is_empty() { p.quiet { "It wrote nothing." } } @else {
                        pre.log tabindex="0" dir="auto" { (text::plain(text)) }
                    }
                    @if *dropped_bytes > 0 { p.quiet { (grouped(*dropped_bytes)) " bytes were cut." } }
                },
                Log::NotYet => p.quiet { "The log is there when the run has ended." },
                Log::Withheld => p.quiet {
                    "What a solution says in an official run never leaves it. A validation run of the same package "
                    "shows its log."
                },
                Log::NotKept => p.quiet {
                    "There is no log: nothing ran, or the time for which logs are kept has passed."
                },
            }
        }
    }
}

fn neighbours(viewer: &Viewer, view: &ChallengeView, context: &RankingContext) -> Markup {
    let metrics: Vec<_> = view.challenge.metrics().map(thimble_api::challenge::MetricView::from).collect();
    html! {
        section aria-labelledby="context" {
            h2 id="context" { "On the leaderboard" }
            p {
                @match context.rank {
                    Some(rank) => {
                        "Rank " strong { (rank) } " of " (grouped(context.of))
                        @if let Some(percentile) = context.percentile {
                            ", at least as good as " (format!("{:.0}", (percentile * 100.0).floor()))
                            " % of the field"
                        }
                        "."
                    },
                    None => {
                        "No result of this builder is ranked. "
                        (text::count(context.of, "builder is", "builders are")) "."
                    },
                }
            }
            @if !context.rows.is_empty() {
                (scroll("Neighbours on the leaderboard", &Columns::of(view, &metrics).table(viewer, &context.rows)))
            }
        }
    }
}

fn details(own: &BuilderSubmission) -> Markup {
    let digest = |digest: &thimble_datasets::Digest| html! { code.digest { (digest) } };
    let mut lines = vec![
        ("Submitted", html! { (time(own.submitted_at)) }),
        ("By", html! { (own.builder) @if own.team.as_str() != own.builder.as_str() { " (" (own.team) ")" } }),
        ("Package", html! { (text::bytes(own.package_bytes)) " " (digest(&own.package)) }),
    ];
    if let Some(component) = &own.component {
        lines.push(("Component", digest(component)));
    }
    if let Some(charged) = own.charged {
        let what = if own.run.is_finished() { "Charged" } else { "Reserved" };
        lines.push((what, html! { (text::compute(charged)) }));
    }
    if let Some(earlier) = own.duplicate_of {
        lines.push((
            "Same component as",
            html! { a href={ "/submissions/" (earlier) } { (short_id(&earlier.to_string())) } },
        ));
    }
    lines.push(("Id", html! { code.digest { (own.id) } }));
    html! {
        section aria-labelledby="details" {
            h2 id="details" { "Details" }
            @if !own.note.is_empty() { p.note dir="auto" { (text::plain(&own.note)) } }
            (facts(&lines))
        }
    }
}

fn of_public(
    viewer: &Viewer,
    view: &ChallengeView,
    public: &PublicSubmission,
    context: Option<&RankingContext>,
) -> Markup {
    let name = format!("{} on {}", public.builder, view.summary.title);
    let body = html! {
        (crumbs(view))
        h1 { "Result of " (public.builder) }
        p.badges { (mode(Mode::Official)) }
        (outcome::published(view, &public.figures))
        @if let Some(context) = context { (neighbours(viewer, view, context)) }
        section aria-labelledby="details" {
            h2 id="details" { "Details" }
            (facts(&[
                ("Submitted", html! { (time(public.submitted_at)) }),
                ("Released", html! { (time(public.released_at)) }),
                ("Team", html! { (public.team) }),
                ("Id", html! { code.digest { (public.id) } }),
            ]))
        }
        (leaderboard::carbon(&view.challenge.carbon))
    };
    Frame::still(viewer, &name).around(&body)
}
