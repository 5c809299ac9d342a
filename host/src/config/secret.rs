//! Secrets come from the environment or a file, never from the config text itself.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

/// `{ env = "NAME" }` or `{ file = "path" }`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretSource {
    Env(String),
    /// Relative to the folder of `cartwright.toml`.
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
