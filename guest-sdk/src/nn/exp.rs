//! Exponential functions of which the compiler can make vector code.
//!
//! `libm`'s branch on their argument, so a loop over them stays scalar. These compute every lane the same way, with
//! additions, multiplications, one division and integer operations on the bits: the same bits on every machine.

/// Above this, e^x is more than any f32: ln(2¹²⁸), rounded down.
const OVERFLOW: f32 = 88.722_83;
/// Below this, e^x is no normal number: ln(2⁻¹²⁶), rounded up.
const UNDERFLOW: f32 = -87.336_54;

/// e^x within 1.01 ulp (measured over every f32). Infinity where that exceeds f32, 0 where it is below 2⁻¹²⁶ (there are no subnormal results).
///
/// Cody and Waite's reduction x = n·ln 2 + r, |r| ≤ ½ ln 2, then e^r = 1 + 2r ÷ (2 − c) with c = r − r²·P(r²), as in FreeBSD's
/// `e_expf.c`; P is the minimax polynomial of degree 1 for this range (error of e^r below 2⁻³⁰).
///
/// ```
/// # use thimble_sdk::nn::exp;
/// assert_eq!((exp(0.0), exp(-1e30), exp(1e30)), (1.0, 0.0, f32::INFINITY));
/// ```
#[inline]
pub fn exp(x: f32) -> f32 {
    // Adding 1.5 · 2²³ leaves the nearest integer, ties to even, in the low bits.
    const ROUND: f32 = 12_582_912.0;
    // 15 bits of ln 2, so that the product with n is exact, and the rest.
    const LN2_HIGH: f32 = 0.693_145_75;
    const LN2_LOW: f32 = 1.428_606_8e-6;
    const P0: f32 = 0.166_666_18;
    const P1: f32 = -2.765_992_2e-3;

    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    let square = r * r;
    let c = r - square * (P0 + square * P1);
    let y = 1.0 + (r + r * c / (2.0 - c));
    // n goes into the exponent as an integer: of `shifted`, all but its low bits leave at the top.
    let scaled = f32::from_bits(y.to_bits().wrapping_add(shifted.to_bits() << 23));
    let bounded = if x < UNDERFLOW { 0.0 } else { scaled };
    if x > OVERFLOW { f32::INFINITY } else { bounded }
}

/// 1 ÷ (1 + e^−x) within 3 ulp.
#[inline]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The hyperbolic tangent within 3 ulp: 1 − 2 ÷ (e^2x + 1), and for |x| < 0.55, where that cancels, x + x³·Q(x²) with
/// the minimax polynomial of degree 3 (relative error below 2⁻²⁴).
#[inline]
pub fn tanh(x: f32) -> f32 {
    const Q: [f32; 4] = [-0.333_329_6, 0.133_209_42, -0.052_684_145, 0.016_458_762];
    let square = x * x;
    let series = Q[0] + square * (Q[1] + square * (Q[2] + square * Q[3]));
    let small = x + x * square * series;
    let large = 1.0 - 2.0 / (exp(x + x) + 1.0);
    if x.abs() < 0.55 { small } else { large }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Units in the last place of the expected value between the two.
    fn ulps(actual: f32, expected: f64) -> f64 {
        let nearest = expected as f32;
        let ulp = f64::from(f32::from_bits(nearest.abs().to_bits() + 1)) - f64::from(nearest.abs());
        (f64::from(actual) - expected).abs() / ulp
    }

    /// The largest error over the f32 from `low` to `high` of either sign, one of `stride` of them.
    fn worst(low: f32, high: f32, stride: usize, f: fn(f32) -> f32, exact: fn(f64) -> f64) -> f64 {
        (low.to_bits()..=high.to_bits())
            .step_by(stride)
            .flat_map(|bits| [f32::from_bits(bits), -f32::from_bits(bits)])
            .filter(|&x| x > UNDERFLOW)
            .map(|x| ulps(f(x), exact(f64::from(x))))
            .fold(0.0, f64::max)
    }

    #[test]
    fn exp_is_within_a_hundredth_over_one_ulp() {
        let error = worst(0.0, OVERFLOW, 211, exp, libm::exp);
        assert!(error <= 1.01, "{error}");
    }

    #[test]
    fn sigmoid_and_tanh_are_within_three_ulp() {
        let error = worst(1e-30, 80.0, 211, sigmoid, |x| 1.0 / (1.0 + libm::exp(-x)));
        assert!(error <= 3.0, "{error}");
        let error = worst(1e-30, 80.0, 211, tanh, libm::tanh);
        assert!(error <= 3.0, "{error}");
    }

    #[test]
    fn exp_is_exact_where_it_can_be() {
        assert_eq!([0.0, -0.0, f32::NEG_INFINITY, f32::INFINITY].map(exp), [1.0, 1.0, 0.0, f32::INFINITY]);
        assert!(exp(f32::NAN).is_nan() && tanh(f32::NAN).is_nan() && sigmoid(f32::NAN).is_nan());
    }

    #[test]
    fn exp_ends_where_f32_does() {
        let next = |x: f32| f32::from_bits(x.to_bits() + 1);
        assert!(exp(OVERFLOW) > 3.4e38 && exp(OVERFLOW).is_finite());
        assert_eq!(exp(next(OVERFLOW)), f32::INFINITY);
        assert!(exp(UNDERFLOW) >= f32::MIN_POSITIVE && exp(UNDERFLOW) < 1.0001 * f32::MIN_POSITIVE);
        assert_eq!(exp(next(UNDERFLOW)), 0.0);
        assert_eq!([tanh(100.0), tanh(-100.0), sigmoid(100.0), sigmoid(-100.0)], [1.0, -1.0, 1.0, 0.0]);
    }
}
