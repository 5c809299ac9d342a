//! Growth by shops: memory, start and a checkout's latency with 1, 100 and 1,000 shops that share ten plugins.

use std::time::Instant;

use super::Run;
use crate::figure::Rounds;
use crate::findings::{Findings, Kind};
use crate::ground::{self, Ground, SHOP};
use crate::host::Logic;
use crate::load::Connection;
use crate::requests::{checkout, has_delivery};
use crate::sides::{self, LINES, Side};

pub const NAMES: [&str; 1] = ["shops_1000_kib_each"];

const SHOPS: [usize; 3] = [1, 100, 1_000];

pub async fn measure(run: &Run) -> anyhow::Result<Findings> {
    let mut found = Findings::default();
    let (mut open, mut memory) = (Vec::new(), Vec::new());
    for shops in SHOPS {
        let began = Instant::now();
        let side = opened(shops).await?;
        found.tell(
            format!("shops_{shops}_start_ms"),
            &std::iter::once(began.elapsed().as_secs_f64() * 1_000.0).collect(),
            "ms",
        );
        side.go_on()?;
        let mut held = Rounds::default();
        for _ in 0..run.rounds {
            visit(&side, shops).await?;
            held.push(side.memory_kib()?);
        }
        side.pause()?;
        found.tell(format!("shops_{shops}_memory_kib"), &held, "KiB");
        memory.push(held);
        open.push(side);
    }
    if let [one, .., most] = memory.as_slice() {
        let more = (SHOPS[2] - SHOPS[0]) as f64;
        found.tell(NAMES[0], &most.less(one).by(more), "KiB");
    }
    let points = |values: Vec<f64>| SHOPS.into_iter().map(|shops| shops as f64).zip(values).collect();
    let series =
        vec![("memory".to_owned(), points(memory.iter().map(|held| held.median() / 1_024.0).collect()))];
    found.chart("Memory against shops", "MiB", Kind::Lines { below: "shops".to_owned(), series });

    let answered = sides::saturate(&open, run.rounds, 1, run.short_turn()).await?;
    for (shops, rounds) in SHOPS.into_iter().zip(&answered) {
        found.tell(format!("shops_{shops}_p50_ms"), &rounds.p50_ms, "ms");
    }
    let series = vec![(
        "checkout, p50".to_owned(),
        points(answered.iter().map(|rounds| rounds.p50_ms.median()).collect()),
    )];
    found.chart("Latency against shops", "ms", Kind::Lines { below: "shops".to_owned(), series });
    Ok(found)
}

async fn opened(shops: usize) -> anyhow::Result<Side> {
    let (ground, plugins) = (Ground::new(None)?, ground::ten()?);
    ground.open_shop(SHOP, &plugins)?;
    for number in 1..shops {
        ground.open_shop(&shop(number), &plugins)?;
    }
    Side::on(ground, format!("{shops} shops"), &Logic::Sandbox, LINES, has_delivery).await
}

/// A checkout at each: a shop that nobody visits might hold less.
async fn visit(side: &Side, shops: usize) -> anyhow::Result<()> {
    let mut connection = Connection::open(side.aim.address).await?;
    for number in 1..shops {
        let (status, body) = connection.ask(checkout(&shop(number), LINES)).await?;
        anyhow::ensure!(status == 200, "{status} {}", String::from_utf8_lossy(&body));
    }
    Ok(())
}

fn shop(number: usize) -> String {
    format!("shop-{number}")
}
