//! Classes, events and conditions.

use thimble_datasets::{ColumnValues, Dataset, Split, SplitTable, TaskKind};

use crate::columns::condition;
use crate::cross;
use crate::report::{Breakdown, Cell, CrossTable, Label, MinimumCell, Section, Unit};
use crate::suppress::{Support, one_way};

/// The classes of a task, or its events.
struct Classes {
    title: &'static str,
    unit: Unit,
    labels: Vec<Label>,
}

impl Classes {
    fn of(task: &TaskKind) -> Option<Self> {
        let names = task.class_names();
        let name = |class: u32| names.get(class as usize).cloned().unwrap_or_else(|| format!("class {class}"));
        let mut labels: Vec<Label> = (0..task.classes().unwrap_or(0)).map(|class| Label::value(name(class))).collect();
        let (title, unit) = match task {
            TaskKind::ImageClassification(_) | TaskKind::TextClassification(_) | TaskKind::TabularClassification(_) => {
                ("Classes", Unit::Rows)
            }
            TaskKind::ObjectDetection(_) | TaskKind::InstanceSegmentation(_) => ("Classes", Unit::Objects),
            TaskKind::SemanticSegmentation(pixels) => {
                if pixels.ignore.is_some() {
                    labels.push(Label::value("not counted"));
                }
                ("Classes", Unit::Pixels)
            }
            TaskKind::TimeToEvent => {
                labels = vec![Label::value("censored"), Label::value("event")];
                ("Events", Unit::Rows)
            }
            TaskKind::KeypointDetection(_) | TaskKind::TabularRegression | TaskKind::TimeSeriesForecasting => {
                return None;
            }
        };
        Some(Self { title, unit, labels })
    }

    /// What each class has, and how many rows have any of it.
    fn count(&self, table: &SplitTable) -> (Vec<u64>, Vec<u64>) {
        let mut counts = vec![0_u64; self.labels.len()];
        let mut rows = counts.clone();
        // One more than the last row that had the class.
        let mut last = vec![0_usize; self.labels.len()];
        let Some(values) = labels(table) else { return (counts, rows) };
        for row in 0..table.rows() {
            for index in values.range(row) {
                let Some(class) = class_at(values.values, index) else { continue };
                // A value that is no class can only be the one to ignore, the last label.
                let class = class.min(self.labels.len() - 1);
                counts[class] += 1;
                if last[class] != row + 1 {
                    last[class] = row + 1;
                    rows[class] += 1;
                }
            }
        }
        (counts, rows)
    }

    fn cells(&self, table: &SplitTable, minimum: MinimumCell) -> Vec<Cell> {
        let (counts, rows) = self.count(table);
        match self.unit {
            Unit::Rows => one_way(&counts, Support::Rows, minimum),
            Unit::Objects | Unit::Pixels => one_way(&counts, Support::Shared(&rows), minimum),
        }
    }
}

/// The column of classes or events.
fn labels(table: &SplitTable) -> Option<thimble_datasets::Column<'_>> {
    ["label", "labels", "mask", "event"].into_iter().find_map(|name| {
        let is_target = |field: &&thimble_datasets::Field| field.role == thimble_datasets::Role::Target;
        table.fields().iter().filter(is_target).find(|field| field.name == name)?;
        table.column(name)
    })
}

fn class_at(values: ColumnValues<'_>, index: usize) -> Option<usize> {
    match values {
        ColumnValues::S64(values) => usize::try_from(*values.get(index)?).ok(),
        ColumnValues::U8(values) => values.get(index).map(|&class| usize::from(class)),
        _ => None,
    }
}

/// How often each class, or each event, is.
pub(super) fn section(dataset: &Dataset, minimum: MinimumCell) -> Option<Section> {
    let classes = Classes::of(&dataset.metadataset().task)?;
    let cells = |split| classes.cells(dataset.split(split), minimum);
    let (train, validation) = (cells(Split::Train), cells(Split::Validation));
    let Classes { title, unit, labels } = classes;
    let breakdown = Breakdown { title: title.into(), unit, labels, train, validation };
    Some(Section { title: title.into(), breakdowns: vec![breakdown], ..Section::default() })
}

/// How often each condition is, and each class or event under it.
pub(super) fn conditions(dataset: &Dataset, minimum: MinimumCell) -> Option<Section> {
    let condition = condition(dataset)?;
    let cells = condition.cells(minimum);
    let breakdown = condition.breakdown(&cells, minimum);
    let mut section = Section { title: "Conditions".into(), ..Section::default() };
    let classes = Classes::of(&dataset.metadataset().task).filter(|classes| classes.unit == Unit::Rows);
    if let Some(classes) = classes {
        let size = classes.labels.len() * cells.labels.len();
        if size > cross::MAX_CELLS {
            let limit = cross::MAX_CELLS;
            section
                .notes
                .push(format!("{size} pairs of class and condition are too many to show; at most {limit} are."));
        } else {
            let splits = [
                (Split::Train, &condition.train, &breakdown.train),
                (Split::Validation, &condition.validation, &breakdown.validation),
            ];
            for (split, codes, totals) in splits {
                let table = dataset.split(split);
                let mut counts = vec![vec![0_u64; cells.labels.len()]; classes.labels.len()];
                let Some(labels) = labels(table) else { continue };
                for row in 0..table.rows() {
                    let column = cells.of((codes.code)(row));
                    let class = class_at(labels.values, row).and_then(|class| counts.get_mut(class));
                    if let Some(count) = class.and_then(|row| row.get_mut(column)) {
                        *count += 1;
                    }
                }
                section.cross_tables.push(CrossTable {
                    title: format!("{} under each condition, {split}", classes.title),
                    split,
                    rows: classes.labels.clone(),
                    columns: cells.labels.clone(),
                    cells: cross::two_way(&counts, &hidden(&classes.cells(table, minimum)), &hidden(totals), minimum),
                });
            }
        }
    }
    section.breakdowns.push(breakdown);
    Some(section)
}

fn hidden(cells: &[Cell]) -> Vec<bool> {
    cells.iter().map(|cell| cell.count().is_none()).collect()
}
