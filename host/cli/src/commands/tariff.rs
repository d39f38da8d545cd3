//! `thimble tariff`

use std::fmt::Write as _;

use serde_json::json;
use thimble_challenge::units::FUEL_PER_FLOP;
use thimble_runtime::TARIFF;

use crate::exit::{ExitStatus, Failure};
use crate::output;

/// Show what every WebAssembly operator costs.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
16 fuel are one FLOP. The name and the digest stand in every result; results under different tariffs are never ranked \
together.

Examples:
  # The price of one operator:
  thimble tariff --json | jq '.rows[] | select(.operators | index(\"F32x4Mul\"))'")]
pub(crate) struct Opts {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        output::print(&if self.json { self::json()? } else { table() })?;
        Ok(ExitStatus::Success)
    }
}

fn json() -> Result<String, Failure> {
    let rows: Vec<_> = TARIFF
        .rows
        .iter()
        .map(|row| json!({ "group": row.group, "fuel": row.fuel, "operators": row.operators }))
        .collect();
    let variable: Vec<_> = TARIFF.variable.iter().map(|row| json!({ "unit": row.unit, "fuel": row.fuel })).collect();
    output::json(&json!({
        "name": TARIFF.name,
        "digest": TARIFF.digest(),
        "fuel_per_flop": FUEL_PER_FLOP,
        "rows": rows,
        "variable": variable,
        "host_call": { "fuel": TARIFF.host.call, "bytes_per_fuel": TARIFF.host.bytes_per_fuel },
        "host_multiply_add": TARIFF.host.multiply_add,
    }))
}

fn table() -> String {
    let mut text = format!("{} {}\n{FUEL_PER_FLOP} fuel = 1 FLOP\n\n", TARIFF.name, TARIFF.digest());
    let wide = TARIFF.rows.iter().map(|row| row.group.chars().count()).max().unwrap_or_default();
    for row in TARIFF.rows {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:>5}  {:<wide$}  {}", row.fuel, row.group, operators(row.operators));
    }
    text.push('\n');
    for row in TARIFF.variable {
        let _ = writeln!(text, "{:>5}  {}", row.fuel, row.unit);
    }
    let host = &TARIFF.host;
    let _ =
        writeln!(text, "{:>5}  host call, and 1 per {} bytes of arguments and results", host.call, host.bytes_per_fuel);
    let _ = writeln!(text, "{:>5}  multiply-add of the import `kernels`", host.multiply_add);
    let _ = writeln!(text, "{:>5}  per {} bytes of arguments and results of an export", 1, host.bytes_per_fuel);
    text
}

/// The first few names; `--json` has them all.
fn operators(names: &[&str]) -> String {
    const SHOWN: usize = 3;
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(" ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
