//! What shoppers read: texts in their language, money, dates, and the templates of messages.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::{Arrival, Text, Value};

/// A plugin's own texts and templates, as they travel in its file: path → content,
/// e.g. `locales/en.ftl`, `templates/confirmation.html`.
pub type Assets = BTreeMap<String, String>;

/// All texts and templates of one shop: the host's, its plugins', and the merchant's overrides.
#[derive(Debug)]
pub struct Wording {}

/// How amounts and times are written for one reader.
#[derive(Debug, Clone)]
pub struct Reader {
    /// One of the shop's locales.
    pub locale: String,
    pub currency: String,
    pub exponent: u8,
    /// IANA name.
    pub zone: String,
    /// UTC milliseconds, for "today" and "tomorrow".
    pub now_ms: i64,
}

/// A text or template that does not parse, with its place.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{file}: {what}")]
pub struct WordingError {
    pub file: String,
    pub what: String,
}

impl Wording {
    /// `plugins`: name in the shop → its assets. `overrides`: name → what the merchant put into
    /// `templates/<shop>/<plugin>/`; the name `shop` stands for the shared base.
    pub fn build(
        locales: &[String],
        plugins: &BTreeMap<String, Arc<Assets>>,
        overrides: &BTreeMap<String, Assets>,
    ) -> Result<Self, Vec<WordingError>> {
        let _ = (locales, plugins, overrides);
        todo!()
    }

    /// The closest of the shop's locales for what the shopper asked (a BCP 47 tag or an Accept-Language list).
    #[must_use]
    pub fn negotiate(&self, asked: Option<&str>) -> String {
        let _ = asked;
        todo!()
    }

    /// Finished text: the plugin's key in the reader's language, else in the shop's default, else `fallback`.
    #[must_use]
    pub fn text(&self, plugin: &str, text: &Text, reader: &Reader) -> String {
        let _ = (plugin, text, reader);
        todo!()
    }

    /// A text of the host's own.
    #[must_use]
    pub fn host_text(&self, key: &str, arguments: &[(&str, Value)], reader: &Reader) -> String {
        let _ = (key, arguments, reader);
        todo!()
    }
}

/// `€1,234.50` for minor units.
#[must_use]
pub fn money(amount: i64, reader: &Reader) -> String {
    let _ = (amount, reader);
    todo!()
}

/// `Monday, 30 November` for an ISO date.
#[must_use]
pub fn date(iso: &str, reader: &Reader) -> String {
    let _ = (iso, reader);
    todo!()
}

/// Date and time of an instant in the reader's zone.
#[must_use]
pub fn instant(at_ms: i64, reader: &Reader) -> String {
    let _ = (at_ms, reader);
    todo!()
}

/// `Tue 1 – Thu 3 December`.
#[must_use]
pub fn arrival(arrival: &Arrival, reader: &Reader) -> String {
    let _ = (arrival, reader);
    todo!()
}
