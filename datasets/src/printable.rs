//! Words of a file that may be hostile, made safe to show.

/// Characters that are shown.
const SHOWN_CHARS: usize = 300;

/// The start of a text of any length: at most 300 characters of it, those that a terminal would obey escaped.
pub fn printable(text: &str) -> String {
    let escape = |c: char| if c.is_control() { c.escape_debug().collect() } else { c.to_string() };
    let mut shown: String = text.chars().take(SHOWN_CHARS).map(escape).collect();
    if text.chars().nth(SHOWN_CHARS).is_some() {
        shown.push('…');
    }
    shown
}
