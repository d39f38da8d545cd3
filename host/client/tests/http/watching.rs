//! Following a submission.

use thimble_api::submission::SubmissionView;
use thimble_client::{Answer as Answered, Client, ClientError};

use crate::canned::{Answer, Canned, ENDED, ID, QUEUED, Waits, answer, error, json, stream, submission};

fn event(id: u64, state: &str) -> String {
    format!("event: status\nid: {id}\ndata: {}\n\n", submission(state).replace('\n', " "))
}

/// How many states were seen, and the last.
fn watch(client: &Client) -> (usize, Result<Answered<SubmissionView>, ClientError>) {
    let mut seen = 0;
    let last = client.watch(ID.parse().unwrap(), &mut |_| seen += 1);
    (seen, last)
}

#[test]
fn a_stream_is_read_to_the_end_of_the_submission() {
    // The stream says more afterwards: nobody listens.
    let events = format!(": hello\n\n{}{}{}", event(1, QUEUED), event(2, ENDED), event(3, QUEUED));
    let service = Canned::new(vec![stream(&events)]);
    let (client, waits) = service.client();
    let (seen, last) = watch(&client);
    assert_eq!(seen, 2);
    let SubmissionView::Builder(last) = last.unwrap().value else { unreachable!("sent for its builder") };
    assert!(last.run.is_finished());
    assert_eq!(waits.all(), []);
    let arrived = service.arrived();
    assert_eq!(arrived[0].line, format!("GET /api/v1/submissions/{ID}/events"));
    assert_eq!(arrived[0].header("accept"), Some("text/event-stream"));
    assert_eq!(arrived[0].header("last-event-id"), None);
}

#[test]
fn a_stream_that_breaks_is_opened_again_where_it_ended() {
    let service = Canned::new(vec![
        stream(&event(41, QUEUED)),
        Answer::Nothing,
        error(503, "unavailable", Some(3)),
        stream(&event(42, ENDED)),
    ]);
    let (client, waits) = service.client();
    let (seen, last) = watch(&client);
    last.unwrap();
    assert_eq!(seen, 2);
    assert_eq!(waits.all().len(), 3);
    let ids: Vec<_> =
        service.arrived().iter().map(|request| request.header("last-event-id").map(str::to_owned)).collect();
    let after = Some("41".to_owned());
    assert_eq!(ids, [None, after.clone(), after.clone(), after]);
}

#[test]
fn where_there_is_no_stream_it_is_asked() {
    let service = Canned::new(vec![
        answer(200, "content-type: text/html\r\n", "<p>buffering</p>"),
        json(200, &submission(QUEUED)),
        // The service may fail while one waits.
        error(500, "internal", None),
        json(200, &submission(ENDED)),
    ]);
    let (client, _) = service.client();
    let (seen, last) = watch(&client);
    assert_eq!(last.unwrap().json, submission(ENDED));
    assert_eq!(seen, 2);
    let lines: Vec<_> = service.arrived().into_iter().map(|request| request.line).collect();
    assert_eq!(lines[1..], [const { "" }; 3].map(|_| format!("GET /api/v1/submissions/{ID}")));
}

#[test]
fn streams_that_say_nothing_are_given_up_for_questions() {
    let service = Canned::new(vec![stream(""), stream(""), stream(""), json(200, &submission(ENDED))]);
    let (seen, last) = watch(&service.client().0);
    last.unwrap();
    assert_eq!(seen, 1);
    assert_eq!(service.arrived().len(), 4);
}

#[test]
fn what_cannot_be_seen_is_not_waited_for() {
    let service = Canned::new(vec![error(404, "not_found", None)]);
    let (client, waits) = service.client();
    watch(&client).1.unwrap_err();
    assert_eq!(waits.all(), []);
}

/// Half an hour of waits that take no time here. Nothing listens on port 1.
#[test]
fn a_service_that_stays_away_is_given_up_after_half_an_hour_and_not_before() {
    let waits = Waits::default();
    let client = Client::new("http://127.0.0.1:1".parse().unwrap()).with_waiter(Box::new(waits.clone()));
    watch(&client).1.unwrap_err();
    let total: f64 = waits.all().iter().map(|(wait, _)| wait.as_secs_f64()).sum();
    assert!((1_770.0..=1_800.0).contains(&total), "{total}");
}
