//! From figures to places on a plot, and the figures that axes name.

/// Decades between ticks at most this many apart are divided into 1, 2 and 5.
const FEW_DECADES: f64 = 1.7;
/// Ticks of a logarithmic axis.
const MOST_TICKS: i32 = 9;
/// Room for the amount of zero, which no logarithm has.
const ZERO: f64 = 34.0;

/// A logarithmic axis of amounts that are not negative. Zero has a place of its own at its beginning.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Log {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    zero: Option<f64>,
}

impl Log {
    /// An axis from the place `from` to the place `to` that has all of `values`; none where there is no value.
    pub(crate) fn over(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Option<Self> {
        let (mut low, mut high, mut has_zero) = (f64::INFINITY, f64::NEG_INFINITY, false);
        for value in values {
            if value > 0.0 {
                low = low.min(value.log10());
                high = high.max(value.log10());
            } else {
                has_zero = true;
            }
        }
        if low > high {
            if !has_zero {
                return None;
            }
            (low, high) = (0.0, 3.0);
        }
        let room = ((high - low) * 0.06).max(0.12);
        let start = if has_zero { from + ZERO } else { from };
        let zero = has_zero.then_some(from + ZERO / 3.0);
        Some(Self { low: low - room, high: high + room, from: start, to, zero })
    }

    /// The place of a value.
    pub(crate) fn at(&self, value: f64) -> f64 {
        match self.zero {
            Some(place) if value <= 0.0 => place,
            _ => self.from + (value.log10() - self.low) / (self.high - self.low) * (self.to - self.from),
        }
    }

    /// The values that the axis names, and their names.
    pub(crate) fn ticks(&self) -> Vec<(f64, String)> {
        let (first, last) = (self.low.floor() as i32, self.high.ceil() as i32);
        let steps: &[u32] = if self.high - self.low <= FEW_DECADES { &[1, 2, 5] } else { &[1] };
        let stride = ((last - first) / MOST_TICKS + 1) as usize;
        let of = |exponent: i32| steps.iter().map(move |&digit| (digit, exponent));
        let ticks = (first..=last).step_by(stride).flat_map(of).filter_map(|(digit, exponent)| {
            let value = f64::from(digit) * 10_f64.powi(exponent);
            let inside = (self.low..=self.high).contains(&value.log10());
            inside.then(|| (value, si_tick(digit, exponent)))
        });
        self.zero.map(|_| (0.0, "0".to_owned())).into_iter().chain(ticks).collect()
    }
}

/// `digit` × 10^`exponent` with a prefix: `20k`.
fn si_tick(digit: u32, exponent: i32) -> String {
    const PREFIXES: [&str; 10] = ["µ", "m", "", "k", "M", "G", "T", "P", "E", "Z"];
    let prefix = usize::try_from(exponent.div_euclid(3) + 2).ok().and_then(|i| PREFIXES.get(i));
    match prefix {
        Some(prefix) => format!("{digit}{}{prefix}", "0".repeat(usize::try_from(exponent.rem_euclid(3)).unwrap_or(0))),
        None => format!("{digit}e{exponent}"),
    }
}

/// An axis in equal steps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Linear {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Linear {
    /// An axis from the place `from` to the place `to` that has all of `values`, with some room; none where there is
    /// no value.
    pub(crate) fn over(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Option<Self> {
        let (low, high) = values
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            return None;
        }
        // Halves, so that the difference of the largest doubles is one.
        let spread = high / 2.0 - low / 2.0;
        let room = if spread > 0.0 { spread * 0.16 } else { (low.abs() * 0.05).max(0.01) };
        Some(Self { low: low - room, high: high + room, from, to })
    }

    /// The place of a value.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let part = (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        let part = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.5 };
        self.from + part * (self.to - self.from)
    }

    /// The values that the axis names, about five, and their names.
    pub(crate) fn ticks(&self) -> Vec<(f64, String)> {
        let step = nice((self.high - self.low) / 5.0);
        if !step.is_finite() || step <= 0.0 {
            return Vec::new();
        }
        let decimals = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
        let first = (self.low / step).ceil();
        let plain = step < 1e6;
        (0..12)
            .map(|i| (first + f64::from(i)) * step)
            .take_while(|value| *value <= self.high)
            .map(|value| (value, if plain { format!("{value:.decimals$}") } else { format!("{value:e}") }))
            // A step below what the value's own digits can tell.
            .map(|(value, label)| {
                (value, if label.trim_start_matches(['-', '0', '.']).is_empty() { "0".to_owned() } else { label })
            })
            .collect()
    }
}

/// The next larger of 1, 2, 5 times a power of ten.
fn nice(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    [1.0, 2.0, 5.0].into_iter().map(|digit| digit * power).find(|nice| *nice >= step * 0.999).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

    use proptest::prelude::*;

    use super::*;

    fn names(ticks: &[(f64, String)]) -> Vec<&str> {
        ticks.iter().map(|(_, name)| name.as_str()).collect()
    }

    #[test]
    fn decades_are_named_with_prefixes() {
        let axis = Log::over([1_500.0, 40e6].into_iter(), 0.0, 100.0).unwrap();
        assert_eq!(names(&axis.ticks()), ["1k", "10k", "100k", "1M", "10M"]);
        let axis = Log::over([30e3, 90e3].into_iter(), 0.0, 100.0).unwrap();
        assert_eq!(names(&axis.ticks()), ["50k", "100k"]);
    }

    #[test]
    fn zero_has_a_place_before_the_smallest_amount() {
        let axis = Log::over([0.0, 1e3, 1e6].into_iter(), 0.0, 100.0).unwrap();
        assert!(axis.at(0.0) < axis.at(1e3));
        assert_eq!(names(&axis.ticks())[0], "0");
        assert!(Log::over([0.0].into_iter(), 0.0, 100.0).unwrap().at(0.0).is_finite());
        assert!(Log::over(std::iter::empty(), 0.0, 100.0).is_none());
    }

    #[test]
    fn steps_are_one_two_or_five() {
        let axis = Linear::over([0.68, 0.95].into_iter(), 100.0, 0.0).unwrap();
        assert_eq!(names(&axis.ticks()), ["0.7", "0.8", "0.9"]);
        let axis = Linear::over([0.9, 0.9].into_iter(), 100.0, 0.0).unwrap();
        assert!(axis.ticks().len() >= 3, "{:?}", axis.ticks());
        let axis = Linear::over([-3.0, 4.0].into_iter(), 100.0, 0.0).unwrap();
        assert!(names(&axis.ticks()).contains(&"0"), "{:?}", axis.ticks());
    }

    proptest! {
        #[test]
        fn every_value_has_a_place_inside_the_axis(values in prop::collection::vec(prop::num::f64::NORMAL, 1..9)) {
            let axis = Linear::over(values.iter().copied(), 10.0, 90.0).unwrap();
            for &value in &values {
                prop_assert!((10.0..=90.0).contains(&axis.at(value)), "{value} at {}", axis.at(value));
            }
            prop_assert!(axis.ticks().len() <= 12);
            let axis = Log::over(values.iter().map(|value| value.abs()), 10.0, 90.0).unwrap();
            for value in values.iter().map(|value| value.abs()) {
                prop_assert!((10.0..=90.0).contains(&axis.at(value)), "{value} at {}", axis.at(value));
            }
            prop_assert!(axis.ticks().len() <= 32);
        }
    }
}
