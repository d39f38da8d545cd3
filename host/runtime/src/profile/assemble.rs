//! From the traces of all replays to one profile, if they add up.

use thimble_challenge::Fuel;
use thimble_challenge::result::SubmissionRef;
use thimble_challenge::units::FUEL_PER_FLOP;

use super::kind::{Category, Kind, Split};
use super::table::Table;
use super::trace::{Frame, Step, Trace, Used};
use super::{Place, Profile, Stack};
use crate::instance::Metered;
use crate::stop::PlatformFault;

/// Everything that was measured of one run.
pub(crate) struct Measured<'a> {
    pub(crate) traces: Vec<(Table, Trace)>,
    pub(crate) functions: &'a [String],
    /// The run without probes.
    pub(crate) plain: Metered,
}

/// A trace holds all the fuel of its run: that of its places and that of the probes.
pub(crate) fn complete(trace: &Trace, metered: Fuel) -> Result<(), PlatformFault> {
    let places: u64 = trace.places.iter().map(|place| place.used.fuel()).sum();
    equal("functions and probes", places + trace.probes, "the replay", metered.0)
}

fn equal(what: &str, value: u64, other: &str, expected: u64) -> Result<(), PlatformFault> {
    if value == expected {
        return Ok(());
    }
    Err(PlatformFault::Meter(format!("the profile does not add up: {what} are {value} fuel, {other} is {expected}")))
}

impl Measured<'_> {
    /// The profile.
    pub(crate) fn profile(
        self,
        submission: Option<SubmissionRef>,
        rows: Option<u64>,
    ) -> Result<Profile, PlatformFault> {
        let whole = self.trace(Table::Tariff)?;
        self.same_way(whole)?;
        let mut places = Vec::new();
        let mut split = Split::default();
        for index in 0..whole.places.len() {
            let place = self.place(index)?;
            split += place.own;
            if place.calls > 0 {
                places.push(place);
            }
        }
        equal("all kinds", split.total(), "the run without probes", self.plain.fuel.0)?;
        equal("host charges", split.of(Category::Host), "the host's own account", self.plain.host.total())?;
        let classical = places.iter().map(|place| place.classical).sum();
        // By name where two are equal, so that the order says nothing of the module's.
        places.sort_by(|a, b| (b.own.total(), &a.name).cmp(&(a.own.total(), &b.name)));
        let stacks = whole.nodes.iter().map(|node| Stack {
            below: node.below.map(|below| below as usize),
            name: self.name(node.frame),
            own: Fuel(node.used.fuel()),
        });
        Ok(Profile { submission, rows, metered: self.plain.fuel, split, classical, places, stacks: stacks.collect() })
    }

    fn trace(&self, wanted: Table) -> Result<&Trace, PlatformFault> {
        let found = self.traces.iter().find(|(table, _)| *table == wanted).map(|(_, trace)| trace);
        found.ok_or_else(|| PlatformFault::Meter(format!("there was no replay under {wanted:?}")))
    }

    /// Every replay called the same functions from the same functions as often, and was charged the same by the host.
    fn same_way(&self, whole: &Trace) -> Result<(), PlatformFault> {
        let way = |trace: &Trace| -> Vec<_> {
            trace.nodes.iter().map(|node| (node.below, node.frame, node.used.calls, node.used.host)).collect()
        };
        let expected = way(whole);
        match self.traces.iter().find(|(_, trace)| way(trace) != expected) {
            None => Ok(()),
            Some((table, _)) => Err(PlatformFault::Meter(format!("the replay under {table:?} went another way"))),
        }
    }

    /// One place under all tables.
    fn place(&self, index: usize) -> Result<Place, PlatformFault> {
        let of = |table: Table| self.trace(table).map(|trace| trace.places[index]);
        let (whole, nothing) = (of(Table::Tariff)?, of(Table::Nothing)?.used.operators);
        let priced = |used: Used| {
            let negative = || PlatformFault::Meter("the profile does not add up: an entry costs less".to_owned());
            used.operators.checked_sub(nothing).ok_or_else(negative)
        };
        let mut own = Split::of_host(whole.used.host);
        own[Kind::Call] += nothing;
        for kind in Kind::of_operators() {
            own[kind] += priced(of(Table::Only(kind))?.used)?;
        }
        let frame = Step::ALL
            .get(index)
            .map_or_else(|| Frame::Function((index - Step::ALL.len()) as u32), |step| Frame::Step(*step));
        let name = self.name(frame);
        equal(&format!("the kinds of {name}"), own.total(), "it", whole.used.fuel())?;
        let classical = priced(of(Table::Classical)?.used)? + own[Kind::HostKernel] / FUEL_PER_FLOP;
        Ok(Place { name, calls: whole.used.calls, own, total: Fuel(whole.total), classical })
    }

    fn name(&self, frame: Frame) -> String {
        match frame {
            Frame::Step(step) => step.name().to_owned(),
            Frame::Function(function) => self.functions.get(function as usize).cloned().unwrap_or_default(),
        }
    }
}
