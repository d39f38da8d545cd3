//! Tables that fit the terminal.

/// A column.
#[derive(Debug, Clone)]
struct Column {
    head: String,
    numbers: bool,
    /// Columns with a higher one go first where the terminal is narrow; 0 stays.
    dispensable: u8,
}

/// Rows under heads. Where the terminal is too narrow, the most dispensable columns are left out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Columns {
    /// Adds a column of text.
    pub(crate) fn text(mut self, head: impl Into<String>, dispensable: u8) -> Self {
        self.columns.push(Column { head: head.into(), numbers: false, dispensable });
        self
    }

    /// Adds a column of numbers, whose ends stand below each other.
    pub(crate) fn numbers(mut self, head: impl Into<String>, dispensable: u8) -> Self {
        self.columns.push(Column { head: head.into(), numbers: true, dispensable });
        self
    }

    /// Adds a row; cells that are missing are empty.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells.iter().map(|cell| thimble_client::line(cell)).collect());
    }

    /// The table, in at most `width` characters a line where that can be.
    pub(crate) fn render(&self, width: Option<usize>) -> String {
        let mut shown: Vec<usize> = (0..self.columns.len()).collect();
        let wide = |shown: &[usize]| shown.iter().map(|index| self.width(*index) + 2).sum::<usize>().saturating_sub(2);
        while let Some(width) = width
            && wide(&shown) > width
        {
            let Some(worst) = shown.iter().copied().max_by_key(|index| self.columns[*index].dispensable) else { break };
            if self.columns[worst].dispensable == 0 {
                break;
            }
            shown.retain(|index| *index != worst);
        }
        let heads: Vec<String> = self.columns.iter().map(|column| column.head.clone()).collect();
        std::iter::once(&heads).chain(&self.rows).map(|row| self.line(row, &shown)).collect()
    }

    fn line(&self, cells: &[String], shown: &[usize]) -> String {
        let mut line = String::new();
        for index in shown {
            let cell = cells.get(*index).map_or("", String::as_str);
            let padding = " ".repeat(self.width(*index) - cell.chars().count());
            let (before, after) = if self.columns[*index].numbers { (&*padding, "") } else { ("", &*padding) };
            line.extend([before, cell, after, "  "]);
        }
        format!("{}\n", line.trim_end())
    }

    fn width(&self, index: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(index));
        cells.chain([&self.columns[index].head]).map(|cell| cell.chars().count()).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Columns {
        let mut table = Columns::default().numbers("rank", 0).text("builder", 0).text("team", 9).numbers("score ↑", 3);
        table.row(vec!["1".to_owned(), "ada".to_owned(), "engines".to_owned(), "64.43".to_owned()]);
        table.row(vec!["10".to_owned(), "b\x1b[2Job".to_owned()]);
        table
    }

    #[test]
    fn numbers_end_and_texts_begin_below_each_other() {
        let expected = "\
rank  builder  team     score ↑
   1  ada      engines    64.43
  10  b[2Job
";
        assert_eq!(table().render(None), expected);
        assert_eq!(table().render(Some(31)), expected);
    }

    #[test]
    fn the_most_dispensable_columns_go_first_and_the_last_stay() {
        assert!(table().render(Some(30)).starts_with("rank  builder  score ↑\n"));
        assert!(table().render(Some(21)).starts_with("rank  builder\n"));
        assert!(table().render(Some(1)).starts_with("rank  builder\n"));
    }
}
