//! How values are written in inputs, and read again.

use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error, StrDeserializer};
use thimble_api::{Compute, Timestamp};

/// Bytes with the largest binary unit that is exact.
pub(super) fn bytes_text(bytes: u64) -> String {
    for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] {
        if bytes != 0 && bytes.is_multiple_of(1 << shift) {
            return format!("{} {unit}", bytes >> shift);
        }
    }
    bytes.to_string()
}

/// What [`bytes_text`] writes, and plain numbers.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let (number, factor) = [("GiB", 30), ("MiB", 20), ("KiB", 10)]
        .iter()
        .find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, 1_u64 << shift)))
        .unwrap_or((text.strip_suffix('B').unwrap_or(text), 1));
    let digits: String = number.chars().filter(|c| !matches!(c, ',' | ' ')).collect();
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// FLOPs with a prefix: `2TF`.
pub(super) fn flops_text(flops: u64) -> String {
    Compute::from_flops(flops).to_string()
}

/// FLOPs with or without a prefix, at most what an amount can be.
pub(super) fn flops(text: &str) -> Option<u64> {
    let plain: String = text.chars().filter(|c| *c != ',').collect();
    plain.parse::<Compute>().ok().map(Compute::flops)
}

/// A number as short as it can be written.
pub(super) fn real_text(value: f64) -> String {
    if value != 0.0 && !(1e-4..1e9).contains(&value.abs()) { format!("{value:e}") } else { value.to_string() }
}

/// A point in time as `<input type="datetime-local">` has it, in UTC.
pub(super) fn time_text(time: Timestamp) -> String {
    time.to_string().chars().take(16).collect()
}

/// What [`time_text`] writes, with or without seconds or a `Z`.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim().trim_end_matches('Z');
    let seconds = if text.len() == 16 { ":00" } else { "" };
    let written = format!("{text}{seconds}Z");
    let deserializer: StrDeserializer<'_, Error> = written.as_str().into_deserializer();
    Timestamp::deserialize(deserializer).ok()
}
