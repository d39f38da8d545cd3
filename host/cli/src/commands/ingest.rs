//! `thimble dataset ingest`

use std::io::{IsTerminal as _, Read as _, stderr};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use thimble_datasets::limits::METADATASET_FILE;
use thimble_datasets::{OperatorSecret, Split};
use thimble_ingest::{
    Channels, IngestError, Input, Options, Outcome, Progress, Shares, SharesError, Silent, Size, SplitRule, Stage, Task,
};

use crate::commands::metrics::tasks;
use crate::exit::{Blame as _, ExitStatus, Failure};
use crate::output::note;
use crate::target::Target;
use crate::{input, output};

/// Make a dataset of tables, images or texts, after checking all of them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  # A table: every column but the label is predicted from
  thimble dataset ingest churn.csv --task tabular_classification --label churned --out churn

  # Rows of one customer stay in one split; numbers may be missing
  thimble dataset ingest churn.parquet --task tabular_classification --label churned \\
      --group customer --missing keep --out churn

  # Images and labels.csv, or a directory of images for each class
  thimble dataset ingest photos --task image_classification --size 64x64 --resize exact --out photos-64

  # Windows of 28 days that predict the next 7, of several shops
  thimble dataset ingest sales.csv --task time_series_forecasting --time day --target sold --series shop \\
      --context 28 --horizon 7 --out sales

  # Check only
  thimble dataset ingest scans --task semantic_segmentation --dry-run

Without --split, train gets 0.7 of the rows, validation 0.1 and test 0.2, unless there are files or directories \
train, validation and test. docs/ingestion.md has the layout of each task, and every check.

Exit status: 0 written, or nothing to put right; 3 something must be put right (one line each); 4 the dataset \
could not be written.")]
pub(crate) struct IngestOpts {
    /// File or directory with the data
    path: PathBuf,
    /// What is predicted
    #[arg(long, value_parser = tasks())]
    task: Task,
    /// Directory to make
    #[arg(long, value_name = "DIR", required_unless_present = "dry_run")]
    out: Option<PathBuf>,
    /// Replace the dataset that is there (never one with an operator-secret.json)
    #[arg(long)]
    overwrite: bool,
    /// Check everything and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Write operator-secret.json too: test rows come in secret order, and a commitment can be published
    #[arg(long, conflicts_with = "dry_run")]
    official: bool,
    /// The dataset's name [default: that of the directory to make]
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    columns: ColumnOpts,
    #[command(flatten)]
    classes: ClassOpts,
    #[command(flatten)]
    series: SeriesOpts,
    #[command(flatten)]
    images: ImageOpts,
    #[command(flatten)]
    split: SplitOpts,
}

/// Which columns are what.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Columns")]
struct ColumnOpts {
    /// Column of what is predicted [default: label, or target for numbers]
    #[arg(long, value_name = "COLUMN", alias = "target")]
    label: Option<String>,
    /// Column of the text [default: text]
    #[arg(long, value_name = "COLUMN")]
    text: Option<String>,
    /// Columns to leave out
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    drop: Vec<String>,
    /// Columns to read as text even if they look like numbers
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    category: Vec<String>,
    /// Columns in which a fraction is an error
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    integer: Vec<String>,
    /// Column of what a row was recorded under: results are broken down by it
    #[arg(long, value_name = "COLUMN")]
    condition: Option<String>,
    /// What a missing value is: `error`, or `keep` as NaN
    #[arg(long, default_value = "error", value_parser = ["error", "keep"])]
    missing: String,
    /// What separates the cells of a CSV file [default: a comma; a tab in .tsv]
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    delimiter: Option<u8>,
}

/// What the classes are.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Classes")]
struct ClassOpts {
    /// Classes in their order [default: those of the data, sorted]; of masks: grey values, alone or as VALUE=NAME
    #[arg(long, value_delimiter = ',')]
    classes: Vec<String>,
    /// The class that precision, recall and the like are about, of two
    #[arg(long, value_name = "CLASS")]
    positive: Option<String>,
    /// The classes are grades, in ascending order
    #[arg(long)]
    ordinal: bool,
}

/// Times.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Forecasting and time to event")]
struct SeriesOpts {
    /// Column of the time [default: time]
    #[arg(long, value_name = "COLUMN")]
    time: Option<String>,
    /// Column of the event, 1 or, censored, 0 [default: event]
    #[arg(long, value_name = "COLUMN")]
    event: Option<String>,
    /// Column that tells several series apart
    #[arg(long, value_name = "COLUMN")]
    series: Option<String>,
    /// Rows of a window's past
    #[arg(long, value_name = "ROWS", default_value_t = 0, hide_default_value = true)]
    context: u32,
    /// Rows of a window's future
    #[arg(long, value_name = "ROWS", default_value_t = 0, hide_default_value = true)]
    horizon: u32,
    /// Rows from one window to the next [default: the horizon]
    #[arg(long, value_name = "ROWS")]
    stride: Option<u32>,
}

/// Images.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Images")]
struct ImageOpts {
    /// Pixels of every image [default: those of the first]
    #[arg(long, value_name = "HEIGHTxWIDTH", value_parser = size)]
    size: Option<Size>,
    /// What an image of another size is: `error`, or scaled `exact`ly
    #[arg(long, default_value = "error", value_parser = ["error", "exact"])]
    resize: String,
    /// `grey` or `rgb` [default: those of the first image]
    #[arg(long, value_parser = channels)]
    channels: Option<Channels>,
    /// Value of a mask's pixels that do not count
    #[arg(long, value_name = "VALUE")]
    ignore: Option<u8>,
}

/// Splits.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Splits")]
struct SplitOpts {
    /// Shares such as train=0.7,validation=0.1,test=0.2, or column=NAME of a column that names each row's split
    #[arg(long, value_parser = rule)]
    split: Option<Rule>,
    /// Give each split its share of each class [default: of classifications without --group or --time-order]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    stratify: Option<bool>,
    /// Column whose rows of one value stay in one split
    #[arg(long, value_name = "COLUMN")]
    group: Option<String>,
    /// Column of times: train before validation before test
    #[arg(long, value_name = "COLUMN")]
    time_order: Option<String>,
    /// Seed of the draw: the same seed gives the same splits
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(Debug, Clone)]
enum Rule {
    Shares(Shares),
    Column(String),
}

fn delimiter(text: &str) -> Result<u8, &'static str> {
    match text {
        "\\t" => Ok(b'\t'),
        _ => match text.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
            _ => Err("must be one ASCII character, or \\t"),
        },
    }
}

fn size(text: &str) -> Result<Size, &'static str> {
    let sides = text.split_once('x').and_then(|(height, width)| Some((height.parse().ok()?, width.parse().ok()?)));
    match sides {
        Some((height @ 1.., width @ 1..)) => Ok(Size { height, width }),
        _ => Err("must be HEIGHTxWIDTH in pixels, such as 32x48"),
    }
}

fn channels(text: &str) -> Result<Channels, &'static str> {
    match text {
        "grey" => Ok(Channels::Grey),
        "rgb" => Ok(Channels::Rgb),
        _ => Err("must be grey or rgb"),
    }
}

fn rule(text: &str) -> Result<Rule, SharesError> {
    match text.strip_prefix("column=") {
        Some(column) => Ok(Rule::Column(column.to_owned())),
        None => Shares::parse(text).map(Rule::Shares),
    }
}

impl IngestOpts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        let input = self.input()?;
        let options = self.options();
        let Some(out) = self.out.as_deref().filter(|_| !self.dry_run) else {
            let outcome = ingest(&input, &options, None)?;
            return report(&outcome, None);
        };
        let target = Target::check(out, "a dataset", METADATASET_FILE, self.overwrite)?;
        let outcome = target.write(&Split::ALL.map(Split::file_name), |fresh| self.write(&input, &options, fresh))?;
        report(&outcome, Some(out))
    }

    fn write(&self, input: &Input, options: &Options, fresh: &Path) -> Result<Outcome, Failure> {
        let dir = input::directory("dataset", fresh)?;
        let outcome = ingest(input, options, Some(&dir))?;
        if self.official {
            let cannot = || "cannot write the operator's secret";
            secret().and_then(|secret| Ok(secret.write(&dir)?)).with_context(cannot).or_output()?;
        }
        Ok(outcome)
    }

    fn input(&self) -> Result<Input, Failure> {
        if self.path.is_dir() {
            return Ok(Input::directory(input::directory("data", &self.path)?));
        }
        let name = self.path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| Failure::input(format!("{} is no file", self.path.display())))?;
        let parent = match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        Ok(Input::file(input::directory("data", parent)?, name))
    }

    fn options(&self) -> Options {
        let Self { columns, classes, series, images, split, .. } = self;
        let shares = match &split.split {
            Some(Rule::Shares(shares)) => *shares,
            _ => Shares::default(),
        };
        let column = match &split.split {
            Some(Rule::Column(column)) => Some(column.clone()),
            _ => None,
        };
        Options {
            label: columns.label.clone(),
            drop: columns.drop.iter().cloned().collect(),
            category: columns.category.iter().cloned().collect(),
            integer: columns.integer.iter().cloned().collect(),
            keep_missing: columns.missing == "keep",
            positive: classes.positive.clone(),
            classes: classes.classes.clone(),
            ordinal: classes.ordinal,
            condition: columns.condition.clone(),
            time: series.time.clone(),
            event: series.event.clone(),
            series: series.series.clone(),
            context: series.context,
            horizon: series.horizon,
            stride: series.stride,
            text: columns.text.clone(),
            size: images.size,
            resize: images.resize == "exact",
            channels: images.channels,
            ignore: images.ignore,
            delimiter: columns.delimiter,
            split: SplitRule {
                shares,
                column,
                stratify: split.stratify,
                group: split.group.clone(),
                time_order: split.time_order.clone(),
            },
            seed: split.seed,
            ..Options::new(self.task, self.name())
        }
    }

    /// What was asked for, or the name of the directory (or of the data) as a dataset may be called.
    fn name(&self) -> String {
        let path = self.out.as_deref().unwrap_or(&self.path);
        let given = self.name.clone().or_else(|| path.file_stem().and_then(|name| name.to_str()).map(dataset_name));
        given.filter(|name| !name.is_empty()).unwrap_or_else(|| "data".to_owned())
    }
}

/// Lower-case letters and digits, with one hyphen for anything between them.
fn dataset_name(text: &str) -> String {
    let text = text.to_ascii_lowercase();
    let parts = text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-").chars().take(63).collect::<String>().trim_end_matches('-').to_owned()
}

/// Two keys that nobody can guess.
fn secret() -> anyhow::Result<OperatorSecret> {
    let mut keys = [[0; 32]; 2];
    let mut source = std::fs::File::open("/dev/urandom").context("no source of random bytes")?;
    for key in &mut keys {
        source.read_exact(key).context("no random bytes")?;
    }
    let [commitment_salt, permutation_key] = keys;
    Ok(OperatorSecret { commitment_salt, permutation_key })
}

fn ingest(input: &Input, options: &Options, out: Option<&cap_std::fs::Dir>) -> Result<Outcome, Failure> {
    let mut progress: Box<dyn Progress> =
        if stderr().is_terminal() { Box::new(Bar::default()) } else { Box::new(Silent) };
    let result = thimble_ingest::ingest(input, options, out, &mut *progress);
    drop(progress);
    result.map_err(|error| match error {
        IngestError::Option { .. } => Failure::usage(error.to_string()),
        IngestError::Write(_) => Failure { status: ExitStatus::Output, error: error.into() },
        IngestError::Findings(findings) => {
            findings.warnings.iter().for_each(|warning| note(&format!("warning: {warning}")));
            let count = findings.errors.len() as u64 + findings.more_errors;
            let what = if count == 1 { "1 thing".to_owned() } else { format!("{count} things") };
            Failure::input(format!("{what} must be put right:\n  {}", findings.to_string().replace('\n', "\n  ")))
        }
        _ => Failure::input(error.to_string()),
    })
}

/// What was written, or would be.
fn report(outcome: &Outcome, out: Option<&Path>) -> Result<ExitStatus, Failure> {
    let findings = &outcome.findings;
    findings.warnings.iter().for_each(|warning| note(&format!("warning: {warning}")));
    if findings.more_warnings > 0 {
        note(&format!("warning: and {} more", findings.more_warnings));
    }
    let place = match out {
        Some(out) => format!("in {}", out.display()),
        None => "(dry run, nothing is written)".to_owned(),
    };
    let mut text = format!("{} {place}\ntask        {}\n", outcome.name, outcome.task);
    for field in &outcome.fields {
        let shape = field.shape.iter().map(|size| format!(" × {size}")).collect::<String>();
        let ragged = if field.ragged { ", any number a row" } else { "" };
        text += &format!("field       {} {}{shape}{ragged}\n", field.name, field.dtype);
    }
    for split in Split::ALL {
        text += &format!("{:<11} {} rows\n", split.name(), outcome.rows[split as usize]);
    }
    if let Some(digest) = &outcome.digest {
        text += &format!("digest      {digest}\n");
    }
    output::print(&text)?;
    Ok(ExitStatus::Success)
}

/// A bar for each stage, with rows, rate and time left.
#[derive(Debug, Default)]
struct Bar(Option<ProgressBar>);

impl Progress for Bar {
    fn begin(&mut self, stage: Stage, bytes: u64) {
        self.clear();
        let template = "{prefix:<8} [{bar:30}] {bytes} of {total_bytes}, {binary_bytes_per_sec}, {eta} left{wide_msg}";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(bytes).with_style(style.progress_chars("=> "));
        bar.set_prefix(stage.to_string());
        self.0 = Some(bar);
    }

    fn done(&mut self, bytes: u64, rows: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(bytes);
            bar.set_message(format!("  {rows} rows"));
        }
    }
}

impl Bar {
    fn clear(&mut self) {
        if let Some(bar) = self.0.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.clear();
    }
}
