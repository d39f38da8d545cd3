//! A dataset of every task whose metadataset, or the Arrow file of one split, was replaced. The file's digest is made to
//! fit, so that the bytes reach the decoder.
#![no_main]

#[path = "../../datasets/tests/format/fixture.rs"]
#[expect(dead_code, reason = "the tests of the format, whose datasets these are, need more of it")]
mod fixture;
#[path = "../../datasets/tests/format/samples.rs"]
#[expect(dead_code, reason = "the tests of the format, whose datasets these are, need more of it")]
mod samples;

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::process;

use libfuzzer_sys::fuzz_target;
use thimble_datasets::{ColumnValues, Dataset, Digest, Split, SplitTable, limits};
use thimble_fuzz::write_seeds;

use fixture::Directory;

thread_local! {
    /// A dataset of every task, in the directory for temporary files.
    static SAMPLES: Vec<Sample> = samples::samples().iter().map(Sample::new).collect();
    /// What the last panic said.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A dataset, and what its directory holds between two inputs.
struct Sample {
    directory: Directory,
    digest: Digest,
    metadataset: String,
    splits: [Vec<u8>; 3],
    /// What the last input replaced.
    replaced: Cell<Option<Split>>,
}

impl Sample {
    fn new(tables: &thimble_datasets::Tables) -> Self {
        let directory = fixture::written(tables);
        let metadataset = directory.dir.read_to_string(limits::METADATASET_FILE).expect("reads");
        let splits = Split::ALL.map(|split| directory.split(split));
        Self { digest: tables.digest(), directory, metadataset, splits, replaced: Cell::new(None) }
    }

    fn write(&self, file: &str, bytes: &[u8]) {
        self.directory.dir.write(file, bytes).expect("the directory for temporary files takes it");
    }

    /// Undoes what the last input did to the splits; each input writes the metadataset anew.
    fn restore(&self) {
        if let Some(split) = self.replaced.take() {
            self.write(split.file_name(), &self.splits[split as usize]);
        }
    }

    fn check_metadataset(&self, bytes: &[u8]) {
        self.restore();
        self.write(limits::METADATASET_FILE, bytes);
        self.check_open();
    }

    fn check_split(&self, split: Split, bytes: &[u8]) {
        self.restore();
        self.replaced.set(Some(split));
        self.write(split.file_name(), bytes);
        let [old, new] = [self.splits[split as usize].as_slice(), bytes].map(|bytes| Digest::of(bytes).to_string());
        self.write(limits::METADATASET_FILE, self.metadataset.replace(&old, &new).as_bytes());
        self.check_open();
        self.check_mapped(split, bytes.len());
    }

    /// Opens as an operator's host does; the content's digest lets nothing through that is not this dataset.
    fn check_open(&self) {
        match Dataset::open(&self.directory.dir) {
            Ok(dataset) => {
                assert_eq!(dataset.digest(), self.digest);
                Split::ALL.into_iter().for_each(|split| read(dataset.split(split)));
            }
            Err(error) => check_text(&error.to_string()),
        }
    }

    /// Maps a file as a boxed child does, which sees neither digests nor rules.
    fn check_mapped(&self, split: Split, length: usize) {
        let file = self.directory.dir.open(split.file_name()).expect("just written").into_std();
        let json: thimble_datasets::Metadataset = serde_json::from_str(&self.metadataset).expect("just written");
        let rows = usize::try_from(json.rows(split)).expect("few");
        match SplitTable::of_checked_file((file, length), split, json.fields, rows) {
            Ok(table) => read(&table),
            Err(error) => check_text(&error.to_string()),
        }
    }
}

/// An error may repeat the file's words, but not at length and not to a terminal.
fn check_text(error: &str) {
    let words = !error.is_empty() && error.chars().count() < 4_000;
    assert!(words && !error.chars().any(char::is_control), "{error:?}");
}

/// Touches every value, with the offsets that the rows go by.
fn read(table: &SplitTable) {
    for field in table.fields() {
        let column = table.column(&field.name).expect("the table has its fields");
        let length = column.values.len();
        if let Some(offsets) = column.offsets {
            assert!(offsets.len() == table.rows() + 1 && offsets.is_sorted() && offsets[0] == 0, "{offsets:?}");
            assert_eq!(offsets[table.rows()] as usize * field.width(), length);
        } else {
            assert_eq!(table.rows() * field.width(), length);
        }
        match column.values {
            ColumnValues::Text(texts) => drop(std::hint::black_box(texts.iter().map(str::len).sum::<usize>())),
            values => drop(std::hint::black_box(format!("{values:?}"))),
        }
    }
}

fn check(input: &[u8]) {
    let Some((&selector, bytes)) = input.split_first() else { return };
    SAMPLES.with(|samples| {
        let sample = &samples[usize::from(selector / 4) % samples.len()];
        match Split::ALL.get(usize::from(selector % 4)) {
            Some(&split) => sample.check_split(split, bytes),
            None => sample.check_metadataset(bytes),
        }
    });
}

/// The Arrow crates panic on damaged bytes, which the decoder catches; libFuzzer's hook would end the process there.
fn let_panics_be_caught() {
    panic::set_hook(Box::new(|panic| PANIC.with(|last| *last.borrow_mut() = panic.to_string())));
}

fn seeds() -> Vec<Vec<u8>> {
    SAMPLES.with(|samples| {
        let of = |(index, sample): (usize, &Sample)| {
            let selector = |part: usize| u8::try_from(4 * index + part).expect("few tasks");
            let files = sample.splits.iter().map(Vec::as_slice).chain([sample.metadataset.as_bytes()]);
            files.enumerate().map(|(part, file)| [&[selector(part)], file].concat()).collect::<Vec<_>>()
        };
        samples.iter().enumerate().flat_map(of).collect()
    })
}

fuzz_target!(
    init: {
        let_panics_be_caught();
        write_seeds(seeds);
    },
    |input: &[u8]| {
        if panic::catch_unwind(AssertUnwindSafe(|| check(input))).is_err() {
            PANIC.with(|last| eprintln!("{}", last.borrow()));
            process::abort();
        }
    }
);
