//! Boxes, instances and keypoints.

use thimble_datasets::{Column, ColumnValues, Dataset, Points, Split, SplitTable};

use super::numbers;
use crate::columns::{scalar, variable};
use crate::report::{Breakdown, Cell, Label, MinimumCell, Section, Unit};
use crate::suppress::{Support, one_way};

/// Most points that are shown.
const MAX_POINTS: usize = 64;
/// Areas in pixels below which an object is small, and medium (COCO detection evaluation: 32² and 96²).
const SIZES: [f64; 2] = [1024.0, 9216.0];

/// The areas in pixels of the objects of a row.
type Areas<'a> = Box<dyn Fn(usize) -> Vec<f64> + 'a>;

fn box_areas<'a>(table: &'a SplitTable, field: &str) -> Option<Areas<'a>> {
    let column = table.column(field)?;
    let ColumnValues::F32(boxes) = column.values else { return None };
    Some(Box::new(move |row| {
        let (boxes, _) = boxes[column.range(row)].as_chunks::<4>();
        boxes.iter().map(|[x0, y0, x1, y1]| f64::from(x1 - x0) * f64::from(y1 - y0)).collect()
    }))
}

fn mask_areas(table: &SplitTable) -> Option<Areas<'_>> {
    let column = table.column("masks")?;
    let ColumnValues::U8(masks) = column.values else { return None };
    Some(Box::new(move |row| {
        let masks = masks[column.range(row)].chunks_exact(column.width.max(1));
        masks.map(|mask| mask.iter().filter(|&&pixel| pixel != 0).count() as f64).collect()
    }))
}

/// Pixels of an image.
fn image_area(dataset: &Dataset) -> f64 {
    let image = dataset.metadataset().fields.iter().find(|field| field.name == "image");
    match image.map(|field| &field.shape[..]) {
        Some([height, width, _]) => f64::from(*height) * f64::from(*width),
        _ => f64::NAN,
    }
}

/// Boxes: how many in an image, and how large.
pub(super) fn boxes(dataset: &Dataset, minimum: MinimumCell) -> Section {
    objects(dataset, "Boxes", |table| box_areas(table, "boxes"), minimum)
}

/// Instances: how many in an image, and how large.
pub(super) fn instances(dataset: &Dataset, minimum: MinimumCell) -> Section {
    objects(dataset, "Instances", mask_areas, minimum)
}

fn objects<'a>(
    dataset: &'a Dataset,
    title: &str,
    areas: impl Fn(&'a SplitTable) -> Option<Areas<'a>>,
    minimum: MinimumCell,
) -> Section {
    let percent = 100.0 / image_area(dataset);
    let mean_area = variable(dataset, "Mean area (percent of the image)", true, |table| {
        let areas = areas(table)?;
        Some(Box::new(move |row| {
            let areas = areas(row);
            // 0 / 0, a NaN, where there is no object.
            percent * areas.iter().sum::<f64>() / areas.len() as f64
        }))
    });
    let counts = scalar(dataset, &format!("{title} in an image"), "counts");
    let notes = vec!["An image's mean area is missing where it has no object.".into()];
    let mut section = numbers(title, notes, [counts, mean_area], minimum);
    // In images that are smaller, no object is that large.
    let limits: Vec<f64> = SIZES.into_iter().filter(|&size| size < image_area(dataset)).collect();
    let labels = match limits.len() {
        0 => return section,
        1 => ["small (below 32²)", "larger"].map(Label::value).to_vec(),
        _ => ["small (below 32²)", "medium (below 96²)", "large"].map(Label::value).to_vec(),
    };
    let sizes = |split| sizes(dataset.split(split), &areas, &limits, minimum);
    if let Some((train, validation)) = sizes(Split::Train).zip(sizes(Split::Validation)) {
        let title = "Sizes in square pixels".into();
        section.breakdowns.push(Breakdown { title, unit: Unit::Objects, labels, train, validation });
    }
    section
}

fn sizes<'a>(
    table: &'a SplitTable,
    areas: impl Fn(&'a SplitTable) -> Option<Areas<'a>>,
    limits: &[f64],
    minimum: MinimumCell,
) -> Option<Vec<Cell>> {
    let areas = areas(table)?;
    let mut counts = vec![0_u64; limits.len() + 1];
    let mut rows = counts.clone();
    for row in 0..table.rows() {
        let mut here = vec![0_u64; counts.len()];
        for area in areas(row) {
            here[limits.partition_point(|&size| size <= area)] += 1;
        }
        for ((count, rows), here) in counts.iter_mut().zip(&mut rows).zip(here) {
            *count += here;
            *rows += u64::from(here > 0);
        }
    }
    Some(one_way(&counts, Support::Shared(&rows), minimum))
}

/// Keypoints: how visible each is, and how large instances are.
pub(super) fn keypoints(dataset: &Dataset, points: &Points, minimum: MinimumCell) -> Section {
    let percent = 100.0 / image_area(dataset);
    let annotated = variable(dataset, "Annotated points in an image", false, |table| {
        let Column { values: ColumnValues::U8(values), width, .. } = table.column("visibility")? else { return None };
        Some(Box::new(move |row| {
            values[row * width..(row + 1) * width].iter().filter(|&&visibility| visibility > 0).count() as f64
        }))
    });
    let boxes = variable(dataset, "Area of the box (percent of the image)", false, |table| {
        let areas = box_areas(table, "box")?;
        Some(Box::new(move |row| percent * areas(row).first().copied().unwrap_or(f64::NAN)))
    });
    let area = scalar(dataset, "Area (square pixels)", "area");
    let mut section = numbers("Keypoints", Vec::new(), [annotated, boxes, area], minimum);
    for (point, name) in points.point_names.iter().enumerate().take(MAX_POINTS) {
        let cells = |split| visibility(dataset.split(split), point, minimum);
        let Some((train, validation)) = cells(Split::Train).zip(cells(Split::Validation)) else { continue };
        section.breakdowns.push(Breakdown {
            title: format!("Visibility of {name}"),
            unit: Unit::Rows,
            labels: ["not annotated", "hidden", "visible"].map(Label::value).into(),
            train,
            validation,
        });
    }
    if points.point_names.len() > MAX_POINTS {
        let total = points.point_names.len();
        section.notes.push(format!("The first {MAX_POINTS} of {total} points are shown."));
    }
    section
}

fn visibility(table: &SplitTable, point: usize, minimum: MinimumCell) -> Option<Vec<Cell>> {
    let Column { values: ColumnValues::U8(values), width, .. } = table.column("visibility")? else { return None };
    let mut counts = [0_u64; 3];
    for row in 0..table.rows() {
        if let Some(count) = counts.get_mut(usize::from(values[row * width + point])) {
            *count += 1;
        }
    }
    Some(one_way(&counts, Support::Rows, minimum))
}
