//! What an evaluation has done so far, as its heartbeat tells it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thimble_api::Timestamp;
use thimble_api::submission::Progress;
use thimble_challenge::Fuel;
use thimble_challenge::result::CurvePoint;
use thimble_runtime::{Event, Observer};

/// Curves that are passed on while a run goes on.
const SERIES: usize = 16;
/// The last points of each.
const POINTS: usize = 64;

/// Shared by the evaluating thread, which writes, and the heartbeat, which reads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    progress: Arc<Mutex<Inner>>,
    /// Fuel of the phases that have ended and of the one that runs.
    fuel: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Inner {
    progress: Option<Progress>,
    fuel_before: u64,
    fuel_in_phase: u64,
}

impl Seen {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic while it was held leaves nothing half-written.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far it has come, at `now`.
    pub(crate) fn at(&self, now: Timestamp) -> Option<Progress> {
        self.inner().progress.clone().map(|progress| Progress { heartbeat_at: now, ..progress })
    }

    /// Fuel used so far, true to within one reading.
    pub(crate) fn fuel(&self) -> Fuel {
        Fuel(self.fuel.load(Ordering::Relaxed))
    }
}

impl Observer for Seen {
    fn event(&mut self, event: Event<'_>) {
        let mut inner = self.inner();
        let inner = &mut *inner;
        let progress = inner.progress.get_or_insert_with(|| Progress {
            heartbeat_at: Timestamp::default(),
            phase: None,
            fuel_used: None,
            fuel_budget: None,
            curves: Default::default(),
        });
        match event {
            Event::PhaseStarted(phase) => {
                progress.phase = Some(phase);
                (progress.fuel_used, progress.fuel_budget) = (None, None);
                inner.fuel_before += std::mem::take(&mut inner.fuel_in_phase);
            }
            Event::Fuel { used, budget, .. } => {
                (progress.fuel_used, progress.fuel_budget) = (Some(used), Some(budget));
                inner.fuel_in_phase = used.0;
                self.fuel.store(inner.fuel_before + used.0, Ordering::Relaxed);
            }
            Event::Curve { series, step, value } => {
                let room = progress.curves.len() < SERIES || progress.curves.contains_key(series);
                if room {
                    let points = progress.curves.entry(series.to_owned()).or_default();
                    if points.len() == POINTS {
                        points.remove(0);
                    }
                    points.push(CurvePoint { step, value: Some(value).filter(|value| value.is_finite()) });
                }
            }
            Event::PhaseFinished { .. } | Event::Replay { .. } | Event::Log(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

    use thimble_challenge::result::Phase;

    use super::*;

    #[test]
    fn fuel_adds_up_over_phases_and_curves_stay_bounded() {
        let mut seen = Seen::default();
        let fuel = |phase, used| Event::Fuel { phase, used: Fuel(used), budget: Fuel(100) };
        seen.event(Event::PhaseStarted(Phase::Learn));
        seen.event(fuel(Phase::Learn, 10));
        seen.event(fuel(Phase::Learn, 70));
        seen.event(Event::PhaseStarted(Phase::Predict));
        seen.event(fuel(Phase::Predict, 5));
        assert_eq!(seen.fuel(), Fuel(75));
        for series in 0..40 {
            for step in 0..200 {
                seen.event(Event::Curve { series: &series.to_string(), step, value: f64::NAN });
            }
        }
        let progress = seen.at(Timestamp::from_millis(5)).unwrap();
        assert_eq!(progress.heartbeat_at, Timestamp::from_millis(5));
        assert_eq!(progress.curves.len(), SERIES);
        assert!(progress.curves.values().all(|points| points.len() == POINTS && points[0].step == 136));
        assert!(progress.curves.values().flatten().all(|point| point.value.is_none()));
    }
}
