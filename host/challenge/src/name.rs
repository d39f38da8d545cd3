//! The rule that names of challenges and submissions follow.

/// Shortest name, in characters.
const MIN_NAME: usize = 3;
/// Longest name, in characters.
const MAX_NAME: usize = 63;

/// The rule that names of challenges and submissions follow, in words.
pub const NAME_RULE: &str = "3 to 63 characters: lower-case letters and digits, single hyphens between them";

/// Whether `name` follows [`NAME_RULE`]. Such a name is a safe file name and a safe part of a URL.
pub fn is_name(name: &str) -> bool {
    (MIN_NAME..=MAX_NAME).contains(&name.len())
        && name
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

/// The start of a text of any length, safe to print: at most 80 characters, control characters escaped.
pub(crate) fn excerpt(text: &str) -> String {
    let mut shown: String = text.chars().take(80).flat_map(char::escape_debug).collect();
    if text.chars().nth(80).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ok() {
        for name in ["abc", "imagenet-pareto-2-5m", "0-0", &"a".repeat(63)] {
            assert!(is_name(name), "{name}");
        }
    }

    #[test]
    fn names_err() {
        for name in ["", "ab", &"a".repeat(64), "-abc", "abc-", "a--b", "Abc", "a_b", "a b", "a.b", "../x", "äbc"] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn excerpts_are_short_and_printable() {
        assert_eq!(excerpt("a\nb\u{1b}"), "a\\nb\\u{1b}");
        assert_eq!(excerpt(&"x".repeat(81)), format!("{}…", "x".repeat(80)));
    }
}
