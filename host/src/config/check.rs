//! What types cannot check: names, currencies, zones, countries, and numbers that fit together.

mod access;
mod host;
mod shop;
mod webhooks;

pub(super) use host::host;
pub(super) use shop::shop;

/// Whether a name may be the id of a shop, and so of its file, its folders and its addresses.
#[must_use]
pub fn is_shop_id(id: &str) -> bool {
    is_name(id)
}

/// Small letters, digits and hyphens, beginning with a letter or digit, 63 at most.
fn is_name(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && !name.starts_with('-')
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

pub(super) fn is_web_address(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

pub(super) fn is_database(database: &str) -> bool {
    let shared = ["postgres://", "postgresql://"].iter().any(|scheme| database.starts_with(scheme));
    shared || database.strip_prefix("sqlite:").is_some_and(|path| !path.trim_start_matches('/').is_empty())
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// What a browser sends as `Origin`.
fn is_origin(origin: &str) -> bool {
    reqwest::Url::parse(origin).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == origin
    })
}
