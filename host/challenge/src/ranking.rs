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

    /// The better one is `Less`, so that sorting puts it first. `Equal` means that they share a rank.
    pub fn compare(&self, a: &Figures, b: &Figures) -> Ordering {
        let magnitude = |value: Option<f64>, wanted: bool| if wanted { value.map(f64::abs) } else { value };
        let score = |figures: &Figures| magnitude(figures.score, self.score_by_magnitude);
        let metric = |figures: &Figures| magnitude(figures.metric, self.metric_by_magnitude);
        let by_score = best(score(a), score(b), self.score_rises);
        self.tie_breaks.iter().fold(by_score, |order, tie_break| {
            order.then_with(|| match tie_break {
                TieBreak::Metric => best(metric(a), metric(b), self.metric_rises),
                TieBreak::FewerParameters => best(a.parameters, b.parameters, false),
                TieBreak::FewerFlops => best(a.flops_per_sample, b.flops_per_sample, false),
                TieBreak::Earlier => a.submitted_ms.cmp(&b.submitted_ms),
            })
        })
    }
}

/// Compares two entries by their published scores; the better one is `Less`, so that sorting puts it first. First the score,
/// then the challenge's tie-breaks in their order. `Equal` means that they share a rank.
pub fn compare(challenge: &Challenge, a: &Entry<'_>, b: &Entry<'_>) -> Ordering {
    Order::of(challenge).compare(&Figures::of(challenge, a), &Figures::of(challenge, b))
}

/// `Less` when `a` is the better value; a present value is better than none.
fn best(a: Option<f64>, b: Option<f64>, larger_is_better: bool) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if larger_is_better => b.total_cmp(&a),
        (Some(a), Some(b)) => a.total_cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

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
        assert_eq!(best(Some(3.0), None, false), Ordering::Less);
        assert_eq!(best(Some(3.0), None, true), Ordering::Less);
        assert_eq!(best(Some(3.0), Some(2.0), false), Ordering::Greater);
        assert_eq!(best(None, None, false), Ordering::Equal);
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
