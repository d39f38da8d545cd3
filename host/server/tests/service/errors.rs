//! Every error has one shape, whoever made it.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request};
use serde_json::json;

use crate::world::{World, config, multipart, request};

#[tokio::test]
async fn what_a_router_or_an_extractor_refuses_has_the_one_shape() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let token = world.operator.as_str();
    let drafts = "/api/v1/operator/drafts";
    let raw = |method, path: &str, kind: &str, body: &str| {
        request(method, path, Some(token)).header(CONTENT_TYPE, kind).body(Body::from(body.to_owned())).unwrap()
    };
    let cases = [
        (raw(Method::GET, "/api/v1/nothing", "text/plain", ""), "not_found"),
        (raw(Method::GET, "/nothing", "text/plain", ""), "not_found"),
        (raw(Method::DELETE, "/api/v1/challenges", "text/plain", ""), "method_not_allowed"),
        (raw(Method::POST, "/healthz", "text/plain", ""), "method_not_allowed"),
        (raw(Method::POST, drafts, "text/plain", "{}"), "unsupported_media_type"),
        (raw(Method::POST, drafts, "application/json", "{"), "bad_request"),
        (raw(Method::POST, drafts, "application/json", "{}"), "validation_failed"),
        (raw(Method::POST, drafts, "application/json", r#"{"name": "..", "title": "x"}"#), "validation_failed"),
        (raw(Method::POST, drafts, "application/json", &"[".repeat(100_000)), "validation_failed"),
        (raw(Method::POST, drafts, "application/json", &" ".repeat(3 << 20)), "payload_too_large"),
        (raw(Method::GET, "/api/v1/challenges?limit=0", "text/plain", ""), "bad_request"),
        (raw(Method::GET, "/api/v1/challenges?limit=201", "text/plain", ""), "bad_request"),
        (raw(Method::GET, "/api/v1/challenges?limit=-1", "text/plain", ""), "bad_request"),
        (raw(Method::GET, "/api/v1/challenges?unknown=1", "text/plain", ""), "bad_request"),
        (raw(Method::GET, "/api/v1/challenges?after=%00", "text/plain", ""), "bad_request"),
        (raw(Method::GET, "/api/v1/challenges/%FF", "text/plain", ""), "not_found"),
        (raw(Method::GET, "/api/v1/challenges/open/leaderboard?after=01", "text/plain", ""), "bad_request"),
        (raw(Method::GET, "/api/v1/challenges/open/leaderboard?version=99999", "text/plain", ""), "not_found"),
        (raw(Method::GET, "/api/v1/challenges/open/distribution/nothing", "text/plain", ""), "not_found"),
        (raw(Method::POST, "/api/v1/challenges/open/submissions", "text/plain", ""), "unsupported_media_type"),
        (raw(Method::PUT, "/api/v1/operator/challenges/open/cover", "image/png", "no image"), "unsupported_media_type"),
        (raw(Method::PUT, "/api/v1/operator/challenges/open/cover", "image/gif", "GIF89a"), "unsupported_media_type"),
        (
            raw(Method::PUT, "/api/v1/operator/challenges/open/exploration", "application/json", "{}"),
            "validation_failed",
        ),
    ];
    for (request, code) in cases {
        let said = format!("{} {}", request.method(), request.uri());
        assert_eq!(world.send(request).await.code(), code, "{said}");
    }
    let allowed = world.send(raw(Method::DELETE, "/api/v1/challenges", "text/plain", "")).await;
    assert!(allowed.header("allow").contains("GET"), "{:?}", allowed.headers);
}

#[tokio::test]
async fn faults_name_their_fields() {
    let world = World::new().await;
    let new = json!({ "name": "faulty", "title": "Faulty" });
    world.call(Method::POST, "/api/v1/operator/drafts", &world.operator, &new).await.expect(201);
    let bad = json!({ "title": "x", "limits": { "parameters": "many" } });
    let answer = world.call(Method::PUT, "/api/v1/operator/challenges/faulty", &world.operator, &bad).await.expect(422);
    assert_eq!(answer.json()["error"]["details"][0]["field"], "limits.parameters");
    let refused = world.post("/api/v1/operator/challenges/faulty/publish", &world.operator).await.expect(422);
    let details = refused.json()["error"]["details"].clone();
    let fields: Vec<_> = details.as_array().unwrap().iter().map(|detail| detail["field"].as_str().unwrap()).collect();
    for field in ["public_dataset", "description", "summary"] {
        assert!(fields.contains(&field), "{field} is not among {fields:?}");
    }
}

#[tokio::test]
async fn every_answer_has_its_headers() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let paths =
        ["/", "/challenges/open", "/api/v1/challenges", "/api/v1/nothing", "/healthz", "/static/style.css", "/nothing"];
    for path in paths {
        let answer = world.get(path, None).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("x-request-id").len(), 32, "{path}");
        assert_ne!(answer.header("cache-control"), "", "{path}");
    }
    let with_token = world.get("/api/v1/challenges", Some(&world.operator)).await;
    assert_eq!(with_token.header("cache-control"), "private, no-store");
    let own = Request::get("/healthz").header("x-request-id", "from-a-proxy.1").body(Body::empty()).unwrap();
    assert_eq!(world.send(own).await.header("x-request-id"), "from-a-proxy.1");
}

#[tokio::test]
async fn an_etag_is_answered_with_304_and_changes_with_the_bytes() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let paths =
        ["/api/v1/challenges/open/leaderboard", "/api/v1/challenges/open", "/challenges/open", "/static/style.css"];
    for path in paths {
        let first = world.get(path, None).await.expect(200);
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with('"'), "{path}");
        let again = Request::get(path).header("if-none-match", &tag).body(Body::empty()).unwrap();
        let again = world.send(again).await.expect(304);
        assert!(again.bytes.is_empty());
        assert_eq!(again.header("etag"), tag);
        let other = Request::get(path).header("if-none-match", "\"other\"").body(Body::empty()).unwrap();
        world.send(other).await.expect(200);
    }
    let before = world.get("/api/v1/challenges/open/leaderboard", None).await.header("etag").to_owned();
    let builder = world.builder("bob").await;
    world.submit("open", &builder, "official").await;
    world.finish_next(thimble_challenge::Verdict::Scored, 0.5, 100.0).await;
    assert_ne!(world.get("/api/v1/challenges/open/leaderboard", None).await.header("etag"), before);
}

#[tokio::test]
async fn multipart_that_is_none_is_refused() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let token = world.builder("bob").await;
    let path = "/api/v1/challenges/open/submissions";
    let send = async |kind: &str, body: Vec<u8>| {
        let request = request(Method::POST, path, Some(&token)).header(CONTENT_TYPE, kind).body(Body::from(body));
        world.send(request.unwrap()).await.code()
    };
    let (kind, whole) = multipart(&[], &[("package", "a.wasm", b"\0asm")]);
    assert_eq!(send("multipart/form-data", whole.clone()).await, "bad_request");
    assert_eq!(send("multipart/form-data; boundary=other", whole.clone()).await, "bad_request");
    assert_eq!(send(kind, whole[..whole.len() - 12].to_vec()).await, "bad_request");
    // A form that ends where it begins.
    assert_eq!(send(kind, b"--edge".repeat(1_000)).await, "validation_failed");
    let (kind, twice) = multipart(&[], &[("package", "a", b"\0asm1"), ("package", "b", b"\0asm2")]);
    assert_eq!(send(kind, twice).await, "bad_request");
    let (kind, none) = multipart(&[("mode", "official")], &[]);
    assert_eq!(send(kind, none).await, "validation_failed");
    let (kind, mode) = multipart(&[("mode", "secret")], &[("package", "a", b"\0asm1")]);
    assert_eq!(send(kind, mode).await, "validation_failed");
    let many: Vec<_> = (0..300).map(|_| ("x", "y")).collect();
    let (kind, many) = multipart(&many, &[]);
    assert_eq!(send(kind, many).await, "bad_request");
}

#[tokio::test]
async fn large_bodies_take_their_places_and_others_wait() {
    let world = World::with(thimble_server::Config { max_uploads: 0, ..config() }).await;
    world.challenge("open", |_| {}).await;
    let token = world.builder("bob").await;
    let refused = world.submit_as("open", &token, &[], b"x", &[]).await.expect(503);
    assert_eq!(refused.code(), "unavailable");
    assert_ne!(refused.header("retry-after"), "");
}
