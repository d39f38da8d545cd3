//! Which row of the predictions belongs to which row of the targets.

use std::collections::BTreeMap;

use super::side::Side;
use crate::exit::Failure;

/// For each row of the predictions its row in the targets, by the column `id` where both files have one; none where rows
/// stand in the same order.
pub(super) fn pair(targets: &mut Side, predictions: &mut Side) -> Result<Option<Vec<usize>>, Failure> {
    let (Some(owned), Some(given)) = (targets.ids()?, predictions.ids()?) else { return Ok(None) };
    let mut rows = BTreeMap::new();
    for (row, id) in owned.iter().enumerate() {
        if let Some(first) = rows.insert(id.as_str(), row) {
            return Err(targets.fault(format_args!("id {} stands in row {first} and in row {row}", quoted(id))));
        }
    }
    let mut found = vec![None; owned.len()];
    let mut order = Vec::with_capacity(given.len());
    for (row, id) in given.iter().enumerate() {
        let Some(&target) = rows.get(id.as_str()) else {
            return Err(
                predictions.fault(format_args!("row {row} has id {}, which the targets do not have", quoted(id)))
            );
        };
        if let Some(first) = found[target].replace(row) {
            return Err(predictions.fault(format_args!("id {} stands in row {first} and in row {row}", quoted(id))));
        }
        order.push(target);
    }
    match found.iter().position(Option::is_none) {
        Some(row) => Err(predictions
            .fault(format_args!("there is no row with id {}, row {row} of the targets", quoted(&owned[row])))),
        None => Ok(Some(order)),
    }
}

/// An id in a message.
pub(super) fn quoted(text: &str) -> thimble_ingest::Quoted {
    thimble_ingest::Quoted::new(text)
}
