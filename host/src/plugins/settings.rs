//! A plugin's settings: checked against its schema, defaults filled in.

use jsonschema::PatternOptions;
use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::LocationSegment;
use serde_json::{Map, Value};

use crate::config::Step;
use crate::domain::plain::harmless;

/// A setting that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit {
    /// From the settings on.
    pub(super) path: Vec<Step>,
    pub(super) message: String,
}

/// Deeper than any settings; keeps a schema that refers to itself from going on for ever.
const DEPTH: usize = 32;
/// Bytes of all defaults that are filled in.
const DEFAULTS: usize = 1 << 20;
/// Bytes of a pattern when it is compiled.
const PATTERN: usize = 256 << 10;

/// Of one schema; it may find a fault in each item of a list.
const MISFITS: usize = 20;

/// Characters of one message.
const MESSAGE: usize = 400;

/// The settings as JSON text for the plugin.
pub(super) fn fit(schema: Option<&Value>, settings: &toml::Value) -> Result<String, Misfit> {
    checked(schema, settings, 1).map_err(|mut misfits| misfits.swap_remove(0))
}

/// Everything that does not fit.
pub(super) fn misfits(schema: Option<&Value>, settings: &toml::Value) -> Vec<Misfit> {
    checked(schema, settings, MISFITS).err().unwrap_or_default()
}

/// The error is not empty, and has at most so many.
fn checked(schema: Option<&Value>, settings: &toml::Value, most: usize) -> Result<String, Vec<Misfit>> {
    let mut value = json(settings, &mut Vec::new()).map_err(|misfit| vec![misfit])?;
    let Some(schema) = schema else {
        return match value.as_object().and_then(|fields| fields.keys().next()) {
            Some(key) => Err(vec![Misfit {
                path: vec![Step::Key(key.clone())],
                message: format!("this plugin has no settings, so `{key}` means nothing to it; take it out"),
            }]),
            None => Ok("{}".to_owned()),
        };
    };
    let broken = |why: &str| {
        vec![Misfit {
            path: Vec::new(),
            message: format!(
                "the plugin's schema of settings is broken ({}); tell its author",
                harmless(why, MESSAGE)
            ),
        }]
    };
    let mut filling = Filling { root: schema, room: DEFAULTS };
    filling.fill(schema, &mut value, DEPTH);
    if filling.room == 0 {
        return Err(broken(&format!("its defaults come to more than {DEFAULTS} bytes")));
    }
    // An engine that looks at each letter once, whatever the pattern.
    let patterns = PatternOptions::regex().size_limit(PATTERN).dfa_size_limit(PATTERN);
    let validator = jsonschema::options()
        .with_pattern_options(patterns)
        .build(schema)
        .map_err(|error| broken(&error.to_string()))?;
    let misfits: Vec<Misfit> =
        validator.iter_errors(&value).take(most).map(|error| misfit(schema, &error)).collect();
    if misfits.is_empty() { Ok(value.to_string()) } else { Err(misfits) }
}

fn misfit(schema: &Value, error: &jsonschema::ValidationError<'_>) -> Misfit {
    let mut path: Vec<Step> = error
        .instance_path
        .into_iter()
        .map(|segment| match segment {
            LocationSegment::Property(key) => Step::Key(key.into_owned()),
            LocationSegment::Index(index) => Step::Index(index),
        })
        .collect();
    let message = match &error.kind {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let key = unexpected.first().cloned().unwrap_or_default();
            let known = known_keys(schema, error.schema_path.as_str());
            path.push(Step::Key(key.clone()));
            unknown(&key, &known)
        }
        ValidationErrorKind::Required { property } => {
            let key = property.as_str().unwrap_or_default();
            format!("the setting `{key}` is missing{}", inside(&path))
        }
        _ => format!("{}: {error}", named(&path)),
    };
    // Some of it is the author's words.
    Misfit { path, message: harmless(&message, MESSAGE) }
}

fn unknown(key: &str, known: &[String]) -> String {
    let close = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(name, key), name))
        .min()
        .filter(|(distance, _)| *distance <= 3);
    match close {
        Some((_, name)) => format!("there is no setting `{key}`; is `{name}` meant?"),
        None if known.is_empty() => format!("there is no setting `{key}`; take it out"),
        None => format!("there is no setting `{key}`; there are {}", known.join(", ")),
    }
}

/// Names of the properties beside the keyword that an error's schema path ends with. The path goes
/// through `$ref` as through a keyword.
fn known_keys(schema: &Value, keyword: &str) -> Vec<String> {
    let object = keyword.rsplit_once('/').map_or("", |(object, _)| object);
    let mut here = Some(schema);
    for step in object.split('/').skip(1) {
        here = match (step, here) {
            ("$ref", Some(reference)) => Some(resolved(schema, reference)),
            (step, Some(part)) => part.pointer(&format!("/{step}")),
            _ => None,
        };
    }
    let properties = here.and_then(|object| object.get("properties")).and_then(Value::as_object);
    properties.map(|names| names.keys().cloned().collect()).unwrap_or_default()
}

fn named(path: &[Step]) -> String {
    if path.is_empty() {
        return "the settings".to_owned();
    }
    let mut name = String::new();
    for step in path {
        match step {
            Step::Key(key) if name.is_empty() => name.push_str(key),
            Step::Key(key) => {
                name.push('.');
                name.push_str(key);
            }
            Step::Index(index) => name.push_str(&format!("[{index}]")),
        }
    }
    format!("`{name}`")
}

fn inside(path: &[Step]) -> String {
    if path.is_empty() { String::new() } else { format!(" in {}", named(path)) }
}

/// TOML as JSON; dates and times become text.
fn json(value: &toml::Value, path: &mut Vec<Step>) -> Result<Value, Misfit> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text.clone()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Float(number) => {
            serde_json::Number::from_f64(*number).map(Value::Number).ok_or_else(|| Misfit {
                path: path.clone(),
                message: format!("{} = {number} is no number that JSON has", named(path)),
            })?
        }
        toml::Value::Boolean(yes) => Value::Bool(*yes),
        toml::Value::Datetime(moment) => Value::String(moment.to_string()),
        toml::Value::Array(items) => {
            let mut list = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                path.push(Step::Index(index));
                list.push(json(item, path)?);
                path.pop();
            }
            Value::Array(list)
        }
        toml::Value::Table(table) => {
            let mut fields = Map::new();
            for (key, field) in table {
                path.push(Step::Key(key.clone()));
                fields.insert(key.clone(), json(field, path)?);
                path.pop();
            }
            Value::Object(fields)
        }
    })
}

/// Puts the schema's defaults where the merchant wrote nothing.
struct Filling<'a> {
    root: &'a Value,
    /// Bytes; 0: there was no room for all.
    room: usize,
}

impl Filling<'_> {
    fn fill(&mut self, schema: &Value, value: &mut Value, depth: usize) {
        let Some(depth) = depth.checked_sub(1).filter(|_| self.room > 0) else { return };
        // Each look costs something, so that there is an end to them.
        self.room = self.room.saturating_sub(1);
        let schema = resolved(self.root, schema);
        match value {
            Value::Object(fields) => self.fill_fields(schema, fields, depth),
            Value::Array(items) => {
                if let Some(item_schema) = schema.get("items") {
                    for item in items {
                        self.fill(item_schema, item, depth);
                    }
                }
            }
            _ => {}
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let branches = schema.get(keyword).and_then(Value::as_array);
            // An optional value is one of two: the thing, or null. Other choices are not guessed at.
            let things: Vec<&Value> = branches
                .into_iter()
                .flatten()
                .filter(|branch| branch.get("type").and_then(Value::as_str) != Some("null"))
                .collect();
            match things.as_slice() {
                [thing] => self.fill(thing, value, depth),
                several if keyword == "allOf" => {
                    for thing in several {
                        self.fill(thing, value, depth);
                    }
                }
                _ => {}
            }
        }
    }

    fn fill_fields(&mut self, schema: &Value, fields: &mut Map<String, Value>, depth: usize) {
        let properties = schema.get("properties").and_then(Value::as_object);
        for (key, property) in properties.into_iter().flatten() {
            if !fields.contains_key(key)
                && let Some(default) = default_of(self.root, property)
            {
                self.room = self.room.saturating_sub(default.to_string().len());
                if self.room == 0 {
                    return;
                }
                fields.insert(key.clone(), default.clone());
            }
            if let Some(field) = fields.get_mut(key) {
                self.fill(property, field, depth);
            }
        }
        if let Some(other) = schema.get("additionalProperties").filter(|other| other.is_object()) {
            let known = |key: &str| properties.is_some_and(|properties| properties.contains_key(key));
            for (_, field) in fields.iter_mut().filter(|(key, _)| !known(key)) {
                self.fill(other, field, depth);
            }
        }
    }
}

/// Beside a `$ref`, a `default` is the property's own.
pub(super) fn default_of<'a>(root: &'a Value, property: &'a Value) -> Option<&'a Value> {
    property.get("default").or_else(|| resolved(root, property).get("default"))
}

pub(super) fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..DEPTH {
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'));
        match target.and_then(|pointer| root.pointer(pointer)) {
            Some(next) => schema = next,
            None => break,
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(text: &str) -> toml::Value {
        toml::Value::Table(text.parse().unwrap())
    }

    fn schema() -> Value {
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "max_items": { "type": "integer", "minimum": 1, "maximum": 20, "default": 4 },
                "cut_off": { "type": "string", "default": "14:00" },
                "free_above": { "type": "object", "additionalProperties": { "type": "integer" }, "default": {} },
                "zones": { "type": "array", "items": { "$ref": "#/$defs/Zone" }, "default": [] },
                "start": { "type": "string" }
            },
            "$defs": {
                "Zone": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["country"],
                    "properties": {
                        "country": { "type": "string", "pattern": "^[A-Z]{2}$" },
                        "days": { "type": "integer", "default": 2 }
                    }
                }
            }
        })
    }

    fn fitted(text: &str) -> Result<Value, Misfit> {
        fit(Some(&schema()), &settings(text)).map(|text| serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn defaults_are_filled_in_at_every_depth() {
        assert_eq!(
            fitted("zones = [{ country = \"PL\" }, { country = \"SK\", days = 3 }]").unwrap(),
            json!({
                "max_items": 4, "cut_off": "14:00", "free_above": {},
                "zones": [{ "country": "PL", "days": 2 }, { "country": "SK", "days": 3 }]
            })
        );
    }

    #[test]
    fn dates_become_text() {
        assert_eq!(fitted("start = 2026-11-28").unwrap().get("start"), Some(&json!("2026-11-28")));
        assert_eq!(
            fitted("start = 2026-11-28T09:30:00Z").unwrap().get("start"),
            Some(&json!("2026-11-28T09:30:00Z"))
        );
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_place() {
        let key = |key: &str| Step::Key(key.to_owned());
        for (text, path, message) in [
            (
                "max_items = \"four\"",
                vec![key("max_items")],
                "`max_items`: \"four\" is not of type \"integer\"",
            ),
            ("max_items = 50", vec![key("max_items")], "`max_items`: 50 is greater than the maximum of 20"),
            ("max_item = 5", vec![key("max_item")], "there is no setting `max_item`; is `max_items` meant?"),
            (
                "zones = [{ country = \"PL\", day = 1 }]",
                vec![key("zones"), Step::Index(0), key("day")],
                "there is no setting `day`; is `days` meant?",
            ),
            (
                "zones = [{ country = \"PL\" }, { days = 1 }]",
                vec![key("zones"), Step::Index(1)],
                "the setting `country` is missing in `zones[1]`",
            ),
            ("max_items = inf", vec![key("max_items")], "`max_items` = inf is no number that JSON has"),
        ] {
            assert_eq!(fitted(text), Err(Misfit { path, message: message.to_owned() }), "{text}");
        }
    }

    #[test]
    fn a_plugin_without_a_schema_takes_no_settings() {
        assert_eq!(fit(None, &settings("")).unwrap(), "{}");
        assert!(fit(None, &settings("a = 1")).unwrap_err().message.contains("has no settings"));
    }

    #[test]
    fn a_schema_that_refers_to_itself_comes_to_an_end() {
        let schema = json!({ "$ref": "#/$defs/A", "$defs": { "A": { "$ref": "#/$defs/A" } } });
        let mut value = json!({});
        Filling { root: &schema, room: DEFAULTS }.fill(&schema, &mut value, DEPTH);
        assert_eq!(value, json!({}));
    }

    #[test]
    fn defaults_that_grow_come_to_an_end() {
        let twice = json!({ "$ref": "#/$defs/A" });
        let grows = json!({ "default": {}, "$ref": "#/$defs/A" });
        for a in [
            json!({ "allOf": [twice, twice] }),
            json!({ "properties": { "left": grows, "right": grows } }),
            json!({ "properties": { "items": {
                "default": vec![json!({}); 1_000],
                "items": { "properties": { "x": { "default": "x".repeat(100_000) } } }
            } } }),
        ] {
            let schema = json!({ "$ref": "#/$defs/A", "$defs": { "A": a } });
            let message = fit(Some(&schema), &settings("")).unwrap_err().message;
            assert!(message.contains("its defaults come to more than"), "{message}");
        }
    }
}
