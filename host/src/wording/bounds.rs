//! What a text may be, before it is parsed and while it is written: plugins bring theirs, and the parser and the
//! writer of Fluent take what they are given. Pure.

use std::fmt;

/// Brackets within brackets: the parser goes down one call for each.
const DEPTH: usize = 32;
/// Digits of a number: with more, the plural rules have no room.
const DIGITS: usize = 15;
/// Bytes of a finished text; as many as one that a plugin hands over may have.
pub(super) const TEXT: usize = 4_000;
/// So many mistakes of one file are told; a file may have as many as it has lines.
pub(super) const MISTAKES: usize = 20;

/// The line (counted from 1) of what should not be parsed, and what it is.
pub(super) fn unparsable(source: &str) -> Option<(usize, String)> {
    let mut depth = 0_usize;
    for (index, line) in source.split('\n').enumerate() {
        // Neither can stand within a placeable: the parser begins anew.
        if line.starts_with('#') || begins_text(line) {
            depth = 0;
        }
        if line.starts_with('#') {
            continue;
        }
        let mut digits = 0_usize;
        for byte in line.bytes() {
            match byte {
                b'{' => depth += 1,
                // Beside a placeable it is a sign like any other.
                b'(' if depth > 0 => depth += 1,
                b'}' => depth = depth.saturating_sub(1),
                b')' if depth > 1 => depth -= 1,
                _ => {}
            }
            digits = if byte.is_ascii_digit() && depth > 0 { digits + 1 } else { 0 };
            if depth > DEPTH {
                let what = format!("its placeables are more than {DEPTH} deep; write it with fewer");
                return Some((index + 1, what));
            }
            if digits > DIGITS {
                let what = format!("it has a number of more than {DIGITS} digits; write it as a text");
                return Some((index + 1, what));
            }
        }
    }
    None
}

/// `key = …` or `-term = …`.
fn begins_text(line: &str) -> bool {
    let Some((name, _)) = line.split_once('=') else { return false };
    let name = name.trim_end_matches(' ');
    let name = name.strip_prefix('-').unwrap_or(name);
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Takes a text as long as it is no longer than it may be.
#[derive(Debug, Default)]
pub(super) struct Short {
    pub(super) text: String,
}

impl fmt::Write for Short {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = TEXT.saturating_sub(self.text.len());
        let end = more.floor_char_boundary(room);
        self.text.push_str(more.get(..end).unwrap_or_default());
        if end == more.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

/// So many digits behind the point, and no more, whatever a text asks for.
pub(super) fn digits(asked: Option<usize>) -> Option<usize> {
    asked.map(|digits| digits.min(DIGITS))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn what_would_lead_the_parser_astray_is_found_with_its_line() {
        let deep = format!("a = A\nb = {}x{}\n", "{".repeat(40), "}".repeat(40));
        assert_eq!(unparsable(&deep).unwrap().0, 2);
        let calls = format!("a = A\n    more\n\nb = {{ {}1{} }}\n", "A(\n".repeat(40), ")".repeat(40));
        assert!(unparsable(&calls).unwrap().1.contains("deep"));
        let quoted = format!("a = {}", "\"{\"a\" -> *[b] ".repeat(40));
        assert!(unparsable(&quoted).unwrap().1.contains("deep"));
        assert!(unparsable("a = { 1.0000000000000000000 }\n").unwrap().1.contains("digits"));
        let good = "a = :( :( :( 1234567890123456789 { $n ->\n    [one] { A($n) }\n   *[other] { B(C($n)) }\n}\n# {\nb = { \"{\" }\n";
        assert_eq!(unparsable(&good.repeat(50)), None);
    }

    #[test]
    fn a_text_is_cut_between_letters() {
        let mut short = Short::default();
        assert!(write!(short, "x{}", "ł".repeat(TEXT)).is_err());
        assert_eq!(short.text.len(), TEXT - 1);
    }
}
