//! The cart of a product page: the one line that a shopper may come to buy.

use super::DecideError;
use super::asked::invalid;
use super::cart::normalise;
use crate::domain::{Buyer, Cart, Line, PaymentMethod, Product, ReadError, Reads};
use crate::plugins::registry::LiveShop;
use crate::store::StoreError;

/// A product page may be asked for by the product's id alone.
pub async fn cart_of_product(
    shop: &LiveShop,
    id: Option<&str>,
    reads: &dyn Reads,
) -> Result<Cart, DecideError> {
    let id =
        id.ok_or_else(|| invalid("product", "is missing: send a product's id, or a cart of one line"))?;
    let found = reads.products(&shop.config.id, &[id.to_owned()]).await;
    let product = found.map_err(unread)?.into_iter().next().flatten().ok_or_else(|| {
        let what = format!("the catalogue has no `{id}`: put it there, or send a cart of one line");
        invalid("product", what)
    })?;
    normalise(cart_of(&product), &shop.config).map_err(|problems| DecideError::Invalid { problems })
}

fn unread(error: ReadError) -> StoreError {
    tracing::warn!(%error, "a product page had to be refused: its product could not be read");
    StoreError::Away(error.0)
}

fn cart_of(product: &Product) -> Cart {
    let line = Line {
        id: "1".to_owned(),
        product: product.id.clone(),
        variant: None,
        title: product.title.clone(),
        quantity: 1,
        unit_price: product.price,
        tags: product.tags.clone(),
        weight_grams: 0,
        requires_shipping: true,
        gift_card: false,
        taxable: true,
        tax: 0,
        parent_line: None,
        attributes: Vec::new(),
    };
    Cart {
        id: format!("product-{}", product.id),
        currency: product.currency.clone(),
        exponent: 0,
        lines: vec![line],
        destination: None,
        groups: Vec::new(),
        buyer: Buyer::default(),
        prices_include_tax: true,
        tax: 0,
        payment_methods: Vec::<PaymentMethod>::new(),
        codes: Vec::new(),
        attributes: Vec::new(),
    }
}
