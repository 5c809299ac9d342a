//! Hostile files that have no source: made from a good plugin, or from nothing.

use anyhow::bail;

use crate::plugin_files;

/// By the name that `made` has in a `case.toml`.
pub fn make(made: &str) -> anyhow::Result<Vec<u8>> {
    Ok(match made {
        "truncated" => {
            let mut good = good()?;
            good.truncate(good.len() / 2);
            good
        }
        _ => bail!("nothing is made by the name `{made}`"),
    })
}

/// A plugin that works.
fn good() -> anyhow::Result<Vec<u8>> {
    Ok(std::fs::read(plugin_files().join("stamp_one.wasm"))?)
}
