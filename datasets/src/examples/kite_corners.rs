//! The corners and the tail of a drawn kite.
//!
//! Made for this project: 32 × 32 grey pixels with one kite of any size, shape and direction. Some kites have no tail,
//! whose end is then not annotated; a patch hides a corner of some. Half of the images are in even light, a quarter in
//! noise, a quarter in light that falls off.

use super::light::{Condition, EDGE, coverage, expose, paint};
use super::{drawn, stream, tables};
use crate::digest::Digest;
use crate::metadataset::{DType, Field, Split};
use crate::stream::Stream;
use crate::table::{Table, Tables, Values};
use crate::task::{Points, Skeleton, TaskKind};

/// The dataset's name.
pub const NAME: &str = "kite-corners";
/// The digest of [`public`]: `sha256:d4a80eda857eeeb3e22712a937fec5b53da7c9cc184c952251db7aec6d389dfe`.
pub const DIGEST: Digest = Digest::from_bytes([
    0xd4, 0xa8, 0x0e, 0xda, 0x85, 0x7e, 0xee, 0xb3, 0xe2, 0x27, 0x12, 0xa9, 0x37, 0xfe, 0xc5, 0xb5, 0x3d, 0xa7, 0xc9,
    0xcc, 0x18, 0x4c, 0x95, 0x22, 0x51, 0xdb, 0x7a, 0xec, 0x6d, 0x38, 0x9d, 0xfe,
]);

const POINTS: [&str; 5] = ["nose", "right", "end", "left", "tail"];
/// From the crossing of its sticks: to the nose, to the sides, to the end and from there to the tip of the tail, as
/// shares of the kite's length.
const NOSE: f64 = 0.3;
const SIDES: (f64, f64) = (0.26, 0.36);
const END: f64 = 0.7;
const TAIL: f64 = 0.45;
/// The kite's length without its tail, in pixels.
const LENGTH: (f64, f64) = (12.0, 18.0);
/// Half the width of the tail, in pixels.
const TAIL_WIDTH: f64 = 0.7;
/// The radius of a patch.
const PATCH: f64 = 2.2;

/// 600, 150 and 300 images. `condition` is 0 clear, 1 noisy, 2 unevenly lit; `area` is the kite's without its tail.
pub fn public() -> Tables {
    let points = Points { point_names: POINTS.map(String::from).into(), skeleton: Skeleton::Uniform };
    let fields = vec![
        Field::input("image", DType::U8, &[EDGE as u32, EDGE as u32, 1]),
        Field::input("condition", DType::U8, &[]),
        Field::target("keypoints", DType::F32, &[POINTS.len() as u32, 2]),
        Field::target("visibility", DType::U8, &[POINTS.len() as u32]),
        Field::target("box", DType::F32, &[4]),
        Field::target("area", DType::F64, &[]),
    ];
    tables(NAME, TaskKind::KeypointDetection(points), fields, |split: Split| {
        let mut stream = stream(NAME, split.name());
        let kites: Vec<_> = (0..drawn(split)).map(|_| Kite::draw(&mut stream)).collect();
        let columns = vec![
            Values::U8(kites.iter().flat_map(|kite| &kite.image).copied().collect()),
            Values::U8(kites.iter().map(|kite| kite.condition as u8).collect()),
            Values::F32(kites.iter().flat_map(Kite::annotated).collect()),
            Values::U8(kites.iter().flat_map(|kite| kite.visibility).collect()),
            Values::F32(kites.iter().flat_map(Kite::bounds).collect()),
            Values::F64(kites.iter().map(Kite::area).collect()),
        ];
        Table { rows: kites.len(), columns }
    })
}

struct Kite {
    image: Vec<u8>,
    condition: Condition,
    points: [[f64; 2]; POINTS.len()],
    /// 0 not annotated, 1 hidden, 2 visible.
    visibility: [u8; POINTS.len()],
}

impl Kite {
    fn draw(stream: &mut Stream) -> Self {
        let condition = Condition::draw(stream);
        let has_tail = stream.below(5) > 0;
        let points = place(stream, has_tail);
        let background = stream.between(30.0, 100.0);
        let level = background + stream.between(70.0, 130.0);
        let mut canvas = vec![background; EDGE * EDGE];
        let mut visibility = [2; POINTS.len()];
        paint(&mut canvas, &coverage(|x, y| is_inside(&points, [x, y])), level);
        if has_tail {
            let tail = coverage(|x, y| distance([x, y], points[2], points[4]) <= TAIL_WIDTH);
            paint(&mut canvas, &tail, level);
        } else {
            visibility[4] = 0;
        }
        if stream.below(3) == 0 {
            // A patch as dark as the background would look like a cut corner.
            let hidden = stream.below(4) as usize;
            let patch = coverage(|x, y| distance([x, y], points[hidden], points[hidden]) <= PATCH);
            paint(&mut canvas, &patch, (background + level) / 2.0);
            visibility[hidden] = 1;
        }
        Self { image: expose(stream, &canvas, condition), condition, points, visibility }
    }

    /// The places of its points; 0 where a point is not annotated.
    fn annotated(&self) -> Vec<f32> {
        let place = |(place, &visibility): (&[f64; 2], &u8)| if visibility > 0 { *place } else { [0.0; 2] };
        self.points.iter().zip(&self.visibility).flat_map(place).map(|place| place as f32).collect()
    }

    /// The box around its annotated points.
    fn bounds(&self) -> [f32; 4] {
        let annotated = self.points.iter().zip(&self.visibility).filter(|(_, visibility)| **visibility > 0);
        let bounds = annotated.fold([f64::MAX, f64::MAX, f64::MIN, f64::MIN], |[x0, y0, x1, y1], (&[x, y], _)| {
            [x0.min(x), y0.min(y), x1.max(x), y1.max(y)]
        });
        bounds.map(|place| place as f32)
    }

    /// Half the product of its sticks.
    fn area(&self) -> f64 {
        let length = |a: [f64; 2], b: [f64; 2]| libm::hypot(a[0] - b[0], a[1] - b[1]);
        length(self.points[0], self.points[2]) * length(self.points[1], self.points[3]) / 2.0
    }
}

/// Nose, right, end, left and tail, all of them inside the image.
fn place(stream: &mut Stream, has_tail: bool) -> [[f64; 2]; POINTS.len()] {
    loop {
        let length = stream.between(LENGTH.0, LENGTH.1);
        let side = stream.between(SIDES.0, SIDES.1);
        let turn = stream.between(0.0, std::f64::consts::TAU);
        let (x, y) = (stream.between(4.0, 28.0), stream.between(4.0, 28.0));
        let (sin, cos) = (libm::sin(turn), libm::cos(turn));
        // The nose is up at a turn of 0, and what is right in the image is the kite's right.
        let shares = [[0.0, -NOSE], [side, 0.0], [0.0, END], [-side, 0.0], [0.0, END + TAIL]];
        let points = shares.map(|[across, along]| {
            [x + length * (across * cos - along * sin), y + length * (across * sin + along * cos)]
        });
        let drawn = if has_tail { &points[..] } else { &points[..4] };
        if drawn.iter().flatten().all(|place| (1.0..EDGE as f64 - 1.0).contains(place)) {
            return points;
        }
    }
}

/// Whether a point lies in the kite: to the same side of its four edges.
fn is_inside(points: &[[f64; 2]; POINTS.len()], [x, y]: [f64; 2]) -> bool {
    (0..4).all(|corner| {
        let (a, b) = (points[corner], points[(corner + 1) % 4]);
        (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) >= 0.0
    })
}

/// The distance of a point from a line between two.
fn distance([x, y]: [f64; 2], a: [f64; 2], b: [f64; 2]) -> f64 {
    let (along_x, along_y) = (b[0] - a[0], b[1] - a[1]);
    let length = (along_x * along_x + along_y * along_y).max(f64::MIN_POSITIVE);
    let share = (((x - a[0]) * along_x + (y - a[1]) * along_y) / length).clamp(0.0, 1.0);
    libm::hypot(x - a[0] - share * along_x, y - a[1] - share * along_y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kite_covers_its_area() {
        let points = [[16.0, 8.0], [22.0, 14.0], [16.0, 28.0], [10.0, 14.0], [16.0, 31.0]];
        let kite = Kite { image: Vec::new(), condition: Condition::Clear, points, visibility: [2, 2, 2, 2, 0] };
        let pixels: f64 = coverage(|x, y| is_inside(&points, [x, y])).iter().sum();
        assert_eq!(kite.area(), 120.0);
        assert!((pixels - 120.0).abs() < 3.0, "{pixels}");
        assert_eq!(kite.bounds(), [10.0, 8.0, 22.0, 28.0]);
        assert_eq!(kite.annotated()[8..], [0.0, 0.0]);
    }

    #[test]
    fn kites_are_inside_their_images() {
        let mut stream = Stream::new([12; 32]);
        let mut counts = [0; 3];
        for _ in 0..300 {
            let kite = Kite::draw(&mut stream);
            kite.visibility.iter().for_each(|&visibility| counts[usize::from(visibility)] += 1);
            let [x0, y0, x1, y1] = kite.bounds();
            assert!(x0 >= 0.0 && y0 >= 0.0 && x1 <= 32.0 && y1 <= 32.0 && x0 < x1 && y0 < y1);
        }
        // One tail in five is not there, one corner in fifteen is hidden.
        assert!((30..100).contains(&counts[0]) && (60..150).contains(&counts[1]), "{counts:?}");
    }
}
