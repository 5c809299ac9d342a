//! Checks of single fields: each says what is wrong, and what to do.

use url::Url;

use crate::domain::plain::{self, ID, TEXT, is_hidden, shown};
use crate::domain::scrub::scrub;
use crate::domain::{Arrival, Attribute, Place, instant, money};
use crate::lifecycle::IntakeError;

pub(super) type Checked = Result<(), IntakeError>;

const ATTRIBUTES: usize = 100;

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

/// The days on which a parcel may come: real ones, in the bounds of an instant.
pub(super) fn arrival(field: &str, arrival: Option<&Arrival>, now_ms: i64) -> Checked {
    let Some(arrival) = arrival else { return Ok(()) };
    let date = |text: &str| text.parse::<jiff::civil::Date>().ok().filter(|_| text.len() == 10);
    let (Some(earliest), Some(latest)) = (date(&arrival.earliest), date(&arrival.latest)) else {
        return invalid(field, "`earliest` and `latest` must be dates like 2026-11-28");
    };
    if earliest > latest {
        return invalid(field, "`latest` is before `earliest`");
    }
    for (name, date) in [("earliest", earliest), ("latest", latest)] {
        let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).map(|day| day.timestamp().as_millisecond());
        instant(&format!("{field}.{name}"), midnight.unwrap_or(i64::MAX), now_ms)?;
    }
    Ok(())
}

pub(super) fn instant(field: &str, milliseconds: i64, now_ms: i64) -> Checked {
    instant::fault(milliseconds, now_ms).map_or(Ok(()), |what| invalid(field, what))
}

pub(super) fn id(field: &str, id: &str) -> Checked {
    plain::fault_of_id(id).map_or(Ok(()), |what| invalid(field, &what))
}

pub(super) fn plain(field: &str, text: &str, longest: usize) -> Checked {
    plain::fault(text, longest).map_or(Ok(()), |what| invalid(field, &what))
}

pub(super) fn optional(field: &str, text: Option<&String>, longest: usize) -> Checked {
    text.map_or(Ok(()), |text| plain(field, text, longest))
}

pub(super) fn at_most(field: &str, number: usize, most: usize, of_what: &str) -> Checked {
    if number > most { invalid(field, &format!("has {number} {of_what}: {most} at most")) } else { Ok(()) }
}

/// A link to show in a mail: what it looks like is where it leads.
#[must_use]
pub fn is_web_address(text: &str) -> bool {
    (text.starts_with("https://") || text.starts_with("http://"))
        && !text.chars().any(|c| c.is_whitespace() || is_hidden(c))
        && Url::parse(text).is_ok_and(|url| {
            url.host_str().is_some_and(|host| !host.is_empty())
                && url.username().is_empty()
                && url.password().is_none()
        })
}

pub(super) fn web_address(field: &str, text: &str) -> Checked {
    if is_web_address(text) {
        Ok(())
    } else {
        invalid(field, "must be a whole link like https://carrier.example/parcels/1, without spaces")
    }
}

/// Free text of a person: may have lines, must not have contact details.
pub(super) fn words(field: &str, text: Option<&mut String>, longest: usize) -> Checked {
    let Some(text) = text else { return Ok(()) };
    if text.chars().nth(longest).is_some() {
        return invalid(field, &format!("is longer than {longest} characters"));
    }
    *text = scrub(text);
    text.retain(|c| !is_hidden(c) || c == '\n' || c == '\t');
    Ok(())
}

/// Only what the shop lets plugins see, and of that only what can be shown.
pub(super) fn keep_allowed(field: &str, attributes: &mut Vec<Attribute>, allowed: &[String]) -> Checked {
    attributes.retain(|attribute| allowed.contains(&attribute.key));
    at_most(field, attributes.len(), ATTRIBUTES, "attributes")?;
    for (at, attribute) in attributes.iter().enumerate() {
        let value = &attribute.value;
        let one_line = value.replace(['\n', '\t', '\r'], " ");
        plain(&format!("{field}[{at}].value"), &one_line, TEXT)?;
    }
    Ok(())
}

pub(super) fn invalid(field: &str, what: &str) -> Checked {
    Err(IntakeError::Invalid { field: field.to_owned(), what: what.to_owned() })
}
