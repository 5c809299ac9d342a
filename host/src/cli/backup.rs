//! `cartwright backup`: a folder with all that this installation cannot make again.

pub(super) mod folder;
pub(super) mod manifest;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};

use self::folder::{Staging, sync};
use self::manifest::{DATABASE, Manifest};
use super::Ending;
use super::terminal::Paint;
use crate::config::{self, HostConfig};
use crate::domain::{Clock, instant};
use crate::serve::key;
use crate::store;

/// Copy what this installation knows into a folder, also while the host runs
///
/// Orders, customers, messages, points, coupons and plugins' memory, as they are at one instant, and the
/// secret that signs quotes. The copy is looked through before it is called good, and is there whole or not
/// at all. Your own files (cartwright.toml, shops, plugins, templates) are not in it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cartwright backup                          into backups/<time>
  cartwright backup /mnt/backups/monday --force

The folder holds customers' data and a secret: keep it where only you can read it.
Bring it back with `cartwright restore <folder>`.")]
pub struct Arguments {
    /// The folder to make; when absent, one named after the time in backups/ beside cartwright.toml.
    #[arg(value_name = "BACKUP")]
    to: Option<PathBuf>,
    /// Replace a backup that is there.
    #[arg(long)]
    force: bool,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub folder: PathBuf,
    pub bytes: u64,
}

pub fn run(folder: &Path, arguments: &Arguments) -> Ending {
    let made = super::runtime()?.block_on(make(
        folder,
        arguments.to.as_deref(),
        arguments.force,
        &Clock::default(),
    ))?;
    let paint = Paint::for_output();
    super::print(&format!(
        "{} {}, {} KiB, looked through and whole\n  Not in it: cartwright.toml, shops, plugins and templates, which \
         are your own files.",
        paint.good("✓"),
        config::shown(&made.folder),
        made.bytes.div_ceil(1024)
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Backs up the installation in `folder`.
pub async fn make(folder: &Path, to: Option<&Path>, force: bool, clock: &Clock) -> anyhow::Result<Made> {
    let host = config::load_host(folder)?;
    let database = database(&host)?;
    ensure!(
        database.exists(),
        "there is no database at {}: no host has run here yet, so there is nothing to back up",
        config::shown(&database)
    );
    let now = instant::to_rfc3339(clock.now_ms() / 1_000 * 1_000);
    let target = match to {
        Some(target) => std::path::absolute(target)?,
        None => {
            let backups = host.folder.join("backups");
            std::fs::create_dir_all(&backups).with_context(|| cannot_write(&backups))?;
            backups.join(now.replace(':', "-"))
        }
    };
    let staging = Staging::beside(&target, force)?;

    let copy = staging.file(DATABASE);
    store::copy_database(&database, &copy).await.with_context(|| {
        format!(
            "{} could not be copied to {}; nothing is left of it",
            config::shown(&database),
            config::shown(&target)
        )
    })?;
    let tables = store::examine_database(&copy).await.with_context(|| {
        format!("the copy of {} is not good, and nothing is left of it", config::shown(&database))
    })?;
    let secret = host.data_dir.join(key::FILE);
    if secret.exists() {
        std::fs::copy(&secret, staging.file(key::FILE))
            .and_then(|_| sync(&staging.file(key::FILE)))
            .with_context(|| format!("{} could not be copied", config::shown(&secret)))?;
    }
    let manifest = Manifest::of(&staging, now, tables)?;
    manifest.write(&staging)?;
    let bytes = manifest.bytes();
    staging.finish(&target)?;
    Ok(Made { folder: target, bytes })
}

/// The file that is to be copied; PostgreSQL has no such file, and better tools.
fn database(host: &HostConfig) -> anyhow::Result<PathBuf> {
    let database = host.database();
    if let Some(file) = store::database_file(&database, &host.data_dir)? {
        return Ok(file);
    }
    bail!(
        "the database is PostgreSQL, which backs itself up: run\n  pg_dump --format=custom \
         --file=cartwright.dump '{}'\n(it asks for the password, or takes PGPASSWORD), and keep {} with it",
        without_password(&database),
        config::shown(&host.data_dir.join(key::FILE))
    )
}

pub(super) fn without_password(database: &str) -> String {
    url::Url::parse(database).map_or_else(
        |_| "postgres://…".to_owned(),
        |mut url| {
            // Fails only for URLs that cannot have one.
            let _ = url.set_password(None);
            url.into()
        },
    )
}

pub(super) fn cannot_write(folder: &Path) -> String {
    format!("the folder {} cannot be written", config::shown(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        assert_eq!(
            without_password("postgres://cartwright:hidden@db.example/shop?sslmode=require"),
            "postgres://cartwright@db.example/shop?sslmode=require"
        );
        assert!(!without_password("postgres:// cartwright:hidden@").contains("hidden"));
    }
}
