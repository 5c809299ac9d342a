//! A coupon with all that became of it, for the shop's eyes.

use sqlx::Row as _;

use super::normal;
use super::standing::{Holder, find};
use crate::domain::{CodeReason, Coupon};
use crate::store::{Result, Store, gate};

/// Uses and reservations that are shown, the newest.
const SHOWN: i64 = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CouponView {
    /// In its normal form.
    pub code: String,
    pub plugin: String,
    /// The order that earned it.
    pub order_id: Option<String>,
    /// Whose it is.
    pub customer_id: Option<String>,
    pub issued_at: i64,
    pub coupon: Coupon,
    pub currency: String,
    /// Nothing: it is good.
    pub reason: Option<CodeReason>,
    /// By orders that were not cancelled.
    pub used: i64,
    /// Of all uses, those that came when nothing was left.
    pub over_limit: i64,
    /// Newest first.
    pub uses: Vec<CouponUse>,
    /// Those that hold now, newest first.
    pub reservations: Vec<CouponHold>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CouponUse {
    pub order_id: String,
    pub at: i64,
    pub over_limit: bool,
    /// The order was cancelled.
    pub released_at: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CouponHold {
    pub cart_id: String,
    pub customer_id: Option<String>,
    pub reserved_at: i64,
    pub expires_at: i64,
}

impl Store {
    /// Without a customer, as it stands for its own. `None` for codes that this host did not issue.
    pub async fn coupon(
        &self,
        shop: &str,
        code: &str,
        holder: Holder<'_>,
        now_ms: i64,
    ) -> Result<Option<CouponView>> {
        let code = normal(code);
        let mut reads = self.inner.reads.acquire().await?;
        let Some(found) = find(&mut reads, shop, &code, holder.cart, now_ms).await? else { return Ok(None) };
        let issued = sqlx::query(gate::around(
            "SELECT plugin, order_id, issued_at, \
               (SELECT COUNT(*) FROM coupon_uses u \
                 WHERE u.shop = c.shop AND u.code = c.code AND u.over_limit = 1) \
             FROM coupons c WHERE c.shop = $1 AND c.code = $2",
        ))
        .bind(shop)
        .bind(&code)
        .fetch_one(&mut *reads)
        .await?;
        let uses = sqlx::query(gate::around(
            "SELECT order_id, at, over_limit, released_at FROM coupon_uses \
             WHERE shop = $1 AND code = $2 ORDER BY at DESC, order_id DESC LIMIT $3",
        ))
        .bind(shop)
        .bind(&code)
        .bind(SHOWN)
        .fetch_all(&mut *reads)
        .await?
        .iter()
        .map(|row| {
            Ok(CouponUse {
                order_id: row.try_get(0)?,
                at: row.try_get(1)?,
                over_limit: row.try_get::<i64, _>(2)? != 0,
                released_at: row.try_get(3)?,
            })
        })
        .collect::<Result<_>>()?;
        let reservations = sqlx::query(gate::around(
            "SELECT cart_id, customer_id, reserved_at, expires_at FROM coupon_reservations \
             WHERE shop = $1 AND code = $2 AND ending IS NULL AND expires_at > $3 \
             ORDER BY reserved_at DESC, cart_id LIMIT $4",
        ))
        .bind(shop)
        .bind(&code)
        .bind(now_ms)
        .bind(SHOWN)
        .fetch_all(&mut *reads)
        .await?
        .iter()
        .map(|row| {
            Ok(CouponHold {
                cart_id: row.try_get(0)?,
                customer_id: row.try_get(1)?,
                reserved_at: row.try_get(2)?,
                expires_at: row.try_get(3)?,
            })
        })
        .collect::<Result<_>>()?;
        Ok(Some(CouponView {
            plugin: issued.try_get(0)?,
            order_id: issued.try_get(1)?,
            issued_at: issued.try_get(2)?,
            over_limit: issued.try_get(3)?,
            reason: found.reason(holder.customer.or(found.owner.as_deref()), now_ms),
            used: found.uses,
            customer_id: found.owner,
            coupon: found.coupon,
            currency: found.currency,
            code,
            uses,
            reservations,
        }))
    }
}
