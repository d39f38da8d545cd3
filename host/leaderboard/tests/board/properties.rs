//! Boards against their plain definition: every pair of results compared, every vote cut into equal parts.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use thimble_challenge::challenge::{RowRule, ScoreRule, TieBreak};
use thimble_challenge::composite::{Anchors, Composite, Quality};
use thimble_challenge::result::Outcome;
use thimble_challenge::{Challenge, ParameterCount};
use thimble_datasets::Digest;
use thimble_leaderboard::{Board, Reason, Row};
use thimble_metrics::{Direction, MetricValue};

use super::fields::*;

/// Few values, so that ties are common.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let metric = prop_oneof![
        1 => Just(None),
        9 => prop::sample::select(vec![-0.9, -0.6, 0.0, 0.3, 0.5, 0.6, 0.9, 1.0]).prop_map(Some),
    ];
    let flops =
        prop_oneof![1 => Just(None), 9 => prop::sample::select(vec![0.0, 1.0, 2e3, 4e3, 7e6, 5e16]).prop_map(Some)];
    let outcome =
        prop_oneof![8 => Just(Outcome::Scored), 1 => Just(Outcome::Failed), 1 => Just(Outcome::OverParameterLimit)];
    let parameters = prop_oneof![Just(None), Just(Some(1)), Just(Some(2))];
    let flags = (prop::bool::weighted(0.1), prop::bool::weighted(0.1));
    let one = (0..6_u8, 0..7_u8, 0..20_u8, 0..4_u64, metric, flops, outcome, parameters, flags);
    proptest::collection::vec(one, 0..24).prop_map(|rows| (1..).zip(rows).map(|(key, one)| made(key, one)).collect())
}

type One = (u8, u8, u8, u64, Option<f64>, Option<f64>, Outcome, Option<u64>, (bool, bool));

fn made(key: u64, (builder, team, component, submitted_ms, metric, flops, outcome, parameters, flags): One) -> Row {
    let (withdrawn, transductive) = flags;
    let value = metric.map_or(MetricValue::Undefined("nothing".to_owned()), MetricValue::Value);
    let row = published(row(key, &format!("builder {builder}"), 0.0, 0.0), |published| {
        // One of both is the ranking metric.
        published.metrics = ["accuracy", "mbe", "rmse"].map(|name| (name.to_owned(), value.clone())).into();
        published.outcome = outcome;
        published.score = metric.zip(flops).map(|(metric, _)| metric);
        published.flops_per_sample = flops;
        published.parameters = parameters.map(ParameterCount);
        published.transductive = Some(transductive);
    });
    Row { team: format!("team {team}").into(), component: Digest::of(&[component]), submitted_ms, withdrawn, ..row }
}

/// Every score rule, metrics of both directions and one that ranks by its magnitude, with few tie-breaks and with all.
fn challenges() -> impl Strategy<Value = Challenge> {
    let composite = |house: Vec<f64>, quality| Composite { quality, ..composite(&house) };
    let skill = (proptest::collection::vec(prop::sample::select(vec![0.0, 1e-5, 1.0]), 0..6), any::<bool>())
        .prop_map(move |(house, skill)| composite(house, if skill { Quality::Skill } else { Quality::Metric }))
        .prop_map(|rule| classification(ScoreRule::Composite(rule)));
    let linear = Just(classification(ScoreRule::LinearAboveBaseline { baseline: 0.5 }));
    let mut lower = regression();
    lower.ranking.metric = "rmse".to_owned();
    let challenge = prop_oneof![3 => skill, 1 => linear, 1 => Just(regression()), 1 => Just(lower)];
    let all = [TieBreak::Metric, TieBreak::FewerParameters, TieBreak::FewerFlops, TieBreak::Earlier];
    (challenge, 0..=all.len(), any::<bool>()).prop_map(move |(mut challenge, ties, transductive)| {
        challenge.ranking.tie_breaks = all[..ties].to_vec();
        challenge.rows = if transductive { RowRule::Transductive } else { RowRule::Independent };
        challenge
    })
}

/// The definition of a board over its rows.
struct Plain<'a> {
    challenge: &'a Challenge,
    rows: &'a [Row],
    anchors: Option<Anchors>,
}

impl Plain<'_> {
    fn metric(&self, row: &Row) -> Option<f64> {
        row.published.metrics[&self.challenge.ranking.metric].value()
    }

    /// The metric turned so that more is better.
    fn height(&self, row: &Row) -> Option<f64> {
        let registry = self.challenge.ranking_metric().unwrap();
        let value = if registry.ranks_by_magnitude { self.metric(row)?.abs() } else { self.metric(row)? };
        Some(if registry.direction == Direction::HigherIsBetter { value } else { -value })
    }

    fn reason(&self, row: &Row) -> Option<Reason> {
        let (Some(metric), Some(_)) = (self.metric(row), row.published.flops_per_sample) else {
            return Some(Reason::Undefined);
        };
        let transductive = row.published.transductive == Some(true);
        if transductive && self.challenge.rows == RowRule::Independent {
            return Some(Reason::Transductive);
        }
        let below = matches!(&self.challenge.score, ScoreRule::Composite(rule) if metric < rule.floor);
        below.then_some(Reason::BelowFloor)
    }

    fn shown(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.published.outcome == Outcome::Scored && !row.withdrawn)
    }

    fn ranked(&self) -> impl Iterator<Item = &Row> {
        self.shown().filter(|row| self.reason(row).is_none())
    }

    fn score(&self, row: &Row) -> Option<f64> {
        let ScoreRule::Composite(rule) = &self.challenge.score else { return row.published.score };
        let (metric, flops) = self.metric(row).zip(row.published.flops_per_sample)?;
        Some(rule.score(metric, flops, &self.anchors.unwrap()).value)
    }

    /// `Less` when `a` is better.
    fn compare(&self, a: &Row, b: &Row) -> Ordering {
        // More is better, and anything better than nothing.
        let more = |a: Option<f64>, b: Option<f64>| b.partial_cmp(&a).unwrap();
        let height = |row: &Row| match self.challenge.score {
            ScoreRule::Metric => self.score(row).and(self.height(row)),
            _ => self.score(row),
        };
        let negative = |value: Option<f64>| value.map(|value| -value);
        let parameters = |row: &Row| negative(row.published.parameters.map(|count| count.0 as f64));
        let mut order = more(height(a), height(b));
        for tie_break in &self.challenge.ranking.tie_breaks {
            order = order.then(match tie_break {
                TieBreak::Metric => more(self.height(a), self.height(b)),
                TieBreak::FewerParameters => more(parameters(a), parameters(b)),
                TieBreak::FewerFlops => {
                    more(negative(a.published.flops_per_sample), negative(b.published.flops_per_sample))
                }
                TieBreak::Earlier => a.submitted_ms.cmp(&b.submitted_ms),
            });
        }
        order
    }

    /// Whether `a` stands before `b`: it is better, or as good and earlier.
    fn before(&self, a: &Row, b: &Row) -> bool {
        let earlier = (a.submitted_ms, a.key) < (b.submitted_ms, b.key);
        self.compare(a, b).then(if earlier { Ordering::Less } else { Ordering::Greater }).is_lt() && a.key != b.key
    }

    fn is_best_of<'r>(&self, row: &Row, mut others: impl Iterator<Item = &'r Row>) -> bool {
        !others.any(|other| other.builder == row.builder && self.before(other, row))
    }

    /// The keys in the order in which they stand.
    fn sorted(&self, rows: Vec<&Row>) -> Vec<u64> {
        let place = |row: &Row| rows.iter().filter(|other| self.before(other, row)).count();
        rows.iter().map(|row| (place(row), row.key)).collect::<BTreeMap<_, _>>().into_values().collect()
    }

    fn dominates(&self, a: &Row, b: &Row) -> bool {
        let point = |row: &Row| (self.height(row).unwrap(), row.published.flops_per_sample.unwrap());
        let ((height_a, flops_a), (height_b, flops_b)) = (point(a), point(b));
        height_a >= height_b && flops_a <= flops_b && (height_a, flops_a) != (height_b, flops_b)
    }
}

/// The anchors by definition: a vote is `10 × PARTS` equal cells, and a quantile the mean of the logarithms in the cells of
/// its window. `PARTS` is a multiple of every number of submissions that a team of 24 rows and 20 components can have here.
fn anchors_by_cells(rule: &Composite, plain: &Plain<'_>) -> Option<(f64, f64, u64, bool)> {
    let mut seen = BTreeSet::new();
    let mut ranked: Vec<_> = plain.ranked().collect();
    ranked.sort_by_key(|row| (row.submitted_ms, row.key));
    ranked.retain(|row| seen.insert(row.component));
    let mut teams: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &ranked {
        *teams.entry(&row.team).or_default() += 1;
    }
    const PARTS: usize = 840;
    if teams.values().any(|&submissions| !PARTS.is_multiple_of(submissions)) {
        return None;
    }
    let cells = 10 * PARTS;
    let mut costs: Vec<(f64, usize)> = rule.house.iter().map(|house| (house.flops_per_sample, cells)).collect();
    costs.extend(ranked.iter().map(|row| (row.published.flops_per_sample.unwrap(), cells / teams[&*row.team])));
    let provisional = teams.len() < 5;
    while provisional && costs.iter().map(|cost| cost.1).sum::<usize>() < 5 * cells {
        costs.push((rule.reference_flops, cells));
    }
    costs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all: Vec<f64> = costs.iter().flat_map(|&(flops, cells)| vec![flops.max(1.0).ln(); cells]).collect();
    let window = |start: usize| (all[start..start + cells].iter().sum::<f64>() / cells as f64).exp();
    let free = all.len() - cells;
    Some((window(free / 2), window(free / 10), costs.len() as u64, provisional))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn boards_are_as_defined(challenge in challenges(), rows in rows()) {
        let computed = compute(challenge.clone(), rows.clone());
        let plain = Plain { challenge: &challenge, rows: &rows, anchors: computed.anchors };
        if let ScoreRule::Composite(rule) = &challenge.score
            && let Some((median, p10, members, provisional)) = anchors_by_cells(rule, &plain)
        {
            let anchors = computed.anchors.unwrap();
            prop_assert!((anchors.median_flops / median - 1.0).abs() < 1e-9, "{anchors:?} {median}");
            prop_assert!((anchors.p10_flops / p10 - 1.0).abs() < 1e-9, "{anchors:?} {p10}");
            prop_assert_eq!((anchors.members, anchors.provisional), (members, provisional));
        }
        let by_key = |key: u64| rows.iter().find(|row| row.key == key).unwrap();

        // The best of each builder, in order.
        let standing: Vec<_> = plain.ranked().filter(|row| plain.is_best_of(row, plain.ranked())).collect();
        let keys: Vec<_> = computed.standings.iter().map(|standing| standing.key).collect();
        prop_assert_eq!(&keys, &plain.sorted(standing.clone()));
        let frontier: Vec<_> =
            plain.ranked().filter(|row| !plain.ranked().any(|other| plain.dominates(other, row))).collect();
        for found in &computed.standings {
            let row = by_key(found.key);
            prop_assert_eq!(&*found.row, row);
            let better = standing.iter().filter(|other| plain.compare(other, row).is_lt()).count() as u64;
            prop_assert_eq!(found.rank, better + 1);
            prop_assert_eq!(Some(found.score), plain.score(row));
            let submissions = rows.iter().filter(|other| other.builder == row.builder).count() as u64;
            prop_assert_eq!(found.submissions, submissions);
            prop_assert_eq!(found.on_frontier, frontier.iter().any(|member| member.key == row.key));
            prop_assert_eq!(found.on_frontier, found.dominated_by.is_none());
            if let Some(key) = found.dominated_by {
                prop_assert!(plain.dominates(by_key(key), row) && computed.frontier.contains(&key));
            }
        }

        // The frontier: all of it, by cost.
        let mut expected: Vec<_> = frontier.iter().map(|row| row.key).collect();
        let cost = |row: &Row| (row.published.flops_per_sample.unwrap().to_bits(), row.submitted_ms, row.key);
        expected.sort_by_key(|&key| cost(by_key(key)));
        prop_assert_eq!(&computed.frontier, &expected);
        prop_assert!(computed.frontier_rows().iter().map(|row| row.key).eq(expected));

        // Below the ranks: builders who have none.
        let without = |row: &Row| !plain.ranked().any(|other| other.builder == row.builder);
        let below: Vec<_> =
            plain.shown().filter(|row| without(row) && plain.is_best_of(row, plain.shown())).collect();
        let found: Vec<_> = computed.unranked.iter().map(|unranked| unranked.key).collect();
        prop_assert_eq!(found, plain.sorted(below));
        for unranked in &computed.unranked {
            prop_assert_eq!(Some(unranked.reason), plain.reason(by_key(unranked.key)));
            prop_assert_eq!(unranked.score, plain.score(by_key(unranked.key)));
        }

        // The house: before the first standing with a lower score.
        for house in &computed.house {
            let higher = computed.standings.iter().filter(|standing| standing.score >= house.score).count();
            prop_assert_eq!(house.after, higher);
        }
        prop_assert_eq!(computed.version, rows.len() as u64);
    }

    #[test]
    fn a_board_does_not_depend_on_the_order_in_which_rows_came(
        challenge in challenges(),
        rows in rows(),
        seeds in proptest::collection::vec(any::<u32>(), 24),
    ) {
        let expected = compute(challenge.clone(), rows.clone());
        let mut shuffled: Vec<_> = seeds.into_iter().zip(rows.clone()).collect();
        shuffled.sort_by_key(|(seed, _)| *seed);
        let mut board = Board::new(Arc::new(challenge), None);
        for (seed, row) in shuffled {
            // Each was something else at first.
            let metric = f64::from(seed % 10) / 10.0;
            board.extend([published(row.clone(), |published| {
                published.metrics.insert("accuracy".to_owned(), MetricValue::Value(metric));
                published.outcome = Outcome::Scored;
            })]);
            board.extend([row]);
        }
        prop_assert_eq!(board.compute(), expected);
        prop_assert!(board.rows().map(|row| &**row).eq(&rows));
    }
}
