//! Brings a database to this binary's tables. Migrations only add, so an older host still works beside a newer one; an
//! index may take the place of another.

use sqlx::{AnyConnection, Row as _};

use super::dialect::Dialect;
use super::{Result, StoreError};

/// Version and SQL, oldest first, in SQLite's words.
pub(super) const MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("migrations/0001_event_path.sql")),
    (2, include_str!("migrations/0002_jobs.sql")),
    (3, include_str!("migrations/0003_mail.sql")),
    (4, include_str!("migrations/0004_webhooks.sql")),
    (5, include_str!("migrations/0005_coupons.sql")),
    (6, include_str!("migrations/0006_timeline.sql")),
    (7, include_str!("migrations/0007_usage.sql")),
    (8, include_str!("migrations/0008_answers.sql")),
    (9, include_str!("migrations/0009_hosts.sql")),
    (10, include_str!("migrations/0010_growth.sql")),
];

/// Applies what is missing, all in one transaction.
pub(super) async fn apply(connection: &mut AnyConnection, dialect: Dialect) -> Result<()> {
    sqlx::query(dialect.begin()).execute(&mut *connection).await?;
    let applied = missing(connection, dialect).await;
    let end = if applied.is_ok() { "COMMIT" } else { "ROLLBACK" };
    sqlx::query(end).execute(&mut *connection).await?;
    applied
}

/// The newest that there is.
pub(super) fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |(version, _)| *version)
}

/// The newest that was applied, 0 in a database that no host has opened; changes nothing.
pub(super) async fn version(connection: &mut AnyConnection, dialect: Dialect) -> Result<i64> {
    let tables: i64 =
        sqlx::query(dialect.count_of_migration_tables()).fetch_one(&mut *connection).await?.try_get(0)?;
    if tables == 0 { Ok(0) } else { newest_applied(connection).await }
}

/// How many are missing; changes nothing.
pub(super) async fn pending(connection: &mut AnyConnection, dialect: Dialect) -> Result<usize> {
    let applied = version(connection, dialect).await?;
    Ok(MIGRATIONS.iter().filter(|(version, _)| *version > applied).count())
}

async fn missing(connection: &mut AnyConnection, dialect: Dialect) -> Result<()> {
    if let Some(lock) = dialect.lock_migrations() {
        sqlx::raw_sql(lock).execute(&mut *connection).await?;
    }
    sqlx::query("CREATE TABLE IF NOT EXISTS migrations (version BIGINT NOT NULL PRIMARY KEY)")
        .execute(&mut *connection)
        .await?;
    let applied = newest_applied(connection).await?;
    for (version, sql) in dialect.migrations().filter(|(version, _)| *version > applied) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *connection).await?;
        sqlx::query("INSERT INTO migrations (version) VALUES ($1)")
            .bind(version)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Refuses what a newer Cartwright made.
async fn newest_applied(connection: &mut AnyConnection) -> Result<i64> {
    let applied: i64 = sqlx::query("SELECT COALESCE(MAX(version), 0) FROM migrations")
        .fetch_one(&mut *connection)
        .await?
        .try_get(0)?;
    let newest = newest();
    if applied > newest {
        return Err(StoreError::Corrupt(format!(
            "the database has tables of a newer Cartwright (version {applied}, this one knows {newest}); \
             start the newer one, or restore a backup made before it ran"
        )));
    }
    Ok(applied)
}
