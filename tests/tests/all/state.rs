//! Guests that carry state where none may pass, and work where no meter is expected.

use thimble_challenge::Verdict::{OutOfFuel, Trap};
use thimble_challenge::challenge::RowRule;
use thimble_challenge::result::{Comparable, Phase};
use thimble_tests::case::case;
use thimble_tests::evaluation::Evaluation;
use thimble_tests::fixture::ROWS;
use thimble_tests::guests::guest;
use thimble_tests::hostile;
use thimble_tests::template::{Solution, load};

/// A loop of 100 turns that leaves nothing behind.
const BURN: &str = "(global.set $left (i32.const 100))
    (loop $burn
      (global.set $left (i32.sub (global.get $left) (i32.const 1)))
      (br_if $burn (global.get $left)))";

/// The price of [`BURN`] by hand: constants 1, subtraction 2, global access 2, branch 2.
const BURN_FUEL: u64 = (1 + 2) + 100 * (2 + 1 + 2 + 2 + 2 + 2);

const LEFT: &str = "(global $left (mut i32) (i32.const 0))";

const FOREVER: &str = "(loop $forever (br $forever))";

/// `solution` with `text` before what `load`, or whichever part `place` names, does anyway.
fn before(place: impl FnOnce(&mut Solution) -> &mut String, text: &str) -> Solution {
    let mut solution = Solution::default().with_fields(LEFT);
    let part = place(&mut solution);
    *part = format!("{text} {part}");
    solution
}

fn started(text: &str) -> Solution {
    Solution::default().with_fields(LEFT).with_fields(&format!("(func $start {text}) (start $start)"))
}

fn fuel(solution: &Solution) -> (u64, u64) {
    let evaluation = case(solution.component()).evaluate();
    let compute = &evaluation.result.comparable.compute;
    let prediction = compute.prediction_fuel.expect("scored").0;
    assert_eq!(compute.flops_per_sample, Some(prediction as f64 / ROWS[2] as f64 / 16.0));
    (compute.training_fuel.expect("scored").0, prediction)
}

fn plain() -> (u64, u64) {
    fuel(&Solution::default().with_fields(LEFT))
}

#[test]
fn work_in_load_counts_in_flops_per_sample() {
    let (training, prediction) = fuel(&before(|solution| &mut solution.load, BURN));
    let plain = plain();
    assert_eq!((training, prediction), (plain.0, plain.1 + BURN_FUEL));
}

#[test]
fn work_in_the_start_function_counts_in_both_phases() {
    let (training, prediction) = fuel(&started(BURN));
    // One more function is entered, by one more call of the engine's own start-up code.
    let work = BURN_FUEL + 1 + 1;
    let plain = plain();
    assert_eq!((training, prediction), (plain.0 + work, plain.1 + work));
}

#[test]
fn work_in_post_return_counts_in_flops_per_sample() {
    let (_, prediction) = fuel(&before(|solution| &mut solution.post_predict, BURN));
    let batches = (ROWS[2] as u64).div_ceil(16);
    assert_eq!(prediction, plain().1 + batches * BURN_FUEL);
}

#[test]
fn work_in_post_return_of_solve_counts_in_training() {
    let (training, _) = fuel(&before(|solution| &mut solution.post_solve, BURN));
    assert_eq!(training, plain().0 + BURN_FUEL);
}

#[test]
fn work_in_cabi_realloc_counts_in_flops_per_sample() {
    let (training, prediction) = fuel(&before(|solution| &mut solution.realloc, BURN));
    let plain = plain();
    let (training, prediction) = (training - plain.0, prediction - plain.1);
    assert!(training > 0 && training.is_multiple_of(BURN_FUEL), "{training}");
    assert!(prediction > 0 && prediction.is_multiple_of(BURN_FUEL), "{prediction}");
}

/// `solution` with a function `$unwind` that does its work in frames that are being left, where the engine does not look
/// at the fuel: `depth` calls, each followed by `work` multiplications (17 fuel each) in a straight line.
fn unwinding(solution: Solution, depth: u32, work: usize) -> Solution {
    let line = "(local.set $f (f32.mul (local.get $f) (f32.const 1.5)))".repeat(work);
    solution.with_fields(&format!(
        "(func $down (param $depth i32) (local $f f32)
          (if (local.get $depth) (then (call $down (i32.sub (local.get $depth) (i32.const 1)))))
          {line}
          (f32.store (i32.const 768) (local.get $f)))
        (func $unwind (call $down (i32.const {depth})))"
    ))
}

/// What a guest wrote to its journal.
fn log(evaluation: &Evaluation) -> String {
    evaluation.result.run.journal.as_ref().expect("validation keeps a journal").log.clone()
}

/// The first random number that `load` is given, after `solve` drew `drawn` bytes.
fn random_number_in_load(drawn: u32) -> u64 {
    let solution = Solution {
        solve: format!("(call $bytes (i64.const {drawn}) (i32.const 192)) (call $return_f32 (i32.const 8))"),
        load: "(call $record (i32.const 256) (i32.const 1) (call $word) (f64.const 0))
            (call $return_model (local.get $args))"
            .into(),
        ..Solution::default()
    };
    let guest = solution.component_with(
        r#"(import "wasi:random/random@0.2.6" "get-random-bytes" (func $bytes (param i64 i32)))
        (import "wasi:random/random@0.2.6" "get-random-u64" (func $word (result i64)))"#,
        "import wasi:random/random@0.2.6;",
        "package wasi:random@0.2.6 {
            interface random { get-random-bytes: func(len: u64) -> list<u8>; get-random-u64: func() -> u64; }
        }",
    );
    step(&case(guest).evaluate())
}

/// The step of the only point of the curve `w`.
fn step(evaluation: &Evaluation) -> u64 {
    let journal = evaluation.result.run.journal.as_ref().expect("validation keeps a journal");
    let points = journal.curves.get("w").unwrap_or_else(|| panic!("no curve: {:?}", evaluation.result));
    points[0].step
}

#[test]
fn random_stream_is_fresh_in_predict() {
    assert_eq!(random_number_in_load(0), random_number_in_load(1_000));
}

/// The order of a Rust hash map comes from the host's random stream.
#[test]
fn hash_map_order_is_the_same_in_every_run() {
    let keys = || log(&case(guest("std-user")).with(|challenge| challenge.seed = 2).evaluate());
    let first = keys();
    assert!(first.contains("solve drew ") && first.contains("load drew "), "{first}");
    assert_eq!(first, keys());
}

/// A full log of the learner leaves the predictor's whole permit.
#[test]
fn log_permits_are_fresh_in_predict() {
    let full = "(call $log (i32.const 65536) (i32.const 65536))";
    let mut solution = before(|solution| &mut solution.solve, full).with_pages(4);
    solution.load = format!("(call $log (i32.const 1024) (i32.const 9)) {}", solution.load);
    let evaluation = case(solution.with_data("in load!\n").component()).evaluate();
    assert!(log(&evaluation).contains("in load!"), "{}", log(&evaluation).len());
}

#[test]
fn handle_numbers_are_fresh_in_predict() {
    let handle_in_load = |made: u32| {
        let make = "(drop (call $new_model (i32.const 1)))".repeat(made as usize);
        let mut solution = before(|solution| &mut solution.solve, &make);
        solution.load = "(call $record (i32.const 256) (i32.const 1)
                (i64.extend_i32_u (call $new_model (i32.const 1))) (f64.const 0))
            (call $return_model (local.get $args))"
            .into();
        step(&case(solution.component()).evaluate())
    };
    assert_eq!(handle_in_load(0), handle_in_load(100));
}

fn transductive(comparable: &Comparable) {
    let independence = comparable.independence.as_ref().expect("replayed");
    assert!(independence.transductive && independence.replayed > 0, "{independence:?}");
    assert!(!comparable.ranked);
}

/// Scores that depend on how many batches came before and on how many rows came along.
fn remembers_batches() -> Solution {
    Solution {
        predict: "(local $at i32)
            (local.set $at (call $scores (call $rows (local.get $inputs))))
            (global.set $left (i32.add (global.get $left) (i32.const 1)))
            (call $fill (local.get $at) (call $rows (local.get $inputs))
              (i32.and (i32.add (global.get $left) (call $rows (local.get $inputs))) (i32.const 3)))
            (call $return_scores (call $rows (local.get $inputs)) (local.get $at))"
            .into(),
        ..Solution::default()
    }
    .with_fields(LEFT)
    .with_fields(
        "(func $fill (param $at i32) (param $rows i32) (param $class i32)
          (loop $more
            (f32.store (i32.add (local.get $at) (i32.shl (local.get $class) (i32.const 2))) (f32.const 1))
            (local.set $at (i32.add (local.get $at) (i32.shl (global.get $classes) (i32.const 2))))
            (br_if $more (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))",
    )
}

hostile! {
    /// Global and memory are as the module defines them, whatever `solve` wrote.
    state_smuggled_through_a_global_reads_as_fresh =>
        case(
            Solution {
                solve: "(global.set $left (i32.const 7)) (i32.store (i32.const 1024) (i32.const 7))
                    (call $return_f32 (i32.const 8))"
                    .into(),
                load: "(if (i32.or (global.get $left) (i32.load (i32.const 1024)))
                      (then (return (call $error (i32.const 256) (i32.const 1)))))
                    (call $return_model (local.get $args))"
                    .into(),
                ..Solution::default()
            }
            .with_fields(LEFT)
            .with_data([0; 4])
            .component(),
        );
    fuel_left_is_for_the_learner_only =>
        case(load("(drop (call $fuel_left)) (call $return_model (local.get $args))").component())
            .ends(Trap, Phase::Predict, "import_misuse");
    remembering_rows_between_batches_is_transductive_and_not_ranked =>
        case(remembers_batches().component()).official().and(transductive);
    /// Agrees with itself on every sample of rows in batches; a row that comes alone gets another answer.
    drawing_a_statistic_from_each_batch_is_transductive_and_not_ranked =>
        case(
            Solution {
                predict: "(local $at i32)
                    (local.set $at (call $scores (call $rows (local.get $inputs))))
                    (call $fill (local.get $at) (call $rows (local.get $inputs))
                      (i32.gt_u (call $rows (local.get $inputs)) (i32.const 1)))
                    (call $return_scores (call $rows (local.get $inputs)) (local.get $at))"
                    .into(),
                ..remembers_batches()
            }
            .component(),
        )
        .official()
        .and(transductive);
    remembering_rows_is_allowed_where_the_challenge_says_so =>
        case(remembers_batches().component())
            .official()
            .with(|challenge| challenge.rows = RowRule::Transductive)
            .and(|comparable| assert!(comparable.independence.is_none() && comparable.ranked));
    endless_start_function_runs_out_of_its_own_small_budget =>
        case(started(FOREVER).component()).ends(OutOfFuel, Phase::Learn, "fuel").within(2.0).charged_in_full();
    endless_cabi_realloc_runs_out_of_fuel =>
        case(before(|solution| &mut solution.realloc, FOREVER).component())
            .ends(OutOfFuel, Phase::Learn, "fuel")
            .charged_in_full();
    endless_post_return_of_solve_runs_out_of_fuel =>
        case(before(|solution| &mut solution.post_solve, FOREVER).component())
            .ends(OutOfFuel, Phase::Learn, "fuel")
            .charged_in_full();
    endless_post_return_of_predict_runs_out_of_fuel =>
        case(before(|solution| &mut solution.post_predict, FOREVER).component())
            .ends(OutOfFuel, Phase::Predict, "fuel");
    training_in_load_runs_out_of_fuel =>
        case(before(|solution| &mut solution.load, FOREVER).component()).ends(OutOfFuel, Phase::Predict, "fuel");
    work_in_frames_that_are_left_cannot_pass_the_budget_of_load =>
        // 6,000 × 2,000 × 17 fuel = 204,000,000; the budget of `load` is 256 × 500,000.
        case(unwinding(load("(call $unwind) (call $return_model (local.get $args))"), 6_000, 2_000).component())
            .ends(OutOfFuel, Phase::Predict, "fuel");
    work_in_frames_that_are_left_cannot_pass_the_budget_of_start =>
        // 600 × 2,000 × 17 fuel = 20,400,000; the budget of instantiation is 10,000,000.
        case(unwinding(Solution::default(), 600, 2_000).with_fields("(start $unwind)").component())
            .ends(OutOfFuel, Phase::Learn, "fuel")
            .charged_in_full();
}
