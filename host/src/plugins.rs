//! The sandbox: the only room that knows wasmtime.

pub mod breaker;
mod cache;
pub mod call;
pub mod code;
pub mod contract;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod doors;
mod engine;
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
mod settings;
mod slots;
pub mod standing;
pub mod watch;

#[cfg(test)]
mod fixtures;
