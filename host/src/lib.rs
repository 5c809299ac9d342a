//! A plugin host for storefronts: sandboxed WebAssembly plugins answer a shop's hooks.

pub mod adapters;
pub mod cli;
pub mod config;
pub mod decide;
pub mod domain;
pub mod fetch;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod http;
pub mod lifecycle;
pub mod messages;
pub mod plugins;
pub mod serve;
pub mod store;
mod threads;
pub mod webhooks;
pub mod wording;
