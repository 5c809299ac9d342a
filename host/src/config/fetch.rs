//! `[fetch]` of `cartwright.toml`.

use std::path::PathBuf;

use serde::Deserialize;

/// What plugins may ask of other servers; the time that a call has left is the shorter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FetchLimits {
    /// Bytes of an answer's body, unpacked. Default 256 KiB.
    pub response_bytes: usize,
    /// From looking up the name to the last byte, ms. Default 10 000.
    pub timeout_ms: u32,
    /// Questions on their way at once. Default 64.
    pub concurrent: u32,
    /// Of one shop. Default 16.
    pub concurrent_per_shop: u32,
    /// Of one plugin in one shop. Default 4.
    pub concurrent_per_plugin: u32,
    /// Certificates (PEM) that servers may have beside those the system trusts. Default none.
    pub ca_file: Option<PathBuf>,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            response_bytes: 256 << 10,
            timeout_ms: 10_000,
            concurrent: 64,
            concurrent_per_shop: 16,
            concurrent_per_plugin: 4,
            ca_file: None,
        }
    }
}
