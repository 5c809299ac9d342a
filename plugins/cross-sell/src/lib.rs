//! Recommends what goes with the cart: the merchant's pairs first, then what other orders held
//! together, then what sells; and says why.

mod learn;
mod recommend;
#[cfg(test)]
mod tests;

use cartwright_sdk::prelude::*;

use recommend::{Seed, Seen, recommend};

/// What goes with what, learned from placed orders.
#[derive(Settings)]
pub struct CrossSellSettings {
    /// Products recommended on a page, at most.
    #[setting(default = 4, min = 1, max = 12)]
    pub max_items: u32,
    /// Where to recommend: `product-page`, `cart`, `checkout`, `order-status`, and `message` for the
    /// footer of mails. Empty: on all of these.
    #[setting(default = [])]
    pub pages: Vec<Page>,
    /// Pairs of your own; they come before everything learned. The catalogue's related products count too.
    #[setting(default = [])]
    pub pairs: Vec<Pair>,
    /// Orders that must hold two products together before that is said.
    #[setting(default = 2, min = 1, max = 1000)]
    pub min_together: u32,
    /// Fill the rest with what sells best.
    #[setting(default = true)]
    pub popular: bool,
    /// A mail with what is often bought together, so many hours after the parcel left and only while
    /// it is on its way; 0 = none.
    #[setting(default = 20, min = 0, max = 240)]
    pub mail_hours_after_shipping: u32,
}

/// A page that can be filled.
#[derive(Settings)]
pub enum Page {
    ProductPage,
    Cart,
    Checkout,
    OrderStatus,
    Message,
}

impl Page {
    fn name(&self) -> &'static str {
        match self {
            Self::ProductPage => "product-page",
            Self::Cart => "cart",
            Self::Checkout => "checkout",
            Self::OrderStatus => "order-status",
            Self::Message => "message",
        }
    }
}

/// Products that belong to a product.
#[derive(Settings)]
pub struct Pair {
    /// Id of the product in the cart or on the page.
    pub product: String,
    /// Ids of what to recommend with it, the best first.
    pub with: Vec<String>,
}

/// Of the order: its mail has been asked for, or it was cancelled and none is to be.
const MAILED: &str = "mailed";

struct CrossSell;

export!(CrossSell: content, order_placed, order_shipped, order_cancelled; settings: CrossSellSettings);

impl Content for CrossSell {
    fn fill(page: String, cart: Option<Cart>, product: Option<String>) -> Outcome {
        let settings = settings::<CrossSellSettings>()?;
        if !settings.pages.is_empty() && !settings.pages.iter().any(|chosen| chosen.name() == page) {
            return Ok(());
        }
        let customer = customers::current_if_granted();
        let mut seeds = Vec::new();
        let here = cart.iter().flat_map(|cart| &cart.lines);
        seeds.extend(here.map(|line| Seed::new(&line.product, Seen::Here).titled(&line.title)));
        seeds.extend(product.iter().map(|id| Seed::new(id, Seen::Here)));
        let last_order =
            customer.iter().filter_map(|customer| customer.orders.first()).flat_map(|order| &order.products);
        if page == "message" || page == "order-status" {
            // What was just bought is not offered again.
            seeds.extend(last_order.map(|id| Seed::new(id, Seen::Bought)));
        } else {
            seeds.extend(context::viewed().iter().map(|id| Seed::new(id, Seen::Looked)));
            seeds.extend(last_order.map(|id| Seed::new(id, Seen::Bought)));
        }
        let placement = if page == "message" { "footer" } else { "main" };
        for found in recommend(&settings, seeds) {
            found.recommendation().placement(placement).show();
        }
        Ok(())
    }
}

impl OrderPlaced for CrossSell {
    fn handle(order: Order) -> Outcome {
        let settings = settings::<CrossSellSettings>()?;
        learn::from_order(&order, i64::from(settings.min_together));
        Ok(())
    }
}

impl OrderShipped for CrossSell {
    /// "Often bought together", before the parcel arrives.
    fn handle(order: Order, shipment: Shipment) -> Outcome {
        let settings = settings::<CrossSellSettings>()?;
        // A dispatch is reported again when something of it changes, even after the parcel's arrival has
        // taken the mail back.
        if settings.mail_hours_after_shipping == 0 || state::order().get(MAILED).is_some() {
            return Ok(());
        }
        let seeds = order
            .lines
            .iter()
            .map(|line| Seed::new(&line.product, Seen::Bought).titled(&line.title))
            .collect();
        let together = CrossSellSettings { popular: false, ..settings };
        let found = recommend(&together, seeds);
        if found.is_empty() {
            return Ok(());
        }
        let when =
            context::now().max(shipment.shipped_at) + calendar::hours(together.mail_hours_after_shipping);
        Message::new("together")
            .data("products", value::products(found.iter().map(|found| &found.product)))
            .marketing()
            .at(when)
            .not_after(when + calendar::days(2))
            .dedupe(&format!("together/{}", order.id))
            .cancel_on("order-delivered")
            .cancel_on("order-cancelled")
            .cancel_on("order-returned")
            .send();
        state::order().put(MAILED, "1");
        Ok(())
    }
}

impl OrderCancelled for CrossSell {
    fn handle(_order: Order) -> Outcome {
        state::order().put(MAILED, "1");
        Ok(())
    }
}
