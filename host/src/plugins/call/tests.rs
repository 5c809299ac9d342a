//! Guests that behave and guests that do not.

use std::sync::Arc;
use std::time::Duration;

use super::bounded as bounded_and_fair;
use super::*;
use crate::domain::Scope;
use crate::plugins::fixtures::{self, Memory, handler, invocation};

async fn bounded(sandbox: &Arc<Sandbox>, invocation: Invocation) -> Outcome {
    bounded_and_fair(sandbox, invocation, false).await.0
}

async fn outcome_with(hook: Hook, limits: Limits, imports: &str, body: &str, store: Memory) -> Outcome {
    let sandbox = fixtures::sandbox(&limits);
    let plugin = fixtures::live(&sandbox, &limits, &handler(hook, imports, body), &[]);
    bounded(&sandbox, invocation(plugin, hook, &Arc::new(store))).await
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
    assert_eq!(outcome.result.unwrap_err(), Fault::Late { ms: 60, within: Within::Decision });
    assert!(outcome.elapsed < Duration::from_secs(2), "{:?}", outcome.elapsed);
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_loops_leave_the_threads_to_others() {
    let limits = Limits { decision_ms: 2_000, ..fixtures::limits() };
    let sandbox = fixtures::sandbox(&limits);
    let endless = fixtures::live(&sandbox, &limits, &handler(Hook::Pricing, "", "(loop $l (br $l))"), &[]);
    let brisk = fixtures::live(&sandbox, &limits, &handler(Hook::Pricing, "", ""), &[]);
    let store = Arc::new(Memory::default());
    let loops = futures::future::join_all(
        (0..3).map(|_| bounded(&sandbox, invocation(endless.clone(), Hook::Pricing, &store))),
    );
    let calls = async {
        for _ in 0..20 {
            let outcome = bounded(&sandbox, invocation(brisk.clone(), Hook::Pricing, &store)).await;
            assert!(outcome.result.is_ok(), "{:?}", outcome.result);
        }
    };
    let (outcomes, ()) = futures::join!(loops, calls);
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.result == Err(Fault::Late { ms: 2_000, within: Within::Decision }))
    );
}

/// Its caller waits no longer than this.
fn patient(invocation: Invocation, ms: u64) -> Invocation {
    Invocation { until: tokio::time::Instant::now() + Duration::from_millis(ms), ..invocation }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_waits_for_a_slot_within_its_callers_time() {
    let limits = Limits { concurrent_decisions: 1, ..fixtures::limits() };
    let sandbox = fixtures::sandbox(&limits);
    let plugin = fixtures::live(&sandbox, &limits, &handler(Hook::Pricing, "", ""), &[]);
    let other = fixtures::live(&sandbox, &limits, &handler(Hook::Pricing, "", ""), &[]);
    let store = Arc::new(Memory::default());
    let far = tokio::time::Instant::now() + Duration::from_secs(60);
    let slot = sandbox.slot(&other, Hook::Pricing, far, false).await.unwrap();
    let waited = patient(invocation(plugin.clone(), Hook::Pricing, &store), 50);
    let (waited, fair) = bounded_and_fair(&sandbox, waited, false).await;
    let fault = waited.result.unwrap_err();
    assert!(
        matches!(fault, Fault::Busy { setting: "concurrent_decisions", value: 1, waited_ms: 40.. }),
        "{fault:?}"
    );
    assert!(fault.to_string().ends_with("limits.concurrent_decisions = 1 are in use"), "{fault}");
    assert!(!fair, "it says nothing about the plugin");
    // Longer than its own limit, and it is called all the same.
    let own = Limits { decision_ms: 500, ..limits.clone() };
    let plugin = fixtures::live(&sandbox, &own, &handler(Hook::Pricing, "", ""), &[]);
    let waits = bounded(&sandbox, invocation(plugin, Hook::Pricing, &store));
    let frees = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        drop(slot);
    };
    assert_eq!(futures::join!(waits, frees).0.result, Ok(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_plugin_gets_no_more_than_its_share_of_the_slots() {
    let limits = Limits { share_percent: 50, concurrent_decisions: 2, ..fixtures::limits() };
    let sandbox = fixtures::sandbox(&limits);
    let greedy = fixtures::live(&sandbox, &limits, &handler(Hook::Pricing, "", ""), &[]);
    let other = fixtures::live(&sandbox, &limits, &handler(Hook::Pricing, "", ""), &[]);
    let store = Arc::new(Memory::default());
    let far = tokio::time::Instant::now() + Duration::from_secs(60);
    let _slot = sandbox.slot(&greedy, Hook::Pricing, far, false).await.unwrap();
    let second = bounded(&sandbox, patient(invocation(greedy.clone(), Hook::Pricing, &store), 20)).await;
    assert!(
        matches!(second.result, Err(Fault::Busy { setting: "share_percent", value: 50, .. })),
        "{second:?}"
    );
    let other = bounded(&sandbox, patient(invocation(other, Hook::Pricing, &store), 5_000)).await;
    assert_eq!(other.result, Ok(Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_full_of_endless_plugins_leaves_slots_and_threads_to_another() {
    let limits = Limits { decision_ms: 400, share_percent: 50, shop_share_percent: 75, ..fixtures::limits() };
    let sandbox = fixtures::sandbox(&limits);
    let endless = handler(Hook::Pricing, "", "(loop $l (br $l))");
    let hostile: Vec<_> =
        (0..4).map(|_| fixtures::live_in("hostile", &sandbox, &limits, &endless, &[])).collect();
    let honest = fixtures::live_in("honest", &sandbox, &limits, &handler(Hook::Pricing, "", ""), &[]);
    let store = Arc::new(Memory::default());
    let flood = futures::future::join_all((0..40).map(|index| {
        let call = invocation(hostile[index % hostile.len()].clone(), Hook::Pricing, &store);
        bounded(&sandbox, patient(call, 1_500))
    }));
    let calls = async {
        for _ in 0..50 {
            // As long as a checkout has for it.
            let call = patient(invocation(honest.clone(), Hook::Pricing, &store), 500);
            let outcome = bounded(&sandbox, call).await;
            assert_eq!(outcome.result, Ok(Vec::new()));
            tokio::task::yield_now().await;
        }
    };
    let (flooded, ()) = futures::join!(flood, calls);
    assert!(flooded.iter().all(|outcome| outcome.result.is_err()));
    let waited = flooded.iter().filter(|outcome| matches!(outcome.result, Err(Fault::Busy { .. }))).count();
    assert!(waited > 0, "there were more calls than slots: {flooded:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_does_not_wait_for_events() {
    let limits = Limits { concurrent_events: 1, ..fixtures::limits() };
    let sandbox = fixtures::sandbox(&limits);
    let plugin = fixtures::live(&sandbox, &limits, &handler(Hook::Pricing, "", ""), &[]);
    let far = tokio::time::Instant::now() + Duration::from_secs(60);
    let _events = sandbox.slot(&plugin, Hook::OrderPlaced, far, false).await.unwrap();
    let store = Arc::new(Memory::default());
    assert!(bounded(&sandbox, invocation(plugin.clone(), Hook::Pricing, &store)).await.result.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn computing_is_bounded_apart_from_waiting() {
    let limits = Limits { decision_cpu_ms: 30, ..fixtures::limits() };
    let outcome = outcome_with(Hook::Pricing, limits, "", "(loop $l (br $l))", Memory::default()).await;
    let fault = outcome.result.unwrap_err();
    assert_eq!(fault, Fault::Limit { setting: "decision_cpu_ms", value: 30 });
    assert_eq!(
        fault.to_string(),
        "passed limits.decision_cpu_ms = 30; set it with `limits = { decision_cpu_ms = … }` in the plugin's \
         entry, or for all under [limits] of cartwright.toml"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_the_budget_ends_a_call_and_is_named() {
    let limits = fixtures::limits();
    let sandbox = fixtures::sandbox(&limits);
    let endless = fixtures::live(&sandbox, &limits, &handler(Hook::Pricing, "", "(loop $l (br $l))"), &[]);
    let store = Arc::new(Memory::default());
    let call = patient(invocation(endless, Hook::Pricing, &store), 60);
    let (outcome, fair) = bounded_and_fair(&sandbox, call, false).await;
    let fault = outcome.result.unwrap_err();
    assert!(matches!(fault, Fault::Late { within: Within::Budget, .. }), "{fault:?}");
    assert!(fault.to_string().contains("[budgets]"), "{fault}");
    assert!(!fair, "60 of its own 5000 ms: it may not be slow at all");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_hog_meets_its_limit() {
    let grow =
        "(loop $l (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable)) (br $l))";
    let fault = fault_of(Hook::Pricing, "", grow).await;
    assert_eq!(fault, Fault::Limit { setting: "memory_mib", value: 4 });
    assert!(fault.to_string().starts_with("passed limits.memory_mib = 4; set it with"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_grows_meets_its_limit() {
    let table = "(table $t 1 funcref)";
    let grow = "(loop $l (if (i32.eq (table.grow $t (ref.null func) (i32.const 5000)) (i32.const -1)) \
                (then unreachable)) (br $l))";
    assert_eq!(
        fault_of(Hook::Pricing, table, grow).await,
        Fault::Limit { setting: "table_elements", value: 20_000 }
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_of_more_instances_than_allowed_is_a_limit() {
    let limits = Limits { instances: 1, ..fixtures::limits() };
    // The pool has room for more: another plugin may be given it.
    let sandbox = fixtures::sandbox(&fixtures::limits());
    let plugin = fixtures::live(&sandbox, &limits, &handler(Hook::Pricing, PUT, ""), &[]);
    let store = Arc::new(Memory::default());
    let outcome = bounded(&sandbox, invocation(plugin, Hook::Pricing, &store)).await;
    assert_eq!(outcome.result, Err(Fault::Limit { setting: "instances", value: 1 }));
}

#[test]
fn messages_of_one_event_and_items_that_are_looked_up_are_counted() {
    let limits = Limits { messages_per_event: 2, ..fixtures::limits() };
    let mut call = crate::plugins::limits::Meter::new(&limits);
    assert_eq!((call.message(), call.message()), (Ok(()), Ok(())));
    assert_eq!(call.message(), Err(Fault::Limit { setting: "messages_per_event", value: 2 }));
    assert_eq!(call.items(10_001), Err(Fault::Limit { setting: "host_calls", value: 10_000 }));
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
    let plugin = fixtures::live(&sandbox, &limits, &guest, &[]);
    let store = Arc::new(Memory::default());
    let outcome = bounded(&sandbox, invocation(plugin, Hook::Pricing, &store)).await;
    let fault = outcome.result.unwrap_err();
    assert_eq!(fault, Fault::Limit { setting: "stack_kib", value: 512 });
    assert!(fault.to_string().ends_with("it is the same for all plugins"), "{fault}");
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
    let put = "(memory.fill (i32.const 1040) (i32.const 97) (i32.const 60000))
        (loop $l (call $put (i32.const 0) (i32.const 1024) (i32.const 3) (i32.const 1040) (i32.const 60000)) (br $l))";
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
    let plugin = fixtures::live(&sandbox, &limits, &handler(Hook::Pricing, "", body), &[]);
    let store = Arc::new(Memory::default());
    for _ in 0..3 {
        let outcome = bounded(&sandbox, invocation(plugin.clone(), Hook::Pricing, &store)).await;
        assert_eq!(outcome.result, Ok(Vec::new()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_without_code_is_a_fault_and_not_a_panic() {
    let limits = fixtures::limits();
    let sandbox = fixtures::sandbox(&limits);
    let plugin = fixtures::live(&sandbox, &limits, &handler(Hook::Pricing, "", ""), &[]);
    let store = Arc::new(Memory::default());
    let outcome = bounded(&sandbox, invocation(plugin, Hook::Review, &store)).await;
    assert_eq!(outcome.result.unwrap_err().kind(), "host");
}
