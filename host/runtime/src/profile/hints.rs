//! Where the next saving is: rules of thumb on the numbers of a profile, each with the number it is from.

use super::kind::{Category, Kind, Split};
use super::trace::Step;
use super::{Place, Profile};
use crate::tariff::TARIFF;

/// Most hints that are given.
const MOST: usize = 5;

/// One suggestion.
#[derive(Debug, Clone, PartialEq)]
pub struct Hint {
    /// A stable name.
    pub rule: &'static str,
    /// The part of the metered fuel that it is about, from 0 to 1.
    pub share: f64,
    /// What to do, and why.
    pub text: String,
}

/// Suggestions, the largest part of the fuel first; none where the rules know nothing.
pub fn hints(profile: &Profile) -> Vec<Hint> {
    let figures = Figures { profile };
    let rules: [fn(&Figures<'_>) -> Option<Hint>; 9] =
        [int8, smaller_model, scalar_memory, vector_memory, scalar_integer, conversion, control, host_calls, once];
    let mut hints: Vec<_> = rules.iter().filter_map(|rule| rule(&figures)).chain(bulk_memory(&figures)).collect();
    hints.sort_by(|a, b| b.share.total_cmp(&a.share).then(a.rule.cmp(b.rule)));
    hints.truncate(MOST);
    hints
}

struct Figures<'a> {
    profile: &'a Profile,
}

impl Figures<'_> {
    fn share(&self, fuel: u64) -> f64 {
        // A run without fuel has no shares.
        if self.profile.metered.0 == 0 { 0.0 } else { fuel as f64 / self.profile.metered.0 as f64 }
    }

    /// A hint if `fuel` is at least `least` of all; the text is given the share in per cent.
    fn hint(&self, rule: &'static str, fuel: u64, least: f64, text: impl FnOnce(String) -> String) -> Option<Hint> {
        let share = self.share(fuel);
        (share >= least).then(|| Hint { rule, share, text: text(percent(share)) })
    }

    /// Where most of some fuel is: in words.
    fn mostly(&self, of: impl Fn(&Split) -> u64) -> String {
        let most = self.profile.places.iter().max_by_key(|place| of(&place.own));
        let (Some(most), whole) = (most, of(&self.profile.split)) else { return String::new() };
        if whole == 0 {
            return String::new();
        }
        format!(" {} of it in {}.", percent(of(&most.own) as f64 / whole as f64), most.name)
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn price(operator: &str) -> u64 {
    u64::from(TARIFF.price(operator))
}

fn float_products(split: &Split) -> u64 {
    split[Kind::ScalarFloat] + split[Kind::VectorFloat] + split[Kind::HostKernel]
}

/// Of prediction only: training at eight bits is another matter.
fn int8(figures: &Figures<'_>) -> Option<Hint> {
    figures.profile.rows?;
    // Four lanes and eight, each with its addition.
    let (f32, int8) = (price("F32x4RelaxedMadd") / 4, price("I32x4DotI16x8S") / 8 + price("I32x4Add") / 8);
    figures.hint("int8", float_products(&figures.profile.split), 0.4, |share| {
        format!(
            "float arithmetic is {share} of all: a multiply-add costs {f32} fuel in f32 and {int8} in int8 (i32x4.dot_i16x8), so a \
             quantised layer costs less than half, its loads and conversions included.{}",
            figures.mostly(float_products)
        )
    })
}

fn smaller_model(figures: &Figures<'_>) -> Option<Hint> {
    let arithmetic = figures.profile.classical * thimble_challenge::units::FUEL_PER_FLOP;
    figures.hint("smaller_model", arithmetic, 0.8, |share| {
        format!(
            "{share} of all is additions and multiplications that the model asks for: the code around them is as good as \
             done, what is left is a smaller model (low rank, pruning, early exit, fewer inputs)"
        )
    })
}

fn scalar_memory(figures: &Figures<'_>) -> Option<Hint> {
    let (scalar, vector) = (price("F32Load"), price("V128Load"));
    figures.hint("scalar_memory", figures.profile.split[Kind::ScalarMemory], 0.1, |share| {
        format!(
            "loads and stores of single numbers are {share}: four f32 cost {} fuel one by one and {vector} as one v128, and so \
             half of it can go. Use the SDK's nn kernels, or f32x4 loads in inner loops.{}",
            4 * scalar,
            figures.mostly(|split| split[Kind::ScalarMemory])
        )
    })
}

fn vector_memory(figures: &Figures<'_>) -> Option<Hint> {
    figures.hint("vector_memory", figures.profile.split[Kind::VectorMemory], 0.15, |share| {
        format!(
            "128-bit loads and stores are {share}: use each loaded vector more often, with several rows and columns of \
             accumulators in one pass (the SDK's matrix kernel keeps 4 rows × 3 vectors).{}",
            figures.mostly(|split| split[Kind::VectorMemory])
        )
    })
}

fn scalar_integer(figures: &Figures<'_>) -> Option<Hint> {
    figures.hint("scalar_integer", figures.profile.split[Kind::ScalarInteger], 0.1, |share| {
        format!(
            "integers one at a time are {share}, mostly addresses and bounds: walk slices with chunks_exact or zip instead of \
             computing indices, keep counters in 32 bits (i64 costs 4 times i32), and multiply before the loop.{}",
            figures.mostly(|split| split[Kind::ScalarInteger])
        )
    })
}

fn conversion(figures: &Figures<'_>) -> Option<Hint> {
    figures.hint("conversion", figures.profile.split[Kind::Conversion], 0.03, |share| {
        format!(
            "conversions and roundings are {share}: convert once for each value, outside the loop over outputs, and scale \
             the sum instead of the terms.{}",
            figures.mostly(|split| split[Kind::Conversion])
        )
    })
}

fn control(figures: &Figures<'_>) -> Option<Hint> {
    figures.hint("control", figures.profile.split.of(Category::Control), 0.08, |share| {
        format!(
            "branches, constants and calls are {share}: unroll inner loops by four, and do more in each turn and each call.{}",
            figures.mostly(|split| split.of(Category::Control))
        )
    })
}

fn bulk_memory(figures: &Figures<'_>) -> Option<Hint> {
    figures.hint("bulk_memory", figures.profile.split[Kind::BulkMemory], 0.03, |share| {
        format!(
            "copies, fills and growth of memory are {share}, at 1 fuel a byte and 255 a page: reserve buffers once and write \
             results where they belong.{}",
            figures.mostly(|split| split[Kind::BulkMemory])
        )
    })
}

fn host_calls(figures: &Figures<'_>) -> Option<Hint> {
    let Profile { split, .. } = figures.profile;
    let (fuel, flat) = (split[Kind::HostCall], TARIFF.host.call);
    figures.hint("host_calls", fuel, 0.02, |share| {
        format!(
            "{} calls of the host for {flat} fuel each are {share}: do more in each call, and log less.{}",
            fuel / flat,
            figures.mostly(|split| split[Kind::HostCall])
        )
    })
}

/// Fuel that does not grow with the rows.
fn once(figures: &Figures<'_>) -> Option<Hint> {
    let rows = figures.profile.rows?;
    let total = |step: Step| figures.profile.places.iter().find(|place| place.name == step.name()).map_or(0, total_of);
    figures.hint("once", total(Step::Instantiate) + total(Step::Load), 0.05, |share| {
        format!(
            "instantiation and load, which happen once, are {share} over these {rows} rows: store parameters in the form in \
             which they are used."
        )
    })
}

fn total_of(place: &Place) -> u64 {
    place.total.0
}

#[cfg(test)]
mod tests {
    use thimble_challenge::Fuel;

    use super::*;

    fn profile(parts: &[(Kind, u64)], classical: u64) -> Profile {
        let mut split = Split::default();
        for (kind, fuel) in parts {
            split[*kind] = *fuel;
        }
        let place = |name: &str, own, total| Place { name: name.into(), calls: 1, own, total, classical: 0 };
        Profile {
            submission: None,
            rows: Some(10),
            metered: Fuel(split.total()),
            split,
            classical,
            places: vec![place("work", split, Fuel(split.total())), place("(load)", Split::default(), Fuel(60))],
            stacks: Vec::new(),
        }
    }

    fn rules(profile: &Profile) -> Vec<&'static str> {
        hints(profile).iter().map(|hint| hint.rule).collect()
    }

    #[test]
    fn a_hint_is_given_from_its_share_on_and_not_below() {
        for (kind, rule, least) in [
            (Kind::VectorFloat, "int8", 400),
            (Kind::HostKernel, "int8", 400),
            (Kind::ScalarMemory, "scalar_memory", 100),
            (Kind::VectorMemory, "vector_memory", 150),
            (Kind::BulkMemory, "bulk_memory", 30),
            (Kind::ScalarInteger, "scalar_integer", 100),
            (Kind::Conversion, "conversion", 30),
            (Kind::Branch, "control", 80),
            (Kind::Call, "control", 80),
            (Kind::HostCall, "host_calls", 20),
        ] {
            // The rest is of a kind without a hint.
            let with = |fuel| rules(&profile(&[(kind, fuel), (Kind::VectorInteger, 5_000 - fuel)], 0));
            assert_eq!(with(5 * least), [rule], "{rule}");
            assert_eq!(with(5 * least - 1), [""; 0], "{rule}");
        }
    }

    #[test]
    fn work_that_is_done_once_is_named_with_its_rows() {
        let hint = &hints(&profile(&[(Kind::VectorInteger, 1_200)], 0))[0];
        assert_eq!((hint.rule, hint.share), ("once", 0.05));
        assert!(hint.text.contains("5.0 % over these 10 rows"), "{}", hint.text);
        assert_eq!(rules(&profile(&[(Kind::VectorInteger, 1_201)], 0)), [""; 0]);
    }

    #[test]
    fn hints_stand_in_the_order_of_their_shares_and_name_the_place() {
        let profile = profile(&[(Kind::VectorFloat, 1_600), (Kind::Branch, 400)], 100);
        let hints = hints(&profile);
        let figures: Vec<_> = hints.iter().map(|hint| (hint.rule, hint.share)).collect();
        assert_eq!(figures, [("int8", 0.8), ("smaller_model", 0.8), ("control", 0.2)]);
        assert!(hints[0].text.contains("32 fuel in f32 and 8 in int8"), "{}", hints[0].text);
        assert!(hints[0].text.ends_with("100.0 % of it in work."), "{}", hints[0].text);
    }

    #[test]
    fn training_is_not_told_to_use_int8() {
        let training = Profile { rows: None, ..profile(&[(Kind::VectorFloat, 1_000)], 0) };
        assert_eq!(rules(&training), [""; 0]);
    }

    #[test]
    fn a_run_without_fuel_has_no_hints() {
        assert_eq!(rules(&profile(&[], 0)), [""; 0]);
    }
}
