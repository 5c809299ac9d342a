//! Delivery options: checked, and each shown once.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use super::{Contribution, in_order, out_of_place};
use crate::decide::explain::{Source, Trace};
use crate::domain::{Arrival, Cart, DeliveryOption, Effect, Hook, plain};

/// A delivery option that may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedOption {
    pub source: Source,
    /// None: the shop's own fallback.
    pub plugin: Option<String>,
    /// Whose text the title is: a plugin in `review` may have given another.
    pub title_of: Option<String>,
    /// Plugins that made it or changed its price or title.
    pub contributors: Vec<String>,
    /// With its stable id.
    pub option: DeliveryOption,
}

/// `today`: in the shop's zone. `room`: what delivery may cost before no total can hold it.
#[must_use]
pub fn merge_delivery(
    cart: &Cart,
    contributions: &[Contribution<'_>],
    today: Date,
    now_ms: i64,
    room: i64,
    trace: &mut Trace,
) -> Vec<OfferedOption> {
    let mut seen = BTreeSet::new();
    let mut offered: Vec<OfferedOption> = Vec::new();
    for proposal in in_order(Hook::Delivery, contributions) {
        let Effect::AddDeliveryOption { option } = proposal.effect else {
            out_of_place(&proposal, trace);
            continue;
        };
        let checked = proposal.checked_id(&option.id);
        let id = match checked.and_then(|id| check(cart, option, room).map(|()| id)) {
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
        trace.kept(proposal.source);
        let mut option = DeliveryOption { id, ..option.clone() };
        check_dates(&mut option, today, now_ms, proposal.source, trace);
        let points = option.pickup_points.len();
        let mut point_ids = BTreeSet::new();
        option.pickup_points.retain(|point| plain::fault_of_id(&point.id).is_none());
        if option.pickup_points.len() < points {
            let note = "a pick-up point's id must be one line that is not empty: those are left out";
            trace.changed(proposal.source, note.to_owned());
        }
        let points = option.pickup_points.len();
        option.pickup_points.retain(|point| point_ids.insert(point.id.clone()));
        if option.pickup_points.len() < points {
            trace.changed(proposal.source, "names a pick-up point twice".to_owned());
        }
        if let Some(twin) = offered.iter().find(|other| same_to_a_shopper(&other.option, &option)) {
            trace.dropped(proposal.source, format!("is the same as `{}`", twin.option.id));
            continue;
        }
        offered.push(OfferedOption {
            source: proposal.source,
            plugin: proposal.of.plugin.map(str::to_owned),
            title_of: proposal.of.plugin.map(str::to_owned),
            contributors: proposal.of.plugin.map(str::to_owned).into_iter().collect(),
            option,
        });
    }
    offered
}

/// What an option may cost: groups are paid for together, so each has its part of the room.
pub(super) fn room_for(cart: &Cart, group: Option<&str>, room: i64) -> i64 {
    let groups = i64::try_from(cart.groups.len()).unwrap_or(i64::MAX).max(1);
    if group.is_some() { room.checked_div_euclid(groups).unwrap_or(0) } else { room }
}

fn check(cart: &Cart, option: &DeliveryOption, room: i64) -> Result<(), String> {
    if option.price < 0 {
        return Err(format!("has a negative price: {}", option.price));
    }
    if option.price > room_for(cart, option.group.as_deref(), room) {
        return Err(format!("costs {}: with the cart, more than 2^53-1", option.price));
    }
    match &option.group {
        Some(group) if !cart.groups.iter().any(|of_cart| of_cart.id == *group) => {
            Err(format!("the cart has no delivery group `{group}`"))
        }
        _ => Ok(()),
    }
}

/// A promise that cannot be kept is not made: the option stays, without it.
fn check_dates(option: &mut DeliveryOption, today: Date, now_ms: i64, source: Source, trace: &mut Trace) {
    if option.order_before.is_some_and(|before| before <= now_ms) {
        trace.changed(source, "its `order_before` has passed, so its arrival is not promised".to_owned());
        option.order_before = None;
        option.arrival = None;
    }
    if option.order_before.is_some_and(|before| Timestamp::from_millisecond(before).is_err()) {
        trace.changed(source, "its `order_before` is left out: it is no instant".to_owned());
        option.order_before = None;
    }
    let Some(arrival) = &option.arrival else { return };
    match checked_arrival(arrival, today) {
        Ok((arrival, note)) => {
            option.arrival = Some(arrival);
            if let Some(note) = note {
                trace.changed(source, note);
            }
        }
        Err(note) => {
            trace.changed(source, note);
            option.arrival = None;
        }
    }
}

fn checked_arrival(arrival: &Arrival, today: Date) -> Result<(Arrival, Option<String>), String> {
    let date = |text: &str| {
        text.parse::<Date>()
            .map_err(|_| format!("its arrival is left out: `{text}` is not a date like 2026-11-30"))
    };
    let (earliest, latest) = (date(&arrival.earliest)?, date(&arrival.latest)?);
    if earliest > latest {
        return Err(format!("its arrival is left out: {earliest} is after {latest}"));
    }
    if latest < today {
        return Err(format!("its arrival is left out: {latest} is in the past"));
    }
    let note = (earliest < today).then(|| format!("arrives today at the earliest, not on {earliest}"));
    // Written anew: `2026-11-30T08:00` parses as a date too.
    let arrival = Arrival { earliest: earliest.max(today).to_string(), latest: latest.to_string() };
    Ok((arrival, note))
}

fn same_to_a_shopper(one: &DeliveryOption, other: &DeliveryOption) -> bool {
    one.title == other.title
        && one.description == other.description
        && one.kind == other.kind
        && one.carrier == other.carrier
        && one.group == other.group
        && one.price == other.price
        && one.arrival == other.arrival
        && one.order_before == other.order_before
        && one.pickup_points == other.pickup_points
}
