//! Many messages at once: bounded, and each shop has a share, so that neither a slow mail server nor a shop
//! with a hundred thousand messages holds up the others.

use std::collections::HashMap;
use std::time::Duration;

use tokio::task::{self, JoinSet};
use tokio_util::sync::CancellationToken;

use super::Courier;
use crate::store::{StoreError, StoredMessage};

/// The fallback when no signal comes.
const POLL: Duration = Duration::from_secs(5);

/// Between two looks that found something due which could not be handed over.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a host that stops waits for messages under way: less than whoever stops it waits for the host.
const PARTING: Duration = Duration::from_secs(8);

impl Courier {
    /// Hands over all messages that are due, and those that become due meanwhile; gives the instant (UTC
    /// milliseconds) of the next one.
    pub async fn step(&self) -> Result<Option<i64>, StoreError> {
        let mut mail = self.store.mail();
        let mut round = Round::of(self);
        loop {
            // Before the look, so that nothing that comes after it is missed.
            mail.mark_unchanged();
            let mut outcome = round.fill().await;
            if round.is_empty() && outcome.is_ok() {
                return self.store.next_message().await;
            }
            if outcome.is_ok() {
                tokio::select! {
                    ended = round.next() => outcome = ended,
                    Ok(()) = mail.changed() => {}
                }
            }
            if let Err(error) = outcome {
                round.finish().await;
                return Err(error);
            }
        }
    }

    /// The same until it is told to stop: woken by the store, by the next due time, and by a poll as the
    /// fallback. Finishes the messages it holds.
    pub async fn run(&self, shutdown: CancellationToken) {
        let mut mail = self.store.mail();
        let mut round = Round::of(self);
        while !shutdown.is_cancelled() {
            mail.mark_unchanged();
            let next = match round.fill().await {
                Ok(()) => self.store.next_message().await,
                Err(error) => Err(error),
            };
            let wait = match next {
                Ok(next) => self.until(next),
                Err(error) => {
                    tell(&error, "messages wait: the store did not do what they need");
                    POLL
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                ended = round.next(), if !round.is_empty() => if let Err(error) = ended {
                    tell(&error, "a message waits: the store did not do what it needs");
                    tokio::time::sleep(PAUSE).await;
                },
                Ok(()) = mail.changed() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        // One that is left in the middle is taken up again, by the same Message-ID.
        if tokio::time::timeout(PARTING, round.finish()).await.is_err() {
            tracing::warn!("the mail server is too slow to wait for; what it was being given is tried again");
        }
    }

    fn until(&self, next: Option<i64>) -> Duration {
        let left = next.map_or(i64::MAX, |at_ms| at_ms.saturating_sub(self.clock.now_ms()));
        Duration::from_millis(u64::try_from(left).unwrap_or(0)).clamp(PAUSE, POLL)
    }
}

/// A database in trouble is told of once, not by each message that meets it.
fn tell(error: &StoreError, what: &'static str) {
    if !error.is_trouble() {
        tracing::error!(%error, "{what}");
    }
}

/// The messages that are under way.
struct Round<'a> {
    courier: &'a Courier,
    /// Tasks, so that each goes on while the round looks for more: it may hold the connection that the look waits for.
    tasks: JoinSet<Result<(), StoreError>>,
    under_way: HashMap<task::Id, Name>,
    /// The shop that was served last.
    after: String,
    /// Of the configuration whose caps hold.
    generation: Option<u64>,
}

/// A message, and its shop.
struct Name {
    id: String,
    shop: String,
}

impl<'a> Round<'a> {
    fn of(courier: &'a Courier) -> Self {
        Self {
            courier,
            tasks: JoinSet::new(),
            under_way: HashMap::new(),
            after: String::new(),
            generation: None,
        }
    }

    fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Begins with as many due messages as there is room for.
    async fn fill(&mut self) -> Result<(), StoreError> {
        let most = self.courier.concurrent.max(1);
        let share = most.div_ceil(2);
        if self.tasks.len() >= most {
            return Ok(());
        }
        let now_ms = self.courier.clock.now_ms();
        self.lift_caps(now_ms).await?;
        // Those that were begun with may still be due.
        let limit = most.saturating_mul(2);
        let (due, last) = self.courier.store.messages_due(&self.after, share, limit, now_ms).await?;
        self.after = last;
        for message in due {
            let of_shop = self.under_way.values().filter(|name| name.shop == message.shop).count();
            let begun = self.under_way.values().any(|name| name.id == message.id);
            if self.tasks.len() < most && of_shop < share && !begun {
                self.begin(message);
            }
        }
        Ok(())
    }

    /// A merchant who reads that the day's messages are used up may allow more.
    async fn lift_caps(&mut self, now_ms: i64) -> Result<(), StoreError> {
        let snapshot = self.courier.live.current();
        if self.generation == Some(snapshot.generation) {
            return Ok(());
        }
        for (id, shop) in &snapshot.shops {
            let day = super::deliver::day(shop, now_ms);
            self.courier.store.lift_cap(id, &day, shop.config.daily_messages, now_ms).await?;
        }
        self.generation = Some(snapshot.generation);
        Ok(())
    }

    fn begin(&mut self, message: StoredMessage) {
        let name = Name { id: message.id.clone(), shop: message.shop.clone() };
        let courier = self.courier.clone();
        let task = self.tasks.spawn(async move { courier.deliver(message).await });
        self.under_way.insert(task.id(), name);
    }

    /// Waits for one to end.
    async fn next(&mut self) -> Result<(), StoreError> {
        match self.tasks.join_next_with_id().await {
            None => Ok(()),
            Some(Ok((task, outcome))) => {
                self.under_way.remove(&task);
                outcome
            }
            // A panic is this host's fault, not the store's: what was being handed over is tried again.
            Some(Err(error)) => {
                self.under_way.remove(&error.id());
                tracing::error!(%error, "a message's task broke off");
                tokio::time::sleep(PAUSE).await;
                Ok(())
            }
        }
    }

    /// Waits for all.
    async fn finish(&mut self) {
        while !self.is_empty() {
            if let Err(error) = self.next().await {
                tell(&error, "what became of a message could not be written down");
            }
        }
    }
}
