use thimble_api::account::Scope;
use thimble_store::Actor;

use crate::fixture::{Service, at};

#[tokio::test]
async fn the_database_refuses_to_change_the_audit_log() {
    let service = Service::new().await;
    service.token("ada", Scope::Builder).await;
    service.token("byron", Scope::Builder).await;
    let before = service.store.audit_log(None, None).await.unwrap();
    let mut connection = service.raw().await;
    for change in [
        "UPDATE audit SET actor = 'nobody'",
        "UPDATE audit SET sequence = 9 WHERE sequence = 1",
        "DELETE FROM audit WHERE sequence = 2",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit VALUES (1, 0, 'nobody', 'nothing', 'nowhere', '{}')",
    ] {
        let error = sqlx::query(change).execute(&mut connection).await.unwrap_err().to_string();
        assert!(error.contains("the audit log is append-only"), "{change}: {error}");
    }
    assert_eq!(service.store.audit_log(None, None).await.unwrap(), before);
}

#[tokio::test]
async fn entries_say_who_did_what_to_what_without_gaps() {
    let service = Service::new().await;
    let operator = service.principal("olga", Scope::Operator).await;
    let token = service.token("ada", Scope::Builder).await;
    // What is refused leaves no entry and no gap.
    let taken = crate::fixture::request("ada", Scope::Builder);
    let other = thimble_api::account::TokenRequest { team: Some("other".parse().unwrap()), ..taken };
    assert!(service.store.create_token(&other, &Actor::Local, at(1)).await.is_err());
    service.store.revoke_token(&token.token.prefix, &operator.actor(), at(2)).await.unwrap();
    let entries = service.store.audit_log(None, None).await.unwrap().items;
    let sequences: Vec<_> = entries.iter().map(|entry| entry.sequence).collect();
    assert_eq!(sequences, [3, 2, 1]);
    let last = &entries[0];
    assert_eq!((last.at, last.actor.as_str()), (at(2), "olga"));
    assert_eq!((last.action.as_str(), last.subject.as_str()), ("token.revoke", "ada"));
    assert_eq!(last.details.get("prefix"), Some(&token.token.prefix));
    assert_eq!(entries[1].actor, "local");
    assert!(!format!("{entries:?}").contains(&token.secret));
}
