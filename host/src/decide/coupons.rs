//! Coupons that this host issued: the host applies them itself, before `pricing`. Pure.

use std::collections::BTreeMap;

use super::answer::{CodeStatus, ShownCode};
use super::merge::{Applied, Contribution};
use super::totals::Sheet;
use crate::domain::{
    Cart, CodeReason, Coupon, CouponValue, Discount, DiscountTarget, DiscountValue, Effect, Text, Value,
};
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
    /// By the code as it was entered: why it does not help.
    pub refused: BTreeMap<String, (CodeReason, Coupon)>,
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
        let reason = standing.reason.or_else(|| misfit(standing, sheet, &cart.currency));
        reason.map_or("own", CodeReason::status).clone_into(&mut entered.status);
        let coupon = &standing.coupon;
        if let Some(reason) = reason {
            own.refused.insert(entered.code.clone(), (reason, coupon.clone()));
            continue;
        }
        own.expires_at = match (own.expires_at, coupon.expires_at) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        own.effects.push(Effect::AddDiscount { discount: discount(&entered.code, &coupon.value, locale) });
    }
    own
}

/// Why it is not for this cart. Sums compare only in the coupon's own currency.
fn misfit(standing: &CouponStanding, sheet: &Sheet, currency: &str) -> Option<CodeReason> {
    let coupon = &standing.coupon;
    let of_money = matches!(coupon.value, CouponValue::Amount(_)) || coupon.min_subtotal.is_some();
    if of_money && standing.currency != currency {
        return Some(CodeReason::WrongCurrency);
    }
    let short = coupon.min_subtotal.is_some_and(|least| sheet.discountable() < least);
    short.then_some(CodeReason::BelowMinimum)
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

/// What became of each code; `tell` says why one does not help, in the shopper's language.
#[must_use]
pub fn shown(
    cart: &Cart,
    own: &OwnCoupons,
    applied: &[Applied],
    contributions: &[Contribution<'_>],
    tell: impl Fn(CodeReason, Option<&Coupon>) -> String,
) -> Vec<ShownCode> {
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
            let works = applied.iter().any(|applied| is(&applied.discount.code, code));
            let why = match own.refused.get(code) {
                Some((reason, coupon)) => Some((*reason, Some(coupon))),
                None if works => None,
                None if entered.status == "own" || proposed(code) => Some((CodeReason::Excluded, None)),
                None => Some((CodeReason::Unknown, None)),
            };
            ShownCode {
                code: code.to_owned(),
                status: why.map_or(CodeStatus::Applied, |(reason, _)| CodeStatus::of(reason)),
                reason: why.map(|(reason, _)| reason),
                text: why.map(|(reason, coupon)| tell(reason, coupon)),
            }
        })
        .collect()
}
