//! `docs/admission.md` names every rule, with the limit and the remedy that stand in the code.

use thimble_admission::{CONTRACT_VERSION, EXPORTS, IMPORTS, Limit, Rule, StaticLimits};

const PAGE: &str = include_str!("../../../../docs/admission.md");

/// Whether a row of one of the page's tables starts and ends like this.
fn has_row(start: &str, end: &str) -> bool {
    PAGE.lines().any(|line| line.starts_with(start) && line.ends_with(end))
}

/// An integer with commas between groups of three digits.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[test]
fn every_limit_stands_on_the_page_with_its_value_and_remedy() {
    for &limit in Limit::ALL {
        let maximum = grouped(StaticLimits::OFFICIAL.get(limit));
        let row = format!("| `{}` | {maximum} | {} | {} |", limit.rule(), limit.unit(), limit.remedy());
        assert!(has_row(&row, &row), "docs/admission.md does not have the row\n{row}");
    }
}

#[test]
fn every_structural_rule_stands_on_the_page_with_its_remedy() {
    for rule in Rule::ALL {
        let (start, end) = (format!("| `{}` | ", rule.id()), format!(" | {} |", rule.remedy()));
        assert!(has_row(&start, &end), "docs/admission.md does not have a row\n{start}…{end}");
    }
}

#[test]
fn every_interface_stands_on_the_page() {
    for interface in IMPORTS.iter().chain(&EXPORTS) {
        assert!(PAGE.contains(&format!("`{interface}`")), "docs/admission.md does not name `{interface}`");
    }
    assert!(PAGE.contains(&format!("`@{CONTRACT_VERSION}`")), "docs/admission.md does not name the contract's version");
}
