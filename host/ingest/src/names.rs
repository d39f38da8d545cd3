//! Texts that become numbers: classes, categories, conditions.

use std::collections::BTreeMap;

use thimble_datasets::limits::LABEL_NAME_BYTES;

use crate::finding::{Findings, Place};
use crate::limits;
use crate::problem::Problem;
use crate::wording::{Quoted, nearest};

/// Bytes that names may still take in `dataset.json`.
#[derive(Debug)]
pub(crate) struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(limits::NAMES_BYTES)
    }
}

/// The different texts of a column.
#[derive(Debug, Default)]
pub(crate) struct Names {
    column: String,
    /// Only these, in this order; any where empty.
    declared: Vec<String>,
    /// Numbers in the order of first appearance.
    seen: BTreeMap<String, usize>,
    /// Rows of each, in that order.
    rows: Vec<u64>,
    /// How often something was wrong.
    faults: u32,
    full: bool,
}

/// Texts with their final numbers.
#[derive(Debug, Default)]
pub(crate) struct Numbered {
    /// In the order of their numbers.
    pub(crate) names: Vec<String>,
    /// Rows of each.
    pub(crate) rows: Vec<u64>,
    /// By name: the number, and the place in the order of first appearance.
    numbers: BTreeMap<String, (u32, usize)>,
}

impl Numbered {
    /// A name's number, and its place in the order of first appearance.
    pub(crate) fn get(&self, name: &str) -> Option<(u32, usize)> {
        self.numbers.get(name).copied()
    }
}

impl Names {
    /// Any names.
    pub(crate) fn of(column: &str) -> Self {
        Self { column: column.to_owned(), ..Self::default() }
    }

    /// Only these, if there are any.
    pub(crate) fn declared(column: &str, declared: &[String]) -> Self {
        Self { declared: declared.to_vec(), ..Self::of(column) }
    }

    /// Whether only declared names are accepted.
    pub(crate) const fn is_bounded(&self) -> bool {
        !self.declared.is_empty()
    }

    pub(crate) fn is_declared(&self, name: &str) -> bool {
        self.declared.iter().any(|declared| declared == name)
    }

    /// Counts a row; gives the name's place in the order of first appearance.
    pub(crate) fn see(
        &mut self,
        name: &str,
        room: &mut Room,
        place: impl Fn() -> Place,
        findings: &mut Findings,
    ) -> Option<usize> {
        if let Some(&index) = self.seen.get(name) {
            self.rows[index] += 1;
            return Some(index);
        }
        let value = || Quoted::new(name);
        let column = || Quoted::new(&self.column);
        if !self.declared.is_empty() && !self.is_declared(name) {
            let hint = || nearest(name, self.declared.iter().map(String::as_str));
            let problem = || Problem::UnknownClass { class: value(), hint: hint() };
            findings.error_again(&mut self.faults, place, problem);
            return None;
        }
        if !(1..=LABEL_NAME_BYTES).contains(&name.len()) || name.chars().any(char::is_control) {
            let problem = || Problem::CategoryName { column: column(), value: value() };
            findings.error_again(&mut self.faults, place, problem);
            return None;
        }
        let limit = thimble_datasets::limits::CATEGORIES;
        // Quotes, comma and line of a name in JSON, and its characters that need a backslash.
        let bytes = 2 * name.len() + 16;
        if self.seen.len() >= limit || room.0 < bytes {
            if !std::mem::replace(&mut self.full, true) {
                let problem = match self.seen.len() >= limit {
                    true => Problem::TooManyCategories { column: column(), limit },
                    false => Problem::NamesTooLong { column: column(), limit: limits::NAMES_BYTES },
                };
                findings.error(place(), problem);
            }
            return None;
        }
        room.0 -= bytes;
        let index = self.rows.len();
        self.seen.insert(name.to_owned(), index);
        self.rows.push(1);
        Some(index)
    }

    /// Gives the numbers: in the declared order, else sorted: as whole numbers where all of them are, else byte by byte.
    pub(crate) fn number(self) -> Numbered {
        let mut names = self.declared;
        if names.is_empty() {
            names = self.seen.keys().cloned().collect();
            let whole = |name: &String| name.parse::<i64>().ok();
            if names.iter().all(|name| whole(name).is_some()) {
                names.sort_by_key(whole);
            }
        }
        let mut numbered = Numbered { rows: vec![0; names.len()], ..Numbered::default() };
        for (number, name) in names.iter().enumerate() {
            if let Some(&index) = self.seen.get(name) {
                numbered.rows[number] = self.rows[index];
                numbered.numbers.insert(name.clone(), (u32::try_from(number).unwrap_or(u32::MAX), index));
            }
        }
        Numbered { names, ..numbered }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(texts: &[&str], declared: &[&str]) -> Vec<String> {
        let declared: Vec<String> = declared.iter().map(ToString::to_string).collect();
        let (mut names, mut room, mut findings) =
            (Names::declared("c", &declared), Room::default(), Findings::default());
        for text in texts {
            names.see(text, &mut room, || Place::file("f"), &mut findings);
        }
        names.number().names
    }

    #[test]
    fn whole_numbers_are_sorted_as_numbers_and_other_names_byte_by_byte() {
        assert_eq!(order(&["10", "9", "-1", "9"], &[]), ["-1", "9", "10"]);
        assert_eq!(order(&["10", "9", "a"], &[]), ["10", "9", "a"]);
        assert_eq!(order(&["10", "9"], &["9", "10", "11"]), ["9", "10", "11"]);
    }

    #[test]
    fn names_that_would_not_fit_in_the_metadataset_are_refused() {
        let (mut names, mut room, mut findings) = (Names::of("c"), Room(40), Findings::default());
        assert_eq!(names.see("four", &mut room, || Place::file("f"), &mut findings), Some(0));
        assert_eq!(names.see("five", &mut room, || Place::file("f"), &mut findings), None);
        assert!(matches!(findings.errors[0].problem, Problem::NamesTooLong { .. }));
    }
}
