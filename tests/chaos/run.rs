//! One run: hosts, load and faults beside each other, then the comparison.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use harness::mail_server::{MailServer, Security};

use crate::books::{self, Books};
use crate::client::{self, Amount, Client};
use crate::database::{Cluster, Database, Open};
use crate::faults::{Done, Faults};
use crate::place::Place;
use crate::report::Report;
use crate::soak::{self, Growth};
use crate::{Arguments, Kind};

/// What is left over must get less within so long, or it stays.
const STUCK: Duration = Duration::from_secs(60);
/// Events a second of a soak.
const SOAK_RATE: u32 = 10;
/// Between two kills of a soak.
const SOAK_KILLS: Duration = Duration::from_secs(6);

/// Whether nothing was lost, doubled or out of order.
pub async fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let began = Instant::now();
    let seed = arguments.seed.unwrap_or_else(|| rand::random::<u32>().into());
    let hosts = match arguments.database {
        Kind::Sqlite => 1,
        Kind::Postgres => arguments.hosts.unwrap_or(3).max(1),
    };
    anyhow::ensure!(
        arguments.database == Kind::Postgres || arguments.hosts.unwrap_or(1) == 1,
        "SQLite serves one host"
    );
    let folder = tempfile::tempdir()?;
    // PostgreSQL's server is another user.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open)?;
    let (cluster, url) = match (arguments.database, &arguments.url) {
        (Kind::Sqlite, _) => (None, None),
        (Kind::Postgres, Some(url)) => (None, Some(url.clone())),
        (Kind::Postgres, None) => {
            let (cluster, url) = Cluster::start(folder.path());
            (Some(Arc::new(cluster)), Some(url))
        }
    };
    let mail = MailServer::start(Security::Plain).await;
    let mut places = Vec::new();
    for number in 0..hosts {
        let folder = folder.path().join(format!("host-{number}"));
        places.push(Place::open(&folder, url.as_deref(), &mail).await?);
    }
    let places = Arc::new(places);
    let url = match (&url, places.first()) {
        (Some(url), _) => url.clone(),
        (None, place) => format!("sqlite:{}?mode=ro", place.context("a host")?.database_file().display()),
    };
    let scene = Scene { database: Database::open(&url).await?, log: &folder.path().join("accepted"), places };
    eprintln!("{hosts} hosts, seed {seed}");
    let client = Arc::new(Client::new(Arc::clone(&scene.places), scene.log)?);
    let done = Arc::new(Done::default());
    let faults = Faults {
        places: Arc::clone(&scene.places),
        database: scene.database.clone(),
        cluster,
        client: Arc::clone(&client),
        seed,
        done: Arc::clone(&done),
    };
    let growth = tokio::select! {
        growth = scene.storm(arguments, seed, &client, &faults) => growth,
        never = scene.watch(&client, &done) => never,
    };
    let left = match growth {
        Ok(growth) => scene.settle().await.map(|left| (growth, left)),
        Err(error) => Err(error),
    };
    let (growth, left) = left.with_context(|| {
        let logs: Vec<String> = scene.places.iter().map(Place::log).collect();
        format!("with seed {seed}; the ends of the hosts' logs:\n{}", logs.join("\n--\n"))
    })?;
    let mut words = growth.map(|growth| growth.words()).unwrap_or_default();
    let grew = !words.is_empty();
    for place in scene.places.iter() {
        anyhow::ensure!(place.stop().await?, "a host does not stop: {}", place.log());
    }
    let accepted = client::accepted(scene.log)?;
    let mut found = scene.database.books().await?;
    let handed_twice = sink(&mail, &mut found);
    let difference = books::compare(&books::expected(&accepted), &found);
    if !left.is_nothing() {
        words.push(format!("never done: {left:?}"));
    }
    words.extend(scene.database.dead().await?);
    words.extend(difference.words.iter().cloned());
    let report = Report::of(arguments, hosts, seed, &client.tally, &done, &difference, handed_twice, began);
    report.publish()?;
    let whole = report.is_whole() && left.is_nothing() && !grew;
    if !whole {
        report.explain(arguments, &words);
        for place in scene.places.iter() {
            eprintln!("{}\n--", place.log());
        }
    }
    Ok(whole)
}

struct Scene<'a> {
    database: Database,
    log: &'a Path,
    places: Arc<Vec<Place>>,
}

impl Scene<'_> {
    /// Load and faults, until both have ended.
    async fn storm(
        &self,
        arguments: &Arguments,
        seed: u64,
        client: &Arc<Client>,
        faults: &Faults,
    ) -> anyhow::Result<Option<Growth>> {
        let Some(seconds) = arguments.soak else {
            let load = client.send(seed, Amount::Events(arguments.events));
            tokio::try_join!(load, faults.spread(arguments.kills, arguments.events))?;
            return Ok(None);
        };
        let end = Instant::now() + Duration::from_secs(seconds);
        let over = AtomicBool::new(false);
        let load = async {
            client.send(seed, Amount::Until(end, SOAK_RATE)).await?;
            over.store(true, Ordering::Relaxed);
            anyhow::Ok(())
        };
        let kills = async {
            // A host that is alone must live through what is measured.
            let alone = self.places.len() == 1;
            let quiet = AtomicBool::new(false);
            let quarter = async {
                if alone {
                    tokio::time::sleep(Duration::from_secs(seconds / 4)).await;
                    quiet.store(true, Ordering::Relaxed);
                }
                anyhow::Ok(())
            };
            let until = if alone { &quiet } else { &over };
            tokio::try_join!(faults.soak(SOAK_KILLS, until), quarter).map(|_| ())
        };
        let first = self.places.first().context("a host")?;
        let watched = soak::watch(first, &self.database, arguments.database, end);
        let ((), (), growth) = tokio::try_join!(load, kills, watched)?;
        Ok(Some(growth))
    }

    /// Keeps the client informed, and says how far it is. Never ends.
    async fn watch(&self, client: &Client, done: &Done) -> anyhow::Result<Option<Growth>> {
        let (tally, mut told) = (&client.tally, Instant::now());
        loop {
            if let Ok((done, open)) = self.database.progress().await {
                tally.done.store(u64::try_from(done)?, Ordering::Relaxed);
                tally.open.store(u64::try_from(open)?, Ordering::Relaxed);
            }
            if told.elapsed() > Duration::from_secs(5) {
                told = Instant::now();
                eprintln!(
                    "{} accepted, {} done, {} kills, {} zombies",
                    tally.accepted.load(Ordering::Relaxed),
                    tally.done.load(Ordering::Relaxed),
                    done.kills.load(Ordering::Relaxed),
                    done.zombies.load(Ordering::Relaxed),
                );
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Until nothing is open, or what is left does not get less.
    async fn settle(&self) -> anyhow::Result<Open> {
        let (mut least, mut since) = (None, Instant::now());
        loop {
            let open = self.database.open_work().await?;
            if open.is_nothing() {
                return Ok(open);
            }
            let sum = open.jobs + open.held + open.messages + open.timers;
            if least.is_none_or(|least| sum < least) {
                (least, since) = (Some(sum), Instant::now());
            } else if since.elapsed() > STUCK {
                return Ok(open);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// What the mail server got, into the books; how many mails came again under their Message-ID.
fn sink(mail: &MailServer, books: &mut Books) -> u64 {
    let mut marks: BTreeMap<String, (String, u64)> = BTreeMap::new();
    for taken in mail.taken() {
        marks.entry(taken.message_id()).or_insert_with(|| (taken.subject(), 0)).1 += 1;
    }
    let mut again = 0;
    for (mark, times) in marks.into_values() {
        books.add(format!("mail {mark}"), 1);
        again += times - 1;
    }
    again
}
