//! Linear maps fitted by least squares, in f64: what several of the example solutions need.
//!
//! Tables are small here, so rows are vectors of their own and sums are plain loops, in one order.
#![forbid(unsafe_code)]

use thimble_sdk::{Parameters, Result};

/// The mean and the spread of each column.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling {
    /// Means, one a column.
    pub means: Vec<f64>,
    /// Standard deviations, one a column; 1 for a column that is constant.
    pub spreads: Vec<f64>,
}

impl Scaling {
    /// Of some rows, at least one, all of the same length.
    pub fn fit(rows: &[Vec<f64>]) -> Self {
        let width = rows.first().map_or(0, Vec::len);
        let mean = |value: &dyn Fn(&Vec<f64>) -> f64| rows.iter().map(value).sum::<f64>() / rows.len().max(1) as f64;
        let means: Vec<f64> = (0..width).map(|column| mean(&|row| row[column])).collect();
        let spread = |column: usize| {
            let variance = mean(&|row| (row[column] - means[column]) * (row[column] - means[column]));
            if variance > 1e-12 { libm::sqrt(variance) } else { 1.0 }
        };
        let spreads = (0..width).map(spread).collect();
        Self { means, spreads }
    }

    /// A row with mean 0 and spread 1 in every column.
    pub fn apply(&self, row: &[f64]) -> Vec<f64> {
        let scales = self.means.iter().zip(&self.spreads);
        row.iter().zip(scales).map(|(value, (mean, spread))| (value - mean) / spread).collect()
    }
}

/// A linear map with a constant: y = W x + b.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearMap {
    inputs: usize,
    /// For each output, the weights of the inputs and then the constant.
    weight: Vec<f64>,
}

impl LinearMap {
    /// The map of scaled rows with these weights, as one of rows that are not scaled. `weight` has, for each output, a
    /// weight for each input and then the constant.
    pub fn of_scaled(scaling: &Scaling, weight: &[f64]) -> Self {
        let inputs = scaling.means.len();
        let mut unscaled = Vec::with_capacity(weight.len());
        for output in weight.chunks_exact(inputs + 1) {
            let (weights, constant) = output.split_at(inputs);
            let weights: Vec<f64> =
                weights.iter().zip(&scaling.spreads).map(|(weight, spread)| weight / spread).collect();
            let offset: f64 = weights.iter().zip(&scaling.means).map(|(weight, mean)| weight * mean).sum();
            unscaled.extend(&weights);
            unscaled.push(constant[0] - offset);
        }
        Self { inputs, weight: unscaled }
    }

    /// What minimises the sum of squared errors and `penalty` times the squared weights of scaled inputs; the constants
    /// are free.
    ///
    /// # Errors
    /// There are no rows.
    pub fn ridge(rows: &[Vec<f64>], targets: &[Vec<f64>], penalty: f64) -> Result<Self> {
        let (Some(row), Some(target)) = (rows.first(), targets.first()) else { return Err("there are no rows".into()) };
        let (inputs, outputs) = (row.len(), target.len());
        let (scaling, target_scaling) = (Scaling::fit(rows), Scaling::fit(targets));
        let mut matrix = vec![0.0; inputs * inputs];
        let mut right = vec![0.0; inputs * outputs];
        for (row, target) in rows.iter().zip(targets) {
            let row = scaling.apply(row);
            for (i, x) in row.iter().enumerate() {
                for (sum, other) in matrix[i * inputs..][..inputs].iter_mut().zip(&row) {
                    *sum += x * other;
                }
                for (sum, (y, mean)) in
                    right[i * outputs..][..outputs].iter_mut().zip(target.iter().zip(&target_scaling.means))
                {
                    *sum += x * (y - mean);
                }
            }
        }
        for i in 0..inputs {
            matrix[i * inputs + i] += penalty;
        }
        solve(&mut matrix, &mut right, outputs)?;
        let mut weight = Vec::with_capacity((inputs + 1) * outputs);
        for output in 0..outputs {
            weight.extend((0..inputs).map(|input| right[input * outputs + output]));
            weight.push(target_scaling.means[output]);
        }
        Ok(Self::of_scaled(&scaling, &weight))
    }

    /// The outputs of several maps of the same inputs, one after the other; none where there is no map.
    pub fn stacked(maps: &[Self]) -> Option<Self> {
        let inputs = maps.first()?.inputs;
        Some(Self { inputs, weight: maps.iter().flat_map(|map| map.weight.iter().copied()).collect() })
    }

    /// The outputs for a row.
    pub fn apply(&self, row: &[f64]) -> Vec<f64> {
        let output = |weights: &[f64]| {
            let (weights, constant) = weights.split_at(self.inputs);
            constant.iter().sum::<f64>() + weights.iter().zip(row).map(|(weight, x)| weight * x).sum::<f64>()
        };
        self.weight.chunks_exact(self.inputs + 1).map(output).collect()
    }

    /// As the parameter `linear`, f64, outputs × (inputs + 1).
    pub fn parameters(&self) -> Parameters {
        let mut parameters = Parameters::new();
        let width = self.inputs + 1;
        parameters.push("linear", &[self.weight.len() / width, width], self.weight.clone());
        parameters
    }

    /// From what [`Self::parameters`] gave.
    ///
    /// # Errors
    /// The parameter is not there, or of another shape.
    pub fn from_parameters(mut parameters: Parameters, inputs: usize, outputs: usize) -> Result<Self> {
        Ok(Self { inputs, weight: parameters.take("linear", &[outputs, inputs + 1])? })
    }
}

/// Solves `matrix` × X = `right` for a symmetric positive definite matrix of n × n; `right` has n rows of `columns` and
/// becomes X. Cholesky's method.
///
/// # Errors
/// The matrix is not positive definite.
pub fn solve(matrix: &mut [f64], right: &mut [f64], columns: usize) -> Result<()> {
    let n = right.len() / columns.max(1);
    // The lower triangle becomes L with L Lᵀ = matrix.
    for j in 0..n {
        for i in j..n {
            let products: f64 = (0..j).map(|k| matrix[i * n + k] * matrix[j * n + k]).sum();
            let rest = matrix[i * n + j] - products;
            if i > j {
                matrix[i * n + j] = rest / matrix[j * n + j];
            } else if rest > 0.0 {
                matrix[j * n + j] = libm::sqrt(rest);
            } else {
                return Err(format!("the matrix is not positive definite: pivot {j} is {rest}").into());
            }
        }
    }
    for column in 0..columns {
        for i in 0..n {
            let done: f64 = (0..i).map(|k| matrix[i * n + k] * right[k * columns + column]).sum();
            right[i * columns + column] = (right[i * columns + column] - done) / matrix[i * n + i];
        }
        for i in (0..n).rev() {
            let done: f64 = (i + 1..n).map(|k| matrix[k * n + i] * right[k * columns + column]).sum();
            right[i * columns + column] = (right[i * columns + column] - done) / matrix[i * n + i];
        }
    }
    Ok(())
}

/// A row of f32 as f64.
pub fn widened(row: &[f32]) -> Vec<f64> {
    row.iter().map(|&value| f64::from(value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_solved() -> Result<()> {
        let mut right = vec![8.0, 1.0, 7.0, 2.0];
        solve(&mut [4.0, 2.0, 2.0, 3.0], &mut right, 2)?;
        // 4 x + 2 y and 2 x + 3 y for (x, y) = (1.25, 1.5) and (−0.125, 0.75).
        // A root of 2 is in between, so not to the last bit.
        for (found, expected) in right.iter().zip([1.25, -0.125, 1.5, 0.75]) {
            assert!((found - expected).abs() < 1e-12, "{right:?}");
        }
        assert!(solve(&mut [1.0, 2.0, 2.0, 1.0], &mut [1.0, 1.0], 1).is_err());
        Ok(())
    }

    #[test]
    fn a_linear_function_is_found_and_survives_as_parameters() -> Result<()> {
        let rows: Vec<Vec<f64>> = (0..20).map(|i| vec![f64::from(i), f64::from(i * i % 7)]).collect();
        let targets: Vec<Vec<f64>> = rows.iter().map(|x| vec![3.0 * x[0] - x[1] + 5.0, x[1]]).collect();
        let map = LinearMap::ridge(&rows, &targets, 1e-9)?;
        let map = LinearMap::from_parameters(map.parameters(), 2, 2)?;
        for (row, target) in rows.iter().zip(&targets) {
            assert!(map.apply(row).iter().zip(target).all(|(a, b)| (a - b).abs() < 1e-6));
        }
        Ok(())
    }

    #[test]
    fn a_penalty_shrinks_towards_the_mean() -> Result<()> {
        let rows: Vec<Vec<f64>> = (0..10).map(|i| vec![f64::from(i)]).collect();
        let map = LinearMap::ridge(&rows, &rows, 1e9)?;
        assert!((map.apply(&[0.0])[0] - 4.5).abs() < 1e-3);
        Ok(())
    }
}
