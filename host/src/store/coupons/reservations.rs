//! A cart at its checkout holds a use of a coupon for a while, so that no two pay with the last one.

use futures::future::BoxFuture;

use super::normal;
use super::standing::find;
use crate::domain::CodeReason;
use crate::store::writer::{Subject, Tx};
use crate::store::{Result, Store};

/// A use that a cart wants to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReservation {
    pub shop: String,
    pub code: String,
    pub cart_id: String,
    pub customer_id: Option<String>,
    /// It is over by then, or with the coupon.
    pub until: i64,
    pub now_ms: i64,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    New {
        expires_at: i64,
    },
    /// The cart held it already, and holds it until now this instant.
    Renewed {
        expires_at: i64,
    },
    Refused(CodeReason),
}

struct Release {
    shop: String,
    code: String,
    cart_id: String,
    now_ms: i64,
}

impl Store {
    pub async fn reserve_coupon(&self, new: NewReservation) -> Result<Reserved> {
        self.write(NewReservation { code: normal(&new.code), ..new }, reserve).await
    }

    /// Whether the cart held it.
    pub async fn release_coupon(&self, shop: &str, code: &str, cart_id: &str, now_ms: i64) -> Result<bool> {
        let release =
            Release { shop: shop.to_owned(), code: normal(code), cart_id: cart_id.to_owned(), now_ms };
        self.write(release, release_by_shop).await
    }
}

fn reserve<'c>(tx: &'c mut Tx, new: &'c NewReservation) -> BoxFuture<'c, Result<Reserved>> {
    Box::pin(async move {
        // Nobody else reserves or uses it between this look and the commit.
        tx.lock(vec![Subject::Coupon(&new.shop, &new.code)]).await?;
        let found = find(&mut *tx.connection(), &new.shop, &new.code, Some(&new.cart_id), new.now_ms).await?;
        let Some(found) = found else { return Ok(Reserved::Refused(CodeReason::Unknown)) };
        if let Some(reason) = found.reason(new.customer_id.as_deref(), new.now_ms) {
            return Ok(Reserved::Refused(reason));
        }
        let expires_at = found.coupon.expires_at.map_or(new.until, |expires| expires.min(new.until));
        sqlx::query(
            "INSERT INTO coupon_reservations (shop, code, cart_id, reserved_at, expires_at, customer_id) \
             VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (shop, code, cart_id, reserved_at) DO UPDATE SET \
               expires_at = excluded.expires_at, ending = NULL, ended_at = NULL, \
               customer_id = COALESCE(excluded.customer_id, coupon_reservations.customer_id)",
        )
        .bind(&new.shop)
        .bind(&new.code)
        .bind(&new.cart_id)
        .bind(found.held_since.unwrap_or(new.now_ms))
        .bind(expires_at)
        .bind(new.customer_id.as_deref())
        .execute(tx.connection())
        .await?;
        Ok(match found.held_since {
            Some(_) => Reserved::Renewed { expires_at },
            None => Reserved::New { expires_at },
        })
    })
}

fn release_by_shop<'c>(tx: &'c mut Tx, held: &'c Release) -> BoxFuture<'c, Result<bool>> {
    Box::pin(async move {
        let released = sqlx::query(
            "UPDATE coupon_reservations SET ending = 'released', ended_at = $4 \
             WHERE shop = $1 AND code = $2 AND cart_id = $3 AND ending IS NULL AND expires_at > $4",
        )
        .bind(&held.shop)
        .bind(&held.code)
        .bind(&held.cart_id)
        .bind(held.now_ms)
        .execute(tx.connection())
        .await?
        .rows_affected();
        Ok(released > 0)
    })
}
