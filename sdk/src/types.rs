//! The vocabulary: carts, orders, customers, and what a plugin proposes.
//!
//! Units: money is whole minor units of the one currency of the cart or order; instants are UTC
//! milliseconds since 1970; civil dates are `YYYY-MM-DD`, times of day `HH:MM`; percentages are
//! basis points (1 % = 100); weights are grams.

#[doc(inline)]
pub use crate::bindings::base::cartwright::plugin::types::*;
