//! Who may be told what. Pure.
//!
//! Quiet hours and frequency caps come with consent in full.

use crate::config::Mode;
use crate::domain::{Cause, Consent};
pub use crate::store::Ruling;

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
    /// Why the address is to get no mail.
    pub suppressed: &'a [Cause],
    /// Messages of the shop that were handed over today; `None` when this one is counted already.
    pub handed_today: Option<i64>,
    /// At most so many a day; 0: no limit.
    pub daily_messages: u32,
    pub category: Category,
    /// The message's wishes, in order; empty: e-mail.
    pub channels: &'a [String],
    /// Those that this host has.
    pub available: &'a [&'static str],
    /// UTC milliseconds.
    pub not_after: Option<i64>,
    pub now_ms: i64,
}

/// Whether the message may go, and how.
#[must_use]
pub fn judge(case: &Case<'_>) -> Ruling {
    let drop = |reason: String| Ruling::Drop(reason);
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
    let reason = case.suppressed.iter().find_map(|cause| match cause {
        Cause::Bounce => Some("suppressed: an earlier message came back, there is no such mailbox"),
        Cause::Merchant => Some("suppressed: the shop put the address on its suppression list"),
        Cause::Complaint if case.category == Category::Transactional => None,
        Cause::Complaint => Some("suppressed: the customer called an earlier message spam"),
    });
    if let Some(reason) = reason {
        return drop(reason.to_owned());
    }
    if case.mode == Mode::Test
        && !case.test_recipients.iter().any(|known| known.trim().eq_ignore_ascii_case(email))
    {
        return drop(
            "test mode: the shop's messages go only to its `test_recipients`; set `mode = \"live\"` to send to customers"
                .to_owned(),
        );
    }
    let allowed = allowance(case.daily_messages, case.category);
    if allowed.zip(case.handed_today).is_some_and(|(allowed, handed)| handed >= allowed) {
        return Ruling::Tomorrow(format!(
            "waits for tomorrow: the shop's {} messages of the day are used up (`daily_messages`)",
            case.daily_messages
        ));
    }
    Ruling::Send(channel)
}

/// How many messages of a day may have gone out before one of this category: the last tenth is kept for what
/// orders call for.
fn allowance(daily: u32, category: Category) -> Option<i64> {
    match (daily, category) {
        (0, _) => None,
        (daily, Category::Transactional) => Some(i64::from(daily)),
        (daily, _) => Some(i64::from(daily - daily / 10)),
    }
}

/// How long to wait before the next attempt, ms: 30 s, doubled each time, 6 h at most; give or take a quarter
/// by the message's id, so that what failed together is not tried together.
#[must_use]
pub fn backoff(attempts: u32, id: &str) -> i64 {
    const FIRST: i64 = 30_000;
    const LONGEST: i64 = 6 * 60 * 60 * 1_000;
    let wait = FIRST.saturating_mul(1_i64 << attempts.min(20)).min(LONGEST);
    let mixed = id.bytes().fold(u64::from(attempts), |mixed, byte| {
        (mixed ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let share = i64::try_from((mixed >> 16) % 1_000).unwrap_or(0);
    wait - wait / 4 + (wait / 2) * share / 1_000
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
            suppressed: &[],
            handed_today: Some(0),
            daily_messages: 10,
            category: Category::Transactional,
            channels: &[],
            available: &["email"],
            not_after: None,
            now_ms: 1_000,
        }
    }

    fn reason(case: &Case<'_>) -> String {
        match judge(case) {
            Ruling::Send(channel) => format!("sent by {channel}"),
            Ruling::Drop(reason) | Ruling::Tomorrow(reason) | Ruling::Later { reason, .. } => reason,
        }
    }

    #[test]
    fn transactional_messages_need_an_address_and_nothing_else() {
        assert_eq!(judge(&allowed()), Ruling::Send("email"));
        let refused = [consent("email", "transactional", false), consent("email", "marketing", false)];
        assert_eq!(judge(&Case { consents: &refused, ..allowed() }), Ruling::Send("email"));
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
            assert_eq!(judge(&case) == Ruling::Send("email"), sent, "{consents:?}");
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
        assert_eq!(judge(&Case { category: Category::Updates, ..allowed() }), Ruling::Send("email"));
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
        assert_eq!(judge(&Case { test_recipients: &listed, ..test }), Ruling::Send("email"));
        // No reason ever holds the address.
        assert!(!reason(&test).contains("ola"));
    }

    #[test]
    fn what_is_too_late_is_dropped() {
        assert_eq!(judge(&Case { not_after: Some(1_000), ..allowed() }), Ruling::Send("email"));
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
        assert_eq!(judge(&Case { channels: &either, ..allowed() }), Ruling::Send("email"));
    }

    #[test]
    fn a_bounce_stops_everything_and_a_complaint_what_nobody_ordered() {
        let yes = [consent("email", "marketing", true)];
        for (cause, transactional, marketing) in
            [(Cause::Bounce, false, false), (Cause::Merchant, false, false), (Cause::Complaint, true, false)]
        {
            let case = Case { suppressed: &[cause], consents: &yes, ..allowed() };
            assert_eq!(judge(&case) == Ruling::Send("email"), transactional, "{cause:?}");
            for category in [Category::Marketing, Category::Updates] {
                let case = Case { category, ..case };
                assert_eq!(judge(&case) == Ruling::Send("email"), marketing, "{cause:?} {category:?}");
            }
        }
        let both = [Cause::Complaint, Cause::Bounce];
        assert!(reason(&Case { suppressed: &both, ..allowed() }).contains("no such mailbox"));
    }

    #[test]
    fn the_last_tenth_of_a_day_is_for_what_orders_call_for() {
        let cases = [
            (10, 8, Category::Updates, true),
            (10, 9, Category::Updates, false),
            (10, 9, Category::Transactional, true),
            (10, 10, Category::Transactional, false),
            (5, 4, Category::Updates, true),
            (1, 0, Category::Updates, true),
            (1, 1, Category::Transactional, false),
            (0, i64::MAX, Category::Updates, true),
        ];
        for (daily_messages, handed, category, sent) in cases {
            let case = Case { daily_messages, handed_today: Some(handed), category, ..allowed() };
            assert_eq!(
                judge(&case) == Ruling::Send("email"),
                sent,
                "{handed} of {daily_messages} {category:?}"
            );
            assert_eq!(judge(&Case { handed_today: None, ..case }), Ruling::Send("email"));
        }
        // What may not go at all does not wait for tomorrow.
        let gone = Case { handed_today: Some(10), email: None, ..allowed() };
        assert!(matches!(judge(&gone), Ruling::Drop(_)));
    }

    #[test]
    fn waiting_doubles_varies_by_a_quarter_and_ends() {
        for (attempts, wanted) in [(0, 30_000), (1, 60_000), (5, 960_000), (u32::MAX, 21_600_000)] {
            let waits: std::collections::BTreeSet<i64> =
                (0..100).map(|number| backoff(attempts, &format!("msg_{number}"))).collect();
            assert!(waits.iter().all(|wait| (wanted * 3 / 4..=wanted * 5 / 4).contains(wait)), "{waits:?}");
            assert!(waits.len() > 50, "they are tried together: {waits:?}");
            assert_eq!(backoff(attempts, "msg_1"), backoff(attempts, "msg_1"));
        }
    }
}
