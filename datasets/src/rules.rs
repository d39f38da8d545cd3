//! What the values of each task must be.

use crate::limits;
use crate::metadataset::Field;
use crate::table::{ColumnValues, TableError};
use crate::task::TaskKind;

/// Some rows of a split, with a column for each field.
pub(crate) struct Rows<'a> {
    pub(crate) task: &'a TaskKind,
    /// Have passed [`crate::schema::check`] with the task.
    pub(crate) fields: &'a [Field],
    pub(crate) rows: usize,
    pub(crate) columns: &'a [ColumnValues<'a>],
    /// Rows of the split before these: errors count from the split's first.
    pub(crate) before: usize,
}

impl<'a> Rows<'a> {
    /// Checks every value; gives what each class has ([`crate::LabelledSplit::class_counts`]).
    pub(crate) fn check(&self) -> Result<Vec<u64>, TableError> {
        if self.columns.len() != self.fields.len() {
            return Err(TableError::Columns { expected: self.fields.len(), found: self.columns.len() });
        }
        let items = self.items()?;
        for (field, values) in self.fields.iter().zip(self.columns) {
            self.check_column(field, *values, items)?;
        }
        self.check_task()
    }

    /// Items of all rows, of the ragged fields.
    fn items(&self) -> Result<usize, TableError> {
        let Some(counts) = self.counts() else { return Ok(0) };
        let wrong = |&count: &i32| !(0..=limits::ROW_ITEMS).contains(&count);
        self.first("counts", counts, 1, wrong, "there must be 0 to 65,536 objects")?;
        Ok(counts.iter().map(|&count| count as usize).sum())
    }

    /// The items of each row, where some field is ragged.
    pub(crate) fn counts(&self) -> Option<&'a [i32]> {
        if !self.fields.iter().any(|field| field.ragged) {
            return None;
        }
        match self.column("counts")? {
            ColumnValues::S32(counts) => Some(counts),
            _ => None,
        }
    }

    fn column(&self, name: &str) -> Option<ColumnValues<'a>> {
        let position = self.fields.iter().position(|field| field.name == name)?;
        self.columns.get(position).copied()
    }

    fn check_column(&self, field: &Field, values: ColumnValues<'_>, items: usize) -> Result<(), TableError> {
        let name = || field.name.clone();
        let (width, rows) = (field.width(), if field.ragged { items } else { self.rows });
        if values.dtype() != field.dtype {
            return Err(TableError::DType { field: name(), expected: field.dtype, found: values.dtype() });
        }
        if rows.checked_mul(width) != Some(values.len()) {
            return Err(TableError::Length { field: name(), rows, width, found: values.len() });
        }
        let position = match values {
            ColumnValues::F32(values) if field.missing => values.iter().position(|value| value.is_infinite()),
            ColumnValues::F32(values) => values.iter().position(|value| !value.is_finite()),
            ColumnValues::F64(values) if field.missing => values.iter().position(|value| value.is_infinite()),
            ColumnValues::F64(values) => values.iter().position(|value| !value.is_finite()),
            ColumnValues::Text(texts) => match texts.iter().position(|text| text.len() > limits::TEXT_BYTES) {
                Some(row) => return Err(self.value(&field.name, row, "a text has at most 1,048,576 bytes")),
                None => None,
            },
            ColumnValues::S64(_) | ColumnValues::S32(_) | ColumnValues::S8(_) | ColumnValues::U8(_) => None,
        };
        match position {
            Some(position) => {
                let row = self.row(field.ragged, position / width.max(1));
                Err(TableError::NotFinite { field: name(), row })
            }
            None => Ok(()),
        }
    }

    /// The row of the split that an item or a row of these is in.
    fn row(&self, ragged: bool, index: usize) -> usize {
        let mut row = index;
        if ragged && let Some(counts) = self.counts() {
            let ends = counts.iter().scan(0_usize, |end, &count| {
                *end += count.max(0) as usize;
                Some(*end)
            });
            row = ends.take_while(|&end| end <= index).count();
        }
        self.before + row
    }

    fn value(&self, field: &str, row: usize, rule: &'static str) -> TableError {
        TableError::Value { field: field.to_owned(), row: self.before + row, rule }
    }

    /// Fails on the first value of a column with `width` values a row that `wrong` is true of.
    fn first<T>(
        &self,
        name: &str,
        values: &[T],
        width: usize,
        wrong: impl Fn(&T) -> bool,
        rule: &'static str,
    ) -> Result<(), TableError> {
        let ragged = self.fields.iter().any(|field| field.name == name && field.ragged);
        match values.iter().position(wrong) {
            Some(position) => {
                let row = self.row(ragged, position / width.max(1));
                Err(TableError::Value { field: name.to_owned(), row, rule })
            }
            None => Ok(()),
        }
    }

    fn check_task(&self) -> Result<Vec<u64>, TableError> {
        let classes = self.task.classes().unwrap_or(0);
        match self.task {
            TaskKind::ImageClassification(_) | TaskKind::TextClassification(_) | TaskKind::TabularClassification(_) => {
                self.count_labels("label", classes)
            }
            TaskKind::ObjectDetection(_) => {
                self.check_boxes("boxes")?;
                self.count_labels("labels", classes)
            }
            TaskKind::InstanceSegmentation(_) => {
                self.check_masks()?;
                self.count_labels("labels", classes)
            }
            TaskKind::SemanticSegmentation(pixels) => self.count_pixels(classes, pixels.ignore),
            TaskKind::KeypointDetection(_) => self.check_keypoints().map(|()| Vec::new()),
            TaskKind::TimeToEvent => self.check_times().map(|()| Vec::new()),
            TaskKind::TabularRegression | TaskKind::TimeSeriesForecasting => Ok(Vec::new()),
        }
    }

    fn count_labels(&self, name: &str, classes: u32) -> Result<Vec<u64>, TableError> {
        let mut counts = vec![0_u64; classes as usize];
        let Some(ColumnValues::S64(labels)) = self.column(name) else { return Ok(counts) };
        let ragged = self.fields.iter().any(|field| field.name == name && field.ragged);
        for (index, &label) in labels.iter().enumerate() {
            match usize::try_from(label).ok().and_then(|class| counts.get_mut(class)) {
                Some(count) => *count += 1,
                None => {
                    let row = self.row(ragged, index);
                    return Err(TableError::Label { field: name.to_owned(), row, label, classes });
                }
            }
        }
        Ok(counts)
    }

    fn count_pixels(&self, classes: u32, ignore: Option<u8>) -> Result<Vec<u64>, TableError> {
        let mut counts = vec![0_u64; classes as usize];
        let Some(ColumnValues::U8(mask)) = self.column("mask") else { return Ok(counts) };
        let width = mask.len() / self.rows.max(1);
        let wrong = |&class: &u8| u32::from(class) >= classes && Some(class) != ignore;
        self.first("mask", mask, width, wrong, "a pixel is neither a class nor the value to ignore")?;
        for &class in mask.iter().filter(|&&class| Some(class) != ignore) {
            counts[usize::from(class)] += 1;
        }
        Ok(counts)
    }

    fn check_boxes(&self, name: &str) -> Result<(), TableError> {
        let Some(ColumnValues::F32(boxes)) = self.column(name) else { return Ok(()) };
        let (boxes, _) = boxes.as_chunks::<4>();
        let inside = |value: &f32| value.abs() <= limits::PLACE;
        let wrong = |[x0, y0, x1, y1]: &[f32; 4]| !(x0 < x1 && y0 < y1 && [x0, y0, x1, y1].into_iter().all(inside));
        self.first(name, boxes, 1, wrong, "a box is x0, y0, x1, y1 with x0 < x1 and y0 < y1, within ±1,000,000 pixels")
    }

    fn check_masks(&self) -> Result<(), TableError> {
        let width = self.fields.iter().find(|field| field.name == "masks").map_or(1, Field::width);
        let Some(ColumnValues::U8(masks)) = self.column("masks") else { return Ok(()) };
        self.first("masks", masks, width, |&pixel| pixel > 1, "a mask's pixels are 0 or 1")?;
        let masks: Vec<&[u8]> = masks.chunks(width.max(1)).collect();
        self.first("masks", &masks, 1, |mask| !mask.contains(&1), "a mask has no pixel")
    }

    fn check_keypoints(&self) -> Result<(), TableError> {
        self.check_boxes("box")?;
        if let Some(ColumnValues::F32(places)) = self.column("keypoints") {
            let width = places.len() / self.rows.max(1);
            let wrong = |place: &f32| place.abs() > limits::PLACE;
            self.first("keypoints", places, width, wrong, "a point lies within ±1,000,000 pixels")?;
        }
        if let Some(ColumnValues::U8(visibility)) = self.column("visibility") {
            let width = visibility.len() / self.rows.max(1);
            let rule = "visibility is 0 (not annotated), 1 (hidden) or 2 (visible)";
            self.first("visibility", visibility, width, |&visibility| visibility > 2, rule)?;
        }
        match self.column("area") {
            Some(ColumnValues::F64(areas)) => self.first("area", areas, 1, |&area| area <= 0.0, "an area is above 0"),
            _ => Ok(()),
        }
    }

    fn check_times(&self) -> Result<(), TableError> {
        if let Some(ColumnValues::F64(times)) = self.column("time") {
            self.first("time", times, 1, |&time| time <= 0.0, "a time is above 0")?;
        }
        match self.column("event") {
            Some(ColumnValues::S64(events)) => {
                self.first("event", events, 1, |event| !(0..=1).contains(event), "an event is 1 or, censored, 0")
            }
            _ => Ok(()),
        }
    }
}

/// The bytes of a field's fixed-width values as they are hashed and written: little-endian, a NaN as the canonical one.
pub(crate) fn little_endian(
    values: ColumnValues<'_>,
    write: &mut dyn FnMut(&[u8]) -> std::io::Result<()>,
) -> std::io::Result<()> {
    const QUIET_32: u32 = 0x7fc0_0000;
    const QUIET_64: u64 = 0x7ff8_0000_0000_0000;
    let f32_bits = |value: f32| if value.is_nan() { QUIET_32 } else { value.to_bits() };
    let f64_bits = |value: f64| if value.is_nan() { QUIET_64 } else { value.to_bits() };
    match values {
        ColumnValues::F32(values) => in_chunks(values, |value| f32_bits(value).to_le_bytes(), write),
        ColumnValues::F64(values) => in_chunks(values, |value| f64_bits(value).to_le_bytes(), write),
        ColumnValues::S64(values) => in_chunks(values, i64::to_le_bytes, write),
        ColumnValues::S32(values) => in_chunks(values, i32::to_le_bytes, write),
        ColumnValues::S8(values) => in_chunks(values, i8::to_le_bytes, write),
        ColumnValues::U8(values) => write(values),
        ColumnValues::Text(texts) => texts.iter().try_for_each(|text| write(text.as_bytes())),
    }
}

/// Through a small buffer, because a call for each value would cost more than the hashing.
fn in_chunks<T: Copy, const N: usize>(
    values: &[T],
    bytes: impl Fn(T) -> [u8; N],
    write: &mut dyn FnMut(&[u8]) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut buffer = [0_u8; 4096];
    for chunk in values.chunks(buffer.len() / N) {
        for (target, &value) in buffer.chunks_exact_mut(N).zip(chunk) {
            target.copy_from_slice(&bytes(value));
        }
        write(&buffer[..chunk.len() * N])?;
    }
    Ok(())
}
