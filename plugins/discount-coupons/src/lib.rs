//! Campaign codes with conditions; a coupon that expires today, while the order has not left; free
//! delivery on the next order, once this one has arrived.

mod campaign;
#[cfg(test)]
mod tests;

use cartwright_sdk::prelude::*;

use campaign::{Campaign, Refused};

/// Codes of the merchant's, and coupons that thank.
#[derive(Settings)]
pub struct CouponSettings {
    /// Codes that anyone may enter.
    #[setting(default = [])]
    pub campaigns: Vec<Campaign>,
    /// Right after an order, while it has not left: a coupon that expires today.
    #[setting(default = {})]
    pub today: Today,
    /// After delivery: the next order's delivery is free.
    #[setting(default = {})]
    pub next: Next,
}

/// "Add something before we ship."
#[derive(Settings)]
pub struct Today {
    #[setting(default = true)]
    pub enabled: bool,
    /// Off the order that follows.
    #[setting(default = 10)]
    pub percent: Percent,
    /// The coupon is for orders of at least so much, for each currency; an order in another earns none.
    pub min_subtotal: Option<Money>,
    /// Minutes after the order, so that the confirmation comes first.
    #[setting(default = 15, max = 600)]
    pub after_minutes: u32,
    /// Nothing is sent when less than so many hours of the customer's day are left.
    #[setting(default = 3, max = 24)]
    pub min_hours: u32,
    /// Beginning of the code.
    #[setting(default = "TODAY", pattern = "^[A-Z0-9]{1,12}$")]
    pub prefix: String,
}

/// Thanks for an order that has arrived.
#[derive(Settings)]
pub struct Next {
    #[setting(default = true)]
    pub enabled: bool,
    /// Days for which the coupon holds, to the end of the last one.
    #[setting(default = 30, min = 1, max = 365)]
    pub valid_days: u32,
    /// The coupon is for orders of at least so much, for each currency; an order in another earns none.
    pub min_subtotal: Option<Money>,
    /// Hours after delivery.
    #[setting(default = 2, max = 240)]
    pub after_hours: u32,
    /// Beginning of the code.
    #[setting(default = "THANKS", pattern = "^[A-Z0-9]{1,12}$")]
    pub prefix: String,
}

/// Of the order.
const CANCELLED: &str = "cancelled";
/// Of the order: in parts or as a whole.
const RETURNED: &str = "returned";

struct DiscountCoupons;

export!(DiscountCoupons: pricing, content, order_placed, order_delivered, order_cancelled, order_returned; settings: CouponSettings);

impl Pricing for DiscountCoupons {
    fn price(cart: Cart) -> Outcome {
        judge_codes(&cart, |campaign, code, verdict| {
            if verdict.is_ok() {
                campaign.discount(&cart, code);
            }
        })
    }
}

impl Content for DiscountCoupons {
    /// Why a code does not help.
    fn fill(page: String, cart: Option<Cart>, _product: Option<String>) -> Outcome {
        let Some(cart) = cart.filter(|_| page == "cart" || page == "checkout") else { return Ok(()) };
        judge_codes(&cart, |campaign, _, verdict| {
            if let Err(refused) = verdict {
                refused.notice(&campaign.code).show();
            }
        })
    }
}

impl OrderPlaced for DiscountCoupons {
    fn handle(order: Order) -> Outcome {
        let settings = settings::<CouponSettings>()?;
        if state::order().get(CANCELLED).is_none() && customers::current_if_granted().is_some() {
            for campaign in spent(&settings, &order) {
                state::customer().put(&used_by(campaign, &order), "1");
            }
        }
        if !came_to_nothing() {
            offer_today(&order, &settings.today);
        }
        Ok(())
    }
}

impl OrderDelivered for DiscountCoupons {
    fn handle(order: Order, _shipment: Shipment, _update: DeliveryUpdate) -> Outcome {
        let settings = settings::<CouponSettings>()?;
        if !came_to_nothing() {
            offer_next(&order, &settings.next);
        }
        Ok(())
    }
}

impl OrderCancelled for DiscountCoupons {
    /// A code used in an order that came to nothing may be used again.
    fn handle(order: Order) -> Outcome {
        let settings = settings::<CouponSettings>()?;
        state::order().put(CANCELLED, "1");
        if customers::current_if_granted().is_some() {
            for campaign in spent(&settings, &order) {
                state::customer().delete(&used_by(campaign, &order));
            }
        }
        Ok(())
    }
}

impl OrderReturned for DiscountCoupons {
    fn handle(_order: Order, _goods: OrderReturn) -> Outcome {
        state::order().put(RETURNED, "1");
        Ok(())
    }
}

/// Events come in any order, and again: whoever cancelled or sent back is not thanked afterwards.
fn came_to_nothing() -> bool {
    state::order().get_many([CANCELLED, RETURNED]).iter().any(Option::is_some)
}

/// Calls `each` with the campaign, the code as it was entered, and the verdict.
fn judge_codes(cart: &Cart, each: impl Fn(&Campaign, &str, Result<(), Refused>)) -> Outcome {
    if cart.unknown_codes().next().is_none() {
        return Ok(());
    }
    let settings = settings::<CouponSettings>()?;
    let customer = customers::current_if_granted();
    let today = calendar::now_in_shop().date;
    for code in cart.unknown_codes() {
        let Some(campaign) = settings.campaigns.iter().find(|campaign| campaign.is(code)) else { continue };
        let used = campaign.once_per_customer
            && customer.is_some()
            && !state::customer().list(&used(campaign), 1).is_empty();
        each(campaign, code, campaign.judge(cart, customer.as_ref(), &today, used));
    }
    Ok(())
}

/// The campaigns of which this order used up the customer's one time.
fn spent<'a>(settings: &'a CouponSettings, order: &'a Order) -> impl Iterator<Item = &'a Campaign> {
    let once = settings.campaigns.iter().filter(|campaign| campaign.once_per_customer);
    once.filter(|campaign| order.codes.iter().any(|code| campaign.is(code)))
}

/// Beginning of the keys of the orders that used it.
fn used(campaign: &Campaign) -> String {
    format!("used/{}/", campaign.code.to_ascii_uppercase())
}

fn used_by(campaign: &Campaign, order: &Order) -> String {
    used(campaign) + &order.id
}

/// Until the customer's midnight, unless that is near or the order itself came of such a coupon.
fn offer_today(order: &Order, today: &Today) {
    // A personal coupon is somebody's.
    if customers::current_if_granted().is_none() {
        return;
    }
    let leaves_by_post = order.lines.iter().any(|line| line.requires_shipping);
    let chained = order.codes.iter().any(|code| code.to_ascii_uppercase().starts_with(&today.prefix));
    let now = context::now();
    let stale = now.saturating_sub(order.placed_at) > calendar::hours(24);
    let minimum = minimum(today.min_subtotal.as_ref(), order);
    let Some(min_subtotal) = minimum.filter(|_| today.enabled && leaves_by_post && !chained && !stale) else {
        return;
    };
    let tomorrow = calendar::add_days(&calendar::now_for_customer().date, 1);
    let midnight = calendar::instant(&tomorrow, "00:00", &context::zone());
    let when = now + calendar::minutes(today.after_minutes);
    if midnight - when < calendar::hours(today.min_hours) {
        return;
    }
    let purpose = format!("today/{}", order.id);
    let mut coupon = Coupon::basis_points(today.percent.basis_points(), &purpose)
        .prefix(&today.prefix)
        .expires_at(midnight - 1);
    coupon.min_subtotal = min_subtotal;
    Message::new("today")
        .data("coupon", coupon.issue())
        .marketing()
        .at(when)
        .not_after(midnight - calendar::hours(1))
        .dedupe(&purpose)
        .cancel_on("order-shipped")
        .cancel_on("order-cancelled")
        .send();
}

fn offer_next(order: &Order, next: &Next) {
    if customers::current_if_granted().is_none() {
        return;
    }
    let minimum = minimum(next.min_subtotal.as_ref(), order);
    let Some(min_subtotal) = minimum.filter(|_| next.enabled) else { return };
    let last_day = calendar::add_days(&calendar::now_for_customer().date, next.valid_days.cast_signed() + 1);
    let purpose = format!("next/{}", order.id);
    let mut coupon = Coupon::free_delivery(&purpose)
        .prefix(&next.prefix)
        .expires_at(calendar::instant(&last_day, "00:00", &context::zone()) - 1);
    coupon.min_subtotal = min_subtotal;
    Message::new("next")
        .data("coupon", coupon.issue())
        .marketing()
        .at(context::now() + calendar::hours(next.after_hours))
        .dedupe(&purpose)
        .cancel_on("order-returned")
        .cancel_on("order-cancelled")
        .send();
}

/// A coupon is in the currency of the order that earned it, and so is its minimum. None: there is one,
/// but not in that currency.
fn minimum(set: Option<&Money>, order: &Order) -> Option<Option<i64>> {
    match set {
        None => Some(None),
        Some(amount) => amount.of(order).map(Some),
    }
}
