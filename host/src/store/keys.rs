//! Secrets of the installation, kept in the database so that every host on it has the same.

use rand::TryRngCore as _;
use sqlx::{AnyConnection, Row as _};

use super::{Result, StoreError};

pub(super) fn new() -> Result<[u8; 32]> {
    let mut key = [0; 32];
    rand::rngs::OsRng.try_fill_bytes(&mut key).map_err(|error| {
        StoreError::Database(format!("the operating system gives no random numbers: {error}"))
    })?;
    Ok(key)
}

/// The first that was made is kept, whoever made it.
pub(super) async fn installation_key(
    connection: &mut AnyConnection,
    name: &str,
    new: &[u8; 32],
) -> Result<[u8; 32]> {
    sqlx::query("INSERT INTO installation_keys (name, secret) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(name)
        .bind(new.as_slice())
        .execute(&mut *connection)
        .await?;
    let row = sqlx::query("SELECT secret FROM installation_keys WHERE name = $1")
        .bind(name)
        .fetch_one(&mut *connection)
        .await?;
    let secret: Vec<u8> = row.try_get(0)?;
    secret
        .try_into()
        .map_err(|_| StoreError::Corrupt(format!("the installation's key `{name}` is not 32 bytes long")))
}
