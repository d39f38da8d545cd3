//! A permutation in constant memory.

use sha2::{Digest as _, Sha256};

/// Feistel rounds; four make a pseudo-random permutation (Luby and Rackoff 1988), more cost little.
const ROUNDS: usize = 8;

/// A permutation of `0..len` in constant memory, so that a guest that rewinds a million times shuffles nothing.
///
/// A balanced Feistel network over the smallest even number of bits that holds `len`, with cycle walking: at most four
/// steps on average.
#[derive(Debug, Clone)]
pub(crate) struct Permutation {
    len: u64,
    half_bits: u32,
    keys: [u64; ROUNDS],
}

impl Permutation {
    /// The order of one epoch of a split.
    pub(crate) fn of_epoch(len: u64, seed: u64, epoch: u64) -> Self {
        let mut keys = [0; ROUNDS];
        for (round, key) in keys.iter_mut().enumerate() {
            let mut hash = Sha256::new();
            hash.update(b"thimble loader order 1");
            hash.update(seed.to_le_bytes());
            hash.update(epoch.to_le_bytes());
            hash.update([round as u8]);
            *key = u64::from_le_bytes(first_8(&hash.finalize()));
        }
        let bits = u64::BITS - len.saturating_sub(1).leading_zeros();
        Self { len, half_bits: bits.div_ceil(2).max(1), keys }
    }

    /// Where position `index` of the epoch lies in the split; `index` below `len`.
    pub(crate) fn at(&self, index: u64) -> u64 {
        let mut walked = self.encrypt(index);
        while walked >= self.len {
            walked = self.encrypt(walked);
        }
        walked
    }

    fn encrypt(&self, value: u64) -> u64 {
        let mask = (1 << self.half_bits) - 1;
        let (mut left, mut right) = (value >> self.half_bits, value & mask);
        for key in self.keys {
            (left, right) = (right, left ^ (mix(right ^ key) & mask));
        }
        (left << self.half_bits) | right
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn first_8(bytes: &[u8]) -> [u8; 8] {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[..8]);
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_visits_every_row_once() {
        for len in [1, 2, 3, 4, 5, 127, 128, 129, 2048] {
            let order = Permutation::of_epoch(len, 7, 3);
            let mut seen: Vec<u64> = (0..len).map(|i| order.at(i)).collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..len).collect::<Vec<_>>());
        }
    }

    /// Computed by an independent program from the description above (Python, `hashlib`). Another order would change every
    /// result.
    #[test]
    fn the_order_never_changes() {
        let order = |len, seed, epoch, rows| {
            let order = Permutation::of_epoch(len, seed, epoch);
            (0..rows).map(|index| order.at(index)).collect::<Vec<_>>()
        };
        assert_eq!(order(2048, 1, 0, 8), [884, 428, 1048, 151, 1423, 79, 1804, 384]);
        assert_eq!(order(2048, 1, 1, 8), [1022, 1980, 1852, 377, 367, 1843, 1057, 581]);
        assert_eq!(order(5, 7, 3, 5), [0, 3, 2, 1, 4]);
    }

    #[test]
    fn epochs_and_seeds_have_orders_of_their_own() {
        let order = |seed, epoch| {
            let p = Permutation::of_epoch(2048, seed, epoch);
            (0..2048).map(|i| p.at(i)).collect::<Vec<_>>()
        };
        assert_eq!(order(1, 0), order(1, 0));
        assert_ne!(order(1, 0), order(1, 1));
        assert_ne!(order(1, 0), order(2, 0));
        let fixed = order(1, 0).iter().enumerate().filter(|(i, x)| *i as u64 == **x).count();
        assert!(fixed < 12, "{fixed} of 2048 rows stay in place; a random order keeps 1 on average");
    }
}
