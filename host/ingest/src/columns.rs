//! Columns that are predicted from: numbers, or texts that become numbers of categories.

use thimble_datasets::TableColumn;

use crate::finding::Findings;
use crate::names::{Names, Numbered, Room};
use crate::options::Options;
use crate::problem::Problem;
use crate::rows::{Number, Row};
use crate::wording::Quoted;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Unknown,
    Number,
    Text,
}

/// A column in the first pass.
#[derive(Debug)]
pub(crate) struct Scan {
    name: String,
    place: usize,
    kind: Kind,
    /// Text by request.
    forced: bool,
    integer: bool,
    keep_missing: bool,
    missing: u64,
    names: Names,
    faults: u32,
}

/// A column in the second pass.
#[derive(Debug)]
pub(crate) struct Feature {
    pub(crate) name: String,
    place: usize,
    /// The categories of texts.
    categories: Option<Numbered>,
    pub(crate) missing: bool,
}

impl Scan {
    pub(crate) fn new(name: &str, place: usize, options: &Options) -> Self {
        let forced = options.category.contains(name);
        Self {
            name: name.to_owned(),
            place,
            kind: if forced { Kind::Text } else { Kind::Unknown },
            forced,
            integer: options.integer.contains(name),
            keep_missing: options.keep_missing,
            missing: 0,
            names: Names::of(name),
            faults: 0,
        }
    }

    pub(crate) fn see(&mut self, row: &Row<'_>, room: &mut Room, findings: &mut Findings) {
        let cell = row.cell(self.place);
        if self.forced {
            let mut buffer = String::new();
            match cell.name(&mut buffer) {
                Some(name) => _ = self.names.see(name, room, || row.place(), findings),
                None => self.see_missing(row, findings),
            }
            return;
        }
        match cell.number() {
            Number::Is(value) => self.see_number(value, row, findings),
            Number::Text(text) => self.see_text(text, row, room, findings),
            Number::Missing => self.see_missing(row, findings),
            Number::Other(found) => {
                let problem =
                    || Problem::ColumnType { column: self.quoted(), found: found.into(), expected: "numbers or texts" };
                findings.error_again(&mut self.faults.clone(), || row.place(), problem);
                self.faults += 1;
            }
        }
    }

    fn quoted(&self) -> Quoted {
        Quoted::new(&self.name)
    }

    fn fault(&mut self, row: &Row<'_>, problem: impl FnOnce() -> Problem, findings: &mut Findings) {
        findings.error_again(&mut self.faults, || row.place(), problem);
    }

    fn see_number(&mut self, value: f64, row: &Row<'_>, findings: &mut Findings) {
        let column = self
            .quoted_if(self.kind == Kind::Text || !single(value).is_finite() || (self.integer && value.fract() != 0.0));
        let Some(column) = column else {
            self.kind = Kind::Number;
            return;
        };
        let value_text = Quoted::new(&value.to_string());
        if self.kind == Kind::Text {
            self.fault(row, || Problem::Mixed { column, value: value_text, others: "texts" }, findings);
            return;
        }
        self.kind = Kind::Number;
        if !single(value).is_finite() {
            self.fault(row, || Problem::NotFinite { column, value: value_text }, findings);
        } else {
            self.fault(row, || Problem::NotInteger { column, value: value_text }, findings);
        }
    }

    /// Made only where something is wrong: most cells are fine.
    fn quoted_if(&self, wrong: bool) -> Option<Quoted> {
        wrong.then(|| self.quoted())
    }

    fn see_text(&mut self, text: &str, row: &Row<'_>, room: &mut Room, findings: &mut Findings) {
        let (column, value) = (self.quoted(), Quoted::new(text));
        if self.integer {
            return self.fault(row, || Problem::NotInteger { column, value }, findings);
        }
        if self.kind == Kind::Number {
            return self.fault(row, || Problem::Mixed { column, value, others: "numbers" }, findings);
        }
        self.kind = Kind::Text;
        self.names.see(text, room, || row.place(), findings);
    }

    fn see_missing(&mut self, row: &Row<'_>, findings: &mut Findings) {
        self.missing += 1;
        if !self.keep_missing {
            let column = self.quoted();
            self.fault(row, || Problem::MissingValue { column }, findings);
        }
    }

    pub(crate) fn finish(self, table: &crate::rows::Table<'_>, findings: &mut Findings) -> Feature {
        if self.kind == Kind::Unknown {
            findings.error(table.header_place(), Problem::ColumnEmpty { column: self.quoted() });
        }
        let categories = (self.kind == Kind::Text).then(|| self.names.number());
        Feature { name: self.name, place: self.place, categories, missing: self.missing > 0 }
    }
}

/// As it is stored.
#[expect(clippy::cast_possible_truncation, reason = "features are of single precision")]
pub(crate) const fn single(value: f64) -> f32 {
    value as f32
}

impl Feature {
    /// The cell as it is stored; NaN where it is missing. None where it is not what the first pass saw.
    pub(crate) fn value(&self, row: &Row<'_>) -> Option<f32> {
        let cell = row.cell(self.place);
        let Some(categories) = &self.categories else {
            return match cell.number() {
                Number::Is(value) if single(value).is_finite() => Some(single(value)),
                Number::Missing if self.missing => Some(f32::NAN),
                _ => None,
            };
        };
        let mut buffer = String::new();
        match cell.name(&mut buffer) {
            #[expect(clippy::cast_precision_loss, reason = "at most 65,536 categories")]
            Some(name) => categories.get(name).map(|(number, _)| number as f32),
            None => self.missing.then_some(f32::NAN),
        }
    }

    pub(crate) fn column(&self) -> TableColumn {
        let categories = self.categories.as_ref().map(|categories| categories.names.clone()).unwrap_or_default();
        TableColumn { name: self.name.clone(), categories }
    }
}
