//! Whether a write would get through now: asked by those who watch the host, and before each write whether the
//! database's file is still the one that was opened. A file that was deleted or replaced goes on taking
//! writes as long as it is open, and they are gone when the host ends.

use std::path::{Path, PathBuf};
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
    pub(super) fn check_file(&self) -> Result<()> {
        self.file.as_ref().map_or(Ok(()), |file| file.check())
    }

    /// Takes the ways of a read and of a write, and changes nothing: fails when another process holds the database, when it
    /// is away, or when its file is gone. Answers within two seconds.
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
        *last = Some((Instant::now(), answer.clone()));
        answer
    }

    async fn try_out(&self) -> Result<()> {
        self.check_file()?;
        sqlx::query("SELECT 1").fetch_one(&self.inner.reads).await?;
        self.write((), |_, ()| Box::pin(async { Ok(()) })).await
    }
}
