//! `[tls]` of `cartwright.toml`: the certificate that the host shows, read and checked whole before it is used.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{ConfigError, HostConfig, shown};

/// Days before its end from which a certificate is spoken of: those that renew themselves have done so by then.
const SOON: i64 = 14;
const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// Both files are PEM.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The host's certificate, then those that lead to a known authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// A certificate with its key, as it is live.
pub struct Certificate {
    /// What connections are accepted with.
    pub server: Arc<rustls::ServerConfig>,
    /// UTC milliseconds.
    pub ends_ms: i64,
    file: PathBuf,
    /// Of both files as they were read.
    sha256: [u8; 32],
}

impl Certificate {
    /// What `[tls]` names; `None` where there is no such table. The same as `before` while the files are the same.
    pub fn read(host: &HostConfig, before: Option<&Arc<Self>>) -> Result<Option<Arc<Self>>, ConfigError> {
        let Some(tls) = &host.tls else { return Ok(None) };
        let wrong = |Wrong { key, message, help }: Wrong| {
            host.origin.mistake(&["tls".into(), key.into()], message).with_help(help)
        };
        let chain = bytes("certificate", &tls.certificate).map_err(wrong)?;
        let key = bytes("key", &tls.key).map_err(wrong)?;
        let mut hash = Sha256::new();
        for part in [&chain, &key] {
            hash.update(Sha256::digest(part));
        }
        let sha256: [u8; 32] = hash.finalize().into();
        if let Some(before) = before.filter(|live| live.sha256 == sha256 && live.file == tls.certificate) {
            return Ok(Some(Arc::clone(before)));
        }
        let (server, ends_ms) = server(tls, &chain, &key).map_err(wrong)?;
        Ok(Some(Arc::new(Self { server: Arc::new(server), ends_ms, file: tls.certificate.clone(), sha256 })))
    }

    /// A sentence for whoever must renew it, from two weeks before its end.
    #[must_use]
    pub fn ends_soon(&self, now_ms: i64) -> Option<String> {
        let left = self.ends_ms.saturating_sub(now_ms);
        let file = shown(&self.file);
        match left.div_euclid(DAY_MS) {
            days if days >= SOON => None,
            _ if left <= 0 => {
                Some(format!("the certificate {file} has ended: nobody who looks at it connects; renew it"))
            }
            0 => Some(format!("the certificate {file} ends within a day: renew it")),
            1 => Some(format!("the certificate {file} ends in 1 day: renew it")),
            days => Some(format!("the certificate {file} ends in {days} days: renew it")),
        }
    }

    /// Whether nobody connects any more.
    #[must_use]
    pub fn has_ended(&self, now_ms: i64) -> bool {
        self.ends_ms <= now_ms
    }
}

/// Certificates of a chain. Clients end a handshake that is too long.
const LONGEST_CHAIN: usize = 10;

/// What is wrong with which key of `[tls]`.
struct Wrong {
    key: &'static str,
    message: String,
    help: &'static str,
}

fn bytes(key: &'static str, file: &Path) -> Result<Vec<u8>, Wrong> {
    std::fs::read(file).map_err(|error| Wrong {
        key,
        message: format!("{} cannot be read: {error}", shown(file)),
        help: "name a file in PEM that the host's user may read; relative paths begin at cartwright.toml",
    })
}

fn server(tls: &TlsConfig, chain: &[u8], key: &[u8]) -> Result<(rustls::ServerConfig, i64), Wrong> {
    let file = shown(&tls.certificate);
    let certificate = |message: String| Wrong {
        key: "certificate",
        message,
        help: "the file holds `-----BEGIN CERTIFICATE-----`, the host's own first, then those that lead to its \
               authority (`fullchain.pem` of most tools)",
    };
    let chain = CertificateDer::pem_slice_iter(chain)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| certificate(format!("{file} is no PEM: {error}")))?;
    if chain.len() > LONGEST_CHAIN {
        return Err(certificate(format!(
            "{file} holds {} certificates, and no client reads more than a few; a chain has two or three",
            chain.len()
        )));
    }
    let own = chain.first().ok_or_else(|| certificate(format!("{file} holds no certificate")))?;
    let ends_ms = ends(own).ok_or_else(|| certificate(format!("{file} begins with no X.509 certificate")))?;
    let locked = key.windows(LOCKED.len()).any(|part| part == LOCKED);
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| Wrong {
        key: "key",
        message: if locked {
            format!("{} is locked with a passphrase", shown(&tls.key))
        } else {
            format!("{} holds no private key", shown(&tls.key))
        },
        help: "the file holds `-----BEGIN PRIVATE KEY-----` (or EC, or RSA), without a passphrase; let the host's \
               user alone read it",
    })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .and_then(std::convert::identity);
    let mut server = server.map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => Wrong {
            key: "key",
            message: format!("{} is not the key of {file}", shown(&tls.key)),
            help: "both files are renewed together: name those of one certificate",
        },
        error => certificate(format!("{file} and its key cannot be used: {error}")),
    })?;
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((server, ends_ms))
}

/// What the PEM of a key with a passphrase begins with.
const LOCKED: &[u8] = b"ENCRYPTED";

/// When a certificate ends, UTC milliseconds.
fn ends(certificate: &CertificateDer<'_>) -> Option<i64> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(parsed.validity().not_after.timestamp().saturating_mul(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A host with a certificate in its folder, and the folder.
    fn host() -> (tempfile::TempDir, HostConfig) {
        let folder = tempfile::tempdir().unwrap();
        let text = "[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n";
        std::fs::write(folder.path().join("cartwright.toml"), text).unwrap();
        renew(folder.path());
        let host = crate::config::load_host(folder.path()).unwrap();
        (folder, host)
    }

    fn renew(folder: &Path) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    }

    fn mistake(host: &HostConfig) -> (Option<usize>, String) {
        let error = Certificate::read(host, None).err().expect("a mistake");
        (error.line(), error.to_string())
    }

    #[test]
    fn the_same_files_are_the_same_certificate_and_renewed_ones_another() {
        let (folder, host) = host();
        let first = Certificate::read(&host, None).unwrap().unwrap();
        let again = Certificate::read(&host, Some(&first)).unwrap().unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        renew(folder.path());
        let renewed = Certificate::read(&host, Some(&first)).unwrap().unwrap();
        assert!(!Arc::ptr_eq(&first, &renewed));
        assert!(Certificate::read(&HostConfig::default(), None).unwrap().is_none());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let (folder, host) = host();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let key = std::fs::read_to_string(folder.path().join("key.pem")).unwrap();
        write("key.pem", &key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"));
        assert!(mistake(&host).1.ends_with("key.pem is locked with a passphrase"), "{:?}", mistake(&host));
        write("key.pem", "nonsense");
        assert!(mistake(&host).1.ends_with("key.pem holds no private key"));
        assert_eq!(mistake(&host).0, Some(3));
        let chain = std::fs::read_to_string(folder.path().join("cert.pem")).unwrap();
        renew(folder.path());
        write("cert.pem", &chain);
        let (line, told) = mistake(&host);
        assert_eq!(line, Some(3));
        assert!(told.contains("key.pem is not the key of") && !told.contains("BEGIN"), "{told}");
        write("cert.pem", "");
        assert!(mistake(&host).1.ends_with("cert.pem holds no certificate"));
        std::fs::remove_file(folder.path().join("cert.pem")).unwrap();
        let (line, told) = mistake(&host);
        assert_eq!(line, Some(2));
        assert!(told.contains("cert.pem cannot be read"), "{told}");
    }

    #[test]
    fn an_end_is_told_two_weeks_before() {
        let (_folder, host) = host();
        let certificate = Certificate::read(&host, None).unwrap().unwrap();
        let ends = certificate.ends_ms;
        assert_eq!(certificate.ends_soon(ends - 14 * DAY_MS), None);
        for (before, told) in [
            (14 * DAY_MS - 1, "ends in 13 days"),
            (DAY_MS, "ends in 1 day:"),
            (1, "within a day"),
            (0, "has ended"),
        ] {
            let sentence = certificate.ends_soon(ends - before).expect("a sentence");
            assert!(sentence.contains(told), "{sentence}");
        }
        assert!(certificate.has_ended(ends) && !certificate.has_ended(ends - 1));
    }
}
