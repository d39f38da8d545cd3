//! Suppression in tables of two variables, all of whose sums are known.

use std::collections::VecDeque;

use crate::report::{Cell, MinimumCell};

/// Most cells of a table: the check of one cell walks over all of them.
pub(crate) const MAX_CELLS: usize = 4096;
/// Rounds of hiding more cells before all are hidden.
const MAX_ROUNDS: usize = 100;

/// Hides what must not be shown of `counts[row][column]`.
///
/// Lines that are hidden already (their sums are, elsewhere) are hidden whole. The attacker is taken to know every sum of a
/// row and of a column, shown or not. From these, what a hidden cell can be is an interval, whose ends are maximum flows:
/// a cell grows as far as others in its lines can give way. Cells are hidden until the interval of each that is below the
/// minimum goes from 0 to the minimum, or to the smaller of its two sums where that is less, and that of any other is at
/// least as wide.
pub(crate) fn two_way(
    counts: &[Vec<u64>],
    hidden_rows: &[bool],
    hidden_columns: &[bool],
    minimum: MinimumCell,
) -> Vec<Vec<Cell>> {
    let mut table = Table::new(counts, minimum.get());
    for (row, line) in counts.iter().enumerate() {
        for (column, &count) in line.iter().enumerate() {
            let elsewhere = hidden_rows.get(row) == Some(&true) || hidden_columns.get(column) == Some(&true);
            table.hidden[row][column] = elsewhere || count < table.minimum;
        }
    }
    let mut rounds = 0;
    while table.close_lines() || table.widen() {
        rounds += 1;
        if rounds == MAX_ROUNDS {
            table.hidden.iter_mut().for_each(|row| row.fill(true));
            break;
        }
    }
    let cell = |(&count, &hidden): (&u64, &bool)| if hidden { Cell::SUPPRESSED } else { Cell::Count(count) };
    counts.iter().zip(&table.hidden).map(|(row, hidden)| row.iter().zip(hidden).map(cell).collect()).collect()
}

struct Table<'a> {
    counts: &'a [Vec<u64>],
    rows: usize,
    columns: usize,
    minimum: u64,
    hidden: Vec<Vec<bool>>,
}

/// A row or a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Row(usize),
    Column(usize),
}

impl<'a> Table<'a> {
    fn new(counts: &'a [Vec<u64>], minimum: u64) -> Self {
        let (rows, columns) = (counts.len(), counts.first().map_or(0, Vec::len));
        Self { counts, rows, columns, minimum, hidden: vec![vec![false; columns]; rows] }
    }

    fn lines(&self) -> impl Iterator<Item = Line> + use<> {
        (0..self.rows).map(Line::Row).chain((0..self.columns).map(Line::Column))
    }

    fn cells(&self, line: Line) -> Vec<(usize, usize)> {
        match line {
            Line::Row(row) => (0..self.columns).map(|column| (row, column)).collect(),
            Line::Column(column) => (0..self.rows).map(|row| (row, column)).collect(),
        }
    }

    fn sum(&self, line: Line) -> u64 {
        self.cells(line).into_iter().map(|(row, column)| self.counts[row][column]).sum()
    }

    /// The smallest shown cell of a line.
    fn smallest_shown(&self, line: Line) -> Option<(usize, usize)> {
        let shown = self.cells(line).into_iter().filter(|&(row, column)| !self.hidden[row][column]);
        shown.min_by_key(|&(row, column)| (self.counts[row][column], row, column))
    }

    /// Hides more where a line's sum gives its hidden cells away at once. Says whether it did.
    fn close_lines(&mut self) -> bool {
        let mut changed = false;
        for line in self.lines() {
            loop {
                let cells = self.cells(line).into_iter().filter(|&(row, column)| self.hidden[row][column]);
                let hidden: Vec<u64> = cells.map(|(row, column)| self.counts[row][column]).collect();
                if hidden.is_empty() || (hidden.len() > 1 && hidden.iter().sum::<u64>() >= self.minimum) {
                    break;
                }
                let Some((row, column)) = self.smallest_shown(line) else { break };
                self.hidden[row][column] = true;
                changed = true;
            }
        }
        changed
    }

    /// Hides one more cell for each hidden one that is known too well. Says whether it did.
    fn widen(&mut self) -> bool {
        let mut changed = false;
        let sums: Vec<u64> = self.lines().map(|line| self.sum(line)).collect();
        for row in 0..self.rows {
            for column in 0..self.columns {
                let limit = self.minimum.min(sums[row]).min(sums[self.rows + column]);
                if !self.hidden[row][column] || self.is_wide(row, column, limit) {
                    continue;
                }
                let candidates = [Line::Row(row), Line::Column(column)].map(|line| self.smallest_shown(line));
                let value = |&(row, column): &(usize, usize)| (self.counts[row][column], row, column);
                // With nothing left in its own lines, ambiguity can only come from further away.
                let further = || self.lines().filter_map(|line| self.smallest_shown(line)).min_by_key(value);
                if let Some((row, column)) = candidates.into_iter().flatten().min_by_key(value).or_else(further) {
                    self.hidden[row][column] = true;
                    changed = true;
                }
            }
        }
        changed
    }

    /// Whether a hidden cell's interval is as wide as it must be.
    fn is_wide(&self, row: usize, column: usize, limit: u64) -> bool {
        let count = self.counts[row][column];
        let down = self.slack(Line::Row(row), Line::Column(column), (row, column), count.min(limit));
        let up = self.slack(Line::Column(column), Line::Row(row), (row, column), limit);
        let down = down.min(count);
        if count < self.minimum { down == count && up + count >= limit } else { down + up >= limit }
    }

    /// The maximum flow between a cell's lines, around the cell itself, as far as `enough`.
    ///
    /// Entering a column from a row raises the cell between them, for which there is no bound; entering a row from a column
    /// lowers it, at most to 0. From the column to the row: how far the cell can grow; from the row to the column: how far it
    /// can shrink, if it is large enough.
    fn slack(&self, from: Line, to: Line, around: (usize, usize), enough: u64) -> u64 {
        let mut values = self.counts.to_vec();
        let mut flow = 0;
        while flow < enough {
            let Some(path) = self.path(&values, from, to, around) else { break };
            let lowered = path.iter().filter(|step| step.2).map(|&(row, column, _)| values[row][column]);
            let amount = lowered.min().unwrap_or(enough).min(enough - flow);
            for (row, column, lowers) in path {
                let value = &mut values[row][column];
                *value = if lowers { value.saturating_sub(amount) } else { value.saturating_add(amount) };
            }
            flow += amount;
        }
        flow
    }

    /// A shortest way, as cells and whether each is lowered.
    fn path(
        &self,
        values: &[Vec<u64>],
        from: Line,
        to: Line,
        around: (usize, usize),
    ) -> Option<Vec<(usize, usize, bool)>> {
        let index = |line: Line| match line {
            Line::Row(row) => row,
            Line::Column(column) => self.rows + column,
        };
        let mut before: Vec<Option<Line>> = vec![None; self.rows + self.columns];
        let mut queue = VecDeque::from([from]);
        before[index(from)] = Some(from);
        while let Some(line) = queue.pop_front() {
            for (row, column) in self.cells(line) {
                let (next, open) = match line {
                    Line::Row(_) => (Line::Column(column), true),
                    Line::Column(_) => (Line::Row(row), values[row][column] > 0),
                };
                if open && self.hidden[row][column] && (row, column) != around && before[index(next)].is_none() {
                    before[index(next)] = Some(line);
                    queue.push_back(next);
                }
            }
        }
        let (mut path, mut line) = (Vec::new(), to);
        while line != from {
            let previous = before[index(line)]?;
            match (previous, line) {
                (Line::Row(row), Line::Column(column)) => path.push((row, column, false)),
                (Line::Column(column), Line::Row(row)) => path.push((row, column, true)),
                _ => return None,
            }
            line = previous;
        }
        Some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hide(counts: &[Vec<u64>], minimum: u64) -> Vec<Vec<Option<u64>>> {
        let minimum = MinimumCell::new(minimum).expect("in range");
        let cells = two_way(counts, &[], &[], minimum);
        cells.into_iter().map(|row| row.into_iter().map(Cell::count).collect()).collect()
    }

    /// Calls `each` with every table of the same sums and the same shown cells: what an attacker cannot tell apart.
    fn every_table(
        shown: &[Vec<Option<u64>>],
        rows: &mut [u64],
        columns: &mut [u64],
        found: &mut Vec<u64>,
        each: &mut impl FnMut(&[u64]),
    ) {
        let width = columns.len();
        let cell = found.len();
        if cell == rows.len() * width {
            if rows.iter().chain(columns.iter()).all(|&rest| rest == 0) {
                each(found);
            }
            return;
        }
        let (row, column) = (cell / width, cell % width);
        let most = rows[row].min(columns[column]);
        let options = match shown[row][column] {
            Some(count) if count <= most => count..=count,
            Some(_) => return,
            // The last cell of a row is what is left.
            None if column + 1 == width => rows[row].min(most + 1)..=rows[row].min(most),
            None => 0..=most,
        };
        for value in options {
            rows[row] -= value;
            columns[column] -= value;
            found.push(value);
            every_table(shown, rows, columns, found, each);
            found.pop();
            rows[row] += value;
            columns[column] += value;
        }
    }

    /// The smallest and largest value of each cell over all tables that agree with what is shown.
    fn intervals(counts: &[Vec<u64>], shown: &[Vec<Option<u64>>]) -> Vec<(u64, u64)> {
        let width = counts[0].len();
        let mut rows: Vec<u64> = counts.iter().map(|row| row.iter().sum()).collect();
        let mut columns: Vec<u64> = (0..width).map(|column| counts.iter().map(|row| row[column]).sum()).collect();
        let mut ends = vec![(u64::MAX, 0); counts.len() * width];
        every_table(shown, &mut rows, &mut columns, &mut Vec::new(), &mut |table| {
            for (end, &value) in ends.iter_mut().zip(table) {
                *end = (end.0.min(value), end.1.max(value));
            }
        });
        ends
    }

    fn assert_protected(counts: &[Vec<u64>], minimum: u64) {
        let shown = hide(counts, minimum);
        let all_hidden = shown.iter().flatten().all(Option::is_none);
        let ends = intervals(counts, &shown);
        for (row, line) in counts.iter().enumerate() {
            for (column, &count) in line.iter().enumerate() {
                if shown[row][column].is_some() {
                    assert!(count >= minimum, "{counts:?} {shown:?}");
                    continue;
                }
                let column_sum: u64 = counts.iter().map(|row| row[column]).sum();
                let limit = minimum.min(line.iter().sum()).min(column_sum);
                let (low, high) = ends[row * line.len() + column];
                let wide = if count < minimum { low == 0 && high >= limit } else { high - low >= limit };
                assert!(wide || all_hidden, "{counts:?} {shown:?} at {row}, {column}: {low} to {high}");
            }
        }
    }

    #[test]
    fn one_small_cell_hides_a_rectangle() {
        let counts = [vec![20, 3, 40], vec![30, 25, 50], vec![60, 70, 80]];
        let shown = hide(&counts, 5);
        assert_eq!(shown.iter().flatten().filter(|cell| cell.is_none()).count(), 4);
        assert_protected(&counts, 5);
    }

    #[test]
    fn a_rectangle_of_small_cells_needs_more_than_a_rectangle() {
        assert_protected(&[vec![1, 1, 9], vec![1, 1, 9], vec![9, 9, 9]], 5);
    }

    #[test]
    fn a_table_of_enough_everywhere_is_shown() {
        let counts = [vec![5, 6], vec![7, 8]];
        assert!(hide(&counts, 5).iter().flatten().all(Option::is_some));
    }

    #[test]
    fn a_line_hidden_elsewhere_is_hidden_whole() {
        let counts = [vec![50, 60, 70], vec![80, 90, 100], vec![50, 60, 70]];
        let cells = two_way(&counts, &[], &[true, false, true], MinimumCell::default());
        for row in cells {
            assert_eq!(row.into_iter().map(Cell::count).collect::<Vec<_>>()[0], None);
        }
    }

    #[test]
    fn a_table_of_nothing_is_nothing() {
        assert!(two_way(&[], &[], &[], MinimumCell::default()).is_empty());
    }

    proptest! {
        // Every table that agrees with the sums is tried, so tables are small.
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_sum_gives_a_hidden_cell_away(
            counts in (2_usize..4).prop_flat_map(|width| {
                prop::collection::vec(prop::collection::vec(prop_oneof![0_u64..4, 3_u64..12], width), 2..4)
            })
        ) {
            assert_protected(&counts, 3);
        }
    }
}
