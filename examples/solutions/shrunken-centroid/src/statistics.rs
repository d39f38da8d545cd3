//! Means and deviations of the training split, and what shrinkage makes of them.

use thimble_sdk::nn::Linear;
use thimble_sdk::{Error, Loader, Result};

/// What the shrunken centroids are computed from. All sums are f64, so the order of the rows hardly shows.
pub(crate) struct Statistics {
    width: usize,
    rows: f64,
    counts: Vec<f64>,
    mean: Vec<f64>,
    /// sⱼ + s₀: the pooled standard deviation within the classes, plus the median of all of them.
    deviation: Vec<f64>,
    /// d, classes × width.
    distances: Vec<f64>,
}

impl Statistics {
    /// One pass over `train`.
    pub(crate) fn collect(train: &mut Loader, classes: usize, width: usize) -> Result<Self> {
        let mut counts = vec![0.0; classes];
        let mut sums = vec![0.0; classes * width];
        let mut squares = vec![0.0; width];
        for batch in train.by_ref() {
            let features = batch.features()?;
            if features.width != width {
                return Err(format!("rows of {} values, expected {width}", features.width).into());
            }
            for (row, &label) in features.iter().zip(batch.labels()?) {
                let class = usize::try_from(label)
                    .ok()
                    .filter(|&class| class < classes)
                    .ok_or_else(|| Error::from(format!("label {label}, expected below {classes}")))?;
                counts[class] += 1.0;
                for ((sum, square), &x) in sums[class * width..][..width].iter_mut().zip(&mut squares).zip(row) {
                    let x = f64::from(x);
                    *sum += x;
                    *square += x * x;
                }
            }
        }
        if let Some(class) = counts.iter().position(|&count| count == 0.0) {
            return Err(format!("no row of class {class}").into());
        }
        Ok(Self::of_sums(width, counts, sums, &squares))
    }

    fn of_sums(width: usize, counts: Vec<f64>, sums: Vec<f64>, squares: &[f64]) -> Self {
        let rows: f64 = counts.iter().sum();
        let mut mean = vec![0.0; width];
        let mut within = squares.to_vec();
        for (sums, count) in sums.chunks_exact(width).zip(&counts) {
            for ((mean, within), sum) in mean.iter_mut().zip(&mut within).zip(sums) {
                *mean += sum / rows;
                *within -= sum * sum / count;
            }
        }
        let freedom = (rows - counts.len() as f64).max(1.0);
        let mut deviation: Vec<f64> = within.iter().map(|within| (within.max(0.0) / freedom).sqrt()).collect();
        let mut sorted = deviation.clone();
        sorted.sort_by(f64::total_cmp);
        // A constant feature has no deviation: the smallest positive number keeps the quotients finite.
        let median = sorted[width / 2].max(f64::MIN_POSITIVE);
        deviation.iter_mut().for_each(|deviation| *deviation += median);

        let mut distances = sums;
        for (distances, count) in distances.chunks_exact_mut(width).zip(&counts) {
            let scale = standard_error(*count, rows);
            for ((distance, mean), deviation) in distances.iter_mut().zip(&mean).zip(&deviation) {
                *distance = (*distance / count - mean) / (scale * deviation);
            }
        }
        Self { width, rows, counts, mean, deviation, distances }
    }

    /// The largest |d|: a threshold that leaves nothing.
    pub(crate) fn largest_distance(&self) -> f64 {
        self.distances.iter().fold(0.0, |largest, distance| largest.max(distance.abs()))
    }

    /// The features that survive `threshold`, at least one, and the classifier that reads them. With δ = x̄′ₖⱼ − x̄ⱼ, what is
    /// left of a mean's distance, the paper's score is, up to a term that all classes share,
    /// Σⱼ δ ÷ (sⱼ + s₀)² · (xⱼ − x̄ⱼ − δ ÷ 2) + ln πₖ.
    pub(crate) fn shrunken(&self, threshold: f64) -> Result<(Vec<usize>, Linear)> {
        let survives = |&feature: &usize| {
            self.distances.iter().skip(feature).step_by(self.width).any(|distance| distance.abs() > threshold)
        };
        let mut features: Vec<usize> = (0..self.width).filter(survives).collect();
        if features.is_empty() {
            features.push(0);
        }
        let mut weight = Vec::with_capacity(self.counts.len() * features.len());
        let mut bias = Vec::with_capacity(self.counts.len());
        for (distances, &count) in self.distances.chunks_exact(self.width).zip(&self.counts) {
            let scale = standard_error(count, self.rows);
            let mut sum = libm::log(count / self.rows);
            for &feature in &features {
                let (mean, deviation) = (self.mean[feature], self.deviation[feature]);
                let delta = scale * deviation * soft_threshold(distances[feature], threshold);
                let w = delta / (deviation * deviation);
                weight.push(w as f32);
                sum -= w * (mean + 0.5 * delta);
            }
            bias.push(sum as f32);
        }
        let linear = Linear::from_parts(features.len(), weight, bias)?;
        Ok((features, linear))
    }
}

/// mₖ: the standard error of x̄ₖ − x̄ in units of the deviation, √(1 ÷ nₖ − 1 ÷ n); of all rows in one class, 1.
fn standard_error(count: f64, rows: f64) -> f64 {
    if count < rows { (1.0 / count - 1.0 / rows).sqrt() } else { 1.0 }
}

/// Moves `x` towards 0 by `threshold`.
fn soft_threshold(x: f64, threshold: f64) -> f64 {
    (x.abs() - threshold).max(0.0).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_threshold_moves_towards_zero_and_stops_there() {
        assert_eq!([3.0, -3.0, 0.5, -1.0].map(|x| soft_threshold(x, 1.0)), [2.0, -2.0, 0.0, -0.0]);
    }

    #[test]
    fn without_a_threshold_the_score_is_the_distance_in_deviations() -> Result<()> {
        // Two classes of two rows, one feature: means −2 and 4, within-class sum of squares 2 · 1 + 2 · 1 = 4 over 2 degrees
        // of freedom, so sⱼ = √2 and sⱼ + s₀ = 2√2.
        let statistics = Statistics::of_sums(1, vec![2.0, 2.0], vec![-4.0, 8.0], &[1.0 + 9.0 + 9.0 + 25.0]);
        let (features, linear) = statistics.shrunken(0.0)?;
        assert_eq!(features, [0]);
        let score = |class: usize, x: f32| linear.weight()[class] * x + linear.bias()[class];
        for x in [-3.0_f32, 0.0, 2.5] {
            let expected = ((x + 2.0).powi(2) - (x - 4.0).powi(2)) / (2.0 * 8.0);
            assert!((score(1, x) - score(0, x) - expected).abs() < 1e-5, "{x}");
        }
        Ok(())
    }

    #[test]
    fn the_largest_distance_leaves_one_feature_of_no_weight() -> Result<()> {
        let statistics = Statistics::of_sums(2, vec![2.0, 2.0], vec![-4.0, 1.0, 8.0, 1.0], &[44.0, 4.0]);
        let (features, linear) = statistics.shrunken(statistics.largest_distance())?;
        assert_eq!((features.as_slice(), linear.weight()), (&[0][..], &[0.0, 0.0][..]));
        Ok(())
    }
}
