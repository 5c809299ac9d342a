//! The sandbox: the only room that knows wasmtime.

pub mod call;
pub mod contract;
pub mod manifest;
pub mod permissions;
pub mod registry;
