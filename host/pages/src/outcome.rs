//! How a run ended: the verdict and what to do about it, the metrics, the cost.

use std::collections::BTreeMap;

use maud::{Markup, html};
use thimble_api::challenge::{ChallengeView, MetricView};
use thimble_api::submission::{Cost, OfficialEnding, OfficialOutcome, ValidationOutcome};
use thimble_challenge::challenge::{ScoreRule, grouped};
use thimble_challenge::result::{Baseline, Failure, Independence, Parameters, Phase, Published};
use thimble_metrics::MetricValue;

use crate::layout::{
    Column::{Number, Words},
    badge, bar, facts, head, scroll,
};
use crate::leaderboard::score;
use crate::text::{self, arrow, bytes, clock, flops, foreign, grams, metric_value};
use crate::{curves, verdict};

/// The end of a validation run.
pub(crate) fn validation(view: &ChallengeView, end: &ValidationOutcome) -> Markup {
    html! {
        @match end.verdict {
            Some(ending) => (banner(verdict::class(ending), verdict::title(ending), verdict::meaning(ending), end.failure.as_ref(), end.remedy.as_deref())),
            None => (banner("quiet", "Cancelled", "It was cancelled before it ended.", None, None)),
        }
        p.quiet { "Ended " (clock(end.finished_at)) }
        @if !end.metrics.is_empty() { (metrics(view, &end.metrics, end.score, end.baseline.as_ref())) }
        (cost(view, end))
        @if let Some(parameters) = &end.parameters { (count(parameters)) }
        @if let Some(replay) = &end.independence { (independence(replay)) }
        @if !end.curves.is_empty() { section { h2 { "Curves" } (curves::curves(&end.curves)) } }
    }
}

/// The end of an official run, as far as its builder is told.
pub(crate) fn official(view: &ChallengeView, end: &OfficialOutcome) -> Markup {
    let remedy = end.remedy.as_deref();
    html! {
        @match &end.ending {
            OfficialEnding::Published(figures) => (of_figures(view, figures, remedy)),
            OfficialEnding::NotImproved => (banner(
                "quiet",
                "Not improved",
                "It was scored, and is not better than your last published figure by more than this challenge asks for. The earlier figure stands, and nothing else is said: that keeps the private data from being learned by trying.",
                None,
                remedy,
            )),
            OfficialEnding::Cancelled => (banner("quiet", "Cancelled", "It was cancelled before it ended.", None, remedy)),
            OfficialEnding::PlatformFault => (banner(
                "warn",
                verdict::title(thimble_challenge::Verdict::PlatformFault),
                verdict::meaning(thimble_challenge::Verdict::PlatformFault),
                None,
                remedy,
            )),
        }
        p.quiet { "Released " (clock(end.released_at)) }
    }
}

/// What is published of an official run.
pub(crate) fn published(view: &ChallengeView, figures: &Published) -> Markup {
    of_figures(view, figures, None)
}

fn of_figures(view: &ChallengeView, figures: &Published, remedy: Option<&str>) -> Markup {
    let (class, title, meaning) = verdict::of_outcome(figures.outcome);
    let per_sample = view.challenge.limits.prediction_flops_per_sample.0 as f64;
    let number = |value: Option<u64>| value.map_or_else(|| text::NONE.to_owned(), grouped);
    html! {
        (banner(class, title, meaning, figures.failure.as_ref(), remedy))
        @if figures.practice {
            p.notice { (badge("warn", "practice")) " The data of this challenge can be had by anyone." }
        }
        @if figures.transductive == Some(true) {
            p.notice {
                (badge("warn", "transductive")) " Answers depended on other rows, so this challenge does not rank it."
            }
        }
        @if !figures.metrics.is_empty() { (metrics(view, &figures.metrics, figures.score, None)) }
        section aria-labelledby="cost" {
            h2 id="cost" { "Cost" }
            @if let Some(used) = figures.flops_per_sample { (against("FLOPs per sample", used, per_sample)) }
            (facts(&[
                ("gCO2e per sample (×/÷ 5)", html! { (grams(figures.gco2e_per_sample)) }),
                ("Parameters, as declared", html! { (number(figures.parameters.map(|count| count.0))) }),
                ("Component", html! { @match figures.component_bytes { Some(size) => (bytes(size)), None => (text::NONE) } }),
            ]))
        }
    }
}

/// The verdict, what it means, which rule was broken, and what to do.
pub(crate) fn banner(
    class: &str,
    title: &str,
    meaning: &str,
    failure: Option<&Failure>,
    remedy: Option<&str>,
) -> Markup {
    html! {
        section class={ "panel verdict " (class) } {
            h2 { (title) }
            p { (meaning) }
            @if let Some(failure) = failure {
                p {
                    strong { (verdict::phase(failure.phase)) } ": " (foreign(&failure.message)) " "
                    code { (foreign(&failure.rule)) }
                }
            }
            @if let Some(remedy) = remedy { p.remedy { strong { "What to do: " } (ticked(remedy)) } }
        }
    }
}

/// A text with code between backticks.
fn ticked(text: &str) -> Markup {
    html! { @for (i, part) in text.split('`').enumerate() { @if i % 2 == 1 { code { (foreign(part)) } } @else { (text::plain(part)) } } }
}

fn metrics(
    view: &ChallengeView,
    values: &BTreeMap<String, MetricValue>,
    scored: Option<f64>,
    naive: Option<&Baseline>,
) -> Markup {
    let decimals = view.challenge.release.metric_decimals;
    let shown: Vec<MetricView> = view.challenge.metrics().map(MetricView::from).collect();
    let ranking = &view.challenge.ranking.metric;
    let composite = matches!(view.challenge.score, ScoreRule::Composite(_));
    let table = html! {
        table {
            caption { "Metrics" @if naive.is_some() { " beside the naive baseline" } }
            thead { tr {
                th scope="col" { "Metric" } th.n scope="col" { "Value" }
                @if let Some(naive) = naive { th.n scope="col" { "Naive: " (foreign(&naive.name)) } }
            } }
            tbody { @for metric in shown.iter().filter(|metric| values.contains_key(&metric.name)) {
                tr class=[(metric.name == *ranking).then_some("own")] {
                    th scope="row" {
                        (foreign(&metric.title)) " " (arrow(metric.better))
                        @if metric.name == *ranking { " " (badge("accent", "ranks")) }
                    }
                    td.n.main { (metric_value(values.get(&metric.name), metric, decimals)) }
                    @if let Some(naive) = naive {
                        td.n { (metric_value(naive.metrics.get(&metric.name), metric, decimals)) }
                    }
                }
            } }
        }
    };
    html! {
        section aria-labelledby="metrics" {
            h2 id="metrics" { "Metrics" }
            @if let Some(scored) = scored {
                p.big {
                    "Score " strong { (score(&view.challenge.score, scored)) }
                    @if composite {
                        span.quiet { " against the house baselines; on the leaderboard it moves with the field" }
                    }
                }
            }
            (scroll("Metrics", &table))
            @if naive.is_some() {
                p.quiet {
                    "The naive baseline is fitted on the targets of the training split alone: it looks at no input."
                }
            }
        }
    }
}

/// An amount beside its limit.
fn against(name: &str, used: f64, limit: f64) -> Markup {
    html! {
        div.against {
            p { strong { (name) } " " (flops(Some(used))) " of " (flops(Some(limit))) }
            (bar(used / limit, 0.0))
        }
    }
}

fn cost(view: &ChallengeView, end: &ValidationOutcome) -> Markup {
    let Cost { training_flops, training_flops_budget, flops_per_sample, training_gco2e, gco2e_per_sample, test_rows } =
        &end.cost;
    let limits = &view.challenge.limits;
    let per_sample = limits.prediction_flops_per_sample.0 as f64;
    let wall: f64 = end.seconds.values().sum();
    html! {
        section aria-labelledby="cost" {
            h2 id="cost" { "Cost" }
            @match training_flops {
                Some(used) => (against("Training", *used, *training_flops_budget)),
                None => p {
                    strong { "Training" } " did not return: its whole budget of "
                    (flops(Some(*training_flops_budget))) " is charged where it had begun."
                },
            }
            @if let Some(used) = flops_per_sample { (against("Prediction, per sample", *used, per_sample)) }
            (facts(&[
                ("Test rows", html! { (grouped(*test_rows)) }),
                ("gCO2e of training (×/÷ 5)", html! { (grams(*training_gco2e)) }),
                ("gCO2e per sample (×/÷ 5)", html! { (grams(*gco2e_per_sample)) }),
                ("Peak memory", html! { @match end.peak_memory_bytes { Some(peak) => { (bytes(peak)) " of " (bytes(limits.memory_bytes)) }, None => (text::NONE) } }),
                ("Wall clock", html! { (curves::three(wall)) " s" }),
            ]))
            @if !end.seconds.is_empty() { (seconds(&end.seconds)) }
        }
    }
}

fn seconds(seconds: &BTreeMap<Phase, f64>) -> Markup {
    let table = html! { table {
        caption { "Wall time of each step, which differs from run to run" }
        (head(&[Words("Step"), Number("Seconds")]))
        tbody {
            @for (phase, seconds) in seconds {
                tr { th scope="row" { (verdict::phase(*phase)) } td.n { (format!("{seconds:.3}")) } }
            }
        }
    } };
    html! { details { summary { "Wall time by step" } (scroll("Wall time of each step", &table)) } }
}

fn count(parameters: &Parameters) -> Markup {
    let Parameters { counted, elements, bytes, embedded, declared, limit } = parameters;
    html! {
        section aria-labelledby="parameters" {
            h2 id="parameters" { "Parameters" }
            p { strong { (grouped(counted.0)) } " counted of " (grouped(limit.0)) }
            (bar(if limit.0 == 0 { 1.0 } else { counted.0 as f64 / limit.0 as f64 }, 0.0))
            (facts(&[
                ("Values in tensors", html! { (grouped(*elements)) }),
                ("Bytes of them", html! { (text::bytes(*bytes)) }),
                ("Embedded in the component", html! { (grouped(*embedded)) }),
                ("Declared", html! { @match declared { Some(count) => (grouped(count.0)), None => (text::NONE) } }),
            ]))
        }
    }
}

fn independence(replay: &Independence) -> Markup {
    html! {
        section aria-labelledby="replay" {
            h2 id="replay" { "Independence of rows" }
            @if replay.transductive {
                p.notice.bad {
                    (grouped(replay.disagreed)) " of " (grouped(replay.replayed))
                    " rows had another answer in another order and batch size, or the replay did not return: "
                    "predictions depend on other rows, and are not ranked."
                }
            } @else { p { (grouped(replay.replayed)) " rows were predicted again in another order and batch size, all with the same answers." } }
        }
    }
}
