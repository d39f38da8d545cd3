//! Artifacts: bytes by their SHA-256, as `ab/cdef…`. Written beside their place, synchronised and renamed, never changed.

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutPayload};
use thimble_datasets::Digest;

use crate::{Result, Sizes, Store, StoreError};

impl Store {
    /// Keeps `bytes`, which survive a power cut once this returns. The same bytes again are a look, not a write.
    ///
    /// # Errors
    ///
    /// The disk fails.
    pub async fn put_artifact(&self, bytes: Bytes) -> Result<Digest> {
        let digest = Digest::of(&bytes);
        let failed = |source| StoreError::Artifact { digest, source };
        let path = path(&digest);
        // What has the right length and another content is damage: reading reports it, and writing again mends it.
        match self.artifact(&digest).await {
            Ok(Some(_)) => return Ok(digest),
            Ok(None) | Err(StoreError::Corrupt { .. }) => {}
            Err(error) => return Err(error),
        }
        self.artifacts.put(&path, PutPayload::from_bytes(bytes)).await.map_err(failed)?;
        Ok(digest)
    }

    /// The bytes of this digest; none where they are not kept (any more).
    ///
    /// # Errors
    ///
    /// The disk fails, or what it holds is not what was written.
    pub async fn artifact(&self, digest: &Digest) -> Result<Option<Bytes>> {
        let failed = |source| StoreError::Artifact { digest: *digest, source };
        let found = match self.artifacts.get(&path(digest)).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(source) => return Err(failed(source)),
        };
        let bytes = found.bytes().await.map_err(failed)?;
        let read = Digest::of(&bytes);
        if read != *digest {
            return Err(StoreError::corrupt("artifact", format!("{digest} holds bytes of {read}")));
        }
        Ok(Some(bytes))
    }

    /// Whether the bytes of this digest are kept.
    pub(crate) async fn has_artifact(&self, digest: &Digest) -> Result<bool> {
        match self.artifacts.head(&path(digest)).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(source) => Err(StoreError::Artifact { digest: *digest, source }),
        }
    }

    /// Removes a package that was refused, unless a submission has the same bytes. Whoever submits them at the same time waits
    /// for this, and then finds them gone: [`submit`](Self::submit) asks for them again.
    ///
    /// # Errors
    ///
    /// The database or the disk fails.
    pub async fn discard_package(&self, digest: &Digest) -> Result<()> {
        let mut transaction = self.write().await?;
        let needed: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM submissions WHERE package = ?1 OR result = ?1) \
             OR EXISTS (SELECT 1 FROM challenges WHERE cover = ?1 OR exploration = ?1)",
        )
        .bind(digest.as_bytes().as_slice())
        .fetch_one(&mut *transaction)
        .await?;
        if needed { Ok(()) } else { self.remove_artifact(digest).await }
    }

    /// Removes what nothing refers to; what is not there is removed already.
    pub(crate) async fn remove_artifact(&self, digest: &Digest) -> Result<()> {
        match self.artifacts.delete(&path(digest)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(StoreError::Artifact { digest: *digest, source }),
        }
    }

    /// Room taken on the disk. Looks at every artifact.
    ///
    /// # Errors
    ///
    /// The disk fails.
    pub async fn sizes(&self) -> Result<Sizes> {
        let artifacts = self.artifacts.list(None).try_fold(0, |sum, object| async move { Ok(sum + object.size) });
        Ok(Sizes {
            database_bytes: self.database_bytes().await?,
            artifact_bytes: artifacts.await.map_err(StoreError::Artifacts)?,
        })
    }
}

fn path(digest: &Digest) -> Path {
    let digits = digest.to_hex();
    let (directory, file) = digits.split_at(2);
    Path::from_iter([directory, file])
}
