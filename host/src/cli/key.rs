//! `cartwright key create`: only a hash of the key is kept.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::Ending;
use super::terminal::Paint;
use crate::config::{self, KeyKind, ShopConfig};

/// Make keys for a shop
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Create(Create),
}

/// Make a key: its hash goes into the shop's file, the key itself is printed once
///
/// A secret key may do everything for its shop and belongs on the shop's server. A publishable key may
/// be in a web page: it may only ask for decisions (delivery, discounts, recommendations), and only
/// from the origins you name.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cartwright key create --shop lipa --kind secret
  cartwright key create --shop lipa --kind publishable --origin https://lipa.example

To take a key back, delete its [[keys]] entry in the shop's file.")]
pub struct Create {
    /// The shop: the name of its file without .toml.
    #[arg(long)]
    shop: String,
    #[arg(long, value_enum)]
    kind: Kind,
    /// To tell keys apart; made up when absent.
    #[arg(long)]
    name: Option<String>,
    /// For a publishable key: an origin that browsers may call from; without one, none may. May be repeated.
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<String>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Kind {
    Secret,
    Publishable,
}

pub fn run(folder: &Path, command: &Command) -> Ending {
    let Command::Create(arguments) = command;
    let host = config::load_host(folder)?;
    let file = host.shops_dir.join(format!("{}.toml", arguments.shop));
    if !file.exists() {
        let shops: Vec<String> = config::shop_files(&host.shops_dir)?
            .iter()
            .filter_map(|file| file.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
            .collect();
        bail!("there is no shop `{}`; the shops are: {}", arguments.shop, shops.join(", "));
    }
    let kind = match arguments.kind {
        Kind::Secret => KeyKind::Secret,
        Kind::Publishable => KeyKind::Publishable,
    };
    let key = add(&file, kind, arguments.name.as_deref(), &arguments.origins)?;
    let paint = Paint::for_output();
    super::print(&format!(
        "{}\n\n{}",
        paint.title(&key),
        paint.quiet("Keep it now: it is not shown again. The shop's file holds only its hash.")
    ))?;
    if kind == KeyKind::Publishable && arguments.origins.is_empty() {
        super::print(
            "No browser may use it yet: add origins = [\"https://…\"] to its entry, or make one with --origin.",
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes a key and appends its entry to the shop's file; gives the key.
fn add(file: &Path, kind: KeyKind, name: Option<&str>, origins: &[String]) -> anyhow::Result<String> {
    let shop = config::load_shop(file)?;
    let name = match name {
        Some(name) => name.to_owned(),
        None => free_name(&shop, kind),
    };
    let key = generate(&shop.id, kind);
    let addition = entry(&name, kind, &key, origins);
    let text: Arc<str> = format!("{}{addition}", shop.origin.text).into();
    // The whole file is read as it will be before a byte of it changes.
    config::parse_shop(file, text).with_context(|| {
        format!("the key was not written, because {} would not be right with it", file.display())
    })?;
    std::fs::OpenOptions::new()
        .append(true)
        .open(file)
        .and_then(|mut opened| opened.write_all(addition.as_bytes()))
        .with_context(|| format!("{} cannot be written", file.display()))?;
    Ok(key)
}

/// `cw_sk_<shop>_…` or `cw_pk_<shop>_…` with 32 random bytes.
pub(super) fn generate(shop: &str, kind: KeyKind) -> String {
    let letters = match kind {
        KeyKind::Secret => "sk",
        KeyKind::Publishable => "pk",
    };
    format!("cw_{letters}_{shop}_{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
}

/// Hex SHA-256, as the shop's file holds it.
pub(super) fn hash(key: &str) -> String {
    Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn entry(name: &str, kind: KeyKind, key: &str, origins: &[String]) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let kind = match kind {
        KeyKind::Secret => "secret",
        KeyKind::Publishable => "publishable",
    };
    let mut text =
        format!("\n[[keys]]\nname = {}\nkind = \"{kind}\"\nsha256 = \"{}\"\n", quoted(name), hash(key));
    if !origins.is_empty() {
        let list: Vec<String> = origins.iter().map(|origin| quoted(origin)).collect();
        text.push_str(&format!("origins = [{}]\n", list.join(", ")));
    }
    text
}

fn free_name(shop: &ShopConfig, kind: KeyKind) -> String {
    let stem = match kind {
        KeyKind::Secret => "server",
        KeyKind::Publishable => "browser",
    };
    let taken = |name: &str| shop.keys.iter().any(|key| key.name == name);
    if !taken(stem) {
        return stem.to_owned();
    }
    (2..10_000).map(|number| format!("{stem}-{number}")).find(|name| !taken(name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOP: &str = "# The linden shop.\nname = \"Lipa\" # as in the logo\nurl = \"https://lipa.example\"\n\
                        country = \"PL\"\ncurrency = \"PLN\"\nzone = \"Europe/Warsaw\"\n\n[discounts]\n\
                        exclusive = [\"campaign\"] # one at a time";

    fn shop() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lipa.toml");
        std::fs::write(&file, SHOP).unwrap();
        (folder, file)
    }

    #[test]
    fn a_key_is_added_without_disturbing_the_rest() {
        let (_folder, file) = shop();
        let secret = add(&file, KeyKind::Secret, None, &[]).unwrap();
        let second = add(&file, KeyKind::Secret, None, &[]).unwrap();
        let public = add(&file, KeyKind::Publishable, None, &["https://lipa.example".to_owned()]).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with(SHOP), "{text}");
        assert!(!text.contains(&secret), "the key itself must not be kept");
        let loaded = config::load_shop(&file).unwrap();
        let names: Vec<_> = loaded.keys.iter().map(|key| key.name.as_str()).collect();
        assert_eq!(names, ["server", "server-2", "browser"]);
        for (kept, made) in loaded.keys.iter().zip([&secret, &second, &public]) {
            assert_eq!(kept.sha256, hash(made));
        }
        assert!(secret.starts_with("cw_sk_lipa_") && public.starts_with("cw_pk_lipa_"));
        assert_eq!(secret.len(), "cw_sk_lipa_".len() + 43);
    }

    #[test]
    fn what_would_break_the_file_is_not_written() {
        let (_folder, file) = shop();
        for (kind, origins) in [
            (KeyKind::Secret, vec!["https://lipa.example".to_owned()]),
            (KeyKind::Publishable, vec!["https://lipa.example/shop".to_owned()]),
        ] {
            let error = add(&file, kind, None, &origins).unwrap_err();
            assert!(error.to_string().contains("the key was not written"), "{error:#}");
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), SHOP);
    }

    #[test]
    fn a_hash_is_the_sha_256_of_the_whole_key() {
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
