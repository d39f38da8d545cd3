//! The pages people see: views in, HTML out.
//!
//! Every page is a pure function from the views of [`thimble_api`] and a [`Viewer`] to [`maud::Markup`], a whole
//! document. Nothing here reads a clock, a file or a store. Text of builders, operators and files is escaped and
//! isolated from the direction of the text around it ([`maud`], `text::foreign`); Markdown passes an allow-list
//! ([`markdown::html`]). No page has a script or style of its own: both are [`assets`], so that the content-security
//! policy can refuse every inline one. All forms work without scripts, and [`forms`] says what their fields are
//! called.
//!
//! | page | function |
//! |---|---|
//! | `GET /` | [`challenges`] |
//! | `GET /challenges/{name}` | [`leaderboard`] |
//! | `…/description` | [`description`] |
//! | `…/explore` | [`explore`] |
//! | `…/training` | [`training`] |
//! | `…/submissions`, and `POST …/submit` with faults | [`submissions`] |
//! | `…/monitor` | [`monitor`] |
//! | `GET /submissions/{id}` | [`submission`] for builders and readers, [`record`] for operators |
//! | `GET /login`, and `POST /login` with a fault | [`login`] |
//! | `GET /join`, and `POST /join` with faults; then | [`join`]; [`joined`] |
//! | `GET /operator`, and `POST /operator/new` with faults | [`operator`] |
//! | `GET /operator/challenges/{name}/step/1` … `4`, and `POST` with faults | [`step1`], [`step2`], [`step3`], [`step4`] |
//! | every error | [`error`] |

mod account;
pub mod assets;
mod challenge;
mod challenges;
mod curves;
mod error;
pub mod forms;
mod frontier;
mod input;
mod layout;
mod leaderboard;
pub mod markdown;
mod monitor;
mod operator;
mod outcome;
mod record;
mod scale;
mod steps;
mod submission;
mod submissions;
mod text;
mod training;
mod verdict;
mod viewer;

pub use account::{join, joined, login};
pub use challenge::{description, explore};
pub use challenges::challenges;
pub use error::error;
pub use leaderboard::leaderboard;
pub use monitor::monitor;
pub use operator::{OperatorHome, operator};
pub use record::record;
pub use steps::{Invitations, step1, step2, step3, step4};
pub use submission::submission;
pub use submissions::submissions;
pub use training::training;
pub use viewer::{SignedIn, Viewer};
