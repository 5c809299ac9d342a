//! Checks of single fields: each says what is wrong, and what to do.

use url::Url;

use crate::domain::scrub::scrub;
use crate::domain::{Arrival, Attribute, Place, money};
use crate::lifecycle::IntakeError;

/// Characters of an id.
pub(super) const ID: usize = 200;

pub(super) type Checked = Result<(), IntakeError>;

pub(super) const TOO_LARGE: &str = "an amount is at most 9007199254740991 (2^53-1) minor units";

pub(super) fn amount(field: &str, minor: i64) -> Checked {
    if money::is_amount(minor) { Ok(()) } else { invalid(field, TOO_LARGE) }
}

pub(super) fn not_negative(field: &str, minor: i64) -> Checked {
    amount(field, minor)?;
    if minor < 0 { invalid(field, "must not be negative") } else { Ok(()) }
}

pub(super) fn currency(field: &str, code: &mut str) -> Result<u8, IntakeError> {
    code.make_ascii_uppercase();
    money::exponent(code).ok_or_else(|| IntakeError::Invalid {
        field: field.to_owned(),
        what: format!("`{}` is no ISO 4217 currency with a minor unit; write one like EUR", shown(code)),
    })
}

pub(super) fn place(field: &str, place: Option<&mut Place>) -> Checked {
    let Some(place) = place else { return Ok(()) };
    place.country.make_ascii_uppercase();
    if place.country.len() != 2 || !place.country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return invalid(&format!("{field}.country"), "must be an ISO 3166-1 alpha-2 code like PL");
    }
    for (part, text) in [("region", &place.region), ("city", &place.city), ("postcode", &place.postcode)] {
        if let Some(text) = text {
            plain(&format!("{field}.{part}"), text, ID)?;
        }
    }
    Ok(())
}

pub(super) fn arrival(field: &str, arrival: Option<&Arrival>) -> Checked {
    let Some(arrival) = arrival else { return Ok(()) };
    let date = |text: &str| text.parse::<jiff::civil::Date>().ok().filter(|_| text.len() == 10);
    match (date(&arrival.earliest), date(&arrival.latest)) {
        (Some(earliest), Some(latest)) if earliest <= latest => Ok(()),
        (Some(_), Some(_)) => invalid(field, "`latest` is before `earliest`"),
        _ => invalid(field, "`earliest` and `latest` must be dates like 2026-11-28"),
    }
}

pub(super) fn id(field: &str, id: &str) -> Checked {
    if id.trim().is_empty() {
        return invalid(field, "must not be empty");
    }
    plain(field, id, ID)
}

pub(super) fn plain(field: &str, text: &str, longest: usize) -> Checked {
    if text.chars().count() > longest {
        return invalid(field, &format!("longer than {longest} characters"));
    }
    if text.chars().any(is_hidden) {
        return invalid(
            field,
            "must be one line without control characters or marks that turn its direction",
        );
    }
    Ok(())
}

/// Control characters, and the marks that make what follows read from the other side: with them a text
/// can be made to look like another.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A link to show in a mail: what it looks like is where it leads.
pub(super) fn web_address(field: &str, text: &str) -> Checked {
    let begins = text.starts_with("https://") || text.starts_with("http://");
    let whole = begins
        && !text.chars().any(char::is_whitespace)
        && Url::parse(text).is_ok_and(|url| {
            url.host_str().is_some_and(|host| !host.is_empty())
                && url.username().is_empty()
                && url.password().is_none()
        });
    if whole {
        Ok(())
    } else {
        invalid(field, "must be a whole link like https://carrier.example/parcels/1, without spaces")
    }
}

/// Free text of a person: may have lines, must not have contact details.
pub(super) fn words(field: &str, text: Option<&mut String>, longest: usize) -> Checked {
    let Some(text) = text else { return Ok(()) };
    if text.chars().count() > longest {
        return invalid(field, &format!("longer than {longest} characters"));
    }
    *text = scrub(text);
    text.retain(|c| !is_hidden(c) || c == '\n' || c == '\t');
    Ok(())
}

pub(super) fn blank_is_none(text: &mut Option<String>) {
    if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
        *text = None;
    }
}

pub(super) fn keep_allowed(attributes: &mut Vec<Attribute>, allowed: &[String]) {
    attributes.retain(|attribute| allowed.contains(&attribute.key));
}

/// Not more of a wrong value than a person needs to know it again.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !is_hidden(*c)).take(20).collect()
}

pub(super) fn invalid(field: &str, what: &str) -> Checked {
    Err(IntakeError::Invalid { field: field.to_owned(), what: what.to_owned() })
}
