//! What the targets share: a submission made of the fuzzer's bytes, the challenge that it meets, and what of a result must be
//! the same whenever it is made again.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use smith::{Code, Shape};
use thimble_challenge::LoadedChallenge;
use thimble_challenge::result::{EvaluationResult, Mode};
use thimble_challenge::units::Flops;
use thimble_runtime::{BoundData, Request, Runner, Unobserved};
use thimble_tests::fixture::{self, StoredDataset};
use thimble_tests::smith::solution;

/// Budgets with which a guest that runs for ever is over in milliseconds, and one that ends by itself mostly scores: a word of
/// the sum over the memory costs 29 fuel, so that `solve` takes a quarter of a million before the random function.
const TRAINING: Flops = Flops(100_000);
const PREDICTION_PER_SAMPLE: Flops = Flops(2_500);

/// Modules of which seeds are made.
const SEEDS: usize = 96;

/// A random module in a solution that returns every bit it computes, possibly with some bytes of the component changed.
#[derive(Debug)]
pub struct Submission {
    /// Of the world `solution`, unless it was edited.
    pub component: Vec<u8>,
    /// Whether any byte was changed, so that it may be no component at all.
    pub edited: bool,
}

impl Submission {
    /// The first byte says what the module may do and how many edits there are, the second how long its functions are; three
    /// bytes make an edit; the module is made of the rest. `None` where there is no module in them.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let (&[first, length], rest) = bytes.split_first_chunk()?;
        let code = [Code::Any, Code::Straight, Code::Vectors, Code::Vectors][usize::from(first >> 2 & 3)];
        let shape = Shape {
            code,
            operators: usize::from(length) + 1,
            may_trap: first & 1 != 0,
            may_be_endless: first & 2 != 0,
        };
        let (edits, rest) = rest.split_at_checked(usize::from(first >> 5) * 3)?;
        let module = smith::module(rest, shape).ok()?;
        let mut component = solution(&module).expect("a generated module has the shape asked for").component();
        for edit in edits.chunks_exact(3) {
            let at = usize::from(u16::from_le_bytes([edit[0], edit[1]])) % component.len();
            component[at] ^= edit[2];
        }
        Some(Self { component, edited: !edits.is_empty() })
    }
}

/// Inputs to start from: each kind of code without traps and with them, in turn, and what may be endless among the latter; short
/// functions and long ones; an edit in one of eight.
pub fn seeds() -> Vec<Vec<u8>> {
    const FIRST: [u8; 6] = [0, 0b0100, 0b1000, 0b0011, 0b0101, 0b1001];
    const LENGTHS: [u8; 4] = [5, 15, 60, 250];
    let seed = |seed: usize| {
        let length = LENGTHS[seed / FIRST.len() % LENGTHS.len()];
        let mut bytes = vec![FIRST[seed % FIRST.len()], length];
        if seed % 8 == 7 {
            bytes[0] |= 1 << 5;
            bytes.extend([0, seed as u8, 1]);
        }
        // More than a module of that length takes would only be mutated in vain.
        bytes.extend(smith::random(seed as u64).into_iter().take(512 + usize::from(length) * 16));
        bytes
    };
    (0..SEEDS).map(seed).collect()
}

/// A small challenge with its data.
#[derive(Debug)]
pub struct Arena {
    challenge: LoadedChallenge,
    data: BoundData,
    cancel: Arc<AtomicBool>,
    /// Holds the files of the data.
    _dataset: StoredDataset,
}

impl Arena {
    /// Writes the data to a temporary directory and binds the challenge to it.
    pub fn new() -> Self {
        let dataset = StoredDataset::new(&fixture::tables());
        let mut challenge = fixture::challenge();
        challenge.limits.training_flops = TRAINING;
        challenge.limits.prediction_flops_per_sample = PREDICTION_PER_SAMPLE;
        let (challenge, data) = dataset.load(challenge, Mode::Validation);
        Self { challenge, data, cancel: Arc::default(), _dataset: dataset }
    }

    /// What a guest's memories may hold together.
    pub fn memory_bytes(&self) -> u64 {
        self.challenge.challenge.limits.memory_bytes
    }

    /// What comes of a submission.
    pub fn evaluate(&self, runner: &Runner, component: &[u8]) -> EvaluationResult {
        let Self { challenge, data, cancel, .. } = self;
        runner.evaluate(&Request { submission: component, challenge, data, cancel }, &mut Unobserved)
    }
}

impl Default for Arena {
    fn default() -> Self {
        Self::new()
    }
}

/// What two runs of a submission must agree in: the comparable block with its fuel, every bit that was learnt, and the most
/// memory that an instance had.
pub fn agreed(result: &EvaluationResult) -> String {
    let comparable = serde_json::to_string_pretty(&result.comparable).expect("a result is JSON");
    format!("{comparable}\n{:?}\n{:?}", result.run.parameters_digest, result.run.peak_memory_bytes)
}
