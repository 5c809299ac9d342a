//! Topics of webhooks out, as Standard Webhooks 1.0 has event types: words joined by full stops.

/// What the host itself tells of.
pub const HOST_TOPICS: [&str; 8] = [
    "message.sent",
    "message.dropped",
    "coupon.issued",
    "coupon.overused",
    "plugin.failed",
    "job.dead",
    "webhook.disabled",
    "webhook.test",
];

/// Bytes.
const LONGEST: usize = 100;

/// Words of letters, digits, `_` and `-`, joined by full stops.
#[must_use]
pub fn is_topic(topic: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    topic.len() <= LONGEST && topic.split('.').all(word)
}

/// A topic, all topics below a word (`message.*`), or all (`*`).
#[must_use]
pub fn is_pattern(pattern: &str) -> bool {
    pattern == "*" || is_topic(pattern.strip_suffix(".*").unwrap_or(pattern))
}

#[must_use]
pub fn matches(pattern: &str, topic: &str) -> bool {
    match pattern.strip_suffix('*') {
        // With its full stop: `message.*` is not `messages.lost`.
        Some(beginning) => topic.starts_with(beginning),
        None => pattern == topic,
    }
}

/// The first word is one of the host's: what comes under it was said by the host, and by nobody else.
#[must_use]
pub fn is_the_hosts(topic: &str) -> bool {
    let first = |topic: &'_ str| topic.split('.').next().map(str::to_ascii_lowercase);
    HOST_TOPICS.iter().any(|own| first(own) == first(topic))
}

/// Or why a plugin cannot tell of it.
pub fn for_plugins(topic: &str) -> Result<(), String> {
    if !is_topic(topic) {
        Err(format!(
            "`{topic}` is no topic; write words of letters, digits, `_` and `-`, joined by full stops, \
             {LONGEST} bytes at most"
        ))
    } else if is_the_hosts(topic) {
        Err(format!("only the host tells of `{topic}`; begin the topic with another word"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_words_joined_by_full_stops() {
        for good in ["order", "logistics.order", "a.b-c.D_4", &"x".repeat(LONGEST)] {
            assert!(is_topic(good) && is_pattern(good), "{good}");
        }
        for bad in ["", ".", "a.", ".a", "a..b", "a b", "a/b", "ä", "a.*", "a\n", &"x".repeat(LONGEST + 1)] {
            assert!(!is_topic(bad), "{bad}");
        }
        for pattern in ["*", "a.*", "a.b.*"] {
            assert!(is_pattern(pattern), "{pattern}");
        }
        for bad in ["**", "a*", "*.a", ".*", "a.*.b", ""] {
            assert!(!is_pattern(bad), "{bad}");
        }
    }

    #[test]
    fn a_pattern_ends_at_a_full_stop() {
        assert!(matches("message.*", "message.sent") && matches("message.*", "message.a.b"));
        assert!(!matches("message.*", "message") && !matches("message.*", "messages.sent"));
        assert!(matches("message.sent", "message.sent") && !matches("message.sent", "message.sent.twice"));
        assert!(matches("*", "anything.at.all"));
    }

    #[test]
    fn the_hosts_words_are_its_own() {
        for own in HOST_TOPICS {
            assert!(is_topic(own) && is_the_hosts(own), "{own}");
        }
        assert!(is_the_hosts("message.forged") && is_the_hosts("job") && is_the_hosts("Coupon.issued"));
        assert!(!is_the_hosts("logistics.order") && !is_the_hosts("messages.sent"));
    }
}
