//! Correlations between numbers of the training split.

use crate::numeric::{Bounds, Sorted, Variable};
use crate::report::{Correlations, MinimumCell};
use crate::round::hundredths;

/// Most numbers that are correlated.
pub(crate) const MAX_NUMBERS: usize = 50;
/// Rows that are read; evenly spaced ones where a split has more.
const SAMPLE_ROWS: usize = 1 << 20;

/// Sums over the rows that have both of two numbers.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    rows: u64,
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

/// Pearson's correlation between each two of the first 50 numbers; none of fewer than two.
///
/// r = (Σxy − ΣxΣy/n) / √((Σx² − (Σx)²/n)(Σy² − (Σy)²/n)) over rows that have both, of values moved into their
/// [`Bounds`], so that no extreme value decides it.
pub(crate) fn correlations(variables: &[&Variable<'_>], minimum: MinimumCell) -> Option<Correlations> {
    let variables = &variables[..variables.len().min(MAX_NUMBERS)];
    if variables.len() < 2 {
        return None;
    }
    let bounds: Vec<_> = variables.iter().map(|v| Sorted::of(&v.train, minimum).bounds(minimum)).collect();
    let rows = variables.iter().map(|variable| variable.train.rows).min().unwrap_or(0);
    let mut sums = vec![Sums::default(); variables.len() * variables.len()];
    let mut values = vec![f64::NAN; variables.len()];
    for row in (0..rows).step_by(rows.div_ceil(SAMPLE_ROWS).max(1)) {
        for ((value, variable), bounds) in values.iter_mut().zip(variables).zip(&bounds) {
            let number = (variable.train.value)(row);
            *value = bounds.filter(|_| !number.is_nan()).map_or(f64::NAN, |bounds: Bounds| bounds.unit(number));
        }
        add(&mut sums, &values);
    }
    let value = |first: usize, second: usize| {
        sums[first.min(second) * variables.len() + first.max(second)].correlation(minimum)
    };
    let line = |first| (0..variables.len()).map(|second| value(first, second)).collect();
    Some(Correlations {
        names: variables.iter().map(|variable| variable.title.clone()).collect(),
        values: (0..variables.len()).map(line).collect(),
    })
}

fn add(sums: &mut [Sums], values: &[f64]) {
    for (first, &x) in values.iter().enumerate().filter(|(_, x)| !x.is_nan()) {
        for (second, &y) in values.iter().enumerate().skip(first).filter(|(_, y)| !y.is_nan()) {
            let sum = &mut sums[first * values.len() + second];
            sum.rows += 1;
            sum.x += x;
            sum.y += y;
            sum.xx += x * x;
            sum.yy += y * y;
            sum.xy += x * y;
        }
    }
}

impl Sums {
    fn correlation(&self, minimum: MinimumCell) -> Option<f64> {
        if self.rows < 4 * minimum.get() {
            return None;
        }
        let rows = self.rows as f64;
        let spread = |sum: f64, squares: f64| squares - sum * sum / rows;
        let scale = libm::sqrt(spread(self.x, self.xx)) * libm::sqrt(spread(self.y, self.yy));
        // Below this, rounding is all there is: the values are in 0 to 1.
        (scale > 1e-12 * rows).then(|| hundredths(((self.xy - self.x * self.y / rows) / scale).clamp(-1.0, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::Numbers;

    fn variable(title: &str, values: Vec<f64>) -> Variable<'static> {
        let numbers = |values: Vec<f64>| Numbers { rows: values.len(), value: Box::new(move |row| values[row]) };
        Variable { title: title.into(), optional: true, train: numbers(values), validation: numbers(Vec::new()) }
    }

    #[test]
    fn lines_correlate_fully_and_constants_not_at_all() {
        let up = variable("up", (0..100).map(f64::from).collect());
        let down = variable("down", (0..100).map(|row| -3.0 * f64::from(row)).collect());
        let constant = variable("constant", vec![7.0; 100]);
        let found = correlations(&[&up, &down, &constant], MinimumCell::default()).expect("three numbers");
        assert_eq!(found.values[0], [Some(1.0), Some(-1.0), None]);
        assert_eq!(found.values[2], [None; 3]);
    }

    #[test]
    fn rows_without_one_of_the_two_do_not_count() {
        let x = variable("x", (0..100).map(f64::from).collect());
        let y = variable("y", (0..100).map(|row| if row % 10 == 0 { f64::NAN } else { f64::from(row) }).collect());
        let z = variable("z", (0..100).map(|row| if row < 85 { f64::NAN } else { f64::from(row) }).collect());
        let found = correlations(&[&x, &y, &z], MinimumCell::default()).expect("three numbers");
        assert!(found.values[0][1].is_some_and(|r| r > 0.98));
        assert_eq!(found.values[0][2], None, "15 rows are too few");
    }

    #[test]
    fn one_extreme_row_makes_no_correlation() {
        // Two numbers that have nothing to do with each other.
        let mut x: Vec<f64> = (0..100).map(|row| f64::from(row % 10)).collect();
        let mut y: Vec<f64> = (0..100).map(|row| f64::from(row / 10)).collect();
        (x[99], y[99]) = (1e9, 1e9);
        let found = correlations(&[&variable("x", x), &variable("y", y)], MinimumCell::default()).expect("two numbers");
        assert!(found.values[0][1].is_some_and(|r| r.abs() <= 0.05), "{found:?}");
    }

    #[test]
    fn one_number_has_no_correlations() {
        assert_eq!(correlations(&[&variable("x", vec![1.0; 50])], MinimumCell::default()), None);
    }
}
