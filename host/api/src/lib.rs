//! What the service says over HTTP: requests, answers per audience, errors, units.
//!
//! One type per audience and question: what a builder is told of an official run is [`submission::OfficialState`], which has
//! no field for what must not leave ([`docs/http-api.md`]); an operator's view is [`operator::SubmissionRecord`]. The server
//! answers with these types, the pages show them, the client reads them, and the OpenAPI document is generated from them.

pub mod account;
pub mod amount;
pub mod challenge;
pub mod draft;
pub mod error;
pub mod id;
pub mod leaderboard;
pub mod operator;
pub mod page;
pub mod submission;
pub mod time;

pub use amount::{Compute, Price};
pub use error::{ErrorBody, ErrorCode, ErrorDetail, ErrorEnvelope};
pub use id::{AccountName, SubmissionId, TeamName};
pub use page::Page;
pub use time::Timestamp;
