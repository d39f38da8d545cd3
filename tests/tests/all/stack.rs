//! Guests that recurse.
//!
//! On the validation stack of 1 MiB the deepest recursion differs by architecture (for one frame: 7,278 on x86_64,
//! 8,187 on arm64), so what lies between them must fit the official stack on both.

use thimble_challenge::Verdict::StackOverflow;
use thimble_challenge::result::Phase;
use thimble_challenge::units::Flops;
use thimble_tests::case::{Case, case};
use thimble_tests::hostile;
use thimble_tests::template::{Solution, solve};

/// A recursion with sixteen numbers live across the call, so that a frame is more than 100 bytes.
fn recursion() -> String {
    let locals = |text: &dyn Fn(u32) -> String| (0..16).map(text).collect::<String>();
    format!(
        "(func $down (param $depth i32) (result i64) {}
          (if (i32.eqz (local.get $depth)) (then (return (i64.const 0))))
          {}
          (call $down (i32.sub (local.get $depth) (i32.const 1)))
          {})",
        locals(&|i| format!("(local $n{i} i64)")),
        locals(&|i| format!("(local.set $n{i} (i64.load offset={} (local.get $depth)))", i * 8)),
        locals(&|i| format!("(local.get $n{i}) i64.xor ")),
    )
}

fn recursive(depth: u32) -> Solution {
    solve(&format!("(drop (call $down (i32.const {depth}))) (call $return_f32 (i32.const 8))"))
        .with_fields(&recursion())
        .with_pages(4)
}

fn deep(depth: u32) -> Case {
    case(recursive(depth).component()).with(|challenge| challenge.limits.training_flops = Flops(100_000_000))
}

fn endless() -> Case {
    case(
        solve("(call $return_f32 (call $deeper (i32.const 1)))")
            .with_fields("(func $deeper (param i32) (result i32) (i32.add (call $deeper (local.get 0)) (i32.const 1)))")
            .component(),
    )
    .with(|challenge| challenge.limits.training_flops = Flops(100_000_000))
    .ends(StackOverflow, Phase::Learn, "stack")
    .charged_in_full()
    .and(|comparable| assert!(!comparable.ranked))
}

hostile! {
    recursion_between_the_architectures_limits_is_scored_officially => deep(7_400).official();
    recursion_near_the_upper_limit_is_scored_officially => deep(8_187).official();
    endless_recursion_overflows_the_stack => endless();
    endless_recursion_overflows_the_official_stack => endless().official();
}
