//! Guests that do not end.

use thimble_challenge::Verdict::{Deadline, OutOfFuel};
use thimble_challenge::result::Phase;
use thimble_challenge::units::{Flops, MAX_FUEL};
use thimble_runtime::TARIFF;
use thimble_tests::case::{Case, case};
use thimble_tests::fixture::ROWS;
use thimble_tests::hostile;
use thimble_tests::template::{load, predict, solve};

/// No arithmetic: the branch alone must burn fuel.
const FOREVER: &str = "(loop $forever (br $forever)) (unreachable)";

/// A budget that only the wall clock can end.
fn only_the_clock(guest: Vec<u8>) -> Case {
    case(guest)
        .with(|challenge| {
            challenge.limits.training_flops = Flops(MAX_FUEL.0 / 16);
            challenge.limits.wall_seconds = 1;
        })
        .ends(Deadline, Phase::Learn, "wall_seconds")
        .within(3.0)
        .charged_in_full()
}

fn calls_forever(import: &str) -> Vec<u8> {
    solve(&format!("(loop $forever {import} (br $forever)) (unreachable)")).component()
}

hostile! {
    endless_loop_without_arithmetic_runs_out_of_fuel =>
        case(solve(FOREVER).component()).ends(OutOfFuel, Phase::Learn, "fuel").charged_in_full();
    endless_loop_in_load_runs_out_of_fuel =>
        case(load(FOREVER).component()).ends(OutOfFuel, Phase::Predict, "fuel");
    endless_loop_in_predict_runs_out_of_fuel =>
        case(predict(FOREVER).component()).ends(OutOfFuel, Phase::Predict, "fuel");
    endless_loop_under_a_boundless_budget_meets_the_deadline => only_the_clock(solve(FOREVER).component());
    /// A host call that charges refills the engine's yield window, so the call itself must look at the clock.
    cheap_import_for_ever_meets_the_deadline => only_the_clock(calls_forever("(drop (call $fuel_left))"));
    log_of_nothing_for_ever_meets_the_deadline =>
        only_the_clock(calls_forever("(call $log (i32.const 0) (i32.const 0))"));
    rewind_for_ever_meets_the_deadline => only_the_clock(calls_forever("(call $rewind (i32.load (local.get $args)))"));
    cheap_import_for_ever_runs_out_of_fuel =>
        case(calls_forever("(drop (call $samples (i32.load (local.get $args))))"))
            .ends(OutOfFuel, Phase::Learn, "fuel")
            .charged_in_full();
    a_million_rewinds_pay_for_each =>
        case(
            solve(
                "(local $i i32)
                (loop $more
                  (call $rewind (i32.load (local.get $args)))
                  (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000000))))
                (call $return_f32 (i32.const 8))",
            )
            .component(),
        )
        .with(|challenge| challenge.limits.training_flops = Flops(40_000_000))
        .and(|comparable| {
            let fuel = comparable.compute.training_fuel.expect("solve returned").0;
            assert!(fuel >= 1_000_000 * TARIFF.host.call, "{fuel} fuel for a million rewinds");
        });
    /// `none` at the end of the epoch, and again on every call.
    next_after_the_end_stays_none =>
        case(
            solve(
                "(local $batches i32) (local $calls i32)
                (loop $more
                  (local.set $batches (i32.add (local.get $batches) (call $next_batch (i32.load (local.get $args)))))
                  (br_if $more
                    (i32.lt_u (local.tee $calls (i32.add (local.get $calls) (i32.const 1))) (i32.const 1000))))
                (call $return_f32 (local.get $batches))",
            )
            .component(),
        )
        .and(|comparable| {
            let batches = comparable.parameters.as_ref().expect("counted").elements;
            assert_eq!(batches, (ROWS[0] as u64).div_ceil(16));
        });
    next_after_the_end_for_ever_runs_out_of_fuel =>
        case(calls_forever("(drop (call $next_batch (i32.load (local.get $args))))"))
            .ends(OutOfFuel, Phase::Learn, "fuel")
            .charged_in_full();
}
