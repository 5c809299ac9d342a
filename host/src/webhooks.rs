//! How the shop's own systems are told: signed webhooks out (Standard Webhooks 1.0), at least once, under an
//! id that stays the same.

mod address;
mod attempt;
mod dispatch;
mod request;
mod schedule;
mod send;

use std::sync::Arc;

use crate::domain::Clock;
use crate::plugins::registry::Registry;
use crate::store::Store;

/// Copies notices to the endpoints that subscribe them, and delivers those. Cheap to clone.
#[derive(Clone)]
pub struct Dispatcher {
    registry: Arc<Registry>,
    store: Store,
    clock: Clock,
    client: reqwest::Client,
    desk: Arc<dispatch::Desk>,
}

impl Dispatcher {
    /// Fails when TLS cannot be set up.
    pub fn new(registry: Arc<Registry>, store: Store, clock: Clock) -> anyhow::Result<Self> {
        Ok(Self { registry, store, clock, client: send::client()?, desk: Arc::default() })
    }
}
