//! Bearer tokens.

use std::fmt;
use std::str::FromStr;

/// The longest token, in bytes.
const MAX_TOKEN_BYTES: usize = 512;

/// A bearer token, or the code of an invitation. Neither `Debug` nor an error shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// A text that is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a token is 1 to {MAX_TOKEN_BYTES} letters, digits and signs without spaces")]
pub struct TokenError;

impl Token {
    /// The secret.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Token {
    type Err = TokenError;

    /// Spaces and line ends around it are dropped. What is left goes into a header as it is, so it holds nothing that could
    /// end one.
    fn from_str(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        let fits = (1..=MAX_TOKEN_BYTES).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(TokenError)
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_cannot_end_its_header() {
        for bad in ["", "  ", "a b", "a\r\nx-evil: 1", "a\u{e4}", &"a".repeat(MAX_TOKEN_BYTES + 1)] {
            assert_eq!(bad.parse::<Token>(), Err(TokenError), "{bad:?}");
        }
        assert!("a".repeat(MAX_TOKEN_BYTES).parse::<Token>().is_ok());
    }

    #[test]
    fn a_token_is_not_shown() {
        let token = " thb_secret\n".parse::<Token>();
        assert_eq!(token.as_ref().map(Token::expose), Ok("thb_secret"));
        assert!(!format!("{token:?}").contains("secret"));
    }
}
