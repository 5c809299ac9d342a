//! What a decision asks the store.

use async_trait::async_trait;

use crate::domain::{CustomerRecord, OrderRecord};
use crate::store::{CouponStanding, Holder, Store, StoreError};

/// What the host knows: the [`Store`] but in tests.
#[async_trait]
pub trait Facts: Send + Sync {
    async fn customer(&self, shop: &str, id: &str) -> Result<Option<CustomerRecord>, StoreError>;
    async fn order(&self, shop: &str, id: &str) -> Result<Option<OrderRecord>, StoreError>;
    async fn coupon_standing(
        &self,
        shop: &str,
        code: &str,
        holder: Holder<'_>,
        now_ms: i64,
    ) -> Result<Option<CouponStanding>, StoreError>;
}

#[async_trait]
impl Facts for Store {
    async fn customer(&self, shop: &str, id: &str) -> Result<Option<CustomerRecord>, StoreError> {
        Store::customer(self, shop, id).await
    }

    async fn order(&self, shop: &str, id: &str) -> Result<Option<OrderRecord>, StoreError> {
        Store::order(self, shop, id).await
    }

    async fn coupon_standing(
        &self,
        shop: &str,
        code: &str,
        holder: Holder<'_>,
        now_ms: i64,
    ) -> Result<Option<CouponStanding>, StoreError> {
        Store::coupon_standing(self, shop, code, holder, now_ms).await
    }
}
