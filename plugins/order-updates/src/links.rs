//! Addresses that the merchant wrote with places to fill in.

use cartwright_sdk::prelude::*;

/// `{order}` and `{number}` become the order's id and number, as a link needs them written.
pub fn fill_in(page: &str, order: &Order) -> String {
    let mut parts = page.split('{');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (filled, rest) = match (part.strip_prefix("order}"), part.strip_prefix("number}")) {
            (Some(rest), _) => (encoded(&order.id), rest),
            (_, Some(rest)) => (encoded(&order.number), rest),
            _ => ("{".to_owned(), part),
        };
        out.push_str(&filled);
        out.push_str(rest);
    }
    out
}

/// Whether there is a place of that name, e.g. `rating}`, to be filled in by the template.
pub fn has_place(page: &str, name: &str) -> bool {
    page.split('{').skip(1).any(|part| part.starts_with(name))
}

/// RFC 3986: everything but unreserved characters as `%XX`.
fn encoded(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for byte in words.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
