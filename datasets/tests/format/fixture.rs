//! A small dataset with a column of every kind, and ways to break it.

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::{Value, json};
use tempfile::TempDir;
use thimble_datasets::{Classes, DType, Digest, Field, Split, Table, Tables, TaskKind, Values, limits, write};

fn table(rows: usize, first: u8) -> Table {
    let numbers = |width: usize| (0..rows * width).map(move |i| first + i as u8);
    Table {
        rows,
        columns: vec![
            Values::F32(numbers(2).map(|value| f32::from(value) * 0.25).collect()),
            Values::F64(numbers(1).map(f64::from).collect()),
            Values::S32(numbers(1).map(i32::from).collect()),
            Values::S8(numbers(6).map(|value| value as i8).collect()),
            Values::U8(numbers(1).collect()),
            Values::S64((0..rows).map(|row| row as i64 % 3).collect()),
        ],
    }
}

pub(crate) fn tables() -> Tables {
    Tables {
        name: "small".into(),
        task: TaskKind::TabularClassification(Classes::unnamed(3)),
        fields: vec![
            Field::input("features", DType::F32, &[2]),
            Field::input("age", DType::F64, &[]),
            Field::input("count", DType::S32, &[]),
            Field::input("image", DType::S8, &[2, 3]),
            Field::input("flag", DType::U8, &[1]),
            Field::target("label", DType::S64, &[]),
        ],
        train: table(5, 10),
        validation: table(2, 60),
        test: table(4, 100),
    }
}

/// A dataset's directory that is removed at the end.
pub(crate) struct Directory {
    _temporary: TempDir,
    pub(crate) dir: Dir,
}

pub(crate) fn empty() -> Directory {
    let temporary = tempfile::tempdir().expect("a temporary directory");
    let dir = Dir::open_ambient_dir(temporary.path(), ambient_authority()).expect("opens");
    Directory { _temporary: temporary, dir }
}

pub(crate) fn written(tables: &Tables) -> Directory {
    let directory = empty();
    write(&directory.dir, tables).expect("legal tables");
    directory
}

impl Directory {
    pub(crate) fn metadataset(&self) -> Value {
        serde_json::from_slice(&self.dir.read(limits::METADATASET_FILE).expect("reads")).expect("is JSON")
    }

    pub(crate) fn set_metadataset(&self, json: &Value) {
        self.dir.write(limits::METADATASET_FILE, json.to_string()).expect("writes");
    }

    /// Replaces a split's file and its digest in `dataset.json`.
    pub(crate) fn set_split(&self, split: Split, bytes: &[u8]) {
        self.dir.write(split.file_name(), bytes).expect("writes");
        let mut json = self.metadataset();
        json["splits"][split.name()]["file_digest"] = json!(Digest::of(bytes));
        self.set_metadataset(&json);
    }

    pub(crate) fn split(&self, split: Split) -> Vec<u8> {
        self.dir.read(split.file_name()).expect("reads")
    }
}
