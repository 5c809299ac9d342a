//! Storage: the only room that knows SQL.

use std::path::Path;

use crate::domain::{CatalogEntry, CustomerInput, CustomerRecord, OrderRecord, StateOwner, Versioned};

/// Why the store did not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database did not answer as expected: {0}")]
    Database(String),
    #[error("another host has this database open: {0}")]
    Locked(String),
    #[error("stored data cannot be read: {0}")]
    Corrupt(String),
}

pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// A coupon's standing for a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CouponStanding {
    pub coupon: crate::domain::Coupon,
    /// `own`, `expired`, `used` (also: someone else's).
    pub status: String,
    pub currency: String,
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
    pub message: crate::domain::Message,
    pub locale: Option<String>,
    /// Codes of the coupons that the same call issued, by handle.
    pub coupons: std::collections::BTreeMap<u32, String>,
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
}

/// A job as `GET /v1/jobs` shows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct JobView {
    pub id: String,
    pub plugin: String,
    pub hook: String,
    pub event_id: String,
    pub order_id: Option<String>,
    /// `waiting`, `running`, `failed` (it is tried again), `dead` (it is not), `done`.
    pub state: String,
    pub attempts: i64,
    /// Why the last attempt failed.
    pub fault: Option<String>,
    #[serde(with = "crate::domain::instant")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: i64,
    /// Not before.
    #[serde(with = "crate::domain::instant")]
    #[schema(value_type = String, format = DateTime)]
    pub run_after: i64,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Store {}

impl Store {
    /// Opens (and migrates) `sqlite:<path>`; the path's folder is made. Locks against a second host.
    pub async fn open(database: &str, data_dir: &Path) -> Result<Self> {
        let _ = (database, data_dir);
        todo!()
    }

    /// Answers a trivial write-free query.
    pub async fn ping(&self) -> Result<()> {
        todo!()
    }

    pub async fn close(&self) {
        todo!()
    }

    pub async fn put_products(&self, shop: &str, entries: &[CatalogEntry], now_ms: i64) -> Result<()> {
        let _ = (shop, entries, now_ms);
        todo!()
    }

    /// In the order of `ids`. Answered from a cache that every write of the catalogue clears.
    pub async fn products(&self, shop: &str, ids: &[String]) -> Result<Vec<Option<CatalogEntry>>> {
        let _ = (shop, ids);
        todo!()
    }

    /// Creates or changes; absent fields stay as they are. Gives the host's id of the customer.
    pub async fn put_customer(&self, shop: &str, input: &CustomerInput, now_ms: i64) -> Result<String> {
        let _ = (shop, input, now_ms);
        todo!()
    }

    /// With history, points, tier and consents.
    pub async fn customer(&self, shop: &str, id: &str) -> Result<Option<CustomerRecord>> {
        let _ = (shop, id);
        todo!()
    }

    pub async fn order(&self, shop: &str, id: &str) -> Result<Option<OrderRecord>> {
        let _ = (shop, id);
        todo!()
    }

    pub async fn state(&self, owner: &StateOwner, keys: &[String]) -> Result<Vec<Versioned>> {
        let _ = (owner, keys);
        todo!()
    }

    pub async fn state_list(
        &self,
        owner: &StateOwner,
        prefix: &str,
        limit: u32,
    ) -> Result<Vec<(String, Versioned)>> {
        let _ = (owner, prefix, limit);
        todo!()
    }

    /// `None` for codes that this host did not issue.
    pub async fn coupon_standing(
        &self,
        shop: &str,
        code: &str,
        customer: Option<&str>,
        now_ms: i64,
    ) -> Result<Option<CouponStanding>> {
        let _ = (shop, code, customer, now_ms);
        todo!()
    }

    /// Waiting messages whose time has come, and those that a crash left in `handing`.
    pub async fn messages_due(&self, now_ms: i64, limit: u32) -> Result<Vec<StoredMessage>> {
        let _ = (now_ms, limit);
        todo!()
    }

    /// The instant of the next waiting message.
    pub async fn next_message(&self) -> Result<Option<i64>> {
        todo!()
    }

    /// Marks it `handing`; false when it no longer waits.
    pub async fn hand_message(&self, id: &str, now_ms: i64) -> Result<bool> {
        let _ = (id, now_ms);
        todo!()
    }

    pub async fn settle_message(&self, id: &str, fate: &MessageFate, now_ms: i64) -> Result<()> {
        let _ = (id, fate, now_ms);
        todo!()
    }

    /// A secret of this installation, made from the OS's random numbers when first asked for and kept in
    /// the database, so that every host on it has the same (`guest`, `quote`).
    pub async fn installation_key(&self, name: &str) -> Result<[u8; 32]> {
        let _ = name;
        todo!()
    }

    /// Changes whenever there may be messages to hand over: `changed().await` instead of polling.
    pub fn mail(&self) -> tokio::sync::watch::Receiver<u64> {
        todo!()
    }

    /// Jobs of a shop, newest first; `state` = one of [`JobView::state`], or all that are not done.
    pub async fn jobs(&self, shop: &str, state: Option<&str>, limit: u32) -> Result<Vec<JobView>> {
        let _ = (shop, state, limit);
        todo!()
    }

    pub async fn queue_depth(&self, now_ms: i64) -> Result<QueueDepth> {
        let _ = now_ms;
        todo!()
    }

    /// Notified whenever a commit may have made a message due earlier than before.
    #[must_use]
    pub fn message_signal(&self) -> std::sync::Arc<tokio::sync::Notify> {
        todo!()
    }
}
