//! What a run shows while it goes on, on stderr when that is a terminal.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, stderr};

use indicatif::{ProgressBar, ProgressStyle};
use thimble_challenge::result::Phase;
use thimble_challenge::score::si;
use thimble_runtime::{Event, Observer};

use crate::output::note;
use crate::report::phase_name;

/// Curves that fit beside the bar.
pub(crate) const SHOWN_CURVES: usize = 3;

/// Shows nothing.
#[derive(Debug)]
pub(crate) struct Silent;

impl Observer for Silent {
    fn event(&mut self, _: Event<'_>) {}
}

/// A line per phase, with fuel used of budget; above it, what the guest says.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    /// The last value of each curve, shown beside the bar.
    values: BTreeMap<String, f64>,
    /// Text of the guest after its last line feed.
    unfinished: String,
}

/// Progress on a terminal, silence anywhere else.
pub(crate) fn observer(wanted: bool) -> Box<dyn Observer> {
    if wanted && stderr().is_terminal() { Box::new(Progress::new()) } else { Box::new(Silent) }
}

impl Progress {
    fn new() -> Self {
        Self { bar: ProgressBar::no_length(), values: BTreeMap::new(), unfinished: String::new() }
    }

    fn log(&mut self, text: &str) {
        self.unfinished.push_str(text);
        while let Some(end) = self.unfinished.find('\n') {
            let line: String = self.unfinished.drain(..=end).collect();
            self.bar.println(format!("    | {}", line.trim_end()));
        }
    }

    fn replay(&mut self, done: usize, of: usize) {
        if done == 0 {
            self.bar = ProgressBar::new(of as u64).with_style(style("{spinner} {prefix:<8} [{bar:30}] {pos} of {len}"));
            self.bar.set_prefix("replay");
        }
        self.bar.set_position(done as u64);
        if done == of {
            self.bar.finish_and_clear();
        }
    }

    fn flush_log(&mut self) {
        if !self.unfinished.is_empty() {
            let line = std::mem::take(&mut self.unfinished);
            self.bar.println(format!("    | {line}"));
        }
    }
}

impl Observer for Progress {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::PhaseStarted(phase) => {
                self.values.clear();
                self.bar = ProgressBar::no_length().with_style(style("{spinner} {prefix:<8}"));
                self.bar.set_prefix(phase_name(phase));
                if matches!(phase, Phase::Compile) {
                    self.bar.enable_steady_tick(std::time::Duration::from_millis(100));
                }
            }
            Event::PhaseFinished { phase, seconds } => {
                self.flush_log();
                self.bar.finish_and_clear();
                note(&format!("  {:<8} {seconds:.3} s", phase_name(phase)));
            }
            Event::Fuel { used, budget, .. } => {
                if self.bar.length().is_none() {
                    self.bar.set_length(budget.0);
                    self.bar.set_style(style("{spinner} {prefix:<8} [{bar:30}] {percent:>3} % {wide_msg}"));
                }
                self.bar.set_position(used.0);
                let mut message = format!("{} of {}", si(used.flops(), "FLOP"), si(budget.flops(), "FLOP"));
                for (series, value) in self.values.iter().take(SHOWN_CURVES) {
                    message += &format!("  {series} {value:.4}");
                }
                self.bar.set_message(message);
            }
            Event::Replay { done, of } => self.replay(done, of),
            Event::Log(text) => self.log(text),
            Event::Curve { series, value, .. } => {
                self.values.insert(series.escape_debug().to_string(), value);
            }
        }
    }
}

/// A template that does not parse (none of ours) falls back to indicatif's own.
pub(crate) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}
