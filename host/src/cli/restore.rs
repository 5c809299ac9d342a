//! `cartwright restore`: a backup in the place of what is there.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};

use super::Ending;
use super::backup::folder::sync;
use super::backup::manifest::{DATABASE, Manifest};
use super::backup::{cannot_write, without_password};
use super::terminal::Paint;
use crate::config;
use crate::domain::{Clock, instant};
use crate::serve::key;
use crate::store;

/// Bring a backup back, when no host runs
///
/// Looks the backup through first, and touches nothing if it is damaged. What is there is kept aside, never
/// deleted. Messages that were waiting when the backup was made are sent by the restored host, also those
/// that were sent since.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cartwright restore backups/2026-11-28T09-30-00Z
  cartwright -C /srv/newshop restore /mnt/backups/monday")]
pub struct Arguments {
    /// The folder that `cartwright backup` made.
    #[arg(value_name = "BACKUP")]
    from: PathBuf,
    /// Also when there is a database; it is kept aside.
    #[arg(long)]
    force: bool,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    pub database: PathBuf,
    /// RFC 3339.
    pub made_at: String,
    /// What was there before is kept under this name.
    pub aside: Option<PathBuf>,
}

pub fn run(folder: &Path, arguments: &Arguments) -> Ending {
    // Where `backup` put it, unless there is one of this name here.
    let beside = folder.join(&arguments.from);
    let from = if arguments.from.exists() { &arguments.from } else { &beside };
    let restored = super::runtime()?.block_on(put_back(folder, from, arguments.force, &Clock::default()))?;
    let paint = Paint::for_output();
    let mut text = format!(
        "{} {} is as it was at {}",
        paint.good("✓"),
        config::shown(&restored.database),
        restored.made_at
    );
    if let Some(aside) = &restored.aside {
        let _ = write!(text, "\n  What was there before is kept as {}.", config::shown(aside));
    }
    super::print(&format!("{text}\n  Start the host: cartwright serve"))?;
    Ok(ExitCode::SUCCESS)
}

/// Restores the installation in `folder` from `backup`.
pub async fn put_back(folder: &Path, backup: &Path, force: bool, clock: &Clock) -> anyhow::Result<Restored> {
    let host = config::load_host(folder)?;
    let url = host.database();
    let Some(database) = store::database_file(&url, &host.data_dir)? else {
        bail!(
            "the database is PostgreSQL: bring back what pg_dump wrote with\n  pg_restore --clean --if-exists \
             --dbname='{}' cartwright.dump",
            without_password(&url)
        );
    };
    let manifest = Manifest::verified(backup)?;
    store::examine_database(&backup.join(DATABASE))
        .await
        .with_context(|| format!("{} cannot be restored", config::shown(backup)))?;

    let home = database.parent().unwrap_or(&host.data_dir).to_owned();
    for folder in [&home, &host.data_dir] {
        std::fs::create_dir_all(folder).with_context(|| cannot_write(folder))?;
    }
    let _kept = store::keep_hosts_away(&database)?;
    let secret = host.data_dir.join(key::FILE);
    ensure!(
        force || !database.exists(),
        "there is a database already: {}. With --force it is kept aside and the backup takes its place",
        config::shown(&database)
    );

    // Everything that can fail for want of space comes before anything that is there is touched.
    let mut files = vec![Incoming::copy(&backup.join(DATABASE), &database)?];
    if manifest.has(key::FILE) {
        files.push(Incoming::copy(&backup.join(key::FILE), &secret)?);
    }
    let now = instant::to_rfc3339(clock.now_ms() / 1_000 * 1_000).replace(':', "-");
    let aside = with_suffix(&database, &format!(".before-{now}"));
    let mut kept = false;
    // The log of writes belongs to the database that it was beside: left behind, it would spoil the new one.
    for suffix in ["", "-wal", "-shm"] {
        kept |= move_aside(&with_suffix(&database, suffix), &with_suffix(&aside, suffix))?;
    }
    if manifest.has(key::FILE) {
        kept |= move_aside(&secret, &with_suffix(&secret, &format!(".before-{now}")))?;
    }
    for file in files {
        file.into_place()?;
    }
    Ok(Restored { database, made_at: manifest.made_at, aside: kept.then_some(aside) })
}

/// A file beside the place it is meant for; gone when it is dropped before it is there.
struct Incoming {
    copy: PathBuf,
    place: PathBuf,
}

impl Incoming {
    fn copy(from: &Path, place: &Path) -> anyhow::Result<Self> {
        let incoming = Self { copy: with_suffix(place, ".restoring"), place: place.to_owned() };
        std::fs::copy(from, &incoming.copy)
            .and_then(|_| sync(&incoming.copy))
            .with_context(|| format!("{} could not be copied; nothing was changed", config::shown(from)))?;
        Ok(incoming)
    }

    fn into_place(self) -> anyhow::Result<()> {
        std::fs::rename(&self.copy, &self.place)
            .and_then(|()| self.place.parent().map_or(Ok(()), sync))
            .with_context(|| format!("{} could not be put in its place", config::shown(&self.place)))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // After it was renamed there is nothing to remove.
        let _ = std::fs::remove_file(&self.copy);
    }
}

/// Whether there was something to move.
fn move_aside(file: &Path, aside: &Path) -> anyhow::Result<bool> {
    if file.symlink_metadata().is_err() {
        return Ok(false);
    }
    ensure!(aside.symlink_metadata().is_err(), "{} is there already", config::shown(aside));
    std::fs::rename(file, aside)
        .with_context(|| format!("{} could not be moved to {}", config::shown(file), config::shown(aside)))?;
    Ok(true)
}

/// `cartwright.db-wal` for `cartwright.db`.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
