//! What a dataset is, in a few lines. Holds nothing about the test split but its size.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::digest::Digest;
use crate::metadataset::{Field, Metadataset, Role, Split};
use crate::open::Dataset;
use crate::task::TaskKind;

/// A dataset's description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Description {
    /// The dataset's name.
    pub name: String,
    /// The digest of its content. Private for an official dataset.
    pub digest: Digest,
    /// What is predicted.
    pub task: TaskKind,
    /// The columns.
    pub fields: Vec<Field>,
    /// The three splits, in the order train, validation, test.
    pub splits: Vec<SplitDescription>,
}

/// One split's description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SplitDescription {
    /// Which one.
    pub split: Split,
    /// Number of rows.
    pub rows: u64,
    /// Rows per class; null for the test split.
    pub class_counts: Option<ClassCounts>,
}

/// How many rows classes have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClassCounts {
    /// Rows of the rarest class.
    pub min: u64,
    /// Rows of the most frequent class.
    pub max: u64,
}

impl Dataset {
    /// Describes the dataset.
    pub fn describe(&self) -> Description {
        Description::of(self.metadataset())
    }
}

impl Description {
    fn of(metadataset: &Metadataset) -> Self {
        let split = |split| {
            let counts = metadataset.class_counts(split).unwrap_or(&[]).iter().copied();
            let class_counts = counts.clone().min().zip(counts.max()).map(|(min, max)| ClassCounts { min, max });
            SplitDescription { split, rows: metadataset.rows(split), class_counts }
        };
        Self {
            name: metadataset.name.clone(),
            digest: metadataset.digest,
            task: metadataset.task.clone(),
            fields: metadataset.fields.clone(),
            splits: Split::ALL.map(split).into(),
        }
    }
}

impl fmt::Display for Description {
    /// Ends in a newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "dataset  {}", self.name)?;
        writeln!(f, "digest   {}", self.digest)?;
        writeln!(f, "task     {}", self.task)?;
        writeln!(f, "\nfield             type            role")?;
        for Field { name, dtype, shape, role, ragged, .. } in &self.fields {
            let dimensions = shape.iter().map(u32::to_string).collect::<Vec<_>>().join("×");
            let kind = match (shape.is_empty(), ragged) {
                (true, false) => dtype.to_string(),
                (false, false) => format!("{dtype}[{dimensions}]"),
                (true, true) => format!("{dtype}[counts]"),
                (false, true) => format!("{dtype}[counts×{dimensions}]"),
            };
            let role = match role {
                Role::Input => "input",
                Role::Target => "target",
            };
            writeln!(f, "{name:<16}  {kind:<14}  {role}")?;
        }
        writeln!(f, "\nsplit             rows            rows per class")?;
        for SplitDescription { split, rows, class_counts } in &self.splits {
            let counts = match class_counts {
                Some(ClassCounts { min, max }) if min == max => min.to_string(),
                Some(ClassCounts { min, max }) => format!("{min} to {max}"),
                // Nothing is counted in a task without classes.
                None if *split != Split::Test => "none".into(),
                None => "not shown".into(),
            };
            writeln!(f, "{split:<16}  {rows:<14}  {counts}")?;
        }
        Ok(())
    }
}
