//! Principal component analysis of a few variables.

/// Sums over rows of some variables.
pub(crate) struct Principal {
    width: usize,
    rows: f64,
    sums: Vec<f64>,
    squares: Vec<f64>, // width × width
}

/// Convergence is quadratic: a handful of sweeps do, this is a bound.
const SWEEPS: usize = 30;

impl Principal {
    pub(crate) fn new(width: usize) -> Self {
        Self { width, rows: 0.0, sums: vec![0.0; width], squares: vec![0.0; width * width] }
    }

    /// Adds rows of `width` values.
    pub(crate) fn add(&mut self, rows: &[f32]) {
        for row in rows.chunks_exact(self.width) {
            self.rows += 1.0;
            for ((sum, squares), &x) in self.sums.iter_mut().zip(self.squares.chunks_exact_mut(self.width)).zip(row) {
                *sum += f64::from(x);
                for (square, &y) in squares.iter_mut().zip(row) {
                    *square += f64::from(x) * f64::from(y);
                }
            }
        }
    }

    pub(crate) fn mean(&self) -> Vec<f64> {
        self.sums.iter().map(|sum| sum / self.rows.max(1.0)).collect()
    }

    /// Unit vectors, that of the largest variance first.
    pub(crate) fn axes(&self) -> Vec<Vec<f64>> {
        let (n, mean) = (self.width, self.mean());
        let mut covariance: Vec<f64> = self.squares.clone();
        for (at, value) in covariance.iter_mut().enumerate() {
            *value = *value / self.rows.max(1.0) - mean[at / n] * mean[at % n];
        }
        let vectors = eigenvectors(&mut covariance, n);
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| covariance[b * n + b].total_cmp(&covariance[a * n + a]));
        order.into_iter().map(|column| vectors.iter().skip(column).step_by(n).copied().collect()).collect()
    }
}

/// The eigenvectors of the symmetric n × n matrix `a`, in columns, by Jacobi's rotations (Golub, Van Loan, Matrix
/// Computations, 8.5). Leaves the eigenvalues on the diagonal of `a`.
fn eigenvectors(a: &mut [f64], n: usize) -> Vec<f64> {
    let mut vectors: Vec<f64> = (0..n * n).map(|at| f64::from(u8::from(at % (n + 1) == 0))).collect();
    let total: f64 = a.iter().map(|x| x * x).sum();
    for _ in 0..SWEEPS {
        let pairs = || (0..n).flat_map(|p| (p + 1..n).map(move |q| (p, q)));
        let off: f64 = pairs().map(|(p, q)| a[p * n + q] * a[p * n + q]).sum();
        if off <= 1e-24 * total {
            break;
        }
        for (p, q) in pairs() {
            if a[p * n + q] == 0.0 {
                continue;
            }
            let tau = (a[q * n + q] - a[p * n + p]) / (2.0 * a[p * n + q]);
            let t = (1.0 / (tau.abs() + (1.0 + tau * tau).sqrt())).copysign(tau);
            let cosine = 1.0 / (1.0 + t * t).sqrt();
            let rotation = (cosine, t * cosine);
            for k in 0..n {
                rotate(a, k * n + p, k * n + q, rotation);
                rotate(&mut vectors, k * n + p, k * n + q, rotation);
            }
            for k in 0..n {
                rotate(a, p * n + k, q * n + k, rotation);
            }
        }
    }
    vectors
}

fn rotate(values: &mut [f64], at: usize, other: usize, (cosine, sine): (f64, f64)) {
    let (x, y) = (values[at], values[other]);
    values[at] = cosine * x - sine * y;
    values[other] = sine * x + cosine * y;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_orthonormal_eigenvectors_in_the_order_of_their_variance() {
        let mut rng = thimble_sdk::Rng::seeded(1);
        let rows: Vec<f32> = (0..200)
            .flat_map(|_| {
                let (a, b, c) = (3.0 * rng.normal(), 2.0 * rng.normal(), rng.normal());
                [a + b + 5.0, a - b, a + c, b - c]
            })
            .collect();
        let mut principal = Principal::new(4);
        principal.add(&rows);
        let axes = principal.axes();
        let variance = |axis: &[f64]| {
            let project = |row: &[f32]| row.iter().zip(axis).map(|(&x, u)| f64::from(x) * u).sum::<f64>();
            let mean = rows.chunks_exact(4).map(project).sum::<f64>() / 200.0;
            rows.chunks_exact(4).map(|row| (project(row) - mean).powi(2)).sum::<f64>() / 200.0
        };
        for (i, a) in axes.iter().enumerate() {
            for (j, b) in axes.iter().enumerate() {
                let inner: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                assert!((inner - f64::from(u8::from(i == j))).abs() < 1e-12, "{i} {j}");
                // The variance of a sum is the sum of the variances only of uncorrelated projections.
                let sum: Vec<f64> = a.iter().zip(b).map(|(a, b)| a + b).collect();
                let expected = if i == j { 4.0 * variance(a) } else { variance(a) + variance(b) };
                assert!((variance(&sum) - expected).abs() < 1e-9, "{i} {j}");
            }
        }
        assert!(axes.windows(2).all(|pair| variance(&pair[0]) >= variance(&pair[1])));
        assert!(variance(&axes[3]) < 1e-6, "three variables make four");
    }
}
