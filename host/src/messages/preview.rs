//! One template with sample data, to look at.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::policy::Category;
use super::render::{Letter, render};
use super::sample;
use crate::decide::MessageContent;
use crate::domain::Value;
use crate::plugins::registry::LiveShop;
use crate::wording::{self, Reader};

/// A rendered message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    pub subject: String,
    pub html: String,
    pub text: String,
    /// What was taken out or not found: links that are not allowed, texts without a translation.
    pub remarks: Vec<String>,
}

/// Renders `plugin`'s `template` (its file name without `.html`) with a sample order and customer, in
/// `locale` or the shop's default. What the plugin would send along is made up by its name: `…_url` is a page of
/// the shop, `coupon` a coupon, `total` an amount, and so on. The error is a sentence with file and line.
pub fn preview(
    shop: &LiveShop,
    plugin: &str,
    template: &str,
    locale: Option<&str>,
    now_ms: i64,
) -> Result<Preview, String> {
    let public = &shop.public;
    let reader = Reader {
        locale: shop.wording.negotiate(locale),
        currency: public.currency.clone(),
        exponent: public.exponent,
        zone: public.zone.clone(),
        now_ms,
    };
    let names = shop.wording.message(plugin, template)?.data_names();
    let data: Vec<(String, Value)> =
        names.into_iter().map(|name| (name.clone(), invent(&name, &public.url, &reader))).collect();
    let products = sample::products(&public.url, &public.currency, public.exponent);
    let order = sample::order(&public.url, &public.country, &public.currency, public.exponent, now_ms);
    let hosts = shop.plugins.iter().find(|live| live.entry.name == plugin);
    let content = MessageContent { recommendations: Vec::new(), notices: Vec::new(), blocks: Vec::new() };
    let rendered = render(&Letter {
        wording: &Arc::clone(&shop.wording),
        reader: &reader,
        shop: public,
        plugin,
        template,
        category: Category::Transactional,
        data: &data,
        first_name: Some(sample::FIRST_NAME),
        company: None,
        order: Some(&order),
        products: &products,
        coupons: &BTreeMap::from([(0, sample::coupon(now_ms))]),
        content: &content,
        hosts: hosts.map_or(&[], |live| &live.entry.hosts),
        unsubscribe_url: None,
    })
    .map_err(|error| error.to_string())?;
    Ok(Preview {
        subject: rendered.subject,
        html: rendered.html,
        text: rendered.text,
        remarks: rendered.remarks,
    })
}

/// A likely value for a name.
fn invent(name: &str, shop_url: &str, reader: &Reader) -> Value {
    const DAY: i64 = 24 * 60 * 60 * 1_000;
    let has = |words: &[&str]| name.split('_').any(|part| words.contains(&part));
    let units = 10_i64.saturating_pow(u32::from(reader.exponent.min(4)));
    if has(&["url", "link", "page"]) {
        Value::Url(format!("{}/{}", shop_url.trim_end_matches('/'), name.replace('_', "-")))
    } else if has(&["coupon", "code"]) {
        Value::Coupon(0)
    } else if has(&["products", "items", "recommendations"]) {
        Value::Products(["linen-shirt", "wool-socks", "belt"].map(str::to_owned).to_vec())
    } else if has(&["total", "sum", "amount", "price", "spent"]) {
        Value::Money(25 * units)
    } else if has(&["date", "day", "since", "earliest", "latest"]) {
        Value::Date(wording::local_date(reader.now_ms + 3 * DAY, reader))
    } else if has(&["at", "until", "expires", "when"]) {
        Value::Instant(reader.now_ms + DAY)
    } else if has(&["count", "points", "years", "days", "number_of", "percent", "missing", "quantity"]) {
        Value::Int(if has(&["points", "missing"]) { 250 } else { 10 })
    } else {
        let text = match name {
            "stage" => "out-for-delivery",
            "shipment" => "parcel-1",
            "tier" => "Silver",
            "next" => "Gold",
            "place" => "Kraków",
            "carrier" => "InPost",
            "number" => "#1001",
            "ships" | "ask" | "partial" => "1",
            other => other,
        };
        Value::String(text.to_owned())
    }
}
