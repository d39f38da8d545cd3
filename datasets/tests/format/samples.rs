//! A small dataset of every task, with what is easily forgotten: rows without objects, empty texts, missing values.

use thimble_datasets::{
    Classes, DType, Field, Pixels, Points, Skeleton, Split, Table, TableColumn, Tables, TaskKind, Values,
};

fn classes() -> Classes {
    Classes::named(["first", "second", "third"])
}

fn number(name: &str) -> TableColumn {
    TableColumn { name: name.into(), categories: Vec::new() }
}

fn image() -> Field {
    Field::input("image", DType::U8, &[2, 3, 1])
}

fn condition() -> Field {
    Field::input("condition", DType::U8, &[])
}

fn label() -> Field {
    Field::target("label", DType::S64, &[])
}

fn table_inputs() -> Vec<Field> {
    let colour = TableColumn { name: "colour".into(), categories: ["red", "grün", "blue"].map(String::from).into() };
    let columns = vec![number("age"), colour];
    let income = Field::input("income", DType::F64, &[]).with_columns(vec![number("in euros")]);
    vec![
        Field { missing: true, ..Field::input("features", DType::F32, &[2]).with_columns(columns) },
        Field { missing: true, ..income },
    ]
}

/// The task and its fields, in the order of [`TaskKind`].
fn tasks() -> [(TaskKind, Vec<Field>); 10] {
    let with = |inputs: &[Field], targets: Vec<Field>| inputs.iter().cloned().chain(targets).collect::<Vec<_>>();
    let counts = || Field::target("counts", DType::S32, &[]);
    let labels = || Field::target("labels", DType::S64, &[]).ragged();
    let keypoints = vec![
        Field::target("keypoints", DType::F32, &[2, 2]),
        Field::target("visibility", DType::U8, &[2]),
        Field::target("box", DType::F32, &[4]),
        Field::target("area", DType::F64, &[]),
    ];
    let pixels = Pixels { classes: 3, class_names: Vec::new(), ignore: Some(255) };
    let points = Points { point_names: ["tip", "tail"].map(String::from).into(), skeleton: Skeleton::Uniform };
    let text = Field::input("text", DType::Text, &[]);
    let window = Field::input("window", DType::F32, &[4, 2]).with_columns(vec![number("level"), number("weather")]);
    [
        (TaskKind::ImageClassification(classes()), with(&[image(), condition()], vec![label()])),
        (TaskKind::TextClassification(classes()), with(&[text], vec![label()])),
        (TaskKind::TabularClassification(classes()), with(&table_inputs(), vec![label()])),
        (
            TaskKind::ObjectDetection(classes()),
            with(&[image()], vec![counts(), Field::target("boxes", DType::F32, &[4]).ragged(), labels()]),
        ),
        (TaskKind::SemanticSegmentation(pixels), with(&[image()], vec![Field::target("mask", DType::U8, &[2, 3])])),
        (
            TaskKind::InstanceSegmentation(classes()),
            with(&[image()], vec![counts(), Field::target("masks", DType::U8, &[2, 3]).ragged(), labels()]),
        ),
        (TaskKind::KeypointDetection(points), with(&[image()], keypoints)),
        (TaskKind::TabularRegression, with(&table_inputs(), vec![Field::target("target", DType::F64, &[])])),
        (TaskKind::TimeSeriesForecasting, with(&[window], vec![Field::target("horizon", DType::F64, &[2])])),
        (
            TaskKind::TimeToEvent,
            with(
                &table_inputs(),
                vec![Field::target("time", DType::F64, &[]), Field::target("event", DType::S64, &[])],
            ),
        ),
    ]
}

/// Objects in row `row`: none in the first and in every third one.
const fn objects(row: usize) -> usize {
    row % 3
}

fn values(field: &Field, rows: usize, first: usize) -> Values {
    let items = if field.ragged { (0..rows).map(objects).sum() } else { rows };
    let count = items * field.width();
    let place = |index: usize| (first + index) as f32 * 0.25;
    let texts = ["", "naïve — 漢字 🙂", "a\u{0}b\nc", " "];
    match field.name.as_str() {
        "counts" => Values::S32((0..rows).map(|row| objects(row) as i32).collect()),
        "boxes" | "box" => {
            let corners = |item| [place(item) - 20.0, place(item), place(item) - 0.5, place(item) + 0.125];
            Values::F32((0..items).flat_map(corners).collect())
        }
        "label" | "labels" => Values::S64((0..items).map(|item| ((first + item) % 3) as i64).collect()),
        "mask" => Values::U8((0..count).map(|pixel| [0, 1, 2, 255][(first + pixel) % 4]).collect()),
        "masks" => Values::U8((0..count).map(|pixel| u8::from((first + pixel) % 5 < 3)).collect()),
        "visibility" => Values::U8((0..count).map(|point| ((first + point) % 3) as u8).collect()),
        "event" => Values::S64((0..rows).map(|row| ((first + row) % 2) as i64).collect()),
        "text" => Values::Text((0..rows).map(|row| texts[(first + row) % texts.len()].into()).collect()),
        "features" => Values::F32((0..count).map(|i| if i == 1 { f32::NAN } else { place(i) }).collect()),
        "income" => {
            Values::F64((0..count).map(|i| if i == 1 { -f64::NAN } else { 0.1 * (first + i) as f64 }).collect())
        }
        _ => match field.dtype {
            DType::U8 => Values::U8((0..count).map(|index| (first * 7 + index) as u8).collect()),
            DType::F32 => Values::F32((0..count).map(place).collect()),
            _ => Values::F64((0..count).map(|index| 0.1 + (first + index) as f64).collect()),
        },
    }
}

/// `rows` rows; others for another `first`.
pub(crate) fn rows(fields: &[Field], rows: usize, first: usize) -> Table {
    Table { rows, columns: fields.iter().map(|field| values(field, rows, first)).collect() }
}

/// A dataset of every task, in the order of [`TaskKind`].
pub(crate) fn samples() -> Vec<Tables> {
    let tables = |(task, fields): (TaskKind, Vec<Field>)| Tables {
        name: task.name().replace('_', "-"),
        train: rows(&fields, 7, 1),
        validation: rows(&fields, 3, 20),
        test: rows(&fields, 4, 40),
        task,
        fields,
    };
    tasks().into_iter().map(tables).collect()
}

/// The sample of a task.
pub(crate) fn sample(task: &str) -> Tables {
    samples().into_iter().find(|tables| tables.task.name() == task).expect("there is a sample of every task")
}

impl Samples for Tables {
    fn column(&mut self, split: Split, name: &str) -> &mut Values {
        let position = self.fields.iter().position(|field| field.name == name).expect("the field is there");
        let table = match split {
            Split::Train => &mut self.train,
            Split::Validation => &mut self.validation,
            Split::Test => &mut self.test,
        };
        &mut table.columns[position]
    }
}

/// What tests change in a sample.
pub(crate) trait Samples {
    /// One column.
    fn column(&mut self, split: Split, name: &str) -> &mut Values;
}
