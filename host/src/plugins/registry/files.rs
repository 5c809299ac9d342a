//! Reads plugins and the merchant's templates from their folders.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::config::Security;
use crate::plugins::inspect::sha256;
use crate::plugins::trust::{self, Distrust, Signed};
use crate::wording::Assets;

/// Bytes of a plugin's file. Interpreters travel in it, so it may be large.
pub(super) const PLUGIN: u64 = 64 << 20;
/// Bytes of a template or a file of texts.
const TEMPLATE: u64 = 1 << 20;
/// Folders within a plugin's templates.
const DEPTH: u32 = 8;

/// The bytes of a plugin's file and their hash, and who answers for them.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) bytes: Vec<u8>,
    pub(super) sha256: String,
    pub(super) signed: Result<Option<Signed>, Distrust>,
}

/// Reads `source` in the folder of plugins: a plain file, named without a way out of it. Its signature is that of
/// the bytes that were read.
pub(super) fn source(plugins_dir: &Path, source: &str, security: &Security) -> Result<Source, String> {
    let path = inside(plugins_dir, source)?;
    let about = fs::symlink_metadata(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            "is not there; put the file back, correct `source`, or take the plugin out of the shop's file"
                .to_owned()
        }
        _ => format!("cannot be read: {error}"),
    })?;
    if !about.is_file() {
        return Err("is a link or a folder; put the file itself into the folder of plugins".to_owned());
    }
    if about.len() > PLUGIN {
        return Err(format!("has {} bytes; {PLUGIN} is the most", about.len()));
    }
    let bytes = fs::read(&path).map_err(|error| format!("cannot be read: {error}"))?;
    let sha256 = sha256(&bytes);
    let beside = trust::beside(&path);
    let signature = beside.as_ref().map(Option::as_deref).map_err(String::as_str);
    let signed = trust::verify(security, &bytes, signature);
    Ok(Source { bytes, sha256, signed })
}

fn inside(plugins_dir: &Path, source: &str) -> Result<PathBuf, String> {
    let mut parts = Path::new(source).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(_)), None) if !source.contains(['/', '\\']) => Ok(plugins_dir.join(source)),
        _ => Err("is no plain file name; `source` names a file in the folder of plugins".to_owned()),
    }
}

/// What the merchant put into `<templates_dir>/<shop>/<name>/`; empty when there is nothing. The error
/// is a sentence about a file.
pub(super) fn overrides(folder: &Path) -> Result<Assets, String> {
    let mut assets = Assets::new();
    if folder.is_dir() {
        gather(folder, "", DEPTH, &mut assets)?;
    }
    Ok(assets)
}

fn gather(folder: &Path, prefix: &str, depth: u32, assets: &mut Assets) -> Result<(), String> {
    let Some(depth) = depth.checked_sub(1) else { return Ok(()) };
    let entries = fs::read_dir(folder).map_err(|error| format!("{prefix} cannot be read: {error}"))?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // Editors leave files like these beside what they write.
        if name.starts_with('.') || name.ends_with('~') || name.ends_with(".tmp") || name.ends_with(".swp") {
            continue;
        }
        let Ok(kind) = entry.file_type() else { continue };
        let path = format!("{prefix}{name}");
        if kind.is_dir() {
            gather(&entry.path(), &format!("{path}/"), depth, assets)?;
        } else if kind.is_file() {
            let size = entry.metadata().map_or(0, |about| about.len());
            if size > TEMPLATE {
                return Err(format!("{path} has {size} bytes; {TEMPLATE} is the most"));
            }
            let text = match fs::read_to_string(entry.path()) {
                Ok(text) => text,
                // Gone since it was listed: an editor's own doing.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                    return Err(format!("{path} is not UTF-8 text"));
                }
                Err(error) => return Err(format!("{path} cannot be read: {error}")),
            };
            assets.insert(path, text);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_plain_file_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let plugins = folder.path().join("plugins");
        fs::create_dir(&plugins).unwrap();
        fs::write(plugins.join("a.wasm"), b"a").unwrap();
        fs::write(folder.path().join("secret"), b"s").unwrap();
        let source = |plugins: &Path, name: &str| source(plugins, name, &Security::default());
        assert_eq!(source(&plugins, "a.wasm").unwrap().bytes, b"a");
        for name in ["../secret", "/etc/passwd", "..", ".", "", "x/../a.wasm", "./a.wasm", "a.wasm/"] {
            let error = source(&plugins, name).unwrap_err();
            assert!(error.contains("no plain file name"), "{name}: {error}");
        }
        assert!(source(&plugins, "b.wasm").unwrap_err().contains("is not there"));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(folder.path().join("secret"), plugins.join("link.wasm")).unwrap();
            assert!(source(&plugins, "link.wasm").unwrap_err().contains("is a link"));
        }
    }

    #[test]
    fn overrides_are_gathered_with_their_paths() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("locales")).unwrap();
        fs::write(folder.path().join("locales/en.ftl"), "a = A").unwrap();
        fs::write(folder.path().join("confirmation.html"), "<p>").unwrap();
        fs::write(folder.path().join(".confirmation.html.swp"), "x").unwrap();
        let found = overrides(folder.path()).unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), ["confirmation.html", "locales/en.ftl"]);
        assert_eq!(overrides(&folder.path().join("nothing")).unwrap(), Assets::new());
        fs::write(folder.path().join("broken.html"), [0xff, 0xfe]).unwrap();
        assert_eq!(overrides(folder.path()).unwrap_err(), "broken.html is not UTF-8 text");
    }
}
