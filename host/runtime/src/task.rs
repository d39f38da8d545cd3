//! What a guest is told about the challenge.

use thimble_challenge::Challenge;
use thimble_challenge::challenge::ScoreRule;
use thimble_datasets::{DType, TaskKind};

use crate::contract::{Column, Dtype, Field, Kind, Metadata};

/// Everything in a `metadata` record, ready to be lent.
#[derive(Debug, Clone)]
pub struct Description {
    kind: Kind,
    inputs: Vec<thimble_datasets::Field>,
    targets: Vec<thimble_datasets::Field>,
    outputs: Vec<thimble_datasets::Field>,
    classes: u32,
    class_names: Vec<String>,
    metric: String,
    param_limit: u64,
    baseline: f64,
    samples: [u64; 3],
    seed: u64,
}

impl Description {
    /// Of a challenge and the rows of the training, validation and test split of data that is bound to it.
    pub fn new(challenge: &Challenge, rows: [u64; 3]) -> Self {
        Self {
            kind: kind(&challenge.task),
            inputs: challenge.inputs().cloned().collect(),
            targets: challenge.targets().cloned().collect(),
            outputs: challenge.outputs(),
            classes: challenge.task.classes().unwrap_or(0),
            class_names: match &challenge.task {
                TaskKind::KeypointDetection(points) => points.point_names.clone(),
                task => task.class_names().to_vec(),
            },
            metric: challenge.ranking.metric.clone(),
            param_limit: challenge.limits.parameters.0,
            baseline: match &challenge.score {
                ScoreRule::LinearAboveBaseline { baseline } => *baseline,
                ScoreRule::Metric => 0.0,
                ScoreRule::Composite(composite) => composite.floor,
            },
            samples: rows,
            seed: challenge.seed,
        }
    }

    /// Fields of a batch's inputs, in order.
    pub fn inputs(&self) -> &[thimble_datasets::Field] {
        &self.inputs
    }

    /// Lends the record that `solve` and `load` are given.
    pub fn lend<T>(&self, then: impl FnOnce(Metadata<'_>) -> T) -> T {
        let class_names: Vec<&str> = self.class_names.iter().map(String::as_str).collect();
        let [train_samples, val_samples, test_samples] = self.samples;
        let input_dim = self.inputs.first().map_or(0, thimble_datasets::Field::width);
        lend_fields(&self.inputs, |inputs| {
            lend_fields(&self.targets, |targets| {
                lend_fields(&self.outputs, |outputs| {
                    then(Metadata {
                        kind: self.kind,
                        inputs,
                        targets,
                        outputs,
                        num_classes: self.classes,
                        class_names: &class_names,
                        // A row has at most 2^24 values.
                        input_dim: input_dim as u32,
                        metric: &self.metric,
                        param_limit: self.param_limit,
                        baseline_accuracy: self.baseline,
                        train_samples,
                        val_samples,
                        test_samples,
                        // The same word on every target: the comparable result must not depend on it.
                        device: "cpu",
                        seed: self.seed,
                    })
                })
            })
        })
    }

    /// Bytes of the record, for the meter.
    pub(crate) fn bytes(&self) -> u64 {
        let text = |texts: &[String]| texts.iter().map(|text| text.len() as u64).sum::<u64>();
        let field = |field: &thimble_datasets::Field| {
            let column = |column: &thimble_datasets::TableColumn| column.name.len() as u64 + text(&column.categories);
            let plain = field.name.len() + field.shape.len() * 4;
            plain as u64 + field.columns.iter().map(column).sum::<u64>()
        };
        let numbers = 4 + 4 + 8 + 8 + 3 * 8 + 8;
        let fields = self.inputs.iter().chain(&self.targets).chain(&self.outputs).map(field).sum::<u64>();
        numbers + fields + text(&self.class_names) + (self.metric.len() + "cpu".len()) as u64
    }
}

/// Lends fields with their columns and categories, each of which is a slice of slices.
fn lend_fields<T>(fields: &[thimble_datasets::Field], then: impl FnOnce(&[Field<'_>]) -> T) -> T {
    let categories: Vec<Vec<Vec<&str>>> = fields
        .iter()
        .map(|field| {
            field.columns.iter().map(|column| column.categories.iter().map(String::as_str).collect()).collect()
        })
        .collect();
    let columns: Vec<Vec<Column<'_>>> = fields
        .iter()
        .zip(&categories)
        .map(|(field, categories)| {
            let column = |(column, categories)| lend_column(column, categories);
            field.columns.iter().zip(categories).map(column).collect()
        })
        .collect();
    let lent: Vec<Field<'_>> = fields
        .iter()
        .zip(&columns)
        .map(|(field, columns)| Field {
            name: &field.name,
            dtype: dtype(field.dtype),
            shape: &field.shape,
            ragged: field.ragged,
            missing: field.missing,
            columns,
        })
        .collect();
    then(&lent)
}

fn lend_column<'a>(column: &'a thimble_datasets::TableColumn, categories: &'a Vec<&'a str>) -> Column<'a> {
    Column { name: &column.name, categories }
}

const fn kind(task: &TaskKind) -> Kind {
    match task {
        TaskKind::ImageClassification(_) => Kind::ImageClassification,
        TaskKind::TextClassification(_) => Kind::TextClassification,
        TaskKind::TabularClassification(_) => Kind::TabularClassification,
        TaskKind::ObjectDetection(_) => Kind::ObjectDetection,
        TaskKind::SemanticSegmentation(_) => Kind::SemanticSegmentation,
        TaskKind::InstanceSegmentation(_) => Kind::InstanceSegmentation,
        TaskKind::KeypointDetection(_) => Kind::KeypointDetection,
        TaskKind::TabularRegression => Kind::TabularRegression,
        TaskKind::TimeSeriesForecasting => Kind::TimeSeriesForecasting,
        TaskKind::TimeToEvent => Kind::TimeToEvent,
    }
}

const fn dtype(dtype: DType) -> Dtype {
    match dtype {
        DType::F32 => Dtype::F32,
        DType::F64 => Dtype::F64,
        DType::S64 => Dtype::S64,
        DType::S32 => Dtype::S32,
        DType::S8 => Dtype::S8,
        DType::U8 => Dtype::U8,
        DType::Text => Dtype::Text,
    }
}
