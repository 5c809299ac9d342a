//! The imports as wit-bindgen would have them, answered by the mock's world.

use super::checks;
use super::effects::Effect;
use super::world::{Stage, World, with};
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
fn event(import: &str, check: impl FnOnce(&[Effect]), effect: Effect) -> u32 {
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

pub(crate) mod context {
    use super::with;
    use crate::types::{Level, Shop};

    pub fn hook() -> String {
        with(|world| world.hook.clone())
    }

    pub fn now_ms() -> i64 {
        with(|world| world.now)
    }

    pub fn zone() -> String {
        with(|world| {
            let customer = world.customer.as_ref().and_then(|customer| customer.zone.clone());
            world.zone.clone().or(customer).unwrap_or_else(|| world.shop.zone.clone())
        })
    }

    pub fn seed() -> u64 {
        with(|world| world.seed)
    }

    pub fn locale() -> String {
        with(|world| {
            let customer = world.customer.as_ref().and_then(|customer| customer.locale.clone());
            let first = world.shop.locales.first().cloned();
            world.locale.clone().or(customer).or(first).unwrap_or_else(|| "en".into())
        })
    }

    pub fn shop() -> Shop {
        with(|world| world.shop.clone())
    }

    pub fn viewed() -> Vec<String> {
        with(|world| world.viewed.clone())
    }

    pub fn settings() -> String {
        with(|world| world.settings.clone())
    }

    pub fn late() -> bool {
        with(|world| world.late)
    }

    pub fn log(level: Level, message: &str) {
        with(|world| world.log.push((level, message.to_owned())));
    }
}

pub(crate) mod calendar {
    use jiff::civil::{Date, Time};
    use jiff::tz::TimeZone;
    use jiff::{Timestamp, ToSpan};

    use super::with;
    use crate::types::Civil;

    pub(crate) fn time_zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap_or_else(|_| panic!("`{name}` is no IANA time zone"))
    }

    fn parse_date(date: &str) -> Date {
        date.parse().unwrap_or_else(|_| panic!("`{date}` is no date: write YYYY-MM-DD"))
    }

    pub fn local(at: i64, zone: &str) -> Civil {
        let instant = Timestamp::from_millisecond(at)
            .unwrap_or_else(|_| panic!("{at} is no instant in UTC milliseconds"));
        let local = instant.to_zoned(time_zone(zone));
        Civil {
            date: local.date().to_string(),
            time: local.strftime("%H:%M").to_string(),
            weekday: local.weekday().to_monday_one_offset().unsigned_abs(),
        }
    }

    pub fn instant(date: &str, time: &str, zone: &str) -> i64 {
        let time = Time::strptime("%H:%M", time)
            .unwrap_or_else(|_| panic!("`{time}` is no time of day: write HH:MM"));
        // The compatible rule of RFC 5545 moves a skipped time forward.
        let local = time_zone(zone).to_zoned(parse_date(date).to_datetime(time));
        local.unwrap_or_else(|_| panic!("`{date}` is out of range")).timestamp().as_millisecond()
    }

    pub fn working_day(date: &str) -> bool {
        let weekday = parse_date(date).weekday().to_monday_one_offset().unsigned_abs();
        with(|world| world.working_days.contains(&weekday) && !world.holidays.contains(date))
    }

    fn next_working_day(mut date: String) -> String {
        for _ in 0..366 {
            if working_day(&date) {
                return date;
            }
            date = add_days(&date, 1);
        }
        panic!("the calendar has no working day in a year")
    }

    pub fn add_working_days(date: &str, days: u32) -> String {
        let mut date = next_working_day(date.to_owned());
        for _ in 0..days {
            date = next_working_day(add_days(&date, 1));
        }
        date
    }

    pub fn add_days(date: &str, days: i32) -> String {
        let moved = parse_date(date).checked_add(days.days());
        moved.unwrap_or_else(|_| panic!("`{date}` and {days} days is out of range")).to_string()
    }
}

pub(crate) mod offers {
    use super::with;
    use crate::types::{DeliveryOption, Discount, PaymentMethod, Totals};

    pub fn discounts() -> Vec<Discount> {
        with(|world| world.discounts.clone())
    }

    pub fn delivery() -> Vec<DeliveryOption> {
        with(|world| world.delivery.clone())
    }

    pub fn payments() -> Vec<PaymentMethod> {
        with(|world| world.payments.clone())
    }

    pub fn totals() -> Totals {
        with(|world| world.totals)
    }
}

pub(crate) mod customers {
    use super::with;
    use crate::types::Customer;

    pub fn current() -> Option<Customer> {
        with(|world| {
            assert!(
                world.customers_granted,
                "the plugin imports `customers`, which is not granted here; `customers::current_if_granted` can do without"
            );
            world.customer.clone()
        })
    }
}

pub(crate) mod customers_if_granted {
    use super::with;
    use crate::types::Customer;

    pub fn current() -> Option<Customer> {
        with(|world| world.customer.clone().filter(|_| world.customers_granted))
    }
}

pub(crate) mod orders {
    use super::with;
    use crate::types::{Order, Shipment};

    pub fn current() -> Option<Order> {
        with(|world| world.order.clone())
    }

    pub fn shipments() -> Vec<Shipment> {
        with(|world| world.shipments.clone())
    }
}

pub(crate) mod catalog {
    use super::with;
    use crate::types::Product;

    pub fn get(id: &str) -> Option<Product> {
        with(|world| world.products.get(id).cloned())
    }

    pub fn get_many(ids: &[String]) -> Vec<Option<Product>> {
        with(|world| ids.iter().map(|id| world.products.get(id).cloned()).collect())
    }

    pub fn related(id: &str, limit: u32) -> Vec<String> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        with(|world| world.related.get(id).into_iter().flatten().take(limit).cloned().collect())
    }

    pub fn field(product: &str, key: &str) -> Option<String> {
        with(|world| world.fields.get(&(product.to_owned(), key.to_owned())).cloned())
    }
}

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

pub(crate) mod http {
    use super::with;
    use crate::types::{HttpRequest, HttpResponse};

    pub fn get(request: &HttpRequest) -> Result<HttpResponse, String> {
        with(|world| {
            let page = world.pages.get(&request.url).cloned();
            page.unwrap_or_else(|| {
                panic!("the test has no answer for GET {}: see MockHost::page", request.url)
            })
        })
    }
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
            checks::name("topic", topic);
            if let Err(malformed) = Json::parse(payload) {
                panic!("the payload of the webhook `{topic}` is {malformed}");
            }
        };
        let effect = Effect::SendWebhook { topic: topic.to_owned(), payload: payload.to_owned() };
        event("webhooks.send", check, effect);
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
