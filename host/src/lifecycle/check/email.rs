//! Addresses that a mail can be sent to.

use crate::domain::plain::is_hidden;

/// Octets of a whole address, of what is before the `@`, and of a label of the domain: RFC 5321, RFC 1035.
const ADDRESS: usize = 254;
const LOCAL: usize = 64;
const LABEL: usize = 63;

/// A bare address: words with dots between them, one `@`, a domain. Quoted words, comments and names around
/// it are legal and never real: they are how one address is made to look like another.
#[must_use]
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    text.len() <= ADDRESS
        && local.len() <= LOCAL
        && local.split('.').all(|word| !word.is_empty() && word.chars().all(is_word))
        && domain.contains('.')
        && domain.split('.').all(is_label)
}

/// RFC 5322 `atext`, and letters of any language (RFC 6531).
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) && !is_hidden(c)
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= LABEL
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| c.is_alphanumeric() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_bare() {
        for good in [
            "ada@shop.example",
            "a.d+a_b-c'd@mail.shop.example",
            "zażółć@sklep.example",
            "ada@żółw.example",
            "ada@xn--w-uga1v8h.example",
        ] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "",
            "ada",
            "@shop.example",
            "ada@",
            "ada@shop",
            "ada@@shop.example",
            "ada@shop.example@other.example",
            "Ada <ada@shop.example>",
            "<ada@shop.example>",
            "\"ada\"@shop.example",
            "ada(work)@shop.example",
            "ada@shop.example,eve@shop.example",
            "ada@shop.example;eve@shop.example",
            "ada @shop.example",
            "ada@shop.example\r\nBcc: eve@shop.example",
            "ada\0@shop.example",
            "ada@shop\u{202e}.example",
            "ada\u{200b}@shop.example",
            ".ada@shop.example",
            "ada.@shop.example",
            "a..da@shop.example",
            "ada@.shop.example",
            "ada@shop..example",
            "ada@shop.example.",
            "ada@-shop.example",
            "ada@[127.0.0.1]",
            "mailto:ada@shop.example",
            "ada\\@shop.example",
        ] {
            assert!(!is_email(bad), "{bad:?}");
        }
        assert!(!is_email(&format!("{}@shop.example", "a".repeat(65))));
        assert!(!is_email(&format!("a@{}.example", "b".repeat(64))));
        assert!(!is_email(&format!("a@{}example", "b.".repeat(130))));
    }

    proptest::proptest! {
        /// An address that was taken in must not fail when its mail is written.
        #[test]
        fn what_is_an_address_here_is_one_to_the_mailer(text in "[a-zA-Zż0-9.+'_/{}-]{1,20}@[a-zA-Zż0-9.-]{1,20}") {
            if is_email(&text) {
                proptest::prop_assert!(text.parse::<lettre::Address>().is_ok(), "{}", text);
            }
        }
    }
}
