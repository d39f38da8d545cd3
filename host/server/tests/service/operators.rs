//! What operators do: write, publish, edit, close.

use std::time::Duration;

use axum::body::Body;
use axum::http::Method;
use serde_json::json;
use thimble_api::Timestamp;
use thimble_challenge::Verdict;
use thimble_store::Moment;

use crate::world::{World, draft, request};

#[tokio::test]
async fn a_draft_is_written_published_edited_and_closed() {
    let world = World::new().await;
    let path = "/api/v1/operator/challenges/tiny";
    let new = json!({ "name": "tiny", "title": "Tiny" });
    let created = world.call(Method::POST, "/api/v1/operator/drafts", &world.operator, &new).await.expect(201);
    assert_eq!(created.header("location"), path);
    assert_ne!(created.json()["faults"], json!([]));
    world.call(Method::POST, "/api/v1/operator/drafts", &world.operator, &new).await.expect(409);
    let saved = world.call(Method::PUT, path, &world.operator, &draft()).await.expect(200).json();
    assert_eq!(saved["faults"], json!([]));
    let published = world.post(&format!("{path}/publish"), &world.operator).await.expect(200).json();
    assert_eq!(published["stage"], "published");
    world.post(&format!("{path}/publish"), &world.operator).await.expect(409);
    world.call(Method::PUT, path, &world.operator, &draft()).await.expect(409);
    let view = world.get("/api/v1/challenges/tiny", None).await.expect(200).json();
    assert_eq!(view["challenge"]["ranking"]["tie_breaks"], json!(["fewer_flops", "fewer_parameters", "earlier"]));
    // SHA-256 of 32 times 7 and the dataset's digest: the commitment hides which data it is.
    assert!(view["challenge"]["datasets"]["official_commitment"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(view["revealed_salt"], json!(null));
    let edit = json!({ "title": "Tiny, second edition" });
    world.call(Method::PATCH, path, &world.operator, &edit).await.expect(200);
    assert_eq!(world.get("/api/v1/challenges/tiny", None).await.json()["summary"]["title"], "Tiny, second edition");
    let statement = world.get("/api/v1/challenges/tiny/statement", None).await.expect(200).text();
    assert!(
        statement.contains("Predict a number.") && statement.contains("| parameter limit | 500,000 stored"),
        "{statement}"
    );
    world.post(&format!("{path}/close"), &world.operator).await.expect(200);
    let view = world.get("/api/v1/challenges/tiny", None).await.expect(200).json();
    assert_eq!(view["revealed_salt"], "07".repeat(32));
    let builder = world.builder("bob").await;
    assert_eq!(world.submit_as("tiny", &builder, &[], b"late", &[]).await.expect(409).code(), "conflict");
    let audit = world.get("/api/v1/operator/audit", Some(&world.operator)).await.expect(200).json();
    let acts: Vec<_> = audit["items"].as_array().unwrap().iter().map(|act| act["action"].as_str().unwrap()).collect();
    for act in ["challenge.publish", "challenge.close"] {
        assert!(acts.contains(&act), "{act} is not among {acts:?}");
    }
}

#[tokio::test]
async fn an_edit_of_an_older_revision_is_refused() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let path = "/api/v1/operator/challenges/open";
    let tag = world.get(path, Some(&world.operator)).await.expect(200).header("etag").to_owned();
    let edit = |tag: &str, title: &str| {
        let request = request(Method::PATCH, path, Some(&world.operator)).header("content-type", "application/json");
        request.header("if-match", tag).body(Body::from(json!({ "title": title }).to_string())).unwrap()
    };
    world.send(edit(&tag, "First")).await.expect(200);
    let refused = world.send(edit(&tag, "Second")).await.expect(412);
    assert_eq!(refused.code(), "precondition_failed");
    assert_eq!(world.send(edit("first", "Third")).await.expect(400).code(), "bad_request");
    assert_eq!(world.get(path, Some(&world.operator)).await.json()["draft"]["title"], "First");
}

#[tokio::test]
async fn official_data_that_is_not_fit_for_it_is_refused() {
    let world = World::new().await;
    let new = json!({ "name": "unfit", "title": "Unfit" });
    world.call(Method::POST, "/api/v1/operator/drafts", &world.operator, &new).await.expect(201);
    for (public, official) in [("tiny", "tiny"), ("tiny-official", "tiny-official"), ("absent", "tiny-official")] {
        let mut draft = draft();
        (draft["public_dataset"], draft["official_dataset"]) = (json!(public), json!(official));
        world.call(Method::PUT, "/api/v1/operator/challenges/unfit", &world.operator, &draft).await.expect(200);
        let refused = world.post("/api/v1/operator/challenges/unfit/publish", &world.operator).await.expect(422);
        let details = refused.json()["error"]["details"].to_string();
        assert!(details.contains("_dataset"), "{details}");
    }
    // The digest of official data is told to nobody: who can guess the labels could confirm the guess.
    let official = thimble_datasets::Digest::of(b"official").to_hex();
    let datasets = world.get("/api/v1/operator/datasets", Some(&world.operator)).await.expect(200).text();
    assert!(datasets.contains("tiny-official") && !datasets.contains(&official));
}

#[tokio::test]
async fn a_cover_and_statistics_are_made_anew() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let path = "/api/v1/operator/challenges/open";
    let put = async |part: &str, kind: &str, body: Vec<u8>| {
        let request =
            request(Method::PUT, &format!("{path}/{part}"), Some(&world.operator)).header("content-type", kind);
        world.send(request.body(Body::from(body)).unwrap()).await
    };
    let mut picture = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(40, 20).write_to(&mut picture, image::ImageFormat::Png).unwrap();
    let view = put("cover", "image/png", picture.into_inner()).await.expect(200).json();
    assert_eq!(view["has_cover"], true);
    let cover = world.get("/api/v1/challenges/open/cover", None).await.expect(200);
    assert_eq!(cover.header("content-type"), "image/jpeg");
    assert_eq!(cover.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'; sandbox");
    let notebook = json!({ "nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
        { "cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Words\n<script>alert(1)</script>" }
    ]});
    put("exploration", "application/x-ipynb+json", notebook.to_string().into_bytes()).await.expect(200);
    let page = world.get("/api/v1/challenges/open/explore", None).await.expect(200);
    assert!(page.text().contains("Words") && !page.text().contains("<script"), "{}", page.text());
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("sandbox") && policy.contains("style-src 'unsafe-inline'") && !policy.contains("script-src")
    );
    let delete = |part: &str| request(Method::DELETE, &format!("{path}/{part}"), Some(&world.operator));
    for part in ["cover", "exploration"] {
        world.send(delete(part).body(Body::empty()).unwrap()).await.expect(200);
    }
    world.get("/api/v1/challenges/open/cover", None).await.expect(404);
    world.get("/api/v1/challenges/open/explore", None).await.expect(404);
}

/// 10 teams of 200 PF each are 2,000 PF at €0.025.
#[tokio::test]
async fn ten_invitations_with_200_petaflops_each_cost_50_euros() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let path = "/api/v1/operator/challenges/open";
    for i in 0..10 {
        let invite = json!({ "label": format!("team {i}"), "budget": "200PF" });
        world.call(Method::POST, &format!("{path}/invites"), &world.operator, &invite).await.expect(201);
    }
    assert_eq!(world.get(path, Some(&world.operator)).await.json()["cost"], "€50.00");
    let page = world.get(&format!("{path}/invites?limit=3"), Some(&world.operator)).await.expect(200).json();
    assert_eq!(page["items"].as_array().unwrap().len(), 3);
    let prefix = page["items"][0]["prefix"].as_str().unwrap();
    let end = request(Method::DELETE, &format!("/api/v1/operator/invites/{prefix}"), Some(&world.operator));
    world.send(end.body(Body::empty()).unwrap()).await.expect(204);
    assert_eq!(world.get(path, Some(&world.operator)).await.json()["cost"], "€45.00");
}

#[tokio::test]
async fn the_records_of_a_challenge_have_everything() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let token = world.builder("bob").await;
    let id = world.submit("open", &token, "official").await;
    world.finish_next(Verdict::Trap, 0.0, 0.0).await;
    let records =
        world.get("/api/v1/operator/challenges/open/submissions", Some(&world.operator)).await.expect(200).json();
    assert_eq!((records["items"][0]["id"].clone(), records["items"][0]["verdict"].clone()), (json!(id), json!("trap")));
    let monitor = world.get("/api/v1/operator/challenges/open/monitor", Some(&world.operator)).await.expect(200).json();
    assert_eq!(monitor["verdicts"], json!([{ "verdict": "trap", "count": 1 }]));
    assert_eq!(monitor["days"].as_array().unwrap().len(), 30);
    // They count ends before their release.
    world.get("/metrics", None).await.expect(401);
    let builder = world.builder("curious").await;
    world.get("/metrics", Some(&builder)).await.expect(403);
    let metrics = world.get("/metrics", Some(&world.operator)).await.expect(200).text();
    assert!(metrics.contains("submissions{verdict=\"trap\"} 1") && metrics.ends_with("# EOF\n"), "{metrics}");
    assert!(
        metrics.contains("http_requests_total{route=\"/api/v1/operator/drafts\",method=\"POST\",status=\"201\"} 1")
    );
    assert!(!metrics.contains(&id.to_string()));
}

#[tokio::test]
async fn a_service_without_a_worker_is_alive_and_not_ready() {
    let world = World::new().await;
    world.get("/healthz", None).await.expect(200);
    assert_eq!(world.get("/readyz", None).await.expect(503).code(), "unavailable");
    let ready = World::new().await;
    ready.store.lease("a worker", 60_000, Moment::now()).await.unwrap();
    ready.get("/readyz", None).await.expect(200);
}

#[tokio::test]
async fn a_challenge_closes_at_its_deadline() {
    let world = World::new().await;
    let soon = Timestamp::now().plus_millis(1_500);
    world.challenge("brief", |draft| draft["rules"] = json!({ "closes_at": soon })).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = thimble_server::serve(world.service.clone(), listener, async { drop(stopped.await) });
    let looking = async {
        for _ in 0..200 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let view = world.get("/api/v1/challenges/brief", None).await.expect(200).json();
            if view["summary"]["stage"] == "closed" {
                assert_eq!(view["revealed_salt"], "07".repeat(32));
                return stop.send(()).unwrap();
            }
        }
        panic!("it was not closed");
    };
    let (served, ()) = tokio::join!(serving, looking);
    served.unwrap();
    // A deadline that has passed is not set.
    let late = json!({ "rules": { "closes_at": "2020-01-01T00:00:00Z" } });
    world.call(Method::PATCH, "/api/v1/operator/challenges/brief", &world.operator, &late).await.expect(422);
}
