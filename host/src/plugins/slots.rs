//! Slots that calls wait for: a share for each plugin and for each shop, and shops in rotation when there are
//! more calls than slots.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// A number of slots, all alike.
#[derive(Debug)]
pub(super) struct Slots {
    all: u32,
    queue: Mutex<Queue>,
}

/// The calls of one plugin of one shop that have a slot.
#[derive(Debug, Default)]
pub(super) struct Lane {
    // Changed only while the queue is locked.
    running: AtomicU32,
}

/// How many slots a plugin and its shop may have at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shares {
    pub(super) plugin: u32,
    pub(super) shop: u32,
}

/// Why a call has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    Plugin,
    Shop,
    All,
}

/// A slot, until it is dropped.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    slots: &'a Slots,
    shop: &'a str,
    lane: &'a Arc<Lane>,
}

#[derive(Debug, Default)]
struct Queue {
    free: u32,
    /// Shop → its slots. A shop that had one is kept.
    running: HashMap<String, u32>,
    /// Only shops with waiting calls.
    waiting: BTreeMap<String, Vec<Line>>,
    /// The shop that was served last: the next one comes first.
    served: String,
    tickets: u64,
}

/// Waiting calls of one plugin, the oldest first.
#[derive(Debug)]
struct Line {
    lane: Arc<Lane>,
    shares: Shares,
    calls: VecDeque<(u64, oneshot::Sender<()>)>,
}

impl Slots {
    pub(super) fn new(all: u32) -> Self {
        let queue = Queue { free: all, ..Queue::default() };
        Self { all, queue: Mutex::new(queue) }
    }

    /// How many there are.
    pub(super) fn all(&self) -> u32 {
        self.all
    }

    /// Waits for a slot. Whoever stops waiting leaves the queue.
    pub(super) async fn take<'a>(&'a self, shop: &'a str, lane: &'a Arc<Lane>, shares: Shares) -> Slot<'a> {
        let place = {
            let mut queue = self.lock();
            if queue.full(shop, lane, shares).is_none() {
                queue.occupy(shop, lane);
                return Slot { slots: self, shop, lane };
            }
            queue.wait(shop, lane, shares)
        };
        let mut waiting =
            Waiting { slots: self, shop, lane, ticket: place.0, granted: place.1, taken: false };
        // An error cannot be: the sender is dropped only by what removes the ticket.
        let _ = (&mut waiting.granted).await;
        waiting.taken = true;
        Slot { slots: self, shop, lane }
    }

    /// Why a call would have to wait now.
    pub(super) fn full(&self, shop: &str, lane: &Lane, shares: Shares) -> Option<Full> {
        self.lock().full(shop, lane, shares)
    }

    fn release(&self, shop: &str, lane: &Lane) {
        let mut queue = self.lock();
        queue.vacate(shop, lane);
        queue.grant();
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lane {
    fn running(&self) -> u32 {
        self.running.load(Ordering::Relaxed)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.slots.release(self.shop, self.lane);
    }
}

/// A call in the queue.
struct Waiting<'a> {
    slots: &'a Slots,
    shop: &'a str,
    lane: &'a Arc<Lane>,
    ticket: u64,
    granted: oneshot::Receiver<()>,
    taken: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        let mut queue = self.slots.lock();
        if !queue.leave(self.shop, self.lane, self.ticket) {
            // It was granted in the moment in which nobody waited any more.
            queue.vacate(self.shop, self.lane);
            queue.grant();
        }
    }
}

impl Queue {
    fn full(&self, shop: &str, lane: &Lane, shares: Shares) -> Option<Full> {
        if self.free == 0 {
            Some(Full::All)
        } else if lane.running() >= shares.plugin {
            Some(Full::Plugin)
        } else if self.running.get(shop).is_some_and(|running| *running >= shares.shop) {
            Some(Full::Shop)
        } else {
            // Whoever waits though a slot is free waits for a share: nobody is overtaken.
            None
        }
    }

    fn occupy(&mut self, shop: &str, lane: &Lane) {
        self.free = self.free.saturating_sub(1);
        match self.running.get_mut(shop) {
            Some(running) => *running += 1,
            None => {
                self.running.insert(shop.to_owned(), 1);
            }
        }
        lane.running.fetch_add(1, Ordering::Relaxed);
    }

    fn vacate(&mut self, shop: &str, lane: &Lane) {
        self.free += 1;
        if let Some(running) = self.running.get_mut(shop) {
            *running = running.saturating_sub(1);
        }
        lane.running.fetch_sub(1, Ordering::Relaxed);
    }

    fn wait(&mut self, shop: &str, lane: &Arc<Lane>, shares: Shares) -> (u64, oneshot::Receiver<()>) {
        self.tickets += 1;
        let (sender, receiver) = oneshot::channel();
        let lines = self.waiting.entry(shop.to_owned()).or_default();
        let call = (self.tickets, sender);
        match lines.iter_mut().find(|line| Arc::ptr_eq(&line.lane, lane)) {
            Some(line) => {
                line.shares = shares;
                line.calls.push_back(call);
            }
            None => lines.push(Line { lane: Arc::clone(lane), shares, calls: [call].into() }),
        }
        (self.tickets, receiver)
    }

    /// Whether it was still there.
    fn leave(&mut self, shop: &str, lane: &Arc<Lane>, ticket: u64) -> bool {
        let Some(lines) = self.waiting.get_mut(shop) else { return false };
        let Some(line) = lines.iter_mut().find(|line| Arc::ptr_eq(&line.lane, lane)) else { return false };
        let Ok(place) = line.calls.binary_search_by_key(&ticket, |(ticket, _)| *ticket) else { return false };
        line.calls.remove(place);
        self.tidy(shop);
        true
    }

    /// Gives free slots to those who may have them, until there are none of either.
    fn grant(&mut self) {
        while self.free > 0 {
            let Some((shop, line)) = self.next() else { return };
            let Some(lines) = self.waiting.get_mut(&shop) else { return };
            let Some(line) = lines.get_mut(line) else { return };
            let Some((_, call)) = line.calls.pop_front() else { return };
            let lane = Arc::clone(&line.lane);
            self.occupy(&shop, &lane);
            self.tidy(&shop);
            self.served = shop;
            // One that stopped waiting in this moment gives the slot back itself.
            let _ = call.send(());
        }
    }

    /// The next shop after the last in which a call may go, and the line of its oldest such call.
    fn next(&self) -> Option<(String, usize)> {
        let after = self.waiting.range::<str, _>((Bound::Excluded(self.served.as_str()), Bound::Unbounded));
        let upto = self.waiting.range::<str, _>((Bound::Unbounded, Bound::Included(self.served.as_str())));
        after.chain(upto).find_map(|(shop, lines)| {
            let may_go = |line: &&(usize, &Line)| self.full(shop, &line.1.lane, line.1.shares).is_none();
            let ticket = |line: &(usize, &Line)| line.1.calls.front().map(|(ticket, _)| *ticket);
            let lines: Vec<_> = lines.iter().enumerate().collect();
            let (line, _) = lines.iter().filter(may_go).min_by_key(|line| ticket(line))?;
            Some((shop.clone(), *line))
        })
    }

    fn tidy(&mut self, shop: &str) {
        if let Some(lines) = self.waiting.get_mut(shop) {
            lines.retain(|line| !line.calls.is_empty());
            if lines.is_empty() {
                self.waiting.remove(shop);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use futures::FutureExt as _;

    use super::*;

    const OPEN: Shares = Shares { plugin: 100, shop: 100 };

    type Call<'a> = Pin<Box<dyn Future<Output = Slot<'a>> + 'a>>;

    /// A call that must wait.
    fn waits<'a>(slots: &'a Slots, shop: &'a str, lane: &'a Arc<Lane>, shares: Shares) -> Call<'a> {
        let mut call: Call<'a> = Box::pin(slots.take(shop, lane, shares));
        assert!(call.as_mut().now_or_never().is_none(), "it has a slot");
        call
    }

    /// A call that need not.
    fn goes<'a>(slots: &'a Slots, shop: &'a str, lane: &'a Arc<Lane>, shares: Shares) -> Slot<'a> {
        slots.take(shop, lane, shares).now_or_never().expect("a slot is free")
    }

    fn lanes<const N: usize>() -> [Arc<Lane>; N] {
        std::array::from_fn(|_| Arc::default())
    }

    #[test]
    fn a_plugin_gets_its_share_and_leaves_the_rest_to_others() {
        let slots = Slots::new(4);
        let [greedy, modest] = lanes();
        let half = Shares { plugin: 2, shop: 4 };
        let _one = goes(&slots, "a", &greedy, half);
        let two = goes(&slots, "a", &greedy, half);
        let mut third = waits(&slots, "a", &greedy, half);
        assert_eq!(slots.full("a", &greedy, half), Some(Full::Plugin));
        let _other = goes(&slots, "a", &modest, half);
        assert!(third.as_mut().now_or_never().is_none());
        drop(two);
        third.as_mut().now_or_never().expect("its share has a slot again");
    }

    #[test]
    fn a_shop_with_many_plugins_leaves_slots_to_others() {
        let slots = Slots::new(4);
        let lanes_of_a = lanes::<4>();
        let [of_b] = lanes();
        let shares = Shares { plugin: 2, shop: 3 };
        let _taken: Vec<_> = lanes_of_a[..3].iter().map(|lane| goes(&slots, "a", lane, shares)).collect();
        let _waits = waits(&slots, "a", &lanes_of_a[3], shares);
        assert_eq!(slots.full("a", &lanes_of_a[3], shares), Some(Full::Shop));
        let _last = goes(&slots, "b", &of_b, shares);
    }

    #[test]
    fn shops_are_served_in_rotation_however_long_the_queue_of_one_is() {
        let slots = Slots::new(1);
        let [of_a, of_b, of_c] = lanes();
        let first = goes(&slots, "a", &of_a, OPEN);
        let mut busy: Vec<_> = (0..100).map(|_| waits(&slots, "a", &of_a, OPEN)).collect();
        let mut b = waits(&slots, "b", &of_b, OPEN);
        let mut c = waits(&slots, "c", &of_c, OPEN);
        let mut order = Vec::new();
        let mut held = Some(first);
        for _ in 0..4 {
            drop(held.take());
            let next = [("b", &mut b), ("c", &mut c)].into_iter().find_map(|(name, call)| {
                if order.contains(&name) { None } else { Some((name, call.as_mut().now_or_never()?)) }
            });
            let (name, slot) = next.unwrap_or_else(|| {
                let slot = busy.iter_mut().find_map(|call| call.as_mut().now_or_never()).expect("one of a's");
                ("a", slot)
            });
            order.push(name);
            held = Some(slot);
            busy.drain(..usize::from(name == "a"));
        }
        assert_eq!(order, ["a", "b", "c", "a"], "each of the others waits for one of a's");
    }

    #[test]
    fn who_stops_waiting_leaves_nothing_behind() {
        let slots = Slots::new(1);
        let [lane] = lanes();
        let held = goes(&slots, "a", &lane, OPEN);
        let (one, mut two) = (waits(&slots, "a", &lane, OPEN), waits(&slots, "a", &lane, OPEN));
        drop(one);
        drop(held);
        let held = two.as_mut().now_or_never().expect("the next");
        let three = waits(&slots, "a", &lane, OPEN);
        // It is granted, and dropped before it is looked at.
        drop(held);
        drop(three);
        drop(goes(&slots, "a", &lane, OPEN));
        assert!(slots.lock().waiting.is_empty());
        assert_eq!(slots.lock().free, 1);
    }
}
