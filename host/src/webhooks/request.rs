//! What is sent: the envelope and the headers of Standard Webhooks 1.0. Pure: the time is told.

use crate::domain::instant::to_rfc3339;
use crate::domain::signature::{SigningSecret, sign};
use crate::store::Delivery;

pub(super) struct Request {
    pub(super) body: String,
    pub(super) headers: [(&'static str, String); 3],
}

/// Body and id are the same in each attempt, time and signatures are the attempt's own.
pub(super) fn request(delivery: &Delivery, secrets: &[SigningSecret], now_ms: i64) -> Request {
    let body = envelope(delivery);
    let seconds = now_ms.div_euclid(1_000);
    let signatures: Vec<String> =
        secrets.iter().map(|secret| sign(secret, &delivery.webhook_id, seconds, body.as_bytes())).collect();
    let headers = [
        ("webhook-id", delivery.webhook_id.clone()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signatures.join(" ")),
    ];
    Request { body, headers }
}

/// The payload was checked to be JSON when it was asked for; it goes out as it was written.
fn envelope(delivery: &Delivery) -> String {
    let topic = serde_json::Value::from(delivery.topic.as_str());
    format!(
        "{{\"type\":{topic},\"timestamp\":\"{}\",\"data\":{}}}",
        to_rfc3339(delivery.happened_at),
        delivery.payload
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::signature::{Signed, verify};

    fn delivery(attempts: i64) -> Delivery {
        Delivery {
            id: "dlv_1".to_owned(),
            shop: "s".to_owned(),
            endpoint: "erp".to_owned(),
            webhook_id: "whk_1".to_owned(),
            topic: "logistics.order".to_owned(),
            payload: r##"{"number": "#1001", "price": 12.50}"##.to_owned(),
            happened_at: 1_796_000_000_123,
            lease_token: 3,
            attempts,
        }
    }

    #[test]
    fn each_attempt_has_the_same_body_and_id_and_a_signature_of_its_own() {
        let secrets = [SigningSecret::of_bytes([1; 32]), SigningSecret::of_bytes([2; 32])];
        let now_ms = 1_796_000_100_999;
        let first = request(&delivery(0), &secrets, now_ms);
        assert_eq!(
            first.body,
            "{\"type\":\"logistics.order\",\"timestamp\":\"2026-11-30T00:53:20.123Z\",\
             \"data\":{\"number\": \"#1001\", \"price\": 12.50}}"
        );
        let second = request(&delivery(1), &secrets, now_ms + 5_000);
        assert_eq!((&first.body, &first.headers[0]), (&second.body, &second.headers[0]));
        assert_eq!(first.headers[1].1, "1796000100");
        assert_ne!(first.headers[2], second.headers[2]);
        for secret in secrets {
            let [(_, id), (_, timestamp), (_, signatures)] = &second.headers;
            let signed = Signed { id, timestamp, signatures };
            assert_eq!(verify(&[secret], signed, second.body.as_bytes(), now_ms + 5_000), Ok(()));
        }
    }
}
