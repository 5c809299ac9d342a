//! What mail servers and providers report of mails that were sent: bounces, complaints, deliveries.

use axum::Json as Reply;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use subtle::ConstantTimeEq as _;
use utoipa::ToSchema;

use super::Wire;
use super::json;
use super::path::Path;
use super::problem::{FieldError, Kind, Problem};
use super::webhooks::addressed;
use crate::adapters::mail::{self, Reading, Report};
use crate::config::{BasicAuth, MailFeedback, SecretSource};
use crate::domain::scrub::scrub;
use crate::domain::signature::{self, Signed, SigningSecret};
use crate::lifecycle::check::is_email;
use crate::plugins::registry::{LiveShop, Snapshot};
use crate::store::{Feedback, Matched};

/// Reports in one request.
const REPORTS: usize = 1_000;

/// Characters of what a mail server said.
const DETAIL: usize = 500;

/// What became of the reports.
#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct FeedbackTaken {
    /// Of messages of this host, whose fate now says so.
    pub messages: usize,
    /// Of addresses that no message is known of; they are on the suppression list now.
    pub addresses: usize,
    /// Of nothing that is known here.
    pub unknown: usize,
    /// For whoever reads the provider's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Takes reports of bounces, complaints and deliveries
///
/// Signed as Standard Webhooks has it, with the `secret` of `[mail_feedback]` in the shop's file, not more than five
/// minutes ago; or with the name and password of its `basic`, for providers that sign nothing. Takes the list
/// described here, the webhooks of Postmark (bounce, spam complaint, delivery) and the notifications of Amazon SES,
/// bare or through SNS. A permanent bounce and a complaint put the address on the suppression list. Either all
/// reports are taken or none.
#[utoipa::path(
    post,
    path = "/v1/webhooks/mail/{shop}",
    operation_id = "mail_feedback",
    tag = "webhooks",
    params(
        ("shop" = String, Path, description = "The shop's id"),
        ("webhook-id" = Option<String>, Header, description = "Standard Webhooks"),
        ("webhook-timestamp" = Option<String>, Header, description = "Unix seconds"),
        ("webhook-signature" = Option<String>, Header, description = "`v1,` and the base64 of HMAC-SHA256 over id, timestamp and body, joined by full stops"),
    ),
    request_body(content = Vec<Report>, example = json!([
        { "type": "bounce", "permanent": true, "message_id": "<msg_0190f3c2@shop.example>", "detail": "550 5.1.1 no such user", "at": "2026-11-28T09:30:00Z" },
        { "type": "complaint", "address": "ada@mail.example" },
    ])),
    responses(
        (status = 200, description = "All were taken", body = FeedbackTaken),
        (status = 401, description = "Not signed by who has the secret, or too long ago", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such shop, or it takes no reports", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "A problem; nothing was taken", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub async fn mail_feedback(
    State(wire): State<Wire>,
    Path(shop): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Reply<FeedbackTaken>, Problem> {
    let snapshot = wire.registry.current();
    let shop = addressed(&snapshot, &shop)?;
    let body = json::read(&headers, body, snapshot.host.http.body_bytes).await?;
    let now_ms = wire.clock.now_ms();
    if let Err(problem) = admit(&snapshot, shop, &headers, &body, now_ms) {
        count("refused");
        return Err(problem);
    }
    let depth = snapshot.host.http.json_depth;
    let reports = match mail::read(json::parse(&body, depth)?) {
        Ok(Reading::Reports(reports)) => reports,
        Ok(Reading::Nothing(note)) => return Ok(noted(note.to_owned())),
        Ok(Reading::Confirm { url }) => {
            tracing::warn!(
                shop = shop.config.id,
                url,
                "Amazon SNS asks whether it may report here: open this address to confirm"
            );
            return Ok(noted("open the SubscribeURL to confirm; it is in the host's log too".to_owned()));
        }
        Err(wrong) => {
            return Err(Problem::of_fields(Kind::InvalidBody, vec![FieldError::at(wrong.field, wrong.what)]));
        }
    };
    let feedback = checked(reports, now_ms)?;
    let matched = wire.store.take_feedback(&shop.config.id, &feedback).await?;
    let mut taken = FeedbackTaken::default();
    for matched in matched {
        let (sum, outcome) = match matched {
            Matched::Message => (&mut taken.messages, "message"),
            Matched::Address => (&mut taken.addresses, "address"),
            Matched::Nothing => (&mut taken.unknown, "unknown"),
        };
        *sum += 1;
        count(outcome);
    }
    tracing::info!(
        messages = taken.messages,
        addresses = taken.addresses,
        unknown = taken.unknown,
        "reports of mails were taken"
    );
    Ok(Reply(taken))
}

fn noted(note: String) -> Reply<FeedbackTaken> {
    count("ignored");
    Reply(FeedbackTaken { note: Some(note), ..FeedbackTaken::default() })
}

fn count(outcome: &'static str) {
    metrics::counter!("cartwright_webhooks_total", "platform" => "mail", "outcome" => outcome).increment(1);
}

/// Without the name before it: `"Ada" <ada@shop.example>`.
fn bare(address: &str) -> &str {
    let address = address.trim();
    let inside = address.strip_suffix('>').and_then(|address| address.rsplit_once('<'));
    inside.map_or(address, |(_, inside)| inside.trim())
}

fn checked(reports: Vec<Report>, now_ms: i64) -> Result<Vec<Feedback>, Problem> {
    if reports.len() > REPORTS {
        return Err(invalid(".", format!("more than {REPORTS} reports; send them in several requests")));
    }
    reports
        .into_iter()
        .enumerate()
        .map(|(index, report)| {
            if report.message_id.is_none() && report.address.is_none() {
                return Err(invalid(
                    &format!("[{index}]"),
                    "needs a `message_id` or an `address`".to_owned(),
                ));
            }
            let texts = [Some(&report.detail), report.message_id.as_ref(), report.address.as_ref()];
            if texts.into_iter().flatten().any(|text| text.contains('\0')) {
                return Err(invalid(
                    &format!("[{index}]"),
                    "has a NUL character, which no text has".to_owned(),
                ));
            }
            let address = report.address.as_deref().map(bare);
            if address.is_some_and(|address| !is_email(address)) {
                return Err(invalid(&format!("[{index}].address"), "is no e-mail address".to_owned()));
            }
            Ok(Feedback {
                kind: report.kind(),
                address: address.map(str::to_owned),
                message_id: report.message_id,
                detail: scrub(&report.detail).chars().take(DETAIL).collect(),
                // Nothing came back before it happened.
                at: report.at.unwrap_or(now_ms).min(now_ms),
            })
        })
        .collect()
}

fn admit(
    snapshot: &Snapshot,
    shop: &LiveShop,
    headers: &HeaderMap,
    body: &[u8],
    now_ms: i64,
) -> Result<(), Problem> {
    let settings = shop.config.mail_feedback.as_ref().ok_or_else(|| {
        Problem::new(
            Kind::NotFound,
            "This shop takes no reports of mails: add [mail_feedback] with a `secret` to its file.",
        )
    })?;
    let MailFeedback { secret, basic } = settings;
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if let Some(basic) = basic
        && headers.contains_key(header::AUTHORIZATION)
    {
        return admit_basic(snapshot, basic, text("authorization"));
    }
    let Some(secret) = secret else {
        return Err(refused("Send the name and password of `basic` under [mail_feedback] (HTTP Basic)."));
    };
    let secret = SigningSecret::parse(read(snapshot, secret)?.expose_secret()).map_err(|error| {
        tracing::error!(%error, "the secret of [mail_feedback] cannot be used");
        Problem::new(Kind::Internal, "The secret of [mail_feedback] cannot be used; the host's log says why.")
    })?;
    let signed = Signed {
        id: text("webhook-id"),
        timestamp: text("webhook-timestamp"),
        signatures: text("webhook-signature"),
    };
    signature::verify(&[secret], signed, body, now_ms).map_err(|error| {
        let mut what = error.to_string();
        what.push('.');
        refused(&what)
    })
}

fn admit_basic(snapshot: &Snapshot, basic: &BasicAuth, given: &str) -> Result<(), Problem> {
    let password = read(snapshot, &basic.password)?;
    let wanted = format!("{}:{}", basic.username, password.expose_secret());
    let given = given.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
    let given = given.and_then(|(_, encoded)| STANDARD.decode(encoded.trim()).ok()).unwrap_or_default();
    if bool::from(given.ct_eq(wanted.as_bytes())) {
        Ok(())
    } else {
        Err(refused("The name or the password is not that of `basic` under [mail_feedback]."))
    }
}

fn read(snapshot: &Snapshot, secret: &SecretSource) -> Result<SecretString, Problem> {
    secret.read(&snapshot.host.folder).map_err(|error| {
        tracing::error!(%error, "reports of mails cannot be verified");
        Problem::new(Kind::Internal, "The host cannot read the secret of [mail_feedback]; its log says why.")
    })
}

fn refused(what: &str) -> Problem {
    Problem::new(Kind::BadSignature, what)
}

fn invalid(field: &str, what: String) -> Problem {
    Problem::of_fields(Kind::Invalid, vec![FieldError::at(field, what)])
}
