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

/// A function whose one `br_table` has `n` targets, the default one included.
fn br_table(n: u64) -> String {
    format!("(func i32.const 0 br_table {})", times(n, "0 "))
}

/// `n` times `text` in functions of at most `each`.
fn split(n: u64, each: u64, text: &str) -> String {
    format!("{}(func {})", times(n / each, &format!("(func {})", times(each, text))), times(n % each, text))
}

/// A test for each limit, and the list of those that have one.
macro_rules! pairs {
    ($($limit:ident $name:ident $pair:ident($build:expr);)*) => {
        $(#[test] fn $name() { $pair(Limit::$limit, $build); })*

        const PAIRED: &[Limit] = &[$(Limit::$limit),*];
    };
}

#[test]
fn every_limit_has_a_pair() {
    let missing: Vec<_> = Limit::ALL.iter().filter(|limit| !PAIRED.contains(limit)).collect();
    assert!(missing.is_empty(), "no pair of tests for {missing:?}");
}

pairs! {
    ComponentBytes component_bytes pair(|n| {
        let n = usize::try_from(n).unwrap();
        let padded = |bytes: usize| guest(&format!("(data \"{}\")", "a".repeat(bytes)));
        // Lengths near 4 MiB are all encoded in four bytes, so one correction is exact.
        let guess = n - 10_000;
        let rest = n - padded(guess).len();
        padded(guess + rest)
    });

    CustomBytes custom_bytes pair_above_base(|n| [plain(), &custom_section(usize::try_from(n).unwrap())].concat());

    CoreModules core_modules pair_above_base(|n| {
        appended(&numbered(n, |i| format!("(core module $g{i}) (core instance (instantiate $g{i}))")))
    });

    NestedComponents nested_components pair_above_base(|n| appended(&times(n, "(component)")));

    Functions functions pair_above_base(|n| guest(&times(n, "(func)")));

    Imports imports pair_above_base(|n| appended(&glue_with_imports(n)));

    Exports exports pair_above_base(|n| guest(&numbered(n, |i| format!("(export \"e{i}\" (func $probe))"))));

    NameBytes name_bytes pair_above_base(|n| {
        let half = usize::try_from(n / 2).unwrap();
        let rest = usize::try_from(n).unwrap() - half;
        let (a, b) = ("a".repeat(half), "b".repeat(rest));
        guest(&format!("(export \"{a}\" (func $probe)) (export \"{b}\" (func $probe))"))
    });

    CoreTypes core_types pair_above_base(|n| guest(&times(n, "(type (func (param f64 f64)))")));

    TypeParams type_params pair(|n| guest(&format!("(type (func (param {})))", times(n, "i32 "))));

    TypeResults type_results pair(|n| guest(&format!("(type (func (result {})))", times(n, "i32 "))));

    ComponentTypes component_types pair_above_base(|n| appended(&times(n, "(type (list u8))")));

    TypeNesting type_nesting pair(|n| appended(&format!("{}{}", times(n, "(type (instance "), times(n, "))"))));

    ComponentItems component_items pair_above_base(|n| {
        appended(&times(n, "(alias export $thimble:solution/tensors@0.1.0 \"tensor\" (type))"))
    });

    Memories memories pair_above_base(|n| {
        appended(&numbered(n, |i| format!("(core module $m{i} (memory 1)) (core instance (instantiate $m{i}))")))
    });

    Tables tables pair_above_base(|n| guest(&times(n, "(table 0 0 funcref)")));

    TableElements table_elements pair_above_base(|n| guest(&format!("(table 0 {n} funcref)")));

    Globals globals pair_above_base(|n| guest(&times(n, "(global i32 (i32.const 0))")));

    DataSegments data_segments pair_above_base(|n| guest(&times(n, "(data \"\")")));

    ElementSegments element_segments pair_above_base(|n| guest(&times(n, "(elem func)")));

    Elements elements pair_above_base(|n| guest(&format!("(elem func {})", times(n, "$probe "))));

    FunctionLocals function_locals_count_parameters pair(|n| {
        guest(&format!("(func (param i32 i64) (local {}))", times(n - 2, "f32 ")))
    });

    // The body is a count of locals, the operators, and `end`.
    FunctionBytes function_bytes pair(|n| guest(&format!("(func {})", times(n - 2, "nop "))));

    FunctionNesting function_nesting pair(|n| {
        guest(&format!("(func {}{})", times(n, "block "), times(n, "end ")))
    });

    FunctionControl function_control pair(|n| guest(&format!("(func {})", times(n, "block end "))));

    BlockParams block_params pair(|n| {
        guest(&format!("(func (param i32) {})", times(n, "local.get 0 block (param i32) drop end ")))
    });

    // 200 blocks × 1,000 locals, and one more for each value that a block carries.
    FunctionComplexity function_complexity pair(|n| {
        let carried = n - 200_000;
        let blocks = times(200 - carried, "block end ");
        let carrying = times(carried, "block (result i32) i32.const 0 end drop ");
        guest(&format!("(func (local {}) {blocks}{carrying})", times(1_000, "i32 ")))
    });

    BrTableTargets br_table_targets pair(|n| guest(&br_table(n)));

    BrTableTargetsTotal br_table_targets_total pair(|n| {
        let each = StaticLimits::OFFICIAL.br_table_targets;
        let rest = n % each;
        let last = if rest > 0 { br_table(rest) } else { String::new() };
        guest(&format!("{}{last}", times(n / each, &br_table(each))))
    });

    CodeBytes code_bytes pair_above_base(|n| {
        let each = StaticLimits::OFFICIAL.function_bytes;
        let body = |bytes: u64| format!("(func {})", times(bytes - 2, "nop "));
        guest(&format!("{}{}", times(n / each, &body(each)), body(n % each)))
    });

    Calls calls pair_above_base(|n| guest(&split(n, 60_000, "call $probe ")));

    ControlTotal control_total pair_above_base(|n| guest(&split(n, 128, "block end ")));

    ComplexityTotal complexity_total pair_above_base(|n| {
        // Seven blocks are too few for their square to count.
        let function = |locals: u64, blocks: u64| {
            format!("(func (local {}) {})", times(locals, "i32 "), times(blocks, "block end "))
        };
        let each = 2_000 * 7;
        let rest = n % each;
        let whole = times(n / each, &function(2_000, 7));
        guest(&format!("{whole}{}{}", function(rest / 7, 7), function(rest % 7, 1)))
    });
}
