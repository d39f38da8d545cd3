//! Leaderboards: grown from what was published, computed once a version, shown from memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use thimble_api::{SubmissionId, Timestamp};
use thimble_challenge::composite::Anchors;
use thimble_leaderboard::{Board, Computed, Row};
use thimble_store::{ChallengeRow, Publication};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, Semaphore};

use crate::answer::Prepared;
use crate::cache::{Cache, Loaded};
use crate::failure::{Failure, Result};
use crate::service::Service;

/// Publications that are read at a time.
const AT_A_TIME: u32 = 5_000;
/// A board so many times older than it should be is not shown: whoever asks waits for the new one.
const TOO_OLD: u32 = 4;
/// Answers that are kept, and their bytes.
const MOST_ANSWERS: usize = 20_000;
const MOST_ANSWER_BYTES: usize = 128 << 20;
/// Boards as they were at earlier versions.
const MOST_EARLIER: usize = 16;
const EARLIER_KEPT: std::time::Duration = std::time::Duration::from_secs(60);

/// A board at one version.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) challenge: Arc<ChallengeRow>,
    /// The last change that is in it.
    pub(crate) version: u64,
    /// When that was released.
    pub(crate) changed_at: Option<Timestamp>,
    pub(crate) computed: Computed,
    /// Results that can be shown in a plot and stand nowhere else on the board, newest first, at most
    /// [`MOST_OTHERS`](crate::ranking::MOST_POINTS).
    pub(crate) others: Vec<Arc<Row>>,
    /// How many such results there are.
    pub(crate) others_in_all: usize,
    submissions: Arc<Vec<SubmissionId>>,
}

impl Snapshot {
    /// The submission of a row: keys count from 1 in the order of first publication.
    pub(crate) fn submission(&self, row: &Row) -> Option<SubmissionId> {
        let place = usize::try_from(row.key.checked_sub(1)?).ok()?;
        self.submissions.get(place).copied()
    }
}

/// What a board grows from.
#[derive(Debug, Default)]
struct Working {
    /// In the order of publication, each with its version and its release.
    events: Vec<(u64, Timestamp, Row)>,
    keys: HashMap<SubmissionId, u64>,
    submissions: Arc<Vec<SubmissionId>>,
    board: Option<Board>,
    /// Events that are in the board.
    in_board: usize,
    /// The revision of the challenge that the board is of.
    revision: u64,
}

#[derive(Debug, Default)]
struct Slot {
    working: Arc<AsyncMutex<Working>>,
    shown: RwLock<Option<(Arc<Snapshot>, Instant)>>,
}

/// What an answer depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) challenge: i64,
    /// Of the challenge.
    pub(crate) revision: u64,
    /// Of the board.
    pub(crate) version: u64,
    /// What is shown.
    pub(crate) what: What,
    /// Whose own rows are marked; none for whoever has none.
    pub(crate) viewer: Option<i64>,
}

/// What is shown of a board.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum What {
    Json { first: u64, limit: u32 },
    Csv,
    Distribution(&'static str),
    Page { first: u64, limit: u32, pinned: bool },
}

/// The boards of all challenges.
#[derive(Debug)]
pub(crate) struct Boards {
    slots: Mutex<HashMap<i64, Arc<Slot>>>,
    earlier: Cache<(i64, u64, u64), Arc<Snapshot>>,
    /// Boards of earlier versions are computed one at a time: anyone may ask for any.
    computing: Semaphore,
    answers: Cache<Key, Prepared>,
}

impl Boards {
    pub(crate) fn new() -> Self {
        Self {
            slots: Mutex::default(),
            earlier: Cache::new(MOST_EARLIER, usize::MAX),
            computing: Semaphore::new(1),
            answers: Cache::new(MOST_ANSWERS, MOST_ANSWER_BYTES),
        }
    }

    fn slot(&self, id: i64) -> Arc<Slot> {
        Arc::clone(self.slots.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_default())
    }

    /// An answer, made once for each version.
    pub(crate) async fn answer(&self, key: Key, make: impl AsyncFnOnce() -> Result<Prepared>) -> Result<Prepared> {
        let load = async |_| {
            let value = make().await?;
            let weight = value.weight();
            Ok::<_, Failure>(Loaded { value, ttl: EARLIER_KEPT, weight })
        };
        self.answers.get_or_load(&key, load).await
    }
}

/// The board as it is, at most a moment old.
pub(crate) async fn current(service: &Service, challenge: &Arc<ChallengeRow>) -> Result<Arc<Snapshot>> {
    let slot = service.boards.slot(challenge.id);
    if let Some((snapshot, age)) = shown(&slot, challenge) {
        let ttl = service.config.board_ttl;
        if age < ttl {
            return Ok(snapshot);
        }
        if age < ttl * TOO_OLD {
            // One renews it behind the others, which are shown what there is.
            if let Ok(working) = Arc::clone(&slot.working).try_lock_owned() {
                let (service, challenge) = (service.clone(), Arc::clone(challenge));
                tokio::spawn(async move {
                    if let Err(failure) = refresh(&service, &slot, &challenge, working).await {
                        tracing::error!(cause = failure.cause, "a leaderboard was not renewed");
                    }
                });
            }
            return Ok(snapshot);
        }
    }
    let working = Arc::clone(&slot.working).lock_owned().await;
    if let Some((snapshot, age)) = shown(&slot, challenge)
        && age < service.config.board_ttl
    {
        return Ok(snapshot);
    }
    refresh(service, &slot, challenge, working).await
}

/// The board with everything that is released by now: for what is decided by it.
pub(crate) async fn settled(service: &Service, challenge: &Arc<ChallengeRow>) -> Result<Arc<Snapshot>> {
    let slot = service.boards.slot(challenge.id);
    let working = Arc::clone(&slot.working).lock_owned().await;
    refresh(service, &slot, challenge, working).await
}

/// What costs are measured against from the close on: the field as it is, with the figures that are published then.
pub(crate) async fn anchors_at_close(service: &Service, challenge: &Arc<ChallengeRow>) -> Result<Option<Anchors>> {
    let settled = settled(service, challenge).await?;
    let kept: HashMap<_, _> = service.store.kept_figures(challenge.id).await?.into_iter().collect();
    if kept.is_empty() {
        return Ok(settled.computed.anchors);
    }
    let (mut events, submissions) = events_to(service, challenge, settled.version).await;
    for (.., row) in &mut events {
        let submission = submissions.get(row.key as usize - 1);
        if let Some(figures) = submission.and_then(|submission| kept.get(submission)) {
            row.published = Arc::new(figures.clone());
        }
    }
    Ok(replayed(challenge, events, submissions).await?.computed.anchors)
}

/// What a board is replayed from up to a version, and the submissions of its keys.
async fn events_to(
    service: &Service,
    challenge: &ChallengeRow,
    version: u64,
) -> (Vec<(u64, Timestamp, Row)>, Arc<Vec<SubmissionId>>) {
    let slot = service.boards.slot(challenge.id);
    let working = slot.working.lock().await;
    let events = working.events.iter().take_while(|(at, ..)| *at <= version).cloned().collect();
    (events, Arc::clone(&working.submissions))
}

/// The board of these events alone, measured against its own field.
async fn replayed(
    challenge: &Arc<ChallengeRow>,
    events: Vec<(u64, Timestamp, Row)>,
    submissions: Arc<Vec<SubmissionId>>,
) -> Result<Snapshot> {
    let challenge = Arc::clone(challenge);
    let computing = tokio::task::spawn_blocking(move || {
        let mut board = new_board(&challenge, None)?;
        let last = events.last().map_or((0, None), |(version, at, _)| (*version, Some(*at)));
        board.extend(events.into_iter().map(|(.., row)| row));
        board.advance(last.0);
        Ok::<_, Failure>(snapshot(&board, &challenge, last, &submissions))
    });
    computing.await.map_err(Failure::internal)?
}

fn shown(slot: &Slot, challenge: &ChallengeRow) -> Option<(Arc<Snapshot>, std::time::Duration)> {
    let shown = slot.shown.read().unwrap_or_else(PoisonError::into_inner);
    let (snapshot, looked) = shown.as_ref()?;
    (snapshot.challenge.revision >= challenge.revision).then(|| (Arc::clone(snapshot), looked.elapsed()))
}

async fn refresh(
    service: &Service,
    slot: &Slot,
    challenge: &Arc<ChallengeRow>,
    mut working: OwnedMutexGuard<Working>,
) -> Result<Arc<Snapshot>> {
    let looked = Instant::now();
    loop {
        let after = working.events.last().map_or(0, |(version, ..)| *version);
        let now = Timestamp::now();
        let new = service.store.publications(challenge.id, after, AT_A_TIME, now).await?;
        let last = new.len() < AT_A_TIME as usize;
        let working = &mut *working;
        working.events.extend(new.into_iter().map(|event| row(event, &mut working.keys, &mut working.submissions)));
        if last {
            break;
        }
    }
    let same =
        working.events.len() == working.in_board && working.board.is_some() && working.revision == challenge.revision;
    let known = shown(slot, challenge).filter(|_| same);
    let snapshot = match known {
        Some((snapshot, _)) => snapshot,
        None => {
            let challenge = Arc::clone(challenge);
            let computing = tokio::task::spawn_blocking(move || working.compute(&challenge));
            Arc::new(computing.await.map_err(Failure::internal)??)
        }
    };
    *slot.shown.write().unwrap_or_else(PoisonError::into_inner) = Some((Arc::clone(&snapshot), looked));
    Ok(snapshot)
}

/// A publication as a row: the same submission again has the same key, and takes the place of what was there.
fn row(
    event: Publication,
    keys: &mut HashMap<SubmissionId, u64>,
    submissions: &mut Arc<Vec<SubmissionId>>,
) -> (u64, Timestamp, Row) {
    let key = *keys.entry(event.submission).or_insert_with(|| {
        let submissions = Arc::make_mut(submissions);
        submissions.push(event.submission);
        submissions.len() as u64
    });
    let row = Row {
        key,
        builder: event.builder.as_str().into(),
        team: event.team.as_str().into(),
        // What has no component was refused, and is not on the board.
        component: event.component.unwrap_or_else(|| thimble_datasets::Digest::of(event.submission.as_bytes())),
        submitted_ms: event.submitted_at.millis().unsigned_abs(),
        published: event.published,
        withdrawn: event.withdrawn,
    };
    (event.seq, event.released_at, row)
}

impl Working {
    /// Brings the board up to date and computes it.
    fn compute(&mut self, challenge: &Arc<ChallengeRow>) -> Result<Snapshot> {
        let board = match self.board.take().filter(|_| self.revision == challenge.revision) {
            Some(mut board) => {
                board.extend(self.events.iter().skip(self.in_board).map(|(.., row)| row.clone()));
                board
            }
            None => {
                let mut board = new_board(challenge, challenge.frozen)?;
                board.extend(self.events.iter().map(|(.., row)| row.clone()));
                board
            }
        };
        (self.revision, self.in_board) = (challenge.revision, self.events.len());
        let board = self.board.insert(board);
        let (version, changed_at) = self.events.last().map_or((0, None), |(version, at, _)| (*version, Some(*at)));
        board.advance(version);
        Ok(snapshot(board, challenge, (version, changed_at), &self.submissions))
    }
}

fn new_board(challenge: &ChallengeRow, frozen: Option<Anchors>) -> Result<Board> {
    let published = challenge.published.as_ref().ok_or_else(Failure::not_found)?;
    Ok(Board::new(Arc::new(published.challenge.clone()), frozen))
}

fn snapshot(
    board: &Board,
    challenge: &Arc<ChallengeRow>,
    (version, changed_at): (u64, Option<Timestamp>),
    submissions: &Arc<Vec<SubmissionId>>,
) -> Snapshot {
    let computed = board.compute();
    let (others, others_in_all) = crate::ranking::others(board, &computed);
    Snapshot {
        challenge: Arc::clone(challenge),
        version,
        changed_at,
        computed,
        others,
        others_in_all,
        submissions: Arc::clone(submissions),
    }
}

/// The board as it was at `version`, by the rules that are in force now.
pub(crate) async fn at(service: &Service, challenge: &Arc<ChallengeRow>, version: u64) -> Result<Arc<Snapshot>> {
    let current = current(service, challenge).await?;
    if version == current.version {
        return Ok(current);
    }
    if version > current.version {
        return Err(Failure::not_found());
    }
    let key = (challenge.id, challenge.revision, version);
    let load = async |_| {
        let _turn = service.boards.computing.acquire().await.map_err(Failure::internal)?;
        let (events, submissions) = events_to(service, challenge, version).await;
        let value = Arc::new(replayed(challenge, events, submissions).await?);
        Ok::<_, Failure>(Loaded { value, ttl: EARLIER_KEPT, weight: 1 })
    };
    service.boards.earlier.get_or_load(&key, load).await
}
