//! Builds a plugin's crate into one `.wasm` file with its manifest.

use std::path::{Path, PathBuf};

/// A plugin that was built.
#[derive(Debug, Clone)]
pub struct Built {
    pub name: String,
    pub version: String,
    pub file: PathBuf,
    /// Of the file.
    pub bytes: u64,
}

/// What is being done, for a progress bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The compiler works; its last line.
    Compiling { plugin: String, line: String },
    /// The plugin is done: so many of so many.
    Done { plugin: String, built: usize, of: usize },
}

/// Builds the plugin whose `Cargo.toml` is in `crate_folder` into `out_folder`. Errors are sentences
/// that say what to do (no rustup, no wasm target, the compiler's own words).
pub fn build(
    crate_folder: &Path,
    out_folder: &Path,
    progress: &mut dyn FnMut(Progress),
) -> anyhow::Result<Built> {
    let _ = (crate_folder, out_folder, progress);
    todo!()
}

/// Builds every plugin below a folder (each subfolder with a `Cargo.toml`), sorted by name.
pub fn build_all(
    folder: &Path,
    out_folder: &Path,
    progress: &mut dyn FnMut(Progress),
) -> anyhow::Result<Vec<Built>> {
    let _ = (folder, out_folder, progress);
    todo!()
}

/// Adds the wasm target when it is missing; true when it was added.
pub fn ensure_target() -> anyhow::Result<bool> {
    todo!()
}

/// Whether the wasm target is there; the error says how to get it.
pub fn has_target() -> anyhow::Result<()> {
    todo!()
}
