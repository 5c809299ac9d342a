//! How the database does. What is wrong with it is told once when it begins and once when it is over, however many
//! calls meet it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::StoreError;

/// What is done about a file that is broken while a host has it open.
const BROKEN: &str = "Nothing more is written to it. Stop the host and bring back the last backup with `cartwright \
     restore <backup> --force`, which keeps this file aside; without a backup, sqlite3's `.recover` saves what can \
     still be read";

#[derive(Debug, Default)]
pub(super) struct Health {
    trouble: Mutex<Option<Trouble>>,
    /// A trouble began: somebody has to look when it is over.
    pub began: Notify,
}

#[derive(Debug)]
struct Trouble {
    error: StoreError,
    since: Instant,
    /// Calls that met it.
    met: u64,
}

impl Health {
    /// What a call came to. Only what is wrong with the database itself counts.
    pub fn meet(&self, error: &StoreError) {
        let Some(weight) = error.weight() else { return };
        let error = match error {
            StoreError::Damaged(what) => StoreError::Damaged(format!("{what}. {BROKEN}")),
            error => error.clone(),
        };
        let mut trouble = self.lock();
        match &mut *trouble {
            Some(known) => {
                known.met = known.met.saturating_add(1);
                if Some(weight) <= known.error.weight() {
                    return;
                }
                known.error = error.clone();
            }
            None => *trouble = Some(Trouble { error: error.clone(), since: Instant::now(), met: 1 }),
        }
        drop(trouble);
        tracing::error!(%error, "the database is in trouble: what would change it gets 503, decisions go on");
        self.began.notify_one();
    }

    /// A read and a write got through; true when that is the end of a trouble.
    pub fn well(&self) -> bool {
        let Some(Trouble { since, met, .. }) = self.lock().take_if(|trouble| !trouble.error.is_for_good())
        else {
            return false;
        };
        let seconds = since.elapsed().as_secs();
        tracing::info!(seconds, met, "the database is well again: what waited goes on");
        true
    }

    /// What is wrong at the moment.
    pub fn trouble(&self) -> Option<StoreError> {
        self.lock().as_ref().map(|trouble| trouble.error.clone())
    }

    /// What no waiting mends.
    pub fn for_good(&self) -> Result<(), StoreError> {
        match self.trouble() {
            Some(error) if error.is_for_good() => Err(error),
            _ => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Trouble>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StoreError {
    /// The database's own trouble, of which the store tells: whoever meets it need not.
    pub fn is_trouble(&self) -> bool {
        self.weight().is_some()
    }

    /// Somebody has to start the host again, on another file.
    fn is_for_good(&self) -> bool {
        matches!(self, Self::Damaged(_))
    }

    /// Of two troubles the heavier is the one to tell of.
    fn weight(&self) -> Option<u8> {
        match self {
            Self::Damaged(_) => Some(3),
            Self::Unwritable(_) => Some(2),
            Self::Away(_) => Some(1),
            _ => None,
        }
    }
}
