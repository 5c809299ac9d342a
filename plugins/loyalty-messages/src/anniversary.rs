//! Thanks, each year, on the day of the first purchase.

use cartwright_sdk::prelude::*;

/// Sets the timer for the next anniversary; setting it again for the same day changes nothing.
pub fn arm(customer: &Customer, first_order_at: i64, time: &str) {
    let zone = context::zone();
    let first = calendar::local(first_order_at, &zone).date;
    let today = calendar::now_for_customer().date;
    set(customer, &first, &today, time, &zone);
}

/// There is nothing to thank for.
pub fn disarm(customer: &Customer) {
    timers::cancel(&key(customer));
}

/// Says thank you, and sets the timer for the next year.
pub fn thank(customer: &Customer, timer: &DueTimer, time: &str) {
    let zone = context::zone();
    let first = &timer.payload;
    let day = calendar::local(timer.due_at, &zone).date;
    let years = year(&day) - year(first);
    if years > 0 {
        Message::new("anniversary")
            .data("years", years)
            .data("since", value::date(first))
            .data("points", customer.points)
            .marketing()
            .not_after(timer.due_at + calendar::days(7))
            .dedupe(&format!("anniversary/{years}"))
            .send();
    }
    let today = calendar::now_for_customer().date;
    set(customer, first, today.as_str().max(&day), time, &zone);
}

fn set(customer: &Customer, first: &str, today: &str, time: &str, zone: &str) {
    timers::at_local(&key(customer), &next_anniversary(first, today), time, zone, first);
}

fn key(customer: &Customer) -> String {
    format!("anniversary/{}", customer.id)
}

/// The first anniversary of `first` after `today`; of 29 February on the 28th where there is no 29th.
pub fn next_anniversary(first: &str, today: &str) -> String {
    let day = first.get(4..).unwrap_or_default();
    let years = year(today).max(year(first) + 1)..;
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    years
        .map(|year| match day {
            "-02-29" if !leap(year) => format!("{year:04}-02-28"),
            _ => format!("{year:04}{day}"),
        })
        .find(|date| date.as_str() > today)
        .unwrap_or_default()
}

fn year(date: &str) -> i64 {
    date.get(..4).and_then(|year| year.parse().ok()).unwrap_or(0)
}
