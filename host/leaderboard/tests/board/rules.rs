//! Each rule alone.

use std::sync::Arc;

use thimble_challenge::challenge::{RowRule, ScoreRule, TieBreak};
use thimble_challenge::composite::{Anchors, Quality};
use thimble_challenge::result::Outcome;
use thimble_leaderboard::{Board, Reason, Row};
use thimble_metrics::MetricValue;

use super::fields::*;

const METRIC: ScoreRule = ScoreRule::Metric;

#[test]
fn full_ties_share_a_rank_and_the_next_rank_is_left_out() {
    let mut challenge = classification(METRIC);
    challenge.ranking.tie_breaks.pop();
    let rows = [
        row(1, "fourth", 0.7, 1.0),
        row(2, "second", 0.8, 1.0),
        row(3, "first", 0.9, 1.0),
        row(4, "also second", 0.8, 1.0),
    ];
    let expected = [("first", 1), ("second", 2), ("also second", 2), ("fourth", 4)];
    assert_eq!(ranks(&compute(challenge.clone(), rows.clone())), expected);
    // With `earlier` nothing is shared.
    challenge.ranking.tie_breaks.push(TieBreak::Earlier);
    let expected = [("first", 1), ("second", 2), ("also second", 3), ("fourth", 4)];
    assert_eq!(ranks(&compute(challenge, rows)), expected);
}

#[test]
fn tie_breaks_decide_in_the_order_of_the_challenge() {
    let more = |row: Row, parameters| published(row, |published| published.parameters = parameters);
    let rows = [
        row(1, "dear", 0.9, 2.0),
        more(row(2, "unknown size", 0.9, 1.0), None),
        more(row(3, "large", 0.9, 1.0), Some(thimble_challenge::ParameterCount(101))),
        row(4, "late", 0.9, 1.0),
        Row { submitted_ms: 3_999, ..row(5, "early", 0.9, 1.0) },
    ];
    let expected = [("early", 1), ("late", 2), ("large", 3), ("unknown size", 4), ("dear", 5)];
    assert_eq!(ranks(&compute(classification(METRIC), rows)), expected);
}

#[test]
fn a_builder_stands_once_and_only_what_is_strictly_better_replaces() {
    let mut challenge = classification(METRIC);
    challenge.ranking.tie_breaks = vec![TieBreak::FewerFlops];
    let rows = [row(1, "a", 0.8, 2.0), row(2, "a", 0.7, 1.0), row(3, "a", 0.8, 2.0)];
    let computed = compute(challenge.clone(), rows.clone());
    assert_eq!((computed.standings.len(), computed.standings[0].key, computed.standings[0].submissions), (1, 1, 3));
    let leaner = row(4, "a", 0.8, 1.9);
    assert_eq!(compute(challenge, rows.into_iter().chain([leaner])).standings[0].key, 4);
}

/// Among the anchors of the field, cost counts more or less: the best of a builder is the best now.
#[test]
fn a_builders_best_is_the_best_under_the_current_anchors() {
    let challenge = classification(ScoreRule::Composite(composite(&[])));
    // 0.7 × 0.04 = 0.028 for accuracy; the cost counts at most 0.3.
    let own = [row(1, "a", 0.90, 1.0), row(2, "a", 0.94, 2.0)];
    let field = |gflop: f64| (3..9).map(move |key| row(key, &format!("other {key}"), 0.6, gflop));
    let of = |rows: Vec<Row>| {
        let computed = compute(challenge.clone(), rows);
        computed.standings.iter().find(|standing| &*standing.row.builder == "a").unwrap().key
    };
    // Far below the median both are as good as free; at it, half the cost is worth 0.1.
    assert_eq!(of(own.iter().cloned().chain(field(1_000.0)).collect()), 2);
    assert_eq!(of(own.into_iter().chain(field(2.0)).collect()), 1);
}

#[test]
fn only_scored_results_are_shown() {
    let outcome = |row: Row, outcome| published(row, |published| published.outcome = outcome);
    let rows = [
        outcome(row(1, "a", 0.9, 1.0), Outcome::OverParameterLimit),
        outcome(row(2, "b", 0.9, 1.0), Outcome::Failed),
        row(3, "c", 0.6, 1.0),
        outcome(row(4, "c", 0.9, 0.5), Outcome::Failed),
    ];
    let computed = compute(classification(METRIC), rows);
    assert_eq!(ranks(&computed), [("c", 1)]);
    assert_eq!((computed.standings[0].submissions, computed.unranked.len()), (2, 0));
    assert_eq!(computed.frontier, [3]);
}

#[test]
fn a_withdrawn_result_is_in_neither_ranks_nor_field() {
    let challenge = classification(ScoreRule::Composite(composite(&[1.0, 4.0])));
    let rows = (1..8).map(|key| row(key, &format!("builder {key}"), 0.9, key as f64));
    let without = board(challenge.clone(), rows.clone()).compute();
    let mut board = board(challenge, rows.chain([row(8, "light", 0.95, 0.001)]));
    assert_ne!(board.compute().anchors, without.anchors);
    board.extend([Row { withdrawn: true, ..row(8, "light", 0.95, 0.001) }]);
    let after = board.compute();
    assert_eq!(
        (after.anchors, &after.standings, &after.frontier),
        (without.anchors, &without.standings, &without.frontier)
    );
    assert_eq!(after.unranked, []);
}

#[test]
fn what_cannot_be_ranked_is_shown_below_with_its_reason_and_is_no_part_of_the_field() {
    let challenge = classification(ScoreRule::Composite(composite(&[1.0, 4.0])));
    let ranked = [row(1, "a", 0.9, 2.0), row(2, "b", 0.5, 3.0)];
    let alone = compute(challenge.clone(), ranked.clone());
    let below = [
        row(3, "under", 0.4999, 0.01),
        published(row(4, "leaks", 0.99, 0.01), |published| published.transductive = Some(true)),
        published(row(5, "blank", 0.9, 0.01), |published| {
            published.metrics = [("accuracy".to_owned(), MetricValue::Undefined("nothing".to_owned()))].into();
            published.score = None;
        }),
        // Builders stand once, and best where they are ranked.
        row(6, "a", 0.3, 0.01),
    ];
    let computed = compute(challenge, ranked.into_iter().chain(below));
    assert_eq!(ranks(&computed), [("a", 1), ("b", 2)]);
    assert_eq!((computed.anchors, &computed.frontier), (alone.anchors, &alone.frontier));
    let shown: Vec<_> = computed.unranked.iter().map(|u| (&*u.row.builder, u.reason)).collect();
    let expected = [("leaks", Reason::Transductive), ("under", Reason::BelowFloor), ("blank", Reason::Undefined)];
    assert_eq!(shown, expected);
    assert_eq!((computed.unranked[1].score, computed.unranked[2].score), (Some(0.0), None));
    assert!(computed.unranked[0].score.unwrap() > 0.9);
}

#[test]
fn transductive_results_rank_where_the_challenge_allows_them() {
    let leaks = published(row(1, "a", 0.9, 1.0), |published| published.transductive = Some(true));
    let mut challenge = classification(METRIC);
    assert_eq!(compute(challenge.clone(), [leaks.clone()]).standings, []);
    challenge.rows = RowRule::Transductive;
    assert_eq!(ranks(&compute(challenge, [leaks])), [("a", 1)]);
}

#[test]
fn the_floor_is_inclusive() {
    let challenge = classification(ScoreRule::Composite(composite(&[])));
    let computed = compute(challenge, [row(1, "at", 0.5, 1.0), row(2, "below", 0.4999, 1.0)]);
    assert_eq!(ranks(&computed), [("at", 1)]);
    assert_eq!(computed.unranked[0].reason, Reason::BelowFloor);
}

#[test]
fn a_team_has_one_vote_whatever_its_builders_submit() {
    let challenge = || classification(ScoreRule::Composite(composite(&[1.0, 4.0])));
    let others = || (1..6).map(|key| row(key, &format!("builder {key}"), 0.9, key as f64));
    let of_team = |key, builder: &str| Row { team: "team".into(), ..row(key, builder, 0.9, 0.1) };
    let once = compute(challenge(), others().chain([of_team(6, "x")])).anchors.unwrap();
    let thrice =
        compute(challenge(), others().chain([of_team(6, "x"), of_team(7, "y"), of_team(8, "x")])).anchors.unwrap();
    assert_near(thrice.median_flops / once.median_flops, 1.0, 1e-12);
    assert_near(thrice.p10_flops / once.p10_flops, 1.0, 1e-12);
    assert_eq!((once.members, thrice.members), (8, 10));
    // As teams of their own they would pull the field down.
    let apart = others().chain([row(6, "x", 0.9, 0.1), row(7, "y", 0.9, 0.1), row(8, "z", 0.9, 0.1)]);
    assert!(compute(challenge(), apart).anchors.unwrap().median_flops < 0.9 * once.median_flops);
}

/// The first is the one that was submitted first, whenever it was published.
#[test]
fn of_identical_components_the_first_submitted_counts() {
    let challenge = || classification(ScoreRule::Composite(composite(&[1.0, 4.0])));
    let others = || (1..6).map(|key| row(key, &format!("builder {key}"), 0.9, key as f64));
    let original = row(7, "original", 0.9, 0.1);
    let copy = Row { submitted_ms: 7_001, component: original.component, ..row(6, "copy", 0.9, 0.1) };
    let two = [original.clone(), row(8, "original", 0.9, 0.2)];
    let without = compute(challenge(), others().chain(two.clone()));
    let with = compute(challenge(), others().chain(two).chain([copy]));
    assert_eq!(with.anchors, without.anchors);
    assert_eq!(with.standings.len(), without.standings.len() + 1);
}

#[test]
fn frozen_anchors_do_not_move() {
    let challenge = Arc::new(classification(ScoreRule::Composite(composite(&[1.0, 4.0]))));
    let mut board = Board::new(challenge.clone(), None);
    board.extend((1..8).map(|key| row(key, &format!("builder {key}"), 0.9, key as f64)));
    let live = board.compute();
    assert!(!live.frozen && !live.anchors.unwrap().provisional);
    board.freeze(live.anchors.unwrap());
    let frozen = board.compute();
    assert_eq!((&frozen.standings, frozen.anchors, frozen.frozen), (&live.standings, live.anchors, true));
    let late = row(8, "late", 0.95, 0.01);
    board.extend([late.clone()]);
    let scores = |builder: &str| board.compute().context(builder).unwrap().standing.score;
    assert_eq!(board.compute().anchors, live.anchors);
    assert_eq!(scores("builder 7"), live.context("builder 7").unwrap().standing.score);
    let again = Board::new(challenge, live.anchors);
    let mut again = again;
    again.extend(board.rows().map(|row| (**row).clone()));
    assert_eq!(again.compute(), board.compute());
}

#[test]
fn only_composite_scores_have_anchors() {
    let anchors = Anchors { median_flops: 1.0, p10_flops: 1.0, members: 1, provisional: true };
    let mut board = board(classification(METRIC), [row(1, "a", 0.9, 1.0)]);
    board.freeze(anchors);
    let computed = board.compute();
    assert_eq!((computed.anchors, computed.frozen, computed.house.len()), (None, false, 0));
    let standing = &computed.standings[0];
    assert_eq!((standing.score, standing.quality, standing.efficiency), (0.9, None, None));
}

#[test]
fn scores_are_provisional_below_five_teams() {
    let challenge = classification(ScoreRule::Composite(composite(&[1.0; 6])));
    let provisional = |teams: u64| {
        let rows = (1..=teams).map(|key| row(key, &format!("builder {key}"), 0.9, 1.0));
        compute(challenge.clone(), rows).anchors.unwrap().provisional
    };
    assert_eq!([0, 4, 5].map(provisional), [true, true, false]);
}

#[test]
fn house_baselines_stand_among_the_ranks_without_taking_one() {
    let mut rule = composite(&[1.0, 4.0]);
    rule.house[0].metric = 0.95;
    let challenge = classification(ScoreRule::Composite(rule.clone()));
    let computed = compute(challenge, [row(1, "a", 0.9, 4.0), row(2, "b", 0.9, 9.0), row(3, "c", 0.99, 0.5)]);
    assert_eq!(ranks(&computed), [("c", 1), ("a", 2), ("b", 3)]);
    let house: Vec<_> = computed.house.iter().map(|house| (house.name.as_str(), house.after)).collect();
    // Between c and a; after a, whose figures it shares.
    assert_eq!(house, [("baseline 0", 1), ("baseline 1", 2)]);
    let anchors = computed.anchors.unwrap();
    assert_eq!(computed.house[0].score, rule.score(0.95, GFLOP, &anchors).value);
    assert_eq!(computed.house[1].score, computed.standings[1].score);
    // 1e9 FLOPs by the default factors: see `docs/challenge-format.md`.
    assert_near(computed.house[0].gco2e_per_sample, 4.046_777_8e-5, 1e-12);
    // They stand on an empty board too.
    let empty = compute(classification(ScoreRule::Composite(rule)), []);
    assert_eq!((empty.standings.len(), empty.house.len(), empty.house[1].after), (0, 2, 0));
}

/// `(Q, E)` of a composite score, and what the published score of a single run said does not matter.
#[test]
fn composite_scores_are_computed_from_published_figures_alone() {
    let rule = thimble_challenge::composite::Composite { quality: Quality::Skill, ..composite(&[2.0]) };
    let wrong = published(row(1, "a", 0.9, 2.0), |published| published.score = Some(123.0));
    let computed = compute(classification(ScoreRule::Composite(rule.clone())), [wrong]);
    let (standing, anchors) = (&computed.standings[0], computed.anchors.unwrap());
    assert_eq!(standing.score, rule.score(0.9, 2.0 * GFLOP, &anchors).value);
    // (0.9 − 0.5) / (1 − 0.5).
    assert_near(standing.quality.unwrap(), 0.8, 1e-12);
    assert_eq!(standing.efficiency.unwrap(), anchors.efficiency(2.0 * GFLOP));
}

/// a 0.9 at 50, b 0.8 at 10 and again as c, d 0.85 at 60, e 0.95 at 90, b also 0.7 at 5.
#[test]
fn the_frontier_is_over_all_results_and_keeps_ties() {
    let rows = [
        row(1, "a", 0.9, 50.0),
        row(2, "b", 0.8, 10.0),
        row(3, "c", 0.8, 10.0),
        row(4, "d", 0.85, 60.0),
        row(5, "e", 0.95, 90.0),
        row(6, "b", 0.7, 5.0),
        row(7, "f", 0.8, 10.1),
    ];
    let computed = compute(classification(METRIC), rows);
    assert_eq!(computed.frontier, [6, 2, 3, 1, 5]);
    let builders: Vec<_> = computed.frontier_rows().iter().map(|row| &*row.builder).collect();
    assert_eq!(builders, ["b", "b", "c", "a", "e"]);
    let standings: Vec<_> =
        computed.standings.iter().map(|s| (&*s.row.builder, s.on_frontier, s.dominated_by)).collect();
    let expected = [
        ("e", true, None),
        ("a", true, None),
        ("d", false, Some(1)),
        ("b", true, None),
        ("c", true, None),
        ("f", false, Some(2)),
    ];
    assert_eq!(standings, expected);
}

/// A builder's dearer result ranks; the leaner one dominates another's.
#[test]
fn the_frontier_goes_by_magnitude_where_the_ranks_do() {
    let rows = [
        biased(1, "low", -3.0, 1.0),
        biased(2, "high", 2.0, 1.0),
        biased(3, "near", -1.0, 5.0),
        biased(4, "far", -9.0, 5.0),
    ];
    let computed = compute(regression(), rows);
    assert_eq!(ranks(&computed), [("near", 1), ("high", 2), ("low", 3), ("far", 4)]);
    assert_eq!(computed.frontier, [2, 3]);
    let dominated: Vec<_> = computed.standings.iter().map(|standing| standing.dominated_by).collect();
    assert_eq!(dominated, [None, None, Some(2), Some(3)]);
}

#[test]
fn a_result_without_flops_ranks_and_is_not_compared_by_cost() {
    let unknown = published(row(1, "unknown", 0.95, 1.0), |published| published.flops_per_sample = None);
    let computed = compute(classification(METRIC), [unknown, row(2, "known", 0.9, 1.0)]);
    assert_eq!(ranks(&computed), [("unknown", 1), ("known", 2)]);
    assert_eq!((computed.standings[0].on_frontier, computed.standings[0].dominated_by), (false, None));
    assert_eq!(computed.frontier, [2]);
}

#[test]
fn the_version_is_the_highest_key_or_what_the_caller_counts() {
    let mut board = board(classification(METRIC), [row(7, "a", 0.9, 1.0), row(3, "b", 0.9, 1.0)]);
    assert_eq!(board.compute().version, 7);
    board.extend([Row { withdrawn: true, ..row(3, "b", 0.9, 1.0) }]);
    assert_eq!(board.compute().version, 7);
    board.advance(9);
    assert_eq!(board.compute().version, 9);
    board.advance(8);
    assert_eq!(board.compute().version, 9);
    assert_eq!(board.rows().map(|row| row.key).collect::<Vec<_>>(), [3, 7]);
    assert!(board.row(3).unwrap().withdrawn && board.row(4).is_none());
}
