//! Forecasting: windows of one or several series of a table whose rows are in the order of time.
//!
//! The splits are cut at two times, the same for all series ([`crate::split`]): train before validation before test. A window
//! is `--context` rows of the past and `--horizon` rows of the future, all of one series and one split; the first begins with
//! the first row of its series in the split, the next `--stride` rows later, and rows that fill no window are left out.

use std::collections::BTreeMap;

use thimble_datasets::{DType, Field, Split, TableColumn, TaskKind, Values};

use crate::columns::{Feature, Scan, single};
use crate::finding::{Findings, Place};
use crate::keys::{hash, key, time};
use crate::limits;
use crate::names::Room;
use crate::options::Options;
use crate::problem::Problem;
use crate::progress::Stage;
use crate::rows::{Row, Table};
use crate::sink::{Push, Sink};
use crate::split::{Assigner, Census, Keys};
use crate::table::number;
use crate::wording::Quoted;
use crate::{IngestError, Outcome, Work};

/// What the columns are for.
struct Columns {
    time: usize,
    time_name: String,
    target: usize,
    target_name: String,
    series: Option<usize>,
}

impl Columns {
    fn find(table: &Table<'_>, options: &Options, findings: &mut Findings) -> Option<Self> {
        let time = table.column(options.time_column(), findings);
        let target = table.column(options.label_column(), findings);
        let series = options.series.as_ref().map(|name| table.column(name, findings));
        for name in options.drop.iter().chain(&options.category).chain(&options.integer) {
            table.column(name, findings);
        }
        if !findings.is_clean() {
            return None;
        }
        Some(Self {
            time: time?,
            time_name: options.time_column().to_owned(),
            target: target?,
            target_name: options.label_column().to_owned(),
            series: series.flatten(),
        })
    }

    /// The channels beside the series itself.
    fn features(&self, table: &Table<'_>, options: &Options) -> Vec<Scan> {
        let taken = [Some(self.time), Some(self.target), self.series];
        let columns = table.columns.iter().enumerate();
        let free = columns.filter(|(place, name)| !taken.contains(&Some(*place)) && !options.drop.contains(*name));
        free.map(|(place, name)| Scan::new(name, place, options)).collect()
    }

    /// The name of a row's series; empty where there is one only.
    fn series(&self, row: &Row<'_>) -> Result<String, Problem> {
        let Some(place) = self.series else { return Ok(String::new()) };
        let mut buffer = String::new();
        let name = row.cell(place).name(&mut buffer);
        name.map(ToOwned::to_owned).ok_or_else(|| Problem::MissingTarget { column: Quoted::new("series") })
    }

    /// The target, which is also the first channel.
    fn target(&self, row: &Row<'_>) -> Result<f64, Problem> {
        let value = number(row, self.target, &self.target_name)?;
        let column = || Quoted::new(&self.target_name);
        match single(value).is_finite() {
            true => Ok(value),
            false => Err(Problem::NotFinite { column: column(), value: Quoted::new(&value.to_string()) }),
        }
    }
}

/// The times of the series in the first pass.
#[derive(Default)]
struct Order {
    /// By series: the last time, and the first step.
    last: BTreeMap<u64, (f64, Option<f64>)>,
    /// Steps that differ, and the first of them.
    gaps: u64,
    first: Option<Place>,
    full: bool,
}

impl Order {
    /// Relative difference below which two steps are the same.
    const SAME: f64 = 1e-9;

    fn see(&mut self, series: &str, time: f64, row: &Row<'_>, value: &str, findings: &mut Findings) {
        let id = hash(series);
        if self.last.len() >= limits::SERIES && !self.last.contains_key(&id) {
            if !std::mem::replace(&mut self.full, true) {
                let remedy = "is --series the right column?";
                findings.error(row.place(), Problem::TooMany { what: "series", limit: limits::SERIES, remedy });
            }
            return;
        }
        let Some((last, step)) = self.last.get_mut(&id) else {
            self.last.insert(id, (time, None));
            return;
        };
        let (before, name) =
            (*last, if series.is_empty() { String::new() } else { format!(" in series {}", Quoted::new(series)) });
        let value = Quoted::new(value);
        *last = time;
        if time < before {
            findings.error(row.place(), Problem::TimeOrder { value, series: name });
        } else if time == before {
            findings.error(row.place(), Problem::TimeTwice { value, series: name });
        } else {
            let first = *step.get_or_insert(time - before);
            if ((time - before) - first).abs() > Self::SAME * first.abs() {
                self.gaps += 1;
                self.first.get_or_insert_with(|| row.place());
            }
        }
    }
}

pub(crate) fn ingest(work: &mut Work<'_>) -> Result<Outcome, IngestError> {
    let (input, options) = (work.input, work.options);
    let Some(table) = Table::open(input, options, &mut work.findings) else { return Err(work.failed()) };
    let Some(columns) = Columns::find(&table, options, &mut work.findings) else { return Err(work.failed()) };
    let mut scans = columns.features(&table, options);
    let (mut census, mut order, mut room, mut faults) =
        (Census::by_time(options), Order::default(), Room::default(), 0);
    work.progress.begin(Stage::Check, table.bytes());
    let mut check = |row: &Row<'_>, findings: &mut Findings| {
        scans.iter_mut().for_each(|scan| scan.see(row, &mut room, findings));
        let mut fail = |problem, findings: &mut Findings| findings.error_again(&mut faults, || row.place(), || problem);
        if let Err(problem) = columns.target(row) {
            fail(problem, findings);
        }
        match columns.series(row).and_then(|series| Ok((series, time(row.cell(columns.time), &columns.time_name)?))) {
            Ok((series, time)) => {
                let mut buffer = String::new();
                let value = row.cell(columns.time).name(&mut buffer).unwrap_or("");
                order.see(&series, time, row, value, findings);
                let keys = Keys { given: row.split(), time: key(time), ..Keys::default() };
                census.count(keys, "", || row.place(), findings);
            }
            Err(problem) => fail(problem, findings),
        }
    };
    table.each(&mut check, work.progress, &mut work.findings);
    work.clean()?;
    let findings = &mut work.findings;
    let features: Vec<Feature> = scans.into_iter().map(|scan| scan.finish(&table, findings)).collect();
    if let Some(place) = order.first {
        findings.warn(place, Problem::Irregular { gaps: order.gaps });
    }
    work.clean()?;
    let assigner = census.finish(table.name(), &mut work.findings);
    work.clean()?;
    write(work, &table, &columns, &features, assigner)
}

/// The rows of one series that wait for a window.
struct Run {
    split: Split,
    /// Rows of the run so far.
    rows: u64,
    /// Rows until the next one that begins a window.
    skip: u64,
    channels: Vec<f32>,
    targets: Vec<f64>,
}

impl Run {
    const fn new(split: Split) -> Self {
        Self { split, rows: 0, skip: 0, channels: Vec::new(), targets: Vec::new() }
    }
}

/// Fills windows row by row.
struct Windows {
    context: usize,
    horizon: usize,
    stride: usize,
    channels: usize,
    runs: BTreeMap<u64, Run>,
    /// Of each split.
    longest: [u64; 3],
    values: usize,
}

impl Windows {
    fn new(options: &Options, channels: usize) -> Self {
        let [context, horizon] = [options.context, options.horizon].map(|rows| rows as usize);
        let stride = options.stride.map_or(horizon, |stride| stride as usize);
        Self { context, horizon, stride, channels, runs: BTreeMap::new(), longest: [0; 3], values: 0 }
    }

    /// Adds a row; true if a window is full, which [`Self::take`] takes.
    fn add(&mut self, series: u64, split: Split, channels: &[f32], target: f64) -> bool {
        let run = self.runs.entry(series).or_insert(Run::new(split));
        if run.split != split {
            self.values -= run.channels.len();
            *run = Run::new(split);
        }
        run.rows += 1;
        self.longest[split as usize] = self.longest[split as usize].max(run.rows);
        if run.skip > 0 {
            run.skip -= 1;
            return false;
        }
        run.channels.extend_from_slice(channels);
        run.targets.push(target);
        self.values += channels.len();
        run.targets.len() == self.context + self.horizon
    }

    /// The window of a series, which is full: it is shown, and then moved on.
    fn take<T>(&mut self, series: u64, show: impl FnOnce(&[f32], &[f64]) -> T) -> Option<T> {
        let run = self.runs.get_mut(&series)?;
        let shown = show(run.channels.get(..self.context * self.channels)?, run.targets.get(self.context..)?);
        let rows = self.stride.min(run.targets.len());
        run.skip = (self.stride - rows) as u64;
        run.targets.drain(..rows);
        run.channels.drain(..rows * self.channels);
        self.values -= rows * self.channels;
        Some(shown)
    }
}

fn fields(options: &Options, columns: &Columns, features: &[Feature]) -> Vec<Field> {
    let own = TableColumn { name: columns.target_name.clone(), categories: Vec::new() };
    let channels: Vec<TableColumn> = std::iter::once(own).chain(features.iter().map(Feature::column)).collect();
    let width = u32::try_from(channels.len()).unwrap_or(u32::MAX);
    let mut window = Field::input("window", DType::F32, &[options.context, width]).with_columns(channels);
    window.missing = features.iter().any(|feature| feature.missing);
    vec![window, Field::target("horizon", DType::F64, &[options.horizon])]
}

fn write(
    work: &mut Work<'_>,
    table: &Table<'_>,
    columns: &Columns,
    features: &[Feature],
    mut assigner: Assigner,
) -> Result<Outcome, IngestError> {
    let options = work.options;
    let mut sink =
        Sink::new(work.out, &options.name, TaskKind::TimeSeriesForecasting, fields(options, columns, features))?;
    let mut windows = Windows::new(options, 1 + features.len());
    let (mut failed, mut channels) = (None, Vec::new());
    work.progress.begin(Stage::Write, table.bytes());
    let mut visit = |row: &Row<'_>, findings: &mut Findings| {
        if failed.is_some() || !findings.is_clean() {
            return;
        }
        channels.clear();
        let mut read = || {
            let time = time(row.cell(columns.time), &columns.time_name).ok()?;
            let split = assigner.split(Keys { given: row.split(), time: key(time), ..Keys::default() })?;
            let target = columns.target(row).ok()?;
            channels.push(single(target));
            for feature in features {
                channels.push(feature.value(row)?);
            }
            Some((hash(&columns.series(row).ok()?), split, target))
        };
        let Some((series, split, target)) = read() else { return findings.error(row.place(), Problem::Changed) };
        if windows.add(series, split, &channels, target) {
            let show =
                |past: &[f32], future: &[f64]| sink.row(split, || row.place(), |columns| fill(columns, past, future));
            failed = windows.take(series, show).and_then(Result::err);
        } else if windows.values > limits::SERIES_VALUES {
            let (what, limit, remedy) =
                ("values of unfinished windows", limits::SERIES_VALUES, "sort the rows by series");
            findings.error(row.place(), Problem::TooMany { what, limit, remedy });
        }
    };
    table.each(&mut visit, work.progress, &mut work.findings);
    if let Some(error) = failed {
        return Err(error);
    }
    work.clean()?;
    let needed = u64::from(options.context) + u64::from(options.horizon);
    for split in Split::ALL {
        let rows = windows.longest[split as usize];
        if rows < needed {
            work.findings.error(Place::file(table.name()), Problem::SeriesTooShort { split, rows, needed });
        }
    }
    work.clean()?;
    sink.finish(work, table.name())
}

fn fill(columns: &mut [Values], past: &[f32], future: &[f64]) {
    if let [window, horizon] = columns {
        window.push(past);
        horizon.push(future);
    }
}
