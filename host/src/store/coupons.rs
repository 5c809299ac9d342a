//! Coupons that this host issued, and their use.

mod reservations;
mod standing;
mod uses;
mod view;

use sqlx::Row as _;

use super::outgoing::Origin;
use super::writer::Tx;
use super::{CONTRACT, Result, announce, to_json};
use crate::domain::Coupon;

pub use reservations::{NewReservation, Reserved};
pub use standing::{CouponStanding, Holder};
pub(super) use uses::{Spending, codes, give_back, spend};
pub use view::{CouponHold, CouponUse, CouponView};

/// A coupon as a call asked for it, with the code it gets if it is a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCoupon {
    /// What the call's messages know it by.
    pub handle: u32,
    pub code: String,
    pub coupon: Coupon,
}

/// Codes are compared without regard to case and the blanks of a copy and paste.
fn normal(code: &str) -> String {
    code.trim().to_ascii_uppercase()
}

/// The code: of the first coupon when this plugin gave this customer one for the same purpose.
pub(super) async fn issue(
    tx: &mut Tx,
    origin: &Origin<'_>,
    new: &NewCoupon,
    currency: &str,
) -> Result<String> {
    if let Some(customer) = origin.customer_id {
        let first = sqlx::query(
            "SELECT code FROM coupons WHERE shop = $1 AND plugin = $2 AND customer_id = $3 AND purpose = $4",
        )
        .bind(origin.shop)
        .bind(origin.plugin)
        .bind(customer)
        .bind(&new.coupon.purpose)
        .fetch_optional(tx.connection())
        .await?;
        if let Some(row) = first {
            return Ok(row.try_get(0)?);
        }
    }
    let code = normal(&new.code);
    sqlx::query(
        "INSERT INTO coupons (shop, code, plugin, event_id, order_id, customer_id, purpose, payload, contract, \
           currency, issued_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(origin.shop)
    .bind(&code)
    .bind(origin.plugin)
    .bind(origin.event_id)
    .bind(origin.order_id)
    .bind(origin.customer_id)
    .bind(&new.coupon.purpose)
    .bind(to_json(&new.coupon))
    .bind(CONTRACT)
    .bind(currency)
    .bind(origin.now_ms)
    .execute(tx.connection())
    .await?;
    announce::coupon(tx, origin, new, &code, currency).await?;
    Ok(code)
}
