//! The one writer: members of a group share a transaction and its one sync to disk, and hear of it after the commit.
//! Most groups have no member that fails. One that has is undone and run again, each member behind a savepoint.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::Any;
use sqlx::pool::PoolConnection;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{Touched, Tx, Work, panicked};
use crate::store::cache::Caches;
use crate::store::dialect::Dialect;
use crate::store::signals::Signals;
use crate::store::{Result, StoreError};

/// Members that share a commit, at most.
const GROUP: usize = 128;

/// Writes that may queue before callers wait.
const QUEUE: usize = 1_024;

trait Member: Send {
    /// An error: nothing of what it wrote is to be kept.
    fn run<'c>(&'c mut self, tx: &'c mut Tx) -> BoxFuture<'c, Result<()>>;
    fn settle(self: Box<Self>, group: Result<()>);
}

struct Queued<A, T> {
    input: A,
    work: Work<A, T>,
    result: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<A: Send + Sync + 'static, T: Send + 'static> Member for Queued<A, T> {
    fn run<'c>(&'c mut self, tx: &'c mut Tx) -> BoxFuture<'c, Result<()>> {
        Box::pin(async move {
            let result = AssertUnwindSafe((self.work)(tx, &self.input)).catch_unwind().await;
            let result = result.unwrap_or_else(|_| Err(panicked()));
            let ended = result.as_ref().map(|_| ()).map_err(StoreError::clone);
            self.result = Some(result);
            ended
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

pub struct One {
    queue: mpsc::Sender<Box<dyn Member>>,
    closing: CancellationToken,
    task: std::sync::Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl One {
    pub fn start(
        connection: PoolConnection<Any>,
        dialect: Dialect,
        caches: Arc<Caches>,
        signals: Arc<Signals>,
    ) -> Self {
        let (queue, members) = mpsc::channel(QUEUE);
        let closing = CancellationToken::new();
        let tx = Tx::new(connection, dialect);
        let room = Room { tx, members, dialect, caches, signals, closing: closing.clone() };
        Self { queue, closing, task: std::sync::Mutex::new(Some(tokio::spawn(room.run()))) }
    }

    /// Durable when it returns `Ok`; nothing is left of it when it returns `Err`.
    pub async fn write<A, T>(&self, input: A, work: Work<A, T>) -> Result<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let closed = || StoreError::Database("the store is closed".to_owned());
        self.queue.send(Box::new(Queued { input, work, result: None, reply })).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    pub async fn close(&self) {
        self.closing.cancel();
        let task = self.task.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(task) = task {
            let _ = task.await;
        }
    }
}

/// Why a group came to nothing.
enum Broken {
    /// One of its members.
    Member(StoreError),
    Group(StoreError),
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
        let _ = self.tx.connection.close().await;
    }

    async fn group(&mut self, first: Box<dyn Member>) {
        let mut group = vec![first];
        let mut outcome = self.together(&mut group).await;
        if matches!(outcome, Err(Broken::Member(_))) && group.len() > 1 {
            outcome = self.apart(&mut group).await.map_err(Broken::Group);
        }
        let (outcome, touched) = match outcome {
            Ok(touched) => (Ok(()), touched),
            Err(Broken::Member(error) | Broken::Group(error)) => (Err(error), Touched::default()),
        };
        // Copies are forgotten before anyone hears that they are old.
        self.caches.forget(&touched);
        for member in group {
            member.settle(outcome.clone());
        }
        self.signals.announce(touched);
    }

    /// All or none; whoever queues meanwhile joins in.
    async fn together(&mut self, group: &mut Vec<Box<dyn Member>>) -> Result<Touched, Broken> {
        let mut touched = Touched::default();
        if let Err(error) = self.tx.sql(self.dialect.begin()).await {
            // Whoever queues behind a beginning that failed has waited as long: each in turn would wait for ever.
            group.extend(std::iter::from_fn(|| self.members.try_recv().ok()));
            return Err(Broken::Group(error));
        }
        let mut next = group.pop();
        while let Some(mut member) = next.take() {
            let ended = member.run(&mut self.tx).await;
            group.push(member);
            touched.take_in(std::mem::take(&mut self.tx.touched));
            if let Err(error) = ended {
                self.undo().await;
                return Err(Broken::Member(error));
            }
            if group.len() < GROUP {
                next = self.members.try_recv().ok();
            }
        }
        self.commit(touched).await.map_err(Broken::Group)
    }

    /// Nothing is kept of those that fail.
    async fn apart(&mut self, group: &mut [Box<dyn Member>]) -> Result<Touched> {
        self.tx.sql(self.dialect.begin()).await?;
        let mut touched = Touched::default();
        for member in group {
            if let Err(error) = self.member(member.as_mut(), &mut touched).await {
                self.undo().await;
                return Err(error);
            }
        }
        self.commit(touched).await
    }

    async fn commit(&mut self, touched: Touched) -> Result<Touched> {
        let committed = self.tx.sql("COMMIT").await;
        if committed.is_err() {
            self.undo().await;
        }
        committed.map(|()| touched)
    }

    async fn undo(&mut self) {
        // Fails when SQLite rolled back by itself, which is what is wanted.
        let _ = self.tx.sql("ROLLBACK").await;
    }

    async fn member(&mut self, member: &mut dyn Member, touched: &mut Touched) -> Result<()> {
        self.tx.sql("SAVEPOINT member").await?;
        let ended = member.run(&mut self.tx).await;
        let own = std::mem::take(&mut self.tx.touched);
        match ended {
            Ok(()) => touched.take_in(own),
            // Where SQLite rolled all back by itself, there is no savepoint left: its reason is the group's.
            Err(error) => self.tx.sql("ROLLBACK TO member").await.map_err(|_| error)?,
        }
        self.tx.sql("RELEASE member").await
    }
}
