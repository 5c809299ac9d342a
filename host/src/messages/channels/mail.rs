//! A parcel as a mail (RFC 5322): headers and both bodies, the same for whatever carries it. Everything in it
//! is ASCII: what is not is encoded.

use std::time::{Duration, SystemTime};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};

use super::{ChannelError, Parcel};

/// Ready to be carried.
pub(super) struct Mail {
    pub message_id: String,
    pub from: Address,
    pub to: Address,
    pub bytes: Vec<u8>,
}

/// The same for every attempt at the same message, so that a mail server or program that gets it twice can
/// tell.
pub(super) fn message_id(parcel: &Parcel) -> String {
    let domain = parcel.from_address.rsplit('@').next().unwrap_or("localhost");
    // It begins with the message's own id, by which reports of the mail find it.
    let id: String =
        parcel.id.chars().filter(|letter| letter.is_ascii_alphanumeric() || "-_".contains(*letter)).collect();
    format!("<{id}@{domain}>")
}

pub(super) fn compose(parcel: &Parcel) -> Result<Mail, ChannelError> {
    let message_id = message_id(parcel);
    let from = address(&parcel.from_address, "shop's")?;
    let to = address(&parcel.to_address, "customer's")?;
    let header =
        |name: &'static str, value: String| HeaderValue::new(HeaderName::new_from_ascii_str(name), value);
    let mut builder = Message::builder()
        .from(Mailbox::new(Some(one_line(&parcel.from_name)), from.clone()))
        .to(Mailbox::new(parcel.to_name.as_deref().map(one_line), to.clone()))
        .subject(one_line(&parcel.subject))
        .date(instant(parcel.at_ms))
        .message_id(Some(message_id.clone()))
        .raw_header(header("Content-Language", parcel.locale.clone()))
        // RFC 3834: nobody's holiday notice answers this.
        .raw_header(header("Auto-Submitted", "auto-generated".to_owned()));
    let unsubscribe = &parcel.unsubscribe;
    // RFC 2369: in the order of preference.
    let ways: Vec<String> = [&unsubscribe.page, &unsubscribe.mail]
        .into_iter()
        .flatten()
        .map(|way| format!("<{}>", one_line(way)))
        .collect();
    if !ways.is_empty() {
        builder = builder.raw_header(header("List-Unsubscribe", ways.join(", ")));
    }
    if unsubscribe.page.is_some() {
        builder =
            builder.raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
    }
    let bytes = builder
        .multipart(MultiPart::alternative_plain_html(parcel.text.clone(), parcel.html.clone()))
        .map(|message| message.formatted())
        .map_err(|error| ChannelError::Never(format!("the mail cannot be put together: {error}")))?;
    Ok(Mail { message_id, from, to, bytes })
}

/// With the domain as DNS has it (RFC 5891), so that only a name before the `@` that is not ASCII asks more of
/// mail servers than all of them do. The error must not show the address.
fn address(text: &str, whose: &str) -> Result<Address, ChannelError> {
    let wrong = || ChannelError::Never(format!("the {whose} address is not an e-mail address"));
    let (local, domain) = text.rsplit_once('@').ok_or_else(wrong)?;
    let domain = if domain.is_ascii() {
        domain.to_owned()
    } else {
        url::Host::parse(domain).map_err(|_| wrong())?.to_string()
    };
    Address::new(local, domain).map_err(|_| wrong())
}

/// A line break would begin another header.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

fn instant(at_ms: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(at_ms).unwrap_or(0))
}
