//! Server-sent events: the stream of the HTML standard, without its reconnection.

use std::io::{self, Read};

/// The longest line and the longest event that is read, in bytes.
const MAX_EVENT_BYTES: usize = 8 << 20;

/// An event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// `message` where the stream does not say.
    pub(crate) name: String,
    pub(crate) data: String,
    /// The last id that was set, here or before.
    pub(crate) id: Option<String>,
}

/// Reads events from bytes.
#[derive(Debug)]
pub(crate) struct EventReader<R> {
    source: R,
    buffer: Vec<u8>,
    read: usize,
    filled: usize,
    /// The last byte was a carriage return: a line feed that follows belongs to it.
    after_return: bool,
    id: Option<String>,
    /// A line was read, be it a comment.
    pub(crate) heard: bool,
}

impl<R: Read> EventReader<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { source, buffer: vec![0; 16 << 10], read: 0, filled: 0, after_return: false, id: None, heard: false }
    }

    /// The next event; none at the end of the stream, where an event without its blank line is dropped.
    pub(crate) fn next(&mut self) -> io::Result<Option<Event>> {
        let mut name = String::new();
        let mut data: Option<String> = None;
        while let Some(line) = self.line()? {
            self.heard = true;
            if line.is_empty() {
                if let Some(data) = data.take() {
                    let name = if name.is_empty() { "message".to_owned() } else { name };
                    return Ok(Some(Event { name, data, id: self.id.clone() }));
                }
                name.clear();
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut name),
                "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
                "data" => {
                    let data = data.get_or_insert_default();
                    if !data.is_empty() {
                        data.push('\n');
                    }
                    data.push_str(value);
                    within_limit(data.len())?;
                }
                // A comment (the field is empty), the wait before a reconnection, or a field of the future.
                _ => {}
            }
        }
        Ok(None)
    }

    /// A line without its end: a carriage return, a line feed, or both. None at the end of the stream.
    fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        while let Some(byte) = self.byte()? {
            match byte {
                b'\n' if self.after_return => self.after_return = false,
                b'\n' | b'\r' => {
                    self.after_return = byte == b'\r';
                    return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
                }
                _ => {
                    self.after_return = false;
                    line.push(byte);
                    within_limit(line.len())?;
                }
            }
        }
        Ok(None)
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        if self.read == self.filled {
            self.filled = self.source.read(&mut self.buffer)?;
            self.read = 0;
        }
        if self.filled == 0 {
            return Ok(None);
        }
        let byte = self.buffer.get(self.read).copied();
        self.read += 1;
        Ok(byte)
    }
}

fn within_limit(bytes: usize) -> io::Result<()> {
    if bytes > MAX_EVENT_BYTES {
        let message = format!("an event of the stream has more than {MAX_EVENT_BYTES} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

    use super::*;

    /// Gives one byte at a time: no line end may depend on how bytes arrive.
    struct Dripping<'a>(&'a [u8]);

    impl Read for Dripping<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            buffer[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn events(stream: &[u8]) -> Vec<Event> {
        let mut reader = EventReader::new(stream);
        let mut dripping = EventReader::new(Dripping(stream));
        let mut events = Vec::new();
        while let Some(event) = reader.next().unwrap() {
            assert_eq!(dripping.next().unwrap().as_ref(), Some(&event));
            events.push(event);
        }
        assert_eq!(dripping.next().unwrap(), None);
        events
    }

    fn event(name: &str, data: &str, id: Option<&str>) -> Event {
        Event { name: name.to_owned(), data: data.to_owned(), id: id.map(str::to_owned) }
    }

    /// The examples of the HTML standard, section "Interpreting an event stream".
    #[test]
    fn streams_of_the_standard_are_read_as_it_says() {
        assert_eq!(events(b"data: YHOO\ndata: +2\ndata: 10\n\n"), [event("message", "YHOO\n+2\n10", None)]);
        assert_eq!(
            events(b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"),
            [
                event("message", "first event", Some("1")),
                event("message", "second event", Some("")),
                event("message", " third event", Some(""))
            ]
        );
        // Of the last block the blank line is missing.
        assert_eq!(events(b"data\n\ndata\ndata\n\ndata:"), [event("message", "", None), event("message", "", None)]);
        assert_eq!(
            events(b"data:test\n\ndata: test\n\n"),
            [event("message", "test", None), event("message", "test", None)]
        );
    }

    #[test]
    fn every_line_end_of_the_standard_ends_a_line() {
        for stream in ["event: status\r\ndata: x\r\n\r\n", "event: status\rdata: x\r\r", "event: status\ndata: x\n\n"] {
            assert_eq!(events(stream.as_bytes()), [event("status", "x", None)], "{stream:?}");
        }
    }

    #[test]
    fn a_line_without_an_end_is_refused_at_the_limit() {
        let mut reader = EventReader::new(io::repeat(b'x'));
        assert_eq!(reader.next().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
