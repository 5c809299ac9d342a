//! Whether a host grows while it works: memory, files, transactions.

use std::time::{Duration, Instant};

use crate::Kind;
use crate::database::Database;
use crate::place::Place;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(500);
/// A transaction is open so long at most, s: longer than a frozen host can keep one.
const TRANSACTION: i64 = 15;

/// What was seen of a host that lived through it, at equal distances.
#[derive(Debug, Default)]
pub struct Growth {
    memory_kib: Vec<u64>,
    files: Vec<u64>,
    /// Open ones on PostgreSQL; for how many seconds the oldest was, and what it was about.
    transactions: Vec<u64>,
    oldest: (i64, String),
    /// Bytes of SQLite's write-ahead log: it grows when a reader does not let go.
    log_kib: Vec<u64>,
}

/// Looks at it until `end`.
pub async fn watch(place: &Place, database: &Database, kind: Kind, end: Instant) -> anyhow::Result<Growth> {
    let mut seen = Growth::default();
    let log = place.database_file().with_extension("db-wal");
    while Instant::now() < end {
        // A host that is being started is not there.
        if let Ok((memory, files)) =
            place.with(|process| Ok((process.memory_kib()?, process.open_files()?))).await
        {
            seen.memory_kib.push(memory);
            seen.files.push(files);
        }
        match kind {
            Kind::Sqlite => {
                let bytes = std::fs::metadata(&log).map(|log| log.len()).unwrap_or_default();
                seen.log_kib.push(bytes / 1_024);
            }
            Kind::Postgres => {
                if let Ok(open) = database.transactions().await {
                    seen.transactions.push(open.len() as u64);
                    seen.oldest = seen.oldest.max(open.into_iter().next().unwrap_or_default());
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(seen)
}

impl Growth {
    /// What grew. A quarter of warming up is left out.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        for (what, seen, percent, beside) in [
            ("memory, KiB", &self.memory_kib, 120, 16 << 10),
            // As many as its pools and its clients come and go with.
            ("open files", &self.files, 100, 32),
            ("open transactions", &self.transactions, 100, 16),
            ("write-ahead log, KiB", &self.log_kib, 120, 8 << 10),
        ] {
            let quarter = |number: usize| {
                let size = seen.len() / 4;
                median(seen.get(number * size..(number + 1) * size).unwrap_or_default())
            };
            let (before, after) = (quarter(1), quarter(3));
            eprintln!("{what}: {before} in the second quarter, {after} in the last one");
            if after > before * percent / 100 + beside {
                words.push(format!("grown: {what}: from {before} to {after}"));
            }
        }
        let (seconds, what) = &self.oldest;
        if *seconds > TRANSACTION {
            words.push(format!("a transaction was open for {seconds} s: {what}"));
        }
        words
    }
}

fn median(seen: &[u64]) -> u64 {
    let mut sorted = seen.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}
