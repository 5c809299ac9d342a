//! Hosts that share the database tell each other what they committed: work to do, messages to hand over, and
//! copies that are old. Told after the commit, many commits at once; a word that is lost is made good by the
//! workers' poll and the copies' age.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::postgres::PgListener;
use sqlx::{AnyPool, Executor as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::store::Result;
use crate::store::cache::Caches;
use crate::store::signals::Signals;
use crate::store::writer::Touched;

const CHANNEL: &str = "cartwright";

/// PostgreSQL takes less than 8000 bytes.
const LONGEST: usize = 7_900;

/// Between two words, so that a busy host tells of many commits at once.
const BREATH: Duration = Duration::from_millis(5);

/// Between two attempts to reach a database that is away.
const TROUBLE: Duration = Duration::from_millis(500);

/// After so long without a word is tried whether the server is there: a network may lose it without telling.
const SILENCE: Duration = Duration::from_secs(15);

#[derive(Serialize, Deserialize)]
struct Word {
    /// Who says it: one's own word is old news.
    from: String,
    /// `None`: more than fits.
    touched: Option<Touched>,
}

/// The other hosts on this database.
pub struct Peers {
    said: mpsc::UnboundedSender<Touched>,
    tasks: std::sync::Mutex<Vec<JoinHandle<()>>>,
}

impl Peers {
    /// Listens from now on.
    pub async fn meet(
        database: &str,
        pool: AnyPool,
        caches: Arc<Caches>,
        signals: Arc<Signals>,
    ) -> Result<Self> {
        let me = uuid::Uuid::new_v4().simple().to_string();
        let listener = listen(database).await?;
        let (said, to_say) = mpsc::unbounded_channel();
        let tell = tokio::spawn(tell(pool, me.clone(), to_say));
        let hear = tokio::spawn(hear(listener, database.to_owned(), me, caches, signals));
        Ok(Self { said, tasks: std::sync::Mutex::new(vec![tell, hear]) })
    }

    pub fn tell(&self, touched: &Touched) {
        if !touched.is_empty() {
            // Fails when the store is closing.
            let _ = self.said.send(touched.clone());
        }
    }

    pub async fn close(&self) {
        let tasks =
            std::mem::take(&mut *self.tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        for task in tasks {
            task.abort();
            let _ = task.await;
        }
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        for task in self.tasks.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner) {
            task.abort();
        }
    }
}

async fn listen(database: &str) -> Result<PgListener> {
    let mut listener = PgListener::connect(database).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

async fn tell(pool: AnyPool, me: String, mut to_say: mpsc::UnboundedReceiver<Touched>) {
    while let Some(mut touched) = to_say.recv().await {
        while let Ok(more) = to_say.try_recv() {
            touched.take_in(more);
        }
        touched.unite();
        let mut word =
            serde_json::to_string(&Word { from: me.clone(), touched: Some(touched) }).unwrap_or_default();
        if word.len() > LONGEST {
            word = serde_json::to_string(&Word { from: me.clone(), touched: None }).unwrap_or_default();
        }
        let mut told = false;
        while let Err(error) =
            sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(&word).execute(&pool).await
        {
            if pool.is_closed() {
                return;
            }
            if !std::mem::replace(&mut told, true) {
                tracing::warn!(%error, "other hosts cannot be told of this one's commits; trying again");
            }
            tokio::time::sleep(TROUBLE).await;
        }
        tokio::time::sleep(BREATH).await;
    }
}

async fn hear(
    mut listener: PgListener,
    database: String,
    me: String,
    caches: Arc<Caches>,
    signals: Arc<Signals>,
) {
    loop {
        let said = match timeout(SILENCE, listener.try_recv()).await {
            Ok(said) => said,
            Err(_) => match timeout(SILENCE, listener.execute("SELECT 1")).await {
                Ok(Ok(_)) => continue,
                Ok(Err(error)) => Err(error),
                Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
            },
        };
        match said {
            Ok(Some(said)) => match serde_json::from_str::<Word>(said.payload()) {
                Ok(word) if word.from == me => {}
                Ok(Word { touched: Some(touched), .. }) => {
                    caches.forget(&touched);
                    signals.announce(touched);
                }
                // More than fits, or a newer host's words.
                Ok(Word { touched: None, .. }) | Err(_) => all_anew(&caches, &signals),
            },
            // The connection was lost and is there again: what was said between is not known.
            Ok(None) => all_anew(&caches, &signals),
            Err(error) => {
                tracing::warn!(%error, "other hosts' commits cannot be heard of; trying again");
                listener = loop {
                    tokio::time::sleep(TROUBLE).await;
                    if let Ok(listener) = listen(&database).await {
                        break listener;
                    }
                };
                all_anew(&caches, &signals);
            }
        }
    }
}

fn all_anew(caches: &Caches, signals: &Signals) {
    caches.forget_all();
    signals.wake();
}
