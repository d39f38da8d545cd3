#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use thimble_api::challenge::Stage;
use thimble_api::draft::Draft;
use thimble_challenge::challenge::ScoreRule;

use super::*;

fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn named(faults: &[ErrorDetail]) -> Vec<&str> {
    faults.iter().map(|fault| fault.field.as_str()).collect()
}

#[test]
fn a_login_leads_nowhere_else() {
    for (next, path) in [
        ("/submissions/1", "/submissions/1"),
        ("", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nset-cookie: b", "/"),
    ] {
        assert_eq!(LoginForm::leading_to(next).next(), path, "{next}");
    }
}

#[test]
fn a_draft_passes_through_every_form_unchanged() {
    let mut draft = Draft {
        title: "Digits".into(),
        summary: "Read them.".into(),
        keywords: vec!["a".into(), "b c".into()],
        public_dataset: Some("digits".parse().unwrap()),
        metric: Some("accuracy".into()),
        also_published: vec!["f1".into()],
        description: "# Digits\n\nText.\n".into(),
        seed: 7,
        ..Draft::default()
    };
    // What the forms fill in where a draft has nothing yet.
    assert_eq!(Step2Form::of(&draft).apply(&mut draft), []);
    assert_eq!(Step4Form::of(&draft).apply(&mut draft, Stage::Draft), []);
    let before = draft.clone();
    assert_eq!(Step1Form::of(&draft).apply(&mut draft), []);
    assert_eq!(Step2Form::of(&draft).apply(&mut draft), []);
    assert_eq!(Step3Form::of(&draft).apply(&mut draft), []);
    assert_eq!(Step4Form::of(&draft).apply(&mut draft, Stage::Draft), []);
    assert_eq!(draft, before);
}

#[test]
fn a_composite_rule_passes_through_the_form() {
    let form = Step2Form {
        rule: "composite".into(),
        weights: ["0.7", "0.2", "0.1"].map(String::from),
        floor: "0.6".into(),
        best: "1".into(),
        quality: "skill".into(),
        house: vec![HouseRow { name: "means".into(), metric: "0.676".into(), flops_per_sample: "5.15kF".into() }],
        reference_flops: "34200".into(),
        ..Step2Form::default()
    };
    let mut draft = Draft::default();
    assert_eq!(form.apply(&mut draft), []);
    let Some(ScoreRule::Composite(composite)) = &draft.score else { unreachable!("the form says composite") };
    assert_eq!(composite.house.len(), 1);
    assert_eq!(composite.house[0].flops_per_sample, 5150.0);
    let again = draft.clone();
    assert_eq!(Step2Form::of(&draft).apply(&mut draft), []);
    assert_eq!(draft, again);
}

/// The page shows no score while there is no public dataset, and so sends none.
#[test]
fn a_step_sent_without_a_score_keeps_the_score() {
    let baseline = ScoreRule::LinearAboveBaseline { baseline: 0.72 };
    let mut draft = Draft { score: Some(baseline.clone()), ..Draft::default() };
    assert_eq!(Step2Form::read(&fields(&[("metric", "accuracy")])).apply(&mut draft), []);
    assert_eq!(draft.score, Some(baseline));
    assert_eq!(draft.metric.as_deref(), Some("accuracy"));
}

#[test]
fn every_fault_of_a_form_is_named() {
    let sent = fields(&[
        ("score.rule", "composite"),
        ("score.weights.quality", "much"),
        ("score.weights.flops", "0.2"),
        ("score.weights.carbon", "NaN"),
        ("score.floor", ""),
        ("score.best", "1"),
        ("score.house[1].name", "a"),
        ("score.house[1].metric", "inf"),
        ("score.house[1].flops_per_sample", "-"),
        ("score.reference_flops", "2TF"),
        ("tie_breaks[2]", "luck"),
        ("public_dataset", "../x"),
    ]);
    let mut draft = Draft::default();
    let faults = Step2Form::read(&sent).apply(&mut draft);
    let expected = [
        "public_dataset",
        "tie_breaks[2]",
        "score.weights.quality",
        "score.weights.carbon",
        "score.floor",
        "score.house[1].metric",
        "score.house[1].flops_per_sample",
    ];
    assert_eq!(named(&faults), expected);
    assert_eq!(draft.score, None);
}

#[test]
fn a_published_challenge_keeps_what_is_measured() {
    let mut draft = Draft::default();
    let sent = fields(&[
        ("quotas.official_per_day", "7"),
        ("quotas.validation_per_day", "70"),
        ("rules.failures_per_day", "3"),
        ("rules.concurrency", "1"),
        ("rules.team_budget", "1.5EF"),
        ("rules.closes_at", "2026-12-31T18:00"),
        ("limits.parameters", "1"),
    ]);
    assert_eq!(Step4Form::read(&sent).apply(&mut draft, Stage::Published), []);
    assert_eq!(draft.limits, None);
    let edit = edit_of(Step::Rules, &draft);
    assert_eq!(edit.quotas.unwrap().official_per_day, 7);
    let rules = edit.rules.unwrap();
    assert_eq!(rules.team_budget.to_string(), "1500PF");
    assert_eq!(rules.closes_at.unwrap().to_string(), "2026-12-31T18:00:00.000Z");
    assert_eq!(edit.title, None);
}

#[test]
fn amounts_are_read_as_they_are_written() {
    for bytes in [0, 1, 1023, 1024, 262_144, 512 << 20, 4 << 30, (4 << 30) - 1] {
        assert_eq!(values::bytes(&values::bytes_text(bytes)), Some(bytes));
    }
    for flops in [1, 999, 2_000_000, 4_000_000_000_000] {
        assert_eq!(values::flops(&values::flops_text(flops)), Some(flops));
    }
    for real in [0.0, 0.72, 2e-10, 473.0, 1e300] {
        assert_eq!(values::real_text(real).parse(), Ok(real));
    }
    assert_eq!(values::bytes("99999999999999999999 GiB"), None);
    assert_eq!(values::time("2026-02-30T10:00"), None);
}

#[test]
fn faults_of_the_challenge_file_find_their_input() {
    for (field, input, step) in [
        ("ranking.metric", "metric", Step::Data),
        ("ranking.options.score_threshold", "metric_options.score_threshold", Step::Data),
        ("ranking.also_published[1]", "also_published[1]", Step::Data),
        ("datasets.official_commitment", "official_dataset", Step::Data),
        ("task.classes", "public_dataset", Step::Data),
        ("keywords[2]", "keywords[2]", Step::Tile),
        ("statement.md line 4", "description", Step::Description),
        ("limits.parameters", "limits.parameters", Step::Rules),
        ("score.house[0].name", "score.house[0].name", Step::Data),
    ] {
        assert_eq!(input_of(field), input);
        assert_eq!(Step::of_fault(field), step, "{field}");
    }
}

#[test]
fn requests_say_what_is_missing() {
    assert_eq!(named(&JoinForm::default().request(false).unwrap_err()), ["code", "account"]);
    assert_eq!(named(&JoinForm::default().request(true).unwrap_err()), ["code"]);
    assert_eq!(named(&NewDraftForm::default().request().unwrap_err()), ["name", "title"]);
    let budget = BudgetForm { team: "a b".into(), granted: "much".into(), revoked: true };
    assert_eq!(named(&budget.request().unwrap_err()), ["team", "granted"]);
    let invite = InviteForm { label: "Ada".into(), budget: "200PF".into(), days: "7".into() };
    let request = invite.request(Timestamp::from_millis(0)).unwrap();
    assert_eq!(request.expires_at, Some(Timestamp::from_millis(7 * DAY)));
    let note = SubmitForm { mode: "official".into(), note: "x".repeat(MAX_NOTE_BYTES + 1) };
    assert_eq!(named(&note.values().unwrap_err()), ["note"]);
}

#[test]
fn lines_end_as_the_service_writes_them() {
    let sent = fields(&[("description", "a\r\nb\r\n")]);
    assert_eq!(Step3Form::read(&sent).description, "a\nb\n");
}
