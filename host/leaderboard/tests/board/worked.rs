//! The worked fields of the design's comparison of three forms of efficiency, of which the third is ours: its figures to
//! their three digits, and our own calculation of them to 1e-9. That is this Python, with the quantile as a mean over a
//! window of votes, exact in the votes:
//!
//! ```python
//! from fractions import Fraction as F
//! from math import exp, log
//! def quantile(votes, q):
//!     votes = sorted(votes)
//!     start, before, total = (sum(v for _, v in votes) - 1) * q, F(0), 0.0
//!     for cost, vote in votes:
//!         part = min(before + vote, start + 1) - max(before, start)
//!         total += float(max(part, 0)) * log(max(cost, 1))
//!         before += vote
//!     return exp(total)
//! def anchors(votes):
//!     return quantile(votes, F(1, 2)), quantile(votes, F(1, 10))
//! def E(c, m, p):
//!     return 1 / (1 + (max(c, 1) / m) ** (log(19) / min(max(log(m / p), log(2)), log(1000))))
//! ```

use std::sync::Arc;

use thimble_challenge::challenge::ScoreRule;
use thimble_challenge::composite::{Anchors, Composite};
use thimble_leaderboard::{Board, Computed, Row};

use super::fields::*;

const EXACT: f64 = 1e-9;
const THREE_DIGITS: f64 = 5e-4;

fn live(house: &[f64], rows: impl IntoIterator<Item = Row>) -> Computed {
    compute(classification(ScoreRule::Composite(composite(house))), rows)
}

/// Against given anchors, in GFLOP.
fn frozen(rule: Composite, median: f64, p10: f64, rows: impl IntoIterator<Item = Row>) -> Computed {
    let anchors = Anchors { median_flops: median * GFLOP, p10_flops: p10 * GFLOP, members: 12, provisional: false };
    let mut board = Board::new(Arc::new(classification(ScoreRule::Composite(rule))), Some(anchors));
    board.extend(rows);
    board.compute()
}

/// One builder for each cost in GFLOP, all of one accuracy.
fn rows(gflop: &[f64]) -> impl Iterator<Item = Row> {
    (1..).zip(gflop).map(|(key, &gflop)| row(key, &format!("builder {key}"), 0.9, gflop))
}

fn efficiency(computed: &Computed, builder: u64) -> f64 {
    computed.context(&format!("builder {builder}")).unwrap().standing.efficiency.unwrap()
}

#[track_caller]
fn assert_anchors(computed: &Computed, median: f64, p10: f64) {
    let anchors = computed.anchors.unwrap();
    assert_near(anchors.median_flops / median, 1.0, EXACT);
    assert_near(anchors.p10_flops / p10, 1.0, EXACT);
}

/// `anchors([(3.6e9, F(1))] + [(5e9, F(1))] * 4)`: a field of one, padded with the reference cost.
#[test]
fn one_team_alone_is_padded_to_five() {
    let computed = live(&[], rows(&[3.6]));
    assert_anchors(&computed, 4_999_999_999.999_992, 4_105_532_573.511_795);
    assert_near(efficiency(&computed, 1), 0.801_462_703_649_909_6, EXACT);
    assert_near(efficiency(&computed, 1), 0.801, THREE_DIGITS);
    let anchors = computed.anchors.unwrap();
    assert_eq!((anchors.members, anchors.provisional), (5, true));
}

/// `anchors([(3.6e9, F(1))])` and `anchors([(3.6e9, F(1)), (50e9, F(1))])`: fields without padding, which a board has frozen
/// only.
#[test]
fn one_and_two_without_padding() {
    let one = frozen(composite(&[]), 3.6, 3.6, rows(&[3.6]));
    assert_near(efficiency(&one, 1), 0.5, EXACT);
    let two = frozen(composite(&[]), 13.416_407_864_998_74, 4.683_486_267_022_206, rows(&[3.6, 50.0]));
    assert_near(efficiency(&two, 1), 0.975_410_735_973_381_3, EXACT);
    assert_near(efficiency(&two, 2), 0.024_589_264_026_618_776, EXACT);
    assert_near(efficiency(&two, 1), 0.975, THREE_DIGITS);
    assert_near(efficiency(&two, 2), 0.025, THREE_DIGITS);
}

/// `anchors([(1e9, F(1))] * 6 + [(0.9e9, F(1))])`: a tweak of a tenth is not magnified to the whole range.
#[test]
fn six_starters_and_one_that_is_a_tenth_leaner() {
    let computed = live(&[], rows(&[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.9]));
    assert_anchors(&computed, 999_999_999.999_999_3, 958_731_515.514_181_1);
    assert_near(efficiency(&computed, 1), 0.499_999_999_999_999_33, EXACT);
    assert_near(efficiency(&computed, 7), 0.610_059_857_610_895_8, EXACT);
    assert_near(efficiency(&computed, 7), 0.610, THREE_DIGITS);
}

/// Of eleven costs the sixth is the median and the second the tenth percentile: 0.5 and 0.95 by definition.
#[test]
fn efficiency_at_the_median_and_at_the_tenth_percentile() {
    let computed = live(&[], rows(&[0.08, 0.1, 0.3, 0.5, 0.9, 2.0, 4.0, 8.0, 20.0, 30.0, 50.0]));
    assert_near(efficiency(&computed, 6), 0.5, EXACT);
    assert_near(efficiency(&computed, 2), 0.95, EXACT);
}

/// The design does not list its field of twelve models. Anchors at 1.25 and 0.236 GFLOP give each of its figures to their three
/// digits; the others are `0.7 * Q + 0.3 * E(c, 1.25e9, 0.236e9)`.
#[test]
fn the_field_of_twelve() {
    let score = |accuracy, gflop| {
        let computed = frozen(composite(&[]), 1.25, 0.236, [row(1, "a", accuracy, gflop)]);
        computed.standings[0].score
    };
    let (lean, heavy) = (score(0.91, 2.0), score(0.94, 30.0));
    assert_near(lean, 0.728_084_717_250_368_4, EXACT);
    assert_near(heavy, 0.659_090_827_722_477_8, EXACT);
    assert_near(lean, 0.728, THREE_DIGITS);
    assert_near(heavy, 0.659, THREE_DIGITS);
    let halving = [
        (50.0, 0.001, 0.001_059_711_974_184_697),
        (8.0, 0.023, 0.023_189_379_146_018_745),
        (2.0, 0.088, 0.088_097_867_216_584_18),
        (0.22, 0.009, 0.009_283_344_824_882_144),
        (0.05, 0.001, 0.000_716_044_707_702_601),
    ];
    for (gflop, design, exact) in halving {
        let reward = score(0.9, gflop / 2.0) - score(0.9, gflop);
        assert_near(reward, exact, EXACT);
        assert_near(reward, design, THREE_DIGITS);
    }
}

/// On data of which 90 % are one class, 10 FLOPs buy an accuracy of 0.9: `0.7 * 0.9 + 0.3 * E(10, 1.25e9, 0.236e9)`.
#[test]
fn without_a_floor_a_constant_predictor_is_first() {
    let rows = || [row(1, "constant", 0.9, 10.0 / GFLOP), row(2, "lean", 0.91, 2.0), row(3, "heavy", 0.94, 30.0)];
    let without = frozen(Composite { floor: 0.0, ..composite(&[]) }, 1.25, 0.236, rows());
    assert_eq!(ranks(&without), [("constant", 1), ("lean", 2), ("heavy", 3)]);
    assert_near(without.standings[0].score, 0.929_999_999_999_998_5, EXACT);
    assert_near(without.standings[0].score, 0.930, THREE_DIGITS);
    let with = frozen(Composite { floor: 0.905, ..composite(&[]) }, 1.25, 0.236, rows());
    assert_eq!(ranks(&with), [("lean", 1), ("heavy", 2)]);
    assert_eq!((&*with.unranked[0].row.builder, with.unranked[0].score), ("constant", Some(0.0)));
}

/// `anchors` of these nine, the last of 5e16 FLOPs: the others are told apart as before.
#[test]
fn an_outlier_does_not_flatten_the_field() {
    let computed = live(&[], rows(&[0.08, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 5e7]));
    assert_anchors(&computed, 2_000_000_000.000_002_4, 166_510_641.480_374_96);
    let expected = [
        0.978_388_972_403_632_9,
        0.938_622_659_551_537,
        0.837_812_609_368_912,
        0.694_453_033_438_253_7,
        0.5,
        0.305_546_966_561_746_85,
        0.162_187_390_631_088_34,
        0.078_488_503_581_830_32,
        1.726_895_499_449_272e-9,
    ];
    for (builder, expected) in (1..).zip(expected) {
        assert_near(efficiency(&computed, builder), expected, EXACT);
    }
}

/// House baselines at 1 and 4, a team with 0.1, 0.2 and 16, one with 3 and 3.5, others with 2, 8 and 16 GFLOP:
/// `anchors([(1e9, F(1)), (4e9, F(1)), (0.1e9, F(1, 3)), (0.2e9, F(1, 3)), (16e9, F(1, 3)), (2e9, F(1)), (3e9, F(1, 2)),
/// (3.5e9, F(1, 2)), (8e9, F(1)), (16e9, F(1))])`.
#[test]
fn teams_that_share_a_vote() {
    let team = |team: &str, row: Row| Row { team: team.into(), ..row };
    let mut rows: Vec<_> = rows(&[0.1, 0.2, 16.0, 2.0, 3.0, 3.5, 8.0, 16.0]).collect();
    for (index, name) in [(0, "a"), (1, "a"), (2, "a"), (4, "c"), (5, "c")] {
        rows[index] = team(name, rows[index].clone());
    }
    let computed = live(&[1.0, 4.0], rows);
    assert_anchors(&computed, 3_566_489_050.848_872_7, 898_259_873.761_598);
    let expected = [
        0.999_515_657_613_458_5,
        0.997_875_507_586_227_7,
        0.038_969_269_571_894_734,
        0.774_724_299_072_001_4,
        0.591_303_541_042_515_4,
        0.510_044_948_051_796_7,
        0.151_216_110_774_531_43,
        0.038_969_269_571_894_734,
    ];
    for (builder, expected) in (1..).zip(expected) {
        assert_near(efficiency(&computed, builder), expected, EXACT);
    }
    assert_near(computed.house[0].efficiency, 0.937_924_650_135_652_3, EXACT);
    assert_near(computed.house[1].efficiency, 0.439_065_341_660_557_55, EXACT);
    let anchors = computed.anchors.unwrap();
    assert_eq!((anchors.members, anchors.provisional), (10, false));
}
