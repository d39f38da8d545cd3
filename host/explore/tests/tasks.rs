//! Every task has its statistics, on a small dataset of it.

#[expect(dead_code, reason = "every test file uses a part of the samples")]
mod samples;

use samples::{ROWS, open};
use thimble_datasets::{Tables, Values};
use thimble_explore::{Breakdown, Distribution, Exploration, Options, Section, explore};

fn explored(tables: &Tables) -> Exploration {
    let (_directory, dataset) = open(tables);
    explore(&dataset, &Options::default())
}

fn section<'a>(exploration: &'a Exploration, title: &str) -> &'a Section {
    exploration.sections.iter().find(|section| section.title == title).expect("the task has the section")
}

fn distribution<'a>(section: &'a Section, title: &str) -> &'a Distribution {
    section.distributions.iter().find(|of| of.title == title).expect("the section has the distribution")
}

/// Rows that the bins and the missing of a distribution show together, in train and validation.
fn totals(of: &Distribution) -> [u64; 2] {
    [&of.train, &of.validation].map(|summary| {
        let bins = summary.bins.iter().map(|bin| bin.count).chain(summary.missing);
        bins.map(|cell| cell.count().unwrap_or(0)).sum()
    })
}

fn train_total(breakdown: &Breakdown) -> u64 {
    breakdown.train.iter().map(|cell| cell.count().unwrap_or(0)).sum()
}

#[test]
fn every_task_has_its_sections() {
    let titles: Vec<Vec<String>> = samples::all()
        .iter()
        .map(|tables| explored(tables).sections.into_iter().map(|section| section.title).collect())
        .collect();
    let expected: [&[&str]; 10] = [
        &["Classes", "Conditions", "Images"],
        &["Classes", "Texts"],
        &["Classes", "Conditions", "Columns"],
        &["Classes", "Images", "Boxes"],
        &["Classes", "Images", "Masks"],
        &["Classes", "Images", "Instances"],
        &["Images", "Keypoints"],
        &["Conditions", "Target", "Columns"],
        &["Series"],
        &["Events", "Conditions", "Time", "Columns"],
    ];
    assert_eq!(titles, expected);
}

#[test]
fn histograms_hold_every_row_unless_some_are_suppressed() {
    for tables in samples::all() {
        let exploration = explored(&tables);
        for of in exploration.sections.iter().flat_map(|section| &section.distributions) {
            let summaries = [&of.train, &of.validation];
            for ((summary, total), rows) in summaries.into_iter().zip(totals(of)).zip(ROWS) {
                let hidden = summary.bins.iter().map(|bin| bin.count).chain(summary.missing);
                let hidden = hidden.filter(|cell| cell.count().is_none()).count();
                if hidden == 0 {
                    assert_eq!(total, rows as u64, "{}: {}", tables.name, of.title);
                } else {
                    assert!(hidden >= 2 && rows as u64 - total >= 5, "{}: {}", tables.name, of.title);
                }
            }
        }
    }
}

#[test]
fn class_counts_are_those_of_the_metadataset() {
    for tables in [samples::image_classification(), samples::object_detection(), samples::semantic_segmentation()] {
        let (_directory, dataset) = open(&tables);
        let exploration = explore(&dataset, &Options::default());
        let expected = dataset.metadataset().class_counts(thimble_datasets::Split::Train).expect("it has classes");
        let found: Vec<_> =
            section(&exploration, "Classes").breakdowns[0].train.iter().map(|cell| cell.count()).collect();
        let expected: Vec<_> = expected.iter().map(|&count| Some(count)).collect();
        assert_eq!(found[..expected.len()], expected, "{}", tables.name);
    }
}

#[test]
fn a_table_has_its_missing_values_its_categories_and_its_correlations() {
    let exploration = explored(&samples::tabular_regression());
    let columns = section(&exploration, "Columns");
    assert!(distribution(columns, "height").train.missing.is_some_and(|cell| cell.count().is_some()));
    assert_eq!(columns.breakdowns[0].title, "colour");
    let correlations = columns.correlations.as_ref().expect("there are three numbers");
    assert_eq!(correlations.names, ["target", "weight", "height"]);
    assert_eq!(correlations.values[0][1], Some(1.0));
    // height = 100 + weight + noise of half its deviation: r = 1 / √(1 + ¼) = 0.89.
    assert!(correlations.values[1][2].is_some_and(|r| (r - 0.89).abs() < 0.04), "{correlations:?}");
}

#[test]
fn a_mean_is_that_of_the_rows() {
    let exploration = explored(&samples::tabular_classification());
    let moments = distribution(section(&exploration, "Columns"), "weight").train.moments.clone();
    let moments = moments.expect("there are enough rows");
    // 70 and 8 by construction; 240 rows leave 0.5 of either in doubt.
    assert!((moments.mean - 70.0).abs() < 1.6 && (moments.deviation - 8.0).abs() < 1.2, "{moments:?}");
    assert_eq!(moments.quantiles.len(), 5);
}

#[test]
fn conditions_are_counted_against_classes_and_events() {
    for tables in [samples::tabular_classification(), samples::time_to_event()] {
        let exploration = explored(&tables);
        let conditions = section(&exploration, "Conditions");
        assert_eq!(train_total(&conditions.breakdowns[0]), ROWS[0] as u64);
        assert_eq!(conditions.cross_tables.len(), 2);
        let cells = conditions.cross_tables[0].cells.iter().flatten();
        assert_eq!(cells.map(|cell| cell.count().expect("all have enough")).sum::<u64>(), ROWS[0] as u64);
    }
}

#[test]
fn keypoints_have_their_visibility_and_size() {
    let exploration = explored(&samples::keypoint_detection());
    let keypoints = section(&exploration, "Keypoints");
    let titles: Vec<_> = keypoints.breakdowns.iter().map(|of| of.title.as_str()).collect();
    assert_eq!(titles, ["Visibility of left eye", "Visibility of right eye", "Visibility of nose"]);
    assert!(keypoints.breakdowns.iter().all(|of| train_total(of) == ROWS[0] as u64));
    assert_eq!(keypoints.distributions.len(), 3);
}

#[test]
fn the_test_split_is_its_number_of_rows() {
    for tables in samples::all() {
        let mut other = tables.clone();
        // As many rows, all of them the first of train, and no objects.
        for (column, (field, values)) in tables.fields.iter().zip(&tables.train.columns).enumerate() {
            other.test.columns[column] = match (field.ragged, field.name.as_str()) {
                (true, _) => Values::none(field.dtype),
                (false, "counts") => Values::S32(vec![0; ROWS[2]]),
                (false, _) => repeated(values, field.width(), ROWS[2]),
            };
        }
        assert_eq!(explored(&other), explored(&tables), "{}", tables.name);
    }
}

fn repeated(values: &Values, width: usize, rows: usize) -> Values {
    fn first<T: Clone>(values: &[T], width: usize, rows: usize) -> Vec<T> {
        values[..width].iter().cloned().cycle().take(width * rows).collect()
    }
    match values {
        Values::F32(values) => Values::F32(first(values, width, rows)),
        Values::F64(values) => Values::F64(first(values, width, rows)),
        Values::S64(values) => Values::S64(first(values, width, rows)),
        Values::S32(values) => Values::S32(first(values, width, rows)),
        Values::S8(values) => Values::S8(first(values, width, rows)),
        Values::U8(values) => Values::U8(first(values, width, rows)),
        Values::Text(values) => Values::Text(first(values, width, rows)),
    }
}

#[test]
fn the_same_dataset_gives_the_same_bytes() {
    for tables in samples::all() {
        let (first, second) = (explored(&tables), explored(&tables));
        assert_eq!(first.to_json(), second.to_json());
        let read = Exploration::from_json(first.to_json().as_bytes()).expect("it was just written");
        assert_eq!(read.to_html(), first.to_html());
        assert_eq!(first.to_html(), second.to_html());
    }
}

#[test]
fn splits_of_one_row_show_nothing() {
    for mut tables in samples::all() {
        if tables.fields.iter().any(|field| field.ragged) {
            continue;
        }
        for table in [&mut tables.train, &mut tables.validation] {
            table.rows = 1;
            for (field, values) in tables.fields.iter().zip(&mut table.columns) {
                *values = repeated(values, field.width(), 1);
            }
        }
        let exploration = explored(&tables);
        let json = serde_json::to_value(&exploration.sections).expect("it is JSON");
        assert_nothing_counted(&json);
    }
}

/// No number but the number of categories that stand behind `other`.
fn assert_nothing_counted(json: &serde_json::Value) {
    match json {
        serde_json::Value::Number(number) => unreachable!("{number} is shown"),
        serde_json::Value::Array(values) => values.iter().for_each(assert_nothing_counted),
        serde_json::Value::Object(entries) => {
            entries.iter().filter(|(key, _)| *key != "categories").for_each(|(_, value)| assert_nothing_counted(value));
        }
        _ => {}
    }
}

#[test]
fn a_page_is_one_file_without_scripts() {
    for tables in samples::all() {
        let html = explored(&tables).to_html();
        let lower = html.to_lowercase();
        for forbidden in ["<script", "javascript:", "<link", "<iframe", "http:", "https:", "@import", " onload", "src="]
        {
            assert!(!lower.contains(forbidden), "{}: {forbidden}", tables.name);
        }
        assert!(html.contains("default-src 'none'; style-src 'unsafe-inline'; img-src data:"));
        assert_eq!(html.matches("<svg").count(), html.matches("<desc").count());
        for tag in ["svg", "table", "section", "details", "article", "div", "tr"] {
            let opened = html.matches(&format!("<{tag} ")).count() + html.matches(&format!("<{tag}>")).count();
            assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{}: {tag}", tables.name);
        }
    }
}

#[test]
fn names_are_text_on_the_page() {
    let mut tables = samples::tabular_classification();
    tables.fields[0].columns[0].name = "<img src=x onerror=alert(1)>".into();
    tables.fields[0].columns[2].categories[0] = "</td><script>alert(2)</script>".into();
    let html = explored(&tables).to_html();
    assert!(!html.contains("<img") && !html.contains("<script"));
    assert!(html.contains("&lt;img src=x onerror=alert(1)&gt;"));
}
