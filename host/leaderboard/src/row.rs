//! A result, and whether it is ranked.

use std::sync::Arc;

use thimble_challenge::challenge::{Challenge, RowRule, ScoreRule};
use thimble_challenge::ranking::Figures;
use thimble_challenge::result::{Outcome, Published};
use thimble_datasets::Digest;

/// One released official result.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its place in the order of publication, unique and rising.
    pub key: u64,
    /// Whose it is: the best of a builder's results stands on the board.
    pub builder: Arc<str>,
    /// The builder's team: it has one vote in the field.
    pub team: Arc<str>,
    /// Digest of `solution.wasm`.
    pub component: Digest,
    /// When it was submitted, in milliseconds since 1970.
    pub submitted_ms: u64,
    /// What was released of it.
    pub published: Arc<Published>,
    /// Taken back: in neither the ranks nor the field.
    pub withdrawn: bool,
}

/// Why a result that is shown has no rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Its ranking metric, or another figure that the score is computed from, has no value.
    Undefined,
    /// Its answers depend on other rows, which the challenge does not allow.
    Transductive,
    /// Its ranking metric does not reach the floor of the composite score.
    BelowFloor,
}

impl Reason {
    /// The name used in every file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Undefined => "undefined",
            Self::Transductive => "transductive",
            Self::BelowFloor => "below_floor",
        }
    }
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// In the field, on the frontier's plane, and ranked if it is its builder's best.
    Ranked,
    /// Shown below the ranks, and nothing else.
    Unranked(Reason),
    /// Not shown: withdrawn, or not scored.
    Hidden,
}

impl Class {
    pub(crate) fn of(challenge: &Challenge, row: &Row, figures: &Figures) -> Self {
        if row.withdrawn || row.published.outcome != Outcome::Scored {
            return Self::Hidden;
        }
        let scorable = match challenge.score {
            ScoreRule::Composite(_) => figures.flops_per_sample.is_some(),
            ScoreRule::LinearAboveBaseline { .. } | ScoreRule::Metric => figures.score.is_some(),
        };
        let Some(metric) = figures.metric.filter(|_| scorable) else { return Self::Unranked(Reason::Undefined) };
        if challenge.rows == RowRule::Independent && row.published.transductive == Some(true) {
            Self::Unranked(Reason::Transductive)
        } else if challenge.score.ranks(metric) {
            Self::Ranked
        } else {
            Self::Unranked(Reason::BelowFloor)
        }
    }
}
