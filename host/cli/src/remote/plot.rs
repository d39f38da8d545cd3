//! The frontier as characters: the metric upwards, FLOPs per sample to the right on a logarithmic axis.

use thimble_api::challenge::MetricView;
use thimble_api::leaderboard::{FrontierPoint, Who};
use thimble_challenge::score::si;
use thimble_client::line;

use crate::report::sparkline;

/// Lines of the plot without its axis.
const HEIGHT: usize = 12;
/// The widest plot without its labels.
const WIDTH: usize = 64;
/// The narrowest.
const MIN_WIDTH: usize = 24;
/// Characters of the labels on the left.
const MARGIN: usize = 10;

/// What a character stands for; the later covers the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Nothing,
    Other,
    House,
    Frontier,
    Own,
}

impl Mark {
    fn of(point: &FrontierPoint) -> Self {
        match (&point.who, point.own, point.on_frontier) {
            (_, true, _) => Self::Own,
            (_, _, true) => Self::Frontier,
            (Who::House { .. }, ..) => Self::House,
            (Who::Builder { .. }, ..) => Self::Other,
        }
    }

    const fn character(self) -> char {
        match self {
            Self::Nothing => ' ',
            Self::Other => '·',
            Self::House => '□',
            Self::Frontier => '◆',
            Self::Own => '●',
        }
    }
}

/// A range of finite values that is not empty.
#[derive(Debug, Clone, Copy)]
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        Self { low, high }
    }

    /// The cell of `value` among `cells`; the middle one where all values are equal.
    fn cell(self, value: f64, cells: usize) -> usize {
        // Halved first: the range of finite values may be infinite.
        let share = (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.5 };
        (share * (cells - 1) as f64).round() as usize
    }
}

/// The plot for a terminal of `width`; a sparkline of the frontier where that is narrow; nothing for fewer than two points.
pub(super) fn plot(points: &[FrontierPoint], metric: Option<&MetricView>, width: Option<usize>) -> String {
    let points: Vec<_> =
        points.iter().filter(|point| point.metric.is_finite() && point.flops_per_sample > 0.0).collect();
    let Some(metric) = metric.filter(|_| points.len() > 1) else { return String::new() };
    let room = width.map_or(WIDTH, |width| width.saturating_sub(MARGIN + 2)).min(WIDTH);
    if room < MIN_WIDTH {
        return narrow(&points, metric, room);
    }
    let upwards = Axis::over(points.iter().map(|point| point.metric));
    let right = Axis::over(points.iter().map(|point| point.flops_per_sample.log10()));
    let mut cells = vec![vec![Mark::Nothing; room]; HEIGHT];
    for point in &points {
        let row = HEIGHT - 1 - upwards.cell(point.metric, HEIGHT);
        let column = right.cell(point.flops_per_sample.log10(), room);
        if let Some(cell) = cells.get_mut(row).and_then(|row| row.get_mut(column)) {
            *cell = (*cell).max(Mark::of(point));
        }
    }
    let mut text = format!("{} {}\n", line(&metric.title), super::board::arrow(metric.better));
    for (index, row) in cells.iter().enumerate() {
        let label = match index {
            0 => format!("{:.4}", upwards.high),
            _ if index == HEIGHT - 1 => format!("{:.4}", upwards.low),
            _ => String::new(),
        };
        let row: String = row.iter().map(|mark| mark.character()).collect();
        text += format!("{label:>MARGIN$} │{row}").trim_end();
        text.push('\n');
    }
    let (low, high) = (10_f64.powf(right.low), 10_f64.powf(right.high));
    let (low, high) = (si(low, "FLOP"), format!("{} per sample ↓", si(high, "FLOP")));
    let gap = room.saturating_sub(low.chars().count() + high.chars().count()).max(1);
    text += &format!("{:>MARGIN$} └{}\n", "", "─".repeat(room));
    text += &format!("{:>MARGIN$}  {low}{}{high}\n", "", " ".repeat(gap));
    text += &format!("{:>MARGIN$}  ◆ frontier  ● yours  □ house baseline  · others\n", "");
    text
}

/// The frontier's metric by ascending FLOPs.
fn narrow(points: &[&FrontierPoint], metric: &MetricView, width: usize) -> String {
    let mut frontier: Vec<_> = points.iter().filter(|point| point.on_frontier).collect();
    frontier.sort_by(|a, b| a.flops_per_sample.total_cmp(&b.flops_per_sample));
    let values: Vec<f64> = frontier.iter().map(|point| point.metric).collect();
    format!("{} over FLOPs\n{}\n", line(&metric.title), sparkline(&values, width.max(8)))
}

#[cfg(test)]
mod tests {
    use thimble_api::challenge::Better;

    use super::*;

    fn point(metric: f64, flops: f64, on_frontier: bool, own: bool) -> FrontierPoint {
        FrontierPoint { who: Who::House { name: "m".to_owned() }, metric, flops_per_sample: flops, on_frontier, own }
    }

    fn accuracy() -> MetricView {
        MetricView {
            name: "accuracy".to_owned(),
            title: "Accuracy".to_owned(),
            better: Better::Higher,
            min: Some(0.0),
            max: Some(1.0),
        }
    }

    /// Corners: the cheapest and worst point is at the lower left, the dearest and best at the upper right.
    #[test]
    fn the_axes_span_the_points() {
        let points = [point(0.5, 1e3, true, false), point(0.75, 1e6, false, false), point(1.0, 1e9, true, true)];
        let text = plot(&points, Some(&accuracy()), Some(46));
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "Accuracy ↑");
        assert_eq!(lines[1], format!("    1.0000 │{}●", " ".repeat(33)));
        assert_eq!(lines[12], "    0.5000 │◆");
        assert_eq!(lines[14], "            1.00 kFLOP 1.00 GFLOP per sample ↓");
        // The middle of both axes: 1 MFLOP is half-way between 1 k and 1 G.
        let middle = lines.iter().position(|line| line.contains('□')).map(|row| (row, lines[row].chars().count()));
        assert_eq!(middle, Some((6, 12 + 18)));
    }

    #[test]
    fn a_narrow_terminal_gets_a_sparkline_and_a_single_point_nothing() {
        let points = [point(0.9, 1e9, true, false), point(0.5, 1e3, true, false), point(0.7, 1e6, false, false)];
        assert_eq!(plot(&points, Some(&accuracy()), Some(20)), "Accuracy over FLOPs\n▁█\n");
        assert_eq!(plot(&points[..1], Some(&accuracy()), None), "");
        assert_eq!(plot(&points, None, None), "");
    }

    #[test]
    fn equal_and_extreme_points_stay_inside() {
        for values in [(0.5, 0.5), (f64::MIN, f64::MAX), (f64::MIN_POSITIVE, f64::MAX)] {
            let points = [point(values.0, f64::MIN_POSITIVE, false, false), point(values.1, f64::MAX, false, false)];
            assert_eq!(plot(&points, Some(&accuracy()), None).matches('□').count(), 3, "{values:?}");
        }
    }
}
