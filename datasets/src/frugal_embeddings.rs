//! Synthetic embeddings that a nearest class mean does not solve.
//!
//! A harder sibling of [`imagenet_pareto`](crate::imagenet_pareto): 48 classes, each of three modes of unequal frequency, which overlap in a
//! signal subspace of 24 of 192 dimensions. A nuisance of 16 dimensions, shared by all classes and much larger than what tells them
//! apart, leaks into the signal, so that distances mislead until its covariance is removed; the modes leave the rest to
//! a nonlinear model. Noise is on every feature, with the heavy tails of Student's t. One rotation hides which direction
//! is which.

use crate::digest::Digest;
use crate::metadataset::{DType, Field, Split};
use crate::rotation::Rotation;
use crate::seed::Seed;
use crate::stream::Stream;
use crate::table::{Table, Tables, Values};
use crate::task::{Classes, TaskKind};

/// The name of the public dataset.
pub const PUBLIC_NAME: &str = "frugal-embeddings-public";
/// The name of a dataset drawn from a secret seed.
pub const PRIVATE_NAME: &str = "frugal-embeddings-private";
/// The input field: f32, 192 values a row.
pub const INPUT: &str = "features";
/// The target field: s64, the class.
pub const TARGET: &str = "label";

/// The digest of [`public`]: `sha256:3c6f416121f5823b1bdd94a53ab35a7b345bd29b7fe4853a0f8d00e86a976ae1`.
pub const PUBLIC_DIGEST: Digest = Digest::from_bytes([
    0x3c, 0x6f, 0x41, 0x61, 0x21, 0xf5, 0x82, 0x3b, 0x1b, 0xdd, 0x94, 0xa5, 0x3a, 0xb3, 0x5a, 0x7b, 0x34, 0x5b, 0xd2,
    0x9b, 0x7f, 0xe4, 0x85, 0x3a, 0x0f, 0x8d, 0x00, 0xe8, 0x6a, 0x97, 0x6a, 0xe1,
]);

const CLASSES: usize = 48;
const DIM: usize = 192;
/// Dimensions that classes differ in.
const SIGNAL: usize = 24;
/// Dimensions of the nuisance.
const NUISANCE: usize = 16;
/// Rows of each mode in ten of a class.
const MODES: [u64; 3] = [5, 3, 2];
/// Standard deviation, in every signal dimension, of what the modes of a class share.
const CLASS_SPREAD: f64 = 0.5;
/// Standard deviation, in every signal dimension, of what is a mode's own.
const MODE_SPREAD: f64 = 1.0;
/// Standard deviation of the nuisance in its largest and in its smallest dimension.
const NUISANCE_SPREAD: (f64, f64) = (1.1, 0.4);
/// Standard deviation of each weight by which nuisance leaks into signal.
const LEAK: f64 = 0.3;
/// Scale of the noise on every feature.
const NOISE: f64 = 0.5;
/// Degrees of freedom of the noise's scale: Student's t, drawn for a row at a time.
const TAIL: usize = 4;

const fn per_class(split: Split) -> usize {
    match split {
        Split::Train => 128,
        Split::Validation => 32,
        Split::Test => 64,
    }
}

/// The 6,144, 1,536 and 3,072 rows that everyone may have.
pub fn public() -> Tables {
    draw(PUBLIC_NAME, &Seed::published("thimble frugal-embeddings public 1"))
}

/// Draws another dataset of the same shape and difficulty: modes, nuisance, rotation and the rows of each split come from
/// independent ChaCha20 streams under the seed. Nothing of it can be computed from anything that a challenge publishes.
pub fn private(seed: &Seed) -> Tables {
    draw(PRIVATE_NAME, seed)
}

fn draw(name: &str, seed: &Seed) -> Tables {
    let stream = |purpose: &str| Stream::new(seed.derive(&format!("frugal-embeddings 1 {purpose}"), &[]));
    let world = World::draw(&mut stream("modes"), &mut stream("nuisance"), &mut stream("rotation"));
    let split = |split: Split| draw_split(&mut stream(split.name()), &world, split);
    Tables {
        name: name.into(),
        task: TaskKind::TabularClassification(Classes::unnamed(CLASSES as u32)),
        fields: vec![Field::input(INPUT, DType::F32, &[DIM as u32]), Field::target(TARGET, DType::S64, &[])],
        train: split(Split::Train),
        validation: split(Split::Validation),
        test: split(Split::Test),
    }
}

/// What all rows share.
struct World {
    /// The signal of each mode of each class.
    modes: Vec<[[f64; SIGNAL]; MODES.len()]>,
    /// What one unit of each nuisance dimension adds to the signal.
    leaks: Vec<[f64; SIGNAL]>,
    rotation: Rotation,
}

impl World {
    fn draw(modes: &mut Stream, nuisance: &mut Stream, rotation: &mut Stream) -> Self {
        let mut class = || {
            let shared: [f64; SIGNAL] = std::array::from_fn(|_| CLASS_SPREAD * modes.normal());
            std::array::from_fn(|_| shared.map(|shared| shared + MODE_SPREAD * modes.normal()))
        };
        Self {
            modes: (0..CLASSES).map(|_| class()).collect(),
            leaks: (0..NUISANCE).map(|_| std::array::from_fn(|_| LEAK * nuisance.normal())).collect(),
            rotation: Rotation::draw(rotation, DIM),
        }
    }

    /// One row of `class`.
    fn row(&self, stream: &mut Stream, class: usize) -> Vec<f32> {
        let noise = NOISE * heavy_tail(stream);
        let mut row: Vec<f64> = (0..DIM).map(|_| noise * stream.normal()).collect();
        let (signal, rest) = row.split_at_mut(SIGNAL);
        let mode = &self.modes[class][mode(stream)];
        signal.iter_mut().zip(mode).for_each(|(signal, mode)| *signal += mode);
        let (most, least) = NUISANCE_SPREAD;
        for (index, (value, leaks)) in rest.iter_mut().zip(&self.leaks).enumerate() {
            *value += (most + (least - most) * index as f64 / (NUISANCE - 1) as f64) * stream.normal();
            signal.iter_mut().zip(leaks).for_each(|(signal, leak)| *signal += leak * *value);
        }
        self.rotation.apply(&row).into_iter().map(|value| value as f32).collect()
    }
}

fn mode(stream: &mut Stream) -> usize {
    let mut draw = stream.below(MODES.iter().sum());
    for (mode, frequency) in MODES.into_iter().enumerate() {
        if draw < frequency {
            return mode;
        }
        draw -= frequency;
    }
    0
}

/// `√(ν / χ²)` with ν degrees of freedom: a normal times this is Student's t.
fn heavy_tail(stream: &mut Stream) -> f64 {
    let mut square = 0.0;
    for _ in 0..TAIL {
        let normal = stream.normal();
        square += normal * normal;
    }
    // One draw in 10¹⁶ would be smaller: features stay finite, and no row is all tail.
    libm::sqrt(TAIL as f64 / square.max(1e-4))
}

/// Row after row, class after class, then shuffled, all from one stream.
fn draw_split(stream: &mut Stream, world: &World, split: Split) -> Table {
    let rows: Vec<_> = (0..CLASSES * per_class(split))
        .map(|row| row / per_class(split))
        .map(|class| (world.row(stream, class), class))
        .collect();
    let order = stream.permutation(rows.len());
    let shuffled = || order.iter().map(|&row| &rows[row]);
    Table {
        rows: rows.len(),
        columns: vec![
            Values::F32(shuffled().flat_map(|row| &row.0).copied().collect()),
            Values::S64(shuffled().map(|row| row.1 as i64).collect()),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(first: u8) -> Seed {
        let bytes: [u8; 32] = std::array::from_fn(|i| first.wrapping_add(i as u8));
        Seed::parse(&bytes).unwrap_or_else(|_| unreachable!("32 different bytes"))
    }

    fn columns(table: &Table) -> (&[f32], &[i64]) {
        let [Values::F32(features), Values::S64(labels)] = &table.columns[..] else { unreachable!("two columns") };
        (features, labels)
    }

    #[test]
    fn the_digest_is_the_published_one() {
        assert_eq!(public().digest(), PUBLIC_DIGEST);
    }

    #[test]
    fn a_seed_gives_the_same_bits_on_every_machine() {
        // First computed on x86_64; the promise is that it is never another.
        let expected = "sha256:14164f9e0b21198a1fe48df8dd05c938b0db68e10198f13e7658d6e35d2316ee";
        assert_eq!(private(&seed(1)).digest().to_string(), expected);
    }

    #[test]
    fn every_class_has_its_rows_in_an_order_that_tells_nothing() {
        let tables = public();
        for (split, rows) in Split::ALL.into_iter().zip([6_144, 1_536, 3_072]) {
            let (features, labels) = columns(tables.split(split));
            assert_eq!((features.len(), labels.len()), (rows * DIM, rows));
            let mut sorted = labels.to_vec();
            sorted.sort_unstable();
            assert!(sorted.iter().enumerate().all(|(row, &label)| label == (row * CLASSES / rows) as i64));
            // About one neighbour in 48 is of the same class.
            let neighbours = labels.windows(2).filter(|pair| pair[0] == pair[1]).count();
            assert!(neighbours < rows / 24, "{neighbours}");
        }
    }

    #[test]
    fn splits_and_seeds_share_no_row() {
        let (one, other) = (private(&seed(1)), private(&seed(2)));
        let first = |table: &Table| columns(table).0[..DIM].to_vec();
        let rows = [&one.train, &one.validation, &one.test, &other.train, &other.validation, &other.test].map(first);
        for (i, row) in rows.iter().enumerate() {
            assert!(rows[..i].iter().all(|earlier| earlier.iter().zip(row).all(|(a, b)| a != b)));
        }
    }

    /// ν / (ν − 2) = 2 is the variance of Student's t with four degrees of freedom, and its tails are heavier than a normal's.
    #[test]
    fn noise_has_heavy_tails() {
        let mut stream = Stream::new([8; 32]);
        let draws: Vec<f64> = (0..100_000).map(|_| heavy_tail(&mut stream) * stream.normal()).collect();
        let beyond = |limit: f64| draws.iter().filter(|draw| draw.abs() > limit).count() as f64 / draws.len() as f64;
        // Two-sided tails of Student's t with ν = 4: 0.0161 beyond 4, 0.1161 beyond 2. A normal has 0.00006 and 0.0455.
        assert!((beyond(4.0) - 0.0161).abs() < 0.002, "{}", beyond(4.0));
        assert!((beyond(2.0) - 0.1161).abs() < 0.006, "{}", beyond(2.0));
    }

    /// What makes it worth solving: class means get about half of the rows right.
    #[test]
    fn the_nearest_class_mean_is_far_from_enough() {
        let tables = public();
        let (features, labels) = columns(&tables.train);
        let mut means = vec![0.0_f64; CLASSES * DIM];
        for (row, &label) in features.chunks_exact(DIM).zip(labels) {
            let mean = &mut means[label as usize * DIM..][..DIM];
            mean.iter_mut().zip(row).for_each(|(mean, &value)| *mean += f64::from(value) / 128.0);
        }
        let distance = |row: &[f32], mean: &[f64]| -> f64 {
            row.iter().zip(mean).map(|(&value, mean)| (f64::from(value) - mean).powi(2)).sum()
        };
        let (features, labels) = columns(&tables.test);
        let correct = features.chunks_exact(DIM).zip(labels).filter(|(row, label)| {
            let distances = means.chunks_exact(DIM).map(|mean| distance(row, mean));
            let nearest = distances.enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
            nearest.is_some_and(|(class, _)| class as i64 == **label)
        });
        let accuracy = correct.count() as f64 / labels.len() as f64;
        assert!((0.45..0.60).contains(&accuracy), "{accuracy}");
    }
}
