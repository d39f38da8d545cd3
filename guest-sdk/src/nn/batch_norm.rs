//! Batch normalisation.

use super::lanes::add;
use super::layer::{Parameter, check_rows, grown};
use super::{Affine, Layer, Slot, Visitor, Workspace, check_len};
use crate::Result;

/// PyTorch's defaults: added to the variance, and the share of the latest batch in the running statistics.
const EPSILON: f32 = 1e-5;
const MOMENTUM: f32 = 0.1;

/// Batch normalisation (Ioffe, Szegedy 2015) as `torch.nn.BatchNorm1d` and `BatchNorm2d` compute it, ε 1e-5, momentum 0.1.
///
/// Values are grouped by channel, which runs fastest: value i of x belongs to channel i mod `channels`, so a row is one value
/// per channel or an image of pixels. In training each channel gets mean 0 and variance 1 over the batch, then a scale and a
/// shift; meanwhile running averages of mean and (unbiased) variance take in a tenth of the batch's. When predicting, the running
/// averages stand in for the batch: the layer is an affine map per channel, and the layer before it can
/// [take it over](super::Sequential::folded).
///
/// The running averages are parameters that survive: four tensors of `channels` values, none when folded.
#[derive(Debug, Clone)]
pub struct BatchNorm {
    weight: Parameter,
    bias: Parameter,
    running_mean: Vec<f32>,
    running_variance: Vec<f32>,
    /// Of the batch in training: mean, and 1 ÷ √(variance + ε).
    mean: Vec<f32>,
    inverse: Vec<f32>,
}

impl BatchNorm {
    /// Scale 1, shift 0, running mean 0 and variance 1.
    pub fn new(channels: usize) -> Self {
        let (zeros, ones) = (vec![0.0; channels], vec![1.0; channels]);
        Self {
            weight: Parameter::new(ones.clone()),
            bias: Parameter::new(zeros.clone()),
            running_mean: zeros.clone(),
            running_variance: ones.clone(),
            mean: zeros,
            inverse: ones,
        }
    }

    fn channels(&self) -> usize {
        self.weight.values.len()
    }

    /// Writes the map of prediction to `scale` and `shift`.
    fn write_affine(&self, scale: &mut [f32], shift: &mut [f32]) {
        let parameters = self.weight.values.iter().zip(&self.bias.values);
        let running = self.running_mean.iter().zip(&self.running_variance);
        for ((scale, shift), ((&weight, &bias), (&mean, &variance))) in
            scale.iter_mut().zip(shift).zip(parameters.zip(running))
        {
            *scale = weight / (variance + EPSILON).sqrt();
            *shift = bias - mean * *scale;
        }
    }

    /// Takes the statistics of `x`, `n` values per channel, and moves the running averages.
    fn measure(&mut self, x: &[f32], n: usize) {
        let channels = self.channels().max(1);
        let Self { mean, inverse: squares, running_mean, running_variance, .. } = self;
        mean.fill(0.0);
        squares.fill(0.0);
        for x in x.chunks_exact(channels) {
            add(mean, x);
        }
        let share = 1.0 / n as f32;
        mean.iter_mut().for_each(|mean| *mean *= share);
        for x in x.chunks_exact(channels) {
            for ((square, &x), &mean) in squares.iter_mut().zip(x).zip(&*mean) {
                *square += (x - mean) * (x - mean);
            }
        }
        let unbiased = 1.0 / (n - 1) as f32;
        for ((running, &mean), (running_variance, square)) in
            running_mean.iter_mut().zip(&*mean).zip(running_variance.iter_mut().zip(squares))
        {
            *running = (1.0 - MOMENTUM) * *running + MOMENTUM * mean;
            *running_variance = (1.0 - MOMENTUM) * *running_variance + MOMENTUM * (*square * unbiased);
            *square = 1.0 / (*square * share + EPSILON).sqrt();
        }
    }
}

impl Layer for BatchNorm {
    fn outputs(&self, inputs: usize) -> Result<usize> {
        if self.channels() == 0 || !inputs.is_multiple_of(self.channels()) {
            return Err(format!("rows of {inputs} values, expected a multiple of {}", self.channels()).into());
        }
        Ok(inputs)
    }

    fn forward(&self, workspace: &mut Workspace, x: &[f32], y: &mut [f32]) -> Result<()> {
        let channels = self.channels();
        check_rows(x, channels, y, channels)?;
        let [scale, shift, _] = workspace.scratch.each_mut();
        let (scale, shift) = (grown(scale, channels), grown(shift, channels));
        self.write_affine(scale, shift);
        for (x, y) in x.chunks_exact(channels.max(1)).zip(y.chunks_exact_mut(channels.max(1))) {
            for (((y, &x), &scale), &shift) in y.iter_mut().zip(x).zip(&*scale).zip(&*shift) {
                *y = x * scale + shift;
            }
        }
        Ok(())
    }

    /// # Errors
    /// As [`Layer::train`]; also when the batch has less than two values per channel, of which there is no variance.
    fn train(&mut self, _workspace: &mut Workspace, x: &[f32], y: &mut [f32]) -> Result<()> {
        let channels = self.channels();
        let n = check_rows(x, channels, y, channels)?;
        if n < 2 {
            return Err(format!("a batch of {n} values per channel, expected at least 2").into());
        }
        self.measure(x, n);
        for (x, y) in x.chunks_exact(channels.max(1)).zip(y.chunks_exact_mut(channels.max(1))) {
            let statistics = self.mean.iter().zip(&self.inverse);
            let parameters = self.weight.values.iter().zip(&self.bias.values);
            for (((y, &x), (&mean, &inverse)), (&weight, &bias)) in y.iter_mut().zip(x).zip(statistics).zip(parameters)
            {
                *y = (x - mean) * inverse * weight + bias;
            }
        }
        Ok(())
    }

    /// With x̂ the normalised values and n of them per channel:
    /// dx = weight ÷ √(variance + ε) · (dy − mean(dy) − x̂ · mean(dy · x̂)).
    fn backward(
        &mut self,
        _workspace: &mut Workspace,
        x: &[f32],
        _y: &[f32],
        dy: &mut [f32],
        dx: Option<&mut [f32]>,
    ) -> Result<()> {
        let channels = self.channels().max(1);
        let n = check_rows(x, channels, dy, channels)?;
        let Self { weight, bias, mean, inverse, .. } = self;
        let ((weight, by_weight), (_, by_bias)) = (weight.cleared(), bias.cleared());
        for (x, dy) in x.chunks_exact(channels).zip(dy.chunks_exact(channels)) {
            add(by_bias, dy);
            for (((sum, &g), &x), (&mean, &inverse)) in
                by_weight.iter_mut().zip(dy).zip(x).zip(mean.iter().zip(&*inverse))
            {
                *sum += g * ((x - mean) * inverse);
            }
        }
        let Some(dx) = dx else { return Ok(()) };
        check_len("dx", dx, x.len())?;
        let share = 1.0 / n as f32;
        for ((x, dy), dx) in x.chunks_exact(channels).zip(dy.chunks_exact(channels)).zip(dx.chunks_exact_mut(channels))
        {
            let statistics = mean.iter().zip(&*inverse).zip(weight);
            let sums = by_weight.iter().zip(&*by_bias);
            for ((((dx, &g), &x), ((&mean, &inverse), &weight)), (&along, &sum)) in
                dx.iter_mut().zip(dy).zip(x).zip(statistics).zip(sums)
            {
                *dx = weight * inverse * (g - share * (sum + (x - mean) * inverse * along));
            }
        }
        Ok(())
    }

    fn tensors(&self, visit: &mut Visitor<'_>) {
        let shape = [self.channels()];
        visit("weight", &shape, &self.weight.values);
        visit("bias", &shape, &self.bias.values);
        visit("running_mean", &shape, &self.running_mean);
        visit("running_var", &shape, &self.running_variance);
    }

    fn slots(&mut self, visit: &mut dyn FnMut(Slot<'_>)) {
        visit(self.weight.slot());
        visit(self.bias.slot());
        visit(Slot { values: &mut self.running_mean, gradient: None });
        visit(Slot { values: &mut self.running_variance, gradient: None });
    }

    fn affine(&self) -> Option<Affine> {
        let mut affine = Affine { scale: vec![0.0; self.channels()], shift: vec![0.0; self.channels()] };
        self.write_affine(&mut affine.scale, &mut affine.shift);
        Some(affine)
    }
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn gradients_agree_with_finite_differences() -> Result<()> {
        check::layer(&mut BatchNorm::new(5), 5, 6)?;
        check::layer(&mut BatchNorm::new(3), 12, 2)
    }

    #[test]
    fn training_normalises_and_moves_the_running_averages() -> Result<()> {
        let mut layer = BatchNorm::new(2);
        // Channel 0: mean 2, biased variance 2/3, unbiased 1. Channel 1: mean 10, variances 0.
        let (x, mut y) = ([1.0, 10.0, 2.0, 10.0, 3.0, 10.0], [9.0; 6]);
        layer.train(&mut Workspace::default(), &x, &mut y)?;
        let side = (2.0_f32 / 3.0 + 1e-5).sqrt().recip();
        for (y, expected) in y.into_iter().zip([-side, 0.0, 0.0, 0.0, side, 0.0]) {
            assert!((y - expected).abs() < 1e-6, "{y}, expected {expected}");
        }
        // 0.9 · 0 + 0.1 · mean; 0.9 · 1 + 0.1 · unbiased variance.
        assert_eq!((&layer.running_mean[..], &layer.running_variance[..]), (&[0.2, 1.0][..], &[1.0, 0.9][..]));
        Ok(())
    }

    #[test]
    fn prediction_uses_the_running_averages() -> Result<()> {
        let mut layer = BatchNorm::new(1);
        (layer.running_mean, layer.running_variance) = (vec![3.0], vec![4.0]);
        (layer.weight.values, layer.bias.values) = (vec![2.0], vec![0.5]);
        let mut y = [0.0; 2];
        layer.forward(&mut Workspace::default(), &[3.0, 7.0], &mut y)?;
        assert!((y[0] - 0.5).abs() < 1e-6 && (y[1] - 4.5).abs() < 1e-4, "{y:?}");
        Ok(())
    }

    #[test]
    fn one_value_has_no_variance() {
        let mut layer = BatchNorm::new(2);
        let error = layer.train(&mut Workspace::default(), &[1.0, 2.0], &mut [0.0; 2]);
        assert_eq!(
            error.map_err(|error| error.to_string()),
            Err("a batch of 1 values per channel, expected at least 2".to_owned())
        );
    }
}
