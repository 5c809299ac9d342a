//! Products, as the shop's catalogue has them.

use std::fmt::Write as _;
use std::sync::Arc;

use futures::future::BoxFuture;
use sqlx::{AssertSqlSafe, Row as _};

use super::writer::Tx;
use super::{Result, Store, from_json, to_json};
use crate::domain::CatalogEntry;

/// Rows in one statement.
const ROWS: usize = 100;

struct Batch {
    shop: String,
    entries: Vec<CatalogEntry>,
    now_ms: i64,
}

impl Store {
    pub async fn put_products(&self, shop: &str, entries: &[CatalogEntry], now_ms: i64) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        // A product twice in a batch: the last one counts, and a statement may name a row only once.
        let mut last = std::collections::BTreeMap::new();
        for entry in entries {
            last.insert(entry.product.id.as_str(), entry);
        }
        let batch = Batch { shop: shop.to_owned(), entries: last.into_values().cloned().collect(), now_ms };
        self.write(batch, put).await
    }

    /// In the order of `ids`. Answered from a cache that every write of the catalogue clears.
    pub async fn products(&self, shop: &str, ids: &[String]) -> Result<Vec<Option<CatalogEntry>>> {
        Ok(self
            .entries(shop, ids)
            .await?
            .into_iter()
            .map(|entry| entry.map(|kept| (*kept).clone()))
            .collect())
    }

    /// The same without copying.
    pub(super) async fn entries(&self, shop: &str, ids: &[String]) -> Result<Vec<Option<Arc<CatalogEntry>>>> {
        let products = &self.inner.caches.products;
        let keys: Vec<_> = ids.iter().map(|id| (shop.to_owned(), id.clone())).collect();
        let moment = products.moment();
        let mut found: Vec<_> = keys.iter().map(|key| products.get(key)).collect();
        let mut missing: Vec<&str> = keys
            .iter()
            .zip(&found)
            .filter(|(_, known)| known.is_none())
            .map(|((_, id), _)| id.as_str())
            .collect();
        missing.sort_unstable();
        missing.dedup();
        let mut read = std::collections::HashMap::new();
        for chunk in missing.chunks(ROWS) {
            let places = (2..chunk.len() + 2).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ");
            let text = format!("SELECT id, payload FROM products WHERE shop = $1 AND id IN ({places})");
            let mut query = sqlx::query(AssertSqlSafe(text)).bind(shop);
            for id in chunk {
                query = query.bind(*id);
            }
            for row in query.fetch_all(&self.inner.reads).await? {
                let entry: CatalogEntry = from_json("product", row.try_get(1)?)?;
                read.insert(row.try_get::<String, _>(0)?, Arc::new(entry));
            }
        }
        for (key, known) in keys.into_iter().zip(&mut found) {
            if known.is_none() {
                let entry = read.get(&key.1).cloned();
                products.keep(moment, key, entry.clone());
                *known = Some(entry);
            }
        }
        Ok(found.into_iter().map(Option::flatten).collect())
    }
}

fn put<'c>(tx: &'c mut Tx, batch: &'c Batch) -> BoxFuture<'c, Result<()>> {
    Box::pin(async move {
        for chunk in batch.entries.chunks(ROWS) {
            let mut text = "INSERT INTO products (shop, id, payload, updated_at) VALUES ".to_owned();
            for row in 0..chunk.len() {
                let comma = if row == 0 { "" } else { ", " };
                let _ = write!(text, "{comma}($1, ${}, ${}, $2)", row * 2 + 3, row * 2 + 4);
            }
            text.push_str(
                " ON CONFLICT (shop, id) DO UPDATE SET payload = excluded.payload, updated_at = excluded.updated_at",
            );
            let mut query = sqlx::query(AssertSqlSafe(text)).bind(&batch.shop).bind(batch.now_ms);
            for entry in chunk {
                query = query.bind(&entry.product.id).bind(to_json(entry));
                tx.touched.products.push((batch.shop.clone(), entry.product.id.clone()));
            }
            query.execute(tx.connection()).await?;
        }
        Ok(())
    })
}
