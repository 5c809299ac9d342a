//! Where a timeline is read from. Of two entries of one instant the one of the later source here is the
//! newer: causes stand before what comes of them.

use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{Happened, ReleaseReason};
use crate::domain::scrub::scrub;
use crate::domain::{Coupon, Message, Quote};
use crate::store::{Result, from_json, points};

/// A table and how it tells what happened. The columns of `columns` begin at [`OWN`].
pub(super) struct Source {
    /// Column of the instant.
    pub at: &'static str,
    /// Unique within the history.
    pub id: &'static str,
    /// Column of the order.
    pub order: &'static str,
    pub columns: &'static str,
    pub from: &'static str,
    /// Which rows are of an order, or of a customer: `$1` shop, `$2` its id.
    pub of_order: Option<&'static str>,
    pub of_customer: Option<&'static str>,
    pub read: fn(&AnyRow) -> Result<Happened>,
}

const OWN: usize = 3;

const OF_ORDER: Option<&str> = Some("shop = $1 AND order_id = $2");
const OF_CUSTOMER: Option<&str> = Some("shop = $1 AND customer_id = $2");
const OF_EVENTS_ORDER: Option<&str> = Some("e.shop = $1 AND e.order_id = $2");
const OF_EVENTS_CUSTOMER: Option<&str> = Some("e.shop = $1 AND e.customer_id = $2");

pub(super) const SOURCES: &[Source] = &[
    Source {
        at: "reserved_at",
        id: "code || '/' || cart_id",
        order: "order_id",
        columns: "code, cart_id, expires_at",
        from: "coupon_reservations",
        of_order: OF_ORDER,
        of_customer: OF_CUSTOMER,
        read: reserved,
    },
    Source {
        at: "placed_at",
        id: "id",
        order: "id",
        columns: "quote",
        from: "orders",
        of_order: Some("shop = $1 AND id = $2 AND quote IS NOT NULL"),
        of_customer: Some("shop = $1 AND customer_id = $2 AND quote IS NOT NULL"),
        read: quote,
    },
    Source {
        at: "received_at",
        id: "id",
        order: "order_id",
        columns: "hook, state, late",
        from: "events",
        of_order: OF_ORDER,
        of_customer: OF_CUSTOMER,
        read: event,
    },
    Source {
        at: "at",
        id: "code || '/' || order_id",
        order: "order_id",
        columns: "code, over_limit",
        from: "coupon_uses",
        of_order: OF_ORDER,
        of_customer: OF_CUSTOMER,
        read: used,
    },
    Source {
        at: "released_at",
        id: "code || '/' || order_id",
        order: "order_id",
        columns: "code",
        from: "coupon_uses",
        of_order: Some("shop = $1 AND order_id = $2 AND released_at IS NOT NULL"),
        of_customer: Some("shop = $1 AND customer_id = $2 AND released_at IS NOT NULL"),
        read: |row| released(row, ReleaseReason::OrderCancelled),
    },
    Source {
        at: "ended_at",
        id: "code || '/' || cart_id",
        order: "order_id",
        columns: "code",
        from: "coupon_reservations",
        of_order: Some("shop = $1 AND order_id = $2 AND ending = 'released'"),
        of_customer: Some("shop = $1 AND customer_id = $2 AND ending = 'released'"),
        read: |row| released(row, ReleaseReason::CartLetGo),
    },
    Source {
        at: "j.updated_at",
        id: "j.id",
        order: "e.order_id",
        columns: "j.plugin, j.hook, j.state, j.attempts, COALESCE(j.reason, j.fault)",
        from: "events e JOIN jobs j ON j.event_id = e.id AND j.state IN ('failed', 'dead')",
        of_order: OF_EVENTS_ORDER,
        of_customer: OF_EVENTS_CUSTOMER,
        read: job,
    },
    Source {
        at: "j.finished_at",
        id: "j.id",
        order: "e.order_id",
        columns: "j.plugin, j.hook, j.state, j.attempts, COALESCE(j.reason, j.fault)",
        from: "events e JOIN jobs_history j ON j.event_id = e.id AND j.state = 'dropped'",
        of_order: OF_EVENTS_ORDER,
        of_customer: OF_EVENTS_CUSTOMER,
        read: job,
    },
    Source {
        at: "issued_at",
        id: "code",
        order: "order_id",
        columns: "plugin, payload, currency",
        from: "coupons",
        of_order: OF_ORDER,
        of_customer: OF_CUSTOMER,
        read: issued,
    },
    Source {
        at: "at",
        id: points::ID,
        order: "order_id",
        columns: "plugin, reference, total, delta",
        from: "points",
        of_order: OF_ORDER,
        of_customer: OF_CUSTOMER,
        read: earned,
    },
    Source {
        at: "at",
        id: "key",
        order: "CASE WHEN kind = 'order' THEN subject END",
        columns: "kind, key, value, plugin",
        from: "labels",
        of_order: Some("shop = $1 AND kind = 'order' AND subject = $2"),
        of_customer: Some("shop = $1 AND kind = 'customer' AND subject = $2"),
        read: label,
    },
    Source {
        at: "l.at",
        id: "l.subject || '/' || l.key",
        order: "l.subject",
        columns: "l.kind, l.key, l.value, l.plugin",
        from: "orders o JOIN labels l ON l.shop = o.shop AND l.kind = 'order' AND l.subject = o.id",
        of_order: None,
        of_customer: Some("o.shop = $1 AND o.customer_id = $2"),
        read: label,
    },
    Source {
        at: "set_at",
        id: "plugin || '/' || subject || '/' || key",
        order: "order_id",
        columns: "plugin, key, due_at",
        from: "timers",
        of_order: OF_ORDER,
        of_customer: OF_CUSTOMER,
        read: timer,
    },
    Source {
        at: "updated_at",
        id: "id",
        order: "order_id",
        columns: "plugin, payload, state, due_at, channel, attempts, reason",
        from: "messages",
        of_order: OF_ORDER,
        of_customer: OF_CUSTOMER,
        read: message,
    },
];

fn reserved(row: &AnyRow) -> Result<Happened> {
    Ok(Happened::CouponReserved {
        code: row.try_get(OWN)?,
        cart_id: row.try_get(OWN + 1)?,
        until: row.try_get(OWN + 2)?,
    })
}

fn quote(row: &AnyRow) -> Result<Happened> {
    let quote: Quote = from_json("quote of an order", row.try_get(OWN)?)?;
    Ok(Happened::Quote {
        option: quote.option,
        title: quote.title,
        price: quote.price,
        currency: quote.currency,
        arrival: quote.arrival,
        plugins: quote.contributors,
    })
}

fn event(row: &AnyRow) -> Result<Happened> {
    Ok(Happened::Event {
        event_id: row.try_get(1)?,
        hook: row.try_get(OWN)?,
        state: row.try_get(OWN + 1)?,
        late: row.try_get::<i64, _>(OWN + 2)? != 0,
    })
}

fn used(row: &AnyRow) -> Result<Happened> {
    Ok(Happened::CouponUsed { code: row.try_get(OWN)?, over_limit: row.try_get::<i64, _>(OWN + 1)? != 0 })
}

fn released(row: &AnyRow, reason: ReleaseReason) -> Result<Happened> {
    Ok(Happened::CouponReleased { code: row.try_get(OWN)?, reason })
}

fn job(row: &AnyRow) -> Result<Happened> {
    Ok(Happened::Job {
        job_id: row.try_get(1)?,
        plugin: row.try_get(OWN)?,
        hook: row.try_get(OWN + 1)?,
        state: row.try_get(OWN + 2)?,
        attempts: row.try_get(OWN + 3)?,
        reason: row.try_get::<Option<String>, _>(OWN + 4)?.map(|reason| scrub(&reason)),
    })
}

fn issued(row: &AnyRow) -> Result<Happened> {
    let coupon: Coupon = from_json("coupon", row.try_get(OWN + 1)?)?;
    Ok(Happened::CouponIssued {
        code: row.try_get(1)?,
        plugin: row.try_get(OWN)?,
        value: coupon.value,
        currency: row.try_get(OWN + 2)?,
        max_uses: coupon.max_uses,
        expires_at: coupon.expires_at,
    })
}

fn earned(row: &AnyRow) -> Result<Happened> {
    Ok(Happened::Points {
        plugin: row.try_get(OWN)?,
        reference: row.try_get(OWN + 1)?,
        total: row.try_get(OWN + 2)?,
        delta: row.try_get(OWN + 3)?,
    })
}

fn label(row: &AnyRow) -> Result<Happened> {
    Ok(Happened::Label {
        on: row.try_get(OWN)?,
        key: row.try_get(OWN + 1)?,
        value: row.try_get(OWN + 2)?,
        plugin: row.try_get(OWN + 3)?,
    })
}

fn timer(row: &AnyRow) -> Result<Happened> {
    Ok(Happened::Timer {
        plugin: row.try_get(OWN)?,
        key: row.try_get(OWN + 1)?,
        due_at: row.try_get(OWN + 2)?,
    })
}

/// The reason may be another server's words.
fn message(row: &AnyRow) -> Result<Happened> {
    let message: Message = from_json("message", row.try_get(OWN + 1)?)?;
    Ok(Happened::Message {
        message_id: row.try_get(1)?,
        plugin: row.try_get(OWN)?,
        template: message.template,
        category: message.category,
        state: row.try_get(OWN + 2)?,
        due_at: row.try_get(OWN + 3)?,
        channel: row.try_get(OWN + 4)?,
        attempts: row.try_get(OWN + 5)?,
        reason: row.try_get::<Option<String>, _>(OWN + 6)?.map(|reason| scrub(&reason)),
    })
}
