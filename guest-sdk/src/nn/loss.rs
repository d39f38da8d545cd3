//! What is minimised, and what is counted.

use super::check_len;
use super::lanes::scale;
use super::softmax::exponentials;
use crate::Result;

/// Softmax cross-entropy: the mean over the rows of −ln softmax(`scores`)\[label\], in nats. Writes the gradient of that
/// mean by the scores, (softmax − one-hot) ÷ rows, to `gradient`. Both are rows × `classes`.
///
/// # Errors
/// A slice does not have `labels.len()` × `classes` values, or a label is outside `0..classes`.
pub fn cross_entropy(scores: &[f32], labels: &[i64], classes: usize, gradient: &mut [f32]) -> Result<f32> {
    check_len("scores", scores, labels.len() * classes)?;
    check_len("gradient", gradient, labels.len() * classes)?;
    if classes == 0 || labels.is_empty() {
        return Ok(0.0);
    }
    let share = 1.0 / labels.len() as f32;
    let mut total = 0.0_f32;
    for ((scores, gradient), &label) in scores.chunks_exact(classes).zip(gradient.chunks_exact_mut(classes)).zip(labels)
    {
        let target = class(label, classes)?;
        let (largest, sum) = exponentials(scores, 1.0, gradient);
        total += libm::logf(sum) - (scores[target] - largest);
        scale(gradient, share / sum);
        gradient[target] -= share;
    }
    Ok(total * share)
}

/// The index of the largest value, the first of equals, as the runner reads scores; `None` of nothing.
pub fn argmax(values: &[f32]) -> Option<usize> {
    let mut best = (0, *values.first()?);
    for (index, &value) in values.iter().enumerate().skip(1) {
        if value > best.1 {
            best = (index, value);
        }
    }
    Some(best.0)
}

/// How many rows of `scores` have their largest value at their label.
///
/// # Errors
/// `scores` does not have `labels.len()` × `classes` values, or a label is outside `0..classes`.
pub fn count_correct(scores: &[f32], labels: &[i64], classes: usize) -> Result<usize> {
    check_len("scores", scores, labels.len() * classes)?;
    let mut correct = 0;
    for (row, &label) in labels.iter().enumerate() {
        let label = class(label, classes)?;
        correct += usize::from(argmax(&scores[row * classes..][..classes]) == Some(label));
    }
    Ok(correct)
}

/// The label as an index.
pub(super) fn class(label: i64, classes: usize) -> Result<usize> {
    usize::try_from(label)
        .ok()
        .filter(|&class| class < classes)
        .ok_or_else(|| format!("label {label}, expected 0 to {}", classes as i64 - 1).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    #[test]
    fn equal_scores_cost_the_logarithm_of_the_classes() -> Result<()> {
        let mut gradient = [0.0; 4];
        let loss = cross_entropy(&[3.0; 4], &[1], 4, &mut gradient)?;
        assert!((loss - std::f32::consts::LN_2 * 2.0).abs() < 1e-6, "{loss}");
        assert_eq!(gradient, [0.25, -0.75, 0.25, 0.25]);
        Ok(())
    }

    #[test]
    fn gradient_agrees_with_finite_differences() -> Result<()> {
        let (classes, labels) = (5, [4, 0, 2]);
        let mut rng = Rng::seeded(1);
        let scores: Vec<f32> = (0..15).map(|_| 2.0 * rng.normal()).collect();
        let mut gradient = vec![0.0; 15];
        cross_entropy(&scores, &labels, classes, &mut gradient)?;
        for (i, &g) in gradient.iter().enumerate() {
            let at = |step: f32| {
                let mut scores = scores.clone();
                scores[i] += step;
                cross_entropy(&scores, &labels, classes, &mut [0.0; 15])
            };
            let difference = (at(1e-2)? - at(-1e-2)?) / 2e-2;
            assert!((g - difference).abs() < 1e-4, "score {i}: {g} against {difference}");
        }
        Ok(())
    }

    #[test]
    fn large_scores_do_not_overflow() -> Result<()> {
        let mut gradient = [0.0; 2];
        assert_eq!(cross_entropy(&[1e30, -1e30], &[0], 2, &mut gradient)?, 0.0);
        assert_eq!(gradient, [0.0, 0.0]);
        Ok(())
    }

    #[test]
    fn labels_have_a_range() {
        let mut gradient = [0.0; 2];
        assert!(cross_entropy(&[0.0; 2], &[1], 2, &mut gradient).is_ok());
        let error = cross_entropy(&[0.0; 2], &[2], 2, &mut gradient).map_err(|error| error.to_string());
        assert_eq!(error, Err("label 2, expected 0 to 1".to_owned()));
        assert!(cross_entropy(&[0.0; 2], &[-1], 2, &mut gradient).is_err());
        assert!(count_correct(&[0.0; 2], &[2], 2).is_err());
    }

    #[test]
    fn the_first_of_equals_wins() -> Result<()> {
        assert_eq!((argmax(&[1.0, 3.0, 3.0]), argmax(&[])), (Some(1), None));
        assert_eq!(count_correct(&[1.0, 1.0, 0.0, 2.0], &[0, 0], 2)?, 1);
        Ok(())
    }
}
