//! Elementwise functions.

use super::exp::{sigmoid, tanh};
use super::{Layer, Workspace, check_len};
use crate::Result;

/// What a layer applies to every value. As a [`Layer`] it is one of its own; [`Dense`](super::Dense) has one built in.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Activation {
    /// x.
    #[default]
    Identity,
    /// max(x, 0).
    Relu,
    /// x where it is positive, else this slope (between 0 and 1) times x; PyTorch's default is 0.01.
    LeakyRelu(f32),
    /// The hyperbolic tangent.
    Tanh,
    /// 1 ÷ (1 + e^−x).
    Sigmoid,
    /// GELU (Hendrycks, Gimpel 2016) in its tanh form, `approximate="tanh"` in PyTorch:
    /// ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))).
    Gelu,
    /// SiLU, also called swish: x ÷ (1 + e^−x).
    Silu,
}

/// 2 √(2/π): ½ (1 + tanh u) is the sigmoid of 2u, which costs one exponential and does not cancel.
const GELU_SCALE: f32 = 1.595_769;
const GELU_CUBE: f32 = 0.044_715;

impl Activation {
    /// Applies the function in place.
    pub fn apply(self, values: &mut [f32]) {
        match self {
            Self::Identity => {}
            Self::Relu => relu(values),
            Self::LeakyRelu(slope) => map(values, |x| if x <= 0.0 { slope * x } else { x }),
            Self::Tanh => map(values, tanh),
            Self::Sigmoid => map(values, sigmoid),
            Self::Gelu => map(values, |x| x * sigmoid(gelu_argument(x))),
            Self::Silu => map(values, |x| x * sigmoid(x)),
        }
    }

    /// Turns the gradient after the function into the one before it, in place. `x` is what went in, `y` what came out; of the
    /// two only one is looked at: x if [`Activation::needs_input`], else y.
    ///
    /// # Errors
    /// The slice that is looked at differs in length from `gradient`.
    pub fn backward(self, x: &[f32], y: &[f32], gradient: &mut [f32]) -> Result<()> {
        let seen = if self.needs_input() { x } else { y };
        if self != Self::Identity {
            check_len("activation", seen, gradient.len())?;
        }
        match self {
            Self::Identity => {}
            Self::Relu => scale(gradient, seen, |g, y| if y <= 0.0 { 0.0 } else { g }),
            Self::LeakyRelu(slope) => scale(gradient, seen, |g, y| if y <= 0.0 { slope * g } else { g }),
            Self::Tanh => scale(gradient, seen, |g, y| g * (1.0 - y * y)),
            Self::Sigmoid => scale(gradient, seen, |g, y| g * (y * (1.0 - y))),
            Self::Gelu => scale(gradient, seen, |g, x| {
                let s = sigmoid(gelu_argument(x));
                let inner = GELU_SCALE * (1.0 + 3.0 * GELU_CUBE * (x * x));
                g * (s + x * inner * (s * (1.0 - s)))
            }),
            Self::Silu => scale(gradient, seen, |g, x| {
                let s = sigmoid(x);
                g * (s + x * (s * (1.0 - s)))
            }),
        }
        Ok(())
    }

    /// Whether [`Activation::backward`] looks at what went in; the derivatives of the others follow from what came out.
    pub fn needs_input(self) -> bool {
        matches!(self, Self::Gelu | Self::Silu)
    }
}

#[inline(always)]
fn gelu_argument(x: f32) -> f32 {
    GELU_SCALE * (x + GELU_CUBE * (x * x) * x)
}

#[inline(always)]
fn map(values: &mut [f32], f: impl Fn(f32) -> f32) {
    for x in values {
        *x = f(*x);
    }
}

#[inline(always)]
fn scale(gradient: &mut [f32], seen: &[f32], f: impl Fn(f32, f32) -> f32) {
    for (g, &seen) in gradient.iter_mut().zip(seen) {
        *g = f(*g, seen);
    }
}

impl Layer for Activation {
    fn outputs(&self, inputs: usize) -> Result<usize> {
        Ok(inputs)
    }

    fn forward(&self, _workspace: &mut Workspace, x: &[f32], y: &mut [f32]) -> Result<()> {
        check_len("y", y, x.len())?;
        y.copy_from_slice(x);
        self.apply(y);
        Ok(())
    }

    fn backward(
        &mut self,
        _workspace: &mut Workspace,
        x: &[f32],
        y: &[f32],
        dy: &mut [f32],
        dx: Option<&mut [f32]>,
    ) -> Result<()> {
        let Some(dx) = dx else { return Ok(()) };
        check_len("dx", dx, dy.len())?;
        dx.copy_from_slice(dy);
        Self::backward(*self, x, y, dx)
    }
}

/// max(x, 0) in place. A NaN stays one.
pub fn relu(values: &mut [f32]) {
    map(values, |x| if x <= 0.0 { 0.0 } else { x });
}

/// Turns the gradient after [`relu`] into the one before it, in place: 0 wherever `output`, what [`relu`] gave, is 0.
///
/// # Errors
/// The slices differ in length.
pub fn relu_backward(output: &[f32], gradient: &mut [f32]) -> Result<()> {
    Activation::Relu.backward(&[], output, gradient)
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;
    use crate::Rng;

    const ALL: [Activation; 7] = [
        Activation::Identity,
        Activation::Relu,
        Activation::LeakyRelu(0.1),
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Gelu,
        Activation::Silu,
    ];

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

    #[test]
    fn values_agree_with_the_formulas_in_f64() {
        let exact = |activation, x: f64| match activation {
            Activation::Identity => x,
            Activation::Relu => x.max(0.0),
            Activation::LeakyRelu(slope) => x.max(f64::from(slope) * x),
            Activation::Tanh => libm::tanh(x),
            Activation::Sigmoid => 1.0 / (1.0 + libm::exp(-x)),
            Activation::Gelu => {
                0.5 * x * (1.0 + libm::tanh((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x)))
            }
            Activation::Silu => x / (1.0 + libm::exp(-x)),
        };
        let mut rng = Rng::seeded(1);
        for activation in ALL {
            let xs: Vec<f32> = (0..1000).map(|_| 3.0 * rng.normal()).collect();
            let mut ys = xs.clone();
            activation.apply(&mut ys);
            for (&x, y) in xs.iter().zip(ys) {
                let expected = exact(activation, f64::from(x));
                assert!((f64::from(y) - expected).abs() < 1e-6 * (1.0 + expected.abs()), "{activation:?} of {x}: {y}");
            }
        }
    }

    #[test]
    fn gradients_agree_with_finite_differences() -> Result<()> {
        for activation in ALL {
            check::layer(&mut activation.clone(), 10, 3)?;
        }
        Ok(())
    }

    #[test]
    fn a_value_alone_has_the_bits_it_has_among_others() {
        let mut rng = Rng::seeded(2);
        let xs: Vec<f32> = (0..37).map(|_| 3.0 * rng.normal()).collect();
        for activation in ALL {
            let mut all = xs.clone();
            activation.apply(&mut all);
            for (&x, expected) in xs.iter().zip(all) {
                let mut alone = [x];
                activation.apply(&mut alone);
                assert_eq!(alone[0].to_bits(), expected.to_bits(), "{activation:?} of {x}");
            }
        }
    }

    #[test]
    fn lengths_must_agree() {
        assert!(relu_backward(&[0.0; 2], &mut [0.0; 3]).is_err());
        assert!(Activation::Gelu.backward(&[0.0; 2], &[0.0; 3], &mut [0.0; 3]).is_err());
    }
}
