//! Guests that ask for more of the world than there is, or are no submission at all.

use std::fmt::Write as _;

use thimble_challenge::Verdict::{self, Deadline, OutOfFuel, PlatformFault, Rejected, Trap};
use thimble_challenge::result::Phase;
use thimble_challenge::units::{Flops, MAX_FUEL};
use thimble_tests::case::{Case, case};
use thimble_tests::component::{CONTRACT, component, encode};
use thimble_tests::evaluation::evaluate_compiled_by;
use thimble_tests::guests::guest;
use thimble_tests::hostile;
use thimble_tests::template::{Solution, solve};

/// What the guest `std-user` does, chosen by the challenge's seed.
mod std_user {
    pub(super) const LOOKS_AROUND: u64 = 3;
    pub(super) const SLEEPS: u64 = 4;
    pub(super) const PANICS: u64 = 5;
    pub(super) const EXITS: u64 = 6;
    pub(super) const RECURSES: u64 = 7;
    pub(super) const WAITS_FOR_THE_CLOCK: u64 = 8;
}

fn std_user(behaviour: u64) -> Case {
    case(guest("std-user")).with(|challenge| challenge.seed = behaviour)
}

/// Refused by admission, before anything is compiled.
fn inadmissible(guest: Vec<u8>, rule: &'static str) -> Case {
    case(guest).ends(Rejected, Phase::Admit, rule).within(3.0).and(|comparable| {
        let compute = &comparable.compute;
        assert_eq!((compute.training_fuel, compute.training_fuel_charged.0), (None, 0), "nothing ran");
    })
}

/// A valid submission but for `fields`, which use a feature that is off.
fn feature(fields: &str) -> Case {
    inadmissible(Solution::default().with_fields(fields).component(), "feature")
}

fn bomb(fields: &str, rule: &'static str) -> Case {
    inadmissible(Solution::default().with_fields(fields).component(), rule)
}

fn locals(count: usize) -> String {
    format!("(local {})", "i64 ".repeat(count))
}

/// A valid submission as text.
fn printed() -> String {
    wasmprinter::print_bytes(Solution::default().component()).expect("an encoded component prints")
}

/// A valid submission with further component sections at its end.
fn with_sections(text: &str) -> Vec<u8> {
    let printed = printed();
    let body = printed.trim_end().strip_suffix(')').expect("a component is one expression");
    wat::parse_str(format!("{body}\n{text})")).expect("the component's text is right")
}

/// A valid submission but for the type of its memory.
fn with_memory(memory: &str) -> Vec<u8> {
    let printed = printed();
    assert!(printed.contains("(memory (;0;) 2)"), "{printed}");
    wat::parse_str(printed.replacen("(memory (;0;) 2)", &format!("(memory {memory})"), 1)).expect("the text is right")
}

/// Two components, of which one passes a string to the other.
const PASSES_STRINGS: &str = r#"
  (component $receiver
    (core module $m
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
      (func (export "take") (param i32 i32)))
    (core instance $i (instantiate $m))
    (func (export "take") (param "text" string)
      (canon lift (core func $i "take") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
  (component $sender
    (import "take" (func $take (param "text" string)))
    (core module $memory (memory (export "memory") 1))
    (core instance $mem (instantiate $memory))
    (core func $lowered (canon lower (func $take) (memory (core memory $mem "memory"))))
    (core module $m
      (import "" "take" (func $take (param i32 i32)))
      (func (export "run") (call $take (i32.const 0) (i32.const 65000))))
    (core instance $i (instantiate $m (with "" (instance (export "take" (func $lowered))))))
    (func (export "run") (canon lift (core func $i "run"))))
  (instance $r (instantiate $receiver))
  (instance $s (instantiate $sender (with "take" (func $r "take"))))"#;

/// A second core module with code.
const SECOND_MODULE: &str = r#"
  (core module $second (func (export "f") (result i32)
    (i32.add (i32.const 1) (i32.const 2))))
  (core instance (instantiate $second))"#;

fn random_bytes(count: u64) -> Vec<u8> {
    solve(&format!("(call $random (i64.const {count}) (i32.const 192)) (call $return_f32 (i32.const 8))"))
        .component_with(
            r#"(import "wasi:random/random@0.2.6" "get-random-bytes" (func $random (param i64 i32)))"#,
            "import wasi:random/random@0.2.6;",
            "package wasi:random@0.2.6 { interface random { get-random-bytes: func(len: u64) -> list<u8>; } }",
        )
}

/// Nothing but a call to a clock that stands still.
fn reads_the_clock_forever() -> Vec<u8> {
    solve("(loop $forever (drop (call $now)) (br $forever)) (unreachable)").component_with(
        r#"(import "wasi:clocks/monotonic-clock@0.2.6" "now" (func $now (result i64)))"#,
        "import wasi:clocks/monotonic-clock@0.2.6;",
        "package wasi:clocks@0.2.6 { interface monotonic-clock { now: func() -> u64; } }",
    )
}

/// A contract that does not exist, with the same functions.
fn of_another_version() -> Vec<u8> {
    let module = wat::parse_str(Solution::default().wat().replace("@0.1.0", "@0.2.0")).expect("the text is right");
    encode(module, &CONTRACT.replace("@0.1.0", "@0.2.0")).expect("the guest encodes")
}

fn imports_the_network() -> Vec<u8> {
    solve("(call $connect) (call $return_f32 (i32.const 8))").component_with(
        r#"(import "evil:net/socket@1.0.0" "connect" (func $connect))"#,
        "import evil:net/socket@1.0.0;",
        "package evil:net@1.0.0 { interface socket { connect: func(); } }",
    )
}

/// `count` functions of the kind that costs Cranelift's register allocator most among those that the static limits let in,
/// some 2 s each: branches out of 255 blocks, each after another of 100 locals has changed.
pub(crate) fn dear_functions(count: usize) -> Vec<u8> {
    let mut body = locals(100);
    body.push_str(&"(block ".repeat(255));
    for i in 0..700 {
        let (set, read, depth) = (i * 7 % 100, i % 100, i % 255);
        let _ = write!(
            body,
            "(local.set {set} (i64.load (i32.const {}))) (br_if {depth} (i64.eqz (local.get {read})))",
            i * 8
        );
    }
    body.push_str(&")".repeat(255));
    for i in 0..100 {
        let _ = write!(body, "(i64.store (i32.const 0) (local.get {i}))");
    }
    Solution::default().with_fields(&format!("(func {body})").repeat(count)).component()
}

hostile! {
    asks_for_sockets_is_rejected => inadmissible(guest("socket-opener"), "import").says(&["wasi:sockets"]);
    imports_outside_the_list_are_rejected => inadmissible(imports_the_network(), "import").says(&["evil:net"]);
    another_version_of_the_contract_is_rejected => inadmissible(of_another_version(), "contract_version").says(&["0.2.0", "0.1.0"]);
    no_component_at_all_is_rejected => inadmissible(b"\x7fELF, not WebAssembly".to_vec(), "package_format");
    a_core_module_is_rejected => inadmissible(wat::parse_str("(module)").expect("text"), "not_a_component");
    a_component_without_exports_is_rejected => inadmissible(wat::parse_str("(component)").expect("text"), "export");
    /// Nothing is there: no file, no variable, no argument, no input, no thread, no time that passes.
    asks_for_files_and_sees_nothing => case(guest("file-reader"));
    asks_for_the_environment_and_sees_nothing => std_user(std_user::LOOKS_AROUND);
    sleeping_for_an_hour_returns_at_once => std_user(std_user::SLEEPS).within(3.0);
    panic_traps => std_user(std_user::PANICS).ends(Trap, Phase::Learn, "trap").charged_in_full();
    exit_traps => std_user(std_user::EXITS).ends(Trap, Phase::Learn, "import_misuse").charged_in_full();
    /// Rust keeps its own stack in linear memory; running out of it is an access outside memory on every machine.
    recursion_in_rust_traps => std_user(std_user::RECURSES).ends(Trap, Phase::Learn, "trap").charged_in_full();
    waiting_for_the_clock_to_move_runs_out_of_fuel =>
        std_user(std_user::WAITS_FOR_THE_CLOCK).ends(OutOfFuel, Phase::Learn, "fuel").charged_in_full();
    reading_a_clock_for_ever_meets_the_deadline =>
        case(reads_the_clock_forever())
            .with(|challenge| {
                challenge.limits.training_flops = Flops(MAX_FUEL.0 / 16);
                challenge.limits.wall_seconds = 1;
            })
            .ends(Deadline, Phase::Learn, "wall_seconds")
            .within(3.0);
    random_bytes_at_the_limit_ok => case(random_bytes(64 << 10));
    random_bytes_one_over_the_limit_err =>
        case(random_bytes((64 << 10) + 1)).ends(Trap, Phase::Learn, "import_misuse").says(&["65536", "65537"]);
    random_bytes_without_end_err => case(random_bytes(u64::MAX >> 1)).ends(Trap, Phase::Learn, "import_misuse");

    threads_are_rejected => feature("(func (drop (i32.atomic.load (i32.const 0))))");
    shared_memory_is_rejected => inadmissible(with_memory("2 2 shared"), "feature");
    memory64_is_rejected => inadmissible(with_memory("i64 2"), "feature");
    second_memory_is_rejected => bomb("(memory 1)", "memories");
    garbage_collection_is_rejected => feature("(type $pair (struct (field i32))) (func (drop (struct.new $pair (i32.const 1))))");
    tail_calls_are_rejected => feature("(func $again (return_call $again))");
    exceptions_are_rejected => feature("(tag $e) (func (throw $e))");
    typed_function_references_are_rejected =>
        feature("(type $f (func)) (func (param (ref null $f)) (call_ref $f (local.get 0)))");
    wide_arithmetic_is_rejected =>
        feature("(func (result i64 i64) (i64.add128 (i64.const 1) (i64.const 1) (i64.const 1) (i64.const 1)))");
    constant_expressions_are_allowed =>
        case(Solution::default().with_fields("(global i32 (i32.add (i32.const 1) (i32.const 2)))").component());

    components_that_pass_strings_to_each_other_are_rejected =>
        inadmissible(with_sections(PASSES_STRINGS), "nested_component");
    a_second_module_with_code_is_rejected => inadmissible(with_sections(SECOND_MODULE), "one_code_module");

    /// 268 KB that make Cranelift ask for 26 GB.
    many_locals_times_branches_are_rejected =>
        bomb(&format!("(func {} {})", locals(50_000), "(if (i32.const 1) (then))".repeat(22_000)), "function_locals");
    many_loops_times_locals_are_rejected =>
        bomb(&format!("(func {} {})", locals(500), "(loop)".repeat(22_000)), "function_complexity");
    deep_nesting_is_rejected =>
        bomb(&format!("(func {} {})", "(block ".repeat(20_000), ")".repeat(20_000)), "function_nesting");
    tens_of_thousands_of_empty_functions_are_rejected => bomb(&"(func)".repeat(52_000), "functions");
    a_function_of_half_a_mebibyte_is_rejected => bomb(&format!("(func {})", "nop ".repeat(512 << 10)), "function_bytes");
    a_component_of_more_than_4_mebibytes_is_rejected =>
        inadmissible(Solution::default().with_data(vec![1; 4 << 20]).component(), "component_bytes");
    the_dearest_functions_that_are_let_in_compile_in_bounded_time =>
        case(dear_functions(1)).with(|challenge| challenge.limits.parameters.0 = 10_000_000).within(10.0);
}

#[test]
fn the_untouched_template_is_a_submission() {
    case(component(&Solution::default().wat()).expect("the template encodes")).check();
}

/// How the compile child ended, with the script standing in for it.
fn compiled_by(script: &str) -> (Verdict, String) {
    let evaluation = evaluate_compiled_by(&["/bin/sh", "-c", script], &Solution::default().component());
    let comparable = &evaluation.result.comparable;
    let failure = comparable.failure.as_ref().expect("a failure");
    assert_eq!(failure.phase, Phase::Compile, "{script}");
    (comparable.verdict, failure.rule.clone())
}

/// The signals of a process that is out of memory or processor time, and a compiler's panic.
#[test]
fn a_compile_child_that_runs_out_of_its_limits_is_a_rejection() {
    for script in ["kill -ABRT $$", "head -c 100 >/dev/null; kill -SEGV $$", "kill -XCPU $$", "exit 101"] {
        assert_eq!(compiled_by(script), (Rejected, "compile_resources".to_owned()), "{script}");
    }
}

/// What no component can do to it: ended from outside, or ended well without an answer.
#[test]
fn a_compile_child_that_ends_otherwise_is_a_fault_of_the_platform() {
    for script in ["kill -9 $$", "echo half an answer", "exit 1"] {
        assert_eq!(compiled_by(script), (PlatformFault, "compile_child".to_owned()), "{script}");
    }
}
