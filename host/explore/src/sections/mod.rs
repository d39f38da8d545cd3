//! What is shown of each task.

mod classes;
mod images;
mod objects;
mod series;

use thimble_datasets::{Dataset, TaskKind};

use crate::columns::{self, characters, scalar, variable};
use crate::numeric::{Variable, distribution};
use crate::report::{MinimumCell, Section};

/// All sections, in the order of the page.
pub(crate) fn sections(dataset: &Dataset, minimum: MinimumCell) -> Vec<Section> {
    let task = &dataset.metadataset().task;
    let mut sections: Vec<Section> = classes::section(dataset, minimum).into_iter().collect();
    sections.extend(classes::conditions(dataset, minimum));
    match task {
        TaskKind::ImageClassification(_) => sections.push(images::section(dataset, minimum)),
        TaskKind::ObjectDetection(_) => {
            sections.push(images::section(dataset, minimum));
            sections.push(objects::boxes(dataset, minimum));
        }
        TaskKind::InstanceSegmentation(_) => {
            sections.push(images::section(dataset, minimum));
            sections.push(objects::instances(dataset, minimum));
        }
        TaskKind::SemanticSegmentation(pixels) => {
            sections.push(images::section(dataset, minimum));
            sections.push(images::masks(dataset, pixels, minimum));
        }
        TaskKind::KeypointDetection(points) => {
            sections.push(images::section(dataset, minimum));
            sections.push(objects::keypoints(dataset, points, minimum));
        }
        TaskKind::TextClassification(_) => sections.push(texts(dataset, minimum)),
        TaskKind::TimeSeriesForecasting => sections.push(series::section(dataset, minimum)),
        TaskKind::TabularClassification(_) => sections.push(columns::section(dataset, None, minimum)),
        TaskKind::TabularRegression => target(dataset, &mut sections, "Target", "target", minimum),
        TaskKind::TimeToEvent => target(dataset, &mut sections, "Time", "time", minimum),
    }
    sections
}

/// A section of the distributions of some numbers.
fn numbers<'a>(
    title: &str,
    notes: Vec<String>,
    variables: impl IntoIterator<Item = Option<Variable<'a>>>,
    minimum: MinimumCell,
) -> Section {
    let distributions = variables.into_iter().flatten().map(|variable| distribution(&variable, minimum)).collect();
    Section { title: title.into(), notes, distributions, ..Section::default() }
}

fn target(dataset: &Dataset, sections: &mut Vec<Section>, title: &str, field: &str, minimum: MinimumCell) {
    let variable = scalar(dataset, field, field);
    let columns = columns::section(dataset, variable.as_ref(), minimum);
    sections.push(numbers(title, Vec::new(), [variable], minimum));
    sections.push(columns);
}

fn texts(dataset: &Dataset, minimum: MinimumCell) -> Section {
    let words = variable(dataset, "Words", false, |table| match table.column("text")?.values {
        thimble_datasets::ColumnValues::Text(texts) => {
            Some(Box::new(move |row| texts.get(row).split_whitespace().count() as f64))
        }
        _ => None,
    });
    let notes = vec!["Lengths only: no word of a text is shown.".into()];
    numbers("Texts", notes, [characters(dataset, "text", "Characters".into()), words], minimum)
}
