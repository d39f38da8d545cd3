//! Semantic segmentation: `images/STEM.png` and `masks/STEM_mask.png`.
//!
//! Without `--classes`, a grey mask has two classes: values above 127 are class 1, others the background; in a mask with a
//! palette the places in the palette are the classes. With `--classes`, the grey values (or places) given, in ascending order,
//! are the classes 0 to N − 1.

use std::collections::BTreeSet;

use thimble_datasets::{DType, Field, Pixels, TaskKind, Values};

use crate::finding::{Findings, Place};
use crate::input::{Input, Listed};
use crate::limits;
use crate::listing::{Root, files};
use crate::options::{Options, Size};
use crate::pairs::{self, Annotated};
use crate::picture::Mask;
use crate::problem::Problem;
use crate::sink::Push;
use crate::wording::{Quoted, SizeRemedy};
use crate::{IngestError, Outcome, Work};

const SUFFIX: &str = "_mask";

pub(crate) fn ingest(work: &mut Work<'_>) -> Result<Outcome, IngestError> {
    let mut classes = declared(&work.options.classes, &mut work.findings);
    classes.sort_unstable();
    let named = classes.iter().all(|(_, name)| name.is_some());
    let name =
        |(value, name): &(u8, Option<String>)| name.clone().filter(|_| named).unwrap_or_else(|| value.to_string());
    let names = classes.iter().map(name).collect();
    let values = classes.iter().map(|(value, _)| *value).collect();
    work.clean()?;
    pairs::ingest(
        work,
        Masks { values, names, ignore: work.options.ignore, grey: BTreeSet::new(), places: BTreeSet::new() },
    )
}

/// `0,85,170` or `0=background,85=road`.
fn declared(classes: &[String], findings: &mut Findings) -> Vec<(u8, Option<String>)> {
    let mut values = BTreeSet::new();
    let mut read = |class: &String| {
        let (value, name) = class.split_once('=').map_or((class.as_str(), None), |(value, name)| (value, Some(name)));
        let value: u8 = value.trim().parse().ok()?;
        values.insert(value).then(|| (value, name.map(|name| name.trim().to_owned())))
    };
    let mut declared = Vec::new();
    for class in classes {
        match read(class) {
            Some(class) => declared.push(class),
            None => findings.error(Place::file("."), Problem::MaskClass { class: Quoted::new(class) }),
        }
    }
    declared
}

struct Masks {
    /// Declared values, ascending.
    values: Vec<u8>,
    names: Vec<String>,
    ignore: Option<u8>,
    /// Grey values that were found.
    grey: BTreeSet<u8>,
    /// Places in palettes that were found.
    places: BTreeSet<u8>,
}

impl Masks {
    fn count(&self) -> u32 {
        let places = self.places.last().map_or(0, |last| u32::from(*last) + 1);
        match self.values.len() {
            0 if self.grey.is_empty() => places.max(2),
            0 => 2,
            declared => u32::try_from(declared).unwrap_or(u32::MAX),
        }
    }

    /// The value of ignored pixels in the dataset: above all classes.
    fn stored_ignore(&self) -> Option<u8> {
        self.ignore.map(|ignore| if u32::from(ignore) < self.count() { u8::MAX } else { ignore })
    }

    /// The class of each value.
    fn classes(&self, palette: bool) -> [Option<u8>; 256] {
        let mut classes = [None; 256];
        for (value, class) in (0..=u8::MAX).zip(&mut classes) {
            let declared = self.values.iter().position(|declared| *declared == value);
            *class = match (self.values.is_empty(), palette) {
                (true, true) => Some(value),
                (true, false) => Some(u8::from(value > 127)),
                (false, _) => declared.and_then(|class| u8::try_from(class).ok()),
            };
            if Some(value) == self.ignore {
                *class = self.stored_ignore();
            }
        }
        classes
    }
}

impl Annotated for Masks {
    type Annotation = Mask;

    fn orphans(&self, input: &Input, root: &Root, images: &[Listed], findings: &mut Findings) {
        let stems: BTreeSet<&str> = images.iter().map(|image| image.stem().0).collect();
        let wanted = |name: &str| name.ends_with("_mask.png");
        for file in files(input, &root.below("masks"), wanted, "_mask.png", findings) {
            if !file.stem().0.strip_suffix(SUFFIX).is_some_and(|stem| stems.contains(stem)) {
                findings.error(Place::file(&file.path), Problem::Orphan { by: root.below("images") });
            }
        }
    }

    fn read(
        &mut self,
        input: &Input,
        root: &Root,
        image: &Listed,
        size: Size,
        findings: &mut Findings,
    ) -> Option<Mask> {
        let path = root.below(&format!("masks/{}{SUFFIX}.png", image.stem().0));
        let mask = read_mask(input, image, path.clone(), size, findings)?;
        if !self.values.is_empty() {
            let classes = self.classes(mask.palette);
            if let Some(at) = mask.values.iter().position(|&value| classes[usize::from(value)].is_none()) {
                let width = (size.width as usize).max(1);
                let [x, y] = [at % width, at / width].map(|place| u32::try_from(place).unwrap_or(u32::MAX));
                let listed = self.values.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
                findings.error(Place::file(path), Problem::MaskValue { x, y, value: mask.values[at], classes: listed });
                return None;
            }
        }
        Some(mask)
    }

    fn see(&mut self, mask: &Mask, _: Place, _: &mut Findings) {
        let found = if mask.palette { &mut self.places } else { &mut self.grey };
        let mut present = [false; 256];
        mask.values.iter().for_each(|&value| present[usize::from(value)] = true);
        found.extend((0..=u8::MAX).filter(|&value| present[usize::from(value)] && Some(value) != self.ignore));
    }

    fn task(&mut self, _: &Options, findings: &mut Findings) -> TaskKind {
        let place = || Place::file("masks");
        if self.values.is_empty() && !self.grey.is_empty() && findings.is_clean() {
            if self.grey.last().is_some_and(|last| *last <= 127) {
                findings.error(place(), Problem::MasksEmpty);
            } else if self.grey.len() > 2 {
                findings.warn(place(), Problem::MaskShades { values: self.grey.len() });
            }
            if let Some(place_above) = self.places.last().filter(|last| **last > 1) {
                let value = Quoted::new(&place_above.to_string());
                findings.error(place(), Problem::MaskClass { class: value });
            }
        }
        TaskKind::SemanticSegmentation(Pixels {
            classes: self.count(),
            class_names: self.names.clone(),
            ignore: self.stored_ignore(),
        })
    }

    fn targets(&self, size: Size) -> Vec<Field> {
        vec![Field::target("mask", DType::U8, &[size.height, size.width])]
    }

    fn fill(&self, mask: Mask, _: Size, size: Size, targets: &mut [Values]) -> bool {
        let classes = self.classes(mask.palette);
        let [target] = targets else { return false };
        let pixels: Option<Vec<u8>> = mask.scaled(size).into_iter().map(|value| classes[usize::from(value)]).collect();
        pixels.map(|pixels| target.push(&pixels[..])).is_some()
    }
}

/// Reads a mask of the size of its image.
pub(crate) fn read_mask(
    input: &Input,
    image: &Listed,
    path: String,
    size: Size,
    findings: &mut Findings,
) -> Option<Mask> {
    match input.read(&path, limits::IMAGE_FILE_BYTES).and_then(|bytes| Mask::decode(&bytes)) {
        Ok(mask) if mask.size == size => Some(mask),
        Ok(mask) => {
            let (Size { height, width }, found) = (size, mask.size);
            let swapped = SizeRemedy::of((height, width), (found.height, found.width), SizeRemedy::Again);
            let problem =
                Problem::MaskSize { height, width, found_height: found.height, found_width: found.width, swapped };
            findings.error(Place::file(path), problem);
            None
        }
        Err(Problem::FileMissing) => {
            findings.error(Place::file(&image.path), Problem::NotPaired { what: "mask", file: path });
            None
        }
        // Found when the directory was read.
        Err(Problem::ZeroBytes) => None,
        Err(problem) => {
            findings.error(Place::file(path), problem);
            None
        }
    }
}
