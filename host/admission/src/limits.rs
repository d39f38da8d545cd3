//! The numeric limits: one table, one value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! limits {
    ($(
        $(#[$doc:meta])*
        $variant:ident $field:ident = $official:expr, $rule:literal, $unit:literal, $remedy:literal;
    )*) => {
        /// The largest value of each thing that admission counts. All limits are inclusive.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct StaticLimits {
            $($(#[$doc])* pub $field: u64,)*
        }

        impl StaticLimits {
            /// The limits of official runs.
            pub const OFFICIAL: Self = Self { $($field: $official,)* };

            /// The value of one limit.
            pub const fn get(&self, limit: Limit) -> u64 {
                match limit { $(Limit::$variant => self.$field,)* }
            }
        }

        /// Names one of the [`StaticLimits`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Limit {
            $($(#[$doc])* $variant,)*
        }

        impl Limit {
            /// Every limit, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable identifier that stands in results and documentation.
            pub const fn rule(self) -> &'static str {
                match self { $(Self::$variant => $rule,)* }
            }

            /// What is counted, to follow a number: "2001 locals".
            pub const fn unit(self) -> &'static str {
                match self { $(Self::$variant => $unit,)* }
            }

            /// What a builder does about it.
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy,)* }
            }
        }
    };
}

limits! {
    // ---- the whole component -------------------------------------------------------------------------------------
    /// Bytes of the component.
    ComponentBytes component_bytes = 4 << 20, "component_bytes", "bytes",
        "build with `--release`, `lto = true`, `strip = true` and drop dependencies you do not need";
    /// Bytes of all custom sections (names, debug information), headers included.
    CustomBytes custom_bytes = 1 << 20, "custom_bytes", "bytes in custom sections",
        "set `strip = true` and `debug = false` in the release profile";
    /// Core modules. wit-component makes at most four: the guest, a shim, a fixup and a start shim.
    CoreModules core_modules = 4, "core_modules", "core modules",
        "build one crate for wasm32-wasip2 and do not link or compose components";
    /// Components inside the component. wit-component makes one for each exported interface.
    NestedComponents nested_components = 4, "nested_components", "nested components",
        "build one crate for wasm32-wasip2 and do not link or compose components";
    /// Functions defined in all core modules.
    Functions functions = 10_000, "functions", "functions",
        "set `lto = true` and `opt-level = \"s\"`, and drop dependencies you do not need";
    /// Functions, tables, memories, globals and interfaces imported, core and component level together.
    Imports imports = 1_000, "imports", "imports", "import less: a Rust guest has about a hundred";
    /// Items exported, core and component level together.
    Exports exports = 1_000, "exports", "exports", "remove `#[unsafe(no_mangle)]` and `#[unsafe(export_name)]` items";
    /// Bytes of all names in imports, exports, aliases and instantiations.
    NameBytes name_bytes = 128 << 10, "name_bytes", "bytes of import, export and alias names",
        "remove `#[unsafe(no_mangle)]` items with long names";
    /// Types of all core modules.
    CoreTypes core_types = 2_000, "core_types", "core types", "drop dependencies you do not need";
    /// Parameters of a core function or block type.
    TypeParams type_params = 32, "type_params", "parameters", "pass a struct by reference instead";
    /// Results of a core function or block type. rustc emits at most one.
    TypeResults type_results = 4, "type_results", "results", "return a struct through a pointer instead";
    /// Types of all components, those declared inside instance types included.
    ComponentTypes component_types = 5_000, "component_types", "component types",
        "build against the contract's WIT world only";
    /// Depth of types declared inside types.
    TypeNesting type_nesting = 4, "type_nesting", "levels of types inside types",
        "build against the contract's WIT world only";
    /// Aliases, canonical functions, instances and their arguments at component level.
    ComponentItems component_items = 5_000, "component_items", "aliases, canonical functions and instances",
        "build against the contract's WIT world only";

    // ---- all functions together -----------------------------------------------------------------------------------
    /// Bytes of all function bodies: the compiler takes up to 4 s for a megabyte of the dearest. The rest of a component
    /// may be data.
    CodeBytes code_bytes = 2 << 20, "code_bytes", "bytes of code in all functions",
        "set `lto = true` and `opt-level = \"s\"`, drop dependencies you do not need, and move tables into `static` data";
    /// `call`s in all functions: each took the compiler 13 µs.
    Calls calls = 262_144, "calls", "calls in all functions",
        "set `lto = true` and `opt-level = \"s\"`, and drop dependencies you do not need";
    /// [`function_control`](Self::function_control) summed over all functions.
    ControlTotal control_total = 131_072, "control_total", "control operators in all functions",
        "set `lto = true` and `opt-level = \"s\"`, and drop dependencies you do not need";
    /// [`function_complexity`](Self::function_complexity) summed over all functions, with a sixty-fourth of the square
    /// of each one's control operators.
    ComplexityTotal complexity_total = 1_000_000, "complexity_total", "locals × control operators in all functions",
        "split the largest functions, or mark what is inlined into them `#[inline(never)]`";

    // ---- memory and tables ---------------------------------------------------------------------------------------
    /// Linear memories.
    Memories memories = 1, "memories", "memories", "use one linear memory";
    /// Tables defined in all core modules.
    Tables tables = 4, "tables", "tables", "use one table of functions";
    /// Largest numbers of elements that the tables state: what they may grow to.
    TableElements table_elements = 100_000, "table_elements", "table elements",
        "use fewer functions whose address is taken";
    /// Globals defined in all core modules.
    Globals globals = 1_000, "globals", "globals", "keep values in memory, not in globals";
    /// Data segments of all core modules.
    DataSegments data_segments = 1_000, "data_segments", "data segments", "merge constant data";
    /// Element segments of all core modules.
    ElementSegments element_segments = 1_000, "element_segments", "element segments", "merge element segments";
    /// Items of all element segments.
    Elements elements = 100_000, "elements", "elements in element segments",
        "use fewer functions whose address is taken";

    // ---- one function --------------------------------------------------------------------------------------------
    /// Locals of one function, parameters included: the compiler treats both alike.
    FunctionLocals function_locals = 2_000, "function_locals", "locals",
        "split the function, or mark what is inlined into it `#[inline(never)]`";
    /// Bytes of one function's body.
    FunctionBytes function_bytes = 128 << 10, "function_bytes", "bytes of code",
        "split the function, or mark what is inlined into it `#[inline(never)]`; move tables into `static` data";
    /// Depth of nested blocks, loops and ifs in one function. The compiler's time is quadratic in the depth of loops.
    FunctionNesting function_nesting = 256, "function_nesting", "levels of nesting", "split the function";
    /// Operators of one function at which a basic block ends: block, loop, if, else, br, br_if, br_table, return,
    /// call_indirect, and those on tables and on memory as a whole. The compiler's time and memory are quadratic in them:
    /// 40,000 empty loops took more than 30 s, 26,000 indirect calls 20 s, 13,000 memory fills 2 s; 4,096 of any less
    /// than a second.
    FunctionControl function_control = 4_096, "function_control", "control operators", "split the function";
    /// Parameters of all blocks, loops and ifs of one function; no compiler emits any. Memory is quadratic in them:
    /// 4,096 loops of 4 took 1.3 GiB.
    BlockParams block_params = 1_024, "block_params", "parameters of blocks", "keep values in locals between blocks";
    /// Locals × control operators of one function: what the compiler's SSA construction costs. Each block, loop, if,
    /// else, br, br_if, return and br_table target adds the function's locals and the values it carries. Where branches
    /// leave 255 blocks with other values of all locals, the compiler's time is 0.2 µs × this × locals.
    FunctionComplexity function_complexity = 200_000, "function_complexity", "locals × control operators",
        "split the function, or mark what is inlined into it `#[inline(never)]`";
    /// Targets of all `br_table` operators of one function.
    BrTableTargets br_table_targets = 8_192, "br_table_targets", "br_table targets",
        "replace the largest `match` by a table in memory";
    /// Targets of all `br_table` operators of the component.
    BrTableTargetsTotal br_table_targets_total = 65_536, "br_table_targets_total", "br_table targets",
        "replace the largest `match`es by tables in memory";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_limit_has_its_own_rule() {
        let rules: BTreeSet<_> = Limit::ALL.iter().map(|limit| limit.rule()).collect();
        assert_eq!(rules.len(), Limit::ALL.len());
        for limit in Limit::ALL {
            assert!(!limit.remedy().is_empty() && !limit.unit().is_empty());
            assert!(StaticLimits::OFFICIAL.get(*limit) > 0);
        }
    }
}
