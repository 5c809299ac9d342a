//! Ways of delivery: what they cost, when they arrive, and how long one may still order for that.

mod content;
mod schedule;
mod settings;
#[cfg(test)]
mod tests;

use cartwright_sdk::prelude::*;

use schedule::{Pace, countdown, schedule};
use settings::{DeliverySettings, Method, Point, Rate};

struct DeliveryOptions;

export!(DeliveryOptions: delivery, content; settings: DeliverySettings);

impl Delivery for DeliveryOptions {
    fn offer(cart: Cart) -> Outcome {
        let offer = Offer::new(&cart, offers::totals().discount)?;
        for found in offer.options()? {
            found.option.add();
        }
        Ok(())
    }
}

impl Content for DeliveryOptions {
    fn fill(page: String, cart: Option<Cart>, _product: Option<String>) -> Outcome {
        let Some(cart) = cart.filter(|cart| !cart.lines.is_empty()) else { return Ok(()) };
        // Discounts are being decided at the same time: here they are unknown.
        let offer = Offer::new(&cart, 0)?;
        match page.as_str() {
            "product-page" => content::summarise(&offer),
            "cart" | "checkout" => content::show_free_delivery(&offer),
            _ => Ok(()),
        }
    }
}

/// Lines that travel together.
struct Parcel<'a> {
    group: Option<&'a str>,
    to: &'a Place,
    grams: u64,
}

struct Found {
    option: DeliveryOption,
    /// The method's name, to be mentioned in a sentence.
    name: Value,
    /// The latest day of arrival, to compare by.
    latest: String,
}

/// One cart, and all that its delivery depends on.
struct Offer<'a> {
    cart: &'a Cart,
    /// Minor units, after discounts.
    goods: i64,
    shop: Shop,
    home: Place,
    now: i64,
    settings: DeliverySettings,
}

impl<'a> Offer<'a> {
    fn new(cart: &'a Cart, discount: i64) -> Result<Self, String> {
        let settings = settings::<DeliverySettings>()?;
        let shop = context::shop();
        Ok(Self {
            cart,
            goods: cart.subtotal().saturating_sub(discount).max(0),
            home: Place::country(&shop.country),
            shop,
            now: context::now(),
            settings,
        })
    }

    /// Without a destination we answer for the shop's own country.
    fn destination(&self) -> &Place {
        let only = match self.cart.groups.as_slice() {
            [group] => group.destination.as_ref(),
            _ => None,
        };
        only.or(self.cart.destination.as_ref()).unwrap_or(&self.home)
    }

    /// The cart as one parcel, or one for each of several delivery groups.
    fn parcels(&self) -> Vec<Parcel<'_>> {
        let to = self.destination();
        if self.cart.groups.len() < 2 {
            return vec![Parcel { group: None, to, grams: self.cart.weight() }];
        }
        let shipped = |group: &DeliveryGroup| -> Option<u64> {
            let mut lines = self
                .cart
                .lines
                .iter()
                .filter(|line| line.requires_shipping && group.lines.contains(&line.id))
                .peekable();
            lines.peek()?;
            Some(lines.map(Line::weight).fold(0, u64::saturating_add))
        };
        let parcel = |group: &'a DeliveryGroup| {
            Some(Parcel {
                group: Some(&group.id),
                to: group.destination.as_ref().unwrap_or(to),
                grams: shipped(group)?,
            })
        };
        self.cart.groups.iter().filter_map(parcel).collect()
    }

    fn options(&self) -> Result<Vec<Found>, String> {
        if self.cart.lines.is_empty() {
            return Ok(Vec::new());
        }
        if !self.cart.requires_shipping() {
            let option =
                DeliveryOption::new("digital", text("method-digital").or("Download")).kind("digital");
            return Ok(vec![Found { option, name: value::text("method-digital"), latest: String::new() }]);
        }
        let mut found = Vec::new();
        for parcel in self.parcels() {
            for method in &self.settings.methods {
                if let Some(rate) = self.rate(method, &parcel, self.goods)
                    && let Some(price) = self.price(rate, self.goods)
                {
                    found.extend(self.option(method, rate, price, &parcel)?);
                }
            }
        }
        if found.is_empty() {
            context::log::warn(&format!(
                "no method has a rate for this cart: {}, {} g, {}",
                self.cart.country().unwrap_or(&self.shop.country),
                self.cart.weight(),
                self.cart.currency,
            ));
        }
        Ok(found)
    }

    /// The rate of a cart with so much in it.
    fn rate<'m>(&self, method: &'m Method, parcel: &Parcel, goods: i64) -> Option<&'m Rate> {
        method.rates.iter().find(|rate| {
            self.reaches(rate, parcel)
                && rate
                    .from_total
                    .as_ref()
                    .is_none_or(|from| from.of(self.cart).is_some_and(|least| goods >= least))
        })
    }

    /// Whatever the cart's total.
    fn reaches(&self, rate: &Rate, parcel: &Parcel) -> bool {
        self.lies_in(parcel.to, &rate.zone)
            && rate.max_grams.is_none_or(|most| parcel.grams <= u64::from(most))
    }

    /// From which total on some delivery is free, in minor units; only what would be offered counts.
    fn threshold(&self) -> Result<Option<i64>, String> {
        let parcels = self.parcels();
        let [parcel] = parcels.as_slice() else { return Ok(None) };
        let mut least = None;
        for method in &self.settings.methods {
            let totals = method.rates.iter().flat_map(|rate| [&rate.from_total, &rate.free_from]);
            for goods in totals.filter_map(|total| total.as_ref()?.of(self.cart)) {
                if least.is_none_or(|least| goods < least)
                    && let Some(rate) = self.rate(method, parcel, goods)
                    && self.price(rate, goods) == Some(0)
                    && self.option(method, rate, 0, parcel)?.is_some()
                {
                    least = Some(goods);
                }
            }
        }
        Ok(least)
    }

    fn price(&self, rate: &Rate, goods: i64) -> Option<i64> {
        let price = rate.price.of(self.cart)?;
        let free =
            rate.free_from.as_ref().and_then(|from| from.of(self.cart)).is_some_and(|from| goods >= from);
        Some(if free { 0 } else { price })
    }

    fn lies_in(&self, place: &Place, zone: &str) -> bool {
        let named = |names: &[String], name: Option<&str>| {
            names.is_empty()
                || name.is_some_and(|name| names.iter().any(|known| known.eq_ignore_ascii_case(name)))
        };
        match zone {
            "world" => true,
            "home" => place.country.eq_ignore_ascii_case(&self.shop.country),
            _ => self.settings.zones.iter().filter(|known| known.id == zone).any(|zone| {
                named(&zone.countries, Some(&place.country))
                    && named(&zone.regions, place.region.as_deref())
                    && (zone.postcodes.is_empty()
                        || place.postcode.as_deref().is_some_and(|postcode| {
                            zone.postcodes.iter().any(|beginning| postcode.starts_with(beginning.as_str()))
                        }))
            }),
        }
    }

    fn option(
        &self,
        method: &Method,
        rate: &Rate,
        price: i64,
        parcel: &Parcel,
    ) -> Result<Option<Found>, String> {
        let pace = Pace {
            cut_off: method.cut_off.as_deref().unwrap_or(&self.settings.cut_off),
            packing_days: self.settings.packing_days,
            every_day: method.every_day,
            days: (rate.days_min, rate.days_max),
        };
        let schedule = schedule(self.now, &self.shop.zone, &pace)?;
        if method.only_before_cut_off && !schedule.today {
            return Ok(None);
        }
        let points = points_near(&method.points, parcel.to);
        if points.is_empty() && !method.points.is_empty() {
            return Ok(None);
        }
        let key = format!("method-{}", method.id);
        let (title, name) = match &method.title {
            Some(title) => (literal(title), Value::String(title.clone())),
            None => (text(&key).or(&method.id), Value::Text(key)),
        };
        let mut option = DeliveryOption::new(&method.id, title)
            .kind(method.kind.name())
            .price(price)
            .arrival(&schedule.arrival.earliest, &schedule.arrival.latest)
            .order_before(schedule.order_before);
        option.carrier.clone_from(&method.carrier);
        option.group = parcel.group.map(str::to_owned);
        option.description = countdown(schedule.order_before, self.now, self.settings.countdown_hours);
        option.pickup_points = points;
        Ok(Some(Found { option, name, latest: schedule.arrival.latest }))
    }
}

/// Those in the city when there are any, else those in the country.
fn points_near(points: &[Point], to: &Place) -> Vec<PickupPoint> {
    let in_country: Vec<&Point> =
        points.iter().filter(|point| point.country.eq_ignore_ascii_case(&to.country)).collect();
    let in_city = |point: &&Point| match (&point.city, &to.city) {
        (Some(point), Some(city)) => point.eq_ignore_ascii_case(city),
        _ => false,
    };
    let near: Vec<&Point> = in_country.iter().copied().filter(in_city).collect();
    let chosen = if near.is_empty() { in_country } else { near };
    chosen
        .into_iter()
        .map(|point| PickupPoint {
            id: point.id.clone(),
            name: point.name.clone(),
            place: Place {
                country: point.country.clone(),
                region: None,
                city: point.city.clone(),
                postcode: point.postcode.clone(),
            },
        })
        .collect()
}
