//! Orders use coupons, and give the use back when they are cancelled. An order is a fact: one that comes
//! when nothing is left of its coupon stands, and is marked.

use sqlx::Row as _;

use super::normal;
use super::standing::find;
use crate::domain::Order;
use crate::store::writer::Tx;
use crate::store::{Result, announce};

/// An order as it uses coupons.
pub(in crate::store) struct Spending<'a> {
    pub shop: &'a str,
    pub event_id: &'a str,
    pub order: &'a Order,
    pub customer_id: Option<&'a str>,
    /// What [`codes`] gave before they were locked.
    pub codes: &'a [String],
    /// Its cancellation came first: nothing is used.
    pub cancelled: bool,
    pub now_ms: i64,
}

/// The codes that an order uses, in their normal form: those that it names. One that names none uses what
/// its cart holds.
pub(in crate::store) async fn codes(
    tx: &mut Tx,
    shop: &str,
    order: &Order,
    now_ms: i64,
) -> Result<Vec<String>> {
    let mut codes: Vec<String> = order.codes.iter().map(|code| normal(code)).collect();
    if let (true, Some(cart_id)) = (codes.is_empty(), &order.cart_id) {
        codes = sqlx::query(
            "SELECT code FROM coupon_reservations \
             WHERE shop = $1 AND cart_id = $2 AND ending IS NULL AND expires_at > $3",
        )
        .bind(shop)
        .bind(cart_id)
        .bind(now_ms)
        .fetch_all(tx.connection())
        .await?
        .iter()
        .map(|row| Ok(row.try_get(0)?))
        .collect::<Result<_>>()?;
    }
    codes.sort_unstable();
    codes.dedup();
    Ok(codes)
}

/// Those that this host issued are used once more, once for each order, and the cart's hold on coupons is
/// over. Gives the codes of which nothing was left.
pub(in crate::store) async fn spend(tx: &mut Tx, spending: &Spending<'_>) -> Result<Vec<String>> {
    let Spending { shop, order, customer_id, codes, cancelled, now_ms, .. } = spending;
    let mut overused = Vec::new();
    for code in *codes {
        let Some(found) = find(&mut *tx.connection(), shop, code, None, *now_ms).await? else { continue };
        let over = !cancelled && found.uses >= i64::from(found.coupon.max_uses);
        sqlx::query(
            "INSERT INTO coupon_uses (shop, code, order_id, at, customer_id, over_limit, released_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        )
        .bind(*shop)
        .bind(code)
        .bind(&order.id)
        .bind(*now_ms)
        .bind(*customer_id)
        .bind(i64::from(over))
        .bind(cancelled.then_some(*now_ms))
        .execute(tx.connection())
        .await?;
        if let (Some(cart_id), false) = (&order.cart_id, cancelled) {
            sqlx::query(
                "UPDATE coupon_reservations SET ending = 'used', ended_at = $4 \
                 WHERE shop = $1 AND code = $2 AND cart_id = $3 AND ending IS NULL AND expires_at > $4",
            )
            .bind(*shop)
            .bind(code)
            .bind(cart_id)
            .bind(*now_ms)
            .execute(tx.connection())
            .await?;
        }
        if over {
            let (most, used) = (found.coupon.max_uses, found.uses.saturating_add(1));
            announce::overused(tx, spending, code, most, used).await?;
            overused.push(code.clone());
        }
    }
    if let Some(cart_id) = &order.cart_id {
        let_go(tx, spending, cart_id).await?;
    }
    Ok(overused)
}

/// What the cart still holds was not bought with; all of its holds belong to the order's story.
async fn let_go(tx: &mut Tx, spending: &Spending<'_>, cart_id: &str) -> Result<()> {
    sqlx::query(
        "UPDATE coupon_reservations SET ending = 'released', ended_at = $3 \
         WHERE shop = $1 AND cart_id = $2 AND ending IS NULL AND expires_at > $3",
    )
    .bind(spending.shop)
    .bind(cart_id)
    .bind(spending.now_ms)
    .execute(tx.connection())
    .await?;
    sqlx::query(
        "UPDATE coupon_reservations SET order_id = $3, customer_id = COALESCE(customer_id, $4) \
         WHERE shop = $1 AND cart_id = $2 AND order_id IS NULL",
    )
    .bind(spending.shop)
    .bind(cart_id)
    .bind(&spending.order.id)
    .bind(spending.customer_id)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// The order was cancelled.
pub(in crate::store) async fn give_back(tx: &mut Tx, shop: &str, order_id: &str, now_ms: i64) -> Result<()> {
    sqlx::query(
        "UPDATE coupon_uses SET released_at = $3 WHERE shop = $1 AND order_id = $2 AND released_at IS NULL",
    )
    .bind(shop)
    .bind(order_id)
    .bind(now_ms)
    .execute(tx.connection())
    .await?;
    Ok(())
}
