//! What is drawn from a seed: the order of test rows, and the random numbers of a guest.

use hmac::{Hmac, KeyInit, Mac};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest as _, Sha256};
use thimble_datasets::Digest;

/// The stream from which the order of test rows is drawn: HMAC-SHA256 under the operator's permutation key over the
/// component's digest, as a ChaCha20 seed. A builder who resubmits cannot know which row is where.
#[derive(Debug)]
pub(crate) struct TestOrder(ChaCha20Rng);

impl TestOrder {
    pub(crate) fn new(permutation_key: &[u8; 32], component: &Digest) -> Self {
        Self::drawn(permutation_key, &[b"thimble test rows 1", component.as_bytes()])
    }

    /// The stream by which test rows are parted: the same for every submission, since figures are compared.
    pub(crate) fn of_parts(permutation_key: &[u8; 32]) -> Self {
        Self::drawn(permutation_key, &[b"thimble shown rows 1"])
    }

    fn drawn(permutation_key: &[u8; 32], texts: &[&[u8]]) -> Self {
        // HMAC pads a key to the block of its hash with zeros; done here, no key length can be wrong.
        let mut block = [0; 64];
        block[..32].copy_from_slice(permutation_key);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        for text in texts {
            mac.update(text);
        }
        Self(ChaCha20Rng::from_seed(mac.finalize().into_bytes().into()))
    }

    /// All rows in a random order (Fisher-Yates).
    pub(crate) fn shuffled(&mut self, rows: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..rows).collect();
        for last in (1..rows).rev() {
            let other = self.below(last as u64 + 1) as usize;
            order.swap(last, other);
        }
        order
    }

    /// `shown` of all rows and the others, each part in file order.
    pub(crate) fn parted(&mut self, rows: usize, shown: usize) -> [Vec<usize>; 2] {
        let mut first = self.shuffled(rows);
        let mut others = first.split_off(shown.min(rows));
        first.sort_unstable();
        others.sort_unstable();
        [first, others]
    }

    /// Uniform in `0..bound` by rejection: no remainder bias.
    fn below(&mut self, bound: u64) -> u64 {
        let zone = u64::MAX - u64::MAX % bound;
        loop {
            let word = self.0.next_u64();
            if word < zone {
                return word % bound;
            }
        }
    }
}

/// The random stream a guest gets: new in every instance, a function of the challenge's public seed and the phase.
pub(crate) fn guest_random(seed: u64, phase: &str) -> ChaCha20Rng {
    let mut hash = Sha256::new();
    hash.update(b"thimble guest random 1");
    hash.update(seed.to_le_bytes());
    hash.update(phase.as_bytes());
    ChaCha20Rng::from_seed(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_rows_are_shuffled_by_key_and_component() {
        let order = |key, component: &[u8]| TestOrder::new(&[key; 32], &Digest::of(component)).shuffled(1000);
        let mut sorted = order(1, b"a");
        assert_ne!(sorted, order(2, b"a"));
        assert_ne!(sorted, order(1, b"b"));
        assert_eq!(sorted, order(1, b"a"));
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn test_rows_are_parted_by_the_key_alone() {
        let parted = |key| TestOrder::of_parts(&[key; 32]).parted(1000, 300);
        let [shown, kept] = parted(1);
        assert_eq!([shown.clone(), kept.clone()], parted(1));
        assert_ne!([shown.clone(), kept.clone()], parted(2));
        assert_eq!((shown.len(), kept.len()), (300, 700));
        let mut all = [shown, kept].concat();
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
    }
}
