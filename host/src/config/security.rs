//! `[security]` of `cartwright.toml`: whose plugins this host takes.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minisign_verify::PublicKey;
use serde::de::{Error, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};

/// What a plugin's file must have beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Security {
    /// Whose signatures count. Default none: signatures are not looked at.
    pub trusted_keys: Vec<TrustedKey>,
    /// A plugin without a signature is refused. Default false.
    pub require_signed: bool,
}

/// A public key of minisign: the text, or a table with the text and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey {
    /// Base64, `RW…`: the second line of a `minisign.pub`.
    pub key: String,
    /// Whose it is, for people.
    pub name: Option<String>,
}

/// A public key has so many bytes: two of algorithm, eight of id, the key.
const KEY_BYTES: usize = 42;
/// How the text of a secret key of minisign begins.
const SECRET: &str = "RWRTY0Iy";

impl TrustedKey {
    /// None: the text is no key.
    #[must_use]
    pub fn parsed(&self) -> Option<PublicKey> {
        PublicKey::from_base64(&self.key).ok()
    }

    /// As minisign shows it.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        let bytes = STANDARD.decode(&self.key).ok().filter(|bytes| bytes.len() == KEY_BYTES)?;
        key_id(&bytes)
    }

    pub(super) fn is_secret(&self) -> bool {
        self.key.starts_with(SECRET)
    }
}

/// The id of the key in the bytes of a key or of a signature.
#[must_use]
pub fn key_id(bytes: &[u8]) -> Option<String> {
    let id: [u8; 8] = bytes.get(2..10)?.try_into().ok()?;
    Some(format!("{:X}", u64::from_le_bytes(id)))
}

/// `E7620F1842B4E81F (the author)`.
impl fmt::Display for TrustedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id().unwrap_or_default())?;
        self.name.as_ref().map_or(Ok(()), |name| write!(f, " ({name})"))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    key: String,
    #[serde(default)]
    name: Option<String>,
}

impl<'de> Deserialize<'de> for TrustedKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = TrustedKey;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a public key of minisign, or a table like { key = \"RW…\", name = \"the author\" }",
                )
            }

            fn visit_str<E: Error>(self, key: &str) -> Result<TrustedKey, E> {
                Ok(TrustedKey { key: key.trim().to_owned(), name: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TrustedKey, A::Error> {
                let table = Table::deserialize(MapAccessDeserializer::new(map))?;
                Ok(TrustedKey { key: table.key.trim().to_owned(), name: table.name })
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_text_or_a_table() {
        let security: Security = toml::from_str(
            "trusted_keys = [\"RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\", { key = \
             \"RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\", name = \"Frank\" }]",
        )
        .unwrap();
        let shown: Vec<String> = security.trusted_keys.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["E7620F1842B4E81F", "E7620F1842B4E81F (Frank)"]);
        assert!(security.trusted_keys.iter().all(|key| key.parsed().is_some()));
        let wrong = |text: &str| toml::from_str::<Security>(text).unwrap_err().to_string();
        assert!(wrong("trusted_keys = [1]").contains("a public key of minisign, or a table"));
        assert!(wrong("trusted_keys = [{ name = \"a\" }]").contains("missing field `key`"));
        assert!(wrong("require_signd = true").contains("unknown field"));
    }
}
