//! What a board shows.

use std::sync::Arc;

use thimble_challenge::Challenge;
use thimble_challenge::composite::Anchors;

use crate::column::Column;
use crate::distribution::Distribution;
use crate::row::{Reason, Row};

/// Neighbours of a builder that are shown on either side.
const NEIGHBOURS: usize = 3;

/// A board at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Computed {
    /// The highest key among its rows, or what the caller [raised](crate::Board::advance) it to.
    pub version: u64,
    /// What composite scores are measured against; none where the score is not composite.
    pub anchors: Option<Anchors>,
    /// The anchors do not move any more.
    pub frozen: bool,
    /// The best result of every builder, ranked, best first; full ties in the order of submission.
    pub standings: Vec<Standing>,
    /// Of every builder without a ranked result the best of the others, in the same order.
    pub unranked: Vec<Unranked>,
    /// The house baselines of a composite score, best first. They take no rank.
    pub house: Vec<HouseStanding>,
    /// The keys of the Pareto frontier over the ranking metric and the FLOPs a row of all results that can be ranked, not
    /// only the best of each builder: by ascending FLOPs, ties in the order of submission.
    pub frontier: Vec<u64>,
    pub(crate) frontier_rows: Vec<Arc<Row>>,
    pub(crate) challenge: Arc<Challenge>,
}

/// A builder's best result.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Its row's key.
    pub key: u64,
    /// From 1, shared on full ties: 1, 2, 2, 4.
    pub rank: u64,
    /// What ranks: the composite score against the board's anchors, or the published score.
    pub score: f64,
    /// What the metric counts in a composite score, 0 to 1.
    pub quality: Option<f64>,
    /// What the cost counts in a composite score, 0 to 1: the same for FLOPs and gCO2e.
    pub efficiency: Option<f64>,
    /// No result is better without being dearer, or cheaper without being worse.
    pub on_frontier: bool,
    /// The key of a result on the frontier that is nowhere worse and somewhere better: the one with the best metric.
    pub dominated_by: Option<u64>,
    /// How many results of the builder were published, whatever became of them.
    pub submissions: u64,
    /// All that was published of it.
    pub row: Arc<Row>,
}

/// A result that is shown below the ranks.
#[derive(Debug, Clone, PartialEq)]
pub struct Unranked {
    /// Its row's key.
    pub key: u64,
    /// Why it has no rank.
    pub reason: Reason,
    /// What it would have as its score: 0 below the floor.
    pub score: Option<f64>,
    /// How many results of the builder were published, whatever became of them.
    pub submissions: u64,
    /// All that was published of it.
    pub row: Arc<Row>,
}

/// A house baseline among the ranks.
#[derive(Debug, Clone, PartialEq)]
pub struct HouseStanding {
    /// What pages call it.
    pub name: String,
    /// Its ranking metric on the public data.
    pub metric: f64,
    /// Its FLOPs a row.
    pub flops_per_sample: f64,
    /// By the challenge's carbon factors.
    pub gco2e_per_sample: f64,
    /// Against the board's anchors.
    pub score: f64,
    /// As [`Standing::quality`].
    pub quality: f64,
    /// As [`Standing::efficiency`].
    pub efficiency: f64,
    /// How many standings it is shown behind: all whose score is not lower.
    pub after: usize,
}

/// Where a builder stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Context<'a> {
    /// The builder's own.
    pub standing: &'a Standing,
    /// How many are ranked.
    pub of: usize,
    /// `(of − rank + 1) / of`: 1 for the first.
    pub percentile: f64,
    /// At most three that stand before it, best first.
    pub before: &'a [Standing],
    /// At most three that stand behind it, best first.
    pub behind: &'a [Standing],
}

impl Computed {
    /// What it is the board of.
    pub const fn challenge(&self) -> &Arc<Challenge> {
        &self.challenge
    }

    /// The rows of [`frontier`](Self::frontier), in its order.
    pub fn frontier_rows(&self) -> &[Arc<Row>] {
        &self.frontier_rows
    }

    /// Where a builder stands; none without a ranked result.
    pub fn context(&self, builder: &str) -> Option<Context<'_>> {
        let position = self.standings.iter().position(|standing| &*standing.row.builder == builder)?;
        let (standing, of) = (&self.standings[position], self.standings.len());
        let end = of.min(position + 1 + NEIGHBOURS);
        Some(Context {
            standing,
            of,
            percentile: (of as f64 - standing.rank as f64 + 1.0) / of as f64,
            before: &self.standings[position.saturating_sub(NEIGHBOURS)..position],
            behind: &self.standings[position + 1..end],
        })
    }

    /// The distribution of a column over the standings; none where no standing has a value in it.
    pub fn distribution(&self, column: &Column) -> Option<Distribution> {
        Distribution::of(
            self.standings.iter().map(|standing| column.value(&standing.row.published, Some(standing.score))),
        )
    }

    /// The whole board as CSV with a header: the standings with the house baselines among them, then what has no rank.
    ///
    /// Quoted by RFC 4180, lines end in CR LF. Text that a spreadsheet would run as a formula has an apostrophe before what
    /// makes it one.
    pub fn csv(&self) -> String {
        crate::csv::write(self)
    }
}
