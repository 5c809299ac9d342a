//! Whose word a plugin's file has: its signature by minisign, which lies beside it as `<file>.minisig`, and the
//! keys that the merchant trusts.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minisign_verify::{Error, Signature};

use crate::config::{Security, key_id};

/// Bytes of a file with a signature: two lines of base64 and two comments.
const LARGEST: u64 = 4 << 10;

/// A signature that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The trusted key, as the merchant wrote it.
    pub(super) key: String,
    /// The signature's file.
    pub(super) text: Arc<str>,
}

impl Signed {
    /// Id of the key, and whose it is.
    #[must_use]
    pub fn key_name(&self, security: &Security) -> String {
        let trusted = security.trusted_keys.iter().find(|trusted| trusted.key == self.key);
        trusted.map_or_else(|| signed_with(&self.text).unwrap_or_default(), ToString::to_string)
    }
}

/// Why a file is not taken. Each sentence says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    #[error(
        "is not signed, and `require_signed` in cartwright.toml wants that; put its author's signature beside it, \
         as `<file>.minisig` (`minisign -Sm <file>` makes one)"
    )]
    Unsigned,
    #[error("has a signature beside it that {0}; put the author's there, or take the file away")]
    Unreadable(String),
    #[error("has a signature beside it that is none of minisign; `minisign -Sm <file>` makes one")]
    Malformed,
    #[error(
        "has a signature of the old kind, made without hashing the file first; `minisign -Sm <file>` of minisign \
         0.10 or newer makes one that is taken"
    )]
    Legacy,
    #[error(
        "is signed with the key {0}, which is not among `trusted_keys` in cartwright.toml; if you trust whoever \
         has it, add it there"
    )]
    UnknownKey(String),
    #[error(
        "is not what was signed with the key {0}: the file or its signature was changed; get both from the author \
         again"
    )]
    Forged(String),
}

/// Whether the bytes of a component may be loaded, and who answers for them. `signature` is the text of its
/// file, or a few words that say why that cannot be read.
pub fn verify(
    security: &Security,
    component: &[u8],
    signature: Result<Option<&str>, &str>,
) -> Result<Option<Signed>, Distrust> {
    if security.trusted_keys.is_empty() {
        // Nobody's signature says anything.
        return if security.require_signed { Err(Distrust::Unsigned) } else { Ok(None) };
    }
    let text = match signature {
        Err(why) => return Err(Distrust::Unreadable(why.to_owned())),
        Ok(None) if security.require_signed => return Err(Distrust::Unsigned),
        Ok(None) => return Ok(None),
        Ok(Some(text)) => text,
    };
    let signature = Signature::decode(text).map_err(|_| Distrust::Malformed)?;
    let id = signed_with(text).ok_or(Distrust::Malformed)?;
    let mut found = Distrust::UnknownKey(id.clone());
    for trusted in &security.trusted_keys {
        let Some(key) = trusted.parsed() else { continue };
        match key.verify(component, &signature, false) {
            Ok(()) => return Ok(Some(Signed { key: trusted.key.clone(), text: text.into() })),
            Err(Error::UnexpectedKeyId) => {}
            Err(Error::UnexpectedAlgorithm) => found = Distrust::Legacy,
            Err(_) => found = Distrust::Forged(id.clone()),
        }
    }
    Err(found)
}

/// Whether what was taken before may still be used: keys may be distrusted later.
pub fn still(security: &Security, signed: Option<&Signed>) -> Result<(), Distrust> {
    match signed {
        Some(signed) if security.trusted_keys.iter().any(|trusted| trusted.key == signed.key) => Ok(()),
        Some(signed) if !security.trusted_keys.is_empty() => {
            Err(Distrust::UnknownKey(signed_with(&signed.text).unwrap_or_default()))
        }
        _ if security.require_signed => Err(Distrust::Unsigned),
        _ => Ok(()),
    }
}

/// The id of the key that made a signature, as minisign shows it: what the signature says, not yet verified.
#[must_use]
pub fn signed_with(signature: &str) -> Option<String> {
    Signature::decode(signature).ok()?;
    key_id(&STANDARD.decode(signature.lines().nth(1)?).ok()?)
}

/// The signature that lies beside a plugin's file.
pub fn beside(file: &Path) -> Result<Option<String>, String> {
    let mut name = file.as_os_str().to_owned();
    name.push(".minisig");
    let path = Path::new(&name);
    let about = match fs::symlink_metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("cannot be read ({error})")),
    };
    if !about.is_file() {
        return Err("is a link or a folder".to_owned());
    }
    if about.len() > LARGEST {
        return Err(format!("has {} bytes, where {LARGEST} are the most", about.len()));
    }
    match fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => Ok(Some(text)),
        Ok(Err(_)) => Err("is no text".to_owned()),
        Err(error) => Err(format!("cannot be read ({error})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TrustedKey;
    use crate::plugins::fixtures::Author;

    fn trusting(authors: &[&Author]) -> Security {
        let keys = authors.iter().map(|author| TrustedKey { key: author.key(), name: None });
        Security { trusted_keys: keys.collect(), require_signed: false }
    }

    #[test]
    fn only_what_a_trusted_key_signed_is_taken() {
        let (ours, theirs) = (Author::new(), Author::new());
        let security = trusting(&[&Author::new(), &ours]);
        let text = ours.sign(b"component");
        let signed = verify(&security, b"component", Ok(Some(&text))).unwrap().unwrap();
        assert_eq!((signed.key.as_str(), &*signed.text), (ours.key().as_str(), text.as_str()));
        let refused =
            |component: &[u8], text: &str| verify(&security, component, Ok(Some(text))).unwrap_err();
        let id = signed_with(&text).unwrap();
        assert_eq!(refused(b"componenT", &text), Distrust::Forged(id.clone()));
        let foreign = theirs.sign(b"component");
        assert_eq!(refused(b"component", &foreign), Distrust::UnknownKey(signed_with(&foreign).unwrap()));
        // Our id in front of somebody else's signature.
        let mut bytes = STANDARD.decode(foreign.lines().nth(1).unwrap()).unwrap();
        bytes[2..10].copy_from_slice(&STANDARD.decode(text.lines().nth(1).unwrap()).unwrap()[2..10]);
        let posing = foreign.replace(foreign.lines().nth(1).unwrap(), &STANDARD.encode(bytes));
        assert_eq!(refused(b"component", &posing), Distrust::Forged(id.clone()));
        // The trusted comment is signed too.
        let comment = text.lines().nth(2).unwrap();
        assert_eq!(
            refused(b"component", &text.replace(comment, "trusted comment: mine")),
            Distrust::Forged(id)
        );
        for nonsense in ["", "hello", "a\nb\nc\nd", &text[..text.len() / 2]] {
            assert_eq!(refused(b"component", nonsense), Distrust::Malformed, "{nonsense}");
        }
        assert!(matches!(
            verify(&security, b"component", Err("is no text")),
            Err(Distrust::Unreadable(why)) if why == "is no text"
        ));
    }

    /// The published example of the verifier's own tests.
    #[test]
    fn a_signature_of_the_old_kind_is_refused_by_its_name() {
        let key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
        let security = Security {
            trusted_keys: vec![TrustedKey { key: key.to_owned(), name: None }],
            require_signed: true,
        };
        let old = "untrusted comment: signature from minisign secret key\n\
            RWQf6LRCGA9i59SLOFxz6NxvASXDJeRtuZykwQepbDEGt87ig1BNpWaVWuNrm73YiIiJbq71Wi+dP9eKL8OC351vwIasSSbXxwA=\n\
            trusted comment: timestamp:1555779966\tfile:test\n\
            QtKMXWyYcwdpZAlPF7tE2ENJkRd1ujvKjlj1m9RtHTBnZPa5WKU5uWRs5GoP5M/VqE81QFuMKI5k/SfNQUaOAA==\n";
        assert_eq!(verify(&security, b"test", Ok(Some(old))), Err(Distrust::Legacy));
        let new = "untrusted comment: signature from minisign secret key\n\
            RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=\n\
            trusted comment: timestamp:1556193335\tfile:test\n\
            y/rUw2y8/hOUYjZU71eHp/Wo1KZ40fGy2VJEDl34XMJM+TX48Ss/17u3IvIfbVR1FkZZSNCisQbuQY+bHwhEBg==\n";
        assert!(verify(&security, b"test", Ok(Some(new))).unwrap().is_some());
        assert_eq!(signed_with(new).as_deref(), Some("E7620F1842B4E81F"));
    }

    #[test]
    fn a_missing_signature_matters_when_it_is_required() {
        let author = Author::new();
        let mut security = trusting(&[&author]);
        assert_eq!(verify(&security, b"c", Ok(None)), Ok(None));
        security.require_signed = true;
        assert_eq!(verify(&security, b"c", Ok(None)), Err(Distrust::Unsigned));
        // Without keys nothing is looked at.
        assert_eq!(verify(&Security::default(), b"c", Ok(Some("nonsense"))), Ok(None));
    }

    #[test]
    fn trust_can_be_taken_away() {
        let (author, other) = (Author::new(), Author::new());
        let mut security = trusting(&[&author]);
        let signed = verify(&security, b"c", Ok(Some(&author.sign(b"c")))).unwrap();
        assert_eq!(still(&security, signed.as_ref()), Ok(()));
        assert_eq!(still(&security, None), Ok(()));
        security.require_signed = true;
        assert_eq!(still(&security, signed.as_ref()), Ok(()));
        assert_eq!(still(&security, None), Err(Distrust::Unsigned));
        assert!(matches!(still(&trusting(&[&other]), signed.as_ref()), Err(Distrust::UnknownKey(_))));
        assert_eq!(still(&Security::default(), signed.as_ref()), Ok(()));
    }

    #[test]
    fn a_signature_is_a_small_file_of_text() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("guest.wasm");
        let write = |bytes: &[u8]| fs::write(folder.path().join("guest.wasm.minisig"), bytes).unwrap();
        assert_eq!(beside(&file), Ok(None));
        write(b"text");
        assert_eq!(beside(&file).unwrap().as_deref(), Some("text"));
        write(&[0xff]);
        assert_eq!(beside(&file).unwrap_err(), "is no text");
        write(&vec![b'a'; 5_000]);
        assert!(beside(&file).unwrap_err().contains("has 5000 bytes"));
        fs::remove_file(folder.path().join("guest.wasm.minisig")).unwrap();
        fs::create_dir(folder.path().join("guest.wasm.minisig")).unwrap();
        assert!(beside(&file).unwrap_err().contains("is a link or a folder"));
    }
}
