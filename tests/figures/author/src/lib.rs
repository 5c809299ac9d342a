//! Between the SDK and the reference logic: its records as the question, the decision's parts as the SDK's calls.

use cartwright_sdk::prelude::*;
use figures_logic as logic;

/// Decides, for whoever is asked about.
pub fn decide<'a>(
    lines: &'a [Line],
    destination: Option<&'a Place>,
    customer: Option<&'a Customer>,
) -> logic::Decision<'a> {
    logic::decide(&logic::Question {
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

#[must_use]
pub fn words(words: &logic::Text<'_>) -> Text {
    let (name, value) = match words.argument {
        logic::Argument::Count(count) => ("count", Value::Int(count)),
        logic::Argument::Money(amount) => ("amount", value::money(amount)),
        logic::Argument::Product(id) => ("product", value::products([id])),
    };
    text(words.key).arg(name, value).or(words.fallback)
}
