//! A profile's stacks as a picture and as text for other tools.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use thimble_challenge::Fuel;
use thimble_challenge::challenge::grouped;
use thimble_runtime::profile::{Category, Profile};

/// Pixels.
const WIDTH: f64 = 1200.0;
const MARGIN: f64 = 10.0;
const ROW: f64 = 18.0;
const HEADER: f64 = 46.0;
/// Of a character of the text in a frame.
const CHARACTER: f64 = 6.7;
/// A frame narrower than this is left out.
const NARROWEST: f64 = 0.2;

/// Stacks as lines of `frame;frame;frame fuel`, the format of most flame graph tools.
pub(crate) fn folded(profile: &Profile) -> String {
    let mut text = String::new();
    let mut paths: Vec<String> = Vec::new();
    for stack in &profile.stacks {
        // Separators of the format, and what no tool expects in a name.
        let name = stack.name.replace(|c: char| c.is_control(), "?").replace(';', ":");
        let path = stack.below.map_or_else(|| name.clone(), |below| format!("{};{name}", paths[below]));
        if stack.own.0 > 0 {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{path} {}", stack.own.0);
        }
        paths.push(path);
    }
    text
}

/// A flame graph: the host's steps at the bottom, what a function calls above it, each as wide as its fuel. The colour is
/// that of the category that most of a function's own fuel is of; pointing at a frame shows its figures.
pub(crate) fn svg(profile: &Profile) -> String {
    let graph = Graph::of(profile);
    let height = HEADER + graph.depth as f64 * ROW + MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"ui-monospace, Menlo, Consolas, monospace\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    let _ = writeln!(svg, "<text x=\"{MARGIN}\" y=\"18\" font-size=\"13\">{}</text>", escaped(&graph.title));
    legend(&mut svg);
    for &root in &graph.roots {
        graph.draw(&mut svg, root, 0);
    }
    svg.push_str("</svg>\n");
    svg
}

const fn colour(category: Category) -> &'static str {
    match category {
        Category::Float => "#f4a261",
        Category::Integer => "#8ecae6",
        Category::Memory => "#95d5a5",
        Category::Control => "#cfcfcf",
        Category::Host => "#d0b3e6",
    }
}

fn legend(svg: &mut String) {
    for (index, category) in Category::ALL.into_iter().enumerate() {
        let x = MARGIN + index as f64 * 80.0;
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"26\" width=\"12\" height=\"12\" fill=\"{}\"/><text x=\"{}\" y=\"36\">{}</text>",
            colour(category),
            x + 16.0,
            category.name()
        );
    }
}

struct Graph<'a> {
    profile: &'a Profile,
    title: String,
    colours: BTreeMap<&'a str, &'static str>,
    roots: Vec<usize>,
    /// The widest first.
    above: Vec<Vec<usize>>,
    /// Fuel of each stack with everything above it, and of all that stand before it at its level.
    total: Vec<u64>,
    start: Vec<u64>,
    depth: usize,
    whole: u64,
}

impl<'a> Graph<'a> {
    fn of(profile: &'a Profile) -> Self {
        let stacks = &profile.stacks;
        let mut total: Vec<u64> = stacks.iter().map(|stack| stack.own.0).collect();
        let mut level = vec![1; stacks.len()];
        for (index, stack) in stacks.iter().enumerate() {
            level[index] = stack.below.map_or(1, |below| level[below] + 1);
        }
        // What stands above comes later.
        for (index, stack) in stacks.iter().enumerate().rev() {
            if let Some(below) = stack.below {
                total[below] += total[index];
            }
        }
        let mut above = vec![Vec::new(); stacks.len()];
        let mut roots = Vec::new();
        for (index, stack) in stacks.iter().enumerate() {
            stack.below.map_or(&mut roots, |below| &mut above[below]).push(index);
        }
        for frames in &mut above {
            frames.sort_by_key(|&frame| (std::cmp::Reverse(total[frame]), frame));
        }
        let whole: u64 = roots.iter().map(|&root| total[root]).sum();
        let start = starts(&roots, &above, &total);
        let what = profile.rows.map_or("training".to_owned(), |rows| format!("prediction of {} rows", grouped(rows)));
        let name = profile.submission.as_ref().and_then(|submission| submission.name.as_deref()).unwrap_or("component");
        let title = format!("{name}: {} FLOPs, {what}", grouped(Fuel(whole).flops() as u64));
        let whole = whole.max(1);
        // Frames that are left out need no room; those above them are narrower still.
        let drawn = level.iter().zip(&total).filter(|(_, total)| width(**total, whole) >= NARROWEST);
        let depth = drawn.map(|(level, _)| *level).max().unwrap_or(0);
        Self { profile, title, colours: colours(profile), roots, above, total, start, depth, whole }
    }

    fn x(&self, fuel: u64) -> f64 {
        width(fuel, self.whole)
    }

    /// Draws a stack and all above it. As deep as the profile keeps stacks.
    fn draw(&self, svg: &mut String, stack: usize, level: usize) {
        let width = self.x(self.total[stack]);
        if width < NARROWEST {
            return;
        }
        let x = MARGIN + self.x(self.start[stack]);
        let y = HEADER + (self.depth - 1 - level) as f64 * ROW;
        let name = &self.profile.stacks[stack].name;
        let fill = self.colours.get(name.as_str()).copied().unwrap_or("#eeeeee");
        let _ = writeln!(
            svg,
            "<g><title>{}</title><rect x=\"{x:.2}\" y=\"{y}\" width=\"{width:.2}\" height=\"{}\" fill=\"{fill}\" stroke=\"#ffffff\" \
             stroke-width=\"0.5\"/>{}</g>",
            escaped(&self.figures(stack)),
            ROW - 1.0,
            caption(name, x, y, width)
        );
        for &frame in &self.above[stack] {
            self.draw(svg, frame, level + 1);
        }
    }

    fn figures(&self, stack: usize) -> String {
        let share = |fuel: u64| format!("{:.2} %", fuel as f64 / self.whole as f64 * 100.0);
        let per = self.profile.rows.unwrap_or(1) as f64;
        let unit = if self.profile.rows.is_some() { "FLOP/sample" } else { "FLOP" };
        let (name, own, total) =
            (&self.profile.stacks[stack].name, self.profile.stacks[stack].own.0, self.total[stack]);
        let flops = |fuel: u64| format!("{:.1}", Fuel(fuel).flops() / per);
        format!("{name}\n{} {unit}, {}; own {} {unit}, {}", flops(total), share(total), flops(own), share(own))
    }
}

fn width(fuel: u64, whole: u64) -> f64 {
    fuel as f64 / whole as f64 * (WIDTH - 2.0 * MARGIN)
}

/// Where each stack begins, counted in fuel.
fn starts(roots: &[usize], above: &[Vec<usize>], total: &[u64]) -> Vec<u64> {
    let mut start = vec![0; total.len()];
    let mut at = 0;
    for &root in roots {
        start[root] = at;
        at += total[root];
    }
    // Stacks below come first, so their starts are known.
    for (stack, frames) in above.iter().enumerate() {
        let mut at = start[stack];
        for &frame in frames {
            start[frame] = at;
            at += total[frame];
        }
    }
    start
}

fn colours(profile: &Profile) -> BTreeMap<&str, &'static str> {
    let most = |split: &thimble_runtime::profile::Split| {
        let mut most = Category::Control;
        for category in Category::ALL {
            if split.of(category) > split.of(most) {
                most = category;
            }
        }
        colour(most)
    };
    profile.places.iter().map(|place| (place.name.as_str(), most(&place.own))).collect()
}

/// As much of the name as fits: its end, which says more than the path before it.
fn caption(name: &str, x: f64, y: f64, width: f64) -> String {
    let room = ((width - 6.0) / CHARACTER) as usize;
    let count = name.chars().count();
    if room < 3 {
        return String::new();
    }
    let text: String = match count.checked_sub(room) {
        None | Some(0) => name.to_owned(),
        Some(_) => std::iter::once('…').chain(name.chars().skip(count - room + 1)).collect(),
    };
    format!("<text x=\"{:.2}\" y=\"{}\">{}</text>", x + 3.0, y + 12.5, escaped(&text))
}

/// Names are the builder's text: neither markup nor what XML forbids.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push('\n'),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('?'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use thimble_runtime::profile::{Split, Stack};

    use super::*;

    fn profile() -> Profile {
        let stack = |below, name: &str, own| Stack { below, name: name.into(), own: Fuel(own) };
        Profile {
            submission: None,
            rows: Some(2),
            metered: Fuel(1600),
            split: Split::default(),
            classical: 0,
            places: Vec::new(),
            stacks: vec![
                stack(None, "(load)", 100),
                stack(None, "(predict)", 300),
                stack(Some(1), "small<T>;\u{1b}", 0),
                stack(Some(1), "large", 800),
                stack(Some(2), "leaf", 400),
            ],
        }
    }

    #[test]
    fn folded_stacks_hold_all_the_fuel_and_no_foreign_separator() {
        let expected = "(load) 100\n(predict) 300\n(predict);large 800\n(predict);small<T>:?;leaf 400\n";
        assert_eq!(folded(&profile()), expected);
    }

    /// The x and width of a frame, by the first line of its figures.
    fn frame(svg: &str, name: &str) -> (f64, f64) {
        let line = svg.lines().skip_while(|line| !line.starts_with(&format!("<g><title>{name}"))).nth(1);
        let line = line.expect("the frame is drawn");
        let number = |attribute: &str| {
            let from = line.find(&format!("{attribute}=\"")).expect("the attribute") + attribute.len() + 2;
            line[from..].split('"').next().and_then(|text| text.parse().ok()).expect("a number")
        };
        (number(" x"), number("width"))
    }

    #[test]
    fn a_frame_is_as_wide_as_its_fuel_and_stands_on_its_caller() {
        let svg = svg(&profile());
        let (whole, left) = (WIDTH - 2.0 * MARGIN, MARGIN);
        let close = |(x, width): (f64, f64), start: f64, fuel: f64| {
            (x - left - start / 1600.0 * whole).abs() < 0.01 && (width - fuel / 1600.0 * whole).abs() < 0.01
        };
        assert!(close(frame(&svg, "(load)"), 0.0, 100.0), "{svg}");
        assert!(close(frame(&svg, "(predict)"), 100.0, 1500.0), "{svg}");
        assert!(close(frame(&svg, "large"), 100.0, 800.0), "{svg}");
        assert!(close(frame(&svg, "leaf"), 900.0, 400.0), "{svg}");
    }

    #[test]
    fn names_are_no_markup() {
        let svg = svg(&profile());
        assert!(svg.contains("<title>small&lt;T&gt;;?\n"), "{svg}");
        assert!(svg.contains("25.0 FLOP/sample, 50.00 %; own 25.0"), "{svg}");
    }

    #[test]
    fn an_empty_profile_is_an_empty_picture() {
        let empty = Profile { stacks: Vec::new(), ..profile() };
        assert!(svg(&empty).ends_with("</svg>\n"));
        assert_eq!(folded(&empty), "");
    }
}
