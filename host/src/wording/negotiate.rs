//! Which of the shop's languages a shopper gets.

/// The best of `offered` (the first is the default) for a BCP 47 tag, a platform's `pl_PL`, or an
/// Accept-Language list (RFC 9110).
#[must_use]
pub(super) fn negotiate<'a>(offered: &'a [String], asked: Option<&str>) -> Option<&'a str> {
    let default = offered.first().map(String::as_str);
    let mut wishes: Vec<(f32, String)> = asked
        .unwrap_or_default()
        .split(',')
        .filter_map(|item| {
            let mut parts = item.split(';');
            let tag = parts.next()?.trim().replace('_', "-").to_ascii_lowercase();
            let weight = parts
                .find_map(|part| part.trim().strip_prefix("q=")?.trim().parse::<f32>().ok())
                .unwrap_or(1.0);
            (!tag.is_empty() && weight > 0.0).then_some((weight, tag))
        })
        .take(32)
        .collect();
    // Stable: equal weights keep their order.
    wishes.sort_by(|left, right| right.0.total_cmp(&left.0));
    for (_, wish) in &wishes {
        if wish == "*" {
            return default;
        }
        let exact = offered.iter().find(|tag| tag.eq_ignore_ascii_case(wish));
        let language = super::money::language(wish);
        let near = || {
            offered.iter().find(|tag| tag.eq_ignore_ascii_case(language)).or_else(|| {
                offered.iter().find(|tag| super::money::language(tag).eq_ignore_ascii_case(language))
            })
        };
        if let Some(tag) = exact.or_else(near) {
            return Some(tag);
        }
    }
    default
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_language_of_the_shop_wins() {
        let offered = ["en", "pl", "pt-BR", "zh"].map(str::to_owned);
        let cases = [
            (None, "en"),
            (Some(""), "en"),
            (Some("pl"), "pl"),
            (Some("PL"), "pl"),
            (Some("pl_PL"), "pl"),
            (Some("pl-PL,pl;q=0.9,en;q=0.8"), "pl"),
            (Some("de-DE,de;q=0.9,pl;q=0.5,en;q=0.4"), "pl"),
            (Some("en;q=0.1, pl;q=0.2"), "pl"),
            (Some("pl;q=0, en"), "en"),
            (Some("pt-PT"), "pt-BR"),
            (Some("zh-Hant-TW"), "zh"),
            (Some("*"), "en"),
            (Some("fr, *;q=0.1"), "en"),
            (Some("fr"), "en"),
            (Some(";;q=,,=;"), "en"),
        ];
        for (asked, expected) in cases {
            assert_eq!(negotiate(&offered, asked), Some(expected), "{asked:?}");
        }
        assert_eq!(negotiate(&[], Some("pl")), None);
    }
}
