//! Fluent texts of one owner (the host, or a plugin), in all languages that it speaks.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use fluent_bundle::builtins;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::types::{AnyEq, FluentType};
use fluent_bundle::{FluentArgs, FluentError, FluentResource, FluentValue};
use intl_memoizer::Memoizable;
use unic_langid::LanguageIdentifier;

use super::bounds::{self, MISTAKES, Short};
use super::{WordingError, money};

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

/// By language tag.
#[derive(Default)]
pub struct Texts {
    languages: BTreeMap<String, FluentBundle<Arc<FluentResource>>>,
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
        let mut texts = Self::default();
        let mut errors = Vec::new();
        for (file, tag, source) in files {
            match texts.add(&file, tag, source) {
                Ok(()) => {}
                Err(found) => errors.extend(found),
            }
        }
        if errors.is_empty() { Ok(texts) } else { Err(errors) }
    }

    fn add(&mut self, file: &str, tag: &str, source: &str) -> Result<(), Vec<WordingError>> {
        let language: LanguageIdentifier = tag.parse().map_err(|_| {
            vec![WordingError {
                file: file.to_owned(),
                line: None,
                what: format!("`{tag}` is not a language tag; name the file like `en.ftl` or `pt-BR.ftl`"),
            }]
        })?;
        if let Some((line, what)) = bounds::unparsable(source) {
            return Err(vec![WordingError { file: file.to_owned(), line: Some(line), what }]);
        }
        let resource = FluentResource::try_new(source.to_owned()).map_err(|(_, errors)| {
            errors
                .into_iter()
                .take(MISTAKES)
                .map(|error| WordingError {
                    file: file.to_owned(),
                    line: Some(line_at(source, error.pos.start)),
                    what: error.to_string(),
                })
                .collect::<Vec<_>>()
        })?;
        let resource = Arc::new(resource);
        let mut alone = FluentBundle::new_concurrent(vec![language.clone()]);
        if let Err(errors) = alone.add_resource(Arc::clone(&resource)) {
            return Err(errors.into_iter().take(MISTAKES).map(|error| twice(file, source, &error)).collect());
        }
        let bundle = self.languages.entry(language.to_string()).or_insert_with(|| empty(language));
        bundle.add_resource_overriding(resource);
        Ok(())
    }

    /// Whether any language has the key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.languages.values().any(|bundle| bundle.has_message(key))
    }

    /// The text of `key` (or `key.attribute`) in exactly this language.
    #[must_use]
    pub fn find(&self, language: &str, key: &str, arguments: &Arguments) -> Option<Found> {
        let bundle = self.languages.get(language)?;
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

fn twice(file: &str, source: &str, error: &FluentError) -> WordingError {
    let (line, what) = match error {
        FluentError::Overriding { id, .. } => {
            let second = source
                .lines()
                .enumerate()
                .filter(|(_, line)| {
                    line.strip_prefix(id.as_str()).is_some_and(|rest| rest.trim_start().starts_with('='))
                })
                .map(|(index, _)| index + 1)
                .nth(1);
            (second, format!("`{id}` is there twice; remove one"))
        }
        other => (None, other.to_string()),
    };
    WordingError { file: file.to_owned(), line, what }
}

/// Counted from 1.
pub(super) fn line_at(source: &str, position: usize) -> usize {
    source.bytes().take(position).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(tag: &str, source: &str) -> Texts {
        Texts::build([("test.ftl".to_owned(), tag, source)]).unwrap()
    }

    fn say(texts: &Texts, tag: &str, key: &str, number: i64) -> String {
        match texts.find(tag, key, &vec![("n".to_owned(), Argument::Number(number))]) {
            Some(Found::Whole(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn plurals_are_right_in_every_language_of_the_house() {
        let english = one("en", "items = { $n ->\n    [one] { $n } item\n   *[other] { $n } items\n}\n");
        let cases = [(0, "0 items"), (1, "1 item"), (2, "2 items"), (1_200, "1,200 items")];
        for (number, expected) in cases {
            assert_eq!(say(&english, "en", "items", number), expected);
        }

        let polish = one(
            "pl",
            "items = { $n ->\n    [one] { $n } produkt\n    [few] { $n } produkty\n    [many] { $n } produktów\n   *[other] { $n } produktu\n}\n",
        );
        let cases = [
            (0, "0 produktów"),
            (1, "1 produkt"),
            (2, "2 produkty"),
            (4, "4 produkty"),
            (5, "5 produktów"),
            (11, "11 produktów"),
            (12, "12 produktów"),
            (14, "14 produktów"),
            (21, "21 produktów"),
            (22, "22 produkty"),
            (25, "25 produktów"),
            (102, "102 produkty"),
            (112, "112 produktów"),
        ];
        for (number, expected) in cases {
            assert_eq!(say(&polish, "pl", "items", number), expected);
        }

        let slovak = one("sk", "items = { $n ->\n    [one] kus\n    [few] kusy\n   *[other] kusov\n}\n");
        for (number, expected) in [(1, "kus"), (3, "kusy"), (5, "kusov"), (22, "kusov")] {
            assert_eq!(say(&slovak, "sk", "items", number), expected);
        }

        let russian = one(
            "ru",
            "items = { $n ->\n    [one] товар\n    [few] товара\n    [many] товаров\n   *[other] товара\n}\n",
        );
        for (number, expected) in
            [(1, "товар"), (2, "товара"), (5, "товаров"), (11, "товаров"), (21, "товар")]
        {
            assert_eq!(say(&russian, "ru", "items", number), expected);
        }

        let chinese = one("zh", "items = { $n ->\n    [one] wrong\n   *[other] { $n } 件\n}\n");
        assert_eq!(say(&chinese, "zh", "items", 1), "1 件");
    }

    #[test]
    fn no_isolating_marks_reach_the_text() {
        let texts = one("en", "hello = Hello { $name }!\n");
        let found = texts.find("en", "hello", &vec![("name".to_owned(), Argument::Text("Ola".to_owned()))]);
        assert_eq!(found, Some(Found::Whole("Hello Ola!".to_owned())));
    }

    #[test]
    fn a_missing_argument_leaves_no_hole() {
        let texts = one("en", "hello = Hello { $name } and { $other }!\n");
        let found = texts.find("en", "hello", &vec![("name".to_owned(), Argument::Text("Ola".to_owned()))]);
        assert_eq!(found, Some(Found::Partly("Hello Ola and !".to_owned())));
        assert_eq!(texts.find("en", "bye", &Vec::new()), None);
        assert_eq!(texts.find("pl", "hello", &Vec::new()), None);
    }

    #[test]
    fn a_text_chooses_the_form_of_a_value() {
        let texts = one("en", "until = until { TIME($at) }, { RELATIVE($at) } ({ $at })\n");
        let at = Shown {
            text: "Monday, 14:05".to_owned(),
            forms: vec![("time", "14:05".to_owned()), ("relative", "today".to_owned())],
        };
        let found = texts.find("en", "until", &vec![("at".to_owned(), Argument::Shown(at))]);
        assert_eq!(found, Some(Found::Whole("until 14:05, today (Monday, 14:05)".to_owned())));
    }

    #[test]
    fn a_later_file_overrides_single_texts() {
        let texts = Texts::build([
            ("a".to_owned(), "en", "one = One\ntwo = Two\nboth = { one }, { two }\n"),
            ("b".to_owned(), "en", "two = Deux\n"),
        ])
        .unwrap();
        assert_eq!(texts.find("en", "both", &Vec::new()), Some(Found::Whole("One, Deux".to_owned())));
    }

    #[test]
    fn what_does_not_parse_is_reported_with_its_line() {
        let errors =
            Texts::build([("pl.ftl".to_owned(), "pl", "one = One\n\ntwo = { $n ->\n    [one] x\n}\n")])
                .unwrap_err();
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].file, "pl.ftl");
        assert!(matches!(errors[0].line, Some(3..=5)), "{errors:?}");

        let errors = Texts::build([("en.ftl".to_owned(), "en", "a = 1\nb = 2\na = 3\n")]).unwrap_err();
        assert_eq!(errors[0].to_string(), "en.ftl:3: `a` is there twice; remove one");

        let errors = Texts::build([("english.ftl".to_owned(), "eng lish", "a = 1\n")]).unwrap_err();
        assert!(errors[0].what.contains("not a language tag"), "{errors:?}");
    }
}
