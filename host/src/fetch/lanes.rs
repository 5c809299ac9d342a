//! How many questions are on their way at once: of a plugin, of a shop, of the host.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::FetchLimits;

/// Names of lanes that are remembered before those that nobody is in are forgotten.
const REMEMBERED: usize = 1_000;

pub(super) struct Lanes {
    host: Arc<Semaphore>,
    of_shop: Named<String>,
    of_plugin: Named<(String, String)>,
}

struct Named<K> {
    width: usize,
    lanes: Mutex<HashMap<K, Arc<Semaphore>>>,
}

/// A place in all three, until the last part of it is dropped: that of the question, and that of a look-up which
/// goes on when the question is given up, because the operating system's cannot be stopped.
#[derive(Clone)]
pub(super) struct Place {
    _permits: Arc<[OwnedSemaphorePermit; 3]>,
}

tokio::task_local! {
    static OCCUPIED: Place;
}

impl Place {
    /// What is done in it can ask for it by [`Self::current`].
    pub(super) async fn hold<T>(self, act: impl Future<Output = T>) -> T {
        OCCUPIED.scope(self, act).await
    }

    pub(super) fn current() -> Option<Self> {
        OCCUPIED.try_with(Clone::clone).ok()
    }
}

impl Lanes {
    pub(super) fn new(limits: &FetchLimits) -> Self {
        Self {
            host: Arc::new(Semaphore::new(limits.concurrent as usize)),
            of_shop: Named::new(limits.concurrent_per_shop),
            of_plugin: Named::new(limits.concurrent_per_plugin),
        }
    }

    /// Waits for a place. The narrowest lane comes first: whoever waits in it takes no room in a wider one.
    pub(super) async fn enter(&self, shop: &str, plugin: &str) -> Option<Place> {
        let plugin = self.of_plugin.lane((shop.to_owned(), plugin.to_owned())).acquire_owned().await.ok()?;
        let shop = self.of_shop.lane(shop.to_owned()).acquire_owned().await.ok()?;
        let host = Arc::clone(&self.host).acquire_owned().await.ok()?;
        Some(Place { _permits: Arc::new([plugin, shop, host]) })
    }
}

impl<K: std::hash::Hash + Eq> Named<K> {
    fn new(width: u32) -> Self {
        Self { width: width as usize, lanes: Mutex::default() }
    }

    fn lane(&self, name: K) -> Arc<Semaphore> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if lanes.len() >= REMEMBERED {
            lanes.retain(|_, lane| Arc::strong_count(lane) > 1);
        }
        Arc::clone(lanes.entry(name).or_insert_with(|| Arc::new(Semaphore::new(self.width))))
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn a_greedy_plugin_and_a_greedy_shop_leave_room_for_others() {
        let limits = FetchLimits {
            concurrent: 4,
            concurrent_per_shop: 3,
            concurrent_per_plugin: 2,
            ..FetchLimits::default()
        };
        let lanes = Lanes::new(&limits);
        let enter = |shop, plugin| lanes.enter(shop, plugin).now_or_never().flatten();
        let first = enter("a", "one").unwrap();
        let _second = enter("a", "one").unwrap();
        assert!(enter("a", "one").is_none());
        let _third = enter("a", "two").unwrap();
        assert!(enter("a", "two").is_none());
        let _fourth = enter("b", "one").unwrap();
        assert!(enter("b", "one").is_none());
        drop(first);
        assert!(enter("b", "one").is_some());
    }
}
