//! Text of the service, made harmless for a terminal.

/// Removes what a terminal could take for a command and what would show letters in another order than they are stored; line
/// ends and tabs become spaces.
pub fn line(text: &str) -> String {
    text.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c }).filter(|c| is_harmless(*c)).collect()
}

/// As [`line`], with line feeds and tabs kept.
pub fn lines(text: &str) -> String {
    text.chars().filter(|c| matches!(c, '\n' | '\t') || is_harmless(*c)).collect()
}

const fn is_harmless(c: char) -> bool {
    // C0, DEL, C1; marks and overrides of direction; separators of lines and paragraphs.
    !matches!(c,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_escape_sequence_reaches_a_terminal() {
        assert_eq!(line("a\x1b[31mb\r\n\u{9b}2Jc\u{202e}d\x07\x7f"), "a[31mb  2Jcd");
        assert_eq!(lines("a\r\n\tb\x1b]0;x\x07"), "a\n\tb]0;x");
        assert_eq!(line("größer ▁█ 重"), "größer ▁█ 重");
    }
}
