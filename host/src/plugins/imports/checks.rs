//! What a guest hands over is measured, bounded and made sense of before it is kept.

use jiff::Timestamp;
use jiff::civil::Date;

use super::links::Links;
use crate::domain::{
    Arrival, Coupon, CouponValue, DeliveryOption, Discount, DiscountTarget, DiscountValue, Effect, Hook,
    Message, Place, Text, Value, money,
};
use crate::plugins::call::Fault;
use crate::plugins::limits::Meter;

/// Bytes of an id, a class, a code.
const ID: usize = 200;
/// Bytes of a key of state, timers and messages.
pub(super) const KEY: usize = 500;
/// Bytes of a text's fallback, a title, a reason.
const PHRASE: usize = 4_000;
const LINK: usize = 2_000;
/// Bytes of a value in state, a timer's or a webhook's payload.
pub(super) const PAYLOAD: usize = 64 << 10;
/// Items of a list: arguments of a text, pick-up points, products.
pub(super) const ITEMS: usize = 200;
/// Basis points of everything.
const WHOLE: u32 = 10_000;

const KINDS: [&str; 7] = ["home", "work", "locker", "pickup-point", "post", "store", "digital"];
const SEVERITIES: [&str; 3] = ["info", "success", "warning"];
const CATEGORIES: [&str; 3] = ["transactional", "updates", "marketing"];

/// The checks of one call of an import.
pub(super) struct Check<'a> {
    /// e.g. `messages.send`, for the sentence.
    pub(super) import: &'static str,
    pub(super) meter: &'a mut Meter,
    /// The effects so far, which handles of coupons refer to.
    pub(super) effects: &'a [Effect],
    pub(super) links: Links<'a>,
}

type Checked = Result<(), Fault>;

impl Check<'_> {
    pub(super) fn wrong(&self, what: impl std::fmt::Display) -> Fault {
        Fault::Trapped(format!("called `{}` with {what}", self.import))
    }

    /// At most so many bytes, which count as output.
    pub(super) fn size(&mut self, field: &str, text: &str, most: usize) -> Checked {
        self.meter.output(text.len())?;
        if text.len() > most {
            return Err(self.wrong(format_args!("`{field}` of {} bytes; {most} is the most", text.len())));
        }
        // PostgreSQL keeps no such text.
        if text.contains('\0') {
            return Err(self.wrong(format_args!("a NUL character in `{field}`")));
        }
        Ok(())
    }

    /// A name that is not empty and holds no control characters.
    pub(super) fn name(&mut self, field: &str, name: &str, most: usize) -> Checked {
        self.size(field, name, most)?;
        if name.is_empty() {
            return Err(self.wrong(format_args!("an empty `{field}`")));
        }
        if name.chars().any(char::is_control) {
            return Err(self.wrong(format_args!("a control character in `{field}`")));
        }
        Ok(())
    }

    pub(super) fn id(&mut self, field: &str, id: &str) -> Checked {
        self.name(field, id, ID)
    }

    pub(super) fn optional_id(&mut self, field: &str, id: Option<&str>) -> Checked {
        id.map_or(Ok(()), |id| self.id(field, id))
    }

    pub(super) fn phrase(&mut self, field: &str, phrase: &str) -> Checked {
        self.size(field, phrase, PHRASE)
    }

    pub(super) fn items(&mut self, field: &str, count: usize) -> Checked {
        self.meter.output(count.saturating_mul(8))?;
        if count > ITEMS {
            return Err(self.wrong(format_args!("{count} items in `{field}`; {ITEMS} is the most")));
        }
        Ok(())
    }

    fn one_of(&mut self, field: &str, word: &str, words: &[&str]) -> Checked {
        self.meter.output(word.len())?;
        if words.contains(&word) {
            return Ok(());
        }
        let shown: String = word.chars().take(50).collect();
        Err(self.wrong(format_args!(
            "`{field}` = `{}`; there are {}",
            shown.escape_debug(),
            words.join(", ")
        )))
    }

    pub(super) fn amount(&self, field: &str, amount: i64) -> Checked {
        if money::is_amount(amount) {
            return Ok(());
        }
        Err(self.wrong(format_args!("`{field}` = {amount}; an amount is at most 2^53-1 minor units")))
    }

    pub(super) fn price(&self, field: &str, amount: i64) -> Checked {
        self.amount(field, amount)?;
        if amount < 0 {
            return Err(self.wrong(format_args!("`{field}` = {amount}; it may not be negative")));
        }
        Ok(())
    }

    fn percent(&self, field: &str, points: u32) -> Checked {
        if points <= WHOLE {
            return Ok(());
        }
        Err(self.wrong(format_args!("`{field}` = {points} basis points; {WHOLE} are 100 %")))
    }

    pub(super) fn instant(&self, field: &str, at_ms: i64) -> Checked {
        Timestamp::from_millisecond(at_ms).map(|_| ()).map_err(|_| {
            self.wrong(format_args!(
                "`{field}` = {at_ms}, which is no instant in UTC milliseconds since 1970"
            ))
        })
    }

    pub(super) fn date(&mut self, field: &str, date: &str) -> Result<Date, Fault> {
        self.size(field, date, ID)?;
        date.parse().map_err(|_| {
            self.wrong(format_args!("`{field}` = `{}`; a date is like 2026-11-28", date.escape_debug()))
        })
    }

    /// Replaces the link by its full form.
    pub(super) fn link(&mut self, field: &str, link: &mut String) -> Checked {
        self.size(field, link, LINK)?;
        *link = self.links.resolve(self.import, link)?;
        Ok(())
    }

    pub(super) fn text(&mut self, field: &str, text: &mut Text) -> Checked {
        self.size(field, &text.key, ID)?;
        self.phrase(field, &text.fallback)?;
        self.values(field, &mut text.args)
    }

    pub(super) fn optional_text(&mut self, field: &str, text: Option<&mut Text>) -> Checked {
        text.map_or(Ok(()), |text| self.text(field, text))
    }

    pub(super) fn values(&mut self, field: &str, values: &mut [(String, Value)]) -> Checked {
        self.items(field, values.len())?;
        for (name, value) in values {
            self.id(field, name)?;
            self.value(field, value)?;
        }
        Ok(())
    }

    fn value(&mut self, field: &str, value: &mut Value) -> Checked {
        match value {
            Value::Text(key) => self.id(field, key),
            Value::String(text) => self.phrase(field, text),
            Value::Int(_) => Ok(()),
            Value::Money(amount) => self.amount(field, *amount),
            Value::Instant(at) => self.instant(field, *at),
            Value::Date(date) => self.date(field, date).map(|_| ()),
            Value::Url(link) => self.link(field, link),
            Value::Products(ids) => {
                self.items(field, ids.len())?;
                ids.iter().try_for_each(|id| self.id(field, id))
            }
            Value::Coupon(handle) => {
                if matches!(self.effects.get(*handle as usize), Some(Effect::IssueCoupon { .. })) {
                    return Ok(());
                }
                Err(self.wrong(format_args!(
                    "coupon {handle} in `{field}`, which this call did not issue; use what `coupons.issue` gave"
                )))
            }
        }
    }

    pub(super) fn discount(&mut self, discount: &mut Discount) -> Checked {
        self.id("id", &discount.id)?;
        self.text("title", &mut discount.title)?;
        if let DiscountTarget::Line(line) = &discount.target {
            self.id("target", line)?;
        }
        match discount.value {
            DiscountValue::Percent(points) => self.percent("value", points)?,
            DiscountValue::Amount(amount) => self.price("value", amount)?,
        }
        self.id("class", &discount.class)?;
        self.optional_id("code", discount.code.as_deref())
    }

    pub(super) fn delivery_option(&mut self, option: &mut DeliveryOption) -> Checked {
        self.id("id", &option.id)?;
        self.text("title", &mut option.title)?;
        self.optional_text("description", option.description.as_mut())?;
        self.one_of("kind", &option.kind, &KINDS)?;
        self.optional_id("carrier", option.carrier.as_deref())?;
        self.optional_id("group", option.group.as_deref())?;
        self.price("price", option.price)?;
        if let Some(arrival) = &option.arrival {
            self.arrival(arrival)?;
        }
        if let Some(at) = option.order_before {
            self.instant("order-before", at)?;
        }
        self.items("pickup-points", option.pickup_points.len())?;
        for point in &option.pickup_points {
            self.id("pickup-points", &point.id)?;
            self.phrase("pickup-points", &point.name)?;
            self.place(&point.place)?;
        }
        Ok(())
    }

    fn arrival(&mut self, arrival: &Arrival) -> Checked {
        if self.date("arrival", &arrival.earliest)? > self.date("arrival", &arrival.latest)? {
            return Err(self.wrong(format_args!(
                "`arrival` from {} to {}; the earliest day comes first",
                arrival.earliest, arrival.latest
            )));
        }
        Ok(())
    }

    fn place(&mut self, place: &Place) -> Checked {
        self.size("place", &place.country, ID)?;
        [&place.region, &place.city, &place.postcode]
            .into_iter()
            .flatten()
            .try_for_each(|part| self.size("place", part, ID))
    }

    pub(super) fn severity(&mut self, severity: &str) -> Checked {
        self.one_of("severity", severity, &SEVERITIES)
    }

    pub(super) fn message(&mut self, message: &mut Message) -> Checked {
        self.id("template", &message.template)?;
        self.values("data", &mut message.data)?;
        self.one_of("category", &message.category, &CATEGORIES)?;
        self.items("channels", message.channels.len())?;
        message.channels.iter().try_for_each(|channel| self.id("channels", channel))?;
        message.when.map_or(Ok(()), |at| self.instant("when", at))?;
        message.not_after.map_or(Ok(()), |at| self.instant("not-after", at))?;
        if let Some(key) = &message.dedupe_key {
            self.name("dedupe-key", key, KEY)?;
        }
        self.items("cancel-on", message.cancel_on.len())?;
        for hook in &message.cancel_on {
            self.meter.output(hook.len())?;
            if Hook::from_name(hook).is_none_or(|hook| hook.is_stage() || hook == Hook::Timer) {
                let shown: String = hook.chars().take(50).collect();
                return Err(self.wrong(format_args!(
                    "`{}` in `cancel-on`; it lists event hooks, e.g. order-cancelled",
                    shown.escape_debug()
                )));
            }
        }
        Ok(())
    }

    pub(super) fn coupon(&mut self, coupon: &Coupon) -> Checked {
        match coupon.value {
            CouponValue::Percent(points) => self.percent("value", points)?,
            CouponValue::Amount(amount) => self.price("value", amount)?,
            CouponValue::FreeDelivery => {}
        }
        self.size("prefix", &coupon.prefix, 20)?;
        if !coupon.prefix.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(self.wrong("a `prefix` that is not letters and digits of ASCII"));
        }
        coupon.expires_at.map_or(Ok(()), |at| self.instant("expires-at", at))?;
        if coupon.max_uses == 0 {
            return Err(self.wrong("`max-uses` = 0; 1 is single use"));
        }
        coupon.min_subtotal.map_or(Ok(()), |amount| self.price("min-subtotal", amount))?;
        self.id("purpose", &coupon.purpose)
    }
}
