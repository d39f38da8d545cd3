//! The golden files, and how the inputs of their cases are read.

use anyhow::Result;
use serde_json::Value;
use thimble_metrics::{
    ClassificationInputs, ClassificationTruth, ForecastInputs, ForecastTruth, Inputs, RegressionInputs,
    RegressionTruth, SurvivalInputs, SurvivalTruth, Task,
};

use crate::images;
use crate::{integers, number, numbers};

/// Does something with the inputs that it is lent.
pub(crate) type Use<'a> = &'a mut dyn FnMut(&Inputs<'_>) -> Result<()>;

/// A golden file.
pub(crate) struct Family {
    /// Its name in this directory.
    pub(crate) file: &'static str,
    /// The tasks that all its cases are scored as.
    pub(crate) tasks: &'static [Task],
    /// Reads the inputs of a case and lends them.
    pub(crate) with_inputs: fn(&Value, Use<'_>) -> Result<()>,
}

/// All of them; one that is missing fails.
pub(crate) const FAMILIES: &[Family] = &[
    Family {
        file: "classification.json",
        tasks: &[Task::ImageClassification, Task::TextClassification, Task::TabularClassification],
        with_inputs: classification,
    },
    Family { file: "regression.json", tasks: &[Task::TabularRegression], with_inputs: regression },
    Family { file: "forecast.json", tasks: &[Task::TimeSeriesForecasting], with_inputs: forecast },
    Family { file: "survival.json", tasks: &[Task::TimeToEvent], with_inputs: survival },
    Family { file: "detection.json", tasks: &[Task::ObjectDetection], with_inputs: images::detection },
    Family { file: "segmentation.json", tasks: &[Task::SemanticSegmentation], with_inputs: images::segmentation },
    Family { file: "instances.json", tasks: &[Task::InstanceSegmentation], with_inputs: images::instances },
    Family { file: "keypoints.json", tasks: &[Task::KeypointDetection], with_inputs: images::keypoints },
];

fn classification(case: &Value, with: Use<'_>) -> Result<()> {
    let labels = integers(case, "labels")?;
    let scores: Vec<_> = numbers(case, "scores")?.into_iter().map(|score| score as f32).collect();
    let (classes, positive) = (number(case, "classes")? as u32, number(case, "positive")? as u32);
    let truth = ClassificationTruth { labels: &labels, classes, positive, ordinal: true };
    with(&Inputs::Classification(ClassificationInputs { truth, scores: &scores }))
}

fn regression(case: &Value, with: Use<'_>) -> Result<()> {
    let (targets, predictions) = (numbers(case, "targets")?, numbers(case, "predictions")?);
    let truth = RegressionTruth { targets: &targets };
    with(&Inputs::Regression(RegressionInputs { truth, predictions: &predictions }))
}

fn forecast(case: &Value, with: Use<'_>) -> Result<()> {
    let (targets, predictions) = (numbers(case, "targets")?, numbers(case, "predictions")?);
    let (last, horizon) = (numbers(case, "last")?, number(case, "horizon")? as usize);
    let truth = ForecastTruth { horizon, targets: &targets, last: &last };
    with(&Inputs::Forecast(ForecastInputs { truth, predictions: &predictions }))
}

fn survival(case: &Value, with: Use<'_>) -> Result<()> {
    let (times, events, risks) = (numbers(case, "times")?, integers(case, "events")?, numbers(case, "risks")?);
    let (horizon, prevalence) = (number(case, "horizon")?, number(case, "prevalence")?);
    let truth = SurvivalTruth { times: &times, events: &events, horizon, prevalence };
    with(&Inputs::Survival(SurvivalInputs { truth, risks: &risks }))
}
