//! `thimble compare`

use serde_json::Value;

use crate::bench::{Bench, assert_golden};

/// The recorded result of `mlp`, changed by `edit`.
fn write(bench: &Bench, file: &str, edit: impl FnOnce(&mut Value)) {
    let mut result: Value = serde_json::from_str(include_str!("../data/result.json")).unwrap();
    edit(&mut result);
    bench.write(file, result.to_string());
}

/// The recorded result, and one that trades accuracy for FLOPs.
fn bench() -> Bench {
    let bench = Bench::new();
    write(&bench, "mlp.json", |_| ());
    write(&bench, "small.json", |result| {
        let comparable = &mut result["comparable"];
        comparable["submission"]["name"] = "small".into();
        comparable["metrics"]["accuracy"]["value"] = 0.85.into();
        comparable["score"]["value"] = 46.43.into();
        comparable["parameters"]["counted"] = 1234.into();
        comparable["compute"]["flops_per_sample"] = 2500.5.into();
        comparable["compute"]["training_flops"] = Value::Null;
    });
    bench
}

#[test]
fn a_trade_has_no_winner() {
    let ended = bench().thimble("compare mlp.json small.json");
    ended.assert_code(0);
    assert_golden("compare", &ended.stdout);
}

#[test]
fn what_dominates_is_named() {
    let bench = bench();
    write(&bench, "better.json", |result| {
        result["comparable"]["submission"]["name"] = "better".into();
        result["comparable"]["compute"]["flops_per_sample"] = 1000.into();
    });
    let ended = bench.thimble("compare mlp.json small.json better.json");
    ended.assert_code(0);
    assert_golden("compare-three", &ended.stdout);
    let json = bench.thimble("compare mlp.json small.json better.json --json").json();
    assert_eq!(json["dominates"], serde_json::json!([["better", "mlp"], ["better", "small"]]));
    assert_eq!(json["best"]["better"][0], "FLOPs/sample");
    assert_eq!(json["figures"][0]["name"], "accuracy");
    assert_eq!(json["figures"][0]["differences"][2], 0.0);
}

#[test]
fn results_that_cannot_be_ranked_together_are_shown_and_not_ranked() {
    let bench = bench();
    write(&bench, "other.json", |result| {
        result["comparable"]["submission"]["name"] = "other".into();
        result["comparable"]["meter"]["tariff"] = "tariff-2".into();
        result["comparable"]["meter"]["tariff_digest"] = format!("sha256:{}", "2".repeat(64)).into();
        result["comparable"]["challenge"]["digest"] = format!("sha256:{}", "3".repeat(64)).into();
        result["comparable"]["dataset"] = format!("sha256:{}", "4".repeat(64)).into();
        result["comparable"]["compute"]["flops_per_sample"] = 1.into();
    });
    let ended = bench.thimble("compare mlp.json other.json");
    ended.assert_code(0);
    assert_golden("compare-obstacles", &ended.stdout);
    let json = bench.thimble("compare mlp.json other.json --json").json();
    assert_eq!((&json["best"], &json["dominates"]), (&serde_json::json!({}), &serde_json::json!([])));
}

#[test]
fn results_of_one_submission_go_by_their_files() {
    let bench = bench();
    write(&bench, "again.json", |_| ());
    let json = bench.thimble("compare mlp.json again.json --json").json();
    assert_eq!((&json["results"][0]["name"], &json["results"][1]["name"]), (&"mlp".into(), &"again".into()));
    let json = bench.thimble("compare mlp.json mlp.json --json").json();
    assert_eq!(json["results"][0]["name"], "mlp.json");
}

#[test]
fn files_that_are_no_results_are_named() {
    let bench = bench();
    bench.write("no.json", "{}");
    bench.thimble("compare mlp.json no.json").assert_error(3, &["result no.json", "schema_version"]);
    bench.thimble("compare mlp.json missing.json").assert_error(3, &["missing.json"]);
    assert_eq!(bench.thimble("compare mlp.json").code, 2);
}
