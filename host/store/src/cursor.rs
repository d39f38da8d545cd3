//! Parts of lists: what `after` and `limit` may be, and what comes next.

use std::fmt::Display;
use std::str::FromStr;

use thimble_api::page::{DEFAULT_LIMIT, MAX_LIMIT};
use thimble_api::{ErrorCode, Page};

use crate::Refusal;

/// How many items are asked for, 1 to 200.
pub(crate) fn limit(asked: Option<u32>) -> Result<u32, Refusal> {
    match asked.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=MAX_LIMIT => Ok(limit),
        limit => Err(Refusal::new(ErrorCode::BadRequest, format!("limit is {limit} and must be 1 to {MAX_LIMIT}"))),
    }
}

/// The place after which a part begins: exactly what was once given as `next`.
pub(crate) fn after<T: FromStr + Display>(after: Option<&str>) -> Result<Option<T>, Refusal> {
    let Some(text) = after else { return Ok(None) };
    match text.parse::<T>() {
        Ok(place) if place.to_string() == text => Ok(Some(place)),
        _ => Err(Refusal::new(ErrorCode::BadRequest, "after is not the `next` of another part of this list")),
    }
}

/// A part of a list from its items, of which one more than `limit` was asked for; `place` is what `next` says of the last.
pub(crate) fn page<T, P: Display>(mut items: Vec<T>, limit: u32, place: impl Fn(&T) -> P) -> Page<T> {
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next = if more { items.last().map(|item| place(item).to_string()) } else { None };
    Page { items, next }
}
