//! The last look: changes of delivery options, payment methods, and refusals.

use std::collections::BTreeSet;

use super::delivery::room_for;
use super::{Contribution, OfferedOption, Proposal, in_order, out_of_place};
use crate::decide::explain::{Source, Trace};
use crate::domain::{Cart, Effect, Hook, PaymentMethod, Text, plain};

/// A payment method that may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewedPayment {
    pub id: String,
    pub name: PaymentName,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentName {
    /// As the storefront sent it.
    Given(String),
    /// As a plugin calls it.
    Renamed { plugin: Option<String>, text: Text },
}

/// Why the shopper may not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub source: Source,
    pub plugin: String,
    /// `<plugin>/<code>/<target>`.
    pub id: String,
    pub code: String,
    /// A line's id, `cart`, `delivery` or `payment`.
    pub target: String,
    pub text: Text,
}

impl From<&PaymentMethod> for ReviewedPayment {
    fn from(method: &PaymentMethod) -> Self {
        Self { id: method.id.clone(), name: PaymentName::Given(method.name.clone()) }
    }
}

/// Changes `options` and `payments` in the merchant's order: a later plugin sees nothing of it, but its
/// change of the same thing counts.
pub fn merge_review(
    cart: &Cart,
    options: &mut Vec<OfferedOption>,
    payments: &mut Vec<ReviewedPayment>,
    contributions: &[Contribution<'_>],
    room: i64,
    trace: &mut Trace,
) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let mut refused = BTreeSet::new();
    for proposal in in_order(Hook::Review, contributions) {
        let ruling = match proposal.effect {
            Effect::AdjustDeliveryOption { id, price, title } => {
                let most = |group: Option<&str>| room_for(cart, group, room);
                adjust(options, &proposal, id, *price, title.as_ref(), most, trace)
            }
            Effect::HideDeliveryOption { id, reason } => hide_option(options, &proposal, id, reason, trace),
            Effect::HidePayment { id, .. } => hide_payment(payments, id),
            Effect::RenamePayment { id, name } => rename_payment(payments, &proposal, id, name),
            Effect::MovePayment { id, position } => move_payment(payments, id, *position),
            Effect::Refuse { code, target, text } => {
                let known = ["cart", "delivery", "payment"].contains(&target.as_str())
                    || cart.lines.iter().any(|line| line.id == *target);
                let target = if known { target.as_str() } else { "cart" };
                // A refusal is never lost, for its code no more than for its target.
                let code = plain::one_line(code, plain::ID);
                let id = proposal.stable_id(&format!("{code}/{target}"));
                if refused.insert(id.clone()) {
                    refusals.push(Refusal {
                        source: proposal.source,
                        plugin: proposal.of.prefix.to_owned(),
                        id,
                        code,
                        target: target.to_owned(),
                        text: text.clone(),
                    });
                    if known {
                        Ok(None)
                    } else {
                        Ok(Some("its target is not in the cart: `cart`".to_owned()))
                    }
                } else {
                    Err(format!("`{id}` was refused already"))
                }
            }
            _ => {
                out_of_place(&proposal, trace);
                continue;
            }
        };
        match ruling {
            Ok(None) => trace.kept(proposal.source),
            Ok(Some(note)) => trace.changed(proposal.source, note),
            Err(reason) => trace.dropped(proposal.source, reason),
        }
    }
    refusals
}

/// Kept, kept with a change, or dropped for a reason.
type Ruling = Result<Option<String>, String>;

fn adjust(
    options: &mut [OfferedOption],
    proposal: &Proposal<'_>,
    id: &str,
    price: Option<i64>,
    title: Option<&Text>,
    room: impl Fn(Option<&str>) -> i64,
    trace: &mut Trace,
) -> Ruling {
    let offered =
        options.iter_mut().find(|offered| offered.option.id == id).ok_or_else(|| not_offered(id))?;
    let note = match price {
        Some(price) if price < 0 => Some(format!("a negative price is not taken: {price}")),
        Some(price) if price > room(offered.option.group.as_deref()) => {
            Some(format!("a price is not taken that makes the total pass 2^53-1: {price}"))
        }
        _ => None,
    };
    let price = price.filter(|_| note.is_none());
    if price.is_none() && title.is_none() {
        return Err(note.unwrap_or_else(|| "changes nothing".to_owned()));
    }
    if let Some(price) = price {
        trace.changed(
            offered.source,
            format!("`{}` set its price to {price} in `review`", proposal.of.prefix),
        );
        offered.option.price = price;
    }
    if let Some(title) = title {
        trace.changed(offered.source, format!("`{}` gave it another title in `review`", proposal.of.prefix));
        offered.option.title = title.clone();
        offered.title_of = proposal.of.plugin.map(str::to_owned);
    }
    if let Some(plugin) = proposal.of.plugin
        && !offered.contributors.iter().any(|each| each == plugin)
    {
        offered.contributors.push(plugin.to_owned());
    }
    Ok(note)
}

fn hide_option(
    options: &mut Vec<OfferedOption>,
    proposal: &Proposal<'_>,
    id: &str,
    reason: &str,
    trace: &mut Trace,
) -> Ruling {
    let at = options.iter().position(|offered| offered.option.id == id).ok_or_else(|| not_offered(id))?;
    let hidden = options.remove(at);
    trace.dropped(hidden.source, format!("`{}` hid it in `review`: {reason}", proposal.of.prefix));
    Ok(None)
}

fn hide_payment(payments: &mut Vec<ReviewedPayment>, id: &str) -> Ruling {
    let at = place(payments, id)?;
    if payments.len() == 1 {
        return Err("is the last payment method: a shopper must be able to pay".to_owned());
    }
    payments.remove(at);
    Ok(None)
}

fn rename_payment(
    payments: &mut [ReviewedPayment],
    proposal: &Proposal<'_>,
    id: &str,
    name: &Text,
) -> Ruling {
    let payment = payments.iter_mut().find(|payment| payment.id == id).ok_or_else(|| no_payment(id))?;
    let plugin = proposal.of.plugin.map(str::to_owned);
    payment.name = PaymentName::Renamed { plugin, text: name.clone() };
    Ok(None)
}

fn move_payment(payments: &mut Vec<ReviewedPayment>, id: &str, position: u32) -> Ruling {
    let at = place(payments, id)?;
    let payment = payments.remove(at);
    let wanted = usize::try_from(position).unwrap_or(usize::MAX);
    let position = wanted.min(payments.len());
    payments.insert(position, payment);
    Ok((wanted > position).then(|| format!("there is no position {wanted}: it is the last")))
}

fn place(payments: &[ReviewedPayment], id: &str) -> Result<usize, String> {
    payments.iter().position(|payment| payment.id == id).ok_or_else(|| no_payment(id))
}

fn not_offered(id: &str) -> String {
    format!("no delivery option `{id}` is offered, or it is hidden already")
}

fn no_payment(id: &str) -> String {
    format!("the cart has no payment method `{id}`, or it is hidden already")
}
