//! A profile as a table and as JSON.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use thimble_challenge::challenge::grouped;
use thimble_challenge::units::FUEL_PER_FLOP;
use thimble_challenge::{Fuel, round};
use thimble_runtime::TARIFF;
use thimble_runtime::profile::{Category, Kind, Place, Profile, Split, hints};

/// Functions in the table.
const SHOWN: usize = 20;
/// Characters of a function's name in the table.
const NAME_CHARS: usize = 90;

/// The profile for people.
pub(crate) fn text(profile: &Profile, challenge: &str) -> String {
    let unit = Unit::of(profile);
    let mut text = String::new();
    head(&mut text, profile, challenge, &unit);
    split(&mut text, profile, &unit);
    functions(&mut text, profile, &unit);
    next_saving(&mut text, profile);
    text
}

/// Fuel as FLOPs of one row, or of all of training.
struct Unit {
    rows: Option<u64>,
    metered: u64,
}

impl Unit {
    fn of(profile: &Profile) -> Self {
        Self { rows: profile.rows, metered: profile.metered.0 }
    }

    const fn name(&self) -> &'static str {
        if self.rows.is_some() { "FLOP/sample" } else { "FLOP" }
    }

    fn value(&self, fuel: u64) -> f64 {
        Fuel(fuel).flops() / self.rows.unwrap_or(1) as f64
    }

    /// Whole FLOPs from 100 on, else one decimal.
    fn show(&self, fuel: u64) -> String {
        let value = self.value(fuel);
        if value < 99.95 { format!("{value:.1}") } else { grouped(round::decimals(value, 0) as u64) }
    }

    fn share(&self, fuel: u64) -> f64 {
        if self.metered == 0 { 0.0 } else { fuel as f64 / self.metered as f64 }
    }

    fn percent(&self, fuel: u64) -> String {
        format!("{:.1} %", self.share(fuel) * 100.0)
    }
}

fn head(text: &mut String, profile: &Profile, challenge: &str, unit: &Unit) {
    // Writing to a string cannot fail.
    let mut row = |label: &str, value: String| {
        let _ = writeln!(text, "{label:<14} {value}");
    };
    row("challenge", challenge.to_owned());
    if let Some(submission) = &profile.submission {
        let name = submission.name.as_deref().unwrap_or("(bare component)");
        row(
            "submission",
            format!("{name} {}", submission.version.as_deref().unwrap_or_default()).trim_end().to_owned(),
        );
    }
    row(
        "profile",
        profile.rows.map_or("training".to_owned(), |rows| format!("prediction of {} test rows", grouped(rows))),
    );
    row("metered", format!("{} {}", unit.show(profile.metered.0), unit.name()));
    let classical = profile.classical * FUEL_PER_FLOP;
    row("classical", format!("{} {}, {} of it", unit.show(classical), unit.name(), unit.percent(classical)));
}

const fn label(kind: Kind) -> &'static str {
    match kind {
        Kind::ScalarFloat | Kind::ScalarInteger => "one at a time",
        Kind::VectorFloat | Kind::VectorInteger => "128-bit",
        Kind::Conversion => "conversions, roundings",
        Kind::ScalarMemory => "loads, stores",
        Kind::VectorMemory => "128-bit loads, stores",
        Kind::BulkMemory => "copies, fills, growth",
        Kind::Branch => "branches, constants",
        Kind::Call => "calls",
        Kind::HostCall => "calls of the host",
        Kind::Transfer => "arguments, results",
        Kind::HostKernel => "host kernels",
    }
}

fn split(text: &mut String, profile: &Profile, unit: &Unit) {
    let _ = writeln!(text, "\n{:<26} {:>16} {:>8}", "what", unit.name(), "share");
    let mut row = |label: &str, fuel: u64| {
        let _ = writeln!(text, "{label:<26} {:>16} {:>8}", unit.show(fuel), unit.percent(fuel));
    };
    for category in Category::ALL {
        row(category.name(), profile.split.of(category));
        for kind in Kind::ALL.into_iter().filter(|kind| kind.category() == category && profile.split[*kind] > 0) {
            row(&format!("  {}", label(kind)), profile.split[kind]);
        }
    }
    row("all", profile.split.total());
}

fn functions(text: &mut String, profile: &Profile, unit: &Unit) {
    let _ = writeln!(text, "\n{:>7} {:>8} {:>16} {:>12}  function", "own", "total", unit.name(), "calls");
    let (shown, rest) = profile.places.split_at(profile.places.len().min(SHOWN));
    for Place { name, calls, own, total, .. } in shown {
        let (share, all, flops) = (unit.percent(own.total()), unit.percent(total.0), unit.show(own.total()));
        let _ = writeln!(text, "{share:>7} {all:>8} {flops:>16} {:>12}  {}", grouped(*calls), shortened(name));
    }
    if !rest.is_empty() {
        let own: u64 = rest.iter().map(|place| place.own.total()).sum();
        let share = unit.percent(own);
        let _ = writeln!(text, "{share:>7} {:>8} {:>16} {:>12}  {} more", "", unit.show(own), "", rest.len());
    }
}

/// Names are the builder's text: nothing in them may steer a terminal.
fn visible(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(|c| {
        let quote = matches!(c, '\'' | '"').then_some(c);
        quote.into_iter().chain(c.escape_debug().take(if quote.is_some() { 0 } else { usize::MAX }))
    })
}

fn shortened(name: &str) -> String {
    let mut shown: String = visible(name).take(NAME_CHARS).collect();
    if visible(name).nth(NAME_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

fn next_saving(text: &mut String, profile: &Profile) {
    text.push_str("\nwhere the next saving is\n");
    let hints = hints(profile);
    for hint in &hints {
        let _ = writeln!(text, "  - {}", visible(&hint.text).collect::<String>());
    }
    if hints.is_empty() {
        text.push_str("  nothing stands out\n");
    }
}

/// The profile for programs; every figure in fuel, exact.
pub(crate) fn json(profile: &Profile, challenge: &str) -> Value {
    let unit = Unit::of(profile);
    let functions: Vec<_> = profile.places.iter().map(function).collect();
    let hints: Vec<_> = hints(profile)
        .iter()
        .map(|hint| json!({ "rule": hint.rule, "share": hint.share, "text": hint.text }))
        .collect();
    json!({
        "schema_version": 1,
        "challenge": challenge,
        "submission": profile.submission,
        "tariff": TARIFF.name,
        "phase": if profile.rows.is_some() { "predict" } else { "learn" },
        "rows": profile.rows,
        "fuel": profile.metered,
        "flops_per_sample": profile.rows.map(|_| unit.value(profile.metered.0)),
        "classical_flops": profile.classical,
        "split": by_category(&profile.split),
        "functions": functions,
        "hints": hints,
    })
}

fn function(place: &Place) -> Value {
    json!({
        "name": place.name,
        "calls": place.calls,
        "own_fuel": place.own.total(),
        "total_fuel": place.total,
        "classical_flops": place.classical,
        "split": by_category(&place.own),
    })
}

fn by_category(split: &Split) -> Value {
    let kinds = |category: Category| {
        let of = Kind::ALL.into_iter().filter(move |kind| kind.category() == category);
        of.map(|kind| (kind.name().to_owned(), split[kind].into())).collect::<Map<_, _>>()
    };
    let categories = Category::ALL.into_iter();
    categories
        .map(|category| (category.name().to_owned(), Value::Object(kinds(category))))
        .collect::<Map<_, _>>()
        .into()
}
