//! Writes the training data into every channel there is. The challenge's seed chooses how the run ends.

use exports::thimble::solution::{learner, predictor};
use thimble::solution::data::Loader;
use thimble::solution::journal;
use thimble::solution::task::Metadata;
use thimble::solution::tensors::{Tensor, Values};

wit_bindgen::generate!({ path: "../../../wit", world: "solution" });

/// How the run ends: with each, a text of the guest's own is on its way out.
mod ending {
    pub const SCORED: u64 = 1;
    pub const ERROR_IN_SOLVE: u64 = 2;
    pub const PANIC: u64 = 3;
    pub const ILLEGAL_TENSOR_NAME: u64 = 4;
    pub const OVER_THE_LIMIT: u64 = 5;
    pub const ERROR_IN_LOAD: u64 = 6;
    pub const ERROR_IN_PREDICT: u64 = 7;
    pub const ILLEGAL_OUTPUT_NAME: u64 = 8;
    pub const ILLEGAL_SCORE: u64 = 9;
    pub const ILLEGAL_SHAPE: u64 = 10;
    pub const MEMORY: u64 = 11;
    pub const ILLEGAL_PARAMETER_SHAPE: u64 = 12;
}

struct DataLeaker;

struct Leaking {
    ending: u64,
    classes: u32,
    stolen: Vec<f32>,
}

/// As decimal text and as the hexadecimal digits of the bits.
fn text(stolen: &[f32]) -> String {
    stolen.iter().map(|value| format!("{value} {:08x} ", value.to_bits())).collect()
}

fn shout(stolen: &[f32]) {
    let text = text(stolen);
    println!("{text}");
    eprintln!("{text}");
    journal::log(&text);
    for value in stolen {
        let bits = value.to_bits();
        journal::record(&format!("{value}"), u64::from(bits), f64::from(*value));
        journal::record(&format!("{bits:08x}"), u64::from(bits), f64::from(*value));
    }
}

fn tensor(name: String, values: Vec<f32>) -> Tensor {
    Tensor { name, shape: vec![values.len() as u32], values: Values::F32(values) }
}

impl learner::Guest for DataLeaker {
    fn solve(train: Loader, _: Loader, metadata: Metadata) -> Result<Vec<Tensor>, String> {
        let mut stolen: Vec<f32> = Vec::new();
        while let Some(batch) = train.next() {
            for tensor in batch.inputs {
                if let Values::F32(values) = tensor.values {
                    // Values of this size are what the test planted.
                    stolen.extend(values.into_iter().filter(|value| value.abs() > 100.0));
                }
            }
        }
        if stolen.is_empty() {
            return Err("nothing was planted".into());
        }
        shout(&stolen);
        match metadata.seed {
            ending::ERROR_IN_SOLVE => Err(text(&stolen)),
            ending::PANIC => panic!("{}", text(&stolen)),
            ending::ILLEGAL_TENSOR_NAME => Ok(vec![tensor(text(&stolen), stolen)]),
            ending::OVER_THE_LIMIT => Ok(vec![tensor("w".into(), stolen.repeat(metadata.param_limit as usize))]),
            // At least one reading of the bits is over any limit.
            ending::MEMORY => {
                let bits = stolen[0].to_bits() as usize;
                Ok(vec![tensor("w".into(), Vec::with_capacity(bits / 4))])
            }
            ending::ILLEGAL_PARAMETER_SHAPE => {
                let shape = stolen.iter().map(|value| value.to_bits()).take(1).collect();
                Ok(vec![Tensor { name: "w".into(), shape, values: Values::F32(stolen) }])
            }
            // Legal names: the digits alone.
            _ => Ok(vec![
                tensor(format!("{:08x}", stolen[0].to_bits()), stolen.clone()),
                tensor(format!("{}", stolen[0].abs()), stolen),
            ]),
        }
    }
}

impl predictor::Guest for DataLeaker {
    type Model = Leaking;
}

impl predictor::GuestModel for Leaking {
    fn load(parameters: Vec<Tensor>, metadata: Metadata) -> Result<predictor::Model, String> {
        let Some(Tensor { values: Values::F32(stolen), .. }) = parameters.into_iter().next() else {
            return Err("no parameters".into());
        };
        shout(&stolen);
        if metadata.seed == ending::ERROR_IN_LOAD {
            return Err(text(&stolen));
        }
        Ok(predictor::Model::new(Self { ending: metadata.seed, classes: metadata.num_classes, stolen }))
    }

    fn predict(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, String> {
        shout(&self.stolen);
        let rows = inputs.first().and_then(|tensor| tensor.shape.first()).copied().ok_or("no input")?;
        let mut scores = vec![self.stolen[0]; (rows * self.classes) as usize];
        let mut name = "scores".to_owned();
        let mut shape = vec![rows, self.classes];
        match self.ending {
            ending::SCORED => {}
            ending::ERROR_IN_PREDICT => return Err(text(&self.stolen)),
            ending::ILLEGAL_OUTPUT_NAME => name = text(&self.stolen),
            ending::ILLEGAL_SHAPE => shape = self.stolen.iter().map(|value| value.to_bits()).collect(),
            ending::ILLEGAL_SCORE => scores[0] = self.stolen[0] * 1e30,
            other => return Err(format!("no ending {other}")),
        }
        Ok(vec![Tensor { name, shape, values: Values::F32(scores) }])
    }
}

export!(DataLeaker);
