//! Many writers: each write is a transaction of its own, run again when the database breaks it off for its
//! neighbours' sake or goes away before the commit.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use rand::Rng as _;
use sqlx::{AnyPool, Connection as _};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tokio_util::task::TaskTracker;

use super::{Touched, Tx, Work, panicked};
use crate::store::cache::Caches;
use crate::store::dialect::{Dialect, Peers};
use crate::store::signals::Signals;
use crate::store::{Result, StoreError};

/// Attempts at a transaction that collides with others.
const TRIES: u32 = 20;

/// So long a write waits for a database that is away.
const PATIENCE: Duration = Duration::from_secs(3);

/// Longer than a statement may take (`statement_timeout`): a server that says nothing for so long is away, though the
/// network does not tell.
const SILENCE: Duration = Duration::from_secs(60);

/// That a rollback may take; what is dropped is rolled back by the server.
const ROLLBACK: Duration = Duration::from_secs(5);

/// The first pause between two attempts, ms; they grow with each.
const PAUSE_MS: u64 = 5;

pub struct Many {
    room: Arc<Room>,
    running: TaskTracker,
}

struct Room {
    pool: AnyPool,
    /// A connection for each: who waits for a turn is not taken for someone whom the database does not answer.
    turns: Semaphore,
    dialect: Dialect,
    caches: Arc<Caches>,
    signals: Arc<Signals>,
    peers: Peers,
}

impl Many {
    pub fn start(
        pool: AnyPool,
        dialect: Dialect,
        caches: Arc<Caches>,
        signals: Arc<Signals>,
        peers: Peers,
    ) -> Self {
        let turns = Semaphore::new(pool.options().get_max_connections() as usize);
        let room = Arc::new(Room { pool, turns, dialect, caches, signals, peers });
        Self { room, running: TaskTracker::new() }
    }

    /// In a task of its own: whoever asked may go, and a transaction is not left half done.
    pub async fn write<A, T>(&self, input: A, work: Work<A, T>) -> Result<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let room = Arc::clone(&self.room);
        let written = self.running.spawn(async move { room.write(&input, work).await });
        written.await.unwrap_or_else(|_| Err(panicked()))
    }

    pub async fn close(&self) {
        self.running.close();
        self.running.wait().await;
        self.room.peers.close().await;
        self.room.pool.close().await;
    }
}

impl Room {
    async fn write<A: Sync, T: Send>(&self, input: &A, work: Work<A, T>) -> Result<T> {
        let began = Instant::now();
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.attempt(input, work).await {
                Ok((value, touched)) => {
                    self.caches.forget(&touched);
                    self.peers.tell(&touched);
                    self.signals.announce(touched);
                    return Ok(value);
                }
                Err(Broken::Final(error)) => return Err(error),
                Err(Broken::BeforeCommit(error)) => error,
            };
            let again = match error {
                StoreError::Collided(_) => tries < TRIES,
                StoreError::Away(_) => began.elapsed() < PATIENCE,
                _ => false,
            };
            if !again {
                return Err(error);
            }
            let pause = PAUSE_MS.saturating_mul(u64::from(tries));
            let pause = rand::rng().random_range(pause..=pause * 2);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    async fn attempt<A: Sync, T: Send>(&self, input: &A, work: Work<A, T>) -> Result<(T, Touched), Broken> {
        let _turn = self.turns.acquire().await.map_err(|_| Broken::Final(panicked()))?;
        let connection = self.pool.acquire().await.map_err(|error| Broken::BeforeCommit(error.into()))?;
        let mut tx = Tx::new(connection, self.dialect);
        let worked = async {
            tx.sql(self.dialect.begin()).await?;
            AssertUnwindSafe(work(&mut tx, input)).catch_unwind().await.unwrap_or_else(|_| Err(panicked()))
        };
        match answered(worked).await {
            Ok(value) => match answered(tx.sql("COMMIT")).await {
                Ok(()) => Ok((value, std::mem::take(&mut tx.touched))),
                Err(error) => {
                    // A collision that the commit shows has left nothing; a lost answer may stand for a commit, of
                    // which nobody would be told again.
                    let broken = if matches!(error, StoreError::Collided(_)) {
                        Broken::BeforeCommit(error)
                    } else {
                        self.caches.forget(&tx.touched);
                        self.peers.tell(&tx.touched);
                        Broken::Final(error)
                    };
                    tx.abandon().await;
                    Err(broken)
                }
            },
            Err(error) => {
                tx.abandon().await;
                Err(Broken::BeforeCommit(error))
            }
        }
    }
}

/// A transaction that did not come to its end.
enum Broken {
    /// Nothing is left of it.
    BeforeCommit(StoreError),
    Final(StoreError),
}

/// What the server says, in time.
async fn answered<T>(asked: impl Future<Output = Result<T>>) -> Result<T> {
    let silent = || StoreError::Away(format!("the server said nothing for {} s", SILENCE.as_secs()));
    timeout(SILENCE, asked).await.unwrap_or_else(|_| Err(silent()))
}

impl Tx {
    /// Rolled back; a connection that cannot even do that is not used again.
    async fn abandon(mut self) {
        let rolled_back = timeout(ROLLBACK, self.sql("ROLLBACK")).await;
        if !matches!(rolled_back, Ok(Ok(()))) {
            let _ = timeout(ROLLBACK, self.connection.detach().close_hard()).await;
        }
    }
}
