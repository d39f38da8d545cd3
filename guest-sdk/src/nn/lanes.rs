//! Loops over slices that vector code can follow, reductions in a fixed order.
//!
//! A chain over all values, as `Iterator::sum` is, would be one addition after the other. Here value i goes to lane i mod 8,
//! and the lanes come together in one order, so the result has the same bits however wide the machine is.

/// Lanes of a reduction: two vectors, so that two chains overlap.
const LANES: usize = 8;

/// Σ `f(x)`.
#[inline(always)]
pub(super) fn sum_of(values: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for chunk in chunks {
        for (sum, &x) in sums.iter_mut().zip(chunk) {
            *sum += f(x);
        }
    }
    rest.iter().fold(total(&sums), |sum, &x| sum + f(x))
}

/// Σ x.
pub(super) fn sum(values: &[f32]) -> f32 {
    sum_of(values, |x| x)
}

/// Σ `f(x, y)` over pairs; both slices have the same length.
#[inline(always)]
pub(super) fn sum_of_pairs(xs: &[f32], ys: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    let ((xs, x_rest), (ys, y_rest)) = (xs.as_chunks::<LANES>(), ys.as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for (xs, ys) in xs.iter().zip(ys) {
        for ((sum, &x), &y) in sums.iter_mut().zip(xs).zip(ys) {
            *sum += f(x, y);
        }
    }
    x_rest.iter().zip(y_rest).fold(total(&sums), |sum, (&x, &y)| sum + f(x, y))
}

/// The largest value; −∞ of nothing. Of −0 and 0 it may give either, and NaN only if there is one: the compiler makes
/// `f32x4.relaxed_max` of this loop in wasm, which differs from the comparison there.
pub(super) fn largest(values: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if a < b { b } else { a };
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = larger(*lane, x);
        }
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |a, &b| larger(a, b))
}

/// x · `factor` in place.
pub(super) fn scale(values: &mut [f32], factor: f32) {
    for x in values {
        *x *= factor;
    }
}

/// Makes 0 of −0 in place, for values whose zeros may have either sign after a maximum (see [`largest`]).
pub(super) fn unsign_zeros(values: &mut [f32]) {
    for x in values {
        *x += 0.0;
    }
}

/// x += y in place, of slices of the same length.
pub(super) fn add(xs: &mut [f32], ys: &[f32]) {
    for (x, &y) in xs.iter_mut().zip(ys) {
        *x += y;
    }
}

/// By halves: four, two, one. Out of line, so that the lanes are vectors in memory when they get here: seeing the order of
/// these additions, the compiler would work on half vectors in the loops before.
#[inline(never)]
fn total(lanes: &[f32; LANES]) -> f32 {
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_counts_once() {
        for n in [0_u16, 1, 7, 8, 9, 16, 37] {
            let values: Vec<f32> = (1..=n).map(f32::from).collect();
            let expected = f32::from(n * (n + 1) / 2);
            assert_eq!(sum(&values), expected);
            assert_eq!(sum_of_pairs(&values, &values, |x, y| x + y), 2.0 * expected);
            assert_eq!(largest(&values), if n == 0 { f32::NEG_INFINITY } else { f32::from(n) });
        }
    }

    #[test]
    fn the_order_is_the_documented_one() {
        // 2²⁴ swallows a 1 that is added to it alone: lanes 0 and 4 meet first, and 1 + 1 survives.
        let big = 16_777_216.0_f32;
        assert_eq!(sum(&[big, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]), big + 2.0);
        assert_eq!(sum(&[big, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0]), big);
    }
}
