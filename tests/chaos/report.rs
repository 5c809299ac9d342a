//! What a run came to.

use std::sync::atomic::Ordering;
use std::time::Instant;

use harness::project;
use serde::Serialize;

use crate::books::Difference;
use crate::client::Tally;
use crate::faults::Done;
use crate::{Arguments, Kind};

/// Sentences that are printed.
const SENTENCES: usize = 60;

/// One flat object.
#[derive(Debug, Serialize)]
pub struct Report {
    pub events: u64,
    pub accepted: u64,
    pub kills: u64,
    pub kills_mid_work: u64,
    pub zombies: u64,
    pub lost: i64,
    pub effects_duplicated: i64,
    pub out_of_order: i64,
    pub messages_handed_twice: u64,
    pub database: &'static str,
    pub hosts: usize,
    pub seed: u64,
    pub database_restarts: u64,
    /// Events that were sent again: for want of an answer, and on purpose.
    pub retried: u64,
    pub repeated: u64,
    pub seconds: u64,
}

impl Report {
    #[expect(clippy::too_many_arguments, reason = "it is made once")]
    pub fn of(
        arguments: &Arguments,
        hosts: usize,
        seed: u64,
        tally: &Tally,
        done: &Done,
        difference: &Difference,
        messages_handed_twice: u64,
        began: Instant,
    ) -> Self {
        Self {
            events: tally.sent.load(Ordering::Relaxed),
            accepted: tally.accepted.load(Ordering::Relaxed),
            kills: done.kills.load(Ordering::Relaxed),
            kills_mid_work: done.kills_mid_work.load(Ordering::Relaxed),
            zombies: done.zombies.load(Ordering::Relaxed),
            lost: difference.lost,
            effects_duplicated: difference.duplicated,
            out_of_order: difference.out_of_order,
            messages_handed_twice,
            database: name(arguments.database),
            hosts,
            seed,
            database_restarts: done.restarts.load(Ordering::Relaxed),
            retried: tally.retried.load(Ordering::Relaxed),
            repeated: tally.repeated.load(Ordering::Relaxed),
            seconds: began.elapsed().as_secs(),
        }
    }

    /// A message whose hand-over a kill cut short goes out again, under its Message-ID: one for each kill at most.
    pub fn is_whole(&self) -> bool {
        self.accepted == self.events
            && self.lost == 0
            && self.effects_duplicated == 0
            && self.out_of_order == 0
            && self.messages_handed_twice <= self.kills
    }

    /// On stdout, and in `target/chaos.json`.
    pub fn publish(&self) -> anyhow::Result<()> {
        let text = serde_json::to_string(self)?;
        println!("{text}");
        Ok(std::fs::write(project().join("target/chaos.json"), text + "\n")?)
    }

    /// What is wrong, and how to see it again.
    pub fn explain(&self, arguments: &Arguments, words: &[String]) {
        for sentence in words.iter().take(SENTENCES) {
            eprintln!("{sentence}");
        }
        if words.len() > SENTENCES {
            eprintln!("… and {} more", words.len() - SENTENCES);
        }
        if self.messages_handed_twice > self.kills {
            eprintln!(
                "{} messages were handed over again, by {} kills",
                self.messages_handed_twice, self.kills
            );
        }
        let soak = arguments.soak.map(|seconds| format!(" --soak {seconds}")).unwrap_or_default();
        eprintln!(
            "To repeat it: cargo chaos -- --database {} --hosts {} --events {} --kills {} --seed {}{soak}",
            self.database, self.hosts, arguments.events, arguments.kills, self.seed
        );
    }
}

fn name(database: Kind) -> &'static str {
    match database {
        Kind::Sqlite => "sqlite",
        Kind::Postgres => "postgres",
    }
}
