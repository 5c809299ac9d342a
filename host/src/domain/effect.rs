//! What a handler asked the host to do: one item for each call of an import, in the order of the calls.
//! The position is the effect's index, part of its unique key.

use serde::{Deserialize, Serialize};

use super::{Block, Coupon, DeliveryOption, Discount, Message, Notice, Recommendation, Scope, Text};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    AddDiscount { discount: Discount },
    AddDeliveryOption { option: DeliveryOption },
    AdjustDeliveryOption { id: String, price: Option<i64>, title: Option<Text> },
    HideDeliveryOption { id: String, reason: String },
    HidePayment { id: String, reason: String },
    RenamePayment { id: String, name: Text },
    MovePayment { id: String, position: u32 },
    Recommend { recommendation: Recommendation },
    ShowNotice { notice: Notice },
    ShowBlock { block: Block },
    Refuse { code: String, target: String, text: Text },
    SendMessage { message: Message },
    CancelMessages { dedupe_key: String },
    IssueCoupon { coupon: Coupon },
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
