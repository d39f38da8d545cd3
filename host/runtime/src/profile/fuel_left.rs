//! What `fuel-left` answers: under other prices, a learner that asks would take another way.

use crate::stop::PlatformFault;

/// Answers that are kept; a learner that asks once a microsecond has them in 16 s.
const ANSWERS: usize = 1 << 24;

/// Where the answer comes from.
#[derive(Debug, Clone, Default)]
pub(crate) enum FuelLeft {
    /// The meter.
    #[default]
    Meter,
    /// The meter, and it is kept.
    Recorded(Vec<u64>),
    /// What was kept.
    Replayed(std::vec::IntoIter<u64>),
}

impl FuelLeft {
    /// The next answer, where the meter says `left`.
    pub(crate) fn answer(&mut self, left: u64) -> Result<u64, PlatformFault> {
        match self {
            Self::Meter => Ok(left),
            Self::Recorded(answers) if answers.len() < ANSWERS => {
                answers.push(left);
                Ok(left)
            }
            Self::Recorded(_) => Err(PlatformFault::Meter(format!(
                "training asks for the fuel left more than {ANSWERS} times, which is too often to be replayed"
            ))),
            Self::Replayed(answers) => {
                let more = || PlatformFault::Meter("the replay asks for the fuel left more often".to_owned());
                answers.next().ok_or_else(more)
            }
        }
    }

    /// For a run that must go as the recorded one.
    pub(crate) fn replayed(self) -> Self {
        match self {
            Self::Recorded(answers) => Self::Replayed(answers.into_iter()),
            Self::Meter => Self::Replayed(Vec::new().into_iter()),
            Self::Replayed(answers) => Self::Replayed(answers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_gets_the_recorded_answers_and_no_more() -> Result<(), PlatformFault> {
        let mut recorded = FuelLeft::Recorded(Vec::new());
        assert_eq!((recorded.answer(100)?, recorded.answer(60)?), (100, 60));
        let mut replayed = recorded.replayed();
        assert_eq!((replayed.answer(7)?, replayed.answer(5)?), (100, 60));
        assert!(replayed.answer(3).is_err());
        Ok(())
    }
}
