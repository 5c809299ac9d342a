//! Where a delivery goes and what signs it, and whether that is still what failed.

use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::Dispatcher;
use crate::config::{EndpointSecretError, WebhookEndpoint};
use crate::domain::signature::SigningSecret;
use crate::plugins::registry::Snapshot;
use crate::store::Result;

pub(super) struct Address {
    /// The newest first.
    pub(super) secrets: Vec<SigningSecret>,
    /// Hex; changes with the URL and with each secret, and tells neither.
    pub(super) hash: String,
}

/// Secrets are read for each attempt, so that a file that was changed counts at once.
pub(super) fn address(endpoint: &WebhookEndpoint, folder: &Path) -> Result<Address, EndpointSecretError> {
    let secrets = endpoint.secrets(folder)?;
    let mut hash = Sha256::new();
    for part in std::iter::once(endpoint.url.clone()).chain(secrets.iter().map(SigningSecret::reveal)) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let hash = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Address { secrets, hash })
}

/// An endpoint that is live.
pub(super) fn endpoint<'a>(snapshot: &'a Snapshot, shop: &str, name: &str) -> Option<&'a WebhookEndpoint> {
    let webhooks = &snapshot.shops.get(shop)?.config.webhooks;
    webhooks.iter().find(|endpoint| endpoint.enabled && endpoint.name == name)
}

impl Dispatcher {
    /// Endpoints that were switched off and are another address by now are on again.
    pub(super) async fn revive(&self, snapshot: &Snapshot) -> Result<()> {
        let mut off = 0_u32;
        for standing in self.store.endpoints_off().await? {
            off += 1;
            let now = endpoint(snapshot, &standing.shop, &standing.name)
                .and_then(|endpoint| address(endpoint, &snapshot.host.folder).ok());
            if now.is_some_and(|now| standing.address.as_deref() != Some(&now.hash)) {
                self.store.switch_on(&standing.shop, &standing.name).await?;
                off -= 1;
                tracing::info!(
                    shop = standing.shop,
                    endpoint = standing.name,
                    "a webhook endpoint has another address or secret and is on again"
                );
            }
        }
        metrics::gauge!("cartwright_webhook_endpoints_off").set(f64::from(off));
        Ok(())
    }
}
