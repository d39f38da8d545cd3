//! Sums whose rounding does not grow with the number of terms, in the order of the terms.

/// A compensated sum (Neumaier 1974): the rounding error of each addition is kept and added at the end. The error stays
/// near one ulp of the result unless terms cancel by more than 2⁵³; the same terms in the same order give the same bits.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sum {
    total: f64,
    lost: f64,
}

impl Sum {
    pub(crate) fn add(&mut self, term: f64) {
        let total = self.total + term;
        self.lost +=
            if self.total.abs() >= term.abs() { (self.total - total) + term } else { (term - total) + self.total };
        self.total = total;
    }

    /// The sum so far; not finite if a term or the sum was not.
    pub(crate) fn value(&self) -> f64 {
        if self.total.is_finite() { self.total + self.lost } else { self.total }
    }
}

impl FromIterator<f64> for Sum {
    fn from_iter<I: IntoIterator<Item = f64>>(terms: I) -> Self {
        let mut sum = Self::default();
        for term in terms {
            sum.add(term);
        }
        sum
    }
}

/// The compensated sum of the terms, in their order.
pub(crate) fn sum(terms: impl IntoIterator<Item = f64>) -> f64 {
    terms.into_iter().collect::<Sum>().value()
}

/// The mean of the terms, in their order; none of no terms.
pub(crate) fn mean(terms: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut sum = Sum::default();
    let mut count = 0_u64;
    for term in terms {
        sum.add(term);
        count += 1;
    }
    (count > 0).then(|| sum.value() / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_terms_survive_beside_large_ones() {
        assert_eq!(sum([1.0, 1e100, 1.0, -1e100]), 2.0);
        let tenths = std::iter::repeat_n(0.1, 10_000_000);
        assert_eq!(sum(tenths), 1_000_000.0, "a plain sum is off by 2e-4");
    }

    #[test]
    fn what_overflows_is_infinite_and_no_terms_have_no_mean() {
        assert_eq!(sum([f64::MAX, f64::MAX, 1.0]), f64::INFINITY);
        assert_eq!((mean([]), mean([1.0, 2.0])), (None, Some(1.5)));
    }
}
