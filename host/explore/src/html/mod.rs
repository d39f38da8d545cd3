//! Pages: one file each, without scripts and without anything from elsewhere.

mod page;
mod plots;

use std::fmt::Write as _;

use thimble_datasets::Split;

use crate::report::{
    Breakdown, Cell, Correlations, CrossTable, Distribution, Exploration, Label, Section, Summary, Unit,
};

pub(crate) use page::{escape, page};

/// Lines of a table or bars of a chart; the JSON has all.
const MAX_LINES: usize = 40;

impl Exploration {
    /// One page of HTML: tables and SVG plots in one file, no script, nothing loaded. The same bytes for the same exploration.
    pub fn to_html(&self) -> String {
        let mut body = String::new();
        body += &format!("<h1>{}</h1>\n<p class=\"lead\">{}</p>\n", escape(&self.name), escape(&self.task.to_string()));
        let minimum = self.minimum_cell.get();
        body += &format!(
            "<p>Statistics of the training and validation splits; of the test split, its number of rows. \
             Counts of fewer than {minimum} rows are suppressed, and so many others that they cannot be computed from what is \
             shown. Extreme values, single rows and texts are not shown.</p>\n"
        );
        body += &self.overview();
        let mut plots = plots::Plots::default();
        for section in &self.sections {
            body += &section_html(section, self.rows(), &mut plots);
        }
        page(&format!("{}: exploration", self.name), &body)
    }

    /// Rows of train and validation.
    fn rows(&self) -> [u64; 2] {
        [Split::Train, Split::Validation]
            .map(|split| self.splits.iter().find(|of| of.split == split).map_or(0, |of| of.rows))
    }

    fn overview(&self) -> String {
        let mut html = String::from("<section class=\"pair\">\n");
        let rows = self.splits.iter().map(|split| vec![split.split.to_string(), grouped(split.rows)]);
        html += &table("Rows", &["split".into(), "rows".into()], rows);
        let fields = self.fields.iter().map(|field| {
            let dimensions = field.shape.iter().map(u32::to_string).collect::<Vec<_>>().join(" × ");
            let dimensions = match (field.ragged, dimensions.is_empty()) {
                (true, true) => "counts".to_owned(),
                (true, false) => format!("counts × {dimensions}"),
                (false, _) => dimensions,
            };
            let role = match field.role {
                thimble_datasets::Role::Input => "input",
                thimble_datasets::Role::Target => "target",
            };
            vec![field.name.clone(), field.dtype.to_string(), dimensions, role.to_owned()]
        });
        let head = ["field", "type", "shape", "role"].map(String::from);
        html += &table("Fields", &head, fields);
        html + "</section>\n"
    }
}

fn section_html(section: &Section, rows: [u64; 2], plots: &mut plots::Plots) -> String {
    let mut html = format!("<section>\n<h2>{}</h2>\n", escape(&section.title));
    for note in &section.notes {
        html += &format!("<p class=\"note\">{}</p>\n", escape(note));
    }
    html += "<div class=\"cards\">\n";
    for breakdown in &section.breakdowns {
        let totals = (breakdown.unit == Unit::Rows).then_some(rows);
        html += &card(&breakdown.title, &(plots.bars(breakdown, totals) + &breakdown_table(breakdown, totals)));
    }
    for distribution in &section.distributions {
        html += &card(&distribution.title, &(plots.histograms(distribution) + &distribution_table(distribution, rows)));
    }
    html += "</div>\n";
    for cross in &section.cross_tables {
        html += &cross_table(cross);
    }
    if let Some(correlations) = &section.correlations {
        let content = plots.heat_map(correlations) + &correlation_table(correlations);
        html += &format!("<h3>Correlations, train</h3>\n{content}");
    }
    html + "</section>\n"
}

fn card(title: &str, content: &str) -> String {
    format!("<article class=\"card\">\n<h3>{}</h3>\n{content}</article>\n", escape(title))
}

fn label_text(label: &Label) -> String {
    match label {
        Label::Value { name } => name.clone(),
        Label::Other { categories: Some(1) } => "other (1 category)".into(),
        Label::Other { categories: Some(categories) } => format!("other ({categories} categories)"),
        Label::Other { categories: None } => "other".into(),
        Label::Missing => "missing".into(),
    }
}

/// A table that scrolls inside itself where it is wider than the page.
fn table(caption: &str, head: &[String], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut html = format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\"><table><caption>{0}</caption>\n<thead><tr>",
        escape(caption)
    );
    for title in head {
        html += &format!("<th scope=\"col\">{}</th>", escape(title));
    }
    html += "</tr></thead>\n<tbody>\n";
    for row in rows {
        html += "<tr>";
        for (index, cell) in row.iter().enumerate() {
            let tag = if index == 0 { "th scope=\"row\"" } else { "td" };
            let end = if index == 0 { "th" } else { "td" };
            let class = if cell == HIDDEN { " class=\"hidden\"" } else { "" };
            let _ = write!(html, "<{tag}{class}>{}</{end}>", escape(cell));
        }
        html += "</tr>\n";
    }
    html + "</tbody></table></div>\n"
}

fn details(summary: &str, content: &str) -> String {
    format!("<details><summary>{}</summary>\n{content}</details>\n", escape(summary))
}

/// In the place of a count that is not shown.
const HIDDEN: &str = "suppressed";

fn cell_text(cell: Cell) -> String {
    cell.count().map_or_else(|| HIDDEN.to_owned(), grouped)
}

fn breakdown_table(breakdown: &Breakdown, totals: Option<[u64; 2]>) -> String {
    let unit = match breakdown.unit {
        Unit::Rows => "rows",
        Unit::Objects => "objects",
        Unit::Pixels => "pixels",
    };
    let head = [String::new(), format!("train, {unit}"), format!("validation, {unit}")];
    let lines = breakdown.labels.iter().zip(&breakdown.train).zip(&breakdown.validation).take(MAX_LINES);
    let rows =
        lines.map(|((label, &train), &validation)| vec![label_text(label), cell_text(train), cell_text(validation)]);
    let together = totals.and_then(|[train, validation]| {
        let cells = [together(&breakdown.train, train), together(&breakdown.validation, validation)];
        let text = |rest: Option<u64>| rest.map_or_else(|| "–".to_owned(), grouped);
        cells.iter().any(Option::is_some).then(|| vec![TOGETHER.to_owned(), text(cells[0]), text(cells[1])])
    });
    let mut html = table(&breakdown.title, &head, rows.chain(together));
    html += &more(breakdown.labels.len(), MAX_LINES);
    details("Numbers", &html)
}

/// The last line of a table in which something is suppressed: anyone can compute it.
const TOGETHER: &str = "suppressed, together";

/// What the suppressed cells of a table sum to; none where there is none.
fn together(cells: &[Cell], total: u64) -> Option<u64> {
    let shown: u64 = cells.iter().filter_map(|cell| cell.count()).sum();
    cells.iter().any(|cell| cell.count().is_none()).then(|| total.saturating_sub(shown))
}

fn more(total: usize, shown: usize) -> String {
    if total <= shown {
        return String::new();
    }
    format!("<p class=\"note\">{} more are in the JSON.</p>\n", total - shown)
}

fn cross_table(cross: &CrossTable) -> String {
    let head: Vec<_> = std::iter::once(String::new()).chain(cross.columns.iter().map(label_text)).collect();
    let rows = cross.rows.iter().zip(&cross.cells).take(MAX_LINES);
    let rows = rows.map(|(label, cells)| {
        std::iter::once(label_text(label)).chain(cells.iter().map(|&cell| cell_text(cell))).collect()
    });
    table(&cross.title, &head, rows) + &more(cross.rows.len(), MAX_LINES)
}

fn distribution_table(distribution: &Distribution, rows_of: [u64; 2]) -> String {
    let splits = [&distribution.train, &distribution.validation];
    let moments = |figure: fn(&crate::report::Moments) -> Option<f64>| {
        splits.map(|summary| summary.moments.as_ref().and_then(figure).map_or_else(|| "–".to_owned(), number))
    };
    let mut rows = Vec::new();
    let mut line = |name: String, [train, validation]: [String; 2]| rows.push(vec![name, train, validation]);
    if splits.iter().any(|summary| summary.missing.is_some()) {
        line("missing rows".into(), splits.map(|summary| summary.missing.map_or_else(|| "–".into(), cell_text)));
    }
    line("mean".into(), moments(|moments| Some(moments.mean)));
    line("deviation".into(), moments(|moments| Some(moments.deviation)));
    for percent in [5, 25, 50, 75, 95] {
        let quantile = |summary: &Summary| {
            let found = summary.moments.as_ref()?.quantiles.iter().find(|quantile| quantile.percent == percent)?;
            Some(number(found.value))
        };
        line(format!("{percent} % are at most"), splits.map(|s| quantile(s).unwrap_or_else(|| "–".into())));
    }
    let head = [String::new(), "train".into(), "validation".into()];
    let figures = table(&distribution.title, &head, rows);
    let bins = splits.into_iter().zip(["train", "validation"]).zip(rows_of).map(|((summary, split), total)| {
        let bins = summary.bins.iter().map(|bin| (interval(bin.from, bin.to), bin.count));
        let lines: Vec<_> = bins.chain(summary.missing.map(|missing| ("missing".to_owned(), missing))).collect();
        let cells: Vec<_> = lines.iter().map(|&(_, cell)| cell).collect();
        let rest = together(&cells, total).map(|rest| vec![TOGETHER.to_owned(), grouped(rest)]);
        let rows = lines.into_iter().map(|(name, cell)| vec![name, cell_text(cell)]).chain(rest);
        table(&format!("Histogram, {split}"), &["values".into(), "rows".into()], rows)
    });
    figures + &details("Histograms as numbers", &bins.collect::<String>())
}

fn interval(from: Option<f64>, to: Option<f64>) -> String {
    match (from, to) {
        (None, None) => "all".into(),
        (None, Some(to)) => format!("below {}", number(to)),
        (Some(from), None) => format!("{} and above", number(from)),
        (Some(from), Some(to)) => format!("{} to {}", number(from), number(to)),
    }
}

fn correlation_table(correlations: &Correlations) -> String {
    let head: Vec<_> = std::iter::once(String::new()).chain(correlations.names.iter().cloned()).collect();
    let value = |value: &Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
    let rows = correlations.names.iter().zip(&correlations.values);
    let rows = rows.map(|(name, values)| std::iter::once(name.clone()).chain(values.iter().map(value)).collect());
    details("Correlations as numbers", &table("Correlations, train", &head, rows))
}

/// A number as people read it: no more than it says, with an exponent where it is long.
fn number(value: f64) -> String {
    let size = value.abs();
    if value != 0.0 && !(1e-4..1e7).contains(&size) { format!("{value:e}") } else { value.to_string() }
}

/// Digits in groups of three.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_short() {
        assert_eq!([1234.5, 0.0, 1e300, -0.000_02].map(number), ["1234.5", "0", "1e300", "-2e-5"]);
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
