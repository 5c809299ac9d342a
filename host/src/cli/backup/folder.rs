//! A folder that is there whole or not at all: filled under another name, brought to the disk, and renamed.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::cannot_write;
use super::manifest::MANIFEST;
use crate::config::shown;

/// Gone when it is dropped before it is finished.
pub struct Staging {
    folder: PathBuf,
    parent: PathBuf,
}

impl Staging {
    /// For a folder that is to be `target`. What is there already is replaced only if it is a backup, and only
    /// with `force`.
    pub fn beside(target: &Path, force: bool) -> anyhow::Result<Self> {
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            bail!("{} cannot be made; name a folder that is not there yet", shown(target));
        };
        if !parent.is_dir() {
            bail!("there is no folder {}: make it first, if the right disk is mounted there", shown(parent));
        }
        if target.symlink_metadata().is_ok() {
            if !force {
                bail!("{} is there already: name another folder, or replace it with --force", shown(target));
            }
            if !target.join(MANIFEST).is_file() {
                bail!("{} is no backup, so it is not replaced: name another folder", shown(target));
            }
        }
        let folder = parent.join(format!(".{}.partial-{}", name.display(), std::process::id()));
        make_private(&folder).with_context(|| cannot_write(parent))?;
        Ok(Self { folder, parent: parent.to_owned() })
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Gives it its name, in the place of what had it.
    pub fn finish(self, target: &Path) -> anyhow::Result<()> {
        let named = || -> io::Result<()> {
            sync(&self.folder)?;
            let mut old = self.folder.clone().into_os_string();
            old.push(".replaced");
            let replaced = target.symlink_metadata().is_ok();
            if replaced {
                std::fs::rename(target, &old)?;
            }
            std::fs::rename(&self.folder, target)?;
            sync(&self.parent)?;
            if replaced {
                std::fs::remove_dir_all(&old)?;
            }
            Ok(())
        };
        named().with_context(|| format!("{} could not be finished", shown(target)))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // After it was renamed there is nothing to remove.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Brings a file's content, or a folder's names, to the disk.
pub fn sync(path: &Path) -> io::Result<()> {
    if cfg!(unix) || path.is_file() { File::open(path)?.sync_all() } else { Ok(()) }
}

/// A new folder that only its owner may look into.
pub fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(target: &Path, force: bool) -> String {
        Staging::beside(target, force).err().expect("it is refused").to_string()
    }

    #[test]
    fn nothing_but_a_backup_is_replaced_and_that_only_when_asked() {
        let here = tempfile::tempdir().unwrap();
        let target = here.path().join("monday");
        assert!(refusal(&here.path().join("no/monday"), true).contains("there is no folder"));
        std::fs::create_dir(&target).unwrap();
        std::fs::write(target.join("letter.txt"), "mine").unwrap();
        assert!(refusal(&target, false).contains("--force"));
        assert!(refusal(&target, true).contains("is no backup"));
        std::fs::write(target.join(MANIFEST), "{}").unwrap();
        assert!(refusal(&target, false).contains("--force"));
        let staging = Staging::beside(&target, true).unwrap();
        std::fs::write(staging.file("new"), "new").unwrap();
        staging.finish(&target).unwrap();
        assert!(target.join("new").exists() && !target.join("letter.txt").exists());
        assert_eq!(std::fs::read_dir(here.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn what_is_not_finished_leaves_nothing() {
        let here = tempfile::tempdir().unwrap();
        let staging = Staging::beside(&here.path().join("monday"), false).unwrap();
        std::fs::write(staging.file("half"), "half").unwrap();
        drop(staging);
        assert_eq!(std::fs::read_dir(here.path()).unwrap().count(), 0);
    }
}
