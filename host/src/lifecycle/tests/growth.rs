//! Nothing that a host asks of its database grows with what it is not asked for. All that the store can be asked is
//! asked here; each statement that comes of it is one of those whose plan is looked at (`store/tests/plans.rs`).

mod asked;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::support::*;
use crate::domain::*;
use crate::plugins::call::Fault;
use crate::store::tests::plans::Sources;
use crate::store::*;

const DAY: i64 = 24 * 60 * MINUTE;

/// All that a call can ask for.
fn everything(order: &str) -> Vec<Effect> {
    let coupon = Coupon { personal: false, ..gift(order) };
    let key = "key".to_owned();
    let scope = Scope::Customer;
    vec![
        Effect::IssueCoupon { coupon },
        Effect::SetPoints { reference: order.to_owned(), total: 10 },
        Effect::LabelOrder { key: key.clone(), value: "yes".to_owned() },
        Effect::LabelOrder { key: "other".to_owned(), value: String::new() },
        Effect::LabelCustomer { key: "tier".to_owned(), value: "gold".to_owned() },
        Effect::SetTimer { key: key.clone(), due_at: NOW + MINUTE, payload: String::new() },
        Effect::SetTimer { key: "never".to_owned(), due_at: NOW + 900 * DAY, payload: String::new() },
        Effect::CancelTimer { key: "other".to_owned() },
        send(Message { cancel_on: vec!["order-returned".to_owned()], ..message("plain") }),
        send(Message { dedupe_key: Some(key.clone()), ..message("named") }),
        Effect::CancelMessages { dedupe_key: "other".to_owned() },
        Effect::SendWebhook { topic: "a.b".to_owned(), payload: "{}".to_owned() },
        Effect::PutState { scope, key: key.clone(), value: "1".to_owned() },
        Effect::AddState { scope, key: "sum".to_owned(), amount: 1 },
        Effect::DeleteState { scope, key },
    ]
}

#[tokio::test]
async fn no_statement_reads_what_it_is_not_asked_for() {
    seen::record();
    let house = House::new(&["p", "q"]).await;
    live(&house).await;
    asked::decide(&house.store).await;
    asked::carts(&house.store).await;
    asked::mails(&house).await;
    asked::notices(&house.store).await;
    asked::people(&house).await;
    house.clock.advance(400 * DAY);
    house.step().await;
    house.lifecycle.forget(&CancellationToken::new()).await.unwrap();
    house.store.give_up_deliveries(NOW + 300 * DAY, NOW + 300 * DAY).await.unwrap();
    while house.store.forget_webhooks(NOW + 399 * DAY).await.unwrap() {}
    house.store.clock_set_back(NOW, NOW + DAY).await.unwrap();

    let sources = Sources::read();
    let sent = sources.among(seen::recorded());
    let left_out = sources.left_out(&sent);
    // Where others may hold leases, none is taken back at the start.
    assert!(left_out.is_empty() || testing::is_shared(), "nobody asked these:\n{}", left_out.join("\n"));
    house.store.fill().await;
    let cliffs = house.store.cliffs(&sent).await;
    assert!(cliffs.is_empty(), "{}", cliffs.join("\n\n"));
}

/// Orders' lives, with what goes wrong in them.
async fn live(house: &House) {
    house.script(|invocation| {
        let (order, plugin) = (invocation.order_id.clone(), invocation.plugin.entry.name.clone());
        Box::pin(async move {
            match (order.as_deref(), plugin.as_str()) {
                (Some("bad"), "p") => {
                    let journal = invocation.journal.unwrap();
                    journal.recall("q").await.unwrap();
                    let answer = HttpResponse { status: 200, headers: Vec::new(), body: Vec::new() };
                    journal.keep("q", &answer).await.unwrap();
                    Err(Fault::Trapped("unreachable".to_owned()))
                }
                (Some(order), "p") if invocation.hook == Hook::OrderPlaced => {
                    Ok((everything(order), reads()))
                }
                _ => Ok((Vec::new(), Vec::new())),
            }
        })
    });
    for order in ["1", "22", "bad", "worse"] {
        house.report(placed(order)).await;
    }
    house.accept("0", placed("1")).await.unwrap();
    house.accept("again", placed("1")).await.unwrap();
    let dearer = OrderPlaced { order: Order { total: 9_000, ..order("1") }, customer: None, locale: None };
    house.accept("dearer", Event::OrderPlaced(dearer)).await.unwrap();
    house.report(shipped("late", "s")).await;
    house.report(delivered("22", "s")).await;
    house.report(shipped("22", "s")).await;
    house.report(under_way("22", "s")).await;
    house.report(cancelled("1")).await;
    house.step().await;
    let (claimed, _) = claim(&house.store, NOW).await;
    assert!(claimed.is_empty());
    house.lifecycle.room("demo").await.unwrap();
    house.clock.advance(30 * MINUTE);
    while let Some(next) = house.step().await.filter(|next| *next < NOW + 30 * DAY) {
        house.clock.advance(next - house.clock.now_ms());
    }
    house.report(shipped("worse", "s")).await;
    let (claimed, _) = claim(&house.store, house.clock.now_ms()).await;
    house.store.renew(claimed.clone(), 0).await.unwrap();
    house.store.reclaim(house.clock.now_ms()).await.unwrap();
    let (claimed, _) = claim(&house.store, house.clock.now_ms()).await;
    for job in &claimed {
        let stale = StateRead::Key { owner: owner("p"), key: "none".to_owned(), version: 1 };
        let conflicting = Completion {
            reads: vec![stale],
            ..super::worker::completion(house, job, Changes::default()).await
        };
        assert_eq!(house.store.complete(conflicting).await, Err(StoreError::Stale));
        house.store.give_back(job, 0).await.unwrap();
    }
    house.step().await;
}

fn reads() -> Vec<StateRead> {
    let owner = owner("p");
    vec![
        StateRead::Key { owner: owner.clone(), key: "none".to_owned(), version: 0 },
        StateRead::Prefix { owner, prefix: "none".to_owned(), limit: 9, seen: Vec::new() },
    ]
}

async fn claim(store: &Store, now_ms: i64) -> (Vec<Claimed>, String) {
    let live: BTreeMap<_, _> = [("demo".to_owned(), vec!["p".to_owned(), "q".to_owned()])].into();
    let (limit, lease_until) = (9, now_ms);
    let claim =
        Claim { live: Arc::new(live), after: "d".to_owned(), limit, per_shop: limit, now_ms, lease_until };
    store.claim(claim).await.unwrap()
}
