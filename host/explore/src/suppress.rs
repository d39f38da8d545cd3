//! Suppression in tables of one variable, whose total is known.

use crate::report::{Cell, MinimumCell};

/// How many rows stand behind the cells of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Support<'a> {
    /// Every row is in exactly one cell: the counts are rows.
    Rows,
    /// The counts are of something else (objects, pixels); these are the rows that have any of it. A row may be in several.
    Shared(&'a [u64]),
}

/// Hides what must not be shown of the counts of one table.
///
/// A cell below the minimum is hidden, zeros too. Whoever knows the total can compute what the hidden cells sum to, so as
/// long as that is below the minimum, or only one cell is hidden, the smallest of the others is hidden too. What is left to
/// an attacker of a hidden cell is then 0 to that sum.
pub(crate) fn one_way(counts: &[u64], support: Support<'_>, minimum: MinimumCell) -> Vec<Cell> {
    let minimum = minimum.get();
    let rows = |cell: usize| match support {
        Support::Rows => counts[cell],
        Support::Shared(rows) => rows.get(cell).copied().unwrap_or(0),
    };
    let mut hidden: Vec<bool> = (0..counts.len()).map(|cell| rows(cell) < minimum || counts[cell] < minimum).collect();
    let mut order: Vec<usize> = (0..counts.len()).filter(|&cell| !hidden[cell]).collect();
    order.sort_by_key(|&cell| (rows(cell), counts[cell], cell));
    let mut next = order.into_iter();
    while !is_closed(&hidden, support, counts, minimum) {
        match next.next() {
            Some(cell) => hidden[cell] = true,
            None => break,
        }
    }
    let cell = |(&count, &hidden): (&u64, &bool)| if hidden { Cell::SUPPRESSED } else { Cell::Count(count) };
    counts.iter().zip(&hidden).map(cell).collect()
}

/// Whether the total gives nothing away: nothing is hidden, or at least two cells that have enough together.
fn is_closed(hidden: &[bool], support: Support<'_>, counts: &[u64], minimum: u64) -> bool {
    let cells = || (0..counts.len()).filter(|&cell| hidden[cell]);
    let together = match support {
        Support::Rows => cells().map(|cell| counts[cell]).sum(),
        // Rows may be shared, so only the largest is sure.
        Support::Shared(rows) => cells().map(|cell| rows.get(cell).copied().unwrap_or(0)).max().unwrap_or(0),
    };
    match cells().count() {
        0 => true,
        1 => false,
        _ => together >= minimum,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hide(counts: &[u64]) -> Vec<Option<u64>> {
        one_way(counts, Support::Rows, MinimumCell::default()).into_iter().map(Cell::count).collect()
    }

    #[test]
    fn a_small_cell_takes_the_next_smallest_with_it() {
        assert_eq!(hide(&[100, 3, 7, 50]), [Some(100), None, None, Some(50)]);
    }

    #[test]
    fn small_cells_that_have_enough_together_need_no_other() {
        assert_eq!(hide(&[100, 3, 4]), [Some(100), None, None]);
    }

    #[test]
    fn empty_cells_are_hidden_with_one_that_is_not() {
        assert_eq!(hide(&[0, 0, 9, 30]), [None, None, None, Some(30)]);
    }

    #[test]
    fn a_table_of_enough_everywhere_is_shown() {
        assert_eq!(hide(&[5, 6]), [Some(5), Some(6)]);
        assert_eq!(hide(&[12]), [Some(12)]);
    }

    #[test]
    fn many_objects_of_few_rows_are_hidden() {
        let cells = one_way(&[40, 900, 80], Support::Shared(&[2, 50, 60]), MinimumCell::default());
        assert_eq!(cells.into_iter().map(Cell::count).collect::<Vec<_>>(), [None, None, Some(80)]);
    }

    proptest! {
        #[test]
        fn every_hidden_cell_can_be_anything_below_the_minimum(counts in prop::collection::vec(0_u64..30, 1..12)) {
            let cells = hide(&counts);
            let total: u64 = counts.iter().sum();
            let shown: u64 = cells.iter().flatten().sum();
            let hidden = cells.iter().filter(|cell| cell.is_none()).count();
            prop_assert!(cells.iter().flatten().all(|&count| count >= 5));
            if hidden > 0 && hidden < counts.len() {
                prop_assert!(hidden >= 2);
                prop_assert!(total - shown >= 5);
            }
        }
    }
}
