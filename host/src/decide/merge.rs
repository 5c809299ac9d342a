//! How proposals become one result: the merchant's order, no duplicates, the shop's rules, and no
//! proposal that breaks a promise of the host. Pure: no I/O, no clock.
//!
//! Every proposal is ruled on in the [`Trace`]: kept, changed or dropped, and why.
#![deny(clippy::arithmetic_side_effects, clippy::float_arithmetic, clippy::cast_possible_truncation)]

mod candidates;
mod content;
mod delivery;
mod discounts;
mod links;
mod review;

pub use content::{Content, PlacedBlock, PlacedNotice, PlacedRecommendation, merge_content, recommended};
pub use delivery::{OfferedOption, merge_delivery};
pub use discounts::{Applied, Pricing, merge_discounts};
pub use review::{PaymentName, Refusal, ReviewedPayment, merge_review};

use super::explain::{Source, Trace};
use crate::config::HostGrant;
use crate::domain::{Effect, Hook, plain};

/// What one call proposed in a stage.
#[derive(Debug, Clone, Copy)]
pub struct Contribution<'a> {
    /// Position in the merchant's order; 0 is the host itself.
    pub call: usize,
    /// None: the host.
    pub plugin: Option<&'a str>,
    /// Before the slash of stable ids: the plugin's name in the shop.
    pub prefix: &'a str,
    /// Hosts that links may lead to, beside the shop's own.
    pub hosts: &'a [HostGrant],
    pub effects: &'a [Effect],
}

/// One effect with its place.
#[derive(Debug, Clone, Copy)]
struct Proposal<'a> {
    source: Source,
    of: &'a Contribution<'a>,
    effect: &'a Effect,
}

impl Proposal<'_> {
    fn stable_id(&self, id: &str) -> String {
        format!("{}/{id}", self.of.prefix)
    }

    /// Or why it cannot be one.
    fn checked_id(&self, id: &str) -> Result<String, String> {
        if id.is_empty() {
            return Err("has no id".to_owned());
        }
        match plain::fault_of_id(id) {
            Some(fault) => Err(format!("its id {fault}")),
            None => Ok(self.stable_id(id)),
        }
    }
}

/// In the merchant's order, and in each plugin's own order, whoever answered first.
fn in_order<'a>(stage: Hook, contributions: &'a [Contribution<'a>]) -> Vec<Proposal<'a>> {
    let mut proposals: Vec<Proposal<'a>> = contributions
        .iter()
        .flat_map(|of| {
            of.effects.iter().enumerate().map(move |(effect_at, effect)| Proposal {
                source: Source { stage, call: of.call, effect: effect_at },
                of,
                effect,
            })
        })
        .collect();
    proposals.sort_by_key(|proposal| proposal.source);
    proposals
}

/// The sandbox traps such calls; an answer that has one all the same loses it here.
fn out_of_place(proposal: &Proposal<'_>, trace: &mut Trace) {
    trace.dropped(proposal.source, format!("has no place in `{}`", proposal.source.stage.name()));
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]
mod tests;
