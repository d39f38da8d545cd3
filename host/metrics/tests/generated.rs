//! `docs/metrics.md` is made from the registry: `BLESS=1 cargo test -p thimble-metrics --test generated` rewrites it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use thimble_metrics::{Metric, Reads, Task, metric, metrics};

const HEAD: &str = "\
# Metrics

Made from the registry (`host/metrics`); `thimble metrics list --json` prints the same for programs, and `thimble metrics eval`
computes any of them for predictions in files.

- A metric without a value is *undefined*, with the reason. Undefined ranks last, whichever direction is better; it is never 0.
- A metric that says nothing about any submission on the test labels at hand (one class only, a zero where it divides) is
  *degenerate*. `thimble challenge check` and `thimble challenge commit` refuse a challenge that ranks by it or publishes it.
- Classes are those that the owner declares, in that order, whether or not a row has them.
- Sums are compensated and in the order of the rows, in doubles; logarithms and roots are those of libm. The same inputs give the
  same bits on every machine.
- In formulas ŷ is the prediction, y the truth, n the number of rows, and \\[…\\] is 1 where the condition holds and 0 elsewhere.
- The values equal those of the reference to 1e-9 relative (1e-6 where it computes in single precision) on the cases of
  `host/metrics/tests/golden`, where what is taken and why is said if references differ.
";

fn all() -> impl Iterator<Item = (Task, &'static Metric)> {
    Task::ALL.into_iter().flat_map(|task| metrics(task).map(move |metric| (task, metric)))
}

/// The first task that has the metric: its definition stands once.
fn defined_in(wanted: &Metric) -> Task {
    let same = |task: &Task| self::metric(*task, wanted.name).is_some_and(|other| other == wanted);
    Task::ALL.into_iter().find(same).expect("it is of some task")
}

fn anchor(metric: &Metric) -> String {
    format!("{}-{}", defined_in(metric).name(), metric.name)
}

const fn reads(reads: Reads) -> &'static str {
    match reads {
        Reads::Class => "the class with the largest score, the first of equals",
        Reads::ScoreOrder => "the order of the scores of a row",
        Reads::Probabilities => "probabilities: scores of 0 to 1 that sum to 1 within 0.001 in every row",
        Reads::Everything => "all of a prediction",
    }
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for task in Task::ALL {
        let _ = write!(page, "\n## {}\n\n`{}`\n\n", task.label(), task.name());
        page += "| name | metric | better | range | unit |\n|---|---|---|---|---|\n";
        for metric in metrics(task) {
            let Metric { name, label, range, unit, .. } = metric;
            let (anchor, better, unit) = (anchor(metric), metric.better(), unit.label());
            let _ = writeln!(page, "| [`{name}`](#{anchor}) | {label} | {better} | {range} | {unit} |");
        }
    }
    page += "\n# Definitions\n";
    for (_, metric) in all().filter(|(task, metric)| defined_in(metric) == *task) {
        let shared: Vec<_> = all().filter(|(_, other)| other == &metric).map(|(task, _)| task.label()).collect();
        let _ = write!(page, "\n<a id=\"{}\"></a>\n\n### {}\n\n", anchor(metric), metric.label);
        let _ = write!(page, "`{}` of {}. {}\n\n", metric.name, shared.join(", "), metric.description);
        let _ = write!(
            page,
            "- Formula: `{}`\n- Reads: {}\n- Edge cases: {}\n- Undefined when: {}\n- Reference: {}\n",
            metric.formula,
            reads(metric.reads),
            metric.edge_cases,
            metric.undefined_when,
            metric.reference
        );
    }
    page
}

#[test]
fn the_page_of_metrics_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let (expected, found) = (page(), fs::read_to_string(&file).unwrap_or_default());
    if found != expected && std::env::var_os("BLESS").is_some() {
        fs::write(&file, expected).expect("writable");
        return;
    }
    assert!(found == expected, "docs/metrics.md is not current: run with BLESS=1");
}

#[test]
fn every_metric_is_linked_to_its_definition() {
    let page = page();
    for (task, metric) in all() {
        let anchor = format!("<a id=\"{}\">", anchor(metric));
        assert_eq!(page.matches(&anchor).count(), 1, "{} {}", task.name(), metric.name);
        assert!(!metric.formula.contains('`'), "{} {}", task.name(), metric.name);
    }
}
