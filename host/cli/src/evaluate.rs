//! One evaluation: data bound to its challenge, and the runner with its compile child.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use cap_std::fs::Dir;
use thimble_challenge::LoadedChallenge;
use thimble_challenge::result::EvaluationResult;
use thimble_datasets::{Dataset, OperatorSecret};
use thimble_runtime::profile::{self, Profile, Subject};
use thimble_runtime::{BoundData, Children, Observer, PublicData, Request, Runner};

use crate::cache::Cache;
use crate::commands::sandbox_child;
use crate::exit::{Blame as _, Failure};
use crate::input;
use crate::sandbox::Sandbox;

/// The variable whose words go before the command of children.
const CHILD_WRAPPER: &str = "THIMBLE_CHILD_WRAPPER";

/// Runs a submission to its end.
pub(crate) fn evaluate(
    submission: &[u8],
    challenge: &LoadedChallenge,
    data: &BoundData,
    sandbox: Sandbox,
    cache: &Cache,
    observer: &mut dyn Observer,
) -> Result<EvaluationResult, Failure> {
    // An interrupt ends this process and its children; files are renamed into place, so nothing is left half-written.
    let cancel = Arc::new(AtomicBool::new(false));
    Ok(runner_with(sandbox, cache.compiled()?)?
        .evaluate(&Request { submission, challenge, data, cancel: &cancel }, observer))
}

/// Profiles a submission, or says how its run ended before that.
pub(crate) fn profile(
    submission: &[u8],
    challenge: &LoadedChallenge,
    data: &PublicData,
    subject: Subject,
    cache: &Cache,
    observer: &mut dyn Observer,
) -> Result<Result<Profile, Box<EvaluationResult>>, Failure> {
    let cancel = Arc::new(AtomicBool::new(false));
    let request = profile::Request { submission, challenge, data, subject, cancel: &cancel };
    Ok(runner_with(Sandbox::in_process(), cache.compiled()?)?.profile(&request, observer))
}

/// A runner that keeps compiled components in `cache`.
pub(crate) fn runner_with(sandbox: Sandbox, cache: Option<Dir>) -> Result<Runner, Failure> {
    let Sandbox { place, policy } = sandbox;
    Runner::new(Children { command: child_command()?, policy, cache }, place)
        .context("the engine does not start on this machine")
        .or_internal()
}

/// The data that everyone may validate on.
pub(crate) fn public_data(path: &Path, challenge: &LoadedChallenge, cache: &Cache) -> Result<PublicData, Failure> {
    let dataset = match challenge.challenge.datasets.public.source.generated() {
        None => input::dataset(&path.join("public"))?.1,
        Some(data) => cache.public_dataset(data)?,
    };
    PublicData::new(challenge, Arc::new(dataset))
        .with_context(|| format!("the public data of challenge {}", path.display()))
        .or_input()
}

/// The operator's data: committed to by the challenge, and nothing that anyone can own.
pub(crate) fn official_data(path: &Path, challenge: &LoadedChallenge) -> Result<BoundData, Failure> {
    let (dataset, secret) = official_dataset(path, challenge)?;
    bind_official(path, challenge, dataset, &secret)
}

/// An official dataset and the secret beside it.
pub(crate) fn official_dataset(path: &Path, challenge: &LoadedChallenge) -> Result<(Dataset, OperatorSecret), Failure> {
    let (dir, dataset) = input::dataset(path)?;
    // Before the secret is missed: public data has none, and none would help.
    BoundData::refuse_public(challenge, &dataset).with_context(|| refused(path, challenge)).or_input()?;
    let secret = OperatorSecret::read(&dir)
        .with_context(|| {
            format!("dataset {} has no usable operator's secret, so it is no official data", path.display())
        })
        .or_input()?;
    Ok((dataset, secret))
}

/// Every rule of official data.
pub(crate) fn bind_official(
    path: &Path,
    challenge: &LoadedChallenge,
    dataset: Dataset,
    secret: &OperatorSecret,
) -> Result<BoundData, Failure> {
    BoundData::official(challenge, Arc::new(dataset), secret).with_context(|| refused(path, challenge)).or_input()
}

fn refused(path: &Path, challenge: &LoadedChallenge) -> String {
    format!("dataset {} cannot be the official data of {}", path.display(), challenge.challenge.name)
}

/// This program as its own child; what it is for comes after.
pub(crate) fn child_command() -> Result<Vec<OsString>, Failure> {
    let program = env::current_exe().context("cannot find this program's own file").or_internal()?;
    let wrapper = env::var(CHILD_WRAPPER).unwrap_or_default();
    let mut command: Vec<OsString> = wrapper.split_whitespace().map(OsString::from).collect();
    command.extend([program.into_os_string(), OsString::from(sandbox_child::NAME)]);
    Ok(command)
}
