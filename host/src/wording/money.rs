//! Amounts and whole numbers as a reader writes them. ICU's currency formatting is experimental, so it
//! stays in this file, under golden tests.
//!
//! ICU rounds an amount to the digits that CLDR finds customary (none for RSD or LBP), which would show a
//! price that is not the price. So ICU formats one amount to learn what stands around the digits, and the
//! digits themselves are written with the currency's own exponent.

use std::cell::RefCell;
use std::collections::HashMap;

use fixed_decimal::Decimal;
use icu::decimal::DecimalFormatter;
use icu::decimal::options::DecimalFormatterOptions;
use icu::experimental::dimension::currency::CurrencyType;
use icu::experimental::dimension::currency::formatter::CurrencyFormatter;
use icu::experimental::dimension::currency::options::CurrencyFormatterOptions;
use icu::locale::Locale;

use super::Reader;
use super::kept::kept;

/// What stands around the digits of an amount.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Frame {
    positive: (String, String),
    negative: (String, String),
}

/// Formatters are dear to make and cannot be shared between threads.
#[derive(Default)]
struct Formatters {
    numbers: HashMap<String, Option<DecimalFormatter>>,
    /// By locale, then by currency.
    frames: HashMap<String, HashMap<String, Frame>>,
}

thread_local! {
    static FORMATTERS: RefCell<Formatters> = RefCell::default();
}

/// `€1,234.50` for minor units of the reader's currency.
#[must_use]
pub fn money(amount: i64, reader: &Reader) -> String {
    let digits = decimal(amount.unsigned_abs(), reader.exponent, &reader.locale);
    FORMATTERS.with_borrow_mut(|formatters| {
        let (locale, currency) = (reader.locale.as_str(), reader.currency.as_str());
        let frames = kept(&mut formatters.frames, locale, HashMap::new);
        let frame = frames.and_then(|frames| kept(frames, currency, || Frame::of(locale, currency)));
        match frame.map(|frame| if amount < 0 { &frame.negative } else { &frame.positive }) {
            Some((before, after)) => [before, digits.as_str(), after].concat(),
            None => digits,
        }
    })
}

/// `12,450`.
#[must_use]
pub fn integer(number: i64, locale: &str) -> String {
    let digits = decimal(number.unsigned_abs(), 0, locale);
    if number < 0 { format!("-{digits}") } else { digits }
}

/// `12.5%` for basis points.
#[must_use]
pub fn percent(basis_points: u32, locale: &str) -> String {
    let mut number = Decimal::from(basis_points);
    number.multiply_pow10(-2);
    number.trim_end();
    let digits = write_number(&number, locale);
    // CLDR: a no-break space before the sign in most of Europe, none in English and Chinese.
    let close = matches!(language(locale), "en" | "zh" | "ja" | "ko" | "it" | "pl" | "pt" | "tr" | "nl");
    if close { format!("{digits}%") } else { format!("{digits}\u{a0}%") }
}

fn decimal(minor: u64, exponent: u8, locale: &str) -> String {
    let mut number = Decimal::from(minor);
    let places = i16::from(exponent.min(18));
    number.multiply_pow10(-places);
    number.absolute.pad_end(-places);
    write_number(&number, locale)
}

fn write_number(number: &Decimal, locale: &str) -> String {
    FORMATTERS.with_borrow_mut(|formatters| {
        let make =
            || DecimalFormatter::try_new(parse(locale).into(), DecimalFormatterOptions::default()).ok();
        match kept(&mut formatters.numbers, locale, make) {
            Some(Some(formatter)) => formatter.format(number).to_string(),
            _ => number.to_string(),
        }
    })
}

impl Frame {
    fn of(locale: &str, currency: &str) -> Self {
        ask(locale, currency).unwrap_or_else(|| Self {
            positive: (format!("{currency}\u{a0}"), String::new()),
            negative: (format!("-{currency}\u{a0}"), String::new()),
        })
    }
}

/// What ICU writes around a one.
fn ask(locale: &str, currency: &str) -> Option<Frame> {
    let code: CurrencyType = currency.parse().ok()?;
    let formatter =
        CurrencyFormatter::try_new_symbol(parse(locale).into(), code, CurrencyFormatterOptions::default())
            .ok()?;
    let around = |number: Decimal| {
        let text = formatter.format_fixed_decimal(&number).to_string();
        let first = text.find(char::is_numeric)?;
        let last = text.char_indices().rfind(|(_, letter)| letter.is_numeric())?;
        let after = last.0 + last.1.len_utf8();
        Some((text.get(..first)?.to_owned(), text.get(after..)?.to_owned()))
    };
    Some(Frame { positive: around(Decimal::from(1))?, negative: around(Decimal::from(-1))? })
}

/// English for what is no language tag.
pub(super) fn parse(locale: &str) -> Locale {
    Locale::try_from_str(locale).unwrap_or(icu::locale::locale!("en"))
}

/// The first subtag.
pub(super) fn language(locale: &str) -> &str {
    locale.split(['-', '_']).next().unwrap_or(locale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(amount: i64, currency: &str, exponent: u8, locale: &str) -> String {
        let reader = Reader {
            locale: locale.to_owned(),
            currency: currency.to_owned(),
            exponent,
            zone: "UTC".to_owned(),
            now_ms: 0,
        };
        // No-break spaces are right on a page and hard to see in a test.
        money(amount, &reader).replace(['\u{a0}', '\u{202f}'], "·")
    }

    #[test]
    fn amounts_are_written_as_the_reader_writes_them() {
        let cases = [
            (123_450, "EUR", 2, "en", "€1,234.50"),
            (-500, "EUR", 2, "en", "-€5.00"),
            (0, "EUR", 2, "en", "€0.00"),
            (5, "EUR", 2, "en", "€0.05"),
            (123_450, "PLN", 2, "en", "PLN·1,234.50"),
            (1_200, "JPY", 0, "en", "¥1,200"),
            (1_234, "KWD", 3, "en", "KWD·1.234"),
            (9_007_199_254_740_991, "EUR", 2, "en", "€90,071,992,547,409.91"),
            (123_450, "EUR", 2, "pl", "1234,50·€"),
            (-500, "EUR", 2, "pl", "-5,00·€"),
            (1_234_550, "PLN", 2, "pl", "12·345,50·zł"),
            (1_999, "PLN", 2, "pl", "19,99·zł"),
            (1_200, "JPY", 0, "pl", "1200·JP¥"),
            (1_234, "KWD", 3, "pl", "1,234·KWD"),
            (123_450, "EUR", 2, "de", "1.234,50·€"),
        ];
        for (amount, currency, exponent, locale, expected) in cases {
            assert_eq!(
                shown(amount, currency, exponent, locale),
                expected,
                "{amount} {currency} in {locale}"
            );
        }
    }

    #[test]
    fn a_price_is_never_rounded_to_what_is_customary() {
        // CLDR shows no decimals of these; ISO 4217 has two.
        for currency in ["RSD", "LBP", "HUF"] {
            assert!(shown(123_455, currency, 2, "en").contains("1,234.55"), "{currency}");
        }
    }

    #[test]
    fn what_is_no_currency_or_language_is_still_written() {
        assert_eq!(shown(1_250, "???", 2, "en"), "???·12.50");
        assert_eq!(shown(1_250, "EUR", 2, "not a tag"), "€12.50");
        assert_eq!(integer(i64::MIN, "en"), "-9,223,372,036,854,775,808");
    }

    #[test]
    fn percentages_of_basis_points() {
        assert_eq!(percent(1_000, "en"), "10%");
        assert_eq!(percent(1_250, "pl"), "12,5%");
        assert_eq!(percent(1_250, "sk"), "12,5\u{a0}%");
    }
}
