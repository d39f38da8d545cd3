//! Guests that return what is no value of the contract, or do not return.

use thimble_challenge::Verdict::{InvalidOutput, PlatformFault, SolutionError, Trap};
use thimble_challenge::result::Phase;
use thimble_tests::case::{Case, case};
use thimble_tests::hostile;
use thimble_tests::template::{Solution, load, predict, solve};

/// `solve` with an own tensor record: words at 128 and after, then its list.
fn tensor_record(change: &str) -> Vec<u8> {
    solve(&format!("(drop (call $return_f32 (i32.const 8))) {change} (i32.const 64)"))
        .with_data([0xff, 0xfe])
        .component()
}

fn unreadable(guest: Vec<u8>) -> Case {
    case(guest).ends(InvalidOutput, Phase::Learn, "canonical_abi").charged_in_full()
}

/// `predict` that returns one f32 tensor with the shape words `shape` and `len` zero values.
fn scores(shape: &[u32], len: u32) -> Vec<u8> {
    answer(shape, "(i32.const 272) (i32.const 6)", 0, len, 4)
}

/// As [`scores`], with another name, type `case` and width.
fn answer(shape: &[u32], name: &str, case: u32, len: u32, width: u32) -> Vec<u8> {
    let words: String = shape
        .iter()
        .enumerate()
        .map(|(i, word)| format!("(i32.store (i32.const {}) (i32.const {word}))", 160 + 4 * i))
        .collect();
    predict(&format!(
        "(drop (call $return_zeros (call $rows (local.get $inputs))))
        {words}
        (call $tensor (i32.const 128) {name} (i32.const 160) (i32.const {})
          (i32.const {case}) (call $alloc (i32.const 8) (i32.const {})) (i32.const {len}))
        (call $result (i32.const 0) (i32.const 128) (i32.const 1))",
        shape.len(),
        len * width,
    ))
    .component()
}

/// `predict` whose very first score of each batch has the bits of `value`.
fn first_score(value: &str) -> Vec<u8> {
    predict(&format!(
        "(local $at i32)
        (local.set $at (call $scores (call $rows (local.get $inputs))))
        (f32.store (local.get $at) (f32.const {value}))
        (call $return_scores (call $rows (local.get $inputs)) (local.get $at))"
    ))
    .component()
}

fn bad_scores(guest: Vec<u8>, rule: &'static str) -> Case {
    case(guest).ends(InvalidOutput, Phase::Predict, rule)
}

/// Enough work that losing it would show.
const WORK: &str = "(local $i i32)
    (loop $more
      (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000000))))";

fn works_then(end: &str) -> Case {
    case(solve(&format!("{WORK} {end}")).component()).ends(Trap, Phase::Learn, "trap").charged_in_full()
}

hostile! {
    bad_utf8_in_a_tensor_name => unreadable(tensor_record("(i32.store (i32.const 128) (i32.const 1024)) (i32.store (i32.const 132) (i32.const 2))"));
    bad_utf8_in_the_log => unreadable(solve("(call $log (i32.const 1024) (i32.const 2)) (call $return_f32 (i32.const 8))").with_data([0xff, 0xfe]).component());
    bad_utf8_in_the_name_of_a_curve =>
        unreadable(solve("(call $record (i32.const 1024) (i32.const 2) (i64.const 0) (f64.const 0)) (call $return_f32 (i32.const 8))").with_data([0xff, 0xfe]).component());
    bad_utf8_in_an_error => unreadable(solve("(call $error (i32.const 1024) (i32.const 2))").with_data([0xff, 0xfe]).component());
    list_outside_memory => unreadable(tensor_record("(i32.store (i32.const 148) (i32.const 0x7ffffff0))"));
    list_whose_end_overflows => unreadable(tensor_record("(i32.store (i32.const 152) (i32.const 0x7fffffff))"));
    list_that_is_not_aligned => unreadable(tensor_record("(i32.store (i32.const 148) (i32.add (i32.load (i32.const 148)) (i32.const 2)))"));
    list_of_tensors_outside_memory => unreadable(tensor_record("(i32.store (i32.const 68) (i32.const -4))"));
    result_outside_memory => unreadable(solve("(i32.const -8)").component());
    variant_case_that_does_not_exist => unreadable(tensor_record("(i32.store8 (i32.const 144) (i32.const 9))"));
    result_case_that_does_not_exist => unreadable(tensor_record("(i32.store8 (i32.const 64) (i32.const 2))"));
    string_outside_memory => unreadable(solve("(call $log (i32.const -16) (i32.const 8)) (call $return_f32 (i32.const 8))").component());
    realloc_that_answers_outside_memory =>
        unreadable(Solution { realloc: "(i32.const -16)".into(), ..Solution::default() }.component());
    a_model_that_was_never_made =>
        case(load("(drop (call $return_model (local.get $args))) (call $result (i32.const 0) (i32.const 12345) (i32.const 0))").component())
            .ends(InvalidOutput, Phase::Predict, "canonical_abi");
    a_loader_that_was_never_lent =>
        unreadable(solve("(drop (call $samples (i32.const 12345))) (call $return_f32 (i32.const 8))").component());
    a_loader_after_it_was_dropped =>
        unreadable(solve("(call $drop_loader (i32.load (local.get $args))) (call $rewind (i32.load (local.get $args))) (call $return_f32 (i32.const 8))").component());

    scores_of_another_width => bad_scores(scores(&[16, 5], 80), "output_shape");
    scores_of_rank_1 => bad_scores(scores(&[64], 64), "output_shape");
    scores_for_too_few_rows => bad_scores(scores(&[15, 4], 60), "output_shape");
    scores_for_too_many_rows => bad_scores(scores(&[17, 4], 68), "output_shape");
    scores_with_fewer_values_than_the_shape_says => bad_scores(scores(&[16, 4], 63), "output_shape");
    scores_whose_shape_overflows => bad_scores(scores(&[0x8000_0000, 2], 0), "output_shape");
    scores_as_f64 => bad_scores(answer(&[16, 4], "(i32.const 272) (i32.const 6)", 1, 64, 8), "output_dtype");
    scores_under_another_name => bad_scores(answer(&[16, 4], "(i32.const 256) (i32.const 1)", 0, 64, 4), "output_name");
    scores_missing =>
        bad_scores(predict("(call $result (i32.const 0) (i32.const 128) (i32.const 0))").component(), "output_count");
    scores_twice =>
        bad_scores(
            predict(
                "(drop (call $return_zeros (call $rows (local.get $inputs))))
                (memory.copy (i32.const 1024) (i32.const 128) (i32.const 28))
                (memory.copy (i32.const 1052) (i32.const 128) (i32.const 28))
                (call $result (i32.const 0) (i32.const 1024) (i32.const 2))",
            )
            .with_data([0; 64])
            .component(),
            "output_count",
        );
    /// The message names the row, in the order of the test split.
    score_nan => bad_scores(first_score("nan"), "output_value").says(&["row"]);
    score_infinite => bad_scores(first_score("-inf"), "output_value").says(&["row"]);
    score_beyond_1e30 => bad_scores(first_score("1.0000001e30"), "output_value").says(&["row"]);
    score_of_1e30_ok => case(first_score("1e30"));
    score_of_minus_1e30_ok => case(first_score("-1e30"));

    unreachable_traps => works_then("(unreachable)");
    division_by_zero_after_work_is_charged_in_full => works_then("(i32.div_u (i32.const 1) (i32.const 0))");
    load_outside_memory_after_work_is_charged_in_full => works_then("(i32.load (i32.const -16))");
    conversion_of_nan_after_work_is_charged_in_full => works_then("(i32.trunc_f32_s (f32.const nan))");
    error_of_solve_is_the_solutions =>
        case(solve("(call $error (i32.const 256) (i32.const 1))").component())
            .ends(SolutionError, Phase::Learn, "solution_error");
    error_of_load_is_the_solutions =>
        case(load("(call $error (i32.const 256) (i32.const 1))").component())
            .ends(SolutionError, Phase::Predict, "solution_error");
    error_of_predict_is_the_solutions =>
        case(predict("(call $error (i32.const 256) (i32.const 1))").component())
            .ends(SolutionError, Phase::Predict, "solution_error");
}

/// Everything a guest can do in the calls that the host makes on its behalf. Whatever comes of it, it is the guest's.
#[test]
fn nothing_a_guest_does_in_callbacks_is_a_fault_of_the_platform() {
    const DESTRUCTOR: &str = "(func (export \"thimble:solution/predictor@0.1.0#[dtor]model\") (param i32)";
    // The loader's batch is lowered through the allocator, so the host is in the middle of a call of its own.
    let realloc = |body: &str| Solution {
        realloc: body.into(),
        solve: "(call $next (i32.load (local.get $args)) (i32.const 192)) (call $return_f32 (i32.const 8))".into(),
        ..Solution::default()
    };
    let handles = "(local $i i32) (loop $more (drop (call $new_model (i32.const 1)))
        (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))";
    let guests = [
        ("allocator traps", realloc("(unreachable)")),
        ("allocator is misaligned", realloc("(i32.const 3)")),
        ("allocator is out of range", realloc("(i32.const -64)")),
        ("allocator calls an import", realloc("(drop (call $fuel_left)) (i32.const 4096)")),
        ("allocator grows past the limit", realloc("(drop (memory.grow (i32.const 5000))) (i32.const 4096)")),
        ("post-return traps", Solution { post_solve: "(unreachable)".into(), ..Solution::default() }),
        (
            "post-return calls an import",
            Solution { post_predict: "(drop (call $fuel_left))".into(), ..Solution::default() },
        ),
        ("destructor traps", Solution::default().with_fields(&format!("{DESTRUCTOR} (unreachable))"))),
        ("destructor loops", Solution::default().with_fields(&format!("{DESTRUCTOR} (loop $ever (br $ever)))"))),
        ("handles run out in load", load(&format!("{handles} (call $return_model (local.get $args))"))),
        ("load returns no handle", load("(call $result (i32.const 0) (i32.const 777) (i32.const 0))")),
        ("predict uses a loader", predict("(drop (call $samples (i32.const 1))) (call $return_zeros (i32.const 1))")),
        ("result is at the end of memory", solve("(i32.const 131068)")),
        (
            "result has no such case",
            solve("(drop (call $return_f32 (i32.const 8))) (i32.store8 (i32.const 64) (i32.const 200)) (i32.const 64)"),
        ),
        ("a million tensors nowhere", solve("(call $result (i32.const 0) (i32.const 128) (i32.const 1000000))")),
    ];
    for (what, guest) in guests {
        let evaluation = case(guest.component()).evaluate();
        let comparable = &evaluation.result.comparable;
        let failure = comparable.failure.as_ref();
        assert!(failure.is_some_and(|failure| failure.phase >= Phase::Learn), "{what}: {failure:?}");
        assert_ne!(comparable.verdict, PlatformFault, "{what}: {failure:?}");
        assert!(evaluation.seconds < 10.0, "{what}: {} s", evaluation.seconds);
    }
}
