//! Elementwise functions.

use super::check_len;
use crate::Result;

/// max(x, 0) in place. A NaN stays one.
pub fn relu(values: &mut [f32]) {
    for x in values {
        *x = if *x <= 0.0 { 0.0 } else { *x };
    }
}

/// Turns the gradient after [`relu`] into the one before it, in place: 0 wherever `output`, what [`relu`] gave, is 0.
///
/// # Errors
/// The slices differ in length.
pub fn relu_backward(output: &[f32], gradient: &mut [f32]) -> Result<()> {
    check_len("gradient", gradient, output.len())?;
    for (g, &y) in gradient.iter_mut().zip(output) {
        *g = if y <= 0.0 { 0.0 } else { *g };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradient_passes_where_the_output_is_positive() -> Result<()> {
        let mut values = [-1.0, 0.0, 2.0];
        relu(&mut values);
        assert_eq!(values, [0.0, 0.0, 2.0]);
        let mut gradient = [5.0; 3];
        relu_backward(&values, &mut gradient)?;
        assert_eq!(gradient, [0.0, 0.0, 5.0]);
        Ok(())
    }
}
