//! What is asked of a board: distributions, contexts, CSV.

use proptest::prelude::*;
use thimble_challenge::challenge::ScoreRule;
use thimble_challenge::composite::HouseBaseline;
use thimble_leaderboard::{Bucket, Column, Computed, Context, Distribution, QUANTILES};
use thimble_metrics::MetricValue;

use super::fields::*;

fn metric(rows: &[f64]) -> Computed {
    let rows = (1..).zip(rows).map(|(key, &accuracy)| row(key, &format!("builder {key}"), accuracy, key as f64));
    compute(classification(ScoreRule::Metric), rows)
}

fn distribution(computed: &Computed, name: &str) -> Option<Distribution> {
    computed.distribution(&Column::named(computed.challenge(), name).unwrap())
}

/// Nearest rank of five: ⌈0.25 × 5⌉ = 2, ⌈2.5⌉ = 3, ⌈3.75⌉ = 4, ⌈4.5⌉ = 5.
#[test]
fn a_distribution_by_hand() {
    let found = distribution(&metric(&[0.5, 0.9, 0.7, 0.6, 0.8]), "accuracy").unwrap();
    assert_eq!((found.count, found.missing, found.min, found.max), (5, 0, 0.5, 0.9));
    assert_near(found.mean, 0.7, 1e-12);
    assert_eq!(found.quantiles, [0.5, 0.6, 0.7, 0.8, 0.9, 0.9]);
    let counts: Vec<_> = found.histogram.iter().map(|bucket| bucket.count).collect();
    assert_eq!(counts, [1, 1, 1, 1, 1]);
}

#[test]
fn equal_values_are_one_bucket() {
    let found = distribution(&metric(&[0.75, 0.75, 0.75]), "score").unwrap();
    assert_eq!(found.histogram, [Bucket { low: 0.75, high: 0.75, count: 3 }]);
    assert_eq!(found.mean, 0.75);
}

#[test]
fn values_that_are_missing_are_counted_apart() {
    let unknown = published(row(2, "b", 0.8, 1.0), |published| published.parameters = None);
    let computed = compute(classification(ScoreRule::Metric), [row(1, "a", 0.9, 1.0), unknown]);
    let found = distribution(&computed, "parameters").unwrap();
    assert_eq!((found.count, found.missing, found.min), (1, 1, 100.0));
    assert_eq!(distribution(&computed, "gco2e_per_sample"), None);
    assert_eq!(distribution(&metric(&[]), "score"), None);
}

#[test]
fn columns_are_what_the_challenge_publishes() {
    let names: Vec<_> = Column::all(&regression()).iter().map(Column::name).collect();
    let expected = ["score", "mbe", "rmse", "flops_per_sample", "gco2e_per_sample", "parameters", "component_bytes"];
    assert_eq!(names, expected);
    assert_eq!(Column::named(&regression(), "accuracy"), None);
}

proptest! {
    /// By their definitions, one value after the other.
    #[test]
    fn distributions_are_as_defined(
        values in proptest::collection::vec(prop_oneof![Just(-0.0), Just(1.0), -3.0..3.0, -1e308..1e308], 1..40),
    ) {
        let rows = (1..).zip(&values).map(|(key, &mbe)| biased(key, &format!("builder {key}"), mbe, 1.0));
        let found = distribution(&compute(regression(), rows), "mbe").unwrap();
        let n = values.len();
        prop_assert_eq!(found.count, n);
        prop_assert!(values.iter().all(|value| (found.min..=found.max).contains(value)));
        prop_assert!(values.contains(&found.min) && values.contains(&found.max));
        prop_assert!((found.min..=found.max).contains(&found.mean));
        for (q, value) in QUANTILES.into_iter().zip(found.quantiles) {
            // At least the share q is not above it; less than that is below it, so that it is the smallest such value.
            let not_above = values.iter().filter(|&&other| other <= value).count() as f64;
            let below = values.iter().filter(|&&other| other < value).count() as f64;
            prop_assert!(values.contains(&value) && not_above >= q * n as f64 && (below < q * n as f64 || below == 0.0));
        }
        prop_assert!(found.histogram.len() <= 10.min(n));
        for (i, bucket) in found.histogram.iter().enumerate() {
            let last = i + 1 == found.histogram.len();
            let inside = |value: f64| value >= bucket.low && (value < bucket.high || last && value <= bucket.high);
            prop_assert_eq!(values.iter().filter(|&&value| inside(value)).count(), bucket.count);
            let joined = if last { found.max } else { found.histogram[i + 1].low };
            prop_assert_eq!(bucket.high, joined);
            let width = found.max / found.histogram.len() as f64 - found.min / found.histogram.len() as f64;
            let rounding = 4.0 * f64::EPSILON * found.max.abs().max(found.min.abs());
            prop_assert!((bucket.high - bucket.low - width).abs() <= rounding);
        }
        prop_assert_eq!(found.histogram[0].low, found.min);
    }
}

#[test]
fn a_context_has_three_neighbours_on_either_side() {
    let computed = metric(&[0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]);
    let names = |standings: &[thimble_leaderboard::Standing]| -> Vec<_> {
        standings.iter().map(|standing| standing.row.builder.to_string()).collect()
    };
    let Context { standing, of, percentile, before, behind } = computed.context("builder 5").unwrap();
    // (8 − 5 + 1) / 8.
    assert_eq!((standing.rank, of, percentile), (5, 8, 0.5));
    assert_eq!(names(before), ["builder 2", "builder 3", "builder 4"]);
    assert_eq!(names(behind), ["builder 6", "builder 7", "builder 8"]);
    let first = computed.context("builder 1").unwrap();
    assert_eq!((first.percentile, first.before.len(), first.behind.len()), (1.0, 0, 3));
    let last = computed.context("builder 8").unwrap();
    assert_eq!((last.percentile, last.before.len(), last.behind.len()), (0.125, 3, 0));
    assert_eq!(computed.context("nobody"), None);
}

#[test]
fn csv_has_the_whole_board() {
    let mut rule = composite(&[]);
    rule.house = vec![HouseBaseline { name: "class means".to_owned(), metric: 0.9, flops_per_sample: 1e9 }];
    let anchored = classification(ScoreRule::Composite(rule));
    let mut board = board(
        anchored,
        [
            row(1, "Ada, \"A\"", 0.9, 2.0),
            row(2, "Bo", 0.95, 1.0),
            published(row(3, "Cy", 0.4, 1.0), |published| published.gco2e_per_sample = Some(4.05e-8)),
        ],
    );
    let anchors =
        thimble_challenge::composite::Anchors { median_flops: 2e9, p10_flops: 1e9, members: 9, provisional: false };
    board.freeze(anchors);
    // E is 0.95 at the tenth percentile and 0.5 at the median: 0.7 × 0.95 + 0.3 × 0.95, 0.7 × 0.9 + 0.3 × 0.5.
    let csv = board.compute().csv();
    let lines: Vec<_> = csv.split("\r\n").map(|line| line.split(',').collect::<Vec<_>>()).collect();
    let header = "rank,status,builder,team,score,accuracy,flops_per_sample,gco2e_per_sample,parameters,component_bytes,\
                  quality,efficiency,on_frontier,dominated_by,submissions,submitted_ms,key";
    assert_eq!(lines[0].join(","), header);
    let number = |text: &str| text.parse::<f64>().unwrap();
    assert_eq!(lines[1][..4], ["1", "ranked", "Bo", "Bo"]);
    assert_near(number(lines[1][4]), 0.95, 1e-12);
    assert_eq!(lines[1][5..11], ["0.95", "1000000000", "", "100", "1000", "0.95"]);
    assert_near(number(lines[1][11]), 0.95, 1e-12);
    assert_eq!(lines[1][12..], ["true", "", "1", "2000", "2"]);
    assert_eq!(lines[2][..4], ["", "house", "class means", ""]);
    assert_near(number(lines[2][4]), 0.915, 1e-12);
    assert_eq!(lines[2][5..7], ["0.9", "1000000000"]);
    assert_eq!(lines[2][12..], ["", "", "", "", ""]);
    assert!(csv.contains("\r\n2,ranked,\"Ada, \"\"A\"\"\",\"Ada, \"\"A\"\"\",0.7"), "{csv}");
    assert!(csv.contains(",false,2,1,1000,1\r\n"), "{csv}");
    assert!(csv.contains("\r\n,below_floor,Cy,Cy,0,0.4,1000000000,4.05e-8,100,1000,,,,,1,3000,3\r\n"), "{csv}");
    assert!(csv.ends_with("3\r\n"), "{csv}");
    assert_eq!(csv.matches("\r\n").count(), 5);
}

#[test]
fn names_are_never_formulas() {
    let name = |name: &str| {
        let csv = compute(classification(ScoreRule::Metric), [row(1, name, 0.9, 1.0)]).csv();
        let (_, line) = csv.split_once("\r\n1,ranked,").unwrap();
        line.strip_suffix("\r\n").unwrap().to_owned()
    };
    for (builder, cell) in [
        ("=1+1", "'=1+1,"),
        ("+49 30", "'+49 30,"),
        ("-x", "'-x,"),
        ("@SUM(A1)", "'@SUM(A1),"),
        (" =1", " '=1,"),
        ("＝1", "'＝1,"),
        ("\t=1", "\"\t'=1\","),
        ("a;=1", "\"a;'=1\","),
        ("a,\"=1", "\"a,\"\"'=1\","),
        ("a\r\n=1", "\"a\r\n'=1\","),
        ("a-b = c@d", "a-b = c@d,"),
        ("", ","),
    ] {
        assert!(name(builder).starts_with(cell), "{builder:?}: {:?}", name(builder));
    }
}

/// Numbers below zero are numbers, not formulas.
#[test]
fn numbers_are_written_as_they_read_back() {
    let two = published(biased(1, "a", -0.5, 1.0), |published| {
        published.metrics.insert("rmse".to_owned(), MetricValue::Value(1.5e300));
    });
    let csv = compute(regression(), [two]).csv();
    assert!(csv.contains("\r\n1,ranked,a,a,-0.5,-0.5,1.5e300,1000000000,"), "{csv}");
}

/// Reads a table of RFC 4180 back.
fn cells(csv: &str) -> Vec<Vec<String>> {
    let (mut table, mut line, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut characters) = (false, csv.chars().peekable());
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => line.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {
                assert_eq!(characters.next(), Some('\n'));
                line.push(std::mem::take(&mut cell));
                table.push(std::mem::take(&mut line));
            }
            other => cell.push(other),
        }
    }
    assert!(!quoted && cell.is_empty() && line.is_empty());
    table
}

proptest! {
    #[test]
    fn csv_reads_back_whatever_the_names(names in proptest::collection::vec("[=+@a,;\"'\r\n\t -]{0,6}", 1..5)) {
        let rows = (1..).zip(&names).map(|(key, name)| {
            thimble_leaderboard::Row { team: name.as_str().into(), ..row(key, &format!("{key}{name}"), 0.9, 1.0) }
        });
        let table = cells(&compute(classification(ScoreRule::Metric), rows).csv());
        prop_assert_eq!(table.len(), names.len() + 1);
        prop_assert!(table.iter().all(|line| line.len() == table[0].len()));
        for (line, name) in table[1..].iter().zip(&names) {
            prop_assert_eq!(line[3].replace('\'', ""), name.replace('\'', ""));
            let harmful = |part: &str| part.trim_start().starts_with(['=', '+', '-', '@']);
            prop_assert!(!line[3].split([',', ';', '"', '\t', '\r', '\n']).any(harmful), "{:?}", line[3]);
        }
    }
}
