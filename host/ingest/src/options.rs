//! What an ingestion is asked for.

use std::collections::BTreeSet;

use thimble_datasets::Split;
pub use thimble_metrics::Task;

use crate::IngestError;

/// What is asked for. [`Options::new`] has the defaults.
#[derive(Debug, Clone)]
pub struct Options {
    /// What is predicted.
    pub task: Task,
    /// The dataset's name: 1 to 63 lower-case letters, digits and single hyphens inside.
    pub name: String,
    /// The column of the label, or of the number to predict; `label` and `target` where absent.
    pub label: Option<String>,
    /// Columns that are left out.
    pub drop: BTreeSet<String>,
    /// Columns that are read as text even where all of it looks like numbers.
    pub category: BTreeSet<String>,
    /// Columns in which a fraction is an error.
    pub integer: BTreeSet<String>,
    /// Keep missing values of features as NaN; else each one is an error.
    pub keep_missing: bool,
    /// The class that precision, recall and the like are about, where there are two.
    pub positive: Option<String>,
    /// The classes in their order; empty: those of the data, sorted. Of masks: their grey values.
    pub classes: Vec<String>,
    /// The classes are grades in ascending order.
    pub ordinal: bool,
    /// The column of what a row was recorded under.
    pub condition: Option<String>,
    /// The column of the time; `time` where absent.
    pub time: Option<String>,
    /// The column of the event; `event` where absent.
    pub event: Option<String>,
    /// The column that tells series apart; one series where absent.
    pub series: Option<String>,
    /// Rows of a window's past.
    pub context: u32,
    /// Rows of a window's future.
    pub horizon: u32,
    /// Rows from one window to the next; the horizon where absent.
    pub stride: Option<u32>,
    /// The column of the text; `text` where absent.
    pub text: Option<String>,
    /// The size of the images; that of the first one where absent.
    pub size: Option<Size>,
    /// Scale images of another size; else they are errors.
    pub resize: bool,
    /// The channels of the images; colour where the first image has it, else grey.
    pub channels: Option<Channels>,
    /// The grey value of pixels that do not count.
    pub ignore: Option<u8>,
    /// What separates the cells of a CSV file; a tab in files `.tsv`, else a comma.
    pub delimiter: Option<u8>,
    /// How rows go to the splits.
    pub split: SplitRule,
    /// Seed of what is drawn.
    pub seed: u64,
}

/// Height and width in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Pixels from top to bottom.
    pub height: u32,
    /// Pixels from left to right.
    pub width: u32,
}

/// The channels of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channels {
    /// One.
    Grey,
    /// Red, green and blue.
    Rgb,
}

impl Channels {
    /// How many they are.
    pub const fn count(self) -> u32 {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
        }
    }
}

/// How rows go to the splits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SplitRule {
    /// How much each split gets.
    pub shares: Shares,
    /// The column that names each row's split.
    pub column: Option<String>,
    /// Give each split its share of each class; where absent: of classifications, unless groups or time say otherwise.
    pub stratify: Option<bool>,
    /// The column of what must not be in two splits.
    pub group: Option<String>,
    /// The column by which train comes before validation, and validation before test.
    pub time_order: Option<String>,
}

/// How much each split gets, in millionths; all above 0, together 1,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares([u32; 3]);

impl Default for Shares {
    /// Train 0.7, validation 0.1, test 0.2.
    fn default() -> Self {
        Self([700_000, 100_000, 200_000])
    }
}

/// Why a text gives no shares.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SharesError {
    /// Not `NAME=SHARE,…`.
    #[error("`{0}` is not train=SHARE, validation=SHARE or test=SHARE")]
    Form(String),
    /// Not a decimal fraction.
    #[error("the share of {split} must be above 0 and below 1 with at most six digits, such as 0.7")]
    Share {
        /// The split.
        split: Split,
    },
    /// A split twice or not at all.
    #[error("{split} must be given exactly once")]
    Once {
        /// The split.
        split: Split,
    },
    /// Not the whole.
    #[error("the shares add up to {millionths} millionths, not to 1")]
    Sum {
        /// Their sum.
        millionths: u32,
    },
}

impl Shares {
    /// Millionths of train, validation and test.
    ///
    /// # Errors
    /// One is 0, or they do not add up to 1,000,000.
    pub fn new(millionths: [u32; 3]) -> Result<Self, SharesError> {
        if let Some((split, _)) = Split::ALL.into_iter().zip(millionths).find(|(_, share)| *share == 0) {
            return Err(SharesError::Share { split });
        }
        match millionths.iter().fold(0_u32, |sum, share| sum.saturating_add(*share)) {
            1_000_000 => Ok(Self(millionths)),
            millionths => Err(SharesError::Sum { millionths }),
        }
    }

    /// Reads `train=0.7,validation=0.1,test=0.2`, in any order. Exact: no share passes through a float.
    ///
    /// # Errors
    /// The first that is wrong.
    pub fn parse(text: &str) -> Result<Self, SharesError> {
        let mut shares = [None; 3];
        for part in text.split(',') {
            let form = || SharesError::Form(part.to_owned());
            let (name, share) = part.split_once('=').ok_or_else(form)?;
            let split = split_of(name.trim()).ok_or_else(form)?;
            let millionths = millionths(share.trim()).ok_or(SharesError::Share { split })?;
            if shares[split as usize].replace(millionths).is_some() {
                return Err(SharesError::Once { split });
            }
        }
        let [train, validation, test] =
            Split::ALL.map(|split| shares[split as usize].ok_or(SharesError::Once { split }));
        Self::new([train?, validation?, test?])
    }

    /// Millionths of train, validation and test.
    pub const fn millionths(self) -> [u32; 3] {
        self.0
    }
}

/// `0.25` is 250,000.
fn millionths(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("0.").or_else(|| text.strip_prefix('.'))?;
    if !(1..=6).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{digits:0<6}").parse().ok()
}

/// The split that a text names: `train`, `validation`, `valid`, `val` or `test`.
pub(crate) fn split_of(name: &str) -> Option<Split> {
    match name {
        "train" => Some(Split::Train),
        "validation" | "valid" | "val" => Some(Split::Validation),
        "test" => Some(Split::Test),
        _ => None,
    }
}

impl Options {
    /// The defaults of a task.
    pub fn new(task: Task, name: impl Into<String>) -> Self {
        Self {
            task,
            name: name.into(),
            label: None,
            drop: BTreeSet::new(),
            category: BTreeSet::new(),
            integer: BTreeSet::new(),
            keep_missing: false,
            positive: None,
            classes: Vec::new(),
            ordinal: false,
            condition: None,
            time: None,
            event: None,
            series: None,
            context: 0,
            horizon: 0,
            stride: None,
            text: None,
            size: None,
            resize: false,
            channels: None,
            ignore: None,
            delimiter: None,
            split: SplitRule::default(),
            seed: 0,
        }
    }

    /// The column of what is predicted.
    pub(crate) fn label_column(&self) -> &str {
        let usual = match self.task {
            Task::TabularRegression | Task::TimeSeriesForecasting => "target",
            _ => "label",
        };
        self.label.as_deref().unwrap_or(usual)
    }

    pub(crate) fn time_column(&self) -> &str {
        self.time.as_deref().unwrap_or("time")
    }

    pub(crate) fn event_column(&self) -> &str {
        self.event.as_deref().unwrap_or("event")
    }

    pub(crate) fn text_column(&self) -> &str {
        self.text.as_deref().unwrap_or("text")
    }

    pub(crate) fn stratified(&self) -> bool {
        let usual = self.task.is_classification() && self.split.group.is_none() && self.split.time_order.is_none();
        self.split.stratify.unwrap_or(usual)
    }

    /// Options that do not go together, or do not belong to the task.
    pub(crate) fn check(&self) -> Result<(), IngestError> {
        let task = self.task;
        let rule = &self.split;
        let series = task == Task::TimeSeriesForecasting;
        let faults = [
            (series && (self.context == 0 || self.horizon == 0), "context", "--context and --horizon must be above 0"),
            (self.stride == Some(0), "stride", "must be above 0"),
            (!series && self.series.is_some(), "series", "only time_series_forecasting has series"),
            (
                !matches!(task, Task::TimeSeriesForecasting | Task::TimeToEvent) && self.time.is_some(),
                "time",
                "only time_series_forecasting and time_to_event have one; a split by time is --time-order",
            ),
            (task != Task::TimeToEvent && self.event.is_some(), "event", "only time_to_event has one"),
            (task != Task::TextClassification && self.text.is_some(), "text", "only text_classification has one"),
            (!task.has_images() && self.size.is_some(), "size", "only images have one"),
            (!task.has_images() && self.resize, "resize", "only images are scaled"),
            (
                self.resize
                    && !matches!(
                        task,
                        Task::ImageClassification
                            | Task::SemanticSegmentation
                            | Task::ObjectDetection
                            | Task::KeypointDetection
                    ),
                "resize",
                "masks of instances are not scaled",
            ),
            (
                task != Task::SemanticSegmentation && self.ignore.is_some(),
                "ignore",
                "only semantic_segmentation has one",
            ),
            (!task.is_classification() && self.positive.is_some(), "positive", "only a classification has one"),
            (!task.is_classification() && self.ordinal, "ordinal", "only a classification has grades"),
            (self.ordinal && self.classes.is_empty(), "ordinal", "say the order of the grades with --classes"),
            (
                rule.stratify == Some(true) && !task.is_classification(),
                "stratify",
                "only a classification has classes to stratify by",
            ),
            (
                rule.stratify == Some(true) && (rule.group.is_some() || rule.time_order.is_some()),
                "stratify",
                "does not go with --group or --time-order",
            ),
            (rule.group.is_some() && rule.time_order.is_some(), "group", "does not go with --time-order"),
            (
                series && (rule.group.is_some() || rule.time_order.is_some() || rule.column.is_some()),
                "split",
                "a forecast is always split by its time column",
            ),
            (series && self.condition.is_some(), "condition", "a window has none"),
        ];
        match faults.into_iter().find(|(wrong, ..)| *wrong) {
            Some((_, option, reason)) => Err(IngestError::Option { option, reason }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_exactly() {
        let shares = |text| Shares::parse(text).map(Shares::millionths);
        assert_eq!(shares("train=0.7,validation=0.1,test=0.2"), Ok([700_000, 100_000, 200_000]));
        assert_eq!(shares("test=.333333, val=0.000001 ,train=0.666666"), Ok([666_666, 1, 333_333]));
    }

    #[test]
    fn shares_that_are_not_the_whole_are_refused() {
        let error = |text| Shares::parse(text).err();
        assert_eq!(error("train=0.7,validation=0.1,test=0.3"), Some(SharesError::Sum { millionths: 1_100_000 }));
        assert_eq!(error("train=0.8,test=0.2"), Some(SharesError::Once { split: Split::Validation }));
        assert_eq!(error("train=0.8,test=0.1,test=0.1"), Some(SharesError::Once { split: Split::Test }));
        assert_eq!(error("train=1,validation=0.1,test=0.1"), Some(SharesError::Share { split: Split::Train }));
        assert_eq!(error("train=0.8,validation=0.0,test=0.2"), Some(SharesError::Share { split: Split::Validation }));
        assert_eq!(error("train=0.1234567,validation=0.1,test=0.1"), Some(SharesError::Share { split: Split::Train }));
        assert_eq!(error("dev=0.5"), Some(SharesError::Form("dev=0.5".into())));
    }
}
