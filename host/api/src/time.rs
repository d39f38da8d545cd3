//! Points in time.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

/// Milliseconds since 1970, written as RFC 3339 in UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// 9999-12-31T23:59:59.999Z: what RFC 3339 can write.
const LAST: i64 = 253_402_300_799_999;

impl Timestamp {
    /// Now.
    pub fn now() -> Self {
        Self::from_millis(jiff::Timestamp::now().as_millisecond())
    }

    /// Clamped to 1970 … 9999.
    pub const fn from_millis(millis: i64) -> Self {
        Self(if millis < 0 {
            0
        } else if millis > LAST {
            LAST
        } else {
            millis
        })
    }

    /// Milliseconds since 1970.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Later by `millis`, earlier by negative ones.
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// The next point on a grid of `seconds` that is not before this one; itself for a grid of 0.
    pub const fn on_tick(self, seconds: u64) -> Self {
        let grid = seconds.saturating_mul(1_000);
        if grid == 0 || grid > LAST as u64 {
            return self;
        }
        Self::from_millis((self.0 as u64).div_ceil(grid).saturating_mul(grid) as i64)
    }

    /// The day in UTC, as `2026-11-22`.
    pub fn day(self) -> String {
        self.to_string().chars().take(10).collect()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(timestamp) => write!(f, "{timestamp:.3}"),
            // Out of jiff's range: not reachable after `from_millis`.
            Err(_) => f.write_str("unknown"),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let parsed: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        match parsed.as_millisecond() {
            millis @ 0..=LAST => Ok(Self(millis)),
            _ => Err(serde::de::Error::custom("must be between 1970 and 9999")),
        }
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1,700,000,000 s is 2023-11-14T22:13:20Z.
    #[test]
    fn times_are_rfc_3339_and_read_back() -> serde_json::Result<()> {
        let time = Timestamp::from_millis(1_700_000_000_123);
        assert_eq!(time.to_string(), "2023-11-14T22:13:20.123Z");
        assert_eq!(time.day(), "2023-11-14");
        let json = serde_json::to_string(&time)?;
        assert_eq!(serde_json::from_str::<Timestamp>(&json)?, time);
        assert!(serde_json::from_str::<Timestamp>("\"1812-01-01T00:00:00Z\"").is_err());
        Ok(())
    }

    #[test]
    fn results_appear_at_the_next_tick_and_never_before_they_exist() {
        let at = Timestamp::from_millis;
        assert_eq!(at(1).on_tick(900), at(900_000));
        assert_eq!(at(900_000).on_tick(900), at(900_000));
        assert_eq!(at(900_001).on_tick(900), at(1_800_000));
        assert_eq!(at(7).on_tick(0), at(7));
        assert_eq!(at(7).on_tick(u64::MAX), at(7));
    }
}
