//! What the service remembers: accounts, challenges, submissions, the queue, budgets and the audit log in SQLite; artifacts by digest.
//!
//! Everything is a method of [`Store`], one file a subject. Reads take a connection of a pool and see a snapshot; writes wait
//! for the one connection that writes and are transactions that are on disk when they return. Times come from the caller.
//! What a user did wrong is a [`Refusal`]; what is wrong with the service or its disk is a [`StoreError`].

mod accounts;
mod artifacts;
mod audit;
mod budgets;
mod capacity;
mod challenges;
mod columns;
mod cursor;
mod datasets;
mod directory;
mod ending;
mod error;
mod invites;
mod lease;
mod monitor;
mod publications;
mod queue;
mod quota;
mod retention;
mod secret;
mod sessions;
mod submissions;
mod tokens;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use object_store::local::LocalFileSystem;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Sqlite, SqliteConnection, Transaction};
use tokio::sync::Notify;

pub use budgets::TeamRow;
pub use challenges::{ChallengeRow, Cover, PublishedChallenge};
pub use datasets::{DatasetRecord, NewDataset};
pub use ending::Finish;
pub use error::{Actor, Refusal, RefusedOr, Result, StoreError};
pub use lease::Moment;
pub use monitor::Activity;
pub use publications::Publication;
pub use queue::{Answer, Job, MAX_LOSSES, Recorded};
pub use retention::Retained;
pub use secret::Secret;
pub use sessions::Session;
pub use submissions::{Filter, NewSubmission, SubmissionRow, Submitted, estimate};
pub use tokens::Principal;

/// Connections that read. Each has a thread of its own.
const READERS: u32 = 4;
/// 24 hours: what quotas, waits and use are counted over.
pub(crate) const DAY_MILLIS: i64 = 86_400_000;
/// How long a connection waits for a writer of another process.
const BUSY: Duration = Duration::from_secs(10);

/// The service's memory: one directory of one machine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    readers: SqlitePool,
    /// One connection: writers wait for each other here, in order, and not in SQLite's busy handler.
    writer: SqlitePool,
    artifacts: Arc<LocalFileSystem>,
    directory: Arc<Path>,
    parsed: Arc<challenges::Parsed>,
    heard: lease::Heard,
    /// Workers wait here for something to do.
    submitted: Arc<Notify>,
}

/// Room taken on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Of the database and its write-ahead log.
    pub database_bytes: u64,
    /// Of all artifacts.
    pub artifact_bytes: u64,
}

impl Store {
    /// Opens the store in `directory`, which is made where there is none, and brings its tables up to date.
    ///
    /// # Errors
    ///
    /// A directory of another user or that others may write to, a disk that fails, a database of a later version.
    pub async fn open(directory: &Path) -> Result<Self> {
        let lock = blocking({
            let directory = directory.to_owned();
            move || directory::prepare(&directory)
        })
        .await?;
        let directory: Arc<Path> = std::path::absolute(directory)
            .map_err(|source| StoreError::Directory { path: directory.to_owned(), source })?
            .into();
        let options = connect_options(&directory);
        let pool = SqlitePoolOptions::new().idle_timeout(None).max_lifetime(None).test_before_acquire(false);
        let writer = pool.clone().max_connections(1).before_acquire(|connection, _| Box::pin(usable(connection)));
        let writer = writer.connect_with(options.clone()).await?;
        sqlx::migrate!("./migrations").run(&writer).await?;
        drop(lock);
        let readers = pool.max_connections(READERS).connect_with(options.pragma("query_only", "ON")).await?;
        let artifacts = LocalFileSystem::new_with_prefix(directory.join(directory::ARTIFACTS))
            .map_err(StoreError::Artifacts)?
            .with_fsync(true);
        Ok(Self {
            readers,
            writer,
            artifacts: Arc::new(artifacts),
            directory,
            parsed: Arc::default(),
            heard: lease::Heard::default(),
            submitted: Arc::new(Notify::new()),
        })
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether the database and the artifacts can be reached.
    ///
    /// # Errors
    ///
    /// The first of them that cannot.
    pub async fn ready(&self) -> Result<()> {
        for pool in [&self.readers, &self.writer] {
            sqlx::query("SELECT count(*) FROM teams").execute(pool).await?;
        }
        let path = self.directory.join(directory::ARTIFACTS);
        tokio::fs::metadata(&path).await.map(drop).map_err(|source| StoreError::Directory { path, source })
    }

    /// Bytes of the database and its write-ahead log.
    ///
    /// # Errors
    ///
    /// A file that cannot be looked at.
    pub async fn database_bytes(&self) -> Result<u64> {
        let mut bytes = 0;
        for name in [directory::DATABASE, directory::WRITE_AHEAD_LOG] {
            let path = self.directory.join(name);
            match tokio::fs::metadata(&path).await {
                Ok(metadata) => bytes += metadata.len(),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(StoreError::Directory { path, source }),
            }
        }
        Ok(bytes)
    }

    /// Writes a copy of the database, as it is at one moment, to the new file `to`. Artifacts are never changed: those copied
    /// afterwards are all that the copy refers to.
    ///
    /// # Errors
    ///
    /// A file that exists already or cannot be written.
    pub async fn backup(&self, to: &Path) -> Result<()> {
        let file = blocking({
            let to = to.to_owned();
            move || directory::new_private_file(&to)
        })
        .await?;
        let Some(target) = to.to_str() else {
            return Err(StoreError::Corrupt { what: "name of the backup", reason: "it is not UTF-8".to_owned() });
        };
        // A connection of its own: it takes as long as the database is large, and neither readers nor the writer wait.
        let mut connection = connect_options(&self.directory).connect().await?;
        sqlx::query("VACUUM INTO ?").bind(target).execute(&mut connection).await?;
        connection.close().await?;
        let path: PathBuf = to.to_owned();
        blocking(move || file.sync_all().map_err(|source| StoreError::Directory { path, source })).await
    }

    /// Ends every connection; what was written is in the database's own file afterwards.
    pub async fn disconnect(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Begins a transaction that writes, once those before it have ended. Dropped without a commit, it leaves nothing.
    pub(crate) async fn write(&self) -> Result<Transaction<'static, Sqlite>> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }
}

/// Whether the connection can begin a transaction.
///
/// SQLite itself ends a transaction for which the disk is too full, and the rollback that follows fails: the connection then
/// takes itself for being inside a transaction for ever, and has to be replaced.
async fn usable(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    // A rollback under way is over when this is answered.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// WAL with full synchronisation: a transaction that returned survives a power cut.
fn connect_options(directory: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(directory.join(directory::DATABASE))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
}

/// `work` on a thread where it may block.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(StoreError::Interrupted(error)),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

    use super::*;

    /// 2 is FULL: a commit is on the disk when it returns.
    #[tokio::test]
    async fn commits_are_synchronised_and_readers_cannot_write() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).await.unwrap();
        for (pool, query_only) in [(&store.writer, 0), (&store.readers, 1)] {
            for (pragma, expected) in
                [("PRAGMA query_only", query_only), ("PRAGMA synchronous", 2), ("PRAGMA foreign_keys", 1)]
            {
                let found: i64 = sqlx::query_scalar(pragma).fetch_one(pool).await.unwrap();
                assert_eq!(found, expected, "{pragma}");
            }
            let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(pool).await.unwrap();
            assert_eq!(journal, "wal");
        }
        let written = sqlx::query("INSERT INTO teams (name) VALUES ('ada')").execute(&store.readers).await;
        assert!(written.unwrap_err().to_string().contains("readonly"));
    }
}
