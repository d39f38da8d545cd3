//! What the owner of targets declares about them.

use clap::ValueEnum;
use thimble_datasets::{Classes, Pixels, Points, Skeleton, SplitTable, TaskKind, limits};
use thimble_metrics::Task;

use crate::exit::Failure;

/// What is not in the files.
#[derive(Debug, clap::Args)]
pub(crate) struct DeclaredOpts {
    /// The classes in their order: how many, or their names with commas between them
    ///
    /// Without it, those that the predictions have scores for. With names, labels are names; else numbers from 0.
    #[arg(long, value_name = "CLASSES")]
    classes: Option<String>,
    /// With two classes, the one that precision, recall and the like are about [default: the second]
    #[arg(long, value_name = "CLASS")]
    positive: Option<String>,
    /// The classes are grades in ascending order
    #[arg(long)]
    ordinal: bool,
    /// The value of pixels that do not count
    #[arg(long, value_name = "VALUE")]
    ignore: Option<u8>,
    /// Height and width of the images of keypoints, in pixels
    #[arg(long, value_name = "HEIGHTxWIDTH", value_parser = parse_size)]
    image_size: Option<[u32; 2]>,
    /// What OKS takes for the spread of each point
    #[arg(long, value_enum)]
    skeleton: Option<SkeletonName>,
    /// Time to event: an event until then is a positive in F1 [default: the median time of the events]
    #[arg(long, value_name = "TIME")]
    pub(super) horizon: Option<f64>,
    /// Time to event: the share of events until the horizon [default: that of the targets]
    #[arg(long, value_name = "SHARE")]
    pub(super) prevalence: Option<f64>,
    /// Accuracy of numbers: |ŷ − y| ≤ absolute + relative · |y| is right [default: 0.05]
    #[arg(long, value_name = "SHARE")]
    relative_tolerance: Option<f64>,
    /// See --relative-tolerance [default: 0]
    #[arg(long, value_name = "NUMBER")]
    absolute_tolerance: Option<f64>,
    /// Objects with a lower score count only in average precision and recall [default: 0.5]
    #[arg(long, value_name = "SCORE")]
    score_threshold: Option<f64>,
}

/// A known set of spreads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SkeletonName {
    /// 0.05 for every point.
    Uniform,
    /// The 17 points of a COCO person.
    Coco,
}

fn parse_size(text: &str) -> Result<[u32; 2], String> {
    let sides = text.split_once('x').and_then(|(height, width)| Some([height.parse().ok()?, width.parse().ok()?]));
    sides.filter(|sides: &[u32; 2]| !sides.contains(&0)).ok_or_else(|| "two numbers above 0, as 480x640".into())
}

/// Names of classes, or how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ClassList {
    Count(u32),
    Names(Vec<String>),
}

impl ClassList {
    pub(super) fn names(names: Vec<String>) -> Self {
        // Numbers from 0 in their order are no names.
        let plain = names.iter().enumerate().all(|(index, name)| *name == index.to_string());
        if plain { Self::Count(u32::try_from(names.len()).unwrap_or(u32::MAX)) } else { Self::Names(names) }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Count(count) => *count as usize,
            Self::Names(names) => names.len(),
        }
    }

    /// What a file calls a class.
    pub(super) fn name(&self, class: usize) -> String {
        match self {
            Self::Count(_) => class.to_string(),
            Self::Names(names) => names.get(class).cloned().unwrap_or_default(),
        }
    }

    /// The class that a file calls so.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        match self {
            Self::Count(count) => name.parse().ok().filter(|class| class < &(*count as usize)),
            Self::Names(names) => names.iter().position(|other| other == name),
        }
    }

    fn classes(&self) -> Classes {
        match self {
            Self::Count(count) => Classes::unnamed(*count),
            Self::Names(names) => Classes::named(names.iter().map(String::as_str)),
        }
    }
}

const fn is_classification(task: Task) -> bool {
    matches!(task, Task::ImageClassification | Task::TextClassification | Task::TabularClassification)
}

impl DeclaredOpts {
    /// Options that say nothing about the task are refused rather than left out.
    pub(super) fn check(&self, task: Task) -> Result<(), Failure> {
        let classification = is_classification(task);
        let objects = matches!(task, Task::ObjectDetection | Task::InstanceSegmentation);
        let numbers = matches!(task, Task::TabularRegression | Task::TimeSeriesForecasting);
        let (pixels, points) = (task == Task::SemanticSegmentation, task == Task::KeypointDetection);
        let events = task == Task::TimeToEvent;
        let options = [
            ("--classes", self.classes.is_some(), classification || objects || pixels),
            ("--positive", self.positive.is_some(), classification),
            ("--ordinal", self.ordinal, classification),
            ("--ignore", self.ignore.is_some(), pixels),
            ("--image-size", self.image_size.is_some(), points),
            ("--skeleton", self.skeleton.is_some(), points),
            ("--horizon", self.horizon.is_some(), events),
            ("--prevalence", self.prevalence.is_some(), events),
            ("--relative-tolerance", self.relative_tolerance.is_some(), numbers),
            ("--absolute-tolerance", self.absolute_tolerance.is_some(), numbers),
            ("--score-threshold", self.score_threshold.is_some(), objects),
        ];
        if let Some((name, ..)) = options.iter().find(|(_, given, fits)| *given && !fits) {
            return Err(Failure::usage(format!("{name} says nothing about {}", task.name())));
        }
        self.class_list()?;
        if points && self.image_size.is_none() {
            return Err(Failure::usage("keypoint_detection needs --image-size: errors are relative to the images"));
        }
        Ok(())
    }

    /// What `--classes` says.
    pub(super) fn class_list(&self) -> Result<Option<ClassList>, Failure> {
        let Some(text) = &self.classes else { return Ok(None) };
        let list = match text.parse::<u32>() {
            Ok(count) if (1..=limits::CLASSES_MAX).contains(&count) => ClassList::Count(count),
            Ok(count) => {
                let limit = limits::CLASSES_MAX;
                return Err(Failure::usage(format!("--classes {count}: there are 1 to {limit} classes")));
            }
            Err(_) => ClassList::Names(text.split(',').map(|name| name.trim().to_owned()).collect()),
        };
        Ok(Some(list))
    }

    /// The task with its classes; of keypoints with the names of the points.
    pub(super) fn kind(&self, task: Task, classes: &ClassList, points: Vec<String>) -> Result<TaskKind, Failure> {
        let of_rows = || -> Result<Classes, Failure> {
            let positive = |name: &String| match classes.position(name) {
                Some(class) => Ok(u32::try_from(class).unwrap_or(u32::MAX)),
                None => Err(Failure::usage(format!("--positive {name}: there is no such class"))),
            };
            let positive = self.positive.as_ref().map(positive).transpose()?;
            Ok(Classes { positive, ordinal: self.ordinal, ..classes.classes() })
        };
        Ok(match task {
            Task::ImageClassification => TaskKind::ImageClassification(of_rows()?),
            Task::TextClassification => TaskKind::TextClassification(of_rows()?),
            Task::TabularClassification => TaskKind::TabularClassification(of_rows()?),
            Task::ObjectDetection => TaskKind::ObjectDetection(classes.classes()),
            Task::InstanceSegmentation => TaskKind::InstanceSegmentation(classes.classes()),
            Task::SemanticSegmentation => {
                let Classes { classes, class_names, .. } = classes.classes();
                TaskKind::SemanticSegmentation(Pixels { classes, class_names, ignore: self.ignore })
            }
            Task::KeypointDetection => {
                let skeleton = match self.skeleton {
                    Some(SkeletonName::Coco) => Skeleton::Coco,
                    Some(SkeletonName::Uniform) | None => Skeleton::Uniform,
                };
                TaskKind::KeypointDetection(Points { point_names: points, skeleton })
            }
            Task::TabularRegression => TaskKind::TabularRegression,
            Task::TimeSeriesForecasting => TaskKind::TimeSeriesForecasting,
            Task::TimeToEvent => TaskKind::TimeToEvent,
        })
    }

    /// Height and width of images: those declared, or of masks.
    pub(super) fn size(&self, targets: &SplitTable) -> [u32; 2] {
        let mask = ["mask", "masks"].into_iter().find_map(|name| targets.column(name));
        let of_mask = mask.and_then(|mask| <[u32; 2]>::try_from(mask.shape).ok());
        of_mask.or(self.image_size).unwrap_or_default()
    }

    pub(super) fn metric_options(&self) -> thimble_metrics::Options {
        let usual = thimble_metrics::Options::default();
        thimble_metrics::Options {
            relative_tolerance: self.relative_tolerance.unwrap_or(usual.relative_tolerance),
            absolute_tolerance: self.absolute_tolerance.unwrap_or(usual.absolute_tolerance),
            score_threshold: self.score_threshold.unwrap_or(usual.score_threshold),
        }
    }
}
