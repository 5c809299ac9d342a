//! Customers: what plugins may know, and beside it, in a table of its own, how to reach them.

use std::sync::Arc;

use futures::future::BoxFuture;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sqlx::{AnyConnection, Row as _};

use super::writer::{Subject, Tx};
use super::{Result, Store, StoreError, from_json, gate, to_json};
use crate::domain::{Buyer, Consent, Contact, Customer, CustomerInput, CustomerRecord, PastOrder};

/// Past orders that a plugin is shown.
const PAST_ORDERS: i64 = 20;

struct Put {
    shop: String,
    id: String,
    input: CustomerInput,
    now_ms: i64,
}

impl Store {
    /// Creates or changes; absent fields stay as they are. Gives the host's id of the customer.
    pub async fn put_customer(&self, shop: &str, input: &CustomerInput, now_ms: i64) -> Result<String> {
        let id = self.customer_id(input).ok_or_else(|| {
            StoreError::Invalid(
                "a customer needs an `id`, or an `email` to be known by as a guest".to_owned(),
            )
        })?;
        let put = Put { shop: shop.to_owned(), id: id.clone(), input: input.clone(), now_ms };
        self.write(put, |tx, put| {
            Box::pin(async move {
                tx.lock(vec![Subject::Customer(&put.shop, &put.id)]).await?;
                upsert(tx, &put.shop, &put.id, &put.input, put.now_ms).await
            })
        })
        .await?;
        Ok(id)
    }

    /// The shop's id, else a keyed hash of the e-mail; `None`: nobody that could be known again.
    pub fn customer_id(&self, input: &CustomerInput) -> Option<String> {
        if let Some(id) = input.id.as_ref().filter(|id| !id.trim().is_empty()) {
            return Some(id.clone());
        }
        let email = input.email.as_ref().filter(|email| !email.trim().is_empty())?;
        Some(guest_id(&self.inner.guest_key, email))
    }

    /// With history, points, tier and consents.
    pub async fn customer(&self, shop: &str, id: &str) -> Result<Option<CustomerRecord>> {
        Ok(self.customer_copy(shop, id).await?.map(|record| (*record).clone()))
    }

    /// The same without copying.
    pub(crate) async fn customer_copy(&self, shop: &str, id: &str) -> Result<Option<Arc<CustomerRecord>>> {
        let customers = &self.inner.caches.customers;
        let key = (shop.to_owned(), id.to_owned());
        let moment = customers.moment();
        if let Some(known) = customers.get(&key) {
            return Ok(known);
        }
        let mut reads = self.inner.reads.acquire().await?;
        let record =
            read(&mut reads, shop, id).await.map_err(|error| self.inner.reads.heard(error))?.map(Arc::new);
        customers.keep(moment, key, record.clone());
        Ok(record)
    }
}

/// As the connection sees the customer now.
pub(super) async fn read(reads: &mut AnyConnection, shop: &str, id: &str) -> Result<Option<CustomerRecord>> {
    let Some(row) = sqlx::query(gate::around(
        "SELECT c.first_name, c.locale, c.zone, c.buyer, c.created_at, \
                    d.last_name, d.company, d.email, d.phone, \
                    (SELECT CAST(COALESCE(SUM(delta), 0) AS BIGINT) FROM points p \
                      WHERE p.shop = c.shop AND p.customer_id = c.id), \
                    (SELECT value FROM labels l \
                      WHERE l.shop = c.shop AND l.kind = 'customer' AND l.subject = c.id AND l.key = 'tier') \
             FROM customers c LEFT JOIN contacts d ON d.shop = c.shop AND d.customer_id = c.id \
             WHERE c.shop = $1 AND c.id = $2",
    ))
    .bind(shop)
    .bind(id)
    .fetch_optional(&mut *reads)
    .await?
    else {
        return Ok(None);
    };
    let consents = sqlx::query(gate::around(
        "SELECT channel, category, granted FROM consents WHERE shop = $1 AND customer_id = $2 \
             ORDER BY channel, category",
    ))
    .bind(shop)
    .bind(id)
    .fetch_all(&mut *reads)
    .await?
    .iter()
    .map(|row| {
        let granted = row.try_get::<i64, _>(2)? != 0;
        Ok(Consent { channel: row.try_get(0)?, category: row.try_get(1)?, granted })
    })
    .collect::<Result<Vec<_>>>()?;
    let sums = sqlx::query(gate::around(
        "SELECT COUNT(*), CAST(COALESCE(SUM(spent), 0) AS BIGINT), MIN(placed_at) FROM orders \
             WHERE shop = $1 AND customer_id = $2 AND payload IS NOT NULL AND status <> 'cancelled'",
    ))
    .bind(shop)
    .bind(id)
    .fetch_one(&mut *reads)
    .await?;
    let orders = sqlx::query(gate::around(
        "SELECT id, placed_at, currency, total, products FROM orders \
             WHERE shop = $1 AND customer_id = $2 AND payload IS NOT NULL AND status <> 'cancelled' \
             ORDER BY placed_at DESC, id DESC LIMIT $3",
    ))
    .bind(shop)
    .bind(id)
    .bind(PAST_ORDERS)
    .fetch_all(&mut *reads)
    .await?
    .iter()
    .map(|row| {
        Ok(PastOrder {
            id: row.try_get(0)?,
            placed_at: row.try_get(1)?,
            currency: row.try_get(2)?,
            total: row.try_get(3)?,
            products: from_json("products of an order", row.try_get(4)?)?,
        })
    })
    .collect::<Result<Vec<_>>>()?;
    let buyer = row.try_get::<Option<String>, _>(3)?;
    let balance: i64 = row.try_get(9)?;
    Ok(Some(CustomerRecord {
        customer: Arc::new(Customer {
            id: id.to_owned(),
            first_name: row.try_get(0)?,
            locale: row.try_get(1)?,
            zone: row.try_get(2)?,
            buyer: buyer.map_or_else(|| Ok(Buyer::default()), |text| from_json("buyer", text))?,
            created_at: row.try_get(4)?,
            first_order_at: sums.try_get(2)?,
            orders_count: u32::try_from(sums.try_get::<i64, _>(0)?).unwrap_or(u32::MAX),
            spent: sums.try_get(1)?,
            orders,
            points: balance.max(0),
            tier: row.try_get(10)?,
            consents,
        }),
        points_owed: balance.saturating_neg().max(0),
        contact: Contact {
            last_name: row.try_get(5)?,
            company: row.try_get(6)?,
            email: row.try_get(7)?,
            phone: row.try_get(8)?,
        },
    }))
}

/// The same guest for the same address however it is spelled, and no way back to the address without the key.
fn guest_id(key: &[u8; 32], email: &str) -> String {
    let mut block = [0; 64];
    for (padded, byte) in block.iter_mut().zip(key) {
        *padded = *byte;
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(email.trim().to_lowercase().as_bytes());
    let digest = mac.finalize().into_bytes();
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("guest_{hex}")
}

pub(super) fn upsert<'c>(
    tx: &'c mut Tx,
    shop: &'c str,
    id: &'c str,
    input: &'c CustomerInput,
    now_ms: i64,
) -> BoxFuture<'c, Result<()>> {
    Box::pin(async move {
        // What was erased stays erased: a late event must not bring it back.
        let changed = sqlx::query(
            "INSERT INTO customers (shop, id, first_name, locale, zone, buyer, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
             ON CONFLICT (shop, id) DO UPDATE SET \
               first_name = COALESCE(excluded.first_name, customers.first_name), \
               locale = COALESCE(excluded.locale, customers.locale), \
               zone = COALESCE(excluded.zone, customers.zone), \
               buyer = COALESCE(excluded.buyer, customers.buyer), \
               created_at = CASE WHEN $9 = 1 THEN excluded.created_at ELSE customers.created_at END, \
               updated_at = excluded.updated_at \
             WHERE customers.erased_at IS NULL",
        )
        .bind(shop)
        .bind(id)
        .bind(input.first_name.as_deref())
        .bind(input.locale.as_deref())
        .bind(input.zone.as_deref())
        .bind(input.buyer.as_ref().map(to_json))
        .bind(input.created_at.unwrap_or(now_ms))
        .bind(now_ms)
        .bind(i64::from(input.created_at.is_some()))
        .execute(tx.connection())
        .await?
        .rows_affected();
        if changed == 0 {
            return Ok(());
        }
        if [&input.last_name, &input.company, &input.email, &input.phone].into_iter().any(Option::is_some) {
            sqlx::query(
                "INSERT INTO contacts (shop, customer_id, last_name, company, email, phone) \
                 VALUES ($1, $2, $3, $4, $5, $6) \
                 ON CONFLICT (shop, customer_id) DO UPDATE SET \
                   last_name = COALESCE(excluded.last_name, contacts.last_name), \
                   company = COALESCE(excluded.company, contacts.company), \
                   email = COALESCE(excluded.email, contacts.email), \
                   phone = COALESCE(excluded.phone, contacts.phone)",
            )
            .bind(shop)
            .bind(id)
            .bind(input.last_name.as_deref())
            .bind(input.company.as_deref())
            .bind(input.email.as_deref())
            .bind(input.phone.as_deref())
            .execute(tx.connection())
            .await?;
        }
        for consent in input.consents.iter().flatten() {
            sqlx::query(
                "INSERT INTO consents (shop, customer_id, channel, category, granted, at) \
                 VALUES ($1, $2, $3, $4, $5, $6) \
                 ON CONFLICT (shop, customer_id, channel, category) DO UPDATE SET \
                   granted = excluded.granted, at = excluded.at",
            )
            .bind(shop)
            .bind(id)
            .bind(&consent.channel)
            .bind(&consent.category)
            .bind(i64::from(consent.granted))
            .bind(now_ms)
            .execute(tx.connection())
            .await?;
        }
        tx.touched.customers.push((shop.to_owned(), id.to_owned()));
        Ok(())
    })
}
