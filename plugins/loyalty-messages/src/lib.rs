//! Points and tiers from spend, what is missing to the next tier in the cart, thanks on the
//! anniversary of the first purchase.

mod anniversary;
#[cfg(test)]
mod tests;
mod tiers;

use cartwright_sdk::Priced;
use cartwright_sdk::prelude::*;

use tiers::{Tier, next_tier, tier_at};

/// A loyalty programme.
#[derive(Settings)]
pub struct LoyaltySettings {
    /// What must be spent for one point; where a currency is not named, one unit of it (one euro).
    pub spend_per_point: Option<Money>,
    /// The tiers, in any order.
    #[setting(
        default_json = r#"[{"id":"silver","points":200},{"id":"gold","points":500},{"id":"platinum","points":1500}]"#
    )]
    pub tiers: Vec<Tier>,
    /// A mail when a tier is reached.
    #[setting(default = true)]
    pub tier_mail: bool,
    /// A mail on each anniversary of the first purchase.
    #[setting(default = true)]
    pub anniversary_mail: bool,
    /// When it is sent, HH:MM on the customer's clock.
    #[setting(default = "10:00", pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub anniversary_time: String,
}

impl LoyaltySettings {
    /// Minor units for one point.
    fn price_of_point(&self, priced: &impl Priced) -> i64 {
        let (_, exponent) = priced.currency();
        let set = self.spend_per_point.as_ref().and_then(|spend| spend.of(priced));
        set.unwrap_or_else(|| 10_i64.saturating_pow(u32::from(exponent))).max(1)
    }
}

/// Of the order: minor units given back, in all its returns.
const REFUNDED: &str = "refunded";
/// Of the order: it came to nothing.
const CANCELLED: &str = "cancelled";

struct LoyaltyMessages;

export!(LoyaltyMessages: content, order_placed, order_returned, order_cancelled, timer; settings: LoyaltySettings);

impl Content for LoyaltyMessages {
    fn fill(page: String, cart: Option<Cart>, _product: Option<String>) -> Outcome {
        let settings = settings::<LoyaltySettings>()?;
        if let Some(cart) = cart.filter(|_| page == "cart" || page == "checkout")
            && let Some(notice) = in_the_cart(&settings, &cart)
        {
            notice.show();
        }
        Ok(())
    }
}

impl OrderPlaced for LoyaltyMessages {
    fn handle(order: Order) -> Outcome {
        let settings = settings::<LoyaltySettings>()?;
        earn(&settings, &order);
        if settings.anniversary_mail
            && !is_cancelled()
            && let Some(customer) = customers::current_if_granted()
        {
            let first = customer.first_order_at.map_or(order.placed_at, |first| first.min(order.placed_at));
            anniversary::arm(&customer, first, &settings.anniversary_time);
        }
        Ok(())
    }
}

impl OrderReturned for LoyaltyMessages {
    fn handle(order: Order, goods: OrderReturn) -> Outcome {
        let settings = settings::<LoyaltySettings>()?;
        // An order may come back in parts, and each part counts once.
        let memory = state::order();
        let (part, refunded) = (format!("returned/{}", goods.id), goods.refunded.max(0));
        let sum = memory.number(REFUNDED).saturating_sub(memory.number(&part)).saturating_add(refunded);
        memory.put(&part, &refunded.to_string());
        memory.put(REFUNDED, &sum.to_string());
        earn(&settings, &order);
        Ok(())
    }
}

impl OrderCancelled for LoyaltyMessages {
    fn handle(order: Order) -> Outcome {
        let settings = settings::<LoyaltySettings>()?;
        state::order().put(CANCELLED, "1");
        earn(&settings, &order);
        if settings.anniversary_mail
            && let Some(customer) = customers::current_if_granted()
        {
            // The first purchase is another one now, or there is none.
            match customer.first_order_at {
                Some(first) => anniversary::arm(&customer, first, &settings.anniversary_time),
                None => anniversary::disarm(&customer),
            }
        }
        Ok(())
    }
}

impl Timer for LoyaltyMessages {
    fn fire(timer: DueTimer) -> Outcome {
        let settings = settings::<LoyaltySettings>()?;
        // Nobody: they were erased meanwhile, and there is nobody to thank.
        if let Some(customer) = customers::current_if_granted().filter(|_| settings.anniversary_mail) {
            anniversary::thank(&customer, &timer, &settings.anniversary_time);
        }
        Ok(())
    }
}

/// What was earned by `spent` minor units of goods.
fn points_for(spent: i64, price_of_point: i64) -> i64 {
    spent.max(0).checked_div(price_of_point).unwrap_or(0)
}

/// Events come in any order, a return before its order or after its cancellation: nothing gives back
/// what a cancellation took.
fn is_cancelled() -> bool {
    state::order().get(CANCELLED).is_some()
}

/// The order earns what is left of it, no more and no less, however often it is said.
fn earn(settings: &LoyaltySettings, order: &Order) {
    let kept = order.goods_total().saturating_sub(state::order().number(REFUNDED));
    let spent = if is_cancelled() { 0 } else { kept };
    let points = points_for(spent, settings.price_of_point(order));
    let before = state::order().number("points");
    points::set(&order.id, points);
    state::order().put("points", &points.to_string());
    let Some(customer) = customers::current_if_granted() else { return };
    let total = customer.points.saturating_sub(before).saturating_add(points);
    let tier = tier_at(&settings.tiers, total);
    let known = customer.tier.as_deref().filter(|id| !id.is_empty());
    if tier.map(|tier| tier.id.as_str()) == known {
        return;
    }
    labels::customer("tier", tier.map_or("", |tier| &tier.id));
    let rank = |id: &str| settings.tiers.iter().find(|tier| tier.id == id).map_or(0, |tier| tier.points);
    if let Some(tier) = tier.filter(|tier| settings.tier_mail && tier.points > known.map_or(0, rank)) {
        let mut mail = Message::new("tier")
            .data("tier", tier.name())
            .data("points", total)
            .marketing()
            .dedupe(&format!("tier/{}", tier.id));
        if let Some(next) = next_tier(&settings.tiers, total) {
            mail = mail.data("next", next.name()).data("missing", i64::from(next.points) - total);
        }
        mail.send();
    }
}

/// What this cart earns, and what is missing to the next tier.
fn in_the_cart(settings: &LoyaltySettings, cart: &Cart) -> Option<Notice> {
    let goods = cart.subtotal().max(0);
    let price_of_point = settings.price_of_point(cart);
    let earns = points_for(goods, price_of_point);
    // Points are for what is paid, and what a code takes off is being decided at the same time.
    let discounted = cart.codes.iter().any(|code| code.status == "own" || code.status == "unknown");
    let notice = |text: Text| Notice::new("loyalty", text);
    let Some(customer) = customers::current_if_granted() else {
        let text = text("cart-earns-guest").arg("points", earns).or("Members earn points with this order.");
        return (earns > 0 && !discounted).then(|| notice(text));
    };
    let Some(next) = next_tier(&settings.tiers, customer.points) else {
        let top = tier_at(&settings.tiers, customer.points).filter(|_| earns > 0 && !discounted)?;
        let text = text("cart-top").arg("tier", top.name()).arg("points", earns);
        return Some(notice(text.or("This order earns points.")));
    };
    let missing = i64::from(next.points).saturating_sub(customer.points);
    if discounted {
        let text = text("cart-closer").arg("points", missing).arg("tier", next.name());
        return Some(notice(text.or("This order brings you closer to the next tier.")));
    }
    if missing <= earns {
        let reached = tier_at(&settings.tiers, customer.points.saturating_add(earns)).unwrap_or(next);
        let text =
            text("cart-reaches").arg("tier", reached.name()).or("This order takes you to the next tier.");
        return Some(notice(text).success());
    }
    // So that the points of the cart and of what is added, together, are enough.
    let amount = missing.saturating_mul(price_of_point).saturating_sub(goods);
    let text = text("cart-missing")
        .arg("points", missing - earns)
        .arg("tier", next.name())
        .arg("amount", value::money(amount))
        .or("A little more, and you reach the next tier.");
    Some(notice(text))
}
