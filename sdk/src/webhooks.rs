//! Telling the shop's other systems, in events and timers. Needs the grant `webhooks`.

/// To the shop's subscribers of `topic`; the payload is JSON ([`Json`](crate::json::Json) writes it).
///
/// A topic is words of letters, digits, `_` and `-`, joined by full stops, e.g. `logistics.order`. What begins
/// with `message`, `coupon`, `plugin`, `job` or `webhook` only the host tells of.
pub fn send(topic: &str, payload: &str) {
    crate::raw::webhooks::send(topic, payload);
}
