//! Reports of what became of mails: a list of our own, and the shapes of two providers.
//!
//! Neither provider signs in a way that a secret could check, so whoever takes their reports checks a name and a
//! password (HTTP Basic). A report of a kind that says nothing of a mail's fate is no error: providers stop
//! sending to whoever refuses too often.

mod postmark;
mod ses;

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::unreadable::Unreadable;
use crate::domain::FeedbackKind;

/// One report of what became of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    #[serde(rename = "type")]
    pub kind: ReportKind,
    /// Of a bounce: nobody will ever get mail at this address. A full mailbox is none such. Default `false`.
    #[serde(default)]
    pub permanent: bool,
    /// The mail's Message-ID, as `message.sent` tells it.
    #[serde(default)]
    pub message_id: Option<String>,
    /// Whom it went to; enough when there is no `message_id`.
    #[serde(default)]
    pub address: Option<String>,
    /// What was said; contact details are taken out of it.
    #[serde(default)]
    pub detail: String,
    /// Default: now.
    #[serde(default, with = "crate::domain::instant::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    /// It came back.
    Bounce,
    /// Its reader called it spam.
    Complaint,
    /// The reader's mail server has it.
    Delivered,
}

impl Report {
    #[must_use]
    pub fn kind(&self) -> FeedbackKind {
        match self.kind {
            ReportKind::Bounce => FeedbackKind::Bounced { permanent: self.permanent },
            ReportKind::Complaint => FeedbackKind::Complained,
            ReportKind::Delivered => FeedbackKind::Delivered,
        }
    }
}

/// What a request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    Reports(Vec<Report>),
    /// Nothing of a mail's fate, and why.
    Nothing(&'static str),
    /// Amazon SNS wants a person to open this address first.
    Confirm {
        url: String,
    },
}

pub fn read(body: Value) -> Result<Reading, Unreadable> {
    match &body {
        Value::Array(_) => own(body),
        Value::Object(fields) if fields.contains_key("RecordType") => postmark::read(&body),
        Value::Object(fields)
            if ["Type", "notificationType", "eventType"].iter().any(|name| fields.contains_key(*name)) =>
        {
            ses::read(&body)
        }
        _ => Err(Unreadable::new(".", "must be a list of reports, or a webhook of Postmark or Amazon SES")),
    }
}

fn own(body: Value) -> Result<Reading, Unreadable> {
    let reports: Vec<Report> = serde_path_to_error::deserialize(body).map_err(|error| {
        let mut what = error.inner().to_string();
        // A value may be an address in the wrong field.
        if let (Some(from), Some(to)) = (what.find('"'), what.rfind('"'))
            && from < to
        {
            what.replace_range(from..=to, "…");
        }
        Unreadable::new(error.path().to_string(), what)
    })?;
    Ok(Reading::Reports(reports))
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned).filter(|text| !text.is_empty())
}

fn instant(value: &Value, name: &str) -> Option<i64> {
    let at = value.get(name)?.as_str()?.parse::<jiff::Timestamp>().ok()?;
    Some(at.as_millisecond())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reports(body: Value) -> Vec<Report> {
        match read(body).unwrap() {
            Reading::Reports(reports) => reports,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_list_of_our_own_is_read_and_checked() {
        let read_back = reports(json!([
            { "type": "bounce", "permanent": true, "message_id": "<m@x>", "detail": "550", "at": "2026-11-28T09:30:00Z" },
            { "type": "complaint", "address": "ada@mail.example" },
            { "type": "delivered", "message_id": "<n@x>" },
        ]));
        let kinds: Vec<FeedbackKind> = read_back.iter().map(Report::kind).collect();
        assert_eq!(
            kinds,
            [FeedbackKind::Bounced { permanent: true }, FeedbackKind::Complained, FeedbackKind::Delivered]
        );
        assert_eq!(read_back[0].at, Some(1_795_858_200_000));
        for (body, field) in [
            (json!([{ "type": "vanished" }]), "[0].type"),
            (json!([{ "type": "bounce", "permanent": "ada@mail.example" }]), "[0].permanent"),
            (json!([{ "type": "bounce", "adress": "x" }]), "[0].adress"),
            (json!([{ "type": "bounce", "at": "yesterday" }]), "[0].at"),
            (json!({}), "."),
            (json!("x"), "."),
        ] {
            let wrong = read(body.clone()).unwrap_err();
            assert_eq!(wrong.field, field, "{body} {wrong}");
            assert!(!wrong.what.contains("ada"), "{wrong}");
        }
    }

    #[test]
    fn postmark_is_understood() {
        let bounce = reports(json!({
            "RecordType": "Bounce", "Type": "HardBounce", "TypeCode": 1, "MessageID": "883953f4",
            "Email": "arthur@example.com", "Description": "The server was unable to deliver your message",
            "Details": "smtp;550 5.1.1 unknown", "BouncedAt": "2026-11-28T05:30:00-04:00", "Inactive": true,
        }));
        assert_eq!(bounce[0].kind(), FeedbackKind::Bounced { permanent: true });
        assert_eq!(bounce[0].address.as_deref(), Some("arthur@example.com"));
        assert_eq!(bounce[0].at, Some(1_795_858_200_000));
        for (kind, permanent) in [("SoftBounce", false), ("Transient", false), ("BadEmailAddress", true)] {
            let body = json!({ "RecordType": "Bounce", "Type": kind, "Email": "a@example.com" });
            assert_eq!(reports(body)[0].kind(), FeedbackKind::Bounced { permanent }, "{kind}");
        }
        let spam = json!({ "RecordType": "SpamComplaint", "Email": "a@example.com" });
        assert_eq!(reports(spam)[0].kind(), FeedbackKind::Complained);
        let delivered = json!({ "RecordType": "Delivery", "Recipient": "a@example.com" });
        assert_eq!(reports(delivered)[0].kind(), FeedbackKind::Delivered);
        assert!(matches!(read(json!({ "RecordType": "Open" })), Ok(Reading::Nothing(_))));
        assert!(read(json!({ "RecordType": "Bounce", "Type": "HardBounce" })).is_err());
    }

    #[test]
    fn ses_is_understood_bare_and_through_sns() {
        let notice = json!({
            "notificationType": "Bounce",
            "bounce": {
                "bounceType": "Permanent", "bounceSubType": "General", "timestamp": "2026-11-28T09:30:00.000Z",
                "bouncedRecipients": [
                    { "emailAddress": "jane@example.com", "diagnosticCode": "smtp; 550 5.1.1 user unknown" },
                    { "emailAddress": "Richard <richard@example.com>" },
                ],
            },
            "mail": { "messageId": "0000-ses", "commonHeaders": { "messageId": "<msg_1@shop.example>" } },
        });
        let through = json!({ "Type": "Notification", "Message": notice.to_string() });
        for body in [notice, through] {
            let read_back = reports(body);
            assert_eq!(read_back.len(), 2);
            assert_eq!(read_back[0].kind(), FeedbackKind::Bounced { permanent: true });
            assert_eq!(read_back[0].message_id.as_deref(), Some("<msg_1@shop.example>"));
            assert_eq!(read_back[0].detail, "smtp; 550 5.1.1 user unknown");
            assert_eq!(read_back[1].address.as_deref(), Some("richard@example.com"));
        }
        let complaint = json!({
            "eventType": "Complaint", "complaint": { "complainedRecipients": [{ "emailAddress": "a@example.com" }] },
        });
        assert_eq!(reports(complaint)[0].kind(), FeedbackKind::Complained);
        let transient = json!({
            "eventType": "Bounce",
            "bounce": { "bounceType": "Transient", "bouncedRecipients": [{ "emailAddress": "a@example.com" }] },
        });
        assert_eq!(reports(transient)[0].kind(), FeedbackKind::Bounced { permanent: false });
        let delivery = json!({ "eventType": "Delivery", "delivery": { "recipients": ["a@example.com"] } });
        assert_eq!(reports(delivery)[0].kind(), FeedbackKind::Delivered);
        assert!(matches!(read(json!({ "eventType": "Click" })), Ok(Reading::Nothing(_))));
        let confirm = |url: &str| read(json!({ "Type": "SubscriptionConfirmation", "SubscribeURL": url }));
        assert!(matches!(
            confirm("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"),
            Ok(Reading::Confirm { .. })
        ));
        for evil in ["http://sns.eu-west-1.amazonaws.com/", "https://amazonaws.com.evil.example/", "x"] {
            assert!(confirm(evil).is_err(), "{evil}");
        }
        assert!(read(json!({ "Type": "Notification", "Message": "not json" })).is_err());
    }
}
