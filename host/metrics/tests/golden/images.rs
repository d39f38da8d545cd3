//! How the inputs of cases about images are read.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use thimble_metrics::{
    DetectionInputs, DetectionTruth, Inputs, InstanceInputs, InstanceTruth, KeypointInputs, KeypointTruth,
    SegmentationInputs, SegmentationTruth,
};

use crate::families::Use;
use crate::{integers, number};

pub(crate) fn detection(case: &Value, with: Use<'_>) -> Result<()> {
    let truth = &case["truth"];
    let (counts, boxes, labels) = (counts(truth)?, singles(truth, "boxes")?, integers(truth, "labels")?);
    let classes = number(truth, "classes")? as u32;
    let truth = DetectionTruth { counts: &counts, boxes: &boxes, labels: &labels, classes };
    let (counts, boxes, labels) = (self::counts(case)?, singles(case, "boxes")?, integers(case, "labels")?);
    let scores = singles(case, "scores")?;
    let inputs = DetectionInputs { truth, counts: &counts, boxes: &boxes, labels: &labels, scores: &scores };
    with(&Inputs::Detection(inputs))
}

pub(crate) fn segmentation(case: &Value, with: Use<'_>) -> Result<()> {
    let truth = &case["truth"];
    let (size, masks, classes) = (size(truth)?, pixels(truth)?, number(truth, "classes")? as u32);
    let ignore = truth["ignore"].as_u64().map(u8::try_from).transpose()?;
    let truth = SegmentationTruth { size, masks: &masks, classes, ignore };
    with(&Inputs::Segmentation(SegmentationInputs { truth, masks: &pixels(case)? }))
}

pub(crate) fn instances(case: &Value, with: Use<'_>) -> Result<()> {
    let truth = &case["truth"];
    let (counts, masks, labels) = (counts(truth)?, pixels(truth)?, integers(truth, "labels")?);
    let (size, classes) = (size(truth)?, number(truth, "classes")? as u32);
    let truth = InstanceTruth { size, counts: &counts, masks: &masks, labels: &labels, classes };
    let (counts, masks, labels) = (self::counts(case)?, pixels(case)?, integers(case, "labels")?);
    let scores = singles(case, "scores")?;
    let inputs = InstanceInputs { truth, counts: &counts, masks: &masks, labels: &labels, scores: &scores };
    with(&Inputs::Instances(inputs))
}

pub(crate) fn keypoints(case: &Value, with: Use<'_>) -> Result<()> {
    let truth = &case["truth"];
    let (places, visibility, sigmas) =
        (singles(truth, "places")?, bytes(truth, "visibility")?, leaves(truth, "sigmas")?);
    let boxes = if truth["boxes"].is_null() { None } else { Some(singles(truth, "boxes")?) };
    let areas = if truth["areas"].is_null() { None } else { Some(leaves(truth, "areas")?) };
    let truth = KeypointTruth {
        size: size(truth)?,
        points: number(truth, "points")? as usize,
        places: &places,
        visibility: &visibility,
        boxes: boxes.as_deref(),
        areas: areas.as_deref(),
        sigmas: &sigmas,
    };
    let (places, visibility) = (singles(case, "places")?, singles(case, "visibility")?);
    with(&Inputs::Keypoints(KeypointInputs { truth, places: &places, visibility: &visibility }))
}

/// The numbers of an array of arrays, in order, however deep they are.
fn leaves(inputs: &Value, name: &str) -> Result<Vec<f64>> {
    fn collect(value: &Value, into: &mut Vec<f64>) -> Option<()> {
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| collect(item, into)),
            other => {
                into.push(other.as_f64()?);
                Some(())
            }
        }
    }
    let mut numbers = Vec::new();
    ensure!(inputs[name].is_array(), "no array `{name}`");
    collect(&inputs[name], &mut numbers).with_context(|| format!("`{name}` holds what is no number"))?;
    Ok(numbers)
}

fn singles(inputs: &Value, name: &str) -> Result<Vec<f32>> {
    Ok(leaves(inputs, name)?.into_iter().map(|number| number as f32).collect())
}

fn bytes(inputs: &Value, name: &str) -> Result<Vec<u8>> {
    Ok(leaves(inputs, name)?.into_iter().map(|number| number as u8).collect())
}

fn counts(inputs: &Value) -> Result<Vec<i32>> {
    Ok(leaves(inputs, "counts")?.into_iter().map(|number| number as i32).collect())
}

fn size(inputs: &Value) -> Result<[u32; 2]> {
    match integers(inputs, "size")?[..] {
        [height, width] => Ok([u32::try_from(height)?, u32::try_from(width)?]),
        _ => anyhow::bail!("`size` is not height and width"),
    }
}

/// Masks are runs: a value, how often it comes, the next value, and so on.
fn pixels(inputs: &Value) -> Result<Vec<u8>> {
    let runs = integers(inputs, "masks")?;
    ensure!(runs.len() % 2 == 0, "`masks` ends within a run");
    let mut pixels = Vec::new();
    for run in runs.chunks_exact(2) {
        pixels.extend(std::iter::repeat_n(u8::try_from(run[0])?, usize::try_from(run[1])?));
    }
    Ok(pixels)
}
