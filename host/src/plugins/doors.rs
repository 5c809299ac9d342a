//! The door of this room for `tests/fuzz`: files that nobody built, through what reads a plugin before it is
//! compiled.
#![allow(clippy::unwrap_used, reason = "a broken promise is a panic here")]

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::plain;
use crate::plugins::{inspect, settings};
use crate::wording::Wording;

/// Read, or refused in one sentence that a terminal may show.
pub(crate) fn file(bytes: &[u8]) {
    let inspection = match inspect::inspect(bytes) {
        Ok(inspection) => inspection,
        Err(sentence) => return readable(&sentence),
    };
    let manifest = &inspection.manifest;
    readable(&manifest.name);
    readable(&manifest.version);
    readable(&manifest.summary);
    let none = toml::Value::Table(toml::Table::new());
    if let Err(misfit) = settings::fit(manifest.schema.as_ref(), &none) {
        assert!(!misfit.message.is_empty());
    }
    let assets = BTreeMap::from([("plugin".to_owned(), Arc::clone(&manifest.assets))]);
    if let Err(errors) = Wording::build(&["en".to_owned()], &assets, &BTreeMap::new()) {
        assert!(errors.iter().all(|error| !error.to_string().is_empty()) && !errors.is_empty());
    }
    if !manifest.name.is_empty() {
        let written =
            manifest.write(bytes).unwrap_or_else(|error| panic!("what was read is not written: {error}"));
        let again = inspect::inspect(&written)
            .unwrap_or_else(|error| panic!("what was written is not read: {error}"));
        assert_eq!((&again.manifest, &again.hooks), (manifest, &inspection.hooks));
        assert_eq!(again.permissions, inspection.permissions);
    }
}

fn readable(text: &str) {
    assert!(!text.chars().any(plain::is_hidden) && text.len() < 20_000, "{text:?}");
}
