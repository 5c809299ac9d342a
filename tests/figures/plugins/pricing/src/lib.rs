//! The reference logic's discounts.

use cartwright_sdk::prelude::*;

struct Reference;

export!(Reference: pricing);

impl Pricing for Reference {
    fn price(cart: Cart) -> Outcome {
        let customer = customers::current();
        let decision = figures_author::decide(&cart.lines, cart.destination.as_ref(), customer.as_ref());
        for discount in &decision.discounts {
            let title = figures_author::words(&discount.title);
            let proposed = Discount::basis_points(discount.id, discount.basis_points, title);
            match discount.line {
                Some(line) => proposed.on_line(line).add(),
                None => proposed.add(),
            };
        }
        Ok(())
    }
}
