//! Copies of what decisions read most, forgotten exactly when a commit changes them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moka::sync::Cache;

use super::writer::Touched;
use crate::domain::{CatalogEntry, CustomerRecord};

const PRODUCTS: u64 = 50_000;
const CUSTOMERS: u64 = 20_000;

/// One kind of copy. A read that was under way while a commit changed something is not kept: it may
/// have seen the time before.
pub(super) struct Copies<V> {
    cache: Cache<(String, String), Option<Arc<V>>>,
    commits: Mutex<u64>,
}

impl<V: Send + Sync + 'static> Copies<V> {
    fn new(capacity: u64, age: Option<Duration>) -> Self {
        let cache = Cache::builder().max_capacity(capacity);
        let cache = match age {
            Some(age) => cache.time_to_live(age),
            None => cache,
        };
        Self { cache: cache.build(), commits: Mutex::new(0) }
    }

    /// `Some(None)`: known to be absent.
    pub(super) fn get(&self, key: &(String, String)) -> Option<Option<Arc<V>>> {
        self.cache.get(key)
    }

    /// To be asked before reading, and handed to [`Self::keep`] afterwards.
    pub(super) fn moment(&self) -> u64 {
        *self.lock()
    }

    pub(super) fn keep(&self, moment: u64, key: (String, String), value: Option<Arc<V>>) {
        let commits = self.lock();
        if *commits == moment {
            self.cache.insert(key, value);
        }
    }

    fn forget(&self, keys: &[(String, String)]) {
        if keys.is_empty() {
            return;
        }
        let mut commits = self.lock();
        *commits = commits.wrapping_add(1);
        for key in keys {
            self.cache.invalidate(key);
        }
    }

    fn forget_all(&self) {
        let mut commits = self.lock();
        *commits = commits.wrapping_add(1);
        self.cache.invalidate_all();
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.commits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Caches {
    pub products: Copies<CatalogEntry>,
    pub customers: Copies<CustomerRecord>,
}

impl Caches {
    /// `age`: copies are kept so long at most; for a database that others write to as well.
    pub(super) fn new(age: Option<Duration>) -> Self {
        Self { products: Copies::new(PRODUCTS, age), customers: Copies::new(CUSTOMERS, age) }
    }

    pub(super) fn forget(&self, touched: &Touched) {
        self.products.forget(&touched.products);
        self.customers.forget(&touched.customers);
    }

    pub(super) fn forget_all(&self) {
        self.products.forget_all();
        self.customers.forget_all();
    }
}
