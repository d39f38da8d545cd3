//! What a host and its boxed children say to each other.
//!
//! A frame holds one message. What a parent sends first is the [`Job`], as JSON since a challenge is, then machine code as it
//! is, then [`Command`]s; a child answers each with [`Reply`]s, of which the last is no [`Reply::Event`]. A parent believes
//! nothing of what a child says but that the guest may have said it: sizes are capped by the frame, names of verdicts and
//! rules are looked up, values are checked as those of a guest.

use serde::{Deserialize, Serialize};
use thimble_challenge::result::{Mode, Phase};
use thimble_challenge::units::MAX_FUEL;
use thimble_challenge::{Challenge, Fuel, Verdict};
use thimble_datasets::Field;

use crate::contract::{TensorResult, ValuesResult};
use crate::instance::Metered;
use crate::observe::Event;
use crate::session::Left;
use crate::state::HostFuel;
use crate::stop::{PlatformFault, Stop};

/// What a child is for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) challenge: Challenge,
    /// Rows of the training, validation and test split.
    pub(super) rows: [u64; 3],
    /// For a child that was given descriptors of training data.
    pub(super) training: Option<TrainingFiles>,
}

/// What a child has to know of the files that it cannot ask.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TrainingFiles {
    pub(super) fields: Vec<Field>,
    /// Bytes of the training and the validation split's.
    pub(super) lengths: [u64; 2],
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Command {
    /// Runs `solve`, with this much wall time.
    Learn {
        wall_millis: u64,
    },
    /// Makes an instance for batches of at most so many rows.
    Predictor {
        batch_size: u32,
        heard: bool,
        wall_millis: u64,
    },
    Load {
        parameters: Vec<Tensor>,
    },
    Predict {
        inputs: Vec<Tensor>,
        bytes: u64,
    },
    End,
    /// Gives the instance up.
    Leave,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    /// The box is closed; the layers that hold, by name.
    Closed {
        layers: Vec<String>,
    },
    /// The component is loaded and fits the contract.
    Linked,
    Event(Happened),
    Learned {
        tensors: Vec<Tensor>,
        fuel: u64,
        left: Left,
    },
    /// The command was carried out, and there is nothing to say.
    Done,
    Outputs {
        tensors: Vec<Tensor>,
    },
    Ended {
        fuel: u64,
    },
    Left(Left),
    /// The guest did not return. Its instance is gone.
    Stopped {
        stop: Ended,
        left: Left,
    },
    /// The child cannot work.
    Fault(String),
}

impl Reply {
    /// What a parent makes of an answer to something else.
    pub(super) fn out_of_turn(&self) -> Stop {
        let name = match self {
            Self::Closed { .. } => "closed",
            Self::Linked => "linked",
            Self::Event(_) => "event",
            Self::Learned { .. } => "learned",
            Self::Done => "done",
            Self::Outputs { .. } => "outputs",
            Self::Ended { .. } => "ended",
            Self::Left(_) => "left",
            Self::Stopped { .. } => "stopped",
            Self::Fault(_) => "fault",
        };
        Stop::Platform(PlatformFault::Sandbox(format!("a child answered `{name}` out of turn")))
    }
}

/// What a child says that its guest used.
pub(super) fn metered(fuel: u64) -> Result<Metered, PlatformFault> {
    if fuel > MAX_FUEL.0 {
        return Err(PlatformFault::Sandbox(format!("a child metered {fuel} fuel, the limit is {}", MAX_FUEL.0)));
    }
    // The host's part of it is known to the child alone.
    Ok(Metered { fuel: Fuel(fuel), host: HostFuel::default(), trace: None })
}

/// An [`Event`] of a child.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Happened {
    Fuel { phase: Phase, used: u64, budget: u64 },
    Log(String),
    Curve { series: String, step: u64, value: f64 },
}

impl Happened {
    /// `None` of what only a parent can know.
    pub(super) fn of(event: Event<'_>) -> Option<Self> {
        match event {
            Event::Fuel { phase, used, budget } => Some(Self::Fuel { phase, used: used.0, budget: budget.0 }),
            Event::Log(text) => Some(Self::Log(text.to_owned())),
            Event::Curve { series, step, value } => Some(Self::Curve { series: series.to_owned(), step, value }),
            Event::PhaseStarted(_) | Event::PhaseFinished { .. } | Event::Replay { .. } => None,
        }
    }

    /// `None` of what no child may say in this mode.
    pub(super) fn event(&self, mode: Mode) -> Option<Event<'_>> {
        match self {
            Self::Fuel { phase, used, budget } => {
                Some(Event::Fuel { phase: *phase, used: Fuel(*used), budget: Fuel(*budget) })
            }
            Self::Log(text) => (mode == Mode::Validation).then_some(Event::Log(text)),
            Self::Curve { series, step, value } => {
                (mode == Mode::Validation).then_some(Event::Curve { series, step: *step, value: *value })
            }
        }
    }
}

/// A [`Stop`] of a child.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Ended {
    Guest { verdict: Verdict, rule: String, message: String },
    Platform { rule: String, message: String },
}

/// Bytes of a message that are passed on.
const MESSAGE_BYTES: usize = 4096;

impl From<Stop> for Ended {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Guest { verdict, rule, message } => Self::Guest { verdict, rule: rule.to_owned(), message },
            Stop::Platform(fault) => Self::Platform { rule: fault.rule().to_owned(), message: fault.detail() },
        }
    }
}

impl Ended {
    /// What a parent makes of it.
    pub(super) fn into_stop(self) -> Stop {
        let cut = |text: String| text.chars().filter(|c| !c.is_control()).take(MESSAGE_BYTES).collect::<String>();
        match self {
            Self::Guest { verdict, rule, message } => match Stop::rule_of_guest(verdict, &rule) {
                Some(rule) => Stop::guest(verdict, rule, cut(message)),
                None => {
                    let what = format!("a child said that a guest ended with {verdict} by the rule `{}`", cut(rule));
                    Stop::Platform(PlatformFault::Sandbox(what))
                }
            },
            Self::Platform { rule, message } => Stop::Platform(PlatformFault::of_child(&rule, cut(message))),
        }
    }
}

/// A tensor, its values as little-endian bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Tensor {
    name: String,
    shape: Vec<u32>,
    values: Values,
}

#[derive(Debug, Serialize, Deserialize)]
enum Values {
    F32(#[serde(with = "serde_bytes")] Vec<u8>),
    F64(#[serde(with = "serde_bytes")] Vec<u8>),
    S64(#[serde(with = "serde_bytes")] Vec<u8>),
    S32(#[serde(with = "serde_bytes")] Vec<u8>),
    S8(#[serde(with = "serde_bytes")] Vec<u8>),
    U8(#[serde(with = "serde_bytes")] Vec<u8>),
    Text(Vec<String>),
}

/// Both directions for one element type.
macro_rules! bytes {
    ($to:ident, $from:ident, $element:ty) => {
        fn $to(values: &[$element]) -> Vec<u8> {
            let mut bytes = vec![0; size_of_val(values)];
            for (into, value) in bytes.chunks_exact_mut(size_of::<$element>()).zip(values) {
                into.copy_from_slice(&value.to_le_bytes());
            }
            bytes
        }

        /// `None` of half a value.
        fn $from(bytes: &[u8]) -> Option<Vec<$element>> {
            let (chunks, rest) = bytes.as_chunks();
            rest.is_empty().then(|| chunks.iter().map(|chunk| <$element>::from_le_bytes(*chunk)).collect())
        }
    };
}

bytes!(f32_bytes, f32_values, f32);
bytes!(f64_bytes, f64_values, f64);
bytes!(s64_bytes, s64_values, i64);
bytes!(s32_bytes, s32_values, i32);
bytes!(s8_bytes, s8_values, i8);

impl From<&TensorResult> for Tensor {
    fn from(tensor: &TensorResult) -> Self {
        let values = match &tensor.values {
            ValuesResult::F32(values) => Values::F32(f32_bytes(values)),
            ValuesResult::F64(values) => Values::F64(f64_bytes(values)),
            ValuesResult::S64(values) => Values::S64(s64_bytes(values)),
            ValuesResult::S32(values) => Values::S32(s32_bytes(values)),
            ValuesResult::S8(values) => Values::S8(s8_bytes(values)),
            ValuesResult::U8(values) => Values::U8(values.clone()),
            ValuesResult::Text(texts) => Values::Text(texts.clone()),
        };
        Self { name: tensor.name.clone(), shape: tensor.shape.clone(), values }
    }
}

impl Tensor {
    /// `None` of half a value.
    fn into_result(self) -> Option<TensorResult> {
        let values = match self.values {
            Values::F32(bytes) => ValuesResult::F32(f32_values(&bytes)?),
            Values::F64(bytes) => ValuesResult::F64(f64_values(&bytes)?),
            Values::S64(bytes) => ValuesResult::S64(s64_values(&bytes)?),
            Values::S32(bytes) => ValuesResult::S32(s32_values(&bytes)?),
            Values::S8(bytes) => ValuesResult::S8(s8_values(&bytes)?),
            Values::U8(bytes) => ValuesResult::U8(bytes),
            Values::Text(texts) => ValuesResult::Text(texts),
        };
        Some(TensorResult { name: self.name, shape: self.shape, values })
    }
}

pub(super) fn sent(tensors: &[TensorResult]) -> Vec<Tensor> {
    tensors.iter().map(Tensor::from).collect()
}

pub(super) fn received(tensors: Vec<Tensor>) -> Result<Vec<TensorResult>, PlatformFault> {
    let half = || PlatformFault::Sandbox("a tensor ends within a value".to_owned());
    tensors.into_iter().map(Tensor::into_result).collect::<Option<_>>().ok_or_else(half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_cross_bit_for_bit() {
        let nan = f32::from_bits(0xffc0_2222);
        let values = [
            ValuesResult::F32(vec![1.5, -0.0, nan]),
            ValuesResult::F64(vec![f64::MIN_POSITIVE, f64::INFINITY]),
            ValuesResult::S64(vec![i64::MIN, i64::MAX]),
            ValuesResult::S32(vec![i32::MIN, 7]),
            ValuesResult::S8(vec![-128, 127]),
            ValuesResult::U8(vec![0, 255]),
            ValuesResult::Text(vec![String::new(), "ä".to_owned()]),
        ];
        for values in values {
            let tensor = TensorResult { name: "x".to_owned(), shape: vec![1, 2], values };
            let bytes = postcard::to_allocvec(&sent(std::slice::from_ref(&tensor))).expect("it is encoded");
            let back = received(postcard::from_bytes(&bytes).expect("it is decoded")).expect("whole values");
            // NaNs are equal by their bits only.
            assert_eq!(format!("{back:?}"), format!("{:?}", [&tensor]));
            if let ([TensorResult { values: ValuesResult::F32(back), .. }], ValuesResult::F32(values)) =
                (&back[..], &tensor.values)
            {
                assert!(back.iter().zip(values).all(|(a, b)| a.to_bits() == b.to_bits()));
            }
        }
    }

    #[test]
    fn half_a_value_is_refused() {
        let tensor = Tensor { name: "x".to_owned(), shape: vec![1], values: Values::F32(vec![0; 5]) };
        assert!(received(vec![tensor]).is_err());
    }

    #[test]
    fn a_child_cannot_name_an_end_that_no_guest_has() {
        let ended = |verdict, rule: &str| {
            Ended::Guest { verdict, rule: rule.to_owned(), message: "m\u{1b}".to_owned() }.into_stop()
        };
        assert!(
            matches!(ended(Verdict::OutOfFuel, "fuel"), Stop::Guest { rule: "fuel", message, .. } if message == "m")
        );
        assert!(matches!(ended(Verdict::Scored, "fuel"), Stop::Platform(_)));
        assert!(matches!(ended(Verdict::OverParameterLimit, "parameters"), Stop::Platform(_)));
        assert!(matches!(ended(Verdict::Trap, "anything else"), Stop::Platform(_)));
    }

    #[test]
    fn no_child_speaks_in_an_official_run() {
        let log = Happened::Log("marker".to_owned());
        assert!(log.event(Mode::Official).is_none() && log.event(Mode::Validation).is_some());
    }
}
