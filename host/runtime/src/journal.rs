//! What a guest says: kept under caps in validation, dropped in an official run, charged the same in both.

use std::collections::BTreeMap;
use std::sync::mpsc::Sender;

use thimble_challenge::result::{CurvePoint, Journal, Mode};

use crate::stop::PlatformFault;

/// Bytes of log, stdout and stderr that are kept of one phase.
pub const LOG_BYTES: usize = 64 << 10;
/// Series that are kept of one phase.
pub const SERIES: usize = 64;
/// Bytes of a series name.
pub const SERIES_NAME_BYTES: usize = 64;
/// Points that are kept of one phase, all series together.
pub const POINTS: usize = 10_000;

/// Characters of an error's text that are kept.
const ERROR_CHARS: usize = 4096;

/// Something a guest said, on its way to whoever watches.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Entry {
    Log(String),
    Curve { series: String, step: u64, value: f64 },
}

/// The journal of one phase.
#[derive(Debug)]
pub(crate) struct Recorder {
    /// `None` in an official run: nothing the guest says is held anywhere.
    kept: Option<Kept>,
}

#[derive(Debug)]
struct Kept {
    journal: Journal,
    raw_log_bytes: usize,
    points: usize,
    watcher: Sender<Entry>,
}

impl Recorder {
    /// Keeps nothing, whatever the mode.
    pub(crate) const fn deaf() -> Self {
        Self { kept: None }
    }

    /// Whether anything is kept: what is not need not be copied.
    pub(crate) const fn keeps(&self) -> bool {
        self.kept.is_some()
    }

    pub(crate) fn new(mode: Mode, watcher: Sender<Entry>) -> Self {
        let kept = match mode {
            Mode::Official => None,
            Mode::Validation => Some(Kept { journal: Journal::default(), raw_log_bytes: 0, points: 0, watcher }),
        };
        Self { kept }
    }

    /// Text of `journal.log`, stdout or stderr.
    pub(crate) fn log(&mut self, bytes: &[u8]) {
        let Some(kept) = &mut self.kept else { return };
        let room = LOG_BYTES - kept.raw_log_bytes;
        let taken = &bytes[..bytes.len().min(room)];
        kept.raw_log_bytes += taken.len();
        kept.journal.log_dropped_bytes += (bytes.len() - taken.len()) as u64;
        if taken.is_empty() {
            return;
        }
        let text = printable(&String::from_utf8_lossy(taken));
        kept.journal.log.push_str(&text);
        // A watcher that has gone does not concern the guest.
        let _ = kept.watcher.send(Entry::Log(text));
    }

    /// A point of a curve.
    pub(crate) fn record(&mut self, series: &str, step: u64, value: f64) {
        let Some(kept) = &mut self.kept else { return };
        let curves: &mut BTreeMap<_, _> = &mut kept.journal.curves;
        let known = curves.contains_key(series);
        if kept.points == POINTS || series.len() > SERIES_NAME_BYTES || (!known && curves.len() == SERIES) {
            kept.journal.curves_dropped_points += 1;
            return;
        }
        kept.points += 1;
        let series = printable(series);
        let point = CurvePoint { step, value: value.is_finite().then_some(value) };
        curves.entry(series.clone()).or_default().push(point);
        let _ = kept.watcher.send(Entry::Curve { series, step, value });
    }

    /// The text of an error that `solve`, `load` or `predict` returned.
    pub(crate) fn error(&mut self, text: &str) {
        let Some(kept) = &mut self.kept else { return };
        let cut: String = text.chars().take(ERROR_CHARS).collect();
        kept.journal.error = Some(printable(&cut));
    }

    pub(crate) fn into_journal(self) -> Option<Journal> {
        self.kept.map(|kept| kept.journal)
    }
}

/// Joins the journals of the phases of one evaluation.
pub(crate) fn append(whole: &mut Option<Journal>, part: Option<Journal>) {
    let Some(part) = part else { return };
    let whole = whole.get_or_insert_default();
    whole.log.push_str(&part.log);
    whole.log_dropped_bytes += part.log_dropped_bytes;
    whole.curves_dropped_points += part.curves_dropped_points;
    for (series, points) in part.curves {
        whole.curves.entry(series).or_default().extend(points);
    }
    whole.error = part.error.or(whole.error.take());
}

/// Whether a journal that came from elsewhere is one that a [`Recorder`] could have kept.
pub(crate) fn check(journal: &Journal) -> Result<(), PlatformFault> {
    let points = journal.curves.values().map(Vec::len).sum::<usize>();
    let name = journal.curves.keys().map(String::len).max().unwrap_or(0);
    // A byte that is not UTF-8 becomes a character of three.
    let figures = [
        ("bytes of log", journal.log.len(), LOG_BYTES * 3),
        ("curves", journal.curves.len(), SERIES),
        ("points", points, POINTS),
        ("bytes in a curve's name", name, SERIES_NAME_BYTES),
        ("bytes of an error's text", journal.error.as_ref().map_or(0, String::len), ERROR_CHARS * 4),
    ];
    match figures.into_iter().find(|(_, value, limit)| value > limit) {
        Some((what, value, limit)) => {
            Err(PlatformFault::Sandbox(format!("a child's journal has {value} {what}, the limit is {limit}")))
        }
        None => Ok(()),
    }
}

/// Guest text without what a terminal would obey: control characters other than line feed and tab, and the characters
/// that reorder text.
fn printable(text: &str) -> String {
    let obeyed = |c: char| {
        (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().filter(|&c| !obeyed(c)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn recorder() -> Recorder {
        Recorder::new(Mode::Validation, channel().0)
    }

    #[test]
    fn an_official_run_keeps_nothing() {
        let mut recorder = Recorder::new(Mode::Official, channel().0);
        recorder.log(b"marker");
        recorder.record("marker", 0, 1.0);
        recorder.error("marker");
        assert_eq!(recorder.into_journal(), None);
    }

    #[test]
    fn the_log_is_cut_at_its_limit_and_the_rest_counted() {
        let mut recorder = recorder();
        recorder.log(&vec![b'a'; LOG_BYTES - 1]);
        recorder.log(b"bcd");
        recorder.log(b"e");
        let journal = recorder.into_journal().expect("validation");
        assert_eq!((journal.log.len(), journal.log_dropped_bytes), (LOG_BYTES, 3));
        assert!(journal.log.ends_with("ab"));
    }

    #[test]
    fn points_series_and_names_beyond_their_limits_are_dropped_and_counted() {
        let mut recorder = recorder();
        for i in 0..=SERIES {
            recorder.record(&format!("s{i}"), 0, 1.0);
        }
        recorder.record(&"n".repeat(SERIES_NAME_BYTES + 1), 0, 1.0);
        for step in 0..POINTS as u64 {
            recorder.record("s0", step, f64::NAN);
        }
        let journal = recorder.into_journal().expect("validation");
        assert_eq!(journal.curves.len(), SERIES);
        assert_eq!(journal.curves.values().map(Vec::len).sum::<usize>(), POINTS);
        assert_eq!(journal.curves_dropped_points, 2 + SERIES as u64);
        assert_eq!(journal.curves["s0"][1].value, None);
    }

    #[test]
    fn terminal_control_is_removed() {
        let mut recorder = recorder();
        recorder.log("a\u{1b}[31mb\u{7}\r\n\tc\u{202e}".as_bytes());
        assert_eq!(recorder.into_journal().expect("validation").log, "a[31mb\n\tc");
    }
}
