//! The plugins' own memory: versioned values, compared at commit.

use std::collections::HashMap;
use std::sync::Arc;

use futures::TryStreamExt as _;
use rand::Rng as _;
use sqlx::{Any, AssertSqlSafe, Executor, Row as _};

use super::usage::Growth;
use super::writer::{Subject, Tx};
use super::{Result, Store, StoreError, customers};
use crate::domain::{Scope, StateOwner, StateRead, Versioned};

const KEYS: usize = 100;
/// The column of values; what is compared in the writer's turn does without.
const VALUE: &str = "value";
const NO_VALUE: &str = "CAST('' AS TEXT)";

/// Above every key: the last character there is.
const LAST: char = '\u{10FFFF}';

/// What a call does to one key, in sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Put(String),
    Delete,
    /// Commutes with the additions of others.
    Add(i64),
}

/// One key's change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateChange {
    pub owner: StateOwner,
    pub key: String,
    pub change: Change,
}

impl Store {
    /// In the order of `keys`. Answered from copies that every commit which changes the owner's state forgets.
    pub async fn state(&self, owner: &StateOwner, keys: &[String]) -> Result<Vec<Versioned>> {
        let copies = &self.inner.caches.state;
        let moment = copies.moment();
        let known = copies.get(owner).flatten();
        let mut found: HashMap<&str, Arc<Versioned>> = HashMap::new();
        if let Some(known) = known {
            found.extend(keys.iter().filter_map(|key| Some((key.as_str(), known.keys.get(key)?.clone()))));
        }
        let mut missing: Vec<String> =
            keys.iter().filter(|key| !found.contains_key(key.as_str())).cloned().collect();
        missing.sort_unstable();
        missing.dedup();
        let mut read = HashMap::new();
        for chunk in missing.chunks(KEYS) {
            read.extend(values(&self.inner.reads, owner, chunk, VALUE).await?);
        }
        let absent = Versioned { value: None, version: 0 };
        let read: Vec<(String, Arc<Versioned>)> = missing
            .into_iter()
            .map(|key| {
                let value = read.remove(&key).unwrap_or_else(|| absent.clone());
                (key, Arc::new(value))
            })
            .collect();
        found.extend(read.iter().map(|(key, value)| (key.as_str(), Arc::clone(value))));
        let answer =
            keys.iter().map(|key| found.get(key.as_str()).map_or(&absent, Arc::as_ref).clone()).collect();
        if !read.is_empty() {
            copies.learn(moment, owner, |copy| copy.keys.extend(read));
        }
        Ok(answer)
    }

    /// Keys that begin with `prefix`, in the order of their bytes.
    pub async fn state_list(
        &self,
        owner: &StateOwner,
        prefix: &str,
        limit: u32,
    ) -> Result<Vec<(String, Versioned)>> {
        let copies = &self.inner.caches.state;
        let question = (prefix.to_owned(), limit);
        let moment = copies.moment();
        if let Some(known) = copies.get(owner).flatten().and_then(|known| known.lists.get(&question).cloned())
        {
            return Ok((*known).clone());
        }
        let listed = list(&self.inner.reads, owner, prefix, limit, VALUE).await?;
        let kept = Arc::new(listed.clone());
        copies.learn(moment, owner, |copy| {
            copy.lists.insert(question, kept);
        });
        Ok(listed)
    }
}

fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Shop => "shop",
        Scope::Customer => "customer",
        Scope::Order => "order",
    }
}

pub(super) fn subject(owner: &StateOwner) -> Subject<'_> {
    Subject::State(&owner.shop, &owner.plugin, scope_name(owner.scope), &owner.subject)
}

async fn values<'c, E: Executor<'c, Database = Any>>(
    executor: E,
    owner: &StateOwner,
    keys: &[String],
    value: &str,
) -> Result<HashMap<String, Versioned>> {
    let places = (5..keys.len() + 5).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ");
    let text = format!(
        "SELECT key, {value}, version FROM state \
         WHERE shop = $1 AND plugin = $2 AND scope = $3 AND subject = $4 AND key IN ({places})"
    );
    let mut query = sqlx::query(AssertSqlSafe(text))
        .bind(&owner.shop)
        .bind(&owner.plugin)
        .bind(scope_name(owner.scope))
        .bind(&owner.subject);
    for key in keys {
        query = query.bind(key);
    }
    let rows = query.fetch(executor).try_collect::<Vec<_>>().await?;
    rows.iter()
        .map(|row| {
            Ok((row.try_get(0)?, Versioned { value: Some(row.try_get(1)?), version: row.try_get(2)? }))
        })
        .collect()
}

async fn list<'c, E: Executor<'c, Database = Any>>(
    executor: E,
    owner: &StateOwner,
    prefix: &str,
    limit: u32,
    value: &str,
) -> Result<Vec<(String, Versioned)>> {
    let text = format!(
        "SELECT key, {value}, version FROM state \
         WHERE shop = $1 AND plugin = $2 AND scope = $3 AND subject = $4 AND key >= $5 AND key < $6 \
         ORDER BY key LIMIT $7"
    );
    let rows = sqlx::query(AssertSqlSafe(text))
        .bind(&owner.shop)
        .bind(&owner.plugin)
        .bind(scope_name(owner.scope))
        .bind(&owner.subject)
        .bind(prefix)
        .bind(format!("{prefix}{LAST}"))
        .bind(i64::from(limit))
        .fetch(executor)
        .try_collect::<Vec<_>>()
        .await?;
    rows.iter()
        .map(|row| {
            Ok((row.try_get(0)?, Versioned { value: Some(row.try_get(1)?), version: row.try_get(2)? }))
        })
        .collect()
}

/// Whether all that the call read is still so.
pub(super) async fn unchanged(tx: &mut Tx, reads: &[StateRead]) -> Result<bool> {
    let mut keys: HashMap<&StateOwner, Vec<(String, i64)>> = HashMap::new();
    for read in reads {
        match read {
            StateRead::Key { owner, key, version } => {
                keys.entry(owner).or_default().push((key.clone(), *version));
            }
            StateRead::Prefix { owner, prefix, limit, seen } => {
                let now = list(tx.connection(), owner, prefix, *limit, NO_VALUE).await?;
                let same = now.len() == seen.len()
                    && now.iter().zip(seen).all(|((key, value), (seen_key, version))| {
                        key == seen_key && value.version == *version
                    });
                if !same {
                    return Ok(false);
                }
            }
            StateRead::Customer { shop, id, seen } => {
                let now = customers::read(&mut *tx.connection(), shop, id).await?;
                if now.as_ref().map(|record| &record.customer) != seen.as_ref() {
                    return Ok(false);
                }
            }
        }
    }
    for (owner, read) in keys {
        for chunk in read.chunks(KEYS) {
            let names: Vec<_> = chunk.iter().map(|(key, _)| key.clone()).collect();
            let now = values(tx.connection(), owner, &names, NO_VALUE).await?;
            if chunk.iter().any(|(key, version)| now.get(key).map_or(0, |value| value.version) != *version) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// How much more there is afterwards. What `add` finds that is no number cannot be added to:
/// [`StoreError::Invalid`].
pub(super) async fn change(tx: &mut Tx, changes: &[StateChange]) -> Result<Growth> {
    let before = sizes(tx, changes).await?;
    let mut growth = Growth::default();
    for change in changes {
        tx.touched.state.push(change.owner.clone());
        let key = i64::try_from(change.key.len()).unwrap_or(i64::MAX);
        let before = before.get(&(&change.owner, change.key.as_str()));
        let after = apply(tx, change).await?;
        growth.state_keys += i64::from(after.is_some()) - i64::from(before.is_some());
        growth.state_bytes += after.map_or(0, |value| value + key) - before.map_or(0, |value| value + key);
    }
    tx.touched.state.dedup();
    Ok(growth)
}

/// Bytes of the values that the changes meet.
async fn sizes<'c>(
    tx: &mut Tx,
    changes: &'c [StateChange],
) -> Result<HashMap<(&'c StateOwner, &'c str), i64>> {
    let mut keys: HashMap<&StateOwner, Vec<&str>> = HashMap::new();
    for change in changes {
        keys.entry(&change.owner).or_default().push(&change.key);
    }
    let mut sizes = HashMap::new();
    for (owner, keys) in keys {
        for chunk in keys.chunks(KEYS) {
            let places = (5..chunk.len() + 5).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ");
            let text = format!(
                "SELECT key, CAST(octet_length(value) AS BIGINT) FROM state \
                 WHERE shop = $1 AND plugin = $2 AND scope = $3 AND subject = $4 AND key IN ({places})"
            );
            let mut query = sqlx::query(AssertSqlSafe(text))
                .bind(&owner.shop)
                .bind(&owner.plugin)
                .bind(scope_name(owner.scope))
                .bind(&owner.subject);
            for key in chunk {
                query = query.bind(*key);
            }
            for row in query.fetch_all(tx.connection()).await? {
                let (key, bytes): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
                if let Some(key) = chunk.iter().find(|known| **known == key) {
                    sizes.insert((owner, *key), bytes);
                }
            }
        }
    }
    Ok(sizes)
}

/// Bytes of the value that is there afterwards.
async fn apply(tx: &mut Tx, change: &StateChange) -> Result<Option<i64>> {
    let StateChange { owner, key, change } = change;
    let bytes = |value: &str| Some(i64::try_from(value.len()).unwrap_or(i64::MAX));
    match change {
        Change::Put(value) => {
            put(tx, owner, key, value).await?;
            Ok(bytes(value))
        }
        Change::Delete => {
            sqlx::query(
                "DELETE FROM state WHERE shop = $1 AND plugin = $2 AND scope = $3 AND subject = $4 AND key = $5",
            )
            .bind(&owner.shop)
            .bind(&owner.plugin)
            .bind(scope_name(owner.scope))
            .bind(&owner.subject)
            .bind(key)
            .execute(tx.connection())
            .await?;
            Ok(None)
        }
        Change::Add(amount) => {
            let found = values(tx.connection(), owner, std::slice::from_ref(key), VALUE).await?;
            let Some(Versioned { value: Some(value), version }) = found.get(key) else {
                let value = amount.to_string();
                put(tx, owner, key, &value).await?;
                return Ok(bytes(&value));
            };
            let sum =
                value.trim().parse::<i64>().ok().and_then(|value| value.checked_add(*amount)).ok_or_else(
                    || {
                        StoreError::Invalid(format!(
                            "state-write.add: the value of `{key}` is no number that {amount} can be added to"
                        ))
                    },
                )?;
            let sum = sum.to_string();
            let changed = sqlx::query(
                "UPDATE state SET value = $6, version = $7 \
                 WHERE shop = $1 AND plugin = $2 AND scope = $3 AND subject = $4 AND key = $5 AND version = $8",
            )
            .bind(&owner.shop)
            .bind(&owner.plugin)
            .bind(scope_name(owner.scope))
            .bind(&owner.subject)
            .bind(key)
            .bind(&sum)
            .bind(new_version())
            .bind(*version)
            .execute(tx.connection())
            .await?
            .rows_affected();
            // Only where two transactions write at once.
            if changed == 0 { Err(StoreError::Stale) } else { Ok(bytes(&sum)) }
        }
    }
}

async fn put(tx: &mut Tx, owner: &StateOwner, key: &str, value: &str) -> Result<()> {
    sqlx::query(
        "INSERT INTO state (shop, plugin, scope, subject, key, value, version) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (shop, plugin, scope, subject, key) DO UPDATE SET \
           value = excluded.value, version = excluded.version",
    )
    .bind(&owner.shop)
    .bind(&owner.plugin)
    .bind(scope_name(owner.scope))
    .bind(&owner.subject)
    .bind(key)
    .bind(value)
    .bind(new_version())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Never 0, which means absent. Random, so that a key that was deleted and came back is not taken for
/// the old one.
fn new_version() -> i64 {
    rand::rng().random_range(1..=i64::MAX)
}
