//! Secrets come from the environment or a file, never from the config text itself.

use std::path::PathBuf;

use serde::Deserialize;

/// `{ env = "NAME" }` or `{ file = "path" }`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretSource {
    Env(String),
    File(PathBuf),
}
