//! The checkout, through HTTP: four plugins of one stage each in the sandbox, the same logic native in the same host, the
//! same decisions fetched from webhook services by the same host, and by a server that does nothing else.

use serde_json::Value;

use super::Run;
use crate::findings::{Findings, Kind};
use crate::ground::{self, Ground};
use crate::host::Logic;
use crate::requests::{has_delivery, is_reference};
use crate::sides::{self, Answered, CLIENTS, LINES, Side};

pub const NAMES: [&str; 4] = [
    "checkout4_over_native",
    "checkout4_over_webhooks_axum",
    "checkout4_over_webhooks_node",
    "p99_over_webhooks_axum",
];

/// Told beside: against the servers that do nothing else.
const BOUNDS: [&str; 2] = ["checkout4_over_merging_axum", "checkout4_over_merging_node"];

/// Clients of the points of a chart.
const CONCURRENCY: [usize; 4] = [1, 4, 16, 64];
/// Of what the slowest of them answers.
const OFFERED: f64 = 0.5;

const OURS: &str = "checkout4";
const NATIVE: &str = "checkout4_native";
/// The same endpoint, whose decisions are fetched; and a server that does nothing else, which is a bound.
const AXUM: [&str; 2] = ["checkout4_webhooks_axum", "checkout4_merging_axum"];
const NODE: [&str; 2] = ["checkout4_webhooks_node", "checkout4_merging_node"];
const FIRST_PARTY: &str = "checkout_first_party";

pub async fn measure(run: &Run) -> anyhow::Result<Findings> {
    let mut found = Findings::default();
    let services = Ground::new(None)?;
    let mut sides = vec![ours().await?, native().await?, first_party().await?];
    sides.extend(peers(&AXUM, &sides[0], async || sides::in_axum(&services).await).await?);
    match peers(&NODE, &sides[0], async || sides::in_node(&services).await).await {
        Ok(peers) => sides.extend(peers),
        Err(error) => found.absent(NAMES[2], format!("{error:#}")),
    }
    let answered = sides::saturate(&sides, run.rounds, CLIENTS, run.turn()).await?;
    let of = |name: &str| {
        sides.iter().zip(&answered).find(|(side, _)| side.name == name).map(|(_, rounds)| rounds)
    };
    let none = Answered::default();
    let own = of(OURS).unwrap_or(&none);
    found.ratio(NAMES[0], &own.per_second, &of(NATIVE).unwrap_or(&none).per_second);
    for (names, peers) in [([NAMES[1], BOUNDS[0]], AXUM), ([NAMES[2], BOUNDS[1]], NODE)] {
        for (name, peer) in names.into_iter().zip(peers) {
            if let Some(peer) = of(peer) {
                found.ratio(name, &own.per_second, &peer.per_second);
            }
        }
    }
    tell(&mut found, &sides, &answered, "");
    let bars = sides.iter().zip(&answered);
    let bars =
        bars.map(|(side, rounds)| (side.name.clone(), rounds.per_second.figure("checkouts/s"))).collect();
    found.chart("Checkouts, 16 clients", "checkouts/s", Kind::Bars(bars));

    let slowest = of(AXUM[0]).unwrap_or(&none).per_second.median().min(own.per_second.median());
    if let Err(error) = offered(run, &mut found, &mut sides, slowest * OFFERED).await {
        found.absent(NAMES[3], format!("{error:#}"));
    }
    throughput(run, &mut found, &sides).await?;
    Ok(found)
}

async fn ours() -> anyhow::Result<Side> {
    Side::host(OURS, &ground::four(), &Logic::Sandbox, LINES, is_reference).await
}

async fn native() -> anyhow::Result<Side> {
    Side::host(NATIVE, &ground::four(), &Logic::Native, LINES, is_reference).await
}

async fn first_party() -> anyhow::Result<Side> {
    let whole: fn(&Value) -> bool = has_delivery;
    Side::host(FIRST_PARTY, &ground::first_party()?, &Logic::Sandbox, LINES, whole).await
}

/// A host that asks services, and a server that does nothing else.
async fn peers(
    names: &[&str; 2],
    like: &Side,
    services: impl AsyncFn() -> anyhow::Result<Vec<harness::process::Process>>,
) -> anyhow::Result<Vec<Side>> {
    let host = Side::webhooks(names[0], &ground::four(), services().await?).await?;
    Ok(vec![host, Side::merging(names[1], like, services().await?).await?])
}

fn tell(found: &mut Findings, sides: &[Side], answered: &[Answered], how: &str) {
    for (side, rounds) in sides.iter().zip(answered) {
        if how.is_empty() {
            found.tell(format!("{}_per_s", side.name), &rounds.per_second, "checkouts/s");
        }
        found.tell(format!("{}{how}_p50_ms", side.name), &rounds.p50_ms, "ms");
        found.tell(format!("{}{how}_p99_ms", side.name), &rounds.p99_ms, "ms");
    }
}

/// At a load that all of them bear. Node's do not: they are left out.
async fn offered(
    run: &Run,
    found: &mut Findings,
    sides: &mut Vec<Side>,
    per_second: f64,
) -> anyhow::Result<()> {
    sides.retain(|side| !NODE.contains(&side.name.as_str()) && side.name != FIRST_PARTY);
    let answered = sides::offer(sides, run.rounds, per_second, run.turn() * 2).await?;
    let of = |name: &str| {
        sides.iter().zip(&answered).find(|(side, _)| side.name == name).map(|(_, rounds)| rounds)
    };
    if let (Some(own), Some(peer)) = (of(OURS), of(AXUM[0])) {
        found.ratio(NAMES[3], &own.p99_ms, &peer.p99_ms);
    }
    found.tell("offered_per_s", &std::iter::once(per_second).collect(), "checkouts/s");
    tell(found, sides, &answered, "_offered");
    let bars = sides.iter().zip(&answered);
    let bars = bars.map(|(side, rounds)| (side.name.clone(), rounds.p99_ms.figure("ms"))).collect();
    found.chart(&format!("99th percentile at {per_second:.0} checkouts/s"), "ms", Kind::Bars(bars));
    Ok(())
}

async fn throughput(run: &Run, found: &mut Findings, sides: &[Side]) -> anyhow::Result<()> {
    let mut series: Vec<(String, Vec<(f64, f64)>)> =
        sides.iter().map(|side| (side.name.clone(), Vec::new())).collect();
    for clients in CONCURRENCY {
        let answered = sides::saturate(sides, 1, clients, run.short_turn()).await?;
        for ((_, points), rounds) in series.iter_mut().zip(&answered) {
            points.push((clients as f64, rounds.per_second.median()));
        }
    }
    let kind = Kind::Lines { below: "clients".to_owned(), series };
    found.chart("Throughput against concurrency", "checkouts/s", kind);
    Ok(())
}
