//! `backup.json`: what a backup holds, and by which anyone can tell that it is still what was backed up.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::folder::{Staging, sync};
use crate::config::shown;
use crate::serve::key;
use crate::store::CONTRACT;

pub const MANIFEST: &str = "backup.json";
/// Name of the database in every backup, whatever it is called at home.
pub const DATABASE: &str = "cartwright.db";

/// What this program writes and reads.
const FORMAT: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    format: u32,
    /// RFC 3339.
    pub made_at: String,
    /// Version of the program that made it.
    pub cartwright: String,
    /// Of stored payloads.
    contract: String,
    /// Version of the database's tables.
    tables: i64,
    files: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    name: String,
    bytes: u64,
    sha256: String,
}

impl Manifest {
    /// Of what is in the folder.
    pub fn of(staging: &Staging, made_at: String, tables: i64) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        for name in [DATABASE, key::FILE] {
            let file = staging.file(name);
            if file.exists() {
                let (bytes, sha256) = measure(&file)?;
                files.push(Entry { name: name.to_owned(), bytes, sha256 });
            }
        }
        let cartwright = env!("CARGO_PKG_VERSION").to_owned();
        Ok(Self { format: FORMAT, made_at, cartwright, contract: CONTRACT.to_owned(), tables, files })
    }

    pub fn write(&self, staging: &Staging) -> anyhow::Result<()> {
        let file = staging.file(MANIFEST);
        std::fs::write(&file, serde_json::to_vec_pretty(self)?)
            .and_then(|()| sync(&file))
            .with_context(|| format!("{MANIFEST} could not be written"))
    }

    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Whether the backup has a file of this name.
    pub fn has(&self, name: &str) -> bool {
        self.files.iter().any(|file| file.name == name)
    }

    /// Reads it, and holds every file against it.
    pub fn verified(backup: &Path) -> anyhow::Result<Self> {
        let file = backup.join(MANIFEST);
        let text = std::fs::read(&file)
            .with_context(|| format!("{} is no backup: {MANIFEST} cannot be read", shown(backup)))?;
        let manifest: Self = serde_json::from_slice(&text)
            .with_context(|| format!("{} is damaged; take another backup", shown(&file)))?;
        if manifest.format > FORMAT {
            bail!(
                "{} was made by Cartwright {}, which is newer: restore it with that version",
                shown(backup),
                manifest.cartwright
            );
        }
        if !manifest.has(DATABASE) {
            bail!("{} is damaged: it names no {DATABASE}; take another backup", shown(&file));
        }
        for entry in &manifest.files {
            // A name is no path: what a backup says is not where to write.
            if ![DATABASE, key::FILE].contains(&entry.name.as_str()) {
                bail!("{} names a file that is none of a backup's", shown(&file));
            }
            let file = backup.join(&entry.name);
            let (bytes, sha256) = measure(&file)?;
            if bytes != entry.bytes {
                bail!(
                    "{} is damaged: it has {bytes} bytes, and {} were backed up; take another backup",
                    shown(&file),
                    entry.bytes
                );
            }
            if sha256 != entry.sha256 {
                bail!("{} is damaged: it is not what was backed up; take another backup", shown(&file));
            }
        }
        Ok(manifest)
    }
}

/// Length and SHA-256.
fn measure(file: &Path) -> anyhow::Result<(u64, String)> {
    let context = || format!("{} cannot be read", shown(file));
    let mut opened = File::open(file).with_context(context)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0_u64;
    loop {
        let read = opened.read(&mut buffer).with_context(context)?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else { break };
        hash.update(part);
        bytes = bytes.saturating_add(part.len() as u64);
    }
    Ok((bytes, hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}
