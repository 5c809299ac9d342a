//! Who may be told what. Pure.
//!
//! Quiet hours, suppression and frequency caps come with consent in full.

use crate::config::Mode;
use crate::domain::Consent;

/// Marketing needs a consent; updates may be refused; what the order itself calls for is always told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    Transactional,
    Updates,
    Marketing,
}

impl Category {
    /// What is neither of the other two needs a consent.
    #[must_use]
    pub fn of(name: &str) -> Self {
        match name {
            "transactional" => Self::Transactional,
            "updates" => Self::Updates,
            _ => Self::Marketing,
        }
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Transactional => "transactional",
            Self::Updates => "updates",
            Self::Marketing => "marketing",
        }
    }
}

/// What the decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    pub mode: Mode,
    pub test_recipients: &'a [String],
    /// The customer's e-mail address.
    pub email: Option<&'a str>,
    pub consents: &'a [Consent],
    pub category: Category,
    /// The message's wishes, in order; empty: e-mail.
    pub channels: &'a [String],
    /// Those that this host has.
    pub available: &'a [&'static str],
    /// UTC milliseconds.
    pub not_after: Option<i64>,
    pub now_ms: i64,
}

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// By this channel.
    Send(&'static str),
    /// For a reason that a person can read and that names nobody.
    Drop(String),
}

/// Whether the message may go, and how.
#[must_use]
pub fn judge(case: &Case<'_>) -> Verdict {
    let drop = |reason: String| Verdict::Drop(reason);
    if let Some(end) = case.not_after.filter(|end| *end < case.now_ms) {
        return drop(format!("too late: it was to go out by {}", crate::domain::instant::to_rfc3339(end)));
    }
    let wished = |channel: &&&'static str| {
        if case.channels.is_empty() {
            **channel == "email"
        } else {
            case.channels.iter().any(|wish| wish == **channel)
        }
    };
    let Some(channel) = case.available.iter().find(wished).copied() else {
        let wishes = if case.channels.is_empty() { "email".to_owned() } else { case.channels.join(", ") };
        return drop(format!(
            "no channel: the message wants {wishes}; this host has {}",
            case.available.join(", ")
        ));
    };
    let Some(email) = case.email.map(str::trim).filter(|address| !address.is_empty()) else {
        return drop("no recipient: the shop gave no e-mail address for this customer".to_owned());
    };
    let said = |granted: bool| {
        case.consents.iter().any(|consent| {
            consent.channel == channel
                && consent.category == case.category.name()
                && consent.granted == granted
        })
    };
    match case.category {
        Category::Marketing if !said(true) || said(false) => {
            return drop(format!("no consent: the customer did not agree to marketing by {channel}"));
        }
        Category::Updates if said(false) => {
            return drop(format!("no consent: the customer does not want updates by {channel}"));
        }
        _ => {}
    }
    if case.mode == Mode::Test
        && !case.test_recipients.iter().any(|known| known.trim().eq_ignore_ascii_case(email))
    {
        return drop(
            "test mode: the shop's messages go only to its `test_recipients`; set `mode = \"live\"` to send to customers"
                .to_owned(),
        );
    }
    Verdict::Send(channel)
}

/// How long to wait before the next attempt, ms: 30 s, doubled each time, 6 h at most.
#[must_use]
pub fn backoff(attempts: u32) -> i64 {
    const FIRST: i64 = 30_000;
    const LONGEST: i64 = 6 * 60 * 60 * 1_000;
    FIRST.saturating_mul(1_i64 << attempts.min(20)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consent(channel: &str, category: &str, granted: bool) -> Consent {
        Consent { channel: channel.to_owned(), category: category.to_owned(), granted }
    }

    fn allowed() -> Case<'static> {
        Case {
            mode: Mode::Live,
            test_recipients: &[],
            email: Some("ola@example.com"),
            consents: &[],
            category: Category::Transactional,
            channels: &[],
            available: &["email"],
            not_after: None,
            now_ms: 1_000,
        }
    }

    fn reason(case: &Case<'_>) -> String {
        match judge(case) {
            Verdict::Send(channel) => format!("sent by {channel}"),
            Verdict::Drop(reason) => reason,
        }
    }

    #[test]
    fn transactional_messages_need_an_address_and_nothing_else() {
        assert_eq!(judge(&allowed()), Verdict::Send("email"));
        let refused = [consent("email", "transactional", false), consent("email", "marketing", false)];
        assert_eq!(judge(&Case { consents: &refused, ..allowed() }), Verdict::Send("email"));
        assert!(reason(&Case { email: None, ..allowed() }).starts_with("no recipient"));
        assert!(reason(&Case { email: Some("  "), ..allowed() }).starts_with("no recipient"));
    }

    #[test]
    fn marketing_needs_a_consent_for_the_channel() {
        let yes = [consent("email", "marketing", true)];
        let other_channel = [consent("sms", "marketing", true)];
        let other_category = [consent("email", "updates", true)];
        let both = [consent("email", "marketing", true), consent("email", "marketing", false)];
        let cases: [(&[Consent], bool); 5] =
            [(&[], false), (&yes, true), (&other_channel, false), (&other_category, false), (&both, false)];
        for (consents, sent) in cases {
            let case = Case { category: Category::Marketing, consents, ..allowed() };
            assert_eq!(judge(&case) == Verdict::Send("email"), sent, "{consents:?}");
        }
    }

    #[test]
    fn an_unknown_category_is_marketing() {
        for (name, category) in [
            ("transactional", Category::Transactional),
            ("updates", Category::Updates),
            ("marketing", Category::Marketing),
            ("", Category::Marketing),
            ("Transactional", Category::Marketing),
        ] {
            assert_eq!(Category::of(name), category, "{name}");
        }
    }

    #[test]
    fn updates_go_out_until_they_are_refused() {
        let no = [consent("email", "updates", false)];
        assert_eq!(judge(&Case { category: Category::Updates, ..allowed() }), Verdict::Send("email"));
        assert!(
            reason(&Case { category: Category::Updates, consents: &no, ..allowed() })
                .starts_with("no consent")
        );
    }

    #[test]
    fn in_test_mode_only_listed_addresses_are_written_to() {
        let listed = ["OLA@example.com ".to_owned()];
        let others = ["tester@example.com".to_owned()];
        let test = Case { mode: Mode::Test, ..allowed() };
        assert!(reason(&test).starts_with("test mode"));
        assert!(reason(&Case { test_recipients: &others, ..test }).starts_with("test mode"));
        assert_eq!(judge(&Case { test_recipients: &listed, ..test }), Verdict::Send("email"));
        // No reason ever holds the address.
        assert!(!reason(&test).contains("ola"));
    }

    #[test]
    fn what_is_too_late_is_dropped() {
        assert_eq!(judge(&Case { not_after: Some(1_000), ..allowed() }), Verdict::Send("email"));
        assert_eq!(
            reason(&Case { not_after: Some(999), ..allowed() }),
            "too late: it was to go out by 1970-01-01T00:00:00.999Z"
        );
    }

    #[test]
    fn e_mail_is_the_default_channel() {
        let sms = ["sms".to_owned()];
        let either = ["sms".to_owned(), "email".to_owned()];
        assert_eq!(
            reason(&Case { channels: &sms, ..allowed() }),
            "no channel: the message wants sms; this host has email"
        );
        assert_eq!(judge(&Case { channels: &either, ..allowed() }), Verdict::Send("email"));
    }

    #[test]
    fn waiting_doubles_and_ends() {
        assert_eq!(backoff(0), 30_000);
        assert_eq!(backoff(1), 60_000);
        assert_eq!(backoff(5), 960_000);
        assert_eq!(backoff(u32::MAX), 21_600_000);
    }
}
