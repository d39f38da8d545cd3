//! Text classification: a table with a column of texts, or a list and a directory of `.txt` files.

use std::cell::RefCell;

use thimble_datasets::{DType, Field, Split, TaskKind, Values};

use crate::finding::{Findings, Place};
use crate::input::Listed;
use crate::keys::{KeyColumns, warn_of_absent};
use crate::listing::{LIST, Lists, roots};
use crate::names::Room;
use crate::problem::Problem;
use crate::progress::Stage;
use crate::rows::{Cell, Row, Table};
use crate::sink::{Push, Sink};
use crate::split::{Census, Keys};
use crate::table::{Condition, FoundCondition, Label};
use crate::wording::Quoted;
use crate::{IngestError, Outcome, Work};

const LIMIT: usize = thimble_datasets::limits::TEXT_BYTES;

/// Where the texts are.
enum Layout<'a> {
    Lists(Lists<'a>),
    Table(Table<'a>, usize),
}

impl Layout<'_> {
    fn table(&self) -> &Table<'_> {
        match self {
            Self::Lists(lists) => lists.table(),
            Self::Table(table, _) => table,
        }
    }

    fn bytes(&self) -> u64 {
        match self {
            Self::Lists(lists) => lists.bytes(),
            Self::Table(table, _) => table.bytes(),
        }
    }

    /// Calls `visit` with every row and its text.
    fn each(&self, work: &mut Work<'_>, visit: &mut dyn FnMut(&Row<'_>, &str, &mut Findings)) {
        let input = work.input;
        match self {
            Self::Lists(lists) => {
                let mut on_file = |row: &Row<'_>, file: &Listed, findings: &mut Findings| {
                    let text = input.read(&file.path, LIMIT as u64).and_then(|bytes| {
                        let text = String::from_utf8(bytes);
                        text.map_err(|error| Problem::TextNotUtf8 { byte: error.utf8_error().valid_up_to() })
                    });
                    match text.and_then(|text| check(&text).map(|()| text)) {
                        Ok(text) => visit(row, text.strip_prefix('\u{feff}').unwrap_or(&text), findings),
                        // Found when the directory was read.
                        Err(Problem::ZeroBytes) => {}
                        Err(problem) => findings.error(Place::file(&file.path), problem),
                    }
                };
                lists.each(&mut on_file, work.progress, &mut work.findings);
            }
            Self::Table(table, column) => {
                let mut on_row = |row: &Row<'_>, findings: &mut Findings| {
                    let text = row.literal(*column);
                    match text.ok_or_else(|| not_text(table, *column, row)).and_then(|text| check(text).map(|()| text))
                    {
                        Ok(text) => visit(row, text, findings),
                        Err(problem) => findings.error(row.place(), problem),
                    }
                };
                table.each(&mut on_row, work.progress, &mut work.findings);
            }
        }
    }
}

fn not_text(table: &Table<'_>, column: usize, row: &Row<'_>) -> Problem {
    let name = Quoted::new(&table.columns[column]);
    match row.cell(column) {
        Cell::Missing => Problem::MissingTarget { column: name },
        _ => Problem::ColumnType { column: name, found: "numbers or bytes".into(), expected: "texts" },
    }
}

fn check(text: &str) -> Result<(), Problem> {
    if text.trim().is_empty() {
        return Err(Problem::TextEmpty);
    }
    match text.len() > LIMIT {
        true => Err(Problem::TextTooLong { bytes: text.len(), limit: LIMIT }),
        false => Ok(()),
    }
}

pub(crate) fn ingest(work: &mut Work<'_>) -> Result<Outcome, IngestError> {
    let (input, options) = (work.input, work.options);
    let roots = roots(input, &mut work.findings);
    let listed =
        roots.iter().any(|root| input.has_directory(&root.below("texts")) || input.has_file(&root.below(LIST)));
    let layout = if listed {
        let wanted = |name: &str| name.ends_with(".txt");
        Lists::open(input, options, "texts", wanted, ".txt", &mut work.findings).map(Layout::Lists)
    } else {
        Table::open(input, options, &mut work.findings).and_then(|table| {
            let column = table.column(options.text_column(), &mut work.findings)?;
            Some(Layout::Table(table, column))
        })
    };
    let Some(layout) = layout else { return Err(work.failed()) };
    ingest_rows(work, &layout)
}

fn ingest_rows(work: &mut Work<'_>, layout: &Layout<'_>) -> Result<Outcome, IngestError> {
    let options = work.options;
    let table = layout.table();
    let keys = KeyColumns::find(table, options, &mut work.findings);
    let mut condition = Condition::find(table, options, &mut work.findings);
    let label = table.column(options.label_column(), &mut work.findings);
    let Some(label) = label else { return Err(work.failed()) };
    let (mut label, mut room, mut census) = (Label::new(label, options), Room::default(), Census::new(options));
    let stratified = options.stratified();
    work.progress.begin(Stage::Check, layout.bytes());
    layout.each(work, &mut |row, _, findings| {
        let stratum = label.see(row, &mut room, findings).unwrap_or(0);
        if let Some(condition) = &mut condition {
            condition.see(row, &mut room, findings);
        }
        match keys.read(row) {
            Ok((keys, group)) => {
                let keys = Keys { stratum: if stratified { stratum } else { 0 }, ..keys };
                census.count(keys, &group, || row.place(), findings);
            }
            Err(problem) => findings.error(row.place(), problem),
        }
    });
    let label = label.finish(table, &mut work.findings);
    work.clean()?;
    let assigner = RefCell::new(census.finish(table.name(), &mut work.findings));
    let condition = condition.map(Condition::finish);
    let task = label.classes(options, table.header_place(), &mut work.findings);
    work.clean()?;
    let text = Field::input("text", DType::Text, &[]);
    let fields =
        [Some(text), condition.as_ref().map(FoundCondition::field), Some(Field::target("label", DType::S64, &[]))];
    let fields = fields.into_iter().flatten().collect();
    let mut sink = Sink::new(work.out, &options.name, TaskKind::TextClassification(task), fields)?;
    let (mut counts, mut failed) = (vec![[0; 3]; label.numbered.names.len()], None);
    let assign = |row: &Row<'_>| -> Option<(Split, u32)> {
        let (mut keys, _) = keys.read(row).ok()?;
        let (class, index) = label.get(row)?;
        keys.stratum = if stratified { index } else { 0 };
        Some((assigner.borrow_mut().split(keys)?, class))
    };
    work.progress.begin(Stage::Write, layout.bytes());
    layout.each(work, &mut |row, text, findings| {
        if failed.is_some() || !findings.is_clean() {
            return;
        }
        let Some((split, class)) = assign(row) else { return findings.error(row.place(), Problem::Changed) };
        counts[class as usize][split as usize] += 1;
        let condition = condition.as_ref().map(|condition| condition.get(row).unwrap_or(0));
        let result = sink.row(split, || row.place(), |columns| fill(columns, text, condition, class));
        failed = result.err();
    });
    if let Some(error) = failed {
        return Err(error);
    }
    warn_of_absent(&label.numbered.names, &counts, table.name(), &mut work.findings);
    sink.finish(work, table.name())
}

fn fill(columns: &mut [Values], text: &str, condition: Option<i64>, class: u32) {
    let [texts, .., label] = columns else { return };
    texts.push(text.to_owned());
    label.push(i64::from(class));
    if let (Some(condition), [_, column, _]) = (condition, columns) {
        column.push(condition);
    }
}
