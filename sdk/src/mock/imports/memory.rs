//! The plugin's own memory, read and written.

use super::super::checks;
use super::super::effects::Effect;
use super::super::world::with;
use super::asks::event;
use crate::types::Scope;

pub(crate) mod state {
    use super::{Scope, with};

    pub fn get(scope: Scope, key: &str) -> Option<String> {
        with(|world| world.read(scope, key))
    }

    pub fn get_many(scope: Scope, keys: &[String]) -> Vec<Option<String>> {
        with(|world| keys.iter().map(|key| world.read(scope, key)).collect())
    }

    pub fn list(scope: Scope, prefix: &str, limit: u32) -> Vec<(String, String)> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        with(|world| {
            let owner = world.owner(scope);
            let own = world
                .state
                .iter()
                .filter(|((of, whose, key), _)| *of == scope && *whose == owner && key.starts_with(prefix));
            own.map(|((_, _, key), value)| (key.clone(), value.clone())).take(limit).collect()
        })
    }
}

pub(crate) mod state_write {
    use super::{Effect, Scope, checks, event, with};

    /// A call reads its own writes.
    fn change(
        scope: Scope,
        key: &str,
        effect: Effect,
        change: impl FnOnce(Option<String>) -> Option<String>,
    ) {
        let owner = with(|world| world.owner(scope));
        event("state-write", |_| checks::name("key", key), effect);
        with(|world| {
            let place = (scope, owner, key.to_owned());
            let before = world.state.remove(&place);
            if let Some(after) = change(before) {
                world.state.insert(place, after);
            }
        });
    }

    pub fn put(scope: Scope, key: &str, value: &str) {
        let (key_text, value) = (key.to_owned(), value.to_owned());
        change(scope, key, Effect::PutState { scope, key: key_text, value: value.clone() }, |_| Some(value));
    }

    pub fn delete(scope: Scope, key: &str) {
        change(scope, key, Effect::DeleteState { scope, key: key.to_owned() }, |_| None);
    }

    pub fn add(scope: Scope, key: &str, amount: i64) {
        change(scope, key, Effect::AddState { scope, key: key.to_owned(), amount }, |before| {
            // As in the real host, what is no number counts as 0.
            let before = before.and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
            Some(before.saturating_add(amount).to_string())
        });
    }
}
