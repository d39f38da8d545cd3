//! Rows of data: inputs and, when training, targets.

use crate::{Element, Error, Result, Tensor};

/// Some rows of a split.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    rows: usize,
    /// The input fields, in the order of [`Metadata::inputs`](crate::Metadata).
    pub inputs: Fields,
    /// The target fields, in the order of [`Metadata::targets`](crate::Metadata). Empty when predicting.
    pub targets: Fields,
}

impl Batch {
    /// A batch for training, for native tests.
    ///
    /// # Errors
    /// There is no input, or the tensors do not have the same number of rows. Where a target is called `counts`, the targets
    /// after it have as many items as it counts.
    pub fn new(inputs: Vec<Tensor>, targets: Vec<Tensor>) -> Result<Self> {
        let rows = inputs.first().and_then(|first| first.shape.first()).copied().ok_or("a batch has no input field")?;
        let (inputs, targets) = (Fields(inputs), Fields(targets));
        for fields in [&inputs, &targets] {
            let counts = fields.counts()?;
            for tensor in &fields.0 {
                let items = counts
                    .filter(|_| tensor.name != COUNTS)
                    .map(|counts| counts.iter().map(|&count| count as usize).sum::<usize>());
                tensor.check_rows(items.unwrap_or(rows))?;
            }
        }
        Ok(Self { rows, inputs, targets })
    }

    /// A batch to predict, for native tests.
    ///
    /// # Errors
    /// As [`Batch::new`].
    pub fn from_inputs(inputs: Vec<Tensor>) -> Result<Self> {
        Self::new(inputs, Vec::new())
    }

    /// A batch that comes over the boundary, where the host answers for rows and shapes.
    pub(crate) fn from_host(rows: usize, inputs: Vec<Tensor>, targets: Vec<Tensor>) -> Self {
        Self { rows, inputs: Fields(inputs), targets: Fields(targets) }
    }

    /// The rows `rows` of this batch, in that order.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn gather(&self, rows: &[usize]) -> Self {
        let gather = |fields: &Fields| {
            let offsets = fields.offsets();
            let pick = |tensor: &Tensor| {
                let items: Vec<usize> = match &offsets {
                    Some(offsets) if tensor.name != COUNTS => {
                        rows.iter().flat_map(|&row| offsets[row]..offsets[row + 1]).collect()
                    }
                    _ => rows.to_vec(),
                };
                let mut shape = tensor.shape.clone();
                shape[0] = items.len();
                Tensor { name: tensor.name.clone(), shape, values: tensor.values.gather(&items, tensor.width()) }
            };
            Fields(fields.0.iter().map(pick).collect())
        };
        Self { rows: rows.len(), inputs: gather(&self.inputs), targets: gather(&self.targets) }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The first input field, as f32.
    ///
    /// # Errors
    /// It is of another type.
    pub fn features(&self) -> Result<Rows<'_, f32>> {
        Rows::of(self.inputs.first()?)
    }

    /// The first target field, as s64, one value per row: for classification the class, from 0 to `num_classes` − 1.
    ///
    /// # Errors
    /// There is no target (when predicting), it is of another type or has more than one value per row.
    pub fn labels(&self) -> Result<&[i64]> {
        let labels = Rows::of(self.targets.first()?)?;
        if labels.width != 1 {
            return Err(format!("target has {} values per row, expected 1", labels.width).into());
        }
        Ok(labels.values)
    }
}

/// The input or target fields of a [`Batch`].
#[derive(Debug, Clone, PartialEq)]
pub struct Fields(Vec<Tensor>);

/// The target that says how many items the others have in each row.
const COUNTS: &str = "counts";

impl Fields {
    /// The items of each row; none where rows have no varying number of items.
    fn counts(&self) -> Result<Option<&[i32]>> {
        match self.0.iter().find(|tensor| tensor.name == COUNTS) {
            Some(tensor) => {
                let counts = tensor.get::<i32>()?;
                match counts.iter().find(|&&count| count < 0) {
                    Some(count) => Err(format!("a row has {count} items").into()),
                    None => Ok(Some(counts)),
                }
            }
            None => Ok(None),
        }
    }

    /// Where the items of each row start and end.
    #[cfg(not(target_family = "wasm"))]
    fn offsets(&self) -> Option<Vec<usize>> {
        let counts = self.counts().ok().flatten()?;
        let ends = counts.iter().scan(0, |end, &count| {
            *end += count as usize;
            Some(*end)
        });
        Some(std::iter::once(0).chain(ends).collect())
    }

    /// The field called `name`.
    ///
    /// # Errors
    /// There is none; the text names those there are.
    pub fn get(&self, name: &str) -> Result<&Tensor> {
        self.0.iter().find(|tensor| tensor.name == name).ok_or_else(|| {
            let names: Vec<_> = self.0.iter().map(|tensor| tensor.name.as_str()).collect();
            Error::from(format!("no field `{name}`, there is {names:?}"))
        })
    }

    /// The first field.
    ///
    /// # Errors
    /// There is none.
    pub fn first(&self) -> Result<&Tensor> {
        self.0.first().ok_or_else(|| "the batch has no such fields".into())
    }

    /// The field called `name`, as f32.
    ///
    /// # Errors
    /// There is no such field, or it is of another type.
    pub fn f32(&self, name: &str) -> Result<Rows<'_, f32>> {
        self.rows(name)
    }

    /// The field called `name`, as `T`.
    ///
    /// # Errors
    /// There is no such field, or it is of another type.
    pub fn rows<T: Element>(&self, name: &str) -> Result<Rows<'_, T>> {
        Rows::of(self.get(name)?)
    }

    /// All fields.
    pub fn as_slice(&self) -> &[Tensor] {
        &self.0
    }
}

/// A field's values, row after row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rows<'a, T> {
    /// `rows × width` values.
    pub values: &'a [T],
    /// Values in one row.
    pub width: usize,
}

impl<'a, T: Element> Rows<'a, T> {
    fn of(tensor: &'a Tensor) -> Result<Self> {
        let (values, width) = (tensor.get()?, tensor.width());
        if width == 0 {
            return Err(format!("tensor `{}` of shape {:?} has empty rows", tensor.name, tensor.shape).into());
        }
        Ok(Self { values, width })
    }

    /// The rows, one slice of `width` values each.
    pub fn iter(&self) -> std::slice::ChunksExact<'a, T> {
        self.values.chunks_exact(self.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Batch {
        let features = Tensor::new("features", &[2, 2, 2], (0..8_u8).map(f32::from).collect::<Vec<_>>());
        let age = Tensor::new("age", &[2], vec![30_u8, 40]);
        let label = Tensor::new("label", &[2], vec![1_i64, 0]);
        Batch::new(vec![features, age], vec![label]).expect("three fields of two rows")
    }

    #[test]
    fn fields_are_typed_and_rows_have_the_width_of_their_shape() -> Result<()> {
        let batch = batch();
        assert_eq!((batch.rows(), batch.features()?.width), (2, 4));
        assert_eq!(batch.inputs.f32("features")?.iter().nth(1), Some(&[4.0, 5.0, 6.0, 7.0][..]));
        assert_eq!(batch.inputs.rows::<u8>("age")?.values, [30, 40]);
        assert_eq!(batch.labels()?, [1, 0]);
        Ok(())
    }

    #[test]
    fn a_wrong_name_or_type_is_an_error_that_names_both() {
        let text = |result: Result<_>| result.map(|_: Rows<'_, f32>| ()).map_err(|error| error.to_string());
        let batch = batch();
        assert_eq!(text(batch.inputs.f32("x")), Err(r#"no field `x`, there is ["features", "age"]"#.to_owned()));
        assert_eq!(text(batch.inputs.f32("age")), Err("tensor `age` holds u8, expected f32".to_owned()));
    }

    #[test]
    fn a_batch_to_predict_has_no_labels() -> Result<()> {
        let batch = Batch::from_inputs(vec![Tensor::new("x", &[1, 1], vec![0_f32])])?;
        assert!(batch.labels().is_err());
        Ok(())
    }

    #[test]
    fn fields_of_unequal_rows_are_refused() {
        let (x, y) = (Tensor::new("x", &[2, 1], vec![0_f32; 2]), Tensor::new("y", &[3], vec![0_i64; 3]));
        assert!(Batch::new(vec![x], vec![y]).is_err());
    }
}
