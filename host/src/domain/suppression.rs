//! Why an address gets no mail.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// There is no such mailbox: nothing is sent to it.
    Bounce,
    /// Its owner called a message spam: only what the order itself calls for is sent.
    Complaint,
    /// The merchant's word: nothing is sent.
    Merchant,
}

impl Cause {
    pub const ALL: [Self; 3] = [Self::Bounce, Self::Complaint, Self::Merchant];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bounce => "bounce",
            Self::Complaint => "complaint",
            Self::Merchant => "merchant",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }
}

/// What became of a mail after it was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedbackKind {
    Delivered,
    Bounced { permanent: bool },
    Complained,
}
