//! What shoppers read: texts in their language, money, dates, and the templates of messages.

mod bounds;
mod dates;
mod house;
mod kept;
mod library;
mod money;
mod negotiate;
mod phrases;
mod shared;
mod templates;
pub mod texts;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use dates::{arrival, date, days_ahead, instant, local_date, short_date, time, weekday};
pub use library::Library;
pub use money::{integer, money, percent};
pub use templates::Message;

use crate::domain::{Text, Value};
use house::House;
use library::Script;
use texts::{Argument, Arguments, Found};

/// A plugin's own texts and templates, as they travel in its file: path → content,
/// e.g. `locales/en.ftl`, `templates/confirmation.html`.
pub type Assets = BTreeMap<String, String>;

/// All texts and templates of one shop: the host's, its plugins', and the merchant's overrides.
#[derive(Debug)]
pub struct Wording {
    /// The shop's; the first is the default.
    locales: Vec<String>,
    house: Arc<House>,
    plugins: BTreeMap<String, Arc<Script>>,
}

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordingError {
    /// `order-updates: locales/pl.ftl` in a plugin's file; `order-updates/locales/pl.ftl` or `shop/base.html` in
    /// the shop's folder of `templates_dir`.
    pub file: String,
    /// Counted from 1.
    pub line: Option<usize>,
    pub what: String,
}

impl std::error::Error for WordingError {}

impl std::fmt::Display for WordingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

/// Texts among the arguments of one text.
const TEXTS: usize = 10;

impl Wording {
    /// Of a shop that shares with none: see [`Library::wording`].
    pub fn build(
        locales: &[String],
        plugins: &BTreeMap<String, Arc<Assets>>,
        overrides: &BTreeMap<String, Assets>,
    ) -> Result<Self, Vec<WordingError>> {
        Library::default().wording(locales, plugins, overrides)
    }

    /// A plugin's template by its file's name without `.html`; the error lists what there is.
    pub fn message(&self, plugin: &str, template: &str) -> Result<Message<'_>, String> {
        match self.plugins.get(plugin) {
            Some(script) => script.templates.message(plugin, template),
            None => Err(templates::without(plugin, template)),
        }
    }

    /// What it holds of a plugin: shops that say the same hold the same.
    #[cfg(test)]
    pub(crate) fn words_of(&self, plugin: &str) -> Option<std::sync::Weak<impl Sized + use<>>> {
        self.plugins.get(plugin).map(Arc::downgrade)
    }

    /// The closest of the shop's locales for what the shopper asked (a BCP 47 tag or an Accept-Language list).
    #[must_use]
    pub fn negotiate(&self, asked: Option<&str>) -> String {
        negotiate::negotiate(&self.locales, asked).unwrap_or("en").to_owned()
    }

    /// Finished text: the plugin's key in the reader's language, else in the shop's default, else `fallback`.
    #[must_use]
    pub fn text(&self, plugin: &str, text: &Text, reader: &Reader) -> String {
        let arguments = self.arguments(Some(plugin), &text.args, reader);
        match self.search(Some(plugin), &text.key, &arguments, reader, false) {
            Some(Found::Whole(found)) => found,
            Some(Found::Partly(found)) if text.fallback.is_empty() => found,
            _ => text.fallback.clone(),
        }
    }

    /// A text of the host's own; its key when there is none.
    #[must_use]
    pub fn host_text(&self, key: &str, arguments: &[(&str, Value)], reader: &Reader) -> String {
        let named: Vec<(String, Value)> =
            arguments.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let arguments = self.arguments(None, &named, reader);
        self.find(None, key, &arguments, reader).unwrap_or_else(|| key.to_owned())
    }

    /// The text of a template's `t(key, …)`: the plugin's, else the host's; in the reader's language, else in
    /// the shop's default, else in English. `None`: nobody has it.
    #[must_use]
    pub fn find(
        &self,
        plugin: Option<&str>,
        key: &str,
        arguments: &Arguments,
        reader: &Reader,
    ) -> Option<String> {
        match self.search(plugin, key, arguments, reader, true)? {
            Found::Whole(text) | Found::Partly(text) => Some(text),
        }
    }

    /// What a text is filled with for the values of the vocabulary; a text among them is filled with those that are
    /// no texts. A coupon's code and a product's title are known only where messages are rendered: here a coupon is
    /// nothing and products are their number.
    fn arguments(&self, plugin: Option<&str>, values: &[(String, Value)], reader: &Reader) -> Arguments {
        let plain: Arguments = values
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), self.argument(value, reader)?)))
            .collect();
        let texts = values.iter().filter_map(|(name, value)| {
            let Value::Text(key) = value else { return None };
            Some((name.clone(), Argument::Text(self.find(plugin, key, &plain, reader)?)))
        });
        // There are few: each is looked up with all the others.
        let texts: Arguments = texts.take(TEXTS).collect();
        [plain, texts].concat()
    }

    fn argument(&self, value: &Value, reader: &Reader) -> Option<Argument> {
        Some(match value {
            Value::String(text) | Value::Url(text) => Argument::Text(text.clone()),
            Value::Int(number) => Argument::Number(*number),
            Value::Money(amount) => Argument::Text(money(*amount, reader)),
            Value::Instant(at_ms) => Argument::Shown(self.shown_instant(*at_ms, reader)),
            Value::Date(iso) => Argument::Shown(self.shown_date(iso, reader)),
            Value::Products(ids) => Argument::Number(i64::try_from(ids.len()).unwrap_or(i64::MAX)),
            Value::Text(_) | Value::Coupon(_) => return None,
        })
    }

    /// The first whole text along the languages, and in each the plugin before the host; else the first that
    /// lacks something.
    fn search(
        &self,
        plugin: Option<&str>,
        key: &str,
        arguments: &Arguments,
        reader: &Reader,
        english: bool,
    ) -> Option<Found> {
        let own = plugin.and_then(|name| Some(&self.plugins.get(name)?.texts));
        let mut partly = None;
        for language in self.languages(reader, english) {
            for texts in own.into_iter().chain([&self.house.texts]) {
                match texts.find(language, key, arguments) {
                    Some(Found::Whole(text)) => return Some(Found::Whole(text)),
                    Some(lacking) => partly = partly.or(Some(lacking)),
                    None => {}
                }
            }
        }
        partly
    }

    fn languages<'a>(&'a self, reader: &'a Reader, english: bool) -> impl Iterator<Item = &'a str> {
        let default = self.locales.first().map_or("en", String::as_str);
        let tags = [&reader.locale, default].into_iter().flat_map(|tag| {
            let language = money::language(tag);
            [Some(tag), (language != tag).then_some(language)]
        });
        tags.flatten().chain(english.then_some("en"))
    }
}

/// (name for errors, language tag, source) of each `locales/*.ftl`; `owner` stands before the path in the name.
fn locale_files<'a>(
    owner: &str,
    assets: &'a Assets,
) -> impl Iterator<Item = (String, &'a str, &'a str)> + use<'a> {
    let owner = owner.to_owned();
    assets.iter().filter_map(move |(path, source)| {
        let tag = path.strip_prefix("locales/")?.strip_suffix(".ftl")?;
        Some((format!("{owner}{path}"), tag, source.as_str()))
    })
}

#[cfg(test)]
mod tests;
