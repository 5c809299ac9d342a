//! The imports that read what the call knows, and the catalogue.

use std::sync::Arc;

use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::checks::ITEMS;
use super::{CallState, contract};
use crate::config::calendar::Calendar;
use crate::domain::{
    Civil, Customer, DeliveryOption, Discount, Level, Order, PaymentMethod, Product, Shipment, Shop,
    StateRead, Totals,
};
use crate::plugins::call::Fault;

type Answer<T> = wasmtime::Result<T>;

impl contract::context::Host for CallState {
    fn hook(&mut self) -> Answer<String> {
        self.enter("context", "hook")?;
        Ok(self.around.hook_name.clone())
    }

    fn now_ms(&mut self) -> Answer<i64> {
        self.enter("context", "now-ms")?;
        Ok(self.around.now_ms)
    }

    fn zone(&mut self) -> Answer<String> {
        self.enter("context", "zone")?;
        Ok(self.around.zone.clone())
    }

    fn seed(&mut self) -> Answer<u64> {
        self.enter("context", "seed")?;
        Ok(self.around.seed & ((1 << 53) - 1))
    }

    fn locale(&mut self) -> Answer<String> {
        self.enter("context", "locale")?;
        Ok(self.around.locale.clone())
    }

    fn shop(&mut self) -> Answer<Arc<Shop>> {
        self.enter("context", "shop")?;
        Ok(Arc::clone(&self.around.shop))
    }

    fn viewed(&mut self) -> Answer<Vec<String>> {
        self.enter("context", "viewed")?;
        Ok(self.around.viewed.clone())
    }

    fn settings(&mut self) -> Answer<String> {
        self.enter("context", "settings")?;
        Ok(self.plugin.as_ref().map_or_else(|| "{}".to_owned(), |plugin| plugin.settings.to_string()))
    }

    fn late(&mut self) -> Answer<bool> {
        self.enter("context", "late")?;
        Ok(self.around.late)
    }

    fn log(&mut self, level: Level, message: String) -> Answer<()> {
        self.enter("context", "log")?;
        self.meter.log(message.len())?;
        let Some(live) = self.plugin.as_ref() else { return Ok(()) };
        let (plugin, shop, hook) = (live.entry.name.as_str(), live.shop.as_ref(), self.hook.name());
        if !live.standing.lines.admit(shop, plugin) {
            return Ok(());
        }
        let request_id = self.around.request_id.as_str();
        let message = one_line(&message);
        // `tracing` fixes the level where the line is written.
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(target: "cartwright::plugin", plugin, shop, hook, request_id, "{message}")
            };
        }
        match level {
            Level::Debug => line!(debug),
            Level::Info => line!(info),
            Level::Warn => line!(warn),
            Level::Error => line!(error),
        }
        Ok(())
    }
}

/// A guest's line stays one line, and says nothing to a terminal.
fn one_line(message: &str) -> std::borrow::Cow<'_, str> {
    if message.chars().any(char::is_control) {
        message
            .chars()
            .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.into() })
            .collect()
    } else {
        message.into()
    }
}

impl CallState {
    fn time_zone(&mut self, import: &'static str, zone: &str) -> Result<TimeZone, Fault> {
        let mut check = self.check(import);
        check.id("zone", zone)?;
        TimeZone::get(zone).map_err(|_| {
            check.wrong(format_args!("the zone `{}`; one is like Europe/Warsaw", zone.escape_debug()))
        })
    }

    /// UTC milliseconds when a clock in `zone` shows this.
    pub(super) fn instant_of(
        &mut self,
        import: &'static str,
        date: &str,
        time: &str,
        zone: &str,
    ) -> Result<i64, Fault> {
        let zone = self.time_zone(import, zone)?;
        let mut check = self.check(import);
        let date = check.date("date", date)?;
        check.id("time", time)?;
        let time: Time = Time::strptime("%H:%M", time).or_else(|_| time.parse()).map_err(|_| {
            check.wrong(format_args!("the time `{}`; a time is like 09:30", time.escape_debug()))
        })?;
        Ok(Calendar::instant(date, time, &zone))
    }
}

impl contract::calendar::Host for CallState {
    fn local(&mut self, at: i64, zone: String) -> Answer<Civil> {
        self.enter("calendar", "local")?;
        self.check("calendar.local").instant("at", at)?;
        let zone = self.time_zone("calendar.local", &zone)?;
        let local = Calendar::local(at, &zone);
        Ok(Civil {
            date: local.date().to_string(),
            time: local.strftime("%H:%M").to_string(),
            weekday: local.weekday().to_monday_one_offset() as u8,
        })
    }

    fn instant(&mut self, date: String, time: String, zone: String) -> Answer<i64> {
        self.enter("calendar", "instant")?;
        Ok(self.instant_of("calendar.instant", &date, &time, &zone)?)
    }

    fn working_day(&mut self, date: String) -> Answer<bool> {
        self.enter("calendar", "working-day")?;
        let date = self.check("calendar.working-day").date("date", &date)?;
        Ok(self.around.calendar.is_working_day(date))
    }

    fn add_working_days(&mut self, date: String, days: u32) -> Answer<String> {
        self.enter("calendar", "add-working-days")?;
        let date = self.check("calendar.add-working-days").date("date", &date)?;
        Ok(self.around.calendar.add_working_days(date, days).to_string())
    }

    fn add_days(&mut self, date: String, days: i32) -> Answer<String> {
        self.enter("calendar", "add-days")?;
        let date = self.check("calendar.add-days").date("date", &date)?;
        Ok(Calendar::add_days(date, days).to_string())
    }
}

impl contract::offers::Host for CallState {
    fn discounts(&mut self) -> Answer<Vec<Discount>> {
        self.enter("offers", "discounts")?;
        Ok(self.around.offers.discounts.clone())
    }

    fn delivery(&mut self) -> Answer<Vec<DeliveryOption>> {
        self.enter("offers", "delivery")?;
        Ok(self.around.offers.delivery.clone())
    }

    fn payments(&mut self) -> Answer<Vec<PaymentMethod>> {
        self.enter("offers", "payments")?;
        Ok(self.around.offers.payments.clone())
    }

    fn totals(&mut self) -> Answer<Totals> {
        self.enter("offers", "totals")?;
        Ok(self.around.offers.totals.clone().unwrap_or(Totals {
            subtotal: 0,
            discount: 0,
            delivery: None,
            tax: 0,
            total: 0,
        }))
    }
}

impl CallState {
    /// The customer of the call. What an event's handler makes of it holds only while it stays as it is; a
    /// decision changes nothing, and is compared with nothing.
    fn customer(&mut self) -> Option<Arc<Customer>> {
        let seen = self.around.customer.clone();
        let noted = self.read.iter().any(|read| matches!(read, StateRead::Customer { .. }));
        if let Some(id) = self.customer_id.as_ref().filter(|_| !self.hook.is_stage() && !noted) {
            let (shop, id) = (self.around.shop.id.clone(), id.clone());
            self.read.push(StateRead::Customer { shop, id, seen: seen.clone() });
        }
        seen
    }
}

impl contract::customers::Host for CallState {
    fn current(&mut self) -> Answer<Option<Arc<Customer>>> {
        self.enter("customers", "current")?;
        Ok(self.customer())
    }
}

impl contract::customers_if_granted::Host for CallState {
    fn current(&mut self) -> Answer<Option<Arc<Customer>>> {
        self.enter("customers-if-granted", "current")?;
        if !self.granted("customers") {
            return Ok(None);
        }
        Ok(self.customer())
    }
}

impl contract::orders::Host for CallState {
    fn current(&mut self) -> Answer<Option<Arc<Order>>> {
        self.enter("orders", "current")?;
        Ok(self.around.order.clone())
    }

    fn shipments(&mut self) -> Answer<Vec<Shipment>> {
        self.enter("orders", "shipments")?;
        Ok((*self.around.shipments).clone())
    }
}

impl contract::catalog::Host for CallState {
    async fn get(&mut self, id: String) -> Answer<Option<Arc<Product>>> {
        self.enter("catalog", "get")?;
        self.check("catalog.get").id("id", &id)?;
        let source = self.source.clone();
        let found = source.products(&self.around.shop.id, &[id]).await.map_err(unreadable)?;
        Ok(found.into_iter().next().flatten())
    }

    async fn get_many(&mut self, ids: Vec<String>) -> Answer<Vec<Option<Arc<Product>>>> {
        self.enter("catalog", "get-many")?;
        let mut check = self.check("catalog.get-many");
        check.items("ids", ids.len())?;
        ids.iter().try_for_each(|id| check.id("ids", id))?;
        self.meter.items(ids.len())?;
        let source = self.source.clone();
        Ok(source.products(&self.around.shop.id, &ids).await.map_err(unreadable)?)
    }

    async fn related(&mut self, id: String, limit: u32) -> Answer<Vec<String>> {
        self.enter("catalog", "related")?;
        self.check("catalog.related").id("id", &id)?;
        let source = self.source.clone();
        let limit = limit.min(ITEMS as u32);
        Ok(source.related(&self.around.shop.id, &id, limit).await.map_err(unreadable)?)
    }

    async fn field(&mut self, product: String, key: String) -> Answer<Option<String>> {
        self.enter("catalog", "field")?;
        let mut check = self.check("catalog.field");
        check.id("product", &product)?;
        check.id("key", &key)?;
        let source = self.source.clone();
        Ok(source.field(&self.around.shop.id, &product, &key).await.map_err(unreadable)?)
    }
}

pub(super) fn unreadable(error: crate::domain::ReadError) -> Fault {
    Fault::Host(error.0)
}
