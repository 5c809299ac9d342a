//! The one place that constructs services.

mod background;
mod instead;
pub mod key;
mod presence;
pub mod telemetry;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{self, HostConfig};
use crate::decide::Decider;
use crate::decide::stages::Caller;
use crate::domain::Clock;
use crate::fetch::{Fetcher, Lookup, System};
use crate::http::{self, App, Connections, Rules};
use crate::lifecycle::{Lifecycle, Plugins};
use crate::messages::Courier;
use crate::messages::channels::Channel;
use crate::messages::channels::outbox::Outbox;
use crate::messages::channels::smtp::Smtp;
use crate::plugins::registry::Registry;
use crate::plugins::watch::{WatchGuard, watch as watch_files};
use crate::serve::instead::Instead;
use crate::serve::presence::Presence;
use crate::store::{HostState, Store};
use crate::threads;
use crate::webhooks::Dispatcher;

/// What a caller may decide beside the files.
#[derive(Clone)]
pub struct StartOptions {
    /// Instead of the file's `listen`; port 0 takes a free one.
    pub listen: Option<SocketAddr>,
    /// Tests and the demo move theirs.
    pub clock: Clock,
    /// Whether worker and courier run on their own; without, only `settle` does their work.
    pub background: bool,
    /// Whether files are watched; without, only `registry().reload()` reads them again.
    pub watch: bool,
    /// Instead of the folder of `.eml` files.
    pub channels: Option<Vec<Arc<dyn Channel>>>,
    /// What names of servers that plugins ask are resolved by.
    pub lookup: Arc<dyn Lookup>,
    /// Answers for the plugins instead of the sandbox, which still loads them: the benchmark asks its native logic, or
    /// webhooks, through the same host.
    pub caller: Option<Arc<dyn Caller>>,
}

impl Default for StartOptions {
    fn default() -> Self {
        Self {
            listen: None,
            clock: Clock::default(),
            background: true,
            watch: true,
            channels: None,
            lookup: Arc::new(System),
            caller: None,
        }
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
    dispatcher: Dispatcher,
    connections: Connections,
    /// Watches files while it lives.
    watching: Option<WatchGuard>,
    stopping: CancellationToken,
    tasks: JoinSet<()>,
    presence: Presence,
    /// Its heart beats until all else has ended.
    heart: JoinSet<()>,
}

impl Host {
    /// Reads `cartwright.toml` in `folder`, opens the store, loads the plugins and listens. Many may
    /// run in one process, each in its own folder.
    pub async fn start(folder: &Path, options: StartOptions) -> anyhow::Result<Self> {
        let StartOptions { listen, clock, background, watch, channels, lookup, caller } = options;
        telemetry::install_crypto();
        let config = config::load_host(folder)?;
        let address = listen.unwrap_or(config.listen);
        let listener = bind(address).await?;
        let address = listener.local_addr()?;

        prepare(&config)?;
        let store = Store::open(&config.database(), &config.data_dir).await?;
        let keys = key::load(&config.data_dir, &store).await?;
        let fetcher = Fetcher::new(&config.fetch, lookup)?;
        let registry = Registry::open_with(folder, clock.clone(), Some(Arc::new(fetcher))).await?;
        let (caller, plugins): (Arc<dyn Caller>, Arc<dyn Plugins>) = match caller {
            None => (Arc::clone(&registry) as _, Arc::clone(&registry) as _),
            Some(caller) => {
                (Arc::clone(&caller), Arc::new(Instead { registry: Arc::clone(&registry), caller }))
            }
        };
        let decider = Decider::new(caller, store.clone(), clock.clone(), Arc::clone(&keys.quote));
        let lifecycle = Lifecycle::new(plugins, store.clone(), clock.clone(), Arc::clone(&keys.quote));
        let courier = Courier {
            live: Arc::clone(&registry) as _,
            store: store.clone(),
            clock: clock.clone(),
            decider: decider.clone(),
            channels: match channels {
                Some(channels) => channels,
                None => vec![mail_channel(&config)?],
            },
            concurrent: config.limits.concurrent_messages as usize,
            handing: handing(&config),
            unsubscribe_key: Arc::new(store.installation_key("unsubscribe").await?),
        };
        let dispatcher = Dispatcher::new(Arc::clone(&registry), store.clone(), clock.clone())?;
        let router = http::router(App {
            registry: Arc::clone(&registry),
            store: store.clone(),
            decider: decider.clone(),
            lifecycle: lifecycle.clone(),
            clock: clock.clone(),
            metrics: telemetry::metrics(),
        });

        let stopping = CancellationToken::new();
        let presence = Presence::new(&store, &registry, &clock, address);
        presence.tell(HostState::Running).await?;
        let mut heart = JoinSet::new();
        heart.spawn(presence.clone().keep(stopping.clone()));
        let mut tasks = JoinSet::new();
        let connections = Connections::default();
        let (counted, live, stopped) = (connections.clone(), Arc::clone(&registry), stopping.clone());
        tasks.spawn(async move {
            let rules =
                move || Rules { limits: live.current().host.http.clone(), certificate: live.certificate() };
            http::serve(listener, router, rules, counted, stopped.cancelled_owned()).await;
        });
        if background {
            let threads = &threads::background();
            let (worker, stopped) = (lifecycle.clone(), stopping.clone());
            tasks.spawn_on(async move { worker.run(stopped).await }, threads);
            tasks.spawn_on(background::forget(lifecycle.clone(), stopping.clone()), threads);
            let (carrier, stopped) = (courier.clone(), stopping.clone());
            tasks.spawn_on(async move { carrier.run(stopped).await }, threads);
            let (teller, stopped) = (dispatcher.clone(), stopping.clone());
            tasks.spawn_on(async move { teller.run(stopped).await }, threads);
        }
        let watching = if watch { Some(watch_files(Arc::clone(&registry))?) } else { None };
        tasks.spawn(background::tidy_metrics(stopping.clone()));
        tasks.spawn(background::watch_certificate(Arc::clone(&registry), stopping.clone()));
        let tls = registry.certificate().is_some();
        tracing::info!(%address, tls, shops = registry.current().shops.len(), "listening");
        Ok(Self {
            address,
            clock,
            registry,
            store,
            decider,
            lifecycle,
            courier,
            dispatcher,
            connections,
            watching,
            stopping,
            tasks,
            presence,
            heart,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Those that are open.
    #[must_use]
    pub fn connections(&self) -> &Connections {
        &self.connections
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

    #[must_use]
    pub fn dispatcher(&self) -> &Dispatcher {
        &self.dispatcher
    }

    /// Does the work of events, timers, messages and webhooks until nothing more is due at the clock's time.
    pub async fn settle(&self) -> anyhow::Result<()> {
        background::settle(&self.lifecycle, &self.courier, &self.dispatcher, &self.clock).await
    }

    /// Waits until one of its tasks ends though nobody asked it to, and says which way: a host that takes
    /// events and does no work must not look alive.
    pub async fn ended(&mut self) -> anyhow::Error {
        match self.tasks.join_next().await {
            Some(Err(error)) => anyhow::Error::new(error).context("a task of the host broke off"),
            Some(Ok(())) | None => anyhow::anyhow!("a task of the host ended before its time"),
        }
    }

    /// Stops taking requests and claiming jobs, finishes what it has, and closes the store. What takes longer than a
    /// request may (`http.timeout_seconds`) is cut: its job is given back, for another host or the next start.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.watching.take());
        self.stopping.cancel();
        let patience = Duration::from_secs(self.registry.current().host.http.timeout_seconds.max(1));
        let finished = tokio::time::timeout(patience, async {
            while let Some(ended) = self.tasks.join_next().await {
                ended.context("a task of the host broke off")?;
            }
            anyhow::Ok(())
        });
        match finished.await {
            Ok(finished) => finished?,
            Err(_) => {
                let cut = self.lifecycle.in_hand();
                tracing::warn!(
                    jobs = cut.len(),
                    "work was still under way {} s after the stop; it was cut, and its jobs are given back",
                    patience.as_secs()
                );
                self.tasks.shutdown().await;
                if let Err(error) = self.lifecycle.let_go(&cut).await {
                    tracing::warn!(%error, "jobs that were cut could not be given back; they are free when their leases end");
                }
            }
        }
        self.heart.shutdown().await;
        let closed = tokio::time::timeout(patience, async {
            if let Err(error) = self.presence.tell(HostState::Stopped).await {
                tracing::warn!(%error, "the database was not told of the stop");
            }
            self.store.close().await;
        });
        if closed.await.is_err() {
            tracing::warn!("the database does not answer; its connections are left");
        }
        tracing::info!("stopped");
        Ok(())
    }
}

/// Several times what a mail may take: five minutes, when nothing else is said.
fn handing(config: &HostConfig) -> Duration {
    Duration::from_secs(config.smtp.as_ref().map_or(60, |smtp| smtp.timeout_seconds)) * 5
}

/// A mail server when there is one, else a folder of files.
fn mail_channel(config: &HostConfig) -> anyhow::Result<Arc<dyn Channel>> {
    Ok(match &config.smtp {
        Some(smtp) => Arc::new(Smtp::open(smtp, &config.folder)?),
        None => Arc::new(Outbox::open(config.outbox())?),
    })
}

/// Listens, or says in a sentence why not.
async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "{address} is in use; stop what listens there, or choose another port with `listen` in \
             cartwright.toml (or `--listen {}:0` for a free one)",
            address.ip()
        ),
        std::io::ErrorKind::PermissionDenied => anyhow::anyhow!(
            "this user may not listen on port {}; ports below 1024 are for the system, choose a higher one",
            address.port()
        ),
        std::io::ErrorKind::AddrNotAvailable => anyhow::anyhow!(
            "this machine has no address {}; 127.0.0.1 is reached from here only, 0.0.0.0 from everywhere",
            address.ip()
        ),
        _ => anyhow::anyhow!("cannot listen on {address}: {error}"),
    })
}

/// Makes the folders that the host writes to.
fn prepare(config: &HostConfig) -> anyhow::Result<()> {
    for folder in [&config.data_dir, &config.outbox()] {
        std::fs::create_dir_all(folder).map_err(|error| {
            anyhow::anyhow!(
                "the folder {} cannot be written: {error}; make it writable for this user, or set \
                 `data_dir` (or `outbox_dir`) in cartwright.toml",
                config::shown(folder)
            )
        })?;
    }
    Ok(())
}
