//! The merchant's settings: read by the guest from JSON, described to the host by a JSON Schema that
//! the compiler writes into the plugin's file.
//!
//! ```
//! use cartwright_sdk::prelude::*;
//! use std::collections::BTreeMap;
//!
//! /// How parcels go out.
//! #[derive(Settings)]
//! struct Options {
//!     /// Days until it leaves the house.
//!     #[setting(default = 1, min = 0, max = 30)]
//!     handling_days: u32,
//!     /// Free from this value on.
//!     free_above: Option<Money>,
//!     #[setting(default = [])]
//!     methods: Vec<Method>,
//!     /// Price for each zone.
//!     #[setting(default = {})]
//!     zones: BTreeMap<String, Money>,
//! }
//!
//! #[derive(Settings)]
//! struct Method {
//!     #[setting(pattern = "^[a-z-]+$")]
//!     id: String,
//!     #[setting(default = "standard")]
//!     speed: Speed,
//! }
//!
//! #[derive(Settings)]
//! enum Speed {
//!     Standard,
//!     NextDay, // `next-day`
//! }
//!
//! # fn read() -> Result<(), String> {
//! let options = settings::<Options>()?;
//! # Ok(())
//! # }
//! ```
//!
//! A field without a default is required, except an `Option`. The host checks the settings against
//! the schema before a plugin runs, so what the guest reads fits.

mod kinds;
mod schema;

pub use kinds::{Money, Percent};
pub use schema::{Part, Schema};

use crate::json::Json;

/// What can be a setting. Derive it: `#[derive(Settings)]`.
pub trait Setting: Sized {
    /// What the schema says of it.
    const SCHEMA: Schema;

    /// Reads it.
    fn read(json: &Json) -> Result<Self, Error>;

    /// What it is when it is not written and has no default; `None`: it must be written.
    fn absent() -> Option<Self> {
        None
    }
}

/// Why settings do not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Where, from the inside out: names and positions.
    path: Vec<String>,
    /// What is wrong.
    what: String,
}

impl Error {
    /// An error at the value itself.
    pub fn new(what: &str) -> Self {
        Self { path: Vec::new(), what: what.to_owned() }
    }

    /// The same error, seen from the value around it.
    #[doc(hidden)]
    pub fn within(mut self, name: &str) -> Self {
        self.path.push(name.to_owned());
        self
    }
}

impl From<Error> for String {
    fn from(error: Error) -> Self {
        let mut out = "settings".to_owned();
        for name in error.path.iter().rev() {
            if !name.starts_with('[') {
                out.push('.');
            }
            out.push_str(name);
        }
        out.push_str(": ");
        out.push_str(&error.what);
        out
    }
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&String::from(self.clone()))
    }
}

impl core::error::Error for Error {}

/// The merchant's settings of this plugin in this shop.
pub fn settings<S: Setting>() -> Result<S, Error> {
    parse(&crate::raw::context::settings())
}

/// The same from a text.
pub fn parse<S: Setting>(text: &str) -> Result<S, Error> {
    let json = Json::parse(text).map_err(|malformed| Error::new(&String::from(malformed)))?;
    S::read(&json)
}

/// A field of a derived struct: written, else its default, else what it is when absent.
#[doc(hidden)]
pub fn field<S: Setting>(json: &Json, name: &str, default: Option<&str>) -> Result<S, Error> {
    let value = match (json.get(name), default) {
        (Some(Json::Null), _) | (None, None) => {
            S::absent().ok_or_else(|| Error::new("is missing; it has no default"))
        }
        (Some(value), _) => S::read(value),
        (None, Some(default)) => parse(default),
    };
    value.map_err(|error| error.within(name))
}

/// Called by derived code: a table, or an error.
#[doc(hidden)]
pub fn table(json: &Json) -> Result<(), Error> {
    match json {
        Json::Object(_) => Ok(()),
        _ => Err(Error::new("expected a table")),
    }
}
