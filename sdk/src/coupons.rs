//! Giving a customer a coupon, in events and timers. Needs the grant `coupons`. The host applies it
//! when the code is entered.

use crate::types::{Coupon, CouponValue, Value};

/// A coupon that was issued: a value for the message that shows its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issued(
    /// The handle, in this call.
    pub u32,
);

impl From<Issued> for Value {
    fn from(issued: Issued) -> Self {
        Self::Coupon(issued.0)
    }
}

impl Coupon {
    fn new(value: CouponValue, purpose: &str) -> Self {
        Self {
            value,
            prefix: String::new(),
            expires_at: None,
            max_uses: 1,
            min_subtotal: None,
            personal: true,
            purpose: purpose.to_owned(),
        }
    }

    /// So many percent off an order. Personal and for a single use, until said otherwise; a second
    /// coupon of this plugin for the same customer and purpose is the first one again.
    pub fn percent(percent: u32, purpose: &str) -> Self {
        Self::basis_points(percent.saturating_mul(100), purpose)
    }

    /// The same in basis points: 1250 is 12.5 %.
    pub fn basis_points(basis_points: u32, purpose: &str) -> Self {
        Self::new(CouponValue::Percent(basis_points), purpose)
    }

    /// So many minor units of the shop's currency off an order.
    pub fn amount(amount: i64, purpose: &str) -> Self {
        Self::new(CouponValue::Amount(amount), purpose)
    }

    /// An order without delivery costs.
    pub fn free_delivery(purpose: &str) -> Self {
        Self::new(CouponValue::FreeDelivery, purpose)
    }

    /// Letters before the unguessable part.
    pub fn prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// Valid until then (UTC milliseconds).
    pub fn expires_at(mut self, at_ms: i64) -> Self {
        self.expires_at = Some(at_ms);
        self
    }

    /// How often it may be used.
    pub fn uses(mut self, max_uses: u32) -> Self {
        self.max_uses = max_uses;
        self
    }

    /// For carts of at least so many minor units.
    pub fn min_subtotal(mut self, amount: i64) -> Self {
        self.min_subtotal = Some(amount);
        self
    }

    /// Anybody may use it.
    pub fn for_anybody(mut self) -> Self {
        self.personal = false;
        self
    }

    /// Issues it. Give the answer to a message: `.data("code", coupon)`.
    pub fn issue(&self) -> Issued {
        Issued(crate::raw::coupons::issue(self))
    }
}
