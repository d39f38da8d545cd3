//! `thimble new`, `cargo test`, `run`, `build` and `check`, as the builder's guide has them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;
use thimble_challenge::result::EvaluationResult;
use thimble_challenge::{Package, Verdict};
use thimble_tests::evaluation::{products, thimble};

const CHALLENGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/challenges/imagenet-pareto-500k");

/// `program WORDS` in `directory`, building into a place that is kept: dependencies are compiled once.
fn command(directory: &Path, program: impl AsRef<Path>, words: &str) -> Command {
    let mut command = Command::new(program.as_ref());
    command.args(words.split_whitespace()).current_dir(directory);
    command.env("CARGO_TARGET_DIR", products().join("new-project")).env("THIMBLE_CACHE", products().join("cache"));
    // They come from the `cargo` that runs these tests, and may not be what a builder has.
    for name in ["CARGO", "RUSTFLAGS", "RUSTC_WRAPPER"] {
        command.env_remove(name);
    }
    command
}

fn succeeds(mut command: Command) -> String {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{command:?}\n{}\n{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn new_project() -> TempDir {
    let directory = TempDir::new().expect("a temporary directory");
    succeeds(command(directory.path(), thimble(), &format!("new my-solution --challenge {CHALLENGE}")));
    directory
}

#[test]
fn a_new_project_passes_its_tests_scores_above_the_baseline_and_learns_the_same_natively() {
    let directory = new_project();
    let project = directory.path().join("my-solution");

    // Locked and offline: everything it needs was fetched for the example solutions.
    let tested = succeeds(command(&project, "cargo", "test --locked --offline -- --nocapture"));
    assert!(tested.contains("2 passed"), "{tested}");
    succeeds(command(&project, "cargo", "fmt --check"));

    succeeds(command(&project, thimble(), "run --out result.json"));
    let bytes = fs::read(project.join("result.json")).expect("the result is written");
    let result = EvaluationResult::from_json(&bytes).expect("the result is read back");
    assert_eq!(result.comparable.verdict, Verdict::Scored);
    // At least nearest centroid.
    let accuracy = result.comparable.metrics["accuracy"].value().expect("defined");
    assert!(accuracy >= 1004.0 / 1024.0, "{accuracy}");
    let submission = result.comparable.submission.expect("it was packed");
    assert_eq!(submission.name.as_deref(), Some("my-solution"));
    let digest = result.run.parameters_digest.expect("a validation run has one").to_string();
    assert!(tested.contains(&digest), "{digest} is not in {tested}");

    let built = succeeds(command(&project, thimble(), "build --out my-solution.zip --source"));
    assert!(built.contains("parameters  49,280\n") && built.contains("score       "), "{built}");
    let package = Package::read(&fs::read(project.join("my-solution.zip")).expect("written")).expect("a package");
    assert_eq!(package.component_digest, submission.component, "run and build make the same component");
    assert_eq!(package.manifest.and_then(|manifest| manifest.parameters).map(|count| count.0), Some(49_280));

    let checked = succeeds(command(directory.path(), thimble(), "check my-solution"));
    assert!(checked.ends_with("no findings\n"), "{checked}");
}

#[test]
fn a_project_needs_no_configuration_to_be_built_right() {
    let directory = new_project();
    let project = directory.path().join("my-solution");
    let size = |path: &str| {
        let bytes = fs::read(project.join(path)).expect("the package is written");
        Package::read(&bytes).expect("a package").component.len() as f64
    };
    succeeds(command(&project, thimble(), "build --no-run --out with.zip"));
    fs::remove_file(project.join(".cargo/config.toml")).expect("the project has one");
    let manifest = fs::read_to_string(project.join("Cargo.toml")).expect("readable");
    let (head, _) = manifest.split_once("# What a component's speed").expect("the template has profiles");
    fs::write(project.join("Cargo.toml"), head).expect("writable");
    let mut build = command(&project, thimble(), "build --no-run --out without.zip");
    succeeds({
        build.env("RUSTFLAGS", "-Ctarget-feature=-simd128");
        build
    });
    // Symbols are hashed with other flags, so functions may stand in another order. Without SIMD, link-time
    // optimisation or stripping, it would be another size.
    let ratio = size("with.zip") / size("without.zip");
    assert!((0.99..1.01).contains(&ratio), "{ratio}");
}

fn fails(mut command: Command, code: i32, words: &[&str]) {
    let Output { status, stdout, stderr } = command.output().expect("it starts");
    let stderr = text(&stderr);
    assert_eq!(status.code(), Some(code), "{}\n{stderr}", text(&stdout));
    for word in words {
        assert!(stderr.contains(word), "`{word}` is not in {stderr}");
    }
}

#[test]
fn what_goes_wrong_in_a_project_is_said_in_the_words_of_who_knows() {
    let directory = new_project();
    let project = directory.path().join("my-solution");

    let mut build = command(&project, thimble(), "build");
    build.env("RUSTC", directory.path().join("rustc"));
    fs::write(directory.path().join("rustc"), "#!/bin/sh\nexec rustc \"$@\" --sysroot /nowhere\n").expect("writable");
    succeeds(command(directory.path(), "chmod", "+x rustc"));
    fails(build, 3, &["rustup target add wasm32-wasip2"]);

    let official = format!("run --mode official --official {CHALLENGE}");
    fails(command(&project, thimble(), &official), 2, &["take a package, not a project"]);
    fails(command(directory.path(), thimble(), "build"), 3, &["no Cargo.toml"]);
    fails(command(directory.path(), thimble(), "build my-solution/sdk/order --no-run"), 3, &["crate-type"]);

    let source = project.join("src/lib.rs");
    let code = fs::read_to_string(&source).expect("readable");
    fs::write(&source, code.replace("EPOCHS: u64 = 20", "EPOCHS: u64 = \"many\"")).expect("writable");
    fails(command(&project, thimble(), "build"), 3, &["error[E0308]", "src/lib.rs", "cargo build failed"]);
}
