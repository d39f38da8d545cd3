//! Round numbers, computed in decimal so that they print as short as they look.

/// A step of 1, 2 or 5 times a power of ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    digit: i64,
    exponent: i32,
}

/// `mantissa` × 10^`exponent`, correctly rounded.
fn decimal(mantissa: i64, exponent: i32) -> f64 {
    format!("{mantissa}e{exponent}").parse().unwrap_or(f64::NAN)
}

impl Step {
    /// The smallest step of at least `width`, which is finite and above 0.
    pub(crate) fn at_least(width: f64) -> Option<Self> {
        if !(width.is_finite() && width > 0.0) {
            return None;
        }
        let text = format!("{width:e}");
        let exponent: i32 = text.split_once('e')?.1.parse().ok()?;
        let steps = [(1, exponent), (2, exponent), (5, exponent), (1, exponent + 1)];
        let step = steps.into_iter().find(|&(digit, exponent)| decimal(digit, exponent) >= width)?;
        Some(Self { digit: step.0, exponent: step.1 })
    }

    /// One.
    pub(crate) const UNIT: Self = Self { digit: 1, exponent: 0 };

    /// A multiple of the step.
    pub(crate) fn times(self, index: i64) -> f64 {
        decimal(self.digit.saturating_mul(index), self.exponent)
    }

    /// The multiple at or below a value; none where a step is less than the value's precision.
    pub(crate) fn floor(self, value: f64) -> Option<i64> {
        self.quotient(value).map(|quotient| libm::floor(quotient) as i64)
    }

    /// A value rounded to the nearest multiple; none as for [`Self::floor`].
    pub(crate) fn round(self, value: f64) -> Option<f64> {
        // `+ 0.0` makes a negative zero positive.
        self.quotient(value).map(|quotient| self.times(libm::round(quotient) as i64) + 0.0)
    }

    fn quotient(self, value: f64) -> Option<f64> {
        let quotient = value / decimal(self.digit, self.exponent);
        (quotient.abs() < 1e15).then_some(quotient)
    }
}

/// Rounds to three significant digits.
pub(crate) fn significant(value: f64) -> f64 {
    format!("{value:.2e}").parse::<f64>().unwrap_or(value) + 0.0
}

/// Rounds a correlation to two decimals.
pub(crate) fn hundredths(value: f64) -> f64 {
    libm::round(value * 100.0) / 100.0 + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_the_next_of_1_2_5() {
        let step = |width| Step::at_least(width).map(|step| step.times(1));
        assert_eq!(step(0.03), Some(0.05));
        assert_eq!(step(0.05), Some(0.05));
        assert_eq!(step(7.0), Some(10.0));
        assert_eq!(step(1e300), Some(1e300));
        assert_eq!(step(0.0), None);
        assert_eq!(step(f64::INFINITY), None);
    }

    #[test]
    fn multiples_print_short() {
        let step = Step::at_least(0.1).expect("positive");
        assert_eq!(step.times(3).to_string(), "0.3");
        assert_eq!(step.round(-0.04).map(|value| value.to_string()), Some("0".into()));
    }

    #[test]
    fn a_step_below_the_precision_rounds_nothing() {
        assert_eq!(Step::at_least(1e-9).and_then(|step| step.round(1e9)), None);
    }

    #[test]
    fn three_digits_stay() {
        assert_eq!(significant(31_337.25), 31_300.0);
        assert_eq!(significant(-0.001_234), -0.001_23);
        assert_eq!(significant(0.0), 0.0);
    }
}
