//! Messages over a pipe: eight bytes of length, little-endian, then that many bytes.
//!
//! Both ends say how long a message may be, and neither believes the other's length: memory is taken as bytes arrive.

use std::io::{ErrorKind, Read, Write};

/// Bytes of the length before a message.
pub const HEADER_BYTES: usize = 8;

/// Bytes of memory taken before any of a message has arrived.
const STEP_BYTES: u64 = 64 << 10;

/// Why a message was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// It is longer than this end takes.
    #[error("a message of {length} bytes is over the limit of {limit} bytes")]
    TooLong {
        /// Bytes announced, or to be written.
        length: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// The pipe ended inside it.
    #[error("the pipe ended after {arrived} of {expected} bytes")]
    Truncated {
        /// Bytes of the length or of the message that came.
        arrived: u64,
        /// Bytes that were to come.
        expected: u64,
    },
    /// There is no memory for it.
    #[error("no memory for a message of {length} bytes")]
    Memory {
        /// Bytes announced.
        length: u64,
    },
    /// The pipe cannot be read or written.
    #[error("the pipe failed: {0}")]
    Io(#[from] std::io::Error),
}

/// The next message, of at most `limit` bytes; `None` where the pipe ends before one begins.
///
/// Takes no more memory than twice what has arrived and 64 KiB, whatever length is announced.
///
/// # Errors
/// A message over the limit (nothing of it is read), a pipe that ends inside one, and what the pipe itself reports.
pub fn read(mut pipe: impl Read, limit: u64) -> Result<Option<Vec<u8>>, FrameError> {
    let Some(length) = read_length(&mut pipe)? else { return Ok(None) };
    if length > limit {
        return Err(FrameError::TooLong { length, limit });
    }
    let mut message = Vec::new();
    let mut rest = length;
    while rest > 0 {
        let step = rest.min(STEP_BYTES);
        message.try_reserve(step as usize).map_err(|_| FrameError::Memory { length })?;
        if pipe.by_ref().take(step).read_to_end(&mut message)? as u64 != step {
            return Err(FrameError::Truncated { arrived: message.len() as u64, expected: length });
        }
        rest -= step;
    }
    Ok(Some(message))
}

fn read_length(pipe: &mut impl Read) -> Result<Option<u64>, FrameError> {
    let mut header = [0; HEADER_BYTES];
    let mut arrived = 0;
    while arrived < HEADER_BYTES {
        match pipe.read(&mut header[arrived..]) {
            Ok(0) if arrived == 0 => return Ok(None),
            Ok(0) => return Err(FrameError::Truncated { arrived: arrived as u64, expected: HEADER_BYTES as u64 }),
            Ok(count) => arrived += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(u64::from_le_bytes(header)))
}

/// Writes and flushes one message of at most `limit` bytes.
///
/// # Errors
/// A message over the limit (nothing is written), and what the pipe itself reports.
pub fn write(mut pipe: impl Write, message: &[u8], limit: u64) -> Result<(), FrameError> {
    let length = message.len() as u64;
    if length > limit {
        return Err(FrameError::TooLong { length, limit });
    }
    pipe.write_all(&length.to_le_bytes())?;
    pipe.write_all(message)?;
    Ok(pipe.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(message: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut bytes, message, u64::MAX).expect("a vector takes everything");
        bytes
    }

    #[test]
    fn messages_come_back_in_their_order_and_then_none() {
        let long: Vec<u8> = (0..200_000_u32).map(|i| i as u8).collect();
        let bytes = [framed(b"first"), framed(b""), framed(&long)].concat();
        let mut pipe = bytes.as_slice();
        for expected in [b"first".as_slice(), b"", &long] {
            assert_eq!(read(&mut pipe, 200_000).expect("whole").expect("there"), expected);
        }
        assert!(read(&mut pipe, 0).expect("at an end").is_none());
    }

    #[test]
    fn a_message_at_the_limit_is_read_and_written_ok() {
        let bytes = framed(&[7; 100]);
        assert_eq!(read(bytes.as_slice(), 100).expect("whole"), Some(vec![7; 100]));
        write(Vec::new(), &[7; 100], 100).expect("at the limit");
    }

    #[test]
    fn a_message_over_the_limit_is_neither_read_nor_written_err() {
        let bytes = framed(&[7; 101]);
        let mut pipe = bytes.as_slice();
        let error = read(&mut pipe, 100).expect_err("over the limit");
        assert_eq!(error.to_string(), "a message of 101 bytes is over the limit of 100 bytes");
        assert_eq!(pipe.len(), 101, "nothing of it was read");
        let mut written = Vec::new();
        assert!(matches!(write(&mut written, &[7; 101], 100), Err(FrameError::TooLong { length: 101, limit: 100 })));
        assert!(written.is_empty());
    }

    #[test]
    fn a_pipe_that_ends_inside_a_message_is_an_error_that_counts() {
        let bytes = framed(&[7; 100]);
        for cut in 1..bytes.len() {
            let (arrived, expected) = if cut < 8 { (cut, 8) } else { (cut - 8, 100) };
            let error = read(&bytes[..cut], 100).expect_err("cut short");
            assert_eq!(
                error.to_string(),
                format!("the pipe ended after {arrived} of {expected} bytes"),
                "cut at {cut}"
            );
        }
    }

    /// A pipe that gives one byte at a time and notes how much room it was offered.
    struct Trickle<'a> {
        bytes: &'a [u8],
        offered: usize,
    }

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.offered = self.offered.max(buffer.len());
            let buffer = &mut buffer[..1];
            self.bytes.read(buffer)
        }
    }

    #[test]
    fn an_announced_length_takes_no_memory_until_bytes_arrive() {
        let mut bytes = (1_u64 << 62).to_le_bytes().to_vec();
        bytes.extend([1; 1000]);
        let mut pipe = Trickle { bytes: &bytes, offered: 0 };
        let error = read(&mut pipe, u64::MAX).expect_err("cut short");
        assert_eq!(error.to_string(), "the pipe ended after 1000 of 4611686018427387904 bytes");
        assert!(pipe.offered as u64 <= STEP_BYTES, "{} bytes of room", pipe.offered);
    }
}
