//! Intake: orders taken in durably through HTTP, beside raw inserts of the same rows with the same number of clients.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use harness::process::Process;
use harness::project;

use super::Run;
use super::raw::{Raw, Rows};
use crate::figure::Rounds;
use crate::findings::Findings;
use crate::ground::{self, Ground, SHOP};
use crate::host;
use crate::load::{self, Enough};
use crate::requests;
use crate::sides::CLIENTS;

pub const SQLITE: [&str; 1] = ["intake_over_raw_sqlite"];
pub const POSTGRES: [&str; 1] = ["intake_over_raw_postgres"];

pub async fn on_sqlite(run: &Run) -> anyhow::Result<Findings> {
    on(run, "sqlite", None, None).await
}

pub async fn on_postgres(run: &Run) -> anyhow::Result<Findings> {
    let server = Server::find()?;
    let databases = [server.database("host")?, server.database("raw")?];
    on(run, "postgres", Some(&databases[0]), Some(&databases[1])).await
}

/// The second database is the raw side's.
async fn on(run: &Run, kind: &str, database: Option<&str>, other: Option<&str>) -> anyhow::Result<Findings> {
    // One order in the raw side's own database shows which rows there are.
    let sample = ground(other)?;
    let mut process = host::start_for_intake(sample.path()).await?;
    requests::orders(process.address, 0).once().await?;
    ensure!(process.stop(std::time::Duration::from_secs(30)).await?, "the host does not stop");
    let url = other.map_or_else(|| sqlite(sample.path()), str::to_owned);
    let raw = Raw::open(&url, Rows::of_the_first_order(&url).await?).await?;

    let ground = ground(database)?;
    let process = host::start_for_intake(ground.path()).await?;
    let orders = requests::orders(process.address, 0);
    load::saturate(&orders, CLIENTS, Enough::After(run.turn() / 2)).await?;
    raw.insert(CLIENTS, run.turn() / 2).await?;
    let (mut ours, mut theirs) = (Rounds::default(), Rounds::default());
    for _ in 0..run.rounds {
        ours.push(taken_in(run, &process, &orders).await?);
        theirs.push(raw.insert(CLIENTS, run.turn()).await?);
    }
    raw.close().await;
    let mut found = Findings::default();
    found.ratio(format!("intake_over_raw_{kind}"), &ours, &theirs);
    found.tell(format!("intake_{kind}_per_s"), &ours, "events/s");
    found.tell(format!("intake_raw_{kind}_per_s"), &theirs, "events/s");
    Ok(found)
}

async fn taken_in(run: &Run, process: &Process, orders: &load::Aim) -> anyhow::Result<f64> {
    process.go_on()?;
    let load = load::saturate(orders, CLIENTS, Enough::After(run.turn())).await?;
    process.pause()?;
    Ok(load.per_second)
}

/// A shop whose two plugins hear of orders.
fn ground(database: Option<&str>) -> anyhow::Result<Ground> {
    let ground = Ground::new(database)?;
    let thanks = ground::reference("thanks");
    ground.open_shop(SHOP, &["thanks-one", "thanks-two"].map(|name| ground::named(&thanks, name)))?;
    Ok(ground)
}

fn sqlite(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("data/cartwright.db").display())
}

/// A PostgreSQL server: the one that is named, or one of the run's own, which is stopped in the end.
struct Server {
    url: String,
    own: Option<tempfile::TempDir>,
}

impl Server {
    /// The error is the reason why there is none.
    fn find() -> anyhow::Result<Self> {
        if let Ok(url) = std::env::var("CARTWRIGHT_TEST_DATABASE") {
            return Ok(Self { url, own: None });
        }
        let folder = tempfile::tempdir()?;
        // PostgreSQL runs as somebody else when this is root.
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        let url = script(&["start", &cluster(&folder), "durable"])?;
        Ok(Self { url, own: Some(folder) })
    }

    fn database(&self, name: &str) -> anyhow::Result<String> {
        script(&["database", &self.url, &format!("figures_{}_{name}", std::process::id())])
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(folder) = &self.own {
            let _ = script(&["stop", &cluster(folder), "immediate"]);
        }
    }
}

fn cluster(folder: &tempfile::TempDir) -> String {
    folder.path().join("cluster").display().to_string()
}

/// What `tests/postgres` prints.
fn script(arguments: &[&str]) -> anyhow::Result<String> {
    let ran =
        Command::new(project().join("tests/postgres")).args(arguments).output().context("tests/postgres")?;
    ensure!(ran.status.success(), "there is no PostgreSQL: {}", String::from_utf8_lossy(&ran.stderr).trim());
    Ok(String::from_utf8(ran.stdout)?.trim().to_owned())
}
