//! Tables: classification, regression, time to event.

use thimble_datasets::{Classes, DType, Field, Split, TableColumn, TaskKind, Values};

use crate::columns::{Feature, Scan};
use crate::finding::{Findings, Place};
use crate::keys::{KeyColumns, warn_of_absent};
use crate::names::{Names, Numbered, Room};
use crate::options::{Options, Task};
use crate::problem::Problem;
use crate::progress::Stage;
use crate::rows::{Number, Row, Table};
use crate::sink::{Push, Sink};
use crate::split::{Assigner, Census};
use crate::wording::Quoted;
use crate::{IngestError, Outcome, Work};

/// What a row is predicted to be.
#[derive(Debug)]
enum Target {
    Label(Label),
    Number { place: usize, column: String },
    TimeToEvent { time: (usize, String), event: (usize, String) },
}

/// The column of a class, of any task whose rows have one.
#[derive(Debug)]
pub(crate) struct Label {
    place: usize,
    column: String,
    names: Names,
    faults: u32,
}

/// The column of what a row was recorded under.
#[derive(Debug)]
pub(crate) struct Condition {
    place: usize,
    column: String,
    names: Names,
    faults: u32,
}

/// Classes in their order.
#[derive(Debug)]
pub(crate) struct FoundClasses {
    place: usize,
    pub(crate) numbered: Numbered,
    declared: bool,
}

impl Label {
    pub(crate) fn new(place: usize, options: &Options) -> Self {
        let column = options.label_column().to_owned();
        Self { place, names: Names::declared(&column, &options.classes), column, faults: 0 }
    }

    /// Counts a row's class; gives its place in the order of first appearance.
    pub(crate) fn see(&mut self, row: &Row<'_>, room: &mut Room, findings: &mut Findings) -> Option<usize> {
        let mut buffer = String::new();
        match row.name(self.place, |name| self.names.is_declared(name), &mut buffer) {
            Some(name) => self.names.see(name, room, || row.place(), findings),
            None => {
                let column = || Quoted::new(&self.column);
                findings.error_again(&mut self.faults, || row.place(), || Problem::MissingLabel { column: column() });
                None
            }
        }
    }

    /// Checks what is true of all rows together.
    pub(crate) fn finish(self, table: &Table<'_>, findings: &mut Findings) -> FoundClasses {
        let declared = self.names.is_bounded();
        let found = FoundClasses { place: self.place, numbered: self.names.number(), declared };
        let mut present = found.numbered.names.iter().zip(&found.numbered.rows).filter(|(_, rows)| **rows > 0);
        if let (Some((class, _)), None) = (present.next(), present.next())
            && findings.is_clean()
        {
            findings.error(table.header_place(), Problem::UniformLabel { class: Quoted::new(class) });
        }
        found
    }
}

impl FoundClasses {
    /// The class of a row, and its place in the order of first appearance.
    pub(crate) fn get(&self, row: &Row<'_>) -> Option<(u32, usize)> {
        let mut buffer = String::new();
        let name = row.name(self.place, |name| self.declared && self.numbered.get(name).is_some(), &mut buffer)?;
        self.numbered.get(name)
    }

    pub(crate) fn classes(&self, options: &Options, place: Place, findings: &mut Findings) -> Classes {
        classes(&self.numbered.names, options, place, findings)
    }
}

/// The classes of a task whose rows have one each.
pub(crate) fn classes(names: &[String], options: &Options, place: Place, findings: &mut Findings) -> Classes {
    let mut classes = Classes::named(names.iter().map(String::as_str));
    classes.ordinal = options.ordinal;
    if let Some(positive) = &options.positive {
        let index = names.iter().position(|name| name == positive).filter(|_| names.len() == 2);
        if index.is_none() {
            let shown = names.iter().take(5).map(|name| Quoted::new(name).to_string()).collect::<Vec<_>>().join(", ");
            let more = if names.len() > 5 { format!(" and {} more", names.len() - 5) } else { String::new() };
            findings.error(place, Problem::Positive { class: Quoted::new(positive), classes: shown + &more });
        }
        classes.positive = index.and_then(|index| u32::try_from(index).ok());
    }
    classes
}

impl Condition {
    pub(crate) fn find(table: &Table<'_>, options: &Options, findings: &mut Findings) -> Option<Self> {
        let column = options.condition.as_ref()?;
        let place = table.column(column, findings)?;
        Some(Self { place, column: column.clone(), names: Names::of(column), faults: 0 })
    }

    pub(crate) const fn place(&self) -> usize {
        self.place
    }

    pub(crate) fn see(&mut self, row: &Row<'_>, room: &mut Room, findings: &mut Findings) -> Option<usize> {
        let mut buffer = String::new();
        match row.cell(self.place).name(&mut buffer) {
            Some(name) => self.names.see(name, room, || row.place(), findings),
            None => {
                let column = || Quoted::new(&self.column);
                findings.error_again(&mut self.faults, || row.place(), || Problem::MissingTarget { column: column() });
                None
            }
        }
    }

    /// The condition of a row.
    pub(crate) fn name(&self, row: &Row<'_>) -> Option<String> {
        let mut buffer = String::new();
        row.cell(self.place).name(&mut buffer).map(ToOwned::to_owned)
    }

    pub(crate) fn finish(self) -> FoundCondition {
        FoundCondition { place: self.place, column: self.column, numbered: self.names.number() }
    }
}

/// Conditions with their numbers.
#[derive(Debug)]
pub(crate) struct FoundCondition {
    place: usize,
    column: String,
    pub(crate) numbered: Numbered,
}

impl FoundCondition {
    pub(crate) fn field(&self) -> Field {
        let column = TableColumn { name: self.column.clone(), categories: self.numbered.names.clone() };
        Field::input("condition", DType::S64, &[]).with_columns(vec![column])
    }

    pub(crate) fn get(&self, row: &Row<'_>) -> Option<i64> {
        let mut buffer = String::new();
        let name = row.cell(self.place).name(&mut buffer)?;
        self.numbered.get(name).map(|(number, _)| i64::from(number))
    }
}

/// What the columns are for.
struct Columns {
    features: Vec<Scan>,
    target: Target,
    condition: Option<Condition>,
    keys: KeyColumns,
}

impl Columns {
    fn find(table: &Table<'_>, options: &Options, findings: &mut Findings) -> Option<Self> {
        let keys = KeyColumns::find(table, options, findings);
        let condition = Condition::find(table, options, findings);
        for name in options.drop.iter().chain(&options.category).chain(&options.integer) {
            table.column(name, findings);
        }
        let mut taken: Vec<usize> = keys.places().chain(condition.as_ref().map(Condition::place)).collect();
        let target = match options.task {
            Task::TimeToEvent => {
                let (time, event) = (options.time_column(), options.event_column());
                let places = (table.column(time, findings), table.column(event, findings));
                let (Some(time_place), Some(event_place)) = places else { return None };
                taken.extend([time_place, event_place]);
                Target::TimeToEvent { time: (time_place, time.to_owned()), event: (event_place, event.to_owned()) }
            }
            task => {
                let column = options.label_column();
                let place = table.column(column, findings)?;
                taken.push(place);
                match task {
                    Task::TabularClassification => Target::Label(Label::new(place, options)),
                    _ => Target::Number { place, column: column.to_owned() },
                }
            }
        };
        let columns = table.columns.iter().enumerate();
        let free = columns.filter(|(place, name)| !taken.contains(place) && !options.drop.contains(*name));
        let features: Vec<Scan> = free.map(|(place, name)| Scan::new(name, place, options)).collect();
        if features.is_empty() {
            findings.error(table.header_place(), Problem::NoFeatures);
        }
        findings.is_clean().then_some(Self { features, target, condition, keys })
    }
}

/// A number that must be there.
pub(crate) fn number(row: &Row<'_>, place: usize, column: &str) -> Result<f64, Problem> {
    let column = || Quoted::new(column);
    match row.cell(place).number() {
        Number::Is(value) if value.is_finite() => Ok(value),
        Number::Is(value) => Err(Problem::NotFinite { column: column(), value: Quoted::new(&value.to_string()) }),
        Number::Missing => Err(Problem::MissingTarget { column: column() }),
        Number::Text(text) => Err(Problem::NotNumber { column: column(), value: Quoted::new(text) }),
        Number::Other(found) => Err(Problem::ColumnType { column: column(), found: found.into(), expected: "numbers" }),
    }
}

/// A time above 0.
fn time_to(row: &Row<'_>, (place, column): &(usize, String)) -> Result<f64, Problem> {
    match number(row, *place, column)? {
        time if time > 0.0 => Ok(time),
        time => Err(Problem::TimeNotPositive { column: Quoted::new(column), value: Quoted::new(&time.to_string()) }),
    }
}

/// 1, or 0 of a row that was censored; `true` and `false` are the same.
fn event(row: &Row<'_>, (place, column): &(usize, String)) -> Result<i64, Problem> {
    let fault = |value: &str| Problem::Event { column: Quoted::new(column), value: Quoted::new(value) };
    match row.cell(*place).number() {
        Number::Is(0.0) => Ok(0),
        Number::Is(1.0) => Ok(1),
        Number::Is(value) => Err(fault(&value.to_string())),
        Number::Text("true" | "True" | "TRUE") => Ok(1),
        Number::Text("false" | "False" | "FALSE") => Ok(0),
        Number::Text(text) => Err(fault(text)),
        Number::Missing => Err(Problem::MissingTarget { column: Quoted::new(column) }),
        Number::Other(found) => Err(fault(found)),
    }
}

/// What the first pass found.
struct Found {
    features: Vec<Feature>,
    target: FoundTarget,
    condition: Option<FoundCondition>,
    keys: KeyColumns,
    assigner: Assigner,
}

enum FoundTarget {
    Label(FoundClasses),
    Number { place: usize, column: String },
    TimeToEvent { time: (usize, String), event: (usize, String) },
}

pub(crate) fn ingest(work: &mut Work<'_>) -> Result<Outcome, IngestError> {
    let (input, options) = (work.input, work.options);
    let Some(table) = Table::open(input, options, &mut work.findings) else { return Err(work.failed()) };
    let Some(columns) = Columns::find(&table, options, &mut work.findings) else { return Err(work.failed()) };
    let Some(found) = scan(work, &table, columns) else { return Err(work.failed()) };
    write(work, &table, found)
}

fn scan(work: &mut Work<'_>, table: &Table<'_>, mut columns: Columns) -> Option<Found> {
    let (mut census, mut room, mut faults) = (Census::new(work.options), Room::default(), 0);
    let stratified = work.options.stratified();
    work.progress.begin(Stage::Check, table.bytes());
    let mut visit = |row: &Row<'_>, findings: &mut Findings| {
        for feature in &mut columns.features {
            feature.see(row, &mut room, findings);
        }
        if let Some(condition) = &mut columns.condition {
            condition.see(row, &mut room, findings);
        }
        let mut fail = |problem, findings: &mut Findings| findings.error_again(&mut faults, || row.place(), || problem);
        let stratum = match &mut columns.target {
            Target::Label(label) => label.see(row, &mut room, findings).unwrap_or(0),
            Target::Number { place, column } => {
                number(row, *place, column).map_or_else(|problem| fail(problem, findings), |_| ());
                0
            }
            Target::TimeToEvent { time, event: column } => {
                time_to(row, time).map_or_else(|problem| fail(problem, findings), |_| ());
                event(row, column).map_or_else(|problem| fail(problem, findings), |_| ());
                0
            }
        };
        match columns.keys.read(row) {
            Ok((mut keys, group)) => {
                keys.stratum = if stratified { stratum } else { 0 };
                census.count(keys, &group, || row.place(), findings);
            }
            Err(problem) => fail(problem, findings),
        }
    };
    table.each(&mut visit, work.progress, &mut work.findings);
    let findings = &mut work.findings;
    let target = match columns.target {
        Target::Label(label) => FoundTarget::Label(label.finish(table, findings)),
        Target::Number { place, column } => FoundTarget::Number { place, column },
        Target::TimeToEvent { time, event } => FoundTarget::TimeToEvent { time, event },
    };
    let rows_read = findings.is_clean();
    let features = columns.features.into_iter().filter(|_| rows_read);
    let features: Vec<Feature> = features.map(|feature| feature.finish(table, findings)).collect();
    let condition = columns.condition.map(Condition::finish);
    if !findings.is_clean() {
        return None;
    }
    let assigner = census.finish(table.name(), findings);
    findings.is_clean().then_some(Found { features, target, condition, keys: columns.keys, assigner })
}

impl Found {
    fn task(&self, options: &Options, place: Place, findings: &mut Findings) -> TaskKind {
        match &self.target {
            FoundTarget::Label(found) => TaskKind::TabularClassification(found.classes(options, place, findings)),
            FoundTarget::Number { .. } => TaskKind::TabularRegression,
            FoundTarget::TimeToEvent { .. } => TaskKind::TimeToEvent,
        }
    }

    fn fields(&self) -> Vec<Field> {
        let columns: Vec<TableColumn> = self.features.iter().map(Feature::column).collect();
        let width = u32::try_from(columns.len()).unwrap_or(u32::MAX);
        let mut features = Field::input("features", DType::F32, &[width]).with_columns(columns);
        features.missing = self.features.iter().any(|feature| feature.missing);
        let mut fields = vec![features];
        fields.extend(self.condition.as_ref().map(FoundCondition::field));
        match &self.target {
            FoundTarget::Label(_) => fields.push(Field::target("label", DType::S64, &[])),
            FoundTarget::Number { .. } => fields.push(Field::target("target", DType::F64, &[])),
            FoundTarget::TimeToEvent { .. } => {
                fields.extend([Field::target("time", DType::F64, &[]), Field::target("event", DType::S64, &[])]);
            }
        }
        fields
    }

    /// The split of a row, and its class. None where the row is not what the first pass saw.
    fn assign(&mut self, row: &Row<'_>, stratified: bool) -> Option<(Split, u32)> {
        let (mut keys, _) = self.keys.read(row).ok()?;
        let (class, index) = match &self.target {
            FoundTarget::Label(found) => found.get(row)?,
            _ => (0, 0),
        };
        keys.stratum = if stratified { index } else { 0 };
        Some((self.assigner.split(keys)?, class))
    }

    /// Adds a row's values; false where the row is not what the first pass saw.
    fn fill(&self, row: &Row<'_>, class: u32, columns: &mut [Values]) -> bool {
        let [features, rest @ ..] = columns else { return false };
        for feature in &self.features {
            let Some(value) = feature.value(row) else { return false };
            features.push(value);
        }
        let mut rest = rest.iter_mut();
        let mut put = |value: Option<i64>| value.zip(rest.next()).map(|(value, column)| column.push(value)).is_some();
        if self.condition.as_ref().is_some_and(|condition| !put(condition.get(row))) {
            return false;
        }
        match &self.target {
            FoundTarget::Label(_) => put(Some(i64::from(class))),
            FoundTarget::Number { place, column } => {
                number(row, *place, column).ok().zip(rest.next()).map(|(value, column)| column.push(value)).is_some()
            }
            FoundTarget::TimeToEvent { time, event: column } => {
                let time = time_to(row, time).ok().zip(rest.next()).map(|(value, column)| column.push(value));
                let event = event(row, column).ok().zip(rest.next()).map(|(value, column)| column.push(value));
                time.is_some() && event.is_some()
            }
        }
    }
}

fn write(work: &mut Work<'_>, table: &Table<'_>, mut found: Found) -> Result<Outcome, IngestError> {
    let options = work.options;
    let task = found.task(options, table.header_place(), &mut work.findings);
    work.clean()?;
    let mut sink = Sink::new(work.out, &options.name, task, found.fields())?;
    let stratified = options.stratified();
    let mut counts =
        vec![[0_u64; 3]; if let FoundTarget::Label(label) = &found.target { label.numbered.names.len() } else { 0 }];
    let mut failed = None;
    work.progress.begin(Stage::Write, table.bytes());
    let mut visit = |row: &Row<'_>, findings: &mut Findings| {
        if failed.is_some() || !findings.is_clean() {
            return;
        }
        let Some((split, class)) = found.assign(row, stratified) else {
            return findings.error(row.place(), Problem::Changed);
        };
        if let Some(counts) = counts.get_mut(class as usize) {
            counts[split as usize] += 1;
        }
        let mut whole = true;
        let result = sink.row(split, || row.place(), |columns| whole = found.fill(row, class, columns));
        match result {
            _ if !whole => findings.error(row.place(), Problem::Changed),
            Ok(()) => {}
            Err(error) => failed = Some(error),
        }
    };
    table.each(&mut visit, work.progress, &mut work.findings);
    if let Some(error) = failed {
        return Err(error);
    }
    if let FoundTarget::Label(label) = &found.target {
        warn_of_absent(&label.numbered.names, &counts, table.name(), &mut work.findings);
    }
    sink.finish(work, table.name())
}
