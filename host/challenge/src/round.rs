//! Rounding of published figures, exact on decimal text.
//!
//! The value is taken as its shortest decimal text (the one in `result.json`), and that text is rounded half to even.
//! Whoever reads the text and rounds by hand gets the same figure, which rounding the binary value would not promise:
//! 0.00015 is stored a little below, and is rounded here to 0.0002 all the same.

/// `value` rounded to `decimals` places. NaN and infinities are returned as they are.
pub fn decimals(value: f64, decimals: u32) -> f64 {
    to_place(value, -i64::from(decimals))
}

/// `value` rounded to a multiple of 10^`place`. NaN and infinities are returned as they are.
pub(crate) fn to_place(value: f64, place: i64) -> f64 {
    let Some((_, exponent)) = digits_of(value) else { return value };
    rounded(value, i64::from(exponent) + 1 - place)
}

/// The decimal exponent of the first digit of `value`: 2 for 200; none for NaN and infinities.
pub(crate) fn exponent(value: f64) -> Option<i32> {
    digits_of(value).map(|(_, exponent)| exponent)
}

/// `value` rounded to `digits` significant digits. NaN and infinities are returned as they are.
pub fn significant(value: f64, digits: u32) -> f64 {
    rounded(value, i64::from(digits))
}

/// The significant digits of `value` rounded to at most `digits`, without trailing zeros, and the decimal exponent of
/// the first; none for zero, NaN and infinities.
pub(crate) fn significant_digits(value: f64, digits: u32) -> Option<(String, i32)> {
    if value == 0.0 { None } else { digits_of(significant(value, digits)) }
}

/// Shortest digits that read back as `|value|`, and the decimal exponent of the first.
fn digits_of(value: f64) -> Option<(String, i32)> {
    if !value.is_finite() {
        return None;
    }
    let text = format!("{:e}", value.abs());
    let (mantissa, exponent) = text.split_once('e')?;
    Some((mantissa.replace('.', ""), exponent.parse().ok()?))
}

/// `value` with its first `keep` digits kept.
fn rounded(value: f64, keep: i64) -> f64 {
    let Some((digits, exponent)) = digits_of(value) else { return value };
    let keep = match usize::try_from(keep) {
        Ok(keep) if keep >= digits.len() => return value + 0.0,
        Ok(keep) => keep,
        // Below a tenth of the last place.
        Err(_) => return 0.0,
    };
    let (kept, dropped) = digits.split_at(keep);
    let odd = kept.bytes().next_back().is_some_and(|digit| digit % 2 == 1);
    let up = match dropped.as_bytes() {
        [b'5', rest @ ..] if rest.iter().all(|&digit| digit == b'0') => odd,
        [first, ..] => *first >= b'5',
        [] => false,
    };
    // At most 17 digits: fits.
    let kept = kept.parse::<u64>().unwrap_or(0) + u64::from(up);
    let sign = if value < 0.0 && kept > 0 { "-" } else { "" };
    let last_place = i64::from(exponent) + 1 - keep as i64;
    format!("{sign}{kept}e{last_place}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ties_on_the_text_go_to_the_even_digit() {
        for (value, expected) in [
            (0.98046875, 0.9805),
            (0.990234375, 0.9902),
            (0.12345, 0.1234),
            (0.12355, 0.1236),
            (0.123450001, 0.1235),
            (0.00005, 0.0),
            (0.00015, 0.0002),
            (0.000051, 0.0001),
            (0.000049, 0.0),
            (0.0000099, 0.0),
            (0.99995, 1.0),
            (0.99985, 0.9998),
            (1.0, 1.0),
            (0.0, 0.0),
            (-0.12345, -0.1234),
        ] {
            assert_eq!(decimals(value, 4), expected, "{value}");
        }
        assert!(decimals(-0.00001, 4).is_sign_positive());
        assert!(decimals(-0.0, 4).is_sign_positive());
    }

    #[test]
    fn significant_digits_are_kept() {
        for (value, expected) in
            [(98_432.5, 98_400.0), (98_450.0, 98_400.0), (98_550.0, 98_600.0), (999_500.0, 1e6), (7.0, 7.0), (0.0, 0.0)]
        {
            assert_eq!(significant(value, 3), expected, "{value}");
        }
    }

    #[test]
    fn what_is_not_finite_passes() {
        assert!(decimals(f64::NAN, 4).is_nan());
        assert_eq!(significant(f64::INFINITY, 3), f64::INFINITY);
    }

    proptest! {
        #[test]
        fn rounding_is_idempotent_and_near(value in -1e6f64..1e6, places in 1u32..=6) {
            let once = decimals(value, places);
            prop_assert_eq!(decimals(once, places), once);
            // Half a place on the decimal text; the doubles of both texts are each off by half their spacing.
            let spacing = value.abs().max(once.abs()) * f64::EPSILON;
            prop_assert!((once - value).abs() <= 0.5000001 * 10f64.powi(-(places as i32)) + spacing);
        }

        #[test]
        fn any_bits_round_without_panic(bits: u64, digits in 0u32..=20) {
            let value = f64::from_bits(bits);
            decimals(value, digits);
            significant(value, digits);
        }
    }
}
