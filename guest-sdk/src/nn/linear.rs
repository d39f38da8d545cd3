//! The fully connected layer.

use super::{Affine, Gemm, Orientation, Shape, check_len};
use crate::{Result, Rng};

/// y = x · Wᵀ + b, with `weight` outputs × inputs as in PyTorch.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    inputs: usize,
    outputs: usize,
    weight: Vec<f32>,
    bias: Vec<f32>,
}

/// The gradient of a loss by a [`Linear`]'s weight and bias.
#[derive(Debug, Clone)]
pub struct LinearGradients {
    weight: Vec<f32>,
    bias: Vec<f32>,
    /// The weight's is 0: what comes next need not be added, it can be put there.
    clear: bool,
}

impl PartialEq for LinearGradients {
    fn eq(&self, other: &Self) -> bool {
        self.weight == other.weight && self.bias == other.bias
    }
}

impl Linear {
    /// A layer with PyTorch's default initialisation (Kaiming uniform with a = √5): weight and bias uniform on
    /// ±1 ÷ √inputs. Draws the weight first, row by row.
    pub fn new(inputs: usize, outputs: usize, rng: &mut Rng) -> Self {
        let bound = 1.0 / (inputs as f32).sqrt();
        let mut draw = |n| (0..n).map(|_| rng.uniform(-bound, bound)).collect();
        Self { inputs, outputs, weight: draw(outputs * inputs), bias: draw(outputs) }
    }

    /// A layer of zeros.
    pub fn zeros(inputs: usize, outputs: usize) -> Self {
        Self { inputs, outputs, weight: vec![0.0; outputs * inputs], bias: vec![0.0; outputs] }
    }

    /// A layer of given numbers: `weight` outputs × inputs, `bias` outputs.
    ///
    /// # Errors
    /// `weight` does not have `inputs` × `bias.len()` values.
    pub fn from_parts(inputs: usize, weight: Vec<f32>, bias: Vec<f32>) -> Result<Self> {
        check_len("weight", &weight, inputs.saturating_mul(bias.len()))?;
        Ok(Self { inputs, outputs: bias.len(), weight, bias })
    }

    /// Values in a row of x.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Values in a row of y.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// W, outputs × inputs.
    pub fn weight(&self) -> &[f32] {
        &self.weight
    }

    /// b.
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// W and b, to be changed in place.
    pub fn parts_mut(&mut self) -> (&mut [f32], &mut [f32]) {
        (&mut self.weight, &mut self.bias)
    }

    /// Takes over an affine map of its outputs: W and b become those of scale · (x · Wᵀ + b) + shift. So a trained
    /// [`BatchNorm`](super::BatchNorm) behind the layer costs nothing when predicting. The new layer gives the same results
    /// but for rounding.
    ///
    /// # Errors
    /// The map does not have one channel per output.
    pub fn absorb(&mut self, affine: &Affine) -> Result<()> {
        check_len("scale", &affine.scale, self.outputs)?;
        check_len("shift", &affine.shift, self.outputs)?;
        for (row, &scale) in self.weight.chunks_exact_mut(self.inputs.max(1)).zip(&affine.scale) {
            for w in row {
                *w *= scale;
            }
        }
        for ((b, &scale), &shift) in self.bias.iter_mut().zip(&affine.scale).zip(&affine.shift) {
            *b = scale * *b + shift;
        }
        Ok(())
    }

    /// Writes x · Wᵀ + b to `y`; the rows are as many as `y` holds.
    ///
    /// # Errors
    /// `x` and `y` are not whole rows, or not the same number of them.
    pub fn forward(&self, gemm: &mut Gemm, x: &[f32], y: &mut [f32]) -> Result<()> {
        let m = self.rows(y)?;
        for y in y.chunks_exact_mut(self.outputs.max(1)) {
            y.copy_from_slice(&self.bias);
        }
        gemm.abt(Shape { m, n: self.outputs, k: self.inputs }, x, &self.weight, y)
    }

    /// Gradients of 0, of this layer's size.
    pub fn gradients(&self) -> LinearGradients {
        LinearGradients { weight: vec![0.0; self.weight.len()], bias: vec![0.0; self.bias.len()], clear: true }
    }

    /// Adds the gradients by weight and bias, of `dy` (the gradient by y) at `x`, to `gradients`.
    ///
    /// # Errors
    /// `x` and `dy` are not whole rows, or not the same number of them.
    pub fn backward(&self, gemm: &mut Gemm, x: &[f32], dy: &[f32], gradients: &mut LinearGradients) -> Result<()> {
        let k = self.rows(dy)?;
        let shape = Shape { m: self.outputs, n: self.inputs, k };
        if gradients.clear {
            gemm.add_product_to_zeros(Orientation::Atb, shape, dy, x, &mut gradients.weight)?;
            gradients.clear = false;
        } else {
            gemm.atb(shape, dy, x, &mut gradients.weight)?;
        }
        check_len("bias gradient", &gradients.bias, self.outputs)?;
        for dy in dy.chunks_exact(self.outputs.max(1)) {
            for (sum, g) in gradients.bias.iter_mut().zip(dy) {
                *sum += g;
            }
        }
        Ok(())
    }

    /// Writes the gradient by x to `dx`, from `dy`, the gradient by y. The first layer of a network needs none.
    ///
    /// # Errors
    /// `dx` and `dy` are not whole rows, or not the same number of them.
    pub fn backward_input(&self, gemm: &mut Gemm, dy: &[f32], dx: &mut [f32]) -> Result<()> {
        let m = self.rows(dy)?;
        dx.fill(0.0);
        gemm.ab(Shape { m, n: self.inputs, k: self.outputs }, dy, &self.weight, dx)
    }

    /// The layer's numbers with their gradients, in the form an optimiser takes them: weight, bias.
    pub fn updates<'a>(&'a mut self, gradients: &'a LinearGradients) -> [(&'a mut [f32], &'a [f32]); 2] {
        [(&mut self.weight, &gradients.weight), (&mut self.bias, &gradients.bias)]
    }

    /// Rows of y.
    fn rows(&self, y: &[f32]) -> Result<usize> {
        let rows = y.len() / self.outputs.max(1);
        check_len("y", y, rows * self.outputs)?;
        Ok(rows)
    }
}

impl LinearGradients {
    /// Sets all to 0, for the next step.
    pub fn clear(&mut self) {
        self.weight.fill(0.0);
        self.bias.fill(0.0);
        self.clear = true;
    }

    /// By W and b, to be changed in place (clipped, for instance).
    pub fn parts_mut(&mut self) -> (&mut [f32], &mut [f32]) {
        self.clear = false;
        (&mut self.weight, &mut self.bias)
    }

    /// By W, outputs × inputs.
    pub fn weight(&self) -> &[f32] {
        &self.weight
    }

    /// By b.
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A loss that is linear in y, so that only the layer itself is on trial: Σ c · y.
    fn loss(layer: &Linear, x: &[f32], c: &[f32]) -> Result<f64> {
        let mut y = vec![0.0; c.len()];
        layer.forward(&mut Gemm::new(), x, &mut y)?;
        Ok(y.iter().zip(c).map(|(y, c)| f64::from(y * c)).sum())
    }

    #[test]
    fn gradients_agree_with_finite_differences() -> Result<()> {
        let (inputs, outputs, rows) = (5, 3, 4);
        let mut rng = Rng::seeded(1);
        let layer = Linear::new(inputs, outputs, &mut rng);
        let mut draw = |n| (0..n).map(|_| rng.normal()).collect::<Vec<_>>();
        let (x, c) = (draw(rows * inputs), draw(rows * outputs));

        let (mut gemm, mut gradients, mut dx) = (Gemm::new(), layer.gradients(), vec![9.0; x.len()]);
        layer.backward(&mut gemm, &x, &c, &mut gradients)?;
        layer.backward_input(&mut gemm, &c, &mut dx)?;

        let step = 0.125;
        let difference = |nudge: &dyn Fn(&mut Linear, &mut [f32], f32)| -> Result<f32> {
            let at = |step| {
                let (mut layer, mut x) = (layer.clone(), x.clone());
                nudge(&mut layer, &mut x, step);
                loss(&layer, &x, &c)
            };
            Ok(((at(step)? - at(-step)?) / f64::from(2.0 * step)) as f32)
        };
        let near = |gradient: f32, difference: f32| {
            assert!((gradient - difference).abs() < 1e-5, "{gradient} against {difference}");
        };
        for (i, &g) in gradients.weight().iter().enumerate() {
            near(g, difference(&|layer, _, step| layer.weight[i] += step)?);
        }
        for (i, &g) in gradients.bias().iter().enumerate() {
            near(g, difference(&|layer, _, step| layer.bias[i] += step)?);
        }
        for (i, &g) in dx.iter().enumerate() {
            near(g, difference(&|_, x, step| x[i] += step)?);
        }
        Ok(())
    }

    #[test]
    fn gradients_add_up_until_cleared() -> Result<()> {
        let layer = Linear::from_parts(1, vec![2.0], vec![0.0])?;
        let (mut gemm, mut gradients) = (Gemm::new(), layer.gradients());
        for _ in 0..2 {
            layer.backward(&mut gemm, &[3.0], &[1.0], &mut gradients)?;
        }
        assert_eq!((gradients.weight(), gradients.bias()), (&[6.0][..], &[2.0][..]));
        gradients.clear();
        assert_eq!(gradients, layer.gradients());
        Ok(())
    }

    #[test]
    fn initial_values_fill_the_range_of_the_rule() {
        let layer = Linear::new(100, 50, &mut Rng::seeded(1));
        let largest = layer.weight().iter().fold(0.0_f32, |largest, w| largest.max(w.abs()));
        assert!((0.099..=0.1).contains(&largest), "{largest}");
        // Variance of U(−b, b) is b²/3; standard error of its estimate from 5000 draws is 1.3 %.
        let variance = layer.weight().iter().map(|w| w * w).sum::<f32>() / 5000.0;
        assert!((variance / (0.01 / 3.0) - 1.0).abs() < 0.05, "{variance}");
        assert!(layer.bias().iter().any(|&b| b != 0.0));
    }

    #[test]
    fn rows_must_be_whole_and_equal() -> Result<()> {
        let layer = Linear::from_parts(2, vec![0.0; 6], vec![0.0; 3])?;
        let mut gemm = Gemm::new();
        assert!(layer.forward(&mut gemm, &[0.0; 4], &mut [0.0; 6]).is_ok());
        assert!(layer.forward(&mut gemm, &[0.0; 4], &mut [0.0; 5]).is_err());
        assert!(layer.forward(&mut gemm, &[0.0; 5], &mut [0.0; 6]).is_err());
        assert!(layer.backward_input(&mut gemm, &[0.0; 3], &mut [0.0; 1]).is_err());
        assert!(Linear::from_parts(2, vec![0.0; 5], vec![0.0; 3]).is_err());
        Ok(())
    }
}
