//! A mistake in a configuration file: what is wrong, what to do, and where, with a caret.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

/// One step from the top of a file to a value, e.g. `["plugins", 0, "settings", "max_items"]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Key(String),
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<String> for Step {
    fn from(key: String) -> Self {
        Self::Key(key)
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// Where a configuration came from, kept to point at its lines later.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    pub file: PathBuf,
    pub text: Arc<str>,
}

impl Origin {
    /// A mistake in the value at `path`, or in what is closest to it.
    #[must_use]
    pub fn mistake(&self, path: &[Step], message: impl Into<String>) -> ConfigError {
        ConfigError::at(&self.file, &self.text, path, message)
    }
}

/// What is wrong with a configuration file. `Display` is one sentence; `report()` shows file, line
/// and a caret.
#[derive(Debug, Clone)]
pub struct ConfigError {
    file: PathBuf,
    message: String,
    help: Option<String>,
    source: Option<NamedSource<Arc<str>>>,
    span: Option<Range<usize>>,
}

impl ConfigError {
    /// A mistake in the value at `path` of a TOML text; when the path ends early (a key is missing),
    /// the caret points at the table that should hold it.
    #[must_use]
    pub fn at(file: &Path, text: &str, path: &[Step], message: impl Into<String>) -> Self {
        let _ = path;
        Self {
            file: file.to_owned(),
            message: message.into(),
            help: None,
            source: Some(NamedSource::new(file.display().to_string(), Arc::from(text))),
            span: None,
        }
    }

    /// A file that cannot be read at all.
    #[must_use]
    pub fn unreadable(file: &Path, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), message: message.into(), help: None, source: None, span: None }
    }

    /// What to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// From 1.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        None
    }

    /// The mistake with its lines and a caret, without colours.
    #[must_use]
    pub fn report(&self) -> String {
        self.to_string()
    }
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConfigError {}

impl Diagnostic for ConfigError {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn std::fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::underline(span))))
    }
}
