//! Postmark's webhooks: bounce, spam complaint, delivery.

use serde_json::Value;

use super::{Reading, Report, ReportKind, instant, text};
use crate::adapters::unreadable::Unreadable;

/// Types of bounces after which Postmark itself sends no more.
const PERMANENT: [&str; 3] = ["HardBounce", "BadEmailAddress", "ManuallyDeactivated"];

pub(super) fn read(body: &Value) -> Result<Reading, Unreadable> {
    let (kind, whom, when) = match body.get("RecordType").and_then(Value::as_str) {
        Some("Bounce") => (ReportKind::Bounce, "Email", "BouncedAt"),
        Some("SpamComplaint") => (ReportKind::Complaint, "Email", "BouncedAt"),
        Some("Delivery") => (ReportKind::Delivered, "Recipient", "DeliveredAt"),
        _ => return Ok(Reading::Nothing("this record says nothing of a mail's fate")),
    };
    let address = text(body, whom).ok_or_else(|| Unreadable::new(whom, "is missing"))?;
    let permanent = text(body, "Type").is_some_and(|name| PERMANENT.contains(&name.as_str()))
        && kind == ReportKind::Bounce;
    Ok(Reading::Reports(vec![Report {
        kind,
        permanent,
        // Postmark's own id is not the mail's.
        message_id: None,
        address: Some(address),
        detail: text(body, "Details").or_else(|| text(body, "Description")).unwrap_or_default(),
        at: instant(body, when),
    }]))
}
