//! A submission of the service while it goes on, on stderr when that is a terminal.

use std::io::{IsTerminal as _, stderr};
use std::time::Duration;

use indicatif::ProgressBar;
use thimble_api::submission::{BuilderRun, OfficialState, Progress, SubmissionView, ValidationState};
use thimble_challenge::score::si;
use thimble_client::line;

use crate::progress::{SHOWN_CURVES, style};
use crate::remote::submission::{place, spoken};
use crate::report::phase_name;

/// One line that says where a submission stands; nothing where nobody looks.
#[derive(Debug)]
pub(crate) struct Live {
    bar: ProgressBar,
    /// The bar has a length: of fuel.
    metered: bool,
}

impl Live {
    pub(crate) fn new(wanted: bool) -> Self {
        let bar = if wanted && stderr().is_terminal() { ProgressBar::no_length() } else { ProgressBar::hidden() };
        let live = Self { bar, metered: false };
        live.bar.set_style(style(SPINNER));
        live.bar.enable_steady_tick(Duration::from_millis(100));
        live
    }

    /// Shows a state.
    pub(crate) fn show(&mut self, view: &SubmissionView) {
        let SubmissionView::Builder(submission) = view else { return };
        match &submission.run {
            BuilderRun::Validation(ValidationState::Queued(queued))
            | BuilderRun::Official(OfficialState::Queued(queued)) => {
                self.word("queued", place(queued));
            }
            BuilderRun::Validation(ValidationState::Running(progress)) => self.progress(progress),
            BuilderRun::Official(OfficialState::Running(alive)) => self.word(
                "running",
                match alive.release_tick_seconds {
                    0 => "an official run shows nothing until it ends".to_owned(),
                    tick => format!("an official run shows nothing; results appear every {}", spoken(tick)),
                },
            ),
            _ => self.bar.finish_and_clear(),
        }
    }

    fn word(&mut self, state: &'static str, message: String) {
        if self.metered {
            self.bar.set_style(style(SPINNER));
            self.metered = false;
        }
        self.bar.set_prefix(state);
        self.bar.set_message(message);
    }

    fn progress(&mut self, progress: &Progress) {
        let phase = progress.phase.map_or("running", phase_name);
        let (Some(used), Some(budget)) = (progress.fuel_used, progress.fuel_budget) else {
            self.word(phase, String::new());
            return;
        };
        if !self.metered {
            self.bar.set_style(style(BAR));
            self.metered = true;
        }
        self.bar.set_prefix(phase);
        self.bar.set_length(budget.0);
        self.bar.set_position(used.0);
        let mut message = format!("{} of {}", si(used.flops(), "FLOP"), si(budget.flops(), "FLOP"));
        for (series, points) in progress.curves.iter().take(SHOWN_CURVES) {
            if let Some(value) = points.iter().rev().find_map(|point| point.value) {
                message += &format!("  {} {value:.4}", line(series));
            }
        }
        self.bar.set_message(message);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

const SPINNER: &str = "{spinner} {prefix:<8} {wide_msg}";
const BAR: &str = "{spinner} {prefix:<8} [{bar:30}] {percent:>3} % {wide_msg}";
