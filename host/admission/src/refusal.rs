//! Why a component is refused, where, and what its builder can do.

use std::fmt;

use crate::contract;
use crate::features;
use crate::limits::Limit;

/// Why a component is refused. `Display` says what is wrong and where; [`Refusal::remedy`] what to do.
///
/// Text taken from the component (names) is shortened and escaped, so a message is safe on a terminal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Something is larger than its limit.
    #[error("{place} has {value} {unit}, the limit is {maximum}", unit = limit.unit())]
    OverLimit {
        /// Which limit.
        limit: Limit,
        /// The largest admitted value.
        maximum: u64,
        /// The value met. For a limit on the whole component the sum up to where reading stopped.
        value: u64,
        /// Where.
        place: Place,
    },
    /// A structural rule is broken.
    #[error("{place} {detail}")]
    Broken {
        /// Which rule.
        rule: Rule,
        /// Where.
        place: Place,
        /// What is wrong, to follow the place: "core module 1 defines a memory".
        detail: String,
    },
}

impl Refusal {
    /// The stable identifier of the rule.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::OverLimit { limit, .. } => limit.rule(),
            Self::Broken { rule, .. } => rule.id(),
        }
    }

    /// Where the rule is broken.
    pub fn place(&self) -> &Place {
        match self {
            Self::OverLimit { place, .. } | Self::Broken { place, .. } => place,
        }
    }

    /// The largest admitted value and the value met, if the rule is a limit.
    pub fn limit_and_value(&self) -> Option<(u64, u64)> {
        match self {
            Self::OverLimit { maximum, value, .. } => Some((*maximum, *value)),
            Self::Broken { .. } => None,
        }
    }

    /// What a builder does about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::OverLimit { limit, .. } => limit.remedy().to_owned(),
            Self::Broken { rule: Rule::Import, detail, .. } => contract::import_remedy(detail),
            Self::Broken { rule, .. } => rule.remedy().to_owned(),
        }
    }

    /// Whether both are about one limit on the whole component.
    fn is_the_same_sum(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::OverLimit { limit, place: Place::Component, .. },
                Self::OverLimit { limit: other, place: Place::Component, .. },
            ) => limit == other,
            _ => false,
        }
    }

    pub(crate) fn broken(rule: Rule, place: Place, detail: impl Into<String>) -> Self {
        Self::Broken { rule, place, detail: detail.into() }
    }

    /// From wasmparser's words: a disabled feature, or bytes that are not WebAssembly.
    pub(crate) fn malformed(error: &wasmparser::Error) -> Self {
        let place = Place::Offset(error.offset());
        let words = shown(error.message(), 300);
        match error.missing_wasm_feature() {
            Some(missing) => {
                let detail = format!("needs the feature {}, which is not allowed: {words}", features::names(missing));
                Self::broken(Rule::Feature, place, detail)
            }
            None => Self::broken(Rule::Malformed, place, format!("is not valid: {words}")),
        }
    }
}

/// The most refusals that are listed: a component may break a limit in each of its functions.
const MAX_FINDINGS: usize = 100;

/// Refusals in the order in which they were met.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    refusals: Vec<Refusal>,
    unlisted: u64,
}

impl Findings {
    pub(crate) fn add(&mut self, refusal: Refusal) {
        // A sum passes its limit again with each further item; the last value is the whole sum.
        if let Some(earlier) = self.refusals.iter_mut().find(|earlier| earlier.is_the_same_sum(&refusal)) {
            *earlier = refusal;
        } else if self.refusals.len() < MAX_FINDINGS {
            self.refusals.push(refusal);
        } else {
            self.unlisted += 1;
        }
    }

    /// The refusals, and how many more there were.
    pub(crate) fn into_parts(self) -> (Vec<Refusal>, u64) {
        (self.refusals, self.unlisted)
    }

    /// Whether a feature has been named already.
    pub(crate) fn name_feature_of(&self, other: &Refusal) -> bool {
        let feature = |refusal: &Refusal| match refusal {
            Refusal::Broken { rule: Rule::Feature, detail, .. } => detail.split(',').next().map(str::to_owned),
            _ => None,
        };
        let other = feature(other);
        other.is_some() && self.refusals.iter().any(|refusal| feature(refusal) == other)
    }
}

/// The structural rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The bytes are a WebAssembly component.
    NotAComponent,
    /// The bytes are valid WebAssembly.
    Malformed,
    /// No feature outside the allow-list is used.
    Feature,
    /// Exactly one core module has code of its own; all others are wit-component's glue.
    OneCodeModule,
    /// Every core module is instantiated exactly once.
    ModuleInstances,
    /// Every table that is defined states how large it may grow.
    TableMaximum,
    /// Components inside the component hold types, imports and exports only.
    NestedComponent,
    /// Only functions of imported instances are lowered: the guest cannot call itself through the component model.
    LowerImportsOnly,
    /// Strings are UTF-8, calls are synchronous.
    CanonicalOption,
    /// No built-in beyond lift, lower and `resource.new`, `.drop`, `.rep`.
    CanonicalFunction,
    /// The outer component holds only what wit-component makes.
    ComponentItem,
    /// Only interfaces of the allow-list are imported.
    Import,
    /// The contract is spoken in the host's version.
    ContractVersion,
    /// Exactly the contract's interfaces are exported.
    Export,
}

impl Rule {
    /// Every structural rule, in declaration order.
    pub const ALL: [Self; 14] = [
        Self::NotAComponent,
        Self::Malformed,
        Self::Feature,
        Self::OneCodeModule,
        Self::ModuleInstances,
        Self::TableMaximum,
        Self::NestedComponent,
        Self::LowerImportsOnly,
        Self::CanonicalOption,
        Self::CanonicalFunction,
        Self::ComponentItem,
        Self::Import,
        Self::ContractVersion,
        Self::Export,
    ];

    /// The stable identifier that stands in results and documentation.
    pub const fn id(self) -> &'static str {
        match self {
            Self::NotAComponent => "not_a_component",
            Self::Malformed => "malformed",
            Self::Feature => "feature",
            Self::OneCodeModule => "one_code_module",
            Self::ModuleInstances => "module_instances",
            Self::TableMaximum => "table_maximum",
            Self::NestedComponent => "nested_component",
            Self::LowerImportsOnly => "lower_imports_only",
            Self::CanonicalOption => "canonical_option",
            Self::CanonicalFunction => "canonical_function",
            Self::ComponentItem => "component_item",
            Self::Import => "import",
            Self::ContractVersion => "contract_version",
            Self::Export => "export",
        }
    }

    /// What a builder does about it. For [`Rule::Import`] see [`Refusal::remedy`], which knows the interface.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::NotAComponent => "build with `--target wasm32-wasip2`: a plain module is not enough",
            Self::Malformed => "build again; the file may be damaged",
            Self::Feature => {
                "remove target features other than simd128, relaxed-simd, bulk-memory, sign-ext, multivalue, \
                 nontrapping-fptoint, mutable-globals, extended-const and reference-types"
            }
            Self::OneCodeModule => {
                "build one crate for wasm32-wasip2: no preview1 adapter, no composed components, no dynamic linking"
            }
            Self::ModuleInstances | Self::NestedComponent | Self::LowerImportsOnly | Self::ComponentItem => {
                "build one crate for wasm32-wasip2 and do not link, compose or edit components"
            }
            Self::TableMaximum => "link without `--growable-table`",
            Self::CanonicalOption => "generate bindings with UTF-8 strings and without async",
            Self::CanonicalFunction => "generate bindings without async, streams, futures and threads",
            Self::Import => "remove the dependency that imports it",
            Self::ContractVersion => "build with the SDK of this host's version",
            Self::Export => "export your solution with the SDK's `export!` macro, and nothing else",
        }
    }
}

/// Where in a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The component as a whole.
    Component,
    /// A core module, by its order in the file.
    Module(u32),
    /// A function, by its index in the module's index space (imports first), as `wasm-tools` numbers it.
    Function {
        /// The core module.
        module: u32,
        /// The function.
        index: u32,
    },
    /// A component inside the component, by its order in the file.
    Nested(u32),
    /// An import of the component.
    Import(String),
    /// An export of the component.
    Export(String),
    /// A byte of the file.
    Offset(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component => f.write_str("the component"),
            Self::Module(index) => write!(f, "core module {index}"),
            Self::Function { module, index } => write!(f, "function {index} of core module {module}"),
            Self::Nested(index) => write!(f, "nested component {index}"),
            Self::Import(name) => write!(f, "import `{}`", shown(name, 120)),
            Self::Export(name) => write!(f, "export `{}`", shown(name, 120)),
            Self::Offset(offset) => write!(f, "the component at byte {offset}"),
        }
    }
}

/// At most `limit` characters of `text` without control characters.
pub(crate) fn shown(text: &str, limit: usize) -> String {
    let mut out: String = text.chars().take(limit).flat_map(char::escape_debug).collect();
    if text.chars().nth(limit).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_rule_has_its_own_id() {
        let ids: BTreeSet<_> =
            Rule::ALL.iter().map(|rule| rule.id()).chain(Limit::ALL.iter().map(|limit| limit.rule())).collect();
        assert_eq!(ids.len(), Rule::ALL.len() + Limit::ALL.len());
    }

    #[test]
    fn names_in_messages_are_short_and_without_control_characters() {
        let place = Place::Import(format!("\u{1b}[2J{}", "x".repeat(1000)));
        let text = place.to_string();
        assert!(text.len() < 150 && !text.contains('\u{1b}'), "{text}");
    }
}
