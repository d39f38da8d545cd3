//! A batch as its task sees it: images, texts, a table, windows, objects, points.

use crate::{Batch, Field, Instance, Metadata, Object, Result, Rows};

/// The images of a batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Images<'a> {
    /// Pixels from top to bottom.
    pub height: usize,
    /// Pixels from left to right.
    pub width: usize,
    /// Values of a pixel: 1 grey, 3 red green blue, 4 with opacity.
    pub channels: usize,
    /// Image after image, row after row, pixel after pixel.
    pub values: &'a [u8],
}

impl<'a> Images<'a> {
    /// The images, `height × width × channels` values each.
    pub fn iter(&self) -> std::slice::ChunksExact<'a, u8> {
        self.values.chunks_exact((self.height * self.width * self.channels).max(1))
    }

    /// All values divided by 255.
    pub fn scaled(&self) -> Vec<f32> {
        self.values.iter().map(|&value| f32::from(value) / 255.0).collect()
    }
}

/// The rows of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Table<'a> {
    field: &'a Field,
    /// Row after row; a NaN is a missing value where the field says so. A category is its number.
    pub rows: Rows<'a, f32>,
}

impl<'a> Table<'a> {
    /// The names of the columns, in order; empty where they have none.
    pub fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.field.columns.iter().map(|column| column.name.as_str())
    }

    /// The place of a column in a row.
    ///
    /// # Errors
    /// There is none of this name; the text names those there are.
    pub fn place(&self, name: &str) -> Result<usize> {
        let place = self.names().position(|column| column == name);
        place.ok_or_else(|| {
            let names: Vec<_> = self.names().take(20).collect();
            format!("no column `{name}`, there is {names:?}").into()
        })
    }

    /// The values of a column.
    ///
    /// # Errors
    /// As [`Table::place`].
    pub fn column(&self, name: &str) -> Result<impl Iterator<Item = f32> + use<'a>> {
        let place = self.place(name)?;
        Ok(self.rows.iter().map(move |row| row[place]))
    }

    /// What the values of a column stand for; empty for a column of numbers.
    pub fn categories(&self, place: usize) -> &'a [String] {
        self.field.columns.get(place).map_or(&[], |column| &column.categories)
    }
}

/// Windows of series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Windows<'a> {
    /// Steps of a window.
    pub context: usize,
    /// Values of a step; the first is the series itself.
    pub channels: usize,
    /// Window after window, step after step.
    pub values: &'a [f32],
}

impl<'a> Windows<'a> {
    /// The windows, `context × channels` values each.
    pub fn iter(&self) -> std::slice::ChunksExact<'a, f32> {
        self.values.chunks_exact((self.context * self.channels).max(1))
    }

    /// The series itself in each window, from its first step to its last.
    pub fn series(&self) -> impl Iterator<Item = Vec<f32>> + use<'a> {
        let channels = self.channels.max(1);
        self.iter().map(move |window| window.iter().step_by(channels).copied().collect())
    }
}

/// The points of a batch, one instance a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Keypoints<'a> {
    /// Points of a row.
    pub points: usize,
    /// x and y in pixels, `points` a row.
    pub places: &'a [[f32; 2]],
    /// 0 not annotated, 1 hidden, 2 visible; `points` a row.
    pub visibility: &'a [u8],
}

impl Batch {
    /// The input `image`.
    ///
    /// # Errors
    /// There is none.
    pub fn images(&self) -> Result<Images<'_>> {
        let tensor = self.inputs.get("image")?;
        let [_, height, width, channels] = tensor.shape[..] else {
            return Err(format!("image of shape {:?}, expected four dimensions", tensor.shape).into());
        };
        Ok(Images { height, width, channels, values: tensor.get()? })
    }

    /// The input `text`, one a row.
    ///
    /// # Errors
    /// There is none.
    pub fn texts(&self) -> Result<&[String]> {
        self.inputs.get("text")?.get()
    }

    /// The first input as a table, with the names that the metadata has for its columns.
    ///
    /// # Errors
    /// It is no f32 field.
    pub fn table<'a>(&'a self, metadata: &'a Metadata) -> Result<Table<'a>> {
        let field = metadata.inputs.first().ok_or("the metadata has no input")?;
        Ok(Table { field, rows: self.inputs.f32(&field.name)? })
    }

    /// The input `window`.
    ///
    /// # Errors
    /// There is none.
    pub fn windows(&self) -> Result<Windows<'_>> {
        let tensor = self.inputs.get("window")?;
        let [_, context, channels] = tensor.shape[..] else {
            return Err(format!("window of shape {:?}, expected three dimensions", tensor.shape).into());
        };
        Ok(Windows { context, channels, values: tensor.get()? })
    }

    /// The target of a regression, one a row.
    ///
    /// # Errors
    /// There is none (when predicting, and in other tasks).
    pub fn values(&self) -> Result<&[f64]> {
        self.targets.get("target")?.get()
    }

    /// The target of a forecast: the values that follow each window.
    ///
    /// # Errors
    /// There is none (when predicting, and in other tasks).
    pub fn horizons(&self) -> Result<Rows<'_, f64>> {
        self.targets.rows("horizon")
    }

    /// The targets of time to event: when each row had the event or was last seen, and whether it had it (1) or not (0).
    ///
    /// # Errors
    /// There are none (when predicting, and in other tasks).
    pub fn survival(&self) -> Result<(&[f64], &[i64])> {
        Ok((self.targets.get("time")?.get()?, self.targets.get("event")?.get()?))
    }

    /// The target of a semantic segmentation: the class of each pixel, `height × width` a row.
    ///
    /// # Errors
    /// There is none (when predicting, and in other tasks).
    pub fn masks(&self) -> Result<Rows<'_, u8>> {
        self.targets.rows("mask")
    }

    /// The targets of an object detection, row by row.
    ///
    /// # Errors
    /// There are none (when predicting, and in other tasks).
    pub fn objects(&self) -> Result<Vec<Vec<Object>>> {
        let (boxes, _) = self.targets.get("boxes")?.get::<f32>()?.as_chunks::<4>();
        let labels = self.targets.get("labels")?.get::<i64>()?;
        let mut objects =
            boxes.iter().zip(labels).map(|(&bounds, &class)| Object { bounds, class: class as usize, score: 1.0 });
        let counts = self.targets.get("counts")?.get::<i32>()?;
        Ok(counts.iter().map(|&count| objects.by_ref().take(count as usize).collect()).collect())
    }

    /// The targets of an instance segmentation, row by row.
    ///
    /// # Errors
    /// There are none (when predicting, and in other tasks).
    pub fn instances(&self) -> Result<Vec<Vec<Instance>>> {
        let masks = self.targets.get("masks")?;
        let labels = self.targets.get("labels")?.get::<i64>()?;
        let mut instances = masks
            .get::<u8>()?
            .chunks_exact(masks.width().max(1))
            .zip(labels)
            .map(|(mask, &class)| Instance { mask: mask.to_vec(), class: class as usize, score: 1.0 });
        let counts = self.targets.get("counts")?.get::<i32>()?;
        Ok(counts.iter().map(|&count| instances.by_ref().take(count as usize).collect()).collect())
    }

    /// The targets of a keypoint detection.
    ///
    /// # Errors
    /// There are none (when predicting, and in other tasks).
    pub fn keypoints(&self) -> Result<Keypoints<'_>> {
        let visibility = self.targets.rows::<u8>("visibility")?;
        let (places, _) = self.targets.get("keypoints")?.get::<f32>()?.as_chunks::<2>();
        Ok(Keypoints { points: visibility.width, places, visibility: visibility.values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Column, Dtype, Kind, Tensor};

    fn image() -> Tensor {
        Tensor::new("image", &[2, 1, 2, 1], vec![0_u8, 255, 51, 102])
    }

    #[test]
    fn images_have_their_size_and_one_slice_each() -> Result<()> {
        let batch = Batch::from_inputs(vec![image()])?;
        let images = batch.images()?;
        assert_eq!((images.height, images.width, images.channels), (1, 2, 1));
        assert_eq!(images.iter().nth(1), Some(&[51, 102][..]));
        assert_eq!(images.scaled(), [0.0, 1.0, 0.2, 0.4]);
        assert!(batch.texts().is_err() && batch.windows().is_err() && batch.objects().is_err());
        Ok(())
    }

    #[test]
    fn columns_are_found_by_name() -> Result<()> {
        let column = |name: &str, categories: &[&str]| Column {
            name: name.to_owned(),
            categories: categories.iter().map(|&category| category.to_owned()).collect(),
        };
        let mut field = Field::new("features", Dtype::F32, &[2]);
        field.columns = vec![column("age", &[]), column("colour", &["red", "blue"])];
        let metadata = Metadata { inputs: vec![field], ..Metadata::of(Kind::TabularRegression) };
        let features = Tensor::new("features", &[2, 2], vec![30.0_f32, 1.0, 40.0, 0.0]);
        let batch = Batch::new(vec![features], vec![Tensor::new("target", &[2], vec![1.0_f64, 2.0])])?;
        let table = batch.table(&metadata)?;
        assert_eq!(table.column("age")?.collect::<Vec<_>>(), [30.0, 40.0]);
        assert_eq!(table.categories(table.place("colour")?), ["red", "blue"]);
        let error = table.place("size").map_err(|error| error.to_string());
        assert_eq!(error, Err(r#"no column `size`, there is ["age", "colour"]"#.to_owned()));
        assert_eq!(batch.values()?, [1.0, 2.0]);
        Ok(())
    }

    #[test]
    fn a_series_is_the_first_channel_of_its_window() -> Result<()> {
        let window = Tensor::new("window", &[2, 2, 2], vec![1.0_f32, 9.0, 2.0, 9.0, 3.0, 9.0, 4.0, 9.0]);
        let batch = Batch::new(vec![window], vec![Tensor::new("horizon", &[2, 1], vec![3.0_f64, 5.0])])?;
        assert_eq!(batch.windows()?.series().collect::<Vec<_>>(), [vec![1.0, 2.0], vec![3.0, 4.0]]);
        assert_eq!(batch.horizons()?.width, 1);
        Ok(())
    }

    #[test]
    fn objects_belong_to_the_row_that_counts_them() -> Result<()> {
        let counts = Tensor::new("counts", &[2], vec![0_i32, 2]);
        let boxes = Tensor::new("boxes", &[2, 4], vec![0.0_f32, 0.0, 1.0, 1.0, 1.0, 0.0, 2.0, 1.0]);
        let labels = Tensor::new("labels", &[2], vec![1_i64, 0]);
        let batch = Batch::new(vec![image()], vec![counts, boxes, labels])?;
        let objects = batch.objects()?;
        assert!(objects[0].is_empty());
        assert_eq!(objects[1][1], Object { bounds: [1.0, 0.0, 2.0, 1.0], class: 0, score: 1.0 });
        // Rows that are picked take their objects along.
        assert_eq!(batch.gather(&[1, 0]).objects()?, [objects[1].clone(), Vec::new()]);
        Ok(())
    }
}
