//! The stages of a cart, one after the other: `pricing`, `delivery`, `review`; each sees what the stages
//! before came to.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::answer::ShownCode;
use super::asked::{Asked, Basket};
use super::explain::Trace;
use super::merge::{
    Contribution, OfferedOption, Pricing, Refusal, ReviewedPayment, merge_delivery, merge_discounts,
    merge_review,
};
use super::stages::{Answered, Course, Stages};
use super::totals::{DeliveryDiscount, DeliveryPrices, PricedOption, price_delivery};
use super::{coupons, fallback};
use crate::config::DiscountRules;
use crate::domain::{Cart, DiscountTarget, Effect, Hook};
use crate::plugins::call::{Input, Offers, Surroundings};

/// What the stages came to.
pub struct Offered {
    pub pricing: Pricing,
    pub options: Vec<OfferedOption>,
    /// Of `options`, in their order.
    pub prices: DeliveryPrices,
    pub payments: Vec<ReviewedPayment>,
    pub refusals: Vec<Refusal>,
    pub codes: Vec<ShownCode>,
    /// By stage, in the order of the stages.
    pub answered: Vec<(Hook, Vec<Answered>)>,
    /// The shop's own options, when nothing else came.
    pub fallback: Vec<Effect>,
    pub trace: Trace,
}

/// Runs the stages of the hook.
pub async fn run(
    stages: &Stages,
    asked: &Asked,
    basket: &Basket,
    course: &Course<'_>,
    hook_stages: &[Hook],
) -> Offered {
    let cart = &basket.cart;
    let rules = &asked.shop.config.discounts;
    let room = basket.sheet.room();
    let input = Input::Cart(Arc::clone(cart));
    let mut trace = Trace::default();
    let mut answered = Vec::new();
    let mut so_far = Offered {
        pricing: price(basket, &[], rules, &mut Trace::default()),
        options: Vec::new(),
        prices: price_delivery(&[], &[], &BTreeMap::new(), &[]),
        payments: cart.payment_methods.iter().map(ReviewedPayment::from).collect(),
        refusals: Vec::new(),
        codes: Vec::new(),
        answered: Vec::new(),
        fallback: Vec::new(),
        trace: Trace::default(),
    };

    let pricing = ask(stages, asked, course, hook_stages, Hook::Pricing, &input, &so_far).await;
    so_far.pricing = price(basket, &pricing, rules, &mut trace);

    let delivery = ask(stages, asked, course, hook_stages, Hook::Delivery, &input, &so_far).await;
    let merge_options = |contributions: &[Contribution<'_>], trace: &mut Trace| {
        merge_delivery(cart, contributions, asked.today, asked.surroundings.now_ms, room, trace)
    };
    so_far.options = merge_options(&contributions(&delivery), &mut trace);
    if so_far.options.is_empty() && hook_stages.contains(&Hook::Delivery) {
        so_far.fallback = fallback::options(&asked.shop.config, &asked.shop.calendar, cart, asked.today);
        so_far.options = merge_options(&[of_host(fallback::PREFIX, &so_far.fallback)], &mut trace);
    }
    so_far.prices = price_options(&so_far.options, &so_far.pricing, rules, cart);

    let review = ask(stages, asked, course, hook_stages, Hook::Review, &input, &so_far).await;
    so_far.refusals = merge_review(
        cart,
        &mut so_far.options,
        &mut so_far.payments,
        &contributions(&review),
        room,
        &mut trace,
    );
    so_far.prices = price_options(&so_far.options, &so_far.pricing, rules, cart);
    drop_idle(&mut so_far.pricing, &mut so_far.prices, &mut trace);

    let mut proposed = contributions(&pricing);
    proposed.push(of_host(coupons::PREFIX, &basket.own.effects));
    so_far.codes = coupons::shown(cart, &basket.own, &so_far.pricing.applied, &proposed, |reason, coupon| {
        asked.shop.wording.code_reason(reason, coupon, &asked.reader)
    });
    for (stage, of_stage) in [(Hook::Pricing, pricing), (Hook::Delivery, delivery), (Hook::Review, review)] {
        if hook_stages.contains(&stage) {
            answered.push((stage, of_stage));
        }
    }
    Offered { answered, trace, ..so_far }
}

/// One contribution for each plugin, in the merchant's order.
#[must_use]
pub fn contributions(answered: &[Answered]) -> Vec<Contribution<'_>> {
    let numbered = answered.iter().enumerate();
    numbered
        .map(|(at, each)| Contribution {
            // 0 is the host.
            call: at.saturating_add(1),
            plugin: Some(&each.plugin.entry.name),
            prefix: &each.plugin.entry.name,
            hosts: &each.plugin.entry.hosts,
            effects: &each.effects,
        })
        .collect()
}

fn of_host<'a>(prefix: &'a str, effects: &'a [Effect]) -> Contribution<'a> {
    Contribution { call: 0, plugin: None, prefix, hosts: &[], effects }
}

async fn ask(
    stages: &Stages,
    asked: &Asked,
    course: &Course<'_>,
    hook_stages: &[Hook],
    stage: Hook,
    input: &Input,
    so_far: &Offered,
) -> Vec<Answered> {
    if !hook_stages.contains(&stage) || course.shop.subscribed(stage).next().is_none() {
        return Vec::new();
    }
    let offers = Offers {
        discounts: so_far.pricing.applied.iter().map(|applied| applied.discount.clone()).collect(),
        delivery: so_far.options.iter().map(|offered| offered.option.clone()).collect(),
        payments: asked.surroundings.offers.payments.clone(),
        totals: Some(so_far.pricing.sheet.totals(so_far.prices.total)),
    };
    let surroundings = Surroundings { offers: Arc::new(offers), ..asked.surroundings.clone() };
    stages.run(course, stage, input, &Arc::new(surroundings)).await
}

/// The host's own coupons come before all plugins.
fn price(basket: &Basket, answered: &[Answered], rules: &DiscountRules, trace: &mut Trace) -> Pricing {
    let mut proposed = vec![of_host(coupons::PREFIX, &basket.own.effects)];
    proposed.extend(contributions(answered));
    merge_discounts(&basket.cart, &basket.sheet, &proposed, rules, trace)
}

fn price_options(
    options: &[OfferedOption],
    pricing: &Pricing,
    rules: &DiscountRules,
    cart: &Cart,
) -> DeliveryPrices {
    let priced: Vec<PricedOption<'_>> = options
        .iter()
        .map(|offered| PricedOption { price: offered.option.price, group: offered.option.group.as_deref() })
        .collect();
    let discounts: Vec<DeliveryDiscount<'_>> = pricing
        .applied
        .iter()
        .filter(|applied| applied.discount.target == DiscountTarget::Delivery)
        .map(|applied| DeliveryDiscount {
            value: &applied.discount.value,
            class: &applied.discount.class,
            best_of: rules.best_of.contains(&applied.discount.class),
        })
        .collect();
    let caps = pricing.delivery_caps.iter().map(|(class, cap)| (class.as_str(), *cap)).collect();
    let groups: Vec<&str> = cart.groups.iter().map(|group| group.id.as_str()).collect();
    price_delivery(&priced, &discounts, &caps, &groups)
}

/// A discount on delivery that changes the price of no option is not shown. While there are no options,
/// it waits for them.
fn drop_idle(pricing: &mut Pricing, prices: &mut DeliveryPrices, trace: &mut Trace) {
    if prices.options.is_empty() {
        return;
    }
    let mut position = 0_usize;
    let mut idle = Vec::new();
    pricing.applied.retain(|applied| {
        if applied.discount.target != DiscountTarget::Delivery {
            return true;
        }
        let at = position;
        position = position.saturating_add(1);
        let works = prices.options.iter().any(|option| option.cuts.get(at).is_some_and(|cut| *cut > 0));
        if !works {
            idle.push(at);
            trace.dropped(applied.source, "takes nothing off any delivery option".to_owned());
        }
        works
    });
    for option in &mut prices.options {
        let mut at = 0_usize;
        option.cuts.retain(|_| {
            let keep = !idle.contains(&at);
            at = at.saturating_add(1);
            keep
        });
    }
}
