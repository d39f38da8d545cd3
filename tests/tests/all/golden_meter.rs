//! What the meter shows is the tariff, operator by operator.

use std::fmt::Write as _;

use thimble_challenge::Challenge;
use thimble_challenge::result::Mode;
use thimble_challenge::units::Flops;
use thimble_runtime::{Row, TARIFF};
use thimble_tests::evaluation::{Evaluation, evaluate, evaluate_on};
use thimble_tests::fixture::{self, StoredDataset};
use thimble_tests::kernels;
use thimble_tests::snippets::{self, Snippet};
use thimble_tests::template::{Solution, solve};
use wasmparser::{Parser, Payload};

/// How often a snippet stands in the module.
const TIMES: usize = 16;

/// The operators of a tariff row with their snippets.
fn snippets_of(row: &Row) -> Vec<(&'static str, Snippet)> {
    row.operators.iter().filter_map(|operator| Some((*operator, snippets::of(visit_name(operator))?))).collect()
}

/// The text format's name of an operator, with underscores; the engine's spelling does not tell where they stand.
fn visit_name(operator: &str) -> &'static str {
    macro_rules! names {
        ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
            [$((stringify!($op), stringify!($visit))),*]
        };
    }
    let names = wasmparser::for_each_operator!(names);
    let (_, visit) = names.iter().find(|(name, _)| *name == operator).expect("the tariff names the engine's operators");
    let visit: &'static str = visit;
    visit.strip_prefix("visit_").expect("visitor methods have this prefix")
}

fn roomy() -> Challenge {
    let mut challenge = fixture::challenge();
    challenge.limits.training_flops = Flops(100_000_000);
    challenge
}

fn scored(solution: &Solution) -> Evaluation {
    let evaluation = evaluate(&solution.component(), roomy(), Mode::Validation);
    let comparable = &evaluation.result.comparable;
    assert_eq!(comparable.failure, None);
    evaluation
}

fn training_fuel(solution: &Solution) -> u64 {
    scored(solution).result.comparable.compute.training_fuel.expect("scored").0
}

/// `solve` that runs `text` on prepared locals.
fn runs(text: &str) -> Solution {
    let (locals, set_up) = (snippets::LOCALS, snippets::SET_UP);
    solve(&format!("{locals} {set_up} {text} (call $return_f32 (i32.const 8))")).with_fields(snippets::FIELDS)
}

/// Fuel that `text` adds to training.
fn added(text: &str) -> u64 {
    training_fuel(&runs(text)) - training_fuel(&runs(""))
}

#[test]
fn every_row_adds_its_price_to_training_fuel() {
    let base = training_fuel(&runs(""));
    for row in TARIFF.rows {
        let snippets = snippets_of(row);
        let text: String = snippets.iter().map(|(_, snippet)| format!("{}\n", snippet.text)).collect();
        let once: u64 = snippets.iter().map(|(_, snippet)| u64::from(row.fuel) + snippet.beside).sum();
        let with = training_fuel(&runs(&text.repeat(TIMES)));
        assert_eq!(with - base, once * TIMES as u64, "{}", row.group);
    }
}

/// One function per operator, which measures itself with `fuel-left`.
fn self_measuring(operators: &[(&str, Snippet)]) -> Solution {
    let (locals, set_up) = (snippets::LOCALS, snippets::SET_UP);
    let mut fields = String::from(snippets::FIELDS);
    let mut calls = String::new();
    for (index, (_, snippet)) in operators.iter().enumerate() {
        let _ = write!(
            fields,
            "(func $measure{index} {locals} (local $before i64) {set_up}
              (local.set $before (call $fuel_left))
              {}
              (call $record (i32.const 256) (i32.const 1)
                (i64.sub (local.get $before) (call $fuel_left)) (f64.const {index})))",
            format!("{}\n", snippet.text).repeat(TIMES)
        );
        let _ = write!(calls, "(call $measure{index})");
    }
    solve(&format!("{calls} (call $return_f32 (i32.const 8))")).with_fields(&fields)
}

#[test]
fn every_operator_costs_what_its_row_says() {
    let nothing = ("nothing", Snippet { text: String::new(), beside: 0 });
    let mut operators = vec![nothing];
    operators.extend(TARIFF.rows.iter().flat_map(snippets_of));
    let measured = scored(&self_measuring(&operators));
    let journal = measured.result.run.journal.expect("validation keeps a journal");
    let points = &journal.curves["w"];
    assert_eq!(points.len(), operators.len());
    // Between two readings stand two constants and one call of an import.
    let between = points[0].step;
    assert_eq!(between, 2 + u64::from(TARIFF.price("Call")) + TARIFF.host_call(8));
    for ((operator, snippet), point) in operators.iter().zip(points).skip(1) {
        let each = u64::from(TARIFF.price(operator)) + snippet.beside;
        assert_eq!(point.step - between, each * TIMES as u64, "{operator}: {}", snippet.text);
    }
}

/// Else the two tests above would measure something else than they say.
#[test]
fn every_snippet_holds_its_operator_and_two_have_none() {
    for row in TARIFF.rows {
        let snippets = snippets_of(row);
        let left_out: Vec<_> = row.operators.iter().filter(|name| snippets::of(visit_name(name)).is_none()).collect();
        assert!(left_out.iter().all(|name| ["Unreachable", "TypedSelectMulti"].contains(*name)), "{left_out:?}");
        for (operator, snippet) in snippets {
            let text = format!("{}\n", snippet.text).repeat(TIMES);
            let module = wat::parse_str(runs(&text).wat()).unwrap_or_else(|error| panic!("{operator}: {error}"));
            let times = occurrences(&module, operator);
            // `return` stands in the function that its snippet calls.
            let least = if operator == "Return" { 1 } else { TIMES };
            assert!(times >= least, "{operator} occurs {times} times in: {}", snippet.text);
        }
    }
}

fn occurrences(module: &[u8], operator: &str) -> usize {
    let mut times = 0;
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CodeSectionEntry(body) = payload.expect("the module is valid") {
            for found in body.get_operators_reader().expect("a body") {
                let found = format!("{:?}", found.expect("an operator"));
                times += usize::from(found.split([' ', '{']).next() == Some(operator));
            }
        }
    }
    times
}

#[test]
fn bulk_operators_pay_for_their_size() {
    let bytes = "i32.const 8192 i32.const 8192 i32.const 1000";
    // Constants 3, the operator 16, and 1 for each byte.
    assert_eq!(added(&format!("{bytes} memory.copy")), 3 + 16 + 1000);
    assert_eq!(added(&format!("{bytes} memory.fill")), 3 + 16 + 1000);
    assert_eq!(added("i32.const 8192 i32.const 0 i32.const 3 memory.init $passive_data"), 3 + 16 + 3);
    // 255 a page, whatever comes of it.
    assert_eq!(added("i32.const 3 memory.grow drop"), 1 + 255 + 3 * 255);
    // 8 an element; a null reference 16.
    assert_eq!(added("ref.null func i32.const 5 table.grow $table drop"), 16 + 1 + 255 + 5 * 8);
    assert_eq!(added("i32.const 1 ref.null func i32.const 5 table.fill $table"), 2 + 16 + 16 + 5 * 8);
    assert_eq!(added("i32.const 1 i32.const 0 i32.const 5 table.copy $table $table"), 3 + 16 + 5 * 8);
    assert_eq!(added("i32.const 1 i32.const 0 i32.const 1 table.init $table $passive"), 3 + 16 + 8);
}

#[test]
fn entering_a_function_costs_1() {
    assert_eq!(added("call $empty"), u64::from(TARIFF.price("Call")) + 1);
}

#[test]
fn a_host_call_costs_256_and_1_for_each_16_bytes() {
    // An import that takes a string is called through wit-component's shim: a constant 1, an indirect call 8, an entry 1.
    let shim = 1 + 8 + 1;
    for (bytes, paid) in [(0, 0), (15, 0), (16, 1), (4096, 256)] {
        let text = format!("i32.const 16384 i32.const {bytes} call $log");
        // Constants 2, the call 8, the import 256, and the bytes.
        assert_eq!(added(&text), 2 + 8 + shim + 256 + paid, "{bytes} bytes");
    }
}

/// The worked example of `docs/metering.md`: the inner product of two vectors of 100 f32, one lane at a time.
#[test]
fn worked_example_is_what_it_is_by_hand() {
    let text = "(loop $next
        (local.set $f (f32.add (local.get $f)
          (f32.mul (f32.load (local.get $i)) (f32.load offset=400 (local.get $i)))))
        (local.set $i (i32.add (local.get $i) (i32.const 4)))
        (br_if $next (i32.lt_u (local.get $i) (i32.const 2448))))";
    // Two loads 4 each, multiply 16, add 16; pointer: constant 1, add 2; loop: constant 1, compare 2, branch 2.
    let turn = 2 * 4 + 16 + 16 + (1 + 2) + (1 + 2 + 2);
    assert_eq!(turn, 48);
    assert_eq!(added(text), 100 * turn);
}

struct Layer {
    flops_per_row: f64,
    microseconds_per_row: f64,
}

fn layer(solution: &Solution, data: &StoredDataset) -> Layer {
    let evaluation = evaluate_on(data, &solution.component(), kernels::challenge(), Mode::Validation);
    let comparable = &evaluation.result.comparable;
    assert_eq!(comparable.failure, None);
    let accuracy = comparable.metrics["accuracy"].value();
    assert_eq!(accuracy, Some(1.0), "the kernel computes another function");
    assert!(comparable.independence.as_ref().is_some_and(|independence| !independence.transductive));
    let seconds = evaluation.result.run.seconds[&thimble_challenge::result::Phase::Predict];
    Layer {
        flops_per_row: comparable.compute.flops_per_sample.expect("scored"),
        microseconds_per_row: seconds * 1e6 / kernels::ROWS as f64,
    }
}

/// The figures stand in `docs/metering.md`.
#[test]
fn int8_layer_costs_a_seventh_of_the_f32_layer() {
    let data = StoredDataset::new(&kernels::tables());
    let f32 = layer(&kernels::f32_relaxed_madd(), &data);
    let int8 = layer(&kernels::int8_dot(), &data);
    for (name, layer) in [("f32 relaxed madd", &f32), ("int8 relaxed dot", &int8)] {
        println!("{name}: {} FLOPs/row, {:.2} µs/row", layer.flops_per_row, layer.microseconds_per_row);
    }
    assert!((93_000.0..=113_800.0).contains(&f32.flops_per_row), "{}", f32.flops_per_row);
    assert!((13_600.0..=16_700.0).contains(&int8.flops_per_row), "{}", int8.flops_per_row);
}
