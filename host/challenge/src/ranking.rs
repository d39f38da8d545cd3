//! The order of published results. Pure; what is missing ranks last whatever the direction.

use std::cmp::Ordering;

use thimble_metrics::Direction;

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

/// Compares two entries; the better one is `Less`, so that sorting puts it first. First the score, then the
/// challenge's tie-breaks in their order. `Equal` means that they share a rank.
pub fn compare(challenge: &Challenge, a: &Entry<'_>, b: &Entry<'_>) -> Ordering {
    let metric = challenge.ranking_metric();
    let by_magnitude = metric.is_some_and(|metric| metric.ranks_by_magnitude);
    let metric_rises = metric.is_none_or(|metric| metric.direction == Direction::HigherIsBetter);
    let score_rises = match challenge.score {
        ScoreRule::LinearAboveBaseline { .. } | ScoreRule::Composite(_) => true,
        ScoreRule::Metric => metric_rises,
    };
    let magnitude = |value: f64| if by_magnitude { value.abs() } else { value };
    let metric = |entry: &Entry<'_>| entry.published.metrics.get(&challenge.ranking.metric)?.value().map(magnitude);
    let score = |entry: &Entry<'_>| match challenge.score {
        ScoreRule::Metric => entry.published.score.map(magnitude),
        ScoreRule::LinearAboveBaseline { .. } | ScoreRule::Composite(_) => entry.published.score,
    };
    let score = best(score(a), score(b), score_rises);
    challenge.ranking.tie_breaks.iter().fold(score, |order, tie_break| {
        order.then_with(|| match tie_break {
            TieBreak::Metric => best(metric(a), metric(b), metric_rises),
            TieBreak::FewerParameters => {
                // Counts are below 2^53: exact as f64.
                let count = |entry: &Entry<'_>| entry.published.parameters.map(|count| count.0 as f64);
                best(count(a), count(b), false)
            }
            TieBreak::FewerFlops => best(a.published.flops_per_sample, b.published.flops_per_sample, false),
            TieBreak::Earlier => a.submitted_ms.cmp(&b.submitted_ms),
        })
    })
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
    use thimble_metrics::MetricValue;

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
