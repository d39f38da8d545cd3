//! Curves of a validation run, and bars by day, as small plots.

use std::collections::BTreeMap;

use maud::{Markup, html};
use thimble_api::operator::DayUse;
use thimble_challenge::result::CurvePoint;

use crate::layout::short;
use crate::scale::Linear;
use crate::text::{count, plain, real};

/// Size of a curve in its own units.
const WIDTH: f64 = 340.0;
const HEIGHT: f64 = 150.0;
const LEFT: f64 = 46.0;
const BOTTOM: f64 = 126.0;
/// Points that a line is drawn of; more would be closer than a pixel.
const MOST_POINTS: usize = 400;
/// Curves that are shown.
const MOST_CURVES: usize = 12;

/// The curves of a run, each on axes of its own.
pub(crate) fn curves(curves: &BTreeMap<String, Vec<CurvePoint>>) -> Markup {
    html! {
        div.cards { @for (name, points) in curves.iter().take(MOST_CURVES) { (curve(name, points)) } }
        @if curves.len() > MOST_CURVES {
            p.quiet {
                (count((curves.len() - MOST_CURVES) as u64, "further curve is", "further curves are"))
                " in the answer of the API."
            }
        }
    }
}

fn curve(name: &str, points: &[CurvePoint]) -> Markup {
    let values: Vec<(u64, f64)> =
        points.iter().filter_map(|point| Some((point.step, point.value.filter(|value| value.is_finite())?))).collect();
    let axes = Linear::over(values.iter().map(|(step, _)| *step as f64), LEFT, WIDTH - 8.0).zip(Linear::over(
        values.iter().map(|(_, value)| *value),
        BOTTOM,
        8.0,
    ));
    html! {
        figure.card {
            figcaption { strong { bdi { (plain(name)) } } " " span.quiet { (summary(&values)) } }
            @if let Some((x, y)) = axes {
                svg.curve viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label={ "Curve: " (plain(name)) ", " (summary(&values)) } {
                    g.axes {
                        @for (value, label) in y.ticks() {
                            path d={ "M" (LEFT) " " (short(y.at(value))) "H" (WIDTH - 8.0) } {}
                            text x=(LEFT - 6.0) y=(short(y.at(value) + 4.0)) text-anchor="end" { (label) }
                        }
                        @for (value, label) in x.ticks().into_iter().filter(|(value, _)| value.fract() == 0.0 && *value >= 0.0) {
                            text x=(short(x.at(value))) y=(BOTTOM + 17.0) text-anchor="middle" { (label) }
                        }
                    }
                    @if values.len() == 1 {
                        @for (step, value) in &values {
                            circle.line cx=(short(x.at(*step as f64))) cy=(short(y.at(*value))) r="3" {}
                        }
                    } @else { polyline.line points=(line(&values, &x, &y)) {} }
                }
            }
        }
    }
}

fn line(values: &[(u64, f64)], x: &Linear, y: &Linear) -> String {
    let stride = values.len().div_ceil(MOST_POINTS).max(1);
    let last = values.len().saturating_sub(1);
    let kept = values.iter().enumerate().filter(|(i, _)| i.is_multiple_of(stride) || *i == last);
    let places: Vec<_> =
        kept.map(|(_, (step, value))| format!("{},{}", short(x.at(*step as f64)), short(y.at(*value)))).collect();
    places.join(" ")
}

fn summary(values: &[(u64, f64)]) -> String {
    match (values.first(), values.last()) {
        (Some((_, first)), Some((step, last))) if values.len() > 1 => {
            format!("{} → {} at step {step}", three(*first), three(*last))
        }
        (Some((step, value)), _) => format!("{} at step {step}", three(*value)),
        _ => "no finite value".to_owned(),
    }
}

/// A number to four significant digits.
pub(crate) fn three(value: f64) -> String {
    real(thimble_challenge::round::significant(value, 4))
}

/// Height of the bars by day, and of the whole plot.
const BARS: f64 = 120.0;

/// Submissions of each day: official ones below, validation ones above.
pub(crate) fn days(days: &[DayUse]) -> Markup {
    let most = days.iter().map(|day| day.official.saturating_add(day.validation)).max().unwrap_or(0).max(1) as f64;
    let width = 720.0 / days.len().max(1) as f64;
    let bars = days.iter().enumerate().map(|(i, day)| {
        let (official, validation) = (day.official as f64 / most * BARS, day.validation as f64 / most * BARS);
        (i as f64 * width, official, validation, day)
    });
    html! {
        figure {
            div.scroll tabindex="0" role="region" aria-label="Plot of submissions by day" {
                svg.days viewBox="0 0 760 160" role="img" aria-label="Submissions by day; the table below says the same" {
                    g transform="translate(36 12)" {
                        g.axes {
                            path d={ "M0 0H720M0 " (BARS) "H720" } {}
                            text x="-6" y="4" text-anchor="end" { (most) }
                            text x="-6" y=(BARS + 4.0) text-anchor="end" { "0" }
                        }
                        @for (x, official, validation, day) in bars {
                            g {
                                title {
                                    (plain(&day.day)) ": " (day.official) " official, " (day.validation) " validation"
                                }
                                rect.official x=(short(x + 1.0)) y=(short(BARS - official)) width=(short(width - 2.0)) height=(short(official)) {}
                                rect.validation x=(short(x + 1.0)) y=(short(BARS - official - validation)) width=(short(width - 2.0)) height=(short(validation)) {}
                            }
                        }
                        g.axes {
                            @if let Some(first) = days.first() { text x="0" y=(BARS + 22.0) { (plain(&first.day)) } }
                            @if let Some(last) = days.last() {
                                text x="720" y=(BARS + 22.0) text-anchor="end" { (plain(&last.day)) }
                            }
                        }
                    }
                }
            }
            figcaption {
                ul.legend { li { span.key.official {} "official" } li { span.key.validation {} "validation" } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_curve_keeps_its_end_and_few_points() {
        let points: Vec<_> = (0..10_001).map(|step| CurvePoint { step, value: Some(step as f64) }).collect();
        let html = curve("loss", &points).into_string();
        let line = html.split("points=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        let places = line.split(' ').count();
        assert!((300..=402).contains(&places), "{places}");
        assert!(html.contains("0 → 10000 at step 10000"), "{html}");
    }

    #[test]
    fn a_curve_of_nothing_finite_says_so() {
        let html = curve("loss", &[CurvePoint { step: 1, value: None }]).into_string();
        assert!(html.contains("no finite value") && !html.contains("<svg"), "{html}");
    }
}
