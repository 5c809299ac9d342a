//! What holds of every answer, whatever the plugins said.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use url::Url;

use super::{GRANTED, Trial};
use crate::decide::answer::{
    Answer, AppliedDiscount, OfferedDelivery, ShownBlock, ShownNotice, ShownRecommendation, ShownTotals,
};
use crate::decide::quote;
use crate::decide::stand_ins::NOW;
use crate::decide::totals::cap_of;
use crate::domain::money::MAX_AMOUNT;
use crate::domain::{DecisionHook, plain};

/// The stand-ins' key.
const KEY: [u8; 32] = [7; 32];

pub fn hold(answer: &Answer, trial: &Trial) {
    of_texts(&serde_json::to_value(answer).unwrap());
    let totals = answer.totals.as_ref().unwrap();
    of_totals(totals, trial);
    of_discounts(&answer.discounts, totals, trial);
    of_delivery(answer, totals, trial);
    of_content(&answer.recommendations, &answer.notices, &answer.blocks, trial);
    let had = |shown: &ShownRecommendation| trial.cart.lines.iter().any(|line| line.product == shown.product);
    assert!(!answer.recommendations.iter().any(had), "the shopper has it already");

    once("payment", answer.payments.iter().map(|payment| payment.id.as_str()));
    let methods: Vec<&str> = trial.cart.payment_methods.iter().map(|method| method.id.as_str()).collect();
    assert!(answer.payments.iter().all(|payment| methods.contains(&payment.id.as_str())));
    assert_eq!(answer.payments.is_empty(), methods.is_empty(), "a shopper must be able to pay");

    once("refusal", answer.refusals.iter().map(|refusal| refusal.id.as_str()));
    for refusal in &answer.refusals {
        let known = ["cart", "delivery", "payment"].contains(&refusal.target.as_str());
        assert!(known || trial.cart.lines.iter().any(|line| line.id == refusal.target), "{refusal:?}");
    }
    let entered: Vec<&str> = trial.cart.codes.iter().map(|code| code.code.as_str()).collect();
    assert_eq!(answer.codes.iter().map(|code| code.code.as_str()).collect::<Vec<_>>(), entered);
    assert!(answer.valid_until >= NOW);
}

/// Every text is one line that reads as it is written, no template's work, and not without end; every number can
/// be held by every language.
pub fn of_texts(value: &Value) {
    match value {
        Value::String(text) => {
            assert!(!text.chars().any(plain::is_hidden), "hidden characters in {text:?}");
            assert!(text.chars().count() <= plain::SHOWN, "{} characters", text.chars().count());
            assert!(!text.contains("pwned"), "evaluated: {text}");
        }
        Value::Number(number) => {
            let number = number.as_i64().unwrap_or_else(|| panic!("{number} is no amount"));
            assert!((-MAX_AMOUNT..=MAX_AMOUNT).contains(&number), "{number}");
        }
        Value::Array(items) => items.iter().for_each(of_texts),
        Value::Object(fields) => {
            // A quote is not read but sent back, and has its own bounds.
            fields.iter().filter(|(name, _)| *name != "quote").for_each(|(_, value)| of_texts(value));
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn of_totals(shown: &ShownTotals, trial: &Trial) {
    let totals = &shown.totals;
    let sum = |of: fn(&crate::decide::answer::LineTotals) -> i64| shown.lines.iter().map(of).sum::<i64>();
    for part in [totals.subtotal, totals.discount, totals.tax, totals.total, totals.delivery.unwrap_or(0)] {
        assert!((0..=MAX_AMOUNT).contains(&part), "{totals:?}");
    }
    assert_eq!(sum(|line| line.subtotal), totals.subtotal);
    assert_eq!(sum(|line| line.discount), totals.discount);
    assert_eq!(sum(|line| line.tax), totals.tax);
    let added = if trial.cart.prices_include_tax { 0 } else { totals.tax };
    let total = totals.subtotal - totals.discount + added + totals.delivery.unwrap_or(0);
    assert_eq!(total, totals.total, "the parts are the total: {totals:?}");
    assert_eq!(shown.lines.len(), trial.cart.lines.len());
    for (line, of_cart) in shown.lines.iter().zip(&trial.cart.lines) {
        assert_eq!((line.id.as_str(), Some(line.subtotal)), (of_cart.id.as_str(), of_cart.total()));
        assert!(line.total >= 0 && line.discount >= 0 && line.tax >= 0, "{line:?}");
        assert_eq!(line.subtotal - line.discount, line.total, "{line:?}");
        assert!(!of_cart.gift_card || line.discount == 0, "a gift card is money: {line:?}");
    }
}

fn of_discounts(discounts: &[AppliedDiscount], totals: &ShownTotals, trial: &Trial) {
    once("discount", discounts.iter().map(|discount| discount.id.as_str()));
    let mut by_target: BTreeMap<&str, i64> = BTreeMap::new();
    let mut by_class: BTreeMap<&str, i64> = BTreeMap::new();
    for discount in discounts {
        assert!(discount.amount.amount >= 0, "{discount:?}");
        let allocated: i64 = discount.allocations.iter().map(|part| part.amount).sum();
        assert_eq!(allocated, discount.amount.amount, "{discount:?}");
        for part in &discount.allocations {
            assert!(part.amount > 0, "{discount:?}");
            *by_target.entry(&part.target).or_default() += part.amount;
        }
        *by_class.entry(&discount.class).or_default() += allocated;
    }
    for line in &totals.lines {
        assert_eq!(by_target.get(line.id.as_str()).copied().unwrap_or(0), line.discount, "{line:?}");
    }
    let targets = by_target.keys().filter(|target| **target != "delivery");
    assert!(targets.into_iter().all(|target| totals.lines.iter().any(|line| line.id == *target)));
    let base =
        trial.cart.lines.iter().filter(|line| !line.gift_card).filter_map(crate::domain::Line::total).sum();
    if let Some(cap) = trial.rules.max_basis_points {
        assert!(totals.totals.discount <= cap_of(base, cap), "max_basis_points");
    }
    for (class, cap) in &trial.rules.class_caps {
        let taken = by_class.get(class.as_str()).copied().unwrap_or(0);
        assert!(taken <= cap_of(base, *cap), "class_caps.{class}: {taken}");
    }
}

fn of_delivery(answer: &Answer, totals: &ShownTotals, trial: &Trial) {
    once("delivery option", answer.delivery_options.iter().map(|option| option.id.as_str()));
    for option in &answer.delivery_options {
        assert!(0 <= option.price.amount && option.price.amount <= option.full_price.amount, "{option:?}");
        assert!(option.group.iter().all(|group| trial.cart.groups.iter().any(|known| known.id == *group)));
        assert!(option.order_before.is_none_or(|before| before > NOW), "{option:?}");
        if let Some(arrival) = &option.arrival {
            assert!(
                arrival.earliest <= arrival.latest && arrival.earliest.as_str() >= "2026-11-28",
                "{arrival:?}"
            );
        }
        once("pick-up point", option.pickup_points.iter().map(|point| point.id.as_str()));
        of_quote(option, trial);
    }
    // The cheapest way to deliver everything: in one piece, or by groups when that costs less.
    let least = |group: Option<&str>| {
        let of_group = answer.delivery_options.iter().filter(|option| option.group.as_deref() == group);
        of_group.min_by_key(|option| option.price.amount).map(|option| vec![option])
    };
    let groups = trial.cart.groups.iter().map(|group| least(Some(&group.id)));
    let split: Option<Vec<_>> = groups.collect::<Option<Vec<_>>>().filter(|groups| !groups.is_empty());
    let price = |way: &Vec<&OfferedDelivery>| way.iter().map(|option| option.price.amount).sum::<i64>();
    let ways = least(None).into_iter().chain(split.map(|groups| groups.concat()));
    let cheapest = ways.min_by_key(price);
    assert_eq!(totals.totals.delivery, cheapest.as_ref().map(price), "{:?}", answer.delivery_options);
    let taken = answer.discounts.iter().flat_map(|discount| &discount.allocations);
    let taken: i64 = taken.filter(|part| part.target == "delivery").map(|part| part.amount).sum();
    let saved = cheapest.iter().flatten().map(|option| option.full_price.amount - option.price.amount);
    assert_eq!(saved.sum::<i64>(), taken, "what discounts take off delivery is what it costs less");
}

fn of_quote(option: &OfferedDelivery, trial: &Trial) {
    assert_eq!(option.quote.is_none(), trial.hook == DecisionHook::ProductPage);
    let Some(text) = &option.quote else { return };
    let quote = quote::verify(&KEY, text, "test", NOW).unwrap_or_else(|error| panic!("{error}: {option:?}"));
    assert_eq!((&quote.cart, &quote.option, quote.price), (&trial.cart.id, &option.id, option.price.amount));
    assert_eq!((&quote.currency, &quote.arrival), (&trial.cart.currency, &option.arrival));
    assert!(option.title.starts_with(quote.title.trim_end_matches('…')), "{quote:?} of {option:?}");
}

pub fn of_content(
    recommendations: &[ShownRecommendation],
    notices: &[ShownNotice],
    blocks: &[ShownBlock],
    trial: &Trial,
) {
    once("recommendation", recommendations.iter().map(|shown| shown.product.as_str()));
    for shown in recommendations {
        let product =
            trial.products.get(&shown.product).unwrap_or_else(|| panic!("no such product: {shown:?}"));
        assert!(product.in_stock && shown.price.amount == product.price && shown.url == product.url);
    }
    once("notice", notices.iter().map(|notice| notice.id.as_str()));
    assert!(notices.iter().all(|notice| ["info", "success", "warning"].contains(&notice.severity.as_str())));
    once("block", blocks.iter().map(|block| block.id.as_str()));
    for block in blocks {
        for link in block.link.iter().chain(&block.image) {
            let url = Url::parse("https://shop.example/").unwrap().join(link).unwrap();
            let own = url.host_str() == Some("shop.example") && url.port().is_none();
            let granted = block.plugin == "one" && url.host_str() == Some(GRANTED);
            assert!(url.scheme() == "https" && (own || granted), "{link:?} of {}", block.plugin);
            assert!(url.username().is_empty() && url.password().is_none(), "{link:?}");
        }
        assert!(block.link.is_some() || block.link_title.is_none(), "{block:?}");
    }
}

fn once<'a>(what: &str, ids: impl Iterator<Item = &'a str>) {
    let mut seen = BTreeSet::new();
    for id in ids {
        assert!(!id.is_empty() && seen.insert(id), "{what} {id:?} is empty or comes twice");
    }
}
