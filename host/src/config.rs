//! What the merchant wrote: `cartwright.toml` and `shops/<id>.toml`, checked.

pub mod calendar;
mod check;
mod civil;
mod country;
mod fetch;
mod granted;
mod host;
mod limits;
mod load;
mod mistake;
mod plugin;
mod secret;
mod security;
mod shop;
mod smtp;
pub mod suggest;
mod tls;
mod webhook;
mod wording_of_serde;

pub use check::is_shop_id;
pub use fetch::FetchLimits;
pub use granted::HostGrant;
pub use host::{Budgets, HostConfig, HttpLimits, LogConfig, LogFormat, Retention};
pub use limits::{Beyond, BreakerConfig, Limits, PluginLimits};
#[cfg(any(test, feature = "fuzzing"))]
pub use load::parse_host;
pub use load::{HOST_FILE, load_host, load_shop, load_shops, parse_shop, shop_files};
pub use mistake::{ConfigError, Origin, Step, shown};
pub use plugin::{OnLate, PluginEntry};
pub use secret::{SecretError, SecretSource};
pub use security::{Security, TrustedKey, key_id};
pub use shop::{
    BasicAuth, CustomerTokens, DiscountRules, FallbackOption, Key, KeyKind, MailFeedback, Mode, ShopConfig,
    WooCommerce,
};
pub use smtp::{SmtpConfig, SmtpTls};
pub use tls::{Certificate, TlsConfig};
pub use webhook::{EndpointSecretError, WebhookEndpoint};
