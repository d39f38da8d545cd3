use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use thimble_datasets::Digest;
use thimble_store::StoreError;

use crate::fixture::Service;

fn path(service: &Service, digest: &Digest) -> PathBuf {
    let digits = digest.to_hex();
    service.data().join("artifacts").join(&digits[..2]).join(&digits[2..])
}

#[tokio::test]
async fn an_artifact_is_what_its_digest_says() {
    let service = Service::new().await;
    for bytes in [Bytes::new(), Bytes::from_static(b"abc"), Bytes::from(vec![7; 3 << 20])] {
        let digest = service.store.put_artifact(bytes.clone()).await.unwrap();
        assert_eq!(digest, Digest::of(&bytes));
        assert_eq!(service.store.artifact(&digest).await.unwrap(), Some(bytes));
    }
    assert_eq!(service.store.artifact(&Digest::of(b"never written")).await.unwrap(), None);
}

#[tokio::test]
async fn the_same_bytes_are_written_once() {
    use std::os::unix::fs::MetadataExt as _;
    let service = Service::new().await;
    let digest = service.store.put_artifact(Bytes::from_static(b"abc")).await.unwrap();
    let file = fs::metadata(path(&service, &digest)).unwrap().ino();
    assert_eq!(service.store.put_artifact(Bytes::from_static(b"abc")).await.unwrap(), digest);
    assert_eq!(fs::metadata(path(&service, &digest)).unwrap().ino(), file);
    assert_eq!(service.store.sizes().await.unwrap().artifact_bytes, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_of_the_same_bytes_do_not_disturb_each_other() {
    let service = Service::new().await;
    let bytes = Bytes::from(vec![7; 100_000]);
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (store, bytes) = (service.store.clone(), bytes.clone());
            tokio::spawn(async move { store.put_artifact(bytes).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap(), Digest::of(&bytes));
    }
    assert_eq!(service.store.artifact(&Digest::of(&bytes)).await.unwrap(), Some(bytes));
}

#[tokio::test]
async fn damage_is_seen_and_writing_again_mends_it() {
    let service = Service::new().await;
    let bytes = Bytes::from_static(b"abc");
    let digest = service.store.put_artifact(bytes.clone()).await.unwrap();
    for damage in [b"abd".as_slice(), b"", b"abcd"] {
        fs::write(path(&service, &digest), damage).unwrap();
        let read = service.store.artifact(&digest).await;
        assert!(matches!(read, Err(StoreError::Corrupt { what: "artifact", .. })), "{read:?}");
        service.store.put_artifact(bytes.clone()).await.unwrap();
        assert_eq!(service.store.artifact(&digest).await.unwrap(), Some(bytes.clone()));
    }
}
