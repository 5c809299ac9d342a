//! Amazon SES: notifications and events, as they are or inside an envelope of SNS.

use serde_json::Value;

use super::{Reading, Report, ReportKind, instant, text};
use crate::adapters::unreadable::Unreadable;

pub(super) fn read(body: &Value) -> Result<Reading, Unreadable> {
    match body.get("Type").and_then(Value::as_str) {
        Some("SubscriptionConfirmation") => return confirmation(body),
        Some("Notification") => {
            let inner = text(body, "Message").ok_or_else(|| Unreadable::new("Message", "is missing"))?;
            let inner: Value = serde_json::from_str(&inner)
                .map_err(|_| Unreadable::new("Message", "is not a notification of SES in JSON"))?;
            return notice(&inner);
        }
        Some(_) => return Ok(Reading::Nothing("this message of SNS says nothing of a mail's fate")),
        None => {}
    }
    notice(body)
}

/// Whoever opens the address agrees to be sent to: only Amazon's own is shown.
fn confirmation(body: &Value) -> Result<Reading, Unreadable> {
    let wrong = || Unreadable::new("SubscribeURL", "is not an address of Amazon SNS");
    let url = text(body, "SubscribeURL").ok_or_else(wrong)?;
    let host = url::Url::parse(&url).ok().filter(|url| url.scheme() == "https");
    let host = host.and_then(|url| url.host_str().map(str::to_owned)).ok_or_else(wrong)?;
    if host.starts_with("sns.") && host.ends_with(".amazonaws.com") {
        Ok(Reading::Confirm { url })
    } else {
        Err(wrong())
    }
}

fn notice(body: &Value) -> Result<Reading, Unreadable> {
    let kind = text(body, "notificationType").or_else(|| text(body, "eventType"));
    let (kind, part, list) = match kind.as_deref() {
        Some("Bounce") => (ReportKind::Bounce, "bounce", "bouncedRecipients"),
        Some("Complaint") => (ReportKind::Complaint, "complaint", "complainedRecipients"),
        Some("Delivery") => (ReportKind::Delivered, "delivery", "recipients"),
        _ => return Ok(Reading::Nothing("this event says nothing of a mail's fate")),
    };
    let said = body.get(part).ok_or_else(|| Unreadable::new(part, "is missing"))?;
    let recipients = said
        .get(list)
        .and_then(Value::as_array)
        .filter(|list| !list.is_empty())
        .ok_or_else(|| Unreadable::new(format!("{part}.{list}"), "is missing or empty"))?;
    let permanent = text(said, "bounceType").as_deref() == Some("Permanent");
    // SES gives the mail an id of its own; the one that it came with is among the headers.
    let message_id = body
        .get("mail")
        .and_then(|mail| mail.get("commonHeaders"))
        .and_then(|headers| text(headers, "messageId"));
    let reports = recipients
        .iter()
        .map(|recipient| {
            let address = recipient.as_str().map(str::to_owned).or_else(|| text(recipient, "emailAddress"));
            let address = address.ok_or_else(|| {
                Unreadable::new(format!("{part}.{list}"), "has a recipient without an address")
            })?;
            let kinds = [text(said, "bounceSubType"), text(said, "complaintFeedbackType")];
            Ok(Report {
                kind,
                permanent,
                message_id: message_id.clone(),
                address: Some(bare(&address).to_owned()),
                detail: text(recipient, "diagnosticCode")
                    .or_else(|| kinds.into_iter().flatten().next())
                    .unwrap_or_default(),
                at: instant(said, "timestamp"),
            })
        })
        .collect::<Result<Vec<_>, Unreadable>>()?;
    Ok(Reading::Reports(reports))
}

/// `Ada <ada@mail.example>` is written so too.
fn bare(address: &str) -> &str {
    address.rsplit_once('<').map_or(address, |(_, rest)| rest.trim_end_matches('>')).trim()
}
