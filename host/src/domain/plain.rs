//! What a short text must be like to be shown, logged or put into a mail's header: one line, readable as it
//! is written, not too long.

/// Characters of an id, a name, a code.
pub const ID: usize = 200;

/// Characters of a title or a note.
pub const TEXT: usize = 2_000;

/// Characters of a finished text; a block's body may be an essay, but not a book.
pub const SHOWN: usize = 4_000;

/// Control characters, line ends of any kind, and the marks that make what follows read from the other side:
/// with them a text can be made to look like another.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Why a text cannot be; `None` when it can.
#[must_use]
pub fn fault(text: &str, longest: usize) -> Option<String> {
    if text.chars().nth(longest).is_some() {
        return Some(format!("is longer than {longest} characters"));
    }
    text.chars()
        .any(is_hidden)
        .then(|| "must be one line without control characters or marks that turn its direction".to_owned())
}

/// The same for what names something.
#[must_use]
pub fn fault_of_id(id: &str) -> Option<String> {
    if id.trim().is_empty() { Some("must not be empty".to_owned()) } else { fault(id, ID) }
}

/// As it may be shown, whoever wrote it: line ends and tabs become blanks, what else is hidden is left out, and
/// what is longer ends in `…`.
#[must_use]
pub fn one_line(text: &str, longest: usize) -> String {
    if fault(text, longest).is_none() {
        return text.to_owned();
    }
    let mut line = String::with_capacity(text.len().min(longest.saturating_mul(4)));
    let mut length = 0_usize;
    for c in text.chars() {
        let c = if !is_hidden(c) {
            c
        } else if c.is_whitespace() && !line.is_empty() && !line.ends_with(' ') {
            ' '
        } else {
            continue;
        };
        if length.saturating_add(1) >= longest {
            line.push('…');
            break;
        }
        line.push(c);
        length = length.saturating_add(1);
    }
    line
}

/// A text that strangers wrote, for a terminal or a log: what hides, moves or turns something is written out as
/// its number, and what is longer than `longest` characters is cut.
#[must_use]
pub fn harmless(text: &str, longest: usize) -> String {
    let mut shown = String::new();
    for (place, c) in text.chars().enumerate() {
        if place == longest {
            shown.push('…');
            break;
        }
        if is_hidden(c) || is_unseen(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Has a place in honest texts (it joins letters, it begins a file), and is not to be seen.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2065}'
            | '\u{206A}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
            | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// Not more of a wrong value than a person needs to know it again.
#[must_use]
pub fn shown(text: &str) -> String {
    text.chars().filter(|c| !is_hidden(*c)).take(20).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_line_that_reads_as_it_is_written() {
        for text in ["", "a mug", "Zażółć", "杯子", "קפה", "{{ data }}", "<b>", "../..", "a%00"] {
            assert_eq!(fault(text, 20), None, "{text}");
        }
        for text in
            ["a\r\nBcc: x", "a\0", "\u{7f}", "a\u{2028}b", "\u{202e}gpj.exe", "\u{2066}x", "\u{85}", "\t"]
        {
            assert!(fault(text, 20).unwrap().contains("one line"), "{text:?}");
        }
        assert_eq!(one_line("to\r\nyou\u{202e},\n\tand\u{0} her\u{2028}", 20), "to you, and her ");
        assert_eq!(one_line("\n\u{2029}x", 20), "x");
        assert_eq!((one_line("żżż", 3), one_line("żżżż", 3)), ("żżż".to_owned(), "żż…".to_owned()));
        assert_eq!(fault("żżż", 3), None);
        assert_eq!(fault("żżżż", 3).unwrap(), "is longer than 3 characters");
        assert_eq!(fault_of_id(" ").unwrap(), "must not be empty");
    }

    #[test]
    fn what_strangers_wrote_is_shown_harmless_and_cut() {
        assert_eq!(harmless("Żółw 杯子", 20), "Żółw 杯子");
        assert_eq!(harmless("\u{1b}[2Jok\r\n", 20), "\\u{1b}[2Jok\\r\\n");
        assert_eq!(harmless("a\u{202e}b\u{200b}c\u{9b}d", 20), "a\\u{202e}b\\u{200b}c\\u{9b}d");
        assert_eq!(harmless("abcdef", 3), "abc…");
        assert_eq!(harmless("abc", 3), "abc");
    }
}
