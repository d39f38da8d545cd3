//! A random rotation of feature space, which hides what each input once was.

use crate::stream::Stream;

/// An orthogonal matrix, uniform over all of them: the Gram-Schmidt basis of a Gaussian matrix (Stewart, "The efficient generation of
/// random orthogonal matrices", SIAM J. Numer. Anal. 17, 1980, for why that is uniform).
pub(crate) struct Rotation {
    dim: usize,
    /// One column after the other.
    columns: Vec<f64>,
}

impl Rotation {
    /// Draws a rotation of `dim` features.
    pub(crate) fn draw(stream: &mut Stream, dim: usize) -> Self {
        let mut columns: Vec<f64> = (0..dim * dim).map(|_| stream.normal()).collect();
        for index in 0..dim {
            let (done, rest) = columns.split_at_mut(index * dim);
            let column = &mut rest[..dim];
            for earlier in done.chunks_exact(dim) {
                let overlap = dot(earlier, column);
                add(column, -overlap, earlier);
            }
            // Never 0 in practice: it would take a Gaussian vector inside the span of the earlier ones.
            let norm = libm::sqrt(dot(column, column)).max(f64::MIN_POSITIVE);
            for value in column {
                *value /= norm;
            }
        }
        Self { dim, columns }
    }

    /// The rotated vector. Each output is one sum over the inputs in their order.
    pub(crate) fn apply(&self, input: &[f64]) -> Vec<f64> {
        let mut output = vec![0.0; self.dim];
        for (&value, column) in input.iter().zip(self.columns.chunks_exact(self.dim)) {
            add(&mut output, value, column);
        }
        output
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `target += factor × source`
fn add(target: &mut [f64], factor: f64, source: &[f64]) {
    for (target, source) in target.iter_mut().zip(source) {
        *target += factor * source;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_angles_are_kept() {
        let mut stream = Stream::new([3; 32]);
        let rotation = Rotation::draw(&mut stream, 96);
        let mut vector = || (0..96).map(|_| stream.normal()).collect::<Vec<f64>>();
        let (a, b) = (vector(), vector());
        let (turned_a, turned_b) = (rotation.apply(&a), rotation.apply(&b));
        assert!((dot(&a, &b) - dot(&turned_a, &turned_b)).abs() < 1e-10);
        assert!((dot(&a, &a) - dot(&turned_a, &turned_a)).abs() < 1e-10);
        assert!(a.iter().zip(&turned_a).any(|(a, b)| (a - b).abs() > 0.1));
    }
}
