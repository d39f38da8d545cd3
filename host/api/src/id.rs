//! Names and identifiers, parsed once.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use thimble_challenge::{NAME_RULE, is_name};
use uuid::Uuid;

/// A text that is no name or identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be {rule}")]
pub struct IdError {
    rule: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                if is_name(text) { Ok(Self(text.to_owned())) } else { Err(IdError { rule: NAME_RULE }) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "description": $what,
                    "minLength": 3,
                    "maxLength": 63,
                    "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"
                })
            }
        }
    };
}

name!(
    /// The name of an account: as a challenge's, 3 to 63 lower-case letters, digits and single hyphens.
    AccountName, "Lower-case letters, digits and single hyphens inside"
);
name!(
    /// The name of a team, under the rule of [`AccountName`].
    TeamName, "Lower-case letters, digits and single hyphens inside"
);
name!(
    /// The name of a challenge.
    ChallengeName, "Lower-case letters, digits and single hyphens inside"
);
name!(
    /// What the service calls a registered dataset.
    DatasetName, "Lower-case letters, digits and single hyphens inside"
);

/// A submission: a UUID of version 7, in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubmissionId(Uuid);

impl SubmissionId {
    /// A new one. It begins with the time in milliseconds and ends in 74 random bits.
    pub fn fresh() -> Self {
        Self(Uuid::now_v7())
    }

    /// As 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// From 16 bytes; none unless they are of version 7.
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        let id = Uuid::from_bytes(bytes);
        (id.get_version_num() == 7).then_some(Self(id))
    }
}

impl FromStr for SubmissionId {
    type Err = IdError;

    /// Only the form that [`Display`](fmt::Display) writes: one submission has one address.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let id = Uuid::try_parse(text).ok().filter(|id| id.get_version_num() == 7).map(Self);
        id.filter(|id| id.to_string() == text)
            .ok_or(IdError { rule: "a submission's id: a UUID of version 7, in lower case with hyphens" })
    }
}

impl fmt::Display for SubmissionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl Serialize for SubmissionId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SubmissionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for SubmissionId {
    fn schema_name() -> Cow<'static, str> {
        "SubmissionId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "uuid",
            "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

    use super::*;

    #[test]
    fn a_submission_has_one_written_form() {
        let id = SubmissionId::fresh();
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(SubmissionId::from_bytes(*id.as_bytes()), Some(id));
        for other in [text.to_uppercase(), text.replace('-', ""), format!("{{{text}}}"), format!("{text} ")] {
            assert!(other.parse::<SubmissionId>().is_err(), "{other}");
        }
        // Version 4.
        assert!("9b2d3c9e-7c0f-4a64-9a38-5d6c3a3d6f10".parse::<SubmissionId>().is_err());
    }

    #[test]
    fn names_follow_the_rule_of_challenges() {
        assert_eq!("team-7".parse::<TeamName>().unwrap().as_str(), "team-7");
        for bad in ["", "ab", "Team", "a--b", "-ab", "ab-", "a b c", "../x", "x\u{0}y"] {
            assert!(bad.parse::<AccountName>().is_err(), "{bad:?}");
        }
    }
}
