//! What fills a page beside the goods.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::links::may_lead_to;
use super::{Contribution, Proposal, in_order, out_of_place};
use crate::decide::explain::Trace;
use crate::domain::plain::shown;
use crate::domain::{Block, Effect, Hook, Notice, Product, Recommendation};

/// In the merchant's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    pub recommendations: Vec<PlacedRecommendation>,
    pub notices: Vec<PlacedNotice>,
    pub blocks: Vec<PlacedBlock>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedRecommendation {
    pub id: String,
    pub plugin: String,
    pub recommendation: Recommendation,
    pub product: Arc<Product>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedNotice {
    pub plugin: String,
    /// With its stable id.
    pub notice: Notice,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedBlock {
    pub plugin: String,
    /// With its stable id, and only links that are allowed.
    pub block: Block,
}

/// The products to look up before merging, each once.
#[must_use]
pub fn recommended(contributions: &[Contribution<'_>]) -> Vec<String> {
    let effects = contributions.iter().flat_map(|of| of.effects);
    let products = effects.filter_map(|effect| match effect {
        Effect::Recommend { recommendation } => Some(recommendation.product.clone()),
        _ => None,
    });
    products.collect::<BTreeSet<_>>().into_iter().collect()
}

/// `products`: those of the catalogue. `had`: what the shopper has in the cart, the order, or before the eyes.
#[must_use]
pub fn merge_content(
    contributions: &[Contribution<'_>],
    products: &BTreeMap<String, Arc<Product>>,
    had: &BTreeSet<&str>,
    shop_url: &str,
    trace: &mut Trace,
) -> Content {
    let mut content = Content::default();
    let mut seen = BTreeSet::new();
    for proposal in in_order(Hook::Content, contributions) {
        match proposal.effect {
            Effect::Recommend { recommendation } => {
                match placed(&proposal, recommendation, products, had, &mut seen) {
                    Ok(placed) => {
                        trace.kept(proposal.source);
                        content.recommendations.push(placed);
                    }
                    Err(reason) => trace.dropped(proposal.source, reason),
                }
            }
            Effect::ShowNotice { notice } => {
                let id = match shown_once(&proposal, "notice", &notice.id, &mut seen) {
                    Ok(id) => id,
                    Err(reason) => {
                        trace.dropped(proposal.source, reason);
                        continue;
                    }
                };
                trace.kept(proposal.source);
                let mut notice = Notice { id, ..notice.clone() };
                if !["info", "success", "warning"].contains(&notice.severity.as_str()) {
                    trace.changed(
                        proposal.source,
                        format!("there is no severity `{}`: `info`", shown(&notice.severity)),
                    );
                    "info".clone_into(&mut notice.severity);
                }
                content.notices.push(PlacedNotice { plugin: proposal.of.prefix.to_owned(), notice });
            }
            Effect::ShowBlock { block } => {
                let id = match shown_once(&proposal, "block", &block.id, &mut seen) {
                    Ok(id) => id,
                    Err(reason) => {
                        trace.dropped(proposal.source, reason);
                        continue;
                    }
                };
                trace.kept(proposal.source);
                let mut block = Block { id, ..block.clone() };
                check_links(&mut block, &proposal, shop_url, trace);
                content.blocks.push(PlacedBlock { plugin: proposal.of.prefix.to_owned(), block });
            }
            _ => out_of_place(&proposal, trace),
        }
    }
    content
}

/// Its stable id, when nothing of its kind has it yet.
fn shown_once(
    proposal: &Proposal<'_>,
    kind: &str,
    id: &str,
    seen: &mut BTreeSet<String>,
) -> Result<String, String> {
    let id = proposal.checked_id(id)?;
    if seen.insert(format!("{kind} {id}")) { Ok(id) } else { Err(format!("`{id}` was shown already")) }
}

fn placed(
    proposal: &Proposal<'_>,
    recommendation: &Recommendation,
    products: &BTreeMap<String, Arc<Product>>,
    had: &BTreeSet<&str>,
    seen: &mut BTreeSet<String>,
) -> Result<PlacedRecommendation, String> {
    let id = &recommendation.product;
    let product = products.get(id).ok_or_else(|| format!("the catalogue has no product `{id}`"))?;
    if had.contains(id.as_str()) {
        return Err(format!("the shopper has `{id}` already"));
    }
    if !product.in_stock {
        return Err(format!("`{id}` is out of stock"));
    }
    if !seen.insert(format!("product {id}")) {
        return Err(format!("`{id}` is recommended already"));
    }
    Ok(PlacedRecommendation {
        id: proposal.stable_id(id),
        plugin: proposal.of.prefix.to_owned(),
        recommendation: recommendation.clone(),
        product: product.clone(),
    })
}

/// An image is a link too: it tells its host who looks.
fn check_links(block: &mut Block, proposal: &Proposal<'_>, shop_url: &str, trace: &mut Trace) {
    for (what, link) in [("link", &mut block.link), ("image", &mut block.image)] {
        if link.as_ref().is_some_and(|link| !may_lead_to(link, shop_url, proposal.of.hosts)) {
            *link = None;
            let note = format!("its {what} leads elsewhere than to the shop and the plugin's `hosts`");
            trace.changed(proposal.source, note);
        }
    }
    if block.link.is_none() {
        block.link_title = None;
    }
}
