//! Test rows of which builders see one part until the challenge closes.

use thimble_challenge::Challenge;
use thimble_challenge::result::{EvaluationResult, Mode, Part, Published};
use thimble_datasets::Dataset;
use thimble_metrics::MetricValue;
use thimble_runtime::BoundData;
use thimble_tests::evaluation::{DATASET, evaluate, evaluate_boxed};
use thimble_tests::fixture::{self, ROWS, StoredDataset};
use thimble_tests::template::Solution;

/// Ten of forty rows. The default solution answers one of four classes, a quarter of all rows: no part of ten has that accuracy.
fn challenge() -> Challenge {
    let mut challenge = fixture::challenge();
    challenge.release.shown_share = Some(0.25);
    challenge
}

fn accuracy_of(metrics: &std::collections::BTreeMap<String, MetricValue>) -> f64 {
    metrics.get("accuracy").and_then(MetricValue::value).expect("accuracy is defined")
}

fn parts(result: &EvaluationResult) -> [&Part; 2] {
    let parts = result.comparable.parts.as_ref().expect("an official run has parts");
    [&parts.shown, &parts.kept]
}

#[test]
fn an_official_run_publishes_the_shown_part_and_keeps_the_other() {
    let component = Solution::default().component();
    let result = evaluate(&component, challenge(), Mode::Official).result;
    let [shown, kept] = parts(&result);
    assert_eq!((shown.rows, kept.rows), (10, 30));
    let [of_shown, of_kept] = [shown, kept].map(|part| accuracy_of(&part.metrics));
    let whole = accuracy_of(&result.comparable.metrics);
    assert!((of_shown * 10.0 + of_kept * 30.0 - whole * ROWS[2] as f64).abs() < 1e-9, "{of_shown} {of_kept} {whole}");
    assert_ne!(of_shown, whole);

    let release = challenge().release;
    let metric = challenge().ranking_metric().expect("accuracy");
    let published = |block: &Option<Published>| accuracy_of(&block.as_ref().expect("it is there").metrics);
    assert_eq!(published(&result.published), release.round(metric, of_shown));
    assert_eq!(published(&result.published_at_close), release.round(metric, of_kept));

    assert_eq!(evaluate_boxed(&component, challenge(), Mode::Official).comparable, result.comparable);
}

#[test]
fn the_parts_are_those_of_the_secret_and_not_of_the_submission() {
    let one = evaluate(&Solution::default().component(), challenge(), Mode::Official).result;
    let other = evaluate(&Solution::default().with_data("another component").component(), challenge(), Mode::Official);
    assert_ne!(one.comparable.submission, other.result.comparable.submission);
    assert_eq!(parts(&one), parts(&other.result));
}

#[test]
fn a_validation_run_and_a_challenge_without_a_share_have_no_parts() {
    let component = Solution::default().component();
    for (challenge, mode) in [(challenge(), Mode::Validation), (fixture::challenge(), Mode::Official)] {
        let result = evaluate(&component, challenge, mode).result;
        assert_eq!((result.comparable.parts, result.published_at_close), (None, None), "{mode:?}");
    }
}

/// One class is left among the rows of a part that has one row.
#[test]
fn a_part_on_which_a_metric_says_nothing_is_refused() {
    let mut tables = fixture::tables();
    tables.test.rows = 8;
    for column in &mut tables.test.columns {
        let width = column.view().len() / ROWS[2];
        let mut fewer = thimble_datasets::Values::none(column.view().dtype());
        fewer.extend(column.view(), 0..8 * width);
        *column = fewer;
    }
    let data = StoredDataset::new(&tables);
    let mut challenge = challenge();
    challenge.ranking.metric = "auc".into();
    challenge.release.shown_share = Some(0.1);
    let challenge = data.bind(challenge, Mode::Official);
    let digest = thimble_datasets::Digest::of(challenge.to_json().as_bytes());
    let loaded = thimble_challenge::challenge::LoadedChallenge { challenge, digest, statement: String::new() };
    let refused = BoundData::official(&loaded, data.dataset.clone(), &data.secret).expect_err("one row has one class");
    let text = refused.to_string();
    assert!(text.contains("on the 1 test rows that release.shown_share shows"), "{text}");
}

#[test]
fn targets_of_some_rows_are_those_rows() {
    let dataset: &Dataset = &DATASET.dataset;
    let test = dataset.split(thimble_datasets::Split::Test);
    let chosen = test.targets_at(&[5, 2, 2]);
    assert_eq!(chosen.rows(), 3);
    let label = chosen.column("label").map(|column| column.values);
    assert_eq!(label, Some(thimble_datasets::ColumnValues::S64(&[1, 2, 2])));
    assert!(chosen.column("features").is_none(), "inputs are not targets");
}
