//! Coupons that this host issued: the host applies them itself, before `pricing`. Pure.

use super::answer::{CodeStatus, ShownCode};
use super::merge::{Applied, Contribution};
use super::totals::Sheet;
use crate::domain::{Cart, CouponValue, Discount, DiscountTarget, DiscountValue, Effect, Text, Value};
use crate::store::CouponStanding;
use crate::wording::percent;

/// Before the slash of their discounts' stable ids.
pub const PREFIX: &str = "coupon";

/// Their class in the shop's stacking rules.
pub const CLASS: &str = "coupon";

/// What the host proposes for its coupons.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnCoupons {
    pub effects: Vec<Effect>,
    /// The earliest expiry of those applied, UTC milliseconds.
    pub expires_at: Option<i64>,
}

/// Sets the status of each code by its standing (in the order of the codes) and proposes a discount for
/// each that is good for this cart.
pub fn apply(
    cart: &mut Cart,
    sheet: &Sheet,
    standings: &[Option<CouponStanding>],
    locale: &str,
) -> OwnCoupons {
    let mut own = OwnCoupons::default();
    for (entered, standing) in cart.codes.iter_mut().zip(standings) {
        let Some(standing) = standing else { continue };
        entered.status.clone_from(&standing.status);
        if standing.status != "own" || !fits(standing, sheet, &cart.currency) {
            continue;
        }
        let coupon = &standing.coupon;
        own.expires_at = match (own.expires_at, coupon.expires_at) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        own.effects.push(Effect::AddDiscount { discount: discount(&entered.code, &coupon.value, locale) });
    }
    own
}

/// Sums compare only in the coupon's own currency.
fn fits(standing: &CouponStanding, sheet: &Sheet, currency: &str) -> bool {
    let coupon = &standing.coupon;
    let of_money = matches!(coupon.value, CouponValue::Amount(_)) || coupon.min_subtotal.is_some();
    (!of_money || standing.currency == currency)
        && coupon.min_subtotal.is_none_or(|least| sheet.discountable() >= least)
}

fn discount(code: &str, value: &CouponValue, locale: &str) -> Discount {
    let (target, value, key, args) = match value {
        CouponValue::Percent(basis_points) => {
            let written = Value::String(percent(*basis_points, locale));
            let args = vec![("percent".to_owned(), written)];
            (DiscountTarget::Order, DiscountValue::Percent(*basis_points), "coupon-percent", args)
        }
        CouponValue::Amount(amount) => {
            let args = vec![("amount".to_owned(), Value::Money(*amount))];
            (DiscountTarget::Order, DiscountValue::Amount(*amount), "coupon-amount", args)
        }
        CouponValue::FreeDelivery => {
            (DiscountTarget::Delivery, DiscountValue::Percent(10_000), "coupon-free-delivery", Vec::new())
        }
    };
    Discount {
        id: code.to_ascii_uppercase(),
        title: Text { key: key.to_owned(), args, fallback: code.to_owned() },
        target,
        value,
        class: CLASS.to_owned(),
        code: Some(code.to_owned()),
    }
}

/// What became of each code, for the shopper.
#[must_use]
pub fn shown(cart: &Cart, applied: &[Applied], contributions: &[Contribution<'_>]) -> Vec<ShownCode> {
    let is = |code: &Option<String>, entered: &str| {
        code.as_ref().is_some_and(|code| code.eq_ignore_ascii_case(entered))
    };
    let proposed = |entered: &str| {
        contributions.iter().flat_map(|of| of.effects).any(|effect| match effect {
            Effect::AddDiscount { discount } => is(&discount.code, entered),
            _ => false,
        })
    };
    cart.codes
        .iter()
        .map(|entered| {
            let code = entered.code.as_str();
            let status = match entered.status.as_str() {
                "expired" => CodeStatus::Expired,
                "used" => CodeStatus::Used,
                _ if applied.iter().any(|applied| is(&applied.discount.code, code)) => CodeStatus::Applied,
                "own" => CodeStatus::NotApplied,
                _ if proposed(code) => CodeStatus::NotApplied,
                _ => CodeStatus::Unknown,
            };
            ShownCode { code: code.to_owned(), status }
        })
        .collect()
}
