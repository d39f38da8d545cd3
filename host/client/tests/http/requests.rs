//! What is sent, and what is sent again.

use std::time::Duration;

use thimble_api::account::{InviteRequest, JoinRequest};
use thimble_api::draft::Draft;
use thimble_api::submission::ListQuery;
use thimble_challenge::result::Mode;
use thimble_client::{IdempotencyKey, NewSubmission};

use crate::canned::{Answer, Canned, ENDED, ID, QUEUED, answer, error, json, submission};

const WHOAMI: &str = r#"{"account": "ada", "team": "ada", "scope": "builder", "expires_at": null}"#;

fn accepted() -> String {
    let view = submission(QUEUED);
    let start = view.find(r#""submission": "#).unwrap() + r#""submission": "#.len();
    format!(
        r#"{{"submission": {}, "quota": {{"mode": "validation", "per_day": 50, "left": 49, "next_at": null,
        "lifetime": null, "lifetime_left": null, "failures_per_day": 10, "failures_left": 10}}, "estimate": "1PF",
        "repeated": false}}"#,
        &view[start..view.len() - 1]
    )
}

#[test]
fn a_token_is_a_bearer_token_and_the_json_is_kept_as_it_came() {
    let service = Canned::new(vec![json(200, WHOAMI)]);
    let answer = service.client().0.whoami().unwrap();
    assert_eq!(answer.value.account.as_str(), "ada");
    assert_eq!(answer.json, WHOAMI);
    let arrived = service.arrived();
    assert_eq!(arrived[0].line, "GET /api/v1/whoami");
    assert_eq!(arrived[0].header("authorization"), Some("Bearer thb_test"));
}

#[test]
fn a_query_is_escaped_and_holds_what_is_set() {
    let service = Canned::new(vec![json(200, r#"{"items": [], "next": null}"#)]);
    let query = ListQuery {
        challenge: Some("toy".parse().unwrap()),
        mode: Some(Mode::Official),
        after: Some("a&b=c".to_owned()),
        limit: Some(3),
    };
    assert_eq!(service.client().0.submissions(&query).unwrap().value.items, []);
    let line = &service.arrived()[0].line;
    let (path, query) = line.split_once('?').unwrap();
    let mut pairs: Vec<_> = query.split('&').collect();
    pairs.sort_unstable();
    assert_eq!(path, "GET /api/v1/submissions");
    assert_eq!(pairs, ["after=a%26b%3Dc", "challenge=toy", "limit=3", "mode=official"]);
}

/// The first answer never arrives, the second says to wait: all three requests are the same one.
#[test]
fn a_submission_is_sent_again_under_its_key_until_there_is_an_answer() {
    let service = Canned::new(vec![Answer::Nothing, error(503, "unavailable", Some(9)), json(202, &accepted())]);
    let (client, waits) = service.client();
    let key = IdempotencyKey::fresh();
    let new = NewSubmission { package: b"\0zip\r\n", mode: Mode::Validation, note: "wider", key: &key, again: true };
    let answer = client.submit(&"toy".parse().unwrap(), &new).unwrap();
    assert_eq!(answer.value.submission.id.to_string(), ID);
    let arrived = service.arrived();
    assert_eq!(arrived.len(), 3);
    for request in &arrived {
        assert_eq!(request.line, "POST /api/v1/challenges/toy/submissions");
        assert_eq!(request.header("idempotency-key"), Some(key.as_str()));
        let boundary = request.header("content-type").unwrap().strip_prefix("multipart/form-data; boundary=").unwrap();
        let text = String::from_utf8(request.body.clone()).unwrap();
        let parts: Vec<_> = text.split(&format!("--{boundary}")).collect();
        assert_eq!(parts.len(), 6, "{text}");
        assert!(parts[1].contains("name=\"mode\"") && parts[1].ends_with("\r\n\r\nvalidation\r\n"), "{text}");
        assert!(parts[2].contains("name=\"note\"") && parts[2].ends_with("\r\n\r\nwider\r\n"), "{text}");
        assert!(parts[3].contains("name=\"again\"") && parts[3].ends_with("\r\n\r\ntrue\r\n"), "{text}");
        assert!(parts[4].contains("name=\"package\"") && parts[4].ends_with("\r\n\r\n\0zip\r\n\r\n"), "{text}");
    }
    let waits = waits.all();
    assert!(waits[0].0 <= Duration::from_millis(500), "{waits:?}");
    assert_eq!(waits[1], (Duration::from_secs(9), true));
}

#[test]
fn two_submissions_have_two_keys() {
    assert_ne!(IdempotencyKey::fresh(), IdempotencyKey::fresh());
}

/// An invitation that may have been made is not made again.
#[test]
fn what_must_not_happen_twice_is_not_sent_twice() {
    let service = Canned::new(vec![Answer::Nothing]);
    let (client, waits) = service.client();
    let request = InviteRequest { label: "ada".to_owned(), budget: None, expires_at: None };
    client.invite(&"toy".parse().unwrap(), &request).unwrap_err();
    assert_eq!(service.arrived().len(), 1);
    assert_eq!(waits.all(), []);
}

/// A rate limit is checked before anything happens.
#[test]
fn what_must_not_happen_twice_is_sent_again_when_it_was_refused_unread() {
    let joined = r#"{"challenge": "toy", "token": null}"#;
    let service = Canned::new(vec![error(429, "rate_limited", Some(2)), json(200, joined)]);
    let request = JoinRequest { code: "c".to_owned(), account: None, team: None };
    assert_eq!(service.client().0.join(&request).unwrap().json, joined);
    let arrived = service.arrived();
    assert_eq!(arrived[0].body, br#"{"code":"c","account":null,"team":null}"#);
    assert_eq!(arrived[0].body, arrived[1].body);
}

#[test]
fn a_draft_replaces_the_revision_that_was_seen() {
    let service = Canned::new(vec![error(412, "precondition_failed", None)]);
    service.client().0.put_draft(&"toy".parse().unwrap(), &Draft::default(), 7).unwrap_err();
    let arrived = service.arrived();
    assert_eq!(arrived[0].line, "PUT /api/v1/operator/challenges/toy");
    assert_eq!(arrived[0].header("if-match"), Some("\"7\""));
    assert_eq!(arrived[0].header("content-type"), Some("application/json"));
}

#[test]
fn an_act_without_content_has_no_body() {
    let service = Canned::new(vec![answer(204, "", ""), answer(204, "", ""), json(200, &submission(ENDED))]);
    let (client, _) = service.client();
    client.revoke().unwrap();
    client.revoke_token("thb_1/2").unwrap();
    client.submission(ID.parse().unwrap()).unwrap();
    let lines: Vec<_> = service.arrived().into_iter().map(|request| (request.line, request.body.len())).collect();
    assert_eq!(
        lines,
        [
            ("POST /api/v1/tokens/revoke".to_owned(), 0),
            ("DELETE /api/v1/operator/tokens/thb_1%2F2".to_owned(), 0),
            (format!("GET /api/v1/submissions/{ID}"), 0)
        ]
    );
}
