//! Storage: the only room that knows SQL.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::domain::Message;

mod announce;
mod answers;
mod attempts;
mod by_hand;
mod cache;
mod catalog;
mod claims;
mod commit;
mod copies;
mod coupons;
mod customers;
mod deliveries;
mod delivery_views;
mod dialect;
mod endpoints;
mod entry;
mod events;
mod gate;
mod handing;
mod heads;
mod health;
mod hosts;
mod intake;
mod job_views;
mod jobs;
mod keys;
mod labels;
mod mark;
mod messages;
mod migrations;
mod orders;
mod outgoing;
mod points;
mod readers;
mod reads;
mod ready;
mod retention;
mod set_back;
mod signals;
mod state;
mod status;
mod suppressions;
mod survey;
mod sweeping;
mod timeline;
mod timers;
mod unsubscribing;
mod usage;
mod webhooks;
mod writer;

pub use answers::JobJournal;
pub use attempts::Attempt;
pub use by_hand::Verdict;
pub use claims::{Claim, Claimed};
pub use commit::{Changes, Completion, MessageStep};
pub use copies::{copy_database, database_file, examine_database, keep_hosts_away};
pub use coupons::{
    CouponHold, CouponStanding, CouponUse, CouponView, Holder, NewCoupon, NewReservation, Reserved,
};
pub use deliveries::{Attempted, Delivery, DeliveryFate, Lane, Settled};
pub use delivery_views::DeliveryView;
pub use endpoints::EndpointStanding;
pub use events::{Row as StoredEvent, new_id};
pub use handing::{Day, HandOver, Handed, Ruling, Standing};
pub use hosts::{HEARTBEAT_MS, HostState, HostView, LivePlugins, Presence};
pub use intake::{Intake, Subscribers, Taken};
pub use job_views::{JobDetails, JobFilter, JobState, JobView};
pub use jobs::{Failure, Next};
pub use labels::{Label, Labelled};
pub use mark::{Mark, NoMark};
pub use messages::MessageView;
pub use outgoing::NewMessage;
pub use points::{PointsEntry, PointsPage};
pub use retention::{Expiry, Sweep};
pub use signals::Waiter;
pub use state::{Change, StateChange};
pub use status::EventStanding;
pub use suppressions::{Feedback, Matched, Suppression};
pub use survey::{Backlog, LeaseFigures, QueuedJobs, Survey, WithoutHost, survey};
pub use timeline::{Happened, ReleaseReason, TimelineEntry, TimelineOf, TimelinePage};
pub use timers::TimerChange;
pub use unsubscribing::UnsubscribeLink;
pub use usage::Allowance;
pub use webhooks::{NewWebhook, Notice, Spread};

/// The contract that stored payloads are written in.
pub const CONTRACT: &str = "0.1";

/// Why the store did not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("the database did not answer as expected: {0}")]
    Database(String),
    /// It may come back.
    #[error("the database is away: {0}")]
    Away(String),
    /// It answers, and keeps nothing: its disk is full, fails, or may not be written.
    #[error("the database cannot be written: {0}")]
    Unwritable(String),
    /// Transactions stood in each other's way, more often than they were tried again.
    #[error("the database was too busy: {0}")]
    Collided(String),
    #[error("another host has this database open: {0}")]
    Locked(String),
    #[error("stored data cannot be read: {0}")]
    Corrupt(String),
    /// SQLite finds that its file is none, or broken.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// What was asked for cannot be.
    #[error("{0}")]
    Invalid(String),
    /// A plugin keeps or sends more than it may.
    #[error("passed limits.{setting} = {value}")]
    Limit { setting: &'static str, value: u64 },
    /// What a call read has changed since.
    #[error("what the call read has changed since")]
    Stale,
    /// The job's lease is another worker's by now.
    #[error("the job is another worker's by now")]
    Fenced,
}

pub type Result<T, E = StoreError> = std::result::Result<T, E>;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::from(&error)
    }
}

impl From<&sqlx::Error> for StoreError {
    fn from(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => match error.code() {
                Some(code) => dialect::meaning(&code, error.to_string()),
                None => Self::Database(error.to_string()),
            },
            sqlx::Error::PoolTimedOut => Self::Away("no connection to it was free in time".to_owned()),
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed => {
                Self::Away(error.to_string())
            }
            _ => Self::Database(error.to_string()),
        }
    }
}

/// A message that waits for its time, with what it takes to render it.
#[derive(Debug, Clone)]
pub struct StoredMessage {
    pub id: String,
    pub shop: String,
    pub plugin: String,
    pub event_id: String,
    pub order_id: Option<String>,
    pub customer_id: Option<String>,
    pub message: Message,
    pub locale: Option<String>,
    /// Codes of the coupons that the same call issued, by handle.
    pub coupons: BTreeMap<u32, String>,
    pub created_at: i64,
    pub attempts: u32,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageFate {
    /// By this channel, under this Message-ID.
    Sent {
        channel: String,
        message_id: String,
    },
    /// For a reason that a person can read.
    Dropped {
        reason: String,
    },
    /// Dropped, because nobody has such a mailbox: nothing more is sent to the address.
    NoMailbox {
        reason: String,
    },
    Later {
        at_ms: i64,
        reason: String,
    },
}

/// Open work, for metrics and `/readyz`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueDepth {
    /// (plugin, hook, open jobs, age of the oldest in ms)
    pub jobs: Vec<(String, String, i64, i64)>,
    pub messages_due: i64,
    /// How long the oldest of them has been, ms.
    pub messages_lag_ms: i64,
    pub jobs_dead: i64,
    pub events_held: i64,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
    /// Of a database that is a file.
    file: Option<Arc<ready::OpenedFile>>,
    last_look: Arc<ready::LastLook>,
}

struct Inner {
    reads: readers::Readers,
    writer: writer::Writer,
    dialect: dialect::Dialect,
    caches: Arc<cache::Caches>,
    signals: Arc<signals::Signals>,
    health: Arc<health::Health>,
    guest_key: [u8; 32],
    /// This host, among those on the database.
    host: String,
    /// Held as long as anyone has the store, where only one host may.
    lock: Option<std::fs::File>,
}

impl Store {
    /// Opens (and migrates) `sqlite:<path>`, whose folder is made and which is locked against a second host,
    /// or `postgres://…`, which hosts share.
    pub async fn open(database: &str, data_dir: &Path) -> Result<Self> {
        let file = dialect::Dialect::file(database, data_dir)?;
        let inner = dialect::Dialect::open(database, data_dir).await.map_err(|error| match (error, &file) {
            (StoreError::Damaged(what), Some(path)) => StoreError::Damaged(format!(
                "{}: {what}. Nothing was changed. Bring back the last backup with `cartwright restore <backup> \
                 --force`, which keeps this file aside; without a backup, sqlite3's `.recover` saves what can \
                 still be read",
                path.display()
            )),
            (error, _) => error,
        })?;
        let file = file.map(|path| Arc::new(ready::OpenedFile::of(path)));
        let store = Self { inner: Arc::new(inner), file, last_look: Arc::default() };
        store.look_after();
        Ok(store)
    }

    /// How many migrations the next [`open`](Self::open) of an existing database will apply. Changes nothing.
    pub async fn pending_migrations(database: &str, data_dir: &Path) -> Result<usize> {
        dialect::Dialect::pending_migrations(database, data_dir).await
    }

    /// Finishes the writes that are queued, and lets another host have the database.
    pub async fn close(&self) {
        self.last_look.forget().await;
        self.inner.writer.close().await;
        self.inner.reads.close().await;
        // The system lets go of it at the end of the process in any case.
        let _ = self.inner.lock.as_ref().map(std::fs::File::unlock);
    }

    /// A secret of this installation, made from the OS's random numbers when first asked for and kept in
    /// the database, so that every host on it has the same (`guest`, `quote`).
    pub async fn installation_key(&self, name: &str) -> Result<[u8; 32]> {
        self.write((name.to_owned(), keys::new()?), |tx, (name, new)| {
            Box::pin(async move { keys::installation_key(&mut *tx.connection(), name, new).await })
        })
        .await
    }

    /// Whether other hosts may have the database open too.
    pub fn is_shared(&self) -> bool {
        self.inner.lock.is_none()
    }

    /// Changes whenever there may be messages to hand over: `changed().await` instead of polling.
    pub fn mail(&self) -> watch::Receiver<u64> {
        self.inner.signals.mail()
    }

    /// Changes whenever there may be jobs or timers to do.
    pub fn work(&self) -> watch::Receiver<u64> {
        self.inner.signals.work()
    }

    /// Changes whenever there may be notices for the shops' own systems.
    pub fn webhooks(&self) -> watch::Receiver<u64> {
        self.inner.signals.webhooks()
    }

    /// The clock was moved, or what is live has changed: all who wait for a time look again.
    pub fn wake(&self) {
        self.inner.signals.wake();
    }

    /// Durable when it returns `Ok`; nothing is left of it when it returns `Err`.
    async fn write<A, T>(&self, input: A, work: writer::Work<A, T>) -> Result<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        if let Err(error) = self.fit() {
            return Err(self.inner.reads.heard(error));
        }
        self.inner.writer.write(input, work).await.map_err(|error| self.inner.reads.heard(error))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Whoever looks after the database finds nobody, and ends.
        self.health.began.notify_one();
    }
}

fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    // Vocabulary types have string keys and no failing serializers.
    serde_json::to_string(value).unwrap_or_default()
}

/// The error names the place, not the text: that may be personal.
fn from_json<T: DeserializeOwned>(what: &str, text: String) -> Result<T> {
    serde_json::from_str(&text).map_err(|error| {
        StoreError::Corrupt(format!("{what}: line {}, column {}", error.line(), error.column()))
    })
}

#[cfg(test)]
pub(crate) use gate::{seen, watched};
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
pub(crate) mod tests;
