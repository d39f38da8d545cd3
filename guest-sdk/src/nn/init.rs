//! Where training starts.

use crate::Rng;

/// A rule for the first values of weights, by the inputs (`fan_in`) and outputs (`fan_out`) that each value of a result or an
/// input is connected with. Formulas as in `torch.nn.init`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Init {
    /// What PyTorch's layers do by themselves, Kaiming uniform with a = √5: weight and bias uniform on ±1 ÷ √fan_in.
    #[default]
    Default,
    /// He et al. 2015, for ReLU: normal with standard deviation √(2 ÷ fan_in). Bias 0.
    KaimingNormal,
    /// The same variance, uniform on ±√(6 ÷ fan_in). Bias 0.
    KaimingUniform,
    /// Glorot, Bengio 2010: normal with standard deviation √(2 ÷ (fan_in + fan_out)). Bias 0.
    XavierNormal,
    /// The same variance, uniform on ±√(6 ÷ (fan_in + fan_out)). Bias 0.
    XavierUniform,
    /// Normal with this standard deviation. Bias 0.
    Normal(f32),
}

impl Init {
    /// Fills `weight`, then `bias`, in order.
    pub fn fill(self, weight: &mut [f32], bias: &mut [f32], fan_in: usize, fan_out: usize, rng: &mut Rng) {
        let (fan_in, both) = (fan_in.max(1) as f32, fan_in.saturating_add(fan_out).max(1) as f32);
        match self {
            Self::Default => {
                let bound = 1.0 / fan_in.sqrt();
                uniform(weight, bound, rng);
                return uniform(bias, bound, rng);
            }
            Self::KaimingNormal => normal(weight, (2.0 / fan_in).sqrt(), rng),
            Self::KaimingUniform => uniform(weight, (6.0 / fan_in).sqrt(), rng),
            Self::XavierNormal => normal(weight, (2.0 / both).sqrt(), rng),
            Self::XavierUniform => uniform(weight, (6.0 / both).sqrt(), rng),
            Self::Normal(deviation) => normal(weight, deviation, rng),
        }
        bias.fill(0.0);
    }
}

fn uniform(values: &mut [f32], bound: f32, rng: &mut Rng) {
    values.fill_with(|| rng.uniform(-bound, bound));
}

fn normal(values: &mut [f32], deviation: f32, rng: &mut Rng) {
    values.fill_with(|| deviation * rng.normal());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Linear;

    /// Variance and largest absolute value of 20,000 weights, fan_in 50 and fan_out 150.
    fn spread(init: Init) -> (f32, f32) {
        let (mut weight, mut bias) = (vec![0.0; 20_000], vec![9.0; 10]);
        init.fill(&mut weight, &mut bias, 50, 150, &mut Rng::seeded(1));
        assert_eq!(bias.iter().all(|&b| b == 0.0), init != Init::Default, "{init:?}");
        let variance = weight.iter().map(|w| w * w).sum::<f32>() / 20_000.0;
        (variance, weight.iter().fold(0.0, |largest, w| largest.max(w.abs())))
    }

    #[test]
    fn variances_and_bounds_are_those_of_the_rules() {
        // Standard error of the variance of 20,000 draws is 1 % (normal) or 0.6 % (uniform).
        for (init, variance, bound) in [
            (Init::Default, 1.0 / 150.0, Some(0.02_f32.sqrt())),
            (Init::KaimingNormal, 2.0 / 50.0, None),
            (Init::KaimingUniform, 2.0 / 50.0, Some(0.12_f32.sqrt())),
            (Init::XavierNormal, 2.0 / 200.0, None),
            (Init::XavierUniform, 2.0 / 200.0, Some(0.03_f32.sqrt())),
            (Init::Normal(0.5), 0.25, None),
        ] {
            let (actual, largest) = spread(init);
            assert!((actual / variance - 1.0).abs() < 0.04, "{init:?}: variance {actual}, expected {variance}");
            if let Some(bound) = bound {
                assert!((0.999 * bound..=bound).contains(&largest), "{init:?}: {largest} of {bound}");
            }
        }
    }

    #[test]
    fn the_default_is_what_a_new_linear_layer_draws() {
        let layer = Linear::new(7, 3, &mut Rng::seeded(4));
        let (mut weight, mut bias) = ([0.0; 21], [0.0; 3]);
        Init::Default.fill(&mut weight, &mut bias, 7, 3, &mut Rng::seeded(4));
        assert_eq!((layer.weight(), layer.bias()), (&weight[..], &bias[..]));
    }
}
