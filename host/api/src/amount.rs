//! Compute as it is budgeted, and what it costs.

use std::borrow::Cow;
use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use thimble_challenge::Fuel;
use thimble_challenge::score::si;
use thimble_challenge::units::FUEL_PER_FLOP;

/// FLOPs of one petaFLOP.
const PETA: u64 = 1_000_000_000_000_000;

/// The SI prefixes of an amount, largest first.
const PREFIXES: [(&str, u64); 7] = [
    ("EF", 1_000 * PETA),
    ("PF", PETA),
    ("TF", 1_000_000_000_000),
    ("GF", 1_000_000_000),
    ("MF", 1_000_000),
    ("kF", 1_000),
    ("F", 1),
];

/// An amount of compute in FLOPs (operations, not a rate), up to 9 exaFLOPs. Written with the largest SI prefix that is exact:
/// `200PF`, `1500GF`, `7F`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Compute(u64);

/// A text that is no amount of compute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be an amount of FLOPs such as 200PF, 1.5PF or 800GF (F, kF, MF, GF, TF, PF, EF), a whole number of FLOPs and at most 9EF"
)]
pub struct ComputeError;

impl Compute {
    /// None.
    pub const ZERO: Self = Self(0);
    /// The largest amount, 9 EF.
    pub const MAX: Self = Self(9_000 * PETA);

    /// An amount of FLOPs, at most [`MAX`](Self::MAX).
    pub const fn from_flops(flops: u64) -> Self {
        Self(if flops > Self::MAX.0 { Self::MAX.0 } else { flops })
    }

    /// What `fuel` is, a part of a FLOP counted as a whole one.
    pub const fn of_fuel(fuel: Fuel) -> Self {
        Self::from_flops(fuel.0.div_ceil(FUEL_PER_FLOP))
    }

    /// In FLOPs.
    pub const fn flops(self) -> u64 {
        self.0
    }

    /// The sum, at most [`MAX`](Self::MAX).
    pub const fn plus(self, other: Self) -> Self {
        Self::from_flops(self.0.saturating_add(other.0))
    }

    /// What is left; zero when more is taken than there is.
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `count` times this, at most [`MAX`](Self::MAX).
    pub const fn times(self, count: u64) -> Self {
        Self::from_flops(self.0.saturating_mul(count))
    }

    /// This, rounded up to whole hundredths of `budget`: what a budget is charged, so that the charge says little of a run.
    pub const fn in_steps_of(self, budget: Self) -> Self {
        let step = budget.0.div_ceil(100);
        if step == 0 { self } else { Self::from_flops(self.0.div_ceil(step).saturating_mul(step)) }
    }

    /// For people: three digits and an SI prefix, for example `95.9 GFLOP`.
    pub fn shown(self) -> String {
        si(self.0 as f64, "FLOP")
    }

    /// As a part of `whole`, 0 to 1 (1 where `whole` is zero).
    pub fn share_of(self, whole: Self) -> f64 {
        if whole.0 == 0 { 1.0 } else { (self.0 as f64 / whole.0 as f64).min(1.0) }
    }
}

impl Sum for Compute {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::plus)
    }
}

impl FromStr for Compute {
    type Err = ComputeError;

    fn from_str(text: &str) -> Result<Self, ComputeError> {
        let text = text.trim();
        let digits_end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(digits_end);
        let unit = unit.trim_start();
        let unit =
            if unit.is_empty() { "F" } else { unit.strip_suffix("LOP").or(unit.strip_suffix("LOPs")).unwrap_or(unit) };
        let (_, factor) = PREFIXES.iter().find(|(name, _)| *name == unit).ok_or(ComputeError)?;
        let flops = scaled(number, *factor).ok_or(ComputeError)?;
        if flops > Self::MAX.0 { Err(ComputeError) } else { Ok(Self(flops)) }
    }
}

/// `number`, an unsigned decimal, times `factor`, a power of ten; none where that is no whole number.
fn scaled(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() {
        return None;
    }
    let mut result = whole.parse::<u64>().ok()?.checked_mul(factor)?;
    let mut place = factor;
    for digit in fraction.chars() {
        let digit = u64::from(digit.to_digit(10)?);
        if !place.is_multiple_of(10) && digit != 0 {
            return None;
        }
        place /= 10;
        result = result.checked_add(digit.checked_mul(place)?)?;
    }
    Some(result)
}

impl fmt::Display for Compute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = PREFIXES.iter().find(|(_, factor)| self.0 != 0 && self.0.is_multiple_of(*factor));
        let (prefix, factor) = exact.unwrap_or(&("F", 1));
        write!(f, "{}{prefix}", self.0 / factor)
    }
}

impl Serialize for Compute {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Compute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Compute {
    fn schema_name() -> Cow<'static, str> {
        "Compute".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "FLOPs with an SI prefix, for example 200PF; a whole number of FLOPs, at most 9EF",
            "pattern": "^[0-9]{1,20}(\\.[0-9]{1,18})? ?(F|kF|MF|GF|TF|PF|EF)?$",
            "examples": ["200PF", "1.5PF"]
        })
    }
}

/// Euros for a petaFLOP, in millionths of a euro.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    micro_euro_per_petaflop: u64,
}

/// An amount of money in millionths of a euro, written in whole cents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Euro {
    micro: u128,
}

impl Default for Price {
    /// €0.025 a petaFLOP: near the price of its energy (85.6 Wh at €0.30 a kWh).
    fn default() -> Self {
        Self { micro_euro_per_petaflop: 25_000 }
    }
}

impl Price {
    /// What `compute` costs, a part of a millionth counted as a whole one.
    pub const fn of(self, compute: Compute) -> Euro {
        let product = compute.0 as u128 * self.micro_euro_per_petaflop as u128;
        Euro { micro: product.div_ceil(PETA as u128) }
    }
}

/// A text that is no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be euros a petaFLOP with at most 6 decimals, 0 to 1000, for example 0.025")]
pub struct PriceError;

impl FromStr for Price {
    type Err = PriceError;

    fn from_str(text: &str) -> Result<Self, PriceError> {
        match scaled(text.trim(), 1_000_000) {
            Some(micro @ 0..=1_000_000_000) => Ok(Self { micro_euro_per_petaflop: micro }),
            _ => Err(PriceError),
        }
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, micro) = (self.micro_euro_per_petaflop / 1_000_000, self.micro_euro_per_petaflop % 1_000_000);
        let fraction = format!("{micro:06}");
        let kept = fraction.trim_end_matches('0').len().max(2);
        write!(f, "€{whole}.{} / PF", fraction.get(..kept).unwrap_or(&fraction))
    }
}

impl fmt::Display for Euro {
    /// Rounded half up to cents; what is above zero and below a cent says so.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cents = (self.micro + 5_000) / 10_000;
        if cents == 0 && self.micro > 0 {
            return f.write_str("< €0.01");
        }
        write!(f, "€{}.{:02}", cents / 100, cents % 100)
    }
}

impl Serialize for Euro {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Euro {
    fn schema_name() -> Cow<'static, str> {
        "Euro".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "Euros in whole cents, for example €50.00" })
    }
}

impl<'de> Deserialize<'de> for Euro {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        if text == "< €0.01" {
            return Ok(Self { micro: 1 });
        }
        let number = text.strip_prefix('€').and_then(|number| scaled(number, 1_000_000));
        number.map(|micro| Self { micro: micro.into() }).ok_or_else(|| serde::de::Error::custom("must be euros"))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

    use proptest::prelude::*;

    use super::*;

    /// The worked budget of the use-case guide: 10 participants × 200 PF × €0.025 = €50.00.
    #[test]
    fn ten_participants_with_200_petaflops_each_cost_50_euros() {
        let each: Compute = "200PF".parse().unwrap();
        let all = each.times(10);
        assert_eq!(all.to_string(), "2EF");
        assert_eq!(all, "2000PF".parse().unwrap());
        assert_eq!(Price::default().of(all).to_string(), "€50.00");
        assert_eq!(Price::default().to_string(), "€0.025 / PF");
        // 100 PF are €2.50, not €50,000: a price per TF is another.
        assert_eq!(Price::default().of("100PF".parse().unwrap()).to_string(), "€2.50");
    }

    #[test]
    fn amounts_are_whole_flops_with_an_si_prefix() {
        for (text, flops) in [
            ("0", 0),
            ("7", 7),
            ("7F", 7),
            ("1.5kF", 1_500),
            ("200PF", 200 * PETA),
            ("0.25 PF", PETA / 4),
            ("3 GFLOP", 3_000_000_000),
            ("9EF", 9_000 * PETA),
        ] {
            assert_eq!(text.parse::<Compute>().map(Compute::flops), Ok(flops), "{text}");
        }
        for bad in
            ["", "PF", ".5PF", "1.PF", "1.5F", "-1PF", "1e3", "9.1EF", "99999999999999999999F", "1 pf", "1PFx", "١PF"]
        {
            assert!(bad.parse::<Compute>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_budget_is_charged_in_steps_of_one_hundredth() {
        let budget = Compute::from_flops(1_000);
        for (used, charged) in [(0, 0), (1, 10), (10, 10), (11, 20), (1_000, 1_000), (1_001, 1_010)] {
            assert_eq!(Compute::from_flops(used).in_steps_of(budget), Compute::from_flops(charged), "{used}");
        }
    }

    #[test]
    fn money_is_rounded_to_cents_and_never_shown_as_nothing() {
        let price: Price = "0.025".parse().unwrap();
        assert_eq!(price.of(Compute::from_flops(1)).to_string(), "< €0.01");
        assert_eq!(price.of(Compute::ZERO).to_string(), "€0.00");
        assert_eq!(price.of("600TF".parse().unwrap()).to_string(), "€0.02");
        for bad in ["", "-1", "0.0000001", "1001", "€1"] {
            assert!(bad.parse::<Price>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn amounts_read_back(flops in 0..=Compute::MAX.0) {
            let amount = Compute::from_flops(flops);
            prop_assert_eq!(amount.to_string().parse::<Compute>(), Ok(amount));
        }

        #[test]
        fn any_text_is_read_without_panic(text in ".{0,30}") {
            let _ = text.parse::<Compute>();
            let _ = text.parse::<Price>();
        }
    }
}
