//! Orders worked off: taken in, two plugins called for each, two messages rendered and handed to a sink; the plugins in
//! the sandbox, and the same logic native in the same host. On SQLite.

use std::time::{Duration, Instant};

use anyhow::ensure;
use harness::process::{Process, tail};

use super::Run;
use crate::figure::Rounds;
use crate::findings::Findings;
use crate::ground::{self, Ground, SHOP};
use crate::host::{self, Logic};
use crate::load::{self, Aim, Connection, Enough};
use crate::requests::{self, request};
use crate::sides::CLIENTS;

pub const NAMES: [&str; 1] = ["lifecycle_over_native"];

const PLUGINS: [&str; 2] = ["thanks-one", "thanks-two"];
const PATIENCE: Duration = Duration::from_secs(120);

struct Shop {
    ground: Ground,
    process: Process,
    orders: Aim,
    sent: f64,
}

pub async fn measure(run: &Run) -> anyhow::Result<Findings> {
    let each = if run.quick { 300 } else { 1_500 };
    let (mut sandbox, mut native) = (Shop::open(&Logic::Sandbox).await?, Shop::open(&Logic::Native).await?);
    let (mut ours, mut theirs) = (Rounds::default(), Rounds::default());
    for shop in [&mut sandbox, &mut native] {
        shop.work_off(each / 4).await?;
    }
    for _ in 0..run.rounds {
        ours.push(sandbox.work_off(each).await?);
        theirs.push(native.work_off(each).await?);
    }
    let mut found = Findings::default();
    found.ratio(NAMES[0], &ours, &theirs);
    found.tell("lifecycle_per_s", &ours, "orders/s");
    found.tell("lifecycle_native_per_s", &theirs, "orders/s");
    Ok(found)
}

impl Shop {
    async fn open(logic: &Logic) -> anyhow::Result<Self> {
        let thanks = ground::reference("thanks");
        let ground = Ground::with(&PLUGINS.map(|name| ground::named(&thanks, name)))?;
        let process = host::start(ground.path(), logic).await?;
        requests::furnish(process.address, SHOP).await?;
        let orders = requests::orders(process.address, 0);
        process.pause()?;
        Ok(Self { ground, process, orders, sent: 0.0 })
    }

    /// Orders a second, from the first that is sent to the last message that is handed over.
    async fn work_off(&mut self, orders: u64) -> anyhow::Result<f64> {
        self.process.go_on()?;
        let began = Instant::now();
        load::saturate(&self.orders, CLIENTS, Enough::Requests(orders)).await?;
        self.sent += (orders * PLUGINS.len() as u64) as f64;
        let mut connection = Connection::open(self.process.address).await?;
        loop {
            let (_, metrics) = connection.ask(request("GET", "/metrics", SHOP, "")).await?;
            let metrics = String::from_utf8_lossy(&metrics);
            if messages(&metrics, "sent") >= self.sent {
                break;
            }
            ensure!(
                messages(&metrics, "dropped") < 1.0,
                "messages are dropped: {}",
                tail(self.ground.path())
            );
            ensure!(began.elapsed() < PATIENCE, "orders are not worked off: {}", tail(self.ground.path()));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let took = began.elapsed();
        self.process.pause()?;
        Ok(orders as f64 / took.as_secs_f64())
    }
}

/// Messages that had this fate, over all plugins.
fn messages(metrics: &str, fate: &str) -> f64 {
    metrics
        .lines()
        .filter(|line| {
            line.starts_with("cartwright_messages_total{") && line.contains(&format!("fate=\"{fate}\""))
        })
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}
