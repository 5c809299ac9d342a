//! A plugin host for storefronts: sandboxed WebAssembly plugins answer a shop's hooks.

// Of tests, where the connection of a transaction is behind a gate (`store::gate`).
#![cfg_attr(test, allow(clippy::explicit_auto_deref))]

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
#[doc(hidden)]
pub mod sabotage;
pub mod serve;
pub mod store;
mod threads;
pub mod webhooks;
pub mod wording;

/// Gives memory back that a burst or a compilation took, whichever thread it was on.
// The fuzzers' sanitizer watches an allocator of its own.
#[cfg(all(unix, not(feature = "fuzzing")))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
