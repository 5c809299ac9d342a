//! The hosts on a database: each says at every heartbeat that it is there, and what it runs.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use sqlx::{AnyConnection, Row as _};

use super::writer::Tx;
use super::{CONTRACT, Result, Store, from_json, gate, to_json};

/// Between two heartbeats, ms.
pub const HEARTBEAT_MS: i64 = 5_000;

/// Who has missed so many is gone.
const MISSED: i64 = 3;

/// Who is gone is forgotten after so long, ms.
const FORGOTTEN_MS: i64 = 24 * 60 * 60 * 1_000;

/// Shop → plugin → version.
pub type LivePlugins = BTreeMap<String, BTreeMap<String, String>>;

/// What a host says of itself at a heartbeat.
#[derive(Debug, Clone)]
pub struct Presence {
    /// Of its machine.
    pub name: String,
    pub pid: u32,
    /// Where it listens.
    pub address: String,
    /// Of Cartwright.
    pub version: &'static str,
    pub state: HostState,
    /// Of its snapshot; other plugins have another.
    pub generation: u64,
    pub plugins: LivePlugins,
    pub started_at: i64,
    pub now_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HostState {
    Running,
    /// It takes nothing new, and finishes what it has in hand.
    Stopping,
    Stopped,
    /// It stopped without a word, or cannot reach its database.
    Gone,
}

impl HostState {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Gone => "gone",
        }
    }

    /// As it is stored, for one that was seen then.
    fn of(name: &str, seen_at: i64, now_ms: i64) -> Self {
        match name {
            "stopped" => Self::Stopped,
            _ if now_ms.saturating_sub(seen_at) > MISSED * HEARTBEAT_MS => Self::Gone,
            "stopping" => Self::Stopping,
            _ => Self::Running,
        }
    }
}

/// A host, as others see it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct HostView {
    pub id: String,
    pub name: String,
    pub pid: i64,
    pub address: String,
    pub version: String,
    pub contract: String,
    pub state: HostState,
    pub generation: i64,
    pub plugins: LivePlugins,
    #[serde(with = "crate::domain::instant")]
    pub started_at: i64,
    #[serde(with = "crate::domain::instant")]
    pub seen_at: i64,
    /// Jobs that are leased to it.
    pub jobs: i64,
    /// Messages that it is handing over.
    pub messages: i64,
}

impl Store {
    /// This host is there, and as it says. Forgets who has been gone for a day, and who was there before it: at its
    /// address, or at all where only one can be.
    pub async fn present(&self, presence: Presence) -> Result<()> {
        let me = (self.inner.host.clone(), !self.is_shared());
        self.write((me, presence), present).await
    }
}

fn present<'c>(
    tx: &'c mut Tx,
    ((id, alone), presence): &'c ((String, bool), Presence),
) -> BoxFuture<'c, Result<()>> {
    Box::pin(async move {
        let generation = i64::try_from(presence.generation).unwrap_or(i64::MAX);
        // Who stopped stays so: a heartbeat that was under way may come in after the last word.
        let known = sqlx::query(
            "UPDATE hosts SET state = CASE WHEN state = 'stopped' THEN state ELSE $2 END, seen_at = $3 \
             WHERE id = $1 AND generation = $4",
        )
        .bind(id)
        .bind(presence.state.name())
        .bind(presence.now_ms)
        .bind(generation)
        .execute(tx.connection())
        .await?;
        if known.rows_affected() == 0 {
            introduce(tx, id, generation, presence).await?;
        }
        sqlx::query(
            "DELETE FROM hosts WHERE id <> $1 AND (seen_at < $2 OR $3 = 1 OR (name = $4 AND address = $5))",
        )
        .bind(id)
        .bind(presence.now_ms.saturating_sub(FORGOTTEN_MS))
        .bind(i64::from(*alone))
        .bind(&presence.name)
        .bind(&presence.address)
        .execute(tx.connection())
        .await?;
        Ok(())
    })
}

/// With all that changes seldom.
async fn introduce(tx: &mut Tx, id: &str, generation: i64, presence: &Presence) -> Result<()> {
    sqlx::query(
        "INSERT INTO hosts (id, name, pid, address, version, contract, state, generation, plugins, started_at, \
           seen_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, generation = excluded.generation, \
           plugins = excluded.plugins, seen_at = excluded.seen_at",
    )
    .bind(id)
    .bind(&presence.name)
    .bind(i64::from(presence.pid))
    .bind(&presence.address)
    .bind(presence.version)
    .bind(CONTRACT)
    .bind(presence.state.name())
    .bind(generation)
    .bind(to_json(&presence.plugins))
    .bind(presence.started_at)
    .bind(presence.now_ms)
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Those that are known, the longest there first.
pub(super) async fn all(connection: &mut AnyConnection, now_ms: i64) -> Result<Vec<HostView>> {
    let rows = sqlx::query(gate::around(
        "SELECT id, name, pid, address, version, contract, state, generation, plugins, started_at, seen_at, \
           (SELECT COUNT(*) FROM jobs WHERE jobs.host = hosts.id AND jobs.state = 'running'), \
           (SELECT COUNT(*) FROM messages WHERE messages.host = hosts.id AND messages.state = 'handing') \
         FROM hosts ORDER BY started_at, id",
    ))
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let seen_at = row.try_get(10)?;
            Ok(HostView {
                id: row.try_get(0)?,
                name: row.try_get(1)?,
                pid: row.try_get(2)?,
                address: row.try_get(3)?,
                version: row.try_get(4)?,
                contract: row.try_get(5)?,
                state: HostState::of(&row.try_get::<String, _>(6)?, seen_at, now_ms),
                generation: row.try_get(7)?,
                plugins: from_json("plugins of a host", row.try_get(8)?)?,
                started_at: row.try_get(9)?,
                seen_at,
                jobs: row.try_get(11)?,
                messages: row.try_get(12)?,
            })
        })
        .collect()
}
