//! Who may see and do what.

use axum::http::Method;
use serde_json::json;
use thimble_api::account::Scope;
use thimble_challenge::Verdict;

use crate::world::World;

#[tokio::test]
async fn a_private_challenge_is_as_one_that_is_not_there() {
    let world = World::new().await;
    world.challenge("hidden", |draft| draft["visibility"] = json!("private")).await;
    let (member, stranger) = (world.builder("mia").await, world.builder("sam").await);
    world.invite("hidden", &member).await;
    let id = world.submit("hidden", &member, "official").await;
    world.finish_next(Verdict::Scored, 0.5, 100.0).await;
    let parts =
        ["", "/statement", "/explore", "/cover", "/metrics", "/leaderboard", "/leaderboard.csv", "/distribution/rmse"];
    for part in parts {
        for token in [None, Some(&*stranger)] {
            let hidden = world.get(&format!("/api/v1/challenges/hidden{part}"), token).await.expect(404);
            let absent = world.get(&format!("/api/v1/challenges/absent{part}"), token).await.expect(404);
            assert_eq!(hidden.code(), "not_found");
            let message = |json: serde_json::Value| json["error"]["message"].clone();
            assert_eq!(message(hidden.json()), message(absent.json()), "{part}");
            assert_eq!(hidden.header("etag"), "");
            let names = |headers: &axum::http::HeaderMap| {
                headers.keys().map(|name| name.as_str().to_owned()).collect::<std::collections::BTreeSet<_>>()
            };
            assert_eq!(names(&hidden.headers), names(&absent.headers));
        }
    }
    for path in [format!("/api/v1/submissions/{id}"), format!("/submissions/{id}")] {
        world.get(&path, None).await.expect(404);
        world.get(&path, Some(&stranger)).await.expect(404);
        world.get(&path, Some(&member)).await.expect(200);
    }
    for page in ["/challenges/hidden", "/challenges/hidden/description", "/challenges/hidden/training"] {
        world.get(page, None).await.expect(404);
        world.get(page, Some(&member)).await.expect(200);
    }
    let listed = |answer: crate::world::Answer| answer.json()["items"].as_array().unwrap().len();
    assert_eq!(listed(world.get("/api/v1/challenges", None).await), 0);
    assert_eq!(listed(world.get("/api/v1/challenges", Some(&stranger)).await), 0);
    assert_eq!(listed(world.get("/api/v1/challenges", Some(&member)).await), 1);
    assert!(!world.get("/", None).await.text().contains("hidden"));
    let refused = world.submit_as("hidden", &stranger, &[], b"x", &[]).await.expect(404);
    assert_eq!(refused.code(), "not_found");
}

#[tokio::test]
async fn a_draft_is_seen_by_operators_only() {
    let world = World::new().await;
    let new = json!({ "name": "draft-one", "title": "A draft" });
    world.call(Method::POST, "/api/v1/operator/drafts", &world.operator, &new).await.expect(201);
    let builder = world.builder("bob").await;
    for token in [None, Some(&*builder)] {
        world.get("/api/v1/challenges/draft-one", token).await.expect(404);
        world.get("/challenges/draft-one", token).await.expect(404);
    }
    world.get("/api/v1/operator/challenges/draft-one", Some(&world.operator)).await.expect(200);
}

#[tokio::test]
async fn a_token_that_is_not_valid_is_never_nobody() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    world.get("/api/v1/challenges/open", None).await.expect(200);
    for bad in ["thb_", "nonsense", &format!("thb_{}", "0".repeat(64))] {
        let refused = world.get("/api/v1/challenges/open", Some(bad)).await.expect(401);
        assert_eq!(refused.code(), "unauthorized");
        assert!(refused.header("www-authenticate").starts_with("Bearer"));
    }
    let builder = world.builder("bob").await;
    world.get("/api/v1/challenges/open", Some(&builder)).await.expect(200);
    world.post("/api/v1/tokens/revoke", &builder).await.expect(204);
    world.get("/api/v1/challenges/open", Some(&builder)).await.expect(401);
}

#[tokio::test]
async fn operators_routes_need_the_scope() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let builder = world.builder("bob").await;
    let gets = [
        "/api/v1/operator/drafts",
        "/api/v1/operator/challenges/open",
        "/api/v1/operator/challenges/open/invites",
        "/api/v1/operator/challenges/open/teams",
        "/api/v1/operator/challenges/open/monitor",
        "/api/v1/operator/challenges/open/submissions",
        "/api/v1/operator/datasets",
        "/api/v1/operator/accounts",
        "/api/v1/operator/tokens",
        "/api/v1/operator/audit",
        "/api/v1/operator/capacity",
        "/operator",
        "/operator/challenges/open/step/1",
        "/challenges/open/monitor",
    ];
    for path in gets {
        assert_eq!(world.get(path, None).await.expect(401).code(), "unauthorized");
        assert_eq!(world.get(path, Some(&builder)).await.expect(403).code(), "forbidden");
        world.get(path, Some(&world.operator)).await.expect(200);
    }
    let posts = ["publish", "close", "rescore"].map(|act| format!("/api/v1/operator/challenges/open/{act}"));
    for path in posts {
        world.post(&path, &builder).await.expect(403);
    }
    let account = world.token("second", Scope::Operator).await;
    world.get("/api/v1/operator/capacity", Some(&account)).await.expect(200);
}

#[tokio::test]
async fn others_see_released_figures_of_a_submission_and_nothing_else() {
    let world = World::new().await;
    world.challenge("open", |_| {}).await;
    let (builder, other) = (world.builder("bob").await, world.builder("eve").await);
    let official = world.submit("open", &builder, "official").await;
    let path = format!("/api/v1/submissions/{official}");
    for token in [None, Some(&*other)] {
        world.get(&path, token).await.expect(404);
    }
    world.finish_next(Verdict::Scored, 0.5, 100.0).await;
    let seen = world.get(&path, Some(&other)).await.expect(200).json();
    assert_eq!(seen["audience"], "public");
    assert_eq!(seen["submission"]["figures"]["metrics"]["rmse"]["value"], 0.5);
    assert!(seen["submission"].get("note").is_none() && seen["submission"].get("charged").is_none());
    assert_eq!(world.get(&path, Some(&builder)).await.expect(200).json()["audience"], "builder");
    world.get(&format!("{path}/log"), Some(&other)).await.expect(404);
    assert_eq!(world.get(&format!("{path}/log"), Some(&builder)).await.expect(200).json()["availability"], "withheld");
    world.post(&format!("{path}/cancel"), &other).await.expect(404);
    let validation = world.submit("open", &builder, "validation").await;
    world.get(&format!("/api/v1/submissions/{validation}"), Some(&other)).await.expect(404);
    // A failed official run shows to its builder alone.
    let failed = world.submit("open", &builder, "official").await;
    assert_eq!(world.finish_next(Verdict::Trap, 0.0, 0.0).await, failed);
    world.get(&format!("/api/v1/submissions/{failed}"), Some(&other)).await.expect(404);
    let told = world.get(&format!("/api/v1/submissions/{failed}"), Some(&builder)).await.expect(200).text();
    assert!(!told.contains("trap"), "{told}");
}
