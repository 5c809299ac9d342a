//! Whether a coupon is good for a cart, and if not, why.

use sqlx::{AnyConnection, Row as _};

use super::normal;
use crate::domain::{CodeReason, Coupon};
use crate::store::{Result, Store, from_json, gate};

/// A coupon's standing for a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CouponStanding {
    pub coupon: Coupon,
    pub currency: String,
    /// Nothing: it is good, as far as it depends on the coupon.
    pub reason: Option<CodeReason>,
}

/// Who would use a coupon.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holder<'a> {
    pub customer: Option<&'a str>,
    /// Its own reservation does not stand in its way.
    pub cart: Option<&'a str>,
}

/// A coupon as it lies in the database.
pub(super) struct Found {
    pub coupon: Coupon,
    pub currency: String,
    pub owner: Option<String>,
    /// By orders that were not cancelled.
    pub uses: i64,
    /// By other carts, now.
    pub reserved: i64,
    /// The cart's own reservation, by the instant it was made.
    pub held_since: Option<i64>,
}

impl Store {
    /// `None` for codes that this host did not issue.
    pub async fn coupon_standing(
        &self,
        shop: &str,
        code: &str,
        holder: Holder<'_>,
        now_ms: i64,
    ) -> Result<Option<CouponStanding>> {
        let mut reads = self.inner.reads.acquire().await?;
        let found = find(&mut reads, shop, &normal(code), holder.cart, now_ms).await;
        let found = found.map_err(|error| self.inner.reads.heard(error))?;
        Ok(found.map(|found| CouponStanding {
            reason: found.reason(holder.customer, now_ms),
            coupon: found.coupon,
            currency: found.currency,
        }))
    }
}

impl Found {
    /// The first that holds: whose it is comes before what became of it.
    pub fn reason(&self, customer: Option<&str>, now_ms: i64) -> Option<CodeReason> {
        let most = i64::from(self.coupon.max_uses);
        if self.coupon.personal && self.owner.as_deref() != customer {
            Some(CodeReason::AnotherCustomer)
        } else if self.uses >= most {
            Some(CodeReason::UsedUp)
        } else if self.coupon.expires_at.is_some_and(|expires| expires <= now_ms) {
            Some(CodeReason::Expired)
        } else if self.uses.saturating_add(self.reserved) >= most {
            Some(CodeReason::Reserved)
        } else {
            None
        }
    }
}

/// `code`: in its normal form.
pub(super) async fn find(
    connection: &mut AnyConnection,
    shop: &str,
    code: &str,
    cart: Option<&str>,
    now_ms: i64,
) -> Result<Option<Found>> {
    sqlx::query(gate::around(
        "SELECT c.payload, c.currency, c.customer_id, \
           (SELECT COUNT(*) FROM coupon_uses u \
             WHERE u.shop = c.shop AND u.code = c.code AND u.released_at IS NULL), \
           (SELECT COUNT(*) FROM coupon_reservations r \
             WHERE r.shop = c.shop AND r.code = c.code AND r.ending IS NULL AND r.expires_at > $4 \
               AND r.cart_id <> $3), \
           (SELECT MAX(r.reserved_at) FROM coupon_reservations r \
             WHERE r.shop = c.shop AND r.code = c.code AND r.ending IS NULL AND r.expires_at > $4 \
               AND r.cart_id = $3) \
         FROM coupons c WHERE c.shop = $1 AND c.code = $2",
    ))
    .bind(shop)
    .bind(code)
    .bind(cart.unwrap_or_default())
    .bind(now_ms)
    .fetch_optional(connection)
    .await?
    .map(|row| {
        Ok(Found {
            coupon: from_json("coupon", row.try_get(0)?)?,
            currency: row.try_get(1)?,
            owner: row.try_get(2)?,
            uses: row.try_get(3)?,
            reserved: row.try_get(4)?,
            held_since: row.try_get(5)?,
        })
    })
    .transpose()
}
