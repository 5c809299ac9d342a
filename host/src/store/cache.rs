//! Copies of what decisions read most, forgotten exactly when a commit changes them.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use moka::sync::Cache;

use super::writer::Touched;
use crate::domain::{CatalogEntry, CustomerRecord, StateOwner, Versioned};

const PRODUCTS: u64 = 50_000;
const CUSTOMERS: u64 = 20_000;
/// Bytes of the plugins' memory.
const STATE: u64 = 32 << 20;
/// Answers of one owner that are kept.
const ANSWERS: usize = 256;
/// What a kept text, list or owner takes besides its bytes, about.
const OVERHEAD: usize = 96;

/// One kind of copy. A read that was under way while a commit changed something is not kept: it may
/// have seen the time before.
pub(super) struct Copies<K, V> {
    cache: Cache<K, Option<Arc<V>>>,
    /// Changed by who holds the turn. A thread that gives way may stand still with it: who reads needs none.
    commits: AtomicU64,
    turn: Mutex<()>,
    age: Option<Duration>,
}

impl<K: Eq + Hash + Send + Sync + 'static, V: Send + Sync + 'static> Copies<K, V> {
    /// `weigh` in units of `capacity`.
    fn new(capacity: u64, age: Option<Duration>, weigh: fn(&K, &V) -> usize) -> Self {
        let cache = Cache::builder().max_capacity(capacity).weigher(move |key, value: &Option<Arc<V>>| {
            u32::try_from(value.as_ref().map_or(1, |value| weigh(key, value))).unwrap_or(u32::MAX)
        });
        let cache = match age {
            Some(age) => cache.time_to_live(age),
            None => cache,
        };
        Self { cache: cache.build(), commits: AtomicU64::new(0), turn: Mutex::new(()), age }
    }

    /// `Some(None)`: known to be absent.
    pub(super) fn get(&self, key: &K) -> Option<Option<Arc<V>>> {
        self.cache.get(key)
    }

    /// To be asked before reading, and handed to [`Self::keep`] afterwards.
    pub(super) fn moment(&self) -> u64 {
        self.commits.load(Ordering::SeqCst)
    }

    pub(super) fn keep(&self, moment: u64, key: K, value: Option<Arc<V>>) {
        let _turn = self.turn();
        if self.moment() == moment {
            self.cache.insert(key, value);
        }
    }

    fn forget(&self, keys: &[K]) {
        if keys.is_empty() {
            return;
        }
        let _turn = self.turn();
        self.commits.fetch_add(1, Ordering::SeqCst);
        for key in keys {
            self.cache.invalidate(key);
        }
    }

    fn forget_all(&self) {
        let _turn = self.turn();
        self.commits.fetch_add(1, Ordering::SeqCst);
        self.cache.invalidate_all();
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Copies<StateOwner, StateCopy> {
    /// Adds to what is kept of an owner.
    pub(super) fn learn(&self, moment: u64, owner: &StateOwner, learn: impl FnOnce(&mut StateCopy)) {
        let known = self.cache.get(owner).flatten();
        let fresh = |known: &Arc<StateCopy>| {
            let young = self.age.is_none_or(|age| known.since.elapsed() < age);
            young && known.keys.len() + known.lists.len() < ANSWERS
        };
        let mut copy = known.filter(fresh).map(|known| (*known).clone()).unwrap_or_default();
        learn(&mut copy);
        self.keep(moment, owner.clone(), Some(Arc::new(copy)));
    }
}

/// Keys in the order of their bytes.
type Listed = Vec<(String, Versioned)>;

/// What was read of one owner's state. A commit that changes any of it forgets all of it.
#[derive(Debug, Clone)]
pub(super) struct StateCopy {
    /// When its oldest answer was read, or before.
    since: Instant,
    pub keys: HashMap<String, Arc<Versioned>>,
    /// By prefix and limit.
    pub lists: HashMap<(String, u32), Arc<Listed>>,
}

impl Default for StateCopy {
    fn default() -> Self {
        Self { since: Instant::now(), keys: HashMap::new(), lists: HashMap::new() }
    }
}

impl StateCopy {
    fn bytes(owner: &StateOwner, copy: &Self) -> usize {
        let value = |value: &Versioned| OVERHEAD + value.value.as_ref().map_or(0, String::len);
        let keys = copy.keys.iter().map(|(key, kept)| key.len() + value(kept));
        let lists = copy.lists.iter().map(|((prefix, _), list)| {
            OVERHEAD + prefix.len() + list.iter().map(|(key, kept)| key.len() + value(kept)).sum::<usize>()
        });
        let owner = owner.shop.len() + owner.plugin.len() + owner.subject.len();
        OVERHEAD + owner + keys.chain(lists).sum::<usize>()
    }
}

pub(super) struct Caches {
    /// By shop and id.
    pub products: Copies<(String, String), CatalogEntry>,
    pub customers: Copies<(String, String), CustomerRecord>,
    pub state: Copies<StateOwner, StateCopy>,
}

impl Caches {
    /// `age`: copies are kept so long at most; for a database that others write to as well.
    pub(super) fn new(age: Option<Duration>) -> Self {
        Self {
            products: Copies::new(PRODUCTS, age, |_, _| 1),
            customers: Copies::new(CUSTOMERS, age, |_, _| 1),
            state: Copies::new(STATE, age, StateCopy::bytes),
        }
    }

    pub(super) fn forget(&self, touched: &Touched) {
        self.products.forget(&touched.products);
        self.customers.forget(&touched.customers);
        self.state.forget(&touched.state);
    }

    pub(super) fn forget_all(&self) {
        self.products.forget_all();
        self.customers.forget_all();
        self.state.forget_all();
    }
}
