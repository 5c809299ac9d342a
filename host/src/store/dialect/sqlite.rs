//! SQLite: one host, one writer.

pub(super) const MIGRATIONS: &[(i64, &str)] =
    &[(1, include_str!("../migrations/sqlite/0001_event_path.sql"))];

pub(super) const COUNT_OF_MIGRATION_TABLES: &str =
    "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'";

/// Takes the write lock at once: a lock that is taken later can fail half way.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";

/// FULL: a commit that was answered survives a loss of power.
pub(super) const PREPARE_WRITER: &[&str] =
    &["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA temp_store = MEMORY"];

pub(super) const PREPARE_READER: &[&str] = &["PRAGMA query_only = 1", "PRAGMA temp_store = MEMORY"];

/// A job is eligible when no earlier unfinished job has its key: found here, never stored.
pub(super) const CLAIM: &str = "
UPDATE jobs SET state = 'running', lease_token = lease_token + 1, lease_until = $1, updated_at = $3
WHERE id IN (
    SELECT j.id FROM jobs j
    WHERE j.shop = $2 AND j.state IN ('waiting', 'failed') AND j.run_after <= $3 AND j.plugin IN ({plugins})
      AND NOT EXISTS (
        SELECT 1 FROM jobs elder
        WHERE elder.ordering_key = j.ordering_key AND elder.seq < j.seq
          AND elder.state IN ('waiting', 'running', 'failed'))
    ORDER BY j.run_after, j.id LIMIT $4)
RETURNING id, plugin, hook, event_id, lease_token, attempts, created_at";
