//! The composite score of a whole run.

use thimble_challenge::challenge::ScoreRule;
use thimble_challenge::composite::{Composite, HouseBaseline, Quality, Weights};
use thimble_tests::case::{Case, case};
use thimble_tests::template::Solution;

fn rule(floor: f64) -> Composite {
    Composite {
        weights: Weights::default(),
        floor,
        best: 1.0,
        quality: Quality::Metric,
        house: vec![HouseBaseline { name: "a thousand FLOPs".into(), metric: 1.0, flops_per_sample: 1_000.0 }],
        reference_flops: 100.0,
    }
}

/// The answer is always class 0, which is right for one row in four.
fn constant(floor: f64) -> Case {
    case(Solution::default().component()).official().with(|challenge| {
        challenge.score = ScoreRule::Composite(rule(floor));
    })
}

#[test]
fn a_run_is_scored_by_its_metric_and_its_flops_against_the_house_field() {
    constant(0.25)
        .and_run(|evaluation| {
            let comparable = &evaluation.result.comparable;
            let flops = comparable.compute.flops_per_sample.expect("it predicted");
            let rule = rule(0.25);
            assert_eq!(comparable.metrics["accuracy"].value(), Some(0.25));
            assert_eq!(comparable.score, Some(rule.score(0.25, flops, &rule.house_anchors())));
            assert!(comparable.ranked);
            let published = evaluation.result.published.as_ref().expect("an official run");
            let shown = published.flops_per_sample.expect("it predicted");
            assert_eq!(published.score, Some(rule.score(0.25, shown, &rule.house_anchors()).value));
        })
        .check();
}

#[test]
fn below_the_floor_a_run_scores_0_and_is_not_ranked() {
    constant(0.2501)
        .and(|comparable| {
            let score = comparable.score.expect("it is scored");
            assert_eq!(score.value, 0.0);
            assert!(score.unclamped.is_some_and(|unclamped| unclamped > 0.0));
            assert!(!comparable.ranked);
        })
        .check();
}
