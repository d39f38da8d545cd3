//! The distribution of one number, without anything that only a few rows show.

use crate::report::{Bin, Cell, Distribution, MinimumCell, Moments, Quantile, Summary};
use crate::round::{self, Step};
use crate::suppress::{Support, one_way};

/// Rows that order statistics are taken from; evenly spaced ones where a split has more.
const SAMPLE_ROWS: usize = 1 << 22;
/// Bins that a histogram has about.
const BINS: f64 = 12.0;
/// Steps of a quantile in the range that is shown.
const QUANTILE_STEPS: f64 = 20.0;
/// The quantiles, in percent.
const PERCENTS: [u32; 5] = [5, 25, 50, 75, 95];

/// A number of each row of a split; NaN where a row has none.
pub(crate) struct Numbers<'a> {
    pub(crate) rows: usize,
    pub(crate) value: Box<dyn Fn(usize) -> f64 + 'a>,
}

/// A number of each row, in both splits.
pub(crate) struct Variable<'a> {
    pub(crate) title: String,
    /// Rows may have no value.
    pub(crate) optional: bool,
    pub(crate) train: Numbers<'a>,
    pub(crate) validation: Numbers<'a>,
}

/// The range that is shown: at least the minimum of values lie at or beyond each end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Bounds {
    /// A value moved into the range, then the range stretched to 0 to 1. 0 where the range is a point.
    pub(crate) fn unit(self, value: f64) -> f64 {
        let width = self.high - self.low;
        if width > 0.0 { (value.clamp(self.low, self.high) - self.low) / width } else { 0.0 }
    }
}

/// Values of a split in ascending order, and what is known of how many there are.
pub(crate) struct Sorted {
    values: Vec<f64>,
    /// No more than there are values, and the same for every number of missing ones that is hidden.
    sure: usize,
}

impl Sorted {
    pub(crate) fn of(numbers: &Numbers<'_>, minimum: MinimumCell) -> Self {
        let every = numbers.rows.div_ceil(SAMPLE_ROWS).max(1);
        let rows = (0..numbers.rows).step_by(every);
        let taken = rows.len();
        let mut values: Vec<f64> = rows.map(|row| (numbers.value)(row)).filter(|value| !value.is_nan()).collect();
        values.sort_unstable_by(f64::total_cmp);
        let hidden = minimum.get() as usize - 1;
        let sure = if taken - values.len() <= hidden { taken.saturating_sub(hidden) } else { values.len() };
        Self { values, sure }
    }

    /// Whether there are enough values to say anything: four times the minimum.
    fn suffice(&self, minimum: MinimumCell) -> bool {
        self.sure as u64 >= 4 * minimum.get()
    }

    /// The 1st and the 99th percentile, or further inside.
    pub(crate) fn bounds(&self, minimum: MinimumCell) -> Option<Bounds> {
        if !self.suffice(minimum) {
            return None;
        }
        let outside = self.values.len().div_ceil(100).max(minimum.get() as usize);
        let low = *self.values.get(outside - 1)?;
        let high = *self.values.get(self.values.len().checked_sub(outside)?)?;
        (high - low).is_finite().then_some(Bounds { low, high })
    }

    /// The smallest value that `percent` of the values are at most; none where too few lie on a side.
    fn quantile(&self, percent: u32, minimum: MinimumCell) -> Option<f64> {
        let rank = |count: usize| (count * percent as usize).div_ceil(100);
        let (sure, count) = (self.sure, self.values.len());
        let minimum = minimum.get() as usize;
        let enough = |count: usize| rank(count) >= minimum && count + 1 - rank(count) >= minimum;
        if !(enough(sure) && enough(count)) {
            return None;
        }
        self.values.get(rank(count) - 1).copied()
    }

    fn quantiles(&self, bounds: Bounds, minimum: MinimumCell) -> Vec<Quantile> {
        let step = Step::at_least((bounds.high - bounds.low) / QUANTILE_STEPS);
        let round = |value: f64| step.and_then(|step| step.round(value)).unwrap_or_else(|| round::significant(value));
        let quantile = |percent| {
            let value = self.quantile(percent, minimum)?.clamp(bounds.low, bounds.high);
            Some(Quantile { percent, value: round(value) })
        };
        PERCENTS.into_iter().filter_map(quantile).collect()
    }

    /// Where the bins of a histogram meet: round numbers between the bounds, ascending.
    fn edges(&self, bounds: Bounds) -> Vec<f64> {
        let Some(mut step) = Step::at_least((bounds.high - bounds.low) / BINS) else { return Vec::new() };
        let whole = |value: &f64| libm::floor(*value) == *value;
        let inside = |value: &&f64| (bounds.low..=bounds.high).contains(*value);
        if bounds.high - bounds.low <= 2.0 * BINS && self.values.iter().filter(inside).all(whole) {
            step = Step::UNIT;
        }
        let Some((low, high)) = step.floor(bounds.low).zip(step.floor(bounds.high)) else { return Vec::new() };
        let edges = (low + 1..=high).map(|index| step.times(index));
        edges.filter(|&edge| edge > bounds.low && edge <= bounds.high).collect()
    }
}

/// Summarises a number. The bins of both splits are those of the training split, merged where a split has too few rows.
pub(crate) fn distribution(variable: &Variable<'_>, minimum: MinimumCell) -> Distribution {
    let train = Sorted::of(&variable.train, minimum);
    let edges = train.bounds(minimum).map(|bounds| train.edges(bounds)).unwrap_or_default();
    let validation = Sorted::of(&variable.validation, minimum);
    Distribution {
        title: variable.title.clone(),
        train: summary(&variable.train, &train, &edges, variable.optional, minimum),
        validation: summary(&variable.validation, &validation, &edges, variable.optional, minimum),
    }
}

fn summary(numbers: &Numbers<'_>, sorted: &Sorted, edges: &[f64], optional: bool, minimum: MinimumCell) -> Summary {
    let bounds = sorted.bounds(minimum);
    let mut counts = vec![0_u64; edges.len() + 1];
    let (mut missing, mut present, mut sum, mut squares) = (0_u64, 0_u64, 0.0, 0.0);
    for value in (0..numbers.rows).map(|row| (numbers.value)(row)) {
        if value.is_nan() {
            missing += 1;
            continue;
        }
        counts[edges.partition_point(|&edge| edge <= value)] += 1;
        present += 1;
        if let Some(bounds) = bounds {
            let unit = bounds.unit(value);
            sum += unit;
            squares += unit * unit;
        }
    }
    let moments = bounds.map(|bounds| {
        let (width, count) = (bounds.high - bounds.low, present as f64);
        let variance = (squares - sum * sum / count) / (count - 1.0);
        Moments {
            mean: round::significant(bounds.low + width * (sum / count)),
            deviation: round::significant(width * libm::sqrt(variance.max(0.0))),
            quantiles: sorted.quantiles(bounds, minimum),
        }
    });
    let (missing, bins) = suppressed_bins(&counts, optional.then_some(missing), edges, minimum);
    Summary { missing, moments, bins }
}

/// Merges bins until each has enough, then suppresses these and the rows without a value as one table: the split's rows are
/// their known sum.
fn suppressed_bins(
    counts: &[u64],
    missing: Option<u64>,
    edges: &[f64],
    minimum: MinimumCell,
) -> (Option<Cell>, Vec<Bin>) {
    let merged = merge(counts, minimum.get());
    let table: Vec<u64> = merged.iter().map(|&(_, _, count)| count).chain(missing).collect();
    let mut cells = one_way(&table, Support::Rows, minimum);
    let missing = if missing.is_some() { cells.pop() } else { None };
    let bin = |(&(first, last, _), count): (&(usize, usize, u64), Cell)| Bin {
        from: first.checked_sub(1).and_then(|edge| edges.get(edge)).copied(),
        to: edges.get(last).copied(),
        count,
    };
    (missing, merged.iter().zip(cells).map(bin).collect())
}

/// Joins neighbours from the left until each group has enough; what is left at the end joins the last.
///
/// Gives first and last bin of each group, and its count.
fn merge(counts: &[u64], minimum: u64) -> Vec<(usize, usize, u64)> {
    let mut groups: Vec<(usize, usize, u64)> = Vec::new();
    let mut open: Option<(usize, u64)> = None;
    for (bin, &count) in counts.iter().enumerate() {
        let (first, sum) = open.map_or((bin, count), |(first, sum)| (first, sum + count));
        if sum >= minimum {
            groups.push((first, bin, sum));
            open = None;
        } else {
            open = Some((first, sum));
        }
    }
    if let Some((first, sum)) = open {
        let last = counts.len() - 1;
        match groups.last_mut() {
            Some(group) => *group = (group.0, last, group.2 + sum),
            None => groups.push((first, last, sum)),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(train: Vec<f64>, optional: bool) -> Summary {
        let numbers = |values: Vec<f64>| Numbers { rows: values.len(), value: Box::new(move |row| values[row]) };
        let variable =
            Variable { title: "x".into(), optional, validation: numbers(train.clone()), train: numbers(train) };
        distribution(&variable, MinimumCell::default()).train
    }

    fn counts(summary: &Summary) -> Vec<Option<u64>> {
        summary.bins.iter().map(|bin| bin.count.count()).collect()
    }

    #[test]
    fn bins_are_merged_until_each_has_enough() {
        assert_eq!(merge(&[1, 2, 3, 9, 0, 4], 5), [(0, 2, 6), (3, 5, 13)]);
        assert_eq!(merge(&[1, 2], 5), [(0, 1, 3)]);
        assert_eq!(merge(&[5, 5], 5), [(0, 0, 5), (1, 1, 5)]);
    }

    #[test]
    fn an_extreme_value_moves_nothing_that_is_shown() {
        let mut values: Vec<f64> = (0..200).map(f64::from).collect();
        let usual = of(values.clone(), false);
        values[199] = 31_337.25;
        assert_eq!(of(values, false), usual);
    }

    #[test]
    fn the_number_of_missing_rows_moves_nothing_that_is_shown_while_it_is_hidden() {
        // 81 rows: with and without a missing one the rank of the 5 % quantile differs.
        let mut values: Vec<f64> = (0..81).map(|row| f64::from(row % 3)).collect();
        let none = of(values.clone(), true);
        values[0] = f64::NAN;
        let one = of(values, true);
        assert_eq!(none.missing, Some(Cell::SUPPRESSED));
        let percents = |summary: &Summary| -> Vec<u32> {
            let quantiles = summary.moments.iter().flat_map(|moments| &moments.quantiles);
            quantiles.map(|quantile| quantile.percent).collect()
        };
        assert_eq!(percents(&none), percents(&one));
        assert!(counts(&none).contains(&None), "a bin is hidden with it");
    }

    #[test]
    fn many_missing_rows_are_counted() {
        let summary = of((0..100).map(|row| if row < 30 { f64::NAN } else { f64::from(row) }).collect(), true);
        assert_eq!(summary.missing, Some(Cell::Count(30)));
        assert_eq!(counts(&summary).into_iter().flatten().sum::<u64>(), 70);
    }

    #[test]
    fn few_rows_have_no_mean_and_no_edge() {
        let summary = of((0..19).map(f64::from).collect(), false);
        assert_eq!((summary.moments, summary.bins.len()), (None, 1));
        assert_eq!((summary.bins[0].from, summary.bins[0].to), (None, None));
    }

    #[test]
    fn whole_numbers_of_a_small_range_have_a_bin_each() {
        let summary = of((0..400).map(|row| f64::from(row % 4)).collect(), false);
        assert_eq!(counts(&summary), [Some(100); 4]);
        assert_eq!(summary.bins[1].from, Some(1.0));
        let moments = summary.moments.expect("there are enough rows");
        // Mean 1.5, variance 1.25 × 400 / 399.
        assert_eq!((moments.mean, moments.deviation), (1.5, 1.12));
    }

    #[test]
    fn values_of_any_size_are_summarised() {
        for scale in [1e-300, 1.0, 1e300, f64::MAX / 2.0] {
            let summary = of((0..100).map(|row| scale * (f64::from(row) / 50.0 - 1.0)).collect(), false);
            assert_eq!(counts(&summary).into_iter().flatten().sum::<u64>(), 100, "{scale}");
        }
        assert_eq!(of(vec![f64::MAX; 100], false).bins.len(), 1);
    }
}
