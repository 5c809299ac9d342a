//! One siege: rounds with and without the load, then what is left of it.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use harness::hostile::{Case, Outcome};
use harness::process::{self, Process};
use serde_json::Value;

use crate::load::{self, Answer, Pressure};
use crate::shops::{self, Client};

/// Requests a second of the hostile shop: a quarter more than its key may.
const PRESSURE: f64 = 250.0;
/// How often a file that is refused is offered again.
const OFFERS: Duration = Duration::from_millis(500);
/// A plugin is compiled within two minutes, or refused.
const LOADED_WITHIN: Duration = Duration::from_secs(180);
/// So long a call of the plugin may take to end.
const ENDS_WITHIN: Duration = Duration::from_secs(60);
/// So long the host may take to give its memory back.
const CALM_WITHIN: Duration = Duration::from_secs(30);
/// A host is warm after so many times 200 checkouts, or never.
const WARM_WITHIN: u32 = 10;
/// Of what the host held before, %.
const MEMORY_PERCENT: u64 = 110;
/// So many times the rounds are measured where they do not suffice.
const MORE: u32 = 3;
/// How often the calm shop's p99 may be what it is alone.
const RATIO: f64 = 2.0;

/// What came of a siege.
#[derive(Debug)]
pub struct Siege {
    pub name: String,
    pub expected: Outcome,
    /// How the plugin's calls ended: kind → number; and a sentence that tells of it.
    pub ends: Vec<(String, u64)>,
    pub sentence: String,
    pub refused: bool,
    /// The calm shop's checkouts without the load, and with it.
    pub calm: Measured,
    pub disturbed: Measured,
    pub rounds: u32,
    /// The hostile shop's requests, and those of them that were let in.
    pub pressure: usize,
    pub admitted: usize,
    pub memory_before_kib: u64,
    pub memory_after_kib: u64,
    pub alive: bool,
}

impl Siege {
    /// p99 with the load, in parts of that without.
    pub fn ratio(&self) -> f64 {
        ratio(&self.disturbed, &self.calm)
    }

    /// No checkout was answered wrongly, and in most rounds none was late.
    pub fn is_whole(&self) -> bool {
        [&self.calm, &self.disturbed].iter().all(|side| side.wrong == 0 && side.late() == 0)
    }

    pub fn as_expected(&self) -> bool {
        as_expected(self.expected, self.refused, &self.ends)
    }

    pub fn gave_back(&self) -> bool {
        self.memory_after_kib * 100 <= self.memory_before_kib * MEMORY_PERCENT
    }

    pub fn contained(&self) -> bool {
        self.alive && self.is_whole() && self.as_expected() && self.gave_back() && self.ratio() <= RATIO
    }
}

/// Answers of the calm shop over all rounds.
#[derive(Debug, Default)]
pub struct Measured {
    pub answers: usize,
    /// Those that were not as they should be, but for those that are late.
    pub wrong: usize,
    /// Those that were put off, or lack what a plugin of the shop did not give in time, by round.
    pub late: Vec<usize>,
    /// The first that was not whole.
    pub instead: Option<String>,
    p99: Vec<Duration>,
}

impl Measured {
    /// Those of a round.
    fn add(&mut self, answers: &[Answer]) {
        let late = answers.iter().filter(|answer| is_late(answer)).count();
        self.answers += answers.len();
        self.wrong += wrong(answers) - late;
        self.late.push(late);
        let instead = || answers.iter().find(|answer| !is_whole(answer)).map(instead);
        self.instead = self.instead.take().or_else(instead);
        self.p99.push(load::p99(answers));
    }

    /// Of the median round: a pause of the machine's own is in one of them, not in most.
    pub fn p99(&self) -> Duration {
        median(&self.p99)
    }

    /// Of the median round, for the same reason.
    pub fn late(&self) -> usize {
        median(&self.late)
    }
}

fn median<T: Copy + Default + Ord>(rounds: &[T]) -> T {
    let mut rounds = rounds.to_vec();
    rounds.sort_unstable();
    rounds.get(rounds.len() / 2).copied().unwrap_or_default()
}

/// p99 with the load, in parts of that without.
fn ratio(disturbed: &Measured, calm: &Measured) -> f64 {
    disturbed.p99().as_secs_f64() / calm.p99().as_secs_f64().max(1e-6)
}

fn as_expected(expected: Outcome, refused: bool, ends: &[(String, u64)]) -> bool {
    let ended = |kind: &str| ends.iter().any(|(ended, times)| ended == kind && *times > 0);
    match expected {
        Outcome::Refused => refused,
        _ if refused => false,
        // Under load the time of one that computes for long is over before its turn comes.
        _ if ended("late") => true,
        Outcome::Corrected => ended("ok"),
        fault => ended(fault.name()),
    }
}

/// A host with both shops, warm.
pub struct Ground {
    folder: tempfile::TempDir,
    process: Process,
    client: Client,
}

impl Ground {
    pub async fn prepare() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        shops::write(folder.path())?;
        let process = Process::start(folder.path()).await?;
        let client = Client::new(process.address)?;
        client.furnish().await?;
        // The first calls of a plugin may be late where the machine is busy; when all is warm none is.
        for _ in 0..WARM_WITHIN {
            let answers = load::measure(&client.checkouts(), 200.0, 0, 200).await;
            if wrong(&answers) == 0 {
                return Ok(Self { folder, process, client });
            }
        }
        anyhow::bail!("checkouts go wrong before there is any load:\n{}", process::tail(folder.path()))
    }
}

/// Checkouts of the calm shop that a host answers in a second when it has nothing else to do.
pub async fn capacity(ground: &Ground) -> anyhow::Result<f64> {
    // Its keys may not ask for so much.
    let file = ground.folder.path().join("cartwright.toml");
    std::fs::write(file, "[log]\nfilter = \"warn\"\n[http]\nrequests_per_second = 1000000\n")?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let capacity = load::saturate(&ground.client.checkouts(), 16, Duration::from_secs(4)).await?;
    ground.process.pause()?;
    Ok(capacity)
}

/// Besieges a host of its own; `alone` is stopped but for its turns.
pub async fn siege(case: &Case, alone: &Ground, rate: f64, rounds: u32, each: u32) -> anyhow::Result<Siege> {
    let mut beside = Ground::prepare().await?;
    let mut next = warm(&beside).await?;
    let memory_before_kib = beside.process.memory_kib()?;
    shops::offer(beside.folder.path(), case)?;
    shops::enable(beside.folder.path(), &case.entry())?;
    let live = loaded(&beside.client, case).await.with_context(|| process::tail(beside.folder.path()))?;
    let (mut calm, mut disturbed, mut pressed) = (Measured::default(), Measured::default(), Vec::new());
    let (mut round, mut last) = (0, rounds);
    while round < last {
        // Neither is always the first.
        for loaded in [round % 2 == 0, round % 2 == 1] {
            let first = u64::from(round) * u64::from(each);
            if loaded {
                beside.process.go_on()?;
                let under = pressure(&beside, case, next, live.is_err(), async {
                    load::measure(&beside.client.checkouts(), rate, first, each).await
                });
                let (answers, of_load, sent) = under.await?;
                disturbed.add(&answers);
                pressed.extend(of_load);
                next = sent;
                beside.process.pause()?;
            } else {
                alone.process.go_on()?;
                calm.add(&load::measure(&alone.client.checkouts(), rate, first, each).await);
                alone.process.pause()?;
            }
        }
        round += 1;
        // Where a median is beyond what may be it is taken of more, as the machine has its own pauses too; but all of
        // them, not until one pleases.
        if round == rounds && (ratio(&disturbed, &calm) > RATIO || calm.late() + disturbed.late() > 0) {
            last = MORE * rounds;
        }
    }
    beside.process.go_on()?;
    let alive = beside.process.is_alive();
    let (ends, sentence, memory_after_kib) = if alive {
        let told = ended(&beside.client, case, &pressed, &live).await?;
        (told.0, told.1, quiet(&beside, memory_before_kib).await?)
    } else {
        (Vec::new(), process::tail(beside.folder.path()), 0)
    };
    Ok(Siege {
        name: case.name.clone(),
        expected: case.expect.outcome,
        ends,
        sentence,
        refused: live.is_err(),
        calm,
        disturbed,
        rounds: last,
        admitted: pressed.iter().filter(|answer| answer.status.is_some_and(|status| status < 300)).count(),
        pressure: pressed.len(),
        memory_before_kib,
        memory_after_kib,
        alive,
    })
}

/// Memory that a host under such a load holds for good is there before the plugin comes.
async fn warm(ground: &Ground) -> anyhow::Result<u64> {
    let mut next = 0;
    for hook in ["pricing", "order-placed"] {
        let pressure = Pressure::begin(ground.client.pressure(hook)?, PRESSURE, next);
        load::measure(&ground.client.checkouts(), 100.0, 0, 150).await;
        next = pressure.end().await.1;
    }
    Ok(next)
}

/// Runs `measure` under the hostile shop's load: its result, the load's answers, the load's next number.
async fn pressure<T>(
    ground: &Ground,
    case: &Case,
    next: u64,
    offered_again: bool,
    measure: impl Future<Output = T>,
) -> anyhow::Result<(T, Vec<Answer>, u64)> {
    let load = Pressure::begin(ground.client.pressure(&case.hook)?, PRESSURE, next);
    let again = async {
        loop {
            if offered_again {
                // Its failure shows in what is measured: the file is not taken.
                let _ = shops::offer_again(ground.folder.path(), case);
            }
            tokio::time::sleep(OFFERS).await;
        }
    };
    // The load is there before anything is measured.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let measured = tokio::select! {
        measured = measure => measured,
        () = again => unreachable!("it goes on for ever"),
    };
    let (answers, next) = load.end().await;
    Ok((measured, answers, next))
}

/// Waits until the host has judged the file: live, or why not.
async fn loaded(client: &Client, case: &Case) -> anyhow::Result<Result<(), String>> {
    let patience = Instant::now() + LOADED_WITHIN;
    loop {
        let plugins = client.plugins().await?;
        let named = |list: &str, field: &str| {
            let entries = plugins[list].as_array().into_iter().flatten();
            entries.filter(|entry| entry[field] == case.name.as_str()).cloned().collect::<Vec<Value>>()
        };
        if !named("plugins", "name").is_empty() {
            return Ok(Ok(()));
        }
        let problems = named("problems", "plugin");
        if let Some(message) = problems.iter().find_map(|problem| problem["message"].as_str()) {
            return Ok(Err(message.to_owned()));
        }
        anyhow::ensure!(Instant::now() < patience, "the host does not judge the file: {plugins}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What is told when a call has ended as it should: some compute longer than the load goes on.
async fn ended(
    client: &Client,
    case: &Case,
    pressed: &[Answer],
    live: &Result<(), String>,
) -> anyhow::Result<(Vec<(String, u64)>, String)> {
    let patience = Instant::now() + ENDS_WITHIN;
    loop {
        let told = told(client, case, pressed, live).await?;
        if as_expected(case.expect.outcome, live.is_err(), &told.0) || Instant::now() > patience {
            return Ok(told);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// How its calls ended, and a sentence about it.
async fn told(
    client: &Client,
    case: &Case,
    pressed: &[Answer],
    live: &Result<(), String>,
) -> anyhow::Result<(Vec<(String, u64)>, String)> {
    if let Err(message) = live {
        return Ok((Vec::new(), message.clone()));
    }
    let metrics = client.metrics().await?;
    let mut ends: Vec<(String, u64)> = Vec::new();
    for line in metrics.lines().filter(|line| line.starts_with("cartwright_plugin_calls_total{")) {
        if line.contains(&format!("plugin=\"{}\"", case.name)) {
            let outcome = line.split("outcome=\"").nth(1).and_then(|rest| rest.split('"').next());
            let times = line.rsplit(' ').next().and_then(|times| times.parse::<f64>().ok());
            let (Some(outcome), Some(times)) = (outcome, times) else { continue };
            match ends.iter_mut().find(|(known, _)| known == outcome) {
                Some((_, sum)) => *sum += times as u64,
                None => ends.push((outcome.to_owned(), times as u64)),
            }
        }
    }
    let mut sentence = pressed.iter().find_map(|answer| warning(&answer.body, case));
    // Of a job it is the attempt that fails, also when the call itself went well.
    if let Some(failure) = client.failure(&case.name).await? {
        let kind = failure["kind"].as_str().unwrap_or_default();
        if !ends.iter().any(|(known, _)| known == kind) {
            ends.push((kind.to_owned(), 1));
        }
        sentence = failure["fault"].as_str().map(str::to_owned);
    }
    ends.retain(|(_, times)| *times > 0);
    ends.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    Ok((ends, sentence.unwrap_or_else(|| case.about.clone())))
}

/// What an answer of the hostile shop says of the plugin.
fn warning(body: &str, case: &Case) -> Option<String> {
    let body: Value = serde_json::from_str(body).ok()?;
    let warning = body["warnings"].as_array()?.iter().find(|warning| {
        warning["plugin"] == case.name.as_str() && warning["kind"] == case.expect.outcome.name()
    })?;
    warning["message"].as_str().map(str::to_owned)
}

/// Waits until the host has given back what it took, and says how much it holds.
async fn quiet(ground: &Ground, before_kib: u64) -> anyhow::Result<u64> {
    shops::enable(ground.folder.path(), shops::HARMLESS)?;
    let patience = Instant::now() + CALM_WITHIN;
    loop {
        let now = ground.process.memory_kib()?;
        if now * 100 <= before_kib * MEMORY_PERCENT || Instant::now() > patience {
            return Ok(now);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Answers of the calm shop's checkout that are not whole.
fn wrong(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| !is_whole(answer)).count()
}

/// What there was in place of a whole answer.
fn instead(answer: &Answer) -> String {
    let status = answer.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let body = serde_json::from_str::<Value>(&answer.body).unwrap_or_default();
    let said = body.get("warnings").map_or_else(|| answer.body.clone(), Value::to_string);
    let said: String = said.chars().take(300).collect();
    format!("{status} after {:.1} ms: {said}", answer.latency.as_secs_f64() * 1_000.0)
}

/// What a host answers that has too little of a processor: that it is overloaded, or all but what is late.
fn is_late(answer: &Answer) -> bool {
    let body = serde_json::from_str::<Value>(&answer.body).unwrap_or_default();
    let warnings = body["warnings"].as_array().map(Vec::as_slice).unwrap_or_default();
    let but_for_late = !warnings.is_empty() && warnings.iter().all(|warning| warning["kind"] == "late");
    answer.status == Some(503) || (answer.status == Some(200) && but_for_late)
}

fn is_whole(answer: &Answer) -> bool {
    let Ok(body) = serde_json::from_str::<Value>(&answer.body) else { return false };
    answer.status == Some(200)
        && body["warnings"].as_array().is_none_or(Vec::is_empty)
        && body["delivery_options"].as_array().is_some_and(|options| !options.is_empty())
}
