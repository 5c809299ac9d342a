//! What happens to the hosts: kills, freezes past the lease, restarts of their database. When, the seed says.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::client::Client;
use crate::database::{Cluster, Database, InHand};
use crate::place::{FROZEN, LEASE, Place};

/// A moment of work is waited for so long.
const MOMENT: Duration = Duration::from_secs(2);
/// What a host had in hand when it was killed is in nobody else's so long.
const ORPHANED: Duration = Duration::from_millis(1_500);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Kill,
    /// For so long.
    Freeze(Duration),
    /// Of the database, by a crash or not.
    Restart(&'static str),
}

/// What was done.
#[derive(Default)]
pub struct Done {
    pub kills: AtomicU64,
    /// The host had jobs or messages in hand.
    pub kills_mid_work: AtomicU64,
    pub zombies: AtomicU64,
    pub restarts: AtomicU64,
}

pub struct Faults {
    pub places: Arc<Vec<Place>>,
    pub database: Database,
    /// Where it may be restarted.
    pub cluster: Option<Arc<Cluster>>,
    pub client: Arc<Client>,
    pub seed: u64,
    pub done: Arc<Done>,
}

impl Faults {
    fn shared(&self) -> bool {
        self.places.len() > 1
    }

    /// So many kills, and the rest among them, spread over the work on `events`.
    pub async fn spread(&self, kills: u64, events: u64) -> anyhow::Result<()> {
        let mut rng = StdRng::seed_from_u64(self.seed);
        let mut plan: Vec<Fault> = (0..kills).map(|_| Fault::Kill).collect();
        if self.shared() {
            let frozen = kills.div_ceil(8).max(3) as usize;
            plan.extend(FROZEN.into_iter().cycle().take(frozen).map(Fault::Freeze));
        }
        if self.cluster.is_some() && kills > 0 {
            plan.extend([Fault::Restart("immediate"), Fault::Restart("fast")]);
        }
        // Any order is as good as another.
        for last in (1..plan.len()).rev() {
            plan.swap(last, rng.random_range(0..=last));
        }
        let steps = plan.len() as u64 + 1;
        for (number, fault) in plan.into_iter().enumerate() {
            let due = events * (number as u64 + 1) / steps;
            let patience = Instant::now() + Duration::from_secs(120);
            while !self.client.is_as_far_as(due, events) {
                anyhow::ensure!(Instant::now() < patience, "the work does not go on");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let place = rng.random_range(0..self.places.len());
            self.strike(&mut rng, fault, place).await?;
        }
        Ok(())
    }

    /// One after the other until it is `over`; the first host is spared.
    pub async fn soak(&self, every: Duration, over: &AtomicBool) -> anyhow::Result<()> {
        let mut rng = StdRng::seed_from_u64(self.seed);
        let first = usize::from(self.shared());
        for number in 1.. {
            tokio::time::sleep(every).await;
            if over.load(Ordering::Relaxed) {
                return Ok(());
            }
            let fault = if self.shared() && number % 5 == 0 { Fault::Freeze(FROZEN[0]) } else { Fault::Kill };
            let place = rng.random_range(first..self.places.len());
            self.strike(&mut rng, fault, place).await?;
        }
        Ok(())
    }

    async fn strike(&self, rng: &mut StdRng, fault: Fault, at: usize) -> anyhow::Result<()> {
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..200))).await;
        let place = self.places.get(at).context("a host")?;
        match fault {
            Fault::Kill => {
                // Most at a moment of work; the others hit whatever there is.
                if rng.random_bool(0.8) {
                    self.moment_of_work().await;
                }
                self.kill(place).await?;
            }
            Fault::Freeze(time) => {
                self.moment_of_work().await;
                place.with(|process| process.pause()).await?;
                tokio::time::sleep(time).await;
                place.with(|process| process.go_on()).await?;
                self.done.zombies.fetch_add(u64::from(time > LEASE), Ordering::Relaxed);
            }
            Fault::Restart(mode) => {
                if let Some(cluster) = &self.cluster {
                    tokio::task::block_in_place(|| cluster.restart(mode));
                    self.done.restarts.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        Ok(())
    }

    /// Until somebody has something in hand.
    async fn moment_of_work(&self) {
        let end = Instant::now() + MOMENT;
        while Instant::now() < end {
            if self.database.in_hand().await.is_ok_and(|in_hand| !in_hand.is_empty()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn kill(&self, place: &Place) -> anyhow::Result<()> {
        place.kill().await?;
        let killed = Instant::now();
        let left = self.database.in_hand().await.unwrap_or_default();
        self.done.kills.fetch_add(1, Ordering::Relaxed);
        if !self.shared() {
            // Nobody else has anything in hand.
            self.done.kills_mid_work.fetch_add(u64::from(!left.is_empty()), Ordering::Relaxed);
            return place.start().await;
        }
        let (started, orphaned) = tokio::join!(place.start(), self.orphaned(left, killed));
        self.done.kills_mid_work.fetch_add(u64::from(orphaned), Ordering::Relaxed);
        started
    }

    /// Whether something of this is still in the same hand: the others are done with theirs by then, and its lease
    /// has not ended.
    async fn orphaned(&self, left: InHand, killed: Instant) -> bool {
        tokio::time::sleep_until((killed + ORPHANED).into()).await;
        self.database.in_hand().await.is_ok_and(|now| now.intersection(&left).next().is_some())
    }
}
