//! Dates and instants as TOML has them, or as texts in quotes.

use std::fmt::Display;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, de};

/// `2026-12-25`, with or without quotes.
pub(super) fn dates<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Date>, D::Error> {
    let dates = Vec::<Day>::deserialize(deserializer)?;
    Ok(dates.into_iter().map(|day| day.0).collect())
}

/// `2026-11-28T09:30:00Z`, with or without quotes.
pub(super) fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    parsed(deserializer, "an instant with its offset like 2026-11-28T09:30:00Z").map(Some)
}

struct Day(Date);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer, "a date like 2026-12-25").map(Self)
    }
}

fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(
    deserializer: D,
    what: &str,
) -> Result<T, D::Error> {
    let text = match toml::Value::deserialize(deserializer)? {
        toml::Value::String(text) => text,
        toml::Value::Datetime(datetime) => datetime.to_string(),
        other => return Err(de::Error::custom(format!("`{other}` is not {what}"))),
    };
    text.parse().map_err(|_| de::Error::custom(format!("`{text}` is not {what}")))
}
