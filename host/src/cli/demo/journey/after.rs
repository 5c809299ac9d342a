//! After the sale: from the webhook to the day after.

use serde_json::{Value, json};

use super::super::mails::Outbox;
use super::super::{answer, woocommerce};
use super::{Journey, MINUTE};
use crate::domain::instant::to_rfc3339;

const SHIPMENT: &str = "PK-1";
const TRACKING: &str = "PL0012345678";

impl Journey<'_> {
    pub(super) async fn order(&mut self, outbox: &mut Outbox) -> anyhow::Result<()> {
        self.later(3 * MINUTE).await?;
        self.step("Ania pays, and WooCommerce reports the order");
        let now = self.host.clock().now_ms();
        if let Some(sale) = &mut self.sale {
            sale.placed_at_ms = now;
        }
        let order = woocommerce::order(self.sale()?, &self.zone)?;
        let forged = self.storefront.webhook(order.to_string().into_bytes(), "AAAA").await?;
        self.screen.request(&format!("{} (forged)", forged.request), &forged.outcome());
        self.check(forged.status == 401, "a forged signature is refused");
        let reply = self.storefront.woocommerce(&order).await?;
        self.answered(reply, &[200, 201, 202, 204])?;
        self.expect_mails(outbox, &["order-updates-confirmation"]).await?;

        let reply = self.storefront.woocommerce(&order).await?;
        self.answered(reply, &[200, 201, 202, 204])?;
        self.expect_mails(outbox, &[]).await?;
        let id = self.sale()?.id;
        let reply = self.storefront.get(&format!("/v1/orders/{id}")).await?;
        let stored = self.answered(reply, &[200])?;
        self.check(answer::text(&stored, "status") == "placed", "delivered twice, the order is placed once");
        let promised = stored.pointer("/order/delivery/promised/latest").is_some_and(Value::is_string);
        self.check(promised, "the promise of the checkout came back with its quote and is kept");
        let total =
            self.sale()?.lines.iter().map(|line| line.paid).sum::<i64>() + self.sale()?.delivery_price;
        self.check(
            answer::amount(&stored, "/order/total") == Some(total),
            "the total is the checkout's, to the grosz",
        );
        Ok(())
    }

    pub(super) async fn forgotten_something(&mut self, outbox: &mut Outbox) -> anyhow::Result<()> {
        self.later(20 * MINUTE).await?;
        self.step("Forgotten something? A coupon until midnight");
        self.expect_mails(outbox, &["discount-coupons-today"]).await
    }

    pub(super) async fn shipped(&mut self, outbox: &mut Outbox) -> anyhow::Result<()> {
        self.until(0, 16, 5).await?;
        self.step("The parcel leaves");
        let event = json!({
            "order_id": self.sale()?.id.to_string(),
            "shipment": {
                "id": SHIPMENT, "carrier": "Paczka24", "tracking_number": TRACKING,
                "tracking_url": format!("https://paczka24.example/track/{TRACKING}"),
                "lines": [{ "line": "1", "quantity": 1 }, { "line": "2", "quantity": 2 }],
                "shipped_at": to_rfc3339(self.host.clock().now_ms()),
            },
        });
        self.event("order-shipped", "order-shipped/PK-1", &event).await?;
        self.expect_mails(outbox, &["order-updates-shipped"]).await?;
        let tracked =
            self.mails.iter().any(|mail| mail.is("order-updates-shipped") && mail.text.contains(TRACKING));
        self.check(tracked, "it holds the tracking link");
        Ok(())
    }

    pub(super) async fn on_the_road(&mut self, outbox: &mut Outbox) -> anyhow::Result<()> {
        self.until(1, 6, 40).await?;
        self.step("On the road");
        self.update("delivery-updated", "in-transit", Some("Kraków, depot")).await?;
        self.expect_mails(outbox, &["order-updates-progress"]).await?;

        self.until(0, 12, 10).await?;
        self.step("While it is on its way: what others took with it");
        self.expect_mails(outbox, &["cross-sell-together"]).await?;

        self.until(1, 8, 15).await?;
        self.step("Today it comes");
        self.update("delivery-updated", "out-for-delivery", None).await?;
        self.expect_mails(outbox, &["order-updates-progress"]).await
    }

    pub(super) async fn delivered(&mut self, outbox: &mut Outbox) -> anyhow::Result<()> {
        self.until(0, 13, 40).await?;
        self.step("It has arrived, and the shop asks for a review");
        self.update("order-delivered", "delivered", Some("ul. Długa 12")).await?;
        self.expect_mails(outbox, &["order-updates-delivered"]).await?;

        self.until(0, 15, 45).await?;
        self.step("Thanks: the next delivery is free");
        self.expect_mails(outbox, &["discount-coupons-next"]).await
    }

    pub(super) async fn day_after(&mut self, outbox: &mut Outbox) -> anyhow::Result<()> {
        self.until(1, 13, 45).await?;
        self.step("The day after: is everything all right?");
        self.expect_mails(outbox, &["order-updates-check-in"]).await
    }

    pub(super) async fn order_status(&mut self) -> anyhow::Result<()> {
        self.step("Ania opens the page of her order");
        let id = self.sale()?.id.to_string();
        let question = json!({ "order_id": id, "customer_id": "7", "locale": "en" });
        let reply = self.storefront.ask("order-status", &question).await?;
        let page = self.answered(reply, &[200])?;
        self.screen.rows(&answer::rows(&page));
        let reply = self.storefront.get(&format!("/v1/orders/{id}")).await?;
        let stored = self.answered(reply, &[200])?;
        self.check(answer::text(&stored, "status") == "delivered", "the order is delivered");
        let reply = self.storefront.get("/v1/customers/7").await?;
        let customer = self.answered(reply, &[200])?;
        let points = answer::amount(&customer, "/points");
        self.check(points == Some(267), "Ania has a point for each złoty of goods: 267");
        let reply = self.storefront.get(&format!("/v1/orders/{id}/timeline?limit=200")).await?;
        let story = self.answered(reply, &[200])?;
        let told = |kind: &str| {
            let entries = story.get("entries").and_then(Value::as_array);
            entries.is_some_and(|entries| entries.iter().any(|entry| answer::text(entry, "kind") == kind))
        };
        self.check(
            ["quote", "event", "message", "coupon_issued", "points"].into_iter().all(told),
            "one timeline tells what was promised, what came in, what was sent, given and earned",
        );
        Ok(())
    }

    async fn update(&mut self, hook: &str, stage: &str, location: Option<&str>) -> anyhow::Result<()> {
        let event = json!({
            "order_id": self.sale()?.id.to_string(),
            "shipment_id": SHIPMENT,
            "update": { "stage": stage, "at": to_rfc3339(self.host.clock().now_ms()), "location": location },
        });
        self.event(hook, &format!("{hook}/{SHIPMENT}/{stage}"), &event).await
    }
}
