//! Everything that can be said of the box on this machine.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use super::{Attack, Outcome, Probe, ProbeError, Report, Selection, boxes};
use crate::layer::{Layer, Policy};
use crate::syscalls::Job;

/// The box examined: each layer by itself, the sets of layers that the probes name, and the whole, for both kinds of work.
#[derive(Debug)]
pub struct Examination {
    /// Every layer, the required ones first.
    pub layers: Vec<LayerFinding>,
    /// Why the whole box could not be locked.
    pub not_locked: Option<String>,
    /// Every probe, in order.
    pub probes: Vec<ProbeFinding>,
}

/// What was found of a layer.
#[derive(Debug)]
pub struct LayerFinding {
    /// Which.
    pub layer: Layer,
    /// Why it does not hold; `None` where it does.
    pub objection: Option<String>,
}

/// What was found of a probe.
#[derive(Debug)]
pub struct ProbeFinding {
    /// Which.
    pub probe: &'static Probe,
    /// What came of it in the whole box of a run; `None` where that could not be locked.
    pub outcome: Option<Outcome>,
    /// The layers that stopped it without any other, and with which error number.
    pub stopped_by: Vec<(Vec<Layer>, i32)>,
    /// The boxes that were to stop it and did not.
    pub breaches: Vec<(Vec<Layer>, Outcome)>,
}

impl Examination {
    /// Makes every attack. `directory` is where the files that are attacked are made and left; it must be empty.
    ///
    /// # Errors
    /// A child that cannot be started or that ends without an answer. A box that cannot be locked is a finding.
    pub fn of(command: &[OsString], directory: &Path) -> Result<Self, ProbeError> {
        let attack = |policy: Policy, job: Job| match (Attack {
            command,
            directory,
            policy,
            job,
            selection: Selection::Guarded,
        })
        .make()
        {
            Ok(report) => Ok(Ok(report)),
            Err(ProbeError::NotLocked(reason)) => Ok(Err(reason)),
            Err(error) => Err(error),
        };
        let mut reports = Vec::new();
        let mut layers = Vec::new();
        for layer in Layer::all() {
            let objection = match attack(Policy::only(layer), Job::Run)? {
                Ok(report) => objection(&report),
                Err(reason) => Some(reason),
            };
            layers.push(LayerFinding { layer, objection });
        }
        for policy in boxes() {
            // A set with a layer that cannot be had was found wanting above.
            reports.extend(attack(policy, Job::Run)?.ok());
        }
        let (whole, not_locked) = match attack(Policy::default(), Job::Run)? {
            Ok(report) => (Some(report), None),
            Err(reason) => (None, Some(reason)),
        };
        let compile = attack(Policy::default(), Job::Compile)?.ok();
        let probes = Probe::all().iter().map(|probe| {
            let outcome = whole.as_ref().map(|report| report.outcome_of(probe));
            let all = reports.iter().chain(&whole).chain(&compile);
            ProbeFinding { probe, outcome, stopped_by: stopped_by(probe, &reports), breaches: breaches(probe, all) }
        });
        Ok(Self { probes: probes.collect(), layers, not_locked })
    }

    /// Whether this machine has what an official run needs: every required layer, and no probe that got through.
    pub fn holds(&self) -> bool {
        let required = self.layers.iter().filter(|finding| Layer::REQUIRED.contains(&finding.layer));
        self.not_locked.is_none()
            && required.into_iter().all(|finding| finding.objection.is_none())
            && self.probes.iter().all(|finding| finding.breaches.is_empty())
    }
}

/// What a layer let through that it is to stop by itself.
fn objection(report: &Report) -> Option<String> {
    let breached: Vec<_> = report.breaches().map(|(probe, _)| probe.name).collect();
    if breached.is_empty() { None } else { Some(format!("it does not stop {}", breached.join(", "))) }
}

/// The guards that were on by themselves and held.
fn stopped_by(probe: &Probe, reports: &[Report]) -> Vec<(Vec<Layer>, i32)> {
    let alone = |report: &Report| {
        let Outcome::Refused(errno) = report.outcome_of(probe) else { return None };
        let guards = probe.held_by(&report.layers, Outcome::Refused(errno));
        let only = |layers: &[Layer]| layers.iter().copied().collect::<BTreeSet<_>>() == report.layers;
        guards.iter().any(|guard| only(guard.layers)).then(|| (report.layers.iter().copied().collect(), errno))
    };
    reports.iter().filter_map(alone).collect()
}

fn breaches<'a>(probe: &Probe, reports: impl Iterator<Item = &'a Report>) -> Vec<(Vec<Layer>, Outcome)> {
    let breach = |report: &Report| {
        let (_, outcome) = report.breaches().find(|(breached, _)| breached.name == probe.name)?;
        Some((report.layers.iter().copied().collect(), outcome))
    };
    reports.filter_map(breach).collect()
}
