//! Addresses that the merchant wrote with places to fill in.

use cartwright_sdk::prelude::*;

/// `{order}` and `{number}` become the order's id and number, as a link needs them written.
pub fn fill_in(page: &str, order: &Order) -> String {
    page.replace("{order}", &encoded(&order.id)).replace("{number}", &encoded(&order.number))
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
