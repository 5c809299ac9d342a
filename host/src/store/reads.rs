//! The store answers what calls of plugins read.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Store, StoreError};
use crate::domain::{Product, ReadError, Reads, StateOwner, Versioned};

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

#[async_trait]
impl Reads for Store {
    async fn products(&self, shop: &str, ids: &[String]) -> Result<Vec<Option<Arc<Product>>>, ReadError> {
        let entries = self.entries(shop, ids).await?;
        Ok(entries.into_iter().map(|entry| entry.map(|entry| Arc::clone(&entry.product))).collect())
    }

    async fn related(&self, shop: &str, product: &str, limit: u32) -> Result<Vec<String>, ReadError> {
        let entries = self.entries(shop, &[product.to_owned()]).await?;
        Ok(entries
            .into_iter()
            .flatten()
            .flat_map(|entry| entry.related.clone())
            .take(limit as usize)
            .collect())
    }

    async fn field(&self, shop: &str, product: &str, key: &str) -> Result<Option<String>, ReadError> {
        let entries = self.entries(shop, &[product.to_owned()]).await?;
        Ok(entries.into_iter().flatten().find_map(|entry| entry.fields.get(key).cloned()))
    }

    async fn state(&self, owner: &StateOwner, keys: &[String]) -> Result<Vec<Versioned>, ReadError> {
        Ok(Self::state(self, owner, keys).await?)
    }

    async fn state_list(
        &self,
        owner: &StateOwner,
        prefix: &str,
        limit: u32,
    ) -> Result<Vec<(String, Versioned)>, ReadError> {
        Ok(Self::state_list(self, owner, prefix, limit).await?)
    }
}
