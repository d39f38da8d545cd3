use thimble_api::account::{InviteRequest, JoinRequest, Scope};
use thimble_api::{Compute, ErrorCode};
use thimble_challenge::challenge::Visibility;
use thimble_store::Actor;

use crate::fixture::{Service, at, invitation, refused};

fn newcomer(code: &str, account: &str) -> JoinRequest {
    JoinRequest { code: code.to_owned(), account: Some(account.parse().unwrap()), team: None }
}

fn known(code: &str) -> JoinRequest {
    JoinRequest { code: code.to_owned(), account: None, team: None }
}

#[tokio::test]
async fn an_invitation_brings_account_token_membership_and_budget() {
    let service = Service::new().await;
    let challenge = service.published("closed-circle", Visibility::Private).await;
    let invite = service.invite(&challenge).await;
    let joined = service.store.join(&newcomer(&invite.code, "ada"), None, at(1)).await.unwrap();
    assert_eq!(joined.challenge, challenge.name);
    let token = joined.token.unwrap();
    let ada = service.store.authenticate(&token.secret, at(2)).await.unwrap().unwrap();
    assert_eq!((ada.account.as_str(), ada.team.as_str(), ada.scope), ("ada", "ada", Scope::Builder));
    assert!(service.store.may_see(&challenge, Some(&ada)).await.unwrap());
    let listed = service.store.invites(challenge.id, None, None).await.unwrap().items;
    assert_eq!(listed[0].accepted_by, Some("ada".parse().unwrap()));
    let granted: Vec<(i64, i64)> =
        sqlx::query_as("SELECT team_id, granted FROM budgets").fetch_all(&mut service.raw().await).await.unwrap();
    // The default of the rules, 200 PF.
    assert_eq!(granted, [(ada.team_id, 200_000_000_000_000_000)]);
}

#[tokio::test]
async fn a_team_gets_the_budget_of_its_first_invitation_only() {
    let service = Service::new().await;
    let challenge = service.published("closed-circle", Visibility::Private).await;
    let team = "lovelace";
    for (account, budget) in [("ada", 7), ("byron", 9)] {
        let request = thimble_api::account::TokenRequest {
            team: Some(team.parse().unwrap()),
            ..crate::fixture::request(account, Scope::Builder)
        };
        let token = service.store.create_token(&request, &Actor::Local, at(0)).await.unwrap();
        let principal = service.store.authenticate(&token.secret, at(0)).await.unwrap().unwrap();
        let asked = InviteRequest { budget: Some(Compute::from_flops(budget)), ..invitation() };
        let invite = service.store.invite(challenge.id, &asked, &Actor::Local, at(0)).await.unwrap();
        let joined = service.store.join(&known(&invite.code), Some(&principal), at(1)).await.unwrap();
        assert_eq!(joined.token, None);
    }
    let granted: Vec<(i64,)> =
        sqlx::query_as("SELECT granted FROM budgets").fetch_all(&mut service.raw().await).await.unwrap();
    assert_eq!(granted, [(7,)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_accept_at_once_exactly_one_does() {
    let service = Service::new().await;
    let challenge = service.published("closed-circle", Visibility::Private).await;
    for round in 0..10 {
        let invite = service.invite(&challenge).await;
        let tasks: Vec<_> = (0..4)
            .map(|number| {
                let (store, request) =
                    (service.store.clone(), newcomer(&invite.code, &format!("guest-{round}-{number}")));
                tokio::spawn(async move { store.join(&request, None, at(1)).await })
            })
            .collect();
        let mut accepted = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => accepted += 1,
                other => assert_eq!(refused(other), ErrorCode::Conflict),
            }
        }
        assert_eq!(accepted, 1);
    }
    // Who was refused left no account behind.
    assert_eq!(service.store.accounts(None, None).await.unwrap().items.len(), 10);
}

#[tokio::test]
async fn a_refused_acceptance_leaves_the_invitation_open_and_nothing_behind() {
    let service = Service::new().await;
    let challenge = service.published("closed-circle", Visibility::Private).await;
    let ada = service.principal("ada", Scope::Builder).await;
    let invite = service.invite(&challenge).await;
    let join = async |request: JoinRequest, principal| service.store.join(&request, principal, at(1)).await;
    assert_eq!(refused(join(newcomer(&invite.code, "ada"), None).await), ErrorCode::Conflict);
    let team = JoinRequest { team: Some("ada".parse().unwrap()), ..newcomer(&invite.code, "byron") };
    assert_eq!(refused(join(team, None).await), ErrorCode::Conflict);
    assert_eq!(refused(join(known(&invite.code), None).await), ErrorCode::ValidationFailed);
    assert_eq!(refused(join(newcomer(&invite.code, "byron"), Some(&ada)).await), ErrorCode::ValidationFailed);
    assert_eq!(service.store.accounts(None, None).await.unwrap().items.len(), 1);
    join(known(&invite.code), Some(&ada)).await.unwrap();
    // A member needs no second invitation: it stays for another.
    let second = service.invite(&challenge).await;
    assert_eq!(refused(join(known(&second.code), Some(&ada)).await), ErrorCode::Conflict);
    join(newcomer(&second.code, "byron"), None).await.unwrap();
}

#[tokio::test]
async fn a_code_ends_with_its_time_by_revocation_and_by_use() {
    let service = Service::new().await;
    let challenge = service.published("closed-circle", Visibility::Private).await;
    let join = async |code: &str, name: &str, now| service.store.join(&newcomer(code, name), None, at(now)).await;
    // 14 days.
    let invite = service.invite(&challenge).await;
    assert_eq!(refused(join(&invite.code, "ada", 14 * 86_400).await), ErrorCode::Conflict);
    join(&invite.code, "ada", 14 * 86_400 - 1).await.unwrap();
    assert_eq!(refused(join(&invite.code, "byron", 2).await), ErrorCode::Conflict);
    assert!(!service.store.revoke_invite(&invite.invite.prefix, &Actor::Local, at(3)).await.unwrap());
    let revoked = service.invite(&challenge).await;
    assert!(service.store.revoke_invite(&revoked.invite.prefix, &Actor::Local, at(3)).await.unwrap());
    assert_eq!(refused(join(&revoked.code, "byron", 4).await), ErrorCode::Conflict);
    let short = InviteRequest { expires_at: Some(at(0)), ..invitation() };
    let late = service.store.invite(challenge.id, &short, &Actor::Local, at(0)).await;
    assert_eq!(refused(late), ErrorCode::ValidationFailed);
}

#[tokio::test]
async fn a_wrong_code_is_not_found() {
    let service = Service::new().await;
    let challenge = service.published("closed-circle", Visibility::Private).await;
    let invite = service.invite(&challenge).await;
    let guess = format!("{}{}", invite.invite.prefix, "0".repeat(56));
    for wrong in [guess.as_str(), &format!("thi_{}", "0".repeat(64)), "", "é", &invite.code[..67]] {
        let result = service.store.join(&newcomer(wrong, "ada"), None, at(1)).await;
        assert_eq!(refused(result), ErrorCode::NotFound, "{wrong}");
    }
}

#[tokio::test]
async fn labels_have_1_to_200_characters() {
    let service = Service::new().await;
    let challenge = service.draft("first").await;
    let invite = async |label: &str| {
        let request = InviteRequest { label: label.to_owned(), ..invitation() };
        service.store.invite(challenge.id, &request, &Actor::Local, at(0)).await
    };
    for good in ["a", &"ä".repeat(200)] {
        invite(good).await.unwrap();
    }
    for bad in ["", "  ", &"ä".repeat(201), "a\nb"] {
        assert_eq!(refused(invite(bad).await), ErrorCode::ValidationFailed, "{bad:?}");
    }
    let nowhere = service.store.invite(challenge.id + 1, &invitation(), &Actor::Local, at(0)).await;
    assert_eq!(refused(nowhere), ErrorCode::NotFound);
}
