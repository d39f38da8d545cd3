#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use serde_json::json;

use super::*;

fn record(content: Digest, official: bool) -> DatasetRecord {
    let split = |file: &str| json!({ "file": file, "file_digest": content, "rows": 100 });
    DatasetRecord {
        name: "some-data".parse().unwrap(),
        path: "/nowhere".into(),
        digest: content,
        official,
        metadataset: serde_json::from_value(json!({
            "schema_version": 1, "name": "some-data", "task": { "kind": "tabular_regression" }, "digest": content,
            "fields": [
                { "name": "features", "dtype": "f32", "shape": [2], "role": "input" },
                { "name": "target", "dtype": "f64", "shape": [], "role": "target" }
            ],
            "splits": { "train": split("train.arrow"), "validation": split("validation.arrow"), "test": split("test.arrow") }
        }))
        .unwrap(),
        registered_at: Timestamp::default(),
    }
}

fn draft() -> Draft {
    Draft {
        title: "Tiny".to_owned(),
        summary: "Small.".to_owned(),
        description: "Words.".to_owned(),
        public_dataset: Some("some-data".parse().unwrap()),
        metric: Some("rmse".to_owned()),
        ..Draft::default()
    }
}

fn checked(draft: &Draft, data: &Data) -> Result<PublishedChallenge, Vec<String>> {
    let name = "tiny".parse().unwrap();
    check(&name, draft, data, Faults::default()).map_err(|faults| faults.into_iter().map(|fault| fault.field).collect())
}

fn data(official: Option<DatasetRecord>) -> Data {
    Data { public: Some(record(Digest::of(b"public"), false)), official, commitment: None }
}

#[test]
fn a_draft_without_faults_is_a_challenge_that_reads_back() {
    let published = checked(&draft(), &data(None)).unwrap();
    assert_eq!(Challenge::from_json(published.json.as_bytes()).unwrap(), published.challenge);
    assert_eq!(published.digest, Digest::of(published.json.as_bytes()));
    assert!(published.statement.starts_with("Words.\n\n<!-- figures"));
    assert_eq!((published.validation_rows, published.official_rows), (100, 0));
}

#[test]
fn what_is_missing_is_named_and_what_can_be_checked_is() {
    let faults = checked(&Draft::default(), &Data::default()).unwrap_err();
    assert_eq!(faults, ["description", "public_dataset", "title", "summary"]);
    let bad = Draft { metric: Some("auc_roc".to_owned()), seed: u64::MAX, ..draft() };
    assert_eq!(checked(&bad, &data(None)).unwrap_err(), ["ranking.metric", "seed"]);
    let rules =
        ServiceRules { concurrency: 0, failures_per_day: 1_001, official_lifetime: Some(0), ..ServiceRules::default() };
    let faults = checked(&Draft { rules, ..draft() }, &data(None)).unwrap_err();
    assert_eq!(faults, ["rules.official_lifetime", "rules.failures_per_day", "rules.concurrency"]);
}

#[test]
fn the_metric_s_list_is_told_where_none_is_chosen() {
    let name = "tiny".parse().unwrap();
    let faults = check(&name, &Draft { metric: None, ..draft() }, &data(None), Faults::default()).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].field == "ranking.metric" && faults[0].message.contains("rmse"), "{faults:?}");
}

#[test]
fn official_data_that_anyone_can_own_needs_a_practice_challenge() {
    let known = PublicData::BreastCancer.digest();
    for digest in [known, Digest::of(b"public")] {
        let official = data(Some(record(digest, true)));
        assert_eq!(checked(&draft(), &official).unwrap_err(), ["official_dataset"]);
        assert!(checked(&Draft { practice: true, ..draft() }, &official).is_ok());
    }
    assert!(checked(&draft(), &data(Some(record(Digest::of(b"other"), true)))).is_ok());
    assert_eq!(checked(&draft(), &data(Some(record(Digest::of(b"other"), false)))).unwrap_err(), ["official_dataset"]);
}

#[test]
fn official_data_must_have_the_form_of_the_public() {
    let mut other = record(Digest::of(b"other"), true);
    other.metadataset.fields[0].shape = vec![3];
    assert_eq!(checked(&draft(), &data(Some(other))).unwrap_err(), ["official_dataset"]);
}

#[test]
fn data_that_is_generated_is_named_so() {
    for source in SOURCES {
        let digest = source.generated().unwrap().digest();
        assert_eq!(public_dataset(Some(&record(digest, false))), PublicDataset { source, digest });
    }
    assert_eq!(SOURCES.len(), PUBLIC_DATASETS.len(), "a source is missing");
    assert_eq!(public_dataset(Some(&record(Digest::of(b"own"), false))).source, PublicSource::Directory);
}

#[test]
fn the_table_of_figures_stands_where_the_description_has_it() {
    let with = |description: &str| checked(&Draft { description: description.to_owned(), ..draft() }, &data(None));
    let statement = with(&format!("Before.\n{FIGURES_START}\nold\n{FIGURES_END}\nAfter.")).unwrap().statement;
    assert!(
        statement.starts_with("Before.\n<!-- figures")
            && statement.ends_with("\nAfter.")
            && !statement.contains("\nold\n")
    );
    assert_eq!(with(&format!("{FIGURES_START} and no end")).unwrap_err(), ["description"]);
    assert_eq!(with(&"x".repeat(MOST_DESCRIPTION_BYTES + 1)).unwrap_err(), ["description"]);
    assert!(with(&"x".repeat(MOST_DESCRIPTION_BYTES)).is_ok());
}

#[test]
fn an_edit_changes_words_and_quotas_and_nothing_that_is_measured() {
    let before = checked(&draft(), &data(None)).unwrap();
    let changed =
        Draft { title: "Another".to_owned(), metric: Some("mae".to_owned()), seed: 9, practice: true, ..draft() };
    let after = edited(&before, &changed).unwrap();
    assert_eq!(after.challenge, Challenge { title: "Another".to_owned(), ..before.challenge });
    assert_eq!(edited(&after, &Draft { title: String::new(), ..draft() }).unwrap_err()[0].field, "title");
}
