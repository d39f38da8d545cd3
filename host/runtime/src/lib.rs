//! Engine, tariff, sandbox, loaders and the evaluation pipeline.
//!
//! [`Runner::evaluate`] takes a submission's bytes, a challenge and data bound to it, and returns a result, whatever the
//! submission does. The pipeline is one file per step, in the order in which an evaluation goes through them: `admit`,
//! `compile`, `learn`, `count`, `predict`, `score`, `report`. Around them: where a guest runs (`guest`: this process, or `boxed`
//! children of it), the meter (`tariff`, `engine`), what a guest can reach (`loader`, `journal_import`, `kernels_import`, `wasi`), and what holds it (`state`, `limiter`, `clock`, `instance`, `stop`).

mod admit;
mod artifact;
mod bind;
mod boxed;
mod clock;
mod compile;
mod contract;
mod count;
mod digest;
mod engine;
mod evaluate;
mod guest;
mod instance;
mod journal;
mod journal_import;
mod kernels_import;
mod learn;
mod limiter;
mod lists;
mod loader;
mod machine;
mod observe;
mod order;
mod predict;
mod predictor;
pub mod profile;
mod report;
mod score;
mod session;
mod state;
mod stop;
mod tariff;
mod task;
mod wasi;

pub use bind::{BindError, BoundData, PublicData};
pub use boxed::run_child;
#[doc(hidden)]
pub use boxed::run_escaping_child;
pub use compile::{Children, compile_child};
pub use contract::{CONTRACT, Column, Dtype, Field, Kind, Metadata};
pub use engine::ENGINE;
pub use evaluate::{Place, Request, Runner};
pub use observe::{Event, Observer, Unobserved};
pub use stop::PlatformFault;
pub use tariff::{HostPrices, Row, TARIFF, Tariff, VariableRow};
pub use task::Description;

/// The fixed limits of a run, beside those a challenge sets.
pub mod limits {
    pub use crate::bind::MAX_PREDICTION_BYTES;
    pub use crate::compile::{ADDRESS_SPACE_BYTES, ARTIFACT_BYTES, CPU_SECONDS, WALL_SECONDS};
    pub use crate::journal::{LOG_BYTES, POINTS, SERIES, SERIES_NAME_BYTES};
    pub use crate::kernels_import::VALUES_PER_WRITE;
    pub use crate::limiter::TABLE_ELEMENTS;
    pub use crate::predict::{REPLAY_ALONE, REPLAY_LEAST, REPLAY_ONE_IN};
    pub use thimble_challenge::units::INSTANTIATION_FUEL;
}
