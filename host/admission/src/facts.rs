//! What admission counted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits::{Limit, StaticLimits};
use crate::refusal::{Findings, Place, Refusal};

/// The figures of an admitted component. Sums run over all of its core modules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Facts {
    /// Bytes of the component.
    pub total_bytes: u64,
    /// Bytes of custom sections at every level, each with its header (id and length). No instruction can read them.
    pub custom_bytes: u64,
    /// `total_bytes - custom_bytes`: every byte in which weights could hide. What exceeds a challenge's allowance
    /// counts as parameters.
    pub counted_bytes: u64,
    /// Bytes of function bodies.
    pub code_bytes: u64,
    /// Bytes of data sections' contents.
    pub data_bytes: u64,
    /// Bytes of global sections' contents.
    pub global_bytes: u64,
    /// Bytes of element sections' contents.
    pub element_bytes: u64,
    /// Functions defined.
    pub functions: u64,
    /// Memories defined, 0 or 1.
    pub memories: u64,
    /// Pages of 64 KiB that the memory has at the start.
    pub memory_pages: u64,
    /// Tables defined.
    pub tables: u64,
    /// Whether instantiation runs guest code (a start function).
    pub has_start: bool,
    /// Imported interfaces with their versions, sorted.
    pub imports: Vec<String>,
    /// How much of each limit is used, in the order of [`Limit::ALL`].
    pub limits: Vec<LimitUse>,
}

/// How much of one limit a component uses: the sum, or for a limit on single functions and types the largest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LimitUse {
    /// [`Limit::rule`].
    pub rule: String,
    /// The value of this component.
    pub used: u64,
    /// The largest admitted value.
    pub limit: u64,
}

/// Compares what is counted with the limits, and remembers it.
#[derive(Debug)]
pub(crate) struct Usage<'a> {
    limits: &'a StaticLimits,
    used: [u64; Limit::ALL.len()],
    /// `None` ends the reading at the first refusal.
    findings: Option<Findings>,
}

impl<'a> Usage<'a> {
    /// Ends the reading at the first refusal.
    pub(crate) fn new(limits: &'a StaticLimits) -> Self {
        Self { limits, used: [0; Limit::ALL.len()], findings: None }
    }

    /// Goes on after every refusal that leaves the rest readable.
    pub(crate) fn collecting(limits: &'a StaticLimits) -> Self {
        Self { findings: Some(Findings::default()), ..Self::new(limits) }
    }

    /// A broken rule after which the rest can still be read.
    ///
    /// # Errors
    /// The refusal itself, unless all are wanted.
    pub(crate) fn refuse(&mut self, refusal: Refusal) -> Result<(), Refusal> {
        match &mut self.findings {
            Some(findings) => {
                findings.add(refusal);
                Ok(())
            }
            None => Err(refusal),
        }
    }

    pub(crate) fn into_findings(self) -> Findings {
        self.findings.unwrap_or_default()
    }

    /// One value of a limit on single things; the largest is remembered.
    pub(crate) fn at_most(&mut self, limit: Limit, value: u64, place: impl FnOnce() -> Place) -> Result<(), Refusal> {
        let used = &mut self.used[limit as usize];
        *used = value.max(*used);
        let maximum = self.limits.get(limit);
        if value <= maximum {
            return Ok(());
        }
        let refusal = Refusal::OverLimit { limit, maximum, value, place: place() };
        // Deeper types are read by recursion: going on would overflow the stack.
        if limit == Limit::TypeNesting { Err(refusal) } else { self.refuse(refusal) }
    }

    /// Adds to a limit on the whole component. The value of a refusal is the sum so far.
    pub(crate) fn add(&mut self, limit: Limit, value: u64) -> Result<(), Refusal> {
        let sum = self.used[limit as usize].saturating_add(value);
        self.at_most(limit, sum, || Place::Component)
    }

    pub(crate) fn used(&self, limit: Limit) -> u64 {
        self.used[limit as usize]
    }

    pub(crate) fn report(&self) -> Vec<LimitUse> {
        Limit::ALL
            .iter()
            .map(|&limit| LimitUse {
                rule: limit.rule().to_owned(),
                used: self.used(limit),
                limit: self.limits.get(limit),
            })
            .collect()
    }
}
