//! `thimble dataset`

use thimble_datasets::imagenet_pareto::CANONICAL_DIGEST;
use thimble_datasets::{PublicData, frugal_digits, frugal_embeddings};

use crate::bench::{Bench, assert_golden};

const GENERATE: &str = "dataset generate imagenet-pareto";

/// 32 bytes as hexadecimal digits.
const SEED: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

#[test]
fn the_canonical_data_has_one_digest() {
    let bench = Bench::new();
    let ended = bench.thimble(&format!("{GENERATE} --canonical --out data"));
    ended.assert_code(0);
    assert_golden("dataset-generate", &ended.stdout);
    assert!(ended.stdout.contains(&CANONICAL_DIGEST.to_string()));

    let described = bench.thimble("dataset describe data");
    described.assert_code(0);
    assert_golden("dataset-describe", &described.stdout);
    assert_eq!(bench.thimble("dataset describe data --json").json()["digest"], CANONICAL_DIGEST.to_string());
}

#[test]
fn the_public_data_of_the_frugal_challenges_has_one_digest() {
    let bench = Bench::new();
    bench.write("seed", SEED);
    for (family, digest) in
        [("frugal-digits", frugal_digits::PUBLIC_DIGEST), ("frugal-embeddings", frugal_embeddings::PUBLIC_DIGEST)]
    {
        let generate = format!("dataset generate {family}");
        let ended = bench.thimble(&format!("{generate} --public --out {family}"));
        ended.assert_code(0);
        assert!(ended.stdout.contains(&digest.to_string()));
        assert!(!bench.path(family).join("operator-secret.json").exists());

        bench.thimble(&format!("{generate} --seed-file seed --out {family}-official")).assert_code(0);
        let official = format!("{family}-official");
        assert!(bench.path(&official).join("operator-secret.json").exists());
        let described = bench.thimble(&format!("dataset describe {official} --json")).json();
        assert_ne!(described["digest"], digest.to_string());
        assert_eq!(described["name"], format!("{family}-private"));
        assert_eq!(bench.thimble(&format!("{generate} --public --seed-file seed --out x")).code, 2);
    }
}

#[test]
fn the_small_dataset_of_every_task_has_one_digest() {
    let bench = Bench::new();
    for data in PublicData::EXAMPLES {
        let ended = bench.thimble(&format!("dataset generate {} --public --out {0}", data.name()));
        ended.assert_code(0);
        assert!(ended.stdout.contains(&data.digest().to_string()));
        let described = bench.thimble(&format!("dataset describe {} --json", data.name())).json();
        assert_eq!(described["digest"], data.digest().to_string());
        assert_eq!(bench.thimble(&format!("dataset generate {} --out x", data.name())).code, 2);
    }
}

#[test]
fn data_from_a_seed_has_a_secret_and_the_sizes_asked_for() {
    let bench = Bench::new();
    bench.write("seed", SEED);
    let sizes = "--classes 4 --train-per-class 3 --val-per-class 2 --test-per-class 5 --noise 0.1";
    bench.thimble(&format!("{GENERATE} --seed-file seed {sizes} --out official")).assert_code(0);
    assert!(bench.path("official/operator-secret.json").exists());
    let splits = bench.thimble("dataset describe official --json").json()["splits"].clone();
    let rows: Vec<_> = splits.as_array().unwrap().iter().map(|split| split["rows"].as_u64().unwrap()).collect();
    assert_eq!(rows, [12, 8, 20]);
}

#[test]
fn the_test_split_publishes_its_size_only() {
    let bench = Bench::new();
    bench.dataset("data", 1);
    let splits = bench.thimble("dataset describe data --json").json()["splits"].clone();
    assert_eq!(splits[2]["split"], "test");
    assert!(splits[2]["class_counts"].is_null());
}

#[test]
fn a_dataset_is_replaced_only_when_told_and_a_secret_never() {
    let bench = Bench::new();
    let canonical = format!("{GENERATE} --canonical --out data");
    bench.thimble(&canonical).assert_code(0);
    bench.thimble(&canonical).assert_error(3, &["data holds a dataset", "--overwrite"]);
    bench.thimble(&format!("{canonical} --overwrite")).assert_code(0);
    bench.thimble("dataset describe data").assert_code(0);

    bench.dataset("official", 2);
    let before = bench.read("official/dataset.json");
    bench
        .thimble(&format!("{GENERATE} --canonical --overwrite --out official"))
        .assert_error(3, &["official holds operator-secret.json"]);
    assert_eq!(bench.read("official/dataset.json"), before);
}

#[test]
fn a_directory_with_other_files_is_left_alone() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("data")).unwrap();
    bench.write("data/notes.txt", "mine");
    bench.thimble(&format!("{GENERATE} --canonical --out data")).assert_error(4, &["cannot write data"]);
    let left: Vec<_> = std::fs::read_dir(bench.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["data"], "nothing half-written stays");
    assert_eq!(bench.read("data/notes.txt"), "mine");
}

#[test]
fn a_number_is_no_seed() {
    let bench = Bench::new();
    bench.write("number", "2025");
    bench.write("long", SEED.repeat(2));
    let generate = |seed: &str| bench.thimble(&format!("{GENERATE} --seed-file {seed} --out official"));
    generate("number").assert_error(3, &["seed file number", "64 hexadecimal digits or 32 raw bytes", "4 bytes"]);
    generate("long").assert_error(3, &["seed file long must be at most 65 bytes"]);
    generate("missing").assert_error(3, &["cannot read the seed file missing", "No such file"]);
    assert!(!bench.path("official").exists());
}

#[test]
fn the_source_is_one_of_two_and_the_canonical_data_has_no_options() {
    let bench = Bench::new();
    for options in ["", "--canonical --seed-file seed", "--canonical --classes 4", "--canonical --noise 1"] {
        assert_eq!(bench.thimble(&format!("{GENERATE} {options} --out data")).code, 2, "{options}");
    }
}

#[test]
fn options_out_of_range_carry_the_limit_and_the_value() {
    let bench = Bench::new();
    bench.write("seed", SEED);
    let generate = |options: &str| bench.thimble(&format!("{GENERATE} --seed-file seed --out data {options}"));
    generate("--classes 1").assert_error(3, &["classes: 1 is not between 2 and 65536"]);
    generate("--noise 1001").assert_error(3, &["noise: 1001 is not a number between 0 and 1000"]);
}

#[test]
fn damaged_data_is_named_with_both_digests() {
    let bench = Bench::new();
    bench.dataset("data", 1);
    let path = bench.path("data/test.arrow");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    bench
        .thimble("dataset describe data")
        .assert_error(3, &["dataset data", "test.arrow", "changed or damaged", "sha256:"]);
}

#[test]
fn a_missing_or_empty_directory_is_named() {
    let bench = Bench::new();
    bench.thimble("dataset describe data").assert_error(3, &["cannot open the dataset directory data"]);
    std::fs::create_dir(bench.path("data")).unwrap();
    bench.thimble("dataset describe data").assert_error(3, &["dataset data", "dataset.json"]);
}

/// A table of 40 rows in two classes.
fn churn(bench: &Bench) {
    let rows: String = (0..40).map(|row| format!("{row},{},{}\n", row * 7 % 11, ["no", "yes"][row % 2])).collect();
    bench.write("churn.csv", format!("age,visits,churned\n{rows}"));
}

const INGEST: &str = "dataset ingest churn.csv --task tabular_classification --label churned";

#[test]
fn a_table_is_ingested_as_the_dry_run_says() {
    let bench = Bench::new();
    churn(&bench);
    let dry = bench.thimble(&format!("{INGEST} --name churn --dry-run"));
    dry.assert_code(0);
    let ended = bench.thimble(&format!("{INGEST} --out churn"));
    ended.assert_code(0);
    assert_golden("dataset-ingest", &ended.stdout);
    let (written, planned) = (ended.stdout.lines().skip(1), dry.stdout.lines().skip(1));
    assert!(written.take(6).eq(planned));
    assert_eq!(bench.thimble("dataset describe churn --json").json()["name"], "churn");
    assert!(!bench.path("churn/operator-secret.json").exists());
    bench.thimble(&format!("{INGEST} --out churn")).assert_error(3, &["churn holds a dataset", "--overwrite"]);
    bench.thimble(&format!("{INGEST} --out churn --overwrite")).assert_code(0);
}

#[test]
fn an_official_ingestion_has_a_secret_which_is_never_replaced() {
    let bench = Bench::new();
    churn(&bench);
    bench.thimble(&format!("{INGEST} --out first --official")).assert_code(0);
    bench.thimble(&format!("{INGEST} --out second --official")).assert_code(0);
    assert_ne!(bench.read("first/operator-secret.json"), bench.read("second/operator-secret.json"));
    bench.thimble(&format!("{INGEST} --out first --overwrite")).assert_error(3, &["operator-secret.json"]);
}

#[test]
fn everything_that_must_be_put_right_is_told_and_nothing_written() {
    let bench = Bench::new();
    bench.write("churn.csv", "age,churned\n1,no\n,yes\n3,\n");
    let ended = bench.thimble(&format!("{INGEST} --out churn"));
    ended.assert_error(
        3,
        &["2 things must be put right", "churn.csv, line 3: column `age`", "churn.csv, line 4: the label"],
    );
    assert!(!bench.path("churn").exists());
    bench.thimble(&format!("{INGEST} --out churn --split train=1,test=1")).assert_error(2, &["--split"]);
    bench
        .thimble(&format!("{INGEST} --out churn --resize exact"))
        .assert_error(2, &["--resize: only images are scaled"]);
    bench
        .thimble("dataset ingest churn.csv --task sorting --out x")
        .assert_error(2, &["possible values: image_classification"]);
}
