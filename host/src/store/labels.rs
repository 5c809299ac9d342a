//! Labels that plugins put on customers and orders.

use super::Result;
use super::outgoing::Origin;
use super::writer::Tx;

/// What is labelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Labelled {
    Customer,
    Order,
}

/// A label to set, or to take away when its value is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub on: Labelled,
    pub key: String,
    pub value: String,
}

pub(super) async fn set(tx: &mut Tx, origin: &Origin<'_>, label: &Label) -> Result<()> {
    let (kind, subject) = match label.on {
        Labelled::Customer => ("customer", origin.customer_id),
        Labelled::Order => ("order", origin.order_id),
    };
    let Some(subject) = subject else { return Ok(()) };
    if label.value.is_empty() {
        sqlx::query("DELETE FROM labels WHERE shop = $1 AND kind = $2 AND subject = $3 AND key = $4")
            .bind(origin.shop)
            .bind(kind)
            .bind(subject)
            .bind(&label.key)
            .execute(tx.connection())
            .await?;
    } else {
        sqlx::query(
            "INSERT INTO labels (shop, kind, subject, key, value, plugin, at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (shop, kind, subject, key) DO UPDATE SET \
               value = excluded.value, plugin = excluded.plugin, at = excluded.at",
        )
        .bind(origin.shop)
        .bind(kind)
        .bind(subject)
        .bind(&label.key)
        .bind(&label.value)
        .bind(origin.plugin)
        .bind(origin.now_ms)
        .execute(tx.connection())
        .await?;
    }
    if label.on == Labelled::Customer {
        tx.touched.customers.push((origin.shop.to_owned(), subject.to_owned()));
    }
    Ok(())
}
