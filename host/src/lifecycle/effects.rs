//! What a plugin may ask for in an event, and what that comes to. Pure: ids and codes are handed in.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::domain::plain::{one_line, shown};
use crate::domain::{Coupon, CouponValue, Effect, Hook, Message, Scope, StateOwner, Value, money, topic};
use crate::store::{
    Change, Changes, Label, Labelled, MessageStep, NewCoupon, NewMessage, NewWebhook, StateChange,
    TimerChange,
};

/// How much one call may ask for.
const COUPONS: usize = 10;
const POINTS: usize = 50;
const TIMERS: usize = 50;
const LABELS: usize = 20;
const WEBHOOKS: usize = 20;
const STATE_KEYS: usize = 1_000;

/// Bytes; as many as the sandbox takes, so that a prefix and an id of the longest fit.
const KEY: usize = 500;
const STATE_VALUE: usize = 64 << 10;
const PAYLOAD: usize = 16 << 10;
const LABEL: usize = 200;

/// Characters of what is said of a wrong effect.
const SENTENCE: usize = 1_000;

/// A timer that sets timers sets them at least so far ahead, ms: a chain of them turns no faster.
const TIMER_REST_MS: i64 = 60_000;

/// Timers and messages lie no further ahead: ten years, ms.
const HORIZON_MS: i64 = 10 * 366 * 24 * 60 * 60 * 1_000;

/// The call that asked.
pub(super) struct Scene<'a> {
    pub shop: &'a str,
    pub plugin: &'a str,
    pub customer_id: Option<&'a str>,
    pub order_id: Option<&'a str>,
    /// The call's clock.
    pub now_ms: i64,
    /// A timer called it.
    pub by_timer: bool,
}

/// Where unguessable codes and new ids come from.
pub(super) trait Mint {
    /// The part of a coupon's code after its prefix.
    fn code(&mut self) -> String;
    fn id(&mut self, prefix: &str) -> String;
}

/// The changes, or why the call's effects cannot be: a sentence for the plugin's author.
pub(super) fn plan(effects: Vec<Effect>, scene: &Scene<'_>, mint: &mut dyn Mint) -> Result<Changes, String> {
    // It may quote what the plugin said.
    checked(effects, scene, mint).map_err(|why| one_line(&why, SENTENCE))
}

fn checked(effects: Vec<Effect>, scene: &Scene<'_>, mint: &mut dyn Mint) -> Result<Changes, String> {
    let mut changes = Changes { effects: effects.iter().map(kind).collect(), ..Changes::default() };
    let mut state = BTreeMap::new();
    let mut handles = BTreeSet::new();
    for (index, effect) in effects.into_iter().enumerate() {
        let handle = u32::try_from(index).map_err(|_| "asked for more than can be counted".to_owned())?;
        match effect {
            Effect::SendMessage { message } => {
                let coupons = check_message(&message, &handles, scene)?;
                let id = mint.id("msg");
                changes.messages.push(MessageStep::Send(NewMessage { id, message, coupons }));
            }
            Effect::CancelMessages { dedupe_key } => {
                key("messages.cancel", &dedupe_key)?;
                changes.messages.push(MessageStep::Cancel(dedupe_key));
            }
            Effect::IssueCoupon { coupon } => {
                check_coupon(&coupon, scene)?;
                let prefix = coupon.prefix.to_ascii_uppercase();
                let dash = if prefix.is_empty() { "" } else { "-" };
                let code = format!("{prefix}{dash}{}", mint.code());
                handles.insert(handle);
                changes.coupons.push(NewCoupon { handle, code, coupon });
            }
            Effect::SetPoints { reference, total } => {
                key("points.set", &reference)?;
                if !money::is_amount(total) {
                    return Err(format!("points.set: {total} is too large; at most 2^53-1"));
                }
                changes.points.push((reference, total));
            }
            Effect::SetTimer { key: name, due_at, payload } => {
                key("timers", &name)?;
                if payload.len() > PAYLOAD {
                    return Err(format!("timers: the payload of `{name}` has more than {PAYLOAD} bytes"));
                }
                kept("timers", &name, &payload)?;
                instant("timers", &name, Some(due_at))?;
                if due_at > scene.now_ms.saturating_add(HORIZON_MS) {
                    return Err(format!("timers: `{name}` lies more than ten years ahead"));
                }
                let soonest =
                    if scene.by_timer { scene.now_ms.saturating_add(TIMER_REST_MS) } else { due_at };
                let due_at = due_at.max(soonest);
                changes.timers.push(TimerChange::Set { key: name, due_at, payload });
            }
            Effect::CancelTimer { key: name } => {
                key("timers.cancel", &name)?;
                changes.timers.push(TimerChange::Cancel { key: name });
            }
            Effect::LabelCustomer { key, value } => {
                changes.labels.push(label(Labelled::Customer, key, value)?);
            }
            Effect::LabelOrder { key, value } => changes.labels.push(label(Labelled::Order, key, value)?),
            Effect::SendWebhook { topic, payload } => {
                topic::for_plugins(&topic).map_err(|why| format!("webhooks.send: {why}"))?;
                if payload.len() > STATE_VALUE
                    || serde_json::from_str::<serde::de::IgnoredAny>(&payload).is_err()
                {
                    return Err(format!(
                        "webhooks.send: the payload for `{topic}` must be JSON of at most {STATE_VALUE} bytes"
                    ));
                }
                changes.webhooks.push(NewWebhook { id: mint.id("whk"), topic, payload });
            }
            Effect::PutState { scope, key: name, value } => {
                key("state-write.put", &name)?;
                if value.len() > STATE_VALUE {
                    return Err(format!("state-write.put: `{name}` has more than {STATE_VALUE} bytes"));
                }
                kept("state-write.put", &name, &value)?;
                state.insert((owner(scope, scene)?, name), Change::Put(value));
            }
            Effect::DeleteState { scope, key: name } => {
                key("state-write.delete", &name)?;
                state.insert((owner(scope, scene)?, name), Change::Delete);
            }
            Effect::AddState { scope, key: name, amount } => {
                key("state-write.add", &name)?;
                let place = (owner(scope, scene)?, name);
                let sum = add(state.remove(&place), amount).ok_or_else(|| {
                    format!("state-write.add: `{}` is no number that {amount} can be added to", place.1)
                })?;
                state.insert(place, sum);
            }
            stage => return Err(format!("asked for `{}` in an event: it is for decisions", kind(&stage))),
        }
    }
    changes.state =
        state.into_iter().map(|((owner, key), change)| StateChange { owner, key, change }).collect();
    within_caps(&changes)?;
    Ok(changes)
}

fn within_caps(changes: &Changes) -> Result<(), String> {
    for (import, what, count, cap) in [
        ("coupons.issue", "coupons", changes.coupons.len(), COUPONS),
        ("points.set", "references of points", changes.points.len(), POINTS),
        ("timers", "timers", changes.timers.len(), TIMERS),
        ("labels", "labels", changes.labels.len(), LABELS),
        ("webhooks.send", "webhooks", changes.webhooks.len(), WEBHOOKS),
        ("state-write", "keys of state", changes.state.len(), STATE_KEYS),
    ] {
        if count > cap {
            return Err(format!("{import}: asked for {count} {what} in one call; at most {cap}"));
        }
    }
    Ok(())
}

/// The name of an effect's import.
fn kind(effect: &Effect) -> &'static str {
    match effect {
        Effect::AddDiscount { .. } => "discounts.add",
        Effect::AddDeliveryOption { .. } => "delivery-options.add",
        Effect::AdjustDeliveryOption { .. } => "delivery-options.adjust",
        Effect::HideDeliveryOption { .. } => "delivery-options.hide",
        Effect::HidePayment { .. } => "payments.hide",
        Effect::RenamePayment { .. } => "payments.rename",
        Effect::MovePayment { .. } => "payments.move",
        Effect::Recommend { .. } => "blocks.recommend",
        Effect::ShowNotice { .. } => "blocks.notice",
        Effect::ShowBlock { .. } => "blocks.block",
        Effect::Refuse { .. } => "refusal.reject",
        Effect::SendMessage { .. } => "messages.send",
        Effect::CancelMessages { .. } => "messages.cancel",
        Effect::IssueCoupon { .. } => "coupons.issue",
        Effect::SetPoints { .. } => "points.set",
        Effect::SetTimer { .. } => "timers.set",
        Effect::CancelTimer { .. } => "timers.cancel",
        Effect::LabelCustomer { .. } => "labels.customer",
        Effect::LabelOrder { .. } => "labels.order",
        Effect::SendWebhook { .. } => "webhooks.send",
        Effect::PutState { .. } => "state-write.put",
        Effect::DeleteState { .. } => "state-write.delete",
        Effect::AddState { .. } => "state-write.add",
    }
}

fn owner(scope: Scope, scene: &Scene<'_>) -> Result<StateOwner, String> {
    let subject = match scope {
        Scope::Shop => "",
        Scope::Customer => {
            scene.customer_id.ok_or("state-write: this event has no customer to keep state for")?
        }
        Scope::Order => scene.order_id.ok_or("state-write: this event has no order to keep state for")?,
    };
    Ok(StateOwner {
        shop: scene.shop.to_owned(),
        plugin: scene.plugin.to_owned(),
        scope,
        subject: subject.to_owned(),
    })
}

/// An addition after what the call did to the key before.
fn add(before: Option<Change>, amount: i64) -> Option<Change> {
    Some(match before {
        None => Change::Add(amount),
        Some(Change::Add(sum)) => Change::Add(sum.checked_add(amount)?),
        Some(Change::Delete) => Change::Put(amount.to_string()),
        Some(Change::Put(value)) => {
            Change::Put(value.trim().parse::<i64>().ok()?.checked_add(amount)?.to_string())
        }
    })
}

/// Gives the coupons that it shows.
fn check_message(message: &Message, handles: &BTreeSet<u32>, scene: &Scene<'_>) -> Result<Vec<u32>, String> {
    let stem = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if message.template.is_empty() || message.template.len() > KEY || !message.template.chars().all(stem) {
        return Err(
            "messages.send: `template` must be the name of one of the plugin's own templates".to_owned()
        );
    }
    if !matches!(message.category.as_str(), "transactional" | "updates" | "marketing") {
        return Err(format!(
            "messages.send: category `{}` is not `transactional`, `updates` or `marketing`",
            shown(&message.category)
        ));
    }
    if let Some(name) = &message.dedupe_key {
        key("messages.send", name)?;
    }
    for hook in &message.cancel_on {
        if Hook::from_name(hook).is_none_or(|hook| hook.is_stage() || hook == Hook::Timer) {
            return Err(format!("messages.send: cancel-on `{}` is no event hook", shown(hook)));
        }
    }
    instant("messages.send", "when", message.when)?;
    instant("messages.send", "not-after", message.not_after)?;
    if message.when.is_some_and(|when| when > scene.now_ms.saturating_add(HORIZON_MS)) {
        return Err("messages.send: `when` lies more than ten years ahead".to_owned());
    }
    let mut coupons = Vec::new();
    for (name, value) in &message.data {
        if let Value::Coupon(handle) = value {
            if !handles.contains(handle) {
                return Err(format!(
                    "messages.send: `{}` shows coupon {handle}, which this call did not issue before",
                    shown(name)
                ));
            }
            coupons.push(*handle);
        }
    }
    Ok(coupons)
}

fn check_coupon(coupon: &Coupon, scene: &Scene<'_>) -> Result<(), String> {
    if coupon.prefix.len() > 20 || !coupon.prefix.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err("coupons.issue: `prefix` must be at most 20 letters and digits of ASCII".to_owned());
    }
    key("coupons.issue", &coupon.purpose)?;
    instant("coupons.issue", "expires-at", coupon.expires_at)?;
    if coupon.max_uses == 0 {
        return Err("coupons.issue: `max-uses` must be at least 1".to_owned());
    }
    match coupon.value {
        CouponValue::Percent(points) if !(1..=10_000).contains(&points) => {
            return Err(format!("coupons.issue: {points} basis points are not within 1 to 10000"));
        }
        CouponValue::Amount(amount) if amount <= 0 || !money::is_amount(amount) => {
            return Err(format!("coupons.issue: {amount} is no amount to give away"));
        }
        _ => {}
    }
    if coupon.min_subtotal.is_some_and(|least| least < 0 || !money::is_amount(least)) {
        return Err("coupons.issue: `min-subtotal` must be 0 to 2^53-1".to_owned());
    }
    if coupon.personal && scene.customer_id.is_none() {
        return Err(
            "coupons.issue: a personal coupon needs a customer; ask `customers.current` first".to_owned()
        );
    }
    Ok(())
}

fn label(on: Labelled, name: String, value: String) -> Result<Label, String> {
    key("labels", &name)?;
    if value.len() > LABEL {
        return Err(format!("labels: the value of `{name}` has more than {LABEL} bytes"));
    }
    kept("labels", &name, &value)?;
    Ok(Label { on, key: name, value })
}

/// PostgreSQL keeps no NUL.
fn kept(import: &str, name: &str, value: &str) -> Result<(), String> {
    if value.contains('\0') { Err(format!("{import}: `{name}` holds a NUL character")) } else { Ok(()) }
}

fn instant(import: &str, what: &str, at_ms: Option<i64>) -> Result<(), String> {
    match at_ms.map(Timestamp::from_millisecond) {
        Some(Err(_)) => Err(format!("{import}: `{what}` is no instant in UTC milliseconds since 1970")),
        _ => Ok(()),
    }
}

fn key(import: &str, key: &str) -> Result<(), String> {
    if key.is_empty() || key.len() > KEY || key.chars().any(|c| c.is_control() || c == '\u{10FFFF}') {
        return Err(format!("{import}: a key must have 1 to {KEY} bytes and no control characters"));
    }
    Ok(())
}

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod trials;

#[cfg(test)]
mod tests {
    use super::*;

    struct Counter(u32);

    impl Mint for Counter {
        fn code(&mut self) -> String {
            self.0 += 1;
            format!("CODE{}", self.0)
        }

        fn id(&mut self, prefix: &str) -> String {
            self.0 += 1;
            format!("{prefix}_{}", self.0)
        }
    }

    fn scene(customer_id: Option<&'static str>) -> Scene<'static> {
        Scene { shop: "s", plugin: "p", customer_id, order_id: Some("1"), now_ms: 1_000, by_timer: false }
    }

    fn planned(effects: Vec<Effect>) -> Result<Changes, String> {
        plan(effects, &scene(Some("anna")), &mut Counter(0))
    }

    fn put(key: &str, value: &str) -> Effect {
        Effect::PutState { scope: Scope::Shop, key: key.to_owned(), value: value.to_owned() }
    }

    fn add(key: &str, amount: i64) -> Effect {
        Effect::AddState { scope: Scope::Shop, key: key.to_owned(), amount }
    }

    fn coupon(change: impl FnOnce(&mut Coupon)) -> Effect {
        let mut coupon = Coupon {
            value: CouponValue::FreeDelivery,
            prefix: "vip".to_owned(),
            expires_at: None,
            max_uses: 1,
            min_subtotal: None,
            personal: true,
            purpose: "thanks".to_owned(),
        };
        change(&mut coupon);
        Effect::IssueCoupon { coupon }
    }

    fn message(change: impl FnOnce(&mut Message)) -> Effect {
        let mut message = Message {
            template: "hello".to_owned(),
            data: Vec::new(),
            category: "updates".to_owned(),
            channels: Vec::new(),
            when: None,
            not_after: None,
            dedupe_key: None,
            cancel_on: Vec::new(),
        };
        change(&mut message);
        Effect::SendMessage { message }
    }

    #[test]
    fn what_a_call_does_to_one_key_comes_to_one_change() {
        let delete = Effect::DeleteState { scope: Scope::Shop, key: "c".to_owned() };
        let effects = vec![
            add("a", 1),
            add("a", 2),
            put("b", "40"),
            add("b", 2),
            delete.clone(),
            add("c", 5),
            add("d", 1),
            put("d", "x"),
            put("e", "x"),
            Effect::DeleteState { scope: Scope::Shop, key: "e".to_owned() },
        ];
        let changes = planned(effects).unwrap();
        let found: Vec<_> =
            changes.state.iter().map(|change| (change.key.as_str(), &change.change)).collect();
        let text = |text: &str| Change::Put(text.to_owned());
        let (forty_two, five, x) = (text("42"), text("5"), text("x"));
        assert_eq!(
            found,
            [("a", &Change::Add(3)), ("b", &forty_two), ("c", &five), ("d", &x), ("e", &Change::Delete)]
        );
        assert_eq!(changes.effects.len(), 10, "each effect has its key");
    }

    #[test]
    fn a_message_shows_only_coupons_that_the_call_issued_before() {
        let shows =
            |handle| message(|message| message.data = vec![("code".to_owned(), Value::Coupon(handle))]);
        let changes = planned(vec![add("n", 1), coupon(|_| {}), shows(1)]).unwrap();
        assert_eq!((changes.coupons[0].handle, changes.coupons[0].code.as_str()), (1, "VIP-CODE1"));
        let MessageStep::Send(sent) = &changes.messages[0] else { panic!() };
        assert_eq!(sent.coupons, [1]);
        for effects in [vec![shows(0)], vec![shows(1), coupon(|_| {})], vec![coupon(|_| {}), shows(1)]] {
            assert!(planned(effects).unwrap_err().contains("did not issue before"));
        }
    }

    #[test]
    fn what_cannot_be_is_a_sentence() {
        let why = planned(vec![Effect::LabelOrder { key: "\u{202e}k".to_owned(), value: "x".repeat(201) }]);
        assert_eq!(why.unwrap_err(), "labels: the value of `k` has more than 200 bytes");
        let cases = [
            (coupon(|coupon| coupon.max_uses = 0), "max-uses"),
            (coupon(|coupon| coupon.value = CouponValue::Percent(10_001)), "basis points"),
            (coupon(|coupon| coupon.value = CouponValue::Amount(0)), "no amount"),
            (coupon(|coupon| coupon.prefix = "a b".to_owned()), "prefix"),
            (coupon(|coupon| coupon.purpose = String::new()), "1 to 500"),
            (message(|message| message.template = "../base".to_owned()), "template"),
            (message(|message| message.category = "news".to_owned()), "category `news`"),
            (message(|message| message.cancel_on = vec!["checkout".to_owned()]), "no event hook"),
            (message(|message| message.when = Some(1 << 47)), "ten years"),
            (Effect::SetPoints { reference: "1".to_owned(), total: 1 << 53 }, "too large"),
            (Effect::SetTimer { key: "t".to_owned(), due_at: 1 << 47, payload: String::new() }, "ten years"),
            (
                Effect::SetTimer { key: "t".to_owned(), due_at: i64::MIN, payload: String::new() },
                "no instant",
            ),
            (Effect::SetTimer { key: "t".to_owned(), due_at: 0, payload: "\0".to_owned() }, "NUL"),
            (Effect::CancelTimer { key: String::new() }, "1 to 500"),
            (Effect::DeleteState { scope: Scope::Shop, key: "a\nb".to_owned() }, "control"),
            (Effect::LabelOrder { key: "k".to_owned(), value: "\0".to_owned() }, "NUL"),
            (put("k", "\0"), "NUL"),
            (coupon(|coupon| coupon.expires_at = Some(i64::MAX)), "no instant"),
            (message(|message| message.not_after = Some(i64::MIN)), "no instant"),
            (Effect::SendWebhook { topic: "t".to_owned(), payload: "{".to_owned() }, "must be JSON"),
            (
                Effect::SendWebhook { topic: "message.sent".to_owned(), payload: "{}".to_owned() },
                "only the host tells",
            ),
            (Effect::SendWebhook { topic: "an order".to_owned(), payload: "{}".to_owned() }, "is no topic"),
            (Effect::LabelOrder { key: "k".to_owned(), value: "x".repeat(201) }, "200 bytes"),
            (put("a\nb", "x"), "control"),
            (put("big", &"x".repeat(STATE_VALUE + 1)), "bytes"),
            (Effect::HidePayment { id: "x".to_owned(), reason: String::new() }, "it is for decisions"),
        ];
        for (effect, says) in cases {
            let why = planned(vec![effect.clone()]).unwrap_err();
            assert!(why.contains(says), "{effect:?}: {why}");
        }
        let why = planned(vec![put("a", "x"), add("a", 1)]).unwrap_err();
        assert!(why.contains("no number"), "{why}");
        let why = planned((0..=COUPONS).map(|_| coupon(|_| {})).collect()).unwrap_err();
        assert!(why.contains("asked for 11 coupons"), "{why}");
    }

    #[test]
    fn a_timer_that_sets_a_timer_rests_a_minute() {
        let set = |due_at| Effect::SetTimer { key: "t".to_owned(), due_at, payload: String::new() };
        let due = |by_timer, due_at| {
            let scene = Scene { by_timer, ..scene(None) };
            let changes = plan(vec![set(due_at)], &scene, &mut Counter(0)).unwrap();
            let TimerChange::Set { due_at, .. } = changes.timers[0] else { panic!() };
            due_at
        };
        assert_eq!((due(false, 1_000), due(true, 1_000), due(true, 90_000)), (1_000, 61_000, 90_000));
    }

    #[test]
    fn without_a_customer_there_is_no_personal_coupon_and_no_customers_state() {
        let for_customer = Effect::AddState { scope: Scope::Customer, key: "n".to_owned(), amount: 1 };
        for effect in [coupon(|_| {}), for_customer.clone()] {
            assert!(plan(vec![effect], &scene(None), &mut Counter(0)).unwrap_err().contains("customer"));
        }
        let changes = planned(vec![for_customer]).unwrap();
        assert_eq!(changes.state[0].owner.subject, "anna");
    }
}
