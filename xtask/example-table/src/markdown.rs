//! The section of `README.md`.

use std::fmt::Write as _;
use std::str::FromStr;

use anyhow::{Result, bail};
use thimble_challenge::Challenge;
use thimble_challenge::challenge::{ScoreRule, grouped};
use thimble_challenge::score::si;

use crate::figures::{Figures, Row, direction, standings};

const START: &str = "<!-- table:start (written by `cargo xtask table`) -->";
const END: &str = "<!-- table:end -->";

/// A solution, and where it is under `solutions/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Solution {
    pub(crate) name: String,
    pub(crate) directory: String,
}

impl FromStr for Solution {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, directory) = text.split_once('=').ok_or("must be NAME=DIRECTORY")?;
        Ok(Self { name: name.to_owned(), directory: directory.to_owned() })
    }
}

/// The file name of a challenge's drawing.
pub(crate) fn drawing(challenge: &Challenge) -> String {
    format!("frontier-{}.svg", challenge.name)
}

/// Everything between the markers: what each solution is, and a drawing and a table for each challenge.
pub(crate) fn section(challenges: &[Challenge], solutions: &[(&Solution, String)], figures: &Figures) -> String {
    let mut text = String::from("\n");
    // Writing to a string cannot fail.
    for (index, (solution, description)) in solutions.iter().enumerate() {
        let directory = &solution.directory;
        if solutions[..index].iter().any(|(before, _)| before.directory == *directory) {
            continue;
        }
        let of_directory = solutions[index..].iter().filter(|(other, _)| other.directory == *directory);
        let names: Vec<_> =
            of_directory.map(|(other, _)| format!("[`{0}`](solutions/{directory})", other.name)).collect();
        let _ = writeln!(text, "- {}: {description}", names.join(", "));
    }
    for challenge in challenges {
        text.push('\n');
        text += &of_challenge(challenge, solutions, figures);
    }
    let _ = write!(
        text,
        "\nBuilt by {}; another compiler gives other FLOPs, and the same accuracies.",
        figures.compilers.join(" and ")
    );
    text + "\n\n"
}

fn of_challenge(challenge: &Challenge, solutions: &[(&Solution, String)], figures: &Figures) -> String {
    let rows = figures.of(challenge);
    let standings = standings(rows, direction(challenge));
    let metric = &challenge.ranking.metric;
    let link = |name: &str| {
        let directory = solutions.iter().find(|(solution, _)| solution.name == name).map(|(s, _)| &s.directory);
        directory.map_or_else(|| name.to_owned(), |directory| format!("[{name}](solutions/{directory})"))
    };

    let members: Vec<_> = standings.iter().filter(|s| s.dominated_by.is_none()).map(|s| s.solution).collect();
    let mut text = format!("### [{}](challenges/{})\n\n", challenge.title, challenge.name);
    let _ = writeln!(text, "{}\n", challenge.summary);
    let _ = writeln!(
        text,
        "![{metric} against FLOPs per sample; on the Pareto frontier, from the cheapest: {}]({})\n",
        members.join(", "),
        drawing(challenge)
    );
    // The rule `metric` would show one figure twice.
    let scored = challenge.score != ScoreRule::Metric;
    let score = if scored { " score |" } else { "" };
    let _ = writeln!(
        text,
        "| solution | {metric} |{score} parameters | FLOPs/sample | training FLOPs | ngCO2e/sample | Pareto frontier |"
    );
    let _ = writeln!(text, "|---|--:|{}--:|--:|--:|--:|---|", if scored { "--:|" } else { "" });
    for standing in &standings {
        let place = match standing.dominated_by {
            None => "**non-dominated**".to_owned(),
            Some(by) => format!("dominated by {by}"),
        };
        let _ = writeln!(text, "| {} |{} {place} |", link(standing.solution), cells(standing.row, scored));
    }
    for (name, row) in rows.iter().filter(|(_, row)| row.point().is_none()) {
        let _ = writeln!(text, "| {} |{} {} |", link(name), cells(row, scored), row.ending());
    }
    text
}

/// The cells of figures, each with a bar behind it. What was not measured is a dash.
fn cells(row: &Row, scored: bool) -> String {
    let show = |value: Option<f64>, text: fn(f64) -> String| value.map_or_else(|| "–".to_owned(), text);
    let magnitude = |value: f64| si(value, "").trim_end().to_owned();
    let mut cells = vec![show(row.metric, |value| format!("{value:.4}"))];
    if scored {
        // Of 100 or of 1: composite scores.
        cells.push(show(row.score, |value| if value > 1.0 { format!("{value:.2}") } else { format!("{value:.4}") }));
    }
    cells.push(row.parameters.map_or_else(|| "–".to_owned(), grouped));
    cells.push(show(row.flops_per_sample, magnitude));
    cells.push(show(row.training_flops, magnitude));
    cells.push(show(row.gco2e_per_sample, |grams| significant(grams * 1e9)));
    cells.iter().map(|cell| format!(" {cell} |")).collect()
}

/// To three significant digits, without an exponent.
fn significant(value: f64) -> String {
    let value = thimble_challenge::round::significant(value, 3);
    // No figure of three digits lies between 99.9 and 100.
    let decimals = (0..12).find(|&decimals| value.abs() * 10f64.powi(decimals) > 99.95).unwrap_or(0);
    format!("{value:.0$}", decimals as usize)
}

/// `readme` with what is between the markers replaced.
pub(crate) fn replaced(readme: &str, section: &str) -> Result<String> {
    let (Some((before, rest)), 1, 1) =
        (readme.split_once(START), readme.matches(START).count(), readme.matches(END).count())
    else {
        bail!("`{START}` and `{END}` must stand there once, in this order");
    };
    let Some((_, after)) = rest.split_once(END) else {
        bail!("`{END}` must stand after `{START}`");
    };
    Ok(format!("{before}{START}\n{section}{END}{after}"))
}

/// The first line in which a file is not what it should be.
pub(crate) fn first_difference(found: &str, wanted: &str) -> Option<String> {
    if found == wanted {
        return None;
    }
    let (mut found, mut wanted) = (found.lines(), wanted.lines());
    let mut number = 1;
    loop {
        match (found.next(), wanted.next()) {
            (Some(found), Some(wanted)) if found == wanted => number += 1,
            (None, None) => return Some(format!("line {number}: line ends differ")),
            (found, wanted) => {
                let [found, wanted] = [found, wanted].map(|line| line.unwrap_or("(end of the file)"));
                return Some(format!("line {number}:\n    - {found}\n    + {wanted}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::figures::tests::{challenge, row, rows, trapped};

    fn solution(name: &str, directory: &str) -> Solution {
        Solution { name: name.to_owned(), directory: directory.to_owned() }
    }

    #[test]
    fn a_section_has_a_line_for_each_directory_and_a_row_for_each_solution() -> Result<()> {
        let challenge = challenge()?;
        let of_challenge = rows(&[
            ("mlp", row(0.91, 123_456.0)),
            ("mlp-small", row(0.8, 2_000.0)),
            ("slow", row(0.8, 3e6)),
            ("broken", trapped()),
        ]);
        let figures = Figures {
            compilers: vec!["rustc 1".to_owned(), "clang 2".to_owned()],
            rows: BTreeMap::from([(challenge.name.clone(), of_challenge)]),
        };
        let solutions = [("mlp", "mlp"), ("mlp-small", "mlp"), ("slow", "slow"), ("broken", "broken")]
            .map(|(name, directory)| (solution(name, directory), format!("What {directory} is.")));
        let section = section(&[challenge], &solutions.each_ref().map(|(s, text)| (s, text.clone())), &figures);
        let expected = "
- [`mlp`](solutions/mlp), [`mlp-small`](solutions/mlp): What mlp is.
- [`slow`](solutions/slow): What slow is.
- [`broken`](solutions/broken): What broken is.

### [ImageNet Pareto 500K](challenges/imagenet-pareto-500k)

Classify synthetic image embeddings with at most 500,000 stored parameters. Accuracy ranks; size and compute break ties.

![accuracy against FLOPs per sample; on the Pareto frontier, from the cheapest: mlp-small, mlp](frontier-imagenet-pareto-500k.svg)

| solution | accuracy | score | parameters | FLOPs/sample | training FLOPs | ngCO2e/sample | Pareto frontier |
|---|--:|--:|--:|--:|--:|--:|---|
| [mlp-small](solutions/mlp) | 0.8000 | 0.8000 | 1,000 | 2.00 k | 2.00 G | 0.0800 | **non-dominated** |
| [mlp](solutions/mlp) | 0.9100 | 0.9100 | 1,000 | 123 k | 123 G | 4.94 | **non-dominated** |
| [slow](solutions/slow) | 0.8000 | 0.8000 | 1,000 | 3.00 M | 3.00 T | 120 | dominated by mlp |
| [broken](solutions/broken) | – | – | – | – | – | – | trap (unreachable) |

Built by rustc 1 and clang 2; another compiler gives other FLOPs, and the same accuracies.

";
        assert_eq!(section, expected);
        Ok(())
    }

    #[test]
    fn only_what_is_between_the_markers_is_replaced() {
        let readme = format!("before\n{START}\nold\n{END}\nafter\n");
        let new = format!("before\n{START}\nnew\n{END}\nafter\n");
        assert_eq!(replaced(&readme, "new\n").ok(), Some(new));
        for broken in [String::new(), format!("{START}\n"), format!("{END}\n{START}\n"), format!("{readme}{readme}")] {
            assert!(replaced(&broken, "new\n").is_err(), "{broken}");
        }
    }

    #[test]
    fn the_first_difference_shows_both_lines() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n").as_deref(), Some("line 2:\n    - b\n    + c"));
        assert_eq!(first_difference("a\n", "a\nc\n").as_deref(), Some("line 2:\n    - (end of the file)\n    + c"));
        assert_eq!(first_difference("a\n", "a").as_deref(), Some("line 2: line ends differ"));
    }

    #[test]
    fn three_digits_are_significant() {
        for (value, text) in
            [(0.040_34, "0.0403"), (1.0, "1.00"), (9.996, "10.0"), (99.94, "99.9"), (99.96, "100"), (12_345.0, "12300")]
        {
            assert_eq!(significant(value), text);
        }
    }
}
