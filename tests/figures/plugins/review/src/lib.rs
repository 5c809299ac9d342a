//! The reference logic's payments.

use cartwright_sdk::prelude::*;

struct Reference;

export!(Reference: review);

impl Review for Reference {
    fn review(cart: Cart) -> Outcome {
        let customer = customers::current();
        let decision = figures_author::decide(&cart.lines, cart.destination.as_ref(), customer.as_ref());
        for payment in &decision.hidden_payments {
            payments::hide(payment.id, payment.reason);
        }
        Ok(())
    }
}
