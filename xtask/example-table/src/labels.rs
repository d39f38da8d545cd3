//! Where the names of points go: beside their points, not on each other, on markers or on lines.
//!
//! Every label has a fixed list of places around its point, near ones first, and takes the cheapest; then each is placed
//! anew a few times, given all others. No randomness: the same points give the same places.

/// The half of a marker's side that labels keep clear of.
const MARKER: f64 = 6.0;
/// From a marker's centre to its label, nearest first.
const DISTANCES: [f64; 12] = [8.0, 12.0, 18.0, 26.0, 36.0, 48.0, 62.0, 78.0, 96.0, 116.0, 138.0, 162.0];
/// Farther than this a thin line leads from the point to its label.
const LEADER_FROM: f64 = 15.0;
/// Directions to a label, the preferred first: beside, above and below, at 45°, between.
const DIRECTIONS: [(f64, f64); 16] = [
    (1.0, 0.0),
    (-1.0, 0.0),
    (0.0, -1.0),
    (0.0, 1.0),
    (0.71, -0.71),
    (-0.71, -0.71),
    (0.71, 0.71),
    (-0.71, 0.71),
    (0.92, -0.38),
    (-0.92, -0.38),
    (0.92, 0.38),
    (-0.92, 0.38),
    (0.38, -0.92),
    (-0.38, -0.92),
    (0.38, 0.92),
    (-0.38, 0.92),
];
/// How often every label is placed anew.
const SWEEPS: usize = 6;

/// What a place costs, in units of distance.
const ON_LABEL: f64 = 10_000.0;
const ON_MARKER: f64 = 5_000.0;
const LEADER_ON_LABEL: f64 = 1_000.0;
const LEADER_ON_MARKER: f64 = 200.0;
const ON_LINE: f64 = 45.0;
const LATER_DIRECTION: f64 = 0.5;

/// A position, y downwards.
pub(crate) type Position = (f64, f64);

/// A box, y downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rectangle {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Rectangle {
    fn around((x, y): Position, half: f64) -> Self {
        Self { left: x - half, top: y - half, right: x + half, bottom: y + half }
    }

    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    fn contains(&self, other: &Self) -> bool {
        self.left <= other.left && other.right <= self.right && self.top <= other.top && other.bottom <= self.bottom
    }

    /// The point of it that is nearest to `from`.
    fn nearest(&self, from: Position) -> Position {
        (from.0.clamp(self.left, self.right), from.1.clamp(self.top, self.bottom))
    }

    /// Whether the straight line from `a` to `b` passes through it (Liang and Barsky's clipping).
    fn is_crossed_by(&self, a: Position, b: Position) -> bool {
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let (mut enter, mut leave) = (0f64, 1f64);
        for (run, room) in
            [(-dx, a.0 - self.left), (dx, self.right - a.0), (-dy, a.1 - self.top), (dy, self.bottom - a.1)]
        {
            if run == 0.0 && room <= 0.0 {
                return false;
            } else if run < 0.0 {
                enter = enter.max(room / run);
            } else if run > 0.0 {
                leave = leave.min(room / run);
            }
        }
        enter < leave
    }
}

/// Which end of the text is at the point's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// Where a label went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Label {
    pub(crate) place: Rectangle,
    pub(crate) anchor: Anchor,
    /// The end of the line that leads to it; none for a label at its point.
    pub(crate) leader: Option<Position>,
}

/// What labels are placed among.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    /// Centres of markers; label `i` belongs to point `i`.
    pub(crate) points: &'a [Position],
    /// Width of each label; all have the same height.
    pub(crate) widths: &'a [f64],
    pub(crate) height: f64,
    /// A line that labels had better not cover, as its corners.
    pub(crate) line: &'a [Position],
    /// What no label leaves.
    pub(crate) area: Rectangle,
}

impl Scene<'_> {
    /// A label for each point. Where there is no room left, the one that covers least.
    pub(crate) fn labels(&self) -> Vec<Label> {
        let mut labels: Vec<Option<Label>> = vec![None; self.points.len()];
        for _ in 0..SWEEPS {
            for index in 0..labels.len() {
                labels[index] = None;
                let candidates = self.candidates(index).into_iter();
                let costs = candidates.map(|(cost, label)| (cost + self.obstacles(index, &label, &labels), label));
                // The first of the cheapest.
                labels[index] = costs.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, label)| label);
            }
        }
        labels.into_iter().flatten().collect()
    }

    /// Every place of a label with the cost of its distance and direction; at least one, outside the area if need be.
    fn candidates(&self, index: usize) -> Vec<(f64, Label)> {
        let mut places = Vec::with_capacity(DISTANCES.len() * DIRECTIONS.len());
        for distance in DISTANCES {
            for (rank, direction) in DIRECTIONS.into_iter().enumerate() {
                let label = self.label(index, distance, direction);
                places.push((distance + LATER_DIRECTION * rank as f64, label));
            }
        }
        if places.iter().any(|(_, label)| self.area.contains(&label.place)) {
            places.retain(|(_, label)| self.area.contains(&label.place));
        }
        places
    }

    /// With its nearest side, or corner, at a distance from its point.
    fn label(&self, index: usize, distance: f64, (right, down): (f64, f64)) -> Label {
        let (point, width, height) = (self.points[index], self.widths[index], self.height);
        let (x, y) = (point.0 + right * distance, point.1 + down * distance);
        let (left, anchor) = match right {
            0.0 => (x - width / 2.0, Anchor::Middle),
            0.0.. => (x, Anchor::Start),
            _ => (x - width, Anchor::End),
        };
        let top = match down {
            0.0 => y - height / 2.0,
            0.0.. => y,
            _ => y - height,
        };
        let place = Rectangle { left, top, right: left + width, bottom: top + height };
        Label { place, anchor, leader: (distance > LEADER_FROM).then(|| place.nearest(point)) }
    }

    /// What the label would cover.
    fn obstacles(&self, index: usize, label: &Label, others: &[Option<Label>]) -> f64 {
        let point = self.points[index];
        let mut cost = 0.0;
        for (other, &marker) in self.points.iter().enumerate() {
            let marker = Rectangle::around(marker, MARKER);
            cost += if label.place.overlaps(&marker) { ON_MARKER } else { 0.0 };
            let crossed = label.leader.is_some_and(|end| marker.is_crossed_by(point, end));
            cost += if other != index && crossed { LEADER_ON_MARKER } else { 0.0 };
        }
        for (other, placed) in others.iter().enumerate() {
            let Some(placed) = placed else { continue };
            cost += if label.place.overlaps(&placed.place) { ON_LABEL } else { 0.0 };
            let crossed = label.leader.is_some_and(|end| placed.place.is_crossed_by(point, end));
            let crosses = placed.leader.is_some_and(|end| label.place.is_crossed_by(self.points[other], end));
            cost += if crossed || crosses { LEADER_ON_LABEL } else { 0.0 };
        }
        let covered = self.line.windows(2).any(|ends| label.place.is_crossed_by(ends[0], ends[1]));
        cost + if covered { ON_LINE } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AREA: Rectangle = Rectangle { left: 0.0, top: 0.0, right: 400.0, bottom: 320.0 };

    fn placed(points: &[Position], widths: &[f64], line: &[Position]) -> Vec<Label> {
        Scene { points, widths, height: 15.0, line, area: AREA }.labels()
    }

    #[test]
    fn a_lone_label_stands_right_of_its_point() {
        let labels = placed(&[(100.0, 100.0)], &[50.0], &[]);
        assert_eq!(labels[0].anchor, Anchor::Start);
        assert_eq!(labels[0].place, Rectangle { left: 108.0, top: 92.5, right: 158.0, bottom: 107.5 });
        assert_eq!(labels[0].leader, None);
    }

    #[test]
    fn a_label_stays_inside() {
        let labels = placed(&[(395.0, 5.0)], &[50.0], &[]);
        assert!(AREA.contains(&labels[0].place), "{labels:?}");
    }

    #[test]
    fn a_label_leaves_the_line_free() {
        let line = [(100.0, 100.0), (300.0, 100.0)];
        let labels = placed(&[(100.0, 100.0)], &[50.0], &line);
        assert!(!labels[0].place.is_crossed_by(line[0], line[1]), "{labels:?}");
    }

    #[test]
    fn a_line_crosses_a_box_or_does_not() {
        let square = Rectangle::around((0.0, 0.0), 1.0);
        assert!(square.is_crossed_by((-5.0, 0.0), (5.0, 0.5)));
        assert!(square.is_crossed_by((0.0, -5.0), (0.0, 5.0)));
        assert!(square.is_crossed_by((0.0, 0.0), (5.0, 5.0)));
        assert!(!square.is_crossed_by((-5.0, 2.0), (5.0, 2.0)));
        assert!(!square.is_crossed_by((-5.0, 0.0), (-2.0, 0.0)));
        assert!(!square.is_crossed_by((-3.0, 0.0), (0.0, 3.0)));
    }

    proptest! {
        /// As many as the examples are, on a grid coarse enough that markers themselves do not collide.
        #[test]
        fn labels_of_a_crowd_do_not_overlap(cells in proptest::collection::btree_set(0u16..400, 14)) {
            let points: Vec<Position> =
                cells.iter().map(|cell| (10.0 + 19.0 * f64::from(cell % 20), 10.0 + 15.0 * f64::from(cell / 20))).collect();
            let widths: Vec<f64> = (0..points.len()).map(|index| 40.0 + 7.0 * index as f64).collect();
            let labels = placed(&points, &widths, &[]);
            for (index, label) in labels.iter().enumerate() {
                prop_assert!(AREA.contains(&label.place));
                for other in &labels[..index] {
                    prop_assert!(!label.place.overlaps(&other.place), "{:?} {:?}", label, other);
                }
                for &point in &points {
                    prop_assert!(!label.place.overlaps(&Rectangle::around(point, MARKER)), "{:?} {:?}", label, point);
                }
            }
        }
    }
}
