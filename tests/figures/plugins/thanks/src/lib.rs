//! A message for an order, with the reference logic's recommendations.

use cartwright_sdk::prelude::*;

struct Reference;

export!(Reference: order_placed);

impl OrderPlaced for Reference {
    fn handle(order: Order) -> Outcome {
        let customer = customers::current();
        let decision = figures_author::decide(&order.lines, order.destination.as_ref(), customer.as_ref());
        let recommended = decision.recommendations.iter().map(|recommendation| recommendation.product);
        Message::new("thanks")
            .data("number", &order.number)
            .data("total", value::money(order.total))
            .data("recommended", value::products(recommended))
            .send();
        Ok(())
    }
}
