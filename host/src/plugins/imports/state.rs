//! The plugin's own memory: what is read is noted for the commit, what is written is seen by the reads
//! that follow in the same call.

use std::collections::BTreeMap;

use super::checks::{ITEMS, KEY, PAYLOAD};
use super::reads::unreadable;
use super::{CallState, contract};
use crate::domain::{Effect, Scope, StateOwner, StateRead, Versioned};
use crate::plugins::call::Fault;

type Answer<T> = wasmtime::Result<T>;

/// Listings in one call: each is made again when the call's effects are committed, while others wait.
const LISTS: usize = 50;

/// What this call did to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pending {
    Put(String),
    Deleted,
    /// On top of what is stored.
    Added(i64),
}

impl Pending {
    /// The value after it, over what is stored.
    fn over(&self, key: &str, stored: Option<&str>) -> Result<Option<String>, Fault> {
        Ok(match self {
            Self::Put(value) => Some(value.clone()),
            Self::Deleted => None,
            Self::Added(amount) => Some(match stored {
                Some(value) => sum(key, value, *amount)?,
                None => amount.to_string(),
            }),
        })
    }

    fn plus(earlier: Option<&Self>, key: &str, amount: i64) -> Result<Self, Fault> {
        Ok(match earlier {
            None => Self::Added(amount),
            Some(Self::Added(before)) => {
                Self::Added(before.checked_add(amount).ok_or_else(|| no_sum(key, amount))?)
            }
            Some(Self::Deleted) => Self::Put(amount.to_string()),
            Some(Self::Put(value)) => Self::Put(sum(key, value, amount)?),
        })
    }
}

/// As the commit will add it.
fn sum(key: &str, value: &str, amount: i64) -> Result<String, Fault> {
    let sum = value.trim().parse::<i64>().ok().and_then(|value| value.checked_add(amount));
    sum.map(|sum| sum.to_string()).ok_or_else(|| no_sum(key, amount))
}

fn no_sum(key: &str, amount: i64) -> Fault {
    Fault::Trapped(format!(
        "called `state-write.add` on `{}`, whose value is no number that {amount} can be added to",
        key.escape_debug()
    ))
}

impl CallState {
    fn owner(&self, scope: Scope) -> Result<StateOwner, Fault> {
        let (subject, whose) = match scope {
            Scope::Shop => (Some(String::new()), ""),
            Scope::Customer => (self.customer_id.clone(), "customer"),
            Scope::Order => (self.order_id.clone(), "order"),
        };
        let Some(subject) = subject else {
            return Err(Fault::Trapped(format!(
                "used state of the {whose} in a call without one; ask `{whose}s.current` first"
            )));
        };
        Ok(StateOwner {
            shop: self.around.shop.id.clone(),
            plugin: self.plugin_name().to_owned(),
            scope,
            subject,
        })
    }

    /// Values in the order of the keys. What the call itself put or deleted is not read from the store,
    /// so that it depends on nothing stored.
    async fn values(&mut self, scope: Scope, keys: Vec<String>) -> Result<Vec<Option<String>>, Fault> {
        let owner = self.owner(scope)?;
        let unknown: Vec<String> = keys
            .iter()
            .filter(|key| {
                !matches!(
                    self.written.get(&(scope, (*key).clone())),
                    Some(Pending::Put(_) | Pending::Deleted)
                )
            })
            .cloned()
            .collect();
        let mut stored: BTreeMap<String, Versioned> = BTreeMap::new();
        if !unknown.is_empty() {
            let source = self.source.clone();
            let found = source.state(&owner, &unknown).await.map_err(unreadable)?;
            for (key, value) in unknown.into_iter().zip(found) {
                self.read.push(StateRead::Key {
                    owner: owner.clone(),
                    key: key.clone(),
                    version: value.version,
                });
                stored.insert(key, value);
            }
        }
        keys.into_iter()
            .map(|key| {
                let before = stored.get(&key).and_then(|value| value.value.clone());
                let place = (scope, key);
                match self.written.get(&place) {
                    Some(pending) => pending.over(&place.1, before.as_deref()),
                    None => Ok(before),
                }
            })
            .collect()
    }

    fn note(&mut self, scope: Scope, key: &str, pending: Pending) {
        self.written.insert((scope, key.to_owned()), pending);
    }
}

impl contract::state::Host for CallState {
    async fn get(&mut self, scope: Scope, key: String) -> Answer<Option<String>> {
        self.enter("state", "get")?;
        self.check("state.get").name("key", &key, KEY)?;
        Ok(self.values(scope, vec![key]).await?.pop().flatten())
    }

    async fn get_many(&mut self, scope: Scope, keys: Vec<String>) -> Answer<Vec<Option<String>>> {
        self.enter("state", "get-many")?;
        let mut check = self.check("state.get-many");
        check.items("keys", keys.len())?;
        keys.iter().try_for_each(|key| check.name("keys", key, KEY))?;
        self.meter.items(keys.len())?;
        Ok(self.values(scope, keys).await?)
    }

    async fn list(&mut self, scope: Scope, prefix: String, limit: u32) -> Answer<Vec<(String, String)>> {
        self.enter("state", "list")?;
        self.check("state.list").size("prefix", &prefix, KEY)?;
        let lists = self.read.iter().filter(|read| matches!(read, StateRead::Prefix { .. })).count();
        if lists >= LISTS {
            return Err(self
                .check("state.list")
                .wrong(format_args!(
                    "the {}st listing of one call; {LISTS} is the most, so list more at once",
                    LISTS + 1
                ))
                .into());
        }
        let owner = self.owner(scope)?;
        let limit = limit.min(ITEMS as u32);
        let here = |key: &&(Scope, String)| key.0 == scope && key.1.starts_with(&prefix);
        // Keys that this call deleted take up room in what the store lists.
        let deleted =
            self.written.iter().filter(|(key, pending)| here(key) && **pending == Pending::Deleted).count();
        let asked = limit.saturating_add(deleted as u32);
        let source = self.source.clone();
        let stored = source.state_list(&owner, &prefix, asked).await.map_err(unreadable)?;
        self.meter.items(stored.len())?;
        self.read.push(StateRead::Prefix {
            owner,
            prefix: prefix.clone(),
            limit: asked,
            seen: stored.iter().map(|(key, value)| (key.clone(), value.version)).collect(),
        });
        let complete = (stored.len() as u32) < asked;
        let last = stored.last().map(|(key, _)| key.clone());
        let mut listed: BTreeMap<String, String> =
            stored.into_iter().filter_map(|(key, value)| Some((key, value.value?))).collect();
        for (key, pending) in self.written.iter().filter(|(key, _)| here(key)) {
            // Beyond the last key that the store showed, what it holds is not known.
            if !complete && last.as_ref().is_some_and(|last| key.1 > *last) {
                continue;
            }
            match pending.over(&key.1, listed.get(&key.1).map(String::as_str))? {
                Some(value) => listed.insert(key.1.clone(), value),
                None => listed.remove(&key.1),
            };
        }
        Ok(listed.into_iter().take(limit as usize).collect())
    }
}

impl contract::state_write::Host for CallState {
    fn put(&mut self, scope: Scope, key: String, value: String) -> Answer<()> {
        self.enter("state-write", "put")?;
        self.owner(scope)?;
        let mut check = self.check("state-write.put");
        check.name("key", &key, KEY)?;
        check.size("value", &value, PAYLOAD)?;
        self.note(scope, &key, Pending::Put(value.clone()));
        self.keep(Effect::PutState { scope, key, value })?;
        Ok(())
    }

    fn delete(&mut self, scope: Scope, key: String) -> Answer<()> {
        self.enter("state-write", "delete")?;
        self.owner(scope)?;
        self.check("state-write.delete").name("key", &key, KEY)?;
        self.note(scope, &key, Pending::Deleted);
        self.keep(Effect::DeleteState { scope, key })?;
        Ok(())
    }

    fn add(&mut self, scope: Scope, key: String, amount: i64) -> Answer<()> {
        self.enter("state-write", "add")?;
        self.owner(scope)?;
        self.check("state-write.add").name("key", &key, KEY)?;
        let pending = Pending::plus(self.written.get(&(scope, key.clone())), &key, amount)?;
        self.note(scope, &key, pending);
        self.keep(Effect::AddState { scope, key, amount })?;
        Ok(())
    }
}
