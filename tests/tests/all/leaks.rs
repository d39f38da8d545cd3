//! Nothing of the private data leaves an official run.
//!
//! Values that occur nowhere else are planted in the training data. A guest finds them, and writes them into every
//! channel it has. Then every byte that the run produced is searched for them.

mod measured;

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use thimble_challenge::Verdict::{InvalidOutput, OutOfMemory, OverParameterLimit, Scored, SolutionError, Trap};
use thimble_challenge::challenge::figures;
use thimble_challenge::result::Mode;
use thimble_challenge::{Challenge, Verdict};
use thimble_datasets::Values;
use thimble_tests::evaluation::{Evaluation, evaluate_on, thimble};
use thimble_tests::fixture::{self, StoredDataset};
use thimble_tests::guests::guest;

/// No other number of the run looks like these, in decimal or in hexadecimal digits; none is a round number.
const MARKERS: [f32; 3] = [48_611.394, -90_317.63, 71_993.77];

/// How the guest `data-leaker` ends a run, chosen by the challenge's seed.
const ENDINGS: [(u64, Verdict); 12] = [
    (1, Scored),
    (2, SolutionError),
    (3, Trap),
    (4, InvalidOutput),
    (5, OverParameterLimit),
    (6, SolutionError),
    (7, SolutionError),
    (8, InvalidOutput),
    (9, InvalidOutput),
    // Numbers of the guest's choice that a message might repeat: a shape, a request for memory, one for random bytes.
    (10, InvalidOutput),
    (11, OutOfMemory),
    (12, InvalidOutput),
];

/// The small dataset with the markers in place of three training inputs.
fn marked() -> StoredDataset {
    let mut tables = fixture::tables();
    let Some(Values::F32(inputs)) = tables.train.columns.first_mut() else { panic!("the first column is the input") };
    for (place, marker) in [3, 200, 511].into_iter().zip(MARKERS) {
        inputs[place] = marker;
    }
    StoredDataset::new(&tables)
}

fn challenge(ending: u64) -> Challenge {
    Challenge { seed: ending, ..fixture::challenge() }
}

/// Every form a marker can take: its bytes, its digits, and those of its bits and of its 64-bit widening.
fn forms(marker: f32) -> Vec<Vec<u8>> {
    let bits = marker.to_bits();
    let wide = f64::from(marker);
    let texts = [
        format!("{}", marker.abs()),
        format!("{}", wide.abs()),
        format!("{bits}"),
        format!("{bits:08x}"),
        format!("{bits:08X}"),
        hex(&bits.to_le_bytes()),
        format!("{:016x}", wide.to_bits()),
        hex(&wide.to_le_bytes()),
        format!("{}", wide.to_bits()),
        format!("{:.2}", marker.abs()),
    ];
    let mut forms: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
    forms.extend([bits.to_le_bytes().to_vec(), bits.to_be_bytes().to_vec()]);
    forms.extend([wide.to_le_bytes().to_vec(), wide.to_be_bytes().to_vec()]);
    forms
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The forms of the markers that occur in `bytes`.
fn found(bytes: &[u8]) -> Vec<String> {
    let forms = MARKERS.into_iter().flat_map(forms);
    forms
        .filter(|form| bytes.windows(form.len()).any(|window| window == form))
        .map(|form| String::from_utf8(form.clone()).unwrap_or_else(|_| format!("bytes {}", hex(&form))))
        .collect()
}

fn assert_clean(bytes: &[u8], place: &str) {
    let found = found(bytes);
    assert!(found.is_empty(), "{place} holds {found:?}: {}", String::from_utf8_lossy(bytes));
}

fn run(data: &StoredDataset, ending: u64, mode: Mode) -> Evaluation {
    evaluate_on(data, &guest("data-leaker"), challenge(ending), mode)
}

/// The search must be able to find: in validation the guest's words are shown.
#[test]
fn markers_are_found_where_the_guest_may_speak() {
    let data = marked();
    let evaluation = run(&data, 1, Mode::Validation);
    assert_eq!(evaluation.result.comparable.verdict, Scored, "{:?}", evaluation.result.comparable.failure);
    let json = evaluation.result.to_json();
    assert!(found(json.as_bytes()).len() >= 2 * MARKERS.len(), "{json}");
    assert!(!found(evaluation.events.as_bytes()).is_empty(), "{}", evaluation.events);
}

#[test]
fn no_result_and_no_event_of_an_official_run_holds_private_data() {
    let data = marked();
    for (ending, verdict) in ENDINGS {
        let evaluation = run(&data, ending, Mode::Official);
        let comparable = &evaluation.result.comparable;
        assert_eq!(comparable.verdict, verdict, "ending {ending}: {:?}", comparable.failure);
        assert_clean(evaluation.result.to_json().as_bytes(), &format!("the result of ending {ending}"));
        assert_clean(format!("{:?}", evaluation.result).as_bytes(), &format!("the debug text of ending {ending}"));
        assert_clean(evaluation.events.as_bytes(), &format!("the events of ending {ending}"));
        assert_eq!(evaluation.result.run.journal, None);
    }
}

/// What leaves is the same whatever the guest saw, but for the figures that are meant to leave.
#[test]
fn published_failures_do_not_tell_how_they_failed() {
    let data = marked();
    let published = |ending| {
        let result = run(&data, ending, Mode::Official).result;
        serde_json::to_string(&result.published.expect("official runs publish")).expect("a result is JSON")
    };
    let first = published(2);
    for ending in [3, 4, 6, 7, 8, 9, 10, 11, 12] {
        assert_eq!(published(ending), first, "ending {ending}");
    }
}

/// Searches every file below `directory`.
fn assert_directory_clean(directory: &Path) -> usize {
    let mut files = 0;
    for entry in fs::read_dir(directory).expect("the directory is readable") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files += assert_directory_clean(&path);
        } else {
            assert_clean(&fs::read(&path).expect("the file is readable"), &path.display().to_string());
            files += 1;
        }
    }
    files
}

/// A challenge directory for the command line.
fn write_challenge(directory: &Path, challenge: &Challenge) {
    fs::write(directory.join("challenge.json"), challenge.to_json()).expect("the challenge is written");
    fs::write(directory.join("statement.md"), figures(challenge)).expect("the statement is written");
}

#[test]
fn no_output_of_the_command_line_in_an_official_run_holds_private_data() {
    let data = marked();
    for (ending, verdict) in ENDINGS {
        let work = TempDir::new().expect("a temporary directory");
        let place = |name: &str| work.path().join(name);
        let directory = place("four-corners");
        for made in [&directory, &place("home"), &place("tmp")] {
            fs::create_dir(made).expect("a directory");
        }
        write_challenge(&directory, &data.bind(challenge(ending), Mode::Official));
        fs::write(place("solution.wasm"), guest("data-leaker")).expect("the submission is written");
        for json in [true, false] {
            let mut command = Command::new(thimble());
            command.current_dir(work.path()).env_clear().env("HOME", place("home")).env("TMPDIR", place("tmp"));
            command.args(["run", "solution.wasm", "--challenge"]).arg(&directory);
            command.args(["--mode", "official", "--official"]).arg(data.path());
            command.args(["--out", if json { "result.json" } else { "second.json" }]);
            command.args(json.then_some("--json"));
            let output = command.output().expect("thimble runs");
            let what = format!("ending {ending} ({verdict}), --json {json}");
            assert_clean(&output.stdout, &format!("standard output of {what}"));
            assert_clean(&output.stderr, &format!("standard error of {what}"));
            if json {
                let text = String::from_utf8_lossy(&output.stdout);
                assert!(text.contains("\"outcome\"") || text.contains("\"verdict\""), "{what}: {text}{output:?}");
            }
        }
        fs::remove_file(place("solution.wasm")).expect("the submission is there");
        // challenge.json, statement.md, two results, at least one artifact.
        assert!(assert_directory_clean(work.path()) >= 5);
    }
}
