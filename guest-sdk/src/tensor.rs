//! Row-major arrays with a name and a shape.

use crate::{Dtype, Error, Result};

/// A named array. The product of `shape` is the number of values; the last dimension runs fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// In parameters `[a-z0-9._-]{1,64}` and unique; in batches the field's name.
    pub name: String,
    /// Rank 1 to 8, no dimension 0. In batches the first dimension is the row.
    pub shape: Vec<usize>,
    /// The numbers.
    pub values: Values,
}

/// The values of a [`Tensor`], typed.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "a variant holds values of the type it is named after")]
pub enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
    S64(Vec<i64>),
    S32(Vec<i32>),
    S8(Vec<i8>),
    U8(Vec<u8>),
    /// Only in batches: parameters are numbers.
    Text(Vec<String>),
}

impl Tensor {
    /// A tensor of any element type. That shape and number of values agree is checked where the tensor is used.
    ///
    /// ```
    /// # use thimble_sdk::Tensor;
    /// let t = Tensor::new("weight", &[2, 3], vec![0.5_f32; 6]);
    /// assert_eq!(t.get::<f32>().unwrap().len(), 6);
    /// assert_eq!(t.get::<i8>().unwrap_err().to_string(), "tensor `weight` holds f32, expected s8");
    /// ```
    pub fn new(name: impl Into<String>, shape: &[usize], values: impl Into<Values>) -> Self {
        Self { name: name.into(), shape: shape.to_vec(), values: values.into() }
    }

    /// The values as a slice of `T`.
    ///
    /// # Errors
    /// The tensor holds another element type.
    pub fn get<T: Element>(&self) -> Result<&[T]> {
        T::slice(&self.values).ok_or_else(|| self.wrong_dtype(T::DTYPE))
    }

    /// The values as a vector of `T`, moved.
    ///
    /// # Errors
    /// The tensor holds another element type.
    pub fn into_vec<T: Element>(self) -> Result<Vec<T>> {
        let Self { name, shape, values } = self;
        T::vec(values).map_err(|values| Self { name, shape, values }.wrong_dtype(T::DTYPE))
    }

    /// Values in one row: the product of all dimensions but the first.
    pub(crate) fn width(&self) -> usize {
        self.shape.iter().skip(1).product()
    }

    /// Fails unless the shape has `rows` as its first dimension and holds as many values as there are.
    pub(crate) fn check_rows(&self, rows: usize) -> Result<()> {
        let product = self.shape.iter().try_fold(1_usize, |product, &n| product.checked_mul(n));
        if self.shape.first() != Some(&rows) || product != Some(self.values.len()) {
            let Self { name, shape, values } = self;
            return Err(
                format!("tensor `{name}` of shape {shape:?} with {} values is not {rows} rows", values.len()).into()
            );
        }
        Ok(())
    }

    fn wrong_dtype(&self, expected: Dtype) -> Error {
        format!("tensor `{}` holds {}, expected {expected}", self.name, self.values.dtype()).into()
    }
}

impl Values {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(v) => v.len(),
            Self::F64(v) => v.len(),
            Self::S64(v) => v.len(),
            Self::S32(v) => v.len(),
            Self::S8(v) => v.len(),
            Self::U8(v) => v.len(),
            Self::Text(v) => v.len(),
        }
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element type.
    pub fn dtype(&self) -> Dtype {
        match self {
            Self::F32(_) => Dtype::F32,
            Self::F64(_) => Dtype::F64,
            Self::S64(_) => Dtype::S64,
            Self::S32(_) => Dtype::S32,
            Self::S8(_) => Dtype::S8,
            Self::U8(_) => Dtype::U8,
            Self::Text(_) => Dtype::Text,
        }
    }

    /// The rows `rows`, each of `width` values, in that order.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn gather(&self, rows: &[usize], width: usize) -> Self {
        fn pick<T: Clone>(values: &[T], rows: &[usize], width: usize) -> Vec<T> {
            let mut gathered = Vec::with_capacity(rows.len() * width);
            rows.iter().for_each(|row| gathered.extend_from_slice(&values[row * width..][..width]));
            gathered
        }
        match self {
            Self::F32(v) => Self::F32(pick(v, rows, width)),
            Self::F64(v) => Self::F64(pick(v, rows, width)),
            Self::S64(v) => Self::S64(pick(v, rows, width)),
            Self::S32(v) => Self::S32(pick(v, rows, width)),
            Self::S8(v) => Self::S8(pick(v, rows, width)),
            Self::U8(v) => Self::U8(pick(v, rows, width)),
            Self::Text(v) => Self::Text(pick(v, rows, width)),
        }
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A type that tensors can hold: `f32`, `f64`, `i64`, `i32`, `i8`, `u8` or `String`.
pub trait Element: sealed::Sealed + Sized {
    /// What the contract calls it.
    const DTYPE: Dtype;
    #[doc(hidden)]
    fn slice(values: &Values) -> Option<&[Self]>;
    #[doc(hidden)]
    fn vec(values: Values) -> Result<Vec<Self>, Values>;
}

macro_rules! element {
    ($($element:ty => $variant:ident),*) => {$(
        impl sealed::Sealed for $element {}

        impl Element for $element {
            const DTYPE: Dtype = Dtype::$variant;

            fn slice(values: &Values) -> Option<&[Self]> {
                if let Values::$variant(v) = values { Some(v) } else { None }
            }

            fn vec(values: Values) -> Result<Vec<Self>, Values> {
                if let Values::$variant(v) = values { Ok(v) } else { Err(values) }
            }
        }

        impl From<Vec<$element>> for Values {
            fn from(values: Vec<$element>) -> Self {
                Self::$variant(values)
            }
        }
    )*};
}

element! { f32 => F32, f64 => F64, i64 => S64, i32 => S32, i8 => S8, u8 => U8, String => Text }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gather_picks_rows_in_the_order_asked() {
        let values = Values::from(vec![0_i32, 1, 10, 11, 20, 21]);
        assert_eq!(values.gather(&[2, 0], 2), Values::from(vec![20_i32, 21, 0, 1]));
    }

    #[test]
    fn check_rows_wants_the_first_dimension_and_the_product() {
        let tensor = |shape: &[usize]| Tensor::new("x", shape, vec![0_u8; 6]);
        assert!(tensor(&[3, 2]).check_rows(3).is_ok());
        assert!(tensor(&[6]).check_rows(6).is_ok());
        assert_eq!(
            tensor(&[2, 3]).check_rows(3).map_err(|e| e.to_string()),
            Err("tensor `x` of shape [2, 3] with 6 values is not 3 rows".to_owned())
        );
        assert!(tensor(&[3, 3]).check_rows(3).is_err());
        assert!(tensor(&[]).check_rows(1).is_err());
        assert!(tensor(&[3, usize::MAX, 2]).check_rows(3).is_err());
    }
}
