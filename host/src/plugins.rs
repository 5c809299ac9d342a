//! The sandbox: the only room that knows wasmtime.

pub mod call;
pub mod code;
pub mod contract;
pub mod inspect;
pub mod manifest;
pub mod meters;
pub mod permissions;
pub mod registry;
pub mod watch;
