//! What is refused, by the service or by the client.

use std::time::Duration;

use thimble_api::account::JoinRequest;
use thimble_client::{Client, ClientError, Kind};

use crate::canned::{Answer, Canned, answer, error, json};

#[test]
fn patience_ends_and_the_last_error_is_told() {
    // 60 s of patience, and the service asks for 25 s each time.
    let service = Canned::new(vec![error(503, "unavailable", Some(25)); 3]);
    let (client, waits) = service.client();
    let error = client.whoami().unwrap_err();
    assert_eq!(error.refusal().unwrap().body.request_id, "r-7");
    assert_eq!(waits.all(), [(Duration::from_secs(25), true); 2]);
    assert_eq!(service.arrived().len(), 3);
}

#[test]
fn a_quota_is_not_waited_for() {
    let service = Canned::new(vec![error(429, "quota_exhausted", Some(1))]);
    let (client, waits) = service.client();
    let error = client.whoami().unwrap_err();
    assert_eq!(error.kind(), Kind::Limit);
    assert!(error.to_string().contains("again in 1 s"), "{error}");
    assert_eq!(waits.all(), []);
}

/// The token would go wherever the redirect points.
#[test]
fn a_redirect_is_not_followed() {
    let service = Canned::new(vec![answer(302, "location: http://127.0.0.1:1/stolen\r\n", "")]);
    let error = service.client().0.whoami().unwrap_err();
    assert!(matches!(&error, ClientError::Redirected { location, .. } if location.ends_with("stolen")), "{error}");
    assert_eq!(service.arrived().len(), 1);
}

#[test]
fn a_secret_is_not_sent_in_clear_text() {
    // 192.0.2.0/24 is reserved for documentation (RFC 5737): nothing listens there.
    let open = || Client::new("http://192.0.2.1".parse().unwrap());
    let with_token = open().with_token("thb_test".parse().unwrap());
    assert!(matches!(with_token.whoami(), Err(ClientError::NotEncrypted { .. })));
    let join = JoinRequest { code: "c".to_owned(), account: None, team: None };
    assert!(matches!(open().join(&join), Err(ClientError::NotEncrypted { .. })));
    assert!(matches!(open().whoami(), Err(ClientError::NoToken { .. })));
}

#[test]
fn an_answer_is_read_up_to_the_limit_and_no_further() {
    // Announced by nothing: the end is where the connection ends.
    let mut endless = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n".to_vec();
    endless.resize(endless.len() + (33 << 20), b' ');
    let service = Canned::new(vec![Answer::Bytes(endless)]);
    assert!(matches!(service.client().0.whoami(), Err(ClientError::TooLarge { limit: 33_554_432 })));
}

#[test]
fn an_answer_that_breaks_off_is_asked_for_again() {
    let broken = Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"account\"".to_vec());
    let whole = json(200, r#"{"account": "ada", "team": "ada", "scope": "operator", "expires_at": null}"#);
    let service = Canned::new(vec![broken, whole]);
    let (client, waits) = service.client();
    client.whoami().unwrap();
    assert_eq!(waits.all().len(), 1);
}

#[test]
fn a_page_in_between_is_not_taken_for_the_service() {
    let html = "content-type: text/html\r\n";
    for (status, kind) in [(200, Kind::Service), (404, Kind::Service), (403, Kind::Access)] {
        let service = Canned::new(vec![answer(status, html, "<h1>Log in to the network</h1>")]);
        let error = service.client().0.whoami().unwrap_err();
        assert!(matches!(error, ClientError::Foreign { status: own, .. } if own == status), "{error}");
        assert_eq!(error.kind(), kind);
    }
}

#[test]
fn an_unknown_answer_says_that_versions_may_differ() {
    let service = Canned::new(vec![json(200, r#"{"account": "ada"}"#)]);
    let error = service.client().0.whoami().unwrap_err();
    assert!(error.to_string().contains("different versions"), "{error}");
}
