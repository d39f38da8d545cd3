//! The predictions of someone who looks at no input: what a challenge's floor is made of.

use std::collections::BTreeMap;

use thimble_datasets::{ColumnValues, SplitTable, TaskKind};

use crate::check::OutputSchema;
use crate::predictions::Predictions;
use crate::truth::last_values;

/// Predictions fitted on the targets of the training split alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// What it is, for example `class shares`.
    pub name: &'static str,
    /// Its answers for the rows that are predicted.
    pub predictions: Predictions,
}

/// The naive baseline of a task: the same answer for every row, but in forecasting the last value of the row's window.
///
/// | task | answer |
/// |---|---|
/// | classification | the share of each class among the training rows |
/// | object detection | one box: the mean box of the most frequent class |
/// | semantic segmentation | in each place the most frequent class there |
/// | instance segmentation | one mask: the places that objects of the most frequent class cover most often, at least half as often as any |
/// | keypoint detection | the mean place of each point where it is visible, and how often it is |
/// | tabular regression | the mean |
/// | time series forecasting | the last value, for every step |
/// | time to event | the Kaplan–Meier estimate of the risk at the median time of the events |
///
/// None where the training split has nothing to fit (no object at all).
pub fn baseline(task: &TaskKind, schema: &OutputSchema, train: &SplitTable, test: &SplitTable) -> Option<Baseline> {
    let fit = Fit { schema, train, rows: test.rows() };
    let classes = task.classes().unwrap_or(0) as usize;
    match task {
        TaskKind::ImageClassification(_) | TaskKind::TextClassification(_) | TaskKind::TabularClassification(_) => {
            fit.class_shares(classes)
        }
        TaskKind::ObjectDetection(_) => fit.mean_box(classes),
        TaskKind::SemanticSegmentation(_) => fit.frequent_pixels(classes),
        TaskKind::InstanceSegmentation(_) => fit.mean_mask(classes),
        TaskKind::KeypointDetection(_) => fit.mean_points(),
        TaskKind::TabularRegression => fit.mean(),
        TaskKind::TimeSeriesForecasting => fit.last_value(test),
        TaskKind::TimeToEvent => fit.kaplan_meier(),
    }
}

struct Fit<'a> {
    schema: &'a OutputSchema,
    train: &'a SplitTable,
    rows: usize,
}

impl Fit<'_> {
    fn column(&self, name: &str) -> Option<ColumnValues<'_>> {
        self.train.column(name).map(|column| column.values)
    }

    fn named(&self, name: &'static str, columns: &[ColumnValues<'_>]) -> Option<Baseline> {
        Some(Baseline { name, predictions: Predictions::of(self.schema.fields(), self.rows, columns) })
    }

    fn class_shares(&self, classes: usize) -> Option<Baseline> {
        let ColumnValues::S64(labels) = self.column("label")? else { return None };
        let counts = count(labels, classes);
        let shares: Vec<f32> = counts.iter().map(|&count| count as f32 / labels.len() as f32).collect();
        self.named("class shares", &[ColumnValues::F32(&shares.repeat(self.rows))])
    }

    /// The most frequent class, the first of equals, and the places of its objects; its share is the score.
    fn frequent_objects(&self, classes: usize) -> Option<(i64, Vec<usize>, f32)> {
        let ColumnValues::S64(labels) = self.column("labels")? else { return None };
        let counts = count(labels, classes);
        let most = counts.iter().copied().max().filter(|&most| most > 0)?;
        let class = counts.iter().position(|&count| count == most)? as i64;
        let places = (0..labels.len()).filter(|&place| labels[place] == class).collect();
        Some((class, places, most as f32 / labels.len() as f32))
    }

    fn mean_box(&self, classes: usize) -> Option<Baseline> {
        let (class, places, score) = self.frequent_objects(classes)?;
        let ColumnValues::F32(boxes) = self.column("boxes")? else { return None };
        let mut mean = [0.0_f64; 4];
        for &place in &places {
            for (mean, &value) in mean.iter_mut().zip(&boxes[place * 4..place * 4 + 4]) {
                *mean += f64::from(value);
            }
        }
        let mean = mean.map(|sum| (sum / places.len() as f64) as f32);
        let rows = self.rows;
        self.named(
            "mean box of the most frequent class",
            &[
                ColumnValues::S32(&vec![1; rows]),
                ColumnValues::F32(&mean.repeat(rows)),
                ColumnValues::S64(&vec![class; rows]),
                ColumnValues::F32(&vec![score; rows]),
            ],
        )
    }

    fn mean_mask(&self, classes: usize) -> Option<Baseline> {
        let (class, places, score) = self.frequent_objects(classes)?;
        let width = self.train.column("masks")?.width;
        let ColumnValues::U8(masks) = self.column("masks")? else { return None };
        let mut covered = vec![0_u64; width];
        for &place in &places {
            for (covered, &pixel) in covered.iter_mut().zip(&masks[place * width..][..width]) {
                *covered += u64::from(pixel);
            }
        }
        let most = covered.iter().copied().max().filter(|&most| most > 0)?;
        let mask: Vec<u8> = covered.iter().map(|&covered| u8::from(covered * 2 >= most)).collect();
        let rows = self.rows;
        self.named(
            "places that the most frequent class covers",
            &[
                ColumnValues::S32(&vec![1; rows]),
                ColumnValues::U8(&mask.repeat(rows)),
                ColumnValues::S64(&vec![class; rows]),
                ColumnValues::F32(&vec![score; rows]),
            ],
        )
    }

    fn frequent_pixels(&self, classes: usize) -> Option<Baseline> {
        let width = self.train.column("mask")?.width;
        let ColumnValues::U8(masks) = self.column("mask")? else { return None };
        let mut counts = vec![0_u64; width * classes];
        for mask in masks.chunks_exact(width) {
            for (place, &class) in mask.iter().enumerate().filter(|(_, class)| usize::from(**class) < classes) {
                counts[place * classes + usize::from(class)] += 1;
            }
        }
        let most = |counts: &[u64]| {
            let most = counts.iter().copied().max().unwrap_or(0);
            // At most 255 classes.
            counts.iter().position(|&count| count == most).unwrap_or(0) as u8
        };
        let mask: Vec<u8> = counts.chunks_exact(classes).map(most).collect();
        self.named("most frequent class of each place", &[ColumnValues::U8(&mask.repeat(self.rows))])
    }

    fn mean_points(&self) -> Option<Baseline> {
        let (ColumnValues::F32(places), ColumnValues::U8(visibility)) =
            (self.column("keypoints")?, self.column("visibility")?)
        else {
            return None;
        };
        let points = self.train.column("visibility")?.width;
        let (mut sums, mut seen) = (vec![[0.0_f64; 2]; points], vec![0_u64; points]);
        for (index, (place, _)) in
            places.as_chunks::<2>().0.iter().zip(visibility).enumerate().filter(|(_, (_, v))| **v > 0)
        {
            let point = index % points;
            seen[point] += 1;
            sums[point][0] += f64::from(place[0]);
            sums[point][1] += f64::from(place[1]);
        }
        let mean = |(sum, &seen): (&[f64; 2], &u64)| sum.map(|sum| (sum / seen.max(1) as f64) as f32);
        let means: Vec<f32> = sums.iter().zip(&seen).flat_map(mean).collect();
        let shares: Vec<f32> = seen.iter().map(|&seen| seen as f32 / self.train.rows() as f32).collect();
        self.named(
            "mean place of each point",
            &[ColumnValues::F32(&means.repeat(self.rows)), ColumnValues::F32(&shares.repeat(self.rows))],
        )
    }

    fn mean(&self) -> Option<Baseline> {
        let ColumnValues::F64(targets) = self.column("target")? else { return None };
        // Incrementally, so that no sum overflows.
        let mut mean = 0.0;
        for (index, target) in targets.iter().enumerate() {
            mean += (target - mean) / (index + 1) as f64;
        }
        self.named("mean", &[ColumnValues::F64(&vec![mean; self.rows])])
    }

    fn last_value(&self, test: &SplitTable) -> Option<Baseline> {
        let steps = test.column("horizon")?.width;
        let last = last_values(test).ok()?;
        let forecasts: Vec<f64> = last.iter().flat_map(|&last| std::iter::repeat_n(last, steps)).collect();
        self.named("last value", &[ColumnValues::F64(&forecasts)])
    }

    fn kaplan_meier(&self) -> Option<Baseline> {
        let (ColumnValues::F64(times), ColumnValues::S64(events)) = (self.column("time")?, self.column("event")?)
        else {
            return None;
        };
        let (horizon, _) = survival_horizon(times, events, None);
        let risk = 1.0 - survival(times, events, horizon);
        self.named("Kaplan–Meier risk", &[ColumnValues::F64(&vec![risk; self.rows])])
    }
}

fn count(labels: &[i64], classes: usize) -> Vec<u64> {
    let mut counts = vec![0; classes];
    for &label in labels {
        if let Some(count) = usize::try_from(label).ok().and_then(|class| counts.get_mut(class)) {
            *count += 1;
        }
    }
    counts
}

/// The horizon of F1 in time-to-event prediction, and the share of events until then among the rows whose state at the
/// horizon is known. Without a horizon given, it is the median time of the events, of an even number the lower one.
pub(crate) fn survival_horizon(times: &[f64], events: &[i64], horizon: Option<f64>) -> (f64, f64) {
    let horizon = horizon.unwrap_or_else(|| {
        let mut event_times: Vec<f64> =
            times.iter().zip(events).filter(|(_, event)| **event == 1).map(|(t, _)| *t).collect();
        event_times.sort_by(f64::total_cmp);
        event_times.get(event_times.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
    });
    let (mut positives, mut known) = (0_u64, 0_u64);
    for (&time, &event) in times.iter().zip(events) {
        let positive = event == 1 && time <= horizon;
        positives += u64::from(positive);
        known += u64::from(positive || time > horizon);
    }
    (horizon, if known == 0 { 0.0 } else { positives as f64 / known as f64 })
}

/// The Kaplan–Meier estimate of the share without an event until `horizon` (Kaplan and Meier 1958).
fn survival(times: &[f64], events: &[i64], horizon: f64) -> f64 {
    // Events and rows that leave at each time, by the order of the bits of positive numbers.
    let mut at: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for (&time, &event) in times.iter().zip(events) {
        let entry = at.entry(time.to_bits()).or_default();
        entry.0 += u64::from(event == 1);
        entry.1 += 1;
    }
    let (mut at_risk, mut survival) = (times.len() as u64, 1.0);
    for (time, (events, leaving)) in at {
        if f64::from_bits(time) > horizon {
            break;
        }
        survival *= 1.0 - events as f64 / at_risk as f64;
        at_risk -= leaving;
    }
    survival
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by hand: events at 1 and 3 of (1, 1), (2, 0), (3, 1), (4, 0): 3/4 and then 1/2 of it.
    #[test]
    fn kaplan_meier_counts_those_at_risk() {
        let (times, events) = ([3.0, 1.0, 4.0, 2.0], [1, 1, 0, 0]);
        assert_eq!(survival(&times, &events, 0.5), 1.0);
        assert_eq!(survival(&times, &events, 1.0), 0.75);
        assert_eq!(survival(&times, &events, 3.5), 0.375);
    }

    #[test]
    fn the_horizon_is_the_lower_median_of_the_events() {
        let (times, events) = ([3.0, 1.0, 4.0, 2.0, 9.0], [1, 1, 0, 0, 1]);
        let (horizon, prevalence) = survival_horizon(&times, &events, None);
        // Until 3: two events; 4 and 9 are known to be later; 2 was lost before.
        assert_eq!((horizon, prevalence), (3.0, 0.5));
        assert_eq!(survival_horizon(&times, &[0; 5], None).1, 0.0);
    }
}
