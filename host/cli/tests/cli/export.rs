//! `thimble dataset export`

use serde_json::Value;
use thimble_challenge::LoadedChallenge;
use thimble_datasets::{ColumnValues, Dataset, Split};

use crate::bench::{Bench, assert_golden, open};

const EXPORT: &str = "dataset export toy --out data";

fn bench() -> Bench {
    let bench = Bench::new();
    bench.challenge(|_| ());
    bench
}

/// The bytes of an array after NumPy's header.
fn values(bench: &Bench, file: &str) -> Vec<u8> {
    let bytes = std::fs::read(bench.path(file)).unwrap();
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    bytes[10 + header..].to_vec()
}

#[test]
fn an_export_says_what_it_wrote() {
    let bench = bench();
    let ended = bench.thimble(EXPORT);
    ended.assert_code(0);
    assert_golden("dataset-export", &ended.stdout);
    let names = std::fs::read_dir(bench.path("data")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut files: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    files.sort_unstable();
    let arrays =
        ["test", "train", "validation"].map(|split| ["features", "label"].map(|field| format!("{split}.{field}.npy")));
    assert_eq!(files, [vec!["metadata.json".to_owned()], arrays.concat()].concat());
}

#[test]
fn metadata_is_what_the_runner_tells_a_solution() {
    let bench = bench();
    bench.thimble(EXPORT).assert_code(0);
    let mut metadata = bench.json("data/metadata.json");
    let challenge = LoadedChallenge::open(&open(&bench.path("toy"))).unwrap();
    assert_eq!(metadata["challenge"]["digest"].take(), challenge.digest.to_string());
    assert_eq!(metadata["dataset"].take(), bench.json("toy/public/dataset.json")["digest"]);
    let text = serde_json::to_string_pretty(&metadata).unwrap();
    assert_golden("dataset-export-metadata", &(text + "\n"));
}

#[test]
fn arrays_hold_the_rows_of_the_dataset_in_file_order() {
    let bench = bench();
    bench.thimble(EXPORT).assert_code(0);
    let dataset = Dataset::open(&open(&bench.path("toy/public"))).unwrap();
    for split in Split::ALL {
        let table = dataset.split(split);
        let (features, labels) = (table.column("features").unwrap().values, table.column("label").unwrap().values);
        let (ColumnValues::F32(features), ColumnValues::S64(labels)) = (features, labels) else { unreachable!() };
        let features: Vec<u8> = features.iter().flat_map(|value| value.to_le_bytes()).collect();
        let labels: Vec<u8> = labels.iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(values(&bench, &format!("data/{split}.features.npy")), features);
        assert_eq!(values(&bench, &format!("data/{split}.label.npy")), labels);
    }
}

#[test]
fn an_export_is_replaced_only_when_told_and_a_secret_never() {
    let bench = bench();
    bench.thimble(EXPORT).assert_code(0);
    bench.thimble(EXPORT).assert_error(3, &["data holds exported data", "--overwrite"]);
    // An array of another challenge's export goes too.
    bench.write("data/train.pixels.npy", "");
    bench.thimble(&format!("{EXPORT} --overwrite")).assert_code(0);
    assert!(!bench.path("data/train.pixels.npy").exists());

    bench.dataset("official", 2);
    bench
        .thimble("dataset export toy --overwrite --out official")
        .assert_error(3, &["official holds operator-secret.json"]);
    assert!(!bench.path("official/metadata.json").exists());
}

#[test]
fn a_directory_with_other_files_is_left_alone() {
    let bench = bench();
    std::fs::create_dir(bench.path("data")).unwrap();
    bench.write("data/notes.txt", "mine");
    bench.thimble(EXPORT).assert_error(4, &["cannot write data"]);
    assert_eq!(bench.read("data/notes.txt"), "mine");
}

#[test]
fn only_the_data_that_the_challenge_names_is_exported() {
    let bench = bench();
    let named = format!("sha256:{}", "0".repeat(64));
    bench.challenge(|challenge| challenge["datasets"]["public"]["digest"] = Value::from(named.clone()));
    bench.thimble(EXPORT).assert_error(3, &["challenge toy", "datasets.public.digest", &named]);
    assert!(!bench.path("data").exists());
}
