//! `cartwright plugin check`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;

use super::{read, title};
use crate::cli::Ending;
use crate::cli::terminal::Paint;
use crate::config::{self, HostConfig, ShopConfig};
use crate::plugins::examine::examine;
use crate::plugins::trust::beside;

/// Say whether a host would load a plugin, and if not, why
///
/// Compiles it and starts it once, and verifies the signature beside it. With a shop, also compares what the
/// shop's file says of it: the pinned hash, grants, settings, limits and hosts. Ends with 1 when a host would
/// not load it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cartwright plugin check plugins/cross_sell.wasm
  cartwright plugin check plugins/cross_sell.wasm --shop lipa")]
pub struct Check {
    /// The plugin's .wasm file.
    file: PathBuf,
    /// A shop that enables it.
    #[arg(long)]
    shop: Option<String>,
    /// Its name in the shop's file, when that is not found by the file's name.
    #[arg(long, requires = "shop")]
    name: Option<String>,
}

pub(super) fn run(folder: &Path, arguments: &Check) -> Ending {
    let component = read(&arguments.file)?;
    let (shop, host) = match &arguments.shop {
        Some(id) => {
            let host = config::load_host(folder)?;
            (Some(config::load_shop(&host.shops_dir.join(format!("{id}.toml")))?), host)
        }
        // A plugin is also built and checked where there is no host.
        None if !folder.join(config::HOST_FILE).exists() => (None, HostConfig::default()),
        None => (None, config::load_host(folder)?),
    };
    let place = match (&shop, &arguments.name) {
        (Some(shop), Some(name)) => Some((shop, name.as_str())),
        (Some(shop), None) => Some((shop, entry_of(shop, &arguments.file)?)),
        _ => None,
    };
    let examined =
        crate::cli::runtime()?.block_on(examine(&component, &beside(&arguments.file), place, &host));
    let paint = Paint::for_output();
    for refusal in &examined.refusals {
        crate::cli::print(&format!("{} {refusal}", paint.bad("×")))?;
    }
    if let (Some(inspection), []) = (&examined.inspection, examined.refusals.as_slice()) {
        let place = place.map_or_else(String::new, |(shop, name)| format!(" as `{name}` of {}", shop.id));
        let title = title(inspection, &arguments.file);
        crate::cli::print(&format!("{} a host would load {title}{place}", paint.good("✓")))?;
    }
    for remark in &examined.remarks {
        crate::cli::print(&format!("  {remark}"))?;
    }
    Ok(if examined.refusals.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn entry_of<'a>(shop: &'a ShopConfig, file: &Path) -> anyhow::Result<&'a str> {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let entries: Vec<&str> = shop
        .plugins
        .iter()
        .filter(|entry| Path::new(&entry.source).file_name().and_then(|source| source.to_str()) == Some(name))
        .map(|entry| entry.name.as_str())
        .collect();
    match entries.as_slice() {
        [] => bail!(
            "the shop `{}` has no plugin with the source `{name}`; add one, or choose one with --name",
            shop.id
        ),
        [entry] => Ok(entry),
        several => bail!(
            "the shop `{}` uses `{name}` several times; choose one with --name: {}",
            shop.id,
            several.join(", ")
        ),
    }
}
