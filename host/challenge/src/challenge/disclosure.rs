//! How much an official run can tell: the values that a builder can tell apart, counted from the challenge alone.
//!
//! A submission that has seen the private data may choose every figure that is published of it. So each figure is a
//! channel, and what it carries is the number of values it can take: `N` of them are at most log2 `N` bits, whatever the
//! code that chooses (`docs/threat-model.md`).

use thimble_datasets::Field;
use thimble_metrics::{Metric, Range};

use super::{Challenge, MAX_TEST_ROWS, ReleaseRule, RowRule};
use crate::round;
use crate::units::{FUEL_PER_FLOP, Fuel, INSTANTIATION_FUEL};

/// Bytes of arguments or results that cost one fuel, in every tariff so far.
pub const BYTES_PER_FUEL: u64 = 16;

/// The values that a builder can tell apart, of each figure that an official run publishes.
#[derive(Debug, Clone, PartialEq)]
pub struct Disclosure {
    /// Of each published metric, by registry name, the ranking one first; undefined is one of them.
    pub metrics: Vec<(&'static str, f64)>,
    /// Of all metrics together, once more at the close: 1 where the test rows are not parted.
    pub at_the_close: f64,
    /// FLOPs per sample between the least that a prediction costs and its budget, to the published digits.
    pub flops: f64,
    /// 2 where the answer to whether rows were predicted independently is published, else 1.
    pub transductive: f64,
    /// Ends without figures: failed, over the parameter limit, our fault, cancelled (by the builder, but only in time), and
    /// not improved where that is a rule.
    pub endings: f64,
    /// Releases that the length of a run can choose between: ticks, or milliseconds where there is no tick.
    pub releases: f64,
}

impl Disclosure {
    /// Of a valid challenge.
    pub fn of(challenge: &Challenge) -> Self {
        let release = &challenge.release;
        let metrics: Vec<_> = challenge.metrics().map(|metric| (metric.name, release.values(metric) + 1.0)).collect();
        let at_the_close = match release.shown_share {
            Some(_) => metrics.iter().map(|(_, values)| values).product(),
            None => 1.0,
        };
        Self {
            metrics,
            at_the_close,
            flops: flops_values(challenge),
            transductive: if challenge.rows == RowRule::Independent { 2.0 } else { 1.0 },
            endings: 4.0 + f64::from(u8::from(release.improvement.is_some())),
            releases: release_values(challenge.limits.wall_seconds, release.tick_seconds),
        }
    }

    /// What one official run tells its builder at most: log2((metrics × metrics at the close × FLOPs × transductive +
    /// endings) × releases).
    pub fn bits(&self) -> f64 {
        let figures: f64 = self.metrics.iter().map(|(_, values)| values.log2()).sum();
        let scored = figures + self.at_the_close.log2() + self.flops.log2() + self.transductive.log2();
        // log2(2^scored + endings), which no number of metrics makes infinite.
        scored + libm::log1p(self.endings * (-scored).exp2()) / std::f64::consts::LN_2 + self.releases.log2()
    }

    /// What a builder learns in a day, at most, with `submissions` that count and `failures` that do not: a transcript is
    /// `submissions` ends, among which the failures stand anywhere, and each of them has a release.
    pub fn bits_a_day(&self, submissions: u32, failures: u32) -> f64 {
        let places: f64 = (1..=failures).map(|i| (f64::from(submissions + i) / f64::from(i)).log2()).sum();
        f64::from(submissions) * self.bits() + places + f64::from(failures) * self.releases.log2()
    }

    /// Each figure and its number of values, in the order of the published block.
    pub fn figures(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let again = (self.at_the_close > 1.0).then_some(("metrics at the close", self.at_the_close));
        let rest = [
            ("FLOPs a row", self.flops),
            ("transductive", self.transductive),
            ("ends without figures", self.endings),
            ("releases", self.releases),
        ];
        self.metrics.iter().copied().chain(again).chain(rest)
    }
}

impl Challenge {
    /// The bits that the labels of `rows` test rows hold at most; none where a row has no single class.
    pub fn label_bits(&self, rows: u64) -> Option<f64> {
        use thimble_datasets::TaskKind::{ImageClassification, TabularClassification, TextClassification};
        match &self.task {
            ImageClassification(classes) | TextClassification(classes) | TabularClassification(classes) => {
                Some(rows as f64 * f64::from(classes.classes).log2())
            }
            _ => None,
        }
    }
}

impl ReleaseRule {
    /// The values that the published figure of a metric can take.
    fn values(&self, metric: &Metric) -> f64 {
        let (decimals, digits) = (-i64::from(self.metric_decimals), self.metric_decimals);
        let on_grid = |low: f64, high: f64, place: i64| {
            let [low, high] = [low, high].map(|end| round::to_place(end, place));
            ((high - low) * 10f64.powi(-(place as i32))).round() + 1.0
        };
        match (self.bounds.get(metric.name), metric.range) {
            (Some(bounds), _) => on_grid(bounds.low, bounds.high, self.place(bounds)),
            (None, Range { min: Some(min), max: Some(max) }) => on_grid(min, max, decimals),
            (None, Range { min, .. }) => {
                let magnitudes = significant_values(super::OPEN_END.recip(), super::OPEN_END, digits);
                // Zero is one more; where there is no least value, there are negative ones.
                if min.is_some_and(|min| min >= 0.0) { magnitudes + 1.0 } else { 2.0 * magnitudes + 1.0 }
            }
        }
    }
}

/// The values to `digits` significant digits between two positive numbers, both ends rounded.
fn significant_values(low: f64, high: f64, digits: u32) -> f64 {
    let decade = 9.0 * 10f64.powi(digits as i32 - 1);
    // The place of a rounded value among all: nine leading digits a decade.
    let place = |value: f64| {
        let (text, exponent) = round::significant_digits(value, digits).unwrap_or_default();
        let mantissa: f64 = format!("{text:0<width$}", width = digits as usize).parse().unwrap_or(0.0);
        f64::from(exponent) * decade + mantissa
    };
    place(high) - place(low) + 1.0
}

fn flops_values(challenge: &Challenge) -> f64 {
    let limits = &challenge.limits;
    let fixed = |field: &Field| match (field.ragged, field.dtype.bytes()) {
        (false, Some(bytes)) => bytes as u64 * field.shape.iter().map(|&n| u64::from(n)).product::<u64>(),
        // Text may be empty, and a row may have no objects.
        _ => 0,
    };
    let moved = |bytes: u64| bytes / BYTES_PER_FUEL;
    let transfers = moved(challenge.inputs().map(fixed).sum()) + moved(challenge.outputs().iter().map(fixed).sum());
    let least = match transfers {
        // One fuel for all the rows there can be.
        0 => 1.0 / (FUEL_PER_FLOP * MAX_TEST_ROWS) as f64,
        transfers => Fuel(transfers).flops(),
    };
    // The instance's start and `load` have budgets of their own, which a test of one row does not spread over others.
    let most = limits.prediction_flops_per_sample.0 as f64 + INSTANTIATION_FUEL.flops() + limits.load_fuel().flops();
    significant_values(least, most, challenge.release.flops_digits)
}

/// The compilation is over before any data is touched: what remains of a run has at most the challenge's wall clock.
fn release_values(wall_seconds: u64, tick_seconds: u64) -> f64 {
    let whole = match tick_seconds {
        0 => wall_seconds.saturating_mul(1_000),
        tick => wall_seconds.div_ceil(tick),
    };
    whole as f64 + 1.0
}

#[cfg(test)]
#[path = "disclosure_tests.rs"]
mod tests;
