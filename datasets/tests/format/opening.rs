//! What was written is what is read, and nothing else opens.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, Int64Array, RecordBatch};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{DataType, Field as ArrowField, Schema};
use cap_std::fs::PermissionsExt as _;
use serde_json::json;
use thimble_datasets::{
    Classes, ColumnValues, DType, Dataset, Digest, Field, OpenError, Split, Table, Tables, TaskKind, Values,
    WriteError, limits, write,
};

use crate::fixture::{Directory, empty, tables, written};

fn refusal(directory: &Directory) -> String {
    Dataset::open(&directory.dir).expect_err("must not open").to_string()
}

#[test]
fn every_value_comes_back() {
    let tables = tables();
    let directory = empty();
    let digest = write(&directory.dir, &tables).expect("legal tables");
    let dataset = Dataset::open(&directory.dir).expect("opens");
    assert_eq!((dataset.digest(), tables.digest()), (digest, digest));
    for split in Split::ALL {
        let (table, opened) = (tables.split(split), dataset.split(split));
        assert_eq!(opened.rows(), table.rows);
        for (field, values) in tables.fields.iter().zip(&table.columns) {
            let column = opened.column(&field.name).expect("the field is there");
            assert_eq!((column.shape, column.width), (&field.shape[..], field.width()));
            assert!(column.values == values.view(), "{split} {}", field.name);
        }
        assert!(opened.column("other").is_none());
    }
}

#[test]
fn datasets_are_shared_between_threads() {
    const fn shared<T: Send + Sync>() {}
    shared::<Dataset>();
}

#[test]
fn rows_appear_in_no_debug_text() {
    let mut tables = tables();
    tables.test.columns[1] = Values::F64(vec![123_456.75; 4]);
    let dataset = Dataset::open(&written(&tables).dir).expect("opens");
    let column = dataset.split(Split::Test).column("age").expect("there");
    for text in [format!("{dataset:?}"), format!("{tables:?}"), format!("{:?}", tables.test), format!("{column:?}")] {
        assert!(!text.contains("123456"), "{text}");
    }
}

#[test]
fn columns_are_aligned_for_vector_loads() {
    let dataset = Dataset::open(&written(&tables()).dir).expect("opens");
    let features = dataset.split(Split::Train).column("features").expect("there");
    let ColumnValues::F32(values) = features.values else { unreachable!("the field is f32") };
    assert_eq!(values.as_ptr().align_offset(64), 0);
}

#[test]
fn the_content_digest_is_that_of_the_documented_bytes() {
    let table = |features: &[f32], label| Table {
        rows: 1,
        columns: vec![Values::F32(features.into()), Values::S64(vec![label])],
    };
    let tables = Tables {
        name: "tiny".into(),
        task: TaskKind::TabularClassification(Classes::unnamed(2)),
        fields: vec![Field::input("x", DType::F32, &[2]), Field::target("label", DType::S64, &[])],
        train: table(&[1.0, -0.0], 0),
        validation: table(&[0.5, 2.0], 1),
        test: table(&[-1.0, 3.0], 1),
    };
    // From `content_digest.py`, which shares no code with this crate.
    let expected = "sha256:55cdeca5bb66d938c88b2220dfa7b08cb1248fae0d711046a5d10ec328ac5e95";
    assert_eq!(tables.digest().to_string(), expected);
}

#[test]
fn a_name_does_not_make_another_dataset() {
    let (first, mut second) = (tables(), tables());
    second.name = "other".into();
    assert_eq!(first.digest(), second.digest());
    second.fields[0].name = "renamed".into();
    assert_ne!(first.digest(), second.digest());
}

#[test]
fn a_dataset_is_never_replaced() {
    let directory = written(&tables());
    assert!(matches!(write(&directory.dir, &tables()), Err(WriteError::Exists)));
}

#[test]
fn only_whole_files_appear_and_only_their_owner_reads_them() {
    let directory = empty();
    let mut wrong = tables();
    wrong.test.columns[0] = Values::F32(vec![f32::NAN; 8]);
    assert!(matches!(write(&directory.dir, &wrong), Err(WriteError::Table { split: Split::Test, .. })));
    assert_eq!(directory.dir.entries().expect("lists").count(), 0);

    write(&directory.dir, &tables()).expect("legal tables");
    let mut names: Vec<_> =
        directory.dir.entries().expect("lists").map(|entry| entry.expect("is listed").file_name()).collect();
    names.sort_unstable();
    assert_eq!(names, ["dataset.json", "test.arrow", "train.arrow", "validation.arrow"]);
    for name in names {
        assert_eq!(directory.dir.metadata(&name).expect("is there").permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn other_than_regular_files_are_refused() {
    for name in [limits::METADATASET_FILE, "test.arrow"] {
        let directory = written(&tables());
        directory.dir.rename(name, &directory.dir, "elsewhere").expect("renames");
        assert!(refusal(&directory).starts_with(&format!("{name}: cannot be read: ")));
        directory.dir.symlink("elsewhere", name).expect("links");
        assert_eq!(refusal(&directory), format!("{name}: not a regular file"));
        directory.dir.remove_file(name).expect("removes");
        directory.dir.create_dir(name).expect("creates");
        assert_eq!(refusal(&directory), format!("{name}: not a regular file"));
    }
}

#[test]
fn metadataset_size_limit_ok() {
    let directory = written(&tables());
    let mut bytes = directory.dir.read(limits::METADATASET_FILE).expect("reads");
    bytes.resize(limits::METADATASET_BYTES as usize, b' ');
    directory.dir.write(limits::METADATASET_FILE, bytes).expect("writes");
    assert!(Dataset::open(&directory.dir).is_ok());
}

#[test]
fn metadataset_size_limit_err() {
    let directory = written(&tables());
    let mut bytes = directory.dir.read(limits::METADATASET_FILE).expect("reads");
    bytes.resize(limits::METADATASET_BYTES as usize + 1, b' ');
    directory.dir.write(limits::METADATASET_FILE, bytes).expect("writes");
    assert_eq!(refusal(&directory), "dataset.json: 8388609 bytes, at most 8388608 are allowed");
}

#[test]
fn what_the_metadataset_says_must_be_true() {
    let cases = [
        (
            "/splits/train/class_counts",
            json!([1, 3, 1]),
            "dataset.json: at `splits.train.class_counts[0]`: 1, the rows hold 2",
        ),
        ("/splits/test/rows", json!(3), "test.arrow: field `features`: 8 values for 3 rows or items of 2"),
        ("/fields/0/dtype", json!("s32"), "train.arrow: the columns are ["),
        ("/fields/3/shape", json!([3, 2]), "dataset.json: at `digest`: sha256:"),
        ("/fields/3/shape", json!([7]), "train.arrow: the columns are ["),
        ("/task/classes", json!(4), "dataset.json: at `splits.train.class_counts`: 3 counts for 4 classes"),
        ("/digest", json!(Digest::of(b"other")), "dataset.json: at `digest`: sha256:"),
    ];
    for (pointer, value, expected) in cases {
        let directory = written(&tables());
        let mut json = directory.metadataset();
        *json.pointer_mut(pointer).expect("the path exists") = value;
        directory.set_metadataset(&json);
        let text = refusal(&directory);
        assert!(text.starts_with(expected), "{pointer}: {text}");
    }
}

#[test]
fn values_are_checked_in_files_too() {
    let directory = written(&tables());
    let good = directory.split(Split::Test);
    // The test split's features start with 25.0, its second label is 1.
    let replace = |from: &[u8], to: &[u8]| {
        let at = good.windows(from.len()).position(|window| window == from).expect("the value is in the file");
        let mut bytes = good.clone();
        bytes[at..at + to.len()].copy_from_slice(to);
        directory.set_split(Split::Test, &bytes);
        refusal(&directory)
    };
    let features: Vec<u8> = [25.0_f32, 25.25].iter().flat_map(|value| value.to_le_bytes()).collect();
    let labels: Vec<u8> = [0_i64, 1, 2, 0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let not_finite = "test.arrow: field `features`: row 0 holds a NaN or an infinity";
    assert_eq!(replace(&features, &f32::NAN.to_le_bytes()), not_finite);
    assert_eq!(replace(&features, &f32::NEG_INFINITY.to_le_bytes()), not_finite);
    let label = |value| format!("test.arrow: field `label`: the label of row 0 is {value}, classes are 0 to 2");
    assert_eq!(replace(&labels, &3_i64.to_le_bytes()), label(3));
    assert_eq!(replace(&labels, &(-1_i64).to_le_bytes()), label(-1));
    assert!(replace(&features, &26.0_f32.to_le_bytes()).starts_with("dataset.json: at `digest`: "));
}

/// A dataset of one f32 and a label, whose test file is replaced by these batches.
fn with_test_file(schema: &Arc<Schema>, batches: &[Vec<ArrayRef>]) -> Directory {
    let table = || Table { rows: 2, columns: vec![Values::F32(vec![1.0, 2.0]), Values::S64(vec![0, 1])] };
    let directory = written(&Tables {
        name: "plain".into(),
        task: TaskKind::TabularClassification(Classes::unnamed(2)),
        fields: vec![Field::input("x", DType::F32, &[]), Field::target("label", DType::S64, &[])],
        train: table(),
        validation: table(),
        test: table(),
    });
    let mut writer = FileWriter::try_new(Vec::new(), schema).expect("a schema");
    for columns in batches {
        let batch = RecordBatch::try_new(Arc::clone(schema), columns.clone()).expect("fits the schema");
        writer.write(&batch).expect("writes");
    }
    writer.finish().expect("finishes");
    directory.set_split(Split::Test, &writer.into_inner().expect("is finished"));
    directory
}

#[test]
fn arrow_files_of_another_form_are_refused() {
    let schema = |nullable| {
        let x = ArrowField::new("x", DataType::Float32, nullable);
        Arc::new(Schema::new(vec![x, ArrowField::new("label", DataType::Int64, false)]))
    };
    let columns = |x: Vec<f32>| -> Vec<ArrayRef> {
        let labels = Int64Array::from_iter_values((0..x.len()).map(|row| row as i64));
        vec![Arc::new(Float32Array::from(x)), Arc::new(labels)]
    };
    let good = columns(vec![1.0, 2.0]);
    assert!(Dataset::open(&with_test_file(&schema(false), std::slice::from_ref(&good)).dir).is_ok());

    let batches = |batches: &[Vec<ArrayRef>]| refusal(&with_test_file(&schema(false), batches));
    assert_eq!(batches(&[]), "test.arrow: 0 record batches, a split has exactly one");
    assert_eq!(batches(&[good.clone(), good.clone()]), "test.arrow: 2 record batches, a split has exactly one");
    assert_eq!(batches(&[columns(vec![1.0])]), "test.arrow: field `x`: 1 values for 2 rows or items of 1");

    let nulls: Vec<ArrayRef> = vec![Arc::new(Float32Array::from(vec![None, Some(2.0)])), Arc::clone(&good[1])];
    assert_eq!(
        refusal(&with_test_file(&schema(true), &[nulls])),
        "test.arrow: the columns are [x: Float32 or null, label: Int64], the metadataset's are [x: Float32, label: Int64]"
    );
    let tagged = Schema::new_with_metadata(schema(false).fields().clone(), [("a".to_owned(), "b".to_owned())]);
    assert!(refusal(&with_test_file(&Arc::new(tagged), &[good])).contains("label: Int64] with metadata, "));
}

#[test]
fn a_description_shows_nothing_of_the_test_split_but_its_size() {
    let dataset = Dataset::open(&written(&tables()).dir).expect("opens");
    let description = dataset.describe();
    let expected = format!(
        "\
dataset  small
digest   {}
task     tabular classification, 3 classes

field             type            role
features          f32[2]          input
age               f64             input
count             s32             input
image             s8[2×3]         input
flag              u8[1]           input
label             s64             target

split             rows            rows per class
train             5               1 to 2
validation        2               0 to 1
test              4               not shown
",
        dataset.digest()
    );
    assert_eq!(description.to_string(), expected);
    let json = serde_json::to_value(&description).expect("serialises");
    assert_eq!(json["splits"][2], json!({ "split": "test", "rows": 4, "class_counts": null }));
}

#[test]
fn the_canonical_dataset_round_trips() {
    let directory = empty();
    let tables = thimble_datasets::imagenet_pareto::canonical();
    let digest = write(&directory.dir, &tables).expect("legal tables");
    let started = std::time::Instant::now();
    let dataset = Dataset::open(&directory.dir).expect("opens");
    println!("opened in {:?}", started.elapsed());
    assert_eq!(dataset.digest(), digest);
    assert!(thimble_datasets::PUBLIC_DATASETS.contains(&digest));
    assert_eq!(Split::ALL.map(|split| dataset.split(split).rows()), [2048, 512, 1024]);
    assert_eq!(dataset.metadataset().class_counts(Split::Train), Some(&[16; 128][..]));
}

#[test]
fn a_missing_directory_entry_names_the_file() {
    assert!(
        matches!(Dataset::open(&empty().dir), Err(OpenError::File(error)) if error.to_string().starts_with("dataset.json: "))
    );
}
