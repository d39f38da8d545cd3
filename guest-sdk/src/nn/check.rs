//! What every layer must hold to; for tests.

use super::{Init, Layer, Slot, Workspace};
use crate::{Result, Rng};

/// Half the distance of a finite difference. A power of two, so that it is exact in f32.
const STEP: f32 = 1.0 / 64.0;

/// Normal draws, none within two steps of 0, where some functions have a kink.
pub(super) fn draw(rng: &mut Rng, n: usize) -> Vec<f32> {
    (0..n).map(|_| rng.normal()).map(|x| x + (2.0 * STEP).copysign(x)).collect()
}

/// Fails unless all gradients of `layer`, initialised at random, agree with finite differences, and a row predicted alone has
/// the bits it has in a batch.
pub(super) fn layer<L: Layer + Clone>(layer: &mut L, inputs: usize, rows: usize) -> Result<()> {
    let mut rng = Rng::seeded(7);
    layer.initialise(Init::Normal(0.5), &mut rng);
    layer.slots(&mut |slot| {
        if slot.gradient.is_some() {
            for value in slot.values {
                *value += 0.2 * rng.normal();
            }
        }
    });
    gradients(layer, inputs, rows, &mut rng)?;
    rows_are_independent(layer, inputs, rows, &mut rng)
}

/// A loss linear in y, so that only the layer itself is on trial: Σ c · y.
fn loss<L: Layer + Clone>(layer: &L, x: &[f32], c: &[f32]) -> Result<f64> {
    let mut y = vec![f32::NAN; c.len()];
    layer.clone().train(&mut Workspace::default(), x, &mut y)?;
    Ok(y.iter().zip(c).map(|(&y, &c)| f64::from(y) * f64::from(c)).sum())
}

fn near(what: &str, index: usize, gradient: f32, above: f64, below: f64) {
    let difference = ((above - below) / f64::from(2.0 * STEP)) as f32;
    let bound = 2e-3 * (1.0 + difference.abs());
    assert!((gradient - difference).abs() < bound, "{what} {index}: {gradient} against {difference}");
}

fn gradients<L: Layer + Clone>(layer: &L, inputs: usize, rows: usize, rng: &mut Rng) -> Result<()> {
    let outputs = layer.outputs(inputs)?;
    let (x, c) = (draw(rng, rows * inputs), draw(rng, rows * outputs));
    let mut trained = layer.clone();
    let (mut workspace, mut y, mut dx) = (Workspace::default(), vec![f32::NAN; c.len()], vec![f32::NAN; x.len()]);
    // Twice, with and without dx: what the first pass left must not show.
    for want in [false, true] {
        trained = layer.clone();
        trained.train(&mut workspace, &x, &mut y)?;
        trained.backward(&mut workspace, &x, &y, &mut c.clone(), want.then_some(&mut dx[..]))?;
    }
    for i in 0..x.len() {
        let at = |step: f32| {
            let mut x = x.clone();
            x[i] += step;
            loss(layer, &x, &c)
        };
        near("x", i, dx[i], at(STEP)?, at(-STEP)?);
    }
    let mut slots = Vec::new();
    trained.slots(&mut |slot: Slot<'_>| slots.push(slot.gradient.map(|gradient| gradient.to_vec())));
    for (which, gradient) in slots.iter().enumerate().filter_map(|(which, slot)| Some((which, slot.as_ref()?))) {
        for (i, &g) in gradient.iter().enumerate() {
            let at = |step: f32| {
                let (mut layer, mut at) = (layer.clone(), 0);
                layer.slots(&mut |slot| {
                    if at == which {
                        slot.values[i] += step;
                    }
                    at += 1;
                });
                loss(&layer, &x, &c)
            };
            near("tensor value", i, g, at(STEP)?, at(-STEP)?);
        }
    }
    Ok(())
}

fn rows_are_independent<L: Layer>(layer: &L, inputs: usize, rows: usize, rng: &mut Rng) -> Result<()> {
    let outputs = layer.outputs(inputs)?;
    let x = draw(rng, rows * inputs);
    let (mut workspace, mut batch) = (Workspace::default(), vec![f32::NAN; rows * outputs]);
    layer.forward(&mut workspace, &x, &mut batch)?;
    for (x, expected) in x.chunks_exact(inputs).zip(batch.chunks_exact(outputs)) {
        let mut alone = vec![f32::NAN; outputs];
        layer.forward(&mut workspace, x, &mut alone)?;
        assert!(alone.iter().zip(expected).all(|(a, b)| a.to_bits() == b.to_bits()), "{alone:?} against {expected:?}");
    }
    Ok(())
}
