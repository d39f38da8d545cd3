//! Boards: each rule alone, all of them against their plain definition, the worked fields of the design, and the page that
//! explains them.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod documented;
mod fields;
mod properties;
mod rules;
mod tables;
mod worked;
