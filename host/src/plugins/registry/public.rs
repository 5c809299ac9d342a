//! What plugins and pages are told of a shop.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use crate::config::ShopConfig;
use crate::config::calendar::Calendar;
use crate::domain::{Shop, money};

/// The shop, and its days; the error is a sentence.
pub(super) fn public(config: &ShopConfig) -> Result<(Shop, Calendar), String> {
    let zone = TimeZone::get(&config.zone)
        .map_err(|_| format!("there is no time zone `{}`; one is like Europe/Warsaw", config.zone))?;
    let exponent = money::exponent(&config.currency)
        .ok_or_else(|| format!("there is no currency `{}`; one is like EUR", config.currency))?;
    let working = config.working_days.iter().map(|day| weekday(day)).collect::<Result<Vec<_>, _>>()?;
    let shop = Shop {
        id: config.id.clone(),
        name: config.name.clone(),
        url: config.url.clone(),
        currency: config.currency.clone(),
        exponent,
        locales: config.locales.clone(),
        zone: config.zone.clone(),
        country: config.country.clone(),
        contact: config.contact.clone(),
    };
    Ok((shop, Calendar::new(zone, working, config.holidays.clone())))
}

fn weekday(name: &str) -> Result<Weekday, String> {
    Ok(match name {
        "mon" => Weekday::Monday,
        "tue" => Weekday::Tuesday,
        "wed" => Weekday::Wednesday,
        "thu" => Weekday::Thursday,
        "fri" => Weekday::Friday,
        "sat" => Weekday::Saturday,
        "sun" => Weekday::Sunday,
        _ => {
            return Err(format!(
                "there is no day `{name}`; `working_days` has mon, tue, wed, thu, fri, sat, sun"
            ));
        }
    })
}
