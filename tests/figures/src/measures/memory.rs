//! What a host holds: idle, with the demo's five plugins in one shop, and under load (`VmRSS` of proc(5)).

use super::Run;
use crate::figure::Rounds;
use crate::findings::Findings;
use crate::ground::{self, Ground};
use crate::host::{self, Logic};
use crate::load::{self, Enough};
use crate::requests::has_delivery;
use crate::sides::{CLIENTS, LINES, Side};

pub const NAMES: [&str; 2] = ["memory_idle_kib", "memory_under_load_kib"];

pub async fn measure(run: &Run) -> anyhow::Result<Findings> {
    let (mut idle, mut loaded) = (Rounds::default(), Rounds::default());
    let ground = Ground::with(&ground::first_party()?)?;
    for _ in 0..run.rounds {
        let process = host::start(ground.path(), &Logic::Sandbox).await?;
        idle.push(process.memory_kib()? as f64);
    }
    let side = Side::on(ground, "loaded", &Logic::Sandbox, LINES, has_delivery).await?;
    side.go_on()?;
    for _ in 0..run.rounds {
        load::saturate(&side.aim, CLIENTS * 4, Enough::After(run.short_turn())).await?;
        loaded.push(side.memory_kib()?);
    }
    let mut found = Findings::default();
    found.tell(NAMES[0], &idle, "KiB");
    found.tell(NAMES[1], &loaded, "KiB");
    Ok(found)
}
