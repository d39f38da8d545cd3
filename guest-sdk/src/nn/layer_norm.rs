//! Layer normalisation.

use super::lanes::{sum, sum_of, sum_of_pairs};
use super::layer::{Parameter, check_rows};
use super::{Layer, Slot, Visitor, Workspace, check_len};
use crate::Result;

/// PyTorch's default, added to the variance.
const EPSILON: f32 = 1e-5;

/// Layer normalisation (Ba, Kiros, Hinton 2016) as `torch.nn.LayerNorm` computes it, ε 1e-5: every `width` values get mean 0 and
/// variance 1 (divided by `width`, not by one less), then a scale and a shift of their own. Rows of several times `width`
/// values are normalised part by part: of an image with `width` channels, each pixel.
#[derive(Debug, Clone)]
pub struct LayerNorm {
    weight: Parameter,
    bias: Parameter,
}

impl LayerNorm {
    /// Scale 1, shift 0.
    pub fn new(width: usize) -> Self {
        Self { weight: Parameter::new(vec![1.0; width]), bias: Parameter::new(vec![0.0; width]) }
    }

    fn width(&self) -> usize {
        self.weight.values.len()
    }
}

/// Mean and 1 ÷ √(variance + ε).
fn statistics(x: &[f32]) -> (f32, f32) {
    let n = x.len() as f32;
    let mean = sum(x) / n;
    let variance = sum_of(x, |x| (x - mean) * (x - mean)) / n;
    (mean, 1.0 / (variance + EPSILON).sqrt())
}

impl Layer for LayerNorm {
    fn outputs(&self, inputs: usize) -> Result<usize> {
        if self.width() == 0 || !inputs.is_multiple_of(self.width()) {
            return Err(format!("rows of {inputs} values, expected a multiple of {}", self.width()).into());
        }
        Ok(inputs)
    }

    fn forward(&self, _workspace: &mut Workspace, x: &[f32], y: &mut [f32]) -> Result<()> {
        let width = self.width();
        check_rows(x, width, y, width)?;
        for (x, y) in x.chunks_exact(width.max(1)).zip(y.chunks_exact_mut(width.max(1))) {
            let (mean, inverse) = statistics(x);
            for (((y, &x), &w), &b) in y.iter_mut().zip(x).zip(&self.weight.values).zip(&self.bias.values) {
                *y = (x - mean) * inverse * w + b;
            }
        }
        Ok(())
    }

    /// With x̂ the normalised row and g = dy · weight: dx = (g − mean(g) − x̂ · mean(g · x̂)) ÷ √(variance + ε).
    fn backward(
        &mut self,
        _workspace: &mut Workspace,
        x: &[f32],
        _y: &[f32],
        dy: &mut [f32],
        mut dx: Option<&mut [f32]>,
    ) -> Result<()> {
        let width = self.width().max(1);
        check_rows(x, width, dy, width)?;
        if let Some(dx) = &dx {
            check_len("dx", dx, x.len())?;
        }
        let ((weight, by_weight), (_, by_bias)) = (self.weight.cleared(), self.bias.cleared());
        for (row, (x, dy)) in x.chunks_exact(width).zip(dy.chunks_exact_mut(width)).enumerate() {
            let (mean, inverse) = statistics(x);
            for (((g, &x), w), b) in dy.iter_mut().zip(x).zip(by_weight.iter_mut()).zip(by_bias.iter_mut()) {
                *w += *g * ((x - mean) * inverse);
                *b += *g;
            }
            let Some(dx) = &mut dx else { continue };
            for (g, &w) in dy.iter_mut().zip(weight) {
                *g *= w;
            }
            let n = width as f32;
            let along = sum_of_pairs(dy, x, |g, x| g * ((x - mean) * inverse)) / n;
            let average = sum(dy) / n;
            for ((dx, &g), &x) in dx[row * width..][..width].iter_mut().zip(&*dy).zip(x) {
                *dx = inverse * (g - average - (x - mean) * inverse * along);
            }
        }
        Ok(())
    }

    fn tensors(&self, visit: &mut Visitor<'_>) {
        visit("weight", &[self.width()], &self.weight.values);
        visit("bias", &[self.width()], &self.bias.values);
    }

    fn slots(&mut self, visit: &mut dyn FnMut(Slot<'_>)) {
        visit(self.weight.slot());
        visit(self.bias.slot());
    }
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn gradients_agree_with_finite_differences() -> Result<()> {
        check::layer(&mut LayerNorm::new(11), 11, 3)?;
        check::layer(&mut LayerNorm::new(5), 10, 3)
    }

    #[test]
    fn a_row_comes_out_as_the_formula_says() -> Result<()> {
        let mut layer = LayerNorm::new(4);
        layer.weight.values = vec![1.0, 1.0, 2.0, 1.0];
        layer.bias.values = vec![0.0, 0.0, 0.0, 10.0];
        // Mean 5, variance (9 + 1 + 1 + 9) / 4 = 5.
        let (x, mut y) = ([2.0, 4.0, 6.0, 8.0], [0.0; 4]);
        layer.forward(&mut Workspace::default(), &x, &mut y)?;
        let root = 5.00001_f32.sqrt();
        for (y, expected) in y.into_iter().zip([-3.0 / root, -1.0 / root, 2.0 / root, 10.0 + 3.0 / root]) {
            assert!((y - expected).abs() < 1e-6, "{y}, expected {expected}");
        }
        Ok(())
    }

    #[test]
    fn rows_are_multiples_of_the_width() {
        assert_eq!(LayerNorm::new(4).outputs(12), Ok(12));
        assert!(LayerNorm::new(4).outputs(6).is_err());
        assert!(LayerNorm::new(0).outputs(0).is_err());
    }
}
