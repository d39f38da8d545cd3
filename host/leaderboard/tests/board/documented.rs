//! `docs/leaderboard.md` works a small field by hand. Its blocks are made here by the formulas of the page, and the board
//! must agree with them: `BLESS=1 cargo test -p thimble-leaderboard documented` rewrites them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use thimble_challenge::Challenge;
use thimble_challenge::challenge::ScoreRule;
use thimble_challenge::composite::{Composite, HouseBaseline, Quality};
use thimble_leaderboard::{Column, Computed, QUANTILES, Row};

use super::fields::*;

const MFLOP: f64 = 1e6;

fn house(name: &str, metric: f64, mflop: f64) -> HouseBaseline {
    HouseBaseline { name: name.to_owned(), metric, flops_per_sample: mflop * MFLOP }
}

fn challenge(quality: Quality) -> Challenge {
    let house = vec![house("class means", 0.70, 1.0), house("small network", 0.85, 4.0)];
    let rule = Composite { floor: 0.6, house, quality, reference_flops: 4.0 * MFLOP, ..composite(&[]) };
    classification(ScoreRule::Composite(rule))
}

/// Team, builder, accuracy, MFLOP a row.
const RESULTS: [(&str, &str, f64, f64); 9] = [
    ("Aare", "Ada", 0.905, 2.0),
    ("Birs", "Bo", 0.940, 32.0),
    ("Cher", "Cy", 0.930, 8.0),
    ("Drau", "Di", 0.860, 0.5),
    ("Aare", "Ada", 0.915, 8.0),
    ("Enns", "Eva", 0.925, 16.0),
    ("Furka", "Flo", 0.590, 0.001),
    ("Gail", "Gus", 0.990, 1.0),
    ("Hinter", "Hal", 0.905, 2.0),
];

/// Gus is transductive, and Hal has submitted Ada's first component again.
fn rows() -> Vec<Row> {
    let mut rows: Vec<_> = (1..)
        .zip(RESULTS)
        .map(|(key, (team, builder, accuracy, mflop))| Row {
            team: team.into(),
            ..row(key, builder, accuracy, mflop / 1e3)
        })
        .collect();
    rows[7] = published(rows[7].clone(), |published| published.transductive = Some(true));
    rows[8].component = rows[0].component;
    rows
}

/// log2 of the anchors in MFLOP, as the page works them.
const MEDIAN: f64 = 0.5 * 2.0 + 0.5 * 3.0;
const P10: f64 = -(0.4 * 1.0) + 0.6 * 0.0;

fn steepness() -> f64 {
    19_f64.ln() / ((MEDIAN - P10) * 2_f64.ln())
}

/// By the formula of the page.
fn efficiency(mflop: f64) -> f64 {
    1.0 / (1.0 + (mflop / MEDIAN.exp2()).powf(steepness()))
}

/// Puts `text` between the markers of a block on the page, or asserts that it is there.
#[track_caller]
fn assert_block(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/leaderboard.md");
    let page = fs::read_to_string(&file).unwrap();
    let (start, end) = (format!("<!-- checked: {name} -->\n"), "<!-- /checked -->");
    let (before, rest) = page.split_once(&start).expect("every block has its marker");
    let (found, after) = rest.split_once(end).unwrap();
    if found != text && std::env::var_os("BLESS").is_some() {
        fs::write(&file, format!("{before}{start}{text}{end}{after}")).unwrap();
        return;
    }
    assert_eq!(found, text, "block `{name}` of docs/leaderboard.md is not current: run with BLESS=1");
}

/// One test, since blessing rewrites one file.
#[test]
fn the_page_is_worked_as_the_board_is() {
    let computed = compute(challenge(Quality::Metric), rows());
    assert_block("results", &results());
    assert_block("anchors", &anchors(&computed));
    assert_block("standings", &standings(&computed));
    assert_block("frontier", &frontier(&computed));
    assert_block("weight", &weight());
    assert_block("sybils", &sybils());
    assert_block("distribution", &distribution(&computed));
    let csv = computed.csv();
    let (header, _) = csv.split_once("\r\n").unwrap();
    let (first, second) = header.split_at(header.find("quality").unwrap());
    assert_block("csv", &format!("```text\n{first}\n{second}\n```\n"));
}

fn results() -> String {
    let mut text = "| key | team | builder | accuracy | MFLOP | log2 |\n|---|---|---|---|---|---|\n".to_owned();
    for (key, (team, builder, accuracy, mflop)) in (1..).zip(RESULTS) {
        let log = mflop.log2();
        let log = if log.fract() == 0.0 { log.to_string() } else { format!("{log:.2}") }.replace('-', "−");
        let _ = writeln!(text, "| {key} | {team} | {builder} | {accuracy:.3} | {mflop} | {log} |");
    }
    text
}

fn anchors(computed: &Computed) -> String {
    let anchors = computed.anchors.unwrap();
    assert_near(anchors.median_flops / MFLOP / MEDIAN.exp2(), 1.0, 1e-9);
    assert_near(anchors.p10_flops / MFLOP / P10.exp2(), 1.0, 1e-9);
    assert_eq!((anchors.members, anchors.provisional), (8, false));
    let (m, p, k) = (MEDIAN.exp2(), P10.exp2(), steepness());
    format!(
        "```text\n\
         log2 m = 0.5 × 2 + 0.5 × 3 = {MEDIAN}       m = {m:.4} MFLOP\n\
         log2 p = 0.4 × (−1) + 0.6 × 0 = −{:.1}    p = {p:.4} MFLOP\n\
         k = ln 19 / (ln m − ln p) = {:.6} / {:.6} = {k:.6}\n\
         members = {}\n\
         ```\n",
        -P10,
        19_f64.ln(),
        m.ln() - p.ln(),
        anchors.members,
    )
}

fn standings(computed: &Computed) -> String {
    let mut text = "| rank | builder | accuracy | MFLOP | E | score | |\n|---|---|---|---|---|---|---|\n".to_owned();
    let mut line = |rank: &str, name: &str, accuracy: f64, mflop: f64, score: f64, note: &str| {
        let (at, by_hand) = (efficiency(mflop), 0.7 * accuracy + 0.3 * efficiency(mflop));
        if score > 0.0 {
            assert_near(score, by_hand, 1e-9);
        }
        let _ = writeln!(text, "| {rank} | {name} | {accuracy:.3} | {mflop} | {at:.4} | {score:.4} | {note} |");
    };
    let figures = |row: &Row| {
        (row.published.metrics["accuracy"].value().unwrap(), row.published.flops_per_sample.unwrap() / MFLOP)
    };
    let mut house = computed.house.iter().peekable();
    for (position, standing) in computed.standings.iter().enumerate() {
        while let Some(baseline) = house.next_if(|baseline| baseline.after == position) {
            line("", &baseline.name, baseline.metric, baseline.flops_per_sample / MFLOP, baseline.score, "house");
        }
        let (accuracy, mflop) = figures(&standing.row);
        assert_near(standing.efficiency.unwrap(), efficiency(mflop), 1e-9);
        line(&standing.rank.to_string(), &standing.row.builder, accuracy, mflop, standing.score, "");
    }
    assert_eq!(house.next(), None);
    for unranked in &computed.unranked {
        let (accuracy, mflop) = figures(&unranked.row);
        line("", &unranked.row.builder, accuracy, mflop, unranked.score.unwrap(), unranked.reason.name());
    }
    text
}

fn frontier(computed: &Computed) -> String {
    let mut text = "| key | builder | MFLOP | accuracy |\n|---|---|---|---|\n".to_owned();
    for row in computed.frontier_rows() {
        let (accuracy, flops) =
            (row.published.metrics["accuracy"].value().unwrap(), row.published.flops_per_sample.unwrap());
        let _ = writeln!(text, "| {} | {} | {} | {accuracy:.3} |", row.key, row.builder, flops / MFLOP);
    }
    for standing in computed.standings.iter().filter(|standing| !standing.on_frontier) {
        let by = standing.dominated_by.unwrap();
        let name = |key: u64| RESULTS[key as usize - 1].1;
        let _ =
            writeln!(text, "\n{}'s result {} is dominated by {}'s {by}.", standing.row.builder, standing.key, name(by));
    }
    text
}

/// The mean square of the differences from the mean.
fn variance(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64
}

fn weight() -> String {
    let mut text =
        "| `quality` | sd of 0.7 × Q | sd of 0.3 × E | share of E | order |\n|---|---|---|---|---|\n".to_owned();
    for (name, quality) in [("metric", Quality::Metric), ("skill", Quality::Skill)] {
        let computed = compute(challenge(quality), rows());
        let parts = |part: fn(&thimble_leaderboard::Standing) -> f64| {
            variance(&computed.standings.iter().map(part).collect::<Vec<_>>())
        };
        let q = parts(|standing| 0.7 * standing.quality.unwrap());
        let e = parts(|standing| 0.3 * standing.efficiency.unwrap());
        let order: Vec<_> = computed.standings.iter().map(|standing| &*standing.row.builder).collect();
        let (sd_q, sd_e, share) = (q.sqrt(), e.sqrt(), 100.0 * e / (q + e));
        let _ = writeln!(text, "| `{name}` | {sd_q:.3} | {sd_e:.3} | {share:.0} % | {} |", order.join(", "));
    }
    text
}

fn sybils() -> String {
    let mut text = "| added to the field | m in MFLOP | p in MFLOP | Ada's score | Bo's | Ada's lead |\n\
                    |---|---|---|---|---|---|\n"
        .to_owned();
    let eight = |team: fn(u64) -> String, accuracy: f64, mflop: f64| -> Vec<Row> {
        let one = |key| Row { team: team(key).into(), ..row(key, &format!("throwaway {key}"), accuracy, mflop / 1e3) };
        (10..18).map(one).collect()
    };
    let one_team = |_: u64| "Sybil".to_owned();
    let apart = |key: u64| format!("Sybil {key}");
    let copies = eight(apart, 0.61, 0.05).into_iter().map(|row| Row { component: rows()[3].component, ..row });
    for (name, added) in [
        ("nothing", Vec::new()),
        ("8 light results of one team", eight(one_team, 0.61, 0.05)),
        ("8 light results of 8 teams", eight(apart, 0.61, 0.05)),
        ("the same, below the floor", eight(apart, 0.59, 0.05)),
        ("the same, all with one component that is there already", copies.collect()),
        ("8 heavy results of one team", eight(one_team, 0.61, 2_000.0)),
        ("8 heavy results of 8 teams", eight(apart, 0.61, 2_000.0)),
    ] {
        let computed = compute(challenge(Quality::Metric), rows().into_iter().chain(added));
        let anchors = computed.anchors.unwrap();
        let (m, p) = (anchors.median_flops / MFLOP, anchors.p10_flops / MFLOP);
        let [ada, bo] = ["Ada", "Bo"].map(|builder| computed.context(builder).unwrap().standing.score);
        let _ = writeln!(
            text,
            "| {name} | {m:.3} | {p:.3} | {ada:.3} | {bo:.3} | {} |",
            format!("{:.3}", ada - bo).replace('-', "−")
        );
    }
    text
}

fn distribution(computed: &Computed) -> String {
    let column = Column::named(computed.challenge(), "accuracy").unwrap();
    let found = computed.distribution(&column).unwrap();
    let mut text =
        format!("```text\ncount {}, min {}, max {}, mean {:.4}\n", found.count, found.min, found.max, found.mean);
    let quantiles: Vec<_> = QUANTILES.iter().zip(found.quantiles).map(|(q, value)| format!("{q}: {value}")).collect();
    let _ = writeln!(text, "quantiles  {}", quantiles.join(", "));
    let buckets: Vec<_> = found
        .histogram
        .iter()
        .map(|bucket| format!("{:.3} to {:.3}: {}", bucket.low, bucket.high, bucket.count))
        .collect();
    let _ = writeln!(text, "histogram  {}", buckets.join(", "));
    let context = computed.context("Cy").unwrap();
    let names = |standings: &[thimble_leaderboard::Standing]| {
        standings.iter().map(|standing| standing.row.builder.to_string()).collect::<Vec<_>>().join(", ")
    };
    let (rank, of) = (context.standing.rank, context.of);
    let _ = write!(
        text,
        "Cy         rank {rank} of {of}, percentile ({of} − {rank} + 1) / {of} = {}; before: {}; behind: {}\n```\n",
        context.percentile,
        names(context.before),
        names(context.behind),
    );
    text
}
