//! Growth of a checkout's latency: by plugins, and by lines of the cart. One client, so that nothing waits for its turn.

use super::Run;
use crate::findings::{Findings, Kind};
use crate::ground::{self, Entry};
use crate::host::Logic;
use crate::requests::has_delivery;
use crate::sides::{self, LINES, Side};

pub const NAMES: [&str; 1] = ["plugins_32_over_1"];

const PLUGINS: [usize; 4] = [1, 4, 16, 32];
/// A cart has 1,000 at most.
const CART_LINES: [usize; 4] = [1, 10, 100, 1_000];

pub async fn measure(run: &Run) -> anyhow::Result<Findings> {
    let mut found = Findings::default();
    let mut by_plugins = Vec::new();
    for plugins in PLUGINS {
        let plugins = several(plugins);
        let name = format!("plugins_{}", plugins.len());
        by_plugins.push(Side::host(name, &plugins, &Logic::Sandbox, LINES, has_delivery).await?);
    }
    let answered = sides::saturate(&by_plugins, run.rounds, 1, run.short_turn()).await?;
    if let [one, .., most] = answered.as_slice() {
        found.ratio(NAMES[0], &most.p50_ms, &one.p50_ms);
    }
    told(&mut found, "plugins", &PLUGINS, &answered);
    drop(by_plugins);

    let mut by_lines = Vec::new();
    for lines in CART_LINES {
        let name = format!("lines_{lines}");
        by_lines.push(Side::host(name, &ground::four(), &Logic::Sandbox, lines, has_delivery).await?);
    }
    let answered = sides::saturate(&by_lines, run.rounds, 1, run.short_turn()).await?;
    told(&mut found, "lines", &CART_LINES, &answered);
    Ok(found)
}

/// So many plugins, of all stages in turn; ways of delivery come first, for a checkout has some.
fn several(plugins: usize) -> Vec<Entry> {
    let stages = ["delivery", "pricing", "content", "review"];
    let stages = stages.into_iter().cycle().enumerate().take(plugins);
    stages
        .map(|(number, stage)| ground::named(&ground::reference(stage), &format!("{stage}-{number}")))
        .collect()
}

fn told(found: &mut Findings, what: &str, sizes: &[usize], answered: &[sides::Answered]) {
    let mut points = Vec::new();
    for (size, rounds) in sizes.iter().zip(answered) {
        found.tell(format!("{what}_{size}_p50_ms"), &rounds.p50_ms, "ms");
        points.push((*size as f64, rounds.p50_ms.median()));
    }
    let series = vec![("checkout, p50".to_owned(), points)];
    found.chart(&format!("Latency against {what}"), "ms", Kind::Lines { below: what.to_owned(), series });
}
