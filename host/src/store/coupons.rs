//! Coupons that this host issued, and their use.

use sqlx::Row as _;

use super::outgoing::Origin;
use super::writer::Tx;
use super::{CONTRACT, CouponStanding, Result, Store, announce, from_json, to_json};
use crate::domain::Coupon;

/// A coupon as a call asked for it, with the code it gets if it is a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCoupon {
    /// What the call's messages know it by.
    pub handle: u32,
    pub code: String,
    pub coupon: Coupon,
}

/// Codes are compared without regard to case and the blanks of a copy and paste.
pub(super) fn normal(code: &str) -> String {
    code.trim().to_ascii_uppercase()
}

impl Store {
    /// `None` for codes that this host did not issue.
    pub async fn coupon_standing(
        &self,
        shop: &str,
        code: &str,
        customer: Option<&str>,
        now_ms: i64,
    ) -> Result<Option<CouponStanding>> {
        let Some(row) = sqlx::query(
            "SELECT c.payload, c.currency, c.customer_id, \
               (SELECT COUNT(*) FROM coupon_uses u WHERE u.shop = c.shop AND u.code = c.code) \
             FROM coupons c WHERE c.shop = $1 AND c.code = $2",
        )
        .bind(shop)
        .bind(normal(code))
        .fetch_optional(&self.inner.reads)
        .await?
        else {
            return Ok(None);
        };
        let coupon: Coupon = from_json("coupon", row.try_get(0)?)?;
        let owner: Option<String> = row.try_get(2)?;
        let uses: i64 = row.try_get(3)?;
        let foreign = coupon.personal && owner.as_deref() != customer;
        let status = if foreign || uses >= i64::from(coupon.max_uses) {
            "used"
        } else if coupon.expires_at.is_some_and(|expires| expires <= now_ms) {
            "expired"
        } else {
            "own"
        };
        Ok(Some(CouponStanding { coupon, status: status.to_owned(), currency: row.try_get(1)? }))
    }
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

/// An order came with these codes: those that this host issued are used once more, once for each order.
pub(super) async fn spend(
    tx: &mut Tx,
    shop: &str,
    order_id: &str,
    codes: &[String],
    now_ms: i64,
) -> Result<()> {
    for code in codes {
        sqlx::query(
            "INSERT INTO coupon_uses (shop, code, order_id, at) \
             SELECT shop, code, $3, $4 FROM coupons WHERE shop = $1 AND code = $2 \
             ON CONFLICT DO NOTHING",
        )
        .bind(shop)
        .bind(normal(code))
        .bind(order_id)
        .bind(now_ms)
        .execute(tx.connection())
        .await?;
    }
    Ok(())
}
