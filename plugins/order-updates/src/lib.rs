//! Tells the customer what becomes of an order: confirmed, dispatched, each stage on the road,
//! delivered, and the day after.

mod links;
mod parcels;
mod stage;
#[cfg(test)]
mod tests;

use cartwright_sdk::prelude::*;

use links::{fill_in, has_place};
use stage::Stage;

/// Messages about an order.
#[derive(Settings)]
pub struct UpdateSettings {
    /// Page of one order in your shop; `{order}` and `{number}` become the order's id and number.
    pub order_url: Option<String>,
    /// Page where a review is written; `{rating}` becomes the mark that was clicked, 1 to 5. Without
    /// it the request leads to the pages of the products.
    pub review_url: Option<String>,
    /// Page where a customer says how it went; without it, your contact page.
    pub feedback_url: Option<String>,
    /// Stages to tell of. `arrived-at-facility` is left out for a start: it comes often.
    #[setting(default = ["in-transit", "out-for-delivery", "ready-for-pickup", "attempted", "delayed", "problem", "returning"])]
    pub stages: Vec<Stage>,
    /// Ask for a review when the order has been delivered.
    #[setting(default = true)]
    pub ask_for_review: bool,
    /// Hours from delivery to "is everything all right?"; 0 = do not ask.
    #[setting(default = 24, max = 720)]
    pub check_in_hours: u32,
    /// Channels for what cannot wait (a delay, a problem, a missed courier), the best first. E-mail when empty.
    #[setting(default = [])]
    pub urgent_channels: Vec<Channel>,
}

/// A way to a person.
#[derive(Settings, Clone, Copy)]
pub enum Channel {
    Email,
    Sms,
    Push,
}

impl Channel {
    fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Push => "push",
        }
    }
}

struct OrderUpdates;

export!(
    OrderUpdates: order_placed, order_shipped, delivery_updated, order_delivered;
    settings: UpdateSettings
);

impl OrderPlaced for OrderUpdates {
    fn handle(order: Order) -> Outcome {
        let settings = settings::<UpdateSettings>()?;
        let mut mail = about("confirmation", &order, &settings)
            .dedupe(&format!("confirmation/{}", order.id))
            .cancel_on("order-cancelled");
        if order.lines.iter().any(|line| line.requires_shipping) {
            mail = mail.data("ships", 1);
        }
        mail.send();
        Ok(())
    }
}

impl OrderShipped for OrderUpdates {
    fn handle(order: Order, shipment: Shipment) -> Outcome {
        let settings = settings::<UpdateSettings>()?;
        let mut mail = about("shipped", &order, &settings)
            .data("shipment", &shipment.id)
            .data("stage", "shipped")
            .dedupe(&format!("shipped/{}", shipment.id));
        if let Some(carrier) = &shipment.carrier {
            mail = mail.data("carrier", carrier);
        }
        if parcels::more_to_come(&order, &shipment) {
            mail = mail.data("partial", 1);
        }
        mail.send();
        Ok(())
    }
}

impl DeliveryUpdated for OrderUpdates {
    fn handle(order: Order, shipment: Shipment, update: DeliveryUpdate) -> Outcome {
        let settings = settings::<UpdateSettings>()?;
        // An unknown stage is a newer host's; it moves the parcel on all the same.
        let stage = Stage::named(&update.stage);
        if !parcels::moves_on(&shipment, stage, &update) {
            return Ok(());
        }
        // `delivered` has a hook of its own.
        let told = |stage: &Stage| *stage != Stage::Delivered && settings.stages.contains(stage);
        if let Some(stage) = stage.filter(told) {
            tell(stage, &order, &shipment, &update, &settings);
        }
        Ok(())
    }
}

impl OrderDelivered for OrderUpdates {
    fn handle(order: Order, shipment: Shipment, update: DeliveryUpdate) -> Outcome {
        let settings = settings::<UpdateSettings>()?;
        parcels::forget_waiting(&shipment);
        if !parcels::last_one(&order, &shipment, &update) {
            tell(Stage::Delivered, &order, &shipment, &update, &settings);
            return Ok(());
        }
        // Reported again, perhaps after a return has taken back the question of the day after.
        if parcels::all_told_before() {
            return Ok(());
        }
        let mut mail = about("delivered", &order, &settings)
            .updates()
            .data("products", value::products(order.products()))
            .dedupe(&format!("delivered/{}", order.id));
        if settings.ask_for_review {
            mail = mail.data("ask", 1);
        }
        if let Some(page) = &settings.review_url {
            let name = if has_place(page, "rating}") { "rating_url" } else { "review_url" };
            mail = mail.data(name, value::url(&fill_in(page, &order)));
        }
        mail.send();

        if settings.check_in_hours > 0 {
            let when = update.at.max(context::now()) + calendar::hours(settings.check_in_hours);
            let delivered = calendar::local(update.at, &context::zone()).date;
            let mut mail = about("check-in", &order, &settings)
                .updates()
                .data("delivered", value::date(&delivered))
                .at(when)
                .not_after(when + calendar::days(3))
                .dedupe(&format!("check-in/{}", order.id))
                .cancel_on("order-returned")
                .cancel_on("order-cancelled");
            if let Some(page) = &settings.feedback_url {
                mail = mail.data("feedback_url", value::url(&fill_in(page, &order)));
            }
            mail.send();
        }
        Ok(())
    }
}

/// A message about an order, with what all of them know. The host adds the order itself.
fn about(template: &str, order: &Order, settings: &UpdateSettings) -> Message {
    let message = Message::new(template).data("number", &order.number);
    match &settings.order_url {
        Some(page) => message.data("order_url", value::url(&fill_in(page, order))),
        None => message,
    }
}

/// Where a parcel is, once for each stage that is news.
fn tell(
    stage: Stage,
    order: &Order,
    shipment: &Shipment,
    update: &DeliveryUpdate,
    settings: &UpdateSettings,
) {
    let key = format!("stage/{}/{}", shipment.id, stage.news(update));
    let template = if stage.is_trouble() { "trouble" } else { "progress" };
    let mut mail = about(template, order, settings)
        .updates()
        .data("shipment", &shipment.id)
        .data("stage", stage.name())
        .dedupe(&key);
    if stage != Stage::Delivered {
        parcels::note_waiting(shipment, &key);
        // With several parcels the event may be another's.
        if parcels::is_only_one(shipment) && !parcels::is_delivered(shipment) {
            mail = mail.cancel_on("order-delivered");
        }
    }
    if stage.is_trouble() {
        // A delay or a problem is part of what was bought: it is no news that one may refuse.
        mail = mail.category("transactional");
        mail.channels = settings.urgent_channels.iter().map(|channel| channel.name().to_owned()).collect();
    } else {
        // "It comes today" is of no use tomorrow.
        mail = mail.not_after(update.at + calendar::hours(12));
    }
    if let Some(place) = &update.location {
        mail = mail.data("place", place);
    }
    if let Some(note) = &update.note {
        mail = mail.data("note", note);
    }
    if let Some(arrival) = &update.estimated {
        mail = mail.data("earliest", value::earliest(arrival)).data("latest", value::latest(arrival));
    }
    mail.send();
}
