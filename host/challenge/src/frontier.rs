//! The Pareto frontier: which results nobody beats in the metric without spending more FLOPs. Pure, and independent of
//! every score rule.

use std::cmp::Ordering;

use thimble_metrics::Direction;

/// What a result achieved and what it cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The ranking metric, unrounded where the exact value may be used.
    pub metric: f64,
    /// FLOPs per sample.
    pub flops: f64,
}

impl Point {
    /// Whether it is nowhere worse than `other` and somewhere better. Equal points do not dominate each other.
    pub fn dominates(&self, other: &Self, direction: Direction) -> bool {
        let (ours, theirs) = (self.height(direction), other.height(direction));
        ours >= theirs && self.flops <= other.flops && (ours > theirs || self.flops < other.flops)
    }

    /// The metric, turned so that more is better.
    fn height(&self, direction: Direction) -> f64 {
        match direction {
            Direction::HigherIsBetter => self.metric,
            Direction::LowerIsBetter => -self.metric,
        }
    }
}

/// The indices of the points that no other point dominates, by ascending FLOPs, equal points in the order given. A point
/// with a NaN is left out.
pub fn frontier(points: &[Point], direction: Direction) -> Vec<usize> {
    // Ascending FLOPs, of equal FLOPs the best first. Numbers compare by value: −0 is 0.
    let by_value = |a: f64, b: f64| a.partial_cmp(&b).unwrap_or(Ordering::Equal);
    let mut order: Vec<(f64, f64, usize)> = points
        .iter()
        .enumerate()
        .map(|(index, point)| (point.flops, point.height(direction), index))
        .filter(|(flops, height, _)| !flops.is_nan() && !height.is_nan())
        .collect();
    order.sort_unstable_by(|a, b| by_value(a.0, b.0).then_with(|| by_value(b.1, a.1)).then(a.2.cmp(&b.2)));
    let mut members: Vec<usize> = Vec::new();
    for (_, _, index) in order {
        // Everything cheaper stands before it, so it is beaten by the last member or by none.
        let beaten = members.last().is_some_and(|&last| {
            let last = &points[last];
            last.height(direction) >= points[index].height(direction) && *last != points[index]
        });
        if !beaten {
            members.push(index);
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use thimble_metrics::Direction::{HigherIsBetter, LowerIsBetter};

    use super::*;

    fn points(values: &[(f64, f64)]) -> Vec<Point> {
        values.iter().map(|&(metric, flops)| Point { metric, flops }).collect()
    }

    #[test]
    fn members_rise_with_their_cost() {
        let points = points(&[(0.9, 50.0), (0.8, 10.0), (0.85, 60.0), (0.95, 90.0), (0.8, 11.0), (0.7, 10.0)]);
        assert_eq!(frontier(&points, HigherIsBetter), [1, 0, 3]);
    }

    #[test]
    fn ties_in_both_are_all_kept() {
        let points = points(&[(0.9, 10.0), (0.8, 5.0), (0.9, 10.0), (0.9, 11.0), (0.0, 1.0), (-0.0, 1.0)]);
        assert_eq!(frontier(&points, HigherIsBetter), [4, 5, 1, 0, 2]);
        assert!(!points[0].dominates(&points[2], HigherIsBetter));
    }

    #[test]
    fn a_metric_that_falls_is_minimised() {
        let points = points(&[(3.0, 10.0), (2.0, 20.0), (2.5, 30.0), (4.0, 10.0)]);
        assert_eq!(frontier(&points, LowerIsBetter), [0, 1]);
        assert!(points[0].dominates(&points[3], LowerIsBetter));
    }

    /// Rounded to four decimals the two would tie, and the dearer one would be beaten.
    #[test]
    fn values_are_not_rounded() {
        let points = points(&[(0.90001, 10.0), (0.90002, 11.0)]);
        assert_eq!(frontier(&points, HigherIsBetter), [0, 1]);
    }

    #[test]
    fn nan_is_never_a_member() {
        let points = points(&[(f64::NAN, 1.0), (0.5, f64::NAN), (0.1, 7.0)]);
        assert_eq!(frontier(&points, HigherIsBetter), [2]);
        assert_eq!(frontier(&[], HigherIsBetter), [0usize; 0]);
    }

    /// Few values, so that ties are common; zeros of both signs.
    fn some_points() -> impl Strategy<Value = Vec<Point>> {
        let value = prop_oneof![Just(-0.0), Just(0.0), Just(1.0), Just(2.0), Just(3.0)];
        proptest::collection::vec((value.clone(), value).prop_map(|(metric, flops)| Point { metric, flops }), 0..12)
    }

    proptest! {
        #[test]
        fn members_are_those_that_none_dominates(points in some_points(), rises: bool) {
            let direction = if rises { HigherIsBetter } else { LowerIsBetter };
            let mut members = frontier(&points, direction);
            members.sort_unstable();
            let by_definition: Vec<usize> =
                (0..points.len()).filter(|&i| !points.iter().any(|p| p.dominates(&points[i], direction))).collect();
            prop_assert_eq!(members, by_definition);
        }
    }
}
