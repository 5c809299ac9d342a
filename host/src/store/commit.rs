//! All that a call changed and the end of its job, in one fenced transaction.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use futures::future::BoxFuture;
use sqlx::AssertSqlSafe;

use super::claims::Claimed;
use super::coupons::NewCoupon;
use super::labels::Label;
use super::outgoing::{NewMessage, Origin};
use super::state::StateChange;
use super::timers::TimerChange;
use super::usage::Allowance;
use super::webhooks::NewWebhook;
use super::writer::{Subject, Touched, Tx};
use super::{
    Result, Store, StoreError, coupons, events, jobs, labels, outgoing, points, state, timers, usage,
    webhooks,
};
use crate::domain::StateRead;
use crate::sabotage::{GAP, Sabotage, on};

/// Rows in one statement.
const ROWS: usize = 100;

/// What is done about messages, in the order of the calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageStep {
    Send(NewMessage),
    /// By dedupe key.
    Cancel(String),
}

/// What a successful call asked for, checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    pub state: Vec<StateChange>,
    pub coupons: Vec<NewCoupon>,
    pub messages: Vec<MessageStep>,
    /// Reference and what it earns in sum.
    pub points: Vec<(String, i64)>,
    pub timers: Vec<TimerChange>,
    pub labels: Vec<Label>,
    pub webhooks: Vec<NewWebhook>,
    /// The kind of each effect, by its index.
    pub effects: Vec<&'static str>,
}

/// The end of a job.
#[derive(Debug, Clone)]
pub struct Completion {
    pub job: Claimed,
    pub event: events::Row,
    /// Of the order, else of the shop: what coupons are in.
    pub currency: String,
    /// What the call read: must not have changed.
    pub reads: Vec<StateRead>,
    pub changes: Changes,
    pub allowance: Allowance,
    pub now_ms: i64,
}

impl Store {
    /// [`super::StoreError::Fenced`]: the job is another worker's by now.
    /// [`super::StoreError::Stale`]: what the call read has changed; run it again.
    /// [`super::StoreError::Invalid`]: what it asked for cannot be.
    /// [`super::StoreError::Limit`]: it would keep or send more than it may. Nothing is left in any of these cases.
    pub async fn complete(&self, completion: Completion) -> Result<()> {
        let seen = seen(&completion.reads);
        if on(Sabotage::NoFence) {
            // For a host to be frozen in, with the job in hand.
            tokio::time::sleep(GAP).await;
        }
        let completion = if on(Sabotage::EffectsBeforeCommit) {
            self.effects_alone(completion).await?
        } else {
            completion
        };
        let completed = self.write(completion, complete).await;
        if matches!(completed, Ok(Verdict::Stale) | Err(StoreError::Stale)) {
            // It may be a copy that is old: another host's commit forgets it here when its word arrives.
            self.inner.caches.forget(&seen);
        }
        match completed? {
            Verdict::Done => Ok(()),
            Verdict::Stale => Err(StoreError::Stale),
        }
    }

    /// What [`Sabotage::EffectsBeforeCommit`] does: the job is left to end in a transaction of its own.
    async fn effects_alone(&self, mut completion: Completion) -> Result<Completion> {
        self.write(completion.clone(), |tx, done| {
            Box::pin(async move {
                tx.lock(subjects(done)).await?;
                if !state::unchanged(tx, &done.reads).await? {
                    return Err(StoreError::Stale);
                }
                effects(tx, done).await.map(|_| ())
            })
        })
        .await?;
        tokio::time::sleep(GAP).await;
        completion.reads = Vec::new();
        completion.changes = Changes::default();
        Ok(completion)
    }
}

/// What was read, as if it had changed.
fn seen(reads: &[StateRead]) -> Touched {
    let mut seen = Touched::default();
    for read in reads {
        match read {
            StateRead::Customer { shop, id, .. } => seen.customers.push((shop.clone(), id.clone())),
            StateRead::Key { owner, .. } | StateRead::Prefix { owner, .. } => seen.state.push(owner.clone()),
        }
    }
    seen.state.dedup();
    seen
}

/// How a transaction that could be committed ended the job.
enum Verdict {
    Done,
    /// Found before anything was written: a conflict is every day's business, and as an error it would undo the work of
    /// all that share the commit.
    Stale,
}

fn complete<'c>(tx: &'c mut Tx, done: &'c Completion) -> BoxFuture<'c, Result<Verdict>> {
    Box::pin(async move {
        let job = &done.job;
        tx.lock(subjects(done)).await?;
        if !on(Sabotage::NoCompare) && !state::unchanged(tx, &done.reads).await? {
            // Who has lost the job does not run it again.
            jobs::held(tx, job).await?;
            return Ok(Verdict::Stale);
        }
        jobs::finish(tx, job, done.now_ms).await?;
        if !on(Sabotage::NoFence) {
            effect_keys(tx, job, &done.changes.effects).await?;
        }
        let growth = effects(tx, done).await?;
        jobs::archive(tx, &job.id, &job.event_id, done.now_ms).await?;
        usage::grow(tx, (&job.shop, &job.plugin), growth, &done.allowance, done.now_ms).await?;
        Ok(Verdict::Done)
    })
}

/// What the call asked for, and how much more its plugin keeps by it.
async fn effects(tx: &mut Tx, done: &Completion) -> Result<usage::Growth> {
    let Completion { job, event, changes, .. } = done;
    let mut growth = state::change(tx, &changes.state).await?;
    let origin = Origin {
        shop: &job.shop,
        plugin: &job.plugin,
        event_id: &job.event_id,
        seq: event.seq,
        order_id: event.order_id.as_deref(),
        customer_id: event.customer_id.as_deref(),
        locale: event.locale.as_deref(),
        now_ms: done.now_ms,
    };
    let mut codes = BTreeMap::new();
    for coupon in &changes.coupons {
        codes.insert(coupon.handle, coupons::issue(tx, &origin, coupon, &done.currency).await?);
    }
    for step in &changes.messages {
        match step {
            MessageStep::Send(message) => {
                outgoing::insert(tx, &origin, message, &codes).await?;
                growth.messages += 1;
            }
            MessageStep::Cancel(key) => outgoing::cancel(tx, &origin, key).await?,
        }
    }
    if let Some(customer) = origin.customer_id {
        for (reference, total) in &changes.points {
            points::set(tx, &origin, customer, reference, *total).await?;
        }
    }
    for timer in &changes.timers {
        growth.timers += timers::change(tx, &origin, timer, job.created_at).await?;
    }
    for label in &changes.labels {
        labels::set(tx, &origin, label).await?;
    }
    for webhook in &changes.webhooks {
        webhooks::insert(tx, &origin, webhook).await?;
    }
    Ok(growth)
}

/// All that the call looked at and changes.
fn subjects(done: &Completion) -> Vec<Subject<'_>> {
    let Completion { job, event, reads, changes, .. } = done;
    let mut subjects = vec![Subject::Event(&job.event_id)];
    subjects.extend(event.order_id.as_deref().map(|id| Subject::Order(&job.shop, id)));
    subjects.extend(event.customer_id.as_deref().map(|id| Subject::Customer(&job.shop, id)));
    subjects.extend(reads.iter().map(|read| match read {
        StateRead::Key { owner, .. } | StateRead::Prefix { owner, .. } => state::subject(owner),
        StateRead::Customer { shop, id, .. } => Subject::Customer(shop, id),
    }));
    subjects.extend(changes.state.iter().map(|change| state::subject(&change.owner)));
    if !changes.timers.is_empty() {
        subjects.push(Subject::Timers(&job.shop, &job.plugin));
    }
    subjects
}

/// A key that is there already means that this was committed before: an error, never ignored.
async fn effect_keys(tx: &mut Tx, job: &Claimed, effects: &[&'static str]) -> Result<()> {
    for (chunk, kinds) in effects.chunks(ROWS).enumerate() {
        let mut text = "INSERT INTO effects (event_id, plugin, position, kind) VALUES ".to_owned();
        for row in 0..kinds.len() {
            let comma = if row == 0 { "" } else { ", " };
            let _ = write!(text, "{comma}($1, $2, ${}, ${})", row * 2 + 3, row * 2 + 4);
        }
        let mut query = sqlx::query(AssertSqlSafe(text)).bind(&job.event_id).bind(&job.plugin);
        for (row, kind) in kinds.iter().enumerate() {
            query = query.bind(i64::try_from(chunk * ROWS + row).unwrap_or(i64::MAX)).bind(*kind);
        }
        query.execute(tx.connection()).await.map_err(|error| {
            if error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation) {
                StoreError::Corrupt(format!("the effects of job {} were committed before", job.id))
            } else {
                StoreError::from(error)
            }
        })?;
    }
    Ok(())
}
