//! Imports that ask the host to do something.

use super::super::checks;
use super::super::effects::Effect;
use super::super::world::{Stage, World, with};
use super::reads::calendar;
use crate::types::Scope;

/// Where an import works: elsewhere the real host ends the call.
fn only(world: &World, import: &str, stages: &[Stage], names: &str) {
    assert!(
        world.stage == Stage::Any || stages.contains(&world.stage),
        "`{import}` works in {names}, not in {}: the host ends the call here",
        world.place()
    );
}

/// Keeps an effect of events and timers, once `check` is content with it and the effects before it.
pub(super) fn event(import: &str, check: impl FnOnce(&[Effect]), effect: Effect) -> u32 {
    with(|world| {
        only(world, import, &[Stage::Event], "events and timers");
        check(&world.effects);
        world.push(effect)
    })
}

/// Keeps an effect of one stage.
fn stage(import: &str, stage: Stage, check: impl FnOnce(&[Effect]), effect: Effect) -> u32 {
    with(|world| {
        only(world, import, &[stage], stage.name());
        check(&world.effects);
        world.push(effect)
    })
}

pub(crate) mod discounts {
    use super::{Effect, Stage, checks, stage};
    use crate::types::Discount;

    pub fn add(discount: &Discount) -> u32 {
        let effect = Effect::AddDiscount(discount.clone());
        stage("discounts.add", Stage::Pricing, |before| checks::discount(discount, before), effect)
    }
}

pub(crate) mod delivery_options {
    use super::{Effect, Stage, checks, stage};
    use crate::types::{DeliveryOption, Text};

    pub fn add(option: &DeliveryOption) -> u32 {
        let effect = Effect::AddDeliveryOption(option.clone());
        stage(
            "delivery-options.add",
            Stage::Delivery,
            |before| checks::delivery_option(option, before),
            effect,
        )
    }

    pub fn adjust(id: &str, price: Option<i64>, title: Option<&Text>) {
        let effect = Effect::AdjustDeliveryOption { id: id.to_owned(), price, title: title.cloned() };
        let check = |before: &[Effect]| {
            checks::name("id", id);
            if let Some(price) = price {
                checks::price("price", price);
            }
            if let Some(title) = title {
                checks::text(title, before);
            }
        };
        stage("delivery-options.adjust", Stage::Review, check, effect);
    }

    pub fn hide(id: &str, reason: &str) {
        let effect = Effect::HideDeliveryOption { id: id.to_owned(), reason: reason.to_owned() };
        stage("delivery-options.hide", Stage::Review, |_| checks::name("id", id), effect);
    }
}

pub(crate) mod payments {
    use super::{Effect, Stage, checks, stage};
    use crate::types::Text;

    pub fn hide(id: &str, reason: &str) {
        let effect = Effect::HidePayment { id: id.to_owned(), reason: reason.to_owned() };
        stage("payments.hide", Stage::Review, |_| checks::name("id", id), effect);
    }

    pub fn rename(id: &str, name: &Text) {
        let effect = Effect::RenamePayment { id: id.to_owned(), name: name.clone() };
        stage("payments.rename", Stage::Review, |before| checks::text(name, before), effect);
    }

    pub fn move_(id: &str, position: u32) {
        let effect = Effect::MovePayment { id: id.to_owned(), position };
        stage("payments.move", Stage::Review, |_| checks::name("id", id), effect);
    }
}

pub(crate) mod blocks {
    use super::{Effect, Stage, checks, stage};
    use crate::types::{Block, Notice, Recommendation};

    pub fn recommend(recommendation: &Recommendation) {
        let effect = Effect::Recommend(recommendation.clone());
        let check = |before: &[Effect]| {
            checks::name("product", &recommendation.product);
            checks::name("placement", &recommendation.placement);
            recommendation.reason.iter().for_each(|reason| checks::text(reason, before));
        };
        stage("blocks.recommend", Stage::Content, check, effect);
    }

    pub fn notice(notice: &Notice) {
        let effect = Effect::ShowNotice(notice.clone());
        let check = |before: &[Effect]| {
            checks::name("id", &notice.id);
            checks::name("placement", &notice.placement);
            checks::severity(&notice.severity);
            checks::text(&notice.text, before);
        };
        stage("blocks.notice", Stage::Content, check, effect);
    }

    pub fn block(block: &Block) {
        let effect = Effect::ShowBlock(block.clone());
        let check = |before: &[Effect]| {
            checks::name("id", &block.id);
            checks::name("placement", &block.placement);
            let texts = [block.title.as_ref(), Some(&block.body), block.link_title.as_ref()];
            texts.into_iter().flatten().for_each(|text| checks::text(text, before));
        };
        stage("blocks.block", Stage::Content, check, effect);
    }
}

pub(crate) mod refusal {
    use super::{Effect, Stage, checks, stage};
    use crate::types::Text;

    pub fn reject(code: &str, target: &str, text: &Text) {
        let effect = Effect::Refuse { code: code.to_owned(), target: target.to_owned(), text: text.clone() };
        let check = |before: &[Effect]| {
            checks::name("code", code);
            checks::name("target", target);
            checks::text(text, before);
        };
        stage("refusal.reject", Stage::Review, check, effect);
    }
}

pub(crate) mod messages {
    use super::{Effect, checks, event};
    use crate::types::Message;

    pub fn send(message: &Message) -> u32 {
        let effect = Effect::SendMessage(message.clone());
        event("messages.send", |before| checks::message(message, before), effect)
    }

    pub fn cancel(dedupe_key: &str) {
        let effect = Effect::CancelMessages { dedupe_key: dedupe_key.to_owned() };
        event("messages.cancel", |_| checks::name("dedupe-key", dedupe_key), effect);
    }
}

pub(crate) mod coupons {
    use super::{Effect, checks, event};
    use crate::types::Coupon;

    pub fn issue(coupon: &Coupon) -> u32 {
        event("coupons.issue", |_| checks::coupon(coupon), Effect::IssueCoupon(coupon.clone()))
    }
}

pub(crate) mod points {
    use super::{Effect, checks, event};

    pub fn set(reference: &str, total: i64) {
        let check = |_: &[Effect]| {
            checks::name("reference", reference);
            checks::amount("total", total);
        };
        event("points.set", check, Effect::SetPoints { reference: reference.to_owned(), total });
    }
}

pub(crate) mod timers {
    use super::{Effect, calendar, checks, event, with};

    fn set(import: &str, key: &str, due_at: i64, payload: &str) {
        let effect = Effect::SetTimer { key: key.to_owned(), due_at, payload: payload.to_owned() };
        event(import, |_| checks::name("key", key), effect);
    }

    pub fn after(key: &str, delay_ms: u64, payload: &str) {
        let delay = i64::try_from(delay_ms).unwrap_or(i64::MAX);
        set("timers.after", key, with(|world| world.now).saturating_add(delay), payload);
    }

    pub fn at_local(key: &str, date: &str, time: &str, zone: &str, payload: &str) {
        set("timers.at-local", key, calendar::instant(date, time, zone), payload);
    }

    pub fn cancel(key: &str) {
        event("timers.cancel", |_| checks::name("key", key), Effect::CancelTimer { key: key.to_owned() });
    }
}

pub(crate) mod labels {
    use super::{Effect, Scope, checks, event, with};

    fn label(import: &str, scope: Scope, key: &str, effect: Effect) {
        with(|world| {
            world.owner(scope);
        });
        event(import, |_| checks::name("key", key), effect);
    }

    pub fn customer(key: &str, value: &str) {
        let effect = Effect::LabelCustomer { key: key.to_owned(), value: value.to_owned() };
        label("labels.customer", Scope::Customer, key, effect);
    }

    pub fn order(key: &str, value: &str) {
        let effect = Effect::LabelOrder { key: key.to_owned(), value: value.to_owned() };
        label("labels.order", Scope::Order, key, effect);
    }
}

pub(crate) mod webhooks {
    use super::{Effect, checks, event};
    use crate::json::Json;

    pub fn send(topic: &str, payload: &str) {
        let check = |_: &[Effect]| {
            checks::topic(topic);
            if let Err(malformed) = Json::parse(payload) {
                panic!("the payload of the webhook `{topic}` is {malformed}");
            }
        };
        let effect = Effect::SendWebhook { topic: topic.to_owned(), payload: payload.to_owned() };
        event("webhooks.send", check, effect);
    }
}
