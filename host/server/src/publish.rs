//! From what an operator wrote to a challenge: assembled, checked as a whole, every fault with its field.

use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use thimble_api::challenge::ServiceRules;
use thimble_api::draft::Draft;
use thimble_api::id::{ChallengeName, DatasetName};
use thimble_api::{ErrorCode, ErrorDetail, Timestamp};
use thimble_challenge::Challenge;
use thimble_challenge::challenge::{
    DatasetBindings, FIGURES_END, FIGURES_START, Limits, PublicDataset, PublicSource, Ranking, ScoreRule, Target,
    TieBreak, figures, metric_task,
};
use thimble_challenge::{Flops, ParameterCount};
use thimble_datasets::{DType, Digest, Field, OperatorSecret, PUBLIC_DATASETS, PublicData, TaskKind};
use thimble_store::{DatasetRecord, PublishedChallenge};

use crate::failure::{Failure, Result};
use crate::service::Service;

/// The longest description, in bytes.
const MOST_DESCRIPTION_BYTES: usize = 200 << 10;

/// The datasets that a draft names, where there are such.
#[derive(Debug, Clone, Default)]
pub(crate) struct Data {
    pub(crate) public: Option<DatasetRecord>,
    pub(crate) official: Option<DatasetRecord>,
    /// What official results commit to.
    pub(crate) commitment: Option<Digest>,
}

/// Collects faults: none hides another.
#[derive(Debug, Default)]
struct Faults(Vec<ErrorDetail>);

impl Faults {
    fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(ErrorDetail { field: field.to_owned(), message: message.into() });
    }
}

/// What a draft would be in force, or everything that is wrong with it. Looks at the datasets' directories.
pub(crate) async fn assemble(
    service: &Service,
    name: &ChallengeName,
    draft: &Draft,
) -> Result<Result<PublishedChallenge, Vec<ErrorDetail>>> {
    let mut faults = Faults::default();
    let public = named(service, draft.public_dataset.as_ref(), "public_dataset", &mut faults).await?;
    let official = named(service, draft.official_dataset.as_ref(), "official_dataset", &mut faults).await?;
    let commitment = match &official {
        Some(record) if record.official => match commitment(record).await? {
            Ok(commitment) => Some(commitment),
            Err(reason) => {
                faults.add("official_dataset", reason);
                None
            }
        },
        _ => None,
    };
    let data = Data { public, official, commitment };
    Ok(check(name, draft, &data, faults))
}

async fn named(
    service: &Service,
    name: Option<&DatasetName>,
    field: &str,
    faults: &mut Faults,
) -> Result<Option<DatasetRecord>> {
    let Some(name) = name else { return Ok(None) };
    let record = service.store.dataset(name).await?;
    if record.is_none() {
        faults.add(
            field,
            format!("there is no dataset {name}: register it on the machine with `thimble dataset register`"),
        );
    }
    Ok(record)
}

/// The commitment to an official dataset, or why there is none.
async fn commitment(record: &DatasetRecord) -> Result<Result<Digest, String>> {
    let digest = record.digest;
    Ok(secret(&record.path).await?.map(|secret| secret.commitment(&digest)))
}

/// The operator's secret of a dataset, or why it cannot be read.
pub(crate) async fn secret(directory: &Path) -> Result<Result<OperatorSecret, String>> {
    let directory = directory.to_owned();
    let read = move || {
        let dir = Dir::open_ambient_dir(&directory, ambient_authority());
        let dir = dir.map_err(|error| format!("its directory cannot be opened: {error}"))?;
        OperatorSecret::read(&dir).map_err(|error| error.to_string())
    };
    tokio::task::spawn_blocking(read).await.map_err(Failure::internal)
}

/// The rules, without looking at anything but what is given.
fn check(
    name: &ChallengeName,
    draft: &Draft,
    data: &Data,
    mut faults: Faults,
) -> Result<PublishedChallenge, Vec<ErrorDetail>> {
    check_description(&draft.description, &mut faults);
    check_rules(&draft.rules, &mut faults);
    if draft.public_dataset.is_none() {
        faults.add("public_dataset", "must be chosen: it brings the task and the fields");
    }
    let public = data.public.as_ref();
    if let Some(public) = public {
        check_data(public, data.official.as_ref(), draft.practice, &mut faults);
        if draft.metric.is_none() {
            let known: Vec<_> =
                thimble_metrics::metrics(metric_task(&public.metadataset.task)).map(|metric| metric.name).collect();
            faults.add("ranking.metric", format!("must be chosen: {}", known.join(", ")));
        }
    }
    let challenge = challenge(name, draft, data);
    let json = challenge.to_json();
    if let Err(errors) = Challenge::from_json(json.as_bytes()) {
        for fault in errors.0 {
            // Without data, and without a metric, there are stand-ins: what is wrong with those is said above.
            let stands_in = |part: &str| fault.field == part || fault.field.starts_with(&format!("{part}."));
            let of_data = ["task", "fields", "ranking", "score", "datasets"].into_iter().any(stands_in);
            if (public.is_some() || !of_data) && (draft.metric.is_some() || !stands_in("ranking.metric")) {
                let found = if fault.found.is_empty() { String::new() } else { format!("; found {}", fault.found) };
                faults.add(&fault.field, format!("{}{found}", fault.rule));
            }
        }
    }
    match public {
        Some(public) if faults.0.is_empty() => Ok(PublishedChallenge {
            statement: statement(&draft.description, &challenge),
            digest: Digest::of(json.as_bytes()),
            json,
            challenge,
            public_path: public.path.clone(),
            official_path: data.official.as_ref().map(|official| official.path.clone()),
            validation_rows: public.metadataset.splits.test.rows,
            official_rows: data.official.as_ref().map_or(0, |official| official.metadataset.splits.test.rows),
        }),
        _ => Err(faults.0),
    }
}

fn check_description(description: &str, faults: &mut Faults) {
    if description.trim().is_empty() {
        faults.add("description", "must not be empty");
    }
    if description.len() > MOST_DESCRIPTION_BYTES {
        let found = description.len();
        faults.add("description", format!("must have at most {MOST_DESCRIPTION_BYTES} bytes; found {found}"));
    }
    if description.contains(FIGURES_START) != description.contains(FIGURES_END) {
        faults.add(
            "description",
            format!("must have both lines around the figures, {FIGURES_START} and {FIGURES_END}, or none"),
        );
    }
}

fn check_rules(rules: &ServiceRules, faults: &mut Faults) {
    if rules.official_lifetime.is_some_and(|lifetime| !(1..=1_000_000).contains(&lifetime)) {
        faults.add("rules.official_lifetime", "must be 1 to 1000000, or nothing for no limit");
    }
    if rules.failures_per_day > 1_000 {
        faults.add("rules.failures_per_day", format!("must be 0 to 1000; found {}", rules.failures_per_day));
    }
    if !(1..=16).contains(&rules.concurrency) {
        faults.add("rules.concurrency", format!("must be 1 to 16; found {}", rules.concurrency));
    }
}

/// Refuses a deadline that has passed: for what is published or changed now.
pub(crate) fn check_deadline(rules: &ServiceRules, now: Timestamp) -> Option<ErrorDetail> {
    let closes_at = rules.closes_at.filter(|closes_at| *closes_at <= now)?;
    let message = format!("must be later than now, {now}; found {closes_at}");
    Some(ErrorDetail { field: "rules.closes_at".to_owned(), message })
}

fn check_data(public: &DatasetRecord, official: Option<&DatasetRecord>, practice: bool, faults: &mut Faults) {
    if public.official {
        faults.add("public_dataset", "has an operator's secret: it is for official runs, and not shown to builders");
    }
    let Some(official) = official else { return };
    let field = "official_dataset";
    if !official.official {
        faults.add(
            field,
            "has no operator's secret: write one with `thimble challenge commit`, and register it as official",
        );
    }
    let (a, b) = (&public.metadataset, &official.metadataset);
    if a.task != b.task {
        faults.add(field, format!("must have the task of the public dataset, {}; found {}", a.task, b.task));
    } else if a.fields != b.fields {
        faults.add(field, "must have the fields of the public dataset, in the same order");
    }
    let known = PUBLIC_DATASETS.contains(&official.digest) || official.digest == public.digest;
    if known && !practice {
        faults.add(field, "is data that anyone can own: choose other data, or mark the challenge as practice");
    }
}

/// What is assumed where the draft says nothing.
fn usual_limits() -> Limits {
    Limits {
        parameters: ParameterCount(500_000),
        embedded_allowance_bytes: 256 << 10,
        training_flops: Flops(4_000_000_000_000),
        prediction_flops_per_sample: Flops(2_000_000),
        memory_bytes: 512 << 20,
        wall_seconds: 1_800,
        batch_size: 128,
    }
}

fn challenge(name: &ChallengeName, draft: &Draft, data: &Data) -> Challenge {
    let metadataset = data.public.as_ref().map(|public| &public.metadataset);
    let task = metadataset.map_or(TaskKind::TabularRegression, |metadataset| metadataset.task.clone());
    let stand_ins = || vec![Field::input("x", DType::F32, &[1]), Field::target("target", DType::F64, &[])];
    let fields = metadataset.map_or_else(stand_ins, |metadataset| metadataset.fields.clone());
    let metric = draft
        .metric
        .clone()
        .or_else(|| thimble_metrics::metrics(metric_task(&task)).next().map(|metric| metric.name.to_owned()));
    let score = draft.score.clone().unwrap_or(ScoreRule::Metric);
    let usual_ties = || {
        // Where the metric is the score, it cannot decide between equals.
        let metric = (!matches!(score, ScoreRule::Metric)).then_some(TieBreak::Metric);
        metric.into_iter().chain([TieBreak::FewerFlops, TieBreak::FewerParameters, TieBreak::Earlier]).collect()
    };
    Challenge {
        schema_version: 1,
        name: name.to_string(),
        title: draft.title.clone(),
        summary: draft.summary.clone(),
        keywords: draft.keywords.clone(),
        task,
        fields,
        datasets: DatasetBindings {
            public: public_dataset(data.public.as_ref()),
            official_commitment: data.commitment,
        },
        limits: draft.limits.clone().unwrap_or_else(usual_limits),
        rows: draft.rows,
        ranking: Ranking {
            metric: metric.unwrap_or_default(),
            also_published: draft.also_published.clone(),
            options: draft.metric_options,
            tie_breaks: draft.tie_breaks.clone().unwrap_or_else(usual_ties),
        },
        score,
        release: draft.release.clone(),
        quotas: draft.quotas.clone(),
        visibility: draft.visibility,
        carbon: draft.carbon.clone(),
        targets: vec![Target::LinuxArm64Cpu, Target::LinuxAmd64Cpu],
        seed: draft.seed,
        practice: draft.practice,
    }
}

/// Where builders get the public data: generated, where it is what a generator makes.
fn public_dataset(record: Option<&DatasetRecord>) -> PublicDataset {
    let digest = record.map_or_else(|| Digest::of(b""), |record| record.digest);
    let generated = SOURCES.into_iter().find(|source| source.generated().map(PublicData::digest) == Some(digest));
    PublicDataset { source: generated.unwrap_or(PublicSource::Directory), digest }
}

/// Every source that is generated.
const SOURCES: [PublicSource; 13] = [
    PublicSource::ImagenetParetoCanonical,
    PublicSource::FrugalDigits,
    PublicSource::FrugalEmbeddings,
    PublicSource::DigitImages,
    PublicSource::TicketRouting,
    PublicSource::BreastCancer,
    PublicSource::ShapeBoxes,
    PublicSource::ShapePixels,
    PublicSource::ShapeMasks,
    PublicSource::KiteCorners,
    PublicSource::DiabetesProgression,
    PublicSource::Sunspots,
    PublicSource::Rossi,
];

/// The description with the table of figures: in its place where it has one, else at the end.
fn statement(description: &str, challenge: &Challenge) -> String {
    let table = figures(challenge);
    let parts = description
        .split_once(FIGURES_START)
        .and_then(|(before, rest)| Some((before, rest.split_once(FIGURES_END)?.1)));
    match parts {
        Some((before, after)) => format!("{before}{}{after}", table.trim_end()),
        None => format!("{}\n\n{table}", description.trim_end()),
    }
}

/// A challenge that its operator changes while it is in force: what is measured, and on what, stays.
pub(crate) fn edited(before: &PublishedChallenge, draft: &Draft) -> Result<PublishedChallenge, Vec<ErrorDetail>> {
    let mut faults = Faults::default();
    check_description(&draft.description, &mut faults);
    check_rules(&draft.rules, &mut faults);
    let challenge = Challenge {
        title: draft.title.clone(),
        summary: draft.summary.clone(),
        keywords: draft.keywords.clone(),
        visibility: draft.visibility,
        quotas: draft.quotas.clone(),
        ..before.challenge.clone()
    };
    let json = challenge.to_json();
    if let Err(errors) = Challenge::from_json(json.as_bytes()) {
        for fault in errors.0 {
            faults.add(&fault.field, fault.rule);
        }
    }
    if !faults.0.is_empty() {
        return Err(faults.0);
    }
    Ok(PublishedChallenge {
        statement: statement(&draft.description, &challenge),
        digest: Digest::of(json.as_bytes()),
        json,
        challenge,
        ..before.clone()
    })
}

/// Faults as a failure.
pub(crate) fn refused(faults: Vec<ErrorDetail>) -> Failure {
    let count = faults.len();
    let message = match faults.as_slice() {
        [one] => format!("{}: {}", one.field, one.message),
        _ => format!("the challenge has {count} faults: see the details"),
    };
    Failure { details: faults, ..Failure::new(ErrorCode::ValidationFailed, message) }
}

#[cfg(test)]
#[path = "publish_tests.rs"]
mod tests;
