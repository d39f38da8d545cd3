//! `thimble dataset generate|ingest|describe|export|explore|register`

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use thimble_datasets::imagenet_pareto::{self, Options};
use thimble_datasets::limits::{METADATASET_FILE, SEED_BYTES};
use thimble_datasets::{Digest, OperatorSecret, PublicData, Seed, Split, Tables, frugal_digits, frugal_embeddings};

use crate::commands::explore::ExploreOpts;
use crate::commands::export::ExportOpts;
use crate::commands::ingest::IngestOpts;
use crate::commands::register;
use crate::exit::{Blame as _, ExitStatus, Failure};
use crate::target::Target;
use crate::{input, output};

/// Generate, ingest, describe, export, explore or register a dataset.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Generate(GenerateOpts),
    Ingest(Box<IngestOpts>),
    Describe(DescribeOpts),
    Export(ExportOpts),
    Explore(ExploreOpts),
    Register(register::Opts),
}

/// Make a dataset of a known family.
#[derive(Debug, clap::Args)]
struct GenerateOpts {
    #[command(subcommand)]
    family: Family,
}

#[derive(Debug, clap::Subcommand)]
enum Family {
    ImagenetPareto(ImagenetParetoOpts),
    FrugalDigits(FrugalDigitsOpts),
    FrugalEmbeddings(FrugalEmbeddingsOpts),
    /// Handwritten digits of 8 × 8 pixels, for image classification.
    DigitImages(ExampleOpts),
    /// Customers' messages for four teams, for text classification.
    TicketRouting(ExampleOpts),
    /// Wisconsin diagnostic breast cancer, 30 features, for tabular classification.
    BreastCancer(ExampleOpts),
    /// Drawn discs, squares and triangles, for object detection.
    ShapeBoxes(ExampleOpts),
    /// Drawn discs, squares and triangles, for semantic segmentation.
    ShapePixels(ExampleOpts),
    /// Drawn discs, squares and triangles, for instance segmentation.
    ShapeMasks(ExampleOpts),
    /// Drawn kites with five points, for keypoint detection.
    KiteCorners(ExampleOpts),
    /// Diabetes after a year from ten measures, for tabular regression.
    DiabetesProgression(ExampleOpts),
    /// Yearly sunspot numbers from 1700 to 2008, for time series forecasting.
    Sunspots(ExampleOpts),
    /// Arrests after release from prison, for time to event.
    Rossi(ExampleOpts),
}

/// Where a dataset goes.
#[derive(Debug, clap::Args)]
struct Out {
    /// Directory to make
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace the dataset that is there (never one with an operator-secret.json)
    #[arg(long)]
    overwrite: bool,
}

/// 128 classes around prototypes in 384 dimensions, unless options say otherwise.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  # The public data of the Frontier-CS problem, the same on every machine
  thimble dataset generate imagenet-pareto --canonical --out data

  # Official data that nobody else can draw, with operator-secret.json beside it
  head -c 32 /dev/urandom > seed
  thimble dataset generate imagenet-pareto --seed-file seed --out official

A seed file holds 32 random bytes, or 64 hexadecimal digits. Whoever has it has the data.")]
struct ImagenetParetoOpts {
    #[command(flatten)]
    source: CanonicalOrSeed,
    #[command(flatten)]
    out: Out,
    /// Number of classes [default: 128]
    #[arg(long, conflicts_with = "canonical")]
    classes: Option<u32>,
    /// Training rows of each class [default: 16]
    #[arg(long, conflicts_with = "canonical")]
    train_per_class: Option<u32>,
    /// Validation rows of each class [default: 4]
    #[arg(long, conflicts_with = "canonical")]
    val_per_class: Option<u32>,
    /// Test rows of each class [default: 8]
    #[arg(long, conflicts_with = "canonical")]
    test_per_class: Option<u32>,
    /// Standard deviation of the noise on every feature [default: 0.4]
    #[arg(long, conflicts_with = "canonical")]
    noise: Option<f64>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct CanonicalOrSeed {
    /// The published data of the Frontier-CS problem
    #[arg(long)]
    canonical: bool,
    /// Draw new data from a secret seed
    #[arg(long, value_name = "FILE")]
    seed_file: Option<PathBuf>,
}

/// Handwritten digits under uneven conditions, 256 rotated features in 10 classes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  # The public data of the challenge frugal-digits, the same on every machine
  thimble dataset generate frugal-digits --public --out data

  # Other pictures of the same digits in another rotation, with operator-secret.json beside them
  head -c 32 /dev/urandom > seed
  thimble dataset generate frugal-digits --seed-file seed --out official

Anyone can own the digits themselves, so even the data of a secret seed is for challenges marked `practice`.")]
struct FrugalDigitsOpts {
    #[command(flatten)]
    source: PublicOrSeed,
    #[command(flatten)]
    out: Out,
}

/// 48 overlapping classes of three modes each in 192 features, under a large nuisance.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  # The public data of the challenge frugal-embeddings, the same on every machine
  thimble dataset generate frugal-embeddings --public --out data

  # Official data that nobody else can draw, with operator-secret.json beside it
  head -c 32 /dev/urandom > seed
  thimble dataset generate frugal-embeddings --seed-file seed --out official")]
struct FrugalEmbeddingsOpts {
    #[command(flatten)]
    source: PublicOrSeed,
    #[command(flatten)]
    out: Out,
}

/// Where the small dataset of a task goes. It is the same on every machine, and for practice.
#[derive(Debug, clap::Args)]
struct ExampleOpts {
    #[command(flatten)]
    source: PublicOnly,
    #[command(flatten)]
    out: Out,
}

#[derive(Debug, clap::Args)]
#[group(required = true)]
struct PublicOnly {
    /// The published data, which is all there is
    #[arg(long)]
    public: bool,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct PublicOrSeed {
    /// The published data
    #[arg(long)]
    public: bool,
    /// Draw new data from a secret seed
    #[arg(long, value_name = "FILE")]
    seed_file: Option<PathBuf>,
}

/// Show counts, shapes and the digest, after checking every byte.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The digest of an official dataset is private: labels can be guessed against it. What may be published is \
the commitment that `thimble challenge commit` writes.")]
struct DescribeOpts {
    /// Dataset directory
    directory: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        match self.command {
            Command::Generate(GenerateOpts { family }) => family.run(),
            Command::Ingest(opts) => opts.run(),
            Command::Describe(opts) => opts.run(),
            Command::Export(opts) => opts.run(),
            Command::Explore(opts) => opts.run(),
            Command::Register(opts) => opts.run(),
        }
    }
}

impl Family {
    fn run(self) -> Result<ExitStatus, Failure> {
        match self {
            Self::ImagenetPareto(opts) => opts.out.write(&opts.draw()?),
            Self::FrugalDigits(FrugalDigitsOpts { source, out }) => {
                out.write(&source.draw(frugal_digits::public, frugal_digits::private)?)
            }
            Self::FrugalEmbeddings(FrugalEmbeddingsOpts { source, out }) => {
                out.write(&source.draw(frugal_embeddings::public, frugal_embeddings::private)?)
            }
            Self::DigitImages(opts) => opts.write(PublicData::DigitImages),
            Self::TicketRouting(opts) => opts.write(PublicData::TicketRouting),
            Self::BreastCancer(opts) => opts.write(PublicData::BreastCancer),
            Self::ShapeBoxes(opts) => opts.write(PublicData::ShapeBoxes),
            Self::ShapePixels(opts) => opts.write(PublicData::ShapePixels),
            Self::ShapeMasks(opts) => opts.write(PublicData::ShapeMasks),
            Self::KiteCorners(opts) => opts.write(PublicData::KiteCorners),
            Self::DiabetesProgression(opts) => opts.write(PublicData::DiabetesProgression),
            Self::Sunspots(opts) => opts.write(PublicData::Sunspots),
            Self::Rossi(opts) => opts.write(PublicData::Rossi),
        }
    }
}

impl ExampleOpts {
    fn write(self, data: PublicData) -> Result<ExitStatus, Failure> {
        self.out.write(&(data.tables(), None))
    }
}

/// A dataset, and the secret that belongs to one drawn from a seed file.
type Drawn = (Tables, Option<OperatorSecret>);

fn seed(path: &Path) -> Result<Seed, Failure> {
    let bytes = input::file("seed file", path, SEED_BYTES)?;
    Seed::parse(&bytes).with_context(|| format!("seed file {}", path.display())).or_input()
}

impl PublicOrSeed {
    fn draw(&self, public: fn() -> Tables, private: fn(&Seed) -> Tables) -> Result<Drawn, Failure> {
        let Some(path) = &self.seed_file else {
            return Ok((public(), None));
        };
        let seed = seed(path)?;
        Ok((private(&seed), Some(OperatorSecret::from_seed(&seed))))
    }
}

impl ImagenetParetoOpts {
    fn draw(&self) -> Result<Drawn, Failure> {
        let Some(path) = &self.source.seed_file else {
            return Ok((imagenet_pareto::canonical(), None));
        };
        let seed = seed(path)?;
        let usual = Options::default();
        let options = Options {
            classes: self.classes.unwrap_or(usual.classes),
            train_per_class: self.train_per_class.unwrap_or(usual.train_per_class),
            validation_per_class: self.val_per_class.unwrap_or(usual.validation_per_class),
            test_per_class: self.test_per_class.unwrap_or(usual.test_per_class),
            noise: self.noise.unwrap_or(usual.noise),
            ..usual
        };
        let tables = imagenet_pareto::private(&seed, &options).context("no such dataset").or_input()?;
        Ok((tables, Some(OperatorSecret::from_seed(&seed))))
    }
}

impl Out {
    fn write(&self, (tables, secret): &Drawn) -> Result<ExitStatus, Failure> {
        let target = Target::check(&self.out, "a dataset", METADATASET_FILE, self.overwrite)?;
        let files = Split::ALL.map(Split::file_name);
        let digest = target.write(&files, |fresh| self.write_into(fresh, tables, secret.as_ref()))?;
        let mut text = format!("{} in {}\n", tables.name, self.out.display());
        for split in Split::ALL {
            text += &format!("{:<11} {} rows\n", split.name(), tables.split(split).rows);
        }
        output::print(&format!("{text}digest      {digest}\n"))?;
        Ok(ExitStatus::Success)
    }

    fn write_into(&self, fresh: &Path, tables: &Tables, secret: Option<&OperatorSecret>) -> Result<Digest, Failure> {
        let cannot = || format!("cannot write {}", self.out.display());
        let dir = input::directory("dataset", fresh)?;
        let digest = thimble_datasets::write(&dir, tables).with_context(cannot).or_output()?;
        if let Some(secret) = secret {
            secret.write(&dir).with_context(cannot).or_output()?;
        }
        Ok(digest)
    }
}

impl DescribeOpts {
    fn run(self) -> Result<ExitStatus, Failure> {
        let description = input::dataset(&self.directory)?.1.describe();
        output::print(&if self.json { output::json(&description)? } else { description.to_string() })?;
        Ok(ExitStatus::Success)
    }
}
