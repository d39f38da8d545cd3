//! Tables, texts and series of every format become the dataset that the documentation says.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int32Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use thimble_datasets::{ColumnValues, Split, TaskKind};
use thimble_ingest::{Options, Task};

use crate::TestResult;
use crate::directory::{Directory, npy};

/// The splits stand in a column, so that the tests know where each row is.
fn options(task: Task) -> Options {
    let mut options = Options::new(task, "case");
    options.split.column = Some("fold".into());
    options
}

pub(crate) fn parquet(columns: Vec<(&str, ArrayRef)>) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let batch = RecordBatch::try_from_iter(columns)?;
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties))?;
    writer.write(&batch)?;
    Ok(writer.into_inner()?)
}

const CSV: &str = "age,town,label,fold\n\
                   31, Ulm ,yes,train\n\
                   NA,Bonn,no,validation\n\
                   -4.5e0,,yes,test\n\
                   7,Bonn,no,train\n";

#[test]
fn a_csv_file_becomes_features_categories_and_classes() -> TestResult {
    let mut options = options(Task::TabularClassification);
    options.keep_missing = true;
    options.positive = Some("yes".into());
    let made = Directory::of("data.csv", CSV)?.dataset(&options)?;
    assert_eq!(made.f32(Split::Train, "features")?, [31.0, 1.0, 7.0, 0.0]);
    let validation = made.f32(Split::Validation, "features")?;
    assert!(validation[0].is_nan() && validation[1] == 0.0);
    let test = made.f32(Split::Test, "features")?;
    assert!(test[0] == -4.5 && test[1].is_nan());
    assert_eq!(made.s64(Split::Train, "label")?, [1, 0]);
    let fields = &made.outcome.fields;
    assert!(fields[0].missing);
    assert_eq!(fields[0].columns[0].name, "age");
    assert_eq!(fields[0].columns[1].categories, ["Bonn", "Ulm"]);
    let TaskKind::TabularClassification(classes) = &made.outcome.task else { return Err("another task".into()) };
    assert_eq!((classes.class_names.join(" "), classes.positive), ("no yes".to_owned(), Some(1)));
    Ok(())
}

#[test]
fn quotes_line_ends_and_empty_lines_are_those_of_the_rfc() -> TestResult {
    let options = options(Task::TabularClassification);
    let rows = "a,town,label,fold\r\n\r\n1,\"Ulm, \"\"old\"\"\",x,train\r\n2,\"two\nlines\",y,val\r\n3,Bonn,x,test\r\n4,Bonn,NA,test";
    let directory = Directory::of("data.csv", rows)?;
    // Line ends inside a text are control characters of a category; the rows after it keep their own lines.
    let errors = directory.errors(&options)?;
    assert!(
        errors[0].starts_with("data.csv, line 4: column `town` holds `two\\nlines`, which is no name"),
        "{errors:?}"
    );
    assert!(errors[1].starts_with("data.csv, line 7: the label `label` is missing"), "{errors:?}");
    let whole = rows.replace("two\nlines", "x").replace("NA", "y");
    let made = Directory::of("data.csv", whole)?.dataset(&options)?;
    assert_eq!(made.outcome.fields[0].columns[1].categories, ["Bonn", "Ulm, \"old\"", "x"]);
    Ok(())
}

#[test]
fn parquet_and_arrays_give_the_same_dataset_as_csv() -> TestResult {
    let mut options = options(Task::TabularClassification);
    options.keep_missing = true;
    let digest = |directory: Directory| directory.dataset(&options).map(|made| made.outcome.digest);
    let csv = digest(Directory::of("data.csv", CSV)?)?;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("age", Arc::new(Float64Array::from(vec![Some(31.0), None, Some(-4.5), Some(7.0)]))),
        ("town", Arc::new(StringArray::from(vec![Some("Ulm"), Some("Bonn"), None, Some("Bonn")]))),
        ("label", Arc::new(StringArray::from(vec!["yes", "no", "yes", "no"]))),
        ("fold", Arc::new(StringArray::from(vec!["train", "validation", "test", "train"]))),
    ];
    assert_eq!(digest(Directory::of("data.parquet", parquet(columns)?)?)?, csv);
    let text = |texts: [&str; 4]| -> Vec<u8> {
        let padded =
            texts.iter().flat_map(|text| text.chars().chain(std::iter::repeat('\0')).take(10).collect::<Vec<_>>());
        padded.flat_map(|letter| u32::from(letter).to_le_bytes()).collect()
    };
    let age: Vec<u8> = [31.0_f32, f32::NAN, -4.5, 7.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let arrays = [
        ("age.npy", npy("<f4", "4,", &age)),
        ("town.npy", npy("<U10", "4,", &text(["Ulm", "Bonn", "", "Bonn"]))),
        ("label.npy", npy("<U10", "4,", &text(["yes", "no", "yes", "no"]))),
        ("fold.npy", npy("<U10", "4,", &text(["train", "validation", "test", "train"]))),
    ];
    let directory = Directory::new()?;
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in &arrays {
        directory.write(name, bytes)?;
        archive.start_file(*name, zip::write::SimpleFileOptions::default())?;
        std::io::Write::write_all(&mut archive, bytes)?;
    }
    assert_eq!(digest(directory)?, csv);
    assert_eq!(digest(Directory::of("data.npz", archive.finish()?.into_inner())?)?, csv);
    Ok(())
}

#[test]
fn truth_values_and_whole_numbers_are_read_from_parquet() -> TestResult {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("flag", Arc::new(BooleanArray::from(vec![true, false, true]))),
        ("n", Arc::new(Int32Array::from(vec![-1, 0, 7]))),
        ("target", Arc::new(Float64Array::from(vec![0.1, 0.2, 0.3]))),
        ("fold", Arc::new(StringArray::from(vec!["train", "val", "test"]))),
    ];
    let made = Directory::of("data.parquet", parquet(columns)?)?.dataset(&options(Task::TabularRegression))?;
    assert_eq!(made.f32(Split::Train, "features")?, [1.0, -1.0]);
    assert_eq!(made.f32(Split::Validation, "features")?, [0.0, 0.0]);
    assert_eq!(made.f64(Split::Test, "target")?, [0.3]);
    Ok(())
}

#[test]
fn a_two_dimensional_array_is_one_column_for_each_place() -> TestResult {
    let directory = Directory::new()?;
    let features: Vec<u8> = (0..40).flat_map(|value: i16| value.to_le_bytes()).collect();
    directory.write("x.npy", npy("<i2", "20, 2", &features))?;
    directory.write("label.npy", npy("|u1", "20,", &[[0_u8; 10], [1; 10]].concat()))?;
    let made = directory.dataset(&Options::new(Task::TabularClassification, "case"))?;
    let names: Vec<&str> = made.outcome.fields[0].columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["x_0", "x_1"]);
    assert_eq!(made.outcome.rows, [14, 2, 4]);
    Ok(())
}

#[test]
fn times_events_and_conditions_are_read() -> TestResult {
    let mut options = options(Task::TimeToEvent);
    options.time = Some("days".into());
    options.condition = Some("site".into());
    let rows = "dose,days,event,site,fold\n1,10.5,1,b,train\n2,3,0,a,train\n3,1,true,10,validation\n4,2,false,b,test\n";
    let made = Directory::of("data.csv", rows)?.dataset(&options)?;
    assert_eq!(made.f32(Split::Train, "features")?, [1.0, 2.0]);
    assert_eq!(made.s64(Split::Train, "condition")?, [2, 1]);
    assert_eq!(made.f64(Split::Train, "time")?, [10.5, 3.0]);
    assert_eq!((made.s64(Split::Validation, "event")?, made.s64(Split::Test, "event")?), (vec![1], vec![0]));
    assert_eq!(made.outcome.fields[1].columns[0].categories, ["10", "a", "b"]);
    Ok(())
}

#[test]
fn texts_are_read_from_a_table_or_from_files() -> TestResult {
    let rows = "text,label,fold\n\"good, really\",1,train\nNA,0,train\nbad,0,validation\nso so,1,test\n";
    let made = Directory::of("data.csv", rows)?.dataset(&options(Task::TextClassification))?;
    let ColumnValues::Text(texts) = made.column(Split::Train, "text")?.values else { return Err("no text".into()) };
    // In a column of texts, "NA" is a text.
    assert_eq!(texts.iter().collect::<Vec<_>>(), ["good, really", "NA"]);
    let directory = Directory::new()?;
    directory
        .write("labels.csv", "filename,label,fold\na.txt,1,train\nb.txt,0,train\nc.txt,0,validation\nd.txt,1,test\n")?;
    for (name, text) in [("a", "good, really"), ("b", "NA"), ("c", "bad"), ("d", "so so")] {
        directory.write(&format!("texts/{name}.txt"), text)?;
    }
    assert_eq!(directory.dataset(&options(Task::TextClassification))?.outcome.digest, made.outcome.digest);
    Ok(())
}

#[test]
fn windows_cross_neither_series_nor_splits() -> TestResult {
    let mut rows = "day,target,heat,shop\n".to_owned();
    for day in 0..20 {
        for (shop, offset) in [("a", 0), ("b", 100)] {
            rows += &format!("2024-02-{:02},{},{},{shop}\n", day + 1, day + offset, -day);
        }
    }
    let mut options = Options::new(Task::TimeSeriesForecasting, "case");
    (options.time, options.series) = (Some("day".into()), Some("shop".into()));
    (options.context, options.horizon, options.stride) = (2, 1, Some(1));
    options.split.shares = thimble_ingest::Shares::parse("train=0.6,validation=0.2,test=0.2")?;
    let made = Directory::of("data.csv", &rows)?.dataset(&options)?;
    // Days 0 to 11, 12 to 15 and 16 to 19 of each shop, and in each n − 2 windows.
    assert_eq!(made.outcome.rows, [20, 4, 4]);
    let (window, horizon) = (made.f32(Split::Test, "window")?, made.f64(Split::Test, "horizon")?);
    assert_eq!(window[..8], [16.0, -16.0, 17.0, -17.0, 116.0, -16.0, 117.0, -17.0]);
    assert_eq!(horizon, [18.0, 118.0, 19.0, 119.0]);
    options.stride = Some(4);
    assert_eq!(Directory::of("data.csv", &rows)?.dataset(&options)?.outcome.rows, [6, 2, 2]);
    Ok(())
}

#[test]
fn times_of_parquet_are_read() -> TestResult {
    let times: Vec<i64> = (0..30).map(|hour| hour * 3_600_000).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("time", Arc::new(TimestampMillisecondArray::from(times))),
        ("target", Arc::new(Float64Array::from((0..30).map(f64::from).collect::<Vec<_>>()))),
    ];
    let mut options = Options::new(Task::TimeSeriesForecasting, "case");
    (options.context, options.horizon) = (2, 1);
    let made = Directory::of("data.parquet", parquet(columns)?)?.dataset(&options)?;
    assert_eq!(made.f64(Split::Validation, "horizon")?, [23.0]);
    assert_eq!(made.f64(Split::Test, "horizon")?, [26.0, 27.0, 28.0, 29.0]);
    Ok(())
}

#[test]
fn files_of_splits_are_one_dataset_and_missing_splits_are_cut_out_of_train() -> TestResult {
    let rows = |from: u32, to: u32| -> String { (from..to).map(|row| format!("{row},{}\n", row % 2)).collect() };
    let directory = Directory::new()?;
    directory.write("train.csv", format!("a,label\n{}", rows(0, 80)))?;
    directory.write("test.csv", format!("a,label\n{}", rows(80, 100)))?;
    let options = Options::new(Task::TabularClassification, "case");
    let made = directory.dataset(&options)?;
    assert_eq!(made.outcome.rows, [70, 10, 20]);
    assert_eq!(made.f32(Split::Test, "features")?, (80..100).map(|row| row as f32).collect::<Vec<_>>());
    directory.write("test.csv", format!("b,label\n{}", rows(80, 100)))?;
    assert_eq!(
        directory.errors(&options)?,
        [
            "test.csv: the columns are not those of train.csv: `a` is missing; give all files the same columns in the same order"
        ]
    );
    Ok(())
}

#[test]
fn the_metadataset_holds_nothing_of_the_rows() -> TestResult {
    let mut options = options(Task::TextClassification);
    options.split.group = Some("owner".into());
    options.split.column = None;
    let mut rows = "text,label,owner\n".to_owned();
    for row in 0..40 {
        rows += &format!("planted{row},{},owner{row}\n", row % 2);
    }
    let made = Directory::of("data.csv", rows)?.dataset(&options)?;
    let json = std::fs::read_to_string(made.out.path().join("dataset.json"))?;
    assert!(!json.contains("planted") && !json.contains("owner"), "{json}");
    let files: usize = std::fs::read_dir(made.out.path())?.count();
    assert_eq!(files, 4);
    Ok(())
}
