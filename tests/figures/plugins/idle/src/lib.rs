//! Does nothing in each stage: what a call costs before anything is decided.

use cartwright_sdk::prelude::*;

struct Idle;

export!(Idle: pricing, delivery, content);

impl Pricing for Idle {
    fn price(_cart: Cart) -> Outcome {
        Ok(())
    }
}

impl Delivery for Idle {
    fn offer(_cart: Cart) -> Outcome {
        Ok(())
    }
}

impl Content for Idle {
    fn fill(_page: String, _cart: Option<Cart>, _product: Option<String>) -> Outcome {
        Ok(())
    }
}
