//! Telling the shop's other systems, in events and timers. Needs the grant `webhooks`.

/// To the shop's subscribers of `topic`; the payload is JSON ([`Json`](crate::json::Json) writes it).
pub fn send(topic: &str, payload: &str) {
    crate::raw::webhooks::send(topic, payload);
}
