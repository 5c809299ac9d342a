//! Mails that arrived in the outbox.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use mail_parser::MessageParser;

/// A mail as its reader sees it.
#[derive(Debug, Clone)]
pub(super) struct Mail {
    /// The `.eml` file.
    pub(super) file: PathBuf,
    pub(super) to: String,
    pub(super) subject: String,
    /// The plain text.
    pub(super) text: String,
}

impl Mail {
    fn read(file: &Path) -> anyhow::Result<Self> {
        let bytes = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
        let message = MessageParser::default()
            .parse(&bytes)
            .with_context(|| format!("{} is not a mail", file.display()))?;
        Ok(Self {
            to: message.to().and_then(|to| to.first()?.address()).unwrap_or_default().to_owned(),
            subject: message.subject().unwrap_or_default().to_owned(),
            text: message.body_text(0).unwrap_or_default().into_owned(),
            file: file.to_owned(),
        })
    }

    /// A mail of which only the name is known.
    #[cfg(test)]
    pub(super) fn named(file: PathBuf) -> Self {
        Self { file, to: String::new(), subject: String::new(), text: String::new() }
    }

    /// Whether it is of this plugin's template, by the name of its file.
    pub(super) fn is(&self, slug: &str) -> bool {
        self.file.file_stem().and_then(|name| name.to_str()).is_some_and(|name| name.ends_with(slug))
    }
}

/// A folder of `.eml` files, and what of it was seen already.
pub(super) struct Outbox {
    folder: PathBuf,
    seen: BTreeSet<PathBuf>,
}

impl Outbox {
    /// What is there already is not new.
    pub(super) fn open(folder: PathBuf) -> anyhow::Result<Self> {
        let mut outbox = Self { folder, seen: BTreeSet::new() };
        outbox.seen = outbox.files()?;
        Ok(outbox)
    }

    /// Mails that came since the last look, in the order of their names.
    pub(super) fn arrived(&mut self) -> anyhow::Result<Vec<Mail>> {
        let files = self.files()?;
        let fresh = files.difference(&self.seen).map(|file| Mail::read(file)).collect();
        self.seen = files;
        fresh
    }

    fn files(&self) -> anyhow::Result<BTreeSet<PathBuf>> {
        let entries = std::fs::read_dir(&self.folder)
            .with_context(|| format!("the outbox {} cannot be read", self.folder.display()))?;
        Ok(entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_new_once_and_is_read_as_a_person_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("0001-old.eml"), "Subject: old\r\n\r\nold\r\n").unwrap();
        let mut outbox = Outbox::open(folder.path().to_owned()).unwrap();
        assert!(outbox.arrived().unwrap().is_empty());
        let mail = "To: Ania <ania@mail.example>\r\nSubject: =?utf-8?q?Dzi=C4=99kujemy?=\r\n\
                    Content-Type: text/plain; charset=utf-8\r\n\r\nCześć!\r\n";
        std::fs::write(folder.path().join("0002-order-updates-confirmation.eml"), mail).unwrap();
        let arrived = outbox.arrived().unwrap();
        let first = arrived.first().unwrap();
        assert_eq!((first.to.as_str(), first.subject.as_str()), ("ania@mail.example", "Dziękujemy"));
        assert_eq!(first.text.trim(), "Cześć!");
        assert!(first.is("order-updates-confirmation") && !first.is("order-updates-shipped"));
        assert!(outbox.arrived().unwrap().is_empty());
    }
}
