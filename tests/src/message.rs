//! A message of 4,096 random bits, planted in training data and searched for in what an audience sees.

use thimble_datasets::{Digest, Table, Tables, Values};

use crate::fixture::{self, CLASSES, INPUT_DIM};

/// Words of 12 bits that hold the message.
pub const WORDS: usize = 342;
/// Added to every word that is planted: no other input is as large.
const PLANTED: u32 = 1_000;
/// Places of words start here, so that every planted number has seven digits.
const FIRST_PLACE: u32 = 256;

/// What the guest `message-sender` finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message(Vec<u32>);

impl Message {
    /// Random bits, others for each number.
    pub fn random(number: u32) -> Self {
        let block = |i: u32| Digest::of(format!("message {number}, block {i}").as_bytes()).as_bytes().to_vec();
        let bytes: Vec<u8> = (0..17).flat_map(block).collect();
        let words = bytes.chunks_exact(3).flat_map(|three| {
            let [a, b, c] = [three[0], three[1], three[2]].map(u32::from);
            [a << 4 | b >> 4, (b & 15) << 8 | c]
        });
        Self(words.take(WORDS).collect())
    }

    /// A message whose first word is `first`, below 4,096, and all others the same.
    pub fn number(first: u32) -> Self {
        Self(vec![first & 0xfff])
    }

    /// [`fixture::tables`] with the message in training inputs and `rows` test rows, which are numbered in their fifth value.
    ///
    /// # Panics
    /// When the fixture has another shape.
    pub fn tables(&self, rows: usize) -> Tables {
        let mut tables = fixture::tables();
        let Some(Values::F32(inputs)) = tables.train.columns.first_mut() else {
            panic!("the first column is the input")
        };
        for (i, value) in self.planted().enumerate() {
            inputs[i] = value;
        }
        let labels: Vec<i64> = (0..rows).map(|row| (row % CLASSES as usize) as i64).collect();
        let input = |row: usize| {
            let mut values = [0.0; INPUT_DIM as usize];
            values[row % CLASSES as usize] = 1.0;
            values[CLASSES as usize] = row as f32;
            values
        };
        let inputs = (0..rows).flat_map(input).collect();
        tables.test = Table { rows, columns: vec![Values::F32(inputs), Values::S64(labels)] };
        tables
    }

    /// The training inputs that hold it: the guest sees rows in another order, so each word has its place.
    fn planted(&self) -> impl Iterator<Item = f32> {
        let value = |(place, &word): (usize, &u32)| ((FIRST_PLACE + place as u32) << 12 | word) + PLANTED;
        // Below 2^24: exact.
        self.0.iter().enumerate().map(move |word| value(word) as f32)
    }

    /// The message as bytes.
    fn bytes(&self) -> Vec<u8> {
        let pair = |pair: &[u32]| {
            let (a, b) = (pair[0], pair.get(1).copied().unwrap_or(0));
            [(a >> 4) as u8, ((a & 15) << 4 | b >> 8) as u8, b as u8]
        };
        self.0.chunks(2).flat_map(pair).collect()
    }

    /// Every form of a part of 48 bits or more that stands in `text`: raw, hexadecimal, base64, or as the decimal number of
    /// a planted input.
    pub fn traces(&self, text: &[u8]) -> Vec<String> {
        let bytes = self.bytes();
        let part = |length: usize| bytes.windows(length);
        let raw = part(6).map(<[u8]>::to_vec);
        let lower = part(6).map(|part| hex(part).into_bytes());
        let upper = part(6).map(|part| hex(part).to_uppercase().into_bytes());
        let base64 = part(9).map(|part| base64(part).into_bytes());
        let decimal = self.planted().map(|value| format!("{value}").into_bytes());
        let forms = raw.chain(lower).chain(upper).chain(base64).chain(decimal);
        forms
            .filter(|form| text.windows(form.len()).any(|window| window == form))
            .map(|form| String::from_utf8(form).unwrap_or_else(|error| hex(error.as_bytes())))
            .collect()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Of a multiple of three bytes (RFC 4648, without padding).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let four = |three: &[u8]| {
        let word = three.iter().fold(0_u32, |word, &byte| word << 8 | u32::from(byte));
        [18, 12, 6, 0].map(|shift| DIGITS[(word >> shift & 63) as usize] as char)
    };
    bytes.chunks_exact(3).flat_map(four).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_found() {
        let message = Message::random(1);
        assert_eq!(base64(b"light work"), "bGlnaHQgd29y");
        let bytes = message.bytes();
        assert_eq!(bytes.len(), 513);
        let forms = [
            bytes[100..106].to_vec(),
            hex(&bytes[7..13]).into_bytes(),
            base64(&bytes[31..40]).into_bytes(),
            b"planted: "
                .iter()
                .copied()
                .chain(format!("{}", message.planted().nth(3).unwrap_or(0.0)).bytes())
                .collect(),
        ];
        for form in forms {
            assert_eq!(message.traces(&form).len(), 1, "{}", String::from_utf8_lossy(&form));
        }
        assert!(message.traces(&Message::random(2).bytes()).is_empty());
    }
}
