//! Takes what looks like a contact detail out of free text: plugins may read the text, not the detail.
//! Pure. It rather takes too much than too little.

/// Fewer digits are a house number, a price, a year.
const PHONE_DIGITS: usize = 7;

/// The text with e-mail addresses and handles as `[e-mail]` and phone numbers as `[phone]`.
#[must_use]
pub fn scrub(text: &str) -> String {
    phones(&addresses(text))
}

fn addresses(text: &str) -> String {
    text.split_inclusive(char::is_whitespace)
        .map(|word| {
            let bare = word.trim_end_matches(char::is_whitespace);
            if !bare.contains(['@', '＠']) {
                return word.to_owned();
            }
            let outside = |c: char| !c.is_alphanumeric() && c != '@' && c != '＠';
            let inner = bare.trim_matches(outside);
            if inner.chars().count() < 2 {
                return word.to_owned();
            }
            word.replacen(inner, "[e-mail]", 1)
        })
        .collect()
}

fn phones(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars() {
        let belongs = c.is_numeric() || c == '+' || (!run.is_empty() && is_separator(c)) || c == '(';
        if belongs {
            run.push(c);
        } else {
            finish(&mut clean, &mut run);
            clean.push(c);
        }
    }
    finish(&mut clean, &mut run);
    clean
}

fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '-' | '\u{2010}'..='\u{2014}' | '.' | '/' | '(' | ')')
}

fn finish(clean: &mut String, run: &mut String) {
    let number = run.trim_end_matches(is_separator);
    let digits = number.chars().filter(|c| c.is_numeric()).count();
    if digits >= PHONE_DIGITS && !is_date(number) {
        clean.push_str("[phone]");
        clean.push_str(run.get(number.len()..).unwrap_or_default());
    } else {
        clean.push_str(run);
    }
    run.clear();
}

/// `2026-11-28`, `28.11.2026`, `28/11/2026`.
fn is_date(number: &str) -> bool {
    let parts: Vec<&str> = number.split(['-', '.', '/']).collect();
    let widths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
        && matches!(widths.as_slice(), [4, 1..=2, 1..=2] | [1..=2, 1..=2, 4])
}

#[cfg(test)]
mod tests {
    use super::scrub;

    #[test]
    fn addresses_and_numbers_go_and_the_rest_stays() {
        let cases = [
            ("Write to anna.k+shop@example.co.uk, please.", "Write to [e-mail], please."),
            ("<anna@example.com>", "<[e-mail]>"),
            ("I am @anna_k on the other site", "I am [e-mail] on the other site"),
            ("Call +48 601 234 567!", "Call [phone]!"),
            ("(022) 555-01-99 after six", "[phone] after six"),
            ("Tel.: 601.234.567, or come by", "Tel.: [phone], or come by"),
            ("Numéro 06 12 34 56 78", "Numéro [phone]"),
            ("٠٦٠١٢٣٤٥٦٧", "[phone]"),
            (
                "Came on 2026-11-28, order 1001, 3 of 5 pieces",
                "Came on 2026-11-28, order 1001, 3 of 5 pieces",
            ),
            ("On 28.11.2026 at 9:30 for 12.50", "On 28.11.2026 at 9:30 for 12.50"),
            ("Two @ five each", "Two @ five each"),
            ("", ""),
        ];
        for (text, clean) in cases {
            assert_eq!(scrub(text), clean, "{text}");
        }
    }

    #[test]
    fn lines_and_blanks_are_kept() {
        assert_eq!(scrub("good\n  very good\tx@y.pl\n"), "good\n  very good\t[e-mail]\n");
    }
}
