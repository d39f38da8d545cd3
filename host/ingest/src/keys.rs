//! What of a row decides about its split: read from its columns.

use thimble_datasets::{Digest, Split};

use crate::finding::{Findings, Place};
use crate::options::{Options, split_of};
use crate::problem::Problem;
use crate::rows::{Cell, Row, Table};
use crate::split::Keys;
use crate::wording::Quoted;

/// The columns that decide.
#[derive(Debug, Default)]
pub(crate) struct KeyColumns {
    split: Option<usize>,
    group: Option<usize>,
    time: Option<(usize, String)>,
}

impl KeyColumns {
    /// Finds them; a missing one is a finding.
    pub(crate) fn find(table: &Table<'_>, options: &Options, findings: &mut Findings) -> Self {
        let rule = &options.split;
        let mut column = |name: &Option<String>| name.as_ref().and_then(|name| table.column(name, findings));
        let (split, group, time) = (column(&rule.column), column(&rule.group), column(&rule.time_order));
        Self { split, group, time: time.zip(rule.time_order.clone()) }
    }

    /// Columns that are not predicted from.
    pub(crate) fn places(&self) -> impl Iterator<Item = usize> {
        [self.split, self.group, self.time.as_ref().map(|(place, _)| *place)].into_iter().flatten()
    }

    /// The keys of a row, and its group's name for messages.
    pub(crate) fn read(&self, row: &Row<'_>) -> Result<(Keys, String), Problem> {
        let mut keys = Keys { given: row.split(), ..Keys::default() };
        let mut buffer = String::new();
        if let Some(split) = self.split {
            let name = row.cell(split).name(&mut buffer).unwrap_or("");
            keys.given = Some(split_of(name).ok_or_else(|| Problem::SplitName { value: Quoted::new(name) })?);
        }
        if let Some((place, column)) = &self.time {
            keys.time = key(time(row.cell(*place), column)?);
        }
        let mut group = String::new();
        if let Some(place) = self.group {
            let name = row.cell(place).name(&mut buffer);
            name.ok_or_else(|| Problem::MissingTarget { column: Quoted::new("group") })?.clone_into(&mut group);
            keys.group = hash(&group);
        }
        Ok((keys, group))
    }
}

/// The first 8 bytes of the SHA-256 of a group's name, the same with every toolchain. Two groups that have the same are one group,
/// which keeps every promise about groups.
pub(crate) fn hash(text: &str) -> u64 {
    let digest = Digest::of(text.as_bytes());
    digest.as_bytes()[..8].iter().fold(0, |hash, &byte| hash << 8 | u64::from(byte))
}

/// A time as a number: microseconds since 1970 of a date, the number itself of a number.
pub(crate) fn time(cell: Cell<'_>, column: &str) -> Result<f64, Problem> {
    let form = |value: &str| Problem::TimeForm { column: Quoted::new(column), value: Quoted::new(value) };
    #[expect(clippy::cast_precision_loss, reason = "exact to the microsecond until the year 2255")]
    let micros = |micros: i64| micros as f64;
    match cell {
        Cell::Missing => Err(Problem::MissingTarget { column: Quoted::new(column) }),
        Cell::Time(time) => Ok(micros(time)),
        #[expect(clippy::cast_precision_loss, reason = "numbers of seconds and milliseconds are exact")]
        Cell::Int(time) => Ok(time as f64),
        Cell::Float(time) if time.is_finite() => Ok(time),
        Cell::Float(time) => Err(form(&time.to_string())),
        Cell::Raw(text) | Cell::Text(text) => match text.parse::<f64>() {
            Ok(time) if time.is_finite() => Ok(time),
            _ => date(text).map(micros).ok_or_else(|| form(text)),
        },
        Cell::Bytes(_) | Cell::Pixels(..) => Err(form("bytes")),
    }
}

/// Microseconds since 1970; a time without a zone counts as UTC, a month as its first day.
fn date(text: &str) -> Option<i64> {
    let month = (text.len() == 7).then(|| format!("{text}-01"));
    let text = month.as_deref().unwrap_or(text);
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.as_microsecond());
    }
    let civil = text.parse::<jiff::civil::DateTime>().ok()?;
    Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_microsecond())
}

/// A whole number in the order of the numbers.
pub(crate) fn key(time: f64) -> i64 {
    // Adding 0 makes the two zeros one.
    let bits = (time + 0.0).to_bits().cast_signed();
    if bits < 0 { !bits ^ i64::MIN } else { bits }
}

/// The class counts of the splits: a class that one lacks is worth a warning.
pub(crate) fn warn_of_absent(names: &[String], counts: &[[u64; 3]], file: &str, findings: &mut Findings) {
    for (name, counts) in names.iter().zip(counts) {
        if counts.iter().sum::<u64>() == 0 {
            findings.warn(Place::file(file), Problem::AbsentClass { class: Quoted::new(name) });
            continue;
        }
        for split in Split::ALL.into_iter().filter(|&split| counts[split as usize] == 0) {
            findings.warn(Place::file(file), Problem::ClassNotInSplit { class: Quoted::new(name), split });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_order_of_times() {
        let times = [f64::MIN, -2.0, -1.5, -1e-300, 0.0, 1e-300, 1.0, 1.5, 2.0, f64::MAX];
        assert!(times.windows(2).all(|pair| key(pair[0]) < key(pair[1])));
        assert_eq!(key(-0.0), key(0.0));
    }

    #[test]
    fn dates_are_microseconds() {
        let of = |text| time(Cell::Raw(text), "t").ok();
        assert_eq!(of("1970-01-02"), Some(86_400e6));
        assert_eq!(of("1970-01"), Some(0.0));
        assert_eq!(of("1970-01-01T01:00:00"), Some(3600e6));
        assert_eq!(of("1970-01-01 01:00:00.5"), Some(3600.5e6));
        assert_eq!(of("1970-01-01T01:00:00+01:00"), Some(0.0));
        assert_eq!(of("17"), Some(17.0));
        assert_eq!(of("yesterday"), None);
        assert_eq!(of("inf"), None);
    }
}
