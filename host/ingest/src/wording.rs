//! Parts of messages: texts of the data, names that were probably meant, sizes the wrong way round.

use std::fmt;

/// A text of the data in a message: without control characters, and not longer than a line bears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quoted(String);

impl Quoted {
    const CHARACTERS: usize = 40;

    /// The start of a text.
    pub fn new(text: &str) -> Self {
        let mut quoted: String = text.chars().take(Self::CHARACTERS).flat_map(char::escape_debug).collect();
        if text.chars().nth(Self::CHARACTERS).is_some() {
            quoted.push('…');
        }
        Self(quoted)
    }
}

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0)
    }
}

/// "; did you mean …?", where there is something near.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint(pub Option<Quoted>);

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(near) => write!(f, "; did you mean {near}? (case and spaces count)"),
            None => Ok(()),
        }
    }
}

/// What to do about a size that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeRemedy {
    /// Height and width are the other way round.
    Swapped,
    /// Scale it.
    Resize,
    /// Make it again.
    Again,
}

impl SizeRemedy {
    /// Whether height and width are swapped, and what to do otherwise.
    pub(crate) fn of(expected: (u32, u32), found: (u32, u32), otherwise: Self) -> Self {
        if expected.0 == found.1 && expected.1 == found.0 { Self::Swapped } else { otherwise }
    }
}

impl fmt::Display for SizeRemedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Swapped => ": height and width are swapped; --size is HEIGHTxWIDTH",
            Self::Resize => "; scale it, or say --resize exact",
            Self::Again => "; make it again",
        })
    }
}

/// The name among `names` that `name` was probably meant to be: equal but for case and spaces around it, or at most two
/// letters away.
pub(crate) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str> + Clone) -> Hint {
    let folded = name.trim().to_lowercase();
    let same = names.clone().find(|other| other.trim().to_lowercase() == folded);
    let near = || {
        let near =
            names.filter(|other| other.len() < 64).map(|other| (distance(&folded, &other.to_lowercase()), other));
        let allowed = (folded.chars().count() / 3).min(2);
        near.filter(|(distance, _)| *distance <= allowed).min().map(|(_, other)| other)
    };
    Hint(same.or_else(|| if name.len() < 64 { near() } else { None }).map(Quoted::new))
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
