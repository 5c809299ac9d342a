//! What a handler asked for, to assert on.

use crate::types::{
    Block, Coupon, DeliveryOption, Discount, Message, Notice, Recommendation, Scope, Text, Value,
};

/// One call of an import that does something.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the imports and their parameters")]
pub enum Effect {
    AddDiscount(Discount),
    AddDeliveryOption(DeliveryOption),
    AdjustDeliveryOption { id: String, price: Option<i64>, title: Option<Text> },
    HideDeliveryOption { id: String, reason: String },
    HidePayment { id: String, reason: String },
    RenamePayment { id: String, name: Text },
    MovePayment { id: String, position: u32 },
    Recommend(Recommendation),
    ShowNotice(Notice),
    ShowBlock(Block),
    Refuse { code: String, target: String, text: Text },
    SendMessage(Message),
    CancelMessages { dedupe_key: String },
    IssueCoupon(Coupon),
    SetPoints { reference: String, total: i64 },
    SetTimer { key: String, due_at: i64, payload: String },
    CancelTimer { key: String },
    LabelCustomer { key: String, value: String },
    LabelOrder { key: String, value: String },
    SendWebhook { topic: String, payload: String },
    PutState { scope: Scope, key: String, value: String },
    DeleteState { scope: Scope, key: String },
    AddState { scope: Scope, key: String, amount: i64 },
}

/// All that one call asked for, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effects(
    /// In the order of the calls.
    pub Vec<Effect>,
);

macro_rules! kept {
    ($($(#[$doc:meta])* $name:ident: $pattern:pat => $value:expr, $kind:ty;)+) => { $(
        $(#[$doc])*
        pub fn $name(&self) -> Vec<$kind> {
            self.0.iter().filter_map(|effect| match effect {
                $pattern => Some($value),
                _ => None,
            }).collect()
        }
    )+ };
}

impl Effects {
    kept! {
        /// Proposed discounts.
        discounts: Effect::AddDiscount(discount) => discount, &Discount;
        /// Offered ways of delivery.
        delivery_options: Effect::AddDeliveryOption(option) => option, &DeliveryOption;
        /// New prices of delivery options: id and price.
        repriced: Effect::AdjustDeliveryOption { id, price: Some(price), .. } => (id.as_str(), *price), (&str, i64);
        /// Hidden delivery options, by id.
        hidden_delivery: Effect::HideDeliveryOption { id, .. } => id.as_str(), &str;
        /// Hidden payment methods, by id.
        hidden_payments: Effect::HidePayment { id, .. } => id.as_str(), &str;
        /// Recommendations.
        recommendations: Effect::Recommend(recommendation) => recommendation, &Recommendation;
        /// Recommended products, by id.
        recommended: Effect::Recommend(recommendation) => recommendation.product.as_str(), &str;
        /// Notices.
        notices: Effect::ShowNotice(notice) => notice, &Notice;
        /// Blocks.
        blocks: Effect::ShowBlock(block) => block, &Block;
        /// Refusals: code, target and text.
        refusals: Effect::Refuse { code, target, text } => (code.as_str(), target.as_str(), text), (&str, &str, &Text);
        /// Messages.
        messages: Effect::SendMessage(message) => message, &Message;
        /// Keys of messages that were taken back.
        cancelled_messages: Effect::CancelMessages { dedupe_key } => dedupe_key.as_str(), &str;
        /// Coupons.
        coupons: Effect::IssueCoupon(coupon) => coupon, &Coupon;
        /// Points: reference and total.
        points: Effect::SetPoints { reference, total } => (reference.as_str(), *total), (&str, i64);
        /// Timers: key and when they are due (UTC milliseconds).
        timers: Effect::SetTimer { key, due_at, .. } => (key.as_str(), *due_at), (&str, i64);
        /// Keys of timers that were taken back.
        cancelled_timers: Effect::CancelTimer { key } => key.as_str(), &str;
        /// Labels on the customer.
        customer_labels: Effect::LabelCustomer { key, value } => (key.as_str(), value.as_str()), (&str, &str);
        /// Labels on the order.
        order_labels: Effect::LabelOrder { key, value } => (key.as_str(), value.as_str()), (&str, &str);
        /// Webhooks: topic and payload.
        webhooks: Effect::SendWebhook { topic, payload } => (topic.as_str(), payload.as_str()), (&str, &str);
    }

    /// A proposed discount, by its id.
    pub fn discount(&self, id: &str) -> Option<&Discount> {
        self.discounts().into_iter().find(|discount| discount.id == id)
    }

    /// An offered way of delivery, by its id.
    pub fn delivery_option(&self, id: &str) -> Option<&DeliveryOption> {
        self.delivery_options().into_iter().find(|option| option.id == id)
    }

    /// The first message from a template.
    pub fn message(&self, template: &str) -> Option<&Message> {
        self.messages().into_iter().find(|message| message.template == template)
    }

    /// A notice, by its id.
    pub fn notice(&self, id: &str) -> Option<&Notice> {
        self.notices().into_iter().find(|notice| notice.id == id)
    }

    /// Whether nothing was asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Message {
    /// A value given to the template.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.data.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }
}

impl Text {
    /// A value given to the text.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.args.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }
}
