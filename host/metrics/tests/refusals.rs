//! What metrics refuse, in the words that an owner or a builder reads: bad rows, and truths on which a metric says nothing.

use thimble_metrics::{
    ClassificationInputs, ClassificationTruth, ForecastInputs, ForecastTruth, InputError, Inputs, MetricValue, Options,
    RegressionInputs, RegressionTruth, SurvivalInputs, SurvivalTruth, Task, Truth, degenerate, evaluate,
};

const TABULAR: Task = Task::TabularClassification;

fn classes(labels: &[i64], classes: u32) -> ClassificationTruth<'_> {
    ClassificationTruth { labels, classes, positive: 1, ordinal: false }
}

fn score(name: &str, truth: ClassificationTruth<'_>, scores: &[f32]) -> Result<MetricValue, String> {
    let inputs = Inputs::Classification(ClassificationInputs { truth, scores });
    let task = if name.starts_with("top") { Task::ImageClassification } else { TABULAR };
    evaluate(task, name, &inputs, &Options::default()).map_err(|error| error.to_string())
}

/// The reason for which a metric says nothing, empty if it says something.
fn reason(task: Task, name: &str, truth: Truth<'_>) -> String {
    let reason = degenerate(task, name, &truth, &Options::default());
    reason.expect("the truth keeps the rules").unwrap_or_default()
}

#[test]
fn scores_that_are_no_probabilities_are_refused_only_where_probabilities_are_read() {
    let truth = classes(&[0, 1], 2);
    for (scores, expected) in [
        (
            [0.5, 0.5, 0.25, 0.5],
            "row 1 of the predictions: the scores sum to 0.75, probabilities sum to 1 within 0.001",
        ),
        ([-0.5, 1.5, 0.5, 0.5], "row 0 of the predictions: the score of class 0 is -0.5, a probability is 0 to 1"),
    ] {
        for name in ["log_loss", "loss", "brier", "auc", "auc_roc", "auc_pr", "gini", "normalized_gini"] {
            assert_eq!(score(name, truth, &scores), Err(expected.into()), "{name}");
        }
        for name in ["accuracy", "f1", "kappa", "top3"] {
            assert!(score(name, truth, &scores).is_ok(), "{name}");
        }
    }
}

#[test]
fn a_row_may_sum_to_1_within_a_thousandth() {
    let truth = classes(&[0], 2);
    assert!(score("brier", truth, &[0.5, 0.50096]).is_ok());
    assert!(score("brier", truth, &[0.5, 0.50104]).is_err());
}

#[test]
fn no_score_is_missing_too_many_or_not_a_number() {
    let truth = classes(&[0, 1], 2);
    let found = [
        score("accuracy", truth, &[0.5; 3]),
        score("accuracy", truth, &[0.5; 6]),
        score("accuracy", truth, &[0.5, 0.5, f32::NAN, 0.5]),
        score("accuracy", classes(&[0, 2], 2), &[0.5; 4]),
        score("accuracy", ClassificationTruth { positive: 2, ..truth }, &[0.5; 4]),
    ];
    let expected = [
        "3 scores, expected 4",
        "6 scores, expected 4",
        "row 1 of the predictions: the score of class 0 is NaN",
        "row 1 of the truth: the label is 2, classes are 0 to 1",
        "`positive` is 2, classes are 0 and 1",
    ];
    assert_eq!(found, expected.map(|reason| Err(reason.to_owned())));
}

#[test]
fn classes_on_which_a_metric_says_nothing_are_told() {
    let cases: [(&str, &[i64], u32, &str); 19] = [
        ("accuracy", &[], 2, "there is no row"),
        ("accuracy", &[0, 0], 2, ""),
        ("auc_roc", &[0, 0], 2, "no row has class 1"),
        ("auc", &[0, 2, 0], 4, "no row has class 1"),
        ("gini", &[0, 0], 1, "every row has class 0"),
        ("normalized_gini", &[0, 1], 2, ""),
        ("auc_pr", &[1, 1], 2, "every row has class 1"),
        ("auc_pr", &[0, 2], 3, ""),
        ("kappa", &[2, 2], 3, "every row has class 2"),
        ("mcc", &[0], 3, "every row has class 0"),
        ("qwk", &[0, 1], 2, "the classes are not declared to be grades in ascending order"),
        ("precision", &[0, 0], 2, "no row has the positive class, 1"),
        ("recall", &[0, 0], 2, "no row has the positive class, 1"),
        ("f1", &[0, 0], 2, "no row has the positive class, 1"),
        ("jaccard", &[0, 0], 2, "no row has the positive class, 1"),
        ("specificity", &[1, 1], 2, "every row has class 1, so none is negative"),
        ("npv", &[1, 1], 2, "every row has class 1, so none is negative"),
        ("specificity", &[0, 0], 2, ""),
        ("log_loss", &[0, 0], 2, ""),
    ];
    for (name, labels, count, expected) in cases {
        assert_eq!(reason(TABULAR, name, Truth::Classification(classes(labels, count))), expected, "{name} {labels:?}");
    }
}

#[test]
fn the_true_class_is_always_among_as_many_as_there_are() {
    for (name, count, expected) in [
        ("top3", 3, "there are 3 classes, so the true one is always among 3"),
        ("top3", 4, ""),
        ("top5", 5, "there are 5 classes, so the true one is always among 5"),
        ("top5", 6, ""),
    ] {
        let truth = Truth::Classification(classes(&[0, 1], count));
        assert_eq!(reason(Task::ImageClassification, name, truth), expected, "{name} {count}");
    }
}

#[test]
fn of_equal_scores_the_lowest_class_is_predicted_and_the_highest_is_in_the_top() {
    let ties = [0.25; 4];
    assert_eq!(score("accuracy", classes(&[0], 4), &ties), Ok(MetricValue::Value(1.0)));
    assert_eq!(score("top3", classes(&[0], 4), &ties), Ok(MetricValue::Value(0.0)));
    assert_eq!(score("top3", classes(&[1], 4), &ties), Ok(MetricValue::Value(1.0)));
}

#[test]
fn equal_scores_stay_equal_where_rows_sum_to_different_numbers() {
    let scores = [0.5, 0.5, 0.5003, 0.5];
    assert_eq!(score("auc", classes(&[0, 1], 2), &scores), Ok(MetricValue::Value(0.5)));
}

#[test]
fn a_class_that_has_no_row_leaves_auc_undefined() {
    let scores = [0.2, 0.3, 0.5, 0.5, 0.25, 0.25];
    assert_eq!(
        score("auc_roc", classes(&[0, 2], 3), &scores),
        Ok(MetricValue::Undefined("no row has class 1".into())),
        "never 0"
    );
}

#[test]
fn targets_on_which_a_metric_says_nothing_are_told() {
    let cases: [(&str, &[f64], &str); 8] = [
        ("mae", &[], "there is no row"),
        ("mae", &[0.0], ""),
        ("r2", &[1.0], "variance needs at least 2 targets, found 1"),
        ("r2", &[1.5, 1.5], "all 2 targets are 1.5"),
        ("explained_variance", &[1.5, 1.5, 1.5], "all 3 targets are 1.5"),
        ("r2", &[1.5, 2.0], ""),
        ("rmsle", &[1.0, -0.5], "target 1 is -0.5, below 0"),
        ("rmsle", &[1.0, 0.0], ""),
    ];
    for (name, targets, expected) in cases {
        let truth = Truth::Regression(RegressionTruth { targets });
        assert_eq!(reason(Task::TabularRegression, name, truth), expected, "{name} {targets:?}");
    }
}

#[test]
fn windows_on_which_a_metric_says_nothing_are_told() {
    let same = "every target equals the last value before it, or differs too little to be squared";
    let cases: [(&str, [f64; 4], &str); 6] = [
        ("mape", [1.0, 2.0, 0.0, 4.0], "the target of row 1, step 0 is 0"),
        ("mdape", [1.0, 2.0, 3.0, -0.0], "the target of row 1, step 1 is 0"),
        ("smape", [0.0; 4], ""),
        ("theil_u2", [5.0, 5.0, 7.0, 7.0], same),
        ("theil_u2", [5.0, 5.0, 7.0, 8.0], ""),
        ("rmsle", [1.0, -1.0, 1.0, 1.0], "target 1 is -1, below 0"),
    ];
    for (name, targets, expected) in cases {
        let truth = Truth::Forecast(ForecastTruth { horizon: 2, targets: &targets, last: &[5.0, 7.0] });
        assert_eq!(reason(Task::TimeSeriesForecasting, name, truth), expected, "{name} {targets:?}");
    }
}

#[test]
fn a_number_that_is_not_finite_is_named_by_its_row() {
    let truth = RegressionTruth { targets: &[1.0, 2.0] };
    let inputs = Inputs::Regression(RegressionInputs { truth, predictions: &[1.0, f64::NAN] });
    let reason = "NaN is not a finite number".to_owned();
    assert_eq!(
        evaluate(Task::TabularRegression, "mae", &inputs, &Options::default()),
        Err(InputError::Prediction { row: 1, reason })
    );
    let truth = ForecastTruth { horizon: 2, targets: &[1.0, 2.0, 3.0, 4.0], last: &[1.0, 3.0] };
    let inputs = Inputs::Forecast(ForecastInputs { truth, predictions: &[1.0, 2.0, 3.0, f64::INFINITY] });
    let reason = "step 1: inf is not a finite number".to_owned();
    assert_eq!(
        evaluate(Task::TimeSeriesForecasting, "mae", &inputs, &Options::default()),
        Err(InputError::Prediction { row: 1, reason })
    );
}

#[test]
fn times_and_events_on_which_a_metric_says_nothing_are_told() {
    let pair = "no pair of rows is comparable: no event comes before another row's time";
    let cases: [(&str, [f64; 2], [i64; 2], &str); 7] = [
        ("c_index", [1.0, 2.0], [1, 0], ""),
        ("c_index", [1.0, 2.0], [0, 1], pair),
        ("c_index", [2.0, 2.0], [1, 1], pair),
        ("c_index", [2.0, 2.0], [0, 1], ""),
        ("f1", [1.0, 9.0], [1, 0], ""),
        ("f1", [1.0, 9.0], [0, 1], "no row has the event until the horizon, 5"),
        ("f1", [1.0, 5.0], [1, 1], "no row is known to be without the event at the horizon, 5"),
    ];
    for (name, times, events, expected) in cases {
        let truth = SurvivalTruth { times: &times, events: &events, horizon: 5.0, prevalence: 0.5 };
        assert_eq!(reason(Task::TimeToEvent, name, Truth::Survival(truth)), expected, "{name} {times:?} {events:?}");
    }
}

#[test]
fn a_row_censored_until_the_horizon_counts_in_no_f1() {
    let truth = SurvivalTruth { times: &[1.0, 5.0, 5.0, 9.0], events: &[1, 0, 1, 0], horizon: 5.0, prevalence: 0.5 };
    assert_eq!(truth.unknown_rows(), 1);
    let score = |risks: &[f64]| {
        let inputs = Inputs::Survival(SurvivalInputs { truth, risks });
        evaluate(Task::TimeToEvent, "f1", &inputs, &Options::default())
    };
    // Two of the three known rows are predicted positive.
    assert_eq!(score(&[3.0, 9.0, 2.0, 1.0]), Ok(MetricValue::Value(1.0)));
    assert_eq!(score(&[3.0, -9.0, 2.0, 1.0]), Ok(MetricValue::Value(1.0)));
}

#[test]
fn survival_settings_are_checked() {
    let truth = SurvivalTruth { times: &[1.0], events: &[1], horizon: 1.0, prevalence: 0.5 };
    let error = |truth: SurvivalTruth<'_>| {
        let inputs = Inputs::Survival(SurvivalInputs { truth, risks: &[0.0] });
        evaluate(Task::TimeToEvent, "f1", &inputs, &Options::default()).err().map(|error| error.to_string())
    };
    assert_eq!(error(truth), None);
    let cases = [
        (SurvivalTruth { horizon: f64::NAN, ..truth }, "`horizon` is NaN, it must be finite and above 0"),
        (SurvivalTruth { prevalence: 1.5, ..truth }, "`prevalence` is 1.5, a share is 0 to 1"),
        (SurvivalTruth { times: &[0.0], ..truth }, "row 0 of the truth: the time is 0, it must be finite and above 0"),
        (SurvivalTruth { events: &[2], ..truth }, "row 0 of the truth: the event is 2, it must be 0 or 1"),
        (SurvivalTruth { events: &[], ..truth }, "0 events, expected 1"),
    ];
    for (truth, expected) in cases {
        assert_eq!(error(truth).as_deref(), Some(expected));
    }
}

#[test]
fn inputs_of_another_task_and_names_of_no_metric_are_refused() {
    let inputs = Inputs::Regression(RegressionInputs { truth: RegressionTruth { targets: &[] }, predictions: &[] });
    let found = evaluate(TABULAR, "accuracy", &inputs, &Options::default());
    assert_eq!(found, Err(InputError::OtherTask(TABULAR)));
    let found = evaluate(Task::TabularRegression, "auc", &inputs, &Options::default());
    assert_eq!(found, Err(InputError::UnknownMetric { task: Task::TabularRegression, name: "auc".into() }));
}

#[test]
fn what_an_owner_chooses_is_checked() {
    let truth = RegressionTruth { targets: &[1.0] };
    let inputs = Inputs::Regression(RegressionInputs { truth, predictions: &[1.0] });
    let usual = Options::default();
    let cases = [
        (usual, None),
        (Options { relative_tolerance: 0.0, score_threshold: 1.0, ..usual }, None),
        (
            Options { relative_tolerance: f64::NAN, ..usual },
            Some("`relative_tolerance` is NaN, it is a number of at least 0"),
        ),
        (
            Options { absolute_tolerance: -1.0, ..usual },
            Some("`absolute_tolerance` is -1, it is a number of at least 0"),
        ),
        (
            Options { absolute_tolerance: f64::INFINITY, ..usual },
            Some("`absolute_tolerance` is inf, it is a number of at least 0"),
        ),
        (Options { score_threshold: 1.5, ..usual }, Some("`score_threshold` is 1.5, it is 0 to 1")),
        (Options { score_threshold: f64::NAN, ..usual }, Some("`score_threshold` is NaN, it is 0 to 1")),
    ];
    for (options, expected) in cases {
        let task = Task::TabularRegression;
        let error = evaluate(task, "accuracy", &inputs, &options).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), expected);
        let error = degenerate(task, "accuracy", &Truth::Regression(truth), &options).err();
        assert_eq!(error.map(|error| error.to_string()).as_deref(), expected);
    }
}
