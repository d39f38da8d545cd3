//! Every limit of [`StaticLimits::OFFICIAL`]: a component at the limit is admitted, one above it is refused with the
//! rule, the limit and the value.

use std::fmt::Write as _;

use thimble_admission::{Limit, Refusal, StaticLimits};

use crate::components::{appended, custom_section, guest, inspect, plain, used};

/// `build(n)` makes a component that uses exactly `n` of the limit.
fn pair(limit: Limit, build: impl Fn(u64) -> Vec<u8>) {
    let maximum = StaticLimits::OFFICIAL.get(limit);
    let at_limit = inspect(&build(maximum)).unwrap_or_else(|refusal| panic_at(limit, &refusal));
    assert_eq!(used(&at_limit, limit), maximum, "{limit:?}");
    match inspect(&build(maximum + 1)) {
        Err(Refusal::OverLimit { limit: found, maximum: shown, value, .. }) => {
            assert_eq!((found, shown, value), (limit, maximum, maximum + 1));
        }
        other => assert_eq!(format!("{other:?}"), limit.rule(), "one over the limit"),
    }
}

#[expect(clippy::panic, reason = "the end of a failed test")]
fn panic_at(limit: Limit, refusal: &Refusal) -> ! {
    panic!("{limit:?} at its limit is refused: {refusal}")
}

/// How much of a limit the plain submission uses.
fn base(limit: Limit) -> u64 {
    used(&inspect(plain()).unwrap(), limit)
}

/// `build(extra)` adds `extra` to what the plain submission uses.
fn pair_above_base(limit: Limit, build: impl Fn(u64) -> Vec<u8>) {
    pair(limit, |n| build(n - base(limit)));
}

fn times(n: u64, text: &str) -> String {
    text.repeat(usize::try_from(n).unwrap())
}

fn numbered(n: u64, line: impl Fn(u64) -> String) -> String {
    (0..n).map(line).collect()
}

/// Fields that pass `n` imports to a glue module.
fn glue_with_imports(n: u64) -> String {
    let mut module = String::from("(core module $glue ");
    let mut arguments = String::from("(alias core export $main \"probe\" (core func $p)) (core instance $args ");
    for i in 0..n {
        write!(module, "(import \"\" \"{i}\" (func))").unwrap();
        write!(arguments, "(export \"{i}\" (func $p))").unwrap();
    }
    format!("{module}) {arguments}) (core instance (instantiate $glue (with \"\" (instance $args))))")
}

#[test]
fn component_bytes() {
    pair(Limit::ComponentBytes, |n| {
        let n = usize::try_from(n).unwrap();
        let padded = |bytes: usize| guest(&format!("(data \"{}\")", "a".repeat(bytes)));
        // Lengths near 4 MiB are all encoded in four bytes, so one correction is exact.
        let guess = n - 10_000;
        let rest = n - padded(guess).len();
        padded(guess + rest)
    });
}

#[test]
fn custom_bytes() {
    pair_above_base(Limit::CustomBytes, |n| [plain(), &custom_section(usize::try_from(n).unwrap())].concat());
}

#[test]
fn core_modules() {
    pair_above_base(Limit::CoreModules, |n| {
        appended(&numbered(n, |i| format!("(core module $g{i}) (core instance (instantiate $g{i}))")))
    });
}

#[test]
fn nested_components() {
    pair_above_base(Limit::NestedComponents, |n| appended(&times(n, "(component)")));
}

#[test]
fn functions() {
    pair_above_base(Limit::Functions, |n| guest(&times(n, "(func)")));
}

#[test]
fn imports() {
    pair_above_base(Limit::Imports, |n| appended(&glue_with_imports(n)));
}

#[test]
fn exports() {
    pair_above_base(Limit::Exports, |n| guest(&numbered(n, |i| format!("(export \"e{i}\" (func $probe))"))));
}

#[test]
fn name_bytes() {
    pair_above_base(Limit::NameBytes, |n| {
        let half = usize::try_from(n / 2).unwrap();
        let rest = usize::try_from(n).unwrap() - half;
        let (a, b) = ("a".repeat(half), "b".repeat(rest));
        guest(&format!("(export \"{a}\" (func $probe)) (export \"{b}\" (func $probe))"))
    });
}

#[test]
fn core_types() {
    pair_above_base(Limit::CoreTypes, |n| guest(&times(n, "(type (func (param f64 f64)))")));
}

#[test]
fn type_params() {
    pair(Limit::TypeParams, |n| guest(&format!("(type (func (param {})))", times(n, "i32 "))));
}

#[test]
fn type_results() {
    pair(Limit::TypeResults, |n| guest(&format!("(type (func (result {})))", times(n, "i32 "))));
}

#[test]
fn component_types() {
    pair_above_base(Limit::ComponentTypes, |n| appended(&times(n, "(type (list u8))")));
}

#[test]
fn type_nesting() {
    pair(Limit::TypeNesting, |n| appended(&format!("{}{}", times(n, "(type (instance "), times(n, "))"))));
}

#[test]
fn component_items() {
    let alias = "(alias export $thimble:solution/tensors@0.1.0 \"tensor\" (type))";
    pair_above_base(Limit::ComponentItems, |n| appended(&times(n, alias)));
}

#[test]
fn memories() {
    pair_above_base(Limit::Memories, |n| {
        appended(&numbered(n, |i| format!("(core module $m{i} (memory 1)) (core instance (instantiate $m{i}))")))
    });
}

#[test]
fn tables() {
    pair_above_base(Limit::Tables, |n| guest(&times(n, "(table 0 funcref)")));
}

#[test]
fn table_elements() {
    pair_above_base(Limit::TableElements, |n| guest(&format!("(table {n} funcref)")));
}

#[test]
fn globals() {
    pair_above_base(Limit::Globals, |n| guest(&times(n, "(global i32 (i32.const 0))")));
}

#[test]
fn data_segments() {
    pair_above_base(Limit::DataSegments, |n| guest(&times(n, "(data \"\")")));
}

#[test]
fn element_segments() {
    pair_above_base(Limit::ElementSegments, |n| guest(&times(n, "(elem func)")));
}

#[test]
fn elements() {
    pair_above_base(Limit::Elements, |n| guest(&format!("(elem func {})", times(n, "$probe "))));
}

#[test]
fn function_locals_count_parameters() {
    pair(Limit::FunctionLocals, |n| guest(&format!("(func (param i32 i64) (local {}))", times(n - 2, "f32 "))));
}

#[test]
fn function_bytes() {
    // The body is a count of locals, the operators, and `end`.
    pair(Limit::FunctionBytes, |n| guest(&format!("(func {})", times(n - 2, "nop "))));
}

#[test]
fn function_nesting() {
    pair(Limit::FunctionNesting, |n| guest(&format!("(func {}{})", times(n, "block "), times(n, "end "))));
}

#[test]
fn function_complexity() {
    // 1,000 blocks × 1,000 locals, and one more for each value that a block carries.
    pair(Limit::FunctionComplexity, |n| {
        let carried = n - 1_000_000;
        let blocks = times(1_000 - carried, "block end ");
        let carrying = times(carried, "block (result i32) i32.const 0 end drop ");
        guest(&format!("(func (local {}) {blocks}{carrying})", times(1_000, "i32 ")))
    });
}

/// A function whose one `br_table` has `n` targets, the default one included.
fn br_table(n: u64) -> String {
    format!("(func i32.const 0 br_table {})", times(n, "0 "))
}

#[test]
fn br_table_targets() {
    pair(Limit::BrTableTargets, |n| guest(&br_table(n)));
}

#[test]
fn br_table_targets_total() {
    pair(Limit::BrTableTargetsTotal, |n| {
        let each = StaticLimits::OFFICIAL.br_table_targets;
        let rest = n % each;
        let last = if rest > 0 { br_table(rest) } else { String::new() };
        guest(&format!("{}{last}", times(n / each, &br_table(each))))
    });
}
