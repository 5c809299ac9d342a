//! What is measured, in order; each measure names the figures that it owes.

mod calls;
mod checkout;
mod growth;
mod intake;
mod lifecycle;
mod memory;
mod raw;
mod reload;
mod shops;
mod start;
mod stock;

use std::time::Duration;

use crate::figure::Figure;
use crate::findings::Findings;
use crate::targets::TARGETS;

/// How long and how often.
#[derive(Debug, Clone)]
pub struct Run {
    pub rounds: usize,
    pub quick: bool,
    /// Only these figures; empty: all.
    pub only: Vec<String>,
}

impl Run {
    /// Time of one side in one round.
    pub fn turn(&self) -> Duration {
        Duration::from_millis(if self.quick { 700 } else { 3_000 })
    }

    /// The same of a point of a chart that no target depends on.
    pub fn short_turn(&self) -> Duration {
        self.turn() / 3
    }

    fn wants(&self, names: &[&str]) -> bool {
        self.only.is_empty() || names.iter().any(|name| self.only.iter().any(|wanted| wanted == name))
    }
}

/// Everything that is wanted. What cannot be measured is absent, with the reason.
pub async fn all(run: &Run) -> Findings {
    let mut found = Findings::default();
    section(run, &mut found, "calls", &calls::NAMES, Box::pin(calls::measure(run))).await;
    section(run, &mut found, "checkouts", &checkout::NAMES, checkout::measure(run)).await;
    section(run, &mut found, "reloads", &reload::NAMES, reload::measure(run)).await;
    section(run, &mut found, "starts", &start::NAMES, start::measure(run)).await;
    section(run, &mut found, "intake, SQLite", &intake::SQLITE, intake::on_sqlite(run)).await;
    section(run, &mut found, "intake, PostgreSQL", &intake::POSTGRES, intake::on_postgres(run)).await;
    section(run, &mut found, "lifecycle", &lifecycle::NAMES, lifecycle::measure(run)).await;
    section(run, &mut found, "memory", &memory::NAMES, memory::measure(run)).await;
    section(run, &mut found, "shops", &shops::NAMES, shops::measure(run)).await;
    section(run, &mut found, "growth", &growth::NAMES, growth::measure(run)).await;
    section(run, &mut found, "jobs due", &stock::JOBS, stock::jobs(run)).await;
    section(run, &mut found, "stored orders", &stock::ORDERS, stock::orders(run)).await;
    for named in &TARGETS {
        if found.of(named.name).is_none() {
            found.absent(named.name, "not asked for");
        }
    }
    found
}

async fn section(
    run: &Run,
    found: &mut Findings,
    title: &str,
    names: &[&str],
    measured: impl Future<Output = anyhow::Result<Findings>>,
) {
    if !run.wants(names) {
        return;
    }
    let began = std::time::Instant::now();
    eprint!("{title} … ");
    match measured.await {
        Ok(findings) => found.take(findings),
        Err(error) => {
            for name in names {
                found.figures.push(((*name).to_owned(), Figure::Absent { absent: format!("{error:#}") }));
            }
        }
    }
    eprintln!("{:.0} s", began.elapsed().as_secs_f64());
}
