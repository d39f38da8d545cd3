//! What a challenge owns: the targets of its test split, and what metrics need beside them.

use std::collections::BTreeMap;

use thimble_datasets::{ColumnValues, DType, SplitTable, TaskKind};
use thimble_metrics::{
    ClassificationInputs, ClassificationTruth, DetectionInputs, DetectionTruth, ForecastInputs, ForecastTruth,
    InputError, Inputs, InstanceInputs, InstanceTruth, KeypointInputs, KeypointTruth, MetricValue, RegressionInputs,
    RegressionTruth, SegmentationInputs, SegmentationTruth, SurvivalInputs, SurvivalTruth, Task,
};

use crate::baseline::survival_horizon;
use crate::predictions::Predictions;

/// What the owner of a challenge chooses.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Options {
    /// Of the metrics.
    pub metrics: thimble_metrics::Options,
    /// F1 of time to event: the horizon; none for the median time of the training split's events.
    pub event_horizon: Option<f64>,
}

/// The targets of a split that is predicted, ready for metrics.
#[derive(Debug)]
pub struct Truth<'a> {
    task: &'a TaskKind,
    test: &'a SplitTable,
    options: Options,
    beside: Beside,
    sigmas: Vec<f64>,
}

/// What metrics need beside targets.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Beside {
    /// Tasks of images: height and width in pixels.
    pub size: [u32; 2],
    /// Time series forecasting: the last value of each row's window.
    pub last: Vec<f64>,
    /// Time to event: the time until which an event is a positive in F1.
    pub horizon: f64,
    /// Time to event: the share of events until the horizon, 0 to 1.
    pub prevalence: f64,
}

/// Why a split holds no targets of a task.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the split has no {dtype} field `{field}`")]
pub struct TruthError {
    field: String,
    dtype: DType,
}

/// Why metrics cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
    /// The split does not have the task's targets.
    #[error(transparent)]
    Truth(#[from] TruthError),
    /// The predictions do not have the task's outputs.
    #[error("the predictions have no field `{0}`")]
    Predictions(&'static str),
    /// The metric is none of the task's, or truth and predictions do not fit.
    #[error(transparent)]
    Input(#[from] InputError),
}

macro_rules! column {
    ($name:ident, $variant:ident, $element:ty) => {
        fn $name<'s>(split: &'s SplitTable, name: &str) -> Result<&'s [$element], TruthError> {
            match split.column(name).map(|column| column.values) {
                Some(ColumnValues::$variant(values)) => Ok(values),
                _ => Err(TruthError { field: name.to_owned(), dtype: DType::$variant }),
            }
        }
    };
}

column!(f32s, F32, f32);
column!(f64s, F64, f64);
column!(s64s, S64, i64);
column!(s32s, S32, i32);
column!(u8s, U8, u8);

macro_rules! predicted {
    ($predictions:expr, $name:literal, $variant:ident) => {
        match $predictions.column($name) {
            Some(ColumnValues::$variant(values)) => values,
            _ => return Err(EvaluateError::Predictions($name)),
        }
    };
}

impl Beside {
    /// From the two splits of [`Truth::new`].
    fn of_splits(
        task: &TaskKind,
        train: &SplitTable,
        test: &SplitTable,
        options: &Options,
    ) -> Result<Self, TruthError> {
        let mut beside = Self::default();
        if let Some(&[height, width, _]) = test.column("image").map(|image| image.shape) {
            beside.size = [height, width];
        }
        match task {
            TaskKind::TimeSeriesForecasting => beside.last = last_values(test)?,
            TaskKind::TimeToEvent => beside.known_from(train, options)?,
            _ => {}
        }
        Ok(beside)
    }

    /// What metrics need beside the targets of some rows.
    fn at(&self, rows: &[usize]) -> Self {
        let last = rows.iter().filter_map(|&row| self.last.get(row).copied()).collect();
        Self { last, ..self.clone() }
    }

    /// Takes the horizon of time to event, and the share of events until then, from these rows.
    ///
    /// # Errors
    /// They have no `time` or no `event`.
    pub fn known_from(&mut self, split: &SplitTable, options: &Options) -> Result<(), TruthError> {
        let (times, events) = (f64s(split, "time")?, s64s(split, "event")?);
        (self.horizon, self.prevalence) = survival_horizon(times, events, options.event_horizon);
        Ok(())
    }
}

impl<'a> Truth<'a> {
    /// Of a task and two splits of its data: `test` is predicted, `train` gives the horizon of time to event.
    ///
    /// # Errors
    /// A split does not have the task's fields.
    pub fn new(
        task: &'a TaskKind,
        train: &SplitTable,
        test: &'a SplitTable,
        options: Options,
    ) -> Result<Self, TruthError> {
        let beside = Beside::of_splits(task, train, test, &options)?;
        Ok(Self::with(task, test, beside, options))
    }

    /// Of targets alone ([`SplitTable::of_targets`]) and what else is known.
    pub fn with(task: &'a TaskKind, test: &'a SplitTable, beside: Beside, options: Options) -> Self {
        let sigmas = match task {
            TaskKind::KeypointDetection(points) => points.skeleton.sigmas(points.point_names.len()),
            _ => Vec::new(),
        };
        Self { task, test, options, beside, sigmas }
    }

    /// Number of rows.
    pub const fn rows(&self) -> usize {
        self.test.rows()
    }

    /// What `ask` finds on the targets of some rows, in the order given; each is below [`Self::rows`].
    pub fn at<R>(&self, rows: &[usize], ask: impl FnOnce(&Truth<'_>) -> R) -> R {
        let targets = self.test.targets_at(rows);
        ask(&Truth::with(self.task, &targets, self.beside.at(rows), self.options))
    }

    /// Metrics of predictions by name.
    ///
    /// # Errors
    /// A metric is none of the task's, or the predictions are not of the task or of this split.
    pub fn evaluate<'n>(
        &self,
        task: Task,
        names: impl IntoIterator<Item = &'n str>,
        predictions: &Predictions,
    ) -> Result<BTreeMap<String, MetricValue>, EvaluateError> {
        let inputs = self.inputs(predictions)?;
        let value = |name: &str| thimble_metrics::evaluate(task, name, &inputs, &self.options.metrics);
        names.into_iter().map(|name| Ok((name.to_owned(), value(name)?))).collect()
    }

    /// Why a metric says nothing about any submission on these targets; none where it does.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub fn degenerate(&self, task: Task, name: &str) -> Result<Option<String>, EvaluateError> {
        Ok(thimble_metrics::degenerate(task, name, &self.truth()?, &self.options.metrics)?)
    }

    /// Object detection: the average precision of each class; none of a class without objects.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub fn average_precision_per_class(&self, predictions: &Predictions) -> Result<Vec<Option<f64>>, EvaluateError> {
        match self.inputs(predictions)? {
            Inputs::Detection(inputs) => Ok(thimble_metrics::average_precision_per_class(&inputs)?),
            _ => Err(InputError::OtherTask(Task::ObjectDetection).into()),
        }
    }

    fn truth(&self) -> Result<thimble_metrics::Truth<'_>, TruthError> {
        use thimble_metrics::Truth;
        Ok(match self.task {
            TaskKind::ImageClassification(_) | TaskKind::TextClassification(_) | TaskKind::TabularClassification(_) => {
                Truth::Classification(self.classification()?)
            }
            TaskKind::ObjectDetection(_) => Truth::Detection(self.detection()?),
            TaskKind::SemanticSegmentation(_) => Truth::Segmentation(self.segmentation()?),
            TaskKind::InstanceSegmentation(_) => Truth::Instances(self.instances()?),
            TaskKind::KeypointDetection(_) => Truth::Keypoints(self.keypoints()?),
            TaskKind::TabularRegression => Truth::Regression(RegressionTruth { targets: f64s(self.test, "target")? }),
            TaskKind::TimeSeriesForecasting => Truth::Forecast(self.forecast()?),
            TaskKind::TimeToEvent => Truth::Survival(self.survival()?),
        })
    }

    fn inputs<'p>(&'p self, predictions: &'p Predictions) -> Result<Inputs<'p>, EvaluateError> {
        use thimble_metrics::Truth;
        Ok(match self.truth()? {
            Truth::Classification(truth) => {
                Inputs::Classification(ClassificationInputs { truth, scores: predicted!(predictions, "scores", F32) })
            }
            Truth::Detection(truth) => Inputs::Detection(DetectionInputs {
                truth,
                counts: predicted!(predictions, "counts", S32),
                boxes: predicted!(predictions, "boxes", F32),
                labels: predicted!(predictions, "labels", S64),
                scores: predicted!(predictions, "scores", F32),
            }),
            Truth::Segmentation(truth) => {
                Inputs::Segmentation(SegmentationInputs { truth, masks: predicted!(predictions, "mask", U8) })
            }
            Truth::Instances(truth) => Inputs::Instances(InstanceInputs {
                truth,
                counts: predicted!(predictions, "counts", S32),
                masks: predicted!(predictions, "masks", U8),
                labels: predicted!(predictions, "labels", S64),
                scores: predicted!(predictions, "scores", F32),
            }),
            Truth::Keypoints(truth) => Inputs::Keypoints(KeypointInputs {
                truth,
                places: predicted!(predictions, "keypoints", F32),
                visibility: predicted!(predictions, "visibility", F32),
            }),
            Truth::Regression(truth) => {
                Inputs::Regression(RegressionInputs { truth, predictions: predicted!(predictions, "values", F64) })
            }
            Truth::Forecast(truth) => {
                Inputs::Forecast(ForecastInputs { truth, predictions: predicted!(predictions, "horizon", F64) })
            }
            Truth::Survival(truth) => {
                Inputs::Survival(SurvivalInputs { truth, risks: predicted!(predictions, "risk", F64) })
            }
        })
    }

    fn classification(&self) -> Result<ClassificationTruth<'_>, TruthError> {
        let (mut positive, mut ordinal) = (1, false);
        if let TaskKind::ImageClassification(classes)
        | TaskKind::TextClassification(classes)
        | TaskKind::TabularClassification(classes) = self.task
        {
            positive = classes.positive.unwrap_or(1);
            ordinal = classes.ordinal;
        }
        let labels = s64s(self.test, "label")?;
        Ok(ClassificationTruth { labels, classes: self.task.classes().unwrap_or(0), positive, ordinal })
    }

    fn detection(&self) -> Result<DetectionTruth<'_>, TruthError> {
        Ok(DetectionTruth {
            counts: s32s(self.test, "counts")?,
            boxes: f32s(self.test, "boxes")?,
            labels: s64s(self.test, "labels")?,
            classes: self.task.classes().unwrap_or(0),
        })
    }

    fn segmentation(&self) -> Result<SegmentationTruth<'_>, TruthError> {
        let ignore = if let TaskKind::SemanticSegmentation(pixels) = self.task { pixels.ignore } else { None };
        let (masks, classes) = (u8s(self.test, "mask")?, self.task.classes().unwrap_or(0));
        Ok(SegmentationTruth { size: self.beside.size, masks, classes, ignore })
    }

    fn instances(&self) -> Result<InstanceTruth<'_>, TruthError> {
        Ok(InstanceTruth {
            size: self.beside.size,
            counts: s32s(self.test, "counts")?,
            masks: u8s(self.test, "masks")?,
            labels: s64s(self.test, "labels")?,
            classes: self.task.classes().unwrap_or(0),
        })
    }

    fn keypoints(&self) -> Result<KeypointTruth<'_>, TruthError> {
        Ok(KeypointTruth {
            size: self.beside.size,
            points: self.sigmas.len(),
            places: f32s(self.test, "keypoints")?,
            visibility: u8s(self.test, "visibility")?,
            boxes: f32s(self.test, "box").ok(),
            areas: f64s(self.test, "area").ok(),
            sigmas: &self.sigmas,
        })
    }

    fn forecast(&self) -> Result<ForecastTruth<'_>, TruthError> {
        let column = self.test.column("horizon");
        let horizon = column.map_or(0, |column| column.width);
        Ok(ForecastTruth { horizon, targets: f64s(self.test, "horizon")?, last: &self.beside.last })
    }

    fn survival(&self) -> Result<SurvivalTruth<'_>, TruthError> {
        Ok(SurvivalTruth {
            times: f64s(self.test, "time")?,
            events: s64s(self.test, "event")?,
            horizon: self.beside.horizon,
            prevalence: self.beside.prevalence,
        })
    }
}

/// The last value of channel 0 of each window.
pub(crate) fn last_values(split: &SplitTable) -> Result<Vec<f64>, TruthError> {
    let missing = || TruthError { field: "window".to_owned(), dtype: DType::F32 };
    let window = split.column("window").ok_or_else(missing)?;
    let (ColumnValues::F32(values), &[_, channels]) = (window.values, window.shape) else { return Err(missing()) };
    let last = window.width.saturating_sub(channels as usize);
    Ok(values.chunks_exact(window.width.max(1)).map(|window| f64::from(window[last])).collect())
}

#[cfg(test)]
mod tests {
    use thimble_datasets::{Classes, Field, Table, Values};

    use super::*;
    use crate::check::OutputSchema;

    #[test]
    fn targets_that_are_in_no_file_are_checked_and_scored() -> Result<(), Box<dyn std::error::Error>> {
        let fields = || {
            vec![
                Field::target("counts", DType::S32, &[]),
                Field::target("boxes", DType::F32, &[4]).ragged(),
                Field::target("labels", DType::S64, &[]).ragged(),
            ]
        };
        let task = TaskKind::ObjectDetection(Classes::unnamed(2));
        let split = |label: i64| {
            let columns =
                vec![Values::S32(vec![0, 1]), Values::F32(vec![0.0, 0.0, 1.0, 1.0]), Values::S64(vec![label])];
            SplitTable::of_targets(&task, fields(), Table { rows: 2, columns })
        };
        let error = split(2).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("field `labels`: the label of row 1 is 2, classes are 0 to 1"));
        let split = split(1)?;
        assert_eq!(split.column("boxes").map(|boxes| boxes.range(1)), Some(0..4));
        let truth = Truth::with(&task, &split, Beside::default(), Options::default());
        let schema = OutputSchema::new(&task, &fields(), []);
        let boxes = [0.0, 0.0, 1.0, 1.0];
        let columns =
            [ColumnValues::S32(&[0, 1]), ColumnValues::F32(&boxes), ColumnValues::S64(&[1]), ColumnValues::F32(&[0.5])];
        let predictions = Predictions::of(schema.fields(), 2, &columns);
        // As in COCO's evaluation, what a precision is divided by is larger by one epsilon.
        let precisions = truth.average_precision_per_class(&predictions)?;
        assert_eq!(precisions[0], None);
        assert!(precisions[1].is_some_and(|precision| (precision - 1.0).abs() < 1e-12), "{precisions:?}");
        Ok(())
    }

    #[test]
    fn a_missing_field_is_named_with_its_type() {
        let error = TruthError { field: "label".to_owned(), dtype: DType::S64 };
        assert_eq!(error.to_string(), "the split has no s64 field `label`");
    }
}
