//! The rules of claiming, fencing and holding as a small model: one order with an elder event (`placed`) and a younger
//! one (`shipped`), which may come first, their jobs, workers that may fall asleep with a lease and wake when it is
//! another's, and the transactions that let a held event go. All interleavings are looked at, breadth first, and
//! `conformance` walks the same actions through the real store.
//!
//! A crate for this (stateright) was looked at: it has no "from every state the end can be reached", which is what
//! "nothing waits for ever" means here, and brings a web server along.

mod conformance;
mod explore;

use explore::explore;

/// The rules of the store; each can be left out, to see that it is needed.
#[derive(Debug, Clone, Copy)]
struct Rules {
    /// `jobs::finish`, `jobs::fail`: only under the lease's own token (`WHERE id = $1 AND lease_token = $2`).
    fence: bool,
    /// `dialect::CLAIM`: `lease_token = lease_token + 1`.
    token_grows: bool,
    /// `dialect::CLAIM`: no elder unfinished job has the key.
    order: bool,
    /// `dialect::CLAIM`: a dead job is none of the unfinished.
    dead_is_finished: bool,
    /// `jobs::reclaim`.
    leases_end: bool,
    /// `intake::take_in`, `events::release_late`: `Tx::lock` of the order, before the first look.
    lock: bool,
    /// `events::release_late`: what is held is looked for again under the lock.
    look_again: bool,
    /// `events::release_late` at all.
    holds_end: bool,
    /// `intake::name`: an event that is known is not taken in again.
    names: bool,
}

const ALL: Rules = Rules {
    fence: true,
    token_grows: true,
    order: true,
    dead_is_finished: true,
    leases_end: true,
    lock: true,
    look_again: true,
    holds_end: true,
    names: true,
};

/// What must hold, whatever happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Invariant {
    /// No job's effects commit twice.
    Once,
    /// A lease that is another worker's by now changes nothing.
    NewestLease,
    /// The jobs of a plugin commit in the order of the order's events.
    InOrder,
    /// An event gets its jobs once: when it comes, from its elder, or by time.
    OpenedOnce,
    /// No event is left held when its elder is there.
    NoneLeftBehind,
    /// From each state, without another event, all jobs can come to their end.
    NothingWaitsForEver,
}

const PLACED: usize = 0;
const SHIPPED: usize = 1;
const EVENTS: usize = 2;

/// Failed attempts after which a job is dead; fewer than the host's, the rule is the same.
const ATTEMPTS: u8 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Event {
    Absent,
    /// `due`: it has waited long enough.
    Held {
        due: bool,
    },
    /// With its place in the order's sequence.
    Open {
        seq: u8,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Stage {
    None,
    Waiting,
    /// `ended`: the clock is past its lease.
    Running {
        ended: bool,
    },
    Failed {
        rested: bool,
    },
    Dead,
    /// It is history.
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Job {
    stage: Stage,
    attempts: u8,
}

/// A worker, or a whole host, that has a lease in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Worker {
    Idle,
    /// Awake or asleep: it goes on when it likes. `newest`: its token is the row's.
    Has {
        plugin: usize,
        event: usize,
        newest: bool,
    },
}

/// A transaction that has looked and not committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Transaction {
    None,
    /// Release by time: an order was found, nothing is locked yet.
    Found,
    /// `saw`: of an intake of `shipped`, that its elder is there; else, that `shipped` is held.
    Looked {
        saw: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct State {
    events: [Event; EVENTS],
    /// Of each plugin.
    jobs: Vec<[Job; EVENTS]>,
    workers: Vec<Worker>,
    intakes: [Transaction; EVENTS],
    release: Transaction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    /// `Store::take_in`, to its commit: it begins and looks …
    TakeIn(usize),
    /// … and commits.
    TakenIn(usize),
    /// `Store::release_late`: finds, locks and looks, commits.
    FindLate,
    LookLate,
    ReleaseLate,
    /// `Store::claim`: the worker, plugin and event.
    Claim(usize, usize, usize),
    /// `Store::complete`.
    Complete(usize),
    /// `Store::fail`.
    Fail(usize),
    /// `Store::give_back`.
    GiveBack(usize),
    /// `Store::renew`.
    Renew(usize),
    /// The worker's process ends.
    Forget(usize),
    /// `Store::reclaim`.
    Reclaim,
    /// The clock goes past all leases, rests and holds.
    Clock,
}

/// What an action comes to.
#[derive(Debug)]
struct Next {
    state: State,
    /// The worker's lease was another's: nothing was changed.
    fenced: bool,
    broken: Option<Invariant>,
}

impl State {
    fn new(workers: usize, plugins: usize) -> Self {
        let job = Job { stage: Stage::None, attempts: 0 };
        Self {
            events: [Event::Absent; EVENTS],
            jobs: vec![[job; EVENTS]; plugins],
            workers: vec![Worker::Idle; workers],
            intakes: [Transaction::None; EVENTS],
            release: Transaction::None,
        }
    }

    fn seq(&self, event: usize) -> Option<u8> {
        match self.events[event] {
            Event::Open { seq } => Some(seq),
            Event::Absent | Event::Held { .. } => None,
        }
    }

    /// The events of the order before this one.
    fn elders(&self, event: usize) -> impl Iterator<Item = usize> {
        let seq = self.seq(event);
        (0..EVENTS).filter(move |elder| self.seq(*elder).is_some_and(|elder| Some(elder) < seq))
    }

    /// Who is to look has the order to itself.
    fn locked(&self) -> bool {
        let looked = |transaction: &Transaction| matches!(transaction, Transaction::Looked { .. });
        self.intakes.iter().any(looked) || looked(&self.release)
    }

    fn actions(&self, rules: Rules) -> Vec<Action> {
        let mut actions = Vec::new();
        let free = !rules.lock || !self.locked();
        for event in 0..EVENTS {
            match self.intakes[event] {
                Transaction::None if free && (self.events[event] == Event::Absent || !rules.names) => {
                    actions.push(Action::TakeIn(event));
                }
                Transaction::Looked { .. } => actions.push(Action::TakenIn(event)),
                _ => {}
            }
        }
        match self.release {
            Transaction::None if rules.holds_end && self.events[SHIPPED] == (Event::Held { due: true }) => {
                actions.push(Action::FindLate);
            }
            Transaction::Found if free => actions.push(Action::LookLate),
            Transaction::Looked { .. } => actions.push(Action::ReleaseLate),
            _ => {}
        }
        for (worker, has) in self.workers.iter().enumerate() {
            if *has != Worker::Idle {
                let does = [Action::Complete, Action::Fail, Action::GiveBack, Action::Renew, Action::Forget];
                actions.extend(does.map(|does| does(worker)));
                continue;
            }
            for plugin in 0..self.jobs.len() {
                let eligible = (0..EVENTS).filter(|event| self.is_eligible(rules, plugin, *event));
                actions.extend(eligible.map(|event| Action::Claim(worker, plugin, event)));
            }
        }
        if rules.leases_end && self.all_jobs().any(|job| job.stage == Stage::Running { ended: true }) {
            actions.push(Action::Reclaim);
        }
        if self.later() != *self {
            actions.push(Action::Clock);
        }
        actions
    }

    fn all_jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().flatten()
    }

    fn is_eligible(&self, rules: Rules, plugin: usize, event: usize) -> bool {
        let jobs = &self.jobs[plugin];
        let unfinished = |elder: usize| match jobs[elder].stage {
            Stage::Waiting | Stage::Running { .. } | Stage::Failed { .. } => true,
            Stage::Dead => !rules.dead_is_finished,
            Stage::None | Stage::Done => false,
        };
        matches!(jobs[event].stage, Stage::Waiting | Stage::Failed { rested: true })
            && !(rules.order && self.elders(event).any(unfinished))
    }

    fn later(&self) -> Self {
        let mut later = self.clone();
        for job in later.jobs.iter_mut().flatten() {
            match &mut job.stage {
                Stage::Running { ended } => *ended = true,
                Stage::Failed { rested } => *rested = true,
                _ => {}
            }
        }
        for event in &mut later.events {
            if let Event::Held { due } = event {
                *due = true;
            }
        }
        later
    }

    fn next(&self, rules: Rules, action: Action) -> Next {
        let mut state = self.clone();
        let (mut fenced, mut broken) = (false, None);
        match action {
            Action::TakeIn(event) => {
                let saw = match event {
                    PLACED => matches!(state.events[SHIPPED], Event::Held { .. }),
                    _ => state.seq(PLACED).is_some(),
                };
                state.intakes[event] = Transaction::Looked { saw };
            }
            Action::TakenIn(event) => {
                let saw = self.intakes[event] == Transaction::Looked { saw: true };
                state.intakes[event] = Transaction::None;
                if event == SHIPPED && !saw {
                    if state.seq(SHIPPED).is_none() {
                        state.events[SHIPPED] = Event::Held { due: false };
                    }
                } else {
                    broken = state.open(event);
                    if event == PLACED && saw {
                        broken = broken.or(state.open(SHIPPED));
                    }
                }
            }
            Action::FindLate => state.release = Transaction::Found,
            Action::LookLate => {
                let saw = !rules.look_again || matches!(state.events[SHIPPED], Event::Held { due: true });
                state.release = Transaction::Looked { saw };
            }
            Action::ReleaseLate => {
                if self.release == (Transaction::Looked { saw: true }) {
                    broken = state.open(SHIPPED);
                }
                state.release = Transaction::None;
            }
            Action::Claim(worker, plugin, event) => {
                state.jobs[plugin][event].stage = Stage::Running { ended: false };
                for other in &mut state.workers {
                    if let Worker::Has { plugin: p, event: e, newest } = other
                        && (*p, *e) == (plugin, event)
                        && rules.token_grows
                    {
                        *newest = false;
                    }
                }
                state.workers[worker] = Worker::Has { plugin, event, newest: true };
            }
            Action::Complete(worker) | Action::Fail(worker) | Action::GiveBack(worker) => {
                (fenced, broken) = state.end(rules, action, worker);
            }
            Action::Renew(worker) => {
                let Worker::Has { plugin, event, newest } = self.workers[worker] else {
                    unreachable!("idle")
                };
                let stage = &mut state.jobs[plugin][event].stage;
                fenced = !newest || !matches!(stage, Stage::Running { .. });
                if !fenced {
                    *stage = Stage::Running { ended: false };
                }
            }
            Action::Forget(worker) => state.workers[worker] = Worker::Idle,
            Action::Reclaim => {
                for job in state.jobs.iter_mut().flatten() {
                    if job.stage == (Stage::Running { ended: true }) {
                        job.stage = Stage::Waiting;
                    }
                }
            }
            Action::Clock => state = self.later(),
        }
        let held = matches!(state.events[SHIPPED], Event::Held { .. });
        let quiet = state.intakes == [Transaction::None; EVENTS];
        if broken.is_none() && held && quiet && state.seq(PLACED).is_some() {
            broken = Some(Invariant::NoneLeftBehind);
        }
        Next { state, fenced, broken }
    }

    fn open(&mut self, event: usize) -> Option<Invariant> {
        if self.seq(event).is_some() {
            return Some(Invariant::OpenedOnce);
        }
        let seq = (0..EVENTS).filter(|other| self.seq(*other).is_some()).count();
        self.events[event] = Event::Open { seq: u8::try_from(seq).unwrap() };
        for jobs in &mut self.jobs {
            jobs[event].stage = Stage::Waiting;
        }
        None
    }

    /// A worker says what became of its job.
    fn end(&mut self, rules: Rules, action: Action, worker: usize) -> (bool, Option<Invariant>) {
        let Worker::Has { plugin, event, newest } = self.workers[worker] else { return (false, None) };
        self.workers[worker] = Worker::Idle;
        let job = self.jobs[plugin][event];
        if rules.fence && (!newest || job.stage == Stage::Done) {
            return (true, None);
        }
        // What the token says is not what is: without its growth two workers have the same.
        let shared = self.workers.iter().any(|other| {
            matches!(other, Worker::Has { plugin: p, event: e, newest: true } if (*p, *e) == (plugin, event))
        });
        let mut broken = (!newest || shared).then_some(Invariant::NewestLease);
        match action {
            Action::Complete(_) => {
                let done = |elder: usize| matches!(self.jobs[plugin][elder].stage, Stage::Done | Stage::Dead);
                if job.stage == Stage::Done {
                    broken = Some(Invariant::Once);
                } else if !self.elders(event).all(done) {
                    broken = broken.or(Some(Invariant::InOrder));
                }
                self.jobs[plugin][event].stage = Stage::Done;
            }
            Action::Fail(_) => {
                let attempts = job.attempts + 1;
                let dead = attempts >= ATTEMPTS;
                let stage = if dead { Stage::Dead } else { Stage::Failed { rested: false } };
                self.jobs[plugin][event] = Job { stage, attempts };
            }
            // Whose lease was taken back has nothing to give.
            _ if matches!(job.stage, Stage::Running { .. }) => {
                self.jobs[plugin][event].stage =
                    if job.attempts > 0 { Stage::Failed { rested: true } } else { Stage::Waiting };
            }
            _ => {}
        }
        (false, broken)
    }

    /// Whether all that came is done.
    fn is_end(&self) -> bool {
        !matches!(self.events[SHIPPED], Event::Held { .. })
            && self.intakes == [Transaction::None; EVENTS]
            && self.release == Transaction::None
            && self.workers.iter().all(|worker| *worker == Worker::Idle)
            && self.all_jobs().all(|job| matches!(job.stage, Stage::None | Stage::Done | Stage::Dead))
    }
}

#[test]
fn with_all_rules_every_invariant_holds_in_every_state() {
    for (workers, plugins) in [(3, 1), (2, 2)] {
        let explored = explore(ALL, State::new(workers, plugins));
        assert!(explored.broken.is_none(), "{}", explored.broken.unwrap());
        assert!(explored.states > 1_000, "{workers} workers, {plugins} plugins: {} states", explored.states);
        println!("{workers} workers, {plugins} plugins: {} states", explored.states);
    }
}

#[test]
fn without_any_one_rule_an_invariant_is_broken() {
    let without: [(&str, Rules, &[Invariant]); 9] = [
        ("fence", Rules { fence: false, ..ALL }, &[Invariant::NewestLease, Invariant::Once]),
        ("token_grows", Rules { token_grows: false, ..ALL }, &[Invariant::NewestLease]),
        ("order", Rules { order: false, ..ALL }, &[Invariant::InOrder]),
        ("dead_is_finished", Rules { dead_is_finished: false, ..ALL }, &[Invariant::NothingWaitsForEver]),
        ("leases_end", Rules { leases_end: false, ..ALL }, &[Invariant::NothingWaitsForEver]),
        ("lock", Rules { lock: false, ..ALL }, &[Invariant::OpenedOnce, Invariant::NoneLeftBehind]),
        ("look_again", Rules { look_again: false, ..ALL }, &[Invariant::OpenedOnce]),
        ("holds_end", Rules { holds_end: false, ..ALL }, &[Invariant::NothingWaitsForEver]),
        ("names", Rules { names: false, ..ALL }, &[Invariant::OpenedOnce]),
    ];
    for (name, rules, invariants) in without {
        for invariant in invariants {
            let explored = explore::until(rules, State::new(2, 1), Some(*invariant));
            let broken = explored.broken.unwrap_or_else(|| panic!("without `{name}`, {invariant:?} holds"));
            assert_eq!(broken.invariant, *invariant, "without `{name}`");
            println!("without `{name}`: {broken}");
        }
    }
}
