//! What the merchant wrote: `cartwright.toml` and `shops/<id>.toml`, checked.

pub mod calendar;
mod host;
mod plugin;
mod secret;
mod shop;

pub use host::{Budgets, HostConfig, HttpLimits, Limits, LogConfig, LogFormat};
pub use plugin::{OnLate, PluginEntry};
pub use secret::SecretSource;
pub use shop::{
    CustomerTokens, DiscountRules, FallbackOption, Key, KeyKind, Mode, QuietHours, ShopConfig, WooCommerce,
};
