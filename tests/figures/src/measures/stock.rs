//! Growth by what a database holds: jobs that are due, and orders that are stored. On SQLite. Rows are put into the
//! tables directly, copies of those of one order under names of their own.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use harness::process::{Process, tail};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _, SqliteConnection};

use super::Run;
use crate::figure::Rounds;
use crate::findings::{Findings, Kind};
use crate::ground::{self, Ground};
use crate::host::{self, Logic};
use crate::load::{self, Enough};
use crate::requests::{self, has_delivery};
use crate::sides::{self, CLIENTS, LINES, Side};

pub const JOBS: [&str; 3] = ["jobs_1000_per_s", "jobs_100000_per_s", "jobs_1000000_per_s"];
pub const ORDERS: [&str; 4] = [
    "orders_10000_p50_ms",
    "orders_1000000_p50_ms",
    "orders_10000_intake_per_s",
    "orders_1000000_intake_per_s",
];

const DUE: [u32; 3] = [1_000, 100_000, 1_000_000];
const STORED: [u32; 2] = [10_000, 1_000_000];

/// Jobs that are waited for in a round; as many more are due, for those that are done before anybody looks.
const DONE: u32 = 500;
const PATIENCE: Duration = Duration::from_secs(60);

/// Jobs done a second, while so many are due.
pub async fn jobs(run: &Run) -> anyhow::Result<Findings> {
    let mut queues = Vec::new();
    for due in DUE {
        queues.push(Queue::with(due).await?);
    }
    let mut all = vec![Rounds::default(); DUE.len()];
    for round in 0..run.rounds {
        for turn in 0..queues.len() {
            let place = (round + turn) % queues.len();
            let (Some(queue), Some(rounds)) = (queues.get_mut(place), all.get_mut(place)) else { continue };
            rounds.push(queue.work_off().await?);
        }
    }
    let mut found = Findings::default();
    let mut points = Vec::new();
    for ((due, name), rounds) in DUE.into_iter().zip(JOBS).zip(&all) {
        found.tell(name, rounds, "jobs/s");
        points.push((f64::from(due), rounds.median()));
    }
    let series = vec![("claimed, called and finished".to_owned(), points)];
    found.chart("Jobs done against jobs due", "jobs/s", Kind::Lines { below: "jobs due".to_owned(), series });
    Ok(found)
}

/// A checkout's latency, and orders taken in a second, while so many orders are stored.
pub async fn orders(run: &Run) -> anyhow::Result<Findings> {
    let mut stores = Vec::new();
    for stored in STORED {
        let ground = Ground::with(&ground::four())?;
        first_order(&ground).await?;
        let mut database = database(&ground).await?;
        copies(&mut database, &OF_ORDERS, 1, stored).await?;
        database.close().await?;
        let name = format!("{stored} orders");
        stores.push(Side::on(ground, name, &Logic::Sandbox, LINES, has_delivery).await?);
    }
    let checkouts = sides::saturate(&stores, run.rounds, 1, run.short_turn()).await?;
    // The first is stored.
    let aims: Vec<_> = stores.iter().map(|side| requests::orders(side.aim.address, 1)).collect();
    let mut intake = vec![Rounds::default(); stores.len()];
    for round in 0..run.rounds {
        for turn in 0..stores.len() {
            let place = (round + turn) % stores.len();
            let (Some(side), Some(aim), Some(rounds)) =
                (stores.get(place), aims.get(place), intake.get_mut(place))
            else {
                continue;
            };
            side.go_on()?;
            let load = load::saturate(aim, CLIENTS, Enough::After(run.short_turn())).await?;
            side.pause()?;
            rounds.push(load.per_second);
        }
    }
    let mut found = Findings::default();
    let points = |values: Vec<f64>| STORED.into_iter().map(f64::from).zip(values).collect();
    for (stored, rounds) in STORED.into_iter().zip(&checkouts) {
        found.tell(format!("orders_{stored}_p50_ms"), &rounds.p50_ms, "ms");
    }
    for (stored, rounds) in STORED.into_iter().zip(&intake) {
        found.tell(format!("orders_{stored}_intake_per_s"), rounds, "events/s");
    }
    let below = || "stored orders".to_owned();
    let series = points(checkouts.iter().map(|rounds| rounds.p50_ms.median()).collect());
    let series = vec![("checkout, p50".to_owned(), series)];
    found.chart("Latency against stored orders", "ms", Kind::Lines { below: below(), series });
    let series = vec![("intake".to_owned(), points(intake.iter().map(Rounds::median).collect()))];
    found.chart("Intake against stored orders", "events/s", Kind::Lines { below: below(), series });
    Ok(found)
}

/// A host's folder with jobs that are due.
struct Queue {
    ground: Ground,
    due: u32,
    /// The copies so far.
    made: u32,
}

impl Queue {
    async fn with(due: u32) -> anyhow::Result<Self> {
        let ground = Ground::with(&[ground::reference("thanks")])?;
        first_order(&ground).await?;
        Ok(Self { ground, due, made: 1 })
    }

    /// Jobs a second. There are as many due before each round.
    async fn work_off(&mut self) -> anyhow::Result<f64> {
        let mut database = database(&self.ground).await?;
        let open = count(&mut database, "SELECT COUNT(*) FROM jobs").await?;
        let missing = (self.due + DONE).saturating_sub(open);
        let made = self.made + missing;
        copies(&mut database, &["customers", "contacts", "orders"], self.made.min(WHOLE), made.min(WHOLE))
            .await?;
        copies(&mut database, &["events", "jobs"], self.made, made).await?;
        self.made = made;

        let mut process = host::start(self.ground.path(), &Logic::Sandbox).await?;
        let before = done(&mut database).await?;
        let began = Instant::now();
        let per_second = loop {
            let now = done(&mut database).await?;
            if now >= before + DONE {
                break f64::from(now - before) / began.elapsed().as_secs_f64();
            }
            ensure!(began.elapsed() < PATIENCE, "jobs are not worked off: {}", tail(self.ground.path()));
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        database.close().await?;
        ensure!(process.stop(Duration::from_secs(30)).await?, "the host does not stop");
        Ok(per_second)
    }
}

async fn done(database: &mut SqliteConnection) -> anyhow::Result<u32> {
    count(database, "SELECT COUNT(*) FROM jobs_history").await
}

async fn count(database: &mut SqliteConnection, text: &'static str) -> anyhow::Result<u32> {
    Ok(u32::try_from(sqlx::query(text).fetch_one(database).await?.try_get::<i64, _>(0)?)?)
}

/// The host makes its tables, and takes in the order that is copied.
async fn first_order(ground: &Ground) -> anyhow::Result<()> {
    let mut process: Process = host::start_for_intake(ground.path()).await?;
    requests::orders(process.address, 0).once().await?;
    ensure!(process.stop(Duration::from_secs(30)).await?, "the host does not stop");
    Ok(())
}

async fn database(ground: &Ground) -> anyhow::Result<SqliteConnection> {
    let options = SqliteConnectOptions::new().filename(ground.path().join("data/cartwright.db"));
    options.pragma("cache_size", "-200000").connect().await.context("the host's database")
}

/// As many as are ever called for have the order whole; of the others no plugin hears, and a million of them would be
/// gigabytes.
const WHOLE: u32 = 20_000;

/// What an order leaves.
const OF_ORDERS: [&str; 5] = ["customers", "contacts", "orders", "intake_keys", "events"];

/// Copies `from..to` of the first order's rows in these tables.
async fn copies(database: &mut SqliteConnection, tables: &[&str], from: u32, to: u32) -> anyhow::Result<()> {
    if from >= to {
        return Ok(());
    }
    let [order, customer] = requests::FIRST_ORDER;
    let event: String = sqlx::query("SELECT id FROM events WHERE order_id = $1")
        .bind(order)
        .fetch_one(&mut *database)
        .await?
        .try_get(0)?;
    let mut transaction = database.begin().await?;
    for &table in tables {
        let columns = sqlx::query("SELECT name FROM pragma_table_info($1)").bind(table);
        let columns = columns.fetch_all(&mut *transaction).await?;
        let columns = columns.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
        let values: Vec<String> = columns.iter().map(|column| value(table, column, &event)).collect();
        let key = match table {
            "customers" => format!("id = '{customer}'"),
            "contacts" => format!("customer_id = '{customer}'"),
            "orders" => format!("id = '{order}'"),
            "events" => format!("id = '{event}'"),
            _ => format!("event_id = '{event}'"),
        };
        let insert = format!(
            "WITH RECURSIVE n(i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {to}) \
             INSERT INTO {table} ({}) SELECT {} FROM n CROSS JOIN (SELECT * FROM {table} WHERE {key})",
            columns.join(", "),
            values.join(", ")
        );
        sqlx::query(AssertSqlSafe(insert)).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    // All the way to the disk: else a host that is measured has to wait for it at one of its own writes.
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(database).await?;
    Ok(())
}

/// A column of the copy `i`. No order that is placed later has its name.
fn value(table: &str, column: &str, event: &str) -> String {
    let [order, customer] = requests::FIRST_ORDER;
    let numbered = |name: &str| format!("'{name}' || printf('%08d', i)");
    let id = |id: &str| numbered(id.get(..id.len().saturating_sub(8)).unwrap_or_default());
    match (table, column) {
        ("customers", "id") | (_, "customer_id") => numbered("stored-customer-"),
        ("orders" | "intake_keys", "id") | (_, "order_id") => numbered("stored-order-"),
        ("events", "id") | (_, "event_id" | "placed_event") => id(event),
        ("jobs", "id") => "substr(id, 1, length(id) - 8) || printf('%08d', i)".to_owned(),
        ("jobs", "ordering_key") => {
            format!("replace(ordering_key, '{order}', {})", numbered("stored-order-"))
        }
        // Each later than the one before.
        ("jobs", "run_after" | "created_at") => format!("{column} - 2000000 + i"),
        (_, "payload") => format!(
            "CASE WHEN i < {WHOLE} THEN replace(replace(payload, '{order}', {}), '{customer}', {}) ELSE '{{}}' END",
            numbered("stored-order-"),
            numbered("stored-customer-"),
        ),
        _ => column.to_owned(),
    }
}

const _: () = assert!(DUE[0] > DONE);
