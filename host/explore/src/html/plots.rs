//! Plots, as SVG inside the page. What they show is in a table beside them too.

use std::fmt::Write as _;

use super::{MAX_LINES, interval, label_text, number};
use crate::html::escape;
use crate::report::{Bin, Breakdown, Cell, Correlations, Distribution};

/// Width of a plot in its own units, which are pixels on a small phone.
const WIDTH: f64 = 340.0;
/// Height of one histogram, without its axis.
const HEIGHT: f64 = 90.0;

/// Draws plots, and numbers them: what names a plot to a screen reader is found by its id.
#[derive(Debug, Default)]
pub(super) struct Plots {
    count: usize,
}

impl Plots {
    /// The frame of a plot, with the pattern of what is hidden.
    fn svg(&mut self, class: &str, height: f64, title: &str, description: &str, content: &str) -> String {
        self.count += 1;
        let id = self.count;
        let content = content.replace("url(#hatch)", &format!("url(#hatch{id})"));
        format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"t{id} d{id}\">\n\
             <title id=\"t{id}\">{}</title>\n<desc id=\"d{id}\">{}</desc>\n\
             <defs><pattern id=\"hatch{id}\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" \
             patternTransform=\"rotate(45)\"><line class=\"hatch\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"6\"/></pattern></defs>\n\
             {content}</svg>\n",
            escape(title),
            escape(description)
        )
    }

    /// Bars of a breakdown: for each value one of train and one of validation, as shares of each split's `totals`, or of what
    /// is shown where these are not known.
    pub(super) fn bars(&mut self, breakdown: &Breakdown, totals: Option<[u64; 2]>) -> String {
        let shown = breakdown.labels.len().min(MAX_LINES);
        let sums = totals.unwrap_or_else(|| [&breakdown.train, &breakdown.validation].map(|cells| sum(cells)));
        let share = |cell: Cell, sum: u64| cell.count().map(|count| count as f64 / sum.max(1) as f64);
        let shares: Vec<[Option<f64>; 2]> = breakdown
            .train
            .iter()
            .zip(&breakdown.validation)
            .map(|(&train, &validation)| [share(train, sums[0]), share(validation, sums[1])])
            .collect();
        let longest = shares.iter().flatten().flatten().fold(0.0, |a: f64, &b| a.max(b)).max(f64::MIN_POSITIVE);
        let mut content = legend();
        for (index, (label, shares)) in breakdown.labels.iter().zip(&shares).take(shown).enumerate() {
            let top = 24.0 + 34.0 * index as f64;
            let name = shortened(&label_text(label), 20);
            let _ = writeln!(content, "<text x=\"0\" y=\"{}\">{}</text>", top + 17.0, escape(&name));
            for (share, (class, y)) in shares.iter().zip([("train", top), ("validation", top + 14.0)]) {
                let length = share.map_or(60.0, |share| 150.0 * share / longest);
                let fill = if share.is_some() { "" } else { " fill=\"url(#hatch)\"" };
                let class = if share.is_some() { class } else { "frame-hidden" };
                let text = share.map_or_else(|| "suppressed".to_owned(), |share| format!("{:.1} %", 100.0 * share));
                let (end, base) = (135.0 + length.max(1.0), y + 9.5);
                let _ = writeln!(
                    content,
                    "<rect class=\"{class}\"{fill} x=\"130\" y=\"{y}\" width=\"{:.1}\" height=\"12\"/>\
                     <text class=\"soft\" x=\"{end:.1}\" y=\"{base}\">{text}</text>",
                    length.max(1.0)
                );
            }
        }
        let description = format!(
            "Bars of {shown} values in percent of each split. Hatched bars are suppressed: their length \
             means nothing."
        );
        self.svg("bars", 24.0 + 34.0 * shown as f64, &breakdown.title, &description, &content)
    }

    /// The histograms of both splits, one above the other on the same axis.
    pub(super) fn histograms(&mut self, distribution: &Distribution) -> String {
        let bins = [&distribution.train.bins, &distribution.validation.bins];
        let mut edges: Vec<f64> = bins.iter().flat_map(|bins| bins.iter()).filter_map(|bin| bin.to).collect();
        edges.sort_unstable_by(f64::total_cmp);
        edges.dedup();
        if edges.is_empty() {
            return "<p class=\"note\">No histogram: too few rows, or one value for almost all of them.</p>\n".into();
        }
        let axis = Axis::new(&edges);
        let mut content = legend();
        for (bins, (class, top)) in bins.into_iter().zip([("train", 24.0), ("validation", 24.0 + HEIGHT + 8.0)]) {
            content += &axis.bars(bins, class, top);
        }
        let base = 24.0 + 2.0 * HEIGHT + 8.0;
        content += &axis.labels(&edges, base + 14.0);
        let description = "Heights are rows for each step of the axis. The outermost bars are open: they hold everything \
                           beyond. Hatched bars are suppressed: their height means nothing.";
        self.svg("histogram", base + 20.0, &distribution.title, description, &content)
    }

    /// Correlations as a map of squares.
    pub(super) fn heat_map(&mut self, correlations: &Correlations) -> String {
        let count = correlations.names.len().max(1) as f64;
        let names = if correlations.names.len() <= 24 { 92.0 } else { 24.0 };
        let side = ((WIDTH - names) / count).min(30.0);
        let mut content = String::new();
        for (row, (name, values)) in correlations.names.iter().zip(&correlations.values).enumerate() {
            let y = side * row as f64;
            let text = if names > 24.0 { shortened(name, 15) } else { (row + 1).to_string() };
            let size = side.clamp(4.0, 11.0);
            let _ = writeln!(
                content,
                "<text x=\"0\" y=\"{:.1}\" font-size=\"{size:.1}\">{}</text>",
                y + side / 2.0 + size * 0.35,
                escape(&text)
            );
            for (column, value) in values.iter().enumerate() {
                let x = names + side * column as f64;
                let (class, strength) = match value {
                    Some(value) if *value < 0.0 => ("negative", -value),
                    Some(value) => ("train", *value),
                    None => ("frame-hidden", 1.0),
                };
                let fill = if value.is_some() { "" } else { " fill=\"url(#hatch)\"" };
                let said = value.map_or_else(|| "none".to_owned(), |value| format!("{value:.2}"));
                let with = correlations.names.get(column).map_or("", String::as_str);
                let _ = write!(
                    content,
                    "<rect class=\"{class}\"{fill} fill-opacity=\"{strength:.2}\" x=\"{x:.1}\" y=\"{y:.1}\" \
                     width=\"{0:.1}\" height=\"{0:.1}\"><title>{1}</title></rect>",
                    (side - 0.5).max(0.5),
                    escape(&format!("{name}, {with}: {said}"))
                );
            }
            content.push('\n');
        }
        let description = "Blue is positive, red negative, stronger colour is nearer to 1 or −1; hatched where there is none. \
                           Rows and columns are in the same order.";
        let height = (side * count).max(1.0);
        let key = format!("<p class=\"note\">{description}</p>\n");
        self.svg("map", height, "Correlations", description, &content) + &key
    }
}

fn sum(cells: &[Cell]) -> u64 {
    cells.iter().filter_map(|cell| cell.count()).sum()
}

fn legend() -> String {
    "<rect class=\"train\" x=\"130\" y=\"3\" width=\"10\" height=\"10\"/><text x=\"144\" y=\"12\">train</text>\
     <rect class=\"validation\" x=\"190\" y=\"3\" width=\"10\" height=\"10\"/><text x=\"204\" y=\"12\">validation</text>\n"
        .into()
}

fn shortened(text: &str, characters: usize) -> String {
    if text.chars().count() <= characters {
        return text.to_owned();
    }
    text.chars().take(characters - 1).chain(['…']).collect()
}

/// Where values stand: from the first edge to the last, with a step of room for the open bins on either side.
#[derive(Debug, Clone, Copy)]
struct Axis {
    first: f64,
    last: f64,
    step: f64,
}

impl Axis {
    /// `edges` are ascending, and at least one.
    fn new(edges: &[f64]) -> Self {
        let (first, last) = (edges[0], edges[edges.len() - 1]);
        let step = edges.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
        Self { first, last, step: if step.is_finite() { step } else { 1.0 } }
    }

    /// Steps from the left end of the axis.
    fn steps(self, value: f64) -> f64 {
        1.0 + (value - self.first) / self.step
    }

    fn total(self) -> f64 {
        self.steps(self.last) + 1.0
    }

    fn x(self, steps: f64) -> f64 {
        WIDTH * steps / self.total()
    }

    fn bars(self, bins: &[Bin], class: &str, top: f64) -> String {
        let ends =
            |bin: &Bin| (bin.from.map_or(0.0, |v| self.steps(v)), bin.to.map_or(self.total(), |v| self.steps(v)));
        let density = |bin: &Bin| {
            let (from, to) = ends(bin);
            bin.count.count().map(|count| count as f64 / (to - from))
        };
        let highest = bins.iter().filter_map(density).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
        let base = top + HEIGHT;
        let mut svg = String::new();
        for bin in bins {
            let (from, to) = ends(bin);
            let density = density(bin);
            let height = (HEIGHT * density.map_or(1.0, |density| density / highest)).max(0.5);
            let fill = if density.is_some() { "" } else { " fill=\"url(#hatch)\"" };
            let class = if density.is_some() { class } else { "frame-hidden" };
            let count = bin.count.count().map_or_else(|| "suppressed".to_owned(), |count| format!("{count} rows"));
            let _ = writeln!(
                svg,
                "<rect class=\"{class}\"{fill} x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\">\
                 <title>{}: {count}</title></rect>",
                self.x(from) + 0.5,
                base - height,
                (self.x(to) - self.x(from) - 1.0).max(0.5),
                escape(&interval(bin.from, bin.to)),
            );
        }
        let _ = writeln!(svg, "<line class=\"axis\" x1=\"0\" y1=\"{base}\" x2=\"{WIDTH}\" y2=\"{base}\"/>");
        svg
    }

    /// Up to five edges in figures.
    fn labels(self, edges: &[f64], y: f64) -> String {
        let every = edges.len().div_ceil(5).max(1);
        let mut svg = String::new();
        for &edge in edges.iter().step_by(every) {
            let _ = write!(
                svg,
                "<text class=\"soft\" text-anchor=\"middle\" x=\"{:.1}\" y=\"{y}\">{}</text>",
                self.x(self.steps(edge)).clamp(12.0, WIDTH - 12.0),
                escape(&number(edge))
            );
        }
        svg + "\n"
    }
}
