//! `cartwright.toml`: one host.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

use super::{BreakerConfig, FetchLimits, Limits, Origin, Security, SmtpConfig, TlsConfig};

/// Relative folders are relative to the file's own folder.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HostConfig {
    /// The folder of `cartwright.toml`, which relative paths start from.
    #[serde(skip)]
    pub folder: PathBuf,
    #[serde(skip)]
    pub origin: Origin,
    /// Default `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// `sqlite:<path>`, or `postgres://…` for several hosts. Default `sqlite:data/cartwright.db`, in `data_dir`.
    pub database: Option<String>,
    /// Database, outbox, compiled plugins, the host's own secret. Default `data`.
    pub data_dir: PathBuf,
    /// `.eml` and `.html` files of outgoing mails. Default `outbox`, in `data_dir`.
    pub outbox_dir: Option<PathBuf>,
    /// `*.wasm`. Default `plugins`.
    pub plugins_dir: PathBuf,
    /// One file for each shop. Default `shops`.
    pub shops_dir: PathBuf,
    /// The merchant's own templates and texts, `<shop>/<plugin>/`. Default `templates`.
    pub templates_dir: PathBuf,
    pub log: LogConfig,
    /// Under which shoppers' mail programs reach this host, e.g. `https://hooks.shop.example`; for the links by
    /// which they unsubscribe. Default: none, and they write to the shop.
    pub public_url: Option<String>,
    /// Default: none, and mails are files in `outbox_dir`.
    pub smtp: Option<SmtpConfig>,
    /// Default: none, and the host speaks plain HTTP.
    pub tls: Option<TlsConfig>,
    pub limits: Limits,
    pub breaker: BreakerConfig,
    pub budgets: Budgets,
    pub http: HttpLimits,
    pub retention: Retention,
    pub fetch: FetchLimits,
    pub security: Security,
}

impl Default for HostConfig {
    fn default() -> Self {
        Self {
            folder: ".".into(),
            origin: Origin::default(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            database: None,
            data_dir: "data".into(),
            outbox_dir: None,
            plugins_dir: "plugins".into(),
            shops_dir: "shops".into(),
            templates_dir: "templates".into(),
            log: LogConfig::default(),
            public_url: None,
            smtp: None,
            tls: None,
            limits: Limits::default(),
            breaker: BreakerConfig::default(),
            budgets: Budgets::default(),
            http: HttpLimits::default(),
            retention: Retention::default(),
            fetch: FetchLimits::default(),
            security: Security::default(),
        }
    }
}

impl HostConfig {
    /// `sqlite:<path>` or `postgres://…`; may hold a password.
    #[must_use]
    pub fn database(&self) -> String {
        self.database
            .clone()
            .unwrap_or_else(|| format!("sqlite:{}", self.data_dir.join("cartwright.db").display()))
    }

    /// The folder that the `.eml` channel writes to.
    #[must_use]
    pub fn outbox(&self) -> PathBuf {
        self.outbox_dir.clone().unwrap_or_else(|| self.data_dir.join("outbox"))
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    pub format: LogFormat,
    /// A `tracing` filter, e.g. `info,cartwright=debug`. Default `info`.
    pub filter: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".to_owned() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

/// Latency of a decision hook over all its plugins and stages, ms; what is late is left out.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Budgets {
    /// Default 300.
    pub product_page: u32,
    /// Default 300.
    pub cart: u32,
    /// Default 500.
    pub checkout: u32,
    /// Default 300.
    pub order_status: u32,
}

impl Default for Budgets {
    fn default() -> Self {
        Self { product_page: 300, cart: 300, checkout: 500, order_status: 300 }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpLimits {
    /// Bytes of a request's body. Default 2 MiB.
    pub body_bytes: usize,
    /// MiB that the bodies of all requests under way hold at once; one address a quarter of it. Default 64.
    pub bodies_mib: u32,
    /// Depth of a JSON body. Default 32.
    pub json_depth: usize,
    /// Requests a second for each key, with bursts of twice as many. Default 200.
    pub requests_per_second: u32,
    /// Seconds a request may take, and its answer to be taken. Default 30.
    pub timeout_seconds: u64,
    /// Seconds that a connection may be open without a request; a request's headers must come within them too.
    /// Default 20.
    pub idle_seconds: u64,
    /// Connections at once. Default 800: a process may often have 1024 files.
    pub connections: u32,
    /// Of one address (of a /64 in IPv6). Default 400.
    pub connections_per_address: u32,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            body_bytes: 2 << 20,
            bodies_mib: 64,
            json_depth: 32,
            requests_per_second: 200,
            timeout_seconds: 30,
            idle_seconds: 20,
            connections: 800,
            connections_per_address: 400,
        }
    }
}

/// How long what is finished is kept, in days. What is open, dead jobs, orders, customers, coupons and points are
/// kept for good, and so is a sent message with a dedupe key: the next one is compared with it.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Events whose jobs are all done or dropped, with these, their attempts and effects. Default 90.
    pub history_days: u32,
    /// Messages sent or dropped. Default 90.
    pub messages_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { history_days: 90, messages_days: 90 }
    }
}
