//! Starts: from the process to `/readyz`, with 20 plugins whose compiled code is in the host's cache.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use harness::process::{Process, tail};
use serde_json::Value;

use super::Run;
use crate::figure::Rounds;
use crate::findings::Findings;
use crate::ground::{self, Entry, Ground, SHOP};
use crate::host::{self, Logic};
use crate::load::Connection;
use crate::requests::request;

pub const NAMES: [&str; 1] = ["start_20_cached_ms"];

const PLUGINS: usize = 20;
const PATIENCE: Duration = Duration::from_secs(60);

pub async fn measure(run: &Run) -> anyhow::Result<Findings> {
    let ground = ground()?;
    let first = started(&ground).await?;
    let mut cached = Rounds::default();
    for _ in 0..run.rounds {
        cached.push(started(&ground).await?);
    }
    let mut found = Findings::default();
    found.tell(NAMES[0], &cached, "ms");
    found.tell("start_20_compiled_ms", &std::iter::once(first).collect(), "ms");
    Ok(found)
}

/// The ten plugins, each in two files: the second has a section more, and is another plugin to the host.
fn ground() -> anyhow::Result<Ground> {
    let ground = Ground::new(None)?;
    let mut entries: Vec<Entry> = ground::ten()?;
    ground.open_shop(SHOP, &entries)?;
    for mut entry in entries.clone() {
        let of = |key: &str| entry.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        let (name, source) = (of("name").context("`name`")?, of("source").context("`source`")?);
        let mut bytes = std::fs::read(ground.plugin_file(&source))?;
        bytes.extend(section("figures"));
        std::fs::write(ground.plugin_file(&format!("second_{source}")), bytes)?;
        entry.insert("name".to_owned(), format!("{name}-second").into());
        entry.insert("source".to_owned(), format!("second_{source}").into());
        entries.push(entry);
    }
    ensure!(entries.len() == PLUGINS, "{} plugins", entries.len());
    ground.open_shop(SHOP, &entries)?;
    Ok(ground)
}

/// A custom section of this name, without content: id, size, length of the name, name.
fn section(name: &str) -> Vec<u8> {
    let length = name.len() as u8;
    [&[0, length + 1, length], name.as_bytes()].concat()
}

async fn started(ground: &Ground) -> anyhow::Result<f64> {
    let command = host::command(ground.path(), &Logic::Sandbox)?;
    let began = Instant::now();
    let mut process = Process::begin(command, ground.path())?;
    let ready = loop {
        if let Some(ready) = ready(&process).await {
            break ready;
        }
        ensure!(process.is_alive() && began.elapsed() < PATIENCE, "not ready: {}", tail(ground.path()));
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    let took = began.elapsed().as_secs_f64() * 1_000.0;
    ensure!(ready["plugins"] == PLUGINS, "not all plugins are live: {ready}");
    ensure!(process.stop(PATIENCE).await?, "the host does not stop: {}", tail(ground.path()));
    Ok(took)
}

async fn ready(process: &Process) -> Option<Value> {
    let mut connection = Connection::open(process.address).await.ok()?;
    let (status, body) = connection.ask(request("GET", "/readyz", SHOP, "")).await.ok()?;
    (status == 200).then(|| serde_json::from_slice(&body).unwrap_or_default())
}
