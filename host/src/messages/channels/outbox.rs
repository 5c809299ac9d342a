//! The folder of `.eml` files: mails as a person or a test can read them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{Channel, ChannelError, Parcel, Receipt, mail};

/// Writes `<folder>/<n>-<slug>.eml` and `.html`, each whole or not at all. A message that is there already,
/// by its Message-ID, is not written again.
#[derive(Clone)]
pub struct Outbox {
    folder: PathBuf,
    written: Arc<Mutex<Written>>,
}

/// What the folder holds.
#[derive(Default)]
struct Written {
    /// Message-ID → file name without extension.
    names: BTreeMap<String, String>,
    last: u64,
}

/// The header of a mail is not longer than this.
const HEADER: u64 = 16 * 1024;

impl Outbox {
    /// Makes the folder when it is not there, and learns what it holds.
    pub fn open(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let written = Arc::new(Mutex::new(look(&folder)?));
        Ok(Self { folder, written })
    }

    fn write(&self, parcel: &Parcel) -> Result<Receipt, ChannelError> {
        let message_id = mail::message_id(parcel);
        // One writer: the number and the name are taken together.
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.names.contains_key(&message_id) {
            return Ok(Receipt { message_id });
        }
        let mail = mail::compose(parcel)?;
        let number = written.last.saturating_add(1);
        let name = format!("{number:04}-{}", slug(&parcel.slug));
        // The page first: the mail is what counts as written.
        self.put(&format!("{name}.html"), parcel.html.as_bytes())?;
        self.put(&format!("{name}.eml"), &mail.bytes)?;
        written.last = number;
        written.names.insert(message_id.clone(), name);
        Ok(Receipt { message_id })
    }

    fn put(&self, name: &str, content: &[u8]) -> Result<(), ChannelError> {
        let write = || -> io::Result<()> {
            let unfinished = self.folder.join(format!(".{name}.part"));
            let mut file = fs::File::create(&unfinished)?;
            file.write_all(content)?;
            file.sync_all()?;
            fs::rename(&unfinished, self.folder.join(name))
        };
        write().map_err(|error| {
            // A full disk has no room for halves of mails.
            let _ = fs::remove_file(self.folder.join(format!(".{name}.part")));
            ChannelError::Later(format!("the outbox {} cannot be written: {error}", self.folder.display()))
        })
    }
}

#[async_trait]
impl Channel for Outbox {
    fn name(&self) -> &'static str {
        "email"
    }

    async fn carry(&self, parcel: &Parcel) -> Result<Receipt, ChannelError> {
        let (outbox, parcel) = (self.clone(), parcel.clone());
        tokio::task::spawn_blocking(move || outbox.write(&parcel))
            .await
            .unwrap_or_else(|_| Err(ChannelError::Later("writing the mail broke off".to_owned())))
    }
}

fn look(folder: &Path) -> io::Result<Written> {
    let mut written = Written::default();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_none_or(|extension| extension != "eml") {
            continue;
        }
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
        let number = name.split('-').next().and_then(|number| number.parse().ok()).unwrap_or(0);
        written.last = written.last.max(number);
        let mut head = Vec::new();
        fs::File::open(&path)?.take(HEADER).read_to_end(&mut head)?;
        let id = String::from_utf8_lossy(&head)
            .lines()
            .take_while(|line| !line.is_empty())
            .find_map(|line| line.strip_prefix("Message-ID: ").map(|id| id.trim().to_owned()));
        if let Some(id) = id {
            written.names.insert(id, name.to_owned());
        }
    }
    Ok(written)
}

/// Small letters, digits and dashes.
fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for letter in text.chars().take(80) {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_matches('-');
    if slug.is_empty() { "message".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use mail_parser::{MessageParser, MimeHeaders as _};

    use super::*;
    use crate::messages::channels::Unsubscribe;

    fn parcel(id: &str) -> Parcel {
        Parcel {
            id: id.to_owned(),
            shop: "linen".to_owned(),
            plugin: "order-updates".to_owned(),
            slug: "order-updates-confirmation".to_owned(),
            from_name: "Lnianka „Święto” & Co".to_owned(),
            from_address: "hello@linen.example".to_owned(),
            to_name: Some("Ola Żółć".to_owned()),
            to_address: "ola@example.com".to_owned(),
            subject: "Twoje zamówienie #1001 — dziękujemy".to_owned(),
            html: "<p>Cześć, Ola! 1234,50\u{a0}zł</p>".to_owned(),
            text: "Cześć, Ola! 1234,50\u{a0}zł\n".to_owned(),
            locale: "pl".to_owned(),
            at_ms: 1_795_856_400_000,
            unsubscribe: Unsubscribe::default(),
        }
    }

    fn files(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn a_mail_is_read_back_as_it_was_meant() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(folder.path().join("outbox")).unwrap();
        let receipt = outbox.carry(&parcel("m-1")).await.unwrap();
        assert_eq!(receipt.message_id, "<m-1@linen.example>");

        let raw = fs::read(folder.path().join("outbox/0001-order-updates-confirmation.eml")).unwrap();
        assert!(raw.is_ascii(), "headers and bodies are encoded");
        let mail = MessageParser::default().parse(&raw).unwrap();
        assert_eq!(mail.subject(), Some("Twoje zamówienie #1001 — dziękujemy"));
        let from = mail.from().unwrap().first().unwrap();
        assert_eq!(from.name(), Some("Lnianka „Święto” & Co"));
        assert_eq!(from.address(), Some("hello@linen.example"));
        let to = mail.to().unwrap().first().unwrap();
        assert_eq!((to.name(), to.address()), (Some("Ola Żółć"), Some("ola@example.com")));
        assert_eq!(mail.message_id(), Some("m-1@linen.example"));
        assert_eq!(mail.date().unwrap().to_rfc3339(), "2026-11-28T09:00:00Z");
        assert_eq!(mail.body_text(0).unwrap().trim_end(), "Cześć, Ola! 1234,50\u{a0}zł");
        assert_eq!(mail.body_html(0).unwrap().trim_end(), "<p>Cześć, Ola! 1234,50\u{a0}zł</p>");
        assert_eq!(mail.content_type().unwrap().subtype(), Some("alternative"));
        assert!(mail.header("List-Unsubscribe").is_none());
        let page =
            fs::read_to_string(folder.path().join("outbox/0001-order-updates-confirmation.html")).unwrap();
        assert!(page.starts_with("<p>Cześć"));
    }

    #[tokio::test]
    async fn the_same_message_is_written_once_also_by_another_process() {
        let folder = tempfile::tempdir().unwrap();
        let first = Outbox::open(folder.path().to_owned()).unwrap();
        let one = first.carry(&parcel("m-1")).await.unwrap();
        let again = first.carry(&Parcel { subject: "Other".to_owned(), ..parcel("m-1") }).await.unwrap();
        assert_eq!(one, again);

        let second = Outbox::open(folder.path().to_owned()).unwrap();
        assert_eq!(second.carry(&parcel("m-1")).await.unwrap(), one);
        second.carry(&Parcel { slug: "../Loyalty messages/tier".to_owned(), ..parcel("m-2") }).await.unwrap();
        assert_eq!(
            files(folder.path()),
            [
                "0001-order-updates-confirmation.eml",
                "0001-order-updates-confirmation.html",
                "0002-loyalty-messages-tier.eml",
                "0002-loyalty-messages-tier.html",
            ]
        );
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_is_tried_again_and_nothing_half_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(folder.path().join("gone")).unwrap();
        fs::remove_dir(folder.path().join("gone")).unwrap();
        assert!(matches!(outbox.carry(&parcel("m-1")).await, Err(ChannelError::Later(_))));
        fs::create_dir(folder.path().join("gone")).unwrap();
        outbox.carry(&parcel("m-1")).await.unwrap();
        assert_eq!(files(&folder.path().join("gone")).len(), 2);
    }

    #[tokio::test]
    async fn an_address_that_is_none_is_refused_without_being_told() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(folder.path().to_owned()).unwrap();
        for address in ["no address", "ola@example.com\r\nBcc: thief@evil.example", ""] {
            let refused = outbox.carry(&Parcel { to_address: address.to_owned(), ..parcel("m-1") }).await;
            assert_eq!(
                refused,
                Err(ChannelError::Never("the customer's address is not an e-mail address".to_owned()))
            );
        }
        assert_eq!(files(folder.path()), Vec::<String>::new());
    }

    #[tokio::test]
    async fn no_header_can_be_smuggled_in() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(folder.path().to_owned()).unwrap();
        let evil = Parcel {
            subject: "Hi\r\nBcc: thief@evil.example".to_owned(),
            from_name: "Shop\r\nX-Evil: 1".to_owned(),
            to_name: Some("Ola\nX-Evil: 1".to_owned()),
            unsubscribe: Unsubscribe {
                page: Some("https://mail.example/v1/unsubscribe/abc".to_owned()),
                mail: Some("mailto:hello@linen.example?subject=unsubscribe".to_owned()),
            },
            ..parcel("m-1")
        };
        outbox.carry(&evil).await.unwrap();
        let raw = fs::read(folder.path().join("0001-order-updates-confirmation.eml")).unwrap();
        let mail = MessageParser::default().parse(&raw).unwrap();
        assert!(mail.bcc().is_none());
        assert!(mail.header("X-Evil").is_none());
        let unsubscribe = mail.header("List-Unsubscribe").unwrap();
        assert_eq!(unsubscribe.as_address().map(|all| all.iter().count()), Some(2), "{unsubscribe:?}");
    }
}
