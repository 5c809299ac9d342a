//! The sandbox: the only room that knows wasmtime.

pub mod breaker;
mod cache;
pub mod call;
pub mod code;
pub mod contract;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod doors;
mod engine;
pub mod examine;
mod extent;
mod imports;
pub mod inspect;
mod limits;
mod lines;
pub mod manifest;
mod meters;
mod pace;
pub mod permissions;
pub mod registry;
pub mod schema;
mod settings;
mod slots;
pub mod standing;
pub mod trust;
pub mod upgrade;
pub mod watch;

#[cfg(test)]
mod fixtures;
