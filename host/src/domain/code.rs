//! Why a code that a shopper entered does not help.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CodeReason {
    /// Neither this host nor a plugin knows it for this cart.
    Unknown,
    Expired,
    /// As often as it may be.
    UsedUp,
    /// Carts that are at their checkouts hold what is left of it.
    Reserved,
    /// It is personal, and the cart is somebody else's or nobody's yet.
    AnotherCustomer,
    /// The goods come to less than it is for.
    BelowMinimum,
    /// Its sums are in another currency.
    WrongCurrency,
    /// It is good, but another discount or a rule of the shop excludes it.
    Excluded,
}

impl CodeReason {
    /// As it is written in JSON; `code-<name>` is the key of its text.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::UsedUp => "used-up",
            Self::Reserved => "reserved",
            Self::AnotherCustomer => "another-customer",
            Self::BelowMinimum => "below-minimum",
            Self::WrongCurrency => "wrong-currency",
            Self::Excluded => "excluded",
        }
    }

    /// The contract's word for the status of an entered code: `own` is for what is good but for this cart.
    #[must_use]
    pub fn status(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::UsedUp | Self::Reserved | Self::AnotherCustomer => "used",
            Self::BelowMinimum | Self::WrongCurrency | Self::Excluded => "own",
        }
    }
}
