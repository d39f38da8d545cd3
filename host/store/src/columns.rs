//! Columns of rows as the types that they hold.

use std::fmt::Display;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use thimble_api::{Compute, SubmissionId, Timestamp};
use thimble_datasets::Digest;

use crate::{Result, StoreError};

/// Reads columns by name. What cannot have been written is [`StoreError::Corrupt`] and names the column.
pub(crate) trait Columns {
    /// A row's id.
    fn id(&self, column: &'static str) -> Result<i64>;
    fn text(&self, column: &'static str) -> Result<String>;
    fn text_or_null(&self, column: &'static str) -> Result<Option<String>>;
    fn flag(&self, column: &'static str) -> Result<bool>;
    fn whole(&self, column: &'static str) -> Result<u64>;
    fn whole_or_null(&self, column: &'static str) -> Result<Option<u64>>;
    fn time(&self, column: &'static str) -> Result<Timestamp>;
    fn time_or_null(&self, column: &'static str) -> Result<Option<Timestamp>>;
    fn compute(&self, column: &'static str) -> Result<Compute>;
    fn compute_or_null(&self, column: &'static str) -> Result<Option<Compute>>;
    /// A name, or another type that parses what it displays.
    fn parsed<T: FromStr<Err: Display>>(&self, column: &'static str) -> Result<T>;
    fn parsed_or_null<T: FromStr<Err: Display>>(&self, column: &'static str) -> Result<Option<T>>;
    fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T>;
    fn json_or_null<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>>;
    /// 32 bytes.
    fn digest(&self, column: &'static str) -> Result<Digest>;
    fn digest_or_null(&self, column: &'static str) -> Result<Option<Digest>>;
    /// 16 bytes.
    fn submission_id(&self, column: &'static str) -> Result<SubmissionId>;
    fn submission_id_or_null(&self, column: &'static str) -> Result<Option<SubmissionId>>;
}

fn corrupt(what: &'static str, reason: impl Display) -> StoreError {
    StoreError::Corrupt { what, reason: reason.to_string() }
}

fn present<T>(column: &'static str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| corrupt(column, "it is null"))
}

impl Columns for SqliteRow {
    fn id(&self, column: &'static str) -> Result<i64> {
        Ok(self.try_get(column)?)
    }

    fn text(&self, column: &'static str) -> Result<String> {
        Ok(self.try_get(column)?)
    }

    fn text_or_null(&self, column: &'static str) -> Result<Option<String>> {
        Ok(self.try_get(column)?)
    }

    fn flag(&self, column: &'static str) -> Result<bool> {
        Ok(self.try_get::<i64, _>(column)? != 0)
    }

    fn whole(&self, column: &'static str) -> Result<u64> {
        present(column, self.whole_or_null(column)?)
    }

    fn whole_or_null(&self, column: &'static str) -> Result<Option<u64>> {
        let number: Option<i64> = self.try_get(column)?;
        number.map(|number| u64::try_from(number).map_err(|error| corrupt(column, error))).transpose()
    }

    fn time(&self, column: &'static str) -> Result<Timestamp> {
        Ok(Timestamp::from_millis(self.try_get(column)?))
    }

    fn time_or_null(&self, column: &'static str) -> Result<Option<Timestamp>> {
        Ok(self.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_millis))
    }

    fn compute(&self, column: &'static str) -> Result<Compute> {
        present(column, self.compute_or_null(column)?)
    }

    fn compute_or_null(&self, column: &'static str) -> Result<Option<Compute>> {
        Ok(self.whole_or_null(column)?.map(Compute::from_flops))
    }

    fn parsed<T: FromStr<Err: Display>>(&self, column: &'static str) -> Result<T> {
        present(column, self.parsed_or_null(column)?)
    }

    fn parsed_or_null<T: FromStr<Err: Display>>(&self, column: &'static str) -> Result<Option<T>> {
        let text: Option<&str> = self.try_get(column)?;
        text.map(|text| text.parse().map_err(|error| corrupt(column, error))).transpose()
    }

    fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T> {
        present(column, self.json_or_null(column)?)
    }

    fn json_or_null<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>> {
        let text: Option<&str> = self.try_get(column)?;
        text.map(|text| serde_json::from_str(text).map_err(|error| corrupt(column, error))).transpose()
    }

    fn digest(&self, column: &'static str) -> Result<Digest> {
        present(column, self.digest_or_null(column)?)
    }

    fn digest_or_null(&self, column: &'static str) -> Result<Option<Digest>> {
        let bytes: Option<&[u8]> = self.try_get(column)?;
        let digest = |bytes: &[u8]| {
            let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| corrupt(column, "it is not of 32 bytes"))?;
            Ok(Digest::from_bytes(bytes))
        };
        bytes.map(digest).transpose()
    }

    fn submission_id(&self, column: &'static str) -> Result<SubmissionId> {
        present(column, self.submission_id_or_null(column)?)
    }

    fn submission_id_or_null(&self, column: &'static str) -> Result<Option<SubmissionId>> {
        let bytes: Option<&[u8]> = self.try_get(column)?;
        bytes.map(submission_id).transpose()
    }
}

/// The id that 16 bytes are.
pub(crate) fn submission_id(bytes: &[u8]) -> Result<SubmissionId> {
    let id = <[u8; 16]>::try_from(bytes).ok().and_then(SubmissionId::from_bytes);
    id.ok_or_else(|| corrupt("id of a submission", "it is no UUID of version 7"))
}

/// An amount as a column holds it: the largest, 9 EF, is below the largest integer of SQLite, 9.2e18.
pub(crate) fn stored_compute(compute: Compute) -> i64 {
    i64::try_from(compute.flops()).unwrap_or(i64::MAX)
}

/// A count as a column holds it.
pub(crate) fn stored_whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A structure as a column holds it.
pub(crate) fn stored_json<T: Serialize>(what: &'static str, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| corrupt(what, error))
}
