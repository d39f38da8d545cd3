//! What a boxed child, which may be a guest's by now, can write into the pipe to its host.
#![no_main]

use std::io::Read;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use thimble_fuzz::write_seeds;
use thimble_sandbox::frame::{self, FrameError, HEADER_BYTES};

/// Largest capacity beyond twice what has arrived: the room that is taken before any of a message has.
const FIRST_ROOM: usize = 64 << 10;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    /// Bytes allowed; of all magnitudes, as the announced lengths are.
    limit: u64,
    limit_bits: u8,
    /// The most bytes that the pipe gives at once.
    step: u8,
    /// What stands in the pipe.
    bytes: &'a [u8],
}

/// A pipe that gives no more than `step` bytes at once.
struct Pipe<'a> {
    bytes: &'a [u8],
    step: usize,
}

impl Read for Pipe<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(self.step);
        self.bytes.read(&mut buffer[..length])
    }
}

/// The first message of `bytes` and what is behind it, read as the module's documentation says.
fn expected(bytes: &[u8], limit: u64) -> Expected<'_> {
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return if bytes.is_empty() { Expected::End } else { Expected::Truncated(bytes.len(), HEADER_BYTES as u64) };
    };
    let length = u64::from_le_bytes(*header);
    if length > limit {
        return Expected::TooLong(length);
    }
    match usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length)) {
        Some((message, rest)) => Expected::Message(message, rest),
        None => Expected::Truncated(rest.len(), length),
    }
}

enum Expected<'a> {
    Message(&'a [u8], &'a [u8]),
    End,
    TooLong(u64),
    Truncated(usize, u64),
}

fn check(input: &Input<'_>) {
    let limit = input.limit >> (input.limit_bits % 64);
    let mut pipe = Pipe { bytes: input.bytes, step: usize::from(input.step) + 1 };
    loop {
        let before = pipe.bytes;
        let read = frame::read(&mut pipe, limit);
        match (expected(before, limit), read) {
            (Expected::Message(message, rest), Ok(Some(read))) => {
                assert_eq!((read.as_slice(), pipe.bytes), (message, rest));
                assert!(read.capacity() <= 2 * read.len() + FIRST_ROOM, "{} for {}", read.capacity(), read.len());
                let mut written = Vec::new();
                frame::write(&mut written, &read, limit).expect("what was read under the limit is under it");
                assert_eq!(written, before[..HEADER_BYTES + read.len()]);
            }
            (Expected::End, Ok(None)) => return,
            (Expected::TooLong(expected), Err(FrameError::TooLong { length, limit: found })) => {
                assert_eq!((length, found, pipe.bytes), (expected, limit, &before[HEADER_BYTES..]));
                return;
            }
            (Expected::Truncated(count, whole), Err(FrameError::Truncated { arrived, expected })) => {
                assert_eq!((arrived, expected), (count as u64, whole));
                return;
            }
            (_, read) => panic!("{before:?} was read as {read:?}"),
        }
    }
}

/// In the order in which `Arbitrary` takes them: the numbers, and all that is left.
fn seeds() -> Vec<Vec<u8>> {
    let mut two = Vec::new();
    frame::write(&mut two, b"first", 5).expect("a vector takes everything");
    frame::write(&mut two, &[7; 300], 300).expect("a vector takes everything");
    let endless = [(1_u64 << 62).to_le_bytes().as_slice(), &[1; 40]].concat();
    let over = 101_u64.to_le_bytes().to_vec();
    let head = |limit: u64, step: u8| [limit.to_le_bytes().as_slice(), &[0, step]].concat();
    [(two, 1_000), (endless, u64::MAX), (over, 100), (vec![1, 0, 0], 8), (Vec::new(), 0)]
        .into_iter()
        .flat_map(|(bytes, limit)| [0, 255].map(|step| [head(limit, step), bytes.clone()].concat()))
        .collect()
}

fuzz_target!(init: write_seeds(seeds), |input: Input<'_>| check(&input));
