use thimble_api::ErrorCode;
use thimble_api::account::{Scope, TokenRequest};
use thimble_store::Actor;

use crate::fixture::{Service, at, refused, request};

#[tokio::test]
async fn a_token_says_whose_it_is_and_what_it_may_do() {
    let service = Service::new().await;
    let token = service.token("ada", Scope::Operator).await;
    assert_eq!(token.secret.len(), 68);
    assert!(token.secret.starts_with(&token.token.prefix) && token.token.prefix.len() == 12);
    let principal = service.store.authenticate(&token.secret, at(1)).await.unwrap().unwrap();
    assert_eq!((principal.account.as_str(), principal.team.as_str()), ("ada", "ada"));
    assert_eq!((principal.scope, &principal.token_prefix), (Scope::Operator, &token.token.prefix));
}

#[tokio::test]
async fn a_token_ends_with_its_time() {
    let service = Service::new().await;
    let asked = TokenRequest { expires_at: Some(at(10)), ..request("ada", Scope::Builder) };
    let token = service.store.create_token(&asked, &Actor::Local, at(0)).await.unwrap();
    assert!(service.store.authenticate(&token.secret, at(9)).await.unwrap().is_some());
    assert!(service.store.authenticate(&token.secret, at(10)).await.unwrap().is_none());
    let late = service.store.create_token(&asked, &Actor::Local, at(10)).await;
    assert_eq!(refused(late), ErrorCode::ValidationFailed);
}

#[tokio::test]
async fn a_revoked_token_is_refused_and_others_of_the_account_are_not() {
    let service = Service::new().await;
    let (one, two) = (service.token("ada", Scope::Builder).await, service.token("ada", Scope::Builder).await);
    assert!(service.store.revoke_token(&one.token.prefix, &Actor::Local, at(5)).await.unwrap());
    assert!(service.store.authenticate(&one.secret, at(6)).await.unwrap().is_none());
    assert!(service.store.authenticate(&two.secret, at(6)).await.unwrap().is_some());
    // Again: it has ended, and nothing more is done.
    assert!(service.store.revoke_token(&one.token.prefix, &Actor::Local, at(7)).await.unwrap());
    assert!(!service.store.revoke_token("thb_00000000", &Actor::Local, at(7)).await.unwrap());
    let ended: Vec<_> = service.store.tokens(None, None).await.unwrap().items.iter().map(|t| t.revoked_at).collect();
    assert_eq!(ended, [None, Some(at(5))]);
    assert_eq!(service.actions().await, ["token.create", "token.create", "token.revoke"]);
}

#[tokio::test]
async fn rotation_keeps_the_rights_and_ends_the_old_secret() {
    let service = Service::new().await;
    let asked = TokenRequest { expires_at: Some(at(100)), ..request("ada", Scope::Operator) };
    let old = service.store.create_token(&asked, &Actor::Local, at(0)).await.unwrap();
    let principal = service.store.authenticate(&old.secret, at(1)).await.unwrap().unwrap();
    let new = service.store.rotate_token(&principal, at(2)).await.unwrap();
    assert!(service.store.authenticate(&old.secret, at(2)).await.unwrap().is_none());
    let rotated = service.store.authenticate(&new.secret, at(2)).await.unwrap().unwrap();
    assert_eq!(
        (rotated.account_id, rotated.scope, rotated.expires_at),
        (principal.account_id, Scope::Operator, Some(at(100)))
    );
    // A second request that was under way with the old secret.
    assert_eq!(refused(service.store.rotate_token(&principal, at(3)).await), ErrorCode::Unauthorized);
    assert_eq!(refused(service.store.rotate_token(&rotated, at(100)).await), ErrorCode::Unauthorized);
}

#[tokio::test]
async fn a_disabled_account_has_no_rights_until_it_is_enabled() {
    let service = Service::new().await;
    let token = service.token("ada", Scope::Builder).await;
    let name = "ada".parse().unwrap();
    let set = async |disabled| service.store.set_account_disabled(&name, disabled, &Actor::Local, at(1)).await.unwrap();
    assert!(set(true).await.unwrap().disabled);
    assert!(service.store.authenticate(&token.secret, at(2)).await.unwrap().is_none());
    let another = service.store.create_token(&request("ada", Scope::Builder), &Actor::Local, at(2)).await;
    assert_eq!(refused(another), ErrorCode::Conflict);
    set(true).await;
    assert!(!set(false).await.unwrap().disabled);
    assert!(service.store.authenticate(&token.secret, at(3)).await.unwrap().is_some());
    assert_eq!(service.actions().await, ["token.create", "account.disable", "account.enable"]);
    let nobody = "nobody".parse().unwrap();
    assert!(service.store.set_account_disabled(&nobody, true, &Actor::Local, at(1)).await.unwrap().is_none());
}

#[tokio::test]
async fn ten_thousand_wrong_tokens_are_refused() {
    let service = Service::new().await;
    let token = service.token("ada", Scope::Builder).await;
    for number in 0..10_000 {
        // Every other one has the beginning of a token that exists.
        let prefix = if number % 2 == 0 { token.token.prefix.as_str() } else { "thb_00000000" };
        let guess = format!("{prefix}{number:056x}");
        assert!(service.store.authenticate(&guess, at(1)).await.unwrap().is_none(), "{guess}");
    }
    let (head, tail) = token.secret.split_at(67);
    let near = format!("{head}{}", if tail == "0" { "1" } else { "0" });
    for wrong in ["", "thb_", &near, &token.secret.to_uppercase(), &format!("{} ", token.secret), &"x".repeat(1 << 20)]
    {
        assert!(service.store.authenticate(wrong, at(1)).await.unwrap().is_none());
    }
    assert!(service.store.authenticate(&token.secret, at(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn the_last_use_is_known_to_the_minute() {
    let service = Service::new().await;
    let token = service.token("ada", Scope::Builder).await;
    for (now, noted) in [(61, 60), (119, 60), (30, 60), (120, 120)] {
        service.store.authenticate(&token.secret, at(now)).await.unwrap().unwrap();
        let used = service.store.tokens(None, None).await.unwrap().items[0].last_used_at;
        assert_eq!(used, Some(at(noted)), "{now}");
    }
}

#[tokio::test]
async fn nobody_comes_into_a_team_by_its_name() {
    let service = Service::new().await;
    let in_team =
        |account, team: &str| TokenRequest { team: Some(team.parse().unwrap()), ..request(account, Scope::Builder) };
    let create = async |request: &TokenRequest| service.store.create_token(request, &Actor::Local, at(0)).await;
    create(&in_team("ada", "lovelace")).await.unwrap();
    create(&in_team("byron", "lovelace")).await.unwrap();
    assert_eq!(refused(create(&request("lovelace", Scope::Builder)).await), ErrorCode::Conflict);
    assert_eq!(refused(create(&in_team("ada", "other")).await), ErrorCode::Conflict);
    let accounts = service.store.accounts(None, None).await.unwrap().items;
    let teams: Vec<_> = accounts.iter().map(|account| (account.name.as_str(), account.team.as_str())).collect();
    assert_eq!(teams, [("ada", "lovelace"), ("byron", "lovelace")]);
}

#[tokio::test]
async fn no_secret_is_stored() {
    let service = Service::new().await;
    let token = service.token("ada", Scope::Builder).await;
    let principal = service.store.authenticate(&token.secret, at(0)).await.unwrap().unwrap();
    let session = service.store.open_session(&principal, at(0)).await.unwrap();
    let invite = service.invite(&service.draft("first").await).await;
    assert!(!format!("{session:?}").contains(session.secret.expose()));
    service.store.disconnect().await;
    let database = std::fs::read(service.data().join("thimble.sqlite")).unwrap();
    let holds = |text: &str| database.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds(&token.token.prefix) && holds(&invite.invite.prefix));
    for secret in [&token.secret, session.secret.expose(), &invite.code, &session.csrf] {
        assert!(!holds(&secret[12..]));
    }
}
