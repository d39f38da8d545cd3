//! One evaluation in this process, with its wall time and what it added to the process's memory.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Instant;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use tempfile::TempDir;
use thimble_challenge::Challenge;
use thimble_challenge::challenge::LoadedChallenge;
use thimble_challenge::result::{EvaluationResult, Mode};
use thimble_datasets::Dataset;
use thimble_runtime::profile::{self, Profile, Subject};
use thimble_runtime::{BoundData, Children, Event, Observer, Place, PublicData, Request, Runner, Unobserved};
use thimble_sandbox::Policy;

use crate::fixture::{self, StoredDataset};
use crate::rss;

/// An evaluation and what it cost the process.
#[derive(Debug)]
pub struct Evaluation {
    /// What came out.
    pub result: EvaluationResult,
    /// What an observer was shown on the way, as text.
    pub events: String,
    /// Wall time, compilation included.
    pub seconds: f64,
    /// Growth of this process's resident memory over its size before, at the peak.
    pub grown_bytes: u64,
}

/// The dataset of [`fixture::tables`].
pub static DATASET: LazyLock<StoredDataset> = LazyLock::new(|| StoredDataset::new(&fixture::tables()));

static RUNNER: LazyLock<Runner> =
    LazyLock::new(|| Runner::new(children(), Place::InProcess).expect("the runner starts on this machine"));

/// The same, with guests in boxed children as the command line has them.
static BOXED: LazyLock<Runner> =
    LazyLock::new(|| Runner::new(children(), Place::Boxed).expect("the runner starts on this machine"));

/// One evaluation at a time, so that times and memory are those of one guest.
static ALONE: Mutex<()> = Mutex::new(());

/// Compiles through the built command line, and keeps artifacts for the life of the process's temporary directory.
fn children() -> Children {
    static CACHE: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a temporary directory"));
    let command = vec![OsString::from(thimble()), OsString::from("sandbox-child")];
    Children { command, policy: Policy::default(), cache: Some(fixture::open(&CACHE)) }
}

/// The directory of build products: the one this test executable stands in (`target/release`).
fn profile_directory() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    test.ancestors().nth(2).map(Path::to_path_buf).expect("tests stand in target/PROFILE/deps")
}

/// The built `thimble` binary.
///
/// # Panics
/// When it is not built.
pub fn thimble() -> PathBuf {
    built(profile_directory().join("thimble"))
}

/// A path below `target`, such as `examples/centroid.zip`.
///
/// # Panics
/// When it is not built.
pub fn product(path: &str) -> PathBuf {
    built(products().join(path))
}

/// The directory `target`.
///
/// # Panics
/// When this test stands somewhere else.
pub fn products() -> PathBuf {
    profile_directory().parent().map(Path::to_path_buf).expect("target has a profile in it")
}

fn built(path: PathBuf) -> PathBuf {
    assert!(path.exists(), "{} is missing; run `cargo xtask test`, which builds it", path.display());
    path
}

/// Evaluates `component` against `challenge` on [`DATASET`].
pub fn evaluate(component: &[u8], challenge: Challenge, mode: Mode) -> Evaluation {
    evaluate_on(&DATASET, component, challenge, mode)
}

/// As [`evaluate`], on any dataset.
pub fn evaluate_on(data: &StoredDataset, submission: &[u8], challenge: Challenge, mode: Mode) -> Evaluation {
    let (challenge, data) = data.load(challenge, mode);
    evaluate_bound(&data, submission, &challenge)
}

/// As [`evaluate`], with the guest in boxed children.
pub fn evaluate_boxed(component: &[u8], challenge: Challenge, mode: Mode) -> EvaluationResult {
    let (challenge, data) = DATASET.load(challenge, mode);
    evaluate_by(&BOXED, &data, component, &challenge).result
}

/// As [`evaluate_boxed`], with other children, shown to an observer.
///
/// # Panics
/// When the engine does not start.
pub fn evaluate_in(
    command: &[OsString],
    data: &BoundData,
    submission: &[u8],
    challenge: &LoadedChallenge,
    observer: &mut dyn Observer,
) -> EvaluationResult {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let cancel = Arc::new(AtomicBool::new(false));
    let request = Request { submission, challenge, data, cancel: &cancel };
    let runner = Runner::new(Children { command: command.to_vec(), ..children() }, Place::Boxed);
    runner.expect("the runner starts on this machine").evaluate(&request, observer)
}

/// As [`evaluate`], of any challenge with its data.
pub fn evaluate_bound(data: &BoundData, submission: &[u8], challenge: &LoadedChallenge) -> Evaluation {
    evaluate_by(&RUNNER, data, submission, challenge)
}

/// As [`evaluate_bound`], watched as a worker watches it.
pub fn evaluate_watched(
    data: &BoundData,
    submission: &[u8],
    challenge: &LoadedChallenge,
    observer: &mut dyn Observer,
) -> EvaluationResult {
    let cancel = Arc::new(AtomicBool::new(false));
    RUNNER.evaluate(&Request { submission, challenge, data, cancel: &cancel }, observer)
}

/// Profiles `component` on the public data of `challenge`.
///
/// # Errors
/// The result of the run, where it does not get that far.
pub fn profile(
    data: &PublicData,
    submission: &[u8],
    challenge: &LoadedChallenge,
    subject: Subject,
) -> Result<Profile, Box<EvaluationResult>> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let cancel = Arc::new(AtomicBool::new(false));
    let request = profile::Request { submission, challenge, data, subject, cancel: &cancel };
    RUNNER.profile(&request, &mut Unobserved)
}

/// Validation against the small challenge with another compile child.
pub fn evaluate_compiled_by(command: &[&str], submission: &[u8]) -> Evaluation {
    let command = command.iter().map(OsString::from).collect();
    let runner = Runner::new(Children { command, policy: Policy::default(), cache: None }, Place::InProcess)
        .expect("the runner starts on this machine");
    let (challenge, data) = DATASET.load(fixture::challenge(), Mode::Validation);
    evaluate_by(&runner, &data, submission, &challenge)
}

fn evaluate_by(runner: &Runner, data: &BoundData, submission: &[u8], challenge: &LoadedChallenge) -> Evaluation {
    // A test that failed under the lock has told so itself.
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let cancel = Arc::new(AtomicBool::new(false));
    let request = Request { submission, challenge, data, cancel: &cancel };
    let mut transcript = Transcript::default();
    let memory = rss::Peak::start();
    let start = Instant::now();
    let result = runner.evaluate(&request, &mut transcript);
    let seconds = start.elapsed().as_secs_f64();
    Evaluation { result, events: transcript.0, seconds, grown_bytes: memory.grown_bytes() }
}

/// The dataset in a directory.
///
/// # Panics
/// When there is none.
pub fn open_dataset(path: &Path) -> Dataset {
    Dataset::open(&open_directory(path)).expect("the dataset opens")
}

/// A directory of this machine.
///
/// # Panics
/// When there is none.
pub fn open_directory(path: &Path) -> Dir {
    Dir::open_ambient_dir(path, ambient_authority())
        .unwrap_or_else(|error| panic!("cannot open {}: {error}", path.display()))
}

/// Everything that an observer is told, written down.
#[derive(Debug, Default)]
struct Transcript(String);

impl Observer for Transcript {
    fn event(&mut self, event: Event<'_>) {
        // Fuel readings come by the thousand and hold a number each.
        if !matches!(event, Event::Fuel { .. }) {
            self.0.push_str(&format!("{event:?}\n"));
        }
    }
}
