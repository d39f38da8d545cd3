//! Programs that are as dear to compile as admission lets them be, and their like with one thing more.
//!
//! Each kind is made of equal units: functions as large as the limits on one function allow, or smaller things. How many
//! fit is computed from what one unit adds to each limit, so that a bomb stays just inside when a limit moves.

mod module;
mod units;

use thimble_admission::{Facts, Limit, Refusal, StaticLimits, inspect};

use module::Program;

const LIMITS: StaticLimits = StaticLimits::OFFICIAL;

/// One kind of program.
#[derive(Debug)]
pub struct Bomb {
    /// What is dear about it.
    pub name: &'static str,
    /// As many units as are admitted.
    pub inside: Vec<u8>,
    /// One more.
    pub outside: Vec<u8>,
    /// The limit that is used up.
    pub limit: Limit,
    /// How many units stand in `inside`.
    pub units: u64,
}

/// A kind of program by its unit.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// What is dear about it.
    pub name: &'static str,
    add: fn(&mut Program),
}

/// Every kind.
pub fn kinds() -> Vec<Kind> {
    units::ALL.iter().map(|&(name, add)| Kind { name, add }).collect()
}

impl Kind {
    /// Builds both programs.
    ///
    /// # Panics
    /// When one or two units are not admitted: then the unit is wrong, not the limits.
    pub fn build(&self) -> Bomb {
        let [one, two] = [1, 2].map(|units| {
            inspect(&self.component(units), &LIMITS).unwrap_or_else(|refusal| panic!("{}: {refusal}", self.name))
        });
        let (units, limit) = room(&one, &two);
        Bomb { name: self.name, inside: self.component(units), outside: self.component(units + 1), limit, units }
    }

    fn component(&self, units: u64) -> Vec<u8> {
        let mut program = Program::default();
        for _ in 0..units {
            (self.add)(&mut program);
        }
        program.component()
    }
}

/// How many units fit, and the limit that the next one would break, from the use of one and of two.
fn room(one: &Facts, two: &Facts) -> (u64, Limit) {
    Limit::ALL
        .iter()
        .zip(one.limits.iter().zip(&two.limits))
        .filter_map(|(&limit, (one, two))| {
            let each = two.used.checked_sub(one.used).filter(|each| *each > 0)?;
            Some((1 + (one.limit - one.used) / each, limit))
        })
        .min_by_key(|(units, _)| *units)
        .expect("a unit adds to some limit")
}

impl Bomb {
    /// The verdict on the program with one unit too many.
    ///
    /// # Errors
    /// The refusal, which is what should come.
    pub fn judge_outside(&self) -> Result<Facts, Refusal> {
        inspect(&self.outside, &LIMITS)
    }

    /// The verdict on the other.
    ///
    /// # Errors
    /// The refusal, which should not come.
    pub fn judge_inside(&self) -> Result<Facts, Refusal> {
        inspect(&self.inside, &LIMITS)
    }
}
