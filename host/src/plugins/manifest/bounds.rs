//! What a schema of settings may be: the host compiles it and looks settings up in it, and it comes from a plugin's
//! file. Pure.

use serde_json::{Map, Value};

/// Parts of a schema, with each reference followed.
const PARTS: usize = 5_000;
/// Parts within parts.
const DEPTH: usize = 64;
const PATTERNS: usize = 100;
/// Bytes.
const PATTERN: usize = 1_000;

/// Keywords whose values are schemas under names of any kind.
const NAMED: [&str; 4] = ["properties", "patternProperties", "dependentSchemas", "dependencies"];
/// Keywords whose values are no schemas, and definitions, which count where they are referred to.
const APART: [&str; 6] = ["$defs", "definitions", "enum", "const", "default", "examples"];
/// Keywords by which a part has an address of its own, or is found by one that changes.
const ADDRESSES: [&str; 7] =
    ["$id", "$schema", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor"];
const DRAFTS: [&str; 3] = ["draft/2020-12/schema", "draft/2019-09/schema", "draft-07/schema"];

/// Why a schema is not taken: a sentence that begins after "it".
pub(super) fn check(schema: &Value) -> Result<(), String> {
    if let Some(draft) = schema.get("$schema").and_then(Value::as_str)
        && !DRAFTS.iter().any(|known| draft.trim_end_matches('#').ends_with(known))
    {
        return Err("is a JSON Schema of an unknown draft; write it by draft 2020-12".to_owned());
    }
    let mut walk = Walk { root: schema, within: Vec::new(), parts: 0, patterns: 0 };
    walk.part(schema, 0)
}

struct Walk<'a> {
    root: &'a Value,
    /// The references that lead here.
    within: Vec<&'a str>,
    parts: usize,
    patterns: usize,
}

impl<'a> Walk<'a> {
    fn part(&mut self, schema: &'a Value, depth: usize) -> Result<(), String> {
        let Value::Object(keywords) = schema else { return Ok(()) };
        self.parts += 1;
        if self.parts > PARTS {
            return Err(format!("comes to more than {PARTS} parts when its references are followed"));
        }
        if depth > DEPTH {
            return Err(format!("is more than {DEPTH} levels deep"));
        }
        for (keyword, value) in keywords {
            match (keyword.as_str(), value) {
                ("$ref", _) => self.reference(value, depth)?,
                (word, _)
                    if ADDRESSES.contains(&word) && (depth > 0 || !["$id", "$schema"].contains(&word)) =>
                {
                    return Err(format!("uses `{word}`; write a `$ref` to `#/$defs/…`"));
                }
                ("pattern", Value::String(pattern)) => self.pattern(pattern)?,
                (word, Value::Object(named)) if NAMED.contains(&word) => self.named(word, named, depth)?,
                (word, _) if APART.contains(&word) => {}
                (_, Value::Object(_)) => self.part(value, depth + 1)?,
                (_, Value::Array(several)) => {
                    several.iter().try_for_each(|one| self.part(one, depth + 1))?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn named(&mut self, keyword: &str, named: &'a Map<String, Value>, depth: usize) -> Result<(), String> {
        for (name, schema) in named {
            if keyword == "patternProperties" {
                self.pattern(name)?;
            }
            self.part(schema, depth + 1)?;
        }
        Ok(())
    }

    fn reference(&mut self, value: &'a Value, depth: usize) -> Result<(), String> {
        let name = value.as_str().ok_or("has a `$ref` that is no text")?;
        let target = name.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
        let target = target.ok_or_else(|| {
            format!("refers to `{name}`, which is not in it; write a `$ref` to `#/$defs/…`")
        })?;
        if name == "#" || self.within.contains(&name) {
            return Err(format!("refers to itself by `{name}`; settings have an end"));
        }
        self.within.push(name);
        self.part(target, depth + 1)?;
        self.within.pop();
        Ok(())
    }

    fn pattern(&mut self, pattern: &str) -> Result<(), String> {
        self.patterns += 1;
        if self.patterns > PATTERNS || pattern.len() > PATTERN {
            return Err(format!("has more than {PATTERNS} patterns, or one of more than {PATTERN} bytes"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn why(schema: &Value) -> String {
        check(schema).unwrap_err()
    }

    #[test]
    fn definitions_may_be_used_again_and_again_but_not_in_circles() {
        let twice = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "properties": { "a": { "$ref": "#/$defs/A" }, "b": { "$ref": "#/$defs/A" } },
            "$defs": { "A": { "items": { "$ref": "#/$defs/B" } }, "B": { "type": "string", "pattern": "^a$" } }
        });
        assert_eq!(check(&twice), Ok(()));
        assert!(why(&json!({ "allOf": [{ "$ref": "#" }] })).contains("itself"));
        let circle = json!({ "$ref": "#/$defs/A", "$defs": { "A": { "items": { "$ref": "#/$defs/A" } } } });
        assert!(why(&circle).contains("itself"));
    }

    #[test]
    fn nothing_hides_behind_a_name() {
        // A property may be called like a keyword.
        for name in ["default", "enum", "$defs", "properties", "x"] {
            let schema = json!({ "properties": { name: { "allOf": [{ "$ref": "#" }] } } });
            assert!(why(&schema).contains("itself"), "{name}");
        }
        assert!(
            why(&json!({ "not-a-keyword": { "if": { "$ref": "file:///etc/passwd" } } }))
                .contains("not in it")
        );
        assert!(why(&json!({ "properties": { "a": { "$id": "x" } } })).contains("`$id`"));
        assert!(why(&json!({ "$dynamicRef": "#a" })).contains("`$dynamicRef`"));
        assert!(why(&json!({ "$schema": "http://json-schema.org/draft-04/schema#" })).contains("draft"));
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let deep = (0..70).fold(json!({}), |inner, _| json!({ "items": inner }));
        assert!(why(&deep).contains("levels deep"));
        let patterns: Vec<Value> = (0..101).map(|n| json!({ "pattern": format!("{n}") })).collect();
        assert!(why(&json!({ "anyOf": patterns })).contains("patterns"));
        assert!(why(&json!({ "pattern": "x".repeat(1_001) })).contains("patterns"));
        let definitions: Map<String, Value> = (0..30)
            .map(|n| {
                let next = json!({ "$ref": format!("#/$defs/d{}", n + 1) });
                (format!("d{n}"), if n < 29 { json!({ "allOf": [next, next] }) } else { json!({}) })
            })
            .collect();
        assert!(why(&json!({ "$ref": "#/$defs/d0", "$defs": definitions })).contains("5000 parts"));
    }
}
