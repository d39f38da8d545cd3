//! The tab Leaderboard: the frontier, the table, and what scores are measured against.

use maud::{Markup, html};
use thimble_api::challenge::{Better, ChallengeView};
use thimble_api::leaderboard::{Leaderboard, LeaderboardQuery, Row, Unranked, UnrankedReason, Who};
use thimble_challenge::challenge::{CarbonFactors, ScoreRule, grouped, percent};
use thimble_challenge::composite::{Composite, Quality};
use thimble_metrics::MetricValue;

use crate::challenge::{Tab, tab};
use crate::layout::{badge, facts, next_part, scroll};
use crate::text::{self, NONE, arrow, foreign};
use crate::viewer::Viewer;
use crate::{assets, frontier};

/// The tab Leaderboard.
pub fn leaderboard(viewer: &Viewer, view: &ChallengeView, board: &Leaderboard, query: &LeaderboardQuery) -> Markup {
    let decimals = view.challenge.release.metric_decimals;
    let plot = frontier::plot(viewer, board, decimals);
    let script = plot.as_ref().map(|_| assets::PLOT);
    let inside = html! {
        (notes(view, board, query))
        section aria-labelledby="frontier" {
            h2 id="frontier" { "Frontier" }
            @match &plot {
                Some(plot) => div.plot-and-table { (plot) (frontier::table(board, decimals)) },
                None => p.notice { "No result is released yet. The first one draws the frontier." },
            }
        }
        section aria-labelledby="ranking" {
            div.title-row {
                h2 id="ranking" { "Ranking" }
                p.quiet { (files(board)) }
            }
            @if board.rows.is_empty() { p.notice { "No result is ranked yet." } }
            @else { (scroll("Ranking", &Columns::new(view, board).table(viewer, &board.rows))) }
            (next_part(&here(view, query), board.next.as_deref()))
            (unranked(board, decimals))
        }
        @if let (ScoreRule::Composite(composite), Some(_)) = (&view.challenge.score, &board.anchors) {
            (anchors(composite, board))
        }
        (carbon(&view.challenge.carbon))
    };
    tab(viewer, view, Tab::Leaderboard, script, &inside)
}

fn here(view: &ChallengeView, query: &LeaderboardQuery) -> String {
    let address = Tab::Leaderboard.address(&view.summary.name);
    query.version.map_or(address.clone(), |version| format!("{address}?version={version}"))
}

fn notes(view: &ChallengeView, board: &Leaderboard, query: &LeaderboardQuery) -> Markup {
    html! {
        @if query.version.is_some() {
            p.notice {
                "As it was at version " (board.version) ". "
                a href=(Tab::Leaderboard.address(&view.summary.name)) { "Show it as it is now" } "."
            }
        }
        @if board.frozen {
            p.notice {
                (badge("quiet", "frozen")) " The challenge is closed: ranks and anchors do not move any more."
            }
        }
        @if let Some(share) = board.shown_share {
            p.notice {
                (badge("warn", "shown part"))
                " Metrics are of " (percent(share)) " % of the test rows. Those of the others take their place when the challenge closes, and decide."
            }
        }
        @if board.anchors.as_ref().is_some_and(|anchors| anchors.provisional) {
            p.notice {
                (badge("warn", "provisional"))
                " Fewer than five teams have a result: scores will move as the field fills."
            }
        }
        @if board.practice {
            p.notice {
                (badge("warn", "practice"))
                " The data of this challenge can be had by anyone: its ranks prove nothing."
            }
        }
    }
}

fn files(board: &Leaderboard) -> Markup {
    let api = format!("/api/v1/challenges/{}/leaderboard", board.challenge);
    let version = format!("version={}", board.version);
    html! {
        "Version " (board.version)
        @if let Some(changed) = board.changed_at { ", " (text::time(changed)) }
        " · " a href={ (api) ".csv?" (version) } { "CSV" } " · " a href={ (api) "?" (version) } { "JSON" }
    }
}

/// Which columns a board has, and how its figures are written.
pub(crate) struct Columns<'a> {
    view: &'a ChallengeView,
    metrics: &'a [thimble_api::challenge::MetricView],
    decimals: u32,
    score: bool,
    efficiency: bool,
    caption: String,
}

impl<'a> Columns<'a> {
    pub(crate) fn new(view: &'a ChallengeView, board: &'a Leaderboard) -> Self {
        let last = board.first + board.rows.len() as u64;
        let caption =
            format!("Best result of each builder, {} to {} of {}", board.first + 1, last, grouped(board.total));
        Self { caption, ..Self::of(view, &board.metrics) }
    }

    /// The columns of the rows around a builder.
    pub(crate) fn of(view: &'a ChallengeView, metrics: &'a [thimble_api::challenge::MetricView]) -> Self {
        Self {
            view,
            metrics,
            decimals: view.challenge.release.metric_decimals,
            // The metric itself has a column.
            score: view.challenge.score != ScoreRule::Metric,
            efficiency: matches!(view.challenge.score, ScoreRule::Composite(_)),
            caption: "Neighbours on the leaderboard".to_owned(),
        }
    }

    pub(crate) fn table(&self, viewer: &Viewer, rows: &[Row]) -> Markup {
        html! {
            table.board {
                caption { (self.caption) }
                thead { tr {
                    th.n scope="col" { abbr title="Rank" { "#" } }
                    th scope="col" { "Builder" }
                    @if self.score { th.n scope="col" { "Score " (arrow(Better::Higher)) } }
                    @for metric in self.metrics {
                        th.n scope="col" { (foreign(&metric.title)) " " (arrow(metric.better)) }
                    }
                    th.n scope="col" { "FLOPs / sample " (arrow(Better::Lower)) }
                    th.n scope="col" { "gCO2e / sample " (arrow(Better::Lower)) small { "×/÷ 5" } }
                    @if self.efficiency { th.n scope="col" { "Efficiency " (arrow(Better::Higher)) } }
                    th scope="col" { "Frontier" }
                    th.n scope="col" { "Parameters" }
                    th.n scope="col" { "Size" }
                    th.n scope="col" { "Results" }
                    th scope="col" { "Submitted" }
                } }
                tbody { @for row in rows { (self.row(viewer, row)) } }
            }
        }
    }

    fn row(&self, viewer: &Viewer, row: &Row) -> Markup {
        let own = matches!(&row.who, Who::Builder { builder, .. } if viewer.is(builder));
        let class = match row.who {
            Who::House { .. } => Some("house"),
            Who::Builder { .. } => own.then_some("own"),
        };
        html! {
            tr class=[class] {
                td.n.rank { @match row.rank { Some(rank) => (rank), None => (NONE) } }
                th scope="row" { (whose(&row.who, own)) }
                @if self.score { td.n.main { (score(&self.view.challenge.score, row.score)) } }
                @for metric in self.metrics {
                    td.n { (text::metric_value(row.metrics.get(&metric.name), metric, self.decimals)) }
                }
                td.n { (text::flops(row.flops_per_sample)) }
                td.n { (text::grams(row.gco2e_per_sample)) }
                @if self.efficiency {
                    td.n {
                        @match row.efficiency { Some(efficiency) => (format!("{efficiency:.3}")), None => (NONE) }
                    }
                }
                td {
                    @if row.on_frontier { span.on { "● on it" } } @else if let Some(other) = &row.dominated_by { span.quiet { "behind " (other) } } @else {
                        (NONE)
                    }
                }
                td.n { @match row.parameters { Some(parameters) => (grouped(parameters)), None => (NONE) } }
                td.n { @match row.component_bytes { Some(bytes) => (text::bytes(bytes)), None => (NONE) } }
                td.n { (grouped(row.submissions)) }
                td { @match row.submitted_at { Some(at) => (text::time(at)), None => (NONE) } }
            }
        }
    }
}

fn whose(who: &Who, own: bool) -> Markup {
    match who {
        Who::Builder { builder, team, submission } => html! {
            a href={ "/submissions/" (submission) } { (builder) }
            @if own { " " (badge("good", "you")) }
            @if team.as_str() != builder.as_str() { span.team { (team) } }
        },
        Who::House { name } => html! { (foreign(name)) span.team { "house baseline" } },
    }
}

/// A score as people read it: a composite to four places, a scale of 100 to two, a metric with its own digits.
pub(crate) fn score(rule: &ScoreRule, score: f64) -> String {
    match rule {
        ScoreRule::Composite(_) => format!("{score:.4}"),
        ScoreRule::LinearAboveBaseline { .. } => format!("{score:.2}"),
        ScoreRule::Metric => text::real(score),
    }
}

fn unranked(board: &Leaderboard, decimals: u32) -> Markup {
    let metric = board.metrics.first();
    let line = |result: &Unranked| {
        let value = result.metric.map(MetricValue::Value);
        html! { tr {
            th scope="row" { (whose(&result.who, false)) }
            td.n { @if let Some(metric) = metric { (text::metric_value(value.as_ref(), metric, decimals)) } }
            td.n { (text::flops(result.flops_per_sample)) }
            td { (reason(result.reason)) }
        } }
    };
    html! {
        @if !board.unranked.is_empty() {
            details {
                summary { (text::count(board.unranked.len() as u64, "result", "results")) " without a rank" }
                (scroll("Results without a rank", &html! { table {
                    caption { "Shown and not ranked" }
                    thead {
                        tr {
                            th scope="col" { "Builder" }
                            th.n scope="col" { @if let Some(metric) = metric { (foreign(&metric.title)) } }
                            th.n scope="col" { "FLOPs / sample" } th scope="col" { "Why" }
                        }
                    }
                    tbody { @for result in &board.unranked { (line(result)) } }
                } }))
            }
        }
    }
}

const fn reason(reason: UnrankedReason) -> &'static str {
    match reason {
        UnrankedReason::BelowFloor => "worse than the floor of the composite score",
        UnrankedReason::Transductive => "answers depend on other rows, which this challenge does not rank",
        UnrankedReason::Undefined => "the ranking metric is not defined on its predictions",
    }
}

fn anchors(composite: &Composite, board: &Leaderboard) -> Markup {
    let Some(anchors) = &board.anchors else { return html! {} };
    let Composite { weights, floor, best, quality, .. } = composite;
    let metric = board.metrics.first().map_or_else(String::new, |metric| text::plain(&metric.title));
    let quality = match quality {
        Quality::Metric => metric.clone(),
        Quality::Skill => format!("({metric} − {floor}) / ({best} − {floor})"),
    };
    html! {
        section aria-labelledby="anchors" {
            h2 id="anchors" { "What the score is measured against" }
            p.formula {
                "Score = " (weights.quality) " × " bdi { (quality) } " + " (weights.flops) " × E(FLOPs) + "
                (weights.carbon) " × E(gCO2e)"
            }
            p {
                "E is 0.5 at the field's median and 0.95 at its tenth percentile: E(c) = 1 / (1 + (c / m)" sup { "k" }
                "), k = ln 19 / ln(m / p). FLOPs and gCO2e differ by a constant here, so both have the same E. "
                "Everything is computed from the published figures, so anyone can compute it again."
            }
            (facts(&[
                ("Median m", html! { (text::flops(Some(anchors.median_flops))) }),
                ("Tenth percentile p", html! { (text::flops(Some(anchors.p10_flops))) }),
                ("Members of the field", html! { (grouped(anchors.members)) }),
                ("Floor", html! { bdi { (metric) } " " (floor) }),
                ("State", html! { @if board.frozen { "frozen at the close" } @else if anchors.provisional { "provisional" } @else { "moves with the field until the close" } }),
            ]))
        }
    }
}

/// What grams of CO2e are, and are not.
pub(crate) fn carbon(factors: &CarbonFactors) -> Markup {
    let CarbonFactors { joules_per_flop, pue, grid_g_per_kwh } = factors;
    html! {
        section.small aria-labelledby="carbon" {
            h2 id="carbon" { "About gCO2e" }
            p {
                "Computed from FLOPs with fixed factors: " (thimble_challenge::score::si(*joules_per_flop, "J")) " a "
                "FLOP, PUE " (pue) ", "
                (grid_g_per_kwh) " g/kWh. They show the relative cost of models and are no measurement: energy depends on hardware, place and power mix, and the true figure can be "
                strong { "five times lower or higher" } " (×/÷ 5). Not to be used as certified figures for regulatory or ESG reporting."
            }
        }
    }
}
