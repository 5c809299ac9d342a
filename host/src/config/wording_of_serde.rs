//! What the parsers say of a mistake, in words for a merchant. Pure.

use super::suggest::closest;

/// A sentence, and what to do about it.
pub(super) fn say(message: &str) -> (String, Option<String>) {
    let message = message.trim();
    if let Some((name, expected)) = unknown(message, "unknown field ") {
        return (format!("unknown key `{name}`"), Some(proposal(&name, &expected, "the keys here are")));
    }
    if let Some((name, expected)) = unknown(message, "unknown variant ") {
        return (
            format!("`{name}` is not one of the values possible here"),
            Some(proposal(&name, &expected, "possible are")),
        );
    }
    if let Some(name) = quoted(message, "missing field ") {
        return (format!("`{name}` is missing"), Some(format!("add a line `{name} = …`")));
    }
    if let Some(name) = quoted(message, "duplicate field ").or_else(|| quoted(message, "duplicate key ")) {
        return (format!("`{name}` is written twice"), Some("keep one of them".to_owned()));
    }
    if let Some((what, help)) = message.split_once("; ").filter(|(what, _)| what.ends_with("name of a host"))
    {
        return (what.to_owned(), Some(help.to_owned()));
    }
    if message.contains("invalid socket address") {
        return (
            "this is not an address to listen on".to_owned(),
            Some("write an IP address and a port, like \"127.0.0.1:8080\"".to_owned()),
        );
    }
    if let Some(rest) =
        message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "))
        && let Some((found, expected)) = rest.rsplit_once(", expected ")
    {
        return (format!("expected {}, found {}", plain(expected), plain(found)), None);
    }
    if let Some(rest) = message.strip_prefix("invalid length ")
        && let Some((found, expected)) = rest.rsplit_once(", expected ")
    {
        return (format!("expected {}, found {found} values", plain(expected)), None);
    }
    (message.to_owned(), None)
}

fn proposal(name: &str, expected: &[String], list: &str) -> String {
    match closest(name, expected.iter().map(String::as_str)) {
        Some(right) => format!("did you mean `{right}`?"),
        None if expected.is_empty() => "take it out; there are no keys here".to_owned(),
        None => {
            format!("{list} {}", expected.iter().map(|e| format!("`{e}`")).collect::<Vec<_>>().join(", "))
        }
    }
}

/// The name and what was expected, of ``unknown field `x`, expected one of `a`, `b` ``.
fn unknown(message: &str, prefix: &str) -> Option<(String, Vec<String>)> {
    let name = quoted(message, prefix)?;
    let expected = message.split_once(", expected ").map_or("", |(_, expected)| expected);
    Some((name, expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()))
}

fn quoted(message: &str, prefix: &str) -> Option<String> {
    message.strip_prefix(prefix)?.split('`').nth(1).map(str::to_owned)
}

/// Rust's names of types are no words for a merchant.
fn plain(text: &str) -> String {
    match text {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not negative".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "a string" => "a text in quotes".to_owned(),
        "a boolean" | "bool" => "true or false".to_owned(),
        "a sequence" => "a list like [\"a\", \"b\"]".to_owned(),
        "a map" | "map" => "a table".to_owned(),
        "a tuple of size 2" => "two numbers like [1, 3]".to_owned(),
        "sequence" => "a list".to_owned(),
        _ => match text.split_once(' ') {
            Some(("struct" | "enum", _)) => "a table".to_owned(),
            Some(("string", value)) => format!("the text {value}"),
            Some(("integer", value)) => format!("the number {}", value.trim_matches('`')),
            Some(("floating", value)) => {
                format!("the number {}", value.trim_start_matches("point ").trim_matches('`'))
            }
            Some(("boolean", value)) => value.trim_matches('`').to_owned(),
            _ => text.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(message: &str) -> String {
        let (message, help) = say(message);
        help.map_or(message.clone(), |help| format!("{message} ({help})"))
    }

    #[test]
    fn serde_speaks_to_merchants() {
        for (message, sentence) in [
            (
                "unknown field `lisetn`, expected one of `listen`, `log`",
                "unknown key `lisetn` (did you mean `listen`?)",
            ),
            (
                "unknown field `colour`, expected `listen` or `log`",
                "unknown key `colour` (the keys here are `listen`, `log`)",
            ),
            (
                "unknown field `colour`, there are no fields",
                "unknown key `colour` (take it out; there are no keys here)",
            ),
            (
                "unknown variant `tset`, expected `test` or `live`",
                "`tset` is not one of the values possible here (did you mean `test`?)",
            ),
            ("missing field `name`", "`name` is missing (add a line `name = …`)"),
            (
                "invalid type: string \"many\", expected u32",
                "expected a whole number, not negative, found the text \"many\"",
            ),
            (
                "invalid value: integer `-1`, expected u32",
                "expected a whole number, not negative, found the number -1",
            ),
        ] {
            assert_eq!(said(message), sentence, "{message}");
        }
    }
}
