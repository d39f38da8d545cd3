//! Guests that want the host's memory.

use thimble_challenge::Verdict::{InvalidOutput, OutOfMemory, Rejected};
use thimble_challenge::result::Phase;
use thimble_challenge::units::Flops;
use thimble_tests::case::case;
use thimble_tests::fixture::MEMORY;
use thimble_tests::guests::guest;
use thimble_tests::hostile;
use thimble_tests::template::{Solution, predict, returns_parameters, solve};

/// Pages that a challenge's memory limit holds.
const PAGES: u32 = (MEMORY >> 16) as u32;

/// What the host keeps of a guest's words in one phase.
const LOG_BYTES: usize = 64 << 10;

fn writes_a_gibibyte(call: &str) -> Vec<u8> {
    solve(&format!(
        "(local $i i32)
        (memory.fill (i32.const 65536) (i32.const 120) (i32.const 1048576))
        (loop $more
          {call}
          (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1024))))
        (call $return_f32 (i32.const 8))"
    ))
    .with_pages(20)
    .component()
}

hostile! {
    memory_bomb_is_out_of_memory =>
        case(solve("(loop $more (drop (memory.grow (i32.const 16))) (br $more)) (unreachable)").component())
            .ends(OutOfMemory, Phase::Learn, "memory_bytes")
            .says(&["67108864"])
            .charged_in_full();
    memory_bomb_in_predict_is_out_of_memory =>
        case(predict("(loop $more (drop (memory.grow (i32.const 16))) (br $more)) (unreachable)").component())
            .ends(OutOfMemory, Phase::Predict, "memory_bytes");
    /// An error and never -1: the guest must not learn what the host has left.
    memory_one_page_over_the_limit_never_returns_to_the_guest =>
        case(solve(&format!(
            "(drop (memory.grow (i32.sub (i32.const {}) (memory.size)))) (call $return_f32 (i32.const 8))", PAGES + 1
        )).component())
            .ends(OutOfMemory, Phase::Learn, "memory_bytes");
    memory_at_the_limit_is_given =>
        case(solve(&format!(
            "(drop (memory.grow (i32.sub (i32.const {PAGES}) (memory.size)))) (call $return_f32 (i32.const 8))"
        )).component());
    memory_that_starts_over_the_limit_is_out_of_memory =>
        case(solve("(call $return_f32 (i32.const 8))").with_pages(PAGES + 1).component())
            .ends(OutOfMemory, Phase::Learn, "memory_bytes");
    /// What a table may grow to is stated in the program and bounded by admission: its end is the same everywhere, and
    /// the host's own limit is never met.
    table_growth_ends_where_the_program_says =>
        case(
            solve(
                "(loop $more (br_if $more (i32.ne (i32.const -1) (table.grow $t (ref.null func) (i32.const 1000)))))
                (if (i32.ne (table.size $t) (i32.const 99001)) (then (unreachable)))
                (call $return_f32 (i32.const 8))",
            )
            .with_fields("(table $t 1 99990 funcref)")
            .component(),
        );
    table_growth_without_an_end_is_rejected =>
        case(Solution::default().with_fields("(table 1 funcref)").component())
            .ends(Rejected, Phase::Admit, "table_maximum");
    handles_by_the_million_are_stopped =>
        case(
            solve(
                "(local $i i32)
                (loop $more
                  (drop (call $new_model (i32.const 1)))
                  (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000000))))
                (call $return_f32 (i32.const 8))",
            )
            .component(),
        )
        .ends(InvalidOutput, Phase::Learn, "canonical_abi")
        .charged_in_full();
    /// 48 MiB fit the guest's memory, but not what one call may carry over.
    huge_parameters_are_not_carried_over =>
        case(returns_parameters(12 << 20).component()).ends(InvalidOutput, Phase::Learn, "canonical_abi");
    huge_scores_are_not_carried_over =>
        case(
            predict("(global.set $classes (i32.const 1000000)) (call $return_zeros (i32.const 10))").component(),
        )
        .ends(InvalidOutput, Phase::Predict, "canonical_abi");
    two_million_tensors_are_not_carried_over =>
        case(solve("(call $result (i32.const 0) (call $alloc (i32.const 4) (i32.const 56000000)) (i32.const 2000000))").component())
            .ends(InvalidOutput, Phase::Learn, "canonical_abi");
    a_gibibyte_of_log_is_cut =>
        case(writes_a_gibibyte("(call $log (i32.const 65536) (i32.const 1048576))"))
            .with(|challenge| challenge.limits.training_flops = Flops(100_000_000))
            .and_run(|evaluation| {
                let journal = evaluation.result.run.journal.as_ref().expect("validation keeps a journal");
                assert!(journal.log.len() <= 2 * LOG_BYTES, "{} bytes of log", journal.log.len());
                assert!(journal.log_dropped_bytes >= (1 << 30) - LOG_BYTES as u64, "{}", journal.log_dropped_bytes);
                assert!(evaluation.events.len() < 1 << 20, "an observer is not flooded either");
            });
    one_line_of_48_mebibytes_is_not_carried_over =>
        case(
            solve("(call $log (i32.const 65536) (i32.const 50331648)) (call $return_f32 (i32.const 8))")
                .with_pages(800)
                .component(),
        )
        .ends(InvalidOutput, Phase::Learn, "canonical_abi");
    /// 13 tensors of one buffer of 60 MB, under a limit of 50,000,000 parameters: the host would hold each of them.
    one_buffer_returned_many_times_is_refused =>
        case(
            solve(
                "(local $i i32) (local $at i32) (local $buffer i32)
                (local.set $buffer (call $alloc (i32.const 4) (i32.const 60000000)))
                (local.set $at (call $alloc (i32.const 4) (i32.const 364)))
                (i32.store (i32.const 160) (i32.const 15000000))
                (loop $more
                  (call $tensor (i32.add (local.get $at) (i32.mul (local.get $i) (i32.const 28)))
                    (i32.const 256) (i32.const 1) (i32.const 160) (i32.const 1)
                    (i32.const 0) (local.get $buffer) (i32.const 15000000))
                  (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 13))))
                (call $result (i32.const 0) (local.get $at) (i32.const 13))",
            )
            .component(),
        )
        .with(|challenge| {
            challenge.limits.parameters.0 = 50_000_000;
            challenge.limits.training_flops.0 = 1_000_000_000;
        })
        .ends(InvalidOutput, Phase::Learn, "canonical_abi")
        .charged_in_full();
    curves_are_capped_in_series_and_points =>
        case(
            solve(
                "(local $i i32)
                (loop $more
                  (i32.store (i32.const 1024) (i32.or (i32.const 0x40404040) (i32.and (local.get $i) (i32.const 0x0f0f))))
                  (call $record (i32.const 1024) (i32.const 4) (i64.extend_i32_u (local.get $i)) (f64.const 1))
                  (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 20000))))
                (call $return_f32 (i32.const 8))",
            )
            .component(),
        )
        .and_run(|evaluation| {
            let journal = evaluation.result.run.journal.as_ref().expect("validation keeps a journal");
            let points: usize = journal.curves.values().map(Vec::len).sum();
            assert!(journal.curves.len() <= 64, "{} series", journal.curves.len());
            assert!(points <= 10_000, "{points} points");
            assert_eq!(points as u64 + journal.curves_dropped_points, 20_000);
        });
    /// Standard output that is full must not fail the guest, nor fill the host.
    a_gibibyte_printed_is_cut =>
        case(guest("std-user"))
            .with(|challenge| {
                challenge.seed = 1;
                challenge.limits.training_flops = Flops(1_000_000_000);
            })
            .and_run(|evaluation| {
                let journal = evaluation.result.run.journal.as_ref().expect("validation keeps a journal");
                assert!(journal.log.len() <= 2 * LOG_BYTES, "{} bytes of log", journal.log.len());
                assert!(journal.log_dropped_bytes >= (1 << 30) - LOG_BYTES as u64, "{}", journal.log_dropped_bytes);
            });
}
