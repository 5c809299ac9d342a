//! `X-WC-Webhook-Signature`: base64 of HMAC-SHA256 over the body's bytes as they came.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Whether a signature fits a body. Compared in constant time.
#[must_use]
pub fn fits(secret: &[u8], body: &[u8], signature: &str) -> bool {
    let Ok(signature) = STANDARD.decode(signature.trim()) else { return false };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return false };
    mac.update(body);
    mac.verify_slice(&signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The scheme is the same as Shopify's, whose published example this is.
    const SIGNATURE: &str = "hMTq0K2x7oyOjoBwGYeTj5oxfnaVYXzbanUG9aajpKI=";

    #[test]
    fn a_published_vector_fits() {
        assert!(fits(b"hush", b"\"my secret message\"", SIGNATURE));
        assert!(fits(b"hush", b"\"my secret message\"", &format!(" {SIGNATURE}\n")));
    }

    #[test]
    fn anything_else_does_not() {
        assert!(!fits(b"hush!", b"\"my secret message\"", SIGNATURE));
        assert!(!fits(b"hush", b"\"my secret message\" ", SIGNATURE));
        assert!(!fits(b"hush", b"\"my secret message\"", ""));
        assert!(!fits(b"hush", b"\"my secret message\"", "not base64 at all"));
        assert!(!fits(b"hush", b"\"my secret message\"", &SIGNATURE[..40]));
        assert!(!fits(b"hush", b"\"my secret message\"", "84c4ead0adb1ee8c8e8e8070198793"));
    }
}
