//! One challenge and one solution for each of the ten tasks.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use thimble_challenge::Verdict;
use thimble_challenge::challenge::LoadedChallenge;
use thimble_challenge::result::Comparable;
use thimble_metrics::{Direction, Task};
use thimble_runtime::BoundData;
use thimble_tests::evaluation::{evaluate_bound, open_dataset, open_directory, product};

/// Challenge and solution, in the order of [`Task::ALL`].
pub(crate) const EXAMPLES: [(&str, &str); 10] = [
    ("digit-images", "digit-cnn"),
    ("ticket-routing", "hashed-words"),
    ("breast-cancer", "newton-logistic"),
    ("shape-boxes", "component-boxes"),
    ("shape-pixels", "component-pixels"),
    ("shape-masks", "component-masks"),
    ("kite-corners", "kite-frame"),
    ("diabetes-progression", "ridge"),
    ("sunspots", "autoregressive"),
    ("rossi", "cox"),
];

fn challenge(name: &str) -> LoadedChallenge {
    let directory = format!("{}/../examples/challenges/{name}", env!("CARGO_MANIFEST_DIR"));
    LoadedChallenge::open(&open_directory(Path::new(&directory))).expect("the example challenge is valid")
}

fn run(challenge: &LoadedChallenge, data: &BoundData, solution: &str) -> Comparable {
    let package = fs::read(product(&format!("examples/{solution}.zip"))).expect("the package is readable");
    evaluate_bound(data, &package, challenge).result.comparable
}

/// Two runs of one example: scored, above the naive baseline, the same to the byte.
fn check(task: Task) {
    let (name, solution) = EXAMPLES[task as usize];
    let challenge = challenge(name);
    assert_eq!(challenge.challenge.metric_task(), task, "{name}");
    let dataset = Arc::new(open_dataset(&product(&format!("datasets/{name}-public"))));
    let data = BoundData::validation(&challenge, dataset).expect("the data is the challenge's");

    let first = run(&challenge, &data, solution);
    assert_eq!(first.failure, None, "{name}");
    assert_eq!(first.verdict, Verdict::Scored, "{name}");
    assert!(first.independence.as_ref().is_some_and(|independence| !independence.transductive), "{name}");
    let metric = challenge.challenge.ranking_metric().expect("a valid challenge has one");
    let value = first.metrics[metric.name].value().expect("the ranking metric is defined");
    let baseline = first.baseline.as_ref().expect("there is something to fit");
    if let Some(naive) = baseline.metrics[metric.name].value() {
        let better = match metric.direction {
            Direction::HigherIsBetter => value > naive,
            Direction::LowerIsBetter => value < naive,
        };
        assert!(better, "{name}: {} is {value}, the baseline ({}) has {naive}", metric.name, baseline.name);
    }
    assert_eq!(run(&challenge, &data, solution).to_json(), first.to_json(), "{name}");
}

#[test]
fn image_classification() {
    check(Task::ImageClassification);
}

#[test]
fn text_classification() {
    check(Task::TextClassification);
}

#[test]
fn tabular_classification() {
    check(Task::TabularClassification);
}

#[test]
fn object_detection() {
    check(Task::ObjectDetection);
}

#[test]
fn semantic_segmentation() {
    check(Task::SemanticSegmentation);
}

#[test]
fn instance_segmentation() {
    check(Task::InstanceSegmentation);
}

#[test]
fn keypoint_detection() {
    check(Task::KeypointDetection);
}

#[test]
fn tabular_regression() {
    check(Task::TabularRegression);
}

#[test]
fn time_series_forecasting() {
    check(Task::TimeSeriesForecasting);
}

#[test]
fn time_to_event() {
    check(Task::TimeToEvent);
}
