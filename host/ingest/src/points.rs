//! Keypoint detection: `images/` and a list with the columns `NAME_x`, `NAME_y` and, if it likes, `NAME_v` of each point, or with
//! the columns `Annotation` (JSON, name → \[x, y\] as parts of width and height) and `Visibility` (JSON, name → 0, 1 or 2).
//!
//! x and y are pixels from the left and the top edge. A visibility of 0 is not annotated, 1 hidden, 2 visible; without the
//! column a point with x and y is visible, and one without is not annotated.

use serde_json::Value;
use thimble_datasets::{DType, Field, Points, Skeleton, TaskKind, Values};

use crate::finding::{Findings, Place};
use crate::input::Listed;
use crate::keys::KeyColumns;
use crate::limits;
use crate::listing::Lists;
use crate::names::Room;
use crate::options::Size;
use crate::picture::{Frame, is_image, scaled};
use crate::problem::Problem;
use crate::progress::Stage;
use crate::rows::{Number, Row, Table};
use crate::sink::{Push, Sink};
use crate::split::Census;
use crate::table::{Condition, FoundCondition, number};
use crate::wording::Quoted;
use crate::{IngestError, Outcome, Work};

/// Where a row has its points.
enum Form {
    /// For each point its name and its columns.
    Columns(Vec<(String, usize, usize, Option<usize>)>),
    /// The columns of the JSON, and the names of the points.
    Json { annotation: usize, visibility: Option<usize>, names: Vec<String> },
}

/// Where a row has everything.
struct Roles {
    form: Form,
    /// Corners of the instance's box.
    corners: Option<[(String, usize); 4]>,
    area: Option<usize>,
}

/// A row's points in pixels of its image, visibilities, box and area.
struct Instance {
    places: Vec<[f64; 2]>,
    visibility: Vec<u8>,
    corners: Option<[f64; 4]>,
    area: Option<f64>,
}

const AREA: &str = "area";
const CORNERS: [&str; 4] = ["box_x0", "box_y0", "box_x1", "box_y1"];
const JSON: [&str; 2] = ["Annotation", "Visibility"];

impl Roles {
    fn find(table: &Table<'_>, findings: &mut Findings) -> Option<Self> {
        let of = |name: &str, end: &str| table.position(&format!("{name}{end}"));
        let points = table.columns.iter().enumerate().filter_map(|(x, column)| {
            let name = column.strip_suffix("_x")?;
            Some((name.to_owned(), x, of(name, "_y")?, of(name, "_v")))
        });
        let points: Vec<_> = points.collect();
        let form = match table.position(JSON[0]) {
            Some(annotation) if points.is_empty() => {
                Form::Json { annotation, visibility: table.position(JSON[1]), names: Vec::new() }
            }
            _ if points.is_empty() => {
                findings.error(table.header_place(), Problem::NoPoints);
                return None;
            }
            _ => Form::Columns(points),
        };
        let corners = CORNERS.map(|name| table.position(name).map(|place| (name.to_owned(), place)));
        let corners = match corners {
            [Some(a), Some(b), Some(c), Some(d)] => Some([a, b, c, d]),
            _ => None,
        };
        Some(Self { form, corners, area: table.position(AREA) })
    }

    fn names(&self) -> Vec<String> {
        match &self.form {
            Form::Columns(points) => points.iter().map(|(name, ..)| name.clone()).collect(),
            Form::Json { names, .. } => names.clone(),
        }
    }

    /// Reads a row whose image has this size. The first row says which points JSON has.
    fn read(&mut self, row: &Row<'_>, size: Size) -> Result<Instance, Problem> {
        let mut instance = match &mut self.form {
            Form::Columns(points) => from_columns(points, row)?,
            Form::Json { annotation, visibility, names } => from_json(row, *annotation, *visibility, names, size)?,
        };
        let Size { height, width } = size;
        let names = self.names();
        for ((place, visibility), name) in instance.places.iter_mut().zip(&instance.visibility).zip(&names) {
            let [x, y] = *place;
            let inside = (0.0..=f64::from(width)).contains(&x) && (0.0..=f64::from(height)).contains(&y);
            match (visibility, inside) {
                // What is not annotated has no place.
                (0, _) => *place = [0.0; 2],
                (_, true) => {}
                (_, false) => {
                    let (x, y) = (x.to_string(), y.to_string());
                    return Err(Problem::PointOutside { point: Quoted::new(name), x, y, height, width });
                }
            }
        }
        if let Some([x0, y0, x1, y1]) = &self.corners {
            let corner = |(name, place): &(String, usize)| number(row, *place, name);
            instance.corners = Some(check_box([corner(x0)?, corner(y0)?, corner(x1)?, corner(y1)?], size)?);
        }
        if let Some(place) = self.area {
            let area = number(row, place, AREA)?;
            let value = Quoted::new(&area.to_string());
            instance.area = Some(area).filter(|area| *area > 0.0);
            instance.area.ok_or(Problem::TimeNotPositive { column: Quoted::new(AREA), value })?;
        }
        Ok(instance)
    }
}

fn check_box(corners: [f64; 4], Size { height, width }: Size) -> Result<[f64; 4], Problem> {
    let [x0, y0, x1, y1] = corners;
    let text = || format!("x0 {x0}, y0 {y0}, x1 {x1}, y1 {y1}");
    if x0 >= x1 || y0 >= y1 {
        return Err(Problem::BoxDegenerate { object: 1, corners: text() });
    }
    match x0 < 0.0 || y0 < 0.0 || x1 > f64::from(width) || y1 > f64::from(height) {
        true => Err(Problem::BoxOutside { object: 1, corners: text(), height, width }),
        false => Ok(corners),
    }
}

fn visibility_of(value: f64) -> Option<u8> {
    [0_u8, 1, 2].into_iter().find(|&visibility| f64::from(visibility) == value)
}

fn from_columns(points: &[(String, usize, usize, Option<usize>)], row: &Row<'_>) -> Result<Instance, Problem> {
    let mut instance = Instance { places: Vec::new(), visibility: Vec::new(), corners: None, area: None };
    for (name, x, y, v) in points {
        let given = |place: usize| !matches!(row.cell(place).number(), Number::Missing);
        let visibility = match v {
            Some(place) => {
                let column = format!("{name}_v");
                let value = number(row, *place, &column)?;
                let wrong =
                    || Problem::Visibility { column: Quoted::new(&column), value: Quoted::new(&value.to_string()) };
                visibility_of(value).ok_or_else(wrong)?
            }
            None if given(*x) || given(*y) => 2,
            None => 0,
        };
        let place = match visibility {
            0 => [0.0; 2],
            _ => [number(row, *x, &format!("{name}_x"))?, number(row, *y, &format!("{name}_y"))?],
        };
        instance.places.push(place);
        instance.visibility.push(visibility);
    }
    Ok(instance)
}

fn object(row: &Row<'_>, place: usize, column: &str) -> Result<serde_json::Map<String, Value>, Problem> {
    let fault = |reason: String| Problem::PointJson { column: Quoted::new(column), reason };
    let text = row.literal(place).unwrap_or("");
    serde_json::from_str(text).map_err(|error| fault(error.to_string()))
}

fn from_json(
    row: &Row<'_>,
    annotation: usize,
    visibility: Option<usize>,
    names: &mut Vec<String>,
    size: Size,
) -> Result<Instance, Problem> {
    let places = object(row, annotation, JSON[0])?;
    if names.is_empty() {
        names.extend(places.keys().cloned());
        names.sort_unstable();
    }
    let fault = |column: &str, reason: String| Problem::PointJson { column: Quoted::new(column), reason };
    if let Some(other) = places.keys().find(|name| names.binary_search(name).is_err()) {
        return Err(fault(JSON[0], format!("the first row has no point {}", Quoted::new(other))));
    }
    let seen = visibility.map(|place| object(row, place, JSON[1])).transpose()?;
    let mut instance = Instance { places: Vec::new(), visibility: Vec::new(), corners: None, area: None };
    for name in &*names {
        let quoted = Quoted::new(name);
        let place = places.get(name).ok_or_else(|| fault(JSON[0], format!("there is no point {quoted}")))?;
        let place = match place.as_array().map(Vec::as_slice) {
            Some([x, y]) => x.as_f64().zip(y.as_f64()),
            _ => None,
        };
        let (x, y) = place.ok_or_else(|| fault(JSON[0], format!("{quoted} is not [x, y]")))?;
        let visibility = match &seen {
            Some(seen) => match seen.get(name) {
                Some(Value::Bool(visible)) => Some(if *visible { 2 } else { 1 }),
                Some(value) => value.as_f64().and_then(visibility_of),
                None => None,
            },
            None => Some(2),
        };
        let wrong = || fault(JSON[1], format!("{quoted} is not 0, 1 or 2"));
        instance.visibility.push(visibility.ok_or_else(wrong)?);
        instance.places.push([x * f64::from(size.width), y * f64::from(size.height)]);
    }
    Ok(instance)
}

pub(crate) fn ingest(work: &mut Work<'_>) -> Result<Outcome, IngestError> {
    let (input, options) = (work.input, work.options);
    let lists = Lists::open(input, options, "images", is_image, ".png, .jpg, .jpeg or .bmp", &mut work.findings);
    let Some(lists) = lists else {
        if work.findings.is_clean() {
            let expected = "a directory with labels.csv and images/";
            work.findings.error(Place::file(input.only().unwrap_or(".")), Problem::NothingToRead { expected });
        }
        return Err(work.failed());
    };
    let table = lists.table();
    let keys = KeyColumns::find(table, options, &mut work.findings);
    let mut condition = Condition::find(table, options, &mut work.findings);
    let Some(mut roles) = Roles::find(table, &mut work.findings) else { return Err(work.failed()) };
    work.clean()?;
    let (mut census, mut frame, mut room) = (Census::new(options), Frame::new(options), Room::default());
    work.progress.begin(Stage::Check, lists.bytes());
    let mut check = |row: &Row<'_>, file: &Listed, findings: &mut Findings| {
        if let Some(condition) = &mut condition {
            condition.see(row, &mut room, findings);
        }
        let picture = input.read(&file.path, limits::IMAGE_FILE_BYTES);
        match picture.and_then(|bytes| frame.decode(&bytes, file.stem().1)) {
            Ok(picture) => {
                if let Err(problem) = roles.read(row, picture.original) {
                    findings.error(row.place(), problem);
                }
            }
            Err(Problem::ZeroBytes) => {}
            Err(problem) => findings.error(Place::file(&file.path), problem),
        }
        match keys.read(row) {
            Ok((keys, group)) => census.count(keys, &group, || row.place(), findings),
            Err(problem) => findings.error(row.place(), problem),
        }
    };
    lists.each(&mut check, work.progress, &mut work.findings);
    work.clean()?;
    let mut assigner = census.finish(table.name(), &mut work.findings);
    work.clean()?;
    let condition = condition.map(Condition::finish);
    let task = TaskKind::KeypointDetection(Points { point_names: roles.names(), skeleton: Skeleton::Uniform });
    let mut sink = Sink::new(work.out, &options.name, task, fields(&frame, condition.as_ref(), &roles))?;
    let mut failed = None;
    work.progress.begin(Stage::Write, lists.bytes());
    let mut write = |row: &Row<'_>, file: &Listed, findings: &mut Findings| {
        if failed.is_some() || !findings.is_clean() {
            return;
        }
        let bytes = input.read(&file.path, limits::IMAGE_FILE_BYTES);
        let picture = bytes.and_then(|bytes| frame.decode(&bytes, file.stem().1)).ok();
        let instance = picture.and_then(|picture| roles.read(row, picture.original).ok().map(|found| (picture, found)));
        let split = keys.read(row).ok().and_then(|(keys, _)| assigner.split(keys));
        let Some(((picture, instance), split)) = instance.zip(split) else {
            return findings.error(row.place(), Problem::Changed);
        };
        let condition = condition.as_ref().map(|condition| condition.get(row).unwrap_or(0));
        let size = frame.size();
        let result = sink.row(
            split,
            || row.place(),
            |columns| {
                let mut columns = columns.iter_mut();
                if let Some(column) = columns.next() {
                    column.push(&picture.pixels[..]);
                }
                if let Some((column, condition)) =
                    condition.and_then(|value| columns.next().map(|column| (column, value)))
                {
                    column.push(condition);
                }
                fill(&instance, picture.original, size, columns);
            },
        );
        failed = result.err();
    };
    lists.each(&mut write, work.progress, &mut work.findings);
    match failed {
        Some(error) => Err(error),
        None => sink.finish(work, table.name()),
    }
}

fn fields(frame: &Frame, condition: Option<&FoundCondition>, roles: &Roles) -> Vec<Field> {
    let points = u32::try_from(roles.names().len()).unwrap_or(u32::MAX);
    let mut fields = vec![frame.field()];
    fields.extend(condition.map(FoundCondition::field));
    fields.push(Field::target("keypoints", DType::F32, &[points, 2]));
    fields.push(Field::target("visibility", DType::U8, &[points]));
    fields.extend(roles.corners.as_ref().map(|_| Field::target("box", DType::F32, &[4])));
    fields.extend(roles.area.map(|_| Field::target(AREA, DType::F64, &[])));
    fields
}

/// Adds the targets, in the pixels of the image as it is stored.
fn fill<'a>(instance: &Instance, from: Size, to: Size, mut columns: impl Iterator<Item = &'a mut Values>) {
    let x = |place| scaled(place, from.width, to.width);
    let y = |place| scaled(place, from.height, to.height);
    if let Some(column) = columns.next() {
        instance.places.iter().for_each(|place| column.push(&[x(place[0]), y(place[1])][..]));
    }
    if let Some(column) = columns.next() {
        column.push(&instance.visibility[..]);
    }
    if let Some([x0, y0, x1, y1]) = instance.corners
        && let Some(column) = columns.next()
    {
        column.push(&[x(x0), y(y0), x(x1), y(y1)][..]);
    }
    if let (Some(area), Some(column)) = (instance.area, columns.next()) {
        let sides = |size: Size| f64::from(size.height) * f64::from(size.width);
        column.push(area * sides(to) / sides(from));
    }
}
