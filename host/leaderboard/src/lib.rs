//! Leaderboards: published results in, a board out. Pure.
//!
//! A [`Board`] holds the released official results of a challenge as [`Row`]s, and [`Board::compute`] makes of them all that a
//! leaderboard shows ([`Computed`]): the best result of every builder with its rank, the anchors of a composite score, the
//! Pareto frontier, the house baselines, and what stands below the ranks and why. A [`Computed`] answers what is asked of it:
//! the [`Distribution`] of a [`Column`], a builder's [`Context`], the board as CSV. `docs/leaderboard.md` has the rules,
//! worked by hand.
//!
//! Nothing but published figures goes in, so that anyone who has those can compute the same board.

mod board;
mod column;
mod computed;
mod csv;
mod distribution;
mod frontier;
mod row;

pub use board::Board;
pub use column::Column;
pub use computed::{Computed, Context, HouseStanding, Standing, Unranked};
pub use distribution::{Bucket, Distribution, QUANTILES};
pub use row::{Reason, Row};
