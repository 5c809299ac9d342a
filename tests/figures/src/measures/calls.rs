//! One call of one plugin, in this process: ours in a fresh instance, the same logic native, Extism's plugin in a fresh
//! and in a kept instance. A round's value is the mean over the stages pricing, delivery and content.

use std::hint::black_box;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use cartwright::domain::{Cart, Effect, Hook};
use cartwright::plugins::call::{Input, Invocation, Offers, Surroundings};
use cartwright::serve::{Host, StartOptions};
use extism::{CompiledPlugin, Manifest, Plugin, PluginBuilder, Wasm};
use harness::project;

use super::Run;
use crate::figure::Rounds;
use crate::findings::{Findings, Kind};
use crate::ground::{self, Ground, SHOP};
use crate::host::{effects, native, webhooks};
use crate::requests;
use crate::sides::LINES;

pub const NAMES: [&str; 3] = ["fresh_call_over_native", "extism_fresh_over_ours", "extism_reused_over_ours"];

const STAGES: [Hook; 3] = [Hook::Pricing, Hook::Delivery, Hook::Content];

pub async fn measure(run: &Run) -> anyhow::Result<Findings> {
    let mut plugins: Vec<_> = STAGES.into_iter().map(|hook| ground::reference(hook.name())).collect();
    plugins.push(ground::reference("idle"));
    let ground = Ground::with(&plugins)?;
    let options = StartOptions {
        listen: Some(([127, 0, 0, 1], 0).into()),
        background: false,
        watch: false,
        ..StartOptions::default()
    };
    let host = Host::start(ground.path(), options).await?;
    let ours: Vec<Invocation> = STAGES
        .into_iter()
        .map(|hook| invocation(&host, &format!("reference-{}", hook.name()), hook))
        .collect::<Result<_, _>>()?;
    let idle: Vec<Invocation> =
        STAGES.into_iter().map(|hook| invocation(&host, "reference-idle", hook)).collect::<Result<_, _>>()?;
    let extism = extism()?;
    let mut kept = Plugin::new_from_compiled(&extism)?;
    // All do the same work, or nothing is compared.
    for asked in &ours {
        let native = native::answer(asked)?;
        ensure!(!native.is_empty(), "the reference logic decides nothing");
        ensure!(host.registry().call(fresh(asked)).await.result? == native, "the plugin decides otherwise");
        ensure!(in_extism(&mut kept, asked)? == native, "Extism's plugin decides otherwise");
    }

    let turn = run.turn() / 2;
    let [mut sandboxed, mut floor, mut natively, mut extism_fresh, mut extism_kept] =
        [const { Vec::new() }; 5];
    for _ in 0..run.rounds {
        sandboxed.push(in_sandbox(&host, &ours, turn).await?);
        natively.push(timed(turn, &ours, |asked| Ok(native::answer(asked)?))?);
        extism_fresh
            .push(timed(turn, &ours, |asked| in_extism(&mut Plugin::new_from_compiled(&extism)?, asked))?);
        extism_kept.push(timed(turn, &ours, |asked| in_extism(&mut kept, asked))?);
        floor.push(in_sandbox(&host, &idle, turn / 2).await?);
    }
    host.stop().await?;

    let rounds = |values: Vec<f64>| values.into_iter().collect::<Rounds>();
    let (ours, native) = (rounds(sandboxed), rounds(natively));
    let (extism_fresh, extism_kept, floor) = (rounds(extism_fresh), rounds(extism_kept), rounds(floor));
    let mut found = Findings::default();
    found.ratio(NAMES[0], &ours, &native);
    found.ratio(NAMES[1], &extism_fresh, &ours);
    found.ratio(NAMES[2], &extism_kept, &ours);
    let bars = [
        ("call_native_us", native),
        ("call_fresh_us", ours),
        ("call_idle_us", floor),
        ("call_extism_reused_us", extism_kept),
        ("call_extism_fresh_us", extism_fresh),
    ];
    for (name, rounds) in &bars {
        found.tell(*name, rounds, "µs");
    }
    let bars = bars.iter().map(|(name, rounds)| ((*name).to_owned(), rounds.figure("µs"))).collect();
    found.chart("One call of one plugin", "µs", Kind::Bars(bars));
    Ok(found)
}

fn invocation(host: &Host, plugin: &str, hook: Hook) -> anyhow::Result<Invocation> {
    let snapshot = host.registry().current();
    let shop = snapshot.shops.get(SHOP).context("the shop is live")?;
    let plugin =
        snapshot.live(SHOP, plugin).with_context(|| format!("`{plugin}`: {:?}", snapshot.problems))?;
    let cart: Arc<Cart> = Arc::new(serde_json::from_value(requests::cart(LINES))?);
    let input = match hook {
        Hook::Content => Input::Content { page: "checkout".to_owned(), cart: Some(cart), product: None },
        _ => Input::Cart(cart),
    };
    let surroundings = Surroundings {
        hook_name: "checkout".to_owned(),
        now_ms: host.clock().now_ms(),
        zone: shop.config.zone.clone(),
        seed: 1,
        locale: "en".to_owned(),
        viewed: Vec::new(),
        late: false,
        shop: Arc::clone(&shop.public),
        calendar: Arc::clone(&shop.calendar),
        customer: Some(Arc::new(serde_json::from_value(requests::customer())?)),
        order: None,
        shipments: Arc::default(),
        offers: Arc::new(Offers::default()),
        request_id: "figures".to_owned(),
    };
    Ok(Invocation {
        plugin: Arc::clone(plugin),
        hook,
        input,
        surroundings: Arc::new(surroundings),
        customer_id: Some(requests::CUSTOMER.to_owned()),
        order_id: None,
        reads: Arc::new(host.store().clone()),
        journal: None,
        until: tokio::time::Instant::now(),
    })
}

/// To be answered from now on.
fn fresh(asked: &Invocation) -> Invocation {
    Invocation { until: tokio::time::Instant::now() + Duration::from_secs(10), ..asked.clone() }
}

/// µs a call.
async fn in_sandbox(host: &Host, asked: &[Invocation], turn: Duration) -> anyhow::Result<f64> {
    let (began, mut calls) = (Instant::now(), 0_u32);
    while began.elapsed() < turn {
        for asked in asked {
            black_box(host.registry().call(fresh(asked)).await.result?);
            calls += 1;
        }
    }
    Ok(began.elapsed().as_secs_f64() * 1e6 / f64::from(calls))
}

/// µs a call of what answers without the sandbox.
fn timed(
    turn: Duration,
    asked: &[Invocation],
    mut answer: impl FnMut(&Invocation) -> anyhow::Result<Vec<Effect>>,
) -> anyhow::Result<f64> {
    let (began, mut calls) = (Instant::now(), 0_u32);
    while began.elapsed() < turn {
        for asked in asked {
            black_box(answer(asked)?);
            calls += 1;
        }
    }
    Ok(began.elapsed().as_secs_f64() * 1e6 / f64::from(calls))
}

/// The host's records to JSON, the call, and the effects of what comes back.
fn in_extism(plugin: &mut Plugin, asked: &Invocation) -> anyhow::Result<Vec<Effect>> {
    let question = webhooks::sent(asked)?;
    let answer: &[u8] = plugin.call(asked.hook.name(), question.as_ref())?;
    Ok(effects::effects(&serde_json::from_slice(answer)?))
}

/// Compiled once.
fn extism() -> anyhow::Result<CompiledPlugin> {
    let manifest = Manifest::new([Wasm::data(std::fs::read(extism_file()?)?)]);
    PluginBuilder::new(manifest).with_wasi(false).compile().context("Extism cannot compile its plugin")
}

/// Built as `cartwright plugin build` builds ours.
fn extism_file() -> anyhow::Result<PathBuf> {
    let target = project().join("target/plugins");
    let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "build",
            "--release",
            "--quiet",
            "--target",
            "wasm32-unknown-unknown",
            "--package",
            "figures-extism",
        ])
        .current_dir(project().join("tests/figures"))
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_ENCODED_RUSTFLAGS", "-Clink-arg=-zstack-size=65536")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3")
        .env("CARGO_PROFILE_RELEASE_LTO", "fat")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
        .env("CARGO_PROFILE_RELEASE_PANIC", "abort")
        .output()?;
    ensure!(
        built.status.success(),
        "Extism's plugin does not build: {}",
        String::from_utf8_lossy(&built.stderr)
    );
    Ok(target.join("wasm32-unknown-unknown/release/figures_extism.wasm"))
}
