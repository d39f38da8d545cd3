//! A leaderboard as text.

use thimble_api::challenge::Better;
use thimble_api::leaderboard::{Leaderboard, Row, Unranked, UnrankedReason, Who};
use thimble_challenge::challenge::{grouped, percent};
use thimble_challenge::composite::Anchors;
use thimble_challenge::round;
use thimble_challenge::score::si;
use thimble_client::line;
use thimble_metrics::MetricValue;

use crate::remote::columns::Columns;
use crate::remote::submission::time;
use crate::remote::{more, plot};
use crate::report;

/// What a carbon figure is.
const CARBON: &str =
    "gCO2e follows from FLOPs by the challenge's factors; the true figure may be five times as much, or a fifth.\n";

/// Which way is better.
pub(crate) const fn arrow(better: Better) -> &'static str {
    match better {
        Better::Higher => "↑",
        Better::Lower => "↓",
        Better::NearerToZero => "→0",
    }
}

/// The board, the plot of its frontier, and what is not ranked.
pub(crate) fn text(board: &Leaderboard, width: Option<usize>) -> String {
    let mut text = title(board);
    if board.rows.is_empty() {
        text += "no released results\n";
    } else {
        text += &rows(board).render(width);
        text += &more(board.next.as_deref());
        text += "◆ on the frontier: nobody is better for as few FLOPs\n";
        text += CARBON;
    }
    let plot = plot::plot(&board.points, board.metrics.first(), width);
    if !plot.is_empty() {
        text += &format!("\n{plot}");
    }
    if board.points_left_out > 0 {
        text += &format!("{} points are left out\n", grouped(board.points_left_out));
    }
    if !board.unranked.is_empty() {
        text += &format!("\nnot ranked\n{}", unranked(&board.unranked).render(width));
    }
    text
}

fn title(board: &Leaderboard) -> String {
    let changed = board.changed_at.map(|at| format!(", changed {}", time(at))).unwrap_or_default();
    let frozen = if board.frozen { ", final" } else { "" };
    let practice = if board.practice { "\npractice: anyone can own this data" } else { "" };
    let shown = board.shown_share.map(shown).unwrap_or_default();
    let anchors = board.anchors.as_ref().map(anchors).unwrap_or_default();
    format!("{}, version {}{changed}{frozen}{practice}{shown}{anchors}\n\n", board.challenge, board.version)
}

/// That the figures are of some test rows only.
fn shown(share: f64) -> String {
    let percent = percent(share);
    format!("\nmetrics are of {percent} % of the test rows; those of the others decide when the challenge closes")
}

/// What costs are measured against.
fn anchors(anchors: &Anchors) -> String {
    let (median, low) = (si(anchors.median_flops, "FLOP"), si(anchors.p10_flops, "FLOP"));
    let provisional = if anchors.provisional { "; provisional: fewer than five teams" } else { "" };
    format!("\ncosts against the field: median {median}, tenth percentile {low}{provisional}")
}

fn rows(board: &Leaderboard) -> Columns {
    let mut table = Columns::default().numbers("rank", 0).text("", 1).text("builder", 0);
    let composite = board.anchors.is_some();
    table = table.numbers(if composite { "score ↑" } else { "score" }, 2);
    for (index, metric) in board.metrics.iter().enumerate() {
        let head = format!("{} {}", line(&metric.name), arrow(metric.better));
        table = table.numbers(head, if index == 0 { 0 } else { 7 });
    }
    table = table.numbers("FLOPs ↓", 1);
    if composite {
        table = table.numbers("efficiency ↑", 4);
    }
    table = table.numbers("gCO2e ↓", 5).numbers("parameters", 3).text("team", 6).numbers("results", 8);
    let decimals: Vec<usize> = board.metrics.iter().map(|metric| decimals(board, &metric.name)).collect();
    for row in &board.rows {
        table.row(cells(row, board, &decimals));
    }
    table
}

/// Decimals that a column of published values needs, so that its points stand below each other.
fn decimals(board: &Leaderboard, metric: &str) -> usize {
    let values = board.rows.iter().filter_map(|row| match row.metrics.get(metric) {
        Some(MetricValue::Value(value)) => Some(round::decimals(*value, 6).to_string()),
        _ => None,
    });
    values.filter_map(|value| value.split_once('.').map(|(_, fraction)| fraction.len())).max().unwrap_or(0)
}

fn cells(row: &Row, board: &Leaderboard, decimals: &[usize]) -> Vec<String> {
    let (name, team) = who(&row.who);
    let rank = row.rank.map_or("–".to_owned(), |rank| rank.to_string());
    let frontier = if row.on_frontier { "◆" } else { "" };
    let mut cells = vec![rank, frontier.to_owned(), name, report::scored(row.score)];
    cells.extend(board.metrics.iter().zip(decimals).map(|(metric, decimals)| match row.metrics.get(&metric.name) {
        Some(MetricValue::Value(value)) => format!("{value:.decimals$}"),
        Some(MetricValue::Undefined(_)) => "undefined".to_owned(),
        None => String::new(),
    }));
    cells.push(row.flops_per_sample.map(|flops| si(flops, "").trim_end().to_owned()).unwrap_or_default());
    if board.anchors.is_some() {
        cells.push(row.efficiency.map(|share| format!("{share:.4}")).unwrap_or_default());
    }
    cells.push(row.gco2e_per_sample.map(|grams| si(grams, "g")).unwrap_or_default());
    cells.push(row.parameters.map(grouped).unwrap_or_default());
    cells.push(team);
    cells.push(row.submissions.to_string());
    cells
}

/// Name and team.
fn who(who: &Who) -> (String, String) {
    match who {
        Who::Builder { builder, team, .. } => (builder.to_string(), team.to_string()),
        Who::House { name } => (format!("{} (house)", line(name)), String::new()),
    }
}

fn unranked(unranked: &[Unranked]) -> Columns {
    let mut table = Columns::default().text("builder", 0).numbers("metric", 1).numbers("FLOPs", 2).text("why", 0);
    for one in unranked {
        let reason = match one.reason {
            UnrankedReason::BelowFloor => "below the floor of the composite score",
            UnrankedReason::Transductive => "answers depend on other rows",
            UnrankedReason::Undefined => "the metric has no value",
        };
        table.row(vec![
            who(&one.who).0,
            one.metric.map(|metric| round::decimals(metric, 6).to_string()).unwrap_or_default(),
            one.flops_per_sample.map(|flops| si(flops, "").trim_end().to_owned()).unwrap_or_default(),
            reason.to_owned(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

    use serde_json::{Value, json};

    use super::*;

    fn board(edit: impl FnOnce(&mut Value)) -> Leaderboard {
        let mut board = json!({
            "challenge": "toy", "version": 7, "changed_at": "2026-11-22T10:00:00Z", "anchors": null, "frozen": false, "shown_share": null,
            "practice": false, "first": 0, "total": 2, "next": null, "frontier": [], "points": [],
            "points_left_out": 0, "unranked": [],
            "metrics": [{"name": "accuracy", "title": "Accuracy", "better": "higher", "min": 0.0, "max": 1.0},
                {"name": "log_loss", "title": "Log loss", "better": "lower", "min": 0.0, "max": null}],
            "rows": [
                {"rank": 1, "who": {"kind": "builder", "builder": "ada", "team": "engines",
                    "submission": "018bcfe5-687b-7000-8000-000000000001"}, "score": 64.43,
                "metrics": {"accuracy": {"value": 0.9004}, "log_loss": {"undefined": "no row"}},
                "flops_per_sample": 417_000.0, "gco2e_per_sample": 1.69e-8, "efficiency": null, "parameters": 197_120,
                "component_bytes": 1, "on_frontier": true, "dominated_by": null, "submissions": 12,
                "submitted_at": null},
                {"rank": null, "who": {"kind": "house", "name": "mean\u{1b}c"}, "score": 0.0,
                "metrics": {"accuracy": {"value": 0.5}}, "flops_per_sample": null, "gco2e_per_sample": null,
                "efficiency": null, "parameters": null, "component_bytes": null, "on_frontier": false,
                "dominated_by": "ada", "submissions": 0, "submitted_at": null}]
        });
        edit(&mut board);
        serde_json::from_value(board).unwrap()
    }

    #[test]
    fn a_board_shows_units_directions_and_the_frontier() {
        let expected = "\
toy, version 7, changed 2026-11-22 10:00:00Z

rank     builder        score  accuracy ↑  log_loss ↓  FLOPs ↓  gCO2e ↓  parameters  team     results
   1  ◆  ada            64.43      0.9004   undefined    417 k  16.9 ng     197,120  engines       12
   –     meanc (house)   0.00      0.5000                                                           0
";
        let text = text(&board(|_| ()), None);
        assert!(text.starts_with(expected), "{text}");
        assert!(text.contains("five times"), "{text}");
    }

    #[test]
    fn a_narrow_terminal_keeps_rank_builder_and_metric() {
        let text = text(&board(|_| ()), Some(32));
        let head = text.lines().nth(2).unwrap();
        assert!(head.starts_with("rank") && head.ends_with("accuracy ↑") && !head.contains("team"), "{head}");
    }

    #[test]
    fn a_composite_board_shows_its_anchors_and_efficiency() {
        let text = text(
            &board(|board| {
                board["anchors"] =
                    json!({"median_flops": 417_000.0, "p10_flops": 98_400.0, "members": 4, "provisional": true});
                board["rows"][0]["efficiency"] = json!(0.5);
            }),
            None,
        );
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[1],
            "costs against the field: median 417 kFLOP, tenth percentile 98.4 kFLOP; provisional: fewer than five teams"
        );
        assert!(lines[3].contains("score ↑") && lines[3].contains("efficiency ↑"), "{text}");
        assert!(lines[4].contains("0.5000"), "{text}");
    }

    #[test]
    fn an_empty_final_board_says_so() {
        let text = text(
            &board(|board| {
                board["rows"] = json!([]);
                board["frozen"] = json!(true);
            }),
            None,
        );
        assert_eq!(text, "toy, version 7, changed 2026-11-22 10:00:00Z, final\n\nno released results\n");
    }
}
