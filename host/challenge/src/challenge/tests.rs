//! The challenge file: what is read, what is refused, and where the fault is said to be.

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::fixture;

/// The faults of the fixture after `edit`, one a line.
fn faults(edit: impl FnOnce(&mut Value)) -> String {
    let mut value = serde_json::to_value(fixture::challenge()).expect("plain values");
    edit(&mut value);
    Challenge::from_json(value.to_string().as_bytes()).map_or_else(|errors| errors.to_string(), |_| "ok".to_owned())
}

#[test]
fn what_is_written_reads_back() {
    let challenge = fixture::challenge();
    assert_eq!(Challenge::from_json(challenge.to_json().as_bytes()), Ok(challenge));
}

#[test]
fn absent_optional_fields_take_their_defaults() {
    let mut value = serde_json::to_value(fixture::challenge()).expect("plain values");
    for field in ["keywords", "rows", "release", "quotas", "visibility", "carbon", "practice"] {
        value.as_object_mut().and_then(|object| object.remove(field)).expect("the fixture has it");
    }
    value["release"] = json!({"metric_decimals": 3});
    let challenge = Challenge::from_json(value.to_string().as_bytes()).expect("valid");
    assert_eq!(challenge.release, ReleaseRule { metric_decimals: 3, ..ReleaseRule::default() });
    assert_eq!(challenge.carbon, CarbonFactors::default());
    assert_eq!(challenge.rows, RowRule::Independent);
}

/// One edit that is still legal and one that is just beyond, for every number.
#[test]
fn numbers_ok_err() {
    let pairs: [(&str, Value, Value); 22] = [
        ("/schema_version", json!(1), json!(2)),
        ("/seed", json!(1_u64 << 53), json!((1_u64 << 53) + 1)),
        ("/limits/parameters", json!(1), json!(0)),
        ("/limits/parameters", json!(1_000_000_000), json!(1_000_000_001)),
        ("/limits/embedded_allowance_bytes", json!(4 << 20), json!((4 << 20) + 1)),
        ("/limits/training_flops", json!(1_u64 << 49), json!((1_u64 << 49) + 1)),
        ("/limits/training_flops", json!(1), json!(0)),
        ("/limits/prediction_flops_per_sample", json!(1_u64 << 33), json!((1_u64 << 33) + 1)),
        ("/limits/memory_bytes", json!(1 << 20), json!((1 << 20) - 1)),
        ("/limits/memory_bytes", json!(4_u64 << 30), json!((4_u64 << 30) + 1)),
        ("/limits/wall_seconds", json!(86_400), json!(86_401)),
        ("/limits/batch_size", json!(65_536), json!(65_537)),
        ("/score/baseline", json!(0.0), json!(-0.01)),
        ("/score/baseline", json!(0.999), json!(1.0)),
        ("/release/metric_decimals", json!(6), json!(7)),
        ("/release/flops_digits", json!(1), json!(0)),
        ("/release/tick_seconds", json!(604_800), json!(604_801)),
        ("/release/improvement", json!(0.001), json!(0.0)),
        ("/quotas/official_per_day", json!(1_000), json!(1_001)),
        ("/quotas/validation_per_day", json!(10_000), json!(10_001)),
        ("/carbon/pue", json!(1.0), json!(0.99)),
        ("/carbon/joules_per_flop", json!(1.0), json!(1.01)),
    ];
    for (pointer, good, bad) in pairs {
        let set = |value: Value| faults(|c| *c.pointer_mut(pointer).expect("a field of the fixture") = value);
        assert_eq!(set(good.clone()), "ok", "{pointer} {good}");
        let text = set(bad.clone());
        let field = pointer[1..].replace('/', ".");
        assert!(text.starts_with(&format!("{field}: must be ")), "{pointer} {bad}: {text}");
        assert!(text.ends_with(&format!("; found {bad}")) || bad.is_f64(), "{pointer} {bad}: {text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

#[test]
fn shown_share_ok_err() {
    for (share, good) in [(json!(0.05), true), (json!(0.95), true), (json!(0.049), false), (json!(0.951), false)] {
        let text = faults(|c| c["release"]["shown_share"] = share.clone());
        match good {
            true => assert_eq!(text, "ok", "{share}"),
            false => assert!(text.starts_with("release.shown_share: must be 0.05 to 0.95"), "{share}: {text}"),
        }
    }
    let rule = ReleaseRule { shown_share: Some(0.3), ..ReleaseRule::default() };
    assert_eq!(
        [rule.shown_rows(1_000), rule.shown_rows(5), ReleaseRule::default().shown_rows(5)],
        [Some(300), Some(2), None]
    );
}

#[test]
fn bounds_ok_err() {
    for (metric, low, high, fault) in [
        ("accuracy", json!(0.5), json!(1.0), "ok"),
        ("accuracy", json!(-1e30), json!(1e30), "ok"),
        ("accuracy", json!(0.5), json!(0.5), "release.bounds.accuracy.high: must be above low, 0.5; found 0.5"),
        ("accuracy", json!(-1.1e30), json!(0.0), "release.bounds.accuracy.low: must be -1"),
        ("accuracy", json!(0.0), json!(1.1e30), "release.bounds.accuracy.high: must be -1"),
        ("f1", json!(0.0), json!(1.0), "release.bounds.f1: must be of a metric that is published"),
    ] {
        let text = faults(|c| c["release"]["bounds"] = json!({ metric: { "low": low, "high": high } }));
        assert!(text.starts_with(fault), "{metric} {low} {high}: {text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

/// The rules are those of a dataset, in its words.
#[test]
fn task_and_fields_ok_err() {
    for (pointer, good, bad, fault) in [
        ("/task/classes", json!(2), json!(1), "task.classes: 1 is not between 2 and 65536"),
        ("/task/classes", json!(65_536), json!(65_537), "task.classes: 65537 is not between 2 and 65536"),
        ("/fields/0/shape/0", json!(1), json!(0), "fields[0].shape: a dimension is 0"),
        ("/fields/0/shape/0", json!(1 << 24), json!((1 << 24) + 1), "fields[0].shape: 16777217 values in a row"),
        ("/fields/1/name", json!("label"), json!("y"), "fields: tabular classification: there must be a field `label`"),
    ] {
        let set = |value: Value| faults(|c| *c.pointer_mut(pointer).expect("a field of the fixture") = value);
        assert_eq!(set(good.clone()), "ok", "{pointer} {good}");
        let text = set(bad.clone());
        assert!(text.starts_with(fault), "{pointer} {bad}: {text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

#[test]
fn texts_ok_err() {
    assert_eq!(faults(|c| c["title"] = "é".repeat(82).into()), "ok");
    assert_eq!(faults(|c| c["title"] = "é".repeat(83).into()), "title: must have 1 to 82 characters; found 83");
    assert_eq!(faults(|c| c["summary"] = "".into()), "summary: must have 1 to 500 characters; found 0");
    assert_eq!(faults(|c| c["keywords"] = json!(["é".repeat(15)])), "ok");
    assert_eq!(faults(|c| c["keywords"] = json!(["é".repeat(16)])), "keywords[0]: must have 1 to 30 bytes; found 32");
    assert_eq!(
        faults(|c| c["keywords"] = json!(["a", "b", "c", "d", "e", "f", "g"])),
        "keywords: must be at most 6; found 7"
    );
    assert_eq!(
        faults(|c| c["keywords"] = json!(["A", "a"])),
        "keywords[1]: must not repeat an earlier one; found \"a\""
    );
    assert!(faults(|c| c["title"] = "a\u{7}".into()).starts_with("title: must not contain control characters"));
    assert!(faults(|c| c["name"] = "No".into()).starts_with("name: must have 3 to 63 characters"));
}

#[test]
fn lists_must_not_repeat() {
    let text = faults(|c| c["targets"] = json!(["linux-arm64-cpu", "linux-arm64-cpu"]));
    assert_eq!(text, "targets[1]: must not repeat an earlier one; found \"linux-arm64-cpu\"");
    assert_eq!(faults(|c| c["targets"] = json!([])), "targets: must name at least one target; found none");
    let text = faults(|c| c["ranking"]["tie_breaks"] = json!(["metric", "metric"]));
    assert_eq!(text, "ranking.tie_breaks[1]: must not repeat an earlier one; found \"metric\"");
    let text = faults(|c| c["ranking"]["tie_breaks"] = json!(["earlier", "metric"]));
    assert_eq!(text, "ranking.tie_breaks[0]: `earlier` must be the last: it leaves nothing to decide");
    let text = faults(|c| c["ranking"]["also_published"] = json!(["accuracy"]));
    assert!(text.starts_with("ranking.also_published[0]: must differ from ranking.metric"), "{text}");
}

#[test]
fn metrics_must_be_in_the_registry() {
    let text = faults(|c| c["ranking"]["metric"] = "vibes".into());
    assert!(text.starts_with("ranking.metric: must be a metric of the task: accuracy"), "{text}");
    assert!(text.ends_with("found \"vibes\""), "{text}");
    let text = faults(|c| c["ranking"]["also_published"] = json!(["vibes"]));
    assert!(text.starts_with("ranking.also_published[0]: must be a metric of the task"), "{text}");
}

#[test]
fn composite_scores_ok_err() {
    let legal = json!({
        "rule": "composite", "weights": {"quality": 0.6, "flops": 0.3, "carbon": 0.1}, "floor": 0.5, "quality": "skill",
        "house": [{"name": "a", "metric": 0.5, "flops_per_sample": 0.0}, {"name": "b", "metric": 1.0, "flops_per_sample": 1e9}],
        "reference_flops": 1.0,
    });
    let with = |pointer: &str, value: Value| {
        let mut score = legal.clone();
        *score.pointer_mut(pointer).expect("a field of it") = value;
        faults(|c| c["score"] = score)
    };
    assert_eq!(faults(|c| c["score"] = legal.clone()), "ok");
    assert_eq!(with("/quality", json!("metric")), "ok");
    assert_eq!(with("/weights/flops", json!(0.4)), "score.weights: must sum to 1; found 1.1");
    assert!(with("/weights/flops", json!(-0.1)).starts_with("score.weights.flops: must be 0 to 1; found -0.1"));
    assert_eq!(with("/floor", json!(1.1)).lines().next(), Some("score.floor: must be 0 to 1; found 1.1"));
    assert_eq!(with("/house/0/metric", json!(0.49)), "score.house[0].metric: must reach score.floor, 0.5; found 0.49");
    assert!(
        with("/house/1/flops_per_sample", json!(-1.0)).starts_with("score.house[1].flops_per_sample: must be 0 to")
    );
    assert_eq!(with("/house/1/name", json!("a")), "score.house[1]: must not repeat an earlier one; found \"a\"");
    assert!(with("/reference_flops", json!(0.9)).starts_with("score.reference_flops: must be 1 to 8589934592"));
    let most: Vec<_> = (0..7).map(|i| json!({"name": i.to_string(), "metric": 1.0, "flops_per_sample": 1.0})).collect();
    assert_eq!(with("/house", json!(most[..6])), "ok");
    assert_eq!(with("/house", json!(most)), "score.house: must be at most 6; found 7");
    let mut best = legal.clone();
    best["best"] = json!(0.5);
    assert_eq!(faults(|c| c["score"] = best), "score.best: must be better than score.floor, 0.5; found 0.5");
    let mut typo = legal.clone();
    typo["house"][0]["flops"] = json!(1);
    assert!(faults(|c| c["score"] = typo).contains("unknown field `flops`"));
}

#[test]
fn every_fault_is_named_at_once() {
    let text = faults(|c| {
        c["name"] = "X".into();
        c["limits"]["wall_seconds"] = 0.into();
        c["fields"][1]["name"] = "features".into();
        c["carbon"]["pue"] = 20.into();
    });
    let fields: Vec<_> = text.lines().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(fields, ["name", "fields[1].name", "limits.wall_seconds", "carbon.pue"]);
}

#[test]
fn faults_of_form_name_the_field() {
    for (text, start) in [
        (faults(|c| c["limits"]["gpu"] = 1.into()), "limits.gpu: unknown field `gpu`"),
        (faults(|c| c["surprise"] = 1.into()), "surprise: unknown field `surprise`"),
        (faults(|c| c["limits"]["wall_seconds"] = "1h".into()), "limits.wall_seconds: invalid type: string \"1h\""),
        (faults(|c| c["limits"]["wall_seconds"] = (-1).into()), "limits.wall_seconds: invalid value: integer `-1`"),
        (faults(|c| c["targets"][1] = "gpu".into()), "targets[1]: unknown variant `gpu`"),
        (faults(|c| c["task"]["extra"] = 1.into()), "task: unknown field `extra`"),
        (
            faults(|c| drop(c["limits"].as_object_mut().map(|l| l.remove("parameters")))),
            "limits: missing field `parameters`",
        ),
    ] {
        assert!(text.starts_with(start), "{text}");
    }
}

#[test]
fn files_ok_err() {
    let json = fixture::challenge().to_json();
    let read = |text: &str| Challenge::from_json(text.as_bytes()).map_err(|error| error.to_string());
    assert!(read(&format!("{json}{}", " ".repeat((1 << 20) - json.len()))).is_ok());
    let error = read(&format!("{json}{}", " ".repeat((1 << 20) - json.len() + 1)));
    assert_eq!(error, Err("challenge.json: must be at most 1048576 bytes; found 1048577".to_owned()));
    assert!(read(&format!("{json}x")).is_err_and(|text| text.starts_with("challenge.json: trailing characters")));
    let twice = json.replacen("\"seed\"", "\"seed\": 1, \"seed\"", 1);
    assert!(read(&twice).is_err_and(|text| text.contains("duplicate field `seed`")));
}

#[test]
fn prediction_fuel_is_exact_up_to_the_row_cap() {
    let mut limits = fixture::challenge().limits;
    assert_eq!(limits.prediction_fuel(1_024), Some(Fuel(200_000_000 * 16 * 1_024)));
    limits.prediction_flops_per_sample = Flops(MAX_FLOPS / MAX_TEST_ROWS);
    assert_eq!(limits.prediction_fuel(MAX_TEST_ROWS), Some(MAX_FUEL));
    assert_eq!(limits.prediction_fuel(MAX_TEST_ROWS + 1), None);
}

/// A directory with the fixture and its statement.
fn directory() -> (tempfile::TempDir, Dir) {
    let temporary = tempfile::tempdir().expect("a temporary directory");
    let dir = Dir::open_ambient_dir(temporary.path(), ambient_authority()).expect("it is there");
    let challenge = fixture::challenge();
    dir.write("challenge.json", challenge.to_json()).expect("writable");
    dir.write("statement.md", format!("# Test\n\n{}\nEnd.\n", figures(&challenge))).expect("writable");
    (temporary, dir)
}

fn open_error(dir: &Dir) -> String {
    LoadedChallenge::open(dir).map_or_else(|error| error.to_string(), |_| "ok".to_owned())
}

#[test]
fn a_directory_is_loaded_with_the_digest_of_its_bytes() {
    let (_temporary, dir) = directory();
    let loaded = LoadedChallenge::open_named(&dir, "test-challenge").expect("valid");
    assert_eq!(loaded.challenge, fixture::challenge());
    assert_eq!(loaded.digest, Digest::of(fixture::challenge().to_json().as_bytes()));
    let error = LoadedChallenge::open_named(&dir, "other").map_or_else(|error| error.to_string(), |_| "ok".to_owned());
    assert_eq!(error, "name: must be the name of its directory, \"other\"; found \"test-challenge\"");
}

#[test]
fn a_statement_that_disagrees_is_named_by_line() {
    let (_temporary, dir) = directory();
    let statement = dir.read_to_string("statement.md").expect("there");
    dir.write("statement.md", statement.replace("500,000", "600,000")).expect("writable");
    let text = open_error(&dir);
    assert!(text.starts_with("statement.md line 10: by challenge.json must be `| parameter limit | 500,000"), "{text}");
    assert!(text.contains("found `| parameter limit | 600,000"), "{text}");
    dir.write("statement.md", "no table").expect("writable");
    assert!(open_error(&dir).starts_with("statement.md: must contain the table"));
    dir.write("statement.md", b"\xff").expect("writable");
    assert_eq!(open_error(&dir), "statement.md: must be UTF-8; found another byte at 0");
}

#[test]
fn files_that_are_not_regular_or_too_large_are_refused() {
    let (_temporary, dir) = directory();
    let statement = dir.read_to_string("statement.md").expect("there");
    let fill = |bytes: usize| format!("{statement}{}", "x".repeat(bytes - statement.len()));
    dir.write("statement.md", fill(256 << 10)).expect("writable");
    assert_eq!(open_error(&dir), "ok");
    dir.write("statement.md", fill((256 << 10) + 1)).expect("writable");
    assert_eq!(open_error(&dir), "statement.md must be at most 262144 bytes; found more");
    dir.remove_file("statement.md").expect("there");
    assert!(open_error(&dir).starts_with("cannot read statement.md: "));
    dir.symlink("challenge.json", "statement.md").expect("links work");
    assert_eq!(open_error(&dir), "statement.md must be a regular file, not a link or anything else");
}

proptest! {
    #[test]
    fn any_bytes_parse_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Challenge::from_json(&bytes);
    }

    #[test]
    fn any_cut_or_changed_byte_parses_without_panic(at in 0usize..1_500, byte: u8) {
        let mut json = fixture::challenge().to_json().into_bytes();
        let at = at % json.len();
        json[at] = byte;
        let _ = Challenge::from_json(&json);
        let _ = Challenge::from_json(&json[..at]);
    }
}
