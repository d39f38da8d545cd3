//! The tables under which a run is replayed.

use thimble_instrument::{ENTER, LEAVE, SILENT_PROBE, WRAPPER};
use wasmtime::OperatorCost;

use super::kind::{Kind, classical};
use super::trace::ProbePrices;
use crate::tariff::TARIFF;

/// Which operators have a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    /// All, the tariff's own.
    Tariff,
    /// Those of one kind, the tariff's own.
    Only(Kind),
    /// None. What is counted all the same has a price of the engine's own: 1 for each function entry, and for the start
    /// function and the constants of an initialisation.
    Nothing,
    /// Float lanes, by how many there are.
    Classical,
}

impl Table {
    /// Every table that a profile needs.
    pub(crate) fn all() -> Vec<Self> {
        let kinds = Kind::of_operators().map(Self::Only);
        [Self::Tariff, Self::Nothing, Self::Classical].into_iter().chain(kinds).collect()
    }

    fn price(self, operator: &str, fuel: u8) -> u8 {
        match self {
            Self::Tariff => fuel,
            Self::Only(kind) if Kind::of(operator) == Some(kind) => fuel,
            Self::Only(_) | Self::Nothing => 0,
            Self::Classical => classical(operator),
        }
    }

    /// The engine's form of this table.
    pub(crate) fn operator_cost(self) -> OperatorCost {
        TARIFF.repriced(&|operator, fuel| self.price(operator, fuel))
    }

    /// What the operators of the probes cost under this table.
    pub(crate) fn probes(self) -> ProbePrices {
        let sum = |operators: &[&str]| {
            operators.iter().map(|operator| u64::from(self.price(operator, TARIFF.price(operator)))).sum::<u64>()
        };
        // Under any table, entering the wrapper costs 1.
        ProbePrices { enter: sum(ENTER), leave: sum(LEAVE), silent: sum(SILENT_PROBE), wrapper: sum(WRAPPER) + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_price_of_the_tariff_is_in_one_table_of_a_kind() {
        let kinds: Vec<_> = Kind::of_operators().map(Table::Only).collect();
        for row in TARIFF.rows {
            for operator in row.operators {
                let sum: u8 = kinds.iter().map(|table| table.price(operator, row.fuel)).sum();
                assert_eq!(sum, row.fuel, "{operator}");
                assert_eq!(Table::Tariff.price(operator, row.fuel), row.fuel);
                assert_eq!(Table::Nothing.price(operator, row.fuel), 0);
            }
        }
    }

    #[test]
    fn bulk_operators_keep_their_price_by_the_byte_in_their_own_table_only() {
        let per_byte = |table: Table| table.operator_cost().variable.memory_copy_per_byte;
        assert_eq!(per_byte(Table::Tariff), 1);
        assert_eq!(per_byte(Table::Only(Kind::BulkMemory)), 1);
        assert_eq!(per_byte(Table::Only(Kind::VectorMemory)), 0);
        assert_eq!(per_byte(Table::Classical), 0);
    }

    #[test]
    fn probes_cost_a_test_of_the_flag_and_a_call() {
        let prices = |table: Table| {
            let ProbePrices { enter, leave, silent, wrapper } = table.probes();
            [enter, leave, silent, wrapper]
        };
        // The flag 2, `if` 2, the counts 2 and 2, the number 1, the call 8; a count of its own 2 + 1 + 2 + 2.
        assert_eq!(prices(Table::Tariff), [17, 16, 11, 22]);
        assert_eq!(prices(Table::Only(Kind::Branch)), [9, 8, 9, 12]);
        assert_eq!(prices(Table::Only(Kind::Call)), [8, 8, 0, 9]);
        assert_eq!(prices(Table::Only(Kind::ScalarInteger)), [0, 0, 2, 3]);
        assert_eq!(prices(Table::Nothing), [0, 0, 0, 1]);
    }
}
