//! The storefront: sends orders' lives to whichever host, again when there is no answer, and writes down what was
//! accepted before it counts it.

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rand::Rng as _;
use tokio::sync::Semaphore;

use crate::life::{self, Fact};
use crate::place::{KEY, Place};

/// Orders whose events are sent at once.
const ORDERS: usize = 24;
/// Events in work, more or less, beyond which no more are sent: the load is constant, and kills hit the intake too.
const BACKLOG: u64 = 40;
/// An event is accepted by then, or the run has failed.
const PATIENCE: Duration = Duration::from_secs(120);
/// Less than a lease: who asks a host that is frozen asks another.
const ANSWER: Duration = Duration::from_secs(3);

/// How long events are sent.
#[derive(Debug, Clone, Copy)]
pub enum Amount {
    Events(u64),
    /// So many a second, until then.
    Until(Instant, u32),
}

/// What it did so far.
#[derive(Default)]
pub struct Tally {
    pub sent: AtomicU64,
    pub accepted: AtomicU64,
    pub retried: AtomicU64,
    /// Sent again on purpose.
    pub repeated: AtomicU64,
    /// Told by whoever reads the database.
    pub done: AtomicU64,
    /// In work, by the same word.
    pub open: AtomicU64,
}

pub struct Client {
    http: reqwest::Client,
    places: Arc<Vec<Place>>,
    log: Mutex<std::fs::File>,
    pub tally: Tally,
}

impl Client {
    pub fn new(places: Arc<Vec<Place>>, log: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            http: reqwest::Client::builder().timeout(ANSWER).build()?,
            places,
            log: Mutex::new(std::fs::File::create(log)?),
            tally: Tally::default(),
        })
    }

    /// Whether so many of the events are done, or all that there is.
    pub fn is_as_far_as(&self, due: u64, events: u64) -> bool {
        let Tally { accepted, done, open, .. } = &self.tally;
        let all = accepted.load(Ordering::Relaxed) >= events && open.load(Ordering::Relaxed) == 0;
        all || done.load(Ordering::Relaxed) >= due
    }

    /// Until all of it is accepted.
    pub async fn send(self: &Arc<Self>, seed: u64, amount: Amount) -> anyhow::Result<()> {
        let room = Arc::new(Semaphore::new(ORDERS));
        let mut lives = tokio::task::JoinSet::new();
        let (began, mut sent) = (Instant::now(), 0_u64);
        for number in 0.. {
            let mut facts = life::life(seed, number);
            match amount {
                Amount::Events(events) if sent == events => break,
                // The last ones are as short as need be.
                Amount::Events(events) if events - sent < life::LONGEST as u64 => {
                    facts.retain(|fact| fact.kind == life::Kind::Placed);
                }
                Amount::Until(end, _) if Instant::now() > end => break,
                _ => {}
            }
            sent += facts.len() as u64;
            let place = Arc::clone(&room).acquire_owned().await?;
            if let Amount::Until(_, rate) = amount {
                let due = began + Duration::from_secs_f64(sent as f64 / f64::from(rate));
                tokio::time::sleep_until(due.into()).await;
            }
            let client = Arc::clone(self);
            lives.spawn(async move {
                let _place = place;
                for fact in facts {
                    client.report(&fact).await?;
                }
                anyhow::Ok(())
            });
            while let Some(ended) = lives.try_join_next() {
                ended??;
            }
        }
        while let Some(ended) = lives.join_next().await {
            ended??;
        }
        Ok(())
    }

    async fn report(&self, fact: &Fact) -> anyhow::Result<()> {
        while self.tally.open.load(Ordering::Relaxed) > BACKLOG {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.tally.sent.fetch_add(1, Ordering::Relaxed);
        // Some twice at once, some twice one after the other.
        let chance = rand::rng().random_range(0..100);
        let one = if chance < 5 {
            self.tally.repeated.fetch_add(1, Ordering::Relaxed);
            let (one, other) = tokio::try_join!(self.accepted(fact), self.accepted(fact))?;
            same(fact, &one, &other);
            one
        } else {
            self.accepted(fact).await?
        };
        self.write(fact)?;
        self.tally.accepted.fetch_add(1, Ordering::Relaxed);
        if (5..12).contains(&chance) {
            self.tally.repeated.fetch_add(1, Ordering::Relaxed);
            let again = self.accepted(fact).await?;
            same(fact, &one, &again);
        }
        Ok(())
    }

    /// The host's id of it.
    async fn accepted(&self, fact: &Fact) -> anyhow::Result<String> {
        let (path, body) = life::request(fact);
        let end = Instant::now() + PATIENCE;
        loop {
            let place = rand::rng().random_range(0..self.places.len());
            let address = self.places.get(place).context("a host")?.address();
            let request = self.http.post(format!("http://{address}{path}")).bearer_auth(KEY);
            let answer = request.header("Idempotency-Key", fact.id()).json(&body).send().await;
            let said = match answer {
                Ok(answer) => {
                    let status = answer.status().as_u16();
                    (Some(status), answer.text().await.unwrap_or_default())
                }
                Err(error) => (None, error.to_string()),
            };
            match said {
                (Some(200 | 202), text) => {
                    if let Ok(receipt) = serde_json::from_str::<serde_json::Value>(&text) {
                        let id = receipt["event_id"].as_str().context("a receipt without an id")?;
                        return Ok(id.to_owned());
                    }
                }
                (Some(status @ 400..=499), text) if status != 429 => {
                    anyhow::bail!("{} was refused with {status}: {text}", fact.id());
                }
                (status, text) => {
                    anyhow::ensure!(
                        Instant::now() < end,
                        "{} is not accepted within {} s: {status:?} {text}",
                        fact.id(),
                        PATIENCE.as_secs()
                    );
                }
            }
            self.tally.retried.fetch_add(1, Ordering::Relaxed);
            let pause = rand::rng().random_range(30..120);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    /// On disk when it returns.
    fn write(&self, fact: &Fact) -> anyhow::Result<()> {
        let line = serde_json::to_string(fact)? + "\n";
        tokio::task::block_in_place(|| {
            let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            log.write_all(line.as_bytes())?;
            Ok(log.sync_data()?)
        })
    }
}

/// What comes of it shows in the books.
fn same(fact: &Fact, one: &str, again: &str) {
    if one != again {
        eprintln!("{} is two events: {one} and {again}", fact.id());
    }
}

/// What was accepted, in the order of the answers.
pub fn accepted(log: &Path) -> anyhow::Result<Vec<Fact>> {
    std::fs::read_to_string(log)?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}
