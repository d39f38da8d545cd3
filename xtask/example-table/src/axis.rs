//! Scales of a drawing: where a value stands, and the round values beside it.

use libm::{ceil, floor, log10};

/// Most ticks on a linear axis.
const MOST_TICKS: f64 = 8.0;

/// A round value of an axis.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub(crate) value: f64,
    pub(crate) text: String,
}

/// One dimension of a drawing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    logarithmic: bool,
    /// Ends, as logarithms on a logarithmic axis.
    low: f64,
    high: f64,
    pub(crate) ticks: Vec<Tick>,
}

impl Axis {
    /// From the smallest to the largest of `values` with a margin, the upper one wide enough for a label. No tick is above
    /// `most`, the largest possible value.
    pub(crate) fn linear(values: impl IntoIterator<Item = f64>, most: Option<f64>) -> Self {
        let (low, high) = ends(values);
        let margin = ((high - low) * 0.08).max(0.005);
        let (low, high) = (low - margin, high + 2.0 * margin);
        let (mantissa, exponent) = round_step((high - low) / MOST_TICKS);
        // Multiples of a power of ten as divisions: the nearest doubles to what the texts say.
        let value = |count: f64| match exponent {
            0.. => count * mantissa * power_of_ten(exponent),
            _ => count * mantissa / power_of_ten(-exponent),
        };
        let step = value(1.0);
        let decimals = usize::try_from(-exponent).unwrap_or(0);
        let ticks = (0..)
            .map(|index| value(ceil(low / step) + f64::from(index)))
            .take_while(|&tick| tick <= high && most.is_none_or(|most| tick <= most))
            .map(|value| Tick { value, text: format!("{:.decimals$}", value + 0.0) });
        Self { logarithmic: false, low, high, ticks: ticks.collect() }
    }

    /// From the smallest to the largest of `values`, which are above 0, with a margin.
    pub(crate) fn logarithmic(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = ends(values.into_iter().map(|value| log10(value.max(1.0))));
        let margin = ((high - low) * 0.08).max(0.15);
        let (low, high) = ((low - margin).max(0.0), high + margin);
        let mantissas: &[f64] = match high - low {
            ..2.5 => &[1.0, 2.0, 5.0],
            ..4.5 => &[1.0, 3.0],
            _ => &[1.0],
        };
        let mut ticks = Vec::new();
        // Bounded by the largest double.
        for exponent in floor(low) as i32..=floor(high) as i32 {
            for mantissa in mantissas {
                let value = mantissa * power_of_ten(exponent);
                if (low..=high).contains(&log10(value)) {
                    ticks.push(Tick { value, text: with_prefix(*mantissa, exponent) });
                }
            }
        }
        Self { logarithmic: true, low, high, ticks }
    }

    /// 0 at the lower end, 1 at the upper.
    pub(crate) fn position(&self, value: f64) -> f64 {
        let value = if self.logarithmic { log10(value.max(1.0)) } else { value };
        (value - self.low) / (self.high - self.low)
    }
}

/// The smallest and the largest; 0 and 1 of nothing.
fn ends(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    values.into_iter().map(|value| (value, value)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or((0.0, 1.0))
}

/// The smallest of 1, 2 and 5 times a power of ten that is not below `least`, which is above 0.
fn round_step(least: f64) -> (f64, i32) {
    let exponent = floor(log10(least)) as i32;
    let mantissa = least / 10f64.powi(exponent);
    match [1.0, 2.0, 5.0].into_iter().find(|&round| mantissa <= round) {
        Some(round) => (round, exponent),
        None => (1.0, exponent + 1),
    }
}

/// Exact up to 10^22, as products of smaller ones are.
fn power_of_ten(exponent: i32) -> f64 {
    (0..exponent).fold(1.0, |power, _| power * 10.0)
}

/// `mantissa × 10^exponent` with an SI prefix, without decimals.
fn with_prefix(mantissa: f64, exponent: i32) -> String {
    const PREFIXES: [&str; 6] = ["", " k", " M", " G", " T", " P"];
    let group = usize::try_from(exponent / 3).unwrap_or(0).min(PREFIXES.len() - 1);
    let whole = mantissa * power_of_ten(exponent - 3 * group as i32);
    format!("{whole:.0}{}", PREFIXES[group])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.text.as_str()).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(texts(&Axis::linear([0.81, 0.97], Some(1.0))), ["0.80", "0.85", "0.90", "0.95"]);
        assert_eq!(texts(&Axis::linear([0.1, 1.0], Some(1.0))), ["0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(texts(&Axis::linear([-300.0, 500.0], None)), ["-200", "0", "200", "400", "600"]);
        assert_eq!(texts(&Axis::logarithmic([900.0, 40_000.0])), ["1 k", "2 k", "5 k", "10 k", "20 k", "50 k"]);
        assert_eq!(texts(&Axis::logarithmic([900.0, 400_000.0])), ["1 k", "3 k", "10 k", "30 k", "100 k", "300 k"]);
        assert_eq!(texts(&Axis::logarithmic([30.0, 2e7])), ["100", "1 k", "10 k", "100 k", "1 M", "10 M"]);
    }

    #[test]
    fn a_tick_has_the_value_of_its_text() {
        for tick in Axis::linear([0.81, 0.97], Some(1.0)).ticks {
            assert_eq!(tick.text.parse(), Ok(tick.value));
        }
    }

    #[test]
    fn values_stand_between_the_ends() {
        for axis in [Axis::linear([0.5], Some(1.0)), Axis::linear([1.0, 1.0], Some(1.0)), Axis::linear([], None)] {
            assert!(!axis.ticks.is_empty(), "{axis:?}");
        }
        let axis = Axis::logarithmic([100.0, 10_000.0]);
        assert!((axis.position(1_000.0) - 0.5).abs() < 1e-12);
        assert!(axis.position(100.0) > 0.0 && axis.position(10_000.0) < 1.0);
        assert!(!Axis::logarithmic([5.0]).ticks.is_empty());
    }
}
