//! Windows of a series.

use thimble_datasets::{Column, ColumnValues, Dataset, SplitTable};

use super::numbers;
use crate::columns::{number, variable};
use crate::numeric::Variable;
use crate::report::{MinimumCell, Section};

/// Most channels that are shown.
const MAX_CHANNELS: usize = 50;

/// A row's values of one channel, in ascending order, without the missing ones.
fn channel(column: Column<'_>, row: usize, channel: usize) -> Vec<f64> {
    let channels = column.shape.get(1).map_or(1, |&channels| channels as usize);
    let places = column.range(row).skip(channel).step_by(channels.max(1));
    let mut values: Vec<f64> = places.map(|index| number(column.values, index)).filter(|v| !v.is_nan()).collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// The value that half of the values are below; of two in the middle the lower one. NaN of none.
fn median(values: &[f64]) -> f64 {
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

/// The range of the inner half of the values.
fn spread(values: &[f64]) -> f64 {
    let Some(last) = values.len().checked_sub(1) else { return f64::NAN };
    values[last - last / 4] - values[last / 4]
}

/// How many windows there are, and what they are like. Medians, because one value is in many windows: an extreme one would
/// move the means of all of them.
pub(super) fn section(dataset: &Dataset, minimum: MinimumCell) -> Section {
    let fields = &dataset.metadataset().fields;
    let field = |name: &str| fields.iter().find(|field| field.name == name);
    let (Some(window), Some(horizon)) = (field("window"), field("horizon")) else { return Section::default() };
    let (steps, channels) = (window.shape.first().copied().unwrap_or(0), window.shape.get(1).copied().unwrap_or(0));
    let ahead = horizon.width();
    let mut notes = vec![
        format!(
            "A row is a window of {steps} steps and the {ahead} that follow, with {channels} channels in the window."
        ),
        "Windows may overlap: a step of the series can be in many rows.".to_owned(),
    ];
    if channels as usize > MAX_CHANNELS {
        notes.push(format!("The first {MAX_CHANNELS} of {channels} channels are shown."));
    }
    let name = |index: usize| match window.columns.get(index) {
        Some(column) => column.name.clone(),
        None => format!("channel {index}"),
    };
    let figure = |title: String, field: &'static str, index: usize, of: fn(&[f64]) -> f64| -> Option<Variable<'_>> {
        variable(dataset, title, window.missing && field == "window", move |table: &SplitTable| {
            let column = table.column(field)?;
            Some(Box::new(move |row| of(&channel(column, row, index))))
        })
    };
    let mut variables = vec![figure("Horizon: median".into(), "horizon", 0, median)];
    for index in 0..(channels as usize).min(MAX_CHANNELS) {
        variables.push(figure(format!("{}: median of a window", name(index)), "window", index, median));
        variables.push(figure(format!("{}: range of a window's inner half", name(index)), "window", index, spread));
    }
    if window.missing {
        variables.push(variable(dataset, "Missing values in a window", false, |table| {
            let column = table.column("window")?;
            let ColumnValues::F32(values) = column.values else { return None };
            Some(Box::new(move |row| values[column.range(row)].iter().filter(|value| value.is_nan()).count() as f64))
        }));
    }
    numbers("Series", notes, variables, minimum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_extreme_value_moves_neither_median_nor_inner_range() {
        assert_eq!((median(&[1.0, 2.0, 3.0, 31_337.25]), spread(&[1.0, 2.0, 3.0, 4.0, 31_337.25])), (2.0, 2.0));
        assert!(median(&[]).is_nan() && spread(&[]).is_nan());
    }
}
