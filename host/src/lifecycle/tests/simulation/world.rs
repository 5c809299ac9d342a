//! A world with one clock, hosts that end at any point, and one who decides at each point who goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::super::support::*;
use super::outside::{CLIENTS, Notes, Outside, Played};
use crate::domain::Clock;
use crate::lifecycle::Lifecycle;
use crate::plugins::registry::LiveShop;
use crate::store::watched::{Watch, point};
use crate::store::{Store, testing};

/// Decisions after which a world that has no end is given up.
const MOST: usize = 20_000;

/// The clock moves by multiples of this, ms: longer than what is left to chance, the rest of a job that failed.
const GRID: i64 = 20_000;

/// Longer than a lease, and than a message is somebody's.
const LONG: i64 = 6 * MINUTE;

/// Leases are looked at so often at most.
const BEAT: Duration = Duration::from_secs(1);

/// A statement that the database does not answer so long waits for a lock that another host has; nothing else does.
const BLOCKED: Duration = Duration::from_millis(30);

/// Texts in statements, and what stands there instead.
pub type Breaks = Vec<(&'static str, &'static str)>;

/// Who decides what happens next.
pub enum Decider {
    /// Whoever came first goes first; the host ends at this decision.
    InOrder {
        end_at: Option<usize>,
    },
    Seeded(Box<StdRng>),
}

impl Decider {
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Box::new(StdRng::seed_from_u64(seed)))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Client(usize),
    Worker(usize),
    Courier,
}

impl Role {
    fn is_client(self) -> bool {
        matches!(self, Self::Client(_))
    }
}

type Step = Result<Option<i64>, String>;

struct Task {
    /// Is told of what there is to do since it began, as the loops of production are.
    announced: tokio::sync::watch::Receiver<u64>,
    under_way: Option<JoinHandle<Step>>,
    /// The next instant at which there is something to do.
    next: Option<i64>,
}

/// A process of the host, or what was one.
struct Host {
    number: usize,
    runtime: Runtime,
    working: std::sync::mpsc::Sender<()>,
    watch: Arc<Watch>,
    store: Store,
    workers: Vec<Lifecycle>,
    shop: Arc<LiveShop>,
    tasks: BTreeMap<Role, Task>,
}

/// Where one waits: which host, the place among its stops, whose.
#[derive(Clone, Copy)]
struct Place {
    host: usize,
    index: usize,
    task: usize,
}

/// What is there when a process ends: the files, and what the outside knows.
pub struct Moment {
    pub decision: usize,
    files: Vec<(OsString, Vec<u8>)>,
    now_ms: i64,
    notes: Notes,
}

/// Moments that differ, and their marks. Two points between which neither a file nor the outside changed leave the
/// same.
#[derive(Clone, Default)]
struct Moments(Arc<Mutex<Marked>>);

type Marked = (BTreeSet<Vec<u8>>, Vec<Moment>);

impl Moments {
    fn add(&self, decision: usize, folder: &Path, now_ms: i64, notes: Notes) {
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let files = files.map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap()));
        // Locks and shared memory go with the process.
        let kept = |name: &OsString| {
            name.to_string_lossy().ends_with(".db") || name.to_string_lossy().ends_with("-wal")
        };
        let mut files: Vec<_> = files.filter(|(name, _)| kept(name)).collect();
        files.sort();
        let mut mark = Sha256::new();
        for (_, bytes) in &files {
            mark.update(bytes);
        }
        mark.update(format!("{now_ms} {notes:?}"));
        let mut moments = self.0.lock().unwrap();
        if moments.0.insert(mark.finalize().to_vec()) {
            moments.1.push(Moment { decision, files, now_ms, notes });
        }
    }
}

enum Choice {
    Go(Place),
    Sleep {
        host: usize,
        task: usize,
        until: usize,
    },
    Clock(i64),
    /// What runs by a timer of the process, like the renewal of leases, has its turn.
    Beat {
        host: usize,
    },
    End {
        host: usize,
        pause: i64,
    },
}

/// What became of a world.
pub struct End {
    pub faults: Vec<String>,
    pub decisions: usize,
    pub ends: usize,
    /// Each decision: the host, the task, and the point from which it went on.
    pub schedule: Vec<String>,
    /// Statements that were broken on purpose.
    pub broken: usize,
}

pub struct World {
    folder: TempDir,
    clock: Clock,
    outside: Outside,
    hosts: Vec<Host>,
    decider: Decider,
    breaks: Breaks,
    commits: Arc<AtomicUsize>,
    schedule: Vec<String>,
    decisions: usize,
    ends: usize,
    broken: usize,
    /// Commits there were when all looked last.
    looked: Option<usize>,
    /// What each point leaves that is different, where it is asked for.
    moments: Option<Moments>,
    /// (host, task) → the decision until which it is not let go on.
    asleep: BTreeMap<(usize, usize), usize>,
}

impl World {
    /// One host with two workers, or two hosts with one each where they share a database.
    pub fn new(decider: Decider, breaks: Breaks) -> Self {
        Self::at(quick_folder(), NOW, Outside::default(), decider, breaks)
    }

    /// The host begins on what an earlier one left.
    pub fn after(moment: Moment) -> Self {
        let Moment { files, now_ms, notes, .. } = moment;
        let folder = quick_folder();
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let outside = Outside::of(notes);
        outside.ends(0);
        Self::at(folder, now_ms + LONG, outside, Decider::InOrder { end_at: None }, Breaks::new())
    }

    fn at(folder: TempDir, now_ms: i64, outside: Outside, decider: Decider, breaks: Breaks) -> Self {
        let mut world = Self {
            folder,
            clock: Clock::still_at(now_ms),
            outside,
            hosts: Vec::new(),
            decider,
            breaks,
            commits: Arc::default(),
            schedule: Vec::new(),
            decisions: 0,
            ends: 0,
            broken: 0,
            looked: None,
            moments: None,
            asleep: BTreeMap::new(),
        };
        for number in 0..if testing::is_shared() { 2 } else { 1 } {
            let host = world.start(number);
            world.hosts.push(host);
        }
        world
    }

    fn start(&self, number: usize) -> Host {
        Watch::leave();
        let watch = Arc::new(Watch::new(self.breaks.clone(), Arc::clone(&self.commits)));
        let runtime = watch.runtime(!testing::is_shared());
        // With a thread that works, time that stands still does not go on by itself.
        let (working, ends) = std::sync::mpsc::channel::<()>();
        runtime.spawn_blocking(move || ends.recv());
        let store = runtime.block_on(testing::open(self.folder.path())).unwrap();
        let shop = live_shop("demo", &["p"]);
        let workers = (0..if testing::is_shared() { 1 } else { 2 })
            .map(|_| {
                let snapshot = snapshot_of(4, [Arc::clone(&shop)]);
                let played = Played { snapshot, outside: self.outside.clone() };
                Lifecycle::new(Arc::new(played), store.clone(), self.clock.clone(), Arc::new(QUOTE_KEY))
            })
            .collect();
        Host { number, runtime, working, watch, store, workers, shop, tasks: BTreeMap::new() }
    }

    /// The same, and what a process would leave that ended at one of the points: each once.
    pub fn run_and_remember(mut self) -> (End, Vec<Moment>) {
        let moments = Moments::default();
        self.moments = Some(moments.clone());
        let end = self.run();
        (end, std::mem::take(&mut *moments.0.lock().unwrap()).1)
    }

    /// Until there is nothing more to do.
    pub fn run(mut self) -> End {
        let mut faults = loop {
            if self.decisions > MOST {
                break vec![format!("no end after {MOST} decisions")];
            }
            if let Err(fault) = self.settle() {
                break vec![fault];
            }
            if self.begin_anew() {
                continue;
            }
            let stops: Vec<Place> = self.hosts.iter().flat_map(Host::places).collect();
            if stops.is_empty() {
                if self.hosts.iter().any(|host| host.tasks.values().any(|task| task.under_way.is_some())) {
                    break vec!["nobody can go on, and not all is done".to_owned()];
                }
                if !self.rest() {
                    break Vec::new();
                }
                continue;
            }
            self.decide(&stops);
        };
        if faults.is_empty() {
            let host = &self.hosts[0];
            Watch::leave();
            faults = host.runtime.block_on(self.outside.faults(&host.store));
        }
        while let Some(host) = self.hosts.pop() {
            self.broken += host.end();
        }
        let Self { schedule, decisions, ends, broken, .. } = self;
        End { faults, decisions, ends, schedule, broken }
    }

    /// Lets all go on until they wait.
    fn settle(&mut self) -> Result<(), String> {
        for tries in 0.. {
            let mut stops = 0;
            for host in &mut self.hosts {
                host.settle()?;
                stops += host.watch.stops().len();
            }
            let under_way =
                self.hosts.iter().any(|host| host.tasks.values().any(|task| task.under_way.is_some()));
            // A connection that is opened or tried is at no point.
            if stops > 0 || !under_way || tries > 300 {
                break;
            }
            if !testing::is_shared() {
                break;
            }
        }
        Ok(())
    }

    /// Whoever has ended begins again when there may be something to do. Whether anybody did.
    fn begin_anew(&mut self) -> bool {
        let decisions = self.decisions;
        let mut any = false;
        for host in &mut self.hosts {
            let roles = (0..CLIENTS)
                .filter(|client| client % if testing::is_shared() { 2 } else { 1 } == host.number)
                .filter(|client| !self.outside.told_all(*client))
                .map(Role::Client)
                .chain((0..host.workers.len()).map(Role::Worker))
                .chain([Role::Courier]);
            for role in roles.collect::<Vec<_>>() {
                let begins = match host.tasks.get(&role) {
                    None => true,
                    Some(task) if task.under_way.is_some() => false,
                    Some(_) if role.is_client() => true,
                    Some(task) => match &mut self.decider {
                        _ if !task.announced.has_changed().unwrap_or(true) => false,
                        Decider::InOrder { .. } => true,
                        Decider::Seeded(random) => random.random_ratio(1, 8),
                    },
                };
                if begins {
                    host.begin(role, &self.outside, &self.clock);
                    self.schedule.push(format!("{decisions}: host {} begins: {role:?}", host.number));
                    any = true;
                }
            }
        }
        any
    }

    /// Nobody has anything to do now: all look again, and where they looked since the last commit, the clock goes on
    /// to the next instant that was named. False at the end.
    fn rest(&mut self) -> bool {
        let commits = self.commits.load(SeqCst);
        let looked = self.looked.replace(commits) == Some(commits);
        let tasks = self.hosts.iter().flat_map(|host| host.tasks.values());
        match tasks.filter_map(|task| task.next).min() {
            Some(next) => {
                let wait = (next - self.clock.now_ms()).max(1);
                self.clock.advance((wait + GRID - 1) / GRID * GRID);
            }
            None if looked => return false,
            None => {}
        }
        for host in &mut self.hosts {
            host.tasks.retain(|role, _| role.is_client());
        }
        true
    }

    fn decide(&mut self, stops: &[Place]) {
        self.decisions += 1;
        let now = self.decisions;
        if let Some(moments) = &self.moments {
            moments.add(now, self.folder.path(), self.clock.now_ms(), self.outside.notes().clone());
        }
        match self.choose(stops) {
            Choice::End { host, pause } => self.end(host, pause),
            Choice::Sleep { host, task, until } => {
                self.schedule.push(format!("{now}: host {host} task {task} falls asleep"));
                self.asleep.insert((host, task), until);
            }
            Choice::Clock(step) => {
                self.schedule.push(format!("{now}: the clock goes on by {step} ms"));
                self.clock.advance(step);
            }
            Choice::Beat { host } => {
                self.schedule.push(format!("{now}: the timers of host {host} go on"));
                self.hosts[host].beat();
            }
            Choice::Go(Place { host, index, .. }) => {
                let stop = self.hosts[host].watch.stops().remove(index);
                let words: Vec<_> = stop.place.split_whitespace().collect();
                let place: String = words.join(" ").chars().take(90).collect();
                self.schedule.push(format!("{now}: host {host} task {}: {place}", stop.task));
                stop.go();
            }
        }
    }

    fn choose(&mut self, stops: &[Place]) -> Choice {
        let now = self.decisions;
        let random = match &mut self.decider {
            Decider::InOrder { end_at } if *end_at == Some(now) => {
                return Choice::End { host: stops[0].host, pause: LONG };
            }
            Decider::InOrder { .. } => return Choice::Go(stops[0]),
            Decider::Seeded(random) => random,
        };
        let any = stops[random.random_range(0..stops.len())];
        if self.ends < 3 && random.random_ratio(1, 250) {
            let pause = if testing::is_shared() || random.random_bool(0.5) { LONG } else { 0 };
            return Choice::End { host: any.host, pause };
        }
        if random.random_ratio(1, 60) {
            return Choice::Clock([GRID, 2 * GRID, 4 * GRID, LONG, 16 * MINUTE][random.random_range(0..5)]);
        }
        if !testing::is_shared() && random.random_ratio(1, 60) {
            return Choice::Beat { host: any.host };
        }
        self.asleep.retain(|_, until| *until > now);
        let awake = |place: &&Place| !self.asleep.contains_key(&(place.host, place.task));
        let mut among: Vec<Place> = stops.iter().filter(awake).copied().collect();
        if among.is_empty() {
            among = stops.to_vec();
        }
        let one = among[random.random_range(0..among.len())];
        if among.len() > 1 && random.random_ratio(1, 30) {
            return Choice::Sleep {
                host: one.host,
                task: one.task,
                until: now + random.random_range(20..300),
            };
        }
        Choice::Go(one)
    }

    /// The process is gone: what it had in memory is forgotten, its transaction rolled back. Another begins.
    fn end(&mut self, number: usize, pause: i64) {
        self.ends += 1;
        self.schedule.push(format!("{}: host {number} ends, and begins {pause} ms later", self.decisions));
        self.outside.ends(number);
        self.asleep.retain(|(host, _), _| *host != number);
        let place = self.hosts.iter().position(|host| host.number == number).unwrap();
        self.broken += self.hosts.remove(place).end();
        self.clock.advance(pause);
        let host = self.start(number);
        self.hosts.insert(place, host);
    }
}

impl Host {
    fn places(&self) -> Vec<Place> {
        let stops = self.watch.stops();
        let places = stops.iter().enumerate();
        places.map(|(index, stop)| Place { host: self.number, index, task: stop.task }).collect()
    }

    fn begin(&mut self, role: Role, outside: &Outside, clock: &Clock) {
        self.watch.stand();
        let (outside, clock) = (outside.clone(), clock.clone());
        let announced = if role == Role::Courier { self.store.mail() } else { self.store.work() };
        let under_way = match role {
            Role::Client(client) => {
                let (lifecycle, shop) = (self.workers[0].clone(), Arc::clone(&self.shop));
                self.runtime.spawn(async move {
                    point(&format!("client {client} begins")).await;
                    outside.report(client, lifecycle, shop, clock).await;
                    Ok(None)
                })
            }
            Role::Worker(worker) => {
                let lifecycle = self.workers[worker].clone();
                self.runtime.spawn(async move {
                    point(&format!("worker {worker} begins")).await;
                    lifecycle.step().await.map_err(|error| error.to_string())
                })
            }
            Role::Courier => {
                let (store, number) = (self.store.clone(), self.number);
                self.runtime.spawn(async move {
                    point("the courier begins").await;
                    outside.deliver(number, store, clock).await.map_err(|error| error.to_string())
                })
            }
        };
        let task = Task { announced, under_way: Some(under_way), next: None };
        self.tasks.insert(role, task);
    }

    fn beat(&self) {
        self.watch.stand();
        self.runtime.block_on(tokio::time::advance(BEAT));
    }

    /// Lets all of this host go on until they wait, and takes down who has ended.
    fn settle(&mut self) -> Result<(), String> {
        self.watch.stand();
        let quiet = self.watch.quiet();
        if testing::is_shared() {
            let _ = self.runtime.block_on(async { tokio::time::timeout(BLOCKED, quiet).await });
        } else {
            self.runtime.block_on(quiet);
        }
        for task in self.tasks.values_mut() {
            if let Some(under_way) = task.under_way.take_if(|under_way| under_way.is_finished()) {
                match self.runtime.block_on(under_way) {
                    Ok(Ok(next)) => task.next = next,
                    // Another look, as the loops of production take.
                    Ok(Err(_)) if testing::is_shared() => {}
                    Ok(Err(error)) => return Err(error),
                    Err(panic) => return Err(panic.to_string()),
                }
            }
        }
        Ok(())
    }

    fn end(self) -> usize {
        self.watch.stand();
        let broken = self.watch.broken.load(SeqCst);
        drop(self.working);
        drop(self.runtime);
        Watch::leave();
        broken
    }
}

/// Of memory where there is such a one: no power is lost here.
fn quick_folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}
