//! `thimble dataset register`

use std::path::PathBuf;

use anyhow::Context as _;
use thimble_api::Timestamp;
use thimble_api::id::DatasetName;
use thimble_datasets::OperatorSecret;
use thimble_store::{Actor, NewDataset};

use crate::exit::{Blame as _, ExitStatus, Failure};
use crate::{input, output, service};

/// Tell a service of a dataset, so that challenges can be made on it.
///
/// The rows stay where they are; the service keeps the path, and what dataset.json says. A dataset with an
/// operator-secret.json is for official runs, one without is public.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  thimble dataset generate imagenet-pareto --canonical --out practice
  thimble dataset register practice --name imagenet-pareto-public --data /var/lib/thimble")]
pub(crate) struct Opts {
    /// Dataset directory
    dataset: PathBuf,
    /// What drafts call it
    #[arg(long)]
    name: DatasetName,
    /// Data directory of the service
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        let (dir, dataset) = input::dataset(&self.dataset)?;
        let official = dir.try_exists("operator-secret.json").context("cannot look for the secret").or_input()?;
        if official {
            OperatorSecret::read(&dir).with_context(|| format!("dataset {}", self.dataset.display())).or_input()?;
        }
        let path = self.dataset.canonicalize();
        let path = path.with_context(|| format!("dataset {}", self.dataset.display())).or_input()?;
        let new = NewDataset {
            name: self.name,
            path,
            digest: dataset.digest(),
            official,
            metadataset: dataset.metadataset().clone(),
        };
        let line = format!(
            "{}: {} dataset, {}\n",
            new.name,
            if official { "official" } else { "public" },
            new.metadataset.task
        );
        service::runtime()?.block_on(async {
            let store = service::open(&self.data).await?;
            store.register_dataset(&new, &Actor::Local, Timestamp::now()).await.map_err(service::refused)?;
            store.disconnect().await;
            Ok::<_, Failure>(())
        })?;
        output::print(&line)?;
        Ok(ExitStatus::Success)
    }
}
