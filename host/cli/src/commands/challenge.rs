//! `thimble challenge check|commit`

use std::path::{Path, PathBuf};

use thimble_challenge::challenge::Disclosure;
use thimble_challenge::{Challenge, LoadedChallenge};

use crate::cache::CacheOpts;
use crate::evaluate::{bind_official, official_dataset, public_data};
use crate::exit::{ExitStatus, Failure};
use crate::{input, output};

/// Check a challenge directory, or commit it to official data.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Check(CheckOpts),
    Commit(CommitOpts),
}

/// Name every fault of a challenge with its field, and open its public data.
///
/// The data must be what challenge.json names, and every metric must say something on its test labels: one that cannot
/// tell any submission from another there is refused.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  thimble challenge check examples/challenges/imagenet-pareto-500k

Exit status: 0 when there is no fault, 3 otherwise.")]
struct CheckOpts {
    /// Challenge directory
    directory: PathBuf,
    #[command(flatten)]
    cache: CacheOpts,
}

/// Write the commitment to official data into challenge.json.
///
/// The commitment is the SHA-256 of a secret salt and the dataset's digest: it binds the operator and tells nobody
/// anything. Official runs refuse any other data. Data on whose test labels a metric says nothing is refused.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  head -c 32 /dev/urandom > seed
  thimble dataset generate imagenet-pareto --seed-file seed --out official
  thimble challenge commit my-challenge --official official")]
struct CommitOpts {
    /// Challenge directory
    directory: PathBuf,
    /// Official dataset directory, with its operator-secret.json
    #[arg(long, value_name = "DATASET")]
    official: PathBuf,
    /// Replace the commitment to other data
    #[arg(long)]
    replace: bool,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        match self.command {
            Command::Check(opts) => opts.run(),
            Command::Commit(opts) => opts.run(),
        }
    }
}

impl CheckOpts {
    fn run(self) -> Result<ExitStatus, Failure> {
        let loaded = open_named(&self.directory)?;
        let data = public_data(&self.directory, &loaded, &self.cache.open()?)?;
        let Challenge { name, title, limits, .. } = &loaded.challenge;
        output::print(&format!(
            "{name}: no fault\ntitle       {title}\ndigest      {}\nparameters  {}\n{}",
            loaded.digest,
            limits.parameters,
            disclosure(&loaded.challenge, data.test_rows())
        ))?;
        Ok(ExitStatus::Success)
    }
}

/// What official runs tell a builder, against what `rows` test labels hold.
fn disclosure(challenge: &Challenge, rows: u64) -> String {
    let disclosure = Disclosure::of(challenge);
    let figures: Vec<_> = disclosure.figures().map(|(name, values)| format!("{name} {:.1}", values.log2())).collect();
    let official = challenge.quotas.official_per_day;
    let day = disclosure.bits_a_day(official, 0);
    let labels = match challenge.label_bits(rows) {
        Some(bits) => format!("the labels of {rows} test rows hold at most {bits:.0} bits: {:.0} days", bits / day),
        None => format!("{rows} test rows"),
    };
    format!(
        "tells       at most {:.1} bits an official run ({})\n            {day:.0} bits a day with {official} of them; {labels}\n",
        disclosure.bits(),
        figures.join(", ")
    )
}

impl CommitOpts {
    fn run(self) -> Result<ExitStatus, Failure> {
        let mut loaded = open_named(&self.directory)?;
        let (dataset, secret) = official_dataset(&self.official, &loaded)?;
        let commitment = secret.commitment(&dataset.digest());
        let published = loaded.challenge.datasets.official_commitment.replace(commitment);
        if let Some(published) = published.filter(|published| *published != commitment)
            && !self.replace
        {
            return Err(Failure::input(format!(
                "challenge {} is committed to other data ({published}); results under both commitments cannot be compared, \
                 so say --replace if that is meant",
                loaded.challenge.name
            )));
        }
        // What an official run would refuse is not committed to.
        bind_official(&self.official, &loaded, dataset, &secret)?;
        output::write_file(
            &self.directory.join("challenge.json"),
            loaded.challenge.to_json().as_bytes(),
            output::Readers::Anyone,
        )?;
        output::print(&format!("{commitment}\n"))?;
        Ok(ExitStatus::Success)
    }
}

/// A challenge whose name is that of its directory.
fn open_named(path: &Path) -> Result<LoadedChallenge, Failure> {
    let dir = input::directory("challenge", path)?;
    // `.` and links have another last part than the directory itself.
    let own = path.canonicalize().ok();
    let name = own.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
    let loaded = match name {
        Some(name) => LoadedChallenge::open_named(&dir, name),
        None => LoadedChallenge::open(&dir),
    };
    loaded.map_err(|error| input::faults(path, &error))
}
