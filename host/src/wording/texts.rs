//! Fluent texts of one owner (the host, or a plugin), in all languages that it speaks.

mod parse;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use fluent_bundle::builtins;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::types::{AnyEq, FluentType};
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use intl_memoizer::Memoizable;
use unic_langid::LanguageIdentifier;

use super::bounds::{self, Short};
use super::{WordingError, money};
pub(super) use parse::line_at;
use parse::parse;

/// What a text is filled with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    Text(String),
    /// Chooses the plural form; written with the reader's separators.
    Number(i64),
    Shown(Shown),
}

/// A value as the reader sees it: `{ $at }` is `text`; `{ TIME($at) }`, `{ DATE($at) }`, `{ SHORT($at) }` and
/// `{ RELATIVE($at) }` are its other forms, where it has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub text: String,
    pub forms: Vec<(&'static str, String)>,
}

/// Named arguments of a text.
pub type Arguments = Vec<(String, Argument)>;

/// The functions that choose a form.
const FORMS: [(&str, &str); 4] =
    [("TIME", "time"), ("DATE", "date"), ("SHORT", "short"), ("RELATIVE", "relative")];

/// A text that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Whole(String),
    /// Something it names is missing, or it is too long; that part is left out.
    Partly(String),
}

/// By language tag. Copies share their languages.
#[derive(Default, Clone)]
pub struct Texts {
    languages: BTreeMap<String, Arc<Language>>,
}

struct Language {
    /// What the bundle is made of, the earlier first.
    files: Vec<Arc<FluentResource>>,
    bundle: FluentBundle<Arc<FluentResource>>,
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.languages.keys()).finish()
    }
}

impl Texts {
    /// `files`: (name for errors, language tag, source); a later file overrides the texts of an earlier one
    /// of its language.
    pub fn build<'a>(
        files: impl IntoIterator<Item = (String, &'a str, &'a str)>,
    ) -> Result<Self, Vec<WordingError>> {
        Self::default().over(files)
    }

    /// These, with files that override them; languages that no file is about are shared.
    pub fn over<'a>(
        &self,
        files: impl IntoIterator<Item = (String, &'a str, &'a str)>,
    ) -> Result<Self, Vec<WordingError>> {
        let mut added: BTreeMap<String, (LanguageIdentifier, Vec<Arc<FluentResource>>)> = BTreeMap::new();
        let mut errors = Vec::new();
        for (file, tag, source) in files {
            match parse(&file, tag, source) {
                Ok((language, resource)) => {
                    let (_, files) = added.entry(language.to_string()).or_insert((language, Vec::new()));
                    files.push(resource);
                }
                Err(found) => errors.extend(found),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut languages = self.languages.clone();
        for (tag, (language, added)) in added {
            let below = languages.get(&tag).map(|below| below.files.clone());
            let files = [below.unwrap_or_default(), added].concat();
            languages.insert(tag, Arc::new(Language::of(language, files)));
        }
        Ok(Self { languages })
    }

    /// Whether both have the same of this language.
    #[cfg(test)]
    pub(super) fn shares(&self, other: &Self, language: &str) -> bool {
        Arc::ptr_eq(&self.languages[language], &other.languages[language])
    }

    /// Whether any language has the key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.languages.values().any(|language| language.bundle.has_message(key))
    }

    /// The text of `key` (or `key.attribute`) in exactly this language.
    #[must_use]
    pub fn find(&self, language: &str, key: &str, arguments: &Arguments) -> Option<Found> {
        let bundle = &self.languages.get(language)?.bundle;
        let (id, attribute) = key.split_once('.').map_or((key, None), |(id, name)| (id, Some(name)));
        let message = bundle.get_message(id)?;
        let pattern = match attribute {
            Some(name) => message.get_attribute(name)?.value(),
            None => message.value()?,
        };
        let mut filled = FluentArgs::with_capacity(arguments.len());
        for (name, argument) in arguments {
            filled.set(name.as_str(), fluent(argument));
        }
        let mut errors = Vec::new();
        let mut short = Short::default();
        let whole = bundle.write_pattern(&mut short, pattern, Some(&filled), &mut errors).is_ok();
        Some(if whole && errors.is_empty() {
            Found::Whole(short.text)
        } else {
            Found::Partly(without_holes(&short.text))
        })
    }
}

impl Language {
    fn of(language: LanguageIdentifier, files: Vec<Arc<FluentResource>>) -> Self {
        let mut bundle = empty(language);
        for file in &files {
            bundle.add_resource_overriding(Arc::clone(file));
        }
        Self { files, bundle }
    }
}

fn empty(language: LanguageIdentifier) -> FluentBundle<Arc<FluentResource>> {
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // The marks that keep right-to-left words apart show up as boxes in subjects and plain text.
    bundle.set_use_isolating(false);
    bundle.set_formatter(Some(|value, memoizer| match value {
        FluentValue::Number(number) if number.options.minimum_fraction_digits.unwrap_or(0) == 0 => {
            #[expect(clippy::float_cmp, reason = "a whole number is exactly its own truncation")]
            let whole = number.value.trunc() == number.value && number.value.abs() < 9e15;
            whole.then(|| {
                memoizer
                    .with_try_get::<Grouped, _, _>((), |grouped| {
                        money::integer(number.value as i64, &grouped.0)
                    })
                    .unwrap_or_else(|()| number.value.to_string())
            })
        }
        _ => None,
    }));
    for (function, form) in FORMS {
        // Never taken twice: the bundle is empty.
        let _ = bundle.add_function(function, move |positional, _| match positional {
            [FluentValue::Custom(value)] => {
                let any: &dyn AnyEq = &**value;
                let shown = any.as_any().downcast_ref::<Shown>();
                match shown {
                    Some(shown) => FluentValue::String(Cow::Owned(shown.form(form).to_owned())),
                    None => FluentValue::Error,
                }
            }
            [FluentValue::String(text)] => FluentValue::String(text.clone()),
            _ => FluentValue::Error,
        });
    }
    let _ = bundle.add_function("NUMBER", |positional, named| match builtins::NUMBER(positional, named) {
        FluentValue::Number(mut number) => {
            let asked = number.options.minimum_fraction_digits;
            number.options.minimum_fraction_digits = bounds::digits(asked);
            FluentValue::Number(number)
        }
        other => other,
    });
    bundle
}

impl Shown {
    /// The form of this name, else the text.
    #[must_use]
    pub fn form(&self, name: &str) -> &str {
        self.forms.iter().find(|(known, _)| *known == name).map_or(&self.text, |(_, text)| text)
    }
}

impl FluentType for Shown {
    fn duplicate(&self) -> Box<dyn FluentType + Send> {
        Box::new(self.clone())
    }

    fn as_string(&self, _: &intl_memoizer::IntlLangMemoizer) -> Cow<'static, str> {
        Cow::Owned(self.text.clone())
    }

    fn as_string_threadsafe(&self, _: &intl_memoizer::concurrent::IntlLangMemoizer) -> Cow<'static, str> {
        Cow::Owned(self.text.clone())
    }
}

/// The bundle's language, kept where its number formatter finds it.
struct Grouped(String);

impl Memoizable for Grouped {
    type Args = ();
    type Error = ();

    fn construct(language: LanguageIdentifier, (): ()) -> Result<Self, ()> {
        Ok(Self(language.to_string()))
    }
}

fn fluent(argument: &Argument) -> FluentValue<'_> {
    match argument {
        Argument::Text(text) => FluentValue::String(Cow::Borrowed(text)),
        Argument::Number(number) => FluentValue::from(*number),
        Argument::Shown(shown) => FluentValue::Custom(Box::new(shown.clone())),
    }
}

/// Fluent shows `{$name}` for what is missing; a shopper should not.
fn without_holes(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        kept.push_str(before);
        match after.split_once('}') {
            Some((_, behind)) => rest = behind,
            None => {
                rest = after;
                break;
            }
        }
    }
    kept.push_str(rest);
    kept.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
