//! `thimble challenge`

use serde_json::{Value, json};
use thimble_challenge::Challenge;
use thimble_datasets::{Classes, DType, Dataset, Field, OperatorSecret, Table, Tables, TaskKind, Values};

use crate::bench::{Bench, open};

#[test]
fn a_challenge_without_fault() {
    let bench = Bench::new();
    bench.challenge(|_| ());
    let ended = bench.thimble("challenge check toy");
    ended.assert_code(0);
    assert!(ended.stdout.starts_with("toy: no fault\n"), "{ended:#?}");
    // The directory's own name counts, however it is reached.
    bench.thimble("challenge check toy/public/..").assert_code(0);
}

#[test]
fn every_fault_is_named_with_its_field() {
    let bench = Bench::new();
    bench.challenge(|challenge| {
        challenge["title"] = "".into();
        challenge["limits"]["wall_seconds"] = 0.into();
    });
    let ended = bench.thimble("challenge check toy");
    ended.assert_error(3, &["challenge toy breaks", "\n  title: ", "\n  limits.wall_seconds: "]);
}

#[test]
fn a_wrong_type_or_an_unknown_field_is_named_with_its_path() {
    let bench = Bench::new();
    bench.challenge(|challenge| challenge["limits"]["parameters"] = "many".into());
    bench.thimble("challenge check toy").assert_error(3, &["limits.parameters", "many"]);
    bench.challenge(|challenge| challenge["limits"]["parameter"] = 1.into());
    bench.thimble("challenge check toy").assert_error(3, &["limits", "unknown field `parameter`"]);
    bench.write("toy/challenge.json", "{");
    bench.thimble("challenge check toy").assert_error(3, &["challenge.json", "EOF", "line 1"]);
}

#[test]
fn a_challenge_has_the_name_of_its_directory() {
    let bench = Bench::new();
    bench.challenge(|challenge| challenge["name"] = "other".into());
    bench.thimble("challenge check toy").assert_error(3, &["name: must be the name of its directory, \"toy\""]);
}

#[test]
fn missing_files_are_named() {
    let bench = Bench::new();
    bench.thimble("challenge check toy").assert_error(3, &["cannot open the challenge directory toy"]);
    std::fs::create_dir(bench.path("toy")).unwrap();
    bench.thimble("challenge check toy").assert_error(3, &["cannot read challenge.json"]);
}

#[test]
fn commit_changes_the_commitment_and_nothing_else() {
    let bench = Bench::new();
    bench.challenge(|_| ());
    bench.dataset("official", 2);
    let read = || Challenge::from_json(bench.read("toy/challenge.json").as_bytes()).unwrap();
    let mut before = read();

    let ended = bench.thimble("challenge commit toy --official official");
    ended.assert_code(0);
    let after = read();
    let commitment = after.datasets.official_commitment.expect("a commitment");
    assert_eq!(ended.stdout, format!("{commitment}\n"));
    before.datasets.official_commitment = Some(commitment);
    assert_eq!(after, before);
    bench.thimble("challenge check toy").assert_code(0);
    // A salted commitment, not the digest.
    assert_ne!(Value::from(commitment.to_string()), bench.json("official/dataset.json")["digest"]);
}

#[test]
fn a_commitment_is_replaced_only_when_told() {
    let bench = Bench::new();
    bench.challenge(|_| ());
    bench.dataset("official", 2);
    bench.dataset("other", 3);
    bench.thimble("challenge commit toy --official official").assert_code(0);
    bench.thimble("challenge commit toy --official official").assert_code(0);
    let before = bench.read("toy/challenge.json");
    bench.thimble("challenge commit toy --official other").assert_error(3, &["committed to other data", "--replace"]);
    assert_eq!(bench.read("toy/challenge.json"), before);
    bench.thimble("challenge commit toy --official other --replace").assert_code(0);
    assert_ne!(bench.read("toy/challenge.json"), before);
}

#[test]
fn what_an_official_run_would_refuse_is_not_committed_to() {
    let bench = Bench::new();
    bench.challenge(|_| ());
    let before = bench.read("toy/challenge.json");
    bench.thimble("challenge commit toy --official toy/public").assert_error(3, &["toy/public", "public", "practice"]);
    bench.thimble("dataset generate imagenet-pareto --canonical --out canonical").assert_code(0);
    bench.thimble("challenge commit toy --official canonical").assert_error(3, &["canonical", "public", "practice"]);
    bench.write("seed", [0x5a_u8, 3].map(|x| (0..16).map(|i| x.wrapping_mul(i + 1)).collect::<Vec<u8>>()).concat());
    bench.thimble("dataset generate imagenet-pareto --seed-file seed --classes 8 --out eight").assert_code(0);
    bench.thimble("challenge commit toy --official eight").assert_error(3, &["eight", "8 classes"]);
    std::fs::remove_file(bench.path("eight/operator-secret.json")).unwrap();
    bench.thimble("challenge commit toy --official eight").assert_error(3, &["eight", "operator-secret.json"]);
    assert_eq!(bench.read("toy/challenge.json"), before);
}

/// Two rows a split whose features count up; the test labels are `labels`.
fn hand_made(bench: &Bench, directory: &str, labels: [i64; 2], secret: bool) -> String {
    let table = |labels: [i64; 2], first: u8| Table {
        rows: 2,
        columns: vec![
            Values::F32((0..6).map(|value| f32::from(first + value)).collect()),
            Values::S64(labels.to_vec()),
        ],
    };
    let tables = Tables {
        name: "hand-made".to_owned(),
        task: TaskKind::TabularClassification(Classes::unnamed(2)),
        fields: vec![Field::input("features", DType::F32, &[3]), Field::target("label", DType::S64, &[])],
        train: table([0, 1], 0),
        validation: table([0, 1], 10),
        test: table(labels, if secret { 30 } else { 20 }),
    };
    std::fs::create_dir_all(bench.path(directory)).unwrap();
    let dir = open(&bench.path(directory));
    if secret {
        OperatorSecret { commitment_salt: [1; 32], permutation_key: [2; 32] }.write(&dir).unwrap();
    }
    thimble_datasets::write(&dir, &tables).unwrap().to_string()
}

/// The challenge `toy` on hand-made data, with `metric` published beside accuracy.
fn on_hand_made(bench: &Bench, labels: [i64; 2], metric: &str) {
    let digest = hand_made(bench, "toy/public", labels, false);
    bench.challenge(|challenge| {
        let public = open(&bench.path("toy/public"));
        let dataset = Dataset::open(&public).unwrap();
        let metadataset = dataset.metadataset();
        challenge["task"] = serde_json::to_value(&metadataset.task).unwrap();
        challenge["fields"] = serde_json::to_value(&metadataset.fields).unwrap();
        challenge["ranking"]["also_published"] = json!([metric]);
        challenge["datasets"]["public"]["digest"] = digest.into();
    });
}

#[test]
fn a_metric_that_says_nothing_on_the_public_test_labels_is_refused() {
    let bench = Bench::new();
    on_hand_made(&bench, [0, 1], "auc_roc");
    bench.thimble("challenge check toy").assert_code(0);

    let bench = Bench::new();
    on_hand_made(&bench, [1, 1], "auc_roc");
    let words = ["public data of challenge toy", "metric `auc_roc` says nothing", "no row has class 0"];
    bench.thimble("challenge check toy").assert_error(3, &words);
}

#[test]
fn data_on_which_a_metric_says_nothing_is_not_committed_to() {
    let bench = Bench::new();
    on_hand_made(&bench, [0, 1], "mcc");
    hand_made(&bench, "official", [1, 1], true);
    let before = bench.read("toy/challenge.json");
    let words = ["dataset official", "metric `mcc` says nothing", "every row has class 1"];
    bench.thimble("challenge commit toy --official official").assert_error(3, &words);
    assert_eq!(bench.read("toy/challenge.json"), before);
}

#[test]
fn the_public_data_is_the_one_that_is_named() {
    let bench = Bench::new();
    bench.challenge(|challenge| {
        challenge["datasets"]["public"]["digest"] = format!("sha256:{}", "0".repeat(64)).into();
    });
    bench.thimble("challenge check toy").assert_error(3, &["public data of challenge toy", "datasets.public.digest"]);
    std::fs::remove_dir_all(bench.path("toy/public")).unwrap();
    bench.thimble("challenge check toy").assert_error(3, &["cannot open the dataset directory toy/public"]);
}
