//! What an operator does, for the split of a profile, and what it is in the classical count.

use std::ops::{AddAssign, Index, IndexMut};

use crate::state::HostFuel;

/// One line of the split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Arithmetic, comparison and sign of single f32 and f64.
    ScalarFloat,
    /// The same in 128-bit lanes.
    VectorFloat,
    /// Between integer and float, between widths of float, and rounding; scalar and in lanes.
    Conversion,
    /// Integers and bits, one at a time; addresses are computed with these.
    ScalarInteger,
    /// Integer lanes, 128-bit logic, and whatever moves lanes.
    VectorInteger,
    /// Loads and stores of up to 64 bits.
    ScalarMemory,
    /// Loads and stores of 128 bits, or into lanes.
    VectorMemory,
    /// Copies, fills, growth, tables and references.
    BulkMemory,
    /// Branches, selection, constants and globals.
    Branch,
    /// Calls, and the engine's own price of each function entry and of a start function.
    Call,
    /// The flat price of calls to the host.
    HostCall,
    /// Bytes that cross the boundary: arguments and results of imports and exports.
    Transfer,
    /// Arithmetic that the host did for the guest.
    HostKernel,
}

/// The four that the tariff speaks of, and the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Float arithmetic and conversions.
    Float,
    /// Integers, bits, lanes.
    Integer,
    /// Loads, stores, copies, growth.
    Memory,
    /// Branches, constants, calls.
    Control,
    /// What the host charges.
    Host,
}

impl Category {
    /// In the order of the split.
    pub const ALL: [Self; 5] = [Self::Float, Self::Integer, Self::Memory, Self::Control, Self::Host];

    /// As in the JSON output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Integer => "integer",
            Self::Memory => "memory",
            Self::Control => "control",
            Self::Host => "host",
        }
    }
}

impl Kind {
    /// In the order of the split.
    pub const ALL: [Self; 13] = [
        Self::ScalarFloat,
        Self::VectorFloat,
        Self::Conversion,
        Self::ScalarInteger,
        Self::VectorInteger,
        Self::ScalarMemory,
        Self::VectorMemory,
        Self::BulkMemory,
        Self::Branch,
        Self::Call,
        Self::HostCall,
        Self::Transfer,
        Self::HostKernel,
    ];

    /// Those that are operators of the guest.
    pub(crate) fn of_operators() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| kind.category() != Category::Host)
    }

    /// The category it belongs to.
    pub const fn category(self) -> Category {
        match self {
            Self::ScalarFloat | Self::VectorFloat | Self::Conversion => Category::Float,
            Self::ScalarInteger | Self::VectorInteger => Category::Integer,
            Self::ScalarMemory | Self::VectorMemory | Self::BulkMemory => Category::Memory,
            Self::Branch | Self::Call => Category::Control,
            Self::HostCall | Self::Transfer | Self::HostKernel => Category::Host,
        }
    }

    /// As in the JSON output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ScalarFloat => "scalar_float",
            Self::VectorFloat => "vector_float",
            Self::Conversion => "conversion",
            Self::ScalarInteger => "scalar_integer",
            Self::VectorInteger => "vector_integer",
            Self::ScalarMemory => "scalar_memory",
            Self::VectorMemory => "vector_memory",
            Self::BulkMemory => "bulk_memory",
            Self::Branch => "branch",
            Self::Call => "call",
            Self::HostCall => "host_call",
            Self::Transfer => "transfer",
            Self::HostKernel => "host_kernel",
        }
    }

    /// The kind of an operator by the engine's name for it; `None` for an operator that nobody has sorted.
    pub(crate) fn of(operator: &str) -> Option<Self> {
        const CONTROL: &[&str] = &[
            "Nop",
            "Unreachable",
            "Block",
            "Loop",
            "If",
            "Else",
            "End",
            "Br",
            "BrIf",
            "BrTable",
            "Return",
            "Drop",
            "Select",
            "TypedSelect",
            "TypedSelectMulti",
            "LocalGet",
            "LocalSet",
            "LocalTee",
            "GlobalGet",
            "GlobalSet",
        ];
        const BULK: &[&str] = &["Memory", "Data", "Table", "Elem", "Ref"];
        if CONTROL.contains(&operator) {
            return Some(Self::Branch);
        }
        if matches!(operator, "Call" | "CallIndirect") {
            return Some(Self::Call);
        }
        if BULK.iter().any(|prefix| operator.starts_with(prefix)) {
            return Some(Self::BulkMemory);
        }
        let (shape, operation) = Shape::split(operator)?;
        let is = |prefixes: &[&str]| prefixes.iter().any(|prefix| operation.starts_with(prefix));
        let kind = if operation == "Const" {
            Self::Branch
        } else if is(&["Load", "Store"]) {
            if shape.vector { Self::VectorMemory } else { Self::ScalarMemory }
        } else if is(&["Trunc", "RelaxedTrunc", "Convert", "Demote", "Promote", "Ceil", "Floor", "Nearest"]) {
            Self::Conversion
        } else if shape.float && !is(&["Reinterpret", "Splat", "ExtractLane", "ReplaceLane"]) {
            if shape.vector { Self::VectorFloat } else { Self::ScalarFloat }
        } else if shape.vector {
            Self::VectorInteger
        } else {
            Self::ScalarInteger
        };
        Some(kind)
    }
}

/// What an operator is in the classical count: float lanes that it adds, subtracts, multiplies, divides, takes the root
/// or the extremum of; a fused multiply-add is two. Comparisons, conversions, signs and integers are none. These are the
/// operations that the floating-point counters of x86 processors count (`FP_ARITH_INST_RETIRED`).
pub(crate) fn classical(operator: &str) -> u8 {
    const ONE: &[&str] =
        &["Add", "Sub", "Mul", "Div", "Sqrt", "Min", "Max", "PMin", "PMax", "RelaxedMin", "RelaxedMax"];
    match Shape::split(operator) {
        Some((shape, operation)) if shape.float => match operation {
            "RelaxedMadd" | "RelaxedNmadd" => 2 * shape.lanes,
            _ if ONE.contains(&operation) => shape.lanes,
            _ => 0,
        },
        _ => 0,
    }
}

/// The type that an operator's name begins with.
#[derive(Clone, Copy)]
struct Shape {
    float: bool,
    vector: bool,
    lanes: u8,
}

impl Shape {
    fn split(operator: &str) -> Option<(Self, &str)> {
        // Longer names first: `F32x4Add` also begins with `F32`.
        const SHAPES: [(&str, bool, u8); 11] = [
            ("I8x16", false, 16),
            ("I16x8", false, 8),
            ("I32x4", false, 4),
            ("I64x2", false, 2),
            ("F32x4", true, 4),
            ("F64x2", true, 2),
            ("V128", false, 0),
            ("I32", false, 1),
            ("I64", false, 1),
            ("F32", true, 1),
            ("F64", true, 1),
        ];
        SHAPES.iter().find_map(|&(name, float, lanes)| {
            operator.strip_prefix(name).map(|rest| (Self { float, vector: lanes != 1, lanes }, rest))
        })
    }
}

/// Fuel by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Split([u64; Kind::ALL.len()]);

impl Split {
    /// What the host charged.
    pub(crate) fn of_host(host: HostFuel) -> Self {
        let mut split = Self::default();
        split[Kind::HostCall] = host.calls;
        split[Kind::Transfer] = host.transfers;
        split[Kind::HostKernel] = host.kernels;
        split
    }

    /// All kinds together.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The kinds of one category together.
    pub fn of(&self, category: Category) -> u64 {
        Kind::ALL.into_iter().filter(|kind| kind.category() == category).map(|kind| self[kind]).sum()
    }
}

impl Index<Kind> for Split {
    type Output = u64;

    fn index(&self, kind: Kind) -> &u64 {
        &self.0[kind as usize]
    }
}

impl IndexMut<Kind> for Split {
    fn index_mut(&mut self, kind: Kind) -> &mut u64 {
        &mut self.0[kind as usize]
    }
}

impl AddAssign for Split {
    fn add_assign(&mut self, other: Self) {
        for (sum, value) in self.0.iter_mut().zip(other.0) {
            *sum += value;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::tariff::TARIFF;

    /// Every operator that admission lets in is of one kind; the numbers are the rows of the tariff, counted.
    #[test]
    fn every_admitted_operator_belongs_to_one_kind() {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for operator in TARIFF.rows.iter().flat_map(|row| row.operators) {
            let kind = Kind::of(operator);
            assert!(kind.is_some(), "{operator} belongs to no kind");
            let Some(kind) = kind else { continue };
            assert_ne!(kind.category(), Category::Host, "{operator}");
            *counts.entry(kind.name()).or_default() += 1;
        }
        let expected = [
            ("branch", 25),
            ("bulk_memory", 17),
            ("call", 2),
            ("conversion", 56),
            ("scalar_float", 32),
            ("scalar_integer", 70),
            ("scalar_memory", 23),
            ("vector_float", 42),
            ("vector_integer", 169),
            ("vector_memory", 22),
        ];
        assert_eq!(counts, expected.into());
    }

    /// The sign of a float is a bit for the tariff, and float arithmetic for the split.
    #[test]
    fn rows_of_the_tariff_are_of_one_kind_but_for_sign_bits() {
        let mut mixed = Vec::new();
        for row in TARIFF.rows {
            let kinds: Vec<_> = row.operators.iter().filter_map(|operator| Kind::of(operator)).collect();
            if kinds.windows(2).any(|pair| pair[0] != pair[1]) {
                mixed.push(row.group);
            }
        }
        let sign_bits = [
            "i32 arithmetic, logic, compare; scalar sign bit; width change",
            "128-bit logic, integer arithmetic, compare, shift, width change; float sign bits",
        ];
        assert_eq!(mixed, sign_bits);
    }

    #[test]
    fn the_classical_count_is_of_float_lanes() {
        let of = |operators: &[&str]| operators.iter().map(|operator| classical(operator)).collect::<Vec<_>>();
        assert_eq!(of(&["F32Add", "F64Sqrt", "F32x4Mul", "F64x2Div", "F32x4PMax"]), [1, 1, 4, 2, 4]);
        assert_eq!(of(&["F32x4RelaxedMadd", "F64x2RelaxedNmadd"]), [8, 4]);
        assert_eq!(of(&["F32Lt", "F32Abs", "F32x4Neg", "F32Load", "F32Const", "F32ConvertI32S", "F32x4Splat"]), [0; 7]);
        assert_eq!(of(&["I32Add", "I32x4Mul", "V128And", "Call", "I32x4DotI16x8S"]), [0; 5]);
    }
}
