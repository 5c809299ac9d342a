//! What the real host does not take from a guest. There the call ends; here the test does.

use super::effects::Effect;
use crate::types::{
    Coupon, CouponValue, DeliveryOption, Discount, DiscountTarget, DiscountValue, Message, Text, Value,
};

const LARGEST: i64 = (1 << 53) - 1;
const KINDS: [&str; 7] = ["home", "work", "locker", "pickup-point", "post", "store", "digital"];
const SEVERITIES: [&str; 3] = ["info", "success", "warning"];
const CATEGORIES: [&str; 3] = ["transactional", "updates", "marketing"];
const HOST_WORDS: [&str; 5] = ["message", "coupon", "plugin", "job", "webhook"];
const EVENTS: [&str; 10] = [
    "order-placed",
    "order-shipped",
    "delivery-updated",
    "order-delivered",
    "order-cancelled",
    "order-returned",
    "customer-created",
    "cart-abandoned",
    "feedback-received",
    "timer",
];

pub(crate) fn name(field: &str, name: &str) {
    assert!(!name.is_empty(), "an empty `{field}`");
    assert!(!name.chars().any(char::is_control), "a control character in `{field}`: {name:?}");
}

pub(crate) fn topic(topic: &str) {
    let word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    assert!(
        topic.len() <= 100 && topic.split('.').all(word),
        "`topic` = `{topic}`; a topic is words of letters, digits, `_` and `-`, joined by full stops"
    );
    let first = topic.split('.').next().unwrap_or_default().to_ascii_lowercase();
    assert!(
        !HOST_WORDS.contains(&first.as_str()),
        "`topic` = `{topic}`; only the host tells of what begins with {}",
        HOST_WORDS.join(", ")
    );
}

pub(crate) fn amount(field: &str, amount: i64) {
    assert!(
        amount.unsigned_abs() <= LARGEST.unsigned_abs(),
        "`{field}` = {amount}; the most is 2^53-1 minor units"
    );
}

pub(crate) fn price(field: &str, price: i64) {
    amount(field, price);
    assert!(price >= 0, "`{field}` = {price}; it may not be negative");
}

fn percent(field: &str, points: u32) {
    assert!(points <= 10_000, "`{field}` = {points} basis points; 10000 are 100 %");
}

fn one_of(field: &str, word: &str, words: &[&str]) {
    assert!(words.contains(&word), "`{field}` = `{word}`; there are {}", words.join(", "));
}

fn date(field: &str, date: &str) -> jiff::civil::Date {
    date.parse().unwrap_or_else(|_| panic!("`{field}` = `{date}`; a date is like 2026-11-28"))
}

pub(crate) fn text(text: &Text, effects: &[Effect]) {
    values(&text.args, effects);
}

fn values(values: &[(String, Value)], effects: &[Effect]) {
    for (own, value) in values {
        name("name of a value", own);
        match value {
            Value::Text(key) => name(own, key),
            Value::Money(value) => amount(own, *value),
            Value::Date(iso) => {
                date(own, iso);
            }
            Value::Coupon(handle) => {
                let issued = usize::try_from(*handle).ok().and_then(|index| effects.get(index));
                assert!(
                    matches!(issued, Some(Effect::IssueCoupon(_))),
                    "coupon {handle} in `{own}`, which this call did not issue"
                );
            }
            Value::String(_) | Value::Int(_) | Value::Instant(_) | Value::Url(_) | Value::Products(_) => {}
        }
    }
}

pub(crate) fn discount(discount: &Discount, effects: &[Effect]) {
    name("id", &discount.id);
    name("class", &discount.class);
    text(&discount.title, effects);
    if let DiscountTarget::Line(line) = &discount.target {
        name("target", line);
    }
    match discount.value {
        DiscountValue::Percent(points) => percent("value", points),
        DiscountValue::Amount(amount) => price("value", amount),
    }
}

pub(crate) fn delivery_option(option: &DeliveryOption, effects: &[Effect]) {
    name("id", &option.id);
    text(&option.title, effects);
    one_of("kind", &option.kind, &KINDS);
    price("price", option.price);
    if let Some(arrival) = &option.arrival {
        assert!(
            date("arrival", &arrival.earliest) <= date("arrival", &arrival.latest),
            "`arrival` from {} to {}; the earliest day comes first",
            arrival.earliest,
            arrival.latest
        );
    }
}

pub(crate) fn severity(severity: &str) {
    one_of("severity", severity, &SEVERITIES);
}

pub(crate) fn message(message: &Message, effects: &[Effect]) {
    name("template", &message.template);
    values(&message.data, effects);
    one_of("category", &message.category, &CATEGORIES);
    message.channels.iter().for_each(|channel| name("channels", channel));
    message.cancel_on.iter().for_each(|hook| one_of("cancel-on", hook, &EVENTS));
    if let Some(key) = &message.dedupe_key {
        name("dedupe-key", key);
    }
}

pub(crate) fn coupon(coupon: &Coupon) {
    match coupon.value {
        CouponValue::Percent(points) => percent("value", points),
        CouponValue::Amount(amount) => price("value", amount),
        CouponValue::FreeDelivery => {}
    }
    let prefix_fits =
        coupon.prefix.len() <= 20 && coupon.prefix.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    assert!(prefix_fits, "`prefix` = `{}`; it is up to 20 letters and digits", coupon.prefix);
    assert!(coupon.max_uses > 0, "`max-uses` = 0; 1 is single use");
    if let Some(amount) = coupon.min_subtotal {
        price("min-subtotal", amount);
    }
    name("purpose", &coupon.purpose);
}
