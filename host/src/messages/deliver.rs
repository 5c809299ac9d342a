//! Due messages: judge, render, hand over, settle.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Courier;
use super::channels::{Channel, ChannelError, Parcel};
use super::facts::Facts;
use super::policy::{self, Case, Category, Verdict};
use crate::domain::CustomerRecord;
use crate::plugins::registry::{LiveShop, Snapshot};
use crate::store::{MessageFate, StoreError, StoredMessage};

/// Messages taken from the store at once.
const BATCH: u32 = 32;

/// The fallback when no signal comes.
const POLL: Duration = Duration::from_secs(5);

/// Between two looks that found something due which could not be handed over.
const PAUSE: Duration = Duration::from_millis(100);

/// A channel that fails so often has its message dropped: about two days.
const ATTEMPTS: u32 = 16;

/// So long a message waits for a shop or plugin that is not live, ms: three days.
const PATIENCE: i64 = 3 * 24 * 60 * 60 * 1_000;

impl Courier {
    /// Hands over all messages that are due; gives the instant (UTC milliseconds) of the next one.
    pub async fn step(&self) -> Result<Option<i64>, StoreError> {
        self.pass(&CancellationToken::new()).await
    }

    /// Loops over [`Courier::step`] until it is told to stop: woken by the store, by the next due time,
    /// and by a poll as the fallback. Finishes the message it holds.
    pub async fn run(&self, shutdown: CancellationToken) {
        let mut mail = self.store.mail();
        while !shutdown.is_cancelled() {
            // Before the look, so that nothing that comes after it is missed.
            mail.mark_unchanged();
            let wait = match self.pass(&shutdown).await {
                Ok(next) => self.until(next),
                Err(error) => {
                    tracing::error!(%error, "messages wait: the store does not answer");
                    POLL
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                Ok(()) = mail.changed() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    fn until(&self, next: Option<i64>) -> Duration {
        let left = next.map_or(i64::MAX, |at_ms| at_ms.saturating_sub(self.clock.now_ms()));
        Duration::from_millis(u64::try_from(left).unwrap_or(0)).clamp(PAUSE, POLL)
    }

    async fn pass(&self, shutdown: &CancellationToken) -> Result<Option<i64>, StoreError> {
        loop {
            let due = self.store.messages_due(self.clock.now_ms(), BATCH).await?;
            let mut moved = false;
            for message in due {
                if shutdown.is_cancelled() {
                    return Ok(None);
                }
                moved |= self.deliver(message).await?;
            }
            if !moved {
                return self.store.next_message().await;
            }
        }
    }

    /// False when the message was another courier's.
    async fn deliver(&self, message: StoredMessage) -> Result<bool, StoreError> {
        let now_ms = self.clock.now_ms();
        let (id, shop, plugin) = (message.id.clone(), message.shop.clone(), message.plugin.clone());
        let template = message.message.template.clone();
        let waited = now_ms.saturating_sub(message.message.when.unwrap_or(message.created_at));
        let attempts = message.attempts;
        let prepared = self.prepare(message, now_ms).await?;
        if !self.store.hand_message(&id, now_ms).await? {
            return Ok(false);
        }
        let fate = match prepared {
            Prepared::Ready { channel, parcel } => match channel.carry(&parcel).await {
                Ok(receipt) => {
                    MessageFate::Sent { channel: channel.name().to_owned(), message_id: receipt.message_id }
                }
                Err(ChannelError::Later(reason)) if attempts < ATTEMPTS => {
                    MessageFate::Later { at_ms: now_ms.saturating_add(policy::backoff(attempts)), reason }
                }
                Err(ChannelError::Later(reason)) => MessageFate::Dropped {
                    reason: format!("given up after {} attempts: {reason}", attempts + 1),
                },
                Err(ChannelError::Never(reason)) => MessageFate::Dropped { reason },
            },
            Prepared::Dropped(reason) => MessageFate::Dropped { reason },
            Prepared::Waits(reason) if waited < PATIENCE => {
                MessageFate::Later { at_ms: now_ms.saturating_add(policy::backoff(attempts)), reason }
            }
            Prepared::Waits(reason) => {
                MessageFate::Dropped { reason: format!("waited for three days: {reason}") }
            }
        };
        self.store.settle_message(&id, &fate, now_ms).await?;
        tell(&id, &shop, &plugin, &template, &fate);
        Ok(true)
    }

    async fn prepare(&self, message: StoredMessage, now_ms: i64) -> Result<Prepared, StoreError> {
        let snapshot = self.live.current();
        let Some(shop) = snapshot.shops.get(&message.shop) else {
            return Ok(Prepared::Waits(format!("the shop `{}` is not live: see its file", message.shop)));
        };
        if !shop.plugins.iter().any(|live| live.entry.name == message.plugin) {
            return Ok(Prepared::Waits(format!("the plugin `{}` is not live in this shop", message.plugin)));
        }
        let customer = match &message.customer_id {
            Some(id) => self.store.customer(&message.shop, id).await?,
            None => None,
        };
        let channel = match self.judge(shop, &message, customer.as_ref(), now_ms) {
            Ok(channel) => channel,
            Err(reason) => return Ok(Prepared::Dropped(reason)),
        };
        self.make(&snapshot, shop, message, customer, channel, now_ms).await
    }

    fn judge(
        &self,
        shop: &LiveShop,
        message: &StoredMessage,
        customer: Option<&CustomerRecord>,
        now_ms: i64,
    ) -> Result<Arc<dyn Channel>, String> {
        let available: Vec<&'static str> = self.channels.iter().map(|channel| channel.name()).collect();
        let verdict = policy::judge(&Case {
            mode: shop.config.mode,
            test_recipients: &shop.config.test_recipients,
            email: customer.and_then(|known| known.contact.email.as_deref()),
            consents: customer.map_or(&[], |known| &known.customer.consents),
            category: Category::of(&message.message.category),
            channels: &message.message.channels,
            available: &available,
            not_after: message.message.not_after,
            now_ms,
        });
        match verdict {
            Verdict::Drop(reason) => Err(reason),
            Verdict::Send(name) => self
                .channels
                .iter()
                .find(|channel| channel.name() == name)
                .cloned()
                .ok_or_else(|| format!("no channel: {name}")),
        }
    }

    async fn make(
        &self,
        snapshot: &Arc<Snapshot>,
        shop: &Arc<LiveShop>,
        message: StoredMessage,
        customer: Option<CustomerRecord>,
        channel: Arc<dyn Channel>,
        now_ms: i64,
    ) -> Result<Prepared, StoreError> {
        let facts =
            Facts::gather(snapshot, shop, &self.store, &self.decider, message, customer, now_ms).await?;
        // Templates are CPU work, and a parser that breaks must not take the loop with it.
        let made = tokio::task::spawn_blocking(move || {
            let rendered = facts.render();
            (facts, rendered)
        })
        .await;
        let Ok((facts, rendered)) = made else {
            return Ok(Prepared::Dropped(
                "the template broke the renderer; this is a fault of the host".to_owned(),
            ));
        };
        let rendered = match rendered {
            Ok(rendered) => rendered,
            Err(error) => return Ok(Prepared::Dropped(format!("cannot be rendered: {error}"))),
        };
        for remark in &rendered.remarks {
            tracing::warn!(
                shop = facts.shop.config.id,
                plugin = facts.message.plugin,
                template = facts.message.message.template,
                remark,
                "a message is not quite as its template says"
            );
        }
        let Some(parcel) = parcel(&facts, rendered, now_ms) else {
            return Ok(Prepared::Dropped("no recipient".to_owned()));
        };
        Ok(Prepared::Ready { channel, parcel: Box::new(parcel) })
    }
}

/// What is to be done with a due message.
enum Prepared {
    Ready {
        channel: Arc<dyn Channel>,
        parcel: Box<Parcel>,
    },
    Dropped(String),
    /// Something that will come back is not there.
    Waits(String),
}

fn parcel(facts: &Facts, rendered: super::render::Rendered, now_ms: i64) -> Option<Parcel> {
    let shop = &facts.shop.public;
    let known = facts.customer.as_ref()?;
    let names = [known.customer.first_name.as_deref(), known.contact.last_name.as_deref()];
    let name = names.into_iter().flatten().map(str::trim).collect::<Vec<_>>().join(" ");
    Some(Parcel {
        id: facts.message.id.clone(),
        shop: shop.id.clone(),
        plugin: facts.message.plugin.clone(),
        slug: format!("{}-{}", facts.message.plugin, facts.message.message.template),
        from_name: shop.name.clone(),
        from_address: shop.contact.email.clone().unwrap_or_else(|| no_reply(&shop.url)),
        to_name: (!name.trim().is_empty()).then_some(name),
        to_address: known.contact.email.as_deref()?.trim().to_owned(),
        subject: rendered.subject,
        html: rendered.html,
        text: rendered.text,
        locale: facts.locale().to_owned(),
        at_ms: now_ms,
        unsubscribe_url: facts.unsubscribe_url(),
    })
}

fn no_reply(shop_url: &str) -> String {
    let host = url::Url::parse(shop_url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let host = host.unwrap_or_else(|| "localhost".to_owned());
    format!("no-reply@{}", host.strip_prefix("www.").unwrap_or(&host))
}

/// Once, where it is settled, without a name or an address.
fn tell(id: &str, shop: &str, plugin: &str, template: &str, fate: &MessageFate) {
    let became = match fate {
        MessageFate::Sent { channel, .. } => {
            tracing::info!(message = id, shop, plugin, template, channel, "message sent");
            "sent"
        }
        MessageFate::Dropped { reason } => {
            tracing::warn!(message = id, shop, plugin, template, reason, "message dropped");
            "dropped"
        }
        MessageFate::Later { reason, .. } => {
            tracing::warn!(message = id, shop, plugin, template, reason, "message waits for another attempt");
            "later"
        }
    };
    metrics::counter!(
        "cartwright_messages_total",
        "shop" => shop.to_owned(),
        "plugin" => plugin.to_owned(),
        "fate" => became,
    )
    .increment(1);
}

#[cfg(test)]
mod tests;
