//! Compiled code on disk, named by the plugin's hash and by what the compiler and its settings are.
//! A file begins with the hash of the rest: what is torn or changed is compiled again.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

const DIGEST: usize = 32;
const EXTENSION: &str = "cwasm";

/// The folder of compiled plugins. Whatever fails here only costs time.
#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
    /// Of the compiler and its settings.
    suffix: String,
}

impl Cache {
    /// In `<data_dir>/cache`, without what another version of the host left there.
    pub(super) fn open(data_dir: &Path, engine: &Engine) -> Self {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let cache =
            Self { folder: data_dir.join("cache"), suffix: format!("-{:016x}.{EXTENSION}", hasher.finish()) };
        cache.sweep();
        cache
    }

    pub(super) fn load(&self, engine: &Engine, sha256: &str) -> Option<Component> {
        let file = self.file(sha256);
        let bytes = fs::read(&file).ok()?;
        let (digest, code) = bytes.split_at_checked(DIGEST)?;
        if Sha256::digest(code).as_slice() != digest {
            tracing::warn!(file = %file.display(), "a cached plugin is damaged; it is compiled again");
            return None;
        }
        #[expect(
            unsafe_code,
            reason = "the bytes are whole as this host wrote them, into its own data folder, from a plugin it compiled"
        )]
        let loaded = unsafe { Component::deserialize(engine, code) };
        loaded
            .inspect_err(|error| {
                tracing::warn!(file = %file.display(), %error, "a cached plugin cannot be loaded; it is compiled again");
            })
            .ok()
    }

    /// Written beside and renamed, so that no reader sees half of it.
    pub(super) fn keep(&self, component: &Component, sha256: &str) {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let beside = self.folder.join(format!("{sha256}.{}.{number}.part", std::process::id()));
        let kept = component.serialize().map_err(|error| error.to_string()).and_then(|code| {
            let mut bytes = Sha256::digest(&code).to_vec();
            bytes.extend_from_slice(&code);
            fs::create_dir_all(&self.folder)
                .and_then(|()| fs::write(&beside, bytes))
                .and_then(|()| fs::rename(&beside, self.file(sha256)))
                .map_err(|error| error.to_string())
        });
        if let Err(error) = kept {
            let _ = fs::remove_file(&beside);
            tracing::warn!(folder = %self.folder.display(), error, "a compiled plugin could not be kept");
        }
    }

    fn file(&self, sha256: &str) -> PathBuf {
        self.folder.join(format!("{sha256}{}", self.suffix))
    }

    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let foreign = name.ends_with(EXTENSION) && !name.ends_with(&self.suffix);
            if foreign || name.ends_with(".part") {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}
