//! Someone who signs plugins as minisign does (the tool need not be there).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{KeyPair, PKCS_ED25519, PublicKeyData as _, SigningKey as _};

/// A pair of keys.
pub struct Author(KeyPair);

impl Default for Author {
    fn default() -> Self {
        Self::new()
    }
}

impl Author {
    /// With keys of its own.
    #[must_use]
    pub fn new() -> Self {
        Self(KeyPair::generate_for(&PKCS_ED25519).expect("a pair of keys"))
    }

    /// Any eight bytes name a key; these are of the key itself.
    fn id(&self) -> &[u8] {
        self.0.der_bytes().get(..8).expect("eight bytes")
    }

    /// The second line of a `minisign.pub`.
    #[must_use]
    pub fn key(&self) -> String {
        STANDARD.encode([&b"Ed"[..], self.id(), self.0.der_bytes()].concat())
    }

    /// What `minisign -Sm` writes beside a file: a signature of its BLAKE2b hash, and one of that signature with the
    /// trusted comment.
    #[must_use]
    pub fn sign(&self, file: &[u8]) -> String {
        let signature = self.0.sign(blake2b_simd::blake2b(file).as_bytes()).expect("a signature");
        let comment = "timestamp:1795859400\tfile:plugin.wasm\thashed";
        let whole = self.0.sign(&[signature.as_slice(), comment.as_bytes()].concat()).expect("a signature");
        format!(
            "untrusted comment: signature from minisign secret key\n{}\ntrusted comment: {comment}\n{}\n",
            STANDARD.encode([&b"ED"[..], self.id(), &signature].concat()),
            STANDARD.encode(whole),
        )
    }
}
