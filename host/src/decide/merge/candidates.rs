//! Discounts that make sense by themselves, before any rule of the shop.

use std::collections::BTreeSet;

use super::{Contribution, Proposal, in_order, out_of_place};
use crate::decide::explain::{Source, Trace};
use crate::decide::totals::WHOLE;
use crate::domain::{Cart, Discount, DiscountTarget, DiscountValue, Effect, Hook};

/// A discount that makes sense by itself.
pub struct Candidate {
    pub source: Source,
    pub plugin: Option<String>,
    /// With its stable id, and its class filled in.
    pub discount: Discount,
}

/// The proposals that make sense by themselves.
pub fn candidates(cart: &Cart, contributions: &[Contribution<'_>], trace: &mut Trace) -> Vec<Candidate> {
    let mut seen = BTreeSet::new();
    let mut candidates = Vec::new();
    for proposal in in_order(Hook::Pricing, contributions) {
        let Effect::AddDiscount { discount } = proposal.effect else {
            out_of_place(&proposal, trace);
            continue;
        };
        let checked = proposal.checked_id(&discount.id);
        let id = match checked.and_then(|id| check(cart, &proposal, discount).map(|()| id)) {
            Ok(id) => id,
            Err(reason) => {
                trace.dropped(proposal.source, reason);
                continue;
            }
        };
        if !seen.insert(id.clone()) {
            trace.dropped(proposal.source, format!("`{id}` was proposed already"));
            continue;
        }
        let mut discount = Discount { id, ..discount.clone() };
        if discount.class.is_empty() {
            let class = match discount.target {
                DiscountTarget::Line(_) => "product",
                DiscountTarget::Order => "order",
                DiscountTarget::Delivery => "delivery",
            };
            class.clone_into(&mut discount.class);
        }
        trace.kept(proposal.source);
        match &mut discount.value {
            DiscountValue::Percent(basis_points) if *basis_points > WHOLE => {
                trace.changed(
                    proposal.source,
                    format!("{basis_points} basis points are more than everything: 10000"),
                );
                *basis_points = WHOLE;
            }
            _ => {}
        }
        candidates.push(Candidate {
            source: proposal.source,
            plugin: proposal.of.plugin.map(str::to_owned),
            discount,
        });
    }
    candidates
}

fn check(cart: &Cart, proposal: &Proposal<'_>, discount: &Discount) -> Result<(), String> {
    match discount.value {
        DiscountValue::Percent(0) | DiscountValue::Amount(0) => return Err("takes nothing off".to_owned()),
        DiscountValue::Amount(amount) if amount < 0 => {
            return Err(format!("takes off a negative amount: {amount}"));
        }
        _ => {}
    }
    if let DiscountTarget::Line(id) = &discount.target {
        match cart.lines.iter().find(|line| line.id == *id) {
            None => return Err(format!("the cart has no line `{id}`")),
            Some(line) if line.gift_card => {
                return Err(format!("line `{id}` is a gift card: it is not discounted"));
            }
            Some(_) => {}
        }
    }
    // A plugin judges the codes that the host does not know; the host's own are the host's to apply.
    if let (Some(_), Some(code)) = (proposal.of.plugin, &discount.code) {
        match cart.codes.iter().find(|entered| entered.code.eq_ignore_ascii_case(code)) {
            None => return Err("names a code that was not entered".to_owned()),
            Some(entered) if entered.status != "unknown" => {
                return Err(format!("names a code of the host's own, which is `{}`", entered.status));
            }
            Some(_) => {}
        }
    }
    Ok(())
}
