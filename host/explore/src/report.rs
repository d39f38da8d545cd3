//! What an exploration holds: nothing here can be a row, an extreme value or a text of the data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thimble_datasets::{DType, Role, Split, TaskKind};

/// The only `schema_version` there is.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// No count is larger: pixels of the largest split are fewer. A few million of them can be added.
const MAX_COUNT: u64 = 1 << 40;

/// A text that is no exploration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ExplorationError(String);

/// The fewest rows that a shown count may stand for: 2 to 1,000, 5 unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct MinimumCell(u64);

/// A minimum that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the minimum cell is {value}, it must be {} to {}", MinimumCell::LEAST, MinimumCell::MOST)]
pub struct MinimumCellError {
    /// What was asked for.
    pub value: u64,
}

impl MinimumCell {
    /// The smallest: with 1 a single row would be shown.
    pub const LEAST: u64 = 2;
    /// The largest.
    pub const MOST: u64 = 1000;

    /// A minimum of `value` rows.
    ///
    /// # Errors
    /// It is not 2 to 1,000.
    pub const fn new(value: u64) -> Result<Self, MinimumCellError> {
        if value < Self::LEAST || value > Self::MOST {
            return Err(MinimumCellError { value });
        }
        Ok(Self(value))
    }

    /// The number of rows.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for MinimumCell {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl Default for MinimumCell {
    fn default() -> Self {
        Self(5)
    }
}

/// A count that may be shown, or that there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Cell {
    /// At least the minimum.
    Count(u64),
    /// Below the minimum, or hidden to protect one that is.
    Suppressed(Suppressed),
}

/// The text `suppressed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Suppressed {
    /// In the place of a number.
    Suppressed,
}

impl Cell {
    /// A count that is not shown.
    pub const SUPPRESSED: Self = Self::Suppressed(Suppressed::Suppressed);

    /// The number, if it is shown.
    pub const fn count(self) -> Option<u64> {
        match self {
            Self::Count(count) => Some(count),
            Self::Suppressed(_) => None,
        }
    }
}

/// Statistics of a dataset's training and validation splits, without small cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Exploration {
    /// Always 1.
    pub schema_version: u32,
    /// The dataset's name.
    pub name: String,
    /// What is predicted, with the names that its owner declared.
    pub task: TaskKind,
    /// The fewest rows that a shown count stands for.
    pub minimum_cell: MinimumCell,
    /// Rows of train, validation and test; of the test split nothing else is here.
    pub splits: Vec<SplitRows>,
    /// The dataset's fields.
    pub fields: Vec<FieldSummary>,
    /// The statistics.
    pub sections: Vec<Section>,
}

/// The size of a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SplitRows {
    /// Which one.
    pub split: Split,
    /// Number of rows.
    pub rows: u64,
}

/// A field, without its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldSummary {
    /// Its name.
    pub name: String,
    /// The element type.
    pub dtype: DType,
    /// The shape of one row, or of one item of a ragged field.
    pub shape: Vec<u32>,
    /// Whether it is predicted from or predicted.
    pub role: Role,
    /// Whether rows have varying numbers of items.
    pub ragged: bool,
}

/// Statistics that belong together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Section {
    /// What they are of.
    pub title: String,
    /// What a reader must know, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Counts in one dimension.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breakdowns: Vec<Breakdown>,
    /// Counts in two dimensions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cross_tables: Vec<CrossTable>,
    /// Numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub distributions: Vec<Distribution>,
    /// Correlations of the training split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlations: Option<Correlations>,
}

/// What a count is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Rows of the dataset.
    Rows,
    /// Objects in images.
    Objects,
    /// Pixels of images.
    Pixels,
}

/// What a cell is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Label {
    /// A class, a category or a condition.
    Value {
        /// Its name.
        name: String,
    },
    /// All others, whose names are not shown.
    Other {
        /// How many were declared; none where nobody declared them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        categories: Option<u64>,
    },
    /// No value.
    Missing,
}

impl Label {
    /// A cell of a name.
    pub fn value(name: impl Into<String>) -> Self {
        Self::Value { name: name.into() }
    }
}

/// How often each of some values is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Breakdown {
    /// What is counted.
    pub title: String,
    /// What a count is of.
    pub unit: Unit,
    /// The values, one a cell. Every row (object, pixel) is in one.
    pub labels: Vec<Label>,
    /// Counts of the training split, in the order of the labels.
    pub train: Vec<Cell>,
    /// Counts of the validation split, in the order of the labels.
    pub validation: Vec<Cell>,
}

/// How often each pair of values is, in one split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CrossTable {
    /// What is counted.
    pub title: String,
    /// The split.
    pub split: Split,
    /// What the rows of the table are.
    pub rows: Vec<Label>,
    /// What its columns are.
    pub columns: Vec<Label>,
    /// Rows of the dataset: a list for each row of the table, a count for each column.
    pub cells: Vec<Vec<Cell>>,
}

/// How a number is distributed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Distribution {
    /// What is measured.
    pub title: String,
    /// Of the training split.
    pub train: Summary,
    /// Of the validation split.
    pub validation: Summary,
}

/// A number in one split. None of its figures is an extreme value: see the fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Rows without a value; none where every row must have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Cell>,
    /// Mean, deviation and quantiles; none where there are fewer than four times the minimum of rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moments: Option<Moments>,
    /// The rows with a value, from low to high.
    pub bins: Vec<Bin>,
}

/// Mean, deviation and quantiles, of which at least the minimum of rows lies on either side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Moments {
    /// Mean to three significant digits. Values beyond the 1st and 99th percentile (further inside in small splits) count as
    /// these.
    pub mean: f64,
    /// Standard deviation of the same, to three significant digits.
    pub deviation: f64,
    /// Quantiles, rounded to steps of about a twentieth of the range between the bounds of the mean.
    pub quantiles: Vec<Quantile>,
}

/// A quantile.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quantile {
    /// How many percent of the values are at most this.
    pub percent: u32,
    /// Rounded.
    pub value: f64,
}

/// A bin of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bin {
    /// The smallest value in it; none where it is open.
    pub from: Option<f64>,
    /// The smallest value above it; none where it is open.
    pub to: Option<f64>,
    /// Rows in it.
    pub count: Cell,
}

/// Correlations after Pearson between numbers of the training split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Correlations {
    /// The numbers, at most 50.
    pub names: Vec<String>,
    /// Symmetric; to two decimals, of values bounded as for [`Moments::mean`]; null where one of the two is constant or too few
    /// rows have both.
    pub values: Vec<Vec<Option<f64>>>,
}

impl Exploration {
    /// The JSON Schema of an exploration, with a final newline.
    pub fn schema() -> String {
        format!("{:#}\n", schemars::schema_for!(Self).to_value())
    }

    /// Reads an exploration back: what [`to_json`](Self::to_json) writes.
    ///
    /// # Errors
    /// Another form, another version, or a count that no dataset has.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ExplorationError> {
        let exploration: Self = serde_json::from_slice(bytes).map_err(|error| ExplorationError(error.to_string()))?;
        if exploration.schema_version != SCHEMA_VERSION {
            let found = exploration.schema_version;
            return Err(ExplorationError(format!("schema_version must be {SCHEMA_VERSION}; found {found}")));
        }
        if exploration.counts().any(|count| count > MAX_COUNT) {
            return Err(ExplorationError(format!("a count must be at most {MAX_COUNT}")));
        }
        Ok(exploration)
    }

    /// Every count that is shown.
    fn counts(&self) -> impl Iterator<Item = u64> {
        let of_breakdown = |breakdown: &Breakdown| [breakdown.train.clone(), breakdown.validation.clone()].concat();
        let of_summary = |summary: &Summary| -> Vec<Cell> {
            summary.bins.iter().map(|bin| bin.count).chain(summary.missing).collect()
        };
        let cells = self.sections.iter().flat_map(move |section| {
            let breakdowns = section.breakdowns.iter().flat_map(of_breakdown);
            let tables = section.cross_tables.iter().flat_map(|table| table.cells.concat());
            let distributions = section.distributions.iter().flat_map(move |distribution| {
                [of_summary(&distribution.train), of_summary(&distribution.validation)].concat()
            });
            breakdowns.chain(tables).chain(distributions)
        });
        cells.filter_map(Cell::count).chain(self.splits.iter().map(|split| split.rows))
    }

    /// The exploration as JSON, with a final newline. The same bytes for the same dataset and options.
    pub fn to_json(&self) -> String {
        // Numbers are finite and keys are texts, so nothing of it can be refused.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_dataset_has_is_no_exploration() {
        let text = |version: u32, minimum: u64, rows: u64| {
            format!(
                r#"{{"schema_version": {version}, "name": "a", "task": {{"kind": "tabular_regression"}}, "fields": [],
                "minimum_cell": {minimum}, "splits": [{{"split": "train", "rows": {rows}}}], "sections": []}}"#
            )
        };
        let read = |text: String| Exploration::from_json(text.as_bytes());
        assert!(read(text(1, 5, 10)).is_ok(), "{:?}", read(text(1, 5, 10)));
        for bad in [text(2, 5, 10), text(1, 1, 10), text(1, 5, MAX_COUNT + 1), text(1, 5, 10) + "x", "[]".to_owned()] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
    }
}
