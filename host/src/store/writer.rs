//! Writing: a transaction, what it touched, and the way to one. SQLite has one writer whose members share
//! commits; PostgreSQL has many, each with a transaction of its own.

mod many;
mod one;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AssertSqlSafe};

use super::dialect::Dialect;
use super::{Result, StoreError, gate};
use crate::domain::StateOwner;

pub(super) use many::Many;
pub(super) use one::One;

/// What a transaction changed that others keep copies of or wait for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Touched {
    /// (shop, id)
    pub customers: Vec<(String, String)>,
    pub products: Vec<(String, String)>,
    /// Whose state. A peer of an older version says nothing of it.
    #[serde(default)]
    pub state: Vec<StateOwner>,
    /// Events whose jobs went on.
    pub events: Vec<String>,
    /// There may be jobs or timers to do.
    pub work: bool,
    /// There may be messages to hand over.
    pub mail: bool,
    /// There may be notices for the shop's own systems. A peer of an older version says nothing of them.
    #[serde(default)]
    pub webhooks: bool,
}

impl Touched {
    pub(super) fn take_in(&mut self, other: Self) {
        self.customers.extend(other.customers);
        self.products.extend(other.products);
        self.state.extend(other.state);
        self.events.extend(other.events);
        self.work |= other.work;
        self.mail |= other.mail;
        self.webhooks |= other.webhooks;
    }

    /// Says nothing twice.
    pub(super) fn unite(&mut self) {
        unite(&mut self.customers);
        unite(&mut self.products);
        unite(&mut self.state);
        unite(&mut self.events);
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn unite<T: Ord>(all: &mut Vec<T>) {
    all.sort_unstable();
    all.dedup();
}

/// A transaction, as its members see it.
pub(super) struct Tx {
    connection: PoolConnection<Any>,
    pub touched: Touched,
    dialect: Dialect,
}

/// What a transaction has to itself until it ends, so that what it looked at holds when it commits. With one
/// writer everything is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject<'a> {
    /// Shop and id: its sequence, its held events, the messages that its events cancel.
    Order(&'a str, &'a str),
    /// Shop and id: all that a call may see of it.
    Customer(&'a str, &'a str),
    /// Id: whether its jobs are done.
    Event(&'a str),
    /// Shop and normal code: its uses and reservations.
    Coupon(&'a str, &'a str),
    /// Shop and plugin, scope and subject: a plugin's memory.
    State(&'a str, &'a str, &'a str, &'a str),
    /// Shop and plugin: its timers, so that setting one twice is counted once.
    Timers(&'a str, &'a str),
}

impl Tx {
    pub(super) fn new(connection: PoolConnection<Any>, dialect: Dialect) -> Self {
        Self { connection, touched: Touched::default(), dialect }
    }

    pub(super) fn connection(&mut self) -> gate::Statement<'_> {
        gate::statement(&mut self.connection)
    }

    /// Waits until no other transaction has any of them. To be called before the first look, with all that
    /// the transaction will look at and change: the order of locking is the same for everybody.
    pub(super) async fn lock(&mut self, mut subjects: Vec<Subject<'_>>) -> Result<()> {
        subjects.sort_unstable();
        subjects.dedup();
        let Some(text) = self.dialect.lock(subjects.len()) else { return Ok(()) };
        let mut query = sqlx::query(AssertSqlSafe(text));
        for subject in subjects {
            query = query.bind(subject.key());
        }
        query.execute(self.connection()).await?;
        Ok(())
    }

    async fn sql(&mut self, text: &'static str) -> Result<()> {
        sqlx::query(text).execute(self.connection()).await?;
        Ok(())
    }
}

impl Subject<'_> {
    /// Two that share a key by chance wait for each other, no more.
    fn key(&self) -> i64 {
        use sha2::{Digest as _, Sha256};
        let (kind, parts): (u8, &[&str]) = match self {
            Self::Order(shop, id) => (0, &[shop, id]),
            Self::Customer(shop, id) => (1, &[shop, id]),
            Self::Event(id) => (2, &[id]),
            Self::Coupon(shop, code) => (3, &[shop, code]),
            Self::State(shop, plugin, scope, subject) => (4, &[shop, plugin, scope, subject]),
            Self::Timers(shop, plugin) => (5, &[shop, plugin]),
        };
        let mut hash = Sha256::new();
        hash.update([kind]);
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().iter().take(8).fold(0_i64, |key, byte| (key << 8) | i64::from(*byte))
    }
}

/// Captures nothing and borrows its input, so that a database that makes transactions fail for their
/// neighbours' sake can run it again.
pub(super) type Work<A, T> = for<'c> fn(&'c mut Tx, &'c A) -> BoxFuture<'c, Result<T>>;

/// The handle that writes are sent through.
pub(super) enum Writer {
    One(One),
    Many(Many),
}

impl Writer {
    /// Durable when it returns `Ok`; nothing is left of it when it returns `Err`.
    pub(super) async fn write<A, T>(&self, input: A, work: Work<A, T>) -> Result<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        match self {
            Self::One(writer) => writer.write(input, work).await,
            Self::Many(writer) => writer.write(input, work).await,
        }
    }

    /// Finishes what is queued.
    pub(super) async fn close(&self) {
        match self {
            Self::One(writer) => writer.close().await,
            Self::Many(writer) => writer.close().await,
        }
    }
}

/// A write that panics must not take the writer, and with it the host, along.
fn panicked() -> StoreError {
    StoreError::Database("a write panicked; it was rolled back".to_owned())
}
