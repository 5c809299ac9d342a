//! What the merchant wrote: `cartwright.toml` and `shops/<id>.toml`, checked.

pub mod calendar;
mod host;
mod load;
mod mistake;
mod plugin;
mod secret;
mod shop;

pub use host::{Budgets, HostConfig, HttpLimits, Limits, LogConfig, LogFormat};
pub use load::{load_host, load_shop, load_shops};
pub use mistake::{ConfigError, Origin, Step};
pub use plugin::{OnLate, PluginEntry};
pub use secret::{SecretError, SecretSource};
pub use shop::{
    CustomerTokens, DiscountRules, FallbackOption, Key, KeyKind, Mode, QuietHours, ShopConfig, WooCommerce,
};
