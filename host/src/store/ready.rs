//! Whether a write would get through now: asked by those who watch the host, and once a second while the database is
//! in trouble. Before each write it is asked whether the database's file is still the one that was opened: one that
//! was deleted or replaced goes on taking writes as long as it is open, and they are gone when the host ends.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Result, Store, StoreError};

/// A write that takes longer does not get through.
const PATIENCE: Duration = Duration::from_secs(2);

/// An answer holds for so long: watchers may ask as often as they like.
const HOLDS: Duration = Duration::from_secs(1);

/// The file of the database, as it was when it was opened.
pub(super) struct OpenedFile {
    path: PathBuf,
    identity: Option<Identity>,
}

/// Device and inode.
type Identity = (u64, u64);

impl OpenedFile {
    pub(super) fn of(path: PathBuf) -> Self {
        let identity = identity(&path);
        Self { path, identity }
    }

    pub(super) fn check(&self) -> Result<()> {
        let now = identity(&self.path);
        if now.is_some() && now == self.identity {
            return Ok(());
        }
        let what = if now.is_none() { "is gone" } else { "is another file than the one that was opened" };
        Err(StoreError::Away(format!(
            "{} {what}: stop the host, put the file back (or `cartwright restore` a backup), and start again",
            self.path.display()
        )))
    }
}

fn identity(path: &Path) -> Option<Identity> {
    let metadata = std::fs::metadata(path).ok()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        Some((metadata.dev(), metadata.ino()))
    }
    #[cfg(not(unix))]
    {
        // Where a file that is open cannot be replaced.
        let _ = metadata;
        Some((0, 0))
    }
}

/// The last look; held while looking, so that all who ask meanwhile share the answer.
#[derive(Default)]
pub(super) struct LastLook(tokio::sync::Mutex<Option<(Instant, Result<()>)>>);

impl LastLook {
    pub(super) async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

impl Store {
    /// Whether a write may be tried at all.
    pub(super) fn fit(&self) -> Result<()> {
        self.inner.health.for_good()?;
        self.file.as_ref().map_or(Ok(()), |file| file.check())
    }

    /// Looks once a second, while the database is in trouble, whether that is over.
    pub(super) fn look_after(&self) {
        let health = Arc::clone(&self.inner.health);
        let (inner, file, last_look) =
            (Arc::downgrade(&self.inner), self.file.clone(), Arc::clone(&self.last_look));
        tokio::spawn(async move {
            loop {
                health.began.notified().await;
                while health.trouble().is_some() && health.for_good().is_ok() {
                    tokio::time::sleep(HOLDS).await;
                    let Some(inner) = inner.upgrade() else { return };
                    let store = Self { inner, file: file.clone(), last_look: Arc::clone(&last_look) };
                    // What it finds is told where it is found.
                    let _ = store.ready().await;
                }
                if inner.strong_count() == 0 {
                    return;
                }
            }
        });
    }

    /// What is wrong with the database, as far as anybody has met it.
    pub fn trouble(&self) -> Option<StoreError> {
        self.inner.health.trouble()
    }

    /// Reads, and commits a change that says nothing: fails when another process holds the database, when it is away,
    /// full, or may not be written, or when its file is gone or broken. Answers within two seconds.
    pub async fn ready(&self) -> Result<()> {
        let mut last = self.last_look.0.lock().await;
        if let Some((at, answer)) = &*last
            && at.elapsed() < HOLDS
        {
            return answer.clone();
        }
        let answer = tokio::time::timeout(PATIENCE, self.try_out()).await.unwrap_or_else(|_| {
            Err(StoreError::Away(format!(
                "a write did not get through within {} seconds; does another process hold the database?",
                PATIENCE.as_secs()
            )))
        });
        let answer = answer.map_err(|error| {
            let error = self.inner.reads.heard(error);
            // The heaviest that is known, with what to do about it.
            self.inner.health.trouble().unwrap_or(error)
        });
        if answer.is_ok() && self.inner.health.well() {
            self.inner.signals.wake();
        }
        *last = Some((Instant::now(), answer.clone()));
        answer
    }

    async fn try_out(&self) -> Result<()> {
        self.fit()?;
        sqlx::query("SELECT 1").fetch_one(&self.inner.reads).await?;
        self.write(self.inner.dialect.pulse(), |tx, pulse| {
            Box::pin(async move {
                sqlx::query(*pulse).execute(tx.connection()).await?;
                Ok(())
            })
        })
        .await
    }
}
