//! The reference logic's recommendations.

use cartwright_sdk::prelude::*;

struct Reference;

export!(Reference: content);

impl Content for Reference {
    fn fill(_page: String, cart: Option<Cart>, _product: Option<String>) -> Outcome {
        let Some(cart) = cart else { return Ok(()) };
        let customer = customers::current();
        let decision = figures_author::decide(&cart.lines, cart.destination.as_ref(), customer.as_ref());
        for recommendation in &decision.recommendations {
            Recommendation::new(recommendation.product)
                .because(figures_author::words(&recommendation.reason))
                .show();
        }
        Ok(())
    }
}
