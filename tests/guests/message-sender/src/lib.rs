//! Finds a message in the training data and sends it through one channel, which the challenge's seed chooses.
//!
//! The message is a list of words, training inputs of 1,000 and more. Everything else about the run is the same for every
//! message, so that whatever differs in what an audience sees is what came through the channel.

use exports::thimble::solution::{learner, predictor};
use thimble::solution::data::Loader;
use thimble::solution::journal;
use thimble::solution::task::Metadata;
use thimble::solution::tensors::{Tensor, Values};

wit_bindgen::generate!({ path: "../../../wit", world: "solution" });

/// The least value of a word.
const WORDS: f32 = 1_000.0;

mod channel {
    pub const LOG: u64 = 1;
    pub const CURVES: u64 = 2;
    pub const ERROR_IN_SOLVE: u64 = 3;
    pub const ERROR_IN_LOAD: u64 = 4;
    pub const ERROR_IN_PREDICT: u64 = 5;
    pub const PANIC: u64 = 6;
    pub const TENSOR_NAMES: u64 = 7;
    pub const TENSOR_SHAPES: u64 = 8;
    // 9: nothing but the values of the parameters, which carry the message in every run.
    pub const PARAMETER_COUNT: u64 = 10;
    pub const OUTPUT_NAME: u64 = 11;
    pub const OUTPUT_VALUES: u64 = 12;
    pub const MEMORY: u64 = 13;
    pub const TRAINING_FUEL: u64 = 14;
    pub const KIND_OF_FAILURE: u64 = 15;
    pub const OUTCOME: u64 = 16;
    pub const TRANSDUCTION: u64 = 17;
    pub const FLOPS: u64 = 18;
    pub const METRIC: u64 = 19;
}

struct MessageSender;

struct Sending {
    channel: u64,
    classes: u32,
    words: Vec<u32>,
    batches: std::cell::Cell<u32>,
}

/// Hexadecimal digits. The same work for every word: the FLOPs are a channel of their own.
fn text(words: &[u32]) -> String {
    let digits = |&word: &u32| [8, 4, 0].map(|shift| char::from(b"0123456789abcdef"[(word >> shift & 15) as usize]));
    words.iter().flat_map(digits).collect()
}

fn tensor(name: String, shape: Vec<u32>, values: Vec<f32>) -> Tensor {
    Tensor { name, shape, values: Values::F32(values) }
}

/// Work that nothing can leave out.
fn burn(steps: u32) {
    for step in 0..steps {
        std::hint::black_box(step);
    }
}

fn find(train: &Loader) -> Vec<u32> {
    let mut words = Vec::new();
    while let Some(batch) = train.next() {
        for tensor in batch.inputs {
            if let Values::F32(values) = tensor.values {
                words.extend(values.into_iter().filter(|&value| value >= WORDS).map(|value| (value - WORDS) as u32));
            }
        }
    }
    words
}

/// What `load` needs of the message: loader order is not that of the file, so the words carry their places.
fn in_order(mut words: Vec<u32>) -> Vec<u32> {
    // 12 bits of place above 12 bits of message.
    words.sort_unstable();
    words.into_iter().map(|word| word & 0xfff).collect()
}

impl learner::Guest for MessageSender {
    fn solve(train: Loader, _: Loader, metadata: Metadata) -> Result<Vec<Tensor>, String> {
        let words = in_order(find(&train));
        if words.is_empty() {
            return Err("there is no message".into());
        }
        let values: Vec<f32> = words.iter().map(|&word| word as f32).collect();
        let count = values.len() as u32;
        let plain = |values| vec![tensor("w".into(), vec![count], values)];
        let number = words[0] << 6 | words.get(1).map_or(0, |word| word >> 6);
        match metadata.seed {
            channel::LOG => {
                println!("{}", text(&words));
                eprintln!("{}", text(&words));
                journal::log(&text(&words));
            }
            channel::CURVES => {
                for (step, word) in words.iter().enumerate() {
                    journal::record(&format!("{word:03x}"), u64::from(*word), f64::from(*word));
                    journal::record("message", step as u64, f64::from(*word));
                }
            }
            channel::ERROR_IN_SOLVE => return Err(text(&words)),
            channel::PANIC => panic!("{}", text(&words)),
            channel::KIND_OF_FAILURE => match words[0] % 6 {
                0 => return Err(text(&words)),
                1 => panic!("{}", text(&words)),
                2 => return Ok(vec![tensor(text(&words), vec![count], values)]),
                3 => return Ok(vec![tensor("w".into(), vec![words[1] + 5_000], values)]),
                4 => loop {
                    burn(1_000);
                },
                _ => return Ok(vec![tensor("w".into(), vec![1], Vec::with_capacity(1 << 28))]),
            },
            channel::TENSOR_NAMES => {
                let named = |words: &[u32]| tensor(text(words), vec![1], vec![1.0]);
                let mut tensors = plain(values);
                tensors.extend(words.chunks_exact(21).take(16).map(named));
                return Ok(tensors);
            }
            channel::TENSOR_SHAPES => {
                let shaped = |(i, &word): (usize, &u32)| {
                    let shape = vec![1 + word % 8, 1 + word / 8 % 8];
                    let values = vec![1.0; (shape[0] * shape[1]) as usize];
                    tensor(format!("t{i}"), shape, values)
                };
                let mut tensors = plain(values);
                tensors.extend(words.iter().enumerate().take(64).map(shaped));
                return Ok(tensors);
            }
            channel::PARAMETER_COUNT => {
                let mut tensors = plain(values);
                tensors.push(tensor("more".into(), vec![1 + number], vec![1.0; 1 + number as usize]));
                return Ok(tensors);
            }
            channel::MEMORY => {
                std::hint::black_box(vec![1_u8; 64 * number as usize]);
            }
            channel::TRAINING_FUEL => burn(number),
            channel::OUTCOME => match words[0] % 3 {
                0 => {}
                1 => {
                    let over = metadata.param_limit + 1;
                    return Ok(vec![tensor("w".into(), vec![over as u32], vec![1.0; over as usize])]);
                }
                _ => return Err(text(&words)),
            },
            _ => {}
        }
        Ok(plain(values))
    }
}

impl predictor::Guest for MessageSender {
    type Model = Sending;
}

impl predictor::GuestModel for Sending {
    fn load(parameters: Vec<Tensor>, metadata: Metadata) -> Result<predictor::Model, String> {
        let words = parameters.into_iter().find(|tensor| tensor.name == "w").and_then(|tensor| match tensor.values {
            Values::F32(values) => Some(values.into_iter().map(|value| value as u32).collect::<Vec<_>>()),
            _ => None,
        });
        let words = words.ok_or("no parameters")?;
        if metadata.seed == channel::ERROR_IN_LOAD {
            return Err(text(&words));
        }
        Ok(predictor::Model::new(Self {
            channel: metadata.seed,
            classes: metadata.num_classes,
            words,
            batches: Default::default(),
        }))
    }

    fn predict(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, String> {
        let Some(Tensor { shape, values: Values::F32(values), .. }) = inputs.into_iter().next() else {
            return Err("no input".into());
        };
        let (rows, width) = (shape[0], shape[1] as usize);
        let batch = self.batches.replace(self.batches.get() + 1);
        let mut name = "scores".to_owned();
        match self.channel {
            channel::LOG => println!("{}", text(&self.words)),
            channel::ERROR_IN_PREDICT => return Err(text(&self.words)),
            channel::OUTPUT_NAME => name = text(&self.words),
            channel::FLOPS => burn((rows << 3) * self.words[0]),
            _ => {}
        }
        let mut scores = Vec::with_capacity((rows * self.classes) as usize);
        for row in values.chunks_exact(width) {
            let (classes, rest) = row.split_at(self.classes as usize);
            let right = classes.iter().position(|&value| value == 1.0).unwrap_or(0) as u32;
            // The fixture numbers its test rows.
            let number = rest[0] as u32;
            let wrong = match self.channel {
                channel::METRIC => number >= self.words[0],
                channel::TRANSDUCTION => self.words[0] % 2 == 1 && batch % 2 == 1,
                _ => false,
            };
            let chosen = (right + u32::from(wrong)) % self.classes;
            let noise = |class: u32| match self.channel {
                channel::OUTPUT_VALUES => self.words[(number + class) as usize % self.words.len()] as f32 / 8_192.0,
                _ => 0.0,
            };
            scores.extend((0..self.classes).map(|class| if class == chosen { 1.0 } else { noise(class) }));
        }
        Ok(vec![tensor(name, vec![rows, self.classes], scores)])
    }
}

export!(MessageSender);
