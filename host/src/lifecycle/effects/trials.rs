//! Plugins that ask for anything in an event: what they get is bounded and makes sense, or a sentence names what
//! cannot be. The same bytes make the same trial.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "tests alone are built with it"
)]

use std::collections::BTreeSet;

use super::{HORIZON_MS, KEY, Mint, PAYLOAD, STATE_VALUE, Scene, TIMER_REST_MS, kind, plan};
use crate::domain::anything::Anything;
use crate::domain::{CouponValue, Hook, Scope, money, plain, topic};
use crate::store::{Change, Changes, MessageStep, TimerChange};

const NOW: i64 = 1_795_856_400_000;

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

/// Panics when a law does not hold.
pub(crate) fn run(bytes: &[u8]) {
    let mut any = Anything::of(bytes);
    let scene = Scene {
        shop: "s",
        plugin: "p",
        customer_id: any.maybe(|_| "anna"),
        order_id: any.maybe(|_| "1001"),
        now_ms: NOW,
        by_timer: any.flag(),
    };
    let mut effects = any.effects(Hook::OrderPlaced, 40);
    // More of the same: the caps of a call.
    if any.byte() < 32 {
        effects = effects.into_iter().flat_map(|effect| std::iter::repeat_n(effect, 60)).collect();
    }
    let kinds: Vec<&str> = effects.iter().map(kind).collect();
    match plan(effects.clone(), &scene, &mut Counter(0)) {
        Ok(changes) => {
            assert_eq!(changes.effects, kinds, "each effect has its key");
            bounded(&changes, &scene);
            assert_eq!(Ok(changes), plan(effects, &scene, &mut Counter(0)), "the same twice");
        }
        Err(why) => {
            assert!(why.chars().count() <= super::SENTENCE && !why.chars().any(plain::is_hidden), "{why:?}");
            let named = |kind: &&str| kind.split('.').next().is_some_and(|import| why.contains(import));
            assert!(kinds.iter().any(named), "names none of {kinds:?}: {why}");
        }
    }
}

fn bounded(changes: &Changes, scene: &Scene<'_>) {
    let counts = [
        (changes.coupons.len(), super::COUPONS),
        (changes.points.len(), super::POINTS),
        (changes.timers.len(), super::TIMERS),
        (changes.labels.len(), super::LABELS),
        (changes.webhooks.len(), super::WEBHOOKS),
        (changes.state.len(), super::STATE_KEYS),
    ];
    assert!(counts.iter().all(|(count, most)| count <= most), "{counts:?}");
    of_coupons(changes, scene);
    for (reference, total) in &changes.points {
        assert!(is_key(reference) && money::is_amount(*total), "{reference:?} {total}");
    }
    for timer in &changes.timers {
        match timer {
            TimerChange::Cancel { key } => assert!(is_key(key), "{timer:?}"),
            TimerChange::Set { key, due_at, payload } => {
                assert!(is_key(key) && payload.len() <= PAYLOAD && !payload.contains('\0'), "{timer:?}");
                assert!(is_instant(*due_at) && *due_at <= NOW + HORIZON_MS, "{timer:?}");
                assert!(!scene.by_timer || *due_at >= NOW + TIMER_REST_MS, "a chain of timers: {timer:?}");
            }
        }
    }
    for label in &changes.labels {
        assert!(
            is_key(&label.key) && label.value.len() <= super::LABEL && !label.value.contains('\0'),
            "{label:?}"
        );
    }
    for webhook in &changes.webhooks {
        assert!(
            topic::for_plugins(&webhook.topic).is_ok() && webhook.payload.len() <= STATE_VALUE,
            "{webhook:?}"
        );
        serde_json::from_str::<serde_json::Value>(&webhook.payload).unwrap_or_else(|error| panic!("{error}"));
    }
    let mut keys = BTreeSet::new();
    for change in &changes.state {
        assert!(is_key(&change.key) && keys.insert((&change.owner, &change.key)), "{change:?}");
        assert_eq!(
            (change.owner.shop.as_str(), change.owner.plugin.as_str()),
            ("s", "p"),
            "its own state only"
        );
        let subject = match change.owner.scope {
            Scope::Shop => Some(""),
            Scope::Customer => scene.customer_id,
            Scope::Order => scene.order_id,
        };
        assert_eq!(subject, Some(change.owner.subject.as_str()), "{change:?}");
        if let Change::Put(value) = &change.change {
            assert!(value.len() <= STATE_VALUE && !value.contains('\0'), "{change:?}");
        }
    }
}

fn of_coupons(changes: &Changes, scene: &Scene<'_>) {
    let mut codes = BTreeSet::new();
    for new in &changes.coupons {
        assert!(
            codes.insert(&new.code) && new.code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
            "{new:?}"
        );
        let coupon = &new.coupon;
        let sound = match coupon.value {
            CouponValue::Percent(points) => (1..=10_000).contains(&points),
            CouponValue::Amount(amount) => (1..=money::MAX_AMOUNT).contains(&amount),
            CouponValue::FreeDelivery => true,
        };
        assert!(sound && coupon.max_uses > 0 && is_key(&coupon.purpose), "{coupon:?}");
        assert!(
            coupon.min_subtotal.is_none_or(|least| (0..=money::MAX_AMOUNT).contains(&least)),
            "{coupon:?}"
        );
        assert!(coupon.expires_at.is_none_or(is_instant), "{coupon:?}");
        assert!(!coupon.personal || scene.customer_id.is_some(), "personal to nobody: {coupon:?}");
    }
    let handles: BTreeSet<u32> = changes.coupons.iter().map(|coupon| coupon.handle).collect();
    for step in &changes.messages {
        match step {
            MessageStep::Cancel(key) => assert!(is_key(key), "{key:?}"),
            MessageStep::Send(new) => {
                let message = &new.message;
                let name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
                assert!(!message.template.is_empty() && message.template.chars().all(name), "{message:?}");
                assert!(["transactional", "updates", "marketing"].contains(&message.category.as_str()));
                assert!(new.coupons.iter().all(|handle| handles.contains(handle)), "{new:?}");
                assert!(
                    message.when.is_none_or(|at| is_instant(at) && at <= NOW + HORIZON_MS),
                    "{message:?}"
                );
                assert!(message.not_after.is_none_or(is_instant), "{message:?}");
                assert!(message.dedupe_key.iter().all(|key| is_key(key)), "{message:?}");
                let event = |hook: &String| Hook::from_name(hook).is_some_and(|hook| !hook.is_stage());
                assert!(message.cancel_on.iter().all(event), "{message:?}");
            }
        }
    }
}

fn is_key(key: &str) -> bool {
    (1..=KEY).contains(&key.len()) && !key.chars().any(char::is_control)
}

fn is_instant(at_ms: i64) -> bool {
    jiff::Timestamp::from_millisecond(at_ms).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_an_event_asks_for_is_bounded_or_named(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            super::run(&bytes);
        }
    }
}
