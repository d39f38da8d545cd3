//! What an owner may show of a dataset: statistics without small cells, and a notebook without scripts.
//!
//! [`explore`] summarises the training and validation splits of a [`Dataset`] (of the test split, its row count) into an
//! [`Exploration`], which is JSON and one page of HTML. No row, no extreme value and no text of the data is in it, and no count
//! below a minimum, nor enough to compute one: `docs/exploration.md` has the rules and what they do not promise.
//! [`Notebook`] renders the owner's own notebook as a page without running it.

mod categories;
mod columns;
mod correlation;
mod cross;
mod html;
mod notebook;
mod numeric;
mod report;
mod round;
mod sections;
mod suppress;

use thimble_datasets::{Dataset, Split};

pub use notebook::{MAX_NOTEBOOK_BYTES, Notebook, NotebookError};
pub use report::{
    Bin, Breakdown, Cell, Correlations, CrossTable, Distribution, Exploration, ExplorationError, FieldSummary, Label,
    MinimumCell, MinimumCellError, Moments, Quantile, Section, SplitRows, Summary, Suppressed, Unit,
};

/// How a dataset is explored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// The fewest rows that a shown count stands for.
    pub minimum_cell: MinimumCell,
}

/// Summarises a dataset.
///
/// Reads every value of the training and validation splits a few times and none of the test split. Memory is bounded
/// whatever the dataset's size. Deterministic: the same dataset and options give the same exploration.
pub fn explore(dataset: &Dataset, options: &Options) -> Exploration {
    let metadataset = dataset.metadataset();
    let fields = metadataset.fields.iter().map(|field| FieldSummary {
        name: field.name.clone(),
        dtype: field.dtype,
        shape: field.shape.clone(),
        role: field.role,
        ragged: field.ragged,
    });
    Exploration {
        schema_version: report::SCHEMA_VERSION,
        name: metadataset.name.clone(),
        task: metadataset.task.clone(),
        minimum_cell: options.minimum_cell,
        splits: Split::ALL.map(|split| SplitRows { split, rows: metadataset.rows(split) }).into(),
        fields: fields.collect(),
        sections: sections::sections(dataset, options.minimum_cell),
    }
}
