//! The imports by which a handler asks for something. All is kept until it returns `ok`.

use super::checks::{KEY, PAYLOAD};
use super::{CallState, contract};
use crate::domain::{
    Block, Coupon, DeliveryOption, Discount, Effect, Message, Notice, Recommendation, Text, topic,
};
use crate::plugins::call::Fault;

type Answer<T> = wasmtime::Result<T>;

/// Timers reach at most so far ahead: ten years, in milliseconds.
const FARTHEST: u64 = 10 * 366 * 24 * 60 * 60 * 1000;

impl contract::discounts::Host for CallState {
    fn add(&mut self, mut discount: Discount) -> Answer<u32> {
        self.enter("discounts", "add")?;
        self.check("discounts.add").discount(&mut discount)?;
        Ok(self.keep(Effect::AddDiscount { discount })?)
    }
}

impl contract::delivery_options::Host for CallState {
    fn add(&mut self, mut option: DeliveryOption) -> Answer<u32> {
        self.enter("delivery-options", "add")?;
        self.check("delivery-options.add").delivery_option(&mut option)?;
        Ok(self.keep(Effect::AddDeliveryOption { option })?)
    }

    fn adjust(&mut self, id: String, price: Option<i64>, mut title: Option<Text>) -> Answer<()> {
        self.enter("delivery-options", "adjust")?;
        let mut check = self.check("delivery-options.adjust");
        check.id("id", &id)?;
        price.map_or(Ok(()), |price| check.price("price", price))?;
        check.optional_text("title", title.as_mut())?;
        self.keep(Effect::AdjustDeliveryOption { id, price, title })?;
        Ok(())
    }

    fn hide(&mut self, id: String, reason: String) -> Answer<()> {
        self.enter("delivery-options", "hide")?;
        let mut check = self.check("delivery-options.hide");
        check.id("id", &id)?;
        check.phrase("reason", &reason)?;
        self.keep(Effect::HideDeliveryOption { id, reason })?;
        Ok(())
    }
}

impl contract::payments::Host for CallState {
    fn hide(&mut self, id: String, reason: String) -> Answer<()> {
        self.enter("payments", "hide")?;
        let mut check = self.check("payments.hide");
        check.id("id", &id)?;
        check.phrase("reason", &reason)?;
        self.keep(Effect::HidePayment { id, reason })?;
        Ok(())
    }

    fn rename(&mut self, id: String, mut name: Text) -> Answer<()> {
        self.enter("payments", "rename")?;
        let mut check = self.check("payments.rename");
        check.id("id", &id)?;
        check.text("name", &mut name)?;
        self.keep(Effect::RenamePayment { id, name })?;
        Ok(())
    }

    fn move_(&mut self, id: String, position: u32) -> Answer<()> {
        self.enter("payments", "move")?;
        self.check("payments.move").id("id", &id)?;
        self.keep(Effect::MovePayment { id, position })?;
        Ok(())
    }
}

impl contract::blocks::Host for CallState {
    fn recommend(&mut self, mut recommendation: Recommendation) -> Answer<()> {
        self.enter("blocks", "recommend")?;
        let mut check = self.check("blocks.recommend");
        check.id("product", &recommendation.product)?;
        check.optional_text("reason", recommendation.reason.as_mut())?;
        check.id("placement", &recommendation.placement)?;
        self.keep(Effect::Recommend { recommendation })?;
        Ok(())
    }

    fn notice(&mut self, mut notice: Notice) -> Answer<()> {
        self.enter("blocks", "notice")?;
        let mut check = self.check("blocks.notice");
        check.id("id", &notice.id)?;
        check.text("text", &mut notice.text)?;
        check.severity(&notice.severity)?;
        check.id("placement", &notice.placement)?;
        self.keep(Effect::ShowNotice { notice })?;
        Ok(())
    }

    fn block(&mut self, mut block: Block) -> Answer<()> {
        self.enter("blocks", "block")?;
        let mut check = self.check("blocks.block");
        check.id("id", &block.id)?;
        check.optional_text("title", block.title.as_mut())?;
        check.text("body", &mut block.body)?;
        if let Some(link) = &mut block.link {
            check.link("link", link)?;
        }
        check.optional_text("link-title", block.link_title.as_mut())?;
        if let Some(image) = &mut block.image {
            check.link("image", image)?;
        }
        check.id("placement", &block.placement)?;
        self.keep(Effect::ShowBlock { block })?;
        Ok(())
    }
}

impl contract::refusal::Host for CallState {
    fn reject(&mut self, code: String, target: String, mut text: Text) -> Answer<()> {
        self.enter("refusal", "reject")?;
        let mut check = self.check("refusal.reject");
        check.id("code", &code)?;
        check.id("target", &target)?;
        check.text("text", &mut text)?;
        self.keep(Effect::Refuse { code, target, text })?;
        Ok(())
    }
}

impl contract::messages::Host for CallState {
    fn send(&mut self, mut message: Message) -> Answer<u32> {
        self.enter("messages", "send")?;
        self.check("messages.send").message(&mut message)?;
        Ok(self.keep(Effect::SendMessage { message })?)
    }

    fn cancel(&mut self, dedupe_key: String) -> Answer<()> {
        self.enter("messages", "cancel")?;
        self.check("messages.cancel").name("dedupe-key", &dedupe_key, KEY)?;
        self.keep(Effect::CancelMessages { dedupe_key })?;
        Ok(())
    }
}

impl contract::coupons::Host for CallState {
    fn issue(&mut self, coupon: Coupon) -> Answer<u32> {
        self.enter("coupons", "issue")?;
        self.check("coupons.issue").coupon(&coupon)?;
        Ok(self.keep(Effect::IssueCoupon { coupon })?)
    }
}

impl contract::points::Host for CallState {
    fn set(&mut self, reference: String, total: i64) -> Answer<()> {
        self.enter("points", "set")?;
        let mut check = self.check("points.set");
        check.name("reference", &reference, KEY)?;
        check.amount("total", total)?;
        self.keep(Effect::SetPoints { reference, total })?;
        Ok(())
    }
}

impl contract::timers::Host for CallState {
    fn after(&mut self, key: String, delay_ms: u64, payload: String) -> Answer<()> {
        self.enter("timers", "after")?;
        if delay_ms > FARTHEST {
            return Err(too_far("timers.after").into());
        }
        let due_at = self.around.now_ms.saturating_add(delay_ms as i64);
        self.set_timer("timers.after", key, due_at, payload)
    }

    fn at_local(
        &mut self,
        key: String,
        date: String,
        time: String,
        zone: String,
        payload: String,
    ) -> Answer<()> {
        self.enter("timers", "at-local")?;
        let due_at = self.instant_of("timers.at-local", &date, &time, &zone)?;
        if due_at > self.around.now_ms.saturating_add(FARTHEST as i64) {
            return Err(too_far("timers.at-local").into());
        }
        self.set_timer("timers.at-local", key, due_at, payload)
    }

    fn cancel(&mut self, key: String) -> Answer<()> {
        self.enter("timers", "cancel")?;
        self.check("timers.cancel").name("key", &key, KEY)?;
        self.keep(Effect::CancelTimer { key })?;
        Ok(())
    }
}

impl CallState {
    fn set_timer(&mut self, import: &'static str, key: String, due_at: i64, payload: String) -> Answer<()> {
        let mut check = self.check(import);
        check.name("key", &key, KEY)?;
        check.size("payload", &payload, PAYLOAD)?;
        check.instant("due", due_at)?;
        self.keep(Effect::SetTimer { key, due_at, payload })?;
        Ok(())
    }
}

fn too_far(import: &str) -> Fault {
    Fault::Trapped(format!("called `{import}` for a time more than ten years ahead"))
}

impl contract::labels::Host for CallState {
    fn customer(&mut self, key: String, value: String) -> Answer<()> {
        self.enter("labels", "customer")?;
        if self.customer_id.is_none() {
            return Err(Fault::Trapped(
                "called `labels.customer` in a call without a customer; ask `customers.current` first"
                    .to_owned(),
            )
            .into());
        }
        let mut check = self.check("labels.customer");
        check.id("key", &key)?;
        check.phrase("value", &value)?;
        self.keep(Effect::LabelCustomer { key, value })?;
        Ok(())
    }

    fn order(&mut self, key: String, value: String) -> Answer<()> {
        self.enter("labels", "order")?;
        if self.order_id.is_none() {
            return Err(Fault::Trapped(
                "called `labels.order` in a call without an order; ask `orders.current` first".to_owned(),
            )
            .into());
        }
        let mut check = self.check("labels.order");
        check.id("key", &key)?;
        check.phrase("value", &value)?;
        self.keep(Effect::LabelOrder { key, value })?;
        Ok(())
    }
}

impl contract::webhooks::Host for CallState {
    fn send(&mut self, topic: String, payload: String) -> Answer<()> {
        self.enter("webhooks", "send")?;
        let mut check = self.check("webhooks.send");
        check.id("topic", &topic)?;
        if let Err(why) = topic::for_plugins(&topic) {
            return Err(check.wrong(format_args!("a wrong `topic`: {why}")).into());
        }
        check.size("payload", &payload, PAYLOAD)?;
        if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&payload) {
            return Err(check.wrong(format_args!("a `payload` that is not JSON: {error}")).into());
        }
        self.keep(Effect::SendWebhook { topic, payload })?;
        Ok(())
    }
}
