//! A directory with data, and the dataset made of it.

use std::fs;
use std::io::Cursor;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};
use thimble_datasets::{Column, ColumnValues, Dataset, Split};
use thimble_ingest::{IngestError, Input, Options, Outcome, Silent, ingest};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// Files that a test writes.
pub(crate) struct Directory {
    files: tempfile::TempDir,
    only: Option<String>,
}

impl Directory {
    pub(crate) fn new() -> Fallible<Self> {
        Ok(Self { files: tempfile::tempdir()?, only: None })
    }

    /// One file, which is what is ingested.
    pub(crate) fn of(name: &str, contents: impl AsRef<[u8]>) -> Fallible<Self> {
        let mut directory = Self::new()?;
        directory.write(name, contents)?;
        directory.only = Some(name.to_owned());
        Ok(directory)
    }

    pub(crate) fn write(&self, path: &str, contents: impl AsRef<[u8]>) -> Fallible<()> {
        let path = self.path(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        Ok(fs::write(path, contents)?)
    }

    pub(crate) fn path(&self, path: &str) -> std::path::PathBuf {
        self.files.path().join(path)
    }

    fn input(&self) -> Fallible<Input> {
        let dir = Dir::open_ambient_dir(self.files.path(), ambient_authority())?;
        Ok(match &self.only {
            Some(file) => Input::file(dir, file),
            None => Input::directory(dir),
        })
    }

    /// Checks only.
    pub(crate) fn check(&self, options: &Options) -> Fallible<Result<Outcome, IngestError>> {
        Ok(ingest(&self.input()?, options, None, &mut Silent))
    }

    /// The lines of what must be put right.
    pub(crate) fn errors(&self, options: &Options) -> Fallible<Vec<String>> {
        match self.check(options)? {
            Err(error) => Ok(error.to_string().lines().map(ToOwned::to_owned).collect()),
            Ok(_) => Ok(Vec::new()),
        }
    }

    /// What may be meant so.
    pub(crate) fn warnings(&self, options: &Options) -> Fallible<Vec<String>> {
        Ok(self.check(options)??.findings.warnings.iter().map(ToString::to_string).collect())
    }

    /// Writes the dataset and opens it.
    pub(crate) fn dataset(&self, options: &Options) -> Fallible<Made> {
        let out = tempfile::tempdir()?;
        let dir = Dir::open_ambient_dir(out.path(), ambient_authority())?;
        let outcome = ingest(&self.input()?, options, Some(&dir), &mut Silent)?;
        let dataset = Dataset::open(&dir)?;
        assert_eq!(outcome.digest, Some(dataset.metadataset().digest));
        assert_eq!(outcome.rows, Split::ALL.map(|split| dataset.metadataset().rows(split)));
        assert_eq!(outcome.fields, dataset.metadataset().fields);
        Ok(Made { dataset, outcome, out })
    }
}

/// A dataset that was made.
pub(crate) struct Made {
    pub(crate) dataset: Dataset,
    pub(crate) outcome: Outcome,
    pub(crate) out: tempfile::TempDir,
}

impl Made {
    pub(crate) fn column(&self, split: Split, name: &str) -> Fallible<Column<'_>> {
        Ok(self.dataset.split(split).column(name).ok_or_else(|| format!("no field {name}"))?)
    }

    pub(crate) fn f32(&self, split: Split, name: &str) -> Fallible<Vec<f32>> {
        match self.column(split, name)?.values {
            ColumnValues::F32(values) => Ok(values.to_vec()),
            other => Err(format!("{other:?}").into()),
        }
    }

    pub(crate) fn f64(&self, split: Split, name: &str) -> Fallible<Vec<f64>> {
        match self.column(split, name)?.values {
            ColumnValues::F64(values) => Ok(values.to_vec()),
            other => Err(format!("{other:?}").into()),
        }
    }

    pub(crate) fn s64(&self, split: Split, name: &str) -> Fallible<Vec<i64>> {
        match self.column(split, name)?.values {
            ColumnValues::S64(values) => Ok(values.to_vec()),
            other => Err(format!("{other:?}").into()),
        }
    }

    pub(crate) fn s32(&self, split: Split, name: &str) -> Fallible<Vec<i32>> {
        match self.column(split, name)?.values {
            ColumnValues::S32(values) => Ok(values.to_vec()),
            other => Err(format!("{other:?}").into()),
        }
    }

    pub(crate) fn u8(&self, split: Split, name: &str) -> Fallible<Vec<u8>> {
        match self.column(split, name)?.values {
            ColumnValues::U8(values) => Ok(values.to_vec()),
            other => Err(format!("{other:?}").into()),
        }
    }
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Fallible<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format)?;
    Ok(bytes.into_inner())
}

/// A grey image whose first pixel is `seed`, the next one more, and so on.
pub(crate) fn grey(height: u32, width: u32, seed: u8) -> Fallible<Vec<u8>> {
    let pixel = |x, y| image::Luma([seed.wrapping_add((y * width + x) as u8)]);
    encoded(&GrayImage::from_fn(width, height, pixel).into(), ImageFormat::Png)
}

/// A coloured image.
pub(crate) fn rgb(height: u32, width: u32, seed: u8, format: ImageFormat) -> Fallible<Vec<u8>> {
    let pixel = |x, y| image::Rgb([seed, x as u8, y as u8]);
    encoded(&RgbImage::from_fn(width, height, pixel).into(), format)
}

/// A mask of these values.
pub(crate) fn mask(height: u32, width: u32, values: impl Fn(u32, u32) -> u8) -> Fallible<Vec<u8>> {
    encoded(&GrayImage::from_fn(width, height, |x, y| image::Luma([values(x, y)])).into(), ImageFormat::Png)
}

/// A `.npy` file.
pub(crate) fn npy(descr: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values);
    bytes
}
