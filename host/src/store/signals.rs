//! Who is told of a commit: the worker, the courier, the dispatcher of webhooks, and whoever waits for
//! an event.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, watch};

use super::writer::Touched;

pub(super) struct Signals {
    work: watch::Sender<u64>,
    mail: watch::Sender<u64>,
    webhooks: watch::Sender<u64>,
    waiting: Mutex<HashMap<String, Arc<Notify>>>,
}

impl Signals {
    pub(super) fn new() -> Self {
        Self {
            work: watch::Sender::new(0),
            mail: watch::Sender::new(0),
            webhooks: watch::Sender::new(0),
            waiting: Mutex::default(),
        }
    }

    pub(super) fn work(&self) -> watch::Receiver<u64> {
        self.work.subscribe()
    }

    pub(super) fn mail(&self) -> watch::Receiver<u64> {
        self.mail.subscribe()
    }

    pub(super) fn webhooks(&self) -> watch::Receiver<u64> {
        self.webhooks.subscribe()
    }

    /// All who wait for a time look again.
    pub(super) fn wake(&self) {
        self.announce(Touched { work: true, mail: true, webhooks: true, ..Touched::default() });
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.values().for_each(|notify| notify.notify_waiters());
    }

    pub(super) fn announce(&self, touched: Touched) {
        if touched.work {
            self.work.send_modify(|count| *count = count.wrapping_add(1));
        }
        if touched.mail {
            self.mail.send_modify(|count| *count = count.wrapping_add(1));
        }
        if touched.webhooks {
            self.webhooks.send_modify(|count| *count = count.wrapping_add(1));
        }
        if touched.events.is_empty() {
            return;
        }
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for event in touched.events {
            if let Some(notify) = waiting.get(&event) {
                notify.notify_waiters();
            }
        }
    }

    /// Is told of each commit that moves the event's jobs on, from now on.
    pub(super) fn wait_for(self: &Arc<Self>, event_id: &str) -> Waiter {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let notify = Arc::clone(waiting.entry(event_id.to_owned()).or_default());
        Waiter { signals: Arc::clone(self), event_id: event_id.to_owned(), notify }
    }
}

/// Someone who waits for an event.
pub struct Waiter {
    signals: Arc<Signals>,
    event_id: String,
    notify: Arc<Notify>,
}

impl Waiter {
    /// Register (`enable`) before looking, so that nothing between is missed.
    pub fn notified(&self) -> tokio::sync::futures::Notified<'_> {
        self.notify.notified()
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut waiting = self.signals.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // The map's and this one.
        if Arc::strong_count(&self.notify) <= 2 {
            waiting.remove(&self.event_id);
        }
    }
}
