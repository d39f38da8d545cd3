//! The drawing of a challenge: the ranking metric against FLOPs per sample, and the frontier as a staircase.
//!
//! Plain SVG 1.1 with a style sheet for light and dark surroundings and an opaque ground, so that it is readable on any
//! page; 440 units wide with 13-unit text, so that it is on a phone.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use thimble_challenge::Challenge;
use thimble_metrics::Direction;

use crate::axis::Axis;
use crate::figures::{Row, Standing, direction, standings};
use crate::labels::{Anchor, Label, Position, Rectangle, Scene};

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 420.0;
/// Where data is drawn.
const AREA: Rectangle = Rectangle { left: 50.0, top: 62.0, right: WIDTH - 22.0, bottom: HEIGHT - 50.0 };
/// Labels keep this much off the frame.
const INSET: f64 = 4.0;
/// A line of text, and the width of its average letter in the widest usual sans-serif (DejaVu Sans).
const LINE: f64 = 15.0;
const LETTER: f64 = 7.6;
/// From the middle of a line to its base.
const BASE: f64 = 4.5;

/// GitHub's colours for text, lines and links.
const STYLE: &str = "\
.ground{fill:#ffffff}.text{fill:#1f2328}.quiet{fill:#59636e}.grid{stroke:#d1d9e0}.leader{stroke:#818b98}
.step{stroke:#0969da}.under{fill:#0969da;fill-opacity:.08}.member{fill:#0969da;stroke:#ffffff}
.dominated{fill:none;stroke:#818b98}
@media(prefers-color-scheme:dark){
.ground{fill:#0d1117}.text{fill:#f0f6fc}.quiet{fill:#9198a1}.grid{stroke:#3d444d}.leader{stroke:#656c76}
.step{stroke:#4493f8}.under{fill:#4493f8;fill-opacity:.12}.member{fill:#4493f8;stroke:#0d1117}
.dominated{fill:none;stroke:#9198a1}}";

/// The drawing, with a final newline.
pub(crate) fn svg(challenge: &Challenge, rows: &BTreeMap<String, Row>) -> String {
    let direction = direction(challenge);
    Plot::of(&standings(rows, direction), challenge, direction).svg(challenge)
}

/// Values placed on the drawing.
struct Plot<'a> {
    flops: Axis,
    metric: Axis,
    /// Which way is up.
    direction: Direction,
    standings: &'a [Standing<'a>],
    points: Vec<Position>,
    /// Corners of the staircase, from the bottom of the cheapest member to the right edge.
    steps: Vec<Position>,
}

impl<'a> Plot<'a> {
    fn of(standings: &'a [Standing<'a>], challenge: &Challenge, direction: Direction) -> Self {
        let most = challenge.ranking_metric().and_then(|m| m.range.max);
        let flops = Axis::logarithmic(standings.iter().map(|standing| standing.point.flops));
        let metric = Axis::linear(standings.iter().map(|standing| standing.point.metric), most);
        let mut plot = Self { flops, metric, direction, standings, points: Vec::new(), steps: Vec::new() };
        plot.points = standings.iter().map(|s| (plot.x(s.point.flops), plot.y(s.point.metric))).collect();
        for (standing, &(x, y)) in standings.iter().zip(&plot.points) {
            if standing.dominated_by.is_none() {
                let before = plot.steps.last().map_or(AREA.bottom, |last| last.1);
                plot.steps.extend([(x, before), (x, y)]);
            }
        }
        plot.steps.extend(plot.steps.last().map(|last| (AREA.right, last.1)));
        plot
    }

    fn x(&self, flops: f64) -> f64 {
        AREA.left + self.flops.position(flops) * (AREA.right - AREA.left)
    }

    /// Better is up.
    fn y(&self, metric: f64) -> f64 {
        let height = match self.direction {
            Direction::HigherIsBetter => self.metric.position(metric),
            Direction::LowerIsBetter => 1.0 - self.metric.position(metric),
        };
        AREA.bottom - height * (AREA.bottom - AREA.top)
    }

    fn labels(&self) -> Vec<Label> {
        let widths: Vec<f64> =
            self.standings.iter().map(|standing| standing.solution.chars().count() as f64 * LETTER).collect();
        let Rectangle { left, top, right, bottom } = AREA;
        let area = Rectangle { left: left + INSET, top: top + INSET, right: right - INSET, bottom: bottom - INSET };
        Scene { points: &self.points, widths: &widths, height: LINE, line: &self.steps, area }.labels()
    }

    fn svg(&self, challenge: &Challenge) -> String {
        let metric = &challenge.ranking.metric;
        let title = escaped(&challenge.title);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"580\" role=\"img\" \
             font-family=\"-apple-system,'Segoe UI',Helvetica,Arial,sans-serif\" font-size=\"13\">\n\
             <title>{title}: {metric} against FLOPs per sample</title>\n<style>\n{STYLE}\n</style>\n\
             <rect class=\"ground\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"6\"/>\n\
             <text class=\"text\" x=\"14\" y=\"25\" font-size=\"16\" font-weight=\"600\">{title}</text>\n"
        );
        self.legend(&mut svg);
        self.axes(&mut svg, metric);
        self.staircase(&mut svg);
        let labels = self.labels();
        // Writing to a string cannot fail.
        for (&(x, y), label) in self.points.iter().zip(&labels) {
            if let Some((to_x, to_y)) = label.leader {
                let _ = writeln!(svg, "<path class=\"leader\" d=\"M{x:.1} {y:.1}L{to_x:.1} {to_y:.1}\"/>");
            }
        }
        // Rings after discs, which would hide them.
        for drawn in [true, false] {
            for (standing, &point) in self.standings.iter().zip(&self.points) {
                let member = standing.dominated_by.is_none();
                if member == drawn {
                    marker(&mut svg, member, point);
                }
            }
        }
        for (standing, label) in self.standings.iter().zip(&labels) {
            let place = &label.place;
            let (anchor, x) = match label.anchor {
                Anchor::Start => ("start", place.left),
                Anchor::Middle => ("middle", (place.left + place.right) / 2.0),
                Anchor::End => ("end", place.right),
            };
            let class = if standing.dominated_by.is_none() { "text" } else { "quiet" };
            let y = (place.top + place.bottom) / 2.0 + BASE;
            text(&mut svg, class, anchor, (x, y), standing.solution);
        }
        svg + "</svg>\n"
    }

    fn legend(&self, svg: &mut String) {
        const Y: f64 = 44.0;
        marker(svg, true, (20.0, Y));
        text(svg, "quiet", "start", (30.0, Y + BASE), "non-dominated");
        marker(svg, false, (146.0, Y));
        text(svg, "quiet", "start", (156.0, Y + BASE), "dominated");
    }

    fn axes(&self, svg: &mut String, metric: &str) {
        let Rectangle { left, top, right, bottom } = AREA;
        let mut lines = String::new();
        for tick in &self.flops.ticks {
            let x = self.x(tick.value);
            let _ = write!(lines, "M{x:.1} {top:.1}V{bottom:.1}");
            text(svg, "quiet", "middle", (x, bottom + 18.0), &tick.text);
        }
        for tick in &self.metric.ticks {
            let y = self.y(tick.value);
            let _ = write!(lines, "M{left:.1} {y:.1}H{right:.1}");
            text(svg, "quiet", "end", (left - 7.0, y + BASE), &tick.text);
        }
        let _ = writeln!(svg, "<path class=\"grid\" stroke-width=\".75\" fill=\"none\" d=\"{lines}\"/>");
        text(svg, "text", "end", (right, top - 14.0), &format!("↑ {metric}"));
        text(svg, "text", "end", (right, bottom + 39.0), "FLOPs per sample, logarithmic →");
    }

    fn staircase(&self, svg: &mut String) {
        let (Some(first), Some(last)) = (self.steps.first(), self.steps.last()) else { return };
        let corners: Vec<_> = self.steps.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        let corners = corners.join("L");
        let floor = AREA.bottom;
        let _ = writeln!(
            svg,
            "<path class=\"under\" d=\"M{corners}L{:.1} {floor:.1}L{:.1} {floor:.1}Z\"/>",
            last.0, first.0
        );
        let _ = writeln!(svg, "<path class=\"step\" fill=\"none\" stroke-width=\"2\" d=\"M{corners}\"/>");
    }
}

/// A filled disc for a member of the frontier, a ring for what is dominated.
fn marker(svg: &mut String, member: bool, (x, y): Position) {
    let (class, radius) = if member { ("member", 5.5) } else { ("dominated", 4.5) };
    let _ =
        writeln!(svg, "<circle class=\"{class}\" stroke-width=\"1.5\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\"/>");
}

fn text(svg: &mut String, class: &str, anchor: &str, (x, y): Position, content: &str) {
    let content = escaped(content);
    let _ =
        writeln!(svg, "<text class=\"{class}\" text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{content}</text>");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use anyhow::Result;

    use super::*;
    use crate::figures::tests::{challenge, row, rows, trapped};

    #[test]
    fn every_scored_solution_is_drawn_and_named_once() -> Result<()> {
        let rows = rows(&[("mlp", row(0.91, 123_456.0)), ("a<b", row(0.8, 2_000.0)), ("broken", trapped())]);
        let svg = svg(&challenge()?, &rows);
        assert_eq!(svg.matches(">mlp</text>").count(), 1);
        assert_eq!(svg.matches(">a&lt;b</text>").count(), 1);
        assert!(!svg.contains("broken") && !svg.contains("NaN") && !svg.contains("a<b"), "{svg}");
        // Two of them are the legend's.
        assert_eq!((svg.matches("class=\"member\"").count(), svg.matches("class=\"dominated\"").count()), (3, 1));
        Ok(())
    }

    #[test]
    fn the_staircase_rises_at_every_member() -> Result<()> {
        let rows = rows(&[("b", row(0.9, 1e4)), ("a", row(0.8, 1e3)), ("c", row(0.85, 1e5))]);
        let standings = standings(&rows, Direction::HigherIsBetter);
        let plot = Plot::of(&standings, &challenge()?, Direction::HigherIsBetter);
        let (a, b) = (plot.points[0], plot.points[1]);
        assert_eq!(plot.steps, [(a.0, AREA.bottom), a, (b.0, a.1), b, (AREA.right, b.1)]);
        assert!(b.1 < a.1, "better is up");
        Ok(())
    }

    /// Of a metric that falls, the smaller value stands above.
    #[test]
    fn better_is_up_in_both_directions() -> Result<()> {
        let rows = rows(&[("a", row(0.8, 1e3)), ("b", row(0.9, 1e4))]);
        let standings = standings(&rows, Direction::LowerIsBetter);
        let plot = Plot::of(&standings, &challenge()?, Direction::LowerIsBetter);
        assert!(plot.points[0].1 < plot.points[1].1);
        assert_eq!(plot.steps.len(), 3);
        Ok(())
    }

    #[test]
    fn nothing_scored_is_an_empty_drawing() -> Result<()> {
        let svg = svg(&challenge()?, &rows(&[("broken", trapped())]));
        assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN") && !svg.contains("class=\"step\""), "{svg}");
        Ok(())
    }
}
