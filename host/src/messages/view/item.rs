//! Values as the template engine takes them: printed whole, read in parts, or filled into a text.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::Value as Seen;
use minijinja::value::{Object, ObjectRepr, ValueKind};

use crate::wording::texts::{Argument, Arguments, Shown};

/// A value that prints as its reader writes it and has parts.
#[derive(Debug)]
pub(super) struct Item {
    pub shown: Shown,
    pub parts: BTreeMap<&'static str, Seen>,
    /// Whether `{% if value %}` holds.
    pub holds: bool,
}

impl Object for Item {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Seen) -> Option<Seen> {
        self.parts.get(key.as_str()?).cloned()
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.holds
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown.text)
    }
}

/// What `t(key, name=value)` fills a text with.
pub fn arguments<'a>(values: impl Iterator<Item = (&'a str, &'a Seen)>) -> Arguments {
    values
        .filter_map(|(name, value)| {
            let argument = if let Some(item) = value.downcast_object_ref::<Item>() {
                Argument::Shown(item.shown.clone())
            } else {
                match value.kind() {
                    ValueKind::Undefined | ValueKind::None => return None,
                    ValueKind::Number => match value.as_i64() {
                        Some(number) => Argument::Number(number),
                        None => Argument::Text(value.to_string()),
                    },
                    ValueKind::Seq | ValueKind::Iterable => {
                        Argument::Number(i64::try_from(value.len().unwrap_or(0)).unwrap_or(i64::MAX))
                    }
                    _ => Argument::Text(value.to_string()),
                }
            };
            Some((name.to_owned(), argument))
        })
        .collect()
}

pub(super) fn item<const N: usize>(shown: Shown, parts: [(&'static str, Seen); N], holds: bool) -> Seen {
    Seen::from_object(Item { shown, parts: BTreeMap::from(parts), holds })
}

/// Without the fields that are nothing.
pub(super) fn map<const N: usize>(fields: [(&'static str, Seen); N]) -> Seen {
    Seen::from_pairs(fields.into_iter().filter(|(_, value)| !value.is_undefined()))
}

pub(super) fn text_or_nothing(text: Option<&str>) -> Seen {
    text.filter(|text| !text.is_empty()).map_or(Seen::UNDEFINED, Seen::from)
}
