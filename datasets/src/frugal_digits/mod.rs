//! Handwritten digits under uneven conditions, in a rotated feature space.
//!
//! Every row is a picture of 16 × 16 pixels made from one of 1,740 handwritten digits: moved, turned, scaled and faded,
//! and seen clearly, blurred, in noise or behind a patch, some digits more often badly than others. One random
//! rotation for the whole dataset then mixes the 256 pixels, so that a solution has to learn even what a neighbour is, and a
//! little noise comes on top. No two splits share a digit. Anyone can own the 1,797 digits (`datasets/digits/NOTICE.md`), so
//! a dataset drawn from a secret seed is for practice, too.

pub(crate) mod images;
mod picture;

use crate::digest::Digest;
use crate::metadataset::{DType, Field, Split};
use crate::rotation::Rotation;
use crate::seed::Seed;
use crate::stream::Stream;
use crate::table::{Table, Tables, Values};
use crate::task::{Classes, TaskKind};

use images::Images;
use picture::CANVAS;

/// The name of the public dataset.
pub const PUBLIC_NAME: &str = "frugal-digits-public";
/// The name of a dataset drawn from a secret seed.
pub const PRIVATE_NAME: &str = "frugal-digits-private";
/// The input field: f32, 256 values a row.
pub const INPUT: &str = "features";
/// The target field: s64, the digit.
pub const TARGET: &str = "label";
/// What the world did to the picture: u8, 0 clear, 1 blurred, 2 noisy, 3 occluded. No challenge hands it to a submission.
pub const CONDITION: &str = "condition";

/// The digest of [`public`]: `sha256:5f1ffd6d05cef3565ce6c239983f338123a7aa28447273982799efcbbc053bd6`.
pub const PUBLIC_DIGEST: Digest = Digest::from_bytes([
    0x5f, 0x1f, 0xfd, 0x6d, 0x05, 0xce, 0xf3, 0x56, 0x5c, 0xe6, 0xc2, 0x39, 0x98, 0x3f, 0x33, 0x81, 0x23, 0xa7, 0xaa,
    0x28, 0x44, 0x72, 0x73, 0x98, 0x27, 0x99, 0xef, 0xcb, 0xbc, 0x05, 0x3b, 0xd6,
]);

const CLASSES: u32 = 10;
/// Full ink in units of the features, which makes their root mean square about 1.
const INK: f64 = 4.0;
/// Standard deviation of the noise on every feature.
const NOISE: f64 = 0.2;

/// Pictures of each image.
const fn pictures(split: Split) -> usize {
    match split {
        Split::Train | Split::Validation => 6,
        Split::Test => 4,
    }
}

/// The 6,000, 1,440 and 2,000 rows that everyone may have.
pub fn public() -> Tables {
    draw(PUBLIC_NAME, &Seed::published("thimble frugal-digits public 1"))
}

/// Draws another dataset of the same shape and difficulty: which digit is in which split, every picture, the rotation and
/// the noise come from independent ChaCha20 streams under the seed.
pub fn private(seed: &Seed) -> Tables {
    draw(PRIVATE_NAME, seed)
}

fn draw(name: &str, seed: &Seed) -> Tables {
    let stream = |purpose: &str| Stream::new(seed.derive(&format!("frugal-digits 1 {purpose}"), &[]));
    let images = Images::draw(&mut stream("images"));
    let rotation = Rotation::draw(&mut stream("rotation"), CANVAS * CANVAS);
    let split = |split: Split| draw_split(&mut stream(split.name()), &images, &rotation, split);
    Tables {
        name: name.into(),
        task: TaskKind::TabularClassification(Classes::unnamed(CLASSES)),
        fields: schema(),
        train: split(Split::Train),
        validation: split(Split::Validation),
        test: split(Split::Test),
    }
}

fn schema() -> Vec<Field> {
    vec![
        Field::input(INPUT, DType::F32, &[(CANVAS * CANVAS) as u32]),
        Field::input(CONDITION, DType::U8, &[]),
        Field::target(TARGET, DType::S64, &[]),
    ]
}

/// Picture after picture, then shuffled, all from one stream.
fn draw_split(stream: &mut Stream, images: &Images, rotation: &Rotation, split: Split) -> Table {
    let mut rows = Vec::new();
    for class in 0..CLASSES as usize {
        for image in images.of(class, split) {
            for _ in 0..pictures(split) {
                let condition = picture::condition(stream, class);
                let picture = picture::picture(stream, image, condition);
                let turned = rotation.apply(&picture);
                let features: Vec<f32> =
                    turned.iter().map(|value| (value * INK + stream.normal() * NOISE) as f32).collect();
                rows.push((features, condition as u8, class as i64));
            }
        }
    }
    let order = stream.permutation(rows.len());
    let shuffled = || order.iter().map(|&row| &rows[row]);
    Table {
        rows: rows.len(),
        columns: vec![
            Values::F32(shuffled().flat_map(|row| &row.0).copied().collect()),
            Values::U8(shuffled().map(|row| row.1).collect()),
            Values::S64(shuffled().map(|row| row.2).collect()),
        ],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn seed(first: u8) -> Seed {
        let bytes: [u8; 32] = std::array::from_fn(|i| first.wrapping_add(i as u8));
        Seed::parse(&bytes).unwrap_or_else(|_| unreachable!("32 different bytes"))
    }

    fn columns(table: &Table) -> (&[f32], &[u8], &[i64]) {
        let [Values::F32(features), Values::U8(conditions), Values::S64(labels)] = &table.columns[..] else {
            unreachable!("three columns")
        };
        (features, conditions, labels)
    }

    #[test]
    fn the_digest_is_the_published_one() {
        assert_eq!(public().digest(), PUBLIC_DIGEST);
    }

    #[test]
    fn a_seed_gives_the_same_bits_on_every_machine() {
        // First computed on x86_64; the promise is that it is never another.
        let expected = "sha256:c4c3cac478f54149a549ea598d1d58eb0f2359a67148cab1601d3c0d93b26444";
        assert_eq!(private(&seed(1)).digest().to_string(), expected);
    }

    #[test]
    fn every_class_has_its_rows_in_an_order_that_tells_nothing() {
        let tables = public();
        for (split, rows) in Split::ALL.into_iter().zip([6_000, 1_440, 2_000]) {
            let (features, conditions, labels) = columns(tables.split(split));
            assert_eq!((features.len(), conditions.len(), labels.len()), (rows * 256, rows, rows));
            let mut sorted = labels.to_vec();
            sorted.sort_unstable();
            assert!(sorted.iter().enumerate().all(|(row, &label)| label == (row * 10 / rows) as i64));
            // About one neighbour in ten is of the same class.
            let neighbours = labels.windows(2).filter(|pair| pair[0] == pair[1]).count();
            assert!((rows / 15..rows / 7).contains(&neighbours), "{neighbours}");
        }
    }

    #[test]
    fn some_digits_are_seen_worse_than_others() {
        let tables = public();
        let (_, conditions, labels) = columns(&tables.train);
        for class in 0..CLASSES as usize {
            let mut counts = [0_u64; 4];
            let of_class = conditions.iter().zip(labels).filter(|(_, label)| **label == class as i64);
            of_class.for_each(|(&condition, _)| counts[usize::from(condition)] += 1);
            for (count, frequency) in counts.into_iter().zip(picture::FREQUENCIES[class]) {
                // 600 pictures; four standard errors at 50 %.
                assert!(count.abs_diff(frequency * 6) < 49, "{class}: {counts:?}");
            }
        }
    }

    #[test]
    fn datasets_of_different_seeds_share_no_value() {
        let values = |tables: &Tables| -> BTreeSet<u32> {
            columns(&tables.test).0.iter().take(256 * 64).map(|value| value.to_bits()).collect()
        };
        let (public, one, other) = (public(), private(&seed(1)), private(&seed(2)));
        // 16,384 of some 10⁸ possible values: chance alone gives two or three.
        for (a, b) in [(&public, &one), (&public, &other), (&one, &other)] {
            assert!(values(a).intersection(&values(b)).count() < 30);
            assert!(columns(&a.train).2[..64] != columns(&b.train).2[..64]);
        }
    }
}
