//! One file: named values, and what is said of them when they are wrong.

use std::cell::RefCell;
use std::fmt::Display;
use std::path::Path;

use thimble_datasets::{DType, Values};
use thimble_ingest::{Array, Input, Reading};

use super::pairing::quoted;
use crate::exit::Failure;
use crate::input;

/// Targets or predictions.
pub(super) struct Side {
    /// `targets scores.csv`.
    what: String,
    arrays: Vec<Array>,
}

/// Values of rows, or of items.
pub(super) struct Block {
    /// Of one row.
    pub(super) shape: Vec<u32>,
    pub(super) values: Values,
}

impl Side {
    /// Reads what `reading` knows. A name that it does not know is an error where `strict`, and left out elsewhere.
    pub(super) fn read(
        what: &str,
        path: &Path,
        strict: bool,
        reading: impl Fn(&str) -> Option<Reading>,
    ) -> Result<Self, Failure> {
        let what = format!("{what} {}", path.display());
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return Err(Failure::input(format!("{what}: not a file that can be read")));
        };
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let unknown = RefCell::new(None);
        let known = |name: &str| {
            let reading = reading(name);
            if reading.is_none() {
                unknown.borrow_mut().get_or_insert_with(|| name.to_owned());
            }
            reading
        };
        let arrays = thimble_ingest::read(&Input::file(input::directory("input", parent)?, name), known);
        let arrays = arrays.map_err(|findings| Failure::input(format!("{what}:\n{findings}")))?;
        let side = Self { what, arrays };
        match unknown.into_inner().filter(|_| strict) {
            Some(name) => Err(side.fault(format_args!("{} is nothing that predictions have", quoted(&name)))),
            None => Ok(side),
        }
    }

    pub(super) fn fault(&self, reason: impl Display) -> Failure {
        Failure::input(format!("{}: {reason}", self.what))
    }

    /// Names, in the order of the file.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.arrays.iter().map(|array| array.name.as_str())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names().any(|other| other == name)
    }

    /// Values of a row of a matrix.
    pub(super) fn width(&self, name: &str) -> Option<usize> {
        self.arrays.iter().find(|array| array.name == name)?.shape.get(1).copied()
    }

    /// Rows of the first of these arrays.
    pub(super) fn rows(&self, names: &[&str]) -> usize {
        let array = self.arrays.iter().find(|array| names.contains(&array.name.as_str()));
        array.or(self.arrays.first()).and_then(|array| array.shape.first()).copied().unwrap_or(0)
    }

    fn take(&mut self, name: &str) -> Option<Array> {
        let position = self.arrays.iter().position(|array| array.name == name)?;
        Some(self.arrays.swap_remove(position))
    }

    /// The column `id`, as text.
    pub(super) fn ids(&mut self) -> Result<Option<Vec<String>>, Failure> {
        if self.has("id") { self.texts("id").map(Some) } else { Ok(None) }
    }

    /// Texts, or whole numbers as text: names of classes or of rows.
    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<String>, Failure> {
        let array = self.take(name).ok_or_else(|| self.missing(&[name]))?;
        match array.values {
            Values::Text(texts) => Ok(texts),
            Values::S64(values) => Ok(values.iter().map(i64::to_string).collect()),
            Values::U8(values) => Ok(values.iter().map(u8::to_string).collect()),
            _ => Err(self.fault(format_args!("`{name}` holds fractions; it must be texts or whole numbers"))),
        }
    }

    pub(super) fn missing(&self, names: &[&str]) -> Failure {
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        self.fault(format_args!("there is no {}", names.join(" or ")))
    }

    /// The first of `names` that is there, as values of a type, with `rank` dimensions beside that of rows.
    pub(super) fn block(&mut self, names: &[&str], dtype: DType, rank: usize) -> Result<Block, Failure> {
        let name = names.iter().find(|name| self.has(name));
        let array = name.and_then(|name| self.take(name)).ok_or_else(|| self.missing(names))?;
        let Array { name, shape, values } = array;
        let sizes = shape.get(1..).unwrap_or_default();
        if sizes.len() != rank {
            let found = shape.len();
            let expected = rank + 1;
            return Err(self.fault(format_args!("`{name}` has {found} dimensions, it must have {expected}")));
        }
        let shape: Option<Vec<u32>> = sizes.iter().map(|&size| u32::try_from(size).ok()).collect();
        let shape = shape.ok_or_else(|| self.fault(format_args!("`{name}` has a shape beyond 2^32")))?;
        let width = sizes.iter().product::<usize>().max(1);
        let values = convert(values, dtype)
            .map_err(|(place, reason)| self.fault(format_args!("`{name}`, row {}: {reason}", place / width)))?;
        Ok(Block { shape, values })
    }

    /// Columns beside each other, as one value of so many numbers in each row.
    pub(super) fn beside(&mut self, names: &[String], dtype: DType) -> Result<Block, Failure> {
        let mut columns = Vec::with_capacity(names.len());
        for name in names {
            match self.block(&[name.as_str()], DType::F64, 0)?.values {
                Values::F64(values) => columns.push(values),
                _ => return Err(self.missing(&[name.as_str()])),
            }
        }
        let rows = columns.first().map_or(0, Vec::len);
        let mut values = Vec::with_capacity(rows.saturating_mul(columns.len()));
        for row in 0..rows {
            values.extend(columns.iter().filter_map(|column| column.get(row)));
        }
        let width = columns.len().max(1);
        let values = convert(Values::F64(values), dtype).map_err(|(place, reason)| {
            self.fault(format_args!("`{}`, row {}: {reason}", names[place % width], place / width))
        })?;
        Ok(Block { shape: vec![u32::try_from(names.len()).unwrap_or(u32::MAX)], values })
    }
}

/// The same values in another type; an error has the place of the first that has no equal there.
fn convert(values: Values, dtype: DType) -> Result<Values, (usize, String)> {
    if values.view().dtype() == dtype {
        return Ok(values);
    }
    let numbers: Vec<f64> = match values {
        Values::F32(values) => values.into_iter().map(f64::from).collect(),
        Values::F64(values) => values,
        // Beyond 2^53 no label, count or target is meant, and nearby is near enough for any other.
        Values::S64(values) => values.into_iter().map(|value| value as f64).collect(),
        Values::S32(values) => values.into_iter().map(f64::from).collect(),
        Values::S8(values) => values.into_iter().map(f64::from).collect(),
        Values::U8(values) => values.into_iter().map(f64::from).collect(),
        Values::Text(_) => return Err((0, "holds a text, it must be a number".to_owned())),
    };
    let whole = |least: f64, most: f64| {
        let wrong = |value: &f64| value.fract() != 0.0 || !(least..=most).contains(value);
        match numbers.iter().position(wrong) {
            Some(place) => Err((place, format!("{} is no whole number of {least} to {most}", numbers[place]))),
            None => Ok(()),
        }
    };
    Ok(match dtype {
        DType::F64 => Values::F64(numbers),
        DType::F32 => Values::F32(numbers.iter().map(|&value| value as f32).collect()),
        DType::S64 => {
            whole(-9_007_199_254_740_992.0, 9_007_199_254_740_992.0)?;
            Values::S64(numbers.iter().map(|&value| value as i64).collect())
        }
        DType::S32 => {
            whole(f64::from(i32::MIN), f64::from(i32::MAX))?;
            Values::S32(numbers.iter().map(|&value| value as i32).collect())
        }
        DType::U8 => {
            whole(0.0, 255.0)?;
            Values::U8(numbers.iter().map(|&value| value as u8).collect())
        }
        DType::S8 | DType::Text => return Err((0, format!("{dtype} is read nowhere"))),
    })
}
