//! What a timeline asks of the database.

use sqlx::Row as _;

use super::*;
use crate::store::dialect::Dialect;
use crate::store::timeline::statements;

#[tokio::test]
async fn a_timeline_finds_its_rows_by_their_order_or_customer_and_scans_no_table() {
    let (_folder, store) = house().await;
    if store.inner.dialect != Dialect::Sqlite {
        // Another database plans by what is in its tables, and these are empty.
        return;
    }
    let statements = statements();
    assert!(statements.len() > 20);
    for text in statements {
        let plan = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}")))
            .bind("s")
            .bind("1")
            .bind(0_i64)
            .bind("")
            .bind(1_i64)
            .fetch_all(&store.inner.reads)
            .await
            .unwrap();
        let steps: Vec<String> = plan.iter().map(|row| row.get(3)).collect();
        let searches: Vec<_> = steps.iter().filter(|step| step.starts_with("SEARCH")).collect();
        assert!(
            !searches.is_empty() && !steps.iter().any(|step| step.starts_with("SCAN")),
            "{text}: {steps:?}"
        );
        // The shop alone would be a scan of all that it has.
        let narrow = |step: &str| step.contains("event_id=?") || step.matches("=?").count() >= 2;
        assert!(searches.iter().all(|step| narrow(step)), "{text}: {steps:?}");
    }
}
