//! JSON as it came, made readable.

/// Indents JSON without changing it: members keep their order and numbers their digits. What a terminal could take for a
/// command is written as an escape inside its string.
pub(super) fn pretty(json: &str) -> String {
    let mut text = Pretty { out: String::with_capacity(json.len() * 2), depth: 0 };
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => text.string(&mut chars),
            '{' | '[' => {
                text.out.push(c);
                while chars.next_if(|c| c.is_ascii_whitespace()).is_some() {}
                let close = if c == '{' { '}' } else { ']' };
                if chars.next_if_eq(&close).is_some() {
                    text.out.push(close);
                } else {
                    text.depth += 1;
                    text.new_line();
                }
            }
            '}' | ']' => {
                text.depth = text.depth.saturating_sub(1);
                text.new_line();
                text.out.push(c);
            }
            ',' => {
                text.out.push(c);
                text.new_line();
            }
            ':' => text.out.push_str(": "),
            c if c.is_whitespace() || c.is_control() => {}
            c => text.out.push(c),
        }
    }
    text.out.push('\n');
    text.out
}

struct Pretty {
    out: String,
    depth: usize,
}

impl Pretty {
    fn new_line(&mut self) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n("  ", self.depth));
    }

    /// The rest of a string, its closing quote included.
    fn string(&mut self, chars: &mut impl Iterator<Item = char>) {
        self.out.push('"');
        while let Some(c) = chars.next() {
            match c {
                '\\' => {
                    self.out.push(c);
                    self.out.extend(chars.next());
                }
                '"' => {
                    self.out.push(c);
                    return;
                }
                // JSON itself allows DEL, the C1 controls and marks of direction.
                c if thimble_client::line(c.encode_utf8(&mut [0; 4])).is_empty() => {
                    self.out.push_str(&format!("\\u{:04x}", u32::from(c)));
                }
                c => self.out.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

    use super::*;

    #[test]
    fn order_numbers_and_escapes_stay_as_they_came() {
        let json = r#"{"b":1.50,"a":[ ],"c":{},"d":[{"x":"q\"{,:\\"},-1e-9 , null]}"#;
        let expected = "\
{
  \"b\": 1.50,
  \"a\": [],
  \"c\": {},
  \"d\": [
    {
      \"x\": \"q\\\"{,:\\\\\"
    },
    -1e-9,
    null
  ]
}
";
        assert_eq!(pretty(json), expected);
    }

    #[test]
    fn controls_in_strings_become_escapes_of_the_same_value() {
        let json = "{\"a\": \"x\u{9b}2J\u{202e}\u{7f}y\"}";
        let shown = pretty(json);
        assert_eq!(shown, "{\n  \"a\": \"x\\u009b2J\\u202e\\u007fy\"\n}\n");
        let values = [json, &shown].map(|json| serde_json::from_str::<serde_json::Value>(json).unwrap());
        assert_eq!(values[0], values[1]);
    }
}
