//! Discounts: checked, stacked by the shop's rules, and taken off the goods.

use std::collections::{BTreeMap, BTreeSet};

use super::Contribution;
use super::candidates::{Candidate, candidates};
use crate::config::DiscountRules;
use crate::decide::explain::{Source, Trace};
use crate::decide::totals::{Cut, Goods, Sheet, cap_of};
use crate::domain::{Cart, Discount, DiscountTarget, DiscountValue};

/// A discount that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    pub source: Source,
    /// None: a coupon that the host issued.
    pub plugin: Option<String>,
    /// With its stable id, and its class filled in.
    pub discount: Discount,
    /// Of goods; those on delivery are known when the options are.
    pub cuts: Vec<Cut>,
}

/// The cart after discounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pricing {
    pub sheet: Sheet,
    /// In the order of application: on lines, on the order, on delivery.
    pub applied: Vec<Applied>,
    /// What each capped class may still take off delivery.
    pub delivery_caps: BTreeMap<String, i64>,
}

enum Fate {
    Applied { cuts: Vec<Cut>, note: Option<String> },
    Dropped(String),
}

struct Settled {
    sheet: Sheet,
    /// Of each candidate, by its position; in the order of application.
    fates: Vec<(usize, Fate)>,
    taken_by_class: BTreeMap<String, i64>,
}

/// Discounts on lines come first, then those of the order, each in the merchant's order.
///
/// - `exclusive`: each discount of such a class stands alone against all others together; what saves
///   most on goods wins (an exclusive one when equal, the first of those), the rest is dropped.
/// - `best_of`: when the first discount of such a class and target is due, all of that class and target
///   are compared, and only the one that saves most counts.
/// - Caps are parts of the subtotal without gift cards; what goes beyond is cut, in the order of application.
#[must_use]
pub fn merge_discounts(
    cart: &Cart,
    sheet: &Sheet,
    contributions: &[Contribution<'_>],
    rules: &DiscountRules,
    trace: &mut Trace,
) -> Pricing {
    let candidates = candidates(cart, contributions, trace);
    let is_exclusive = |candidate: &Candidate| rules.exclusive.contains(&candidate.discount.class);
    let everything: Vec<usize> = (0..candidates.len()).collect();
    let (exclusive, others): (Vec<usize>, Vec<usize>) =
        everything.into_iter().partition(|at| candidates.get(*at).is_some_and(is_exclusive));

    // First of equals: exclusive ones in their order, then all others together.
    let mut winner = settle(&candidates, &others, sheet, rules);
    let mut most = winner.sheet.discount();
    let mut chosen = None;
    for at in exclusive.iter().rev() {
        let alone = settle(&candidates, &[*at], sheet, rules);
        if alone.sheet.discount() >= most {
            most = alone.sheet.discount();
            winner = alone;
            chosen = Some(*at);
        }
    }
    let name =
        |at: usize| candidates.get(at).map(|candidate| candidate.discount.id.as_str()).unwrap_or_default();
    let losers = exclusive.iter().chain(if chosen.is_some() { others.as_slice() } else { &[] });
    for at in losers.filter(|at| Some(**at) != chosen) {
        let reason = match chosen {
            Some(chosen) => {
                format!("`{}` excludes other discounts (discounts.exclusive) and saves more", name(chosen))
            }
            None => "excludes other discounts (discounts.exclusive), and those save more".to_owned(),
        };
        if let Some(loser) = candidates.get(*at) {
            trace.dropped(loser.source, reason);
        }
    }
    collect(candidates, winner, sheet, rules, trace)
}

/// Applies these candidates to a sheet, by `best_of` and the caps.
fn settle(candidates: &[Candidate], which: &[usize], sheet: &Sheet, rules: &DiscountRules) -> Settled {
    let mut settled = Settled { sheet: sheet.clone(), fates: Vec::new(), taken_by_class: BTreeMap::new() };
    let base = sheet.discountable();
    let mut left_of_all = rules.max_basis_points.map(|cap| cap_of(base, cap));
    let mut compared: BTreeSet<(&str, &str)> = BTreeSet::new();

    for due in in_phases(candidates, which) {
        let Some(first) = candidates.get(due) else { continue };
        let Some(target) = goods(&first.discount.target) else {
            settled.fates.push((due, Fate::Applied { cuts: Vec::new(), note: None }));
            continue;
        };
        let mut at = due;
        if rules.best_of.contains(&first.discount.class) {
            if !compared.insert((&first.discount.class, target_name(&first.discount.target))) {
                continue;
            }
            let rivals: Vec<usize> = which
                .iter()
                .copied()
                .filter(|rival| {
                    candidates.get(*rival).is_some_and(|rival| {
                        rival.discount.class == first.discount.class
                            && rival.discount.target == first.discount.target
                    })
                })
                .collect();
            let worth = |at: usize| {
                candidates.get(at).map_or(0, |rival| settled.sheet.worth(target, &rival.discount.value))
            };
            at = rivals.iter().copied().fold(due, |best, rival| {
                let better = worth(rival) > worth(best) || (worth(rival) == worth(best) && rival < best);
                if better { rival } else { best }
            });
            let best = candidates.get(at).map(|best| best.discount.id.as_str()).unwrap_or_default();
            for loser in rivals.into_iter().filter(|rival| *rival != at) {
                let reason = format!(
                    "`{best}` saves more, and of `{}` only the best counts (discounts.best_of)",
                    first.discount.class
                );
                settled.fates.push((loser, Fate::Dropped(reason)));
            }
        }
        let Some(candidate) = candidates.get(at) else { continue };
        let class = &candidate.discount.class;
        let taken = settled.taken_by_class.get(class).copied().unwrap_or(0);
        let left_of_class =
            rules.class_caps.get(class).map(|cap| cap_of(base, *cap).saturating_sub(taken).max(0));
        let (fate, amount) = apply(candidate, target, &mut settled.sheet, left_of_all, left_of_class);
        left_of_all = left_of_all.map(|left| left.saturating_sub(amount));
        settled.taken_by_class.insert(class.clone(), taken.saturating_add(amount));
        settled.fates.push((at, fate));
    }
    settled
}

fn apply(
    candidate: &Candidate,
    target: Goods<'_>,
    sheet: &mut Sheet,
    left_of_all: Option<i64>,
    left_of_class: Option<i64>,
) -> (Fate, i64) {
    let worth = sheet.worth(target, &candidate.discount.value);
    if worth == 0 {
        let reason = if sheet.left(target) == 0 { "nothing is left to take off" } else { "comes to nothing" };
        return (Fate::Dropped(reason.to_owned()), 0);
    }
    let mut amount = worth;
    let mut note = match candidate.discount.value {
        DiscountValue::Amount(asked) if asked > worth => {
            Some(format!("{asked} is more than what it is taken off: {worth}"))
        }
        _ => None,
    };
    let class_rule = format!("discounts.class_caps.{}", candidate.discount.class);
    for (left, rule) in [(left_of_class, class_rule.as_str()), (left_of_all, "discounts.max_basis_points")] {
        let Some(left) = left.filter(|left| *left < amount) else { continue };
        note = Some(format!("cut from {worth} to {left} by {rule}"));
        amount = left;
    }
    if amount == 0 {
        return (Fate::Dropped(note.unwrap_or_default()), 0);
    }
    (Fate::Applied { cuts: sheet.take(target, amount), note }, amount)
}

/// Lines, then the order, then delivery; the merchant's order within each.
fn in_phases(candidates: &[Candidate], which: &[usize]) -> Vec<usize> {
    let mut ordered = which.to_vec();
    ordered.sort_by_key(|at| {
        let phase = match candidates.get(*at).map(|candidate| &candidate.discount.target) {
            Some(DiscountTarget::Line(_)) => 0,
            Some(DiscountTarget::Order) => 1,
            _ => 2,
        };
        (phase, *at)
    });
    ordered
}

fn goods(target: &DiscountTarget) -> Option<Goods<'_>> {
    match target {
        DiscountTarget::Line(id) => Some(Goods::Line(id)),
        DiscountTarget::Order => Some(Goods::Order),
        DiscountTarget::Delivery => None,
    }
}

/// No line has an empty id.
fn target_name(target: &DiscountTarget) -> &str {
    match target {
        DiscountTarget::Line(id) => id,
        DiscountTarget::Order | DiscountTarget::Delivery => "",
    }
}

fn collect(
    candidates: Vec<Candidate>,
    settled: Settled,
    sheet: &Sheet,
    rules: &DiscountRules,
    trace: &mut Trace,
) -> Pricing {
    let base = sheet.discountable();
    let delivery_caps = rules
        .class_caps
        .iter()
        .map(|(class, cap)| {
            let taken = settled.taken_by_class.get(class).copied().unwrap_or(0);
            (class.clone(), cap_of(base, *cap).saturating_sub(taken).max(0))
        })
        .collect();
    let mut by_position: Vec<Option<Candidate>> = candidates.into_iter().map(Some).collect();
    let mut applied = Vec::new();
    for (at, fate) in settled.fates {
        let Some(candidate) = by_position.get_mut(at).and_then(Option::take) else { continue };
        match fate {
            Fate::Dropped(reason) => trace.dropped(candidate.source, reason),
            Fate::Applied { cuts, note } => {
                if let Some(note) = note {
                    trace.changed(candidate.source, note);
                }
                applied.push(Applied {
                    source: candidate.source,
                    plugin: candidate.plugin,
                    discount: candidate.discount,
                    cuts,
                });
            }
        }
    }
    Pricing { sheet: settled.sheet, applied, delivery_caps }
}
