//! What a mail server's answer, or its silence, means for a message. Pure.

use lettre::transport::smtp::Error;

use crate::domain::scrub::scrub;
use crate::messages::channels::ChannelError;

/// Of a reply's text.
const LONGEST: usize = 200;

/// How far the conversation had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Connect,
    Tls,
    Auth,
    Sender,
    Recipient,
    Data,
    /// After the mail's last line: the server may have it.
    Content,
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Self::Connect => "when connecting",
            Self::Tls => "when starting TLS",
            Self::Auth => "when signing in",
            Self::Sender => "at the sender's address",
            Self::Recipient => "at the recipient's address",
            Self::Data => "before the mail",
            Self::Content => "after the mail",
        }
    }
}

/// Why a mail did not go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    stage: Stage,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    /// A reply code of three digits, and its text.
    Reply(u16, String),
    /// The connection did not come about, or ended.
    Broken(String),
    /// The server cannot do what is needed.
    Unable(&'static str),
}

impl Trouble {
    pub fn new(stage: Stage, error: &Error) -> Self {
        let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        let what = match error.status() {
            Some(code) => What::Reply(code.into(), cause),
            None if error.is_timeout() => What::Broken("it did not answer in time".to_owned()),
            None => What::Broken(if cause.is_empty() { error.to_string() } else { cause }),
        };
        Self { stage, what }
    }

    pub fn unable(stage: Stage, what: &'static str) -> Self {
        Self { stage, what: What::Unable(what) }
    }

    /// The connection still stands, unless the server said that it closes it (421).
    pub fn was_answered(&self) -> bool {
        match &self.what {
            What::Reply(code, _) => *code != 421,
            What::Unable(_) => true,
            What::Broken(_) => false,
        }
    }

    /// `recipient` is kept out of what is told.
    pub fn verdict(&self, recipient: &str) -> ChannelError {
        let place = self.stage.name();
        match &self.what {
            What::Reply(code, raw) => {
                let text = told(raw, recipient);
                // What is wrong before a mail is named is the host's: no message is at fault.
                let hosts = matches!(self.stage, Stage::Connect | Stage::Tls | Stage::Auth)
                    || matches!(code, 530 | 534 | 535 | 538);
                if *code < 500 {
                    ChannelError::Later(format!("the mail server put it off {place}: {code} {text}"))
                } else if hosts {
                    ChannelError::Later(format!("the mail server refuses this host {place}: {code} {text}"))
                } else {
                    let reason = format!("the mail server refused it {place}: {code} {text}");
                    if self.is_no_mailbox(*code, raw) {
                        ChannelError::NoMailbox(reason)
                    } else {
                        ChannelError::Never(reason)
                    }
                }
            }
            What::Broken(cause) => {
                let cause = told(cause, recipient);
                ChannelError::Later(format!("the connection to the mail server broke off {place}: {cause}"))
            }
            What::Unable(what) if self.stage == Stage::Recipient => {
                ChannelError::Never(format!("the mail server cannot deliver it: {what}"))
            }
            What::Unable(what) => {
                ChannelError::Later(format!("the mail server cannot be used: {what}; see [smtp]"))
            }
        }
    }

    /// RFC 3463: 5.1.x is about the address. Servers without such codes say it by refusing the recipient;
    /// other refusals (a full mailbox, a policy, spam) say nothing of whether somebody is there.
    fn is_no_mailbox(&self, code: u16, text: &str) -> bool {
        match text.split_whitespace().next().filter(|word| is_enhanced(word)) {
            // 5.1.7 and 5.1.8 are about the sender's.
            Some(enhanced) => enhanced.starts_with("5.1.") && !["5.1.7", "5.1.8"].contains(&enhanced),
            None => self.stage == Stage::Recipient && matches!(code, 550 | 551 | 553),
        }
    }
}

fn is_enhanced(word: &str) -> bool {
    word.split('.').count() == 3
        && word
            .split('.')
            .all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
}

/// One line without contact details: servers repeat the address, or the part before its `@`.
fn told(text: &str, recipient: &str) -> String {
    let line: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let (local, _) = recipient.rsplit_once('@').unwrap_or((recipient, ""));
    let local = bare(local);
    let without = line
        .split_inclusive(char::is_whitespace)
        .map(|word| {
            let name = bare(word);
            let repeats = !local.is_empty() && name.eq_ignore_ascii_case(local);
            if repeats { word.replacen(name, "[e-mail]", 1) } else { word.to_owned() }
        })
        .collect::<String>();
    scrub(&without).chars().take(LONGEST).collect::<String>().trim().to_owned()
}

/// Without quotes, brackets and full stops around it.
fn bare(word: &str) -> &str {
    word.trim_matches(|letter: char| !letter.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(stage: Stage, code: u16, text: &str) -> ChannelError {
        Trouble { stage, what: What::Reply(code, text.to_owned()) }.verdict("ola.nowak@example.com")
    }

    #[test]
    fn a_reply_is_for_later_for_never_or_for_the_list() {
        use Stage::{Auth, Connect, Content, Recipient, Sender};
        let cases = [
            (Recipient, 451, "4.7.1 greylisted", "later"),
            (Connect, 421, "too busy", "later"),
            (Connect, 554, "no service for you", "later"),
            (Auth, 535, "5.7.8 bad credentials", "later"),
            (Sender, 530, "5.7.0 must issue STARTTLS first", "later"),
            (Sender, 550, "5.7.1 not your domain", "never"),
            (Sender, 553, "5.1.8 sender unknown", "never"),
            (Recipient, 550, "5.1.1 no such user", "no mailbox"),
            (Recipient, 550, "no such user", "no mailbox"),
            (Recipient, 553, "5.1.3 bad syntax", "no mailbox"),
            (Recipient, 550, "5.7.1 relaying denied", "never"),
            (Recipient, 552, "5.2.2 mailbox full", "never"),
            (Recipient, 554, "rejected", "never"),
            (Content, 554, "5.6.0 spam", "never"),
            (Content, 550, "5.1.1 no such user", "no mailbox"),
            (Content, 550, "spam", "never"),
            (Content, 452, "4.3.1 disk full", "later"),
        ];
        for (stage, code, text, outcome) in cases {
            let kind = match reply(stage, code, text) {
                ChannelError::Later(_) => "later",
                ChannelError::Never(_) => "never",
                ChannelError::NoMailbox(_) => "no mailbox",
            };
            assert_eq!(kind, outcome, "{stage:?} {code} {text}");
        }
    }

    #[test]
    fn a_reason_has_the_reply_and_no_address() {
        for text in [
            "5.1.1 <ola.nowak@example.com>: Recipient address rejected: User unknown",
            "5.1.1 The mailbox ola.nowak does not exist, mind OLA.NOWAK@EXAMPLE.COM",
            "5.1.1 no such user: 'ola.nowak'.\r\nask postmaster@example.com or call +48 601 234 567",
        ] {
            let reason = reply(Stage::Recipient, 550, text).to_string();
            assert!(
                reason.starts_with("the mail server refused it at the recipient's address: 550 5.1.1"),
                "{reason}"
            );
            let lower = reason.to_lowercase();
            assert!(
                !lower.contains("nowak") && !lower.contains("postmaster") && !lower.contains("601"),
                "{reason}"
            );
            assert!(!reason.contains('\n'), "{reason}");
        }
        assert!(reply(Stage::Content, 554, &"x".repeat(5_000)).to_string().len() < 300);
    }

    #[test]
    fn silence_is_for_later_and_says_where() {
        let broken = Trouble { stage: Stage::Content, what: What::Broken("reset by peer".to_owned()) };
        assert!(!broken.was_answered());
        assert_eq!(
            broken.verdict("ola@example.com"),
            ChannelError::Later(
                "the connection to the mail server broke off after the mail: reset by peer".to_owned()
            )
        );
        let closing = Trouble { stage: Stage::Sender, what: What::Reply(421, String::new()) };
        assert!(!closing.was_answered());
    }
}
