//! Effects: those that belong to a stage or to an event, now and then one that does not.

use super::super::{
    Arrival, Block, Coupon, CouponValue, DeliveryOption, Discount, DiscountTarget, DiscountValue, Effect,
    Hook, Message, Notice, PickupPoint, Place, Recommendation, Scope,
};
use super::Anything;

const KINDS: [&str; 6] = ["home", "locker", "pickup-point", "store", "", "\u{202e}\n"];
const CLASSES: [&str; 7] = ["", "order", "campaign", "product", "delivery", "coupon", "a\u{0}b"];
const WORDS: [&str; 5] = ["main", "footer", "", "info\n", "\u{202e}"];

impl Anything<'_> {
    /// What one call asks for; `hook` is a stage or any event hook.
    pub fn effects(&mut self, hook: Hook, most: usize) -> Vec<Effect> {
        self.list(most, |any| match (any.byte(), hook) {
            (0..=7, _) => any.effect(),
            (_, Hook::Pricing) => any.discount(),
            (_, Hook::Delivery) => any.delivery_option(),
            (_, Hook::Review) => any.review(),
            (_, Hook::Content) => any.content(),
            _ => any.of_event(),
        })
    }

    fn effect(&mut self) -> Effect {
        match self.byte() % 5 {
            0 => self.discount(),
            1 => self.delivery_option(),
            2 => self.review(),
            3 => self.content(),
            _ => self.of_event(),
        }
    }

    fn discount(&mut self) -> Effect {
        let target = match self.byte() % 4 {
            0 => DiscountTarget::Order,
            1 => DiscountTarget::Delivery,
            _ => DiscountTarget::Line(self.id()),
        };
        let value = if self.flag() {
            DiscountValue::Percent(self.unsigned())
        } else {
            DiscountValue::Amount(self.amount())
        };
        let discount = Discount {
            id: self.id(),
            title: self.text(),
            target,
            value,
            class: self.pick(&CLASSES).to_owned(),
            code: if self.byte() < 64 { Some(self.id()) } else { None },
        };
        Effect::AddDiscount { discount }
    }

    fn delivery_option(&mut self) -> Effect {
        let option = DeliveryOption {
            id: self.id(),
            title: self.text(),
            description: self.maybe(Self::text),
            kind: self.pick(&KINDS).to_owned(),
            carrier: self.maybe(Self::phrase),
            group: if self.byte() < 96 {
                Some(self.pick(&["north", "south", "", "a"]).to_owned())
            } else {
                None
            },
            price: self.amount(),
            arrival: self.maybe(|any| Arrival { earliest: any.date(), latest: any.date() }),
            order_before: self.maybe(Self::instant),
            pickup_points: self.list(3, |any| PickupPoint {
                id: any.id(),
                name: any.phrase(),
                place: any.place(),
            }),
        };
        Effect::AddDeliveryOption { option }
    }

    fn place(&mut self) -> Place {
        Place {
            country: self.phrase(),
            region: self.maybe(Self::phrase),
            city: self.maybe(Self::phrase),
            postcode: self.maybe(Self::phrase),
        }
    }

    fn review(&mut self) -> Effect {
        // Most ids of options have their plugin before them.
        let option = |any: &mut Self| {
            if any.flag() { format!("{}/{}", any.pick(&["one", "two"]), any.id()) } else { any.id() }
        };
        match self.byte() % 6 {
            0 => Effect::AdjustDeliveryOption {
                id: option(self),
                price: self.maybe(Self::amount),
                title: self.maybe(Self::text),
            },
            1 => Effect::HideDeliveryOption { id: option(self), reason: self.phrase() },
            2 => Effect::HidePayment { id: self.id(), reason: self.phrase() },
            3 => Effect::RenamePayment { id: self.id(), name: self.text() },
            4 => Effect::MovePayment { id: self.id(), position: self.unsigned() },
            _ => Effect::Refuse { code: self.id(), target: self.id(), text: self.text() },
        }
    }

    fn content(&mut self) -> Effect {
        match self.byte() % 3 {
            0 => Effect::Recommend {
                recommendation: Recommendation {
                    product: self.id(),
                    reason: self.maybe(Self::text),
                    placement: self.pick(&WORDS).to_owned(),
                },
            },
            1 => Effect::ShowNotice {
                notice: Notice {
                    id: self.id(),
                    text: self.text(),
                    severity: self.pick(&["info", "warning", "", "\u{202e}"]).to_owned(),
                    placement: self.pick(&WORDS).to_owned(),
                },
            },
            _ => Effect::ShowBlock {
                block: Block {
                    id: self.id(),
                    title: self.maybe(Self::text),
                    body: self.text(),
                    link: self.maybe(Self::link),
                    link_title: self.maybe(Self::text),
                    image: self.maybe(Self::link),
                    placement: self.pick(&WORDS).to_owned(),
                },
            },
        }
    }

    fn of_event(&mut self) -> Effect {
        let scope = |any: &mut Self| any.pick(&[Scope::Shop, Scope::Customer, Scope::Order]);
        match self.byte() % 13 {
            0 => Effect::SendMessage { message: self.message() },
            1 => Effect::CancelMessages { dedupe_key: self.id() },
            2 => Effect::IssueCoupon { coupon: self.coupon() },
            3 => Effect::SetPoints { reference: self.id(), total: self.amount() },
            4 => Effect::SetTimer { key: self.id(), due_at: self.instant(), payload: self.phrase() },
            5 => Effect::CancelTimer { key: self.id() },
            6 => Effect::LabelCustomer { key: self.id(), value: self.phrase() },
            7 => Effect::LabelOrder { key: self.id(), value: self.phrase() },
            8 => Effect::SendWebhook {
                topic: self
                    .pick(&["loyalty.changed", "order.packed", "message.sent", "a b", "", "x"])
                    .to_owned(),
                payload: if self.flag() {
                    self.pick(&["{}", "1", "{\"a\":[null]}"]).to_owned()
                } else {
                    self.phrase()
                },
            },
            9 => Effect::PutState { scope: scope(self), key: self.id(), value: self.state() },
            10 => Effect::DeleteState { scope: scope(self), key: self.id() },
            _ => Effect::AddState { scope: scope(self), key: self.id(), amount: self.amount() },
        }
    }

    fn state(&mut self) -> String {
        if self.flag() { self.amount().to_string() } else { self.phrase() }
    }

    fn message(&mut self) -> Message {
        Message {
            template: self.pick(&["hello", "thanks", "../base", "", "a/b", "hello\u{0}"]).to_owned(),
            data: self.values(),
            category: self.pick(&["updates", "transactional", "marketing", "news", "\u{202e}"]).to_owned(),
            channels: self.list(2, |any| any.pick(&["email", "", "pigeon\n"]).to_owned()),
            when: self.maybe(Self::instant),
            not_after: self.maybe(Self::instant),
            dedupe_key: self.maybe(Self::id),
            cancel_on: self
                .list(2, |any| any.pick(&["order-cancelled", "timer", "pricing", "\u{202e}"]).to_owned()),
        }
    }

    fn coupon(&mut self) -> Coupon {
        Coupon {
            value: match self.byte() % 3 {
                0 => CouponValue::FreeDelivery,
                1 => CouponValue::Percent(self.unsigned()),
                _ => CouponValue::Amount(self.amount()),
            },
            prefix: self
                .pick(&["", "vip", "THANKS", "a-b", "ż", "x\u{0}", "aaaaaaaaaaaaaaaaaaaaa"])
                .to_owned(),
            expires_at: self.maybe(Self::instant),
            max_uses: self.unsigned(),
            min_subtotal: self.maybe(Self::amount),
            personal: self.flag(),
            purpose: self.id(),
        }
    }
}
