//! An order as a template sees it: its lines, its delivery, what was sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::Value as Seen;

use super::View;
use super::item::{map, text_or_nothing};
use crate::domain::{Line, Order, OrderRecord, Product, Shipment};

impl View<'_> {
    pub fn order(&self, record: &OrderRecord, products: &BTreeMap<String, Arc<Product>>) -> Seen {
        let order = &record.order;
        let lines: Vec<Seen> = order
            .lines
            .iter()
            .map(|line| {
                let product = products.get(&line.product).map(AsRef::as_ref);
                map([
                    ("id", Seen::from(line.id.clone())),
                    ("product", Seen::from(line.product.clone())),
                    ("title", Seen::from(title(line, product))),
                    ("quantity", Seen::from(line.quantity)),
                    ("unit_price", self.money(line.unit_price)),
                    ("total", self.money(line.total().unwrap_or(line.unit_price))),
                    ("url", text_or_nothing(product.and_then(|product| product.url.as_deref()))),
                    ("image", text_or_nothing(product.and_then(|product| product.image.as_deref()))),
                ])
            })
            .collect();
        let has_images = order
            .lines
            .iter()
            .any(|line| products.get(&line.product).is_some_and(|product| product.image.is_some()));
        let shipments: Vec<Seen> =
            record.shipments.iter().map(|shipment| self.shipment(shipment, order, products)).collect();
        let newest = record
            .shipments
            .iter()
            .max_by_key(|shipment| shipment.shipped_at)
            .map_or(Seen::UNDEFINED, |shipment| self.shipment(shipment, order, products));
        map([
            ("id", Seen::from(order.id.clone())),
            ("number", Seen::from(if order.number.is_empty() { &order.id } else { &order.number }.clone())),
            ("placed_at", self.instant(order.placed_at)),
            ("status", Seen::from(record.status.clone())),
            ("lines", Seen::from(lines)),
            ("has_images", Seen::from(has_images)),
            ("subtotal", self.money(order.subtotal)),
            ("discount", self.money(order.discount)),
            ("delivery", self.delivery(order)),
            ("tax", self.money(order.tax)),
            ("adjustments", self.adjustments(order)),
            ("total", self.money(order.total)),
            ("prices_include_tax", Seen::from(order.prices_include_tax)),
            ("payment_method", text_or_nothing(order.payment_method.as_deref())),
            (
                "destination",
                order.destination.as_ref().map_or(Seen::UNDEFINED, |place| {
                    map([
                        ("country", Seen::from(place.country.clone())),
                        ("region", text_or_nothing(place.region.as_deref())),
                        ("city", text_or_nothing(place.city.as_deref())),
                        ("postcode", text_or_nothing(place.postcode.as_deref())),
                    ])
                }),
            ),
            ("shipments", Seen::from(shipments)),
            ("shipment", newest),
        ])
    }

    fn delivery(&self, order: &Order) -> Seen {
        order.delivery.as_ref().map_or(Seen::UNDEFINED, |choice| {
            map([
                ("id", Seen::from(choice.id.clone())),
                ("title", Seen::from(choice.title.clone())),
                ("price", self.money(choice.price)),
                ("promised", self.arrival_or_nothing(choice.promised.as_ref())),
            ])
        })
    }

    fn adjustments(&self, order: &Order) -> Seen {
        let all: Vec<Seen> = order
            .adjustments
            .iter()
            .map(|adjustment| {
                map([
                    ("kind", Seen::from(adjustment.kind.clone())),
                    ("label", Seen::from(adjustment.label.clone())),
                    ("amount", self.money(adjustment.amount)),
                ])
            })
            .collect();
        Seen::from(all)
    }

    fn shipment(
        &self,
        shipment: &Shipment,
        order: &Order,
        products: &BTreeMap<String, Arc<Product>>,
    ) -> Seen {
        let lines: Vec<Seen> = shipment
            .lines
            .iter()
            .filter_map(|shipped| {
                let line = order.lines.iter().find(|line| line.id == shipped.line)?;
                Some(map([
                    ("title", Seen::from(title(line, products.get(&line.product).map(AsRef::as_ref)))),
                    ("quantity", Seen::from(shipped.quantity)),
                ]))
            })
            .collect();
        map([
            ("id", Seen::from(shipment.id.clone())),
            ("carrier", text_or_nothing(shipment.carrier.as_deref())),
            ("tracking_number", text_or_nothing(shipment.tracking_number.as_deref())),
            ("tracking_url", text_or_nothing(shipment.tracking_url.as_deref())),
            ("shipped_at", self.instant(shipment.shipped_at)),
            ("promised", self.arrival_or_nothing(shipment.promised.as_ref())),
            ("estimated", self.arrival_or_nothing(shipment.estimated.as_ref())),
            ("lines", Seen::from(lines)),
        ])
    }
}

fn title(line: &Line, product: Option<&Product>) -> String {
    if line.title.is_empty() {
        product.map_or_else(|| line.product.clone(), |product| product.title.clone())
    } else {
        line.title.clone()
    }
}
