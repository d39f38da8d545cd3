//! From metric to score, from FLOPs to gCO2e, and how both are written for people.

use crate::challenge::{CarbonFactors, ScoreRule};
use crate::result::Score;
use crate::round;

impl ScoreRule {
    /// The score of a run by its ranking metric and its FLOPs a row.
    ///
    /// `LinearAboveBaseline`: `(metric − baseline) / (1 − baseline) × 100`, clamped to 0 … 100, the unclamped figure
    /// kept. `Metric`: the value itself. `Composite`: [`Composite::score`](crate::composite::Composite::score) against the
    /// house baselines alone, which a run needs no leaderboard for.
    pub fn score(&self, metric: f64, flops_per_sample: f64) -> Score {
        match self {
            Self::LinearAboveBaseline { baseline } => {
                let unclamped = (metric - baseline) / (1.0 - baseline) * 100.0;
                // `clamp` would keep −0.0.
                Score { value: if unclamped > 0.0 { unclamped.min(100.0) } else { 0.0 }, unclamped: Some(unclamped) }
            }
            Self::Metric => Score { value: metric, unclamped: Some(metric) },
            Self::Composite(composite) => composite.score(metric, flops_per_sample, &composite.house_anchors()),
        }
    }

    /// Whether a result with this ranking metric may be ranked.
    pub fn ranks(&self, metric: f64) -> bool {
        match self {
            Self::LinearAboveBaseline { .. } | Self::Metric => true,
            Self::Composite(composite) => composite.reaches_floor(metric),
        }
    }
}

impl Score {
    /// What a submission over the parameter limit gets.
    pub const ZERO: Self = Self { value: 0.0, unclamped: None };
}

impl CarbonFactors {
    /// Grams of CO2e: `flops × joules_per_flop × pue × grid_g_per_kwh / 3.6e6` (3.6e6 J are one kWh).
    pub fn grams(&self, flops: f64) -> f64 {
        flops * self.joules_per_flop * self.pue * self.grid_g_per_kwh / 3.6e6
    }
}

/// A quantity to three significant digits with an SI prefix, for example `40.5 µg` or `1.05 MFLOP`: never `0.00 mg`.
/// Outside the range of the prefixes the number is written with an exponent.
pub fn si(value: f64, unit: &str) -> String {
    const PREFIXES: [&str; 17] = ["y", "z", "a", "f", "p", "n", "µ", "m", "", "k", "M", "G", "T", "P", "E", "Z", "Y"];
    if value == 0.0 {
        return format!("0 {unit}");
    }
    let Some((digits, exponent)) = round::significant_digits(value, 3) else {
        return format!("{value} {unit}");
    };
    let group = exponent.div_euclid(3);
    let Some(prefix) = usize::try_from(group + 8).ok().and_then(|i| PREFIXES.get(i)) else {
        return format!("{value:.2e} {unit}");
    };
    let sign = if value < 0.0 { "-" } else { "" };
    let whole = usize::try_from(exponent.rem_euclid(3)).map_or(1, |n| n + 1);
    let digits = format!("{digits:0<3}");
    let (before, after) = digits.split_at(whole);
    let point = if after.is_empty() { "" } else { "." };
    format!("{sign}{before}{point}{after} {prefix}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The baseline of the 500k statement. Exact values are 100 × (accuracy − 72) / 28 by hand: 500/28 = 17.857…,
    /// 1000/28 = 35.714…, 1500/28 = 53.571…; the original statement cut them to 17, 35 and 53.
    #[test]
    fn linear_score_above_72_percent() {
        let rule = ScoreRule::LinearAboveBaseline { baseline: 0.72 };
        for (accuracy, expected) in
            [(0.72, 0.0), (0.77, 500.0 / 28.0), (0.82, 1000.0 / 28.0), (0.87, 1500.0 / 28.0), (1.0, 100.0)]
        {
            let score = rule.score(accuracy, 1e6);
            assert!((score.value - expected).abs() < 1e-9, "{accuracy}: {score:?}");
            assert_eq!(score.unclamped, Some(score.value));
        }
        assert_eq!(rule.score(0.72, 1e6).value, 0.0);
        assert_eq!(rule.score(1.0, 1e6).value, 100.0);
    }

    #[test]
    fn score_is_clamped_and_the_unclamped_value_kept() {
        let score = ScoreRule::LinearAboveBaseline { baseline: 0.72 }.score(0.44, 1e6);
        assert_eq!(score.value, 0.0);
        assert!(score.value.is_sign_positive());
        assert!((score.unclamped.unwrap_or_default() + 100.0).abs() < 1e-9);
        assert_eq!(ScoreRule::Metric.score(-3.5, 1e6), Score { value: -3.5, unclamped: Some(-3.5) });
    }

    /// DESIGN's reference solutions on the canonical data, rounded there to two decimals.
    #[test]
    fn reference_solutions_score_as_published() {
        let rule = ScoreRule::LinearAboveBaseline { baseline: 0.72 };
        for (correct, expected) in [(1004.0, 93.02), (1014.0, 96.51)] {
            assert_eq!(round::decimals(rule.score(correct / 1024.0, 1e6).value, 2), expected);
        }
    }

    /// 1e9 × 2e-10 J = 0.2 J; × 1.54 × 473 / 3.6e6 = 4.0468…e-5 g.
    #[test]
    fn a_gigaflop_is_40_5_micrograms() {
        let grams = CarbonFactors::default().grams(1e9);
        assert!((grams - 4.046_777_8e-5).abs() < 1e-12, "{grams}");
        assert_eq!(si(grams, "g"), "40.5 µg");
        assert_eq!(si(CarbonFactors::default().grams(1e15), "g"), "40.5 g");
    }

    #[test]
    fn quantities_have_three_digits_and_a_prefix() {
        for (value, text) in [
            (0.0, "0 g"),
            (1.0, "1.00 g"),
            (999.4, "999 g"),
            (999.5, "1.00 kg"),
            (12_345.0, "12.3 kg"),
            (0.000_4, "400 µg"),
            (1e-9, "1.00 ng"),
            (4e-30, "4.00e-30 g"),
            (-0.05, "-50.0 mg"),
            (f64::INFINITY, "inf g"),
        ] {
            assert_eq!(si(value, "g"), text);
        }
        assert_eq!(si(98_560.0, "FLOP"), "98.6 kFLOP");
    }
}
