//! Secrets come from the environment or a file, never from the config text itself.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

/// `{ env = "NAME" }` or `{ file = "path" }`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretSource {
    Env(String),
    /// Beside the shop's file, when relative; absolute once the shop is loaded.
    File(PathBuf),
}

/// Why a secret is not there. Never says what it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("the environment variable {0} is not set; set it to the secret before starting")]
    NotSet(String),
    #[error("the secret file {file} cannot be read: {why}")]
    Unreadable { file: String, why: String },
    #[error("the secret from {0} is empty")]
    Empty(String),
}

impl SecretSource {
    /// The secret, without surrounding white space. A relative file is looked for in `folder`.
    pub fn read(&self, folder: &Path) -> Result<SecretString, SecretError> {
        let (from, text) = match self {
            Self::Env(name) => (
                format!("the environment variable {name}"),
                std::env::var(name).map_err(|_| SecretError::NotSet(name.clone()))?,
            ),
            Self::File(file) => {
                let path = folder.join(file);
                let text = std::fs::read_to_string(&path).map_err(|error| SecretError::Unreadable {
                    file: path.display().to_string(),
                    why: error.to_string(),
                })?;
                (format!("the file {}", path.display()), text)
            }
        };
        match text.trim() {
            "" => Err(SecretError::Empty(from)),
            secret => Ok(SecretString::from(secret.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_secret_is_read_without_the_line_end_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("woo.secret"), "  s3cret of many words\n").unwrap();
        let secret = SecretSource::File("woo.secret".into()).read(folder.path()).unwrap();
        assert_eq!(secret.expose_secret(), "s3cret of many words");
    }

    #[test]
    fn what_is_missing_is_said_without_the_secret() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("empty"), "\n").unwrap();
        let said = |source: SecretSource| source.read(folder.path()).unwrap_err().to_string();
        assert!(said(SecretSource::File("empty".into())).ends_with("empty is empty"));
        assert!(said(SecretSource::File("gone".into())).contains("gone cannot be read"));
        assert_eq!(
            said(SecretSource::Env("CARTWRIGHT_NO_SUCH_VARIABLE".to_owned())),
            "the environment variable CARTWRIGHT_NO_SUCH_VARIABLE is not set; set it to the secret before starting"
        );
    }
}
