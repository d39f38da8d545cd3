//! Images whose annotations are files of their own, paired by stem: boxes and masks.

use thimble_datasets::{Field, TaskKind, Values};

use crate::finding::{Findings, Place};
use crate::images::Done;
use crate::input::{Input, Listed};
use crate::limits;
use crate::listing::{Pictures, Root};
use crate::names::Numbered;
use crate::options::{Options, Size};
use crate::picture::{Frame, Picture};
use crate::problem::Problem;
use crate::progress::Stage;
use crate::sink::{Push, Sink};
use crate::split::{Assigner, Census};
use crate::{IngestError, Outcome, Work};

/// What belongs to an image, and how it becomes targets.
pub(crate) trait Annotated {
    /// Of one image.
    type Annotation;

    /// Looks for files to which no image belongs.
    fn orphans(&self, input: &Input, root: &Root, images: &[Listed], findings: &mut Findings);

    /// Reads what belongs to an image of this size. What is wrong is a finding.
    fn read(
        &mut self,
        input: &Input,
        root: &Root,
        image: &Listed,
        size: Size,
        findings: &mut Findings,
    ) -> Option<Self::Annotation>;

    /// In the first pass.
    fn see(&mut self, annotation: &Self::Annotation, place: Place, findings: &mut Findings);

    /// After it.
    fn task(&mut self, options: &Options, findings: &mut Findings) -> TaskKind;

    /// The target fields.
    fn targets(&self, size: Size) -> Vec<Field>;

    /// Adds the targets of one image; false where they are not those of the first pass.
    fn fill(&self, annotation: Self::Annotation, original: Size, size: Size, targets: &mut [Values]) -> bool;
}

pub(crate) fn ingest(work: &mut Work<'_>, mut annotated: impl Annotated) -> Result<Outcome, IngestError> {
    let (input, options) = (work.input, work.options);
    let Some(pictures) = Pictures::open(input, options, &mut work.findings) else { return Err(work.failed()) };
    for (root, images, _) in &pictures.roots {
        annotated.orphans(input, root, images, &mut work.findings);
    }
    let (mut census, mut frame) = (Census::new(options), Frame::new(options));
    work.progress.begin(Stage::Check, pictures.bytes());
    let mut done = Done::default();
    for (root, image, mark) in pictures.each() {
        let place = || Place::file(&image.path);
        if let Some(picture) = picture(input, image, &mut frame, &mut work.findings)
            && let Some(annotation) = annotated.read(input, root, image, picture.original, &mut work.findings)
        {
            annotated.see(&annotation, place(), &mut work.findings);
        }
        census.count(mark.keys, &mark.group, place, &mut work.findings);
        done.add(image, work.progress);
    }
    let task = annotated.task(options, &mut work.findings);
    work.clean()?;
    let assigner = census.finish(".", &mut work.findings);
    work.clean()?;
    let condition = pictures.condition.as_ref().map(crate::table::FoundCondition::field);
    let fields = [frame.field()].into_iter().chain(condition).chain(annotated.targets(frame.size())).collect();
    let sink = Sink::new(work.out, &options.name, task, fields)?;
    write(work, &pictures, annotated, frame, assigner, sink)
}

fn picture(input: &Input, image: &Listed, frame: &mut Frame, findings: &mut Findings) -> Option<Picture> {
    let picture = input.read(&image.path, limits::IMAGE_FILE_BYTES);
    match picture.and_then(|bytes| frame.decode(&bytes, image.stem().1)) {
        Ok(picture) => Some(picture),
        // Found when the directory was read.
        Err(Problem::ZeroBytes) => None,
        Err(problem) => {
            findings.error(Place::file(&image.path), problem);
            None
        }
    }
}

fn write(
    work: &mut Work<'_>,
    pictures: &Pictures,
    mut annotated: impl Annotated,
    mut frame: Frame,
    mut assigner: Assigner,
    mut sink: Sink<'_>,
) -> Result<Outcome, IngestError> {
    let input = work.input;
    let conditions = pictures.condition.as_ref().map(|condition| &condition.numbered);
    work.progress.begin(Stage::Write, pictures.bytes());
    let mut done = Done::default();
    for (root, image, mark) in pictures.each() {
        let place = || Place::file(&image.path);
        let picture = picture(input, image, &mut frame, &mut work.findings);
        let annotation = picture.and_then(|picture| {
            let annotation = annotated.read(input, root, image, picture.original, &mut work.findings)?;
            Some((picture, annotation))
        });
        let Some(((picture, annotation), split)) = annotation.zip(assigner.split(mark.keys)) else {
            work.findings.error(place(), Problem::Changed);
            break;
        };
        let (size, mut whole) = (frame.size(), true);
        sink.row(split, place, |columns| {
            let condition = conditions.map(|conditions| number(conditions, mark.condition.as_deref()));
            let first = 1 + usize::from(condition.is_some());
            if let Some((inputs, targets)) = columns.split_at_mut_checked(first) {
                inputs[0].push(&picture.pixels[..]);
                if let Some(condition) = condition {
                    inputs[1].push(condition);
                }
                whole = annotated.fill(annotation, picture.original, size, targets);
            }
        })?;
        if !whole {
            work.findings.error(place(), Problem::Changed);
            break;
        }
        done.add(image, work.progress);
    }
    sink.finish(work, ".")
}

fn number(conditions: &Numbered, name: Option<&str>) -> i64 {
    name.and_then(|name| conditions.get(name)).map_or(0, |(number, _)| i64::from(number))
}
