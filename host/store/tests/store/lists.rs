use serde_json::json;
use thimble_api::account::Scope;
use thimble_api::{ErrorCode, Page};
use thimble_challenge::challenge::Visibility;
use thimble_datasets::Digest;
use thimble_store::{Actor, NewDataset, RefusedOr};

use crate::fixture::{Service, at, refused};

/// Every part of a list, of two items each.
async fn walk<T>(part: impl AsyncFn(Option<&str>) -> Result<Page<T>, RefusedOr>) -> Vec<T> {
    let mut items = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..10 {
        let page = part(after.as_deref()).await.unwrap();
        assert!(page.items.len() <= 2);
        items.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return items,
        }
    }
    panic!("the list has no end");
}

#[tokio::test]
async fn parts_of_a_list_are_the_whole_list() {
    let service = Service::new().await;
    let store = &service.store;
    let names = ["one", "two", "three", "four", "five"];
    for name in names {
        service.token(name, Scope::Builder).await;
        service.published(name, Visibility::Public).await;
    }
    let row = store.challenge(&"one".parse().unwrap()).await.unwrap().unwrap();
    for _ in names {
        service.invite(&row).await;
    }
    let tokens = walk(async |after| store.tokens(after, Some(2)).await).await;
    let newest: Vec<_> = tokens.iter().map(|token| token.account.as_str()).collect();
    assert_eq!(newest, ["five", "four", "three", "two", "one"]);
    let accounts = walk(async |after| store.accounts(after, Some(2)).await).await;
    let by_name: Vec<_> = accounts.iter().map(|account| account.name.as_str()).collect();
    assert_eq!(by_name, ["five", "four", "one", "three", "two"]);
    // All of the same moment: by name.
    let challenges = walk(async |after| store.challenges(None, false, None, after, Some(2)).await).await;
    let shown: Vec<_> = challenges.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(shown, by_name);
    assert_eq!(walk(async |after| store.invites(row.id, after, Some(2)).await).await.len(), 5);
    let entries = store.audit_log(None, Some(200)).await.unwrap().items;
    // A token, a draft, its text and its publication for each name, then the invitations: 4 × 5 + 5.
    assert_eq!(entries.len(), 25);
    let first = store.audit_log(Some("3"), Some(2)).await.unwrap();
    assert_eq!((first.items.len(), first.next), (2, None));
}

#[tokio::test]
async fn a_forged_place_or_size_of_a_part_is_a_bad_request() {
    let service = Service::new().await;
    let store = &service.store;
    let row = service.published("first", Visibility::Public).await;
    let of_none = ["", " ", "x y", "+1", "1.", ".first", "1.A", "1.first ", "-", "' OR 1=1", "é", "\0"];
    for after in of_none.map(Some) {
        assert_eq!(refused(store.accounts(after, None).await), ErrorCode::BadRequest, "{after:?}");
        assert_eq!(refused(store.datasets(after, None).await), ErrorCode::BadRequest, "{after:?}");
        let challenges = store.challenges(None, false, None, after, None).await;
        assert_eq!(refused(challenges), ErrorCode::BadRequest, "{after:?}");
    }
    // Names, but no numbers as they are written.
    for after in of_none.into_iter().chain(["01", "first", "9223372036854775808"]).map(Some) {
        assert_eq!(refused(store.tokens(after, None).await), ErrorCode::BadRequest, "{after:?}");
        assert_eq!(refused(store.invites(row.id, after, None).await), ErrorCode::BadRequest, "{after:?}");
        assert_eq!(refused(store.audit_log(after, None).await), ErrorCode::BadRequest, "{after:?}");
    }
    for limit in [0, 201, u32::MAX] {
        assert_eq!(refused(store.tokens(None, Some(limit)).await), ErrorCode::BadRequest, "{limit}");
    }
    assert!(store.tokens(None, Some(1)).await.is_ok() && store.tokens(None, Some(200)).await.is_ok());
}

/// Every digest in it is another.
fn dataset(name: &str, official: bool) -> NewDataset {
    let digest = |of: &str| Digest::of(format!("{of} of {name}").as_bytes());
    let split = |file: &str| json!({ "file": format!("{file}.arrow"), "file_digest": digest(file), "rows": 10 });
    let metadataset = json!({
        "schema_version": 1,
        "name": name,
        "task": { "kind": "tabular_regression" },
        "fields": [
            { "name": "x", "dtype": "f32", "shape": [3], "role": "input" },
            { "name": "y", "dtype": "f32", "shape": [], "role": "target" }
        ],
        "splits": { "train": split("train"), "validation": split("validation"), "test": split("test") },
        "digest": digest("content")
    });
    NewDataset {
        name: name.parse().unwrap(),
        path: "/data/somewhere".into(),
        digest: digest("content"),
        official,
        metadataset: serde_json::from_value(metadataset).unwrap(),
    }
}

#[tokio::test]
async fn a_registered_name_keeps_its_content() {
    let service = Service::new().await;
    let store = &service.store;
    let new = dataset("digits", false);
    store.register_dataset(&new, &Actor::Local, at(0)).await.unwrap();
    let moved = NewDataset { path: "/elsewhere".into(), ..new.clone() };
    store.register_dataset(&moved, &Actor::Local, at(1)).await.unwrap();
    let found = store.dataset(&new.name).await.unwrap().unwrap();
    assert_eq!((found.path, found.registered_at), ("/elsewhere".into(), at(0)));
    let other = NewDataset { digest: Digest::of(b"other"), ..new.clone() };
    assert_eq!(refused(store.register_dataset(&other, &Actor::Local, at(2)).await), ErrorCode::Conflict);
    let relative = NewDataset { path: "relative".into(), ..new };
    assert_eq!(refused(store.register_dataset(&relative, &Actor::Local, at(2)).await), ErrorCode::ValidationFailed);
    assert_eq!(service.actions().await, ["dataset.register", "dataset.move"]);
}

#[tokio::test]
async fn the_digests_of_official_data_are_not_listed() {
    let service = Service::new().await;
    let (public, official) = (dataset("digits", false), dataset("digits-official", true));
    for new in [&public, &official] {
        service.store.register_dataset(new, &Actor::Local, at(0)).await.unwrap();
    }
    let views = service.store.datasets(None, None).await.unwrap().items;
    assert_eq!((views[0].digest, &views[0].metadataset), (Some(public.digest), &public.metadataset));
    assert_eq!(views[1].digest, None);
    let shown = serde_json::to_string(&views[1]).unwrap();
    let splits = &official.metadataset.splits;
    for digest in [official.digest, splits.train.file_digest, splits.validation.file_digest, splits.test.file_digest] {
        assert!(!shown.contains(&digest.to_hex()), "{shown}");
    }
    // The service itself knows it.
    let record = service.store.dataset(&official.name).await.unwrap().unwrap();
    assert_eq!((record.digest, record.metadataset), (official.digest, official.metadataset));
}
