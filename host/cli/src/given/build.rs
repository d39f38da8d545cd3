//! Tables and arrays as the fields of a task.
//!
//! An array of a `.npz` file has the name and the shape of its field (`thimble_datasets::schema`); a table has a column for each
//! number: `score_CLASS` or `p0`, `p1`, …, `h1`, `h2`, …, `NAME_x`, `NAME_y`, `NAME_v`.

use std::path::Path;

use thimble_datasets::{DType, Field, Values};
use thimble_ingest::Reading;
use thimble_ingest::limits::WHOLE_BYTES;
use thimble_metrics::{Metric, Reads, Task};

use super::Unchecked;
use super::declared::{ClassList, DeclaredOpts};
use super::pairing::{pair, quoted};
use super::side::{Block, Side};
use crate::exit::Failure;

/// Which of the two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Targets,
    Predictions,
}

/// What a file of a task has under a name.
fn reading(task: Task, which: Which, name: &str) -> Option<Reading> {
    let targets = which == Which::Targets;
    let known = match task {
        Task::ImageClassification | Task::TextClassification | Task::TabularClassification => match name {
            "label" => return Some(Reading::Name),
            "scores" => !targets,
            _ => !targets && is_score(name),
        },
        Task::ObjectDetection => matches!(name, "counts" | "boxes" | "labels") || (name == "scores" && !targets),
        Task::InstanceSegmentation => matches!(name, "counts" | "masks" | "labels") || (name == "scores" && !targets),
        Task::SemanticSegmentation => name == "mask",
        Task::KeypointDetection => {
            let of_instance = name.starts_with("box") || name == "area";
            let of_point = ["_x", "_y", "_v"].iter().any(|end| name.ends_with(end));
            matches!(name, "keypoints" | "visibility") || (targets && of_instance) || of_point
        }
        Task::TabularRegression => matches!(name, "target" | "value" | "values"),
        Task::TimeSeriesForecasting => name == "horizon" || step(name).is_some() || (name == "last" && targets),
        Task::TimeToEvent => (matches!(name, "time" | "event") && targets) || (name == "risk" && !targets),
    };
    match name {
        "id" => Some(Reading::Name),
        _ => known.then_some(Reading::Number),
    }
}

/// `score_CLASS` or `p0`.
fn is_score(name: &str) -> bool {
    name.starts_with("score_") || number_after("p", name).is_some()
}

/// `h1` is 1.
fn step(name: &str) -> Option<usize> {
    number_after("h", name)
}

fn number_after(start: &str, name: &str) -> Option<usize> {
    let digits = name.strip_prefix(start)?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

pub(super) fn read(
    task: Task,
    declared: &DeclaredOpts,
    metrics: &[&Metric],
    targets: &Path,
    predictions: &Path,
) -> Result<Unchecked, Failure> {
    let mut targets = Side::read("targets", targets, false, |name| reading(task, Which::Targets, name))?;
    let mut predictions = Side::read("predictions", predictions, true, |name| reading(task, Which::Predictions, name))?;
    // Of objects only `counts` has an entry for each row.
    let (rows, given) = (targets.rows(&["counts"]), predictions.rows(&["counts"]));
    let order = pair(&mut targets, &mut predictions)?;
    if rows != given {
        return Err(predictions.fault(format_args!("{given} rows, the targets have {rows}")));
    }
    let classes = match declared.class_list()? {
        Some(classes) => classes,
        None => found_classes(task, &predictions)?,
    };
    let points = if task == Task::KeypointDetection { point_names(&targets) } else { Vec::new() };
    let columns = target_columns(task, &classes, &points, &mut targets)?;
    let last = match task {
        Task::TimeSeriesForecasting => last(&mut targets)?,
        _ => Vec::new(),
    };
    let outputs = output_columns(task, &classes, &points, metrics, rows, &mut predictions)?;
    let count = columns.iter().find(|(field, _)| field.name == "visibility").map_or(0, |(field, _)| field.width());
    let points = if points.is_empty() { (0..count).map(|point| point.to_string()).collect() } else { points };
    let kind = declared.kind(task, &classes, points)?;
    Ok(Unchecked { kind, rows, targets: columns, last, predictions: outputs, order })
}

/// The classes that the predictions have scores for.
fn found_classes(task: Task, predictions: &Side) -> Result<ClassList, Failure> {
    let undeclared = || Failure::usage("--classes says how many classes there are, or what they are called");
    match task {
        Task::ImageClassification | Task::TextClassification | Task::TabularClassification => {
            let names = predictions.names().filter_map(|name| name.strip_prefix("score_")).map(str::to_owned);
            let names: Vec<String> = names.collect();
            let numbered = predictions.names().filter(|name| number_after("p", name).is_some()).count();
            match (names.len(), numbered, predictions.width("scores")) {
                (1.., 0, _) => Ok(ClassList::names(names)),
                (0, 1.., _) => Ok(ClassList::Count(u32::try_from(numbered).unwrap_or(u32::MAX))),
                (0, 0, Some(width)) => Ok(ClassList::Count(u32::try_from(width).unwrap_or(u32::MAX))),
                (0, 0, None) if predictions.has("label") => Err(undeclared()),
                (0, 0, None) => Err(predictions.missing(&["score_CLASS", "p0", "scores", "label"])),
                _ => Err(predictions.fault("both `score_` and `p` columns; name all scores in one way")),
            }
        }
        Task::ObjectDetection | Task::InstanceSegmentation | Task::SemanticSegmentation => Err(undeclared()),
        _ => Ok(ClassList::Count(0)),
    }
}

/// Points whose `NAME_x` is a column.
fn point_names(targets: &Side) -> Vec<String> {
    targets.names().filter_map(|name| name.strip_suffix("_x")).map(str::to_owned).collect()
}

fn point_columns(points: &[String], ends: &[&str]) -> Vec<String> {
    points.iter().flat_map(|point| ends.iter().map(move |end| format!("{point}{end}"))).collect()
}

/// `h1`, `h2`, … as far as they go.
fn steps(side: &Side) -> Result<Vec<String>, Failure> {
    let count = side.names().filter_map(step).count();
    let names: Vec<String> = (1..=count).map(|step| format!("h{step}")).collect();
    match names.iter().find(|name| !side.has(name)) {
        Some(name) => {
            Err(side.fault(format_args!("{count} steps, but there is no `{name}`: steps are h1 to h{count}")))
        }
        None if count == 0 => Err(side.missing(&["h1", "horizon"])),
        None => Ok(names),
    }
}

/// The field `horizon`, of one array or of the columns of steps.
fn horizon(side: &mut Side) -> Result<Block, Failure> {
    if side.has("horizon") {
        return side.block(&["horizon"], DType::F64, 1);
    }
    let names = steps(side)?;
    side.beside(&names, DType::F64)
}

fn last(targets: &mut Side) -> Result<Vec<f64>, Failure> {
    match targets.block(&["last"], DType::F64, 0)?.values {
        Values::F64(last) => Ok(last),
        _ => Err(targets.missing(&["last"])),
    }
}

fn target_columns(
    task: Task,
    classes: &ClassList,
    points: &[String],
    side: &mut Side,
) -> Result<Vec<(Field, Values)>, Failure> {
    let plain = |name: &str, dtype: DType, block: Block| (Field::target(name, dtype, &block.shape), block.values);
    let objects = |side: &mut Side, shapes: &'static str, dtype: DType, rank: usize| -> Result<Vec<_>, Failure> {
        let (field, counts) = plain("counts", DType::S32, side.block(&["counts"], DType::S32, 0)?);
        let (shape, shapes) = plain(shapes, dtype, side.block(&[shapes], dtype, rank)?);
        let (label, labels) = plain("labels", DType::S64, side.block(&["labels"], DType::S64, 0)?);
        Ok(vec![(field, counts), (shape.ragged(), shapes), (label.ragged(), labels)])
    };
    Ok(match task {
        Task::ImageClassification | Task::TextClassification | Task::TabularClassification => {
            let labels = labels(side, classes)?.into_iter().map(|class| class as i64).collect();
            vec![(Field::target("label", DType::S64, &[]), Values::S64(labels))]
        }
        Task::ObjectDetection => objects(side, "boxes", DType::F32, 1)?,
        Task::InstanceSegmentation => objects(side, "masks", DType::U8, 2)?,
        Task::SemanticSegmentation => vec![plain("mask", DType::U8, side.block(&["mask"], DType::U8, 2)?)],
        Task::KeypointDetection => keypoint_targets(points, side)?,
        Task::TabularRegression => {
            vec![plain("target", DType::F64, side.block(&["target", "value", "values"], DType::F64, 0)?)]
        }
        Task::TimeSeriesForecasting => vec![plain("horizon", DType::F64, horizon(side)?)],
        Task::TimeToEvent => vec![
            plain("time", DType::F64, side.block(&["time"], DType::F64, 0)?),
            plain("event", DType::S64, side.block(&["event"], DType::S64, 0)?),
        ],
    })
}

/// Places and visibilities, of two arrays or of the columns of points.
fn places(points: &[String], side: &mut Side, visibility: DType) -> Result<[Block; 2], Failure> {
    if points.is_empty() {
        return Ok([side.block(&["keypoints"], DType::F32, 2)?, side.block(&["visibility"], visibility, 1)?]);
    }
    let mut places = side.beside(&point_columns(points, &["_x", "_y"]), DType::F32)?;
    places.shape = vec![u32::try_from(points.len()).unwrap_or(u32::MAX), 2];
    Ok([places, side.beside(&point_columns(points, &["_v"]), visibility)?])
}

fn keypoint_targets(points: &[String], side: &mut Side) -> Result<Vec<(Field, Values)>, Failure> {
    let [places, visibility] = places(points, side, DType::U8)?;
    let mut columns = vec![
        (Field::target("keypoints", DType::F32, &places.shape), places.values),
        (Field::target("visibility", DType::U8, &visibility.shape), visibility.values),
    ];
    if side.has("box") || side.has("box_x0") {
        let corners = ["box_x0", "box_y0", "box_x1", "box_y1"].map(str::to_owned);
        let block = match side.has("box") {
            true => side.block(&["box"], DType::F32, 1)?,
            false => side.beside(&corners, DType::F32)?,
        };
        columns.push((Field::target("box", DType::F32, &block.shape), block.values));
    }
    if side.has("area") {
        let block = side.block(&["area"], DType::F64, 0)?;
        columns.push((Field::target("area", DType::F64, &block.shape), block.values));
    }
    Ok(columns)
}

/// The class of each row.
fn labels(side: &mut Side, classes: &ClassList) -> Result<Vec<usize>, Failure> {
    let names = side.texts("label")?;
    let class = |(row, name): (usize, &String)| {
        classes.position(name).ok_or_else(|| {
            let known = (0..classes.len()).take(8).map(|class| classes.name(class)).collect::<Vec<_>>().join(", ");
            let more = if classes.len() > 8 { ", …" } else { "" };
            side.fault(format_args!("row {row} has label {}; the classes are {known}{more}", quoted(name)))
        })
    };
    names.iter().enumerate().map(class).collect()
}

/// Name, shape of a row or of an item, values.
type Outputs = Vec<(&'static str, Vec<u32>, Values)>;

fn output_columns(
    task: Task,
    classes: &ClassList,
    points: &[String],
    metrics: &[&Metric],
    rows: usize,
    side: &mut Side,
) -> Result<Outputs, Failure> {
    let plain = |name: &'static str, block: Block| (name, block.shape, block.values);
    let objects = |side: &mut Side, shapes: &'static str, dtype: DType, rank: usize| -> Result<Outputs, Failure> {
        Ok(vec![
            plain("counts", side.block(&["counts"], DType::S32, 0)?),
            plain(shapes, side.block(&[shapes], dtype, rank)?),
            plain("labels", side.block(&["labels"], DType::S64, 0)?),
            plain("scores", side.block(&["scores"], DType::F32, 0)?),
        ])
    };
    Ok(match task {
        Task::ImageClassification | Task::TextClassification | Task::TabularClassification => {
            vec![plain("scores", scores(classes, metrics, rows, side)?)]
        }
        Task::ObjectDetection => objects(side, "boxes", DType::F32, 1)?,
        Task::InstanceSegmentation => objects(side, "masks", DType::U8, 2)?,
        Task::SemanticSegmentation => vec![plain("mask", side.block(&["mask"], DType::U8, 2)?)],
        Task::KeypointDetection => {
            let [places, visibility] = places(points, side, DType::F32)?;
            vec![plain("keypoints", places), plain("visibility", visibility)]
        }
        Task::TabularRegression => {
            vec![plain("values", side.block(&["value", "values", "target"], DType::F64, 0)?)]
        }
        Task::TimeSeriesForecasting => vec![plain("horizon", horizon(side)?)],
        Task::TimeToEvent => vec![plain("risk", side.block(&["risk"], DType::F64, 0)?)],
    })
}

/// A score for each class: an array, a column for each, or 1 for the class of `label` where no metric looks further.
fn scores(classes: &ClassList, metrics: &[&Metric], rows: usize, side: &mut Side) -> Result<Block, Failure> {
    let count = classes.len();
    if side.has("scores") {
        return side.block(&["scores"], DType::F32, 1);
    }
    if !side.names().any(is_score) {
        if let Some(metric) = metrics.iter().find(|metric| metric.reads != Reads::Class) {
            let reads_classes = "--metric chooses those that read classes alone (accuracy, f1, kappa and the like)";
            return Err(side.fault(format_args!("`label` alone, but {} reads scores; {reads_classes}", metric.name)));
        }
        if (rows as u64).saturating_mul(count as u64 * 4) > WHOLE_BYTES {
            return Err(side.fault(format_args!("{rows} rows of {count} classes are more than {WHOLE_BYTES} bytes")));
        }
        let mut values = vec![0.0; rows * count];
        for (row, class) in labels(side, classes)?.into_iter().enumerate().take(rows) {
            values[row * count + class] = 1.0;
        }
        return Ok(Block { shape: vec![u32::try_from(count).unwrap_or(u32::MAX)], values: Values::F32(values) });
    }
    let start = if side.names().any(|name| name.starts_with("score_")) { "score_" } else { "p" };
    let name = |class: usize| match start {
        "p" => format!("p{class}"),
        start => format!("{start}{}", classes.name(class)),
    };
    let names: Vec<String> = (0..count).map(name).collect();
    if let Some(name) = names.iter().find(|name| !side.has(name)) {
        return Err(side.fault(format_args!("there is no {}, and {count} classes are declared", quoted(name))));
    }
    if let Some(extra) = side.names().find(|name| is_score(name) && !names.iter().any(|other| other == name)) {
        return Err(side.fault(format_args!("{} is the score of none of the {count} classes", quoted(extra))));
    }
    side.beside(&names, DType::F32)
}
