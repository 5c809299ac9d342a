//! What this host tells of itself, to `cartwright status` and the hosts beside it, at every heartbeat.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::Clock;
use crate::plugins::registry::{Registry, Snapshot};
use crate::store::{self, HEARTBEAT_MS, HostState, LivePlugins, Store};

const HEARTBEAT: Duration = Duration::from_millis(HEARTBEAT_MS.unsigned_abs());

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct Presence {
    store: Store,
    registry: Arc<Registry>,
    clock: Clock,
    name: Arc<str>,
    address: SocketAddr,
    started_at: i64,
}

impl Presence {
    pub(super) fn new(store: &Store, registry: &Arc<Registry>, clock: &Clock, address: SocketAddr) -> Self {
        let name =
            hostname::get().map_or_else(|_| "unknown".to_owned(), |name| name.to_string_lossy().into_owned());
        Self {
            store: store.clone(),
            registry: Arc::clone(registry),
            clock: clock.clone(),
            name: name.into(),
            address,
            started_at: clock.now_ms(),
        }
    }

    pub(super) async fn tell(&self, state: HostState) -> store::Result<()> {
        let snapshot = self.registry.current();
        let presence = store::Presence {
            name: self.name.to_string(),
            pid: std::process::id(),
            address: self.address.to_string(),
            version: env!("CARGO_PKG_VERSION"),
            state,
            generation: snapshot.generation,
            plugins: plugins(&snapshot),
            started_at: self.started_at,
            now_ms: self.clock.now_ms(),
        };
        self.store.present(presence).await
    }

    /// Goes on while the host finishes what it has in hand, and until it is broken off.
    pub(super) async fn keep(self, stopping: CancellationToken) {
        let mut away = false;
        loop {
            let stops = stopping.is_cancelled();
            let told = self.tell(if stops { HostState::Stopping } else { HostState::Running }).await;
            if let Err(error) = &told
                && !away
            {
                tracing::warn!(%error, "the database was not told that this host is there; it is tried again");
            }
            away = told.is_err();
            tokio::select! {
                () = stopping.cancelled(), if !stops => {}
                () = tokio::time::sleep(HEARTBEAT) => {}
            }
        }
    }
}

fn plugins(snapshot: &Snapshot) -> LivePlugins {
    let mut plugins = LivePlugins::new();
    for (id, shop) in &snapshot.shops {
        let versions =
            shop.plugins.iter().map(|live| (live.entry.name.clone(), live.plugin.manifest.version.clone()));
        plugins.insert(id.clone(), versions.collect());
    }
    plugins
}
