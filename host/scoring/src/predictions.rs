//! The predictions of all rows of a split.

use std::ops::Range;

use thimble_datasets::{ColumnValues, Field, Values};
use thimble_metrics::{Metric, Reads, argmax};

/// How far two answers for one row may differ, relative to the larger of 1 and their size, where all of an answer counts.
const TOLERANCE: f64 = 1e-4;

/// Predictions, row after row.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    fields: Vec<Field>,
    rows: usize,
    columns: Vec<Values>,
    /// The objects of row i are `offsets[i]..offsets[i + 1]`; only of ragged predictions.
    offsets: Vec<usize>,
}

/// When two answers for one row are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// The class with the largest score is: no metric of the challenge reads more.
    Class,
    /// Every number is, within 0.0001 relative to the larger of 1 and its size; integers and pixels exactly.
    Everything,
}

impl Agreement {
    /// What the metrics of a challenge ask for.
    pub fn of<'a>(metrics: impl IntoIterator<Item = &'a Metric>) -> Self {
        match metrics.into_iter().all(|metric| metric.reads == Reads::Class) {
            true => Self::Class,
            false => Self::Everything,
        }
    }
}

impl Predictions {
    /// No rows, of these fields ([`crate::OutputSchema::fields`]).
    pub fn none(fields: &[Field]) -> Self {
        let columns = fields.iter().map(|field| Values::none(field.dtype)).collect();
        Self { fields: fields.to_vec(), rows: 0, columns, offsets: vec![0] }
    }

    /// All rows at once; the columns have passed the checks of the schema.
    pub(crate) fn of(fields: &[Field], rows: usize, columns: &[ColumnValues<'_>]) -> Self {
        let mut predictions = Self::none(fields);
        predictions.push(rows, columns);
        predictions
    }

    /// Adds the rows of a batch; the columns are those that [`crate::OutputSchema::check`] gave.
    pub fn push(&mut self, rows: usize, columns: &[ColumnValues<'_>]) {
        let end = self.offsets.last().copied().unwrap_or(0);
        for ((field, column), values) in self.fields.iter().zip(&mut self.columns).zip(columns) {
            column.extend(*values, 0..values.len());
            if let ("counts", ColumnValues::S32(counts)) = (field.name.as_str(), values) {
                let ends = counts.iter().scan(end, |end, &count| {
                    *end += count.max(0) as usize;
                    Some(*end)
                });
                self.offsets.extend(ends);
            }
        }
        self.rows += rows;
    }

    /// Number of rows.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The values of a field, all rows.
    pub fn column(&self, name: &str) -> Option<ColumnValues<'_>> {
        let position = self.fields.iter().position(|field| field.name == name)?;
        self.columns.get(position).map(Values::view)
    }

    /// Bytes of all values.
    pub fn bytes(&self) -> u64 {
        let bytes =
            |(field, column): (&Field, &Values)| column.view().len() as u64 * field.dtype.bytes().unwrap_or(0) as u64;
        self.fields.iter().zip(&self.columns).map(bytes).sum()
    }

    /// The same rows in another order: row `order[i]` of the result is row i of these. `order` is a permutation of the rows.
    #[must_use]
    pub fn ordered(&self, order: &[usize]) -> Self {
        let mut place = vec![0; order.len()];
        for (from, &to) in order.iter().enumerate() {
            place[to] = from;
        }
        self.at(&place)
    }

    /// Some rows, in the order given; each is below [`Self::rows`].
    #[must_use]
    pub fn at(&self, rows: &[usize]) -> Self {
        let mut chosen = Self::none(&self.fields);
        for (index, column) in chosen.columns.iter_mut().enumerate() {
            let values = self.columns[index].view();
            for &row in rows {
                column.extend(values, self.range(index, row));
            }
        }
        for &row in rows {
            let count = self.offsets.get(row + 1).map_or(0, |end| end - self.offsets[row]);
            let end = chosen.offsets.last().copied().unwrap_or(0);
            if self.offsets.len() > 1 {
                chosen.offsets.push(end + count);
            }
        }
        chosen.rows = rows.len();
        chosen
    }

    /// Whether row `row` of these says the same as row `other_row` of others of the same fields.
    pub fn agrees(&self, row: usize, others: &Self, other_row: usize, agreement: Agreement) -> bool {
        (0..self.fields.len()).all(|index| {
            let (ours, theirs) = (self.columns[index].view(), others.columns[index].view());
            let (ours_at, theirs_at) = (self.range(index, row), others.range(index, other_row));
            same(ours, ours_at, theirs, theirs_at, agreement)
        })
    }

    /// The places of a row's values in a column.
    fn range(&self, column: usize, row: usize) -> Range<usize> {
        let field = &self.fields[column];
        let (first, last) = if field.ragged { (self.offsets[row], self.offsets[row + 1]) } else { (row, row + 1) };
        first * field.width()..last * field.width()
    }
}

fn same(
    ours: ColumnValues<'_>,
    ours_at: Range<usize>,
    theirs: ColumnValues<'_>,
    theirs_at: Range<usize>,
    agreement: Agreement,
) -> bool {
    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= TOLERANCE * a.abs().max(b.abs()).max(1.0)
    }
    match (ours, theirs) {
        (ColumnValues::F32(ours), ColumnValues::F32(theirs)) => {
            let (ours, theirs) = (&ours[ours_at], &theirs[theirs_at]);
            match agreement {
                Agreement::Class => argmax(ours) == argmax(theirs),
                Agreement::Everything => {
                    ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(&a, &b)| close(a.into(), b.into()))
                }
            }
        }
        (ColumnValues::F64(ours), ColumnValues::F64(theirs)) => {
            let (ours, theirs) = (&ours[ours_at], &theirs[theirs_at]);
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(&a, &b)| close(a, b))
        }
        (ColumnValues::S64(ours), ColumnValues::S64(theirs)) => ours[ours_at] == theirs[theirs_at],
        (ColumnValues::S32(ours), ColumnValues::S32(theirs)) => ours[ours_at] == theirs[theirs_at],
        (ColumnValues::S8(ours), ColumnValues::S8(theirs)) => ours[ours_at] == theirs[theirs_at],
        (ColumnValues::U8(ours), ColumnValues::U8(theirs)) => ours[ours_at] == theirs[theirs_at],
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use thimble_datasets::DType;

    use super::*;

    fn objects() -> Vec<Field> {
        vec![Field::target("counts", DType::S32, &[]), Field::target("boxes", DType::F32, &[2]).ragged()]
    }

    /// Row i has i objects, whose two values are i and the object's place.
    fn counted(rows: &[i32]) -> Predictions {
        let values: Vec<f32> =
            rows.iter().flat_map(|&row| (0..row).flat_map(move |i| [row as f32, i as f32])).collect();
        Predictions::of(&objects(), rows.len(), &[ColumnValues::S32(rows), ColumnValues::F32(&values)])
    }

    #[test]
    fn batches_and_all_at_once_are_the_same() {
        let mut batches = counted(&[2, 0]);
        batches.push(2, &[ColumnValues::S32(&[1, 3]), ColumnValues::F32(&[1., 0., 3., 0., 3., 1., 3., 2.])]);
        assert_eq!(batches, counted(&[2, 0, 1, 3]));
    }

    #[test]
    fn rows_go_where_the_order_says() {
        assert_eq!(counted(&[3, 0, 2, 1]).ordered(&[3, 0, 2, 1]), counted(&[0, 1, 2, 3]));
        let plain =
            Predictions::of(&[Field::target("scores", DType::F32, &[2])], 2, &[ColumnValues::F32(&[0., 1., 2., 3.])]);
        let swapped = plain.ordered(&[1, 0]);
        assert!(matches!(swapped.column("scores"), Some(ColumnValues::F32([2.0, 3.0, 0.0, 1.0]))));
    }

    #[test]
    fn chosen_rows_come_in_the_order_given() {
        assert_eq!(counted(&[1, 2, 0, 3]).at(&[3, 2, 0]), counted(&[3, 0, 1]));
        assert_eq!(counted(&[1, 2]).at(&[]), counted(&[]));
    }

    #[test]
    fn objects_of_a_row_agree_whatever_stands_before_them() {
        let (one, other) = (counted(&[1, 2]), counted(&[3, 0, 2]));
        assert!(one.agrees(1, &other, 2, Agreement::Everything));
        assert!(!one.agrees(0, &other, 1, Agreement::Everything));
    }

    #[test]
    fn classes_agree_where_scores_do_not() {
        let scores = |values: &[f32]| {
            Predictions::of(&[Field::target("scores", DType::F32, &[2])], 1, &[ColumnValues::F32(values)])
        };
        let (a, b) = (scores(&[0.25, 0.75]), scores(&[0.375, 0.625]));
        assert!(a.agrees(0, &b, 0, Agreement::Class));
        assert!(!a.agrees(0, &b, 0, Agreement::Everything));
        assert!(a.agrees(0, &scores(&[0.25005, 0.74995]), 0, Agreement::Everything));
    }
}
