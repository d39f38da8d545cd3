//! Text that was meant for a terminal.

/// The text without the escape sequences of a terminal (ECMA-48: CSI and OSC sequences, and two-character escapes).
pub(super) fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let introducer = match character {
            '\u{1b}' => match characters.next() {
                Some(next @ ('[' | ']')) => next,
                _ => continue,
            },
            '\u{9b}' => '[',
            '\u{9d}' => ']',
            _ => {
                plain.push(character);
                continue;
            }
        };
        if introducer == '[' {
            // Parameters, then one final byte. Anything else ends a damaged sequence, and stays.
            while characters.next_if(|next| matches!(next, ' '..='?')).is_some() {}
            characters.next_if(|next| matches!(next, '@'..='~'));
        } else {
            // A command, until BEL or ST, never beyond the line.
            while characters.next_if(|next| !matches!(next, '\u{7}' | '\u{1b}' | '\u{9c}' | '\n')).is_some() {}
            if let Some('\u{1b}') = characters.next_if(|next| *next != '\n') {
                characters.next_if_eq(&'\\');
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::without_escapes;

    #[test]
    fn colours_and_links_of_terminals_go() {
        assert_eq!(without_escapes("\u{1b}[0;31mred\u{1b}[0m <b>"), "red <b>");
        assert_eq!(without_escapes("\u{1b}]8;;https://example.org\u{7}link\u{1b}]8;;\u{1b}\\ end"), "link end");
        assert_eq!(without_escapes("a\u{1b}[31"), "a");
        assert_eq!(without_escapes("a\u{1b}]open\nnext"), "a\nnext");
    }
}
