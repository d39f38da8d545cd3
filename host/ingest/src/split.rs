//! Which split each row goes to.
//!
//! A row whose file, folder or column names a split goes there. The others, the pool, are shared out by exact counts: of n
//! rows a split with the share s gets ⌊n·s⌋, and the rows that are then left go one each to the splits with the largest
//! fractions, of equal fractions to the split with the smaller share, then in the order train, validation, test. Where some
//! splits are given and others not, the pool is the rows given to train, and is shared between train and what is missing, in
//! the ratio of their shares.
//!
//! *Drawn*: counts as above for each class (or all rows at once). Row after row a split is drawn with the chance of what it
//! still lacks among what is still to come (Knuth, The Art of Computer Programming 2, algorithm 3.4.2 S), from the ChaCha20
//! stream whose key is the seed, little-endian, and 24 zero bytes: every selection with these counts is equally likely, and no row must be remembered.
//!
//! *Groups*: drawn into a random order, then the larger first, each to the split that lacks most rows.
//!
//! *Time*: the counts cut the sorted times; rows of the same time as a cut belong to the later split.

use std::collections::BTreeMap;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use thimble_datasets::Split;

use crate::finding::{Findings, Place};
use crate::limits;
use crate::options::{Options, Shares};
use crate::problem::Problem;
use crate::wording::Quoted;

/// What of a row decides about its split.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Keys {
    /// Given by its file, its folder or its column.
    pub(crate) given: Option<Split>,
    /// The class, in the order of first appearance; 0 where rows are not stratified.
    pub(crate) stratum: usize,
    /// A hash of the group.
    pub(crate) group: u64,
    /// In the order of the split.
    pub(crate) time: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Drawn,
    Groups,
    Time,
}

/// The first pass: counts.
#[derive(Debug)]
pub(crate) struct Census {
    rule: Rule,
    shares: Shares,
    seed: u64,
    rows: u64,
    /// Rows given to each split.
    given: [u64; 3],
    /// By stratum: rows that no split is given for, and rows given to train.
    strata: Vec<[u64; 2]>,
    /// By hash: the same, and the splits it was given to.
    groups: BTreeMap<u64, ([u64; 2], [bool; 3])>,
    /// The same.
    times: [Vec<i64>; 2],
    overflow: bool,
}

/// Rows for each split.
type Quota = [u64; 3];

/// The second pass: decisions.
#[derive(Debug)]
pub(crate) struct Assigner {
    /// Rows given to train belong to the pool.
    train_is_pool: bool,
    by: By,
    rng: ChaCha20Rng,
}

#[derive(Debug)]
enum By {
    /// What each split of each stratum still lacks.
    Draw(Vec<Quota>),
    Group(BTreeMap<u64, Split>),
    /// The first times of validation and test.
    Cuts([i64; 2]),
}

impl Census {
    pub(crate) fn new(options: &Options) -> Self {
        let rule = match (&options.split.group, &options.split.time_order) {
            (Some(_), _) => Rule::Groups,
            (_, Some(_)) => Rule::Time,
            _ => Rule::Drawn,
        };
        Self::with(rule, options.split.shares, options.seed)
    }

    /// By time, whatever the options say.
    pub(crate) fn by_time(options: &Options) -> Self {
        Self::with(Rule::Time, options.split.shares, options.seed)
    }

    const fn with(rule: Rule, shares: Shares, seed: u64) -> Self {
        Self {
            rule,
            shares,
            seed,
            rows: 0,
            given: [0; 3],
            strata: Vec::new(),
            groups: BTreeMap::new(),
            times: [Vec::new(), Vec::new()],
            overflow: false,
        }
    }

    /// Counts a row. `group` is its group's name, for a message.
    pub(crate) fn count(&mut self, keys: Keys, group: &str, place: impl Fn() -> Place, findings: &mut Findings) {
        self.rows += 1;
        if let Some(split) = keys.given {
            self.given[split as usize] += 1;
        }
        if self.rule == Rule::Groups {
            self.count_group(keys, group, &place, findings);
        }
        let pool = match keys.given {
            None => 0,
            Some(Split::Train) => 1,
            Some(_) => return,
        };
        match self.rule {
            Rule::Drawn => {
                if self.strata.len() <= keys.stratum {
                    self.strata.resize(keys.stratum + 1, [0; 2]);
                }
                self.strata[keys.stratum][pool] += 1;
            }
            Rule::Groups => {}
            Rule::Time if self.times[0].len() + self.times[1].len() < limits::TIMES => self.times[pool].push(keys.time),
            Rule::Time => {
                if !std::mem::replace(&mut self.overflow, true) {
                    let remedy = "give the splits as files instead";
                    findings.error(
                        place(),
                        Problem::TooMany { what: "rows to be split by time", limit: limits::TIMES, remedy },
                    );
                }
            }
        }
    }

    fn count_group(&mut self, keys: Keys, group: &str, place: impl Fn() -> Place, findings: &mut Findings) {
        if self.groups.len() >= limits::GROUPS && !self.groups.contains_key(&keys.group) {
            if !std::mem::replace(&mut self.overflow, true) {
                let remedy = "give the splits as files instead";
                findings.error(place(), Problem::TooMany { what: "groups", limit: limits::GROUPS, remedy });
            }
            return;
        }
        let (rows, splits) = self.groups.entry(keys.group).or_default();
        match keys.given {
            None => rows[0] += 1,
            Some(split) => {
                rows[1] += u64::from(split == Split::Train);
                let other = Split::ALL.into_iter().find(|&other| other != split && splits[other as usize]);
                if let Some(first) = other
                    && !splits[split as usize]
                {
                    findings.error(place(), Problem::GroupInTwo { group: Quoted::new(group), first, second: split });
                }
                splits[split as usize] = true;
            }
        }
    }

    /// Decides how much each split gets.
    pub(crate) fn finish(mut self, file: &str, findings: &mut Findings) -> Assigner {
        let all_given = self.given.iter().sum::<u64>() == self.rows;
        // Splits that are missing are cut out of train; with none given there is nothing to cut but the rows of no split.
        let train_is_pool = all_given && self.given.contains(&0) && self.given[0] > 0;
        let mut shares = self.shares.millionths();
        if train_is_pool {
            for split in [Split::Validation, Split::Test] {
                if self.given[split as usize] > 0 {
                    shares[split as usize] = 0;
                }
            }
        }
        let pool = usize::from(train_is_pool);
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        let mut rng = ChaCha20Rng::from_seed(key);
        let mut total = self.given;
        if train_is_pool {
            total[0] = 0;
        }
        let by = match self.rule {
            Rule::Drawn => By::Draw(self.strata.iter().map(|rows| apportion(rows[pool], shares)).collect()),
            Rule::Groups => By::Group(assign_groups(&self.groups, pool, shares, &mut rng)),
            Rule::Time => By::Cuts(cuts(&mut self.times[pool], shares)),
        };
        let added: Quota = match &by {
            By::Draw(quotas) => quotas.iter().fold([0; 3], |sum, quota| std::array::from_fn(|i| sum[i] + quota[i])),
            By::Group(groups) => groups.iter().fold([0; 3], |mut sum, (group, split)| {
                sum[*split as usize] += self.groups.get(group).map_or(0, |(rows, _)| rows[pool]);
                sum
            }),
            By::Cuts(cuts) => self.times[pool].iter().fold([0; 3], |mut sum, time| {
                sum[after(*cuts, *time) as usize] += 1;
                sum
            }),
        };
        for split in Split::ALL {
            if self.rows > 0 && total[split as usize] + added[split as usize] == 0 {
                findings.error(Place::file(file), Problem::EmptySplit { split, rows: self.rows });
            }
        }
        Assigner { train_is_pool, by, rng }
    }
}

impl Assigner {
    /// The split of the next row; none where the row was not there in the first pass.
    pub(crate) fn split(&mut self, keys: Keys) -> Option<Split> {
        match keys.given {
            Some(Split::Train) if self.train_is_pool => {}
            Some(split) => return Some(split),
            None => {}
        }
        match &mut self.by {
            By::Draw(quotas) => {
                let quota = quotas.get_mut(keys.stratum)?;
                let drawn = below(&mut self.rng, quota.iter().sum())?;
                let split = if drawn < quota[0] {
                    Split::Train
                } else if drawn < quota[0] + quota[1] {
                    Split::Validation
                } else {
                    Split::Test
                };
                quota[split as usize] -= 1;
                Some(split)
            }
            By::Group(groups) => groups.get(&keys.group).copied(),
            By::Cuts(cuts) => Some(after(*cuts, keys.time)),
        }
    }
}

/// The split of a time.
const fn after(cuts: [i64; 2], time: i64) -> Split {
    if time < cuts[0] {
        Split::Train
    } else if time < cuts[1] {
        Split::Validation
    } else {
        Split::Test
    }
}

/// Rows for each split, by the rule at the top of this file. `shares` are millionths, not all 0.
fn apportion(rows: u64, shares: [u32; 3]) -> Quota {
    let whole: u128 = shares.iter().map(|share| u128::from(*share)).sum();
    let exact = shares.map(|share| u128::from(rows) * u128::from(share));
    let mut quota = exact.map(|exact| u64::try_from(exact / whole.max(1)).unwrap_or(u64::MAX));
    let mut order: Vec<usize> = (0..3).filter(|&split| shares[split] > 0).collect();
    order.sort_by_key(|&split| (std::cmp::Reverse(exact[split] % whole.max(1)), shares[split]));
    let left = rows - quota.iter().sum::<u64>();
    for split in order.into_iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
        quota[split] += 1;
    }
    quota
}

/// The first times of validation and test.
fn cuts(times: &mut [i64], shares: [u32; 3]) -> [i64; 2] {
    times.sort_unstable();
    let [train, validation, _] = apportion(times.len() as u64, shares);
    let at = |rows: u64| usize::try_from(rows).ok().and_then(|row| times.get(row)).copied().unwrap_or(i64::MAX);
    [at(train), at(train + validation)]
}

fn assign_groups(
    groups: &BTreeMap<u64, ([u64; 2], [bool; 3])>,
    pool: usize,
    shares: [u32; 3],
    rng: &mut ChaCha20Rng,
) -> BTreeMap<u64, Split> {
    let mut order: Vec<(u64, u64)> =
        groups.iter().map(|(&group, (rows, _))| (rows[pool], group)).filter(|(rows, _)| *rows > 0).collect();
    // Fisher–Yates.
    for last in (1..order.len()).rev() {
        let other = below(rng, last as u64 + 1).and_then(|other| usize::try_from(other).ok()).unwrap_or(last);
        order.swap(last, other);
    }
    order.sort_by_key(|(rows, _)| std::cmp::Reverse(*rows));
    let mut lacking = apportion(order.iter().map(|(rows, _)| rows).sum(), shares).map(|rows| i128::from(rows));
    let mut assigned = BTreeMap::new();
    for (rows, group) in order {
        let most = Split::ALL.into_iter().filter(|&split| shares[split as usize] > 0);
        // Of equals the first: `max_by_key` would give the last.
        let split = most.rev().max_by_key(|&split| lacking[split as usize]).unwrap_or(Split::Train);
        lacking[split as usize] -= i128::from(rows);
        assigned.insert(group, split);
    }
    assigned
}

/// A number below `bound`, every one with the same chance: draws that would favour some are drawn again.
fn below(rng: &mut ChaCha20Rng, bound: u64) -> Option<u64> {
    let excess = (u64::MAX % bound.max(1) + 1) % bound.max(1);
    loop {
        let drawn = rng.next_u64();
        if bound == 0 {
            return None;
        }
        if drawn <= u64::MAX - excess {
            return Some(drawn % bound);
        }
    }
}
