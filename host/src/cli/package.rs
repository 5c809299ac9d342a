//! Builds a plugin's crate into one `.wasm` file with its manifest.

mod cargo;
mod component;
mod toolchain;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

pub use self::component::componentise;
pub use self::toolchain::{ensure_target, has_target};
use crate::plugins::manifest::{CONTRACT, Manifest};
use crate::wording::Assets;

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
    let built = build_several(&[crate_folder.to_owned()], out_folder, progress)?;
    built.into_iter().next().context("cargo built nothing")
}

/// Builds every plugin below a folder (each subfolder with a `Cargo.toml`), sorted by name.
pub fn build_all(
    folder: &Path,
    out_folder: &Path,
    progress: &mut dyn FnMut(Progress),
) -> anyhow::Result<Vec<Built>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read the folder {}", folder.display()))?.path();
        if path.join("Cargo.toml").is_file() {
            folders.push(path);
        }
    }
    folders.sort();
    if folders.is_empty() {
        bail!("{} holds no plugin: none of its folders has a Cargo.toml", folder.display());
    }
    build_several(&folders, out_folder, progress)
}

/// Builds several plugins, in the order given. Those of one workspace are compiled by one cargo, so
/// that what they share is compiled once.
pub fn build_several(
    crate_folders: &[PathBuf],
    out_folder: &Path,
    progress: &mut dyn FnMut(Progress),
) -> anyhow::Result<Vec<Built>> {
    std::fs::create_dir_all(out_folder)
        .with_context(|| format!("cannot create the folder {}", out_folder.display()))?;
    let mut projects = Vec::with_capacity(crate_folders.len());
    for folder in crate_folders {
        projects.push(cargo::Project::read(folder)?);
    }
    let mut workspaces: BTreeMap<&Path, Vec<&cargo::Project>> = BTreeMap::new();
    for project in &projects {
        workspaces.entry(&project.workspace).or_default().push(project);
    }
    if let Some(workspace) = workspaces.keys().next() {
        toolchain::ensure_target_in(workspace)?;
    }
    let mut modules = BTreeMap::new();
    for members in workspaces.values() {
        modules.extend(cargo::compile(members, progress)?);
    }
    let mut built = Vec::with_capacity(projects.len());
    for project in &projects {
        let module = modules
            .get(&project.manifest)
            .with_context(|| format!("cargo built no .wasm file for `{}`", project.name))?;
        built.push(
            finish(project, module, out_folder).with_context(|| format!("building `{}`", project.name))?,
        );
        progress(Progress::Done { plugin: project.name.clone(), built: built.len(), of: projects.len() });
    }
    Ok(built)
}

/// From the compiler's module to the plugin's file.
fn finish(project: &cargo::Project, module: &Path, out_folder: &Path) -> anyhow::Result<Built> {
    let module = std::fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    let (module, schema) = component::take_schema(&module)?;
    let manifest = Manifest {
        name: project.name.clone(),
        version: project.version.clone(),
        summary: project.summary.clone(),
        contract: CONTRACT.to_owned(),
        schema,
        assets: assets(&project.folder)?.into(),
        readme: read_if_there(&project.folder.join("README.md"))?.unwrap_or_default(),
    };
    let bytes = manifest.write(&componentise(&module)?)?;
    let file = out_folder.join(format!("{}.wasm", project.name.replace('-', "_")));
    // A host that watches the folder must never see half a file.
    let partial = file.with_extension("wasm.partial");
    std::fs::write(&partial, &bytes)
        .and_then(|()| std::fs::rename(&partial, &file))
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(Built { name: manifest.name, version: manifest.version, file, bytes: bytes.len() as u64 })
}

/// `locales/*.ftl` and `templates/*` of a plugin's folder.
pub fn assets(folder: &Path) -> anyhow::Result<Assets> {
    let mut assets = Assets::new();
    for (name, extension) in [("locales", Some("ftl")), ("templates", None)] {
        let inner = folder.join(name);
        if !inner.is_dir() {
            continue;
        }
        let entries = std::fs::read_dir(&inner)
            .with_context(|| format!("cannot read the folder {}", inner.display()))?;
        for entry in entries {
            let path = entry.with_context(|| format!("cannot read the folder {}", inner.display()))?.path();
            let Some(file) = path.file_name().and_then(|file| file.to_str()) else { continue };
            // Editors leave hidden and backup files.
            let wanted =
                extension.is_none_or(|extension| path.extension().is_some_and(|own| own == extension));
            if !path.is_file() || file.starts_with('.') || file.ends_with('~') || !wanted {
                continue;
            }
            if let Some(text) = read_if_there(&path)? {
                assets.insert(format!("{name}/{file}"), text);
            }
        }
    }
    Ok(assets)
}

fn read_if_there(path: &Path) -> anyhow::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            bail!("{} is not UTF-8: texts and templates must be", path.display())
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

#[cfg(test)]
mod tests;
