//! How the values of a column are distributed.

/// The quantiles that a distribution has, in their order.
pub const QUANTILES: [f64; 6] = [0.0, 0.25, 0.5, 0.75, 0.9, 1.0];

/// The most buckets of a histogram.
const MAX_BUCKETS: usize = 10;

/// The values of a column over the best results of all builders.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// Values, at least 1.
    pub count: usize,
    /// Standings that have no value in the column.
    pub missing: usize,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// Their mean.
    pub mean: f64,
    /// By nearest rank, at [`QUANTILES`]: the smallest value that at least this share of the values does not exceed.
    pub quantiles: [f64; QUANTILES.len()],
    /// At most ten buckets of equal width, and no more than there are values; one where all values are equal.
    pub histogram: Vec<Bucket>,
}

/// One bucket of a histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// The smallest value in it.
    pub low: f64,
    /// The end: values below it are in the bucket; in the last one also those equal to it.
    pub high: f64,
    /// Values in it.
    pub count: usize,
}

impl Distribution {
    /// None where there is no value. NaN is no value.
    pub(crate) fn of(values: impl Iterator<Item = Option<f64>>) -> Option<Self> {
        let mut missing = 0;
        let mut sorted: Vec<f64> = Vec::new();
        for value in values {
            match value {
                Some(value) if !value.is_nan() => sorted.push(value),
                _ => missing += 1,
            }
        }
        sorted.sort_unstable_by(f64::total_cmp);
        let (&min, &max) = (sorted.first()?, sorted.last()?);
        let count = sorted.len();
        // Each part is divided, so that no sum of finite values overflows; rounding cannot carry it past an end.
        let mean = sorted.iter().map(|value| value / count as f64).sum::<f64>().clamp(min, max);
        let quantiles = QUANTILES.map(|q| sorted[nearest_rank(q, count)]);
        Some(Self { count, missing, min, max, mean, quantiles, histogram: histogram(&sorted, min, max) })
    }
}

/// The index of the quantile `q` of `count` values: ⌈q · count⌉ from 1, and the first for 0.
fn nearest_rank(q: f64, count: usize) -> usize {
    // Not negative and at most `count`.
    let rank = (q * count as f64).ceil() as usize;
    rank.clamp(1, count) - 1
}

fn histogram(sorted: &[f64], min: f64, max: f64) -> Vec<Bucket> {
    let buckets = if min < max { MAX_BUCKETS.min(sorted.len()) } else { 1 };
    let mut histogram = Vec::with_capacity(buckets);
    let (mut low, mut before) = (min, 0);
    for bucket in 1..=buckets {
        let last = bucket == buckets;
        let part = bucket as f64 / buckets as f64;
        // A mean of both ends cannot overflow; it may round past its neighbours where the ends are nearly equal.
        let high = if last { max } else { (min * (1.0 - part) + max * part).clamp(low, max) };
        let after = if last { sorted.len() } else { sorted.partition_point(|&value| value < high) };
        histogram.push(Bucket { low, high, count: after - before });
        (low, before) = (high, after);
    }
    histogram
}
