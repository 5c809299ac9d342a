//! Reloads: a plugin's file is saved, and at some point the checkout shows its new text. Each version has another text
//! and so another hash: none is in the cache of compiled plugins.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use cartwright::plugins::manifest::Manifest;

use super::Run;
use crate::figure::Rounds;
use crate::findings::Findings;
use crate::ground;
use crate::host::Logic;
use crate::load::{self, Aim, Connection, Enough};
use crate::requests::has_delivery;
use crate::sides::{CLIENTS, LINES, Side};

pub const NAMES: [&str; 2] = ["reload_ms", "reload_failed"];

const PLUGIN: &str = "delivery_options.wasm";
const TEXTS: &str = "locales/en.ftl";
/// What it calls one of its ways of delivery.
const TITLE: &str = "Standard delivery";
const UNDER_LOAD: usize = 100;
/// Of what the host answers, while it is reloaded.
const LOAD: f64 = 0.3;
const PATIENCE: Duration = Duration::from_secs(20);

pub async fn measure(run: &Run) -> anyhow::Result<Findings> {
    let side = Side::host("reloaded", &ground::first_party()?, &Logic::Sandbox, LINES, has_delivery).await?;
    side.go_on()?;
    let mut plugin = Saved::new(side.ground.plugin_file(PLUGIN))?;
    let mut idle = Rounds::default();
    for _ in 0..run.rounds {
        idle.push(plugin.reload(&side.aim).await?);
    }
    let capacity = load::saturate(&side.aim, CLIENTS, Enough::After(run.short_turn())).await?.per_second;
    let told = Arc::new(AtomicBool::new(false));
    let (aim, enough) = (side.aim.clone(), Enough::WhenTold(Arc::clone(&told)));
    let load = tokio::spawn(async move { load::offer(&aim, capacity * LOAD, enough).await });
    let mut loaded = Rounds::default();
    let reloaded = async {
        for _ in 0..UNDER_LOAD {
            loaded.push(plugin.reload(&side.aim).await?);
        }
        anyhow::Ok(())
    }
    .await;
    told.store(true, Ordering::Relaxed);
    let load = load.await??;
    reloaded?;

    let mut found = Findings::default();
    found.tell(NAMES[0], &idle, "ms");
    if let Some(first) = &load.first_wrong {
        eprintln!("the first of {} that failed: {first}", load.failed);
    }
    found.tell(NAMES[1], &std::iter::once(load.failed as f64).collect(), "checkouts");
    found.tell("reload_under_load_ms", &loaded, "ms");
    found.tell("reload_checkouts", &std::iter::once(load.latencies.len() as f64).collect(), "checkouts");
    found.tell(
        "reload_plugin_kib",
        &std::iter::once(plugin.original.len() as f64 / 1_024.0).collect(),
        "KiB",
    );
    Ok(found)
}

/// A plugin's file that is saved again and again.
struct Saved {
    file: PathBuf,
    original: Vec<u8>,
    versions: u32,
}

impl Saved {
    fn new(file: PathBuf) -> anyhow::Result<Self> {
        Ok(Self { original: std::fs::read(&file)?, file, versions: 0 })
    }

    /// ms from saving to an answer of the new version.
    async fn reload(&mut self, aim: &Aim) -> anyhow::Result<f64> {
        self.versions += 1;
        let title = format!("Delivery no. {:04}", self.versions);
        let version = titled(&self.original, &title)?;
        let mut connection = Connection::open(aim.address).await?;
        // Written as an editor does: nobody sees half a file.
        let part = self.file.with_extension("part");
        std::fs::write(&part, version)?;
        let saved = Instant::now();
        std::fs::rename(&part, &self.file)?;
        loop {
            let answer = aim.ask(&mut connection).await?;
            if has(&answer, &title) {
                return Ok(saved.elapsed().as_secs_f64() * 1_000.0);
            }
            ensure!(saved.elapsed() < PATIENCE, "{} is not reloaded", shown(&self.file));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

fn titled(plugin: &[u8], title: &str) -> anyhow::Result<Vec<u8>> {
    let mut manifest = Manifest::read(plugin)?;
    let texts = Arc::make_mut(&mut manifest.assets).get_mut(TEXTS).context("the plugin has English texts")?;
    ensure!(texts.contains(TITLE), "the plugin has no `{TITLE}`");
    *texts = texts.replace(TITLE, title);
    Ok(manifest.write(plugin)?)
}

fn has(answer: &[u8], title: &str) -> bool {
    answer.windows(title.len()).any(|part| part == title.as_bytes())
}

fn shown(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
