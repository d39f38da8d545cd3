//! The secret that official data is drawn from.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::digest::Digest;

/// A secret seed of 256 bits.
///
/// A seed file holds 64 hexadecimal digits (and may end in a newline), or 32 raw bytes. Anything else is refused, a number
/// above all: official data drawn from a guessable seed can be drawn again by anyone. Two signs of a number are tested for:
/// 32 raw bytes that are all printable text, and fewer than 16 different bytes among the 32. A random seed
/// fails either with a probability below 1e-13. `head -c 32 /dev/urandom > FILE` makes a good one.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed([u8; 32]);

/// Why the contents of a seed file are no seed. Never repeats them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeedError {
    /// Wrong length or characters.
    #[error("a seed file holds 64 hexadecimal digits or 32 raw bytes, this one is {bytes} bytes and neither")]
    Form {
        /// Length of the file (of its start, if it is longer than any seed).
        bytes: usize,
    },
    /// 32 raw bytes that are all printable.
    #[error("32 bytes of text are not a seed: write 64 hexadecimal digits, or 32 bytes from a random source")]
    Text,
    /// Not random.
    #[error("only {distinct} different bytes among the 32, a random seed has at least {limit}")]
    NotRandom {
        /// Different bytes.
        distinct: usize,
        /// The fewest accepted.
        limit: usize,
    },
}

/// With 32 random bytes the chance of fewer is below 1e-13.
const DISTINCT_BYTES: usize = 16;

impl Seed {
    /// Parses the contents of a seed file.
    pub fn parse(contents: &[u8]) -> Result<Self, SeedError> {
        let bytes = if let Ok(raw) = <[u8; 32]>::try_from(contents) {
            if raw.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) {
                return Err(SeedError::Text);
            }
            raw
        } else {
            let mut bytes = [0; 32];
            let digits = contents.strip_suffix(b"\n").unwrap_or(contents);
            hex::decode_to_slice(digits, &mut bytes).map_err(|_| SeedError::Form { bytes: contents.len() })?;
            bytes
        };
        let mut sorted = bytes;
        sorted.sort_unstable();
        let distinct = sorted.chunk_by(|a, b| a == b).count();
        if distinct < DISTINCT_BYTES {
            return Err(SeedError::NotRandom { distinct, limit: DISTINCT_BYTES });
        }
        Ok(Self(bytes))
    }

    /// The seed of data that anyone may draw: the SHA-256 of a published text.
    pub(crate) fn published(text: &str) -> Self {
        Self(*Digest::of(text.as_bytes()).as_bytes())
    }

    /// A key for one purpose: HMAC-SHA256 under the seed of `thimble seed 1`, a zero byte, the purpose, a zero byte and the
    /// context. Keys of different purposes or contexts say nothing about each other or about the seed. `purpose` holds no
    /// zero byte.
    pub(crate) fn derive(&self, purpose: &str, context: &[u8]) -> [u8; 32] {
        hmac(&self.0, &[b"thimble seed 1\0", purpose.as_bytes(), b"\0", context])
    }
}

// A seed in a log would be the end of the dataset.
impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}

/// HMAC-SHA256 of the concatenation of `parts`.
fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC pads a key to its block of 64 bytes with zeros; a whole block cannot have the wrong length.
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    #[test]
    fn hexadecimal_and_raw_seeds_are_equal() {
        let raw: Vec<u8> = (0..32).collect();
        let seed = Seed::parse(HEX.as_bytes());
        assert!(seed.is_ok());
        assert_eq!(Seed::parse(format!("{HEX}\n").as_bytes()), seed);
        assert_eq!(Seed::parse(HEX.to_uppercase().as_bytes()), seed);
        assert_eq!(Seed::parse(&raw), seed);
    }

    #[test]
    fn other_forms_are_refused() {
        let wrong = ["", "2025", "42\n", &HEX[..63], &format!("{HEX}0"), &format!("{HEX}\n\n"), &format!("0x{HEX}")];
        for text in wrong {
            assert_eq!(Seed::parse(text.as_bytes()), Err(SeedError::Form { bytes: text.len() }), "{text:?}");
        }
    }

    #[test]
    fn numbers_are_refused() {
        assert_eq!(Seed::parse(b"00000000000000000000000000002025"), Err(SeedError::Text));
        let padded = Seed::parse(format!("{:064x}", 2025).as_bytes());
        assert_eq!(padded, Err(SeedError::NotRandom { distinct: 3, limit: 16 }));
        assert_eq!(Seed::parse(&[0; 32]), Err(SeedError::NotRandom { distinct: 1, limit: 16 }));
    }

    #[test]
    fn sixteen_different_bytes_ok() {
        let bytes: [u8; 32] = std::array::from_fn(|i| (i % 16) as u8);
        assert!(Seed::parse(&bytes).is_ok());
    }

    #[test]
    fn fifteen_different_bytes_err() {
        let bytes: [u8; 32] = std::array::from_fn(|i| (i % 15) as u8);
        assert_eq!(Seed::parse(&bytes), Err(SeedError::NotRandom { distinct: 15, limit: 16 }));
    }

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        // RFC 4231, test case 3, whose key of 20 bytes is padded with zeros as HMAC itself pads it.
        let mut key = [0; 32];
        key[..20].fill(0xaa);
        let digest = hex::encode(hmac(&key, &[&[0xdd; 50]]));
        assert_eq!(digest, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    }

    #[test]
    fn derived_keys_differ_by_purpose_and_context() {
        let Ok(seed) = Seed::parse(HEX.as_bytes()) else { unreachable!("a legal seed") };
        let keys = [seed.derive("a", b""), seed.derive("b", b""), seed.derive("a", b"b"), seed.derive("ab", b"")];
        for (i, key) in keys.iter().enumerate() {
            assert!(!keys[..i].contains(key));
        }
        assert_eq!(format!("{seed:?}"), "Seed(…)");
    }
}
