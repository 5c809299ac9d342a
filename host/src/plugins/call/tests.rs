//! Guests that behave and guests that do not.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::domain::Scope;
use crate::plugins::fixtures::{self, Memory, handler, invocation};

async fn outcome_with(hook: Hook, limits: Limits, imports: &str, body: &str, store: Memory) -> Outcome {
    let sandbox = fixtures::sandbox(&limits);
    let plugin = fixtures::live(&sandbox, &handler(hook, imports, body), &[]);
    bounded(&sandbox, invocation(plugin, hook, &Arc::new(store)), &limits).await
}

async fn outcome(hook: Hook, imports: &str, body: &str) -> Outcome {
    outcome_with(hook, fixtures::limits(), imports, body, Memory::default()).await
}

async fn fault_of(hook: Hook, imports: &str, body: &str) -> Fault {
    outcome(hook, imports, body).await.result.unwrap_err()
}

const PUT: &str = r#"
  (import "cartwright:plugin/state-write@0.1.0" "put" (func $put (param i32 i32 i32 i32 i32)))
  (import "cartwright:plugin/state-write@0.1.0" "add" (func $add (param i32 i32 i32 i64)))
  (import "cartwright:plugin/state@0.1.0" "get" (func $get (param i32 i32 i32 i32)))
  (data (i32.const 1024) "key") (data (i32.const 1040) "value")"#;

#[tokio::test(flavor = "multi_thread")]
async fn effects_are_kept_in_the_order_of_the_calls() {
    let outcome = outcome(
        Hook::OrderPlaced,
        PUT,
        "(call $put (i32.const 0) (i32.const 1024) (i32.const 3) (i32.const 1040) (i32.const 5))
         (call $add (i32.const 2) (i32.const 1024) (i32.const 3) (i64.const -7))",
    )
    .await;
    assert_eq!(
        outcome.result.unwrap(),
        [
            Effect::PutState { scope: Scope::Shop, key: "key".to_owned(), value: "value".to_owned() },
            Effect::AddState { scope: Scope::Order, key: "key".to_owned(), amount: -7 },
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn effects_are_forgotten_when_the_handler_returns_err_or_traps() {
    let put = "(call $put (i32.const 0) (i32.const 1024) (i32.const 3) (i32.const 1040) (i32.const 5))";
    // A result at 16: err, with five bytes at 1040.
    let refused = format!(
        "{put} (i32.store8 (i32.const 16) (i32.const 1)) (i32.store (i32.const 20) (i32.const 1040)) \
         (i32.store (i32.const 24) (i32.const 5))"
    );
    assert_eq!(fault_of(Hook::OrderPlaced, PUT, &refused).await, Fault::Refused("value".to_owned()));
    let trapped = fault_of(Hook::OrderPlaced, PUT, &format!("{put} unreachable")).await;
    assert_eq!(trapped.kind(), "trap");
    assert!(trapped.to_string().contains("stopped itself"), "{trapped}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_without_an_end_is_late() {
    let limits = Limits { decision_ms: 60, ..fixtures::limits() };
    let outcome = outcome_with(Hook::Pricing, limits, "", "(loop $l (br $l))", Memory::default()).await;
    assert_eq!(outcome.result.unwrap_err(), Fault::Late(60));
    assert!(outcome.elapsed < Duration::from_secs(2), "{:?}", outcome.elapsed);
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_loops_leave_the_threads_to_others() {
    let limits = Limits { decision_ms: 2_000, ..fixtures::limits() };
    let sandbox = fixtures::sandbox(&limits);
    let endless = fixtures::live(&sandbox, &handler(Hook::Pricing, "", "(loop $l (br $l))"), &[]);
    let brisk = fixtures::live(&sandbox, &handler(Hook::Pricing, "", ""), &[]);
    let store = Arc::new(Memory::default());
    let loops = futures::future::join_all(
        (0..3).map(|_| bounded(&sandbox, invocation(endless.clone(), Hook::Pricing, &store), &limits)),
    );
    let calls = async {
        for _ in 0..20 {
            let outcome = bounded(&sandbox, invocation(brisk.clone(), Hook::Pricing, &store), &limits).await;
            assert!(outcome.result.is_ok(), "{:?}", outcome.result);
        }
    };
    let (outcomes, ()) = futures::join!(loops, calls);
    assert!(outcomes.iter().all(|outcome| outcome.result == Err(Fault::Late(2_000))));
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_a_slot_counts_towards_the_deadline() {
    let limits = Limits { concurrent_decisions: 1, decision_ms: 100, ..fixtures::limits() };
    let sandbox = fixtures::sandbox(&limits);
    let plugin = fixtures::live(&sandbox, &handler(Hook::Pricing, "", ""), &[]);
    let store = Arc::new(Memory::default());
    let slot = sandbox.slot(Hook::Pricing).await.unwrap();
    let waited = bounded(&sandbox, invocation(plugin.clone(), Hook::Pricing, &store), &limits).await;
    assert_eq!(waited.result, Err(Fault::Late(100)));
    drop(slot);
    let limits = Limits { decision_ms: 5_000, ..limits };
    assert!(bounded(&sandbox, invocation(plugin, Hook::Pricing, &store), &limits).await.result.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_does_not_wait_for_events() {
    let limits = Limits { concurrent_events: 1, ..fixtures::limits() };
    let sandbox = fixtures::sandbox(&limits);
    let plugin = fixtures::live(&sandbox, &handler(Hook::Pricing, "", ""), &[]);
    let _events = sandbox.slot(Hook::OrderPlaced).await.unwrap();
    let store = Arc::new(Memory::default());
    assert!(bounded(&sandbox, invocation(plugin, Hook::Pricing, &store), &limits).await.result.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_hog_meets_its_limit() {
    let grow =
        "(loop $l (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable)) (br $l))";
    let fault = fault_of(Hook::Pricing, "", grow).await;
    assert_eq!(fault, Fault::Limit { setting: "memory_mib", value: 4 });
    assert_eq!(fault.to_string(), "passed limits.memory_mib = 4");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_refused_growth_did_not_stop_is_kept() {
    let grow = "(drop (memory.grow (i32.const 1000)))";
    assert_eq!(outcome(Hook::Pricing, "", grow).await.result, Ok(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recursion_without_an_end_uses_up_its_stack() {
    let limits = fixtures::limits();
    let sandbox = fixtures::sandbox(&limits);
    let imports = "(func $deep (param i64) (result i64) \
                   (i64.add (call $deep (i64.add (local.get 0) (i64.const 1))) (local.get 0)))";
    // Functions come after imports, so this text is fine in their place.
    let guest = handler(Hook::Pricing, imports, "(drop (call $deep (i64.const 0)))");
    let plugin = fixtures::live(&sandbox, &guest, &[]);
    let store = Arc::new(Memory::default());
    let outcome = bounded(&sandbox, invocation(plugin, Hook::Pricing, &store), &limits).await;
    let fault = outcome.result.unwrap_err();
    assert!(fault.to_string().contains("used up its stack (limits.stack_kib = 512)"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_of_host_calls_meets_its_limit() {
    let now = r#"(import "cartwright:plugin/context@0.1.0" "now-ms" (func $now (result i64)))"#;
    let fault = fault_of(Hook::Pricing, now, "(loop $l (drop (call $now)) (br $l))").await;
    assert_eq!(fault, Fault::Limit { setting: "host_calls", value: 10_000 });
}

#[tokio::test(flavor = "multi_thread")]
async fn effects_output_and_log_lines_are_counted() {
    let put = "(loop $l (call $put (i32.const 0) (i32.const 1024) (i32.const 3) (i32.const 1040) (i32.const 5)) (br $l))";
    assert_eq!(
        fault_of(Hook::OrderPlaced, PUT, put).await,
        Fault::Limit { setting: "effects", value: 1_000 }
    );
    // 60,000 bytes a call.
    let put = "(loop $l (call $put (i32.const 0) (i32.const 1024) (i32.const 3) (i32.const 1040) (i32.const 60000)) (br $l))";
    assert_eq!(
        fault_of(Hook::OrderPlaced, PUT, put).await,
        Fault::Limit { setting: "output_bytes", value: 1 << 20 }
    );
    // Too much in a single call, before any of it is looked at.
    let limits = Limits { output_bytes: 1_000, ..fixtures::limits() };
    let put = "(call $put (i32.const 0) (i32.const 1024) (i32.const 3) (i32.const 1040) (i32.const 60000))";
    assert_eq!(
        outcome_with(Hook::OrderPlaced, limits, PUT, put, Memory::default()).await.result,
        Err(Fault::Limit { setting: "output_bytes", value: 1_000 })
    );
    let log = r#"(import "cartwright:plugin/context@0.1.0" "log" (func $log (param i32 i32 i32)))"#;
    assert_eq!(
        fault_of(
            Hook::Pricing,
            log,
            "(loop $l (call $log (i32.const 0) (i32.const 1024) (i32.const 1000)) (br $l))"
        )
        .await,
        Fault::Limit { setting: "log_bytes", value: 16 << 10 }
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_in_the_wrong_hook_traps() {
    let fault = fault_of(
        Hook::Pricing,
        PUT,
        "(call $add (i32.const 0) (i32.const 1024) (i32.const 3) (i64.const 1))",
    )
    .await;
    assert_eq!(
        fault,
        Fault::Trapped(
            "called `state-write.add` in `pricing`; it may be called only in events and timers".to_owned()
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_that_not_every_language_holds_trap() {
    let points = r#"(import "cartwright:plugin/points@0.1.0" "set" (func $set (param i32 i32 i64)))
                    (data (i32.const 1024) "o1")"#;
    let set = "(call $set (i32.const 1024) (i32.const 2) (i64.const 9007199254740992))";
    let fault = fault_of(Hook::OrderPlaced, points, set).await;
    assert!(fault.to_string().contains("`points.set` with `total` = 9007199254740992"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_reads_what_it_wrote_and_notes_what_it_read() {
    let store = Memory { values: [("key".to_owned(), ("40".to_owned(), 3))].into(), ..Memory::default() };
    // 40 + 2, then the value that the host gives is put under the same key.
    let outcome = outcome_with(
        Hook::OrderPlaced,
        fixtures::limits(),
        PUT,
        "(call $add (i32.const 0) (i32.const 1024) (i32.const 3) (i64.const 2))
         (call $get (i32.const 0) (i32.const 1024) (i32.const 3) (i32.const 2048))
         (call $put (i32.const 0) (i32.const 1024) (i32.const 3)
           (i32.load (i32.const 2052)) (i32.load (i32.const 2056)))",
        store,
    )
    .await;
    assert_eq!(
        outcome.result.unwrap().last(),
        Some(&Effect::PutState { scope: Scope::Shop, key: "key".to_owned(), value: "42".to_owned() })
    );
    assert!(
        matches!(outcome.reads.as_slice(), [StateRead::Key { key, version: 3, .. }] if key == "key"),
        "{:?}",
        outcome.reads
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn state_of_a_customer_needs_one() {
    let fault = fault_of(
        Hook::OrderPlaced,
        PUT,
        "(call $add (i32.const 1) (i32.const 1024) (i32.const 3) (i64.const 1))",
    )
    .await;
    assert!(fault.to_string().contains("state of the customer in a call without one"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_fails_is_the_hosts_fault() {
    let related = r#"(import "cartwright:plugin/catalog@0.1.0" "related" (func $related (param i32 i32 i32 i32)))
                     (data (i32.const 1024) "mug")"#;
    let fault = fault_of(
        Hook::Pricing,
        related,
        "(call $related (i32.const 1024) (i32.const 3) (i32.const 5) (i32.const 2048))",
    )
    .await;
    assert_eq!(fault, Fault::Host("the store is away".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_begins_in_a_fresh_instance() {
    let limits = fixtures::limits();
    let sandbox = fixtures::sandbox(&limits);
    // Traps when the byte that it sets is set already.
    let body =
        "(if (i32.load8_u (i32.const 3000)) (then unreachable)) (i32.store8 (i32.const 3000) (i32.const 1))";
    let plugin = fixtures::live(&sandbox, &handler(Hook::Pricing, "", body), &[]);
    let store = Arc::new(Memory::default());
    for _ in 0..3 {
        let outcome = bounded(&sandbox, invocation(plugin.clone(), Hook::Pricing, &store), &limits).await;
        assert_eq!(outcome.result, Ok(Vec::new()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_without_code_is_a_fault_and_not_a_panic() {
    let limits = fixtures::limits();
    let sandbox = fixtures::sandbox(&limits);
    let plugin = fixtures::live(&sandbox, &handler(Hook::Pricing, "", ""), &[]);
    let store = Arc::new(Memory::default());
    let outcome = bounded(&sandbox, invocation(plugin, Hook::Review, &store), &limits).await;
    assert_eq!(outcome.result.unwrap_err().kind(), "host");
}
