//! Prices of delivery options after the discounts on delivery. Pure.

use std::collections::BTreeMap;

use super::{allocate, percent_of};
use crate::domain::DiscountValue;
use crate::domain::money::MAX_AMOUNT;

/// A discount on delivery, in the order of application.
#[derive(Debug, Clone)]
pub struct DeliveryDiscount<'a> {
    pub value: &'a DiscountValue,
    pub class: &'a str,
    /// Of its class only the best counts, for each option.
    pub best_of: bool,
}

/// A delivery option, as far as its price goes.
#[derive(Debug, Clone)]
pub struct PricedOption<'a> {
    pub price: i64,
    /// None: the whole cart.
    pub group: Option<&'a str>,
}

/// What became of one option's price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryPrice {
    pub price: i64,
    /// What each discount takes off, in the order of the discounts.
    pub cuts: Vec<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryPrices {
    pub options: Vec<DeliveryPrice>,
    /// The options that deliver the whole cart for the least, one for each group when it is split.
    pub cheapest: Vec<usize>,
    /// Their prices together; none when the options do not cover the cart.
    pub total: Option<i64>,
}

/// Takes the discounts off each option. Options of one group are alternatives, and groups are paid for
/// together; so what is a sum (an amount, what is left of a class's cap) is split evenly over the
/// groups that have options. An option for the whole cart gets all of it.
///
/// `caps`: what each class may still take off. `groups`: the cart's, in its order.
#[must_use]
pub fn price_delivery(
    options: &[PricedOption<'_>],
    discounts: &[DeliveryDiscount<'_>],
    caps: &BTreeMap<&str, i64>,
    groups: &[&str],
) -> DeliveryPrices {
    let served: Vec<&str> = groups
        .iter()
        .copied()
        .filter(|group| options.iter().any(|option| option.group == Some(group)))
        .collect();
    let priced: Vec<DeliveryPrice> =
        options.iter().map(|option| price_option(option, discounts, caps, &served)).collect();
    let cheapest = cheapest(options, &priced, groups);
    let total = sum_of(&priced, cheapest.as_deref());
    DeliveryPrices { options: priced, cheapest: cheapest.unwrap_or_default(), total }
}

fn price_option(
    option: &PricedOption<'_>,
    discounts: &[DeliveryDiscount<'_>],
    caps: &BTreeMap<&str, i64>,
    served: &[&str],
) -> DeliveryPrice {
    let mut caps: BTreeMap<&str, i64> =
        caps.iter().map(|(class, cap)| (*class, part(*cap, option.group, served))).collect();
    let mut left = option.price.max(0);
    let mut cuts = vec![0; discounts.len()];
    let mut settled: Vec<&str> = Vec::new();
    for (at, discount) in discounts.iter().enumerate() {
        if settled.contains(&discount.class) {
            continue;
        }
        let worth = |discount: &DeliveryDiscount<'_>| match discount.value {
            DiscountValue::Percent(basis_points) => percent_of(left, *basis_points),
            DiscountValue::Amount(amount) => part((*amount).max(0), option.group, served).min(left),
        };
        let mut best = (at, worth(discount));
        if discount.best_of {
            // The best of a class applies at the place of its first.
            settled.push(discount.class);
            for (at, rival) in discounts.iter().enumerate() {
                if rival.class == discount.class && worth(rival) > best.1 {
                    best = (at, worth(rival));
                }
            }
        }
        let cap = caps.get(discount.class).copied().unwrap_or(MAX_AMOUNT);
        let cut = best.1.min(cap).max(0);
        if let Some(cap) = caps.get_mut(discount.class) {
            *cap = cap.saturating_sub(cut);
        }
        left = left.saturating_sub(cut);
        if let Some(slot) = cuts.get_mut(best.0) {
            *slot = cut;
        }
    }
    DeliveryPrice { price: left, cuts }
}

/// A group's part of a sum that all groups share.
fn part(amount: i64, group: Option<&str>, served: &[&str]) -> i64 {
    let Some(group) = group else { return amount };
    let shares = allocate(amount, &vec![1; served.len()], |at| served.get(at).copied().unwrap_or(""));
    served.iter().position(|each| *each == group).and_then(|at| shares?.get(at).copied()).unwrap_or(0)
}

/// One option for the whole cart, or one for each group, whichever costs less; the former when equal.
fn cheapest(options: &[PricedOption<'_>], priced: &[DeliveryPrice], groups: &[&str]) -> Option<Vec<usize>> {
    let least = |group: Option<&str>| {
        let of_group =
            options.iter().zip(priced).enumerate().filter(|(_, (option, _))| option.group == group);
        of_group.min_by_key(|(_, (_, priced))| priced.price).map(|(at, _)| at)
    };
    let whole = least(None).map(|at| vec![at]);
    let split: Option<Vec<usize>> =
        if groups.is_empty() { None } else { groups.iter().map(|group| least(Some(group))).collect() };
    match (sum_of(priced, whole.as_deref()), sum_of(priced, split.as_deref())) {
        (Some(one), Some(many)) if many < one => split,
        (Some(_), _) => whole,
        (None, Some(_)) => split,
        (None, None) => None,
    }
}

/// `None` too when the sum passes 2^53-1.
fn sum_of(priced: &[DeliveryPrice], chosen: Option<&[usize]>) -> Option<i64> {
    let prices = chosen?.iter().map(|at| priced.get(*at).map(|priced| priced.price));
    prices.into_iter().try_fold(0_i64, |sum, price| sum.checked_add(price?)).filter(|sum| *sum <= MAX_AMOUNT)
}
