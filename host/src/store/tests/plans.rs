//! How the database finds what statements ask for. A statement that reads all of a table that grows, or all that a shop
//! has, is a cliff that no test with ten rows sees; its plan shows it.

mod sources;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use crate::store::Store;
use crate::store::dialect::Dialect;

pub(crate) use sources::Sources;

/// Tables that grow with orders, customers and what comes of them, and the columns of each that PostgreSQL is told
/// about by rows that differ.
pub(crate) const GROWING: [&str; 24] = [
    "answers",
    "attempts",
    "consents",
    "contacts",
    "coupon_reservations",
    "coupon_uses",
    "coupons",
    "customers",
    "effects",
    "events",
    "intake_keys",
    "jobs",
    "jobs_history",
    "labels",
    "messages",
    "orders",
    "points",
    "products",
    "shipments",
    "state",
    "suppressions",
    "timers",
    "webhook_deliveries",
    "webhooks",
];

/// Indexes of rows that are few, however many the table has: what is in hand, and what waits for a person.
const FEW: [&str; 4] = ["jobs_running", "jobs_dead", "jobs_history_dropped", "messages_handing"];

/// The beginnings of statements that read more than they give, and why they may.
const MAY_READ_ALL: &[(&str, &str)] = &[
    (
        "SELECT shop, COUNT(*) FROM jobs",
        "counts what is open; a host takes a twentieth of a reader's time for it",
    ),
    ("SELECT plugin, hook, COUNT(*), MIN(created_at) FROM jobs", "counts what is open, for `/metrics`"),
    ("SELECT COUNT(*), MIN(due_at + 0), (SELECT COUNT(*)", "counts what is due, for `/metrics`"),
    ("SELECT (SELECT COUNT(*) FROM jobs WHERE state IN", "counts what is open, for `cartwright status`"),
    ("SELECT COUNT(*), MIN(", "counts what is due or held, for `cartwright status`"),
    (
        "SELECT shop, plugin, COUNT(*), MIN(created_at) FROM jobs",
        "counts what is open, for `cartwright status`",
    ),
    ("SELECT endpoint, COUNT(*) FROM webhook_deliveries", "counts what is open, for a person"),
    ("SELECT COUNT(DISTINCT address) FROM suppressions", "counts a shop's, for a person"),
    ("SELECT shop, name, last_success", "a shop has few endpoints"),
    ("SELECT shop FROM jobs_history ORDER BY finished_at DESC LIMIT 1", "takes the first of an index"),
    ("UPDATE events SET hold_until = $1 +", "the clock was set back: all that is open is looked at"),
    ("UPDATE jobs SET run_after = $1 +", "the clock was set back"),
    ("UPDATE messages SET due_at = $1 +", "the clock was set back"),
    ("UPDATE webhook_deliveries SET due_at = $1 +", "the clock was set back"),
];

impl Store {
    /// Of each statement that reads what it is not asked for, the steps that do.
    pub(crate) async fn cliffs(&self, statements: &BTreeSet<String>) -> Vec<String> {
        let mut connection = self.inner.reads.acquire().await.unwrap();
        let dialect = self.inner.dialect;
        let mut cliffs = Vec::new();
        for text in statements {
            let plan = plan(&mut connection, dialect, text).await;
            let wrong: Vec<_> = plan.iter().filter(|step| is_cliff(dialect, text, step)).cloned().collect();
            let may = MAY_READ_ALL.iter().any(|(beginning, _)| sources::plain(text).starts_with(beginning));
            if std::env::var_os("CARTWRIGHT_PLANS").is_some() {
                println!("{text}\n    {}\n", plan.join("\n    "));
            }
            if !wrong.is_empty() && !may {
                cliffs.push(format!("{text}\n    {}", wrong.join("\n    ")));
            }
        }
        cliffs
    }

    /// Rows of all growing tables, as many as it takes for PostgreSQL to tell indexes apart. It plans by what is in the
    /// tables; SQLite by what the statement says.
    pub(crate) async fn fill(&self) {
        if self.inner.dialect == Dialect::Sqlite {
            return;
        }
        for table in GROWING {
            self.write(table.to_owned(), |tx, table| {
                Box::pin(async move {
                    let columns = sqlx::query(
                        "SELECT column_name::TEXT, data_type::TEXT FROM information_schema.columns \
                         WHERE table_schema = current_schema() AND table_name = $1",
                    )
                    .bind(table)
                    .fetch_all(tx.connection())
                    .await?;
                    let (mut names, mut values) = (String::new(), String::new());
                    for row in &columns {
                        let (name, kind): (String, String) = (row.try_get(0)?, row.try_get(1)?);
                        let comma = if names.is_empty() { "" } else { ", " };
                        let _ = write!(names, "{comma}{name}");
                        let _ = write!(values, "{comma}{}", value(table, &name, &kind));
                    }
                    for text in [
                        format!(
                            "INSERT INTO {table} ({names}) SELECT {values} FROM generate_series(1, {ROWS}) i \
                             ON CONFLICT DO NOTHING"
                        ),
                        format!("ANALYZE {table}"),
                    ] {
                        sqlx::query(AssertSqlSafe(text)).execute(tx.connection()).await?;
                    }
                    Ok(())
                })
            })
            .await
            .unwrap();
        }
    }
}

const ROWS: u32 = 20_000;

/// Of the row `i`: few shops and plugins, many orders and customers; most is done, and some waits.
fn value(table: &str, column: &str, kind: &str) -> String {
    let of = |many: u32| format!("'{column}-' || i % {many}");
    match (table, column) {
        ("jobs", "state") => "(ARRAY['waiting', 'failed', 'waiting', 'dead'])[i % 4 + 1]".to_owned(),
        ("events", "state") => "(ARRAY['held', 'open', 'done', 'done'])[i % 4 + 1]".to_owned(),
        ("jobs_history", "state") => "'done'".to_owned(),
        ("messages", "state") => "(ARRAY['waiting', 'sent', 'dropped'])[i % 3 + 1]".to_owned(),
        (_, "state") => "(ARRAY['waiting', 'done', 'done'])[i % 3 + 1]".to_owned(),
        ("coupon_reservations", "ending") => "CASE WHEN i % 2 = 0 THEN 'used' END".to_owned(),
        ("orders", "payload" | "products") | ("messages", "coupons") => "'{}'".to_owned(),
        (_, "shop") => of(5),
        (_, "plugin" | "hook" | "endpoint" | "topic" | "channel" | "category" | "kind") => of(7),
        (_, "order_id" | "customer_id" | "subject" | "event_id" | "webhook_id" | "job_id") => of(5_000),
        _ if kind == "bigint" => "i".to_owned(),
        _ if kind == "bytea" => "''::BYTEA".to_owned(),
        _ => format!("'{column}-' || i"),
    }
}

/// The steps by which the database would come to what a statement asks for, whatever it is asked with.
async fn plan(connection: &mut AnyConnection, dialect: Dialect, text: &str) -> Vec<String> {
    let mut asked = async |text: String, column: usize| {
        let rows =
            sqlx::query(AssertSqlSafe(text.clone())).persistent(false).fetch_all(&mut *connection).await;
        let rows = rows.unwrap_or_else(|error| panic!("{text}: {error}"));
        rows.iter().map(|row| row.get(column)).collect::<Vec<String>>()
    };
    match dialect {
        Dialect::Sqlite => asked(format!("EXPLAIN QUERY PLAN {text}"), 3).await,
        Dialect::Postgres => {
            let places = (1..1_000).take_while(|place| text.contains(&format!("${place}"))).count();
            let nothing = vec!["NULL"; places].join(", ");
            let nothing = if places == 0 { nothing } else { format!("({nothing})") };
            asked("SET plan_cache_mode = force_generic_plan".to_owned(), 0).await;
            // All is in memory. Without that, a table of this size may be read whole for a few rows.
            asked("SET random_page_cost = 1.1".to_owned(), 0).await;
            asked(format!("PREPARE asked AS {text}"), 0).await;
            let steps = asked(format!("EXPLAIN (COSTS OFF) EXECUTE asked{nothing}"), 0).await;
            asked("DEALLOCATE asked".to_owned(), 0).await;
            steps
        }
    }
}

fn is_cliff(dialect: Dialect, text: &str, step: &str) -> bool {
    let step = step.trim_start_matches([' ', '-', '>']);
    let few = FEW
        .iter()
        .any(|index| step.contains(&format!("INDEX {index}")) || step.contains(&format!("using {index}")));
    match dialect {
        Dialect::Sqlite => {
            let all = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
            let of_shop = step.starts_with("SEARCH") && step.ends_with("(shop=?)");
            // Sorted by an index, of which the first are taken.
            let of_shop = of_shop && !text.contains("LIMIT");
            !few && (of_shop || all.is_some_and(|name| grows(text, name)))
        }
        Dialect::Postgres => {
            let all = step.strip_prefix("Seq Scan on ").and_then(|rest| rest.split(' ').next());
            !few && all.is_some_and(|name| grows(text, name))
        }
    }
}

/// Whether a name in a statement is that of a growing table, or stands for one.
fn grows(text: &str, name: &str) -> bool {
    GROWING.iter().any(|table| {
        *table == name
            || [" ", " AS "].iter().any(|between| text.contains(&format!(" {table}{between}{name} ")))
    })
}
