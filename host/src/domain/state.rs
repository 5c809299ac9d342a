//! What calls read that is not in memory, and the versions that a commit compares.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Customer, Product, Scope};

/// Whose state a key belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StateOwner {
    pub shop: String,
    pub plugin: String,
    pub scope: Scope,
    /// Id of the customer or order; empty for `shop`.
    pub subject: String,
}

/// A value with the version that a commit compares; 0 = the key was absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versioned {
    pub value: Option<String>,
    pub version: i64,
}

/// What a call read that others may change meanwhile: compared at commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateRead {
    Key {
        owner: StateOwner,
        key: String,
        version: i64,
    },
    /// The keys and versions that a listing showed.
    Prefix {
        owner: StateOwner,
        prefix: String,
        limit: u32,
        seen: Vec<(String, i64)>,
    },
    /// The whole customer, for a plugin may judge by any part: points, tier, orders, consents.
    Customer {
        shop: String,
        id: String,
        seen: Option<Arc<Customer>>,
    },
}

/// Why a read failed; the call becomes a fault, and on the event path is tried again.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(pub String);

/// What calls read that is not in memory. The store answers; the sandbox only knows
/// the questions.
#[async_trait]
pub trait Reads: Send + Sync {
    async fn products(&self, shop: &str, ids: &[String]) -> Result<Vec<Option<Arc<Product>>>, ReadError>;
    async fn related(&self, shop: &str, product: &str, limit: u32) -> Result<Vec<String>, ReadError>;
    async fn field(&self, shop: &str, product: &str, key: &str) -> Result<Option<String>, ReadError>;
    async fn state(&self, owner: &StateOwner, keys: &[String]) -> Result<Vec<Versioned>, ReadError>;
    async fn state_list(
        &self,
        owner: &StateOwner,
        prefix: &str,
        limit: u32,
    ) -> Result<Vec<(String, Versioned)>, ReadError>;
}
