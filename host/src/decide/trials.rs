//! Decisions with plugins that answer anything, through all stages to what a storefront reads. The same bytes make
//! the same trial; [`laws`] says what must hold of the answer.
#![allow(clippy::unwrap_used, reason = "tests alone are built with it")]

mod laws;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::stand_ins::{Stage, shop};
use super::{Answer, DecideError, Question, cart};
use crate::config::{DiscountRules, FallbackOption, HostConfig, HostGrant};
use crate::domain::anything::Anything;
use crate::domain::{
    Cart, CodeReason, Coupon, CouponValue, DecisionHook, Effect, Hook, HostPattern, Product,
};
use crate::store::CouponStanding;

/// Asked in this order; the first may link to [`GRANTED`].
const PLUGINS: [&str; 3] = ["one", "two", "three"];
const GRANTED: &str = "help.example.org";

const STAGES: [Hook; 4] = [Hook::Pricing, Hook::Delivery, Hook::Review, Hook::Content];

/// What was asked, as far as the laws need to know.
struct Trial {
    hook: DecisionHook,
    /// As plugins saw it.
    cart: Cart,
    rules: DiscountRules,
    products: BTreeMap<String, Arc<Product>>,
}

/// Panics when a law does not hold. None: the cart was refused.
pub(crate) fn run(bytes: &[u8]) -> Option<Answer> {
    let mut any = Anything::of(bytes);
    let hook = any.pick(&[DecisionHook::Checkout, DecisionHook::Cart, DecisionHook::ProductPage]);
    let mut sent = any.cart();
    if hook == DecisionHook::ProductPage {
        sent.lines.truncate(1);
        sent.groups.clear();
    }
    let mut stage = stage(&mut any);
    let products = stage.knowledge.products.clone();
    for plugin in PLUGINS {
        for on in STAGES {
            let effects = any.effects(on, 8);
            stage.plugins.on(plugin, on, 0, move |_| Ok::<Vec<Effect>, _>(effects.clone()));
        }
    }
    let mut question = Question { cart: Some(sent.clone()), explain: false, ..stage.question(hook) };
    question.secret = any.flag();
    patient(&mut question);
    let decider = stage.decider();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let decide = |question: Question| runtime.block_on(decider.decide(question));

    let normal = cart::normalise(sent, &stage.shop);
    let (answer, cart) = match (decide(question.clone()), normal) {
        (Ok(answer), Ok(cart)) => (answer, cart),
        (Err(DecideError::Invalid { problems }), _) => {
            assert!(!problems.is_empty());
            return None;
        }
        (answer, cart) => panic!("{answer:?} to {cart:?}"),
    };
    let trial = Trial { hook, cart, rules: stage.shop.discounts.clone(), products };
    laws::hold(&answer, &trial);
    assert_eq!(
        written(&answer),
        written(&decide(question.clone()).unwrap()),
        "the same question, another answer"
    );

    let mail = decider.message_content(&question.snapshot, &question.shop, None, None, None);
    let mail = runtime.block_on(mail).unwrap();
    laws::of_content(&mail.recommendations, &mail.notices, &mail.blocks, &trial);
    laws::of_texts(&serde_json::to_value(&mail).unwrap());
    // What the trace shows is the plugins' own words; that it can be written is all that is asked of it.
    written(&decide(Question { explain: true, ..question }).unwrap());
    Some(answer)
}

fn written(answer: &Answer) -> String {
    let mut answer = serde_json::to_value(answer).unwrap();
    if let Some(trace) = answer.get_mut("explain") {
        trace.take();
    }
    answer.to_string()
}

/// No machine is too slow for these budgets.
fn patient(question: &mut Question) {
    let mut host = HostConfig::default();
    for budget in [&mut host.budgets.product_page, &mut host.budgets.cart, &mut host.budgets.checkout] {
        *budget = 600_000;
    }
    if let Some(snapshot) = Arc::get_mut(&mut question.snapshot) {
        snapshot.host = Arc::new(host);
    }
}

fn stage(any: &mut Anything<'_>) -> Stage {
    let mut stage = shop(&PLUGINS, "");
    stage.assets.insert("locales/en.ftl".to_owned(), Anything::TEXTS.to_owned());
    stage.shop.discounts = rules(any);
    let granted = HostGrant::from(GRANTED.parse::<HostPattern>().unwrap());
    stage.shop.plugins.first_mut().unwrap().hosts = vec![granted];
    if any.flag() {
        stage.shop.fallback = vec![FallbackOption {
            id: "standard".to_owned(),
            title: "Standard".to_owned(),
            price: any.amount().clamp(0, 100_000),
            working_days: Some((1, 3)),
            kind: "home".to_owned(),
        }];
    }
    for id in ["1", "2", "a", "b", "mug"] {
        let product = Product {
            id: id.to_owned(),
            title: id.to_owned(),
            url: Some(format!("/{id}")),
            image: None,
            currency: any.pick(&["EUR", "JPY", "XXX"]).to_owned(),
            price: any.amount().clamp(0, crate::domain::money::MAX_AMOUNT),
            in_stock: !any.byte().is_multiple_of(4),
            tags: Vec::new(),
            category: None,
        };
        stage.knowledge.products.insert(id.to_owned(), Arc::new(product));
    }
    for (code, value, reason) in [
        ("GOOD", CouponValue::Percent(1_000), None),
        ("AMOUNT", CouponValue::Amount(any.amount().clamp(1, crate::domain::money::MAX_AMOUNT)), None),
        ("SHIP", CouponValue::FreeDelivery, None),
        ("OLD", CouponValue::Percent(10_000), Some(CodeReason::Expired)),
    ] {
        let coupon = Coupon {
            value,
            prefix: String::new(),
            expires_at: any.maybe(Anything::instant),
            max_uses: 1,
            min_subtotal: any.maybe(|any| any.amount().max(0)),
            personal: false,
            purpose: "test".to_owned(),
        };
        let standing = CouponStanding { coupon, reason, currency: "EUR".to_owned() };
        stage.knowledge.coupons.insert(code.to_owned(), standing);
    }
    stage
}

fn rules(any: &mut Anything<'_>) -> DiscountRules {
    let class =
        |any: &mut Anything<'_>| any.pick(&["order", "campaign", "product", "delivery", "coupon"]).to_owned();
    DiscountRules {
        exclusive: any.list(2, class),
        best_of: any.list(2, class),
        max_basis_points: any.maybe(|any| any.unsigned().min(10_000)),
        class_caps: any.list(3, |any| (class(any), any.unsigned().min(10_000))).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    /// A law that nothing comes near holds for nothing.
    #[test]
    fn the_trials_reach_what_the_laws_speak_of() {
        let mut chance = 88_172_645_463_325_252_u64;
        let mut bytes = || {
            std::iter::repeat_with(|| {
                chance ^= chance << 13;
                chance ^= chance >> 7;
                chance ^= chance << 17;
                (chance >> 24) as u8
            })
            .take(1_500)
            .collect::<Vec<u8>>()
        };
        let answers: Vec<_> = (0..150).filter_map(|_| super::run(&bytes())).collect();
        let with = |what: &str, has: &dyn Fn(&super::Answer) -> bool| {
            let found = answers.iter().filter(|answer| has(answer)).count();
            assert!(found >= 5, "{found} of {} answers have {what}", answers.len());
        };
        with("a total", &|answer| answer.totals.as_ref().is_some_and(|totals| totals.totals.total > 0));
        with("a discount", &|answer| answer.discounts.iter().any(|discount| discount.plugin.is_some()));
        with("a discount on delivery", &|answer| {
            answer.delivery_options.iter().any(|option| option.price.amount < option.full_price.amount)
        });
        with("a quote", &|answer| answer.delivery_options.iter().any(|option| option.quote.is_some()));
        with("a group's option", &|answer| {
            answer.delivery_options.iter().any(|option| option.group.is_some())
        });
        with("a recommendation", &|answer| !answer.recommendations.is_empty());
        with("a notice", &|answer| !answer.notices.is_empty());
        with("a link", &|answer| answer.blocks.iter().any(|block| block.link.is_some()));
        with("a refusal", &|answer| !answer.refusals.is_empty());
        with("a code", &|answer| !answer.codes.is_empty());
    }

    proptest! {
        #[test]
        fn whatever_plugins_say_the_answer_keeps_the_hosts_promises(
            bytes in prop::collection::vec(any::<u8>(), 0..1_500),
        ) {
            super::run(&bytes);
        }
    }
}
