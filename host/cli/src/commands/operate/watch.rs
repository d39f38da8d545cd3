//! What goes on: a challenge's use, workers and room, the audit log, datasets.

use thimble_api::Page;
use thimble_api::id::ChallengeName;
use thimble_api::operator::{AuditEntry, Capacity, DatasetView, Monitor};
use thimble_challenge::score::si;
use thimble_client::line;

use super::people::teams;
use super::{Common, Listing};
use crate::exit::{ExitStatus, Failure};
use crate::remote::columns::Columns;
use crate::remote::submission::{spoken, time};
use crate::remote::{more, terminal_width};
use crate::report::sparkline;

/// Show the use of a challenge: submissions by day, budgets, activity, verdicts.
#[derive(Debug, clap::Args)]
pub(super) struct MonitorOpts {
    /// Challenge
    challenge: ChallengeName,
    #[command(flatten)]
    common: Common,
}

impl MonitorOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        self.common.show(&self.common.client()?.monitor(&self.challenge)?, monitor)
    }
}

fn monitor(monitor: &Monitor) -> String {
    let width = terminal_width();
    let summary = &monitor.challenge;
    let mut text = format!(
        "{}: {} builders, {} results, {} used\n\n",
        summary.name, summary.builders, summary.results, monitor.cost
    );
    if let (Some(first), Some(last)) = (monitor.days.first(), monitor.days.last()) {
        let counts = |count: fn(&thimble_api::operator::DayUse) -> u64| -> Vec<f64> {
            monitor.days.iter().map(|day| count(day) as f64).collect()
        };
        text += &format!("submissions a day, {} to {}\n", line(&first.day), line(&last.day));
        for (name, counts) in [("official", counts(|day| day.official)), ("validation", counts(|day| day.validation))] {
            let most = counts.iter().copied().fold(0.0, f64::max);
            text += &format!(
                "{name:<12}{} at most {most}, {} in all\n",
                sparkline(&counts, 60),
                counts.iter().sum::<f64>()
            );
        }
        text.push('\n');
    }
    let verdicts: Vec<_> = monitor
        .verdicts
        .iter()
        .map(|own| {
            format!("{} {}", own.count, own.verdict.map_or("cancelled".to_owned(), |verdict| verdict.to_string()))
        })
        .collect();
    if !verdicts.is_empty() {
        text += &format!("official runs: {}\n\n", verdicts.join(", "));
    }
    text += &teams(&monitor.teams).render(width);
    let mut activity = Columns::default().text("account", 0).text("team", 1).numbers("submissions", 0).text("last", 0);
    for own in &monitor.activity {
        activity.row(vec![
            own.account.to_string(),
            own.team.to_string(),
            own.submissions.to_string(),
            time(own.last_at),
        ]);
    }
    text + "\n" + &activity.render(width)
}

/// Show workers, the queue, and the room left.
#[derive(Debug, clap::Args)]
pub(super) struct CapacityOpts {
    #[command(flatten)]
    common: Common,
}

impl CapacityOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        self.common.show(&self.common.client()?.capacity()?, capacity)
    }
}

fn capacity(capacity: &Capacity) -> String {
    let mut text = format!(
        "queued     {} official, {} validation\nrunning    {}\n",
        capacity.queued_official, capacity.queued_validation, capacity.running
    );
    if let Some(seconds) = capacity.mean_run_seconds {
        text += &format!("mean run   {seconds:.1} s\n");
    }
    if let Some(seconds) = capacity.expected_wait_seconds {
        text += &format!("wait now   {}\n", spoken(seconds));
    }
    text += &format!(
        "database   {}\nartifacts  {}\n",
        si(capacity.database_bytes as f64, "B"),
        si(capacity.artifact_bytes as f64, "B")
    );
    if capacity.workers.is_empty() {
        return text + "no worker is alive: nothing that is queued will run\n";
    }
    let mut workers = Columns::default().text("worker", 0).text("heard", 1).text("runs", 0);
    for worker in &capacity.workers {
        let runs = worker.submission.map(|id| id.to_string()).unwrap_or_default();
        workers.row(vec![worker.name.clone(), time(worker.heartbeat_at), runs]);
    }
    text + "\n" + &workers.render(terminal_width())
}

/// Show what operators did, newest first.
#[derive(Debug, clap::Args)]
pub(super) struct AuditOpts {
    #[command(flatten)]
    listing: Listing,
}

impl AuditOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        let answer = self.listing.common.client()?.audit(&self.listing.query())?;
        self.listing.common.show(&answer, |page: &Page<AuditEntry>| {
            let mut table = Columns::default()
                .numbers("number", 3)
                .text("at", 1)
                .text("who", 0)
                .text("did", 0)
                .text("to", 0)
                .text("", 4);
            for entry in &page.items {
                let details: Vec<_> = entry.details.iter().map(|(name, value)| format!("{name}={value}")).collect();
                table.row(vec![
                    entry.sequence.to_string(),
                    time(entry.at),
                    entry.actor.clone(),
                    entry.action.clone(),
                    entry.subject.clone(),
                    details.join(" "),
                ]);
            }
            table.render(terminal_width()) + &more(page.next.as_deref())
        })
    }
}

/// List the datasets that drafts may name. They are registered on the service's machine (`thimble dataset register`).
#[derive(Debug, clap::Args)]
pub(super) struct DatasetsOpts {
    #[command(flatten)]
    listing: Listing,
}

impl DatasetsOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        let answer = self.listing.common.client()?.datasets(&self.listing.query())?;
        self.listing.common.show(&answer, |page: &Page<DatasetView>| {
            let mut table = Columns::default()
                .text("dataset", 0)
                .text("for", 0)
                .text("task", 0)
                .text("registered", 1)
                .text("digest", 2);
            for dataset in &page.items {
                let digest = dataset.digest.map(|digest| digest.to_string()).unwrap_or_default();
                let purpose = if dataset.official { "official runs" } else { "validation" };
                table.row(vec![
                    dataset.name.to_string(),
                    purpose.to_owned(),
                    dataset.metadataset.task.name().to_owned(),
                    time(dataset.registered_at),
                    digest,
                ]);
            }
            table.render(terminal_width()) + &more(page.next.as_deref())
        })
    }
}
