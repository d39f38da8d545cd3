//! COCO JSON: annotations of images, and the list of detections that COCO's tools write.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use thimble_datasets::{DType, Field, Values};
use thimble_metrics::Task;

use super::Unchecked;
use super::declared::{ClassList, DeclaredOpts};
use super::pairing::quoted;
use crate::exit::Failure;
use crate::input;

/// Bytes of one file.
const LIMIT: u64 = 1 << 30;

/// What is read of an annotation file; COCO has more in it.
#[derive(Deserialize)]
struct Truth {
    images: Vec<Image>,
    annotations: Vec<Annotation>,
    categories: Vec<Category>,
}

#[derive(Deserialize)]
struct Image {
    id: i64,
}

#[derive(Deserialize)]
struct Category {
    id: i64,
    name: String,
}

#[derive(Deserialize)]
struct Annotation {
    image_id: i64,
    category_id: i64,
    bbox: [f64; 4],
    #[serde(default)]
    iscrowd: u8,
}

/// One of a list.
#[derive(Deserialize)]
struct Detection {
    image_id: i64,
    category_id: i64,
    bbox: [f64; 4],
    score: f64,
}

/// An object, wherever it stands.
struct Object {
    image_id: i64,
    category_id: i64,
    bbox: [f64; 4],
    score: f32,
}

/// Objects image after image, in the order of the file within.
struct Objects {
    counts: Vec<i32>,
    boxes: Vec<f32>,
    labels: Vec<i64>,
    scores: Vec<f32>,
}

pub(super) fn read(declared: &DeclaredOpts, targets: &Path, predictions: &Path) -> Result<Unchecked, Failure> {
    if declared.class_list()?.is_some() {
        return Err(Failure::usage(
            "--classes: the categories of the targets are the classes, in the order of their ids",
        ));
    }
    let truth: Truth = parse("targets", targets)?;
    let detections: Vec<Detection> = parse("predictions", predictions)?;
    let (targets, predictions) =
        (format!("targets {}", targets.display()), format!("predictions {}", predictions.display()));
    let rows = places(&targets, "image", truth.images.iter().map(|image| image.id))?;
    let mut categories = truth.categories;
    categories.sort_by_key(|category| category.id);
    let classes = places(&targets, "category", categories.iter().map(|category| category.id))?;
    if let Some(index) = truth.annotations.iter().position(|annotation| annotation.iscrowd != 0) {
        let image = truth.annotations[index].image_id;
        return Err(Failure::input(format!(
            "{targets}: annotation {index}, of image {image}, has iscrowd 1: regions of many objects are not scored here; \
             remove them, or score each object"
        )));
    }
    let owned = truth.annotations.into_iter().map(|annotation| {
        let Annotation { image_id, category_id, bbox, .. } = annotation;
        Object { image_id, category_id, bbox, score: 1.0 }
    });
    let given = detections.into_iter().map(|detection| {
        let Detection { image_id, category_id, bbox, score } = detection;
        Object { image_id, category_id, bbox, score: score as f32 }
    });
    let owned = Objects::new(&targets, "annotation", owned.collect(), &rows, &classes)?;
    let given = Objects::new(&predictions, "detection", given.collect(), &rows, &classes)?;
    let names = ClassList::Names(categories.into_iter().map(|category| category.name).collect());
    Ok(Unchecked {
        kind: declared.kind(Task::ObjectDetection, &names, Vec::new())?,
        rows: rows.len(),
        targets: vec![
            (Field::target("counts", DType::S32, &[]), Values::S32(owned.counts)),
            (Field::target("boxes", DType::F32, &[4]).ragged(), Values::F32(owned.boxes)),
            (Field::target("labels", DType::S64, &[]).ragged(), Values::S64(owned.labels)),
        ],
        last: Vec::new(),
        predictions: vec![
            ("counts", Vec::new(), Values::S32(given.counts)),
            ("boxes", vec![4], Values::F32(given.boxes)),
            ("labels", Vec::new(), Values::S64(given.labels)),
            ("scores", Vec::new(), Values::F32(given.scores)),
        ],
        order: None,
    })
}

/// The parser refuses what is nested deeper than 128.
fn parse<T: DeserializeOwned>(what: &str, path: &Path) -> Result<T, Failure> {
    let bytes = input::file(what, path, LIMIT)?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Failure::input(format!("{what} {}: not the COCO JSON of {what}: {error}", path.display())))
}

/// The place of each id.
fn places(file: &str, what: &str, ids: impl Iterator<Item = i64>) -> Result<BTreeMap<i64, usize>, Failure> {
    let mut places = BTreeMap::new();
    for (place, id) in ids.enumerate() {
        if places.insert(id, place).is_some() {
            return Err(Failure::input(format!("{file}: {what} id {id} stands twice")));
        }
    }
    Ok(places)
}

impl Objects {
    fn new(
        file: &str,
        what: &str,
        objects: Vec<Object>,
        rows: &BTreeMap<i64, usize>,
        classes: &BTreeMap<i64, usize>,
    ) -> Result<Self, Failure> {
        let mut placed = Vec::with_capacity(objects.len());
        for (index, object) in objects.into_iter().enumerate() {
            let fault = |reason: String| Failure::input(format!("{file}: {what} {index}: {reason}"));
            let image = object.image_id;
            let row = *rows.get(&image).ok_or_else(|| fault(format!("there is no image with id {image}")))?;
            let category = object.category_id;
            let no_category = || fault(format!("of image {image}: there is no category with id {category}"));
            let class = *classes.get(&category).ok_or_else(no_category)?;
            let [x, y, width, height] = object.bbox;
            let corners = [x, y, x + width, y + height].map(|place| place as f32);
            if !(corners[0] < corners[2] && corners[1] < corners[3]) {
                let found = quoted(&format!("{:?}", object.bbox));
                return Err(fault(format!(
                    "of image {image}: its box is {found}; a box is x, y, width, height, the last two above 0"
                )));
            }
            placed.push((row, class as i64, corners, object.score));
        }
        placed.sort_by_key(|(row, ..)| *row);
        let mut objects =
            Self { counts: vec![0; rows.len()], boxes: Vec::new(), labels: Vec::new(), scores: Vec::new() };
        for (row, class, corners, score) in placed {
            objects.counts[row] = objects.counts[row].saturating_add(1);
            objects.boxes.extend(corners);
            objects.labels.push(class);
            objects.scores.push(score);
        }
        Ok(objects)
    }
}
