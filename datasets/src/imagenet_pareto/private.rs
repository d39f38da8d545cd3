//! Datasets of the same family, drawn from a secret seed.

use super::{PRIVATE_NAME, schema};
use crate::limits;
use crate::metadataset::Split;
use crate::seed::Seed;
use crate::stream::Stream;
use crate::table::{Table, Tables, Values};
use crate::task::{Classes, TaskKind};

/// What a private dataset looks like.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Number of classes, 2 to 65,536.
    pub classes: u32,
    /// Features per row, 1 to 65,536.
    pub dim: u32,
    /// Training rows of each class, 1 to 65,536.
    pub train_per_class: u32,
    /// Validation rows of each class, 1 to 65,536.
    pub validation_per_class: u32,
    /// Test rows of each class, 1 to 65,536.
    pub test_per_class: u32,
    /// Standard deviation of the noise on every feature, 0 to 1,000.
    pub noise: f64,
    /// Norm of every class's prototype, 0.001 to 1,000.
    pub prototype_norm: f64,
}

impl Default for Options {
    /// The shape and difficulty of the canonical data.
    fn default() -> Self {
        Self {
            classes: 128,
            dim: 384,
            train_per_class: 16,
            validation_per_class: 4,
            test_per_class: 8,
            noise: 0.4,
            prototype_norm: 2.5,
        }
    }
}

/// Why options describe no dataset.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OptionsError {
    /// A count is out of its range.
    #[error("{option}: {value} is not between {min} and {max}")]
    Count {
        /// The option.
        option: &'static str,
        /// Its value.
        value: u32,
        /// The smallest legal value.
        min: u32,
        /// The largest legal value.
        max: u32,
    },
    /// A size is out of its range.
    #[error("{option}: {value} is not a number between {min} and {max}")]
    Size {
        /// The option.
        option: &'static str,
        /// Its value.
        value: f64,
        /// The smallest legal value.
        min: f64,
        /// The largest legal value.
        max: f64,
    },
    /// Classes, rows per class and features together are too many.
    #[error("{what} would hold {values} values, at most {limit} can be generated")]
    TooLarge {
        /// A split, or the prototypes.
        what: &'static str,
        /// Classes × rows per class × features.
        values: u64,
        /// The limit.
        limit: u64,
    },
}

/// Features of one split: 1 GiB, of which generation holds two copies.
const SPLIT_VALUES: u64 = 1 << 28;
const COUNT_MAX: u32 = 1 << 16;
const SIZE_MAX: f64 = 1e3;
const NORM_MIN: f64 = 1e-3;

impl Options {
    /// Checks every option against its range, and the sizes against what can be generated.
    pub fn check(&self) -> Result<(), OptionsError> {
        let counts = [
            ("classes", self.classes, limits::CLASSES_MIN, limits::CLASSES_MAX),
            ("dim", self.dim, 1, COUNT_MAX),
            ("train_per_class", self.train_per_class, 1, COUNT_MAX),
            ("validation_per_class", self.validation_per_class, 1, COUNT_MAX),
            ("test_per_class", self.test_per_class, 1, COUNT_MAX),
        ];
        for (option, value, min, max) in counts {
            if !(min..=max).contains(&value) {
                return Err(OptionsError::Count { option, value, min, max });
            }
        }
        for (option, value, min) in [("noise", self.noise, 0.0), ("prototype_norm", self.prototype_norm, NORM_MIN)] {
            // Also refuses NaN, which is in no range.
            if !(min..=SIZE_MAX).contains(&value) {
                return Err(OptionsError::Size { option, value, min, max: SIZE_MAX });
            }
        }
        let per_class = Split::ALL.map(|split| (split.name(), self.per_class(split)));
        for (what, samples) in [("prototypes", 1)].into_iter().chain(per_class) {
            // Three factors of at most 2¹⁶.
            let values = u64::from(self.classes) * u64::from(samples) * u64::from(self.dim);
            if values > SPLIT_VALUES {
                return Err(OptionsError::TooLarge { what, values, limit: SPLIT_VALUES });
            }
        }
        Ok(())
    }

    const fn per_class(&self, split: Split) -> u32 {
        match split {
            Split::Train => self.train_per_class,
            Split::Validation => self.validation_per_class,
            Split::Test => self.test_per_class,
        }
    }

    /// The options as bytes, for the streams' keys.
    fn to_bytes(&self) -> Vec<u8> {
        let counts = [self.classes, self.dim, self.train_per_class, self.validation_per_class, self.test_per_class];
        let sizes = [self.noise, self.prototype_norm];
        let counts = counts.iter().flat_map(|count| count.to_le_bytes());
        counts.chain(sizes.iter().flat_map(|size| size.to_bits().to_le_bytes())).collect()
    }
}

/// Draws a dataset from a secret seed.
///
/// Prototypes, training, validation and test rows come from four independent ChaCha20 streams. Each stream's key is
/// HMAC-SHA256 of its purpose and of all options under the seed (`Seed::derive`): the same seed and options give the
/// same dataset on every machine, and the same seed with any other option gives an unrelated one. Nothing of one split can
/// be computed from another, and nothing at all from anything that a challenge publishes.
pub fn private(seed: &Seed, options: &Options) -> Result<Tables, OptionsError> {
    options.check()?;
    let prototypes = prototypes(&mut stream(seed, "prototypes", options), options);
    let split = |split: Split| draw_split(&mut stream(seed, split.name(), options), &prototypes, split, options);
    Ok(Tables {
        name: PRIVATE_NAME.into(),
        task: TaskKind::TabularClassification(Classes::unnamed(options.classes)),
        fields: schema(options.dim),
        train: split(Split::Train),
        validation: split(Split::Validation),
        test: split(Split::Test),
    })
}

fn stream(seed: &Seed, purpose: &str, options: &Options) -> Stream {
    let key = seed.derive(&format!("imagenet-pareto 1 {purpose}"), &options.to_bytes());
    Stream::new(key)
}

/// One row for each class, uniform on the sphere of the prototype norm.
fn prototypes(normals: &mut Stream, options: &Options) -> Vec<f64> {
    let dim = options.dim as usize;
    let mut rows = Vec::with_capacity(options.classes as usize * dim);
    for _ in 0..options.classes {
        let row: Vec<f64> = (0..dim).map(|_| normals.normal()).collect();
        // One draw in 2⁵³ is exactly 0; a row of a single 0 has no direction and stays 0.
        let norm = libm::sqrt(row.iter().map(|value| value * value).sum()).max(f64::MIN_POSITIVE);
        rows.extend(row.iter().map(|value| value / norm * options.prototype_norm));
    }
    rows
}

/// Rows class after class, then shuffled, all from one stream.
fn draw_split(normals: &mut Stream, prototypes: &[f64], split: Split, options: &Options) -> Table {
    let (dim, samples) = (options.dim as usize, options.per_class(split) as usize);
    let rows = options.classes as usize * samples;
    let mut features = Vec::with_capacity(rows * dim);
    for prototype in prototypes.chunks_exact(dim) {
        for _ in 0..samples {
            features.extend(prototype.iter().map(|centre| (centre + normals.normal() * options.noise) as f32));
        }
    }
    let order = normals.permutation(rows);
    let shuffled = order.iter().flat_map(|&row| &features[row * dim..(row + 1) * dim]).copied().collect();
    let labels = order.iter().map(|&row| (row / samples) as i64).collect();
    Table { rows, columns: vec![Values::F32(shuffled), Values::S64(labels)] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn seed(first: u8) -> Seed {
        let bytes: [u8; 32] = std::array::from_fn(|i| first.wrapping_add(i as u8));
        Seed::parse(&bytes).unwrap_or_else(|_| unreachable!("32 different bytes"))
    }

    fn small() -> Options {
        Options {
            classes: 3,
            dim: 5,
            train_per_class: 4,
            validation_per_class: 2,
            test_per_class: 3,
            ..Options::default()
        }
    }

    fn digest(seed: &Seed, options: &Options) -> Option<Digest> {
        private(seed, options).ok().map(|tables| tables.digest())
    }

    fn columns(table: &Table) -> (&[f32], &[i64]) {
        let [Values::F32(features), Values::S64(labels)] = &table.columns[..] else { unreachable!("two columns") };
        (features, labels)
    }

    #[test]
    fn a_seed_and_options_give_the_same_bits_on_every_machine() {
        // First computed on x86_64; the promise is that it is never another.
        let expected = "sha256:d99ef45d1a633e2c4c193028f71c20f82aff947f18e675e9ed66969c99cfb2f8";
        assert_eq!(digest(&seed(1), &small()).map(|digest| digest.to_string()).as_deref(), Some(expected));
    }

    #[test]
    fn another_seed_or_option_gives_unrelated_data() {
        let mut digests = vec![digest(&seed(1), &small()), digest(&seed(2), &small())];
        let features = |options: &Options| {
            private(&seed(1), options).map(|tables| columns(&tables.train).0.to_vec()).unwrap_or_default()
        };
        let original = features(&small());
        for other in [
            Options { test_per_class: 4, ..small() },
            Options { noise: 0.5, ..small() },
            Options { prototype_norm: 2.0, ..small() },
        ] {
            assert!(features(&other).iter().zip(&original).all(|(a, b)| (a - b).abs() > 1e-6));
            digests.push(digest(&seed(1), &other));
        }
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), 5);
        assert!(!digests.contains(&None));
    }

    #[test]
    fn every_class_has_its_rows_in_an_order_that_tells_nothing() {
        let Ok(tables) = private(&seed(3), &Options::default()) else { unreachable!("default options") };
        for split in Split::ALL {
            let (features, labels) = columns(tables.split(split));
            let samples = Options::default().per_class(split) as usize;
            assert_eq!((features.len(), labels.len()), (128 * samples * 384, 128 * samples));
            let mut sorted = labels.to_vec();
            sorted.sort_unstable();
            assert!(sorted.iter().enumerate().all(|(row, &label)| label == (row / samples) as i64));
            // Among n − 1 neighbours about one in 128 is of the same class.
            let neighbours = labels.windows(2).filter(|pair| pair[0] == pair[1]).count();
            assert!(neighbours < labels.len() / 32, "{neighbours}");
        }
        let first: Vec<&[i64]> = Split::ALL.map(|split| &columns(tables.split(split)).1[..64]).into();
        assert!(first[0] != first[1] && first[1] != first[2] && first[0] != first[2]);
    }

    #[test]
    fn noise_and_prototypes_have_the_sizes_asked_for() {
        let options = Options::default();
        let prototypes = prototypes(&mut stream(&seed(4), "prototypes", &options), &options);
        for row in prototypes.chunks_exact(384) {
            let norm = row.iter().map(|value| value * value).sum::<f64>().sqrt();
            assert!((norm - 2.5).abs() < 1e-12, "{norm}");
        }
        let Ok(tables) = private(&seed(4), &options) else { unreachable!("default options") };
        let (features, labels) = columns(&tables.train);
        let noise: Vec<f64> = features
            .chunks_exact(384)
            .zip(labels)
            .flat_map(|(row, &label)| row.iter().zip(&prototypes[label as usize * 384..]))
            .map(|(&value, centre)| f64::from(value) - centre)
            .collect();
        let count = noise.len() as f64;
        let mean = noise.iter().sum::<f64>() / count;
        let deviation = (noise.iter().map(|value| value * value).sum::<f64>() / count).sqrt();
        // Five standard errors with 786,432 draws.
        assert!(mean.abs() < 0.0023, "{mean}");
        assert!((deviation - 0.4).abs() < 0.0016, "{deviation}");
    }

    #[test]
    fn a_private_dataset_is_as_hard_as_the_canonical_one() {
        // Nearest class mean of the training rows: 0.9805 on the canonical data, 0.983 to 0.991 over eight other draws made
        // with PyTorch.
        let Ok(tables) = private(&seed(5), &Options::default()) else { unreachable!("default options") };
        let mut means = vec![0.0_f64; 128 * 384];
        let (features, labels) = columns(&tables.train);
        for (row, &label) in features.chunks_exact(384).zip(labels) {
            let mean = &mut means[label as usize * 384..][..384];
            mean.iter_mut().zip(row).for_each(|(mean, &value)| *mean += f64::from(value) / 16.0);
        }
        let distance = |row: &[f32], mean: &[f64]| -> f64 {
            row.iter().zip(mean).map(|(&value, mean)| (f64::from(value) - mean).powi(2)).sum()
        };
        let (features, labels) = columns(&tables.test);
        let correct = features.chunks_exact(384).zip(labels).filter(|(row, label)| {
            let distances = means.chunks_exact(384).map(|mean| distance(row, mean));
            let nearest = distances.enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
            nearest.is_some_and(|(class, _)| class as i64 == **label)
        });
        let accuracy = correct.count() as f64 / labels.len() as f64;
        assert!((0.975..0.995).contains(&accuracy), "{accuracy}");
    }

    #[test]
    fn option_limits_ok() {
        for options in [
            Options { classes: 2, ..small() },
            Options { classes: 65_536, ..small() },
            Options { dim: 1, ..small() },
            Options { dim: 65_536, ..small() },
            Options { train_per_class: 65_536, ..small() },
            Options { noise: 0.0, ..small() },
            Options { noise: 1000.0, ..small() },
            Options { prototype_norm: 0.001, ..small() },
            // 2²⁸ values exactly.
            Options { classes: 4096, dim: 1024, train_per_class: 64, ..small() },
        ] {
            assert_eq!(options.check(), Ok(()), "{options:?}");
        }
    }

    #[test]
    fn option_limits_err() {
        let refused = [
            (Options { classes: 1, ..small() }, "classes: 1 is not between 2 and 65536"),
            (Options { classes: 65_537, ..small() }, "classes: 65537 is not between 2 and 65536"),
            (Options { dim: 0, ..small() }, "dim: 0 is not between 1 and 65536"),
            (Options { test_per_class: 65_537, ..small() }, "test_per_class: 65537 is not between 1 and 65536"),
            (Options { noise: -0.1, ..small() }, "noise: -0.1 is not a number between 0 and 1000"),
            (Options { noise: f64::NAN, ..small() }, "noise: NaN is not a number between 0 and 1000"),
            (Options { noise: 1000.5, ..small() }, "noise: 1000.5 is not a number between 0 and 1000"),
            (Options { prototype_norm: 0.0, ..small() }, "prototype_norm: 0 is not a number between 0.001 and 1000"),
            (
                Options { classes: 4096, dim: 1024, train_per_class: 65, ..small() },
                "train would hold 272629760 values, at most 268435456 can be generated",
            ),
            (
                Options { classes: 65_536, dim: 65_536, ..small() },
                "prototypes would hold 4294967296 values, at most 268435456 can be generated",
            ),
        ];
        for (options, expected) in refused {
            assert_eq!(private(&seed(1), &options).err().map(|error| error.to_string()).as_deref(), Some(expected));
        }
    }
}
