//! The one place that constructs services.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use crate::decide::Decider;
use crate::domain::Clock;
use crate::lifecycle::Lifecycle;
use crate::messages::Courier;
use crate::plugins::registry::Registry;
use crate::store::Store;

/// What a caller may decide beside the files.
#[derive(Debug, Clone)]
pub struct StartOptions {
    /// Instead of the file's `listen`; port 0 takes a free one.
    pub listen: Option<SocketAddr>,
    /// Tests and the demo move theirs.
    pub clock: Clock,
    /// Whether worker and courier run on their own; without, only `settle` does their work.
    pub background: bool,
    /// Whether files are watched; without, only `registry().reload()` reads them again.
    pub watch: bool,
}

impl Default for StartOptions {
    fn default() -> Self {
        Self { listen: None, clock: Clock::default(), background: true, watch: true }
    }
}

/// A running host. Dropping it aborts; `stop` finishes what it holds.
pub struct Host {
    address: SocketAddr,
    clock: Clock,
    registry: Arc<Registry>,
    store: Store,
    decider: Decider,
    lifecycle: Lifecycle,
    courier: Courier,
}

impl Host {
    /// Reads `cartwright.toml` in `folder`, opens the store, loads the plugins and listens. Many may
    /// run in one process, each in its own folder.
    pub async fn start(folder: &Path, options: StartOptions) -> anyhow::Result<Self> {
        let _ = (folder, options);
        todo!()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    #[must_use]
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    #[must_use]
    pub fn decider(&self) -> &Decider {
        &self.decider
    }

    #[must_use]
    pub fn lifecycle(&self) -> &Lifecycle {
        &self.lifecycle
    }

    #[must_use]
    pub fn courier(&self) -> &Courier {
        &self.courier
    }

    /// Does the work of events, timers and messages until nothing more is due at the clock's time.
    pub async fn settle(&self) -> anyhow::Result<()> {
        todo!()
    }

    /// Stops taking requests, finishes those it has and the calls under way, and closes the store.
    pub async fn stop(self) -> anyhow::Result<()> {
        todo!()
    }
}
