//! Imports that tell.

use super::super::world::with;

pub(crate) mod context {
    use super::with;
    use crate::types::{Level, Shop};

    pub fn hook() -> String {
        with(|world| world.hook.clone())
    }

    pub fn now_ms() -> i64 {
        with(|world| world.now)
    }

    pub fn zone() -> String {
        with(|world| {
            let customer = world.customer.as_ref().and_then(|customer| customer.zone.clone());
            world.zone.clone().or(customer).unwrap_or_else(|| world.shop.zone.clone())
        })
    }

    pub fn seed() -> u64 {
        with(|world| world.seed)
    }

    pub fn locale() -> String {
        with(|world| {
            let customer = world.customer.as_ref().and_then(|customer| customer.locale.clone());
            let first = world.shop.locales.first().cloned();
            world.locale.clone().or(customer).or(first).unwrap_or_else(|| "en".into())
        })
    }

    pub fn shop() -> Shop {
        with(|world| world.shop.clone())
    }

    pub fn viewed() -> Vec<String> {
        with(|world| world.viewed.clone())
    }

    pub fn settings() -> String {
        with(|world| world.settings.clone())
    }

    pub fn late() -> bool {
        with(|world| world.late)
    }

    pub fn log(level: Level, message: &str) {
        with(|world| world.log.push((level, message.to_owned())));
    }
}

pub(crate) mod calendar {
    use jiff::civil::{Date, Time};
    use jiff::tz::TimeZone;
    use jiff::{Timestamp, ToSpan};

    use super::with;
    use crate::types::Civil;

    pub(crate) fn time_zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap_or_else(|_| panic!("`{name}` is no IANA time zone"))
    }

    fn parse_date(date: &str) -> Date {
        date.parse().unwrap_or_else(|_| panic!("`{date}` is no date: write YYYY-MM-DD"))
    }

    pub fn local(at: i64, zone: &str) -> Civil {
        let instant = Timestamp::from_millisecond(at)
            .unwrap_or_else(|_| panic!("{at} is no instant in UTC milliseconds"));
        let local = instant.to_zoned(time_zone(zone));
        Civil {
            date: local.date().to_string(),
            time: local.strftime("%H:%M").to_string(),
            weekday: local.weekday().to_monday_one_offset().unsigned_abs(),
        }
    }

    pub fn instant(date: &str, time: &str, zone: &str) -> i64 {
        let time = Time::strptime("%H:%M", time)
            .unwrap_or_else(|_| panic!("`{time}` is no time of day: write HH:MM"));
        // The compatible rule of RFC 5545 moves a skipped time forward.
        let local = time_zone(zone).to_zoned(parse_date(date).to_datetime(time));
        local.unwrap_or_else(|_| panic!("`{date}` is out of range")).timestamp().as_millisecond()
    }

    pub fn working_day(date: &str) -> bool {
        let weekday = parse_date(date).weekday().to_monday_one_offset().unsigned_abs();
        with(|world| world.working_days.contains(&weekday) && !world.holidays.contains(date))
    }

    fn next_working_day(mut date: String) -> String {
        for _ in 0..366 {
            if working_day(&date) {
                return date;
            }
            date = add_days(&date, 1);
        }
        panic!("the calendar has no working day in a year")
    }

    pub fn add_working_days(date: &str, days: u32) -> String {
        let mut date = next_working_day(date.to_owned());
        for _ in 0..days {
            date = next_working_day(add_days(&date, 1));
        }
        date
    }

    pub fn add_days(date: &str, days: i32) -> String {
        let moved = parse_date(date).checked_add(days.days());
        moved.unwrap_or_else(|_| panic!("`{date}` and {days} days is out of range")).to_string()
    }
}

pub(crate) mod offers {
    use super::with;
    use crate::types::{DeliveryOption, Discount, PaymentMethod, Totals};

    pub fn discounts() -> Vec<Discount> {
        with(|world| world.discounts.clone())
    }

    pub fn delivery() -> Vec<DeliveryOption> {
        with(|world| world.delivery.clone())
    }

    pub fn payments() -> Vec<PaymentMethod> {
        with(|world| world.payments.clone())
    }

    pub fn totals() -> Totals {
        with(|world| world.totals)
    }
}

pub(crate) mod customers {
    use super::with;
    use crate::types::Customer;

    pub fn current() -> Option<Customer> {
        with(|world| {
            assert!(
                world.customers_granted,
                "the plugin imports `customers`, which is not granted here; `customers::current_if_granted` can do without"
            );
            world.customer.clone()
        })
    }
}

pub(crate) mod customers_if_granted {
    use super::with;
    use crate::types::Customer;

    pub fn current() -> Option<Customer> {
        with(|world| world.customer.clone().filter(|_| world.customers_granted))
    }
}

pub(crate) mod orders {
    use super::with;
    use crate::types::{Order, Shipment};

    pub fn current() -> Option<Order> {
        with(|world| world.order.clone())
    }

    pub fn shipments() -> Vec<Shipment> {
        with(|world| world.shipments.clone())
    }
}

pub(crate) mod catalog {
    use super::with;
    use crate::types::Product;

    pub fn get(id: &str) -> Option<Product> {
        with(|world| world.products.get(id).cloned())
    }

    pub fn get_many(ids: &[String]) -> Vec<Option<Product>> {
        with(|world| ids.iter().map(|id| world.products.get(id).cloned()).collect())
    }

    pub fn related(id: &str, limit: u32) -> Vec<String> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        with(|world| world.related.get(id).into_iter().flatten().take(limit).cloned().collect())
    }

    pub fn field(product: &str, key: &str) -> Option<String> {
        with(|world| world.fields.get(&(product.to_owned(), key.to_owned())).cloned())
    }
}

pub(crate) mod http {
    use super::with;
    use crate::types::{HttpRequest, HttpResponse};

    /// Questions of one call, as the real host counts them.
    const QUESTIONS: u32 = 16;

    pub fn get(request: &HttpRequest) -> Result<HttpResponse, String> {
        with(|world| {
            world.asked.push(request.clone());
            world.questions += 1;
            if world.questions > QUESTIONS {
                return Err(crate::http::TOO_MANY.to_owned());
            }
            let Some(answers) = world.pages.get_mut(&request.url) else {
                panic!("the test has no answer for GET {}: see MockHost::page", request.url)
            };
            let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
            answer.unwrap_or_else(|| Err(crate::http::UNREACHABLE.to_owned()))
        })
    }
}
