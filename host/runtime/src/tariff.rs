//! `tariff-1`: the price of every operator in fuel, as one table. 16 fuel are one FLOP.
//!
//! The rule behind the prices: equal work per 128 bits whatever the width of the operator; a 128-bit integer or logic
//! operator costs one FLOP, a load half, stack traffic nothing. Reasons and worked examples: `docs/metering.md`.

use sha2::{Digest as _, Sha256};
use thimble_challenge::challenge::BYTES_PER_FUEL;
use thimble_datasets::Digest;
use wasmtime::{OperatorCost, VariableOperatorCost};

/// Operators of one price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// What the operators have in common.
    pub group: &'static str,
    /// Fuel for each execution of any of them.
    pub fuel: u8,
    /// Operator names as the engine spells them.
    pub operators: &'static [&'static str],
}

/// Fuel for work whose size is known only when it runs, beside the operator's flat price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VariableRow {
    /// What is counted.
    pub unit: &'static str,
    /// Fuel for each unit.
    pub fuel: u8,
}

/// Prices of what the host does for a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostPrices {
    /// Flat price of a call to any import.
    pub call: u64,
    /// Bytes of arguments and results, of imports and exports, that one fuel pays for.
    pub bytes_per_fuel: u64,
    /// One multiply-add of the import `kernels`: what `f32x4.relaxed_madd` costs for each of its four lanes.
    pub multiply_add: u64,
}

/// A complete tariff.
#[derive(Debug, Clone, Copy)]
pub struct Tariff {
    /// Stands in every result; results under different tariffs are never ranked together.
    pub name: &'static str,
    /// Every operator that admission lets in.
    pub rows: &'static [Row],
    /// Bulk operators.
    pub variable: &'static [VariableRow],
    /// Imports and exports.
    pub host: HostPrices,
}

/// The price of an operator that no row names. Admission refuses components that hold one.
const UNNAMED: u8 = 255;

/// The tariff in force.
pub const TARIFF: Tariff = Tariff {
    name: "tariff-1",
    rows: ROWS,
    variable: VARIABLE,
    host: HostPrices { call: 256, bytes_per_fuel: BYTES_PER_FUEL, multiply_add: 32 },
};

impl Tariff {
    /// SHA-256 over the name and every price, in the order of the table.
    pub fn digest(&self) -> Digest {
        let mut hash = Sha256::new();
        let mut line = |text: String| hash.update(text.as_bytes());
        line(format!("{}\n", self.name));
        for row in self.rows {
            for operator in row.operators {
                line(format!("{operator} {}\n", row.fuel));
            }
        }
        for row in self.variable {
            line(format!("{} {}\n", row.unit, row.fuel));
        }
        line(format!("host call {}\nhost bytes per fuel {}\n", self.host.call, self.host.bytes_per_fuel));
        line(format!("host multiply-add {}\n", self.host.multiply_add));
        Digest::from_bytes(hash.finalize().into())
    }

    /// The price of an operator by its name; 255 if no row names it.
    // Inlined into the 600 calls of `operator_cost`, the search takes the compiler minutes.
    #[inline(never)]
    pub fn price(&self, operator: &str) -> u8 {
        self.rows.iter().find(|row| row.operators.contains(&operator)).map_or(UNNAMED, |row| row.fuel)
    }

    /// Fuel for a call to an import that moves `bytes`.
    pub fn host_call(&self, bytes: u64) -> u64 {
        self.host.call.saturating_add(self.transfer(bytes))
    }

    /// Fuel for multiply-adds of the import `kernels`, beside the call; saturates.
    pub fn multiply_adds(&self, multiply_adds: u64) -> u64 {
        self.host.multiply_add.saturating_mul(multiply_adds)
    }

    /// Fuel for `bytes` of arguments or results.
    pub fn transfer(&self, bytes: u64) -> u64 {
        bytes / self.host.bytes_per_fuel
    }

    /// The engine's form of this table.
    pub(crate) fn operator_cost(&self) -> OperatorCost {
        self.repriced(&|_, fuel| fuel)
    }

    /// As [`Self::operator_cost`], with every price put through `reprice`, which is given the operator's name and the price.
    pub(crate) fn repriced(&self, reprice: &dyn Fn(&str, u8) -> u8) -> OperatorCost {
        let mut cost = OperatorCost::new();
        let price = |operator: &str| reprice(operator, self.price(operator));
        let each = |operator: &str, unit: &str| reprice(operator, self.variable_price(unit));
        macro_rules! fill {
            ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
                $(cost.$op = price(stringify!($op));)*
            };
        }
        wasmparser::for_each_operator!(fill);
        cost.variable = VariableOperatorCost {
            memory_copy_per_byte: each("MemoryCopy", "memory.copy byte"),
            memory_fill_per_byte: each("MemoryFill", "memory.fill byte"),
            memory_init_per_byte: each("MemoryInit", "memory.init byte"),
            memory_grow_per_page: each("MemoryGrow", "memory.grow page"),
            table_copy_per_element: each("TableCopy", "table.copy element"),
            table_fill_per_element: each("TableFill", "table.fill element"),
            table_init_per_element: each("TableInit", "table.init element"),
            table_grow_per_element: each("TableGrow", "table.grow element"),
            array_copy_per_element: UNNAMED,
            array_fill_per_element: UNNAMED,
            array_new_data_per_element: UNNAMED,
            array_init_data_per_element: UNNAMED,
            array_new_elem_per_element: UNNAMED,
            array_init_elem_per_element: UNNAMED,
            array_new_default_per_element: UNNAMED,
            array_new_per_element: UNNAMED,
        };
        cost
    }

    fn variable_price(&self, unit: &str) -> u8 {
        self.variable.iter().find(|row| row.unit == unit).map_or(UNNAMED, |row| row.fuel)
    }
}

const VARIABLE: &[VariableRow] = &[
    VariableRow { unit: "memory.copy byte", fuel: 1 },
    VariableRow { unit: "memory.fill byte", fuel: 1 },
    VariableRow { unit: "memory.init byte", fuel: 1 },
    VariableRow { unit: "memory.grow page", fuel: 255 },
    VariableRow { unit: "table.copy element", fuel: 8 },
    VariableRow { unit: "table.fill element", fuel: 8 },
    VariableRow { unit: "table.init element", fuel: 8 },
    VariableRow { unit: "table.grow element", fuel: 8 },
];

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // Control. Branches and calls are never free, so every loop burns fuel.
    Row { group: "structure and stack traffic", fuel: 0, operators: &[
        "Nop", "Drop", "Block", "Loop", "Else", "End", "Return", "Unreachable", "LocalGet", "LocalSet", "LocalTee"] },
    Row { group: "constant", fuel: 1, operators: &["I32Const", "I64Const", "F32Const", "F64Const"] },
    Row { group: "128-bit constant", fuel: 8, operators: &["V128Const"] },
    Row { group: "branch, select, global", fuel: 2, operators: &[
        "Br", "BrIf", "BrTable", "If", "Select", "TypedSelect", "TypedSelectMulti", "GlobalGet", "GlobalSet"] },
    // The engine adds 1 at every function entry.
    Row { group: "call", fuel: 8, operators: &["Call", "CallIndirect"] },

    // Scalar integers and bits.
    Row { group: "i32 arithmetic, logic, compare; scalar sign bit; width change", fuel: 2, operators: &[
        "I32Add", "I32Sub", "I32And", "I32Or", "I32Xor", "I32Shl", "I32ShrS", "I32ShrU", "I32Rotl", "I32Rotr",
        "I32Clz", "I32Ctz", "I32Eqz", "I32Eq", "I32Ne", "I32LtS", "I32LtU", "I32GtS", "I32GtU", "I32LeS", "I32LeU", "I32GeS", "I32GeU",
        "I32Extend8S", "I32Extend16S", "I64Extend8S", "I64Extend16S", "I64Extend32S", "I64ExtendI32S", "I64ExtendI32U", "I32WrapI64",
        "I32ReinterpretF32", "I64ReinterpretF64", "F32ReinterpretI32", "F64ReinterpretI64",
        "F32Abs", "F32Neg", "F32Copysign", "F64Abs", "F64Neg", "F64Copysign"] },
    Row { group: "i64 arithmetic, logic, compare", fuel: 8, operators: &[
        "I64Add", "I64Sub", "I64And", "I64Or", "I64Xor", "I64Shl", "I64ShrS", "I64ShrU", "I64Rotl", "I64Rotr",
        "I64Clz", "I64Ctz", "I64Eqz", "I64Eq", "I64Ne", "I64LtS", "I64LtU", "I64GtS", "I64GtU", "I64LeS", "I64LeU", "I64GeS", "I64GeU"] },
    Row { group: "i32 population count", fuel: 8, operators: &["I32Popcnt"] },
    Row { group: "i64 population count", fuel: 16, operators: &["I64Popcnt"] },
    Row { group: "i32 multiply, divide, remainder", fuel: 16, operators: &["I32Mul", "I32DivS", "I32DivU", "I32RemS", "I32RemU"] },
    Row { group: "i64 multiply, divide, remainder", fuel: 32, operators: &["I64Mul", "I64DivS", "I64DivU", "I64RemS", "I64RemU"] },

    // Memory.
    Row { group: "scalar load, store", fuel: 4, operators: &[
        "I32Load", "I64Load", "F32Load", "F64Load", "I32Load8S", "I32Load8U", "I32Load16S", "I32Load16U",
        "I64Load8S", "I64Load8U", "I64Load16S", "I64Load16U", "I64Load32S", "I64Load32U",
        "I32Store", "I64Store", "F32Store", "F64Store", "I32Store8", "I32Store16", "I64Store8", "I64Store16", "I64Store32"] },
    Row { group: "128-bit load, store", fuel: 8, operators: &[
        "V128Load", "V128Store", "V128Load8x8S", "V128Load8x8U", "V128Load16x4S", "V128Load16x4U", "V128Load32x2S", "V128Load32x2U",
        "V128Load8Splat", "V128Load16Splat", "V128Load32Splat", "V128Load64Splat", "V128Load32Zero", "V128Load64Zero",
        "V128Load8Lane", "V128Load16Lane", "V128Load32Lane", "V128Load64Lane",
        "V128Store8Lane", "V128Store16Lane", "V128Store32Lane", "V128Store64Lane"] },
    Row { group: "bulk memory and tables", fuel: 16, operators: &[
        "MemoryCopy", "MemoryFill", "MemoryInit", "DataDrop", "MemorySize",
        "TableGet", "TableSet", "TableSize", "TableCopy", "TableFill", "TableInit", "ElemDrop", "RefNull", "RefIsNull", "RefFunc"] },
    Row { group: "growth", fuel: 255, operators: &["MemoryGrow", "TableGrow"] },

    // Scalar floats.
    Row { group: "f32 arithmetic, compare", fuel: 16, operators: &[
        "F32Add", "F32Sub", "F32Mul", "F32Div", "F32Sqrt", "F32Min", "F32Max", "F32Eq", "F32Ne", "F32Lt", "F32Gt", "F32Le", "F32Ge"] },
    Row { group: "f64 arithmetic, compare", fuel: 32, operators: &[
        "F64Add", "F64Sub", "F64Mul", "F64Div", "F64Sqrt", "F64Min", "F64Max", "F64Eq", "F64Ne", "F64Lt", "F64Gt", "F64Le", "F64Ge"] },
    Row { group: "scalar conversion, rounding", fuel: 16, operators: &[
        "I32TruncF32S", "I32TruncF32U", "I32TruncF64S", "I32TruncF64U", "I64TruncF32S", "I64TruncF32U", "I64TruncF64S", "I64TruncF64U",
        "I32TruncSatF32S", "I32TruncSatF32U", "I32TruncSatF64S", "I32TruncSatF64U",
        "I64TruncSatF32S", "I64TruncSatF32U", "I64TruncSatF64S", "I64TruncSatF64U",
        "F32ConvertI32S", "F32ConvertI32U", "F32ConvertI64S", "F32ConvertI64U",
        "F64ConvertI32S", "F64ConvertI32U", "F64ConvertI64S", "F64ConvertI64U", "F32DemoteF64", "F64PromoteF32",
        "F32Ceil", "F32Floor", "F32Trunc", "F32Nearest", "F64Ceil", "F64Floor", "F64Trunc", "F64Nearest"] },

    // 128-bit operators.
    Row { group: "lane access", fuel: 4, operators: &[
        "I8x16Splat", "I16x8Splat", "I32x4Splat", "I64x2Splat", "F32x4Splat", "F64x2Splat",
        "I8x16ExtractLaneS", "I8x16ExtractLaneU", "I16x8ExtractLaneS", "I16x8ExtractLaneU", "I32x4ExtractLane", "I64x2ExtractLane",
        "F32x4ExtractLane", "F64x2ExtractLane",
        "I8x16ReplaceLane", "I16x8ReplaceLane", "I32x4ReplaceLane", "I64x2ReplaceLane", "F32x4ReplaceLane", "F64x2ReplaceLane"] },
    Row { group: "128-bit logic, integer arithmetic, compare, shift, width change; float sign bits", fuel: 16, operators: &[
        "V128Not", "V128And", "V128AndNot", "V128Or", "V128Xor", "V128Bitselect", "V128AnyTrue",
        "I8x16RelaxedLaneselect", "I16x8RelaxedLaneselect", "I32x4RelaxedLaneselect", "I64x2RelaxedLaneselect",
        "I8x16Eq", "I8x16Ne", "I8x16LtS", "I8x16LtU", "I8x16GtS", "I8x16GtU", "I8x16LeS", "I8x16LeU", "I8x16GeS", "I8x16GeU",
        "I16x8Eq", "I16x8Ne", "I16x8LtS", "I16x8LtU", "I16x8GtS", "I16x8GtU", "I16x8LeS", "I16x8LeU", "I16x8GeS", "I16x8GeU",
        "I32x4Eq", "I32x4Ne", "I32x4LtS", "I32x4LtU", "I32x4GtS", "I32x4GtU", "I32x4LeS", "I32x4LeU", "I32x4GeS", "I32x4GeU",
        "I64x2Eq", "I64x2Ne", "I64x2LtS", "I64x2GtS", "I64x2LeS", "I64x2GeS",
        "I8x16Abs", "I8x16Neg", "I8x16AllTrue", "I8x16Bitmask", "I8x16NarrowI16x8S", "I8x16NarrowI16x8U",
        "I8x16Shl", "I8x16ShrS", "I8x16ShrU", "I8x16Add", "I8x16AddSatS", "I8x16AddSatU", "I8x16Sub", "I8x16SubSatS", "I8x16SubSatU",
        "I8x16MinS", "I8x16MinU", "I8x16MaxS", "I8x16MaxU", "I8x16AvgrU",
        "I16x8ExtAddPairwiseI8x16S", "I16x8ExtAddPairwiseI8x16U", "I16x8Abs", "I16x8Neg", "I16x8AllTrue", "I16x8Bitmask",
        "I16x8NarrowI32x4S", "I16x8NarrowI32x4U", "I16x8ExtendLowI8x16S", "I16x8ExtendHighI8x16S", "I16x8ExtendLowI8x16U", "I16x8ExtendHighI8x16U",
        "I16x8Shl", "I16x8ShrS", "I16x8ShrU", "I16x8Add", "I16x8AddSatS", "I16x8AddSatU", "I16x8Sub", "I16x8SubSatS", "I16x8SubSatU",
        "I16x8MinS", "I16x8MinU", "I16x8MaxS", "I16x8MaxU", "I16x8AvgrU",
        "I32x4ExtAddPairwiseI16x8S", "I32x4ExtAddPairwiseI16x8U", "I32x4Abs", "I32x4Neg", "I32x4AllTrue", "I32x4Bitmask",
        "I32x4ExtendLowI16x8S", "I32x4ExtendHighI16x8S", "I32x4ExtendLowI16x8U", "I32x4ExtendHighI16x8U",
        "I32x4Shl", "I32x4ShrS", "I32x4ShrU", "I32x4Add", "I32x4Sub", "I32x4MinS", "I32x4MinU", "I32x4MaxS", "I32x4MaxU",
        "I64x2Abs", "I64x2Neg", "I64x2AllTrue", "I64x2Bitmask",
        "I64x2ExtendLowI32x4S", "I64x2ExtendHighI32x4S", "I64x2ExtendLowI32x4U", "I64x2ExtendHighI32x4U",
        "I64x2Shl", "I64x2ShrS", "I64x2ShrU", "I64x2Add", "I64x2Sub",
        "F32x4Abs", "F32x4Neg", "F64x2Abs", "F64x2Neg"] },
    Row { group: "population count and permutation of bytes", fuel: 32, operators: &[
        "I8x16Popcnt", "I8x16Swizzle", "I8x16RelaxedSwizzle", "I8x16Shuffle"] },
    Row { group: "widening multiply i8 to i16", fuel: 24, operators: &[
        "I16x8ExtMulLowI8x16S", "I16x8ExtMulHighI8x16S", "I16x8ExtMulLowI8x16U", "I16x8ExtMulHighI8x16U"] },
    Row { group: "widening multiply i16 to i32", fuel: 24, operators: &[
        "I32x4ExtMulLowI16x8S", "I32x4ExtMulHighI16x8S", "I32x4ExtMulLowI16x8U", "I32x4ExtMulHighI16x8U"] },
    Row { group: "widening multiply i32 to i64", fuel: 32, operators: &[
        "I64x2ExtMulLowI32x4S", "I64x2ExtMulHighI32x4S", "I64x2ExtMulLowI32x4U", "I64x2ExtMulHighI32x4U"] },
    Row { group: "16-bit multiply, dot product of 16-bit or relaxed 8-bit lanes", fuel: 48, operators: &[
        "I16x8Mul", "I16x8Q15MulrSatS", "I16x8RelaxedQ15mulrS", "I32x4DotI16x8S", "I16x8RelaxedDotI8x16I7x16S"] },
    Row { group: "32-bit and 64-bit multiply, relaxed 8-bit dot product with addition", fuel: 64, operators: &[
        "I32x4Mul", "I64x2Mul", "I32x4RelaxedDotI8x16I7x16AddS"] },
    Row { group: "128-bit float arithmetic, compare, minimum, maximum", fuel: 64, operators: &[
        "F32x4Add", "F32x4Sub", "F32x4Mul", "F32x4Div", "F32x4Sqrt", "F32x4Min", "F32x4Max", "F32x4PMin", "F32x4PMax",
        "F32x4Eq", "F32x4Ne", "F32x4Lt", "F32x4Gt", "F32x4Le", "F32x4Ge", "F32x4RelaxedMin", "F32x4RelaxedMax",
        "F64x2Add", "F64x2Sub", "F64x2Mul", "F64x2Div", "F64x2Sqrt", "F64x2Min", "F64x2Max", "F64x2PMin", "F64x2PMax",
        "F64x2Eq", "F64x2Ne", "F64x2Lt", "F64x2Gt", "F64x2Le", "F64x2Ge", "F64x2RelaxedMin", "F64x2RelaxedMax"] },
    Row { group: "128-bit conversion, rounding", fuel: 64, operators: &[
        "F32x4Ceil", "F32x4Floor", "F32x4Trunc", "F32x4Nearest", "F64x2Ceil", "F64x2Floor", "F64x2Trunc", "F64x2Nearest",
        "I32x4TruncSatF32x4S", "I32x4TruncSatF32x4U", "F32x4ConvertI32x4S", "F32x4ConvertI32x4U",
        "I32x4TruncSatF64x2SZero", "I32x4TruncSatF64x2UZero", "F64x2ConvertLowI32x4S", "F64x2ConvertLowI32x4U",
        "F32x4DemoteF64x2Zero", "F64x2PromoteLowF32x4",
        "I32x4RelaxedTruncF32x4S", "I32x4RelaxedTruncF32x4U", "I32x4RelaxedTruncF64x2SZero", "I32x4RelaxedTruncF64x2UZero"] },
    Row { group: "fused multiply-add", fuel: 128, operators: &[
        "F32x4RelaxedMadd", "F32x4RelaxedNmadd", "F64x2RelaxedMadd", "F64x2RelaxedNmadd"] },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Proposals whose operators admission lets in.
    const ADMITTED: &[&str] =
        &["mvp", "sign_extension", "saturating_float_to_int", "bulk_memory", "reference_types", "simd", "relaxed_simd"];

    fn engine_operators() -> Vec<(&'static str, &'static str)> {
        macro_rules! list {
            ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
                vec![$((stringify!($proposal), stringify!($op))),*]
            };
        }
        wasmparser::for_each_operator!(list)
    }

    #[test]
    fn every_admitted_operator_is_named_once_and_no_other() {
        let mut named: BTreeMap<&str, u32> = BTreeMap::new();
        for operator in TARIFF.rows.iter().flat_map(|row| row.operators) {
            *named.entry(operator).or_default() += 1;
        }
        for (operator, times) in &named {
            assert_eq!(*times, 1, "{operator} is named {times} times");
        }
        for (proposal, operator) in engine_operators() {
            assert_eq!(
                named.remove(operator).is_some(),
                ADMITTED.contains(&proposal),
                "{operator} of {proposal}: admitted operators need a row, others must have none"
            );
        }
        assert_eq!(named, BTreeMap::new(), "rows name operators the engine does not know");
    }

    #[test]
    fn every_loop_burns_fuel() {
        for operator in ["Br", "BrIf", "BrTable", "Call", "CallIndirect"] {
            assert!(TARIFF.price(operator) > 0, "{operator}");
        }
    }

    #[test]
    fn operators_of_other_proposals_have_the_highest_price() {
        let cost = TARIFF.operator_cost();
        assert_eq!((cost.I32AtomicLoad, cost.ReturnCall, cost.StructNew), (255, 255, 255));
        assert_eq!((cost.F32Add, cost.F32x4RelaxedMadd, cost.LocalGet, cost.I8x16Swizzle), (16, 128, 0, 32));
    }

    #[test]
    fn the_digest_moves_with_any_price() {
        let cheaper = Tariff { host: HostPrices { call: 255, ..TARIFF.host }, ..TARIFF };
        let renamed = Tariff { name: "tariff-2", ..TARIFF };
        assert_ne!(TARIFF.digest(), cheaper.digest());
        assert_ne!(TARIFF.digest(), renamed.digest());
    }

    #[test]
    fn a_multiply_add_costs_the_same_wherever_it_runs() {
        assert_eq!(TARIFF.host.multiply_add * 4, u64::from(TARIFF.price("F32x4RelaxedMadd")));
        assert_eq!((TARIFF.multiply_adds(1), TARIFF.multiply_adds(u64::MAX)), (32, u64::MAX));
    }

    #[test]
    fn host_calls_cost_256_and_1_for_each_16_bytes() {
        assert_eq!((TARIFF.host_call(0), TARIFF.host_call(15), TARIFF.host_call(16)), (256, 256, 257));
        assert_eq!(TARIFF.host_call(u64::MAX), 256 + u64::MAX / 16);
    }
}
