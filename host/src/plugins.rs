//! The sandbox: the only room that knows wasmtime.

mod cache;
pub mod call;
pub mod code;
pub mod contract;
mod engine;
mod imports;
pub mod inspect;
mod limits;
pub mod manifest;
pub mod meters;
pub mod permissions;
pub mod registry;
mod settings;
pub mod watch;

#[cfg(test)]
mod fixtures;
