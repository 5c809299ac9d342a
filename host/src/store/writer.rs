//! The one writer: members of a group share a transaction and its one sync to disk, each behind a
//! savepoint, and hear of it after the commit.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::AnyConnection;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::cache::Caches;
use super::dialect::Dialect;
use super::signals::Signals;
use super::{Result, StoreError};

/// Members that share a commit, at most.
const GROUP: usize = 128;

/// Writes that may queue before callers wait.
const QUEUE: usize = 1_024;

/// What a transaction changed that others keep copies of or wait for.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// (shop, id)
    pub customers: Vec<(String, String)>,
    pub products: Vec<(String, String)>,
    /// Events whose jobs went on.
    pub events: Vec<String>,
    /// There may be jobs or timers to do.
    pub work: bool,
    /// There may be messages to hand over.
    pub mail: bool,
}

impl Touched {
    fn take_in(&mut self, other: Self) {
        self.customers.extend(other.customers);
        self.products.extend(other.products);
        self.events.extend(other.events);
        self.work |= other.work;
        self.mail |= other.mail;
    }
}

/// A transaction, as its members see it.
pub(super) struct Tx {
    pub connection: AnyConnection,
    pub touched: Touched,
}

/// Captures nothing and borrows its input, so that a database that makes transactions fail for their
/// neighbours' sake can run it again.
pub(super) type Work<A, T> = for<'c> fn(&'c mut Tx, &'c A) -> BoxFuture<'c, Result<T>>;

trait Member: Send {
    /// Whether to keep what it wrote.
    fn run<'c>(&'c mut self, tx: &'c mut Tx) -> BoxFuture<'c, bool>;
    fn settle(self: Box<Self>, group: Result<()>);
}

struct Queued<A, T> {
    input: A,
    work: Work<A, T>,
    result: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<A: Send + Sync + 'static, T: Send + 'static> Member for Queued<A, T> {
    fn run<'c>(&'c mut self, tx: &'c mut Tx) -> BoxFuture<'c, bool> {
        Box::pin(async move {
            // A member that panics must not take the writer, and with it the host, along.
            let result = AssertUnwindSafe((self.work)(tx, &self.input)).catch_unwind().await;
            let result = result.unwrap_or_else(|_| {
                Err(StoreError::Database("a write panicked; it was rolled back".to_owned()))
            });
            let keep = result.is_ok();
            self.result = Some(result);
            keep
        })
    }

    fn settle(self: Box<Self>, group: Result<()>) {
        let Self { result, reply, .. } = *self;
        let lost = || Err(StoreError::Database("the write did not run".to_owned()));
        let answer = match group {
            Ok(()) => result.unwrap_or_else(lost),
            // Its own failure says more than the group's.
            Err(error) => match result {
                Some(Err(own)) => Err(own),
                _ => Err(error),
            },
        };
        // Whoever asked may have gone; the write stands.
        let _ = reply.send(answer);
    }
}

/// The handle that writes are sent through.
pub(super) struct Writer {
    queue: mpsc::Sender<Box<dyn Member>>,
    closing: CancellationToken,
    task: std::sync::Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(
        connection: AnyConnection,
        dialect: Dialect,
        caches: Arc<Caches>,
        signals: Arc<Signals>,
    ) -> Self {
        let (queue, members) = mpsc::channel(QUEUE);
        let closing = CancellationToken::new();
        let tx = Tx { connection, touched: Touched::default() };
        let room = Room { tx, members, dialect, caches, signals, closing: closing.clone() };
        Self { queue, closing, task: std::sync::Mutex::new(Some(tokio::spawn(room.run()))) }
    }

    /// Durable when it returns `Ok`; nothing is left of it when it returns `Err`.
    pub(super) async fn write<A, T>(&self, input: A, work: Work<A, T>) -> Result<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let closed = || StoreError::Database("the store is closed".to_owned());
        self.queue.send(Box::new(Queued { input, work, result: None, reply })).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Finishes what is queued.
    pub(super) async fn close(&self) {
        self.closing.cancel();
        let task = self.task.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(task) = task {
            let _ = task.await;
        }
    }
}

struct Room {
    tx: Tx,
    members: mpsc::Receiver<Box<dyn Member>>,
    dialect: Dialect,
    caches: Arc<Caches>,
    signals: Arc<Signals>,
    closing: CancellationToken,
}

impl Room {
    async fn run(mut self) {
        loop {
            let first = tokio::select! {
                biased;
                () = self.closing.cancelled() => {
                    self.members.close();
                    self.members.recv().await
                }
                first = self.members.recv() => first,
            };
            let Some(first) = first else { break };
            self.group(first).await;
        }
        let _ = sqlx::Connection::close(self.tx.connection).await;
    }

    async fn group(&mut self, first: Box<dyn Member>) {
        let mut touched = Touched::default();
        let mut group = Vec::new();
        let mut outcome = self.sql(self.dialect.begin()).await;
        let mut next = Some(first);
        while let Some(mut member) = next.take() {
            if outcome.is_ok() {
                outcome = self.member(member.as_mut(), &mut touched).await;
            }
            group.push(member);
            if outcome.is_ok() && group.len() < GROUP {
                next = self.members.try_recv().ok();
            }
        }
        if outcome.is_ok() {
            outcome = self.sql("COMMIT").await;
        }
        if outcome.is_err() {
            // Fails when SQLite rolled back by itself, which is what is wanted.
            let _ = self.sql("ROLLBACK").await;
            touched = Touched::default();
        }
        // Copies are forgotten before anyone hears that they are old.
        self.caches.forget(&touched);
        for member in group {
            member.settle(outcome.clone());
        }
        self.signals.announce(touched);
    }

    async fn member(&mut self, member: &mut dyn Member, touched: &mut Touched) -> Result<()> {
        self.sql("SAVEPOINT member").await?;
        let keep = member.run(&mut self.tx).await;
        let own = std::mem::take(&mut self.tx.touched);
        if keep {
            touched.take_in(own);
        } else {
            self.sql("ROLLBACK TO member").await?;
        }
        self.sql("RELEASE member").await
    }

    async fn sql(&mut self, text: &'static str) -> Result<()> {
        sqlx::query(text).execute(&mut self.tx.connection).await?;
        Ok(())
    }
}
