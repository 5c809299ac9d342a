//! The sides of a comparison: each is one process or several, stopped (SIGSTOP) while another is measured.

use std::net::SocketAddr;
use std::time::Duration;

use harness::process::Process;
use serde_json::Value;

use crate::figure::Rounds;
use crate::ground::{Entry, Ground, SHOP};
use crate::host::{self, Logic};
use crate::load::{self, Aim, Connection, Enough};
use crate::peers::{Services, merger, node, service};
use crate::requests::{self, CUSTOMER, request};

/// Lines of the reference cart.
pub const LINES: usize = 5;
/// Clients of a closed loop.
pub const CLIENTS: usize = 16;

pub struct Side {
    pub name: String,
    pub aim: Aim,
    processes: Vec<Process>,
    pub ground: Ground,
}

/// What a side answered, a value for each round.
#[derive(Debug, Clone, Default)]
pub struct Answered {
    pub per_second: Rounds,
    pub p50_ms: Rounds,
    pub p99_ms: Rounds,
}

impl Side {
    /// A host with these plugins.
    pub async fn host(
        name: impl Into<String>,
        plugins: &[Entry],
        logic: &Logic,
        lines: usize,
        is_whole: fn(&Value) -> bool,
    ) -> anyhow::Result<Self> {
        Self::on(Ground::with(plugins)?, name, logic, lines, is_whole).await
    }

    /// The same in a folder that is there.
    pub async fn on(
        ground: Ground,
        name: impl Into<String>,
        logic: &Logic,
        lines: usize,
        is_whole: fn(&Value) -> bool,
    ) -> anyhow::Result<Self> {
        let process = host::start(ground.path(), logic).await?;
        requests::furnish(process.address, SHOP).await?;
        let aim = requests::checkouts(process.address, lines, is_whole).await?;
        let side = Self { name: name.into(), aim, processes: vec![process], ground };
        side.pause()?;
        Ok(side)
    }

    /// A host whose plugins are webhook services.
    pub async fn webhooks(name: &str, plugins: &[Entry], services: Vec<Process>) -> anyhow::Result<Self> {
        let logic = Logic::Webhooks(addresses(&services));
        let mut side = Self::host(name, plugins, &logic, LINES, requests::is_reference).await?;
        side.processes.extend(services);
        side.pause()?;
        Ok(side)
    }

    /// A server that asks webhook services, and does no more; `like` is a host whose customer it knows.
    pub async fn merging(name: &str, like: &Self, services: Vec<Process>) -> anyhow::Result<Self> {
        let ground = Ground::new(None)?;
        let file = ground.path().join("customer.json");
        like.go_on()?;
        let mut connection = Connection::open(like.aim.address).await?;
        let asked = request("GET", &format!("/v1/customers/{CUSTOMER}"), SHOP, "");
        let (_, customer) = connection.ask(asked).await?;
        like.pause()?;
        std::fs::write(&file, customer)?;
        let process = Process::of(merger::command(&addresses(&services), &file)?, ground.path()).await?;
        let aim = requests::checkouts(process.address, LINES, requests::is_reference).await?;
        let mut processes = vec![process];
        processes.extend(services);
        let side = Self { name: name.to_owned(), aim, processes, ground };
        side.pause()?;
        Ok(side)
    }

    pub fn pause(&self) -> anyhow::Result<()> {
        self.processes.iter().try_for_each(Process::pause)
    }

    pub fn go_on(&self) -> anyhow::Result<()> {
        self.processes.iter().try_for_each(Process::go_on)
    }

    pub fn memory_kib(&self) -> anyhow::Result<f64> {
        self.processes.iter().map(|process| Ok(process.memory_kib()? as f64)).sum()
    }
}

fn addresses(services: &[Process]) -> Vec<SocketAddr> {
    services.iter().map(|process| process.address).collect()
}

/// Four services in axum.
pub async fn in_axum(ground: &Ground) -> anyhow::Result<Vec<Process>> {
    let mut services = Vec::new();
    for _ in figures_logic::Stage::ALL {
        services.push(Process::of(service::command()?, ground.path()).await?);
    }
    Services::new(&addresses(&services))?.agree().await?;
    Ok(services)
}

/// Four services in Node.
pub async fn in_node(ground: &Ground) -> anyhow::Result<Vec<Process>> {
    node::install()?;
    let mut services = Vec::new();
    for _ in figures_logic::Stage::ALL {
        services.push(Process::of(node::command(), ground.path()).await?);
    }
    Services::new(&addresses(&services))?.agree().await?;
    Ok(services)
}

/// As many as each answers when it has nothing else to do: in turns, each the first once.
pub async fn saturate(
    sides: &[Side],
    rounds: usize,
    clients: usize,
    turn: Duration,
) -> anyhow::Result<Vec<Answered>> {
    in_turns(sides, rounds, async |side| {
        load::saturate(&side.aim, clients, Enough::After(turn / 4)).await?;
        load::saturate(&side.aim, clients, Enough::After(turn)).await
    })
    .await
}

/// The same load for each, whatever becomes of it.
pub async fn offer(
    sides: &[Side],
    rounds: usize,
    per_second: f64,
    turn: Duration,
) -> anyhow::Result<Vec<Answered>> {
    in_turns(sides, rounds, async |side| {
        load::offer(&side.aim, per_second, Enough::After(turn / 4)).await?;
        let load = load::offer(&side.aim, per_second, Enough::After(turn)).await?;
        load.bear()?;
        Ok(load)
    })
    .await
}

async fn in_turns(
    sides: &[Side],
    rounds: usize,
    measure: impl AsyncFn(&Side) -> anyhow::Result<load::Load>,
) -> anyhow::Result<Vec<Answered>> {
    let mut all = vec![Answered::default(); sides.len()];
    for round in 0..rounds {
        for turn in 0..sides.len() {
            let place = (round + turn) % sides.len();
            let (Some(side), Some(answered)) = (sides.get(place), all.get_mut(place)) else { continue };
            side.go_on()?;
            let load = measure(side).await.map_err(|error| error.context(side.name.clone()))?;
            side.pause()?;
            answered.per_second.push(load.per_second);
            answered.p50_ms.push(load.percentile_ms(50));
            answered.p99_ms.push(load.percentile_ms(99));
        }
    }
    Ok(all)
}
