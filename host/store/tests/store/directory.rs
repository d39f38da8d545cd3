use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::task::Poll;

use bytes::Bytes;
use thimble_api::account::Scope;
use thimble_challenge::challenge::Visibility;
use thimble_store::{Store, StoreError};

use crate::fixture::{Service, at};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

#[tokio::test]
async fn a_reopened_store_has_everything() {
    let service = Service::new().await;
    let token = service.token("ada", Scope::Builder).await;
    let row = service.published("first", Visibility::Private).await;
    let invite = service.invite(&row).await;
    let artifact = service.store.put_artifact(Bytes::from_static(b"abc")).await.unwrap();
    let audit = service.store.audit_log(None, None).await.unwrap();
    let Service { store, directory } = service;
    let data = directory.path().join("data");
    drop(store);
    let store = Store::open(&data).await.unwrap();
    assert_eq!(store.directory(), data);
    assert!(store.authenticate(&token.secret, at(1)).await.unwrap().is_some());
    assert_eq!(store.challenge(&row.name).await.unwrap(), Some(row.clone()));
    assert_eq!(store.invites(row.id, None, None).await.unwrap().items, [invite.invite]);
    assert_eq!(store.artifact(&artifact).await.unwrap(), Some(Bytes::from_static(b"abc")));
    assert_eq!(store.audit_log(None, None).await.unwrap(), audit);
}

#[tokio::test]
async fn what_was_begun_and_not_ended_leaves_nothing() {
    let service = Service::new().await;
    let row = service.draft("first").await;
    // A request whose client went away: its future is dropped at the first place where it waits, at the second, and so on.
    // How often it waits depends on the threads of the database, so it ends somewhere in between.
    for places in 0..60 {
        let name = format!("late-{places}").parse().unwrap();
        let new = thimble_api::draft::NewDraft { name, title: "Late".to_owned() };
        let mut request = std::pin::pin!(service.store.create_draft(&new, &thimble_store::Actor::Local, at(0)));
        let mut waited = 0;
        std::future::poll_fn(|context| {
            if waited == places {
                return Poll::Ready(());
            }
            waited += 1;
            request.as_mut().poll(context).map(drop)
        })
        .await;
    }
    service.store.ready().await.unwrap();
    let entries = service.store.audit_log(None, Some(200)).await.unwrap().items;
    let operator = service.principal("olga", Scope::Operator).await;
    let made = service.store.challenges(Some(&operator), true, None, None, Some(200)).await.unwrap().items;
    // A draft and its entry are there together or not at all.
    assert_eq!(made.len(), entries.len());
    assert!(service.store.challenge(&row.name).await.unwrap().is_some());
}

#[tokio::test]
async fn the_directory_is_for_its_owner_alone() {
    let service = Service::new().await;
    service.token("ada", Scope::Builder).await;
    let data = service.data();
    assert_eq!((mode(&data), mode(&data.join("artifacts"))), (0o700, 0o700));
    for entry in fs::read_dir(&data).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            assert_eq!(mode(&entry.path()), 0o600, "{}", entry.path().display());
        }
    }
    // A restored copy that anyone can read.
    drop(service.store);
    let database = data.join("thimble.sqlite");
    fs::set_permissions(&database, Permissions::from_mode(0o644)).unwrap();
    Store::open(&data).await.unwrap();
    assert_eq!(mode(&database), 0o600);
}

#[tokio::test]
async fn a_directory_that_others_may_write_to_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o770)).unwrap();
    let error = Store::open(directory.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::NotPrivate { .. }) && error.to_string().contains("mode 0770"), "{error}");
    let file = tempfile::NamedTempFile::new().unwrap();
    assert!(matches!(Store::open(file.path()).await, Err(StoreError::Directory { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_may_open_it_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let path = directory.path().join("data");
            tokio::spawn(async move { Store::open(&path).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap().ready().await.unwrap();
    }
}

#[tokio::test]
async fn a_backup_is_a_store_as_it_was() {
    let service = Service::new().await;
    let token = service.token("ada", Scope::Builder).await;
    let copy = service.directory.path().join("copy");
    fs::create_dir(&copy).unwrap();
    fs::set_permissions(&copy, Permissions::from_mode(0o700)).unwrap();
    let file = copy.join("thimble.sqlite");
    service.store.backup(&file).await.unwrap();
    assert_eq!(mode(&file), 0o600);
    // Never over something that is there.
    assert!(service.store.backup(&file).await.is_err());
    service.token("byron", Scope::Builder).await;
    let restored = Store::open(&copy).await.unwrap();
    assert!(restored.authenticate(&token.secret, at(1)).await.unwrap().is_some());
    assert_eq!(restored.accounts(None, None).await.unwrap().items.len(), 1);
    assert_eq!(service.store.accounts(None, None).await.unwrap().items.len(), 2);
}
