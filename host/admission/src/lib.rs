//! Static admission of a component: what is refused before anything compiles it.
//!
//! [`inspect`] reads the bytes of a submission once, holds them against [`StaticLimits`] and the structural rules, and
//! validates them under the allow-list of [`features`]. It compiles nothing, runs nothing and touches no file. What it
//! guarantees to the crates above:
//!
//! - **bounded compilation**: no function, type or segment has a size at which the compiler's time or memory explodes;
//! - **one program**: exactly one core module has code of its own (wit-component's glue modules are recognised by
//!   structure), it is instantiated once, and no component function is lowered except an imported one, so that every
//!   instruction is metered and no host code copies strings between parts of the guest;
//! - **a closed world**: nothing is imported beyond the contract and the interfaces that the standard library links,
//!   and exactly the contract's two interfaces are exported;
//! - **counted bytes**: [`Facts::counted_bytes`] is every byte that could carry weights.
//!
//! The check is a pure function of the bytes and the limits, so it says the same on every machine.

mod body;
mod contract;
mod facts;
mod features;
mod limits;
mod module;
mod outer;
mod refusal;
mod types;
mod walk;
mod wrapper;

use facts::Usage;

pub use contract::{CONTRACT_VERSION, EXPORTS, IMPORTS};
pub use facts::{Facts, LimitUse};
pub use features::{features, required_features};
pub use limits::{Limit, StaticLimits};
pub use refusal::{Place, Refusal, Rule};

/// Checks a component and returns what was counted on the way.
///
/// Cheap checks come first: the size of the whole, then one pass over the sections in which every count is compared
/// before its items are read, then validation. Time is linear in the size of the component.
///
/// # Errors
/// The first [`Refusal`] met: the rule, where, and for a limit its maximum and the value.
pub fn inspect(component: &[u8], limits: &StaticLimits) -> Result<Facts, Refusal> {
    let facts = walk::walk(component, &mut Usage::new(limits))?;
    features::validate(component)?;
    Ok(facts)
}

/// What a builder wants to know of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// What was counted; `None` when the component could not be read to its end.
    pub facts: Option<Facts>,
    /// Every broken rule, in the order of reading; empty exactly when [`inspect`] admits the component.
    pub refusals: Vec<Refusal>,
    /// Refusals beyond the hundred that are listed.
    pub unlisted: u64,
}

/// As [`inspect`], but goes on after each refusal that leaves the rest readable, to name them all: for reports to
/// people. The first refusal has the rule of [`inspect`]'s; a sum over its limit has its final value.
pub fn inspect_all(component: &[u8], limits: &StaticLimits) -> Inspection {
    let mut usage = Usage::collecting(limits);
    let outcome = walk::walk(component, &mut usage);
    let mut findings = usage.into_findings();
    let facts = match outcome {
        Ok(facts) => {
            for refusal in features::validate_all(component) {
                if !findings.name_feature_of(&refusal) {
                    findings.add(refusal);
                }
            }
            Some(facts)
        }
        Err(refusal) => {
            findings.add(refusal);
            None
        }
    };
    let (refusals, unlisted) = findings.into_parts();
    Inspection { facts, refusals, unlisted }
}
