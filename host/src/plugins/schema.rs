//! What can be set, as a plugin's schema tells it: for a person to read, and to compare two versions. Pure.

use serde::Serialize;
use serde_json::Value;

use super::settings::{default_of, resolved};
use crate::domain::plain::harmless;

/// Settings of one plugin that are described; a schema with more is a joke.
const MOST: usize = 500;
/// Characters of a name and of a type's words.
const NAME: usize = 80;
/// Characters of a description.
const DESCRIPTION: usize = 500;
/// How far into lists and tables a type is told.
const DEPTH: u32 = 3;
/// Bounds from here on are those of the number's type, not the plugin's.
const NO_BOUND: f64 = 2_147_483_647.0;

/// One setting. Its texts are the author's, made harmless.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setting {
    pub name: String,
    /// `whole number, 1 to 20`, `list of text`.
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    pub required: bool,
    pub description: String,
}

/// By their names.
#[must_use]
pub fn settings(schema: Option<&Value>) -> Vec<Setting> {
    let Some(schema) = schema else { return Vec::new() };
    let top = resolved(schema, schema);
    let Some(properties) = top.get("properties").and_then(Value::as_object) else { return Vec::new() };
    let required: Vec<&str> = top
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    properties
        .iter()
        .take(MOST)
        .map(|(name, property)| Setting {
            name: harmless(name, NAME),
            kind: harmless(&kind(schema, property, DEPTH), NAME),
            default: default_of(schema, property).cloned(),
            required: required.contains(&name.as_str()),
            description: described(schema, property),
        })
        .collect()
}

fn described(root: &Value, property: &Value) -> String {
    let text = [property, resolved(root, property)]
        .into_iter()
        .find_map(|place| place.get("description").or_else(|| place.get("title"))?.as_str())
        .unwrap_or_default();
    harmless(&text.split_whitespace().collect::<Vec<_>>().join(" "), DESCRIPTION)
}

fn kind(root: &Value, property: &Value, depth: u32) -> String {
    let Some(depth) = depth.checked_sub(1) else { return "…".to_owned() };
    let schema = resolved(root, property);
    if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
        return choices.iter().take(20).map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    }
    if let Some(only) = schema.get("const") {
        return only.to_string();
    }
    for keyword in ["anyOf", "oneOf"] {
        if let Some(branches) = schema.get(keyword).and_then(Value::as_array) {
            let kinds: Vec<String> = branches
                .iter()
                .filter(|branch| branch.get("type").and_then(Value::as_str) != Some("null"))
                .take(5)
                .map(|branch| kind(root, branch, depth))
                .collect();
            return kinds.join(" or ");
        }
    }
    let names: Vec<&str> = match schema.get("type") {
        Some(Value::String(name)) => vec![name.as_str()],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => return "anything".to_owned(),
    };
    let mut kinds = Vec::new();
    for name in names.into_iter().filter(|name| *name != "null").take(6) {
        kinds.push(match name {
            "string" => "text".to_owned(),
            "integer" => format!("whole number{}", bounds(schema)),
            "number" => format!("number{}", bounds(schema)),
            "boolean" => "true or false".to_owned(),
            "array" => match schema.get("items") {
                Some(items) => format!("list of {}", kind(root, items, depth)),
                None => "list".to_owned(),
            },
            "object" => match schema.get("additionalProperties").filter(|more| more.is_object()) {
                Some(more) => format!("table of {}", kind(root, more, depth)),
                None => "table".to_owned(),
            },
            other => other.to_owned(),
        });
    }
    kinds.join(" or ")
}

fn bounds(schema: &Value) -> String {
    let bound = |key: &str| {
        let number = schema.get(key)?.as_number()?;
        number.as_f64().filter(|value| value.abs() < NO_BOUND).map(|_| number.to_string())
    };
    match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => format!(", {least} to {most}"),
        (Some(least), None) if least != "0" => format!(", at least {least}"),
        (None, Some(most)) => format!(", at most {most}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_is_told_in_words() {
        let schema = json!({
            "type": "object", "required": ["zones"],
            "properties": {
                "most": { "type": "integer", "minimum": 1, "maximum": 20, "default": 4, "description": "Of a page." },
                "cut_off": { "type": "string", "default": "14:00" },
                "days": { "type": "integer", "minimum": 0, "maximum": 4_294_967_295_u32 },
                "free": { "type": ["boolean", "null"] },
                "zones": { "type": "array", "items": { "$ref": "#/$defs/Zone" } },
                "prices": { "type": "object", "additionalProperties": { "type": ["number", "string"] } },
                "look": { "enum": ["wide", "small"] },
                "maybe": { "anyOf": [{ "type": "number", "maximum": 1.5 }, { "type": "null" }] },
                "any": {},
            },
            "$defs": { "Zone": { "type": "object", "description": "A country." } },
        });
        let told: Vec<String> = settings(Some(&schema))
            .into_iter()
            .map(|setting| {
                let default = setting.default.map(|value| format!(" = {value}")).unwrap_or_default();
                let star = if setting.required { "*" } else { "" };
                format!("{}{star}: {}{default} {}", setting.name, setting.kind, setting.description)
                    .trim_end()
                    .to_owned()
            })
            .collect();
        assert_eq!(
            told,
            [
                "any: anything",
                "cut_off: text = \"14:00\"",
                "days: whole number",
                "free: true or false",
                "look: \"wide\" or \"small\"",
                "maybe: number, at most 1.5",
                "most: whole number, 1 to 20 = 4 Of a page.",
                "prices: table of number or text",
                "zones*: list of table",
            ]
        );
        assert_eq!(settings(None), []);
    }

    #[test]
    fn a_hostile_schema_is_harmless_and_ends() {
        let long = "x".repeat(10_000);
        let mut properties = serde_json::Map::new();
        properties.insert(format!("\u{1b}[31m{long}"), json!({ "$ref": "#/properties/loop" }));
        properties.insert("loop".to_owned(), json!({ "$ref": "#/properties/loop", "description": long }));
        properties
            .insert("deep".to_owned(), json!({ "type": "array", "items": { "$ref": "#/properties/deep" } }));
        properties.insert("odd".to_owned(), json!({ "type": "\u{202e}evil", "description": "a\u{9b}2J\nb" }));
        properties.insert("worse".to_owned(), json!(7));
        for many in 0..1_000 {
            properties.insert(format!("n{many}"), json!({ "enum": [long] }));
        }
        let told = settings(Some(&json!({ "properties": properties, "required": "all" })));
        assert_eq!(told.len(), MOST);
        let text = format!("{told:?}");
        assert!(text.len() < 200_000, "{}", text.len());
        for setting in &told {
            let texts = format!("{}{}{}", setting.name, setting.kind, setting.description);
            assert!(!texts.chars().any(crate::domain::plain::is_hidden), "{texts}");
        }
    }
}
