//! The version of each shop's plugins that was live last, kept in the data folder: a host that starts beside a
//! file that asks for more, is broken or gone goes on with it. Whatever fails here costs only that.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::files::PLUGIN;
use super::{LivePlugin, LiveShop};
use crate::plugins::inspect::sha256;

const INDEX: &str = "index.toml";
const EXTENSION: &str = ".wasm";

/// What a shop accepted of a plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Of the component, hex: the name of its file.
    pub(super) sha256: String,
    /// Verified again before it is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) signature: Option<String>,
    /// Those that it ran with.
    pub(super) settings: Arc<toml::Value>,
}

impl Record {
    fn of(live: &LivePlugin) -> Self {
        Self {
            sha256: live.plugin.sha256.clone(),
            signature: live.signed.as_ref().map(|signed| signed.text.to_string()),
            settings: Arc::clone(&live.entry.settings),
        }
    }
}

/// Shop → plugin → what is accepted.
type Index = BTreeMap<String, BTreeMap<String, Record>>;

#[derive(Debug)]
pub(super) struct Accepted {
    folder: PathBuf,
    index: Index,
    /// A command that only looks writes nothing.
    writes: bool,
}

impl Accepted {
    /// In `<data_dir>/accepted`.
    pub(super) fn open(data_dir: &Path, writes: bool) -> Self {
        let folder = data_dir.join("accepted");
        let file = folder.join(INDEX);
        let index = match fs::read_to_string(&file) {
            Ok(text) => toml::from_str(&text).unwrap_or_else(|error| {
                tracing::warn!(file = %file.display(), %error, "which plugins were accepted last cannot be read; it is written anew");
                Index::new()
            }),
            Err(_) => Index::new(),
        };
        Self { folder, index, writes }
    }

    pub(super) fn record(&self, shop: &str, plugin: &str) -> Option<&Record> {
        self.index.get(shop)?.get(plugin)
    }

    /// A component that was kept, when it is still what it was.
    pub(super) fn component(&self, sha256_hex: &str) -> Option<Vec<u8>> {
        let file = self.file(sha256_hex)?;
        let about = fs::symlink_metadata(&file).ok()?;
        let bytes = if about.is_file() && about.len() <= PLUGIN { fs::read(&file).ok()? } else { Vec::new() };
        if sha256(&bytes) == sha256_hex {
            return Some(bytes);
        }
        tracing::warn!(file = %file.display(), "a plugin that was accepted last is damaged and is not used");
        if self.writes {
            let _ = fs::remove_file(&file);
        }
        None
    }

    /// Keeps what is live now, and of the rest what its shop's file still names. With `all_read`, shops that are
    /// not there are forgotten; else their files may only be broken.
    pub(super) fn keep<'a>(
        &mut self,
        shops: &BTreeMap<String, Arc<LiveShop>>,
        all_read: bool,
        component: impl Fn(&str) -> Option<&'a [u8]>,
    ) {
        if !self.writes {
            return;
        }
        let mut index = if all_read { Index::new() } else { self.index.clone() };
        for (id, shop) in shops {
            let of = |name: &str| {
                let live = shop.plugins.iter().find(|live| live.entry.name == name);
                live.map(|live| Record::of(live)).or_else(|| self.record(id, name).cloned())
            };
            let names = shop.config.plugins.iter().map(|entry| &entry.name);
            let records: BTreeMap<String, Record> =
                names.filter_map(|name| Some((name.clone(), of(name)?))).collect();
            index.insert(id.clone(), records);
        }
        for records in index.values_mut() {
            records.retain(|_, record| self.holds(&record.sha256, &component));
        }
        index.retain(|_, records| !records.is_empty());
        if index == self.index {
            // The same, but shared with what is live.
            self.index = index;
            return;
        }
        match toml::to_string(&index)
            .map_err(std::io::Error::other)
            .and_then(|text| self.write(INDEX, text.as_bytes()))
        {
            Ok(()) => self.index = index,
            Err(error) => self.warn(&error),
        }
        self.sweep();
    }

    /// Whether a component is kept, after an attempt to keep it.
    fn holds<'a>(&self, sha256_hex: &str, component: impl Fn(&str) -> Option<&'a [u8]>) -> bool {
        let Some(file) = self.file(sha256_hex) else { return false };
        let kept = fs::symlink_metadata(&file).ok().filter(fs::Metadata::is_file).map(|about| about.len());
        match component(sha256_hex) {
            None => kept.is_some(),
            Some(bytes) if kept == Some(bytes.len() as u64) => true,
            Some(bytes) => match self.write(&format!("{sha256_hex}{EXTENSION}"), bytes) {
                Ok(()) => true,
                Err(error) => {
                    self.warn(&error);
                    false
                }
            },
        }
    }

    /// Beside, to the disk, and renamed: no reader and no power cut leaves half of it.
    fn write(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let beside = self.folder.join(format!("{name}.{}.part", std::process::id()));
        let written = File::create(&beside)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&beside, self.folder.join(name)));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written
    }

    fn warn(&self, error: &std::io::Error) {
        tracing::warn!(
            folder = %self.folder.display(),
            %error,
            "what is live could not be kept: if the host starts beside a plugin that it refuses, there is nothing to go on with"
        );
    }

    /// Components that no shop uses any more.
    fn sweep(&self) {
        let used: BTreeSet<String> = self
            .index
            .values()
            .flat_map(BTreeMap::values)
            .map(|record| format!("{}{EXTENSION}", record.sha256))
            .collect();
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".part") || name.ends_with(EXTENSION) && !used.contains(&name) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// The index is a file that may hold anything: a name is taken only when it is a hash.
    fn file(&self, sha256_hex: &str) -> Option<PathBuf> {
        let is_hash = sha256_hex.len() == 64
            && sha256_hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        is_hash.then(|| self.folder.join(format!("{sha256_hex}{EXTENSION}")))
    }
}
