//! How text, numbers and times are written.

use maud::{Markup, html};
use thimble_api::challenge::{Better, MetricView};
use thimble_api::{Compute, Timestamp};
use thimble_challenge::round;
use thimble_challenge::score::si;
use thimble_metrics::MetricValue;

/// In the place of a value that there is not.
pub(crate) const NONE: &str = "–";

/// Text that was written by someone else. It is escaped, and turns the direction of nothing around it: `<bdi>`
/// isolates it, and marks that end an isolation, like control characters, become U+FFFD.
pub(crate) fn foreign(text: &str) -> Markup {
    html! { bdi { (plain(text)) } }
}

/// The same, for places that take no elements: titles, attributes, SVG.
pub(crate) fn plain(text: &str) -> String {
    let mark =
        |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}');
    let legal = |c: char| !(mark(c) || c.is_control() && !matches!(c, '\n' | '\t'));
    text.chars().map(|c| if legal(c) { c } else { '\u{fffd}' }).collect()
}

/// A part of a path.
pub(crate) fn path(part: &str) -> String {
    percent_encoding::utf8_percent_encode(part, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A point in time, to the minute.
pub(crate) fn time(at: Timestamp) -> Markup {
    let full = at.to_string();
    let shown: String = full.chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect();
    html! { time datetime=(full) { (shown) " UTC" } }
}

/// The same to the second: of what moves.
pub(crate) fn clock(at: Timestamp) -> Markup {
    let full = at.to_string();
    let shown: String = full.chars().take(19).map(|c| if c == 'T' { ' ' } else { c }).collect();
    html! { time datetime=(full) { (shown) " UTC" } }
}

/// Seconds as people say them.
pub(crate) fn seconds(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds.div_ceil(60)),
        7200..=172_799 => format!("{} h", seconds.div_ceil(3_600)),
        _ => format!("{} days", seconds.div_ceil(86_400)),
    }
}

/// An arrow, and what it means to those who do not see it.
pub(crate) fn arrow(better: Better) -> Markup {
    let (sign, meaning) = direction(better);
    html! { span.arrow title=(meaning) aria-hidden="true" { (sign) } span.unseen { " (" (meaning) ")" } }
}

/// The arrow, and what it means.
pub(crate) const fn direction(better: Better) -> (&'static str, &'static str) {
    match better {
        Better::Higher => ("↑", "higher is better"),
        Better::Lower => ("↓", "lower is better"),
        Better::NearerToZero => ("→0", "nearer to zero is better"),
    }
}

/// A metric's value as it is published: to `digits` places where its range has both ends, to as many significant
/// digits otherwise.
pub(crate) fn metric(value: f64, view: &MetricView, digits: u32) -> String {
    if view.min.is_some() && view.max.is_some() {
        return format!("{:.*}", digits as usize, round::decimals(value, digits));
    }
    let value = round::significant(value, digits);
    if value == 0.0 || !(1e-4..1e7).contains(&value.abs()) {
        return real(value);
    }
    // The first digit's place: 0 for ones, 1 for tens. A logarithm would be off by one somewhere.
    let first = format!("{value:e}").split_once('e').and_then(|(_, place)| place.parse().ok()).unwrap_or(0_i32);
    format!("{value:.*}", usize::try_from(digits as i32 - 1 - first).unwrap_or(0))
}

/// The same of a value that may be undefined, with the reason where it is.
pub(crate) fn metric_value(value: Option<&MetricValue>, view: &MetricView, digits: u32) -> Markup {
    match value {
        None => html! { (NONE) },
        Some(MetricValue::Value(value)) => html! { (metric(*value, view, digits)) },
        Some(MetricValue::Undefined(why)) => html! { span.quiet title=(plain(why)) { "undefined" } },
    }
}

/// A number with its own digits.
pub(crate) fn real(value: f64) -> String {
    if value != 0.0 && !(1e-4..1e7).contains(&value.abs()) { format!("{value:e}") } else { value.to_string() }
}

/// FLOPs to three digits with a prefix.
pub(crate) fn flops(flops: Option<f64>) -> String {
    flops.filter(|flops| flops.is_finite()).map_or_else(|| NONE.to_owned(), |flops| si(flops, "FLOP"))
}

/// Grams to three digits with a prefix.
pub(crate) fn grams(grams: Option<f64>) -> String {
    grams.filter(|grams| grams.is_finite()).map_or_else(|| NONE.to_owned(), |grams| si(grams, "g"))
}

/// An amount of compute to three digits, in the unit of budgets.
pub(crate) fn compute(amount: Compute) -> String {
    si(amount.flops() as f64, "F")
}

/// Bytes to three digits with a binary prefix.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut size = bytes as f64;
    let mut unit = "B";
    for next in UNITS {
        if size < 1024.0 {
            break;
        }
        size /= 1024.0;
        unit = next;
    }
    let decimals = if unit == "B" || size >= 100.0 { 0 } else { usize::from(size < 10.0) + 1 };
    format!("{size:.decimals$} {unit}")
}

/// `1 builder`, `2 builders`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thimble_challenge::challenge::grouped(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_turns_nothing_around_it() {
        assert_eq!(foreign("a<\u{202e}\u{2069}\u{0}>").into_string(), "<bdi>a&lt;\u{fffd}\u{fffd}\u{fffd}&gt;</bdi>");
        assert_eq!(plain("two\nlines"), "two\nlines");
    }

    #[test]
    fn sizes_have_three_digits() {
        let sizes = [0, 1023, 1024, 262_144, 1_500_000, 4 << 30, u64::MAX].map(bytes);
        assert_eq!(sizes, ["0 B", "1023 B", "1.00 KiB", "256 KiB", "1.43 MiB", "4.00 GiB", "16.0 EiB"]);
    }

    #[test]
    fn a_wait_is_never_said_to_be_shorter_than_it_is() {
        assert_eq!(
            [0, 119, 121, 7_199, 7_201, 172_801].map(seconds),
            ["0 s", "119 s", "3 min", "120 min", "3 h", "3 days"]
        );
    }

    #[test]
    fn a_metric_has_the_digits_that_are_published() {
        let view =
            |max| MetricView { name: "m".into(), title: "M".into(), better: Better::Higher, min: Some(0.0), max };
        assert_eq!(metric(0.9, &view(Some(1.0)), 4), "0.9000");
        for (value, text) in
            [(0.241, "0.2410"), (12.3, "12.30"), (1234.56, "1235"), (0.0, "0"), (1e-9, "1e-9"), (-3.0, "-3.000")]
        {
            assert_eq!(metric(value, &view(None), 4), text);
        }
        // Half to even on the decimal text, as figures are published.
        assert_eq!(metric(0.00015, &view(Some(1.0)), 4), "0.0002");
        assert_eq!(real(2e-10), "2e-10");
    }

    #[test]
    fn a_figure_that_is_none_is_a_dash_and_not_nan() {
        assert_eq!(
            [flops(None), flops(Some(f64::NAN)), grams(Some(4.05e-8)), flops(Some(0.0))],
            ["–", "–", "40.5 ng", "0 FLOP"]
        );
    }
}
