//! How an event becomes effects, exactly once.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{Clock, Event};
use crate::plugins::registry::{LiveShop, Registry};
use crate::store::Store;

/// Who says it, and by which name: the same name twice is the same event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `api`, `woocommerce`, or the CloudEvents source.
    pub source: String,
    pub id: String,
    /// SHA-256 of the body: the same id with another body is a conflict.
    pub fingerprint: [u8; 32],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    New {
        event_id: String,
    },
    /// The same event again: nothing happens twice.
    Duplicate {
        event_id: String,
    },
    /// The same name with another body: the first is kept.
    Conflict {
        event_id: String,
    },
}

/// How far the work of an event is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Progress {
    pub event_id: String,
    /// `held`, `open`, `done`.
    pub state: String,
    pub jobs: Vec<JobProgress>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JobProgress {
    pub plugin: String,
    /// `waiting`, `running`, `done`, `failed`.
    pub state: String,
    pub fault: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// Well-formed JSON that cannot be: an unknown currency, an amount over 2^53-1, no such shipment.
    #[error("{field}: {what}")]
    Invalid { field: String, what: String },
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

/// Accepts events and does their work. Cheap to clone.
#[derive(Clone)]
pub struct Lifecycle {
    pub registry: Arc<Registry>,
    pub store: Store,
    pub clock: Clock,
    /// Verifies quotes that come back; 32 bytes.
    pub quote_key: Arc<[u8; 32]>,
}

impl Lifecycle {
    /// Durable when it returns: the event, its sequence number, and a job for each subscribed plugin.
    pub async fn accept(
        &self,
        shop: &LiveShop,
        identity: Identity,
        event: Event,
    ) -> Result<Accepted, IntakeError> {
        let _ = (shop, identity, event);
        todo!()
    }

    /// Until the event's jobs have finished, or `patience` (wall time) is over.
    pub async fn wait(
        &self,
        shop: &str,
        event_id: &str,
        patience: Duration,
    ) -> Result<Option<Progress>, IntakeError> {
        let _ = (shop, event_id, patience);
        todo!()
    }

    /// Fires due timers and does all eligible jobs; gives the instant
    /// (UTC milliseconds) when there is more to do. Production loops over it.
    pub async fn step(&self) -> Result<Option<i64>, IntakeError> {
        todo!()
    }
}
