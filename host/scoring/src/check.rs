//! What predictions must look like.

use thimble_datasets::{ColumnValues, Field, TaskKind, limits, schema};
use thimble_metrics::{Metric, Reads};

/// A prediction beyond this is not a prediction: its square would overflow a single.
pub const LARGEST_VALUE: f64 = 1e30;
/// Most objects that are predicted in one row.
pub const MAX_OBJECTS: i32 = 1_000;
/// How far the sum of a row's probabilities may be from 1.
const PROBABILITY_SLACK: f64 = 1e-3;

/// What the predictions of a challenge must be.
#[derive(Debug, Clone)]
pub struct OutputSchema {
    task: TaskKind,
    fields: Vec<Field>,
    /// Scores are probabilities.
    probabilities: bool,
}

/// One tensor as a submission returned it.
#[derive(Debug, Clone, Copy)]
pub struct Output<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its shape.
    pub shape: &'a [u32],
    /// Its values.
    pub values: ColumnValues<'a>,
}

/// Why outputs are no predictions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct OutputError {
    /// A stable identifier, for example `output_shape`.
    pub rule: &'static str,
    /// One sentence with the row, the rule and the value.
    pub message: String,
}

fn error(rule: &'static str, message: impl Into<String>) -> OutputError {
    OutputError { rule, message: message.into() }
}

impl OutputSchema {
    /// Of a task whose fields have passed [`schema::check`], and the metrics that are computed.
    pub fn new<'a>(task: &TaskKind, fields: &[Field], metrics: impl IntoIterator<Item = &'a Metric>) -> Self {
        let probabilities = metrics.into_iter().any(|metric| metric.reads == Reads::Probabilities);
        Self { task: task.clone(), fields: schema::outputs(task, fields), probabilities }
    }

    /// The fields of the outputs, in order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Whether the number of objects differs from row to row.
    pub fn is_ragged(&self) -> bool {
        self.fields.iter().any(|field| field.ragged)
    }

    /// Bytes of one row's predictions, at most.
    pub fn row_bytes(&self) -> u64 {
        let bytes = |field: &Field| {
            let items = if field.ragged { MAX_OBJECTS as u64 } else { 1 };
            (field.width() as u64).saturating_mul(field.dtype.bytes().unwrap_or(0) as u64).saturating_mul(items)
        };
        self.fields.iter().map(bytes).fold(0, u64::saturating_add)
    }

    /// Checks what a submission returned for a batch; gives a column for each field. `rows` are the rows of the batch by
    /// their number in the split, which is how errors name them.
    ///
    /// # Errors
    /// Other tensors than the schema's, or a value that breaks a rule of the task.
    pub fn check<'a>(&self, outputs: &[Output<'a>], rows: &[usize]) -> Result<Vec<ColumnValues<'a>>, OutputError> {
        if outputs.len() != self.fields.len() {
            let expected = plural(self.fields.len(), "tensor");
            return Err(error("output_count", format!("predict must return {expected}, not {}", outputs.len())));
        }
        let mut items = 0;
        for (field, output) in self.fields.iter().zip(outputs) {
            let expected_rows = if field.ragged { items } else { rows.len() };
            check_form(field, output, expected_rows)?;
            if let ("counts", ColumnValues::S32(counts)) = (field.name.as_str(), output.values) {
                items = check_counts(counts, rows)?;
            }
        }
        let batch = Batch { schema: self, outputs, rows };
        batch.check_values()?;
        Ok(outputs.iter().map(|output| output.values).collect())
    }
}

fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Name, type and shape. A guest's name is not repeated: it may be of any length.
fn check_form(field: &Field, output: &Output<'_>, rows: usize) -> Result<(), OutputError> {
    let name = &field.name;
    if output.name != name {
        return Err(error(
            "output_name",
            format!("the tensors that predict returns must be named as metadata.outputs; expected `{name}`"),
        ));
    }
    if output.values.dtype() != field.dtype {
        let (expected, found) = (field.dtype, output.values.dtype());
        return Err(error("output_dtype", format!("tensor `{name}` must be {expected}, not {found}")));
    }
    let expected: Vec<u32> = std::iter::once(rows as u32).chain(field.shape.iter().copied()).collect();
    if output.shape != expected || rows.checked_mul(field.width()) != Some(output.values.len()) {
        let shape: Vec<_> = output.shape.iter().take(8).collect();
        let values = output.values.len();
        return Err(error(
            "output_shape",
            format!("tensor `{name}` must have shape {expected:?}, not {shape:?} with {values} values"),
        ));
    }
    Ok(())
}

fn check_counts(counts: &[i32], rows: &[usize]) -> Result<usize, OutputError> {
    match counts.iter().position(|count| !(0..=MAX_OBJECTS).contains(count)) {
        Some(index) => {
            let (row, count) = (rows[index], counts[index]);
            Err(error("output_value", format!("test row {row} has {count} objects; there must be 0 to {MAX_OBJECTS}")))
        }
        None => Ok(counts.iter().map(|&count| count as usize).sum()),
    }
}

/// Outputs of the right form.
struct Batch<'a> {
    schema: &'a OutputSchema,
    outputs: &'a [Output<'a>],
    rows: &'a [usize],
}

impl Batch<'_> {
    fn check_values(&self) -> Result<(), OutputError> {
        for (field, output) in self.schema.fields.iter().zip(self.outputs) {
            self.check_numbers(field, output.values)?;
        }
        match &self.schema.task {
            TaskKind::ImageClassification(_) | TaskKind::TextClassification(_) | TaskKind::TabularClassification(_) => {
                if self.schema.probabilities {
                    self.check_probabilities()
                } else {
                    Ok(())
                }
            }
            TaskKind::ObjectDetection(classes) => {
                self.check_boxes()?;
                self.check_labels(classes.classes)?;
                self.check_shares("scores")
            }
            TaskKind::InstanceSegmentation(classes) => {
                self.check_masks()?;
                self.check_labels(classes.classes)?;
                self.check_shares("scores")
            }
            TaskKind::SemanticSegmentation(pixels) => self.check_pixels(pixels.classes),
            TaskKind::KeypointDetection(_) => self.check_shares("visibility"),
            TaskKind::TabularRegression | TaskKind::TimeSeriesForecasting | TaskKind::TimeToEvent => Ok(()),
        }
    }

    fn column(&self, name: &str) -> Option<(&Field, ColumnValues<'_>)> {
        let position = self.schema.fields.iter().position(|field| field.name == name)?;
        Some((&self.schema.fields[position], self.outputs[position].values))
    }

    /// Where a value is, in words: its row, and its object or place there.
    fn place(&self, field: &Field, position: usize) -> String {
        let width = field.width().max(1);
        let (item, inside) = (position / width, position % width);
        if !field.ragged {
            let row = self.rows.get(item).copied().unwrap_or(0);
            return match (field.shape.len(), field.name.as_str()) {
                (0, _) => format!("test row {row}"),
                (_, "scores") => format!("class {inside} in test row {row}"),
                _ => format!("place {inside} in test row {row}"),
            };
        }
        let mut first = 0;
        if let Some((_, ColumnValues::S32(counts))) = self.column("counts") {
            for (&count, row) in counts.iter().zip(self.rows) {
                let next = first + count.max(0) as usize;
                if item < next {
                    return format!("object {} of test row {row}", item - first);
                }
                first = next;
            }
        }
        format!("object {item} of the batch")
    }

    fn check_numbers(&self, field: &Field, values: ColumnValues<'_>) -> Result<(), OutputError> {
        let wrong = match values {
            // The single nearest to the limit is above it as a double.
            ColumnValues::F32(values) => first(values, |value| value.is_nan() || value.abs() > LARGEST_VALUE as f32),
            ColumnValues::F64(values) => first(values, |value| value.is_nan() || value.abs() > LARGEST_VALUE),
            _ => None,
        };
        match wrong {
            Some((position, value)) => {
                let (name, place) = (singular(&field.name), self.place(field, position));
                Err(error(
                    "output_value",
                    format!("the {name} of {place} is {value}; it must be a number within ±1e30"),
                ))
            }
            None => Ok(()),
        }
    }

    fn check_probabilities(&self) -> Result<(), OutputError> {
        let Some((field, ColumnValues::F32(scores))) = self.column("scores") else { return Ok(()) };
        if let Some((position, value)) = first(scores, |score| !(0.0..=1.0).contains(score)) {
            let place = self.place(field, position);
            let rule = "the challenge has a metric of probabilities, which are 0 to 1";
            return Err(error("output_probability", format!("the score of {place} is {value}; {rule}")));
        }
        for (row, scores) in self.rows.iter().zip(scores.chunks_exact(field.width().max(1))) {
            let sum: f64 = scores.iter().copied().map(f64::from).sum();
            if (sum - 1.0).abs() > PROBABILITY_SLACK {
                let rule = "the challenge has a metric of probabilities, which sum to 1 within 0.001";
                return Err(error("output_probability", format!("the scores of test row {row} sum to {sum}; {rule}")));
            }
        }
        Ok(())
    }

    fn check_shares(&self, name: &str) -> Result<(), OutputError> {
        let Some((field, ColumnValues::F32(values))) = self.column(name) else { return Ok(()) };
        match first(values, |value| !(0.0..=1.0).contains(value)) {
            Some((position, value)) => {
                let (name, place) = (singular(name), self.place(field, position));
                Err(error("output_value", format!("the {name} of {place} is {value}; it must be 0 to 1")))
            }
            None => Ok(()),
        }
    }

    fn check_boxes(&self) -> Result<(), OutputError> {
        let Some((field, ColumnValues::F32(boxes))) = self.column("boxes") else { return Ok(()) };
        let (boxes, _) = boxes.as_chunks::<4>();
        let wrong = |[x0, y0, x1, y1]: &[f32; 4]| {
            !(x0 < x1 && y0 < y1 && [x0, y0, x1, y1].into_iter().all(|value| value.abs() <= limits::PLACE))
        };
        match boxes.iter().position(wrong) {
            Some(index) => {
                let (place, found) = (self.place(field, index * 4), boxes[index]);
                let rule = "a box is x0, y0, x1, y1 with x0 < x1 and y0 < y1, within ±1,000,000 pixels";
                Err(error("output_value", format!("the box of {place} is {found:?}; {rule}")))
            }
            None => Ok(()),
        }
    }

    fn check_labels(&self, classes: u32) -> Result<(), OutputError> {
        let Some((field, ColumnValues::S64(labels))) = self.column("labels") else { return Ok(()) };
        match first(labels, |label| !(0..i64::from(classes)).contains(label)) {
            Some((position, label)) => {
                let (place, last) = (self.place(field, position), classes.saturating_sub(1));
                Err(error("output_value", format!("the label of {place} is {label}; classes are 0 to {last}")))
            }
            None => Ok(()),
        }
    }

    fn check_pixels(&self, classes: u32) -> Result<(), OutputError> {
        let Some((field, ColumnValues::U8(mask))) = self.column("mask") else { return Ok(()) };
        match first(mask, |&class| u32::from(class) >= classes) {
            Some((position, class)) => {
                let (place, last) = (self.place(field, position), classes.saturating_sub(1));
                Err(error("output_value", format!("the class of {place} is {class}; classes are 0 to {last}")))
            }
            None => Ok(()),
        }
    }

    fn check_masks(&self) -> Result<(), OutputError> {
        let Some((field, ColumnValues::U8(masks))) = self.column("masks") else { return Ok(()) };
        if let Some((position, value)) = first(masks, |&pixel| pixel > 1) {
            let place = self.place(field, position);
            return Err(error("output_value", format!("a pixel of the mask of {place} is {value}; it must be 0 or 1")));
        }
        match masks.chunks_exact(field.width().max(1)).position(|mask| !mask.contains(&1)) {
            Some(index) => {
                let place = self.place(field, index * field.width());
                Err(error("output_value", format!("the mask of {place} has no pixel")))
            }
            None => Ok(()),
        }
    }
}

fn first<T: std::fmt::Display>(values: &[T], wrong: impl Fn(&T) -> bool) -> Option<(usize, String)> {
    values.iter().position(wrong).map(|position| (position, values[position].to_string()))
}

/// `scores` are made of a score each.
fn singular(name: &str) -> &str {
    match name {
        "boxes" => "box",
        "horizon" => "forecast",
        _ => name.strip_suffix('s').unwrap_or(name),
    }
}

#[cfg(test)]
mod tests {
    use thimble_datasets::{Classes, DType, Pixels, Points, Skeleton};

    use super::*;

    fn image() -> Field {
        Field::input("image", DType::U8, &[2, 2, 1])
    }

    fn rule(schema: &OutputSchema, outputs: &[Output<'_>]) -> &'static str {
        schema.check(outputs, &[4, 9]).map_or_else(|error| error.rule, |_| "ok")
    }

    fn message(schema: &OutputSchema, outputs: &[Output<'_>]) -> String {
        schema.check(outputs, &[4, 9]).map_or_else(|error| error.message, |_| "ok".to_owned())
    }

    fn table(task: &TaskKind, target: Field) -> OutputSchema {
        OutputSchema::new(task, &[Field::input("features", DType::F32, &[3]), target], [])
    }

    fn classification() -> TaskKind {
        TaskKind::TabularClassification(Classes::unnamed(2))
    }

    fn scores<'a>(shape: &'a [u32], values: &'a [f32]) -> Output<'a> {
        Output { name: "scores", shape, values: ColumnValues::F32(values) }
    }

    #[test]
    fn outputs_of_the_right_form_ok() {
        let schema = table(&classification(), Field::target("label", DType::S64, &[]));
        assert_eq!(rule(&schema, &[scores(&[2, 2], &[1.0, -1e30, 1e30, 0.0])]), "ok");
    }

    #[test]
    fn outputs_of_any_other_form_err() {
        let schema = table(&classification(), Field::target("label", DType::S64, &[]));
        let good = scores(&[2, 2], &[0.0; 4]);
        assert_eq!(rule(&schema, &[]), "output_count");
        assert_eq!(rule(&schema, &[good, good]), "output_count");
        assert_eq!(rule(&schema, &[Output { name: "logits", ..good }]), "output_name");
        assert_eq!(rule(&schema, &[Output { values: ColumnValues::F64(&[0.0; 4]), ..good }]), "output_dtype");
        assert_eq!(rule(&schema, &[scores(&[2, 3], &[0.0; 6])]), "output_shape");
        assert_eq!(rule(&schema, &[scores(&[2, 2], &[0.0; 3])]), "output_shape");
        assert_eq!(rule(&schema, &[scores(&[4], &[0.0; 4])]), "output_shape");
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1.000_001e30] {
            assert_eq!(rule(&schema, &[scores(&[2, 2], &[0.0, 0.0, 0.0, wrong])]), "output_value");
        }
        let text = message(&schema, &[scores(&[2, 2], &[0.0, 0.0, 0.0, f32::NAN])]);
        assert_eq!(text, "the score of class 1 in test row 9 is NaN; it must be a number within ±1e30");
    }

    #[test]
    fn probabilities_are_asked_for_where_a_metric_reads_them() {
        let mut schema = table(&classification(), Field::target("label", DType::S64, &[]));
        schema.probabilities = true;
        assert_eq!(rule(&schema, &[scores(&[2, 2], &[0.25, 0.7505, 1.0, 0.0])]), "ok");
        let text = message(&schema, &[scores(&[2, 2], &[0.25, 0.75, 1.0, 0.25])]);
        assert!(text.starts_with("the scores of test row 9 sum to 1.25; "), "{text}");
        let text = message(&schema, &[scores(&[2, 2], &[0.25, 0.75, 1.5, -0.5])]);
        assert!(text.starts_with("the score of class 0 in test row 9 is 1.5; "), "{text}");
    }

    #[test]
    fn numbers_of_other_tasks_are_named_by_their_row() {
        let schema = table(&TaskKind::TabularRegression, Field::target("target", DType::F64, &[]));
        let values = Output { name: "values", shape: &[2], values: ColumnValues::F64(&[1.0, f64::NAN]) };
        assert_eq!(message(&schema, &[values]), "the value of test row 9 is NaN; it must be a number within ±1e30");
    }

    #[test]
    fn objects_are_named_by_their_row_and_their_place_in_it() {
        let task = TaskKind::ObjectDetection(Classes::unnamed(3));
        let fields = [
            image(),
            Field::target("counts", DType::S32, &[]),
            Field::target("boxes", DType::F32, &[4]).ragged(),
            Field::target("labels", DType::S64, &[]).ragged(),
        ];
        let schema = OutputSchema::new(&task, &fields, []);
        let boxes = [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 2.0, 1.0];
        let check = |counts: &[i32], boxes: &[f32], labels: &[i64], scores: &[f32]| {
            let n = labels.len() as u32;
            message(
                &schema,
                &[
                    Output { name: "counts", shape: &[2], values: ColumnValues::S32(counts) },
                    Output { name: "boxes", shape: &[n, 4], values: ColumnValues::F32(boxes) },
                    Output { name: "labels", shape: &[n], values: ColumnValues::S64(labels) },
                    Output { name: "scores", shape: &[n], values: ColumnValues::F32(scores) },
                ],
            )
        };
        assert_eq!(check(&[1, 2], &boxes, &[0, 1, 2], &[0.0, 1.0, 0.5]), "ok");
        assert_eq!(check(&[0, 0], &[], &[], &[]), "ok");
        let text = check(&[1, 2], &boxes, &[0, 1, 3], &[0.0, 1.0, 0.5]);
        assert_eq!(text, "the label of object 1 of test row 9 is 3; classes are 0 to 2");
        let text = check(&[1, 2], &boxes, &[0, 1, 2], &[0.0, 1.5, 0.5]);
        assert_eq!(text, "the score of object 0 of test row 9 is 1.5; it must be 0 to 1");
        let mut flat = boxes;
        flat[6] = 0.0;
        assert!(check(&[1, 2], &flat, &[0, 1, 2], &[0.0; 3]).starts_with("the box of object 0 of test row 9 is "));
        assert!(check(&[1, 1], &boxes, &[0, 1, 2], &[0.0; 3]).starts_with("tensor `boxes` must have shape [2, 4]"));
        assert!(check(&[-1, 2], &boxes, &[0, 1, 2], &[0.0; 3]).starts_with("test row 4 has -1 objects"));
        assert!(check(&[i32::MAX, 2], &boxes, &[0, 1, 2], &[0.0; 3]).starts_with("test row 4 has 2147483647 objects"));
    }

    #[test]
    fn pixels_are_classes_and_visibilities_are_shares() {
        let pixels = TaskKind::SemanticSegmentation(Pixels { classes: 2, class_names: Vec::new(), ignore: Some(255) });
        let schema = OutputSchema::new(&pixels, &[image(), Field::target("mask", DType::U8, &[2, 2])], []);
        let mask = |values: &[u8]| {
            message(&schema, &[Output { name: "mask", shape: &[2, 2, 2], values: ColumnValues::U8(values) }])
        };
        assert_eq!(mask(&[0, 1, 0, 1, 0, 1, 0, 1]), "ok");
        assert_eq!(mask(&[0, 1, 0, 1, 0, 255, 0, 1]), "the class of place 1 in test row 9 is 255; classes are 0 to 1");

        let points = Points { point_names: vec!["tip".to_owned()], skeleton: Skeleton::Uniform };
        let fields =
            [image(), Field::target("keypoints", DType::F32, &[1, 2]), Field::target("visibility", DType::U8, &[1])];
        let schema = OutputSchema::new(&TaskKind::KeypointDetection(points), &fields, []);
        let places = Output { name: "keypoints", shape: &[2, 1, 2], values: ColumnValues::F32(&[0.0; 4]) };
        let seen = Output { name: "visibility", shape: &[2, 1], values: ColumnValues::F32(&[1.0, 1.1]) };
        assert_eq!(
            message(&schema, &[places, seen]),
            "the visibility of place 0 in test row 9 is 1.1; it must be 0 to 1"
        );
    }
}
