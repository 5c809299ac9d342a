//! Reads the files and checks what types cannot.

use std::path::Path;

use super::{ConfigError, HostConfig, ShopConfig};

/// Reads `cartwright.toml` of a folder; relative folders in it become paths below that folder.
pub fn load_host(folder: &Path) -> Result<HostConfig, ConfigError> {
    let _ = folder;
    todo!()
}

/// Reads `shops/<id>.toml`.
pub fn load_shop(file: &Path) -> Result<ShopConfig, ConfigError> {
    let _ = file;
    todo!()
}

/// Reads every `*.toml` of a folder, sorted by name; broken ones are left out and reported.
#[must_use]
pub fn load_shops(folder: &Path) -> (Vec<ShopConfig>, Vec<ConfigError>) {
    let _ = folder;
    todo!()
}
