//! Probabilities from scores, and what it costs to miss given ones.

use super::check_len;
use super::exp::exp;
use super::lanes::{largest, scale, sum, sum_of_pairs};
use super::loss::class;
use crate::Result;

/// Writes softmax(`scores` ÷ `temperature`) of every row of `classes` values to `probabilities`. A higher temperature makes
/// them more even.
///
/// # Errors
/// The slices are not whole rows of the same number, or the temperature is not above 0.
pub fn softmax(scores: &[f32], classes: usize, temperature: f32, probabilities: &mut [f32]) -> Result<()> {
    check_temperature(temperature)?;
    check_len("scores", scores, scores.len() / classes.max(1) * classes)?;
    check_len("probabilities", probabilities, scores.len())?;
    for (scores, probabilities) in rows(scores, classes).zip(probabilities.chunks_exact_mut(classes.max(1))) {
        let (_, sum) = exponentials(scores, 1.0 / temperature, probabilities);
        scale(probabilities, 1.0 / sum);
    }
    Ok(())
}

/// Cross-entropy against given distributions: the mean over the rows of −T² Σ p · ln softmax(`scores` ÷ T), in nats, with T the
/// `temperature` and p the row of `targets`, which should sum to 1. Writes the gradient of that mean by the scores,
/// T · (softmax − p) ÷ rows, to `gradient`. All three are rows × `classes`.
///
/// For distillation (Hinton, Vinyals, Dean 2015) the targets are the teacher's [`softmax`] at the same temperature; T² keeps the
/// gradients as large as those of hard labels, so the two losses can be added. For smoothed labels see [`smooth_labels`].
///
/// # Errors
/// A slice is not whole rows or not as many as the others, or the temperature is not above 0.
pub fn soft_cross_entropy(
    scores: &[f32],
    targets: &[f32],
    classes: usize,
    temperature: f32,
    gradient: &mut [f32],
) -> Result<f32> {
    check_temperature(temperature)?;
    check_len("scores", scores, scores.len() / classes.max(1) * classes)?;
    check_len("targets", targets, scores.len())?;
    check_len("gradient", gradient, scores.len())?;
    if scores.is_empty() {
        return Ok(0.0);
    }
    let share = temperature * classes as f32 / scores.len() as f32;
    let mut total = 0.0_f32;
    let outputs = gradient.chunks_exact_mut(classes);
    for ((scores, targets), gradient) in rows(scores, classes).zip(rows(targets, classes)).zip(outputs) {
        let (top, exponentials) = exponentials(scores, 1.0 / temperature, gradient);
        // −Σ p · (s − ln Σ e^s) with s the scores over T, shifted by the largest.
        let mass = sum(targets);
        let expected = sum_of_pairs(scores, targets, |score, p| (score - top) * p) / temperature;
        total += mass * libm::logf(exponentials) - expected;
        let factor = mass / exponentials;
        for (g, &p) in gradient.iter_mut().zip(targets) {
            *g = share * (*g * factor - p);
        }
    }
    Ok(total * (share * temperature))
}

/// Writes the distributions that label smoothing trains against (Szegedy et al. 2016, `label_smoothing` of PyTorch's
/// `CrossEntropyLoss`): `smoothing` ÷ `classes` everywhere, and 1 − `smoothing` more at the label.
///
/// # Errors
/// `targets` is not labels × `classes`, or a label is outside `0..classes`.
pub fn smooth_labels(labels: &[i64], classes: usize, smoothing: f32, targets: &mut [f32]) -> Result<()> {
    check_len("targets", targets, labels.len().saturating_mul(classes))?;
    targets.fill(smoothing / classes.max(1) as f32);
    for (targets, &label) in targets.chunks_exact_mut(classes.max(1)).zip(labels) {
        targets[class(label, classes)?] += 1.0 - smoothing;
    }
    Ok(())
}

/// Writes e^((score − largest) · `scale`), where no exponential overflows; returns the largest score and the sum.
#[inline]
pub(super) fn exponentials(scores: &[f32], scale: f32, values: &mut [f32]) -> (f32, f32) {
    let top = largest(scores);
    for (value, &score) in values.iter_mut().zip(scores) {
        *value = exp((score - top) * scale);
    }
    (top, sum(values))
}

fn rows(values: &[f32], width: usize) -> std::slice::ChunksExact<'_, f32> {
    values.chunks_exact(width.max(1))
}

fn check_temperature(temperature: f32) -> Result<()> {
    if temperature > 0.0 { Ok(()) } else { Err(format!("temperature {temperature}, expected above 0").into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;
    use crate::nn::cross_entropy;

    const CLASSES: usize = 11;

    fn draw(n: usize, seed: u64) -> Vec<f32> {
        let mut rng = Rng::seeded(seed);
        (0..n).map(|_| 2.0 * rng.normal()).collect()
    }

    #[test]
    fn softmax_agrees_with_the_definition_in_f64() -> Result<()> {
        for temperature in [0.5_f32, 1.0, 4.0] {
            let scores = draw(3 * CLASSES, 1);
            let mut probabilities = vec![0.0; scores.len()];
            softmax(&scores, CLASSES, temperature, &mut probabilities)?;
            for (scores, probabilities) in scores.chunks(CLASSES).zip(probabilities.chunks(CLASSES)) {
                let exact: Vec<f64> = scores.iter().map(|&s| libm::exp(f64::from(s / temperature))).collect();
                let sum: f64 = exact.iter().sum();
                for (&p, exact) in probabilities.iter().zip(exact) {
                    assert!((f64::from(p) - exact / sum).abs() < 1e-6 * exact / sum, "{p}");
                }
            }
        }
        Ok(())
    }

    #[test]
    fn a_row_alone_has_the_probabilities_it_has_in_a_batch() -> Result<()> {
        let scores = draw(4 * CLASSES, 2);
        let (mut batch, mut alone) = (vec![0.0; scores.len()], vec![0.0; CLASSES]);
        softmax(&scores, CLASSES, 1.5, &mut batch)?;
        for (scores, expected) in scores.chunks(CLASSES).zip(batch.chunks(CLASSES)) {
            softmax(scores, CLASSES, 1.5, &mut alone)?;
            assert_eq!(alone, expected);
        }
        Ok(())
    }

    #[test]
    fn gradient_agrees_with_finite_differences() -> Result<()> {
        let (scores, mut targets) = (draw(3 * CLASSES, 3), vec![0.0; 3 * CLASSES]);
        softmax(&draw(3 * CLASSES, 4), CLASSES, 2.0, &mut targets)?;
        // A row that does not sum to 1 has a gradient too.
        scale(&mut targets[..CLASSES], 1.5);
        let mut gradient = vec![0.0; scores.len()];
        soft_cross_entropy(&scores, &targets, CLASSES, 2.0, &mut gradient)?;
        for (i, &g) in gradient.iter().enumerate() {
            let at = |step: f32| {
                let mut scores = scores.clone();
                scores[i] += step;
                soft_cross_entropy(&scores, &targets, CLASSES, 2.0, &mut vec![0.0; scores.len()])
            };
            let difference = (at(1.0 / 16.0)? - at(-1.0 / 16.0)?) * 8.0;
            assert!((g - difference).abs() < 2e-4, "score {i}: {g} against {difference}");
        }
        Ok(())
    }

    #[test]
    fn certain_targets_are_labels() -> Result<()> {
        let (scores, labels) = (draw(3 * CLASSES, 5), [4, 0, 10]);
        let (mut targets, mut hard, mut soft) = (vec![0.0; 33], vec![0.0; 33], vec![0.0; 33]);
        smooth_labels(&labels, CLASSES, 0.0, &mut targets)?;
        let expected = cross_entropy(&scores, &labels, CLASSES, &mut hard)?;
        let loss = soft_cross_entropy(&scores, &targets, CLASSES, 1.0, &mut soft)?;
        assert!((loss - expected).abs() < 1e-6, "{loss} against {expected}");
        assert!(hard.iter().zip(&soft).all(|(a, b)| (a - b).abs() < 1e-7));
        Ok(())
    }

    #[test]
    fn smoothing_takes_from_the_label_and_gives_to_all() -> Result<()> {
        let mut targets = [0.0; 8];
        smooth_labels(&[1, 3], 4, 0.5, &mut targets)?;
        assert_eq!(targets, [0.125, 0.625, 0.125, 0.125, 0.125, 0.125, 0.125, 0.625]);
        assert!(smooth_labels(&[4], 4, 0.5, &mut [0.0; 4]).is_err());
        assert!(smooth_labels(&[0], 4, 0.5, &mut [0.0; 3]).is_err());
        Ok(())
    }

    #[test]
    fn a_teacher_that_is_matched_costs_its_entropy_and_pulls_nowhere() -> Result<()> {
        let mut gradient = [9.0; 2];
        let loss = soft_cross_entropy(&[1.0, 1.0], &[0.5, 0.5], 2, 3.0, &mut gradient)?;
        assert!((loss - 9.0 * std::f32::consts::LN_2).abs() < 1e-5, "{loss}");
        assert_eq!(gradient, [0.0, 0.0]);
        Ok(())
    }

    #[test]
    fn temperatures_and_lengths_have_bounds() {
        assert!(softmax(&[0.0; 4], 2, 0.0, &mut [0.0; 4]).is_err());
        assert!(softmax(&[0.0; 4], 2, f32::NAN, &mut [0.0; 4]).is_err());
        assert!(softmax(&[0.0; 3], 2, 1.0, &mut [0.0; 3]).is_err());
        assert!(softmax(&[0.0; 4], 2, 1.0, &mut [0.0; 3]).is_err());
        assert!(softmax(&[], 0, 1.0, &mut []).is_ok());
        assert!(soft_cross_entropy(&[0.0; 4], &[0.5; 2], 2, 1.0, &mut [0.0; 4]).is_err());
        assert_eq!(soft_cross_entropy(&[], &[], 2, 1.0, &mut []), Ok(0.0));
    }
}
