use thimble_api::account::{Scope, TokenRequest};
use thimble_store::{Actor, Principal, Session};

use crate::fixture::{Service, at, request};

/// A token's session, opened at 0.
async fn opened(service: &Service, expires_at: Option<i64>) -> (Principal, Session) {
    let asked = TokenRequest { expires_at: expires_at.map(at), ..request("ada", Scope::Operator) };
    let token = service.store.create_token(&asked, &Actor::Local, at(0)).await.unwrap();
    let principal = service.store.authenticate(&token.secret, at(0)).await.unwrap().unwrap();
    let session = service.store.open_session(&principal, at(0)).await.unwrap();
    (principal, session)
}

async fn lives(service: &Service, session: &Session, now: i64) -> bool {
    service.store.session(session.secret.expose(), at(now)).await.unwrap().is_some()
}

#[tokio::test]
async fn a_session_has_the_rights_of_its_token_for_12_hours() {
    let service = Service::new().await;
    let (principal, session) = opened(&service, None).await;
    let (found, csrf) = service.store.session(session.secret.expose(), at(1)).await.unwrap().unwrap();
    assert_eq!((found, &csrf), (principal, &session.csrf));
    assert!(lives(&service, &session, 12 * 3_600 - 1).await);
    assert!(!lives(&service, &session, 12 * 3_600).await);
}

#[tokio::test]
async fn a_session_ends_with_its_token() {
    let service = Service::new().await;
    let (_, session) = opened(&service, Some(60)).await;
    assert_eq!(session.expires_at, at(60));
    assert!(lives(&service, &session, 59).await && !lives(&service, &session, 60).await);

    let (principal, session) = opened(&service, None).await;
    service.store.revoke_token(&principal.token_prefix, &Actor::Local, at(1)).await.unwrap();
    assert!(!lives(&service, &session, 2).await);

    let (principal, session) = opened(&service, None).await;
    service.store.rotate_token(&principal, at(1)).await.unwrap();
    assert!(!lives(&service, &session, 2).await);

    let (principal, session) = opened(&service, None).await;
    service.store.set_account_disabled(&principal.account, true, &Actor::Local, at(1)).await.unwrap();
    assert!(!lives(&service, &session, 2).await);
}

#[tokio::test]
async fn a_closed_session_is_gone_and_others_stay() {
    let service = Service::new().await;
    let (principal, one) = opened(&service, None).await;
    let two = service.store.open_session(&principal, at(0)).await.unwrap();
    assert!(one.csrf != two.csrf);
    // The beginning alone closes nothing.
    let guess = format!("{}{}", one.secret.prefix(), "0".repeat(56));
    service.store.close_session(&guess).await.unwrap();
    assert!(lives(&service, &one, 1).await);
    service.store.close_session(one.secret.expose()).await.unwrap();
    assert!(!lives(&service, &one, 1).await && lives(&service, &two, 1).await);
}

#[tokio::test]
async fn a_token_is_no_session_and_a_session_no_token() {
    let service = Service::new().await;
    let token = service.token("ada", Scope::Builder).await;
    let principal = service.store.authenticate(&token.secret, at(0)).await.unwrap().unwrap();
    let session = service.store.open_session(&principal, at(0)).await.unwrap();
    assert!(service.store.session(&token.secret, at(0)).await.unwrap().is_none());
    assert!(service.store.authenticate(session.secret.expose(), at(0)).await.unwrap().is_none());
}
