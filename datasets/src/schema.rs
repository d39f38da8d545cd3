//! The fields of each task: what a solution is given, what is true, and what it must predict.
//!
//! A row is an image, a text, a row of a table or a window of a series. Names, types and shapes are the same in a dataset's
//! files, in batches and in predictions.
//!
//! | task | inputs | targets | predictions |
//! |---|---|---|---|
//! | image classification | `image` u8 \[height, width, channels\] | `label` s64 | `scores` f32 \[classes\] |
//! | text classification | `text` text | `label` s64 | `scores` f32 \[classes\] |
//! | tabular classification | any, as a rule `features` f32 \[columns\] | `label` s64 | `scores` f32 \[classes\] |
//! | object detection | `image` | `counts` s32; `boxes` f32 \[4\] and `labels` s64, ragged | `counts`, `boxes`, `labels`, `scores` f32 ragged |
//! | semantic segmentation | `image` | `mask` u8 \[height, width\] | `mask` |
//! | instance segmentation | `image` | `counts`; `masks` u8 \[height, width\] and `labels` s64, ragged | `counts`, `masks`, `labels`, `scores` f32 ragged |
//! | keypoint detection | `image` | `keypoints` f32 \[points, 2\], `visibility` u8 \[points\], optional `box` f32 \[4\], optional `area` f64 | `keypoints`, `visibility` f32 \[points\] |
//! | tabular regression | as tabular classification | `target` f64 | `values` f64 |
//! | time series forecasting | `window` f32 \[context, channels\], channel 0 the series itself | `horizon` f64 \[steps\] | `horizon` f64 \[steps\] |
//! | time to event | as tabular classification | `time` f64, `event` s64 (1 event, 0 censored) | `risk` f64 |
//!
//! Beside these, a row of any task may have a `condition`, a number of type u8 or s64: what it was recorded under. Statistics
//! are broken down by it; a solution sees it only where a challenge lists it.
//!
//! A ragged field has `counts` items in each row, one row's after the other's. Boxes are x0, y0, x1, y1 in pixels with
//! x0 < x1 and y0 < y1; keypoints are x, y in pixels; a pixel's mask value is its class, and in an instance's mask 1 inside and 0
//! outside. A visibility of 0 means that the point is not annotated.

use crate::limits;
use crate::metadataset::{DType, Field, MetadatasetError, Role, rule};
use crate::task::{Classes, Pixels, Points, Skeleton, TaskKind};

/// The input that tells what a row was recorded under.
pub const CONDITION: &str = "condition";

/// What a solution must predict: the fields of its outputs, in order.
///
/// `fields` are those of a dataset of the task ([`check`]); the answer is empty where they are not.
pub fn outputs(task: &TaskKind, fields: &[Field]) -> Vec<Field> {
    let target = |name: &str| fields.iter().find(|field| field.role == Role::Target && field.name == name).cloned();
    let scores = |classes: u32| vec![Field::target("scores", DType::F32, &[classes])];
    let object_scores = || Field { ragged: true, ..Field::target("scores", DType::F32, &[]) };
    match task {
        TaskKind::ImageClassification(classes)
        | TaskKind::TextClassification(classes)
        | TaskKind::TabularClassification(classes) => scores(classes.classes),
        TaskKind::ObjectDetection(_) => {
            [target("counts"), target("boxes"), target("labels"), Some(object_scores())].into_iter().flatten().collect()
        }
        TaskKind::InstanceSegmentation(_) => {
            [target("counts"), target("masks"), target("labels"), Some(object_scores())].into_iter().flatten().collect()
        }
        TaskKind::SemanticSegmentation(_) => target("mask").into_iter().collect(),
        TaskKind::KeypointDetection(_) => {
            let visibility = target("visibility").map(|field| Field { dtype: DType::F32, ..field });
            [target("keypoints"), visibility].into_iter().flatten().collect()
        }
        TaskKind::TabularRegression => vec![Field::target("values", DType::F64, &[])],
        TaskKind::TimeSeriesForecasting => target("horizon").into_iter().collect(),
        TaskKind::TimeToEvent => vec![Field::target("risk", DType::F64, &[])],
    }
}

/// Checks the task and the fields against each other and against the limits. Paths are those of `dataset.json` and
/// `challenge.json` alike: `task.…` and `fields[…]`.
///
/// # Errors
/// The first broken rule, with its path.
pub fn check(task: &TaskKind, fields: &[Field]) -> Result<(), MetadatasetError> {
    check_task(task)?;
    if fields.len() > limits::FIELDS {
        return Err(rule("fields", format!("{} fields, at most {} are allowed", fields.len(), limits::FIELDS)));
    }
    for (index, field) in fields.iter().enumerate() {
        field.check(&format!("fields[{index}]"))?;
        if fields[..index].iter().any(|other| other.name == field.name) {
            return Err(rule(format!("fields[{index}].name"), format!("`{}` is used twice", field.name)));
        }
    }
    if !fields.iter().any(|field| field.role == Role::Input && field.name != CONDITION) {
        return Err(rule("fields", "there is no input"));
    }
    match fields.iter().find(|field| field.name == CONDITION) {
        Some(Field { dtype: DType::U8 | DType::S64, shape, role: Role::Input, ragged: false, .. })
            if shape.is_empty() => {}
        Some(_) => return Err(rule("fields", "`condition` is an input, one number of type u8 or s64")),
        None => {}
    }
    check_fields(task, fields)
}

/// Checks the task and its targets alone, as where predictions are scored without a dataset.
///
/// # Errors
/// As [`check`].
pub fn check_targets(task: &TaskKind, targets: &[Field]) -> Result<(), MetadatasetError> {
    // Any input that fits: a mask has the size of its image.
    let mask = targets.iter().find(|field| matches!(field.name.as_str(), "mask" | "masks"));
    let input = match (task, mask.map(|mask| &mask.shape[..])) {
        (TaskKind::TextClassification(_), _) => Field::input("text", DType::Text, &[]),
        (TaskKind::TimeSeriesForecasting, _) => Field::input("window", DType::F32, &[1, 1]),
        (TaskKind::TabularClassification(_) | TaskKind::TabularRegression | TaskKind::TimeToEvent, _) => {
            Field::input("features", DType::F32, &[1])
        }
        (_, Some(&[height, width])) => Field::input("image", DType::U8, &[height, width, 1]),
        _ => Field::input("image", DType::U8, &[1, 1, 1]),
    };
    let fields: Vec<Field> = targets.iter().cloned().chain([input]).collect();
    check(task, &fields)
}

fn check_task(task: &TaskKind) -> Result<(), MetadatasetError> {
    match task {
        TaskKind::ImageClassification(classes)
        | TaskKind::TextClassification(classes)
        | TaskKind::TabularClassification(classes) => check_labels(classes),
        TaskKind::ObjectDetection(classes) | TaskKind::InstanceSegmentation(classes) => check_object_classes(classes),
        TaskKind::SemanticSegmentation(pixels) => check_pixels(pixels),
        TaskKind::KeypointDetection(points) => check_points(points),
        TaskKind::TabularRegression | TaskKind::TimeSeriesForecasting | TaskKind::TimeToEvent => Ok(()),
    }
}

fn check_class_count(classes: u32, least: u32, most: u32) -> Result<(), MetadatasetError> {
    match (least..=most).contains(&classes) {
        true => Ok(()),
        false => Err(rule("task.classes", format!("{classes} is not between {least} and {most}"))),
    }
}

fn check_labels(classes: &Classes) -> Result<(), MetadatasetError> {
    check_class_count(classes.classes, limits::CLASSES_MIN, limits::CLASSES_MAX)?;
    check_names("task.class_names", &classes.class_names, classes.classes)?;
    match classes.positive {
        Some(_) if classes.classes != 2 => {
            Err(rule("task.positive", format!("only two classes have a positive one, there are {}", classes.classes)))
        }
        Some(positive) if positive > 1 => Err(rule("task.positive", format!("{positive} is not 0 or 1"))),
        _ => Ok(()),
    }
}

fn check_object_classes(classes: &Classes) -> Result<(), MetadatasetError> {
    check_class_count(classes.classes, 1, limits::CLASSES_MAX)?;
    check_names("task.class_names", &classes.class_names, classes.classes)?;
    if classes.positive.is_some() {
        return Err(rule("task.positive", "only a classification of whole rows has a positive class"));
    }
    if classes.ordinal {
        return Err(rule("task.ordinal", "only a classification of whole rows has grades"));
    }
    Ok(())
}

fn check_pixels(pixels: &Pixels) -> Result<(), MetadatasetError> {
    check_class_count(pixels.classes, limits::CLASSES_MIN, limits::PIXEL_CLASSES_MAX)?;
    check_names("task.class_names", &pixels.class_names, pixels.classes)?;
    match pixels.ignore {
        Some(ignore) if u32::from(ignore) < pixels.classes => {
            Err(rule("task.ignore", format!("{ignore} is a class; it must be {} to 255", pixels.classes)))
        }
        _ => Ok(()),
    }
}

fn check_points(points: &Points) -> Result<(), MetadatasetError> {
    let (count, limit) = (points.point_names.len(), limits::POINTS);
    if !(1..=limit).contains(&count) {
        return Err(rule("task.point_names", format!("{count} points, there must be 1 to {limit}")));
    }
    check_names("task.point_names", &points.point_names, count as u32)?;
    match points.skeleton {
        Skeleton::Coco if count != 17 => Err(rule("task.skeleton", format!("`coco` has 17 points, not {count}"))),
        _ => Ok(()),
    }
}

/// None, or one for each of `expected`, all different.
pub(crate) fn check_names(path: &str, names: &[String], expected: u32) -> Result<(), MetadatasetError> {
    if names.is_empty() {
        return Ok(());
    }
    if names.len() as u64 != u64::from(expected) {
        return Err(rule(path, format!("{} names for {expected}", names.len())));
    }
    let mut seen = std::collections::BTreeSet::new();
    for (index, name) in names.iter().enumerate() {
        let limit = limits::LABEL_NAME_BYTES;
        if !(1..=limit).contains(&name.len()) || name.chars().any(char::is_control) {
            return Err(rule(
                format!("{path}[{index}]"),
                format!("must be 1 to {limit} bytes without control characters"),
            ));
        }
        if !seen.insert(name.as_str()) {
            return Err(rule(format!("{path}[{index}]"), "is used twice"));
        }
    }
    Ok(())
}

/// What a task asks of a field's shape.
enum Shape {
    /// Exactly this one.
    Is(Vec<u32>),
    /// This many dimensions, of any size.
    Rank(usize),
}

fn check_fields(task: &TaskKind, fields: &[Field]) -> Result<(), MetadatasetError> {
    let list = FieldList { task, fields };
    let number = || Shape::Is(Vec::new());
    match task {
        TaskKind::TabularClassification(_) => {
            list.table_inputs()?;
            list.targets(&[("label", DType::S64, number())], &[])
        }
        TaskKind::TabularRegression => {
            list.table_inputs()?;
            list.targets(&[("target", DType::F64, number())], &[])
        }
        TaskKind::TimeToEvent => {
            list.table_inputs()?;
            list.targets(&[("time", DType::F64, number()), ("event", DType::S64, number())], &[])
        }
        TaskKind::TextClassification(_) => {
            list.input("text", DType::Text, &number())?;
            list.targets(&[("label", DType::S64, number())], &[])
        }
        TaskKind::TimeSeriesForecasting => {
            list.input("window", DType::F32, &Shape::Rank(2))?;
            list.targets(&[("horizon", DType::F64, Shape::Rank(1))], &[])
        }
        TaskKind::ImageClassification(_) => {
            list.image()?;
            list.targets(&[("label", DType::S64, number())], &[])
        }
        TaskKind::SemanticSegmentation(_) => {
            let size = list.image()?;
            list.targets(&[("mask", DType::U8, Shape::Is(size))], &[])
        }
        TaskKind::ObjectDetection(_) => {
            list.image()?;
            let ragged = [("boxes", DType::F32, Shape::Is(vec![4])), ("labels", DType::S64, number())];
            list.targets(&[("counts", DType::S32, number())], &ragged)
        }
        TaskKind::InstanceSegmentation(_) => {
            let size = list.image()?;
            let ragged = [("masks", DType::U8, Shape::Is(size)), ("labels", DType::S64, number())];
            list.targets(&[("counts", DType::S32, number())], &ragged)
        }
        TaskKind::KeypointDetection(points) => {
            list.image()?;
            list.keypoint_targets(points.point_names.len() as u32)
        }
    }
}

struct FieldList<'a> {
    task: &'a TaskKind,
    fields: &'a [Field],
}

impl FieldList<'_> {
    fn fault(&self, reason: impl std::fmt::Display) -> MetadatasetError {
        rule("fields", format!("{}: {reason}", self.task.name().replace('_', " ")))
    }

    /// The fields of a role, without what a row may have beside its task.
    fn of(&self, role: Role) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(move |field| field.role == role && field.name != CONDITION)
    }

    /// Any number of inputs, none of them ragged.
    fn table_inputs(&self) -> Result<(), MetadatasetError> {
        match self.of(Role::Input).find(|field| field.ragged) {
            Some(field) => Err(self.fault(format_args!("the input `{}` must not be ragged", field.name))),
            None => Ok(()),
        }
    }

    /// Exactly one input.
    fn input(&self, name: &str, dtype: DType, shape: &Shape) -> Result<&Field, MetadatasetError> {
        let mut inputs = self.of(Role::Input);
        match (inputs.next(), inputs.next()) {
            (Some(field), None) => {
                self.expect(field, name, dtype, shape, false)?;
                Ok(field)
            }
            _ => Err(self.fault(format_args!("there is exactly one input, `{name}`"))),
        }
    }

    /// Exactly one input, `image`; gives its height and width.
    fn image(&self) -> Result<Vec<u32>, MetadatasetError> {
        let field = self.input("image", DType::U8, &Shape::Rank(3))?;
        match field.shape[..] {
            [height, width, 1 | 3 | 4] => Ok(vec![height, width]),
            _ => Err(self.fault("`image` has 1, 3 or 4 channels, its last dimension")),
        }
    }

    /// Exactly these targets, in this order.
    fn targets(&self, plain: &[(&str, DType, Shape)], ragged: &[(&str, DType, Shape)]) -> Result<(), MetadatasetError> {
        let found: Vec<_> = self.of(Role::Target).collect();
        let expected: Vec<_> = plain.iter().map(|t| (t, false)).chain(ragged.iter().map(|t| (t, true))).collect();
        if found.len() != expected.len() {
            let names: Vec<_> = expected.iter().map(|((name, ..), _)| format!("`{name}`")).collect();
            return Err(self.fault(format_args!("the targets are {}, in this order", names.join(", "))));
        }
        for (field, ((name, dtype, shape), ragged)) in found.into_iter().zip(expected) {
            self.expect(field, name, *dtype, shape, ragged)?;
        }
        Ok(())
    }

    fn keypoint_targets(&self, points: u32) -> Result<(), MetadatasetError> {
        let has = |name: &str| self.of(Role::Target).any(|field| field.name == name);
        let mut targets = vec![
            ("keypoints", DType::F32, Shape::Is(vec![points, 2])),
            ("visibility", DType::U8, Shape::Is(vec![points])),
        ];
        if has("box") {
            targets.push(("box", DType::F32, Shape::Is(vec![4])));
        }
        if has("area") {
            targets.push(("area", DType::F64, Shape::Is(Vec::new())));
        }
        self.targets(&targets, &[])
    }

    fn expect(
        &self,
        field: &Field,
        name: &str,
        dtype: DType,
        shape: &Shape,
        ragged: bool,
    ) -> Result<(), MetadatasetError> {
        let fits = match shape {
            Shape::Is(shape) => field.shape == *shape,
            Shape::Rank(rank) => field.shape.len() == *rank,
        };
        if field.name == name && field.dtype == dtype && fits && field.ragged == ragged {
            return Ok(());
        }
        let kind = if ragged { ", ragged" } else { "" };
        let shape = match shape {
            Shape::Is(shape) => format!("of shape {shape:?}"),
            Shape::Rank(rank) => format!("with {rank} dimensions"),
        };
        let Field { name: found, dtype: found_dtype, shape: found_shape, ragged: found_ragged, .. } = field;
        let found_kind = if *found_ragged { ", ragged" } else { "" };
        Err(self.fault(format_args!(
            "there must be a field `{name}`, {dtype}, {shape}{kind}; found `{found}`, {found_dtype}, of shape {found_shape:?}{found_kind}"
        )))
    }
}
