//! The host's own secret: made once, never shown. Kept in `data_dir/secret.key`; where hosts share a database, in
//! that, so that each verifies what the others signed.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::store::Store;

/// File in `data_dir`.
pub const FILE: &str = "secret.key";

/// One key for each purpose, so that what one signs is worth nothing to another.
pub(super) struct Keys {
    /// Signs quotes.
    pub quote: Arc<[u8; 32]>,
}

/// Reads the secret, or makes it.
pub(super) async fn load(data_dir: &Path, store: &Store) -> anyhow::Result<Keys> {
    let file = data_dir.join(FILE);
    let secret = match read(&file)? {
        Some(secret) => secret,
        None if store.is_shared() => store.installation_key("secret").await?,
        None => secret(&file, &make(&file)?)?,
    };
    Ok(Keys { quote: Arc::new(derive(&secret, "quote")?) })
}

fn read(file: &Path) -> anyhow::Result<Option<[u8; 32]>> {
    match std::fs::read_to_string(file) {
        Ok(text) => secret(file, &text).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(error).with_context(|| format!("the host's secret {} cannot be read", file.display()))
        }
    }
}

/// Whether the file that is there holds a secret; nothing is made.
pub fn examine(file: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file).context("it cannot be read")?;
    secret(file, &text).map(|_| ())
}

fn secret(file: &Path, text: &str) -> anyhow::Result<[u8; 32]> {
    STANDARD.decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok()).with_context(|| {
        format!(
            "{} is not a secret of this host: it should hold 32 bytes in base64. Put the right file back; \
             without it, quotes that shoppers hold no longer count, and a guest who orders again is taken \
             for a new one",
            file.display()
        )
    })
}

fn make(file: &Path) -> anyhow::Result<String> {
    let text = STANDARD.encode(rand::random::<[u8; 32]>());
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    match options.open(file) {
        Ok(mut opened) => {
            opened
                .write_all(text.as_bytes())
                .and_then(|()| opened.sync_all())
                .with_context(|| format!("the host's secret {} cannot be written", file.display()))?;
            Ok(text)
        }
        // Another host was faster.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(std::fs::read_to_string(file)?),
        Err(error) => {
            Err(error).with_context(|| format!("the host's secret {} cannot be written", file.display()))
        }
    }
}

fn derive(secret: &[u8; 32], purpose: &str) -> anyhow::Result<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret)?;
    mac.update(b"cartwright/1/");
    mac.update(purpose.as_bytes());
    Ok(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_made_once_and_only_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        assert_eq!(read(&file).unwrap(), None);
        let made = secret(&file, &make(&file).unwrap()).unwrap();
        assert_eq!(read(&file).unwrap(), Some(made));
        assert_eq!(secret(&file, &make(&file).unwrap()).unwrap(), made, "another host was faster");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_broken_secret_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "short").unwrap();
        assert!(
            read(&folder.path().join(FILE)).err().unwrap().to_string().contains("Put the right file back")
        );
        assert_eq!(std::fs::read_to_string(folder.path().join(FILE)).unwrap(), "short");
    }

    #[test]
    fn each_purpose_has_its_own_key() {
        let secret = [7; 32];
        assert_ne!(derive(&secret, "quote").unwrap(), derive(&secret, "guest").unwrap());
        assert_ne!(derive(&secret, "quote").unwrap(), secret);
    }
}
