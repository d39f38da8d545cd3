//! Time of the two metrics that have most to count, beside that of their reference libraries in the same run.
//!
//! `cargo bench -p thimble-metrics -- --python venv/bin/python` runs `metrics.py` beside this file with that interpreter, which
//! needs pycocotools and scikit-learn (`tests/golden/requirements.txt`). Without `--python` only our times are printed.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use thimble_metrics::{
    ClassificationInputs, ClassificationTruth, DetectionInputs, DetectionTruth, Inputs, Options, SegmentationInputs,
    SegmentationTruth, Task, evaluate,
};

const IMAGES: usize = 5_000;
const BOXES: usize = 100;
const CLASSES: u32 = 10;
const ROWS: usize = 10_000_000;
/// Masks of `MASK` × `MASK` pixels.
const MASKS: usize = 2_000;
const MASK: u32 = 256;
/// The best of so many runs counts.
const RUNS: usize = 3;
/// How far values may be from the library's.
const TOLERANCE: f64 = 1e-9;
/// The most that our time may be of the library's.
const AIM: f64 = 0.5;

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Stream(u64);

impl Stream {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0 to below 1, a multiple of 2⁻²⁴.
    fn uniform(&mut self) -> f32 {
        (self.next() >> 40) as f32 / 16_777_216.0
    }
}

/// The best time of a few runs, and the value.
fn time(task: Task, name: &str, inputs: &Inputs<'_>) -> Result<(Duration, f64)> {
    let mut best = (Duration::MAX, f64::NAN);
    for _ in 0..RUNS {
        let start = Instant::now();
        let value = evaluate(task, name, inputs, &Options::default())?;
        best = (best.0.min(start.elapsed()), value.value().with_context(|| format!("{name} is undefined"))?);
    }
    Ok(best)
}

/// Boxes of a 640 × 480 image with their classes, and detections of them: most near, some elsewhere.
struct Boxes {
    counts: Vec<i32>,
    truth: Vec<f32>,
    labels: Vec<i64>,
    found: Vec<f32>,
    found_labels: Vec<i64>,
    scores: Vec<f32>,
}

impl Boxes {
    fn new() -> Self {
        let mut stream = Stream(1);
        let mut boxes = Self {
            counts: vec![i32::try_from(BOXES).unwrap_or(i32::MAX); IMAGES],
            truth: Vec::new(),
            labels: Vec::new(),
            found: Vec::new(),
            found_labels: Vec::new(),
            scores: Vec::new(),
        };
        for _ in 0..IMAGES * BOXES {
            let corners = Self::corners(&mut stream);
            let label = (stream.next() % u64::from(CLASSES)) as i64;
            let near = stream.uniform() < 0.7;
            let found =
                if near { corners.map(|place| place + 8.0 * stream.uniform()) } else { Self::corners(&mut stream) };
            boxes.truth.extend(corners);
            boxes.labels.push(label);
            boxes.found.extend(found);
            boxes.found_labels.push(label);
            boxes.scores.push(0.5 * stream.uniform() + if near { 0.5 } else { 0.25 });
        }
        boxes
    }

    fn corners(stream: &mut Stream) -> [f32; 4] {
        let (x, y) = (600.0 * stream.uniform(), 440.0 * stream.uniform());
        [x, y, x + 10.0 + 90.0 * stream.uniform(), y + 10.0 + 90.0 * stream.uniform()]
    }

    fn inputs(&self) -> Inputs<'_> {
        let Self { counts, truth, labels, found, found_labels, scores } = self;
        let truth = DetectionTruth { counts, boxes: truth, labels, classes: CLASSES };
        Inputs::Detection(DetectionInputs { truth, counts, boxes: found, labels: found_labels, scores })
    }

    fn write(&self, directory: &Path) -> Result<()> {
        write(directory, "truth", self.truth.iter().map(|place| place.to_le_bytes()))?;
        write(directory, "labels", self.labels.iter().map(|label| label.to_le_bytes()))?;
        write(directory, "found", self.found.iter().map(|place| place.to_le_bytes()))?;
        write(directory, "found_labels", self.found_labels.iter().map(|label| label.to_le_bytes()))?;
        write(directory, "scores", self.scores.iter().map(|score| score.to_le_bytes()))
    }
}

/// Classes of rows, and the scores of both.
struct Rows {
    labels: Vec<i64>,
    scores: Vec<f32>,
}

impl Rows {
    fn new() -> Self {
        let mut stream = Stream(2);
        let mut rows = Self { labels: Vec::with_capacity(ROWS), scores: Vec::with_capacity(2 * ROWS) };
        for _ in 0..ROWS {
            let label = stream.uniform() < 0.3;
            let score = 0.8 * stream.uniform() + if label { 0.2 } else { 0.0 };
            rows.labels.push(i64::from(label));
            rows.scores.extend([1.0 - score, score]);
        }
        rows
    }

    fn inputs(&self) -> Inputs<'_> {
        let truth = ClassificationTruth { labels: &self.labels, classes: 2, positive: 1, ordinal: false };
        Inputs::Classification(ClassificationInputs { truth, scores: &self.scores })
    }

    fn write(&self, directory: &Path) -> Result<()> {
        write(directory, "classes", self.labels.iter().map(|label| label.to_le_bytes()))?;
        write(directory, "positive", self.scores.iter().skip(1).step_by(2).map(|score| score.to_le_bytes()))
    }
}

fn write<const N: usize>(directory: &Path, name: &str, values: impl Iterator<Item = [u8; N]>) -> Result<()> {
    fs::write(directory.join(name), values.flatten().collect::<Vec<_>>())
        .with_context(|| format!("cannot write {name}"))
}

/// Two discs in each image, of which the prediction is a few pixels off.
fn masks() -> [Vec<u8>; 2] {
    let mut stream = Stream(3);
    let mut masks = [Vec::new(), Vec::new()];
    for _ in 0..MASKS {
        let mut disc = || [0.0, 0.0, 20.0].map(|least| least + 70.0 * stream.uniform());
        let (one, other) = (disc(), disc());
        for (shift, mask) in [0.0, 4.0].into_iter().zip(&mut masks) {
            let inside = |[x, y, radius]: [f32; 3], column: f32, row: f32| {
                (column - x - 90.0 - shift).powi(2) + (row - y - 90.0).powi(2) < radius * radius
            };
            for row in 0..MASK {
                for column in 0..MASK {
                    let (column, row) = (column as f32, row as f32);
                    mask.push(if inside(other, column, row) { 2 } else { u8::from(inside(one, column, row)) });
                }
            }
        }
    }
    masks
}

/// What the library took and found, from the lines that the script prints.
fn reference(output: &str, name: &str) -> Result<(String, Duration, f64)> {
    for line in output.lines() {
        if let [metric, library, seconds, value] = line.split('\t').collect::<Vec<_>>()[..]
            && metric == name
        {
            return Ok((library.to_owned(), Duration::from_secs_f64(seconds.parse()?), value.parse()?));
        }
    }
    bail!("the script did not print {name}")
}

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().collect();
    let python = arguments.iter().position(|argument| argument == "--python");
    let python = python.map(|place| arguments.get(place + 1).context("`--python` needs a path")).transpose()?;
    let (boxes, rows) = (Boxes::new(), Rows::new());
    let ours = [
        ("map", time(Task::ObjectDetection, "map", &boxes.inputs())?),
        ("auc", time(Task::TabularClassification, "auc", &rows.inputs())?),
    ];
    println!("map: {IMAGES} images of {BOXES} boxes and {BOXES} detections; auc: {ROWS} rows; best of {RUNS}");
    for (name, (taken, value)) in &ours {
        println!("{name:<14} ours {:8.3} s, {value}", taken.as_secs_f64());
    }
    let [truth, masks] = masks();
    let truth = SegmentationTruth { size: [MASK; 2], masks: &truth, classes: 3, ignore: None };
    let inputs = Inputs::Segmentation(SegmentationInputs { truth, masks: &masks });
    for name in ["miou", "boundary_iou", "boundary_f1", "hausdorff", "asd"] {
        let (taken, value) = time(Task::SemanticSegmentation, name, &inputs)?;
        println!("{name:<14} ours {:8.3} s, {value}, {MASKS} masks of {MASK} × {MASK}", taken.as_secs_f64());
    }
    let Some(python) = python else { return Ok(()) };
    let directory = tempfile::tempdir()?;
    boxes.write(directory.path())?;
    rows.write(directory.path())?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/metrics.py");
    let run = Command::new(python).arg(script).arg(directory.path()).arg(BOXES.to_string()).output();
    let run = run.with_context(|| format!("cannot run {python}"))?;
    ensure!(run.status.success(), "the script failed: {}", String::from_utf8_lossy(&run.stderr));
    let output = String::from_utf8_lossy(&run.stdout);
    for (name, (taken, value)) in ours {
        let (library, theirs, expected) = reference(&output, name)?;
        let ratio = taken.as_secs_f64() / theirs.as_secs_f64();
        ensure!((value - expected).abs() <= TOLERANCE * expected.abs(), "{name} is {value}, {library} says {expected}");
        let verdict = if ratio <= AIM { "within" } else { "misses" };
        println!("{name:<14} {library} {:8.3} s, ratio {ratio:.4}, {verdict} the aim of {AIM}", theirs.as_secs_f64());
    }
    Ok(())
}
