//! Committed files that are made from something else: the ImageNet Pareto challenges from their family, the tables of figures
//! in all statements, and the JSON Schemas from the types. `BLESS=1 cargo test -p thimble-challenge --test generated` rewrites them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde::Deserialize;
use serde_json::Value;
use thimble_challenge::challenge::{Disclosure, FIGURES_END, FIGURES_START, ScoreRule, figures, grouped};
use thimble_challenge::composite::{Composite, HouseBaseline};
use thimble_challenge::{Challenge, EvaluationResult, LoadedChallenge, Manifest, round};
use thimble_datasets::Split;

/// `family.json`: what the variants share, and the two numbers in which they differ.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Family {
    variants: Vec<Variant>,
    samples_per_class: SamplesPerClass,
    shared: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Variant {
    size: String,
    parameters: u64,
    baseline: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SamplesPerClass {
    train: u32,
    validation: u32,
    test: u32,
}

/// The sample networks of the original statements: variant, layer widths, and what the statement says of their size.
const SAMPLES: [(&str, &[u64], &str); 5] = [
    ("200K", &[384, 256, 128], "131,456"),
    ("500K", &[384, 384, 128], "196,992"),
    ("1M", &[384, 512, 128], "262,784"),
    ("2.5M", &[384, 1024, 1024, 128], "1,577,728"),
    ("5M", &[384, 1536, 1536, 1536, 128], "about 4.9 million"),
];

/// FLOPs that the two-layer network's 50 epochs take by the meter, rounded: `examples/solutions/mlp` is charged
/// 95,420,989,026. Analytically 50 epochs × 2,048 rows × (6 × 49,152 + 4 × 147,456) = 9.1e10: the first layer needs no
/// gradient of its input.
const TRAINING_REFERENCE: u64 = 95_500_000_000;

/// Measured with the original evaluator (PyTorch) on the public data: the 500K sample network for one seed (923 of
/// 1,024 rows), and class means of train (1,004), and of train and validation (1,014), as a linear layer.
const REFERENCES: [(&str, u64, f64); 3] = [
    ("two-layer network 384-384-128, Adam, 50 epochs", 197_120, 0.901_367_187_5),
    ("nearest class mean of train", 49_280, 0.980_468_75),
    ("nearest class mean of train and validation", 49_280, 0.990_234_375),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Compares a committed file with what it should be, or writes it.
fn assert_current(path: &str, expected: &str) {
    let file = root().join(path);
    let found = fs::read_to_string(&file).unwrap_or_default();
    // What is current is not written again: other tests may be reading it.
    if found != expected && std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(file.parent().expect("a file has a directory")).expect("writable");
        fs::write(&file, expected).expect("writable");
        return;
    }
    assert!(found == expected, "{path} is not current: run with BLESS=1");
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect("the file is committed")
}

fn family() -> Family {
    serde_json::from_str(&read("examples/challenges/imagenet-pareto/family.json")).expect("a family")
}

/// The challenge of a variant.
fn challenge(family: &Family, variant: &Variant) -> Challenge {
    let label = variant.size.to_uppercase().replace('-', ".");
    let mut value = family.shared.clone();
    value["name"] = format!("imagenet-pareto-{}", variant.size).into();
    value["title"] = format!("ImageNet Pareto {label}").into();
    value["summary"] = format!(
        "Classify synthetic image embeddings with at most {} stored parameters. Accuracy ranks; size and compute break ties.",
        grouped(variant.parameters)
    )
    .into();
    value["limits"]["parameters"] = variant.parameters.into();
    value["score"]["baseline"] = variant.baseline.into();
    Challenge::from_json(value.to_string().as_bytes()).expect("the family is valid")
}

/// Accuracies from the baseline in steps of five points, and 100 %.
fn score_table(rule: &ScoreRule, baseline: f64) -> String {
    let percents = (0..4).map(|step| (baseline * 100.0).round() + 5.0 * f64::from(step));
    let rows = percents.filter(|percent| *percent < 100.0).chain([100.0]);
    let rows = rows.map(|percent| format!("| {percent} % | {:.2} |", score(rule, percent / 100.0)));
    rows.collect::<Vec<_>>().join("\n")
}

fn score(rule: &ScoreRule, accuracy: f64) -> f64 {
    // No rule of this family looks at FLOPs.
    round::decimals(rule.score(accuracy, 1.0).value, 2)
}

/// Weights and biases of fully connected layers.
fn network_parameters(widths: &[u64]) -> u64 {
    widths.windows(2).map(|pair| pair[0] * pair[1] + pair[1]).sum()
}

fn sample_table() -> String {
    let row = |(variant, widths, said): &(&str, &[u64], &str)| {
        let widths_text = widths.iter().map(u64::to_string).collect::<Vec<_>>().join("-");
        format!("| {variant} | {widths_text} | {said} | {} |", grouped(network_parameters(widths)))
    };
    SAMPLES.iter().map(row).collect::<Vec<_>>().join("\n")
}

fn statement(family: &Family, variant: &Variant, challenge: &Challenge) -> String {
    let input_dim = challenge.inputs().next().map_or(0, |field| field.width() as u32);
    let classes = challenge.task.classes().unwrap_or(0);
    let rows = &family.samples_per_class;
    let limits = &challenge.limits;
    let reference = |(name, parameters, accuracy): &(&str, u64, f64)| {
        let score = score(&challenge.score, *accuracy);
        format!("| {name} | {} | {accuracy} | {score:.2} |", grouped(*parameters))
    };
    let ties: Vec<_> = challenge.ranking.tie_breaks.iter().map(|tie| tie.name().replace('_', " ")).collect();
    let largest = family.variants.iter().map(|variant| variant.parameters).max().expect("there are variants");
    let rate = (limits.training_flops.0 as f64 / limits.wall_seconds as f64 / 1e8).ceil() / 10.0;
    let values = BTreeMap::from([
        ("training_multiple", (limits.training_flops.0 / TRAINING_REFERENCE).to_string()),
        ("training_reference", grouped(TRAINING_REFERENCE)),
        ("largest", grouped(largest)),
        // A multiplication and an addition for each weight.
        ("passes", (limits.prediction_flops_per_sample.0 / (2 * largest)).to_string()),
        ("rate", rate.to_string()),
        ("title", challenge.title.clone()),
        ("name", challenge.name.clone()),
        ("figures", figures(challenge).trim_end().to_owned()),
        ("input_dim", grouped(input_dim)),
        ("classes", grouped(classes)),
        ("last_class", grouped(classes - 1)),
        ("train", grouped(classes * rows.train)),
        ("train_per_class", grouped(rows.train)),
        ("validation", grouped(classes * rows.validation)),
        ("validation_per_class", grouped(rows.validation)),
        ("test", grouped(classes * rows.test)),
        ("test_per_class", grouped(rows.test)),
        ("parameters", grouped(limits.parameters.0)),
        ("parameters_plus_one", grouped(limits.parameters.0 + 1)),
        ("allowance", grouped(limits.embedded_allowance_bytes)),
        ("training_flops", grouped(limits.training_flops.0)),
        ("prediction_flops", grouped(limits.prediction_flops_per_sample.0)),
        ("memory", grouped(limits.memory_bytes)),
        ("wall", grouped(limits.wall_seconds)),
        ("metric", challenge.ranking.metric.clone()),
        ("baseline", variant.baseline.to_string()),
        ("score_table", score_table(&challenge.score, variant.baseline)),
        ("reference_table", REFERENCES.iter().map(reference).collect::<Vec<_>>().join("\n")),
        ("tie_breaks", ties.join(", ")),
        ("decimals", challenge.release.metric_decimals.to_string()),
        ("digits", challenge.release.flops_digits.to_string()),
        ("sample_table", sample_table()),
    ]);
    let mut text = read("examples/challenges/imagenet-pareto/statement.template.md");
    for (name, value) in values {
        let place = format!("{{{{{name}}}}}");
        assert!(text.contains(&place), "the template does not use {place}");
        text = text.replace(&place, &value);
    }
    assert!(!text.contains("{{"), "a placeholder of the template is unknown");
    text
}

#[test]
fn imagenet_pareto_challenges_are_current_and_valid() {
    let family = family();
    for variant in &family.variants {
        let challenge = challenge(&family, variant);
        let directory = format!("examples/challenges/{}", challenge.name);
        assert_current(&format!("{directory}/challenge.json"), &challenge.to_json());
        assert_current(&format!("{directory}/statement.md"), &statement(&family, variant, &challenge));
        let dir = Dir::open_ambient_dir(root().join(&directory), ambient_authority()).expect("it was just read");
        let loaded = LoadedChallenge::open_named(&dir, &challenge.name).expect("valid");
        assert_eq!(loaded.challenge, challenge);
    }
}

/// The table: limits and baselines of the five variants; the rest is shared.
#[test]
fn imagenet_pareto_challenges_have_their_two_numbers() {
    let expected = [(200_000, 0.65), (500_000, 0.72), (1_000_000, 0.80), (2_500_000, 0.85), (5_000_000, 0.88)];
    let family = family();
    let found: Vec<_> = family.variants.iter().map(|variant| (variant.parameters, variant.baseline)).collect();
    assert_eq!(found, expected);
    let shared = |variant: &Variant| {
        let mut challenge = challenge(&family, variant);
        challenge.limits.parameters.0 = 0;
        challenge.score = ScoreRule::Metric;
        (challenge.name, challenge.title, challenge.summary) = Default::default();
        challenge
    };
    assert!(family.variants.iter().all(|variant| shared(variant) == shared(&family.variants[0])));
}

/// By hand from the formula: 500/35 = 14.29, 500/28 = 17.86, 500/20 = 25, 500/15 = 33.33, 500/12 = 41.67.
#[test]
fn five_points_above_the_baseline_score_as_by_hand() {
    let family = family();
    let scores = family.variants.iter().map(|variant| {
        let rule = challenge(&family, variant).score;
        score(&rule, variant.baseline + 0.05)
    });
    assert_eq!(scores.collect::<Vec<_>>(), [14.29, 17.86, 25.0, 33.33, 41.67]);
}

/// DESIGN and the reference measurements: 131,456, 197,120, 262,784, 1,575,040 and 5,509,760 parameters.
#[test]
fn sample_networks_have_their_counted_sizes() {
    let counts = SAMPLES.map(|(_, widths, _)| network_parameters(widths));
    assert_eq!(counts, [131_456, 197_120, 262_784, 1_575_040, 5_509_760]);
}

/// Every directory of `examples/challenges` with a challenge in it.
fn challenge_directories() -> Vec<String> {
    let entries = fs::read_dir(root().join("examples/challenges")).expect("it is committed");
    let names = entries.map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8"));
    let mut names: Vec<_> =
        names.filter(|name| root().join("examples/challenges").join(name).join("challenge.json").is_file()).collect();
    names.sort();
    names
}

/// Statements that people wrote: the table of figures in them is generated, and that of house baselines.
#[test]
fn statements_have_the_figures_of_their_challenge() {
    for name in challenge_directories() {
        let directory = format!("examples/challenges/{name}");
        let challenge = Challenge::from_json(read(&format!("{directory}/challenge.json")).as_bytes()).expect("valid");
        let statement = read(&format!("{directory}/statement.md"));
        let (before, rest) = statement.split_once(FIGURES_START).expect("the table starts");
        let (_, after) = rest.split_once(FIGURES_END).expect("the table ends");
        let mut expected = format!("{before}{}{after}", figures(&challenge).trim_end());
        if let ScoreRule::Composite(composite) = &challenge.score {
            expected = with_house_table(&expected, composite);
        }
        assert_current(&format!("{directory}/statement.md"), &expected);
        let dir = Dir::open_ambient_dir(root().join(&directory), ambient_authority()).expect("it was just read");
        LoadedChallenge::open_named(&dir, &name).expect("valid");
    }
}

/// The head of the table of house baselines in a statement.
const HOUSE_TABLE: &str = "| house baseline | accuracy | FLOPs a row | Q | E | score |\n|---|---|---|---|---|---|\n";

/// The statement with a row for each house baseline: name, metric, FLOPs, and what they give against the house field.
fn with_house_table(statement: &str, composite: &Composite) -> String {
    let anchors = composite.house_anchors();
    let row = |baseline: &HouseBaseline| {
        let (metric, flops) = (baseline.metric, baseline.flops_per_sample);
        let (quality, efficiency) = (composite.quality_of(metric), anchors.efficiency(flops));
        let score = composite.score(metric, flops, &anchors).value;
        let flops = grouped(flops as u64);
        format!("| {} | {metric} | {flops} | {quality:.3} | {efficiency:.3} | {score:.3} |\n", baseline.name)
    };
    let rows: String = composite.house.iter().map(row).collect();
    let (before, rest) = statement.split_once(HOUSE_TABLE).expect("the table of house baselines starts");
    let end = rest.split_inclusive('\n').take_while(|line| line.starts_with('|')).map(str::len).sum();
    let (_, after) = rest.split_at(end);
    format!("{before}{HOUSE_TABLE}{rows}{after}")
}

/// The numbers that the frugal statements repeat in their text.
#[test]
fn frugal_statements_repeat_the_right_numbers() {
    for name in ["frugal-digits", "frugal-embeddings"] {
        let directory = format!("examples/challenges/{name}");
        let challenge = Challenge::from_json(read(&format!("{directory}/challenge.json")).as_bytes()).expect("valid");
        let statement = read(&format!("{directory}/statement.md"));
        let assert_says = |text: String| assert!(statement.contains(&text), "{name}: `{text}` is not in the statement");
        assert_says(format!("\n- {} stored parameters:", grouped(challenge.limits.parameters.0)));
        assert_says(format!("\n- Training: {} FLOPs,", grouped(challenge.limits.training_flops.0)));
        assert_says(format!(
            "\n- Prediction: {} FLOPs a row,",
            grouped(challenge.limits.prediction_flops_per_sample.0)
        ));
        let ScoreRule::Composite(composite) = &challenge.score else { unreachable!("both are scored so") };
        let (quality, floor) = (composite.weights.quality, composite.floor);
        assert_says(format!("`{quality} × Q + {} × E(FLOPs)", composite.weights.flops));
        assert_says(format!("`Q = (accuracy − {floor}) / ({} − {floor})`", composite.best));
        let tables = challenge.datasets.public.source.generated().expect("generated").tables();
        let classes = challenge.task.classes().unwrap_or(0);
        for split in Split::ALL {
            let rows = tables.split(split).rows as u64;
            assert_says(format!("\n| {split} | {} | {} |", grouped(rows), grouped(rows / u64::from(classes))));
        }
    }
}

#[test]
fn challenges_on_generated_data_name_its_digest() {
    for name in challenge_directories() {
        let path = format!("examples/challenges/{name}/challenge.json");
        let public = Challenge::from_json(read(&path).as_bytes()).expect("valid").datasets.public;
        let generated = public.source.generated().expect("no example brings data of its own");
        assert_eq!(public.digest, generated.digest(), "{name}");
    }
}

/// The table of bits in the threat model.
#[test]
fn the_threat_model_counts_the_bits_of_a_challenge() {
    const START: &str = "<!-- disclosure: generated from challenge.json -->\n";
    const END: &str = "<!-- /disclosure -->";
    let challenge = read("examples/challenges/imagenet-pareto-500k/challenge.json");
    let disclosure = Disclosure::of(&Challenge::from_json(challenge.as_bytes()).expect("valid"));
    let row = |(name, values): (&str, f64)| format!("| {name} | {} | {:.1} |\n", grouped(values as u64), values.log2());
    let rows: String = disclosure.figures().map(row).collect();
    let table = format!(
        "| figure | values, at most | bits |\n|---|---|---|\n{rows}| **together** | | **{:.1}** |\n",
        disclosure.bits()
    );
    let model = read("docs/threat-model.md");
    let (before, rest) = model.split_once(START).expect("the table starts");
    let (_, after) = rest.split_once(END).expect("the table ends");
    assert_current("docs/threat-model.md", &format!("{before}{START}{table}{END}{after}"));
}

/// "about 25 bits a submission": an example on data that is not anyone's tells no more.
#[test]
fn examples_on_private_data_tell_at_most_25_bits() {
    let challenges = challenge_directories().into_iter().map(|name| {
        let path = format!("examples/challenges/{name}/challenge.json");
        Challenge::from_json(read(&path).as_bytes()).expect("valid")
    });
    let mut private = 0;
    for challenge in challenges.filter(|challenge| !challenge.practice) {
        let bits = Disclosure::of(&challenge).bits();
        assert!(bits <= 25.0, "{}: {bits}", challenge.name);
        private += 1;
    }
    assert_eq!(private, 6);
}

#[test]
fn schemas_are_current() {
    assert_current("docs/challenge.schema.json", &Challenge::schema());
    assert_current("docs/result.schema.json", &EvaluationResult::schema());
    assert_current("docs/manifest.schema.json", &Manifest::schema());
}
