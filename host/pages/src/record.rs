//! The page of a submission for operators: everything that is known of it.

use maud::{Markup, html};
use thimble_api::challenge::{ChallengeView, MetricView};
use thimble_api::operator::SubmissionRecord;
use thimble_challenge::challenge::grouped;
use thimble_challenge::result::EvaluationResult;

use crate::layout::{
    Column::{Number, Words},
    Frame, badge, facts, head, scroll,
};
use crate::monitor::{acts, maybe_time, state};
use crate::submission::{crumbs, mode, short_id};
use crate::text::{self, NONE, bytes, flops, foreign, grams};
use crate::viewer::Viewer;
use crate::{curves, leaderboard, outcome, verdict};

/// The page of a submission for operators.
pub fn record(viewer: &Viewer, view: &ChallengeView, record: &SubmissionRecord) -> Markup {
    let id = record.id.to_string();
    let title = format!("Submission {} of {}", short_id(&id), record.builder);
    let body = html! {
        (crumbs(view))
        h1 { (title) }
        p.badges { (mode(record.mode)) (state(record)) (badge("quiet", "operator's view")) }
        (acts(viewer, record))
        @if let Some(result) = &record.result { (of_result(view, result)) }
        section aria-labelledby="details" {
            h2 id="details" { "Details" }
            (facts(&[
                ("Builder", html! { (record.builder) " (" (record.team) ")" }),
                ("Submitted", maybe_time(Some(record.submitted_at))),
                ("Started", maybe_time(record.started_at)),
                ("Last sign of life", maybe_time(record.heartbeat_at)),
                ("Ended", maybe_time(record.finished_at)),
                ("Released", maybe_time(record.released_at)),
                ("Worker", html! { @match &record.worker { Some(worker) => (foreign(worker)), None => (NONE) } }),
                ("Attempts", html! { (record.attempts) }),
                ("Charged", html! { (text::compute(record.charged)) }),
                ("Package", html! { code.digest { (record.package) } }),
                ("Component", html! { @match &record.component { Some(digest) => code.digest { (digest) }, None => (NONE) } }),
                ("Id", html! { code.digest { (id) } }),
            ]))
        }
        (leaderboard::carbon(&view.challenge.carbon))
    };
    Frame::still(viewer, &title).around(&body)
}

fn of_result(view: &ChallengeView, result: &EvaluationResult) -> Markup {
    let comparable = &result.comparable;
    let compute = &comparable.compute;
    let verdict = comparable.verdict;
    let metrics: Vec<MetricView> = view.challenge.metrics().map(MetricView::from).collect();
    let published = |name: &str| result.published.as_ref().and_then(|published| published.metrics.get(name));
    let decimals = view.challenge.release.metric_decimals;
    html! {
        (outcome::banner(verdict::class(verdict), verdict::title(verdict), verdict::meaning(verdict), comparable.failure.as_ref(), None))
        @if !comparable.metrics.is_empty() {
            section { h2 { "Metrics" } (scroll("Metrics", &html! { table {
                caption { "As computed, and as published" }
                (head(&[Words("Metric"), Number("Computed"), Number("Published"), Number("Naive baseline")]))
                tbody { @for metric in &metrics { tr {
                    th scope="row" { (metric.title) " " (text::arrow(metric.better)) }
                    td.n { (text::metric_value(comparable.metrics.get(&metric.name), metric, 9)) }
                    td.n { (text::metric_value(published(&metric.name), metric, decimals)) }
                    td.n {
                        (text::metric_value(comparable.baseline.as_ref().and_then(|naive| naive.metrics.get(&metric.name)), metric, decimals))
                    }
                } } }
            } })) }
        }
        section { h2 { "Cost" } (facts(&[
            ("Training", html! { (flops(compute.training_flops)) " of " (flops(Some(compute.training_fuel_budget.flops()))) }),
            ("FLOPs per sample", html! { (flops(compute.flops_per_sample)) }),
            ("gCO2e of training (×/÷ 5)", html! { (grams(compute.training_gco2e)) }),
            ("gCO2e per sample (×/÷ 5)", html! { (grams(compute.gco2e_per_sample)) }),
            ("Test rows", html! { (grouped(compute.test_rows)) }),
            ("Peak memory", html! { @match result.run.peak_memory_bytes { Some(peak) => (bytes(peak)), None => (NONE) } }),
            ("Wall clock", html! { (curves::three(result.run.seconds.values().sum())) " s" }),
            ("Ran on", html! { (foreign(&result.run.target)) }),
            ("Meter", html! { (foreign(&comparable.meter.tariff)) ", " (foreign(&comparable.meter.engine)) }),
        ])) }
        @if let Some(replay) = &comparable.independence {
            @if replay.transductive {
                p.notice {
                    (badge("warn", "transductive")) " " (grouped(replay.disagreed)) " of " (grouped(replay.replayed))
                    " replayed rows differed."
                }
            }
        }
    }
}
