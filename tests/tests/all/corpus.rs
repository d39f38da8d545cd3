//! The determinism corpus: every example solution, every hostile guest and random guests of fixed seeds have the same
//! bytes and the same fuel on x86_64 and arm64.
//!
//! Emulation is slow, so `cargo xtask test` takes one random guest in [`SHORT_ONE_IN`], and everything else; `cargo xtask
//! arm64 --corpus` takes them all.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;

use thimble_challenge::Verdict;
use thimble_challenge::result::{EvaluationResult, Mode};
use thimble_challenge::units::Flops;
use thimble_datasets::{Table, Values};
use thimble_tests::evaluation::{self, evaluate, product};
use thimble_tests::fixture::{self, StoredDataset};
use thimble_tests::guests::guest;
use thimble_tests::template::{Solution, predict, returns_parameters, solve};
use thimble_tests::{kernels, products, smith};

use crate::processors::{Processor, Setting, comparable_json};
use crate::{tasks, unaffected};

/// Of the random guests, how many `cargo xtask test` leaves out for each that it takes, and that one.
const SHORT_ONE_IN: usize = 5;

/// Time for what the emulator does; no specimen but those that are to meet a deadline comes near it.
const WALL_SECONDS: u64 = 1_800;

/// The guests of `tests/guests`.
const RUST_GUESTS: [&str; 5] = ["data-leaker", "file-reader", "kernel-bench", "socket-opener", "std-user"];

/// One run that both processors make.
#[derive(Debug)]
struct Specimen {
    name: String,
    setting: Setting,
    /// What must come of it, where that is known beforehand.
    verdict: Option<Verdict>,
}

/// What two processors must agree in, of the result of one.
fn agreed(result: &EvaluationResult) -> String {
    let comparable = &result.comparable;
    let failure = comparable.failure.as_ref();
    let of_the_machine = matches!(comparable.verdict, Verdict::StackOverflow | Verdict::Deadline)
        || failure.is_some_and(|failure| failure.rule == "compile_resources");
    if of_the_machine {
        return format!("{} {:?}", comparable.verdict, failure.map(|failure| (failure.phase, &failure.rule)));
    }
    // Fuel stands in the block; the digest of a validation run's parameters holds every bit that was learnt.
    format!("{}\n{:?}", comparable_json(result), result.run.parameters_digest)
}

/// Runs every specimen on both processors and names each that differs.
fn compare(specimens: &[Specimen]) {
    let Some(arm64) = Processor::arm64() else { return };
    let here = Processor::here();
    let mut differ = Vec::new();
    let mut verdicts = BTreeMap::<Verdict, usize>::new();
    for Specimen { name, setting, verdict } in specimens {
        let result = setting.run(&here);
        let found = result.comparable.verdict;
        assert!(verdict.is_none_or(|verdict| verdict == found), "{name}: {found} {:?}", result.comparable.failure);
        *verdicts.entry(found).or_default() += 1;
        let (expected, there) = (agreed(&result), agreed(&setting.run(&arm64)));
        if expected != there {
            differ.push(format!("{name}: here {expected}\non arm64 {there}"));
        }
    }
    println!("{} compared, {} differ: {verdicts:?}", specimens.len(), differ.len());
    assert!(differ.is_empty(), "{}", differ.join("\n\n"));
}

#[test]
fn every_reproducible_verdict_has_the_same_bytes_on_arm64() {
    let small = StoredDataset::new(&fixture::tables());
    let signs = StoredDataset::new(&kernels::tables());
    let on = |data: &StoredDataset, challenge, name: &str, guest: &[u8], verdict| Specimen {
        name: name.to_owned(),
        setting: Setting::new(data, challenge, Mode::Validation, guest),
        verdict: Some(verdict),
    };
    let simple = |guest: Solution, verdict: Verdict| {
        on(&small, fixture::challenge(), verdict.name(), &guest.component(), verdict)
    };
    let kernel = |name, guest: Solution| on(&signs, kernels::challenge(), name, &guest.component(), Verdict::Scored);
    let specimens = [
        simple(Solution::default(), Verdict::Scored),
        simple(Solution::default().with_fields("(func $f (return_call $f))"), Verdict::Rejected),
        simple(returns_parameters(500_001), Verdict::OverParameterLimit),
        simple(solve("(loop $l (br $l)) (unreachable)"), Verdict::OutOfFuel),
        simple(solve("(call $error (i32.const 256) (i32.const 1))"), Verdict::SolutionError),
        simple(predict("(call $return_scores (i32.const 1) (call $scores (i32.const 1)))"), Verdict::InvalidOutput),
        kernel("f32_relaxed_madd", kernels::f32_relaxed_madd()),
        kernel("int8_dot", kernels::int8_dot()),
        on(&small, fixture::challenge(), "host_products", &products::compares(7), Verdict::Scored),
    ];
    let verdicts: BTreeSet<_> = specimens.iter().filter_map(|specimen| specimen.verdict).collect();
    let reproducible: BTreeSet<_> = Verdict::ALL.into_iter().filter(|verdict| verdict.is_reproducible()).collect();
    assert_eq!(verdicts, reproducible);
    compare(&specimens);
}

/// The names of the packages in target/examples.
fn packages() -> BTreeSet<String> {
    let directory = product("examples");
    let entries = fs::read_dir(&directory).expect("the examples are readable");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let packages = paths.filter(|path| path.extension().is_some_and(|extension| extension == "zip"));
    packages.filter_map(|path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned())).collect()
}

/// Some rows of a table without ragged columns.
fn some_rows(table: &Table, rows: Range<usize>) -> Table {
    let columns = table.columns.iter().map(|column| {
        let (values, mut some) = (column.view(), Values::none(column.view().dtype()));
        let width = values.len() / table.rows;
        some.extend(values, rows.start * width..rows.end * width);
        some
    });
    Table { rows: rows.len(), columns: columns.collect() }
}

/// On that task's challenge.
#[test]
fn every_example_of_a_task_has_the_same_bytes_on_arm64() {
    let specimen = |(challenge, package): &(&str, &str)| Specimen {
        name: (*package).to_owned(),
        setting: Setting::example(package, challenge),
        verdict: Some(Verdict::Scored),
    };
    compare(&tasks::EXAMPLES.iter().map(specimen).collect::<Vec<_>>());
}

/// The data of the benchmark challenges would take an emulator hours: 256 rows of the same shape, two of each class, are enough
/// for every kind of operation.
#[test]
fn every_other_example_has_the_same_bytes_on_arm64() {
    let mut packages = packages();
    for (_, package) in tasks::EXAMPLES {
        assert!(packages.remove(package), "{package} is not built");
    }
    let mut tables = kernels::tables();
    tables.name = "small".into();
    tables.train = some_rows(&tables.test, 0..256);
    tables.test = some_rows(&tables.test, 512..768);
    let data = StoredDataset::new(&tables);
    let mut small = kernels::challenge();
    small.limits.training_flops = Flops(100_000_000_000);
    small.limits.prediction_flops_per_sample = Flops(10_000_000);
    small.limits.memory_bytes = 1 << 30;
    small.limits.wall_seconds = WALL_SECONDS;
    let specimens: Vec<_> = packages
        .iter()
        .map(|package| Specimen {
            name: package.clone(),
            setting: {
                let package = fs::read(product(&format!("examples/{package}.zip"))).expect("it is readable");
                Setting::new(&data, small.clone(), Mode::Validation, &package)
            },
            verdict: Some(Verdict::Scored),
        })
        .collect();
    compare(&specimens);
}

#[test]
fn centroid_has_the_same_bytes_on_arm64() {
    let setting = Setting::example("centroid", "imagenet-pareto-500k");
    let accuracy = setting.run(&Processor::here()).comparable.metrics["accuracy"].value();
    assert_eq!(accuracy, Some(0.990_234_375));
    compare(&[Specimen { name: "centroid".into(), setting, verdict: Some(Verdict::Scored) }]);
}

#[test]
fn every_hostile_guest_has_the_same_end_on_arm64() {
    let data = StoredDataset::new(&fixture::tables());
    let mut specimens = Vec::new();
    for (name, case) in unaffected::all() {
        let case = case();
        let (guest, challenge, mode) = case.parts();
        let mut challenge = challenge.clone();
        if case.verdict() != Verdict::Deadline {
            challenge.limits.wall_seconds = WALL_SECONDS;
        }
        let setting = Setting::new(&data, challenge, mode, guest);
        specimens.push(Specimen { name: (*name).to_owned(), setting, verdict: Some(case.verdict()) });
    }
    let built = |name: &&str| {
        let path = format!("guests/wasm32-wasip2/release/{}.wasm", name.replace('-', "_"));
        let built = evaluation::products().join(path).exists();
        if !built {
            eprintln!("SKIPPED: {name}, which is not built here; its own test says why");
        }
        built
    };
    for name in RUST_GUESTS.into_iter().filter(built) {
        let setting = Setting::new(&data, fixture::challenge(), Mode::Validation, &guest(name));
        specimens.push(Specimen { name: name.to_owned(), setting, verdict: None });
    }
    assert!(specimens.len() >= 60, "{}", specimens.len());
    compare(&specimens);
}

#[test]
fn random_guests_have_the_same_bytes_on_arm64() {
    let data = StoredDataset::new(&fixture::tables());
    let one_in =
        if std::env::var_os("THIMBLE_CORPUS").is_some_and(|which| which == "whole") { 1 } else { SHORT_ONE_IN };
    let mut challenge = fixture::challenge();
    challenge.limits.wall_seconds = WALL_SECONDS;
    let files = smith::modules().into_iter().chain(smith::components());
    let specimens: Vec<_> = files
        .step_by(one_in)
        .map(|(name, component)| Specimen {
            name,
            setting: Setting::new(&data, challenge.clone(), Mode::Validation, &component),
            verdict: None,
        })
        .collect();
    compare(&specimens);
}

/// A corpus that admission refused, or that trapped at its first operator, would agree everywhere and show nothing.
#[test]
fn random_guests_compute_and_half_of_them_return_what_they_computed() {
    let (modules, components) = (smith::modules(), smith::components());
    assert!(modules.len() >= 200 && components.len() >= 32, "{} and {}", modules.len(), components.len());
    let mut verdicts = BTreeMap::<Verdict, usize>::new();
    let mut returned = BTreeSet::new();
    for (name, component) in &modules {
        let result = evaluate(component, fixture::challenge(), Mode::Validation).result;
        let failure = &result.comparable.failure;
        println!("{name}: {} {failure:?}", result.comparable.verdict);
        let refused_language = failure.as_ref().is_some_and(|failure| failure.rule == "feature");
        assert!(!refused_language, "{name}: the generator must speak the language of admission: {failure:?}");
        *verdicts.entry(result.comparable.verdict).or_default() += 1;
        if result.comparable.verdict == Verdict::Scored {
            returned.extend(result.run.parameters_digest);
        }
    }
    println!("{verdicts:?}, {} different results", returned.len());
    assert!(returned.len() >= modules.len() / 2, "{verdicts:?}, {} different results", returned.len());
}
