//! Values that are names: categories of a column, conditions of a row.

use std::collections::BTreeMap;

use crate::report::{Breakdown, Label, MinimumCell, Unit};
use crate::suppress::{Support, one_way};

/// Most values that are named.
const MAX_NAMED: usize = 50;
/// Most different values that are told apart while counting; later ones are among the others.
const MAX_DISTINCT: usize = 1 << 16;

/// A code of each row of a split; none where a row has no value.
pub(crate) struct Codes<'a> {
    pub(crate) rows: usize,
    pub(crate) code: Box<dyn Fn(usize) -> Option<i64> + 'a>,
}

/// A code of each row, in both splits.
pub(crate) struct Category<'a> {
    pub(crate) title: String,
    /// What the codes 0, 1, 2, … stand for; empty where a code is its own name.
    pub(crate) names: &'a [String],
    /// Rows may have no value.
    pub(crate) optional: bool,
    pub(crate) train: Codes<'a>,
    pub(crate) validation: Codes<'a>,
}

/// The cells that codes fall into.
pub(crate) struct Cells {
    pub(crate) labels: Vec<Label>,
    named: BTreeMap<i64, usize>,
    other: usize,
    missing: usize,
}

impl Cells {
    /// The place of a code's cell.
    pub(crate) fn of(&self, code: Option<i64>) -> usize {
        match code {
            Some(code) => self.named.get(&code).copied().unwrap_or(self.other),
            None => self.missing,
        }
    }

    fn count(&self, codes: &Codes<'_>) -> Vec<u64> {
        let mut counts = vec![0_u64; self.labels.len()];
        for row in 0..codes.rows {
            if let Some(count) = counts.get_mut(self.of((codes.code)(row))) {
                *count += 1;
            }
        }
        counts
    }
}

/// Rows of each code, as far as they are told apart.
fn distinct(codes: &Codes<'_>) -> BTreeMap<i64, u64> {
    let mut counts = BTreeMap::new();
    for code in (0..codes.rows).filter_map(|row| (codes.code)(row)) {
        let room = counts.len() < MAX_DISTINCT;
        match counts.get_mut(&code) {
            Some(count) => *count += 1,
            None if room => {
                counts.insert(code, 1);
            }
            None => {}
        }
    }
    counts
}

impl Category<'_> {
    /// The cells: a value has its own, with its name, where one of the splits has enough rows of it; at most the 50 most
    /// frequent. A rare value's name may be a text of the data.
    pub(crate) fn cells(&self, minimum: MinimumCell) -> Cells {
        let (train, validation) = (distinct(&self.train), distinct(&self.validation));
        let rows = |counts: &BTreeMap<i64, u64>, code: i64| counts.get(&code).copied().unwrap_or(0);
        let declared = |code: i64| usize::try_from(code).is_ok_and(|code| code < self.names.len());
        let enough = |&code: &i64| {
            let most = rows(&train, code).max(rows(&validation, code));
            most >= minimum.get() && (self.names.is_empty() || declared(code))
        };
        let all: std::collections::BTreeSet<i64> = train.keys().chain(validation.keys()).copied().collect();
        let mut shown: Vec<i64> = all.iter().copied().filter(enough).collect();
        shown.sort_by_key(|&code| (std::cmp::Reverse(rows(&train, code) + rows(&validation, code)), code));
        shown.truncate(MAX_NAMED);
        shown.sort_unstable();
        let name = |code: i64| match usize::try_from(code).ok().and_then(|code| self.names.get(code)) {
            Some(name) => name.clone(),
            None => code.to_string(),
        };
        let mut labels: Vec<Label> = shown.iter().map(|&code| Label::value(name(code))).collect();
        let other = labels.len();
        let merged = (!self.names.is_empty()).then(|| (self.names.len() - shown.len()) as u64);
        if merged.is_some_and(|merged| merged > 0) || all.len() > shown.len() {
            labels.push(Label::Other { categories: merged });
        }
        let missing = labels.len();
        if self.optional {
            labels.push(Label::Missing);
        }
        Cells { labels, named: shown.into_iter().zip(0..).collect(), other, missing }
    }

    /// How often each value is.
    pub(crate) fn breakdown(&self, cells: &Cells, minimum: MinimumCell) -> Breakdown {
        let suppressed = |codes| one_way(&cells.count(codes), Support::Rows, minimum);
        Breakdown {
            title: self.title.clone(),
            unit: Unit::Rows,
            labels: cells.labels.clone(),
            train: suppressed(&self.train),
            validation: suppressed(&self.validation),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Cell;

    fn codes(values: Vec<Option<i64>>) -> Codes<'static> {
        Codes { rows: values.len(), code: Box::new(move |row| values[row]) }
    }

    fn repeated(parts: &[(Option<i64>, usize)]) -> Vec<Option<i64>> {
        parts.iter().flat_map(|&(code, count)| vec![code; count]).collect()
    }

    fn category<'a>(names: &'a [String], train: &[(Option<i64>, usize)]) -> Category<'a> {
        let values = repeated(train);
        Category { title: "c".into(), names, optional: false, train: codes(values), validation: codes(Vec::new()) }
    }

    fn names() -> Vec<String> {
        ["red", "green", "secret"].map(String::from).to_vec()
    }

    #[test]
    fn a_rare_category_has_no_name() {
        let names = names();
        let category = category(&names, &[(Some(0), 20), (Some(1), 30), (Some(2), 4)]);
        let breakdown = category.breakdown(&category.cells(MinimumCell::default()), MinimumCell::default());
        let other = Label::Other { categories: Some(1) };
        assert_eq!(breakdown.labels, [Label::value("red"), Label::value("green"), other]);
        assert_eq!(breakdown.train, [Cell::SUPPRESSED, Cell::Count(30), Cell::SUPPRESSED]);
    }

    #[test]
    fn a_code_without_a_declared_name_is_among_the_others() {
        let names = names();
        let category = category(&names, &[(Some(0), 20), (Some(1), 30), (Some(2), 6), (Some(31_337), 9)]);
        let labels = category.cells(MinimumCell::default()).labels;
        assert_eq!(labels.last(), Some(&Label::Other { categories: Some(0) }));
    }

    #[test]
    fn at_most_fifty_values_are_named() {
        let parts: Vec<_> = (0..80).map(|code| (Some(code), 10)).collect();
        let labels = category(&[], &parts).cells(MinimumCell::default()).labels;
        assert_eq!(labels.len(), MAX_NAMED + 1);
        assert_eq!(labels[MAX_NAMED], Label::Other { categories: None });
    }
}
