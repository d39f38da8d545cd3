//! The order of published results. Pure; what is missing ranks last whatever the direction.

use std::cmp::Ordering;

use thimble_metrics::{Direction, MetricValue};

use crate::challenge::{Challenge, ScoreRule, TieBreak};
use crate::result::Published;

/// One row of a leaderboard.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Its published result: rank is computed from nothing else.
    pub published: &'a Published,
    /// When it was submitted, in milliseconds since 1970.
    pub submitted_ms: u64,
}

/// The figures of a row that its rank is computed from, taken out once: a leaderboard compares each many times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// What ranks. The score of a [`Composite`](ScoreRule::Composite) rule is replaced here by that against the field.
    pub score: Option<f64>,
    /// The ranking metric.
    pub metric: Option<f64>,
    /// As declared. Counts are below 2^53: exact as f64.
    pub parameters: Option<f64>,
    /// FLOPs per sample.
    pub flops_per_sample: Option<f64>,
    /// When it was submitted, in milliseconds since 1970.
    pub submitted_ms: u64,
}

impl Figures {
    /// The figures of an entry, with its published score.
    pub fn of(challenge: &Challenge, entry: &Entry<'_>) -> Self {
        let Entry { published, submitted_ms } = *entry;
        Self {
            score: published.score,
            metric: published.metrics.get(&challenge.ranking.metric).and_then(MetricValue::value),
            parameters: published.parameters.map(|count| count.0 as f64),
            flops_per_sample: published.flops_per_sample,
            submitted_ms,
        }
    }
}

/// The order of a challenge: the score, then the tie-breaks.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    score_rises: bool,
    score_by_magnitude: bool,
    metric_rises: bool,
    metric_by_magnitude: bool,
    tie_breaks: Vec<TieBreak>,
}

/// A row's figures in the order in which they decide, as integers of which the smaller is better: keys sort as ranks do, best
/// first, and equal keys share a rank. Only keys of the same [`Order`] can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key([u64; 1 + TieBreak::COUNT]);

impl Order {
    /// What `challenge` asks for.
    pub fn of(challenge: &Challenge) -> Self {
        let metric = challenge.ranking_metric();
        let metric_by_magnitude = metric.is_some_and(|metric| metric.ranks_by_magnitude);
        let metric_rises = metric.is_none_or(|metric| metric.direction == Direction::HigherIsBetter);
        let (score_rises, score_by_magnitude) = match challenge.score {
            ScoreRule::LinearAboveBaseline { .. } | ScoreRule::Composite(_) => (true, false),
            ScoreRule::Metric => (metric_rises, metric_by_magnitude),
        };
        let tie_breaks = challenge.ranking.tie_breaks.clone();
        Self { score_rises, score_by_magnitude, metric_rises, metric_by_magnitude, tie_breaks }
    }

    /// The key of a row's figures.
    pub fn key(&self, figures: &Figures) -> Key {
        let magnitude = |value: Option<f64>, wanted: bool| if wanted { value.map(f64::abs) } else { value };
        let mut key = [0; 1 + TieBreak::COUNT];
        key[0] = part(magnitude(figures.score, self.score_by_magnitude), self.score_rises);
        // No tie-break stands twice in a valid challenge: there is a place for each.
        for (place, tie_break) in key[1..].iter_mut().zip(&self.tie_breaks) {
            *place = match tie_break {
                TieBreak::Metric => part(magnitude(figures.metric, self.metric_by_magnitude), self.metric_rises),
                TieBreak::FewerParameters => part(figures.parameters, false),
                TieBreak::FewerFlops => part(figures.flops_per_sample, false),
                TieBreak::Earlier => figures.submitted_ms,
            };
        }
        Key(key)
    }
}

/// Compares two entries by their published scores; the better one is `Less`, so that sorting puts it first. First the score,
/// then the challenge's tie-breaks in their order. `Equal` means that they share a rank.
pub fn compare(challenge: &Challenge, a: &Entry<'_>, b: &Entry<'_>) -> Ordering {
    let order = Order::of(challenge);
    order.key(&Figures::of(challenge, a)).cmp(&order.key(&Figures::of(challenge, b)))
}

/// The smaller, the better the value; a present value is better than none. Figures are finite; in their bits, read as an
/// integer, numbers of one sign are in order of their magnitude.
fn part(value: Option<f64>, larger_is_better: bool) -> u64 {
    let Some(value) = value else { return u64::MAX };
    let bits = value.to_bits();
    let ascending = if value.is_sign_negative() { !bits } else { bits | SIGN };
    if larger_is_better { !ascending } else { ascending }
}

/// The sign of a double.
const SIGN: u64 = 1 << 63;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::Outcome;
    use crate::units::ParameterCount;

    fn published(metric: Option<f64>, score: Option<f64>, parameters: Option<u64>, flops: Option<f64>) -> Published {
        Published {
            outcome: Outcome::Scored,
            failure: None,
            metrics: metric.map(|m| ("accuracy".to_owned(), MetricValue::Value(m))).into_iter().collect(),
            score,
            parameters: parameters.map(ParameterCount),
            flops_per_sample: flops,
            gco2e_per_sample: None,
            component_bytes: None,
            transductive: None,
            practice: false,
        }
    }

    /// Every entry is better than the next.
    #[test]
    fn score_then_tie_breaks_then_earlier() {
        let challenge = crate::fixture::challenge();
        let rows = [
            (published(Some(0.9), Some(64.0), None, None), 9),
            (published(Some(0.8), Some(28.0), Some(10), Some(5.0)), 8),
            (published(Some(0.7), Some(0.0), Some(10), Some(5.0)), 7),
            (published(Some(0.6), Some(0.0), Some(10), Some(4.0)), 6),
            (published(Some(0.6), Some(0.0), Some(10), Some(5.0)), 1),
            (published(Some(0.6), Some(0.0), Some(10), Some(5.0)), 2),
            (published(Some(0.6), Some(0.0), Some(10), None), 0),
            (published(Some(0.6), Some(0.0), Some(11), Some(1.0)), 0),
            (published(Some(0.6), Some(0.0), None, Some(1.0)), 0),
            (published(None, Some(0.0), Some(1), Some(1.0)), 0),
            (published(Some(0.9), None, Some(1), Some(1.0)), 0),
        ];
        let entries: Vec<_> = rows.iter().map(|(p, t)| Entry { published: p, submitted_ms: *t }).collect();
        for (i, a) in entries.iter().enumerate() {
            for (j, b) in entries.iter().enumerate() {
                assert_eq!(compare(&challenge, a, b), i.cmp(&j), "{i} {j}");
            }
        }
    }

    #[test]
    fn undefined_is_last_when_smaller_is_better() {
        assert!(part(Some(3.0), false) < part(None, false));
        assert!(part(Some(3.0), true) < part(None, true));
        assert!(part(Some(3.0), false) > part(Some(2.0), false));
        assert_eq!(part(None, false), part(None, true));
    }

    #[test]
    fn parts_are_in_the_order_of_their_numbers() {
        let rising = [f64::MIN, -2.0, -1.0, -f64::MIN_POSITIVE, -5e-324, -0.0, 0.0, 5e-324, 1.0, 1.5, f64::MAX];
        for pair in rising.windows(2) {
            assert!(part(Some(pair[0]), false) < part(Some(pair[1]), false), "{pair:?}");
            assert!(part(Some(pair[0]), true) > part(Some(pair[1]), true), "{pair:?}");
        }
    }

    #[test]
    fn entries_without_a_deciding_tie_break_share_a_rank() {
        let mut challenge = crate::fixture::challenge();
        challenge.ranking.tie_breaks.clear();
        let result = published(Some(0.9), Some(64.0), Some(1), Some(1.0));
        let entry = |submitted_ms| Entry { published: &result, submitted_ms };
        assert_eq!(compare(&challenge, &entry(1), &entry(2)), Ordering::Equal);
    }
}
