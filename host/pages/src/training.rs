//! The tab Training: the rules, what is left of quotas and budget, and the commands.

use maud::{Markup, html};
use thimble_api::challenge::{ChallengeView, ServiceRules};
use thimble_challenge::challenge::{Limits, RowRule, grouped, percent};
use thimble_challenge::result::Mode;
use thimble_metrics::Metric;

use crate::challenge::{Tab, tab};
use crate::layout::{Column::Words, budget, facts, head, scroll};
use crate::submissions::quota_words;
use crate::text::{self, NONE, arrow, bytes, flops, foreign, time};
use crate::viewer::Viewer;
use crate::{leaderboard, markdown};

/// The tab Training. `origin` is how builders reach the service, for example `https://thimble.example`.
pub fn training(viewer: &Viewer, view: &ChallengeView, origin: &str) -> Markup {
    let inside = html! {
        @if viewer.signed_in().is_some() { (left(view)) }
        @else {
            p.notice {
                a href={ "/login?next=" (text::path(&Tab::Training.address(&view.summary.name))) } { "Sign in" }
                " to see your quotas and your team's budget."
            }
        }
        (commands(view, origin))
        (limits(&view.challenge.limits))
        (rules(view))
        (metrics(view))
        (leaderboard::carbon(&view.challenge.carbon))
    };
    tab(viewer, view, Tab::Training, None, &inside)
}

fn left(view: &ChallengeView) -> Markup {
    html! {
        section.panel aria-labelledby="left" {
            h2 id="left" { "What you have left" }
            @match &view.budget {
                Some(left) => (budget(left)),
                None => p.quiet { "Your team has no budget here yet." }
            }
            ul.plain { @for quota in &view.quotas { li {
                strong { @match quota.mode { Mode::Official => "Official", Mode::Validation => "Validation" } } ": "
                (quota_words(quota))
                span.quiet {
                    " Failed runs that do not count: " (quota.failures_left) " of " (quota.failures_per_day) " left."
                }
            } } }
        }
    }
}

fn commands(view: &ChallengeView, origin: &str) -> Markup {
    let name = &view.summary.name;
    let steps = [
        ("Sign in once; the token is read from standard input", format!("thimble login --server {origin}")),
        (
            "Begin with a solution that compiles and scores; the challenge's directory comes from its owner",
            format!("thimble new my-solution --challenge path/to/{name}"),
        ),
        ("See every rule that a component breaks, offline", "thimble check".to_owned()),
        ("Train and score on the public data, with the meter of the service", "thimble run".to_owned()),
        ("See where the FLOPs go", "thimble profile".to_owned()),
        ("Build, check and pack", "thimble build".to_owned()),
        (
            "Submit, and wait for the verdict",
            format!("thimble submit target/my-solution.zip --challenge {name} --mode official"),
        ),
    ];
    html! {
        section aria-labelledby="commands" {
            h2 id="commands" { "Commands" }
            p {
                "A solution is code that learns and predicts, compiled to a WebAssembly component. It runs beside "
                "the data, and the same run on your machine computes the same figures."
            }
            ol.commands {
                @for (what, command) in &steps {
                    li { span { (what) } pre tabindex="0" { code { (text::plain(command)) } } }
                }
            }
            p { "Or upload the package on the tab " a href=(Tab::Submissions.address(name)) { "Submissions" } "." }
        }
    }
}

fn limits(limits: &Limits) -> Markup {
    let Limits {
        parameters,
        embedded_allowance_bytes,
        training_flops,
        prediction_flops_per_sample,
        memory_bytes,
        wall_seconds,
        batch_size,
    } = limits;
    let amount = |value: u64| html! { (flops(Some(value as f64))) span.quiet { " (" (grouped(value)) ")" } };
    html! {
        section aria-labelledby="limits" {
            h2 id="limits" { "Limits" }
            (facts(&[
                ("Parameters", html! { (grouped(parameters.0)) span.quiet { " stored 32-bit words, inclusive" } }),
                ("Free component size", html! { (bytes(*embedded_allowance_bytes)) span.quiet { "; beyond, 4 bytes are a parameter" } }),
                ("Training", amount(training_flops.0)),
                ("Prediction, per test row", amount(prediction_flops_per_sample.0)),
                ("Memory", html! { (bytes(*memory_bytes)) }),
                ("Wall clock", html! { (text::seconds(*wall_seconds)) }),
                ("Rows per batch", html! { (grouped(*batch_size)) }),
            ]))
        }
    }
}

fn rules(view: &ChallengeView) -> Markup {
    let (challenge, service) = (&view.challenge, &view.rules);
    let ServiceRules { official_lifetime, failures_per_day, concurrency, team_budget, closes_at } = service;
    let release = &challenge.release;
    html! {
        section aria-labelledby="rules" {
            h2 id="rules" { "Rules" }
            (facts(&[
                ("Rows", html! { @match challenge.rows { RowRule::Independent => "predicted independently of each other; checked by a replay", RowRule::Transductive => "a prediction may depend on other rows" } }),
                ("Official submissions", html! {
                    (challenge.quotas.official_per_day) " in any 24 hours"
                    @if let Some(all) = official_lifetime { ", " (grouped(*all)) " in all" }
                }),
                ("Validation submissions", html! { (challenge.quotas.validation_per_day) " in any 24 hours" }),
                ("Failed runs", html! { (failures_per_day) " in any 24 hours count against no quota. Faults of the service never do." }),
                ("At the same time", html! { (text::count(u64::from(*concurrency), "run", "runs")) " of a builder" }),
                ("Budget of a team", html! { (text::compute(*team_budget)) }),
                ("Published", html! { "metrics to " (release.metric_decimals) " digits, FLOPs to " (release.flops_digits) }),
                ("Test rows", html! { @match release.shown_share { Some(share) => { "metrics are of " (percent(share)) " % of them until the challenge closes, then of the others" }, None => "metrics are of all of them" } }),
                ("Release", html! { @if release.tick_seconds == 0 { "at once" } @else { "every " (text::seconds(release.tick_seconds)) } }),
                ("Improvement", html! { @match release.improvement { Some(step) => { "a figure is published when it beats your last by more than " (step) }, None => "every figure is published" } }),
                ("Closes", html! { @match closes_at { Some(at) => (time(*at)), None => "open end" } }),
            ]))
            details {
                summary { "The challenge's figures, as the file has them" }
                (markdown::html(&thimble_challenge::challenge::figures(challenge)))
            }
        }
    }
}

fn metrics(view: &ChallengeView) -> Markup {
    let line = |metric: &Metric| {
        let shown = thimble_api::challenge::MetricView::from(metric);
        html! { tr {
            th scope="row" { (shown.title) " " (arrow(shown.better)) }
            td.words { (metric.description) }
            td { (metric.range) }
            td.words { code { (metric.formula) } }
            td.words { @if metric.edge_cases.is_empty() { (NONE) } @else { (metric.edge_cases) } }
            td.words { @if metric.undefined_when.is_empty() { (NONE) } @else { (metric.undefined_when) } }
        } }
    };
    html! {
        section aria-labelledby="metrics" {
            h2 id="metrics" { "What is measured" }
            (scroll("What is measured", &html! { table {
                caption { "The first one ranks: " (foreign(&view.summary.metric.title)) }
                (head(&[
                    Words("Metric"), Words("What it tells"), Words("Range"), Words("Formula"), Words("Edge cases"),
                    Words("Undefined when"),
                ]))
                tbody { @for metric in view.challenge.metrics() { (line(metric)) } }
            } }))
        }
    }
}
