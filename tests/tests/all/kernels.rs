//! The import `kernels`: the guest's bits, the tariff's price, the guest's memory.

use thimble_challenge::Verdict::{Deadline, OutOfFuel, OutOfMemory, Trap};
use thimble_challenge::result::{Mode, Phase};
use thimble_challenge::units::Flops;
use thimble_runtime::TARIFF;
use thimble_runtime::limits::VALUES_PER_WRITE;
use thimble_tests::case::case;
use thimble_tests::evaluation::evaluate;
use thimble_tests::fixture::{self, MEMORY};
use thimble_tests::template::{Solution, predict, solve};
use thimble_tests::{hostile, products};

/// `solve` that runs `text` with the handles $a, $b and $c of matrices of 2 × 3, 3 × 4 and 1 × 1 zeros.
fn with_matrices(text: &str) -> Solution {
    solve(&format!(
        "(local $a i32) (local $b i32) (local $c i32)
        (local.set $a (call $matrix (i32.const 2) (i32.const 3)))
        (local.set $b (call $matrix (i32.const 3) (i32.const 4)))
        (local.set $c (call $matrix (i32.const 1) (i32.const 1)))
        {text} (call $return_f32 (i32.const 8))"
    ))
}

fn guest(text: &str) -> Vec<u8> {
    products::component(&with_matrices(text))
}

const PRODUCT: &str = "(call $gemm (i32.const 0) (local.get $a) (local.get $b) (local.get $c) (i32.const 0))";

fn gemm(orientation: u32, a: &str, b: &str, c: &str, accumulate: u32) -> Vec<u8> {
    guest(&format!(
        "(call $gemm (i32.const {orientation}) (local.get ${a}) (local.get ${b}) (local.get ${c}) (i32.const {accumulate}))"
    ))
}

fn training_fuel(component: &[u8]) -> u64 {
    let evaluation = evaluate(component, fixture::challenge(), Mode::Official);
    let comparable = &evaluation.result.comparable;
    assert_eq!(comparable.failure, None);
    comparable.compute.training_fuel.expect("scored").0
}

/// Fuel that `text` adds to training.
fn added(text: &str) -> u64 {
    training_fuel(&guest(text)) - training_fuel(&guest(""))
}

#[test]
fn products_have_the_bits_of_the_guests_own_loop() {
    for one_in in [1, 7, 1_000_000] {
        let evaluation = evaluate(&products::compares(one_in), fixture::challenge(), Mode::Official);
        assert_eq!(evaluation.result.comparable.failure, None, "one in {one_in} is hostile");
    }
}

#[test]
fn a_product_costs_32_a_multiply_add_and_the_call() {
    // Five arguments: two constants 2, and the call 8.
    assert_eq!(added(PRODUCT), 2 + 8 + 256 + 32 * (2 * 4 * 3));
}

#[test]
fn a_matrix_costs_its_bytes_each_time_they_cross_or_are_made() {
    assert_eq!(added("(drop (call $matrix (i32.const 8) (i32.const 16)))"), 2 + 8 + 256 + 8 * 16 * 4 / 16);
    // Strings and lists pass through wit-component's shim: a constant 1, an indirect call 8, an entry 1.
    let shim = 1 + 8 + 1;
    let reshape = "(call $reshape (local.get $a) (i32.const 8) (i32.const 16))";
    assert_eq!(added(reshape), 2 + 8 + 256 + 32);
    let write = "(call $write (local.get $a) (i32.const 2) (i32.const 16384) (i32.const 4))";
    assert_eq!(added(write), 3 + 8 + shim + 256 + 1);
    // What is read is put where `cabi_realloc` says: an entry 1 and what the allocation does.
    let read = added("(call $read (local.get $a) (i32.const 80))");
    assert!((1 + 8 + shim + 256 + 1 + 1..400).contains(&read), "{read}");
    assert_eq!(TARIFF.host.multiply_add, 32);
}

const MATRIX_BYTES: u64 = MEMORY / 2;

/// A guest whose own memory is three pages, and matrices of half the limit.
fn holds_halves(count: u32, between: &str) -> Vec<u8> {
    let rows = MATRIX_BYTES / 4 / 1024;
    let one = format!("(local.set $a (call $matrix (i32.const {rows}) (i32.const 1024))) {between}");
    products::component(&solve(&format!(
        "(local $a i32) {} (call $return_f32 (i32.const 8))",
        one.repeat(count as usize)
    )))
}

/// In a predictor, where one call may hand over the least.
fn writes_at_once(values: usize) -> Solution {
    let body = format!(
        "(call $write (call $matrix (i32.const 1024) (i32.const 1024)) (i32.const 0) (i32.const 65536) (i32.const {values}))
        (call $return_zeros (call $rows (local.get $inputs)))"
    );
    predict(&body).with_pages(20)
}

hostile! {
    one_large_matrix_is_given =>
        case(holds_halves(1, "")).with(|challenge| challenge.limits.training_flops = Flops(100_000_000));
    matrices_count_against_the_guests_memory =>
        case(holds_halves(2, ""))
            .with(|challenge| challenge.limits.training_flops = Flops(100_000_000))
            .ends(OutOfMemory, Phase::Learn, "memory_bytes")
            .says(&["67108864"]);
    a_dropped_matrix_counts_no_longer =>
        case(holds_halves(20, "(call $drop_matrix (local.get $a))"))
            .with(|challenge| challenge.limits.training_flops = Flops(100_000_000));
    a_matrix_that_grows_counts_what_it_has_grown =>
        case(guest(&format!(
            "(drop (call $matrix (i32.const {}) (i32.const 1024)))
            (loop $more
              (local.set $a (call $matrix (i32.const 512) (i32.const 1)))
              (local.set $b (call $matrix (i32.const 1) (i32.const 512)))
              (call $gemm (i32.const 0) (local.get $a) (local.get $b) (call $matrix (i32.const 1) (i32.const 1)) (i32.const 0))
              (br $more))",
            MATRIX_BYTES / 4 / 1024
        )))
        .with(|challenge| challenge.limits.training_flops = Flops(1_000_000_000))
        .ends(OutOfMemory, Phase::Learn, "memory_bytes");
    a_matrix_without_rows_is_misuse =>
        case(guest("(drop (call $matrix (i32.const 0) (i32.const 7)))"))
            .ends(Trap, Phase::Learn, "import_misuse")
            .says(&["0 rows and 7 columns"]);
    the_largest_matrix_is_out_of_memory_or_fuel_and_no_overflow =>
        case(guest("(drop (call $matrix (i32.const -1) (i32.const -1)))")).ends(OutOfFuel, Phase::Learn, "fuel");
    values_to_the_end_of_a_matrix_are_written =>
        case(guest("(call $write (local.get $a) (i32.const 2) (i32.const 1024) (i32.const 4))"));
    values_beyond_the_end_of_a_matrix_are_misuse =>
        case(guest("(call $write (local.get $a) (i32.const 3) (i32.const 1024) (i32.const 4))"))
            .ends(Trap, Phase::Learn, "import_misuse")
            .says(&["4 values from place 3", "2 rows"]);
    a_mebibyte_is_written_at_once =>
        case(products::component(&writes_at_once(VALUES_PER_WRITE)));
    more_than_a_mebibyte_at_once_is_refused =>
        case(products::component(&writes_at_once(VALUES_PER_WRITE + 1)))
            .ends(Trap, Phase::Predict, "import_misuse")
            .says(&["262145", "262144"]);
    sizes_that_do_not_fit_are_misuse =>
        case(gemm(1, "a", "b", "c", 0))
            .ends(Trap, Phase::Learn, "import_misuse")
            .says(&["abt of a 2 × 3 and a 3 × 4"]);
    accumulating_into_another_size_is_misuse =>
        case(gemm(0, "a", "b", "c", 1)).ends(Trap, Phase::Learn, "import_misuse").says(&["into a 1 × 1"]);
    a_result_that_is_an_operand_is_misuse =>
        case(gemm(0, "a", "b", "b", 0)).ends(Trap, Phase::Learn, "import_misuse").says(&["the same"]);
    a_dropped_matrix_is_no_operand =>
        case(guest(&format!("(call $drop_matrix (local.get $a)) {PRODUCT}"))).ends(
            thimble_challenge::Verdict::InvalidOutput, Phase::Learn, "canonical_abi");
    a_product_is_charged_before_it_is_computed =>
        case(guest(
            "(local.set $a (call $matrix (i32.const 1000) (i32.const 1000)))
            (call $gemm (i32.const 0) (local.get $a) (local.get $a) (local.get $c) (i32.const 0))",
        ))
        .ends(OutOfFuel, Phase::Learn, "fuel")
        .within(2.0);
    a_long_product_meets_the_deadline =>
        case(guest(
            "(local.set $a (call $matrix (i32.const 1900) (i32.const 1900)))
            (loop $more
              (call $gemm (i32.const 0) (local.get $a) (local.get $a) (local.get $c) (i32.const 0))
              (br $more))",
        ))
        .with(|challenge| {
            challenge.limits.training_flops = Flops(1 << 49);
            challenge.limits.wall_seconds = 1;
        })
        .ends(Deadline, Phase::Learn, "wall_seconds")
        .within(5.0);
    predictors_may_compute_products_too =>
        case(products::component(&predict(
            "(local $a i32)
            (local.set $a (call $matrix (i32.const 4) (i32.const 4)))
            (call $gemm (i32.const 0) (local.get $a) (local.get $a) (call $matrix (i32.const 1) (i32.const 1)) (i32.const 0))
            (call $return_zeros (call $rows (local.get $inputs)))",
        )))
        .with(|challenge| challenge.limits.prediction_flops_per_sample = Flops(10_000));
}
