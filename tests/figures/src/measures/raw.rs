//! Raw inserts of the rows that an order's intake leaves, in the host's own tables with their indexes. What is spared is
//! all that is not an insert: HTTP, JSON, checks, looking whether the event was there before.
//!
//! SQLite has one writer, whose transaction takes in what waits (the host's way); PostgreSQL has a connection and a
//! transaction for each client, and gathers the commits itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::future::try_join_all;
use sqlx::any::AnyRow;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{
    AnyConnection, AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, PgConnection, PgPool,
    Postgres, Row as _, Sqlite,
};
use tokio::sync::{mpsc, oneshot};

use crate::requests;

/// Members that share a commit, at most: as many as the host's.
const GROUP: usize = 128;

const TABLES_OF_SQLITE: &str =
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
const TABLES_OF_POSTGRES: &str =
    "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = current_schema()";

/// The rows of one order.
#[derive(Debug)]
pub struct Rows {
    inserts: Vec<Insert>,
    /// What is another in each order.
    names: Vec<String>,
}

/// A row, without what is null in it.
#[derive(Debug)]
struct Insert {
    statement: String,
    values: Vec<Value>,
}

#[derive(Debug, Clone)]
enum Value {
    Integer(i64),
    Text(String),
}

impl Rows {
    /// Of the order that [`requests::orders`] places first.
    pub async fn of_the_first_order(url: &str) -> anyhow::Result<Self> {
        sqlx::any::install_default_drivers();
        let mut database = AnyConnection::connect(url).await?;
        let tables = if url.starts_with("sqlite:") { TABLES_OF_SQLITE } else { TABLES_OF_POSTGRES };
        let mut rows = Vec::new();
        for table in sqlx::query(tables).fetch_all(&mut database).await? {
            let table: String = table.try_get(0)?;
            for row in
                sqlx::query(AssertSqlSafe(format!("SELECT * FROM {table}"))).fetch_all(&mut database).await?
            {
                rows.push((table.clone(), columns(&row)));
            }
        }
        database.close().await?;
        let mut names = requests::FIRST_ORDER.map(str::to_owned).to_vec();
        // Its event and jobs have ids of the host's.
        let ids = rows
            .iter()
            .filter(|(table, row)| ["events", "jobs"].contains(&table.as_str()) && mentions(row, &names));
        let ids: Vec<String> = ids.filter_map(|(_, row)| id(row)).collect();
        names.extend(ids);
        let inserts = rows
            .into_iter()
            .filter(|(_, row)| mentions(row, &names))
            .map(|(table, row)| Insert::new(&table, row));
        let inserts: Vec<Insert> = inserts.collect();
        anyhow::ensure!(inserts.len() > 3, "the order's rows are not found");
        Ok(Self { inserts, names })
    }

    /// Those of another order.
    fn numbered(&self, number: u64) -> Vec<(&str, Vec<Value>)> {
        let renamed: Vec<(&str, String)> =
            self.names.iter().map(|name| (name.as_str(), another(name, number))).collect();
        let value = |value: &Value| match value {
            Value::Text(text) => {
                let mut text = text.clone();
                for (name, other) in &renamed {
                    if text.contains(name) {
                        text = text.replace(name, other);
                    }
                }
                Value::Text(text)
            }
            integer @ Value::Integer(_) => integer.clone(),
        };
        self.inserts
            .iter()
            .map(|insert| (insert.statement.as_str(), insert.values.iter().map(value).collect()))
            .collect()
    }
}

impl Insert {
    fn new(table: &str, row: Vec<(String, Value)>) -> Self {
        let (columns, values): (Vec<_>, Vec<_>) = row.into_iter().unzip();
        let places: Vec<_> = (1..=columns.len()).map(|place| format!("${place}")).collect();
        let statement =
            format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), places.join(", "));
        Self { statement, values }
    }
}

/// The last characters count up, in the order of the inserts.
fn another(name: &str, number: u64) -> String {
    let kept = name.len().saturating_sub(8);
    format!("{}{number:08x}", name.get(..kept).unwrap_or_default())
}

fn columns(row: &AnyRow) -> Vec<(String, Value)> {
    row.columns()
        .iter()
        .filter_map(|column| {
            let integer = row.try_get::<Option<i64>, _>(column.ordinal()).ok().flatten().map(Value::Integer);
            let value = integer.or_else(|| {
                row.try_get::<Option<String>, _>(column.ordinal()).ok().flatten().map(Value::Text)
            });
            Some((column.name().to_owned(), value?))
        })
        .collect()
}

fn mentions(row: &[(String, Value)], names: &[String]) -> bool {
    row.iter().any(|(_, value)| match value {
        Value::Text(text) => names.iter().any(|name| text.contains(name.as_str())),
        Value::Integer(_) => false,
    })
}

fn id(row: &[(String, Value)]) -> Option<String> {
    row.iter().find_map(|(column, value)| match value {
        Value::Text(id) if column == "id" => Some(id.clone()),
        _ => None,
    })
}

/// Inserts the rows of an order; the drivers of both databases are the host's.
macro_rules! insert {
    ($database:ty, $rows:expr, $number:expr, $connection:expr) => {
        for (statement, values) in $rows.numbered($number) {
            let mut query = sqlx::query::<$database>(AssertSqlSafe(statement.to_owned()));
            for value in values {
                query = match value {
                    Value::Integer(integer) => query.bind(integer),
                    Value::Text(text) => query.bind(text),
                };
            }
            query.execute(&mut *$connection).await?;
        }
    };
}

/// A database with the host's tables.
#[derive(Debug)]
pub struct Raw {
    rows: Arc<Rows>,
    /// The first order was the host's.
    next: AtomicU64,
    database: Database,
}

#[derive(Debug)]
enum Database {
    Sqlite(mpsc::Sender<(u64, oneshot::Sender<()>)>),
    Postgres(PgPool),
}

impl Raw {
    pub async fn open(url: &str, rows: Rows) -> anyhow::Result<Self> {
        let rows = Arc::new(rows);
        let database = if url.starts_with("sqlite:") {
            let options = url.parse::<SqliteConnectOptions>()?;
            let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
            let connection = options.connect().await?;
            let (queue, members) = mpsc::channel(GROUP);
            tokio::spawn(write(connection, Arc::clone(&rows), members));
            Database::Sqlite(queue)
        } else {
            Database::Postgres(PgPoolOptions::new().max_connections(64).connect(url).await?)
        };
        Ok(Self { rows, next: AtomicU64::new(1), database })
    }

    /// Orders a second.
    pub async fn insert(&self, clients: usize, turn: Duration) -> anyhow::Result<f64> {
        let began = Instant::now();
        let clients = (0..clients).map(|_| async {
            let mut inserted = 0_u32;
            while began.elapsed() < turn {
                self.one(self.next.fetch_add(1, Ordering::Relaxed)).await?;
                inserted += 1;
            }
            anyhow::Ok(inserted)
        });
        let inserted: u32 = try_join_all(clients).await?.iter().sum();
        Ok(f64::from(inserted) / began.elapsed().as_secs_f64())
    }

    async fn one(&self, number: u64) -> anyhow::Result<()> {
        match &self.database {
            Database::Sqlite(queue) => {
                let (done, committed) = oneshot::channel();
                queue.send((number, done)).await.ok().context("the writer is gone")?;
                committed.await.context("a group was not committed")
            }
            Database::Postgres(pool) => {
                let mut transaction = pool.begin().await?;
                let connection: &mut PgConnection = &mut transaction;
                insert!(Postgres, self.rows, number, connection);
                Ok(transaction.commit().await?)
            }
        }
    }

    pub async fn close(self) {
        if let Database::Postgres(pool) = self.database {
            pool.close().await;
        }
    }
}

/// Until nobody is left who asks. A group that fails is the end: its members hear nothing.
async fn write(
    mut connection: SqliteConnection,
    rows: Arc<Rows>,
    mut members: mpsc::Receiver<(u64, oneshot::Sender<()>)>,
) -> anyhow::Result<()> {
    let connection = &mut connection;
    let mut group = Vec::with_capacity(GROUP);
    while members.recv_many(&mut group, GROUP).await > 0 {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
        for (number, _) in &group {
            insert!(Sqlite, rows, *number, connection);
        }
        sqlx::query("COMMIT").execute(&mut *connection).await?;
        for (_, done) in group.drain(..) {
            let _ = done.send(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_another_order_have_its_names() {
        let row = vec![
            ("id".to_owned(), Value::Text("job_00000000".to_owned())),
            ("at".to_owned(), Value::Integer(5)),
            ("payload".to_owned(), Value::Text(r#"{"order":"order-00000000"}"#.to_owned())),
        ];
        let rows = Rows {
            names: vec!["job_00000000".to_owned(), "order-00000000".to_owned()],
            inserts: vec![Insert::new("jobs", row)],
        };
        let numbered = rows.numbered(26);
        assert_eq!(numbered[0].0, "INSERT INTO jobs (id, at, payload) VALUES ($1, $2, $3)");
        assert_eq!(
            format!("{:?}", numbered[0].1),
            r#"[Text("job_0000001a"), Integer(5), Text("{\"order\":\"order-0000001a\"}")]"#
        );
    }
}
