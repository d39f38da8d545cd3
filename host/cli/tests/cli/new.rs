//! `thimble new`, as far as it goes without a guest toolchain. `tests/` builds and runs what it makes.

use std::fs;
use std::path::Path;

use crate::bench::{Bench, assert_golden};

fn bench() -> Bench {
    let bench = Bench::new();
    bench.challenge(|_| ());
    bench
}

/// Every file below `directory`, sorted.
fn files(directory: &Path) -> Vec<String> {
    fn collect(root: &Path, directory: &Path, files: &mut Vec<String>) {
        for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                collect(root, &entry.path(), files);
            } else {
                files.push(entry.path().strip_prefix(root).unwrap().display().to_string());
            }
        }
    }
    let mut files = Vec::new();
    collect(directory, directory, &mut files);
    files.sort();
    files
}

#[test]
fn a_project_has_its_own_files_the_data_and_the_sdk() {
    let bench = bench();
    let ended = bench.thimble("new mine --challenge toy");
    ended.assert_code(0);
    assert_golden("new", &ended.stdout);
    let project = bench.path("mine");
    let (sdk, own): (Vec<_>, Vec<_>) = files(&project).into_iter().partition(|file| file.starts_with("sdk/"));
    assert_golden("new-files", &own.join("\n"));
    for file in ["sdk/guest-sdk/src/lib.rs", "sdk/order/src/lib.rs", "sdk/wit/thimble.wit"] {
        assert!(sdk.iter().any(|vendored| vendored == file), "{file} is not in {sdk:?}");
    }
    for file in sdk.iter().filter(|file| file.ends_with("Cargo.toml")) {
        let manifest = bench.read(&format!("mine/{file}"));
        assert!(!manifest.contains("workspace"), "{file}:\n{manifest}");
    }
    assert_golden("new-manifest", &bench.read("mine/Cargo.toml"));
    assert_eq!(fs::read_dir(bench.path("")).unwrap().count(), 3, "mine, toy and cache: nothing temporary is left");
}

#[test]
fn a_project_in_another_directory_names_its_challenge_from_there() {
    let bench = bench();
    fs::create_dir_all(bench.path("work/solutions")).unwrap();
    bench.thimble("new mine --challenge toy --in work/solutions").assert_code(0);
    let manifest = bench.read("work/solutions/mine/Cargo.toml");
    assert!(manifest.contains("challenge = \"../../../toy\""), "{manifest}");
}

#[test]
fn names_that_no_package_can_have_are_refused() {
    let bench = bench();
    for name in ["ab", "Mine", "my_solution", "-mine", "mine-", "1st-try", "../mine", "mine/x"] {
        let ended = bench.thimble(&format!("new --challenge toy -- {name}"));
        ended.assert_error(2, &["cannot be a project's name", "lower-case letters and digits"]);
    }
    bench.thimble("new libm --challenge toy").assert_error(3, &["the name of a dependency"]);
    assert_eq!(files(&bench.path("")).iter().filter(|file| !file.starts_with("toy")).count(), 0);
}

#[test]
fn what_is_there_is_not_replaced() {
    let bench = bench();
    fs::create_dir(bench.path("mine")).unwrap();
    bench.write("mine/precious", "");
    bench.thimble("new mine --challenge toy").assert_error(3, &["mine is there, and not empty"]);
    assert_eq!(files(&bench.path("mine")), ["precious"]);
    bench.write("file", "");
    bench.thimble("new file --challenge toy").assert_error(3, &["file is there, and no directory"]);
    fs::create_dir(bench.path("empty")).unwrap();
    bench.thimble("new empty --challenge toy").assert_code(0);
}

#[test]
fn without_a_challenge_or_its_data_nothing_is_made() {
    let bench = bench();
    assert_eq!(bench.thimble("new mine").code, 2);
    bench.thimble("new mine --challenge nowhere").assert_error(3, &["challenge directory nowhere"]);
    fs::remove_file(bench.path("toy/public/dataset.json")).unwrap();
    bench.thimble("new mine --challenge toy").assert_error(3, &["toy/public"]);
    bench.thimble("new mine --challenge toy --in nowhere").assert_error(4, &["nowhere"]);
    assert!(!bench.path("mine").exists());
}
