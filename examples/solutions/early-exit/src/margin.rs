//! How sure the first network must be.

/// What a loss of accuracy may be, in standard errors of the validation accuracy, for fewer rows in the large network.
const STANDARD_ERRORS: f64 = 0.4;

/// Of a row with a known label.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    /// Of the small network's scores.
    pub(crate) margin: f32,
    /// Whether each network is right.
    pub(crate) small: bool,
    pub(crate) large: bool,
}

/// The distance of the two largest scores; 0 of fewer than two.
pub(crate) fn margin(scores: &[f32]) -> f32 {
    let (mut first, mut second) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
    for &score in scores {
        if score > first {
            (first, second) = (score, first);
        } else if score > second {
            second = score;
        }
    }
    if second.is_finite() { first - second } else { 0.0 }
}

/// The smallest margin at which the cascade is nearly as good as it can be on these rows: rows below it go on.
pub(crate) fn threshold(outcomes: &[Outcome]) -> f32 {
    let mut sorted = outcomes.to_vec();
    sorted.sort_by(|a, b| a.margin.total_cmp(&b.margin));
    // Right answers when the first 0, 1, 2 … rows go on.
    let mut right = vec![sorted.iter().filter(|outcome| outcome.small).count()];
    for outcome in &sorted {
        let so_far = right[right.len() - 1];
        right.push(so_far + usize::from(outcome.large) - usize::from(outcome.small));
    }
    let best = right.iter().copied().max().unwrap_or(0) as f64;
    let rows = sorted.len().max(1) as f64;
    let error = (best * (1.0 - best / rows)).sqrt();
    let late = right.iter().position(|&right| right as f64 >= best - STANDARD_ERRORS * error).unwrap_or(0);
    sorted.get(late).map_or(f32::MAX, |outcome| outcome.margin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margin_is_between_the_two_largest() {
        assert_eq!(margin(&[1.0, 4.0, -3.0, 2.5]), 1.5);
        assert_eq!(margin(&[2.0, 2.0]), 0.0);
        assert_eq!(margin(&[2.0]), 0.0);
    }

    #[test]
    fn no_more_rows_go_on_than_gain_from_it() {
        let row = |margin, small, large| Outcome { margin, small, large };
        // All but the three least sure are answered right by the small network.
        let mut outcomes: Vec<Outcome> = (0..100_u8).map(|at| row(f32::from(at), at >= 3, true)).collect();
        assert_eq!(threshold(&outcomes), 3.0);
        for outcome in &mut outcomes {
            outcome.large = false;
        }
        assert_eq!(threshold(&outcomes), 0.0);
    }
}
