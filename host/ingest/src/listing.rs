//! Directories of files: one for each row, named by a list or paired by their stems.
//!
//! A directory is laid out as a task says, or holds directories `train`, `validation` and `test` that each are.

use std::collections::BTreeMap;

use thimble_datasets::Split;

use crate::finding::{Findings, Place};
use crate::input::{Input, Listed, plain};
use crate::keys::KeyColumns;
use crate::names::Room;
use crate::options::{Options, split_of};
use crate::problem::Problem;
use crate::progress::{Progress, Silent};
use crate::rows::{Row, Table};
use crate::split::Keys;
use crate::table::Condition;
use crate::wording::{Quoted, nearest};

/// The list of a directory.
pub(crate) const LIST: &str = "labels.csv";
/// The column of file names.
pub(crate) const FILENAME: &str = "filename";

/// A directory that is laid out as the task says.
#[derive(Debug, Clone)]
pub(crate) struct Root {
    path: String,
    pub(crate) split: Option<Split>,
}

impl Root {
    /// A path below it.
    pub(crate) fn below(&self, path: &str) -> String {
        if self.path.is_empty() { path.to_owned() } else { format!("{}/{path}", self.path) }
    }

    pub(crate) fn path(&self) -> &str {
        if self.path.is_empty() { "." } else { &self.path }
    }
}

/// The directories of the splits, where there are any, else the input itself.
pub(crate) fn roots(input: &Input, findings: &mut Findings) -> Vec<Root> {
    if input.only().is_some() {
        return Vec::new();
    }
    let split = |path: String| split_of(&path).map(|split| Root { path, split: Some(split) });
    let mut roots: Vec<Root> = input.directories(".", findings).into_iter().filter_map(split).collect();
    roots.sort_by_key(|root| root.split);
    if roots.is_empty() {
        roots.push(Root { path: String::new(), split: None });
    }
    roots
}

/// Files of a directory; finds empty ones and names that cannot be paired.
pub(crate) fn files(
    input: &Input,
    folder: &str,
    wanted: fn(&str) -> bool,
    expected: &'static str,
    findings: &mut Findings,
) -> Vec<Listed> {
    let mut stems = BTreeMap::new();
    let listed = input.list(folder, |_| true, findings);
    let keep = |file: &Listed| {
        let place = || Place::file(&file.path);
        let (stem, _) = file.stem();
        if !wanted(&file.name) {
            findings.error(place(), Problem::Extension { expected });
            return false;
        }
        if file.bytes == 0 {
            findings.error(place(), Problem::ZeroBytes);
        }
        if stem.contains('.') {
            findings.error(place(), Problem::DottedStem { stem: Quoted::new(stem) });
        } else if stems.insert(stem.to_owned(), ()).is_some() {
            findings.error(place(), Problem::StemTwice { stem: Quoted::new(stem) });
        }
        true
    };
    listed.into_iter().filter(keep).collect()
}

/// Directories whose rows stand in `labels.csv`, a file for each.
pub(crate) struct Lists<'a> {
    lists: Vec<List<'a>>,
}

struct List<'a> {
    table: Table<'a>,
    filename: usize,
    extension: Option<usize>,
    /// `images`, in its root.
    folder: String,
    files: BTreeMap<String, Listed>,
}

impl<'a> Lists<'a> {
    /// Opens all lists and looks at all files.
    pub(crate) fn open(
        input: &'a Input,
        options: &Options,
        folder: &str,
        wanted: fn(&str) -> bool,
        expected: &'static str,
        findings: &mut Findings,
    ) -> Option<Self> {
        let mut lists: Vec<List<'a>> = Vec::new();
        for root in roots(input, findings) {
            let table = Table::list(input, &root.below(LIST), options, findings)?.given(root.split);
            let filename = table.column(FILENAME, findings)?;
            if let Some(first) = lists.first()
                && first.table.columns != table.columns
            {
                let (other, name) = (first.table.name().to_owned(), Quoted::new(FILENAME));
                findings.error(table.header_place(), Problem::OtherColumns { other, name, what: "and others differ" });
                return None;
            }
            let extension = table.position("extension");
            let folder = root.below(folder);
            let files = files(input, &folder, wanted, expected, findings);
            let files = files.into_iter().map(|file| (file.name.clone(), file)).collect();
            lists.push(List { table, filename, extension, folder, files });
        }
        (!lists.is_empty()).then_some(Self { lists })
    }

    /// The first list; all have the same columns.
    pub(crate) fn table(&self) -> &Table<'a> {
        &self.lists[0].table
    }

    /// Bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.lists.iter().flat_map(|list| list.files.values()).map(|file| file.bytes).sum()
    }

    /// Calls `visit` for every row with its file.
    pub(crate) fn each(
        &self,
        visit: &mut dyn FnMut(&Row<'_>, &Listed, &mut Findings),
        progress: &mut dyn Progress,
        findings: &mut Findings,
    ) {
        let (mut bytes, mut rows) = (0, 0);
        for list in &self.lists {
            let mut seen = BTreeMap::new();
            let mut on_row = |row: &Row<'_>, findings: &mut Findings| match list.file(row) {
                Ok(file) => {
                    let line = match row.place().at {
                        crate::finding::At::Line(line) | crate::finding::At::Row(line) => line,
                        crate::finding::At::File => 1,
                    };
                    if let Some(first) = seen.insert(file.name.clone(), line) {
                        let name = Quoted::new(&file.name);
                        return findings.error(row.place(), Problem::FileTwice { name, first });
                    }
                    visit(row, file, findings);
                    bytes += file.bytes;
                    rows += 1;
                    progress.done(bytes, rows);
                }
                Err(problem) => findings.error(row.place(), problem),
            };
            list.table.each(&mut on_row, &mut Silent, findings);
            for file in list.files.values().filter(|file| !seen.contains_key(&file.name)) {
                findings.error(Place::file(&file.path), Problem::Orphan { by: list.table.name().to_owned() });
            }
        }
    }
}

impl List<'_> {
    /// The file that a row names.
    fn file(&self, row: &Row<'_>) -> Result<&Listed, Problem> {
        let mut buffer = String::new();
        let missing = |column: &str| Problem::MissingTarget { column: Quoted::new(column) };
        let name = row.cell(self.filename).name(&mut buffer).ok_or_else(|| missing(FILENAME))?;
        let mut name = plain(name)?.to_owned();
        if let Some(place) = self.extension {
            let mut buffer = String::new();
            let extension = row.cell(place).name(&mut buffer).ok_or_else(|| missing("extension"))?;
            let extension = format!(".{}", extension.trim_start_matches('.'));
            if !name.ends_with(&extension) {
                name += plain(&extension)?;
            }
        }
        self.files.get(&name).ok_or_else(|| {
            let hint = nearest(&name, self.files.keys().map(String::as_str));
            Problem::NamedMissing { name: Quoted::new(&name), folder: self.folder.clone(), hint }
        })
    }
}

/// What `labels.csv` says of an image whose annotation is elsewhere.
#[derive(Debug, Default, Clone)]
pub(crate) struct Mark {
    pub(crate) keys: Keys,
    pub(crate) group: String,
    /// In the order of first appearance.
    pub(crate) condition: Option<String>,
}

/// Directories whose rows are the files of `images`, and may stand in `labels.csv`.
pub(crate) struct Pictures {
    pub(crate) roots: Vec<(Root, Vec<Listed>, BTreeMap<String, Mark>)>,
    pub(crate) condition: Option<crate::table::FoundCondition>,
}

impl Pictures {
    pub(crate) fn open(input: &Input, options: &Options, findings: &mut Findings) -> Option<Self> {
        let mut found = Self { roots: Vec::new(), condition: None };
        let (mut condition, mut room) = (None, Room::default());
        for root in roots(input, findings) {
            let images =
                files(input, &root.below("images"), crate::picture::is_image, ".png, .jpg, .jpeg or .bmp", findings);
            let rule = &options.split;
            let asks = options.condition.is_some()
                || rule.column.is_some()
                || rule.group.is_some()
                || rule.time_order.is_some();
            let mut marks = BTreeMap::new();
            if asks || input.has_file(&root.below(LIST)) {
                let table = Table::list(input, &root.below(LIST), options, findings)?.given(root.split);
                if condition.is_none() {
                    condition = Condition::find(&table, options, findings);
                }
                marks = read_marks(&table, options, &images, &mut condition, &mut room, findings)?;
            }
            if images.is_empty() && findings.is_clean() {
                let expected = "images (.png, .jpg, .bmp) in a directory `images`";
                findings.error(Place::file(root.path()), Problem::NothingToRead { expected });
            }
            found.roots.push((root, images, marks));
        }
        if found.roots.is_empty() {
            let expected = "a directory with `images`";
            findings.error(Place::file(input.only().unwrap_or(".")), Problem::NothingToRead { expected });
            return None;
        }
        found.condition = condition.map(Condition::finish);
        Some(found)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.roots.iter().flat_map(|(_, images, _)| images).map(|image| image.bytes).sum()
    }

    /// Every image with what decides about its split.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&Root, &Listed, Mark)> {
        self.roots.iter().flat_map(|(root, images, marks)| {
            images.iter().map(move |image| {
                let mut mark = marks.get(&image.name).cloned().unwrap_or_default();
                mark.keys.given = mark.keys.given.or(root.split);
                (root, image, mark)
            })
        })
    }
}

/// Rows may repeat a file: other tools write one for each object.
fn read_marks(
    table: &Table<'_>,
    options: &Options,
    images: &[Listed],
    condition: &mut Option<Condition>,
    room: &mut Room,
    findings: &mut Findings,
) -> Option<BTreeMap<String, Mark>> {
    let filename = table.column(FILENAME, findings)?;
    let keys = KeyColumns::find(table, options, findings);
    let names: BTreeMap<&str, ()> = images.iter().map(|image| (image.name.as_str(), ())).collect();
    let mut marks = BTreeMap::new();
    let mut visit = |row: &Row<'_>, findings: &mut Findings| {
        let mut buffer = String::new();
        let read = row.cell(filename).name(&mut buffer).ok_or(Problem::MissingTarget { column: Quoted::new(FILENAME) });
        let read = read.and_then(plain).and_then(|name| {
            if !names.contains_key(name) {
                let hint = nearest(name, names.keys().copied());
                return Err(Problem::NamedMissing { name: Quoted::new(name), folder: "images".into(), hint });
            }
            let (keys, group) = keys.read(row)?;
            Ok((name.to_owned(), Mark { keys, group, condition: None }))
        });
        match read {
            Ok((name, mut mark)) => {
                if let Some(condition) = condition {
                    condition.see(row, room, findings);
                    mark.condition = condition.name(row);
                }
                marks.entry(name).or_insert(mark);
            }
            Err(problem) => findings.error(row.place(), problem),
        }
    };
    table.each(&mut visit, &mut Silent, findings);
    for image in images.iter().filter(|image| !marks.contains_key(&image.name)) {
        findings.error(Place::file(&image.path), Problem::Orphan { by: table.name().to_owned() });
    }
    Some(marks)
}
