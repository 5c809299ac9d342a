//! The merged result of the stages before this one. Needs no grant.

use crate::raw::offers as raw;
use crate::types::{DeliveryOption, Discount, PaymentMethod, Totals};

/// The discounts that hold so far.
pub fn discounts() -> Vec<Discount> {
    raw::discounts()
}

/// The delivery options so far; their ids are those that `delivery_options::adjust` takes.
pub fn delivery() -> Vec<DeliveryOption> {
    raw::delivery()
}

/// The payment methods so far.
pub fn payments() -> Vec<PaymentMethod> {
    raw::payments()
}

/// The sums so far.
pub fn totals() -> Totals {
    raw::totals()
}
