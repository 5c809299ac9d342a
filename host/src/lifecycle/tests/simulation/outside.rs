//! What goes on outside the host and outlives it: shops that report until they are answered, a mail server, and what
//! must come of all that is accepted. The expectation is a function of the script alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;

use super::super::support::*;
use crate::domain::*;
use crate::lifecycle::{Accepted, Identity, IntakeError, Lifecycle, Plugins};
use crate::plugins::call::{Fault, Invocation, Outcome};
use crate::plugins::registry::{LiveShop, Snapshot};
use crate::store::watched::point;
use crate::store::{HandOver, Handed, MessageFate, Ruling, Store, StoreError, StoredMessage};

/// An event that is too early waits so long for its elder, ms.
const HOLD: i64 = 15 * MINUTE;
const HOUR: i64 = 60 * MINUTE;

/// One report of a shop, under its name.
struct Report {
    name: &'static str,
    order: &'static str,
    event: fn() -> Event,
}

const fn report(name: &'static str, order: &'static str, event: fn() -> Event) -> Report {
    Report { name, order, event }
}

/// Two shops' systems: one tells of an order from placed to delivered, and twice that it was shipped; the other tells
/// that an order was shipped before it tells that it was placed.
const SCRIPTS: [&[Report]; 2] = [
    &[
        report("1 placed", "1", || placed("1")),
        report("1 shipped", "1", || shipped("1", "s")),
        report("1 shipped", "1", || shipped("1", "s")),
        report("1 delivered", "1", || delivered("1", "s")),
    ],
    &[report("2 shipped", "2", || shipped("2", "s")), report("2 placed", "2", || placed("2"))],
];

pub const CLIENTS: usize = SCRIPTS.len();

/// What an order's events are called in its life, the elder first.
const WORDS: [&str; 3] = ["placed", "shipped", "delivered"];

/// A report as its client knows it.
#[derive(Debug, Clone)]
struct Known {
    /// The clock when it was first sent, and when it was first answered.
    sent_at: i64,
    answered_at: Option<i64>,
    event_id: Option<String>,
}

/// Cheap to clone; clones share what they know.
#[derive(Clone, Default)]
pub struct Outside(Arc<Mutex<Notes>>);

#[derive(Debug, Clone, Default)]
pub struct Notes {
    /// Of each client: how many of its reports are answered.
    answered: [usize; CLIENTS],
    known: BTreeMap<&'static str, Known>,
    /// What should not have been answered so.
    wrong: Vec<String>,
    /// Message → how often the mail server took it.
    taken: BTreeMap<String, u64>,
    /// Taken, and not written down yet: (process, message).
    open: BTreeSet<(usize, String)>,
    /// Message → how often it may be taken again.
    excused: BTreeMap<String, u64>,
    failed_once: bool,
}

impl Outside {
    /// As it was at a moment: with what was known then.
    pub fn of(notes: Notes) -> Self {
        Self(Arc::new(Mutex::new(notes)))
    }

    pub fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap()
    }

    pub fn told_all(&self, client: usize) -> bool {
        self.notes().answered[client] == SCRIPTS[client].len()
    }

    /// A host that ends cannot write down what it has handed over.
    pub fn ends(&self, process: usize) {
        let mut notes = self.notes();
        let (ended, open) = std::mem::take(&mut notes.open).into_iter().partition(|(of, _)| *of == process);
        notes.open = open;
        let ended: BTreeSet<_> = ended;
        for (_, message) in ended {
            *notes.excused.entry(message).or_default() += 1;
        }
    }

    /// Reports one event after the other, each until it is answered.
    pub async fn report(self, client: usize, lifecycle: Lifecycle, shop: Arc<LiveShop>, clock: Clock) {
        while !self.told_all(client) {
            let Report { name, event, .. } = &SCRIPTS[client][self.notes().answered[client]];
            let now_ms = clock.now_ms();
            let sent = Known { sent_at: now_ms, answered_at: None, event_id: None };
            self.notes().known.entry(name).or_insert(sent);
            point("a report is sent").await;
            let identity =
                Identity { source: "api".to_owned(), id: (*name).to_owned(), fingerprint: [1; 32] };
            let accepted = lifecycle.accept(&shop, identity, event()).await;
            point("an answer comes").await;
            let mut notes = self.notes();
            match accepted {
                Ok(Accepted::New { event_id } | Accepted::Duplicate { event_id }) => {
                    notes.answered[client] += 1;
                    let known = notes.known.get_mut(name).unwrap();
                    known.answered_at.get_or_insert(clock.now_ms());
                    let first = known.event_id.get_or_insert_with(|| event_id.clone()).clone();
                    if first != event_id {
                        notes.wrong.push(format!("`{name}` was accepted as two events"));
                    }
                }
                Ok(Accepted::Conflict { .. }) => {
                    notes.wrong.push(format!("`{name}` was called a conflict"));
                    notes.answered[client] += 1;
                }
                // It is sent again.
                Err(IntakeError::Store(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// As `messages::deliver`, without a rendering: takes each due message, hands it over, writes it down.
    pub async fn deliver(
        self,
        process: usize,
        store: Store,
        clock: Clock,
    ) -> Result<Option<i64>, StoreError> {
        loop {
            let (due, _) = store.messages_due("", 10, 10, clock.now_ms()).await?;
            if due.is_empty() {
                return store.next_message().await;
            }
            for message in due {
                self.hand(process, &store, &clock, message).await?;
            }
        }
    }

    async fn hand(
        &self,
        process: usize,
        store: &Store,
        clock: &Clock,
        message: StoredMessage,
    ) -> Result<(), StoreError> {
        let StoredMessage { id, shop, customer_id, .. } = message;
        let hand_over = HandOver {
            id: id.clone(),
            shop,
            customer_id,
            judge: Arc::new(|_| Ruling::Send("email")),
            day: None,
            link: None,
            now_ms: clock.now_ms(),
            until_ms: clock.now_ms() + 300_000,
        };
        let Handed::Go { token, .. } = store.hand_over(hand_over).await? else { return Ok(()) };
        point("a mail is handed over").await;
        {
            let mut notes = self.notes();
            *notes.taken.entry(id.clone()).or_default() += 1;
            notes.open.insert((process, id.clone()));
        }
        point("a mail is taken").await;
        let fate =
            MessageFate::Sent { channel: "email".to_owned(), message_id: format!("<{id}@simulation>") };
        let written = store.settle_message(&id, token, &fate, clock.now_ms()).await?;
        let mut notes = self.notes();
        notes.open.remove(&(process, id.clone()));
        if !written {
            // It took so long that another courier has the message.
            *notes.excused.entry(id).or_default() += 1;
        }
        Ok(())
    }

    /// All that must be, and is not, when there is nothing more to do.
    pub async fn faults(&self, store: &Store) -> Vec<String> {
        let notes = self.notes_at_the_end();
        let mut faults = notes.wrong.clone();
        let mut expect = |what: &str, found: String, wanted: String| {
            if found != wanted {
                faults.push(format!("{what}: {found}, must be {wanted}"));
            }
        };
        for (name, known) in &notes.known {
            let standing = match &known.event_id {
                Some(event_id) => store.standing("demo", event_id).await.unwrap(),
                None => None,
            };
            let state = standing.map_or("not there".to_owned(), |standing| standing.state);
            expect(&format!("`{name}`"), state, "done".to_owned());
        }
        let mut orders: BTreeMap<&str, BTreeMap<&str, &Known>> = BTreeMap::new();
        for Report { name, order, .. } in SCRIPTS.into_iter().flatten() {
            let word = name.split(' ').nth(1).unwrap();
            orders.entry(order).or_default().insert(word, &notes.known[name]);
        }
        // Each placed order has one more: its timer.
        let events: usize = orders.values().map(|events| events.len() + 1).sum();
        let weights: i64 = orders.values().flat_map(BTreeMap::keys).map(|word| weight(word)).sum();
        let sum = weights + weight("timer") * orders.len() as i64;
        expect("calls counted", value(store, "calls").await, events.to_string());
        expect("weights summed up", value(store, "sum").await, sum.to_string());
        let customer = store.customer_id(&anna()).unwrap();
        let points = store.points("demo", &customer, None, 10).await.unwrap().entries;
        let balance = points.first().map_or(0, |entry| entry.balance);
        expect("points", balance.to_string(), (150 * orders.len()).to_string());
        for (table, rows) in [("coupons", orders.len()), ("timers", 0), ("jobs", 0)] {
            expect(table, store.rows(table).await.to_string(), rows.to_string());
        }
        let messages = store.messages("demo", None, 100).await.unwrap();
        expect("messages", messages.len().to_string(), orders.len().to_string());
        for message in messages {
            expect("a message", message.state, "sent".to_owned());
            let taken = notes.taken.get(&message.id).copied().unwrap_or(0);
            let most = 1 + notes.excused.get(&message.id).copied().unwrap_or(0);
            let right = (1..=most).contains(&taken);
            expect(
                "a mail went out",
                format!("{taken} times"),
                if right { format!("{taken} times") } else { format!("1 to {most} times") },
            );
        }
        for (order, events) in orders {
            let life = value(store, &format!("life-{order}")).await;
            faults.extend(out_of_order(order, &life, &events));
        }
        faults
    }

    fn notes_at_the_end(&self) -> Notes {
        std::mem::take(&mut self.notes())
    }
}

async fn value(store: &Store, key: &str) -> String {
    let found = store.state(&owner("p"), &[key.to_owned()]).await.unwrap().remove(0);
    found.value.unwrap_or_else(|| "nothing".to_owned())
}

/// What an order went through: each once, its timer after it was placed, and the elder first wherever the elder was
/// accepted while the younger would still wait for it.
fn out_of_order(order: &str, life: &str, events: &BTreeMap<&str, &Known>) -> Vec<String> {
    let words: Vec<&str> = life.split(',').collect();
    let bare: Vec<&str> = words.iter().map(|word| word.trim_start_matches("late-")).collect();
    let mut sorted = bare.clone();
    sorted.sort_unstable();
    let mut wanted: Vec<&str> = events.keys().copied().chain(["timer"]).collect();
    wanted.sort_unstable();
    if sorted != wanted {
        return vec![format!("the life of order {order}: {life}, must be once each of {}", wanted.join(","))];
    }
    let place = |word: &str| bare.iter().position(|known| *known == word).unwrap();
    let mut faults = Vec::new();
    if place("timer") < place("placed") {
        faults.push(format!("order {order}: its timer came before what set it: {life}"));
    }
    for (rank, younger) in WORDS.iter().enumerate().filter(|(_, word)| events.contains_key(*word)) {
        let waits_until = events[younger].sent_at + HOLD;
        let mut in_time = true;
        for elder in &WORDS[..rank] {
            let known = events[elder].answered_at.is_some_and(|at| at < waits_until);
            in_time &= known;
            if known && place(elder) > place(younger) {
                faults.push(format!("order {order}: `{younger}` came before `{elder}`: {life}"));
            }
        }
        if in_time && words[place(younger)].starts_with("late-") {
            faults.push(format!("order {order}: `{younger}` was called late: {life}"));
        }
    }
    faults
}

fn weight(word: &str) -> i64 {
    match word {
        "placed" => 1,
        "shipped" => 10,
        "delivered" => 100,
        _ => 1_000,
    }
}

/// A plugin whose effects are a function of the event and of what it wrote before. It fails once.
pub struct Played {
    pub snapshot: Arc<Snapshot>,
    pub outside: Outside,
}

#[async_trait]
impl Plugins for Played {
    fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot)
    }

    async fn call(&self, invocation: Invocation) -> Outcome {
        point("the plugin is called").await;
        let answer = self.answer(&invocation).await;
        point("the plugin has answered").await;
        let (result, reads) = match answer {
            Ok((effects, reads)) => (Ok(effects), reads),
            Err(fault) => (Err(fault), Vec::new()),
        };
        Outcome { result, reads, elapsed: Duration::ZERO }
    }
}

impl Played {
    async fn answer(&self, invocation: &Invocation) -> Asked {
        let order = invocation.order_id.clone().unwrap();
        let word = match invocation.hook {
            Hook::OrderPlaced => "placed",
            Hook::OrderShipped => "shipped",
            Hook::OrderDelivered => "delivered",
            Hook::Timer => "timer",
            other => panic!("not in the script: {other:?}"),
        };
        if word == "shipped"
            && order == "1"
            && !std::mem::replace(&mut self.outside.notes().failed_once, true)
        {
            return Err(Fault::Refused("not today".to_owned()));
        }
        let keys = [format!("life-{order}"), "sum".to_owned()];
        let read = invocation.reads.state(&owner("p"), &keys).await;
        let read = read.map_err(|error| Fault::Host(error.to_string()))?;
        let late = if invocation.surroundings.late { "late-" } else { "" };
        let life = match &read[0].value {
            Some(life) => format!("{life},{late}{word}"),
            None => format!("{late}{word}"),
        };
        let sum = read[1].value.as_ref().map_or(0, |sum| sum.parse::<i64>().unwrap()) + weight(word);
        let put =
            |key: &str, value: String| Effect::PutState { scope: Scope::Shop, key: key.to_owned(), value };
        let mut effects = vec![add("calls", 1), put(&keys[0], life), put("sum", sum.to_string())];
        match word {
            "placed" => effects.extend([
                send(message("thanks")),
                Effect::IssueCoupon {
                    coupon: Coupon {
                        value: CouponValue::FreeDelivery,
                        prefix: String::new(),
                        expires_at: None,
                        max_uses: 1,
                        min_subtotal: None,
                        personal: true,
                        purpose: format!("thanks for {order}"),
                    },
                },
                Effect::SetPoints { reference: order, total: 100 },
                Effect::SetTimer {
                    key: "ask".to_owned(),
                    due_at: invocation.surroundings.now_ms + HOUR,
                    payload: String::new(),
                },
            ]),
            "timer" => effects.push(Effect::SetPoints { reference: order, total: 150 }),
            _ => {}
        }
        let reads = keys.into_iter().zip(&read);
        let reads = reads.map(|(key, read)| StateRead::Key { owner: owner("p"), key, version: read.version });
        Ok((effects, reads.collect()))
    }
}
