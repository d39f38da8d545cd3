//! Every count is compared with the values that the projection lets through.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::collections::BTreeSet;

use super::super::Bounds;
use super::*;
use crate::fixture;

fn distinct(values: impl Iterator<Item = f64>) -> f64 {
    values.map(f64::to_bits).collect::<BTreeSet<_>>().len() as f64
}

/// A challenge with the default release rule.
fn challenge() -> Challenge {
    Challenge { release: ReleaseRule::default(), ..fixture::challenge() }
}

/// One of them that ranks a regression by `metric`.
fn regression(metric: &str) -> Challenge {
    let mut challenge = self::challenge();
    challenge.task = thimble_datasets::TaskKind::TabularRegression;
    challenge.ranking.metric = metric.to_owned();
    challenge
}

#[test]
fn a_bounded_metric_takes_the_values_that_are_counted() {
    let metric = challenge().ranking_metric().unwrap();
    for decimals in 1..=4 {
        let release = ReleaseRule { metric_decimals: decimals, ..ReleaseRule::default() };
        let found = distinct((0..=100_000).map(|i| release.round(metric, f64::from(i) / 1e5)));
        assert_eq!(found, release.values(metric), "{decimals} decimals");
        assert_eq!(found, 10f64.powi(decimals as i32) + 1.0);
    }
}

#[test]
fn a_metric_between_bounds_takes_the_values_that_are_counted() {
    let challenge = regression("rmse");
    let metric = challenge.ranking_metric().unwrap();
    for (low, high, expected) in [(0.0, 200.0, 2_001.0), (0.0, 1.0, 1_001.0), (-5.0, 5.0, 1_001.0), (0.3, 0.7, 4_001.0)]
    {
        let bounds = [("rmse".to_owned(), Bounds { low, high })].into();
        let release = ReleaseRule { bounds, ..ReleaseRule::default() };
        let inside = (0..=100_000).map(|i| low + f64::from(i) / 1e5 * (high - low));
        let outside = [f64::MIN, -1e9, low - 1e-9, high + 1e-9, 1e9, f64::MAX];
        assert_eq!(distinct(inside.chain(outside).map(|value| release.round(metric, value))), expected, "{low} {high}");
        assert_eq!(release.values(metric), expected, "{low} to {high}");
    }
}

/// 9 × 10^(d − 1) values a decade, 60 decades, the last power of ten, and zero.
#[test]
fn a_metric_with_an_open_end_takes_the_values_that_are_counted() {
    let challenge = regression("rmse");
    let metric = challenge.ranking_metric().unwrap();
    let release = ReleaseRule { metric_decimals: 2, ..ReleaseRule::default() };
    let steps = |decade: i32| (100..1_000).map(move |i| f64::from(i) * 10f64.powi(decade - 2));
    let all = (-320..309).flat_map(steps).chain([0.0, f64::from_bits(1), f64::MAX]);
    let found = distinct(all.map(|value| release.round(metric, value)));
    assert_eq!(found, 60.0 * 90.0 + 1.0 + 1.0);
    assert_eq!(found, release.values(metric));
    let signed = regression("r2");
    assert_eq!(release.values(signed.ranking_metric().unwrap()), 2.0 * (found - 1.0) + 1.0);
}

/// 384 f32 in and 128 f32 out are 128 fuel, 8 FLOPs. Of the budget, 200,000,000, the start and `load` are 8,625,000 more:
/// 209,000,000 to three digits. 900 values for each power of ten: 8.00 is value 800 of decade 0, 2.09e8 value 209 of decade 8.
#[test]
fn flops_take_the_values_that_are_counted() {
    let challenge = self::challenge();
    assert_eq!(challenge.limits.load_fuel(), Fuel(128_000_000));
    let expected = 8.0 * 900.0 + 209.0 - 800.0 + 1.0;
    assert_eq!(flops_values(&challenge), expected);
    // Steps of a five-thousandth: finer than the third digit.
    let most = 208_625_000.0;
    let next = |&flops: &f64| (flops < most).then(|| (flops * 1.0002).min(most));
    let all = std::iter::successors(Some(8.0), next);
    assert_eq!(distinct(all.map(|flops| round::significant(flops, 3))), expected);
}

#[test]
fn without_fixed_sizes_one_fuel_over_all_rows_is_the_least() {
    let mut challenge = self::challenge();
    challenge.task = thimble_datasets::TaskKind::TabularRegression;
    challenge.fields[0].dtype = thimble_datasets::DType::Text;
    challenge.fields[0].shape.clear();
    // One value of f64 is half a fuel.
    let least = 1.0 / (16.0 * 65_536.0);
    assert_eq!(flops_values(&challenge), significant_values(least, 208_625_000.0, 3));
}

/// log2(1,002 values × 6,610 × 2 + 4 ends) + log2(5 ticks): 23.66 + 2.32.
#[test]
fn bits_are_those_of_the_formula_by_hand() {
    let disclosure = Disclosure::of(&challenge());
    assert_eq!(disclosure.metrics, [("accuracy", 1_002.0)]);
    assert_eq!((disclosure.transductive, disclosure.endings, disclosure.releases), (2.0, 4.0, 5.0));
    let by_hand = ((1_002.0 * 6_610.0 * 2.0 + 4.0) * 5.0_f64).log2();
    assert!((disclosure.bits() - by_hand).abs() < 1e-9, "{} {by_hand}", disclosure.bits());
    // 5 ends that count and 10 failures that do not stand in C(15, 10) = 3,003 orders.
    let day = 5.0 * by_hand + 3_003_f64.log2() + 10.0 * 5_f64.log2();
    assert!((disclosure.bits_a_day(5, 10) - day).abs() < 1e-6);
    assert!((disclosure.bits_a_day(5, 0) - 5.0 * by_hand).abs() < 1e-9);
    assert_eq!(challenge().label_bits(1_024), Some(7_168.0));
}

/// Where the test rows are parted, every metric is published twice: once more in full at the close.
#[test]
fn a_second_part_tells_as_much_again_of_metrics() {
    let mut parted = challenge();
    parted.release.shown_share = Some(0.3);
    let disclosure = Disclosure::of(&parted);
    let by_hand = ((1_002.0 * 1_002.0 * 6_610.0 * 2.0 + 4.0) * 5.0_f64).log2();
    assert!((disclosure.bits() - by_hand).abs() < 1e-9, "{} {by_hand}", disclosure.bits());
    let names: Vec<_> = disclosure.figures().map(|(name, _)| name).collect();
    assert_eq!(names[..2], ["accuracy", "metrics at the close"]);
}

/// Each of the rules that a challenge narrows its figures by does so.
#[test]
fn a_narrower_rule_tells_less() {
    type Change = fn(&mut Challenge);
    let narrower: [Change; 4] = [
        |challenge| challenge.release.metric_decimals -= 1,
        |challenge| challenge.release.flops_digits -= 1,
        |challenge| challenge.release.tick_seconds *= 2,
        |challenge| challenge.rows = RowRule::Transductive,
    ];
    let before = Disclosure::of(&challenge()).bits();
    for (i, change) in narrower.into_iter().enumerate() {
        let mut challenge = self::challenge();
        change(&mut challenge);
        assert!(Disclosure::of(&challenge).bits() < before - 0.5, "rule {i}");
    }
    let mut more = challenge();
    more.ranking.also_published.push("f1".to_owned());
    assert!(Disclosure::of(&more).bits() > before + 9.9);
}

/// A challenge as a draft makes it tells what the threat model promises.
#[test]
fn the_default_rule_tells_about_25_bits() {
    let mut challenge = self::challenge();
    challenge.limits.prediction_flops_per_sample.0 = 2_000_000;
    challenge.limits.wall_seconds = 1_800;
    let bits = Disclosure::of(&challenge).bits();
    assert!(bits < 25.05, "{bits}");
}
