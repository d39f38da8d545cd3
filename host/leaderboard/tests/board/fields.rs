//! Challenges and rows.

use std::sync::Arc;

use thimble_challenge::challenge::ScoreRule;
use thimble_challenge::composite::{Composite, HouseBaseline, Quality, Weights};
use thimble_challenge::result::Outcome;
use thimble_challenge::{Challenge, ParameterCount, Published};
use thimble_datasets::Digest;
use thimble_leaderboard::{Board, Computed, Row};
use thimble_metrics::MetricValue;

pub(crate) const GFLOP: f64 = 1e9;

/// Ranks by accuracy; equal scores by the metric, FLOPs, parameters, time.
pub(crate) fn classification(score: ScoreRule) -> Challenge {
    let json = include_str!("../../../../examples/challenges/frugal-digits/challenge.json");
    Challenge { score, ..Challenge::from_json(json.as_bytes()).unwrap() }
}

/// Ranks by the mean bias error itself, nearer 0; also publishes RMSE.
pub(crate) fn regression() -> Challenge {
    let json = include_str!("../../../../examples/challenges/diabetes-progression/challenge.json");
    let mut challenge = Challenge::from_json(json.as_bytes()).unwrap();
    challenge.ranking.metric = "mbe".to_owned();
    challenge.ranking.also_published = vec!["rmse".to_owned()];
    challenge
}

/// The seed's formula over the floor 0.5, a reference cost of 5 GFLOP, and house baselines of these costs in GFLOP.
pub(crate) fn composite(house: &[f64]) -> Composite {
    let baseline = |(index, gflop): (usize, &f64)| HouseBaseline {
        name: format!("baseline {index}"),
        metric: 0.9,
        flops_per_sample: gflop * GFLOP,
    };
    Composite {
        weights: Weights::default(),
        floor: 0.5,
        best: 1.0,
        quality: Quality::Metric,
        house: house.iter().enumerate().map(baseline).collect(),
        reference_flops: 5.0 * GFLOP,
    }
}

pub(crate) fn board(challenge: Challenge, rows: impl IntoIterator<Item = Row>) -> Board {
    let mut board = Board::new(Arc::new(challenge), None);
    board.extend(rows);
    board
}

pub(crate) fn compute(challenge: Challenge, rows: impl IntoIterator<Item = Row>) -> Computed {
    board(challenge, rows).compute()
}

/// A scored result of a builder who is a team alone, with a component of its own, submitted in the second of its key. Its
/// published score is its accuracy.
pub(crate) fn row(key: u64, builder: &str, accuracy: f64, gflop: f64) -> Row {
    Row {
        key,
        builder: builder.into(),
        team: builder.into(),
        component: Digest::of(&key.to_le_bytes()),
        submitted_ms: key * 1_000,
        published: Arc::new(Published {
            outcome: Outcome::Scored,
            failure: None,
            metrics: [("accuracy".to_owned(), MetricValue::Value(accuracy))].into(),
            score: Some(accuracy),
            parameters: Some(ParameterCount(100)),
            flops_per_sample: Some(gflop * GFLOP),
            gco2e_per_sample: None,
            component_bytes: Some(1_000),
            transductive: Some(false),
            practice: true,
        }),
        withdrawn: false,
    }
}

/// As [`row`], for [`regression`].
pub(crate) fn biased(key: u64, builder: &str, mbe: f64, gflop: f64) -> Row {
    published(row(key, builder, mbe, gflop), |published| {
        published.metrics = [("mbe".to_owned(), MetricValue::Value(mbe))].into();
    })
}

/// `row` with another published result.
pub(crate) fn published(mut row: Row, change: impl FnOnce(&mut Published)) -> Row {
    change(Arc::make_mut(&mut row.published));
    row
}

/// Builders and their ranks, in order.
pub(crate) fn ranks(computed: &Computed) -> Vec<(&str, u64)> {
    computed.standings.iter().map(|standing| (&*standing.row.builder, standing.rank)).collect()
}

#[track_caller]
pub(crate) fn assert_near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
}
