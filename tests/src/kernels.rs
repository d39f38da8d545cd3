//! The same linear layer of 384 inputs and 128 classes twice, written by hand: f32 relaxed multiply-add, and int8 dot
//! products. Both learn one prototype per class (its single training row) and answer with the inner products.

use std::fmt::Write as _;

use thimble_challenge::Challenge;
use thimble_challenge::units::Flops;
use thimble_datasets::{Classes, Table, Tables, TaskKind, Values};

use crate::fixture;
use crate::template::Solution;

/// Inputs of the layer.
pub const INPUTS: u32 = 384;
/// Classes, the layer's outputs.
pub const CLASSES: u32 = 128;
/// Test rows: enough that what `load` costs is a few FLOPs a row.
pub const ROWS: usize = 1024;

/// 128 prototypes of 384 signs; training holds each once, and test rows are prototypes with some signs turned.
pub fn tables() -> Tables {
    let mut state = 1_u32;
    let mut random = move || {
        // Numerical Recipes' linear congruential generator; the high bits are spread well enough.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 16
    };
    let prototypes: Vec<f32> = (0..CLASSES * INPUTS).map(|_| if random() & 1 == 0 { 1.0 } else { -1.0 }).collect();
    let mut table = |rows: usize, turned_of_16: u32| {
        let labels: Vec<i64> = (0..rows).map(|row| (row % CLASSES as usize) as i64).collect();
        let width = INPUTS as usize;
        let inputs = labels
            .iter()
            .flat_map(|&label| &prototypes[label as usize * width..(label as usize + 1) * width])
            .map(|&sign| if random() & 15 < turned_of_16 { -sign } else { sign })
            .collect();
        Table { rows, columns: vec![Values::F32(inputs), Values::S64(labels)] }
    };
    let small = fixture::tables();
    let mut fields = small.fields;
    fields[0].shape = vec![INPUTS];
    Tables {
        name: "signs".into(),
        task: TaskKind::TabularClassification(Classes::unnamed(CLASSES)),
        fields,
        train: table(CLASSES as usize, 0),
        validation: table(CLASSES as usize, 2),
        test: table(ROWS, 3),
    }
}

/// The challenge on [`tables`].
pub fn challenge() -> Challenge {
    let mut challenge = fixture::challenge();
    challenge.task = TaskKind::TabularClassification(Classes::unnamed(CLASSES));
    challenge.fields[0].shape = vec![INPUTS];
    challenge.limits.batch_size = 128;
    challenge.limits.training_flops = Flops(100_000_000);
    challenge.limits.prediction_flops_per_sample = Flops(1_000_000);
    challenge
}

/// `solve` for both: puts value k of the prototype of class c where `place` says, through `store`.
fn solve(case: u32, width: u32, place: &str, store: &str) -> String {
    format!(
        "(local $w i32) (local $x i32) (local $y i32) (local $rows i32) (local $r i32) (local $c i32) (local $k i32)
        (local.set $w (call $alloc (i32.const 16) (i32.const {bytes})))
        (loop $batches
          (if (call $next_batch (i32.load (local.get $args))) (then
            ;; option<batch> at 192: size 196, inputs 200, targets 208.
            (local.set $rows (i32.load (i32.const 196)))
            (local.set $x (i32.load offset=20 (i32.load (i32.const 200))))
            (local.set $y (i32.load offset=20 (i32.load (i32.const 208))))
            (local.set $r (i32.const 0))
            (loop $each
              (local.set $c (i32.load (i32.add (local.get $y) (i32.shl (local.get $r) (i32.const 3)))))
              (local.set $k (i32.const 0))
              (loop $values
                {place}
                {store}
                (local.set $x (i32.add (local.get $x) (i32.const 4)))
                (br_if $values (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1))) (i32.const {INPUTS}))))
              (br_if $each (i32.lt_u (local.tee $r (i32.add (local.get $r) (i32.const 1))) (local.get $rows))))
            (br $batches))))
        (i32.store (i32.const 160) (i32.const {count}))
        (call $tensor (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 160) (i32.const 1)
          (i32.const {case}) (local.get $w) (i32.const {count}))
        (call $result (i32.const 0) (i32.const 128) (i32.const 1))",
        count = INPUTS * CLASSES,
        bytes = INPUTS * CLASSES * width,
    )
}

/// `load` for both: the values of the only parameter stay where the host put them.
const LOAD: &str = "(global.set $weights (i32.load offset=20 (i32.load (local.get $args))))
    (call $return_model (local.get $args))";

const WEIGHTS: &str = "(global $weights (mut i32) (i32.const 0))";

/// f32: panels of 8 classes; a block is 4 rows × 8 classes in 8 accumulators, 2 steps of k unrolled.
pub fn f32_relaxed_madd() -> Solution {
    // Value k of class c: panel c / 8, then k, then c % 8.
    let place = format!(
        "(local.set $at (i32.add (local.get $w) (i32.shl (i32.add (i32.shl (i32.add
            (i32.mul (i32.shr_u (local.get $c) (i32.const 3)) (i32.const {INPUTS})) (local.get $k)) (i32.const 3))
            (i32.and (local.get $c) (i32.const 7))) (i32.const 2))))"
    );
    let body = solve(0, 4, &place, "(f32.store (local.get $at) (f32.load (local.get $x)))");
    Solution {
        solve: format!("(local $at i32) {body}"),
        load: LOAD.into(),
        predict: format!(
            "(local $rows i32) (local $out i32) (local $x i32) (local $o i32) (local $left i32)
            (local.set $rows (call $rows (local.get $inputs)))
            (local.set $x (call $values (local.get $inputs)))
            ;; Up to 3 rows more than asked for are computed, on whatever lies behind the inputs.
            (local.set $out (call $alloc (i32.const 16) (i32.mul (i32.add (local.get $rows) (i32.const 4)) (i32.const {row}))))
            (drop (call $alloc (i32.const 16) (i32.const {slack})))
            (local.set $o (local.get $out))
            (local.set $left (local.get $rows))
            (loop $blocks
              (call $block (local.get $x) (local.get $o))
              (local.set $x (i32.add (local.get $x) (i32.const {block_in})))
              (local.set $o (i32.add (local.get $o) (i32.const {block_out})))
              (br_if $blocks (i32.gt_s (local.tee $left (i32.sub (local.get $left) (i32.const 4))) (i32.const 0))))
            (call $return_scores (local.get $rows) (local.get $out))",
            row = CLASSES * 4,
            slack = INPUTS * 4 * 4,
            block_in = INPUTS * 4 * 4,
            block_out = CLASSES * 4 * 4,
        ),
        ..Solution::default()
    }
    .with_fields(WEIGHTS)
    .with_fields(&f32_block())
}

fn f32_block() -> String {
    const UNROLL: u32 = 2;
    let (row, out) = (INPUTS * 4, CLASSES * 4);
    let mut text = String::from(
        "(func $block (param $x0 i32) (param $out i32)
          (local $w i32) (local $x i32) (local $end i32) (local $stop i32) (local $w0 v128) (local $w1 v128) (local $s v128)",
    );
    let accumulators = || (0..4).flat_map(|r| (0..2).map(move |v| (r, v)));
    for (r, v) in accumulators() {
        let _ = write!(text, "(local $a{r}{v} v128)");
    }
    let _ = write!(
        text,
        "(local.set $w (global.get $weights))
        (local.set $stop (i32.add (local.get $w) (i32.const {})))
        (loop $panels
          (local.set $x (local.get $x0))
          (local.set $end (i32.add (local.get $w) (i32.const {})))",
        INPUTS * CLASSES * 4,
        INPUTS * 32
    );
    for (r, v) in accumulators() {
        let _ = write!(text, "(local.set $a{r}{v} (v128.const i64x2 0 0))");
    }
    text.push_str("(loop $k");
    for k in 0..UNROLL {
        for v in 0..2 {
            let _ = write!(text, "(local.set $w{v} (v128.load offset={} (local.get $w)))", k * 32 + v * 16);
        }
        for r in 0..4 {
            let _ = write!(text, "(local.set $s (v128.load32_splat offset={} (local.get $x)))", r * row + k * 4);
            for v in 0..2 {
                let _ = write!(
                    text,
                    "(local.set $a{r}{v} (f32x4.relaxed_madd (local.get $s) (local.get $w{v}) (local.get $a{r}{v})))"
                );
            }
        }
    }
    let _ = write!(
        text,
        "(local.set $x (i32.add (local.get $x) (i32.const {})))
        (br_if $k (i32.lt_u (local.tee $w (i32.add (local.get $w) (i32.const {}))) (local.get $end))))",
        UNROLL * 4,
        UNROLL * 32
    );
    for (r, v) in accumulators() {
        let _ = write!(text, "(v128.store offset={} (local.get $out) (local.get $a{r}{v}))", r * out + v * 16);
    }
    text.push_str(
        "(local.set $out (i32.add (local.get $out) (i32.const 32)))
        (br_if $panels (i32.lt_u (local.get $w) (local.get $stop)))))",
    );
    text
}

/// int8: weights and inputs as integers within ±63; one row against 32 classes in 8 accumulators, so that a lane is a
/// class and no sum across lanes is needed; 4 inputs at a time, 4 steps unrolled.
pub fn int8_dot() -> Solution {
    // Value k of class c: 32 classes, then 4 inputs, then 4 classes, then the class, then the input.
    let place = format!(
        "(local.set $at (i32.add (local.get $w) (i32.add (i32.shl (i32.add (i32.shl (i32.add
            (i32.mul (i32.shr_u (local.get $c) (i32.const 5)) (i32.const {})) (i32.shr_u (local.get $k) (i32.const 2)))
            (i32.const 3)) (i32.and (i32.shr_u (local.get $c) (i32.const 2)) (i32.const 7))) (i32.const 4))
            (i32.add (i32.shl (i32.and (local.get $c) (i32.const 3)) (i32.const 2)) (i32.and (local.get $k) (i32.const 3))))))",
        INPUTS / 4
    );
    let store = "(i32.store8 (local.get $at) (i32.trunc_sat_f32_s (f32.mul (f32.load (local.get $x)) (f32.const 63))))";
    let body = solve(4, 1, &place, store);
    Solution {
        solve: format!("(local $at i32) {body}"),
        load: LOAD.into(),
        predict: format!(
            "(local $rows i32) (local $out i32) (local $x i32) (local $o i32) (local $left i32) (local $q i32)
            (local.set $rows (call $rows (local.get $inputs)))
            (local.set $x (call $values (local.get $inputs)))
            (local.set $out (call $alloc (i32.const 16) (i32.mul (local.get $rows) (i32.const {row}))))
            (local.set $q (call $alloc (i32.const 16) (i32.const {INPUTS})))
            (local.set $o (local.get $out))
            (local.set $left (local.get $rows))
            (loop $each
              (call $quantise (local.get $x) (local.get $q))
              (call $row (local.get $q) (local.get $o))
              (local.set $x (i32.add (local.get $x) (i32.const {row_in})))
              (local.set $o (i32.add (local.get $o) (i32.const {row})))
              (br_if $each (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
            (call $return_scores (local.get $rows) (local.get $out))",
            row = CLASSES * 4,
            row_in = INPUTS * 4,
        ),
        ..Solution::default()
    }
    .with_fields(WEIGHTS)
    .with_fields(&quantise())
    .with_fields(&int8_row())
}

/// 16 inputs at a time: scale, convert, narrow twice.
fn quantise() -> String {
    let word = |i: u32| {
        format!("(i32x4.trunc_sat_f32x4_s (f32x4.mul (v128.load offset={} (local.get $x)) (local.get $scale)))", i * 16)
    };
    format!(
        "(func $quantise (param $x i32) (param $q i32) (local $end i32) (local $scale v128)
          (local.set $end (i32.add (local.get $q) (i32.const {INPUTS})))
          (local.set $scale (v128.const f32x4 63 63 63 63))
          (loop $more
            (v128.store (local.get $q) (i8x16.narrow_i16x8_s
              (i16x8.narrow_i32x4_s {} {}) (i16x8.narrow_i32x4_s {} {})))
            (local.set $x (i32.add (local.get $x) (i32.const 64)))
            (br_if $more (i32.lt_u (local.tee $q (i32.add (local.get $q) (i32.const 16))) (local.get $end)))))",
        word(0),
        word(1),
        word(2),
        word(3)
    )
}

fn int8_row() -> String {
    const UNROLL: u32 = 4;
    let mut text = String::from(
        "(func $row (param $q i32) (param $out i32) (local $w i32) (local $x i32) (local $end i32) (local $stop i32) (local $s v128)",
    );
    for v in 0..8 {
        let _ = write!(text, "(local $a{v} v128)");
    }
    let _ = write!(
        text,
        "(local.set $w (global.get $weights))
        (local.set $stop (i32.add (local.get $w) (i32.const {})))
        (loop $panels
          (local.set $x (local.get $q))
          (local.set $end (i32.add (local.get $w) (i32.const {})))",
        INPUTS * CLASSES,
        INPUTS * 32
    );
    for v in 0..8 {
        let _ = write!(text, "(local.set $a{v} (v128.const i64x2 0 0))");
    }
    text.push_str("(loop $k");
    for k in 0..UNROLL {
        let _ = write!(text, "(local.set $s (v128.load32_splat offset={} (local.get $x)))", k * 4);
        for v in 0..8 {
            let _ = write!(
                text,
                "(local.set $a{v} (i32x4.relaxed_dot_i8x16_i7x16_add_s
                  (v128.load offset={} (local.get $w)) (local.get $s) (local.get $a{v})))",
                k * 128 + v * 16
            );
        }
    }
    let _ = write!(
        text,
        "(local.set $x (i32.add (local.get $x) (i32.const {})))
        (br_if $k (i32.lt_u (local.tee $w (i32.add (local.get $w) (i32.const {}))) (local.get $end))))",
        UNROLL * 4,
        UNROLL * 128
    );
    for v in 0..8 {
        let _ =
            write!(text, "(v128.store offset={} (local.get $out) (f32x4.convert_i32x4_s (local.get $a{v})))", v * 16);
    }
    text.push_str(
        "(local.set $out (i32.add (local.get $out) (i32.const 128)))
        (br_if $panels (i32.lt_u (local.get $w) (local.get $stop)))))",
    );
    text
}
