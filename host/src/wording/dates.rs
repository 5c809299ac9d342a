//! Dates, times and arrivals as a reader writes them, through ICU.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use icu::calendar::{Date as IcuDate, Iso};
use icu::datetime::fieldsets::{D, E, MD, MDE, T, YMDE};
use icu::datetime::{DateTimeFormatter, NoCalendarFormatter};
use icu::locale::Locale;
use icu::time::Time as IcuTime;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff_icu::ConvertFrom as _;

use super::kept::kept;
use super::{Reader, money};
use crate::domain::Arrival;

/// The formatters of one language.
struct Formatters {
    day: DateTimeFormatter<D>,
    weekday: DateTimeFormatter<E>,
    weekday_full: DateTimeFormatter<E>,
    day_month: DateTimeFormatter<MD>,
    day_month_short: DateTimeFormatter<MD>,
    full: DateTimeFormatter<MDE>,
    full_short: DateTimeFormatter<MDE>,
    with_year: DateTimeFormatter<YMDE>,
    time: NoCalendarFormatter<T>,
}

thread_local! {
    static FORMATTERS: RefCell<HashMap<String, Option<Rc<Formatters>>>> = RefCell::default();
}

/// `Monday 30 November` for an ISO date; with the year when it is not the reader's. What is no date is
/// given back as it is.
#[must_use]
pub fn date(iso: &str, reader: &Reader) -> String {
    let Ok(day) = iso.parse::<Date>() else { return iso.to_owned() };
    with(reader, |formatters| {
        if day.year() == today(reader).year() {
            formatters.full.format(&icu(day)).to_string()
        } else {
            formatters.with_year.format(&icu(day)).to_string()
        }
    })
    .unwrap_or_else(|| day.to_string())
}

/// `30 Nov`.
#[must_use]
pub fn short_date(iso: &str, reader: &Reader) -> String {
    let Ok(day) = iso.parse::<Date>() else { return iso.to_owned() };
    with(reader, |formatters| formatters.day_month_short.format(&icu(day)).to_string())
        .unwrap_or_else(|| day.to_string())
}

/// `Monday`.
#[must_use]
pub fn weekday(iso: &str, reader: &Reader) -> String {
    let Ok(day) = iso.parse::<Date>() else { return iso.to_owned() };
    with(reader, |formatters| formatters.weekday_full.format(&icu(day)).to_string()).unwrap_or_default()
}

/// `Monday 30 November, 14:05` in the reader's zone.
#[must_use]
pub fn instant(at_ms: i64, reader: &Reader) -> String {
    format!("{}, {}", date(&local(at_ms, reader).date().to_string(), reader), time(at_ms, reader))
}

/// `14:05` in the reader's zone.
#[must_use]
pub fn time(at_ms: i64, reader: &Reader) -> String {
    let clock = local(at_ms, reader).time();
    with(reader, |formatters| formatters.time.format(&IcuTime::convert_from(clock)).to_string())
        .unwrap_or_else(|| clock.to_string())
}

/// `Tue 1 – Thu 3 December`; one day is `Tuesday 1 December`.
#[must_use]
pub fn arrival(arrival: &Arrival, reader: &Reader) -> String {
    let (Ok(first), Ok(last)) = (arrival.earliest.parse::<Date>(), arrival.latest.parse::<Date>()) else {
        return format!("{} – {}", arrival.earliest, arrival.latest);
    };
    if first >= last {
        return date(&arrival.latest, reader);
    }
    with(reader, |formatters| {
        let weekday = |day: Date| formatters.weekday.format(&icu(day)).to_string();
        let number = |day: Date| formatters.day.format(&icu(day)).to_string();
        let day_month = |day: Date| formatters.day_month.format(&icu(day)).to_string();
        // Where the day stands first, a month that both share is said once.
        let day_first = day_month(last).starts_with(&format!("{} ", number(last)));
        if day_first && (first.year(), first.month()) == (last.year(), last.month()) {
            format!("{} {} – {} {}", weekday(first), number(first), weekday(last), day_month(last))
        } else if day_first {
            format!("{} {} – {} {}", weekday(first), day_month(first), weekday(last), day_month(last))
        } else {
            format!(
                "{} – {}",
                formatters.full_short.format(&icu(first)),
                formatters.full_short.format(&icu(last))
            )
        }
    })
    .unwrap_or_else(|| format!("{first} – {last}"))
}

/// The reader's date at an instant, ISO.
#[must_use]
pub fn local_date(at_ms: i64, reader: &Reader) -> String {
    local(at_ms, reader).date().to_string()
}

/// Days from the reader's today to an ISO date.
#[must_use]
pub fn days_ahead(iso: &str, reader: &Reader) -> Option<i64> {
    let day = iso.parse::<Date>().ok()?;
    let span = today(reader).until((jiff::Unit::Day, day)).ok()?;
    Some(i64::from(span.get_days()))
}

fn today(reader: &Reader) -> Date {
    local(reader.now_ms, reader).date()
}

fn local(at_ms: i64, reader: &Reader) -> DateTime {
    let zone = TimeZone::get(&reader.zone).unwrap_or(TimeZone::UTC);
    crate::config::calendar::Calendar::local(at_ms, &zone)
}

fn icu(day: Date) -> IcuDate<Iso> {
    IcuDate::<Iso>::convert_from(day)
}

fn with<T>(reader: &Reader, format: impl FnOnce(&Formatters) -> T) -> Option<T> {
    let formatters = FORMATTERS.with_borrow_mut(|known| {
        kept(known, &reader.locale, || build(&reader.locale).map(Rc::new))
            .and_then(|formatters| formatters.clone())
    });
    formatters.map(|formatters| format(&formatters))
}

/// `en` alone is read all over the world: day before month, 24 hours. `en-US` is as it says.
fn build(locale: &str) -> Option<Formatters> {
    let locale = if locale == "en" { icu::locale::locale!("en-150") } else { money::parse(locale) };
    let locale = || -> Locale { locale.clone() };
    Some(Formatters {
        day: DateTimeFormatter::try_new(locale().into(), D::long()).ok()?,
        weekday: DateTimeFormatter::try_new(locale().into(), E::medium()).ok()?,
        weekday_full: DateTimeFormatter::try_new(locale().into(), E::long()).ok()?,
        day_month: DateTimeFormatter::try_new(locale().into(), MD::long()).ok()?,
        day_month_short: DateTimeFormatter::try_new(locale().into(), MD::medium()).ok()?,
        full: DateTimeFormatter::try_new(locale().into(), MDE::long()).ok()?,
        full_short: DateTimeFormatter::try_new(locale().into(), MDE::medium()).ok()?,
        with_year: DateTimeFormatter::try_new(locale().into(), YMDE::long()).ok()?,
        time: NoCalendarFormatter::try_new(locale().into(), T::hm()).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Saturday 28 November 2026, 10:00 in Warsaw.
    fn reader(locale: &str) -> Reader {
        Reader {
            locale: locale.to_owned(),
            currency: "EUR".to_owned(),
            exponent: 2,
            zone: "Europe/Warsaw".to_owned(),
            now_ms: 1_795_856_400_000,
        }
    }

    fn plain(text: String) -> String {
        text.replace(['\u{a0}', '\u{202f}'], " ")
    }

    #[test]
    fn dates_are_written_as_the_reader_writes_them() {
        let cases = [
            ("2026-11-30", "en", "Monday 30 November"),
            ("2026-11-30", "en-US", "Monday, November 30"),
            ("2026-11-30", "pl", "poniedziałek, 30 listopada"),
            ("2026-11-30", "sk", "pondelok 30. novembra"),
            ("2026-11-30", "ru", "понедельник, 30 ноября"),
            ("2026-11-30", "zh", "11月30日星期一"),
            ("2027-01-04", "en", "Monday, 4 January 2027"),
            ("2027-01-04", "pl", "poniedziałek, 4 stycznia 2027"),
            ("yesterday", "en", "yesterday"),
        ];
        for (iso, locale, expected) in cases {
            assert_eq!(plain(date(iso, &reader(locale))), expected, "{iso} in {locale}");
        }
        assert_eq!(short_date("2026-11-30", &reader("en")), "30 Nov");
        assert_eq!(weekday("2026-11-30", &reader("pl")), "poniedziałek");
    }

    #[test]
    fn instants_are_shown_in_the_readers_zone() {
        // 22:30 UTC is the next day in Warsaw.
        let at = 1_795_905_000_000;
        assert_eq!(plain(instant(at, &reader("en"))), "Saturday 28 November, 23:30");
        assert_eq!(plain(instant(at + 3_600_000, &reader("pl"))), "niedziela, 29 listopada, 00:30");
        assert_eq!(plain(time(at, &reader("en-US"))), "11:30 PM");
        assert_eq!(local_date(at + 3_600_000, &reader("en")), "2026-11-29");
    }

    #[test]
    fn arrivals_say_a_shared_month_once() {
        let range = |earliest: &str, latest: &str| Arrival {
            earliest: earliest.to_owned(),
            latest: latest.to_owned(),
        };
        let cases = [
            (range("2026-12-01", "2026-12-03"), "en", "Tue 1 – Thu 3 December"),
            (range("2026-12-01", "2026-12-03"), "en-US", "Tue, Dec 1 – Thu, Dec 3"),
            (range("2026-12-01", "2026-12-03"), "pl", "wt. 1 – czw. 3 grudnia"),
            (range("2026-12-01", "2026-12-03"), "sk", "ut 1. – št 3. decembra"),
            (range("2026-12-01", "2026-12-03"), "ru", "вт 1 – чт 3 декабря"),
            (range("2026-12-01", "2026-12-03"), "zh", "12月1日周二 – 12月3日周四"),
            (range("2026-11-30", "2026-12-02"), "en", "Mon 30 November – Wed 2 December"),
            (range("2026-12-01", "2026-12-01"), "en", "Tuesday 1 December"),
            (range("soon", "later"), "en", "soon – later"),
        ];
        for (arrival_, locale, expected) in cases {
            assert_eq!(plain(arrival(&arrival_, &reader(locale))), expected, "{arrival_:?} in {locale}");
        }
    }

    #[test]
    fn days_are_counted_by_the_readers_calendar() {
        assert_eq!(days_ahead("2026-11-28", &reader("en")), Some(0));
        assert_eq!(days_ahead("2026-11-29", &reader("en")), Some(1));
        assert_eq!(days_ahead("2026-11-27", &reader("en")), Some(-1));
        assert_eq!(days_ahead("x", &reader("en")), None);
    }
}
