//! The data of the Frontier-CS problem, rebuilt without PyTorch.

use super::mt19937::Mt19937;
use super::{CANONICAL_NAME, schema};
use crate::table::{Table, Tables, Values};
use crate::task::{Classes, TaskKind};

const CLASSES: u32 = 128;
const DIM: u32 = 384;
const NOISE: f32 = 0.4;
const PROTOTYPE_NORM: f32 = 2.5;

/// Seeds of the original evaluator.
const PROTOTYPE_SEED: u32 = 2025;
const TRAIN_SEED: u32 = 1337;
const VALIDATION_SEED: u32 = 2026;
const TEST_SEED: u32 = 4242;

/// The 2048, 512 and 1024 rows that every public solution of the Frontier-CS problem was measured on.
///
/// Labels and row order are those of the original; features are within 1e-6 of it and have the same bits everywhere.
pub fn canonical() -> Tables {
    let prototypes = prototypes();
    Tables {
        name: CANONICAL_NAME.into(),
        task: TaskKind::TabularClassification(Classes::unnamed(CLASSES)),
        fields: schema(DIM),
        train: split(&prototypes, 16, TRAIN_SEED),
        validation: split(&prototypes, 4, VALIDATION_SEED),
        test: split(&prototypes, 8, TEST_SEED),
    }
}

/// One row for each class, of norm 2.5.
fn prototypes() -> Vec<f32> {
    let mut rows = Mt19937::new(PROTOTYPE_SEED).randn((CLASSES * DIM) as usize);
    for row in rows.chunks_exact_mut(DIM as usize) {
        let square: f64 = row.iter().map(|&value| f64::from(value) * f64::from(value)).sum();
        let norm = (libm::sqrt(square) as f32).max(1e-12);
        for value in row {
            *value = *value / norm * PROTOTYPE_NORM;
        }
    }
    rows
}

/// Noise around the prototypes class after class, then one permutation, all from one stream.
fn split(prototypes: &[f32], samples_per_class: u32, seed: u32) -> Table {
    let mut generator = Mt19937::new(seed);
    let (dim, samples) = (DIM as usize, samples_per_class as usize);
    let mut features = Vec::with_capacity(CLASSES as usize * samples * dim);
    for prototype in prototypes.chunks_exact(dim) {
        let noise = generator.randn(samples * dim);
        features.extend(prototype.iter().cycle().zip(noise).map(|(&centre, noise)| centre + noise * NOISE));
    }
    let order = generator.randperm(CLASSES * samples_per_class);
    let shuffled = order.iter().flat_map(|&row| &features[row * dim..(row + 1) * dim]).copied().collect();
    let labels = order.iter().map(|&row| (row / samples) as i64).collect();
    Table { rows: order.len(), columns: vec![Values::F32(shuffled), Values::S64(labels)] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::imagenet_pareto::CANONICAL_DIGEST;
    use crate::metadataset::Split;

    /// What PyTorch 1.13.1 made of the original recipe.
    struct Expected {
        split: Split,
        rows: usize,
        labels: [i64; 12],
        first: [f32; 4],
        last: f32,
        sum: f64,
        label_digest: &'static str,
    }

    const EXPECTED: [Expected; 3] = [
        Expected {
            split: Split::Train,
            rows: 2048,
            labels: [122, 121, 43, 111, 32, 73, 111, 111, 56, 1, 22, 36],
            first: [0.327193, 0.323285, -0.047420, 0.214599],
            last: -0.829796,
            sum: 165.4076,
            label_digest: "a96c8e63318c5937",
        },
        Expected {
            split: Split::Validation,
            rows: 512,
            labels: [41, 2, 127, 62, 70, 29, 38, 22, 49, 14, 47, 56],
            first: [-0.256206, -0.195291, -0.003348, 0.081619],
            last: -0.356719,
            sum: 264.2210,
            label_digest: "7c45efb66aafe829",
        },
        Expected {
            split: Split::Test,
            rows: 1024,
            labels: [95, 31, 33, 68, 106, 117, 25, 107, 37, 48, 103, 33],
            first: [-0.953862, -0.001185, -0.692259, 0.179328],
            last: -0.081984,
            sum: 81.0703,
            label_digest: "a6ac909cdd022afe",
        },
    ];

    #[test]
    fn prototypes_are_within_1e_6_of_pytorch() {
        let first = &prototypes()[..4];
        for (value, expected) in first.iter().zip([-0.146_807_f32, -0.197_192_5, 0.098_429_5, -0.126_355]) {
            assert!((value - expected).abs() < 1e-6, "{value} against {expected}");
        }
    }

    #[test]
    fn splits_are_those_of_the_original_evaluator() {
        let tables = canonical();
        for expected in EXPECTED {
            let table = tables.split(expected.split);
            let [Values::F32(features), Values::S64(labels)] = &table.columns[..] else { unreachable!("two columns") };
            assert_eq!((table.rows, labels.len()), (expected.rows, expected.rows));
            assert_eq!(labels[..12], expected.labels);
            let label_bytes: Vec<u8> = labels.iter().map(|&label| label as u8).collect();
            assert!(Digest::of(&label_bytes).to_hex().starts_with(expected.label_digest));
            let last = features.last().copied().unwrap_or(f32::NAN);
            // 1e-6, and half a unit of the last printed decimal.
            for (value, expected) in features[..4].iter().zip(expected.first).chain([(&last, expected.last)]) {
                assert!((value - expected).abs() < 1.5e-6, "{value} against {expected}");
            }
            let sum: f64 = features.iter().map(|&value| f64::from(value)).sum();
            // Printed with four decimals, and up to 786,432 terms that may differ by 1e-6 with either sign.
            assert!((sum - expected.sum).abs() < 1e-3, "{sum} against {}", expected.sum);
        }
    }

    #[test]
    fn the_digest_is_the_published_one() {
        assert_eq!(canonical().digest(), CANONICAL_DIGEST);
    }
}
