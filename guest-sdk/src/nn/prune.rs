//! Structured pruning: a trained network with fewer hidden neurons.

use super::{Linear, check_len};
use crate::Result;

/// The importance of each neuron between two layers by their weights alone: the norm of what goes in, bias included, times
/// the norm of what goes out. Scaling a ReLU's input up and its output down changes nothing, and this does not change either.
///
/// # Errors
/// `output` has not as many inputs as `hidden` has outputs.
pub fn norm_importance(hidden: &Linear, output: &Linear) -> Result<Vec<f32>> {
    check_pair(hidden, output)?;
    let incoming = hidden.weight().chunks_exact(hidden.inputs().max(1)).zip(hidden.bias());
    let outgoing = outgoing_norms(output);
    Ok(incoming.zip(outgoing).map(|((w, b), out)| (square_sum(w) + b * b).sqrt() * out).collect())
}

/// What hidden neurons gave for rows of data, to tell which of them matter there.
///
/// ```
/// use thimble_sdk::nn::{Linear, NeuronStatistics, keep_neurons, most_important};
/// # fn main() -> thimble_sdk::Result<()> {
/// let hidden = Linear::from_parts(1, vec![1.0, 2.0, 3.0], vec![0.0, 0.0, 1.0])?;
/// let output = Linear::from_parts(3, vec![1.0, 1.0, 0.0], vec![0.0])?;
/// let mut statistics = NeuronStatistics::new(3);
/// statistics.add(&[0.0, 0.0, 1.0, 1.0, 2.0, 4.0])?; // of the inputs 0 and 1
/// let keep = most_important(&statistics.importance(&output)?, 1);
/// assert_eq!(keep, [1]);
/// // Neuron 0 gave 0.5 on average, and the bias goes on giving that.
/// let (hidden, output) = keep_neurons(&hidden, &output, &keep, &statistics.means())?;
/// assert_eq!((hidden.weight(), output.weight(), output.bias()), (&[2.0][..], &[1.0][..], &[0.5][..]));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NeuronStatistics {
    rows: usize,
    sums: Vec<f64>,
    squares: Vec<f64>,
}

impl NeuronStatistics {
    /// Of no rows yet.
    pub fn new(neurons: usize) -> Self {
        Self { rows: 0, sums: vec![0.0; neurons], squares: vec![0.0; neurons] }
    }

    /// Adds what the neurons gave, after their activation: rows × neurons.
    ///
    /// # Errors
    /// `activations` is not whole rows.
    pub fn add(&mut self, activations: &[f32]) -> Result<()> {
        let neurons = self.sums.len();
        let rows = activations.len() / neurons.max(1);
        check_len("activations", activations, rows * neurons)?;
        self.rows += rows;
        for row in activations.chunks_exact(neurons.max(1)) {
            for ((sum, square), &x) in self.sums.iter_mut().zip(&mut self.squares).zip(row) {
                *sum += f64::from(x);
                *square += f64::from(x) * f64::from(x);
            }
        }
        Ok(())
    }

    /// The mean of each neuron; 0 without rows.
    pub fn means(&self) -> Vec<f32> {
        self.sums.iter().map(|sum| (sum / self.rows.max(1) as f64) as f32).collect()
    }

    /// The importance of each neuron for the layer it feeds: its standard deviation times the norm of the weights that go
    /// out of it, which is how far the outputs move, root mean square, when its mean is put in its place.
    ///
    /// # Errors
    /// `output` has another number of inputs than there are neurons.
    pub fn importance(&self, output: &Linear) -> Result<Vec<f32>> {
        check_len("neurons", &self.sums, output.inputs())?;
        let rows = self.rows.max(1) as f64;
        let deviations = self.sums.iter().zip(&self.squares).map(|(sum, square)| {
            let mean = sum / rows;
            (square / rows - mean * mean).max(0.0).sqrt() as f32
        });
        Ok(deviations.zip(outgoing_norms(output)).map(|(deviation, norm)| deviation * norm).collect())
    }
}

/// The indices of the `count` largest values, ascending; of equals the first. NaN counts as smallest.
pub fn most_important(importance: &[f32], count: usize) -> Vec<usize> {
    let key = |index: usize| if importance[index].is_nan() { f32::NEG_INFINITY } else { importance[index] };
    let mut order: Vec<usize> = (0..importance.len()).collect();
    order.sort_by(|&a, &b| key(b).total_cmp(&key(a)));
    order.truncate(count);
    order.sort_unstable();
    order
}

/// The two layers with the neurons `keep` alone between them. What the others gave on average, `means` with one value per
/// neuron of `hidden`, goes into the bias of the output.
///
/// # Errors
/// `output` has not as many inputs as `hidden` has outputs, `means` not as many values, or `keep` is not ascending indices
/// of them.
pub fn keep_neurons(hidden: &Linear, output: &Linear, keep: &[usize], means: &[f32]) -> Result<(Linear, Linear)> {
    check_pair(hidden, output)?;
    let neurons = hidden.outputs();
    check_len("means", means, neurons)?;
    if !keep.is_sorted_by(|a, b| a < b) || keep.last().is_some_and(|&last| last >= neurons) {
        return Err(format!("neurons {keep:?}, expected ascending indices below {neurons}").into());
    }
    let inputs = hidden.inputs();
    let weight = keep.iter().flat_map(|&neuron| &hidden.weight()[neuron * inputs..][..inputs]).copied().collect();
    let bias = keep.iter().map(|&neuron| hidden.bias()[neuron]).collect();
    let smaller = Linear::from_parts(inputs, weight, bias)?;

    let mut weight = Vec::with_capacity(keep.len() * output.outputs());
    let mut bias = Vec::with_capacity(output.outputs());
    for (row, &b) in output.weight().chunks_exact(neurons.max(1)).zip(output.bias()) {
        weight.extend(keep.iter().map(|&neuron| row[neuron]));
        let gone = (0..neurons).filter(|neuron| keep.binary_search(neuron).is_err());
        bias.push(gone.fold(b, |sum, neuron| sum + row[neuron] * means[neuron]));
    }
    Ok((smaller, Linear::from_parts(keep.len(), weight, bias)?))
}

fn check_pair(hidden: &Linear, output: &Linear) -> Result<()> {
    if hidden.outputs() == output.inputs() {
        return Ok(());
    }
    Err(format!("a layer of {} inputs after one of {} outputs", output.inputs(), hidden.outputs()).into())
}

/// The norm of the weights that go out of each neuron.
fn outgoing_norms(output: &Linear) -> Vec<f32> {
    let mut squares = vec![0.0; output.inputs()];
    for row in output.weight().chunks_exact(output.inputs().max(1)) {
        for (square, w) in squares.iter_mut().zip(row) {
            *square += w * w;
        }
    }
    squares.into_iter().map(f32::sqrt).collect()
}

fn square_sum(values: &[f32]) -> f32 {
    values.iter().map(|x| x * x).sum()
}

#[cfg(test)]
mod tests {
    use super::super::{Gemm, relu};
    use super::*;
    use crate::Rng;

    struct Pair {
        hidden: Linear,
        output: Linear,
    }

    impl Pair {
        fn random(rng: &mut Rng) -> Self {
            Self { hidden: Linear::new(6, 8, rng), output: Linear::new(8, 3, rng) }
        }

        /// What the neurons give, and the outputs.
        fn run(&self, x: &[f32]) -> Result<(Vec<f32>, Vec<f32>)> {
            let rows = x.len() / self.hidden.inputs();
            let (mut gemm, mut h, mut y) =
                (Gemm::new(), vec![0.0; rows * self.hidden.outputs()], vec![0.0; rows * self.output.outputs()]);
            self.hidden.forward(&mut gemm, x, &mut h)?;
            relu(&mut h);
            self.output.forward(&mut gemm, &h, &mut y)?;
            Ok((h, y))
        }
    }

    /// The definition: the removed neurons stay, and always give their mean.
    #[test]
    fn what_is_left_gives_what_the_network_gave_with_means_for_the_others() -> Result<()> {
        let mut rng = Rng::seeded(1);
        let pair = Pair::random(&mut rng);
        let x: Vec<f32> = (0..6 * 50).map(|_| rng.normal()).collect();
        let (mut h, _) = pair.run(&x)?;
        let mut statistics = NeuronStatistics::new(8);
        statistics.add(&h[..80])?;
        statistics.add(&h[80..])?;
        let (keep, means) = ([1, 2, 5, 7], statistics.means());
        for row in h.chunks_mut(8) {
            for (neuron, h) in row.iter_mut().enumerate().filter(|(neuron, _)| !keep.contains(neuron)) {
                *h = means[neuron];
            }
        }
        let mut expected = vec![0.0; 3 * 50];
        pair.output.forward(&mut Gemm::new(), &h, &mut expected)?;

        let (hidden, output) = keep_neurons(&pair.hidden, &pair.output, &keep, &means)?;
        assert_eq!((hidden.outputs(), output.inputs()), (4, 4));
        let (_, y) = Pair { hidden, output }.run(&x)?;
        assert!(y.iter().zip(&expected).all(|(y, e)| (y - e).abs() < 1e-5));
        Ok(())
    }

    #[test]
    fn importance_is_how_far_the_outputs_move() -> Result<()> {
        let mut rng = Rng::seeded(2);
        let pair = Pair::random(&mut rng);
        let x: Vec<f32> = (0..6 * 50).map(|_| rng.normal()).collect();
        let (h, y) = pair.run(&x)?;
        let mut statistics = NeuronStatistics::new(8);
        statistics.add(&h)?;
        for (neuron, importance) in statistics.importance(&pair.output)?.into_iter().enumerate() {
            let keep: Vec<usize> = (0..8).filter(|&other| other != neuron).collect();
            let (hidden, output) = keep_neurons(&pair.hidden, &pair.output, &keep, &statistics.means())?;
            let (_, without) = Pair { hidden, output }.run(&x)?;
            let moved = y.iter().zip(&without).map(|(a, b)| (a - b) * (a - b)).sum::<f32>() / 50.0;
            assert!((moved.sqrt() - importance).abs() < 1e-4, "{neuron}: {} against {importance}", moved.sqrt());
        }
        Ok(())
    }

    #[test]
    fn importance_by_norms_does_not_change_with_the_scale_of_a_relu() -> Result<()> {
        let hidden = Linear::from_parts(2, vec![3.0, 0.0, 1.0, 2.0], vec![4.0, 2.0])?;
        let output = Linear::from_parts(2, vec![2.0, 1.0], vec![0.0])?;
        assert_eq!(norm_importance(&hidden, &output)?, [10.0, 3.0]);
        let hidden = Linear::from_parts(2, vec![6.0, 0.0, 1.0, 2.0], vec![8.0, 2.0])?;
        let output = Linear::from_parts(2, vec![1.0, 1.0], vec![0.0])?;
        assert_eq!(norm_importance(&hidden, &output)?, [10.0, 3.0]);
        Ok(())
    }

    #[test]
    fn the_most_important_come_in_order() {
        assert_eq!(most_important(&[1.0, 5.0, f32::NAN, 5.0, 2.0], 3), [1, 3, 4]);
        assert_eq!(most_important(&[1.0, 1.0, 1.0], 2), [0, 1]);
        assert_eq!(most_important(&[1.0], 4), [0]);
    }

    #[test]
    fn what_does_not_fit_is_an_error() -> Result<()> {
        let Pair { hidden, output } = Pair::random(&mut Rng::seeded(3));
        let keep = |keep: &[usize]| keep_neurons(&hidden, &output, keep, &[0.0; 8]);
        assert!(keep(&[0, 7]).is_ok() && keep(&[]).is_ok());
        assert!(keep(&[8]).is_err() && keep(&[1, 1]).is_err() && keep(&[2, 1]).is_err());
        assert!(keep_neurons(&hidden, &output, &[0], &[0.0; 7]).is_err());
        assert!(keep_neurons(&output, &hidden, &[0], &[0.0; 3]).is_err());
        assert!(norm_importance(&output, &hidden).is_err());
        assert!(NeuronStatistics::new(3).importance(&output).is_err());
        assert!(NeuronStatistics::new(3).add(&[0.0; 4]).is_err());
        Ok(())
    }
}
