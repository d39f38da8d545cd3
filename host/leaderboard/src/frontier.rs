//! The frontier of a board, and who beats whom.

use std::sync::Arc;

use thimble_challenge::Challenge;
use thimble_challenge::frontier::{Point, frontier};
use thimble_challenge::ranking::Figures;
use thimble_metrics::Direction;

use crate::row::Row;

/// How the ranking metric and the FLOPs of a challenge make a point.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plane {
    direction: Direction,
    by_magnitude: bool,
}

impl Plane {
    pub(crate) fn of(challenge: &Challenge) -> Self {
        let metric = challenge.ranking_metric();
        Self {
            direction: metric.map_or(Direction::HigherIsBetter, |metric| metric.direction),
            by_magnitude: metric.is_some_and(|metric| metric.ranks_by_magnitude),
        }
    }

    fn point(self, figures: &Figures) -> Option<Point> {
        let metric = if self.by_magnitude { figures.metric.map(f64::abs) } else { figures.metric };
        Some(Point { metric: metric?, flops: figures.flops_per_sample? })
    }
}

/// A result on the plane.
pub(crate) type Placed<'a> = (&'a Figures, &'a Arc<Row>);

/// The results that no other beats in the metric without spending more.
#[derive(Debug)]
pub(crate) struct Frontier<'a> {
    plane: Plane,
    /// By ascending FLOPs, ties in the order of submission.
    members: Vec<&'a Arc<Row>>,
    /// Of equal members the first.
    steps: Vec<(Point, &'a Arc<Row>)>,
}

impl<'a> Frontier<'a> {
    /// The frontier of ranked results, given in the order of submission. A result without FLOPs is left out.
    pub(crate) fn of(plane: Plane, ranked: impl Iterator<Item = Placed<'a>>) -> Self {
        let placed = ranked.filter_map(|(figures, row)| Some((plane.point(figures)?, row)));
        let (points, rows): (Vec<_>, Vec<_>) = placed.unzip();
        let indices = frontier(&points, plane.direction);
        let mut steps: Vec<(Point, &Arc<Row>)> = Vec::new();
        for &index in &indices {
            if steps.last().is_none_or(|(point, _)| *point != points[index]) {
                steps.push((points[index], rows[index]));
            }
        }
        Self { plane, members: indices.into_iter().map(|index| rows[index]).collect(), steps }
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &'a Arc<Row>> {
        self.members.iter().copied()
    }

    pub(crate) fn point(&self, figures: &Figures) -> Option<Point> {
        self.plane.point(figures)
    }

    /// The member that is nowhere worse and somewhere better than the point of a ranked result: of all such the one with the
    /// best metric, and of equals the earliest. None for members.
    pub(crate) fn dominator(&self, point: &Point) -> Option<&'a Arc<Row>> {
        let dearer = self.steps.partition_point(|(step, _)| step.flops <= point.flops);
        let (step, row) = self.steps.get(dearer.checked_sub(1)?)?;
        step.dominates(point, self.plane.direction).then_some(*row)
    }
}
