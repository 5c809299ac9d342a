//! The ways to a person. One file for each.

mod mail;
pub mod memory;
pub mod outbox;
pub mod smtp;

use async_trait::async_trait;

/// A message ready to be carried. Holds contact details: never logged, no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Parcel {
    /// The message's id in this host; a channel that sees it twice carries it once.
    pub id: String,
    pub shop: String,
    pub plugin: String,
    /// For file names and logs, e.g. `order-updates-confirmation`.
    pub slug: String,
    pub from_name: String,
    pub from_address: String,
    pub to_name: Option<String>,
    pub to_address: String,
    pub subject: String,
    pub html: String,
    pub text: String,
    /// BCP 47, for `Content-Language`.
    pub locale: String,
    /// UTC milliseconds.
    pub at_ms: i64,
    pub unsubscribe: Unsubscribe,
}

/// How to have no more of these; empty for what the order itself calls for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unsubscribe {
    /// Takes a POST without any more questions (RFC 8058), and shows a page.
    pub page: Option<String>,
    /// `mailto:`, to the shop (RFC 2369).
    pub mail: Option<String>,
}

impl Unsubscribe {
    /// What a person is to click on.
    #[must_use]
    pub fn link(&self) -> Option<&str> {
        self.page.as_deref().or(self.mail.as_deref())
    }
}

/// What a channel says of a parcel it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The Message-ID, or what the channel calls its own name for the message.
    pub message_id: String,
}

/// Why a channel did not take a parcel. The text names no person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// Trying again may help.
    #[error("{0}")]
    Later(String),
    /// It never will.
    #[error("{0}")]
    Never(String),
    /// It never will, because nobody has this address: nothing else may be sent to it either.
    #[error("{0}")]
    NoMailbox(String),
}

#[async_trait]
pub trait Channel: Send + Sync {
    /// `email`, `sms`, `push`.
    fn name(&self) -> &'static str;

    /// Takes a parcel; the same id again gives the same receipt and carries nothing twice.
    async fn carry(&self, parcel: &Parcel) -> Result<Receipt, ChannelError>;
}
