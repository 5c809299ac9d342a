//! Texts for shoppers: keys of the plugin's own Fluent texts, with values, rendered by the host in
//! the shopper's language.

use crate::types::{Product, Text, Value};

/// A text of the plugin's `locales/*.ftl`. Until [`or`](Text::or) says otherwise, the key itself is
/// shown when no language has it.
///
/// ```
/// # use cartwright_sdk::prelude::*;
/// let late = text("late").arg("days", 3).or("A few days late");
/// ```
pub fn text(key: &str) -> Text {
    Text { key: key.to_owned(), args: Vec::new(), fallback: key.to_owned() }
}

/// Words that are shown as they are, e.g. a name the merchant wrote in the settings.
pub fn literal(words: &str) -> Text {
    Text { key: String::new(), args: Vec::new(), fallback: words.to_owned() }
}

impl Text {
    /// A value that the text mentions, e.g. `{ $days }`.
    pub fn arg(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.args.push((name.to_owned(), value.into()));
        self
    }

    /// What is shown when no language has the key.
    pub fn or(mut self, fallback: &str) -> Self {
        fallback.clone_into(&mut self.fallback);
        self
    }
}

/// Values in texts and templates that are more than words and numbers: the host writes money, dates
/// and links as the reader expects them.
pub mod value {
    use crate::types::{Arrival, Value};

    /// Minor units of the cart's or order's currency.
    pub fn money(amount: i64) -> Value {
        Value::Money(amount)
    }

    /// Date and time of an instant (UTC milliseconds), in the reader's time zone.
    pub fn instant(at_ms: i64) -> Value {
        Value::Instant(at_ms)
    }

    /// A civil date, `YYYY-MM-DD`.
    pub fn date(iso: &str) -> Value {
        Value::Date(iso.to_owned())
    }

    /// The first day of an arrival.
    pub fn earliest(arrival: &Arrival) -> Value {
        date(&arrival.earliest)
    }

    /// The last day of an arrival.
    pub fn latest(arrival: &Arrival) -> Value {
        date(&arrival.latest)
    }

    /// A link; only to the shop's own and granted hosts.
    pub fn url(address: &str) -> Value {
        Value::Url(address.to_owned())
    }

    /// Products by their ids; a template shows their titles, pictures and prices.
    pub fn products<S: AsRef<str>>(ids: impl IntoIterator<Item = S>) -> Value {
        Value::Products(ids.into_iter().map(|id| id.as_ref().to_owned()).collect())
    }

    /// Another of the plugin's texts, by its key.
    pub fn text(key: &str) -> Value {
        Value::Text(key.to_owned())
    }
}

impl From<&str> for Value {
    fn from(words: &str) -> Self {
        Self::String(words.to_owned())
    }
}

impl From<String> for Value {
    fn from(words: String) -> Self {
        Self::String(words)
    }
}

impl From<&String> for Value {
    fn from(words: &String) -> Self {
        Self::String(words.clone())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Int(i64::from(number))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(i64::from(number))
    }
}

impl From<&Product> for Value {
    fn from(product: &Product) -> Self {
        Self::Products(vec![product.id.clone()])
    }
}
