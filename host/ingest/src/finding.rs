//! What is found in the data: where and what.

use std::fmt;

use crate::limits;
use crate::problem::Problem;

/// Where something was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, relative to what was given.
    pub file: String,
    /// The place in the file.
    pub at: At,
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    /// The file as a whole.
    File,
    /// A line of a text file, from 1.
    Line(u64),
    /// A row of a file that has no lines, from 1.
    Row(u64),
}

impl Place {
    /// A file as a whole.
    pub fn file(file: impl Into<String>) -> Self {
        Self { file: file.into(), at: At::File }
    }

    /// A line of a file, from 1.
    pub fn line(file: impl Into<String>, line: u64) -> Self {
        Self { file: file.into(), at: At::Line(line) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A file's name may hold anything that its maker likes.
        write!(f, "{}", self.file.escape_debug())?;
        match self.at {
            At::File => Ok(()),
            At::Line(line) => write!(f, ", line {line}"),
            At::Row(row) => write!(f, ", row {row}"),
        }
    }
}

/// Something wrong, or strange, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// What, and what to do about it.
    pub problem: Problem,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

/// All that was found: the first [`limits::FINDINGS`] errors and warnings, and how many more there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// What must be put right.
    pub errors: Vec<Finding>,
    /// Errors that are not kept.
    pub more_errors: u64,
    /// What may be meant so.
    pub warnings: Vec<Finding>,
    /// Warnings that are not kept.
    pub more_warnings: u64,
}

impl Findings {
    pub(crate) fn error(&mut self, place: Place, problem: Problem) {
        match self.errors.len() < limits::FINDINGS {
            true => self.errors.push(Finding { place, problem }),
            false => self.more_errors += 1,
        }
    }

    /// As [`Self::error`], but shows few of what is found again and again.
    pub(crate) fn error_again(
        &mut self,
        times: &mut u32,
        place: impl FnOnce() -> Place,
        problem: impl FnOnce() -> Problem,
    ) {
        *times += 1;
        match *times {
            ..=limits::FINDINGS_ALIKE => self.error(place(), problem()),
            _ => self.more_errors += 1,
        }
    }

    pub(crate) fn warn(&mut self, place: Place, problem: Problem) {
        match self.warnings.len() < limits::FINDINGS {
            true => self.warnings.push(Finding { place, problem }),
            false => self.more_warnings += 1,
        }
    }

    /// Whether nothing must be put right.
    pub const fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }
}

impl fmt::Display for Findings {
    /// A line for each error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.errors.iter().enumerate() {
            let line_feed = if index == 0 { "" } else { "\n" };
            write!(f, "{line_feed}{finding}")?;
        }
        if self.more_errors > 0 {
            write!(f, "\nand {} more", self.more_errors)?;
        }
        Ok(())
    }
}
