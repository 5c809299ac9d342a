//! What plugins keep is counted exactly, and bounded.

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::Row as _;

use super::house;
use crate::config::Limits;
use crate::domain::{Scope, StateOwner};
use crate::store::usage::{Growth, grow};
use crate::store::{Allowance, Change, Result, StateChange, Store, StoreError, state};

async fn commit(store: &Store, changes: Vec<StateChange>, limits: &Limits) -> Result<()> {
    let allowance = Allowance::of(limits);
    store
        .write((changes, allowance), |tx, (changes, allowance)| {
            Box::pin(async move {
                let growth = state::change(tx, changes).await?;
                grow(tx, ("s", "p"), growth, allowance, 0).await
            })
        })
        .await
}

async fn numbers(store: &Store, text: &'static str) -> Vec<i64> {
    let row = sqlx::query(text).fetch_optional(&store.inner.reads).await.unwrap();
    row.map_or(vec![0, 0], |row| vec![row.try_get(0).unwrap(), row.try_get(1).unwrap()])
}

fn change(subject: &str, key: &str, change: Change) -> StateChange {
    let scope = if subject.is_empty() { Scope::Shop } else { Scope::Order };
    let owner = StateOwner { shop: "s".into(), plugin: "p".into(), scope, subject: subject.into() };
    StateChange { owner, key: key.to_owned(), change }
}

#[tokio::test]
async fn keys_and_bytes_are_what_the_table_holds_after_any_changes() {
    let (_folder, store) = house().await;
    let mut random = StdRng::seed_from_u64(7);
    let limits = Limits::default();
    for _ in 0..60 {
        let changes = (0..random.random_range(1..4))
            .map(|place| {
                let subject = ["", "1", "2"][random.random_range(0..3)];
                let key = ["a", "żółć", "a longer key"][place % 3];
                let what = match random.random_range(0..5) {
                    0 => Change::Delete,
                    1 => Change::Add(random.random_range(-999..999)),
                    _ => Change::Put(random.random_range(0..100_000).to_string()),
                };
                change(subject, key, what)
            })
            .collect();
        commit(&store, changes, &limits).await.unwrap();
        let counted = numbers(&store, "SELECT state_keys, state_bytes FROM plugin_usage").await;
        let held = numbers(
            &store,
            "SELECT COUNT(*), CAST(COALESCE(SUM(octet_length(key) + octet_length(value)), 0) AS BIGINT) FROM state",
        )
        .await;
        assert_eq!(counted, held);
    }
}

#[tokio::test]
async fn more_than_allowed_is_refused_by_name_and_leaves_nothing() {
    let (_folder, store) = house().await;
    let limits = Limits { state_keys: 2, state_mib: 1, ..Limits::default() };
    let put = |key: &str, bytes: usize| vec![change("", key, Change::Put("x".repeat(bytes)))];
    commit(&store, put("a", 1), &limits).await.unwrap();
    commit(&store, put("b", 1), &limits).await.unwrap();
    let refused = commit(&store, put("c", 1), &limits).await.unwrap_err();
    assert_eq!(refused, StoreError::Limit { setting: "state_keys", value: 2 });
    let refused = commit(&store, put("a", 1 << 20), &limits).await.unwrap_err();
    assert_eq!(refused, StoreError::Limit { setting: "state_mib", value: 1 });
    assert_eq!(store.rows("state").await, 2);
    // A limit that was lowered lets a plugin give back what is too much.
    let lower = Limits { state_keys: 0, ..limits.clone() };
    commit(&store, put("a", 0), &lower).await.unwrap();
    commit(&store, vec![change("", "b", Change::Delete)], &lower).await.unwrap();
    commit(&store, put("c", 1), &limits).await.unwrap();
}

#[tokio::test]
async fn messages_are_counted_by_the_day() {
    let (_folder, store) = house().await;
    let allowance = Allowance::of(&Limits { messages_per_day: 3, ..Limits::default() });
    let send = |messages: i64, now_ms: i64| {
        store.write((messages, now_ms, allowance), |tx, (messages, now_ms, allowance)| {
            Box::pin(async move {
                let growth = Growth { messages: *messages, ..Growth::default() };
                grow(tx, ("s", "p"), growth, allowance, *now_ms).await
            })
        })
    };
    send(3, 1_000).await.unwrap();
    assert_eq!(send(1, 86_399_999).await, Err(StoreError::Limit { setting: "messages_per_day", value: 3 }));
    send(3, 86_400_000).await.unwrap();
}
