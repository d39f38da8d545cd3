//! The log of a service, written by a thread of its own: whoever answers requests or evaluates never waits for a reader.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Lines that may wait for a reader; those after them are dropped and counted.
const WAITING: usize = 4_096;
/// How long the end of the process waits for the last lines.
const PARTING: Duration = Duration::from_millis(500);

/// How a log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// A line of text an event.
    #[default]
    Text,
    /// An object of JSON an event.
    Json,
}

/// The log of this process. Dropped, it writes what still waits.
#[derive(Debug)]
pub(crate) struct Log(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    waiting: AtomicU64,
    dropped: AtomicU64,
}

/// Where events are written to.
#[derive(Debug, Clone)]
struct Lines {
    sender: SyncSender<Vec<u8>>,
    counts: Arc<Counts>,
}

/// Logs to standard error. `THIMBLE_LOG` names what is logged, for example `warn` or `info,thimble_server=debug`; `info` unless
/// it is set.
pub(crate) fn to_stderr(format: LogFormat) -> Log {
    let wanted = std::env::var("THIMBLE_LOG").ok().and_then(|wanted| wanted.parse::<Targets>().ok());
    let filter = wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let (lines, log) = lines(WAITING, io::stderr());
    // Not `log_internal_errors`: it panics where standard error is gone.
    let layer = tracing_subscriber::fmt::layer().with_writer(lines).with_ansi(false).log_internal_errors(false);
    let layer = match format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(filter)).init();
    log
}

fn lines(waiting: usize, out: impl Write + Send + 'static) -> (Lines, Log) {
    let (sender, receiver) = sync_channel(waiting);
    let counts = Arc::new(Counts::default());
    let written = counts.clone();
    thread::spawn(move || write(&receiver, &written, out));
    (Lines { sender, counts: counts.clone() }, Log(counts))
}

/// Writes what comes. An error is nobody's to hear: the reader is gone, and the service goes on without one.
fn write(lines: &Receiver<Vec<u8>>, counts: &Counts, mut out: impl Write) {
    for line in lines {
        let _ = out.write_all(&line);
        counts.waiting.fetch_sub(1, Ordering::Relaxed);
        let dropped = counts.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let _ = writeln!(out, "{dropped} lines of the log were dropped: nobody read it in time");
        }
    }
}

impl Write for Lines {
    /// A whole line, as the formatter writes it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.counts.waiting.fetch_add(1, Ordering::Relaxed);
        if self.sender.try_send(line.to_vec()).is_err() {
            self.counts.waiting.fetch_sub(1, Ordering::Relaxed);
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let start = Instant::now();
        while self.0.waiting.load(Ordering::Relaxed) > 0 && start.elapsed() < PARTING {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

    use std::os::unix::net::UnixStream;

    use super::*;

    /// A pipe that nobody reads holds up nobody who writes, and says afterwards what is missing.
    #[test]
    fn a_log_that_nobody_reads_stops_nothing_and_counts_what_is_lost() {
        let (reader, writer) = UnixStream::pair().unwrap();
        let (mut lines, log) = lines(8, writer);
        let line = [b'x'; 4_096];
        for _ in 0..1_000 {
            assert_eq!(lines.write(&line).unwrap(), line.len());
        }
        assert!(log.0.dropped.load(Ordering::Relaxed) > 0, "a megabyte does not fit");
        let reading = thread::spawn(move || {
            let mut text = String::new();
            io::Read::read_to_string(&mut &reader, &mut text).unwrap();
            text
        });
        drop(lines);
        drop(log);
        let text = reading.join().unwrap();
        assert!(text.contains("lines of the log were dropped"), "{} bytes", text.len());
    }

    #[test]
    fn what_was_logged_last_is_written_before_the_end() {
        let (reader, writer) = UnixStream::pair().unwrap();
        let (mut lines, log) = lines(8, writer);
        lines.write_all(b"the end\n").unwrap();
        drop(log);
        reader.set_nonblocking(true).unwrap();
        let mut text = [0; 8];
        io::Read::read_exact(&mut &reader, &mut text).unwrap();
        assert_eq!(&text, b"the end\n");
    }
}
