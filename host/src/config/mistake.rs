//! A mistake in a configuration file: what is wrong, what to do, and where, with a caret.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

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
    /// Boxed, so that results that carry an error stay small.
    details: Box<Details>,
}

#[derive(Debug, Clone)]
struct Details {
    file: PathBuf,
    message: String,
    help: Option<String>,
    source: Option<NamedSource<Arc<str>>>,
    span: Option<Range<usize>>,
    line: Option<usize>,
    /// Further mistakes of the same file.
    others: Vec<ConfigError>,
}

impl ConfigError {
    /// A mistake in the value at `path` of a TOML text; when the path ends early (a key is missing),
    /// the caret points at the table that should hold it.
    #[must_use]
    pub fn at(file: &Path, text: &str, path: &[Step], message: impl Into<String>) -> Self {
        Self::in_text(file, text, locate(text, path), message)
    }

    /// A mistake in these bytes of the text.
    #[must_use]
    pub fn in_text(file: &Path, text: &str, span: Option<Range<usize>>, message: impl Into<String>) -> Self {
        let line = span.as_ref().map(|span| {
            text.as_bytes().iter().take(span.start).filter(|byte| **byte == b'\n').count().saturating_add(1)
        });
        let mut error = Self::unreadable(file, message);
        error.details.source = Some(NamedSource::new(shown(file), Arc::from(text)).with_language("toml"));
        error.details.line = line;
        error.details.span = span;
        error
    }

    /// A file that cannot be read at all.
    #[must_use]
    pub fn unreadable(file: &Path, message: impl Into<String>) -> Self {
        Self {
            details: Box::new(Details {
                file: file.to_owned(),
                message: message.into(),
                help: None,
                source: None,
                span: None,
                line: None,
                others: Vec::new(),
            }),
        }
    }

    /// Several mistakes of a file as one error; `None` when there are none.
    #[must_use]
    pub fn all(mut mistakes: Vec<Self>) -> Option<Self> {
        mistakes.sort_by_key(|mistake| mistake.details.span.as_ref().map(|span| span.start));
        let mut mistakes = mistakes.into_iter();
        let mut first = mistakes.next()?;
        first.details.others.extend(mistakes);
        Some(first)
    }

    /// What to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.details.help = Some(help.into());
        self
    }

    #[must_use]
    pub fn file(&self) -> &Path {
        &self.details.file
    }

    /// From 1.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.details.line
    }

    /// This mistake and the others of the same file.
    #[must_use]
    pub fn count(&self) -> usize {
        self.details.others.len().saturating_add(1)
    }

    /// The mistakes with their lines and a caret, without colours.
    #[must_use]
    pub fn report(&self) -> String {
        self.render(GraphicalTheme::unicode_nocolor)
    }

    /// The same for a terminal.
    #[must_use]
    pub fn coloured_report(&self) -> String {
        self.render(GraphicalTheme::unicode)
    }

    fn render(&self, theme: fn() -> GraphicalTheme) -> String {
        let handler = GraphicalReportHandler::new_themed(theme()).with_width(100).without_cause_chain();
        let mut text = String::new();
        if handler.render_report(&mut text, self).is_err() {
            text = self.to_string();
        }
        for other in &self.details.others {
            text.push_str(&other.render(theme));
        }
        text
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.details.message)
    }
}

impl std::error::Error for ConfigError {}

impl Diagnostic for ConfigError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.details.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.details.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.details.span.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::underline(span))))
    }
}

/// The path as a person writes it: without a `./` before it.
#[must_use]
pub fn shown(file: &Path) -> String {
    file.strip_prefix(".").unwrap_or(file).display().to_string()
}

/// The bytes of what a path names, as far as the path leads.
fn locate(text: &str, path: &[Step]) -> Option<Range<usize>> {
    let (document, _) = DeTable::parse_recoverable(text);
    let mut table: Option<&DeTable<'_>> = Some(document.get_ref());
    let mut array: Option<&[Spanned<DeValue<'_>>]> = None;
    let mut span = None;
    for step in path {
        let value = match step {
            Step::Key(key) => {
                let Some((_, value)) =
                    table.and_then(|table| table.iter().find(|(name, _)| name.get_ref() == key))
                else {
                    break;
                };
                // Of a table under its own header, the value's bytes are the header; of a dotted one
                // there are none.
                span = Some(value.span());
                value
            }
            Step::Index(position) => {
                let Some(value) = array.and_then(|array| array.get(*position)) else { break };
                span = Some(value.span());
                value
            }
        };
        table = value.get_ref().as_table();
        array = value.get_ref().as_array().map(|array| &**array);
    }
    span.map(|span| first_line(text, span))
}

/// A caret under a whole table would bury its reader: only the first line is shown.
fn first_line(text: &str, span: Range<usize>) -> Range<usize> {
    let length = text.get(span.clone()).and_then(|shown| shown.find('\n'));
    length.map_or(span.clone(), |length| span.start..span.start.saturating_add(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "name = \"Lipa\"\n\n[[plugins]]\nname = \"a\"\n\n[[plugins]]\nname = \"b\"\n\
                        settings = { max_items = 40, zones = [\"PL\", \"XX\"] }\n[discounts]\nexclusive = 1\n";

    fn shown(path: &[Step]) -> &'static str {
        locate(TEXT, path).and_then(|span| TEXT.get(span)).unwrap_or("nothing")
    }

    #[test]
    fn a_path_leads_to_the_value_or_to_the_closest_table() {
        assert_eq!(shown(&["name".into()]), "\"Lipa\"");
        assert_eq!(shown(&["plugins".into(), 1.into(), "settings".into(), "max_items".into()]), "40");
        assert_eq!(
            shown(&["plugins".into(), 1.into(), "settings".into(), "zones".into(), 1.into()]),
            "\"XX\""
        );
        assert_eq!(shown(&["plugins".into(), 1.into(), "source".into()]), "[[plugins]]");
        assert_eq!(shown(&["discounts".into(), "best_of".into()]), "[discounts]");
        assert_eq!(shown(&["nowhere".into()]), "nothing");
    }

    #[test]
    fn the_report_shows_file_line_and_caret() {
        let error = ConfigError::at(
            Path::new("shops/lipa.toml"),
            TEXT,
            &["plugins".into(), 1.into(), "settings".into(), "max_items".into()],
            "40 is more than the maximum of 12",
        )
        .with_help("choose a number from 1 to 12");
        assert_eq!(error.line(), Some(8));
        insta::assert_snapshot!(error.report(), @r#"
          × 40 is more than the maximum of 12
           ╭─[shops/lipa.toml:8:26]
         7 │ name = "b"
         8 │ settings = { max_items = 40, zones = ["PL", "XX"] }
           ·                          ──
         9 │ [discounts]
           ╰────
          help: choose a number from 1 to 12
        "#);
    }
}
