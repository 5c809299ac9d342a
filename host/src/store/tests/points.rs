//! The ledger of points: a balance is the sum of what each reference earned, whatever was said before.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sqlx::Row as _;

use super::*;
use crate::domain::CustomerInput;
use crate::store::outgoing::Origin;

/// Sets, one after the other, at instants of their own or of their neighbours'.
async fn set(store: &Store, reference: &str, total: i64, now_ms: i64) -> Result<()> {
    let input = (reference.to_owned(), total, now_ms);
    store
        .write(input, |tx, (reference, total, now_ms)| {
            Box::pin(async move {
                let origin = Origin {
                    shop: "s",
                    plugin: "p",
                    event_id: "evt",
                    seq: 1,
                    order_id: Some("1"),
                    customer_id: Some("anna"),
                    locale: None,
                    now_ms: *now_ms,
                };
                crate::store::points::set(tx, &origin, "anna", reference, *total).await
            })
        })
        .await
}

async fn anna(store: &Store) {
    let input = CustomerInput { id: Some("anna".to_owned()), ..CustomerInput::default() };
    store.put_customer("s", &input, 0).await.unwrap();
}

/// Points and points owed.
async fn account(store: &Store) -> (i64, i64) {
    let record = store.customer("s", "anna").await.unwrap().unwrap();
    (record.customer.points, record.points_owed)
}

/// The whole ledger as it lies in the database, in the order of its key.
async fn rows(store: &Store) -> Vec<(String, i64, i64, i64, i64)> {
    sqlx::query("SELECT reference, revision, total, delta, at FROM points ORDER BY reference, revision")
        .fetch_all(&store.inner.reads)
        .await
        .unwrap()
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4)))
        .collect()
}

/// The ledger read page by page, newest first.
async fn ledger(store: &Store, page: usize) -> Vec<PointsEntry> {
    let mut entries = Vec::new();
    let mut before = None;
    loop {
        let found = store.points("s", "anna", before.as_ref(), page).await.unwrap();
        assert!(found.entries.len() <= page);
        entries.extend(found.entries);
        match found.next {
            Some(next) => before = Some(next.to_string().parse().unwrap()),
            None => return entries,
        }
    }
}

#[tokio::test]
async fn what_was_spent_and_is_taken_back_is_owed_and_paid_first() {
    let (_folder, store) = house().await;
    anna(&store).await;
    set(&store, "order-1", 300, 1).await.unwrap();
    set(&store, "reward", -250, 2).await.unwrap();
    assert_eq!(account(&store).await, (50, 0));
    // The goods come back, the reward is gone.
    set(&store, "order-1", 0, 3).await.unwrap();
    assert_eq!(account(&store).await, (0, 250));
    set(&store, "order-2", 200, 4).await.unwrap();
    assert_eq!(account(&store).await, (0, 50));
    set(&store, "order-3", 60, 5).await.unwrap();
    assert_eq!(account(&store).await, (10, 0));
    let balances: Vec<_> =
        ledger(&store, 2).await.into_iter().map(|entry| (entry.delta, entry.balance)).collect();
    assert_eq!(balances, [(60, 10), (200, -50), (-300, -250), (-250, 50), (300, 300)]);
}

#[tokio::test]
async fn the_same_total_again_adds_nothing_and_no_balance_is_over_what_a_number_holds() {
    let (_folder, store) = house().await;
    anna(&store).await;
    let most = (1_i64 << 53) - 1;
    set(&store, "a", most, 1).await.unwrap();
    set(&store, "a", most, 2).await.unwrap();
    assert_eq!(rows(&store).await.len(), 1);
    let over = set(&store, "b", 1, 3).await;
    assert!(matches!(over, Err(StoreError::Invalid(_))), "{over:?}");
    assert_eq!(account(&store).await, (most, 0));
    set(&store, "a", 0, 4).await.unwrap();
    set(&store, "b", 1, 5).await.unwrap();
    assert_eq!(account(&store).await, (1, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_balance_is_the_sum_of_the_newest_totals_and_no_line_is_ever_changed(
        sets in prop::collection::vec((0_usize..5, -1_000_i64..1_000, 0_i64..3), 1..40)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_folder, store) = house().await;
            anna(&store).await;
            let mut newest = BTreeMap::new();
            let mut before = Vec::new();
            let mut now_ms = 0;
            for (reference, total, passed) in sets {
                now_ms += passed;
                set(&store, &format!("r{reference}"), total, now_ms).await.unwrap();
                newest.insert(reference, total);
                let balance: i64 = newest.values().sum();
                prop_assert_eq!(account(&store).await, (balance.max(0), (-balance).max(0)));
                let after = rows(&store).await;
                prop_assert!(before.iter().all(|row| after.contains(row)), "{:?} → {:?}", before, after);
                before = after;
            }
            let whole = ledger(&store, 1_000).await;
            prop_assert_eq!(&ledger(&store, 3).await, &whole);
            prop_assert_eq!(whole.len(), before.len());
            let mut balance = 0;
            for entry in whole.iter().rev() {
                balance += entry.delta;
                prop_assert_eq!(entry.balance, balance);
            }
            Ok(())
        })?;
    }
}
