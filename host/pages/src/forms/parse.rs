//! Typed values of what was typed, and the faults of what has none.

use std::fmt::Display;
use std::str::FromStr;

use thimble_api::ErrorDetail;

/// What an amount of FLOPs must be.
pub(super) const FLOPS_RULE: &str = "must be FLOPs such as 34200, 34.2kF or 2TF";

/// Collects the faults of a form: none hides another.
#[derive(Debug, Default)]
pub(super) struct Reader {
    faults: Vec<ErrorDetail>,
}

impl Reader {
    pub(super) fn fault(&mut self, field: &str, message: impl Into<String>) {
        self.faults.push(ErrorDetail { field: field.to_owned(), message: message.into() });
    }

    pub(super) fn into_faults(self) -> Vec<ErrorDetail> {
        self.faults
    }

    pub(super) fn finish<T>(self, value: T) -> Result<T, Vec<ErrorDetail>> {
        if self.faults.is_empty() { Ok(value) } else { Err(self.faults) }
    }

    /// A text that must be there.
    pub(super) fn required(&mut self, field: &str, text: &str) -> String {
        if text.is_empty() {
            self.fault(field, "must not be empty");
        }
        text.to_owned()
    }

    /// A value whose type says in its error what it must be.
    pub(super) fn parsed<T: FromStr<Err: Display>>(&mut self, field: &str, text: &str) -> Option<T> {
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(field, found(&error.to_string(), text));
                None
            }
        }
    }

    /// The same; nothing where nothing was typed.
    pub(super) fn optional<T: FromStr<Err: Display>>(&mut self, field: &str, text: &str) -> Option<T> {
        if text.is_empty() { None } else { self.parsed(field, text) }
    }

    /// A whole number, with or without commas or spaces between its digits.
    pub(super) fn number<T: FromStr>(&mut self, field: &str, text: &str) -> Option<T> {
        let digits: String = text.chars().filter(|c| !matches!(c, ',' | ' ' | '_' | '\u{a0}' | '\u{202f}')).collect();
        let value = digits.parse().ok();
        if value.is_none() {
            self.fault(field, found("must be a whole number", text));
        }
        value
    }

    /// The same; nothing where nothing was typed.
    pub(super) fn optional_number<T: FromStr>(&mut self, field: &str, text: &str) -> Option<T> {
        if text.is_empty() { None } else { self.number(field, text) }
    }

    /// A number that is neither infinite nor NaN.
    pub(super) fn real(&mut self, field: &str, text: &str) -> Option<f64> {
        let value = text.parse().ok().filter(|value: &f64| value.is_finite());
        if value.is_none() {
            self.fault(field, found("must be a number such as 0.72 or 2e-10", text));
        }
        value
    }

    /// The same; nothing where nothing was typed.
    pub(super) fn optional_real(&mut self, field: &str, text: &str) -> Option<f64> {
        if text.is_empty() { None } else { self.real(field, text) }
    }

    /// What `read` makes of a text.
    pub(super) fn of<T>(&mut self, field: &str, text: &str, rule: &str, read: fn(&str) -> Option<T>) -> Option<T> {
        let value = read(text);
        if value.is_none() {
            self.fault(field, found(rule, text));
        }
        value
    }
}

/// The rule, and the beginning of what was typed instead.
fn found(rule: &str, text: &str) -> String {
    const SHOWN: usize = 40;
    if text.is_empty() {
        return format!("{rule}; it is empty");
    }
    let shown: String = text.chars().take(SHOWN).collect();
    let rest = if text.chars().nth(SHOWN).is_some() { "…" } else { "" };
    format!("{rule}; found “{shown}{rest}”")
}
