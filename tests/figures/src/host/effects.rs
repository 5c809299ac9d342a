//! Between the host and the reference logic: a call as the question, the decision's parts as the call's effects.

use cartwright::domain::{
    DeliveryOption, Discount, DiscountTarget, DiscountValue, Effect, Hook, Line, Message, Place,
    Recommendation, Text, Value,
};
use cartwright::plugins::call::{Input, Invocation};
use figures_logic::{self as logic, Argument, Decision, Stage};

/// The stage of a hook.
pub fn stage(hook: Hook) -> Option<Stage> {
    Some(match hook {
        Hook::Pricing => Stage::Pricing,
        Hook::Delivery => Stage::Delivery,
        Hook::Content => Stage::Content,
        Hook::Review => Stage::Review,
        _ => return None,
    })
}

/// What a call is about.
pub fn question(invocation: &Invocation) -> Option<logic::Question<'_>> {
    let (lines, destination): (&[Line], Option<&Place>) = match &invocation.input {
        Input::Cart(cart) | Input::Content { cart: Some(cart), .. } => {
            (&cart.lines, cart.destination.as_ref())
        }
        Input::Order(order) => (&order.lines, order.destination.as_ref()),
        _ => return None,
    };
    let customer = invocation.surroundings.customer.as_deref();
    Some(logic::Question {
        cart: logic::Cart {
            lines: lines
                .iter()
                .map(|line| logic::Line {
                    id: &line.id,
                    product: &line.product,
                    quantity: line.quantity,
                    unit_price: line.unit_price,
                    weight_grams: line.weight_grams,
                })
                .collect(),
            destination: destination.map(|place| logic::Place { country: &place.country }),
        },
        customer: customer.map(|customer| logic::Customer {
            orders: customer
                .orders
                .iter()
                .map(|order| logic::PastOrder {
                    total: order.total,
                    products: order.products.iter().map(String::as_str).collect(),
                })
                .collect(),
        }),
    })
}

/// What the plugin of the stage would have asked for.
pub fn effects(decision: &Decision<'_>) -> Vec<Effect> {
    let discounts = decision.discounts.iter().map(|discount| Effect::AddDiscount {
        discount: Discount {
            id: discount.id.to_owned(),
            title: text(&discount.title),
            target: discount.line.map_or(DiscountTarget::Order, |line| DiscountTarget::Line(line.to_owned())),
            value: DiscountValue::Percent(discount.basis_points),
            class: if discount.line.is_some() { "product" } else { "order" }.to_owned(),
            code: None,
        },
    });
    let delivery = decision.delivery.iter().map(|option| Effect::AddDeliveryOption {
        option: DeliveryOption {
            id: option.id.to_owned(),
            title: text(&option.title),
            description: None,
            kind: option.kind.to_owned(),
            carrier: Some(option.carrier.to_owned()),
            group: None,
            price: option.price,
            arrival: None,
            order_before: None,
            pickup_points: Vec::new(),
        },
    });
    let recommendations = decision.recommendations.iter().map(|recommendation| Effect::Recommend {
        recommendation: Recommendation {
            product: recommendation.product.to_owned(),
            reason: Some(text(&recommendation.reason)),
            placement: "main".to_owned(),
        },
    });
    let hidden = decision
        .hidden_payments
        .iter()
        .map(|payment| Effect::HidePayment { id: payment.id.to_owned(), reason: payment.reason.to_owned() });
    discounts.chain(delivery).chain(recommendations).chain(hidden).collect()
}

/// The message for an order.
pub fn thanks(number: &str, total: i64, decision: &Decision<'_>) -> Vec<Effect> {
    let recommended = decision.recommendations.iter().map(|each| each.product.to_owned()).collect();
    let data = [
        ("number", Value::String(number.to_owned())),
        ("total", Value::Money(total)),
        ("recommended", Value::Products(recommended)),
    ];
    let message = Message {
        template: "thanks".to_owned(),
        data: data.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        category: "transactional".to_owned(),
        channels: Vec::new(),
        when: None,
        not_after: None,
        dedupe_key: None,
        cancel_on: Vec::new(),
    };
    vec![Effect::SendMessage { message }]
}

fn text(text: &logic::Text<'_>) -> Text {
    let (name, value) = match text.argument {
        Argument::Count(count) => ("count", Value::Int(count)),
        Argument::Money(amount) => ("amount", Value::Money(amount)),
        Argument::Product(id) => ("product", Value::Products(vec![id.to_owned()])),
    };
    Text {
        key: text.key.to_owned(),
        args: vec![(name.to_owned(), value)],
        fallback: text.fallback.to_owned(),
    }
}
