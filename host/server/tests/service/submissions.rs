//! Submissions from their first byte to their end.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use thimble_api::{SubmissionId, Timestamp};
use thimble_challenge::Verdict;
use thimble_server::Config;
use tower::ServiceExt as _;

use crate::world::{World, config, request};

#[tokio::test]
async fn a_submission_is_accepted_followed_and_finished() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let token = world.builder("bob").await;
    let sent =
        world.submit_as("open", &token, &[("mode", "official"), ("note", "first")], b"one", &[]).await.expect(202);
    let accepted = sent.json();
    let id = accepted["submission"]["id"].as_str().unwrap();
    assert_eq!(sent.header("location"), format!("/api/v1/submissions/{id}"));
    assert_eq!(accepted["submission"]["note"], "first");
    assert_eq!(accepted["quota"]["left"], 999);
    assert_eq!(
        accepted["submission"]["run"],
        json!({
            "mode": "official",
            "status": { "state": "queued", "position": 1, "expected_wait_seconds": null, "attempt": 1 }
        })
    );
    let path = format!("/api/v1/submissions/{id}");
    world.finish_next(Verdict::Scored, 0.25, 100.0).await;
    let status = world.get(&path, Some(&token)).await.expect(200).json()["submission"]["run"]["status"].clone();
    assert_eq!(status["state"], "finished");
    assert_eq!(status["ending"], "published");
    assert_eq!(status["figures"]["metrics"]["rmse"]["value"], 0.25);
    let context = world.get(&format!("{path}/context"), Some(&token)).await.expect(200).json();
    assert_eq!((context["rank"].clone(), context["of"].clone()), (json!(1), json!(1)));
    world.post(&format!("{path}/cancel"), &token).await.expect(409);
}

#[tokio::test]
async fn the_same_key_is_the_same_submission() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let token = world.builder("bob").await;
    let key = [("idempotency-key", "key-1")];
    let first = world.submit_as("open", &token, &[], b"one", &key).await.expect(202).json();
    let again = world.submit_as("open", &token, &[], b"one", &key).await.expect(200).json();
    assert_eq!(first["submission"]["id"], again["submission"]["id"]);
    assert_eq!((first["repeated"].clone(), again["repeated"].clone()), (json!(false), json!(true)));
    assert_eq!(world.submit_as("open", &token, &[], b"two", &key).await.expect(409).code(), "conflict");
    // Without a key the same component is pointed to its result.
    let duplicate = world.submit_as("open", &token, &[], b"one", &[]).await.expect(409);
    assert_eq!(duplicate.json()["error"]["details"][0]["message"], first["submission"]["id"]);
    world.submit_as("open", &token, &[("again", "true")], b"one", &[]).await.expect(202);
    for bad in [" ", "a b", &"x".repeat(201)] {
        world.submit_as("open", &token, &[], b"three", &[("idempotency-key", bad)]).await.expect(400);
    }
}

#[tokio::test]
async fn a_package_that_cannot_be_read_is_neither_kept_nor_counted() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let token = world.builder("bob").await;
    let (kind, body) = crate::world::multipart(&[], &[("package", "a.zip", b"PK\x03\x04 but no archive")]);
    let sent = request(Method::POST, "/api/v1/challenges/open/submissions", Some(&token)).header("content-type", kind);
    let refused = world.send(sent.body(Body::from(body)).unwrap()).await.expect(422);
    assert_eq!(refused.code(), "validation_failed");
    assert_eq!(refused.json()["error"]["details"][0]["field"], "package");
    let listed = world.get("/api/v1/submissions", Some(&token)).await.expect(200).json();
    assert_eq!(listed["items"], json!([]));
    let view = world.get("/api/v1/challenges/open", Some(&token)).await.expect(200).json();
    assert_eq!(view["quotas"][1]["left"], 1_000);
    assert_eq!(world.store.sizes().await.unwrap().artifact_bytes, 0);
}

#[tokio::test]
async fn a_package_that_is_refused_takes_no_room() {
    let world = World::new().await;
    world.challenge("open", |draft| draft["quotas"]["validation_per_day"] = json!(2)).await;
    let token = world.builder("bob").await;
    let first = world.submit_as("open", &token, &[], b"one", &[]).await.expect(202).json();
    let room = async || world.store.sizes().await.unwrap().artifact_bytes;
    let before = room().await;
    // The bytes of a submission that was accepted stay.
    world.submit_as("open", &token, &[], b"one", &[]).await.expect(409);
    assert_eq!(room().await, before);
    world.submit("open", &token, "validation").await;
    let full = room().await;
    for i in 0..5 {
        let code =
            world.submit_as("open", &token, &[], format!("further {i}").as_bytes(), &[]).await.expect(429).code();
        assert_eq!(code, "quota_exhausted");
    }
    assert_eq!(room().await, full);
    let package = first["submission"]["package"].as_str().unwrap().parse().unwrap();
    assert!(world.store.artifact(&package).await.unwrap().is_some());
}

#[tokio::test]
async fn one_s_own_submissions_come_in_parts_newest_first() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let (token, other) = (world.builder("bob").await, world.builder("eve").await);
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(world.submit("open", &token, "validation").await.to_string());
        world.submit("open", &other, "validation").await;
    }
    made.reverse();
    let (mut listed, mut after) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("/api/v1/submissions?limit=2{after}"), Some(&token)).await.expect(200).json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        listed.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(listed, made);
    let official = world.get("/api/v1/submissions?mode=official&challenge=open", Some(&token)).await.expect(200).json();
    assert_eq!(official, json!({ "items": [], "next": null }));
    world.get("/api/v1/submissions?challenge=absent", Some(&token)).await.expect(404);
    world.get("/api/v1/submissions?after=forged", Some(&token)).await.expect(400);
}

#[tokio::test]
async fn quotas_and_budgets_refuse_with_their_own_codes() {
    let world = World::new().await;
    world.challenge("open", |draft| draft["quotas"]["official_per_day"] = json!(1)).await;
    let token = world.builder("bob").await;
    world.submit("open", &token, "official").await;
    let refused = world.submit_as("open", &token, &[("mode", "official")], b"two", &[]).await.expect(429);
    assert_eq!(refused.code(), "quota_exhausted");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((86_000..=86_400).contains(&wait), "{wait}");
    let path = "/api/v1/operator/challenges/open/teams/bob/budget";
    let none = json!({ "granted": "1F" });
    world.call(Method::PUT, path, &world.operator, &none).await.expect(200);
    let refused = world.submit_as("open", &token, &[], b"three", &[]).await.expect(402);
    assert_eq!(refused.code(), "budget_exhausted");
}

#[tokio::test]
async fn a_cancelled_submission_ends_and_says_so() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let token = world.builder("bob").await;
    for (mode, ending) in [("official", json!("cancelled")), ("validation", Value::Null)] {
        let id = world.submit("open", &token, mode).await;
        // It is looked at before, so that a status of before could be shown after.
        world.get(&format!("/api/v1/submissions/{id}"), Some(&token)).await.expect(200);
        let cancelled = world.post(&format!("/api/v1/submissions/{id}/cancel"), &token).await.expect(200).json();
        assert_eq!(cancelled["run"]["status"]["state"], "finished", "{cancelled}");
        assert_eq!(cancelled["run"]["status"]["ending"], ending);
        let status = world.get(&format!("/api/v1/submissions/{id}"), Some(&token)).await.expect(200).json();
        assert_eq!(status["submission"], cancelled);
    }
}

#[tokio::test]
async fn ids_that_are_forged_name_nothing() {
    let world = World::new().await;
    let token = world.builder("bob").await;
    let fresh = SubmissionId::fresh().to_string();
    let forged =
        [fresh.clone(), fresh.to_uppercase(), "0".to_owned(), "..%2f..%2fetc%2fpasswd".to_owned(), "%00".to_owned()];
    for id in forged {
        for part in ["", "/log", "/events", "/context"] {
            let answer = world.get(&format!("/api/v1/submissions/{id}{part}"), Some(&token)).await.expect(404);
            assert_eq!(answer.code(), "not_found");
        }
        world.post(&format!("/api/v1/submissions/{id}/cancel"), &token).await.expect(404);
        world.get(&format!("/api/v1/operator/submissions/{id}"), Some(&world.operator)).await.expect(404);
    }
}

/// The events of a stream, as text, until it ends or `most` pieces came.
async fn stream(world: &World, id: SubmissionId, token: &str, last: Option<&str>, most: usize) -> (Vec<String>, bool) {
    let mut request = request(Method::GET, &format!("/api/v1/submissions/{id}/events"), Some(token));
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let response = world.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body().into_data_stream();
    let mut events = Vec::new();
    while events.len() < most {
        match tokio::time::timeout(Duration::from_secs(20), body.next()).await.expect("an event or the end") {
            Some(piece) => events.push(String::from_utf8(piece.unwrap().to_vec()).unwrap()),
            None => return (events, true),
        }
    }
    (events, false)
}

#[tokio::test]
async fn a_stream_tells_every_change_and_ends_with_the_submission() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let token = world.builder("bob").await;
    let id = world.submit("open", &token, "official").await;
    let (events, _) = stream(&world, id, &token, None, 1).await;
    assert!(events[0].contains("\nevent: status\ndata: {") && events[0].contains("queued"), "{}", events[0]);
    let following = stream(&world, id, &token, None, usize::MAX);
    let finishing = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        world.finish_next(Verdict::Scored, 0.5, 100.0).await;
    };
    let ((events, ended), ()) = tokio::join!(following, finishing);
    assert!(ended);
    assert!(events.first().unwrap().contains("queued"));
    let last = events.last().unwrap();
    assert!(last.contains("\"state\":\"finished\""), "{last}");
    // Whoever has the last event is told nothing twice.
    let tag = last.lines().next().unwrap().strip_prefix("id: ").unwrap().to_owned();
    assert_eq!(stream(&world, id, &token, Some(&tag), usize::MAX).await, (Vec::new(), true));
}

#[tokio::test]
async fn streams_have_a_number() {
    let world = World::with(Config { max_streams: 3, max_streams_per_client: 2, ..config() }).await;
    world.challenge("open", |_| {}).await;
    let (bob, eve) = (world.builder("bob").await, world.builder("eve").await);
    let (of_bob, of_eve) = (world.submit("open", &bob, "official").await, world.submit("open", &eve, "official").await);
    let open = async |id: SubmissionId, token: &str| {
        let request = request(Method::GET, &format!("/api/v1/submissions/{id}/events"), Some(token));
        world.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    };
    let (first, second) = (open(of_bob, &bob).await, open(of_bob, &bob).await);
    assert_eq!((first.status(), second.status()), (200.try_into().unwrap(), 200.try_into().unwrap()));
    let third = open(of_bob, &bob).await;
    assert_eq!(third.status(), 503);
    assert!(third.headers().contains_key("retry-after"));
    let other = open(of_eve, &eve).await;
    assert_eq!(other.status(), 200);
    assert_eq!(open(of_eve, &eve).await.status(), 503);
    drop((first, second));
    assert_eq!(open(of_bob, &bob).await.status(), 200);
}

#[tokio::test]
async fn figures_are_told_at_their_tick_and_not_before() {
    let world = World::new().await;
    // A week: the next tick is not now.
    world.challenge("open", |draft| draft["release"]["tick_seconds"] = json!(604_800)).await;
    let token = world.builder("bob").await;
    let id = world.submit("open", &token, "official").await;
    world.finish_next(Verdict::Scored, 0.5, 100.0).await;
    let row = world.store.submission(id).await.unwrap().unwrap();
    assert!(row.released_at.unwrap() > Timestamp::now());
    let status = world.get(&format!("/api/v1/submissions/{id}"), Some(&token)).await.expect(200);
    let state = status.json()["submission"]["run"]["status"].clone();
    assert_eq!((&state["state"], &state["release_tick_seconds"]), (&json!("running"), &json!(604_800)));
    let heard = state["heartbeat_at"].as_str().unwrap();
    assert!(heard.ends_with(":00.000Z"), "to the minute, as while it ran: {heard}");
    let challenge = world.get("/api/v1/challenges/open", Some(&token)).await.expect(200).json();
    assert_ne!(challenge["budget"]["reserved"], json!("0F"), "what it held is held until then");
    assert_eq!(challenge["budget"]["used"], json!("0F"));
    let board = world.get("/api/v1/challenges/open/leaderboard", None).await.expect(200).json();
    assert_eq!((board["total"].clone(), board["version"].clone()), (json!(0), json!(0)));
    world.get(&format!("/api/v1/submissions/{id}"), None).await.expect(404);
}

#[tokio::test]
async fn a_status_asked_for_with_its_tag_is_not_sent_again() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let token = world.builder("bob").await;
    let id = world.submit("open", &token, "official").await;
    let path = format!("/api/v1/submissions/{id}");
    let tag = world.get(&path, Some(&token)).await.expect(200).header("etag").to_owned();
    let ask = |tag: &str| -> Request<Body> {
        request(Method::GET, &path, Some(&token)).header("if-none-match", tag).body(Body::empty()).unwrap()
    };
    world.send(ask(&tag)).await.expect(304);
    world.finish_next(Verdict::Scored, 0.5, 100.0).await;
    world.send(ask(&tag)).await.expect(200);
}

#[tokio::test]
async fn a_validation_run_shows_everything_and_an_official_one_only_what_is_published() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let token = world.builder("bob").await;
    let shown = async |mode: &str| {
        let id = world.submit("open", &token, mode).await;
        assert_eq!(world.finish_next(Verdict::Scored, 0.5, 100.0).await, id);
        let status = world.get(&format!("/api/v1/submissions/{id}"), Some(&token)).await.expect(200);
        let page = world.get(&format!("/submissions/{id}"), Some(&token)).await.expect(200);
        let log = world.get(&format!("/api/v1/submissions/{id}/log"), Some(&token)).await.expect(200);
        (status.json()["submission"]["run"]["status"].clone(), page.text(), log.json())
    };
    let (status, page, log) = shown("validation").await;
    assert_eq!(status["peak_memory_bytes"], 9_876_543);
    assert_eq!(status["cost"]["training_flops_budget"], 1_000_000.0);
    assert_eq!(log["text"], "words of the guest");
    assert!(page.contains("words of the guest"));
    let (status, page, log) = shown("official").await;
    assert_eq!(log, json!({ "availability": "withheld" }));
    for hidden in ["9876543", "9,876,543", "77160", "1234567", "words of the guest", "seconds\":", "peak_memory"] {
        assert!(!status.to_string().contains(hidden) && !page.contains(hidden), "{hidden}");
    }
}
