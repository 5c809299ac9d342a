//! The model and the store do the same: random walks of the model's actions, each done to the real store, and both
//! compared after each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::Row as _;

use super::*;
use crate::domain::{Hook, Scope, StateOwner};
use crate::store::tests::house;
use crate::store::{
    Allowance, Change, Changes, Claim, Claimed, Completion, Failure, Intake, StateChange, Store, StoreError,
    Taken, new_id,
};

const WALKS: u64 = 60;
const STEPS: usize = 60;
const WORKERS: usize = 3;
const PLUGINS: [&str; 2] = ["p", "q"];
const NAMES: [&str; EVENTS] = ["placed", "shipped"];

const REST: i64 = 10_000;
const LEASE: i64 = 60_000;
const HOLD: i64 = 900_000;
/// Past all of them.
const LATER: i64 = 3_600_000;

/// The model's state beside the store's: one shop, one order.
struct Walk<'a> {
    store: &'a Store,
    shop: String,
    model: State,
    now_ms: i64,
    /// The ids of the events that were taken in.
    events: BTreeMap<usize, String>,
    /// What each worker has in memory.
    leases: Vec<Option<Claimed>>,
}

/// Transactions of the store are whole here: what the model takes apart is done in one.
fn whole(action: Action) -> &'static [Action] {
    const TAKEN: [[Action; 2]; EVENTS] = [
        [Action::TakeIn(PLACED), Action::TakenIn(PLACED)],
        [Action::TakeIn(SHIPPED), Action::TakenIn(SHIPPED)],
    ];
    const LATE: [Action; 3] = [Action::FindLate, Action::LookLate, Action::ReleaseLate];
    match action {
        Action::TakeIn(event) => &TAKEN[event],
        Action::FindLate => &LATE,
        _ => &[],
    }
}

#[tokio::test]
async fn sqlite_the_store_does_what_the_model_does() {
    let (_folder, store) = house().await;
    let mut seen = BTreeSet::new();
    for seed in 0..WALKS {
        let mut random = StdRng::seed_from_u64(seed);
        let mut walk = Walk {
            store: &store,
            shop: format!("shop-{seed}"),
            model: State::new(WORKERS, PLUGINS.len()),
            now_ms: 1_000_000_000_000 + seed as i64 * 1_000 * LATER,
            events: BTreeMap::new(),
            leases: vec![None; WORKERS],
        };
        let mut path = format!("walk {seed}:");
        for _ in 0..STEPS {
            let mut actions = walk.model.actions(ALL);
            // A name that is known is sent again at any time.
            actions.extend(walk.events.keys().map(|event| Action::TakeIn(*event)));
            let mut action = actions[random.random_range(0..actions.len())];
            // Work that is soon done leaves nobody to be late with it.
            if matches!(action, Action::Complete(_)) && random.random_bool(0.7) {
                action = actions[random.random_range(0..actions.len())];
            }
            let _ = write!(path, " {action:?}");
            let outcome = walk.step(action).await;
            let kind = format!("{action:?}").split('(').next().unwrap().to_owned();
            seen.insert(format!("{kind} {}", outcome.unwrap_or_else(|error| panic!("{path}: {error}"))));
            walk.compare().await.unwrap_or_else(|difference| panic!("{path}: {difference}"));
        }
    }
    let wanted = [
        "Claim done",
        "Clock done",
        "Complete done",
        "Complete fenced",
        "Fail done",
        "Fail fenced",
        "FindLate done",
        "Forget done",
        "GiveBack done",
        "Reclaim done",
        "Renew done",
        "Renew fenced",
        "TakeIn again",
        "TakeIn done",
    ];
    assert_eq!(seen, BTreeSet::from(wanted.map(str::to_owned)), "the walks came everywhere");
}

impl Walk<'_> {
    /// In the model and in the store; both must have the same outcome.
    async fn step(&mut self, action: Action) -> Result<&'static str, String> {
        if let Action::TakeIn(event) = action
            && let Some(known) = self.events.get(&event).cloned()
        {
            let again = self.take_in(event).await;
            return if again == (Taken::Duplicate { event_id: known }) {
                Ok("again")
            } else {
                Err(format!("{again:?}"))
            };
        }
        let mut fenced = false;
        let parts = whole(action);
        for part in if parts.is_empty() { std::slice::from_ref(&action) } else { parts } {
            let next = self.model.next(ALL, *part);
            assert_eq!(next.broken, None);
            fenced |= next.fenced;
            self.model = next.state;
        }
        let now_ms = self.now_ms;
        let ended = match action {
            Action::TakeIn(event) => {
                let held = matches!(self.model.events[event], Event::Held { .. });
                let taken = self.take_in(event).await;
                if taken != (Taken::New { held, overused: Vec::new() }) {
                    return Err(format!("{taken:?}"));
                }
                Ok(())
            }
            Action::FindLate => {
                let shops = self.store.shops_with_late_events(now_ms).await.unwrap();
                if !shops.contains(&self.shop) {
                    return Err("nothing is late".to_owned());
                }
                self.store.release_late(&self.shop, "EUR", subscribers(), now_ms).await.map(|_| ())
            }
            Action::Claim(worker, plugin, event) => {
                let claimed = self.claim(plugin).await;
                let [job] = &claimed[..] else { return Err(format!("claimed {claimed:?}")) };
                if Some(&job.event_id) != self.events.get(&event) {
                    return Err(format!("claimed {job:?}"));
                }
                self.leases[worker] = Some(job.clone());
                Ok(())
            }
            Action::Complete(worker) => self.complete(self.leases[worker].clone().unwrap()).await,
            Action::Fail(worker) => self.fail(self.leases[worker].clone().unwrap()).await,
            Action::GiveBack(worker) => {
                let job = self.leases[worker].clone().unwrap();
                // Of a job that is another's nothing changes, and nobody needs to know.
                fenced = false;
                self.store.give_back(&job, now_ms).await
            }
            Action::Renew(worker) => {
                let job = self.leases[worker].clone().unwrap();
                let renewed = self.store.renew(vec![job], now_ms + LEASE).await;
                renewed.and_then(|ids| if ids.is_empty() { Err(StoreError::Fenced) } else { Ok(()) })
            }
            Action::Reclaim => self.store.reclaim(now_ms).await,
            Action::Clock => {
                self.now_ms += LATER;
                Ok(())
            }
            Action::Forget(_) => Ok(()),
            Action::TakenIn(_) | Action::LookLate | Action::ReleaseLate => unreachable!("part of another"),
        };
        if let Action::Complete(worker)
        | Action::Fail(worker)
        | Action::GiveBack(worker)
        | Action::Forget(worker) = action
        {
            self.leases[worker] = None;
        }
        match (ended, fenced) {
            (Ok(()), false) => Ok("done"),
            (Err(StoreError::Fenced), true) => Ok("fenced"),
            (ended, _) => Err(format!("{ended:?}, and the model says fenced: {fenced}")),
        }
    }

    async fn take_in(&mut self, event: usize) -> Taken {
        let body = match event {
            PLACED => serde_json::json!({"order": {
                "id": "1", "number": "1", "placed_at": "2026-11-28T09:30:00Z", "currency": "EUR",
                "lines": [{"id": "1", "product": "mug", "title": "Mug", "quantity": 1, "unit_price": 100}],
                "subtotal": 100, "total": 100,
            }}),
            _ => serde_json::json!({"order_id": "1", "shipment": {
                "id": "s", "lines": [{"line": "1", "quantity": 1}], "shipped_at": "2026-11-28T15:00:00Z",
            }}),
        };
        let event_id = new_id("evt", self.now_ms);
        let intake = Intake {
            shop: self.shop.clone(),
            source: "api".to_owned(),
            id: NAMES[event].to_owned(),
            fingerprint: "00".to_owned(),
            event_id: event_id.clone(),
            event: match event {
                PLACED => crate::domain::Event::OrderPlaced(serde_json::from_value(body).unwrap()),
                _ => crate::domain::Event::OrderShipped(serde_json::from_value(body).unwrap()),
            },
            customer: None,
            locale: None,
            quote: None,
            currency: "EUR".to_owned(),
            subscribers: subscribers(),
            hold_until: self.now_ms + HOLD,
            now_ms: self.now_ms,
        };
        let taken = self.store.take_in(intake).await.unwrap();
        self.events.entry(event).or_insert(event_id);
        taken
    }

    async fn claim(&self, plugin: usize) -> Vec<Claimed> {
        let claim = Claim {
            live: Arc::new([(self.shop.clone(), vec![PLUGINS[plugin].to_owned()])].into()),
            after: String::new(),
            limit: 1,
            per_shop: 1,
            now_ms: self.now_ms,
            lease_until: self.now_ms + LEASE,
        };
        self.store.claim(claim).await.unwrap().0
    }

    async fn complete(&self, job: Claimed) -> crate::store::Result<()> {
        let event = self.store.event(&job.event_id).await.unwrap().unwrap();
        let key = format!("{}-{}", job.plugin, event.hook);
        let change = StateChange { owner: self.owner(), key, change: Change::Add(1) };
        let changes = Changes { state: vec![change], effects: vec!["state-write.add"], ..Changes::default() };
        let allowance = Allowance::of(&crate::config::Limits::default());
        let completion = Completion {
            job,
            event,
            currency: "EUR".to_owned(),
            reads: Vec::new(),
            changes,
            allowance,
            now_ms: self.now_ms,
        };
        self.store.complete(completion).await
    }

    async fn fail(&self, job: Claimed) -> crate::store::Result<()> {
        let dead = job.attempts + 1 >= i64::from(ATTEMPTS);
        let failure = Failure {
            job_id: job.id,
            event_id: job.event_id,
            lease_token: job.lease_token,
            kind: "err",
            fault: "no".to_owned(),
            took_ms: 1,
            next: if dead {
                crate::store::Next::Dead { reason: "no".to_owned() }
            } else {
                crate::store::Next::Again { run_after: self.now_ms + REST }
            },
            now_ms: self.now_ms,
        };
        self.store.fail(failure).await
    }

    fn owner(&self) -> StateOwner {
        StateOwner {
            shop: self.shop.clone(),
            plugin: "p".to_owned(),
            scope: Scope::Shop,
            subject: String::new(),
        }
    }

    /// Event, plugin, what is stored; in the words of the model.
    async fn compare(&self) -> Result<(), String> {
        let reads = &self.store.inner.reads;
        let mut found = State { workers: self.model.workers.clone(), ..State::new(0, PLUGINS.len()) };
        let rows = sqlx::query("SELECT id, state, seq, hold_until FROM events WHERE shop = $1")
            .bind(&self.shop)
            .fetch_all(reads)
            .await
            .unwrap();
        let named = |id: &str| *self.events.iter().find(|(_, known)| *known == id).unwrap().0;
        let mut done = BTreeSet::new();
        for row in rows {
            let event = named(row.get(0));
            let state: String = row.get(1);
            let held = row.get::<Option<i64>, _>(3);
            found.events[event] = match (state.as_str(), held) {
                ("held", Some(until)) => Event::Held { due: until <= self.now_ms },
                ("open" | "done", None) => {
                    Event::Open { seq: u8::try_from(row.get::<i64, _>(2) - 1).unwrap() }
                }
                other => return Err(format!("an event is {other:?}")),
            };
            if state == "done" {
                done.insert(event);
            }
        }
        let rows = sqlx::query(
            "SELECT event_id, plugin, state, attempts, lease_until, run_after, lease_token FROM jobs WHERE shop = $1 \
             UNION ALL SELECT event_id, plugin, state, attempts, 0, 0, 0 FROM jobs_history WHERE shop = $1",
        )
        .bind(&self.shop)
        .fetch_all(reads)
        .await
        .unwrap();
        let mut tokens = BTreeMap::new();
        for row in rows {
            let event = named(row.get(0));
            let plugin = PLUGINS.iter().position(|name| *name == row.get::<String, _>(1)).unwrap();
            let passed = |column: usize| row.get::<i64, _>(column) <= self.now_ms;
            let stage = match row.get::<String, _>(2).as_str() {
                "waiting" => Stage::Waiting,
                "running" => Stage::Running { ended: passed(4) },
                "failed" => Stage::Failed { rested: passed(5) },
                "dead" => Stage::Dead,
                "done" => Stage::Done,
                other => return Err(format!("a job is {other}")),
            };
            if found.jobs[plugin][event].stage != Stage::None {
                return Err("a job is there twice".to_owned());
            }
            found.jobs[plugin][event] = Job { stage, attempts: u8::try_from(row.get::<i64, _>(3)).unwrap() };
            tokens.insert((plugin, event), row.get::<i64, _>(6));
        }
        if found != self.model {
            return Err(format!("the store is at {found:?}, the model at {:?}", self.model));
        }
        for (worker, lease) in self.model.workers.iter().zip(&self.leases) {
            let (Worker::Has { plugin, event, newest }, Some(lease)) = (worker, lease) else { continue };
            let token = tokens[&(*plugin, *event)];
            let done = found.jobs[*plugin][*event].stage == Stage::Done;
            if !done && (lease.lease_token == token) != *newest {
                return Err(format!("a lease has the token {}, the job {token}", lease.lease_token));
            }
        }
        for (event, name) in NAMES.iter().enumerate() {
            let over = |jobs: &[Job; EVENTS]| matches!(jobs[event].stage, Stage::Done | Stage::Dead);
            if done.contains(&event) != found.jobs.iter().all(over) {
                return Err(format!("`{name}` is done: {}", done.contains(&event)));
            }
            for (plugin, jobs) in PLUGINS.iter().zip(&found.jobs) {
                let key = format!("{plugin}-order-{name}");
                let counted = self.store.state(&self.owner(), &[key]).await.unwrap().remove(0).value;
                if counted.as_deref() != (jobs[event].stage == Stage::Done).then_some("1") {
                    return Err(format!("the effects of {plugin} for `{name}` are there {counted:?} times"));
                }
            }
        }
        Ok(())
    }
}

fn subscribers() -> Arc<crate::store::Subscribers> {
    let plugins: Vec<_> = PLUGINS.map(str::to_owned).to_vec();
    Arc::new(Hook::ALL.into_iter().map(|hook| (hook, plugins.clone())).collect())
}
