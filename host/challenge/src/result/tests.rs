//! The result file, the official projection, and the other platform's shape.

use std::collections::BTreeMap;

use super::*;
use crate::fixture;

fn comparable(verdict: Verdict) -> Comparable {
    Comparable {
        mode: Mode::Official,
        challenge: ChallengeRef { name: "test-challenge".to_owned(), digest: Digest::of(b"challenge") },
        dataset: Digest::of(b"commitment"),
        submission: Some(SubmissionRef {
            name: Some("centroid".to_owned()),
            version: Some("0.1.0".to_owned()),
            package: Some(Digest::of(b"package")),
            component: Digest::of(b"component"),
            component_bytes: 73_123,
        }),
        meter: MeterRef {
            contract: crate::package::CONTRACT.to_owned(),
            tariff: "tariff-1".to_owned(),
            tariff_digest: Digest::of(b"tariff"),
            engine: "wasmtime 48.0.8".to_owned(),
        },
        verdict,
        failure: None,
        parameters: Some(Parameters {
            counted: ParameterCount(49_280),
            elements: 49_280,
            bytes: 197_120,
            embedded: 0,
            declared: Some(ParameterCount(50_000)),
            limit: ParameterCount(500_000),
        }),
        metrics: BTreeMap::from([
            ("accuracy".to_owned(), MetricValue::Value(0.98046875)),
            ("f1".to_owned(), MetricValue::Undefined("class 17 has no rows".to_owned())),
            ("secret".to_owned(), MetricValue::Value(0.123_456)),
        ]),
        parts: None,
        baseline: Some(Baseline {
            name: "class shares".to_owned(),
            metrics: BTreeMap::from([("accuracy".to_owned(), MetricValue::Value(0.0078125))]),
        }),
        score: Some(fixture::challenge().score.score(0.98046875, 98_705.0)),
        compute: Compute {
            training_fuel: Some(Fuel(123_456_789)),
            training_fuel_charged: Fuel(123_456_789),
            training_fuel_budget: Fuel(64_000_000_000_000),
            prediction_fuel: Some(Fuel(1_617_182_720)),
            test_rows: 1_024,
            training_flops: Some(7_716_049.312_5),
            flops_per_sample: Some(98_705.0),
            training_gco2e: Some(1e-7),
            gco2e_per_sample: Some(1e-9),
        },
        independence: Some(Independence { replayed: 51, disagreed: 0, transductive: false }),
        ranked: true,
    }
}

fn result(comparable: Comparable) -> EvaluationResult {
    let published = (comparable.mode == Mode::Official).then(|| Published::of(&comparable, &fixture::challenge()));
    let published_at_close = Published::at_close(&comparable, &fixture::challenge());
    EvaluationResult { schema_version: 1, comparable, published, published_at_close, run: Run::default() }
}

#[test]
fn results_read_back_and_have_one_text() {
    let result = result(comparable(Verdict::Scored));
    let json = result.to_json();
    assert!(json.ends_with("}\n"));
    let back = EvaluationResult::from_json(json.as_bytes()).expect("just written");
    assert_eq!(back, result);
    assert_eq!(back.to_json(), json);
}

#[test]
fn unknown_fields_and_versions_are_refused() {
    let json = result(comparable(Verdict::Scored)).to_json();
    let error = |from: &str, to: &str| {
        let text = json.replacen(from, to, 1);
        EvaluationResult::from_json(text.as_bytes()).map_or_else(|error| error.to_string(), |_| "ok".to_owned())
    };
    let text = error("\"schema_version\": 1", "\"schema_version\": 2");
    assert_eq!(text, "schema_version: must be 1, the version this host reads; found 2");
    let text = error("\"test_rows\"", "\"extra\": 0, \"test_rows\"");
    assert!(text.starts_with("comparable.compute.extra: unknown field `extra`"), "{text}");
    let text = error("\"verdict\": \"scored\"", "\"verdict\": \"won\"");
    assert!(text.starts_with("comparable.verdict: unknown variant `won`"), "{text}");
}

/// 0.98046875 → 0.9805; (0.9805 − 0.72) / 0.28 × 100 = 93.0357…; 98,705 FLOPs → 98,700.
#[test]
fn published_figures_are_rounded_and_computed_from_rounded_ones() {
    let challenge = fixture::challenge();
    let published = Published::of(&comparable(Verdict::Scored), &challenge);
    assert_eq!(published.metrics, BTreeMap::from([("accuracy".to_owned(), MetricValue::Value(0.9805))]));
    assert_eq!(published.score, Some(challenge.score.score(0.9805, 98_700.0).value));
    assert_eq!(published.parameters, Some(ParameterCount(50_000)));
    assert_eq!(published.flops_per_sample, Some(98_700.0));
    assert_eq!(published.gco2e_per_sample, Some(challenge.carbon.grams(98_700.0)));
    assert_eq!(published.outcome, Outcome::Scored);
}

/// 4 decimals of a number near 10^30 would be a hundred bits of the builder's choice.
#[test]
fn a_metric_without_bounds_is_published_to_significant_digits() {
    let mut challenge = fixture::challenge();
    challenge.task = thimble_datasets::TaskKind::TabularRegression;
    challenge.ranking.metric = "rmse".to_owned();
    let mut result = comparable(Verdict::Scored);
    result.metrics = BTreeMap::from([("rmse".to_owned(), MetricValue::Value(1.234_567_890_123e29))]);
    let published = Published::of(&result, &challenge);
    assert_eq!(published.metrics, BTreeMap::from([("rmse".to_owned(), MetricValue::Value(1.235e29))]));
}

/// Everything that is not declared, rounded or the builder's own may change without changing what is published.
#[test]
fn published_carries_nothing_else() {
    let mut challenge = fixture::challenge();
    challenge.ranking.also_published = vec!["f1".to_owned()];
    let one = comparable(Verdict::Scored);
    let mut other = one.clone();
    other.dataset = Digest::of(b"other");
    other.metrics.insert("secret".to_owned(), MetricValue::Value(0.9));
    other.metrics.insert("accuracy".to_owned(), MetricValue::Value(0.980_46));
    other.metrics.insert("f1".to_owned(), MetricValue::Undefined("class 3 has no rows".to_owned()));
    other.score = Some(Score { value: 1.0, unclamped: Some(2.0) });
    other.failure = Some(Failure { phase: Phase::Predict, rule: "x".to_owned(), message: "y".to_owned() });
    other.compute = Compute {
        training_fuel: None,
        training_fuel_charged: Fuel(1),
        prediction_fuel: Some(Fuel(1)),
        test_rows: 3,
        training_flops: None,
        flops_per_sample: Some(98_749.0),
        training_gco2e: None,
        gco2e_per_sample: None,
        ..one.compute.clone()
    };
    let parameters = other.parameters.as_mut().expect("set");
    (parameters.counted, parameters.elements, parameters.bytes) = (ParameterCount(7), 7, 28);
    let independence = other.independence.as_mut().expect("set");
    independence.replayed = 9;
    assert_eq!(Published::of(&one, &challenge), Published::of(&other, &challenge));
}

/// Both figures that a composite score is made of are the rounded ones.
#[test]
fn a_composite_score_is_computed_from_published_figures() {
    let mut challenge = fixture::challenge();
    challenge.score = serde_json::from_value(serde_json::json!({
        "rule": "composite", "floor": 0.5, "reference_flops": 1e5, "house": [],
    }))
    .expect("valid");
    let published = Published::of(&comparable(Verdict::Scored), &challenge);
    assert_eq!(published.score, Some(challenge.score.score(0.9805, 98_700.0).value));
    assert!(published.score != Some(challenge.score.score(0.98046875, 98_705.0).value));
}

#[test]
fn only_refusals_before_any_data_say_why() {
    let failed = |verdict, phase| {
        let mut comparable = comparable(verdict);
        comparable.failure = Some(Failure { phase, rule: "rule".to_owned(), message: "message".to_owned() });
        Published::of(&comparable, &fixture::challenge())
    };
    for verdict in Verdict::ALL {
        for phase in [Phase::Admit, Phase::Compile, Phase::Learn, Phase::Count, Phase::Predict, Phase::Score] {
            let published = failed(verdict, phase);
            let may_say = verdict == Verdict::Rejected && matches!(phase, Phase::Admit | Phase::Compile);
            assert_eq!(published.failure.is_some(), may_say, "{verdict} {phase:?}");
            if published.outcome == Outcome::Failed {
                assert_eq!((published.score, published.parameters, published.flops_per_sample), (None, None, None));
                assert!(published.metrics.is_empty() && published.transductive.is_none());
            }
        }
    }
}

#[test]
fn over_the_limit_scores_zero_and_shows_the_declared_count() {
    let published = Published::of(&comparable(Verdict::OverParameterLimit), &fixture::challenge());
    assert_eq!((published.outcome, published.score), (Outcome::OverParameterLimit, Some(0.0)));
    assert_eq!(published.parameters, Some(ParameterCount(50_000)));
    assert!(published.metrics.is_empty() && published.flops_per_sample.is_none());
}

#[test]
fn agentics_official_shape_is_built_from_published_figures() {
    let value: serde_json::Value =
        serde_json::from_str(&AgenticsResult::of(&result(comparable(Verdict::Scored)), "accuracy").to_json())
            .expect("just written");
    let score = fixture::challenge().score.score(0.9805, 98_700.0).value;
    let expected = serde_json::json!({
        "status": "passed",
        "mode": "official",
        "aggregate_metrics": [
            {"metric_name": "score", "value": score},
            {"metric_name": "accuracy", "value": 0.9805},
            {"metric_name": "params", "value": 50_000.0},
        ],
        "run_metrics": [],
        "public_results": [],
        "official_summary": {"score": score, "passed": 1, "total": 1},
        "logs": [],
    });
    assert_eq!(value, expected);
}

#[test]
fn agentics_validation_shape_has_the_exact_figures() {
    let mut comparable = comparable(Verdict::Scored);
    comparable.mode = Mode::Validation;
    let agentics = AgenticsResult::of(&result(comparable), "accuracy");
    let values: Vec<_> = agentics.aggregate_metrics.iter().map(|m| (m.metric_name.as_str(), m.value)).collect();
    let score = fixture::challenge().score.score(0.98046875, 98_705.0).value;
    assert_eq!(values, [("score", score), ("accuracy", 0.98046875), ("params", 49_280.0)]);
    assert_eq!(agentics.official_summary, None);
}

#[test]
fn agentics_statuses_follow_the_verdict() {
    for verdict in Verdict::ALL {
        let mut comparable = comparable(verdict);
        if verdict != Verdict::Scored {
            comparable.score = None;
        }
        let agentics = AgenticsResult::of(&result(comparable), "accuracy");
        let expected = match verdict {
            Verdict::Scored => AgenticsStatus::Passed,
            Verdict::PlatformFault => AgenticsStatus::Error,
            _ => AgenticsStatus::Failed,
        };
        assert_eq!(agentics.status, expected, "{verdict}");
        let has_score = agentics.aggregate_metrics.iter().any(|m| m.metric_name == "score");
        assert_eq!(has_score, matches!(verdict, Verdict::Scored | Verdict::OverParameterLimit), "{verdict}");
    }
}
