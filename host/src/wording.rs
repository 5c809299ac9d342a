//! What shoppers read: texts in their language, money, dates, and the templates of messages.

mod bounds;
mod dates;
mod money;
mod negotiate;
mod phrases;
mod shared;
pub mod templates;
pub mod texts;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

pub use dates::{arrival, date, days_ahead, instant, local_date, short_date, time, weekday};
pub use money::{integer, money, percent};

use crate::domain::{Text, Value};
use templates::Templates;
use texts::{Argument, Arguments, Found, Texts};

/// A plugin's own texts and templates, as they travel in its file: path → content,
/// e.g. `locales/en.ftl`, `templates/confirmation.html`.
pub type Assets = BTreeMap<String, String>;

/// All texts and templates of one shop: the host's, its plugins', and the merchant's overrides.
#[derive(Debug)]
pub struct Wording {
    /// The shop's; the first is the default.
    locales: Vec<String>,
    host: Arc<Texts>,
    plugins: BTreeMap<String, Arc<Texts>>,
    templates: Templates,
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

static HOUSE: LazyLock<Result<Arc<Texts>, Vec<WordingError>>> =
    LazyLock::new(|| Texts::build(locale_files("shared", &shared::SHARED)).map(Arc::new));

/// Texts of plugins that many shops use, by the identity of their assets.
static PARSED: Mutex<Vec<(Weak<Assets>, Weak<Texts>)>> = Mutex::new(Vec::new());

impl Wording {
    /// `plugins`: name in the shop → its assets; shops that share the `Arc` share what is made of it.
    /// `overrides`: name → what the merchant put into `templates/<shop>/<plugin>/`; the name `shop` stands for
    /// the shared base. Compiles every template and parses every text; gives all that is wrong.
    pub fn build(
        locales: &[String],
        plugins: &BTreeMap<String, Arc<Assets>>,
        overrides: &BTreeMap<String, Assets>,
    ) -> Result<Self, Vec<WordingError>> {
        let mut errors = Vec::new();
        let mut keep = |result: Result<Arc<Texts>, Vec<WordingError>>| match result {
            Ok(texts) => texts,
            Err(found) => {
                errors.extend(found);
                Arc::default()
            }
        };
        let host = keep(match overrides.get("shop") {
            Some(own) => {
                Texts::build(locale_files("shared", &shared::SHARED).chain(locale_files("shop", own)))
                    .map(Arc::new)
            }
            None => HOUSE.clone(),
        });
        let texts: BTreeMap<String, Arc<Texts>> = plugins
            .iter()
            .map(|(name, assets)| {
                let texts = match overrides.get(name) {
                    Some(own) => Texts::build(
                        locale_files(&format!("{name}: "), assets)
                            .chain(locale_files(&format!("{name}/"), own)),
                    )
                    .map(Arc::new),
                    None => shared_texts(name, assets),
                };
                (name.clone(), keep(texts))
            })
            .collect();
        let has_text =
            |plugin: &str, key: &str| texts.get(plugin).is_some_and(|texts| texts.has(key)) || host.has(key);
        // Missing keys of a text file that does not parse would only hide its own error.
        let lenient = !errors.is_empty();
        let templates = Templates::build(plugins, overrides, |plugin, key| lenient || has_text(plugin, key));
        match templates {
            Ok(templates) if errors.is_empty() => {
                let locales = if locales.is_empty() { vec!["en".to_owned()] } else { locales.to_vec() };
                Ok(Self { locales, host, plugins: texts, templates })
            }
            Ok(_) => Err(errors),
            Err(found) => {
                errors.extend(found);
                Err(errors)
            }
        }
    }

    #[must_use]
    pub fn templates(&self) -> &Templates {
        &self.templates
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
        let own = plugin.and_then(|name| self.plugins.get(name));
        let mut partly = None;
        for language in self.languages(reader, english) {
            for texts in own.into_iter().chain([&self.host]) {
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

fn shared_texts(name: &str, assets: &Arc<Assets>) -> Result<Arc<Texts>, Vec<WordingError>> {
    let mut parsed = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    parsed.retain(|(_, texts)| texts.strong_count() > 0);
    let known = parsed.iter().find(|(of, _)| std::ptr::eq(of.as_ptr(), Arc::as_ptr(assets)));
    if let Some(texts) = known.and_then(|(_, texts)| texts.upgrade()) {
        return Ok(texts);
    }
    let texts = Arc::new(Texts::build(locale_files(&format!("{name}: "), assets))?);
    parsed.push((Arc::downgrade(assets), Arc::downgrade(&texts)));
    Ok(texts)
}

/// (name for errors, language tag, source) of each `locales/*.ftl`.
fn locale_files<'a>(
    owner: &str,
    assets: &'a Assets,
) -> impl Iterator<Item = (String, &'a str, &'a str)> + use<'a> {
    let owner = if owner.ends_with([' ', '/']) { owner.to_owned() } else { format!("{owner}/") };
    assets.iter().filter_map(move |(path, source)| {
        let tag = path.strip_prefix("locales/")?.strip_suffix(".ftl")?;
        Some((format!("{owner}{path}"), tag, source.as_str()))
    })
}

#[cfg(test)]
mod tests;
