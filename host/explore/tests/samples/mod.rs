//! A small dataset of each task, drawn from a fixed stream.

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use thimble_datasets::{
    Classes, DType, Dataset, Field, Pixels, Points, Skeleton, Table, TableColumn, Tables, TaskKind, Values,
};

/// Rows of train, validation and test.
pub(crate) const ROWS: [usize; 3] = [240, 90, 41];

/// Numbers that look random and are the same everywhere (a linear congruential generator, constants of Knuth's MMIX).
pub(crate) struct Stream(u64);

impl Stream {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 0 to `below` − 1.
    pub(crate) fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    /// About normal: the sum of twelve uniform numbers, less six.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.below(1 << 20) as f64 / f64::from(1 << 20)).sum::<f64>() - 6.0
    }
}

/// Writes the dataset and opens it. The files live as long as the directory.
pub(crate) fn open(tables: &Tables) -> (tempfile::TempDir, Dataset) {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let dir = Dir::open_ambient_dir(directory.path(), ambient_authority()).expect("it was just made");
    thimble_datasets::write(&dir, tables).expect("the sample is a dataset");
    let dataset = Dataset::open(&dir).expect("it was just written");
    (directory, dataset)
}

/// A dataset whose splits `rows` makes, given the number of rows.
pub(crate) fn tables(
    name: &str,
    task: TaskKind,
    fields: Vec<Field>,
    mut rows: impl FnMut(usize, &mut Stream) -> Vec<Values>,
) -> Tables {
    let mut stream = Stream::new(7);
    let mut table = |count: usize| Table { rows: count, columns: rows(count, &mut stream) };
    let [train, validation, test] = ROWS.map(&mut table);
    Tables { name: name.into(), task, fields, train, validation, test }
}

pub(crate) fn column(name: &str, categories: &[&str]) -> TableColumn {
    TableColumn { name: name.into(), categories: categories.iter().map(|&name| name.into()).collect() }
}

pub(crate) fn condition() -> Field {
    Field::input("condition", DType::U8, &[]).with_columns(vec![column("site", &["north", "south", "east"])])
}

fn conditions(rows: usize, stream: &mut Stream) -> Values {
    Values::U8((0..rows).map(|_| [0, 0, 0, 1, 1, 2][stream.below(6) as usize]).collect())
}

fn labels(rows: usize, classes: u64, stream: &mut Stream) -> Values {
    Values::S64((0..rows).map(|_| stream.below(classes) as i64).collect())
}

/// A table of two numbers, one of which may be missing, and a category.
pub(crate) fn features() -> Field {
    let columns = vec![column("weight", &[]), column("height", &[]), column("colour", &["red", "green", "blue"])];
    Field { missing: true, ..Field::input("features", DType::F32, &[3]).with_columns(columns) }
}

pub(crate) fn feature_values(rows: usize, stream: &mut Stream) -> Vec<f32> {
    let row = |_| {
        let weight = 70.0 + 8.0 * stream.normal();
        let height = 100.0 + weight + 4.0 * stream.normal();
        let height = if stream.below(8) == 0 { f64::NAN } else { height };
        [weight as f32, height as f32, stream.below(3) as f32]
    };
    (0..rows).flat_map(row).collect()
}

fn image_field(side: u32, channels: u32) -> Field {
    Field::input("image", DType::U8, &[side, side, channels])
}

fn images(rows: usize, pixels: usize, stream: &mut Stream) -> Values {
    let image = |_| {
        let base = stream.below(180);
        (0..pixels).map(|_| (base + stream.below(70)) as u8).collect::<Vec<_>>()
    };
    Values::U8((0..rows).flat_map(image).collect())
}

pub(crate) fn image_classification() -> Tables {
    let task = TaskKind::ImageClassification(Classes::named(["cat", "dog", "fox"]));
    let fields = vec![image_field(8, 3), condition(), Field::target("label", DType::S64, &[])];
    tables("pictures", task, fields, |rows, stream| {
        vec![images(rows, 192, stream), conditions(rows, stream), labels(rows, 3, stream)]
    })
}

pub(crate) fn text_classification() -> Tables {
    let task = TaskKind::TextClassification(Classes::named(["ham", "spam"]));
    let fields = vec![Field::input("text", DType::Text, &[]), Field::target("label", DType::S64, &[])];
    tables("letters", task, fields, |rows, stream| {
        let text = |_| "lorem ipsum ".repeat(1 + stream.below(30) as usize);
        vec![Values::Text((0..rows).map(text).collect()), labels(rows, 2, stream)]
    })
}

pub(crate) fn tabular_classification() -> Tables {
    let task = TaskKind::TabularClassification(Classes::named(["low", "middle", "high"]));
    let fields = vec![features(), condition(), Field::target("label", DType::S64, &[])];
    tables("patients", task, fields, |rows, stream| {
        vec![Values::F32(feature_values(rows, stream)), conditions(rows, stream), labels(rows, 3, stream)]
    })
}

fn counts(rows: usize, stream: &mut Stream) -> Vec<i32> {
    (0..rows).map(|_| stream.below(4) as i32).collect()
}

fn total(counts: &[i32]) -> usize {
    counts.iter().map(|&count| count as usize).sum()
}

pub(crate) fn object_detection() -> Tables {
    let task = TaskKind::ObjectDetection(Classes::named(["car", "bus"]));
    let fields = vec![
        image_field(16, 1),
        Field::target("counts", DType::S32, &[]),
        Field::target("boxes", DType::F32, &[4]).ragged(),
        Field::target("labels", DType::S64, &[]).ragged(),
    ];
    tables("streets", task, fields, |rows, stream| {
        let counts = counts(rows, stream);
        let one = |_| {
            let (x, y) = (stream.below(8) as f32, stream.below(8) as f32);
            [x, y, x + 1.0 + stream.below(7) as f32, y + 1.0 + stream.below(7) as f32]
        };
        let boxes = (0..total(&counts)).flat_map(one).collect();
        let labels = labels(total(&counts), 2, stream);
        vec![images(rows, 256, stream), Values::S32(counts), Values::F32(boxes), labels]
    })
}

pub(crate) fn semantic_segmentation() -> Tables {
    let names = ["ground", "water", "forest"].map(String::from).to_vec();
    let task = TaskKind::SemanticSegmentation(Pixels { classes: 3, class_names: names, ignore: Some(255) });
    let fields = vec![image_field(8, 3), Field::target("mask", DType::U8, &[8, 8])];
    tables("maps", task, fields, |rows, stream| {
        let mask = (0..rows * 64).map(|_| [0, 0, 0, 1, 2, 255][stream.below(6) as usize]).collect();
        vec![images(rows, 192, stream), Values::U8(mask)]
    })
}

pub(crate) fn instance_segmentation() -> Tables {
    let task = TaskKind::InstanceSegmentation(Classes::named(["cell"]));
    let fields = vec![
        image_field(8, 1),
        Field::target("counts", DType::S32, &[]),
        Field::target("masks", DType::U8, &[8, 8]).ragged(),
        Field::target("labels", DType::S64, &[]).ragged(),
    ];
    tables("cells", task, fields, |rows, stream| {
        let counts = counts(rows, stream);
        let mask = |_| {
            let size = 1 + stream.below(60) as usize;
            (0..64).map(move |pixel| u8::from(pixel < size))
        };
        let masks = (0..total(&counts)).flat_map(mask).collect();
        let labels = labels(total(&counts), 1, stream);
        vec![images(rows, 64, stream), Values::S32(counts), Values::U8(masks), labels]
    })
}

pub(crate) fn keypoint_detection() -> Tables {
    let point_names = ["left eye", "right eye", "nose"].map(String::from).to_vec();
    let task = TaskKind::KeypointDetection(Points { point_names, skeleton: Skeleton::Uniform });
    let fields = vec![
        image_field(16, 1),
        Field::target("keypoints", DType::F32, &[3, 2]),
        Field::target("visibility", DType::U8, &[3]),
        Field::target("box", DType::F32, &[4]),
        Field::target("area", DType::F64, &[]),
    ];
    tables("faces", task, fields, |rows, stream| {
        let places = (0..rows * 6).map(|_| stream.below(16) as f32).collect();
        let visibility = (0..rows * 3).map(|_| stream.below(3) as u8).collect();
        let sizes: Vec<f32> = (0..rows).map(|_| 4.0 + stream.below(10) as f32).collect();
        let boxes = sizes.iter().flat_map(|&size| [1.0, 1.0, 1.0 + size, 1.0 + size]).collect();
        let areas = sizes.iter().map(|&size| f64::from(size * size)).collect();
        let image = images(rows, 256, stream);
        vec![image, Values::F32(places), Values::U8(visibility), Values::F32(boxes), Values::F64(areas)]
    })
}

pub(crate) fn tabular_regression() -> Tables {
    let fields = vec![features(), condition(), Field::target("target", DType::F64, &[])];
    tables("houses", TaskKind::TabularRegression, fields, |rows, stream| {
        let features = feature_values(rows, stream);
        let target = (0..rows).map(|row| f64::from(features[3 * row]) * 1000.0 + stream.normal()).collect();
        vec![Values::F32(features), conditions(rows, stream), Values::F64(target)]
    })
}

pub(crate) fn time_series_forecasting() -> Tables {
    let window =
        Field::input("window", DType::F32, &[12, 2]).with_columns(vec![column("sunspots", &[]), column("month", &[])]);
    let window = Field { missing: true, ..window };
    let fields = vec![window, Field::target("horizon", DType::F64, &[3])];
    tables("sunspots", TaskKind::TimeSeriesForecasting, fields, |rows, stream| {
        let step = |_| {
            let value = if stream.below(20) == 0 { f32::NAN } else { (50.0 + 10.0 * stream.normal()) as f32 };
            [value, stream.below(12) as f32]
        };
        let windows = (0..rows * 12).flat_map(step).collect();
        let horizon = (0..rows * 3).map(|_| 50.0 + 10.0 * stream.normal()).collect();
        vec![Values::F32(windows), Values::F64(horizon)]
    })
}

pub(crate) fn time_to_event() -> Tables {
    let fields =
        vec![features(), condition(), Field::target("time", DType::F64, &[]), Field::target("event", DType::S64, &[])];
    tables("arrests", TaskKind::TimeToEvent, fields, |rows, stream| {
        let features = Values::F32(feature_values(rows, stream));
        let times = (0..rows).map(|_| 1.0 + stream.below(52) as f64).collect();
        vec![features, conditions(rows, stream), Values::F64(times), labels(rows, 2, stream)]
    })
}

/// One dataset of each task.
pub(crate) fn all() -> [Tables; 10] {
    [
        image_classification(),
        text_classification(),
        tabular_classification(),
        object_detection(),
        semantic_segmentation(),
        instance_segmentation(),
        keypoint_detection(),
        tabular_regression(),
        time_series_forecasting(),
        time_to_event(),
    ]
}

/// A target field's place among the columns.
pub(crate) fn place(tables: &Tables, name: &str) -> usize {
    tables.fields.iter().position(|field| field.name == name).expect("the sample has the field")
}
