//! Which function used which fuel: a shadow stack that the probes keep.
//!
//! At every probe, fuel that was used since the last one is read from the meter; it belongs to the function on top of the
//! stack. What the host charged in between is known apart, and the price of the probe itself is taken off, as is that of
//! the silent probes and wrappers since. A call's own price, the callee's entry included, is the caller's; so is what
//! runs in silence, allocation of what the host passes and cleaning up after results.

use std::collections::BTreeMap;

use crate::state::HostFuel;
use crate::stop::PlatformFault;

/// Stacks that are told apart; beyond, a function's fuel is shown as its caller's in the tree (and stays its own in the
/// table).
const NODES: usize = 1 << 16;
/// Frames of a stack that are told apart.
const DEPTH: usize = 128;

/// What the host calls the guest for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Memory and tables are set up; a start function runs.
    Instantiate,
    /// Training.
    Solve,
    /// The model is rebuilt from the parameters.
    Load,
    /// All batches.
    Predict,
}

impl Step {
    /// In the order in which they happen.
    pub const ALL: [Self; 4] = [Self::Instantiate, Self::Solve, Self::Load, Self::Predict];

    /// As the frame at the bottom of a stack is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Instantiate => "(instantiate)",
            Self::Solve => "(solve)",
            Self::Load => "(load)",
            Self::Predict => "(predict)",
        }
    }
}

/// Fuel that each call of a probe costs by itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProbePrices {
    pub(crate) enter: u64,
    pub(crate) leave: u64,
    pub(crate) silent: u64,
    pub(crate) wrapper: u64,
}

/// How many silent probes and wrappers have run, modulo 2^32.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Silent {
    pub(crate) probes: u32,
    pub(crate) wrappers: u32,
}

/// What is known when a probe reports.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) fuel_left: u64,
    pub(crate) host: HostFuel,
    pub(crate) silent: Silent,
}

/// What the tracer must know of a program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Probes {
    pub(crate) prices: ProbePrices,
    /// How many functions report.
    pub(crate) functions: usize,
}

/// A frame of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Frame {
    /// The host, at the bottom of every stack.
    Step(Step),
    /// A function of the program, by its number.
    Function(u32),
}

/// Fuel used in one place, without what was called from there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) calls: u64,
    /// By operators of the guest.
    pub(crate) operators: u64,
    pub(crate) host: HostFuel,
}

impl Used {
    pub(crate) fn fuel(&self) -> u64 {
        self.operators + self.host.total()
    }
}

/// One stack: a frame on top of another stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) below: Option<u32>,
    pub(crate) frame: Frame,
    pub(crate) used: Used,
}

/// What was measured. Nodes come after those below them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace {
    pub(crate) nodes: Vec<Node>,
    /// Of every place: steps, then functions by their number.
    pub(crate) places: Vec<Place>,
    /// What the probes cost.
    pub(crate) probes: u64,
}

/// One function or step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) used: Used,
    /// Together with what was called from there; a function that calls itself counts once.
    pub(crate) total: u64,
    active: u32,
}

/// The shadow stack of one instance.
#[derive(Debug)]
pub(crate) struct Tracer {
    prices: ProbePrices,
    trace: Trace,
    nodes_of: BTreeMap<(Option<u32>, Frame), u32>,
    stack: Vec<Activation>,
    /// At the last reading.
    left: u64,
    host: HostFuel,
    silent: Silent,
    /// Used so far, without probes.
    used: u64,
}

#[derive(Debug)]
struct Activation {
    place: usize,
    node: u32,
    /// Used by all when it began.
    used_before: u64,
}

impl Tracer {
    pub(crate) fn new(Probes { prices, functions }: Probes) -> Self {
        let places = vec![Place::default(); Step::ALL.len() + functions];
        Self {
            prices,
            trace: Trace { places, ..Trace::default() },
            nodes_of: BTreeMap::new(),
            stack: Vec::new(),
            left: 0,
            host: HostFuel::default(),
            silent: Silent::default(),
            used: 0,
        }
    }

    /// A step begins, with `left` fuel.
    pub(crate) fn begin(&mut self, step: Step, left: u64) -> Result<(), PlatformFault> {
        self.left = left;
        self.push(Frame::Step(step), step as usize)
    }

    /// The step ends.
    pub(crate) fn end(&mut self, reading: Reading) -> Result<(), PlatformFault> {
        self.read(reading, 0)?;
        self.pop()?;
        if self.stack.is_empty() { Ok(()) } else { Err(broken("a function did not leave")) }
    }

    /// The probe at the beginning of a function.
    pub(crate) fn enter(&mut self, function: u32, reading: Reading) -> Result<(), PlatformFault> {
        self.read(reading, self.prices.enter)?;
        self.push(Frame::Function(function), Step::ALL.len() + function as usize)
    }

    /// The probe at the end of a function.
    pub(crate) fn leave(&mut self, reading: Reading) -> Result<(), PlatformFault> {
        self.read(reading, self.prices.leave)?;
        self.pop()
    }

    pub(crate) fn finish(self) -> Trace {
        self.trace
    }

    /// Books what was used since the last reading.
    fn read(&mut self, reading: Reading, probe: u64) -> Result<(), PlatformFault> {
        let negative = || broken("more was accounted for than was used");
        let Reading { fuel_left, host, silent } = reading;
        let charged = host.since(self.host).ok_or_else(negative)?;
        let probes = u64::from(silent.probes.wrapping_sub(self.silent.probes)) * self.prices.silent;
        let wrappers = u64::from(silent.wrappers.wrapping_sub(self.silent.wrappers)) * self.prices.wrapper;
        let added = probe + probes + wrappers;
        let used = self.left.checked_sub(fuel_left).and_then(|used| used.checked_sub(added)).ok_or_else(negative)?;
        let operators = used.checked_sub(charged.total()).ok_or_else(negative)?;
        (self.left, self.host, self.silent) = (fuel_left, host, silent);
        self.used += used;
        self.trace.probes += added;
        let top = self.stack.last().ok_or_else(|| broken("a probe outside a call"))?;
        for booked in [&mut self.trace.nodes[top.node as usize].used, &mut self.trace.places[top.place].used] {
            booked.operators += operators;
            booked.host += charged;
        }
        Ok(())
    }

    fn push(&mut self, frame: Frame, place: usize) -> Result<(), PlatformFault> {
        let below = self.stack.last().map(|activation| activation.node);
        let node = self.node(below, frame);
        self.trace.nodes[node as usize].used.calls += 1;
        let known = self.trace.places.get_mut(place).ok_or_else(|| broken("a probe of an unknown function"))?;
        known.used.calls += 1;
        known.active += 1;
        self.stack.push(Activation { place, node, used_before: self.used });
        Ok(())
    }

    fn pop(&mut self) -> Result<(), PlatformFault> {
        let Activation { place, used_before, .. } =
            self.stack.pop().ok_or_else(|| broken("left what was not entered"))?;
        let place = &mut self.trace.places[place];
        place.active -= 1;
        if place.active == 0 {
            place.total += self.used - used_before;
        }
        Ok(())
    }

    /// The stack that `frame` on top of `below` makes.
    fn node(&mut self, below: Option<u32>, frame: Frame) -> u32 {
        let nodes = &mut self.trace.nodes;
        if let Some(&known) = self.nodes_of.get(&(below, frame)) {
            return known;
        }
        if let Some(below) = below.filter(|_| nodes.len() >= NODES || self.stack.len() >= DEPTH) {
            return below;
        }
        let node = nodes.len() as u32;
        nodes.push(Node { below, frame, used: Used::default() });
        self.nodes_of.insert((below, frame), node);
        node
    }
}

fn broken(what: &str) -> PlatformFault {
    PlatformFault::Meter(format!("the profile does not add up: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICES: ProbePrices = ProbePrices { enter: 17, leave: 16, silent: 11, wrapper: 22 };
    const FREE: ProbePrices = ProbePrices { enter: 0, leave: 0, silent: 0, wrapper: 0 };

    fn host(calls: u64) -> HostFuel {
        HostFuel { calls, ..HostFuel::default() }
    }

    fn reading(fuel_left: u64, calls: u64) -> Reading {
        Reading { fuel_left, host: host(calls), silent: Silent::default() }
    }

    /// The host charges 20 and allocates; 0 calls 1, which calls the host and then itself.
    fn traced() -> Result<Trace, PlatformFault> {
        let mut tracer = Tracer::new(Probes { prices: PRICES, functions: 2 });
        tracer.begin(Step::Load, 10_000)?;
        let silent = Silent { probes: 2, wrappers: 1 };
        // 20 by the host, 5 in silence, 22 for a wrapper and twice 11 for probes in it, 17 for the probe.
        tracer.enter(0, Reading { silent, ..reading(9_914, 20) })?;
        let reading = |fuel_left, calls| Reading { silent, ..reading(fuel_left, calls) };
        tracer.enter(1, reading(9_797, 20))?;
        // 256 for a host call, 44 of its own, 17 for the probe.
        tracer.enter(1, reading(9_480, 276))?;
        tracer.leave(reading(9_461, 276))?;
        tracer.leave(reading(9_444, 276))?;
        tracer.leave(reading(9_428, 276))?;
        tracer.end(reading(9_408, 296))?;
        Ok(tracer.finish())
    }

    #[test]
    fn fuel_is_that_of_the_function_on_top() -> Result<(), PlatformFault> {
        let trace = traced()?;
        let places = &trace.places[Step::ALL.len()..];
        assert_eq!(places[0].used, Used { calls: 1, operators: 100, host: host(0) });
        assert_eq!(places[1].used, Used { calls: 2, operators: 44 + 3 + 1, host: host(256) });
        let load = trace.places[Step::Load as usize];
        assert_eq!(load.used, Used { calls: 1, operators: 5, host: host(40) });
        assert_eq!(trace.probes, 3 * 17 + 3 * 16 + 2 * 11 + 22);
        Ok(())
    }

    #[test]
    fn totals_count_a_recursion_once_and_add_up() -> Result<(), PlatformFault> {
        let trace = traced()?;
        let totals: Vec<_> = trace.places[Step::ALL.len()..].iter().map(|place| place.total).collect();
        assert_eq!(totals, [100 + 304, 304]);
        assert_eq!(trace.places[Step::Load as usize].total + trace.probes, 592);
        let nodes: u64 = trace.nodes.iter().map(|node| node.used.fuel()).sum();
        assert_eq!(nodes + trace.probes, 592);
        Ok(())
    }

    #[test]
    fn deep_stacks_are_cut_in_the_tree_and_not_in_the_table() -> Result<(), PlatformFault> {
        let mut tracer = Tracer::new(Probes { prices: FREE, functions: 1 });
        let deep = DEPTH as u64 + 50;
        tracer.begin(Step::Predict, 2 * deep)?;
        for call in 1..=deep {
            tracer.enter(0, reading(2 * deep - call, 0))?;
        }
        for call in 1..=deep {
            tracer.leave(reading(deep - call, 0))?;
        }
        tracer.end(reading(0, 0))?;
        let trace = tracer.finish();
        assert_eq!(trace.nodes.len(), DEPTH);
        let place = trace.places[Step::ALL.len()];
        assert_eq!((place.used.calls, place.used.operators, place.total), (deep, 2 * deep - 1, 2 * deep - 1));
        assert_eq!(trace.nodes.iter().map(|node| node.used.operators).sum::<u64>(), 2 * deep);
        Ok(())
    }

    #[test]
    fn counts_of_silence_may_wrap() -> Result<(), PlatformFault> {
        let mut tracer = Tracer::new(Probes { prices: PRICES, functions: 0 });
        tracer.begin(Step::Predict, 1_000)?;
        tracer.silent = Silent { probes: u32::MAX, wrappers: u32::MAX };
        tracer.end(Reading { silent: Silent { probes: 1, wrappers: 0 }, ..reading(900, 0) })?;
        assert_eq!(tracer.finish().probes, 2 * 11 + 22);
        Ok(())
    }

    #[test]
    fn what_cannot_be_is_a_fault() {
        let mut tracer = Tracer::new(Probes { prices: PRICES, functions: 1 });
        assert!(tracer.leave(reading(0, 0)).is_err());
        assert!(tracer.begin(Step::Solve, 100).is_ok());
        assert!(tracer.enter(1, reading(70, 0)).is_err(), "there is no function 1");
        assert!(tracer.enter(0, reading(65, 0)).is_err(), "a probe costs 17, and 5 were used");
        assert!(tracer.end(reading(60, 100)).is_err(), "the host charged more than was used");
    }
}
