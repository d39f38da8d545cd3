//! Instance segmentation: `images/STEM.png`, and for each instance `masks/STEM/NUMBER_CLASS.png`, whose pixels above 127 are
//! the instance. An image without an instance has an empty directory.

use std::collections::BTreeSet;

use thimble_datasets::{Classes, DType, Field, TaskKind, Values};

use crate::finding::{Findings, Place};
use crate::input::{Input, Listed};
use crate::limits;
use crate::listing::Root;
use crate::masks::read_mask;
use crate::names::{Names, Numbered, Room};
use crate::options::{Options, Size};
use crate::pairs::{self, Annotated};
use crate::problem::Problem;
use crate::sink::Push;
use crate::wording::Quoted;
use crate::{IngestError, Outcome, Work};

pub(crate) fn ingest(work: &mut Work<'_>) -> Result<Outcome, IngestError> {
    let names = Names::declared("masks", &work.options.classes);
    pairs::ingest(work, Instances { names, room: Room::default(), numbered: Numbered::default() })
}

struct Instances {
    names: Names,
    room: Room,
    numbered: Numbered,
}

/// The class of each instance, and its pixels, 1 inside.
pub(crate) type Masks = Vec<(String, Vec<u8>)>;

/// The class in `001_cat.png`.
fn class_of(name: &str) -> Option<&str> {
    let (number, class) = name.strip_suffix(".png")?.split_once('_')?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) && !class.is_empty()).then_some(class)
}

impl Annotated for Instances {
    type Annotation = Masks;

    fn orphans(&self, input: &Input, root: &Root, images: &[Listed], findings: &mut Findings) {
        let stems: BTreeSet<&str> = images.iter().map(|image| image.stem().0).collect();
        let folder = root.below("masks");
        for name in input.directories(&folder, findings) {
            if !stems.contains(name.as_str()) {
                findings.error(Place::file(format!("{folder}/{name}")), Problem::Orphan { by: root.below("images") });
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
    ) -> Option<Masks> {
        let folder = root.below(&format!("masks/{}", image.stem().0));
        if !input.has_directory(&folder) {
            findings.error(Place::file(&image.path), Problem::NotPaired { what: "directory of masks", file: folder });
            return None;
        }
        let before = findings.errors.len() as u64 + findings.more_errors;
        let files = input.list(&folder, |_| true, findings);
        let bytes = (files.len() as u64).saturating_mul(u64::from(size.height)).saturating_mul(u64::from(size.width));
        if bytes > limits::INSTANCE_BYTES {
            findings.error(Place::file(folder), Problem::TooManyBytes { bytes, limit: limits::INSTANCE_BYTES });
            return None;
        }
        let mut masks = Vec::new();
        for file in files {
            let Some(class) = class_of(&file.name) else {
                let name = Quoted::new(&file.name);
                findings.error(Place::file(&file.path), Problem::InstanceName { name });
                continue;
            };
            if file.bytes == 0 {
                findings.error(Place::file(&file.path), Problem::ZeroBytes);
            }
            let Some(mask) = read_mask(input, image, file.path.clone(), size, findings) else { continue };
            let pixels: Vec<u8> = mask.values.into_iter().map(|value| u8::from(value > 127)).collect();
            if !pixels.contains(&1) {
                findings.error(Place::file(&file.path), Problem::MaskEmpty);
            }
            masks.push((class.to_owned(), pixels));
        }
        (findings.errors.len() as u64 + findings.more_errors == before).then_some(masks)
    }

    fn see(&mut self, masks: &Masks, place: Place, findings: &mut Findings) {
        for (class, _) in masks {
            self.names.see(class, &mut self.room, || place.clone(), findings);
        }
    }

    fn task(&mut self, _: &Options, findings: &mut Findings) -> TaskKind {
        self.numbered = std::mem::take(&mut self.names).number();
        if self.numbered.rows.iter().sum::<u64>() == 0 && findings.is_clean() {
            findings.error(Place::file("masks"), Problem::NoObjects);
        }
        TaskKind::InstanceSegmentation(Classes::named(self.numbered.names.clone()))
    }

    fn targets(&self, Size { height, width }: Size) -> Vec<Field> {
        vec![
            Field::target("counts", DType::S32, &[]),
            Field::target("masks", DType::U8, &[height, width]).ragged(),
            Field::target("labels", DType::S64, &[]).ragged(),
        ]
    }

    fn fill(&self, instances: Masks, _: Size, _: Size, targets: &mut [Values]) -> bool {
        let [counts, masks, labels] = targets else { return false };
        counts.push(i32::try_from(instances.len()).unwrap_or(i32::MAX));
        for (class, pixels) in &instances {
            let Some((class, _)) = self.numbered.get(class) else { return false };
            masks.push(&pixels[..]);
            labels.push(i64::from(class));
        }
        true
    }
}
