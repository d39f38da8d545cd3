//! Columns of tables as numbers and codes.

use thimble_datasets::schema::CONDITION;
use thimble_datasets::{Column, ColumnValues, DType, Dataset, Field, Role, Split, SplitTable};

use crate::categories::{Category, Codes};
use crate::correlation::{MAX_NUMBERS, correlations};
use crate::numeric::{Numbers, Variable, distribution};
use crate::report::{MinimumCell, Section};

/// Most columns that are shown.
pub(crate) const MAX_COLUMNS: usize = 100;

/// One value as a number. Integers beyond 2^53 lose their last bits.
pub(crate) fn number(values: ColumnValues<'_>, index: usize) -> f64 {
    match values {
        ColumnValues::F32(values) => values.get(index).map_or(f64::NAN, |&value| f64::from(value)),
        ColumnValues::F64(values) => values.get(index).copied().unwrap_or(f64::NAN),
        ColumnValues::S64(values) => values.get(index).map_or(f64::NAN, |&value| value as f64),
        ColumnValues::S32(values) => values.get(index).map_or(f64::NAN, |&value| f64::from(value)),
        ColumnValues::S8(values) => values.get(index).map_or(f64::NAN, |&value| f64::from(value)),
        ColumnValues::U8(values) => values.get(index).map_or(f64::NAN, |&value| f64::from(value)),
        ColumnValues::Text(_) => f64::NAN,
    }
}

/// One value as a code; none for a NaN, −1 for what is no whole number.
fn code(values: ColumnValues<'_>, index: usize) -> Option<i64> {
    match values {
        ColumnValues::S64(values) => values.get(index).copied(),
        _ => {
            let value = number(values, index);
            let whole = libm::floor(value) == value && value.abs() < 1e15;
            (!value.is_nan()).then_some(if whole { value as i64 } else { -1 })
        }
    }
}

/// A number that is computed from each row of both splits.
pub(crate) fn variable<'a>(
    dataset: &'a Dataset,
    title: impl Into<String>,
    optional: bool,
    of: impl Fn(&'a SplitTable) -> Option<Box<dyn Fn(usize) -> f64 + 'a>>,
) -> Option<Variable<'a>> {
    let numbers = |split: Split| {
        let table = dataset.split(split);
        Some(Numbers { rows: table.rows(), value: of(table)? })
    };
    Some(Variable {
        title: title.into(),
        optional,
        train: numbers(Split::Train)?,
        validation: numbers(Split::Validation)?,
    })
}

/// A number of a field of one number a row.
pub(crate) fn scalar<'a>(dataset: &'a Dataset, title: &str, field: &'a str) -> Option<Variable<'a>> {
    variable(dataset, title, false, |table| {
        let values = table.column(field)?.values;
        Some(Box::new(move |row| number(values, row)))
    })
}

fn codes<'a>(table: &'a SplitTable, field: &str, column: usize) -> Option<Codes<'a>> {
    let Column { values, width, .. } = table.column(field)?;
    Some(Codes { rows: table.rows(), code: Box::new(move |row| code(values, row * width + column)) })
}

/// Codes of one column of a field.
pub(crate) fn category<'a>(
    dataset: &'a Dataset,
    title: String,
    field: &'a Field,
    column: usize,
) -> Option<Category<'a>> {
    let names = field.columns.get(column).map_or(&[][..], |column| &column.categories);
    Some(Category {
        title,
        names,
        optional: field.missing,
        train: codes(dataset.split(Split::Train), &field.name, column)?,
        validation: codes(dataset.split(Split::Validation), &field.name, column)?,
    })
}

/// What the rows were recorded under.
pub(crate) fn condition(dataset: &Dataset) -> Option<Category<'_>> {
    let field = dataset.metadataset().fields.iter().find(|field| field.name == CONDITION)?;
    category(dataset, "Conditions".into(), field, 0)
}

/// One column of an input.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    field: &'a Field,
    column: usize,
    /// There are other inputs, so the field's name belongs to the column's.
    qualified: bool,
}

impl Place<'_> {
    fn title(&self) -> String {
        let Self { field, column, qualified } = self;
        match field.columns.get(*column) {
            Some(named) if *qualified => format!("{}: {}", field.name, named.name),
            Some(named) => named.name.clone(),
            None if field.shape.is_empty() => field.name.clone(),
            None => format!("{}[{column}]", field.name),
        }
    }

    fn is_category(&self) -> bool {
        self.field.columns.get(self.column).is_some_and(|column| !column.categories.is_empty())
    }
}

/// The columns of the inputs of a table, and how they and `target` correlate.
pub(crate) fn section(dataset: &Dataset, target: Option<&Variable<'_>>, minimum: MinimumCell) -> Section {
    let fields = &dataset.metadataset().fields;
    let inputs: Vec<_> =
        fields.iter().filter(|field| field.role == Role::Input && field.name != CONDITION && !field.ragged).collect();
    let total: usize = inputs.iter().map(|field| field.width()).sum();
    let places = inputs
        .iter()
        .flat_map(|&field| (0..field.width()).map(move |column| Place { field, column, qualified: false }));
    let places = places.map(|place| Place { qualified: inputs.len() > 1, ..place }).take(MAX_COLUMNS);
    let mut section = Section { title: "Columns".into(), ..Section::default() };
    let mut variables = Vec::new();
    for place in places {
        if place.is_category() {
            if let Some(category) = category(dataset, place.title(), place.field, place.column) {
                section.breakdowns.push(category.breakdown(&category.cells(minimum), minimum));
            }
        } else {
            variables.extend(input(dataset, place));
        }
    }
    section.distributions = variables.iter().map(|variable| distribution(variable, minimum)).collect();
    if total > MAX_COLUMNS {
        section.notes.push(format!("The first {MAX_COLUMNS} of {total} columns are shown."));
    }
    let numbers: Vec<_> = target.into_iter().chain(&variables).collect();
    if numbers.len() > MAX_NUMBERS {
        section.notes.push(format!("Correlations are between the first {MAX_NUMBERS} numbers."));
    }
    section.correlations = correlations(&numbers, minimum);
    section
}

fn input<'a>(dataset: &'a Dataset, place: Place<'a>) -> Option<Variable<'a>> {
    let Place { field, column, .. } = place;
    if field.dtype == DType::Text {
        return characters(dataset, &field.name, format!("{}: characters", field.name));
    }
    variable(dataset, place.title(), field.missing, |table| {
        let Column { values, width, .. } = table.column(&field.name)?;
        Some(Box::new(move |row| number(values, row * width + column)))
    })
}

/// Characters of each text.
pub(crate) fn characters<'a>(dataset: &'a Dataset, field: &str, title: String) -> Option<Variable<'a>> {
    variable(dataset, title, false, |table| match table.column(field)?.values {
        ColumnValues::Text(texts) => Some(Box::new(move |row| texts.get(row).chars().count() as f64)),
        _ => None,
    })
}
