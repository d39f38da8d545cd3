//! Secrets: how they are made, found again and compared. None is ever stored; its SHA-256 is.

use std::fmt;

use sha2::{Digest as _, Sha256};
use sqlx::SqliteConnection;
use subtle::ConstantTimeEq as _;

use crate::{Result, StoreError};

/// Characters of a secret that are public: `thb_` and 8 digits.
const PREFIX_LENGTH: usize = 12;
/// Bytes from the system's generator.
const RANDOM_BYTES: usize = 32;

/// A secret in the clear: a word for what it is, `_`, and 256 random bits as 64 hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// What a secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A bearer token.
    Token,
    /// The code of an invitation.
    Invite,
    /// The cookie of a session.
    Session,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Token => "thb_",
            Self::Invite => "thi_",
            Self::Session => "ths_",
        }
    }

    /// Whether another has the public beginning `?`.
    const fn taken(self) -> &'static str {
        match self {
            Self::Token => "SELECT EXISTS (SELECT 1 FROM tokens WHERE prefix = ?)",
            Self::Invite => "SELECT EXISTS (SELECT 1 FROM invites WHERE prefix = ?)",
            Self::Session => "SELECT EXISTS (SELECT 1 FROM sessions WHERE prefix = ?)",
        }
    }
}

impl Secret {
    /// A new one, with a beginning that no other has.
    pub(crate) async fn fresh(connection: &mut SqliteConnection, kind: Kind) -> Result<Self> {
        // 2^32 beginnings: that four in a row are taken happens to nobody.
        for _ in 0..4 {
            let mut random = [0; RANDOM_BYTES];
            getrandom::fill(&mut random)?;
            let secret = Self(format!("{}{}", kind.word(), hex::encode(random)));
            let taken = sqlx::query_scalar(kind.taken()).bind(secret.prefix()).fetch_one(&mut *connection);
            if !taken.await? {
                return Ok(secret);
            }
        }
        Err(StoreError::corrupt("prefixes", "four random ones in a row are taken"))
    }

    /// The whole text, for the one who may have it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The text, for the one who may have it.
    pub fn into_exposed(self) -> String {
        self.0
    }

    /// The public beginning.
    pub fn prefix(&self) -> &str {
        self.0.get(..PREFIX_LENGTH).unwrap_or_default()
    }

    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({}…)", self.prefix())
    }
}

/// A secret as someone sent it: of the right form, and otherwise anything.
pub(crate) struct Presented<'a> {
    /// By which it is looked up.
    pub(crate) prefix: &'a str,
    hash: [u8; 32],
}

impl<'a> Presented<'a> {
    /// None unless `text` has the form of such a secret.
    pub(crate) fn parse(kind: Kind, text: &'a str) -> Option<Self> {
        let digits = text.strip_prefix(kind.word())?;
        let well_formed = digits.len() == 2 * RANDOM_BYTES
            && digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        let prefix = text.get(..PREFIX_LENGTH)?;
        well_formed.then(|| Self { prefix, hash: Sha256::digest(text).into() })
    }

    /// Whether `stored` is its hash, in a time that does not depend on where they differ. Where nothing was found, the
    /// comparison is made all the same.
    pub(crate) fn matches(&self, stored: Option<&[u8]>) -> bool {
        let nothing = [0; 32];
        let same: bool = self.hash.as_slice().ct_eq(stored.unwrap_or(&nothing)).into();
        same & stored.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret(format!("thb_1a2b3c4d{}", "e".repeat(56)))
    }

    #[test]
    fn a_secret_shows_its_public_beginning_only() {
        assert_eq!(secret().prefix(), "thb_1a2b3c4d");
        assert_eq!(format!("{:?}", secret()), "Secret(thb_1a2b3c4d…)");
    }

    #[test]
    fn a_secret_has_one_form() {
        let text = secret().into_exposed();
        assert!(Presented::parse(Kind::Token, &text).is_some());
        assert!(Presented::parse(Kind::Invite, &text).is_none());
        for other in ["", "thb_", &text[..67], &format!("{text}e"), &text.to_uppercase(), &text.replace('e', "g")] {
            assert!(Presented::parse(Kind::Token, other).is_none(), "{other}");
        }
        // Not on a boundary of characters.
        assert!(Presented::parse(Kind::Token, "thb_1234567é").is_none());
    }

    #[test]
    fn what_was_not_found_matches_nothing() {
        let text = secret().into_exposed();
        let presented = Presented::parse(Kind::Token, &text);
        let matches = |stored: Option<&[u8]>| presented.as_ref().is_some_and(|presented| presented.matches(stored));
        assert!(matches(Some(&secret().hash())));
        assert!(!matches(Some(&[0; 32])) && !matches(Some(&[])) && !matches(None));
        // A stand-in that the hash itself equals.
        assert!(!Presented { prefix: "", hash: [0; 32] }.matches(None));
    }
}
