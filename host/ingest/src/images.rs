//! Image classification: a list and images, a directory for each class, Parquet with the images in it, or arrays.

use thimble_datasets::{DType, Field, TaskKind, Values};

use crate::finding::{Findings, Place};
use crate::input::Listed;
use crate::keys::{KeyColumns, warn_of_absent};
use crate::limits;
use crate::listing::{Lists, files, roots};
use crate::names::{Names, Numbered, Room};
use crate::picture::{Frame, Picture, is_image};
use crate::problem::Problem;
use crate::progress::{Progress, Stage};
use crate::rows::{Cell, Row, Table};
use crate::sink::{Push, Sink};
use crate::split::{Assigner, Census, Keys};
use crate::table::{Condition, FoundClasses, FoundCondition, Label, classes};
use crate::wording::Quoted;
use crate::{IngestError, Outcome, Work};

const EXPECTED: &str = ".png, .jpg, .jpeg or .bmp";

/// Where the images are.
enum Layout<'a> {
    Lists(Lists<'a>),
    /// A column of images.
    Table(Table<'a>, usize),
}

impl Layout<'_> {
    fn table(&self) -> &Table<'_> {
        match self {
            Self::Lists(lists) => lists.table(),
            Self::Table(table, _) => table,
        }
    }

    fn bytes(&self) -> u64 {
        match self {
            Self::Lists(lists) => lists.bytes(),
            Self::Table(table, _) => table.bytes(),
        }
    }

    /// Calls `visit` with every row and its image.
    fn each(&self, work: &mut Work<'_>, frame: &mut Frame, visit: &mut dyn FnMut(&Row<'_>, Picture, &mut Findings)) {
        let input = work.input;
        match self {
            Self::Lists(lists) => {
                let mut on_file = |row: &Row<'_>, file: &Listed, findings: &mut Findings| {
                    let image = input.read(&file.path, limits::IMAGE_FILE_BYTES);
                    match image.and_then(|bytes| frame.decode(&bytes, file.stem().1)) {
                        Ok(picture) => visit(row, picture, findings),
                        // An empty file was found when the directory was read.
                        Err(Problem::ZeroBytes) => {}
                        Err(problem) => findings.error(Place::file(&file.path), problem),
                    }
                };
                lists.each(&mut on_file, work.progress, &mut work.findings);
            }
            Self::Table(table, column) => {
                let mut on_row = |row: &Row<'_>, findings: &mut Findings| {
                    let picture = match row.cell(*column) {
                        Cell::Bytes(bytes) if bytes.len() as u64 > limits::IMAGE_FILE_BYTES => {
                            Err(Problem::TooManyBytes { bytes: bytes.len() as u64, limit: limits::IMAGE_FILE_BYTES })
                        }
                        Cell::Bytes(bytes) => frame.decode(bytes, ""),
                        Cell::Pixels(shape, pixels) => frame.raw(shape, pixels),
                        _ => Err(Problem::NoImage { column: Quoted::new(&table.columns[*column]) }),
                    };
                    match picture {
                        Ok(picture) => visit(row, picture, findings),
                        Err(problem) => findings.error(row.place(), problem),
                    }
                };
                table.each(&mut on_row, work.progress, &mut work.findings);
            }
        }
    }
}

pub(crate) fn ingest(work: &mut Work<'_>) -> Result<Outcome, IngestError> {
    let (input, options) = (work.input, work.options);
    let roots = roots(input, &mut work.findings);
    let has = |path: &str| roots.iter().any(|root| input.has_file(&root.below(path)));
    let layout = if has("images") || has(crate::listing::LIST) {
        let lists = Lists::open(input, options, "images", is_image, EXPECTED, &mut work.findings);
        lists.map(Layout::Lists)
    } else if has_tables(work) {
        Table::open(input, options, &mut work.findings).and_then(|table| {
            let column = table.column("image", &mut work.findings)?;
            Some(Layout::Table(table, column))
        })
    } else {
        return ingest_folders(work);
    };
    let Some(layout) = layout else { return Err(work.failed()) };
    ingest_rows(work, &layout)
}

fn has_tables(work: &Work<'_>) -> bool {
    let mut unseen = Findings::default();
    let table = |name: &str| [".parquet", ".npz", ".npy"].iter().any(|end| name.ends_with(end));
    let mut folders = vec![".".to_owned()];
    folders.extend(work.input.directories(".", &mut unseen));
    folders.iter().any(|folder| !work.input.list(folder, table, &mut unseen).is_empty())
}

fn ingest_rows(work: &mut Work<'_>, layout: &Layout<'_>) -> Result<Outcome, IngestError> {
    let options = work.options;
    let table = layout.table();
    let keys = KeyColumns::find(table, options, &mut work.findings);
    let mut condition = Condition::find(table, options, &mut work.findings);
    let label = table.column(options.label_column(), &mut work.findings);
    let Some(label) = label else { return Err(work.failed()) };
    let (mut label, mut room) = (Label::new(label, options), Room::default());
    let (mut census, mut frame) = (Census::new(options), Frame::new(options));
    work.progress.begin(Stage::Check, layout.bytes());
    layout.each(work, &mut frame, &mut |row, _, findings| {
        let stratum = label.see(row, &mut room, findings).unwrap_or(0);
        if let Some(condition) = &mut condition {
            condition.see(row, &mut room, findings);
        }
        match keys.read(row) {
            Ok((keys, group)) => {
                let keys = Keys { stratum: if options.stratified() { stratum } else { 0 }, ..keys };
                census.count(keys, &group, || row.place(), findings);
            }
            Err(problem) => findings.error(row.place(), problem),
        }
    });
    let label = label.finish(table, &mut work.findings);
    work.clean()?;
    let mut assigner = census.finish(table.name(), &mut work.findings);
    let condition = condition.map(Condition::finish);
    let task = label.classes(options, table.header_place(), &mut work.findings);
    work.clean()?;
    let mut sink =
        Sink::new(work.out, &options.name, TaskKind::ImageClassification(task), fields(&frame, condition.as_ref()))?;
    let (mut counts, mut failed) = (vec![[0; 3]; label.numbered.names.len()], None);
    work.progress.begin(Stage::Write, layout.bytes());
    layout.each(work, &mut frame, &mut |row, picture, findings| {
        if failed.is_some() || !findings.is_clean() {
            return;
        }
        let Some((split, class)) = assign(row, &keys, &label, &mut assigner, options.stratified()) else {
            return findings.error(row.place(), Problem::Changed);
        };
        counts[class as usize][split as usize] += 1;
        let condition = condition.as_ref().map(|condition| condition.get(row).unwrap_or(0));
        let result = sink.row(split, || row.place(), |columns| fill(columns, &picture, condition, class));
        failed = result.err();
    });
    if let Some(error) = failed {
        return Err(error);
    }
    warn_of_absent(&label.numbered.names, &counts, table.name(), &mut work.findings);
    sink.finish(work, table.name())
}

fn assign(
    row: &Row<'_>,
    keys: &KeyColumns,
    label: &FoundClasses,
    assigner: &mut Assigner,
    stratified: bool,
) -> Option<(thimble_datasets::Split, u32)> {
    let (mut keys, _) = keys.read(row).ok()?;
    let (class, index) = label.get(row)?;
    keys.stratum = if stratified { index } else { 0 };
    Some((assigner.split(keys)?, class))
}

fn fields(frame: &Frame, condition: Option<&FoundCondition>) -> Vec<Field> {
    let condition = condition.map(FoundCondition::field);
    [Some(frame.field()), condition, Some(Field::target("label", DType::S64, &[]))].into_iter().flatten().collect()
}

fn fill(columns: &mut [Values], picture: &Picture, condition: Option<i64>, class: u32) {
    let [image, .., label] = columns else { return };
    image.push(&picture.pixels[..]);
    label.push(i64::from(class));
    if let (Some(condition), [_, column, _]) = (condition, columns) {
        column.push(condition);
    }
}

/// A directory for each class.
fn ingest_folders(work: &mut Work<'_>) -> Result<Outcome, IngestError> {
    let (input, options) = (work.input, work.options);
    let (mut names, mut room) = (Names::declared("label", &options.classes), Room::default());
    let mut images = Vec::new();
    for root in roots(input, &mut work.findings) {
        for class in input.directories(root.path(), &mut work.findings) {
            let folder = root.below(&class);
            let place = || Place::file(&folder);
            let listed = files(input, &folder, is_image, EXPECTED, &mut work.findings);
            let mut index = None;
            for _ in &listed {
                index = names.see(&class, &mut room, place, &mut work.findings);
            }
            let keys = Keys { given: root.split, stratum: index.unwrap_or(0), ..Keys::default() };
            images.extend(listed.into_iter().map(|file| (file, class.clone(), keys)));
        }
    }
    let rule = &options.split;
    if images.is_empty() {
        let expected = "labels.csv and images/, a directory of images for each class, or Parquet with a column `image`";
        work.findings.error(Place::file(input.only().unwrap_or(".")), Problem::NothingToRead { expected });
    }
    for column in [&options.condition, &rule.column, &rule.group, &rule.time_order].into_iter().flatten() {
        let hint = crate::wording::Hint(None);
        work.findings.error(Place::file("."), Problem::NoColumn { name: Quoted::new(column), hint });
    }
    let numbered = names.number();
    if let [only] = &numbered.names[..] {
        work.findings.error(Place::file("."), Problem::UniformLabel { class: Quoted::new(only) });
    }
    write_folders(work, &images, &numbered)
}

fn write_folders(
    work: &mut Work<'_>,
    images: &[(Listed, String, Keys)],
    numbered: &Numbered,
) -> Result<Outcome, IngestError> {
    let (input, options) = (work.input, work.options);
    let (mut census, mut frame) = (Census::new(options), Frame::new(options));
    let decode = |file: &Listed, frame: &mut Frame| {
        let bytes = input.read(&file.path, limits::IMAGE_FILE_BYTES)?;
        frame.decode(&bytes, file.stem().1)
    };
    let total = images.iter().map(|(file, ..)| file.bytes).sum();
    let keys = |keys: &Keys| Keys { stratum: if options.stratified() { keys.stratum } else { 0 }, ..*keys };
    work.progress.begin(Stage::Check, total);
    let mut done = Done::default();
    for (file, _, key) in images {
        match decode(file, &mut frame) {
            Ok(_) | Err(Problem::ZeroBytes) => {}
            Err(problem) => work.findings.error(Place::file(&file.path), problem),
        }
        census.count(keys(key), "", || Place::file(&file.path), &mut work.findings);
        done.add(file, work.progress);
    }
    work.clean()?;
    let mut assigner = census.finish(".", &mut work.findings);
    let task = classes(&numbered.names, options, Place::file("."), &mut work.findings);
    work.clean()?;
    let mut sink = Sink::new(work.out, &options.name, TaskKind::ImageClassification(task), fields(&frame, None))?;
    let mut counts = vec![[0; 3]; numbered.names.len()];
    work.progress.begin(Stage::Write, total);
    let mut done = Done::default();
    for (file, class, key) in images {
        let place = || Place::file(&file.path);
        let found = decode(file, &mut frame).ok().zip(assigner.split(keys(key))).zip(numbered.get(class));
        let Some(((picture, split), (class, _))) = found else {
            work.findings.error(place(), Problem::Changed);
            break;
        };
        counts[class as usize][split as usize] += 1;
        sink.row(split, place, |columns| fill(columns, &picture, None, class))?;
        done.add(file, work.progress);
    }
    warn_of_absent(&numbered.names, &counts, ".", &mut work.findings);
    sink.finish(work, ".")
}

/// How many files are done.
#[derive(Debug, Default)]
pub(crate) struct Done {
    bytes: u64,
    rows: u64,
}

impl Done {
    pub(crate) fn add(&mut self, file: &Listed, progress: &mut dyn Progress) {
        self.bytes += file.bytes;
        self.rows += 1;
        progress.done(self.bytes, self.rows);
    }
}
