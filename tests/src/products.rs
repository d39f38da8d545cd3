//! A guest that checks the host's products against its own loop, bit by bit, on values that go wrong wherever an order or
//! a rounding differs.

use crate::template::{Solution, solve};

/// The import's functions, as text of the module.
pub const IMPORTS: &str = r#"  (import "thimble:solution/kernels@0.1.0" "[constructor]matrix" (func $matrix (param i32 i32) (result i32)))
  (import "thimble:solution/kernels@0.1.0" "[method]matrix.reshape" (func $reshape (param i32 i32 i32)))
  (import "thimble:solution/kernels@0.1.0" "[method]matrix.write" (func $write (param i32 i32 i32 i32)))
  (import "thimble:solution/kernels@0.1.0" "[method]matrix.read" (func $read (param i32 i32)))
  (import "thimble:solution/kernels@0.1.0" "[resource-drop]matrix" (func $drop_matrix (param i32)))
  (import "thimble:solution/kernels@0.1.0" "gemm" (func $gemm (param i32 i32 i32 i32 i32)))"#;

/// The component of a solution that calls `kernels`.
pub fn component(solution: &Solution) -> Vec<u8> {
    solution.component_with(IMPORTS, "", "")
}

/// Rows and columns of C, and the length of the sum: more than a tile, and no multiple of one.
const SIZE: [u32; 3] = [13, 33, 20];

/// NaNs of both signs and with payloads, infinities, subnormals, signed zeros, the largest numbers, and numbers whose
/// products cancel, as bits.
const HOSTILE: [u32; 16] = [
    0x7fc0_0000,
    0xffc0_0001,
    0x7f80_0001,
    0xff81_2345,
    0x7f80_0000,
    0xff80_0000,
    0x0000_0001,
    0x807f_ffff,
    0x0000_0000,
    0x8000_0000,
    0x7f7f_ffff,
    0xff7f_ffff,
    0x3f80_0001,
    0xbf80_0000,
    0x0080_0000,
    0x3eaa_aaab,
];

/// Values in which one of `one_in` is hostile, the others between −2 and 2.
fn values(count: u32, one_in: u32) -> impl Iterator<Item = u32> {
    let mut state = 1_u32;
    (0..count).map(move |_| {
        // Numerical Recipes' linear congruential generator; only spread is wanted.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (choice, which) = (state >> 20, (state >> 8) as usize % HOSTILE.len());
        if choice.is_multiple_of(one_in) { HOSTILE[which] } else { ((state >> 8) as f32 / 4_194_304.0 - 2.0).to_bits() }
    })
}

/// `solve` computes C += A · B, C += A · Bᵀ and C += Aᵀ · B with both, and traps at the first bit that differs.
pub fn compares(one_in: u32) -> Vec<u8> {
    let [m, n, k] = SIZE;
    let data: Vec<u8> = values(m * k + k * n + m * n, one_in).flat_map(u32::to_le_bytes).collect();
    // Where A, B and C's start lie, and the steps from one value of A and B to the next along k.
    let (a, b) = (1024, 1024 + m * k * 4);
    let start = b + k * n * 4;
    let mut body = String::from(
        "(local $a i32) (local $b i32) (local $c i32) (local $i i32) (local $j i32) (local $k i32) (local $sum v128)
        (local.set $a (call $matrix (i32.const 1) (i32.const 1)))
        (local.set $b (call $matrix (i32.const 1) (i32.const 1)))
        (local.set $c (call $matrix (i32.const 1) (i32.const 1)))",
    );
    // Orientation, stored shapes of A and B, and their strides by (row or column, step).
    let orientations =
        [(0, (m, k), (k, n), (k, 1), (1, n)), (1, (m, k), (n, k), (k, 1), (k, 1)), (2, (k, m), (k, n), (1, m), (1, n))];
    for (orientation, (a_rows, a_columns), (b_rows, b_columns), (a_line, a_step), (b_line, b_step)) in orientations {
        body.push_str(&format!(
            "(call $reshape (local.get $a) (i32.const {a_rows}) (i32.const {a_columns}))
            (call $write (local.get $a) (i32.const 0) (i32.const {a}) (i32.const {}))
            (call $reshape (local.get $b) (i32.const {b_rows}) (i32.const {b_columns}))
            (call $write (local.get $b) (i32.const 0) (i32.const {b}) (i32.const {}))
            (call $reshape (local.get $c) (i32.const {m}) (i32.const {n}))
            (call $write (local.get $c) (i32.const 0) (i32.const {start}) (i32.const {}))
            (call $gemm (i32.const {orientation}) (local.get $a) (local.get $b) (local.get $c) (i32.const 1))
            (call $read (local.get $c) (i32.const 80))
            (if (i32.ne (i32.load (i32.const 84)) (i32.const {})) (then (unreachable)))
            (local.set $i (i32.const 0))
            (loop $rows
              (local.set $j (i32.const 0))
              (loop $columns
                (local.set $sum (v128.load32_splat (i32.add (i32.const {start}) (call $at (local.get $i) (i32.const {n}) (local.get $j) (i32.const 1)))))
                (local.set $k (i32.const 0))
                (loop $steps
                  (local.set $sum (f32x4.relaxed_madd
                    (v128.load32_splat (i32.add (i32.const {a}) (call $at (local.get $i) (i32.const {a_line}) (local.get $k) (i32.const {a_step}))))
                    (v128.load32_splat (i32.add (i32.const {b}) (call $at (local.get $j) (i32.const {b_line}) (local.get $k) (i32.const {b_step}))))
                    (local.get $sum)))
                  (br_if $steps (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1))) (i32.const {k}))))
                (if (i32.ne (i32x4.extract_lane 0 (local.get $sum))
                      (i32.load (i32.add (i32.load (i32.const 80)) (call $at (local.get $i) (i32.const {n}) (local.get $j) (i32.const 1)))))
                  (then (unreachable)))
                (br_if $columns (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const {n}))))
              (br_if $rows (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const {m}))))",
            m * k,
            k * n,
            m * n,
            m * n,
        ));
    }
    body.push_str(
        "(call $drop_matrix (local.get $a)) (call $drop_matrix (local.get $b)) (call $drop_matrix (local.get $c))
        (call $return_f32 (i32.const 8))",
    );
    let at = "(func $at (param $line i32) (param $per_line i32) (param $step i32) (param $per_step i32) (result i32)
        (i32.shl (i32.add (i32.mul (local.get $line) (local.get $per_line)) (i32.mul (local.get $step) (local.get $per_step)))
          (i32.const 2)))";
    component(&solve(&body).with_data(data).with_fields(at))
}
