//! Tokens and invitations.

use axum::http::Method;
use serde_json::json;
use thimble_api::account::Scope;

use crate::world::World;

#[tokio::test]
async fn a_rotated_token_ends_and_its_successor_works() {
    let world = World::new().await;
    let old = world.builder("bob").await;
    let who = world.get("/api/v1/whoami", Some(&old)).await.expect(200).json();
    assert_eq!((who["account"].clone(), who["scope"].clone()), (json!("bob"), json!("builder")));
    let new = world.post("/api/v1/tokens/rotate", &old).await.expect(200).json()["secret"].as_str().unwrap().to_owned();
    world.get("/api/v1/whoami", Some(&old)).await.expect(401);
    world.get("/api/v1/whoami", Some(&new)).await.expect(200);
}

#[tokio::test]
async fn an_account_that_is_disabled_does_nothing_any_more() {
    let world = World::new().await;
    let token = world.builder("bob").await;
    world.get("/api/v1/whoami", Some(&token)).await.expect(200);
    world.post("/api/v1/operator/accounts/bob/disable", &world.operator).await.expect(200);
    world.get("/api/v1/whoami", Some(&token)).await.expect(401);
    world.post("/api/v1/operator/accounts/bob/enable", &world.operator).await.expect(200);
    world.get("/api/v1/whoami", Some(&token)).await.expect(200);
    world.post("/api/v1/operator/accounts/nobody/disable", &world.operator).await.expect(404);
}

#[tokio::test]
async fn operators_make_and_end_tokens_without_seeing_secrets_again() {
    let world = World::new().await;
    let request = json!({ "account": "carol", "scope": "builder" });
    let made = world.call(Method::POST, "/api/v1/operator/tokens", &world.operator, &request).await.expect(201).json();
    let (secret, prefix) = (made["secret"].as_str().unwrap(), made["token"]["prefix"].as_str().unwrap());
    world.get("/api/v1/whoami", Some(secret)).await.expect(200);
    let listed = world.get("/api/v1/operator/tokens", Some(&world.operator)).await.expect(200).text();
    assert!(listed.contains(prefix) && !listed.contains(secret));
    let end =
        crate::world::request(Method::DELETE, &format!("/api/v1/operator/tokens/{prefix}"), Some(&world.operator));
    world.send(end.body(axum::body::Body::empty()).unwrap()).await.expect(204);
    world.get("/api/v1/whoami", Some(secret)).await.expect(401);
    let audit = world.get("/api/v1/operator/audit", Some(&world.operator)).await.expect(200).text();
    assert!(audit.contains("token.create") && !audit.contains(secret));
}

#[tokio::test]
async fn an_invitation_makes_an_account_once() {
    let world = World::new().await;
    world.challenge("hidden", |draft| draft["visibility"] = json!("private")).await;
    let path = "/api/v1/operator/challenges/hidden/invites";
    let made = world.call(Method::POST, path, &world.operator, &json!({ "label": "Ada" })).await.expect(201).json();
    let join = json!({ "code": made["code"], "account": "ada" });
    let anonymous = |body: &serde_json::Value| {
        let request =
            crate::world::request(Method::POST, "/api/v1/join", None).header("content-type", "application/json");
        request.body(axum::body::Body::from(body.to_string())).unwrap()
    };
    let joined = world.send(anonymous(&join)).await.expect(200).json();
    assert_eq!(joined["challenge"], "hidden");
    let token = joined["token"]["secret"].as_str().unwrap();
    world.get("/api/v1/challenges/hidden", Some(token)).await.expect(200);
    world.send(anonymous(&join)).await.expect(409);
    let forged = json!({ "code": format!("thi_{}", "0".repeat(64)), "account": "eve" });
    assert_eq!(world.send(anonymous(&forged)).await.expect(404).code(), "not_found");
    assert_eq!(world.token("ada", Scope::Builder).await.len(), token.len());
}
