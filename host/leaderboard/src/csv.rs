//! A board as a table for other programs.

use std::fmt::Write as _;

use crate::column::Column;
use crate::computed::{Computed, HouseStanding, Standing, Unranked};
use crate::row::Row;

/// What a cell holds. Only text can be written by a builder.
enum Cell<'a> {
    Text(&'a str),
    Word(&'static str),
    Count(u64),
    Number(Option<f64>),
    Empty,
}

/// One line of the table.
#[derive(Default)]
struct Line<'a> {
    rank: Option<u64>,
    status: &'static str,
    name: &'a str,
    team: &'a str,
    quality: Option<f64>,
    efficiency: Option<f64>,
    /// Of [`Column::all`], in its order.
    values: Vec<Option<f64>>,
    on_frontier: Option<bool>,
    dominated_by: Option<u64>,
    submissions: Option<u64>,
    row: Option<&'a Row>,
}

/// The table, header first.
pub(crate) fn write(board: &Computed) -> String {
    let columns = Column::all(&board.challenge);
    let mut table = String::new();
    header(&mut table, &columns);
    let mut house = board.house.iter().peekable();
    for (position, standing) in board.standings.iter().enumerate() {
        while let Some(baseline) = house.next_if(|baseline| baseline.after <= position) {
            Line::of_house(baseline, board, &columns).write(&mut table);
        }
        Line::of_standing(standing, &columns).write(&mut table);
    }
    for baseline in house {
        Line::of_house(baseline, board, &columns).write(&mut table);
    }
    for unranked in &board.unranked {
        Line::of_unranked(unranked, &columns).write(&mut table);
    }
    table
}

fn header(table: &mut String, columns: &[Column]) {
    let names = columns.iter().map(Column::name);
    let before = ["rank", "status", "builder", "team"];
    let after =
        ["quality", "efficiency", "on_frontier", "dominated_by", "submissions", "submitted_ms", "key"].map(Cell::Word);
    line(table, before.into_iter().chain(names).map(Cell::Word).chain(after));
}

impl<'a> Line<'a> {
    fn of_standing(standing: &'a Standing, columns: &[Column]) -> Self {
        let row = &*standing.row;
        Self {
            rank: Some(standing.rank),
            status: "ranked",
            quality: standing.quality,
            efficiency: standing.efficiency,
            values: columns.iter().map(|column| column.value(&row.published, Some(standing.score))).collect(),
            on_frontier: Some(standing.on_frontier),
            dominated_by: standing.dominated_by,
            submissions: Some(standing.submissions),
            ..Self::of_row(row)
        }
    }

    fn of_unranked(unranked: &'a Unranked, columns: &[Column]) -> Self {
        let row = &*unranked.row;
        Self {
            status: unranked.reason.name(),
            values: columns.iter().map(|column| column.value(&row.published, unranked.score)).collect(),
            submissions: Some(unranked.submissions),
            ..Self::of_row(row)
        }
    }

    fn of_row(row: &'a Row) -> Self {
        Self { name: &row.builder, team: &row.team, row: Some(row), ..Self::default() }
    }

    fn of_house(baseline: &'a HouseStanding, board: &Computed, columns: &[Column]) -> Self {
        let ranking_metric = &board.challenge.ranking.metric;
        let value = |column: &Column| match column {
            Column::Score => Some(baseline.score),
            Column::Metric(metric) => (metric.name == ranking_metric).then_some(baseline.metric),
            Column::FlopsPerSample => Some(baseline.flops_per_sample),
            Column::Gco2ePerSample => Some(baseline.gco2e_per_sample),
            Column::Parameters | Column::ComponentBytes => None,
        };
        Self {
            status: "house",
            name: &baseline.name,
            quality: Some(baseline.quality),
            efficiency: Some(baseline.efficiency),
            values: columns.iter().map(value).collect(),
            ..Self::default()
        }
    }

    fn write(self, table: &mut String) {
        let count = |count: Option<u64>| count.map_or(Cell::Empty, Cell::Count);
        let before = [count(self.rank), Cell::Word(self.status), Cell::Text(self.name), Cell::Text(self.team)];
        let after = [
            Cell::Number(self.quality),
            Cell::Number(self.efficiency),
            self.on_frontier.map_or(Cell::Empty, |on| Cell::Word(if on { "true" } else { "false" })),
            count(self.dominated_by),
            count(self.submissions),
            count(self.row.map(|row| row.submitted_ms)),
            count(self.row.map(|row| row.key)),
        ];
        line(table, before.into_iter().chain(self.values.into_iter().map(Cell::Number)).chain(after));
    }
}

fn line<'a>(table: &mut String, cells: impl Iterator<Item = Cell<'a>>) {
    for (i, cell) in cells.enumerate() {
        if i > 0 {
            table.push(',');
        }
        // Writing to a string cannot fail.
        let _ = match cell {
            Cell::Text(text) => {
                quoted(table, &harmless(text));
                Ok(())
            }
            Cell::Word(word) => table.write_str(word),
            Cell::Count(count) => write!(table, "{count}"),
            // The shortest text that reads back as the same number.
            Cell::Number(Some(value)) if value == 0.0 || (1e-5..1e16).contains(&value.abs()) => {
                write!(table, "{value}")
            }
            Cell::Number(Some(value)) => write!(table, "{value:e}"),
            Cell::Number(None) | Cell::Empty => Ok(()),
        };
    }
    table.push_str("\r\n");
}

/// RFC 4180: a field with a separator, a quote or a line break stands in quotes, and a quote in it is doubled.
fn quoted(table: &mut String, text: &str) {
    if !text.contains(['"', ',', ';', '\t', '\r', '\n']) {
        table.push_str(text);
        return;
    }
    table.push('"');
    table.push_str(&text.replace('"', "\"\""));
    table.push('"');
}

/// Text without a formula. A spreadsheet takes what begins with `=`, `+`, `-` or `@` for one, ASCII or full width, also after
/// white space, and it may split a line at other separators than ours, in quotes or not: an apostrophe goes before each such
/// sign that could come to stand first.
fn harmless(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    let mut first = true;
    for character in text.chars() {
        if first && matches!(character, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠') {
            harmless.push('\'');
        }
        harmless.push(character);
        let separates = matches!(character, ',' | ';' | '|' | '"') || character.is_control();
        first = separates || (first && character.is_whitespace());
    }
    harmless
}
