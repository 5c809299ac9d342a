//! What a plugin's file says of itself, from the binary alone.

use std::collections::BTreeSet;

use crate::config::ShopConfig;
use crate::domain::Hook;
use crate::plugins::manifest::Manifest;
use crate::plugins::permissions::Permission;

/// For `plugin inspect`.
#[derive(Debug, Clone)]
pub struct Inspection {
    pub manifest: Manifest,
    /// Hex SHA-256 of the file.
    pub sha256: String,
    pub bytes: u64,
    pub hooks: BTreeSet<Hook>,
    /// What it needs: the grants to write in the shop's file.
    pub permissions: BTreeSet<Permission>,
    /// What it uses when granted and can do without.
    pub optional: BTreeSet<Permission>,
}

/// Reads hooks, permissions and manifest; compiles nothing. An error is a sentence that says what to do.
pub fn inspect(component: &[u8]) -> Result<Inspection, String> {
    let _ = component;
    todo!()
}

/// For `plugin check`: would a host load it? Compiles it and instantiates it once; with a shop and the
/// name of one of its `[[plugins]]` entries, also its grants and settings. Every error is a sentence.
pub async fn check(component: &[u8], entry: Option<(&ShopConfig, &str)>) -> Result<Inspection, Vec<String>> {
    let _ = (component, entry);
    todo!()
}
