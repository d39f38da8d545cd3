//! Clients that mean no good: refused, within bounds, and nothing of theirs is rendered live.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Method;
use bytes::Bytes;
use futures_util::stream;
use serde_json::json;
use thimble_server::{Config, Rate, Rates};

use crate::world::{World, config, draft, multipart, request};

const SCRIPT: &str = "\"'></title><script>alert(1)</script><img src=x onerror=alert(1)>";

#[tokio::test]
async fn ten_thousand_wrong_tokens_are_429_after_the_burst() {
    let rate = Rate { requests: 1, period: Duration::from_secs(3_600), burst: 20 };
    let rates = Rates { failed_authentications: Some(rate), ..Rates::NONE };
    let world = World::with(Config { rates, ..config() }).await;
    let good = world.builder("bob").await;
    let from = |address: [u8; 4], token: &str| {
        let mut request = request(Method::GET, "/api/v1/whoami", Some(token)).body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((address, 1))));
        request
    };
    let mut counts = std::collections::BTreeMap::new();
    for i in 0..10_000 {
        let answer = world.send(from([192, 0, 2, 1], &format!("thb_{i:064x}"))).await;
        *counts.entry(answer.status.as_u16()).or_insert(0) += 1;
        if answer.status == 429 {
            assert_eq!(answer.code(), "rate_limited");
            assert_ne!(answer.header("retry-after"), "");
        }
    }
    assert_eq!(counts, [(401, 20), (429, 9_980)].into());
    // Whoever has a token is not shut out by others at the same address, nor by those elsewhere.
    world.send(from([192, 0, 2, 1], &good)).await.expect(200);
    world.send(from([192, 0, 2, 2], "thb_wrong")).await.expect(401);
}

#[tokio::test]
async fn requests_above_the_rate_wait() {
    let rate = Rate { requests: 1, period: Duration::from_secs(3_600), burst: 3 };
    let rates = Rates { token_reads: Some(rate), token_writes: Some(rate), address_reads: Some(rate), ..Rates::NONE };
    let world = World::with(Config { rates, ..config() }).await;
    let (bob, eve) = (world.builder("bob").await, world.builder("eve").await);
    for token in [Some(&*bob), None] {
        for _ in 0..3 {
            assert_ne!(world.get("/api/v1/challenges", token).await.status, 429);
        }
        let refused = world.get("/api/v1/challenges", token).await.expect(429);
        assert_eq!(refused.code(), "rate_limited");
        assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
    }
    world.get("/api/v1/challenges", Some(&eve)).await.expect(200);
    // Reads and writes are counted apart, and the process's own addresses not at all.
    world.post("/api/v1/tokens/rotate", &bob).await.expect(200);
    world.get("/healthz", None).await.expect(200);
    // An address that a client claims to come from is not believed without a proxy of one's own.
    let claimed = request(Method::GET, "/api/v1/challenges", None).header("x-forwarded-for", "198.51.100.7");
    world.send(claimed.body(Body::empty()).unwrap()).await.expect(429);
}

#[tokio::test]
async fn a_huge_body_is_refused_before_it_is_held() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let token = world.builder("bob").await;
    let path = "/api/v1/challenges/open/submissions";
    let (kind, _) = multipart(&[], &[]);
    let sent = request(Method::POST, path, Some(&token)).header("content-type", kind);
    let declared = sent.header("content-length", "999999999999").body(Body::empty()).unwrap();
    assert_eq!(world.send(declared).await.expect(413).code(), "payload_too_large");
    let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 64 << 10])));
    let sent = request(Method::POST, path, Some(&token)).header("content-type", kind);
    assert_eq!(
        world.send(sent.body(Body::from_stream(endless)).unwrap()).await.expect(413).code(),
        "payload_too_large"
    );
    // Nobody who is not known may send one at all.
    let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 1024])));
    let sent = request(Method::POST, path, None).header("content-type", kind).body(Body::from_stream(endless));
    assert_eq!(world.send(sent.unwrap()).await.expect(401).code(), "unauthorized");
    let login = request(Method::POST, "/login", None).header("content-type", "application/x-www-form-urlencoded");
    world.send(login.body(Body::from("x".repeat(20_000))).unwrap()).await.expect(413);
}

#[tokio::test]
async fn a_script_in_every_text_is_text() {
    let world = World::new().await;
    world
        .challenge("open", |draft| {
            draft["title"] = json!(SCRIPT);
            draft["summary"] = json!(SCRIPT);
            draft["keywords"] = json!(["<script>alert(1)</script>"]);
            draft["description"] = json!(format!("# {SCRIPT}\n\n[link](javascript:alert(1)) <iframe src=x></iframe>"));
        })
        .await;
    let token = world.builder("bob").await;
    let sent = world.submit_as("open", &token, &[("note", SCRIPT)], b"one", &[]).await.expect(202);
    let id = sent.json()["submission"]["id"].as_str().unwrap().to_owned();
    world.finish_next(thimble_challenge::Verdict::Rejected, 0.0, 0.0).await;
    let invite = json!({ "label": SCRIPT });
    world.call(Method::POST, "/api/v1/operator/challenges/open/invites", &world.operator, &invite).await.expect(201);
    let second = json!({ "name": "second", "title": SCRIPT });
    world.call(Method::POST, "/api/v1/operator/drafts", &world.operator, &second).await.expect(201);
    let mut draft = draft();
    for field in ["title", "summary", "description"] {
        draft[field] = json!(SCRIPT);
    }
    world.call(Method::PUT, "/api/v1/operator/challenges/second", &world.operator, &draft).await.expect(200);
    let of_anyone = [
        "/".to_owned(),
        format!("/?q={}", "%3Cscript%3Ealert(1)%3C/script%3E"),
        "/challenges/open".to_owned(),
        "/challenges/open/description".to_owned(),
        "/challenges/open/explore".to_owned(),
        "/challenges/open/training".to_owned(),
        "/challenges/open/submissions".to_owned(),
        "/login?next=%22%3E%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
        "/join?code=%22%3E%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
        "/challenges/%3Cscript%3Ealert(1)%3C%2Fscript%3E".to_owned(),
        format!("/submissions/{id}"),
    ];
    let of_operators = [
        "/operator".to_owned(),
        "/challenges/open/monitor".to_owned(),
        format!("/submissions/{id}"),
        "/operator/challenges/open/step/4".to_owned(),
        "/operator/challenges/second/step/1".to_owned(),
        "/operator/challenges/second/step/2".to_owned(),
        "/operator/challenges/second/step/3".to_owned(),
        "/operator/challenges/second/step/4".to_owned(),
    ];
    let operator = world.operator.as_str();
    let all = of_anyone.iter().map(|path| (path, &*token)).chain(of_operators.iter().map(|path| (path, operator)));
    for (path, token) in all {
        let request =
            request(Method::GET, path, Some(token)).header("accept", "text/html").body(Body::empty()).unwrap();
        let page = world.send(request).await;
        assert!(page.header("content-type").starts_with("text/html"), "{path}: {}", page.text());
        let text = page.text();
        assert!(
            !text.contains("<script>") && !text.contains("<img src=x") && !text.contains("<iframe src=x"),
            "{path}"
        );
        assert!(!text.contains("javascript:alert"), "{path}");
        assert!(page.header("content-security-policy").contains("script-src 'self'"), "{path}");
    }
    // As JSON it is what it was, and no browser takes it for a page.
    let json = world.get("/api/v1/challenges/open", Some(&token)).await.expect(200);
    assert_eq!(json.json()["summary"]["title"], SCRIPT);
    assert_eq!(json.header("content-type"), "application/json");
}

#[tokio::test]
async fn names_with_paths_in_them_lead_nowhere() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    for name in
        ["..", "../data", "..%2f..%2fetc%2fpasswd", "/etc/passwd", "a/../b", "%2e%2e", "open%00", "OPEN", "open%20"]
    {
        for path in [format!("/api/v1/challenges/{name}"), format!("/challenges/{name}"), format!("/static/{name}")] {
            let answer = world.get(&path, Some(&world.operator)).await;
            assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        }
        let new = json!({ "name": name, "title": "A path" });
        let refused = world.call(Method::POST, "/api/v1/operator/drafts", &world.operator, &new).await;
        assert_eq!(refused.status, 422, "{name}");
    }
    // The name of a file is never looked at.
    let token = world.builder("bob").await;
    let (kind, body) = multipart(&[], &[("package", "../../../../tmp/x\u{202e}.wasm", b"\0asm-one")]);
    let sent = request(Method::POST, "/api/v1/challenges/open/submissions", Some(&token)).header("content-type", kind);
    world.send(sent.body(Body::from(body)).unwrap()).await.expect(202);
    let mut files = vec![world.directory.path().join("data")];
    let mut names = Vec::new();
    while let Some(path) = files.pop() {
        match path.is_dir() {
            true => files.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path())),
            false => names.push(path.file_name().unwrap().to_str().unwrap().to_owned()),
        }
    }
    let is_artifact = |name: &str| name.len() == 62 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(names.iter().all(|name| name.starts_with("thimble.sqlite") || is_artifact(name)), "{names:?}");
}
