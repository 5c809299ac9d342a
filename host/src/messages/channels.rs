//! The ways to a person. One file for each.

pub mod memory;
pub mod outbox;

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
    /// For `List-Unsubscribe` (RFC 2369, RFC 8058).
    pub unsubscribe_url: Option<String>,
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
}

#[async_trait]
pub trait Channel: Send + Sync {
    /// `email`, `sms`, `push`.
    fn name(&self) -> &'static str;

    /// Takes a parcel; the same id again gives the same receipt and carries nothing twice.
    async fn carry(&self, parcel: &Parcel) -> Result<Receipt, ChannelError>;
}
