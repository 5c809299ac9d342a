//! A place in a history that is read newest first, page by page.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What comes before it is the next page. As text it is opaque.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// UTC milliseconds.
    pub at: i64,
    /// Among sources that are read side by side, which: of two entries of one instant the one of the later
    /// source is the newer.
    pub source: usize,
    /// Within the source.
    pub id: String,
}

/// A text that is no mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not the `next` of a page")]
pub struct NoMark;

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(format!("{}.{}.{}", self.at, self.source, self.id)))
    }
}

impl FromStr for Mark {
    type Err = NoMark;

    fn from_str(text: &str) -> Result<Self, NoMark> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NoMark)?;
        let text = String::from_utf8(bytes).map_err(|_| NoMark)?;
        let mut parts = text.splitn(3, '.');
        let mut part = || parts.next().ok_or(NoMark);
        let at = part()?.parse().map_err(|_| NoMark)?;
        let source = part()?.parse().map_err(|_| NoMark)?;
        let id = part()?.to_owned();
        // What a database would not take for a text.
        if id.contains('\0') { Err(NoMark) } else { Ok(Self { at, source, id }) }
    }
}

impl Mark {
    /// Entries of a source that come before the mark have a smaller instant than the first, or the same and
    /// a smaller id than the second. Without a mark all do.
    pub(super) fn bounds(mark: Option<&Self>, source: usize) -> (i64, &str) {
        let Some(mark) = mark else { return (i64::MAX, "") };
        match source.cmp(&mark.source) {
            std::cmp::Ordering::Less => (mark.at.saturating_add(1), ""),
            std::cmp::Ordering::Equal => (mark.at, &mark.id),
            std::cmp::Ordering::Greater => (mark.at, ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_comes_back_and_nothing_else_is_one() {
        let mark = Mark { at: -5, source: 3, id: "a.b/ü".to_owned() };
        assert_eq!(mark.to_string().parse(), Ok(mark));
        for text in
            ["", "x", "1.2.3", "====", &URL_SAFE_NO_PAD.encode("1.2"), &URL_SAFE_NO_PAD.encode("1.2.\0")]
        {
            assert_eq!(text.parse::<Mark>(), Err(NoMark), "{text}");
        }
    }
}
