//! Units that cannot be mixed: fuel, FLOPs, parameters.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Fuel per FLOP: one FLOP is one fp32 operation (`docs/metering.md`).
pub const FUEL_PER_FLOP: u64 = 16;

/// The largest fuel figure: every JSON reader holds integers up to 2^53 exactly.
pub const MAX_FUEL: Fuel = Fuel(1 << 53);

/// Fuel of an instantiation, start function included: enough to initialise 4 MiB of memory and tables.
pub const INSTANTIATION_FUEL: Fuel = Fuel(10_000_000);

/// What the meter counts. 16 fuel are one FLOP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Fuel(pub u64);

impl Fuel {
    /// As FLOPs. Exact: fuel is at most 2^53 and the divisor a power of two.
    pub fn flops(self) -> f64 {
        self.0 as f64 / FUEL_PER_FLOP as f64
    }
}

impl fmt::Display for Fuel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A budget in FLOPs, at most 2^53 / 16 so that its fuel is exact in JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Flops(pub u64);

impl Flops {
    /// The fuel this budget buys, at most [`MAX_FUEL`].
    pub fn fuel(self) -> Fuel {
        Fuel(self.0.saturating_mul(FUEL_PER_FLOP).min(MAX_FUEL.0))
    }
}

impl fmt::Display for Flops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Stored 32-bit words: what a model is allowed to remember (`docs/challenge-format.md`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ParameterCount(pub u64);

impl fmt::Display for ParameterCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
