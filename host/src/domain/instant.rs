//! Instants are UTC milliseconds in code and storage, RFC 3339 in JSON.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// `2026-11-28T09:30:00Z` for UTC milliseconds; the nearest instant that can be written when out of range.
#[must_use]
pub fn to_rfc3339(milliseconds: i64) -> String {
    let instant = Timestamp::from_millisecond(milliseconds).unwrap_or(if milliseconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    });
    instant.to_string()
}

pub fn serialize<S: Serializer>(milliseconds: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    to_rfc3339(*milliseconds).serialize(serializer)
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = String::deserialize(deserializer)?;
    // The text is not repeated: it may be a contact detail in the wrong field.
    text.parse::<Timestamp>()
        .map(Timestamp::as_millisecond)
        .map_err(|_| de::Error::custom("is not an RFC 3339 instant like 2026-11-28T09:30:00Z"))
}

/// 2000-01-01T00:00:00Z: older instants come from a field that was never filled.
pub const EARLIEST: i64 = 946_684_800_000;

/// Later ones, from now, come from seconds taken for milliseconds and the like; five years, ms.
const AHEAD: i64 = 5 * 366 * 24 * 3_600_000;

/// Why an instant that was reported cannot be; `None` when it can. Clocks differ, so one that is ahead of
/// ours is taken as it is.
#[must_use]
pub fn fault(milliseconds: i64, now_ms: i64) -> Option<&'static str> {
    if milliseconds < EARLIEST {
        Some("is before 2000-01-01: send when it was, in RFC 3339")
    } else if milliseconds > now_ms.saturating_add(AHEAD) {
        Some("is more than five years from now: send when it was, in RFC 3339")
    } else {
        None
    }
}

/// The same for an instant that may be absent.
pub mod option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Wrapped(#[serde(with = "super")] i64);

    pub fn serialize<S: Serializer>(instant: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
        instant.map(Wrapped).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
        Ok(Option::<Wrapped>::deserialize(deserializer)?.map(|wrapped| wrapped.0))
    }
}
