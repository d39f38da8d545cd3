//! The loss against another network's answers.

use thimble_sdk::Result;

/// With p and q the softmax of `taught` ÷ T and `scores` ÷ T: the mean over the rows of T² · KL(p ‖ q), in nats. Writes its
/// gradient by the scores, T · (q − p) ÷ rows, to `gradient`. T² keeps gradients as large as they are without a temperature.
///
/// # Errors
/// The slices do not hold as many whole rows of `classes` values.
pub(crate) fn soft_cross_entropy(
    scores: &[f32],
    taught: &[f32],
    classes: usize,
    temperature: f32,
    gradient: &mut [f32],
) -> Result<f32> {
    let rows = scores.len() / classes.max(1);
    if scores.len() != rows * classes || taught.len() != scores.len() || gradient.len() != scores.len() {
        return Err(format!("{} scores and {} taught ones of {classes} classes", scores.len(), taught.len()).into());
    }
    let mut total = 0.0;
    let mut p = vec![0.0; classes];
    let mut q = vec![0.0; classes];
    let rows_of = scores.chunks_exact(classes).zip(taught.chunks_exact(classes));
    for ((scores, taught), gradient) in rows_of.zip(gradient.chunks_exact_mut(classes)) {
        let log_p = softmax(taught, temperature, &mut p);
        let log_q = softmax(scores, temperature, &mut q);
        for class in 0..classes {
            // ln p − ln q, without the logarithm of a p or q that underflowed.
            let difference = (taught[class] - scores[class]) / temperature - (log_p - log_q);
            total += p[class] * difference;
            gradient[class] = temperature * (q[class] - p[class]) / rows as f32;
        }
    }
    Ok(temperature * temperature * total / rows.max(1) as f32)
}

/// Writes the softmax of `scores` ÷ `temperature` and returns ln Σ exp of that.
fn softmax(scores: &[f32], temperature: f32, out: &mut [f32]) -> f32 {
    // Shifted by the largest, so that no exponential overflows.
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max) / temperature;
    let mut sum = 0.0;
    for (out, score) in out.iter_mut().zip(scores) {
        *out = libm::expf(score / temperature - largest);
        sum += *out;
    }
    out.iter_mut().for_each(|out| *out /= sum);
    largest + libm::logf(sum)
}

#[cfg(test)]
mod tests {
    use thimble_sdk::Rng;

    use super::*;

    #[test]
    fn the_teachers_own_scores_cost_nothing_and_large_ones_do_not_overflow() -> Result<()> {
        let scores = [1.0, -2.0, 0.5, 300.0, 0.0, -300.0];
        let mut gradient = [9.0; 6];
        let loss = soft_cross_entropy(&scores, &scores, 3, 2.0, &mut gradient)?;
        assert_eq!((loss, gradient), (0.0, [0.0; 6]));
        assert!(soft_cross_entropy(&scores, &[0.0; 6], 3, 1.0, &mut gradient)?.is_finite());
        assert!(soft_cross_entropy(&scores, &[0.0; 5], 3, 1.0, &mut gradient).is_err());
        Ok(())
    }

    #[test]
    fn gradients_agree_with_finite_differences() -> Result<()> {
        let mut rng = Rng::seeded(1);
        let scores: Vec<f32> = (0..8).map(|_| 2.0 * rng.normal()).collect();
        let taught: Vec<f32> = (0..8).map(|_| 2.0 * rng.normal()).collect();
        let mut gradient = [0.0; 8];
        soft_cross_entropy(&scores, &taught, 4, 3.0, &mut gradient)?;
        for at in 0..8 {
            let shifted = |step: f32| {
                let mut scores = scores.clone();
                scores[at] += step;
                soft_cross_entropy(&scores, &taught, 4, 3.0, &mut [0.0; 8])
            };
            let difference = (shifted(1e-2)? - shifted(-1e-2)?) / 2e-2;
            assert!((gradient[at] - difference).abs() < 1e-3, "{at}: {} against {difference}", gradient[at]);
        }
        Ok(())
    }
}
