//! One due message: render, judge and take in one transaction, carry, settle.

use std::sync::Arc;
use std::time::Duration;

use super::Courier;
use super::channels::{ChannelError, Parcel, Unsubscribe};
use super::facts::Facts;
use super::policy::{self, Case, Category};
use super::unsubscribe;
use crate::plugins::registry::{LiveShop, Snapshot};
use crate::store::{
    Day, HandOver, Handed, MessageFate, Ruling, Standing, StoreError, StoredMessage, UnsubscribeLink,
};

/// A channel that fails so often has its message dropped: about two days.
const ATTEMPTS: u32 = 16;

/// So long a message waits for a shop or plugin that is not live, ms: three days.
const PATIENCE: i64 = 3 * 24 * 60 * 60 * 1_000;

/// Pauses between two tries to write down what became of a message that was carried.
const SETTLING: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

impl Courier {
    pub(super) async fn deliver(&self, message: StoredMessage) -> Result<(), StoreError> {
        let now_ms = self.clock.now_ms();
        let about = About {
            id: message.id.clone(),
            shop: message.shop.clone(),
            plugin: message.plugin.clone(),
            template: message.message.template.clone(),
        };
        let attempts = message.attempts;
        let snapshot = self.live.current();
        let (ready, hand_over) = match live(&snapshot, &message) {
            Ok(shop) => {
                let shop = Arc::clone(shop);
                let (unsubscribe, link) =
                    unsubscribe::ways(&self.unsubscribe_key, &snapshot, &shop, &message);
                let hand_over = self.question(&shop, &message, link, now_ms);
                (self.make(&snapshot, &shop, message, unsubscribe, now_ms).await?, hand_over)
            }
            Err(why) => {
                let verdict = waits(&message, why, now_ms);
                (Err(String::new()), self.hand_over(&message, None, now_ms, move |_| verdict.clone()))
            }
        };
        let (parcel, hand_over) = match ready {
            Ok(parcel) => (Some(parcel), hand_over),
            // Whoever must not get it at all is the better reason.
            Err(why) => (None, or_drop(hand_over, why)),
        };
        match (self.store.hand_over(hand_over).await?, parcel) {
            (Handed::Go { token, channel, email }, Some(mut parcel)) => {
                email.trim().clone_into(&mut parcel.to_address);
                let fate = self.carry(channel, &parcel, attempts).await;
                self.settle(&about, token, &fate).await
            }
            (Handed::Ruled(fate), _) => {
                about.tell(&fate);
                Ok(())
            }
            (Handed::Capped { fate, first }, _) => {
                if first {
                    tracing::error!(
                        shop = about.shop,
                        "the shop's messages of the day are used up; all others wait for tomorrow: look what \
                         sends so many, or raise `daily_messages` in the shop's file"
                    );
                }
                about.count("capped");
                tracing::debug!(message = about.id, ?fate, "message waits for tomorrow");
                Ok(())
            }
            (Handed::Go { .. } | Handed::Taken, _) => Ok(()),
        }
    }

    /// What the transaction of the hand-over is to decide.
    fn question(
        &self,
        shop: &Arc<LiveShop>,
        message: &StoredMessage,
        link: Option<UnsubscribeLink>,
        now_ms: i64,
    ) -> HandOver {
        let available: Vec<&'static str> = self.channels.iter().map(|channel| channel.name()).collect();
        let (asked, shop) = (message.message.clone(), Arc::clone(shop));
        let mut question =
            self.hand_over(message, Some(day(&shop, now_ms)), now_ms, move |standing: &Standing| {
                policy::judge(&Case {
                    mode: shop.config.mode,
                    test_recipients: &shop.config.test_recipients,
                    email: standing.email.as_deref(),
                    consents: &standing.consents,
                    suppressed: &standing.suppressed,
                    handed_today: standing.handed_today,
                    daily_messages: shop.config.daily_messages,
                    category: Category::of(&asked.category),
                    channels: &asked.channels,
                    available: &available,
                    not_after: asked.not_after,
                    now_ms,
                })
            });
        question.link = link;
        question
    }

    fn hand_over(
        &self,
        message: &StoredMessage,
        day: Option<Day>,
        now_ms: i64,
        judge: impl Fn(&Standing) -> Ruling + Send + Sync + 'static,
    ) -> HandOver {
        let handing = i64::try_from(self.handing.as_millis()).unwrap_or(i64::MAX);
        HandOver {
            id: message.id.clone(),
            shop: message.shop.clone(),
            customer_id: message.customer_id.clone(),
            judge: Arc::new(judge),
            day,
            link: None,
            now_ms,
            until_ms: now_ms.saturating_add(handing),
        }
    }

    /// The parcel, but for its address; or why there is none.
    async fn make(
        &self,
        snapshot: &Arc<Snapshot>,
        shop: &Arc<LiveShop>,
        message: StoredMessage,
        unsubscribe: Unsubscribe,
        now_ms: i64,
    ) -> Result<Result<Box<Parcel>, String>, StoreError> {
        let customer = match &message.customer_id {
            Some(id) => self.store.customer(&message.shop, id).await?,
            None => None,
        };
        let facts =
            Facts::gather(snapshot, shop, &self.store, &self.decider, message, customer, unsubscribe, now_ms)
                .await?;
        // Templates are CPU work, and a parser that breaks must not take the loop with it.
        let made = tokio::task::spawn_blocking(move || {
            let rendered = facts.render();
            (facts, rendered)
        })
        .await;
        let Ok((facts, rendered)) = made else {
            return Ok(Err("the template broke the renderer; this is a fault of the host".to_owned()));
        };
        let rendered = match rendered {
            Ok(rendered) => rendered,
            Err(error) => return Ok(Err(format!("cannot be rendered: {error}"))),
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
        Ok(Ok(Box::new(parcel(facts, rendered, now_ms))))
    }

    async fn carry(&self, channel: &str, parcel: &Parcel, attempts: u32) -> MessageFate {
        let Some(channel) = self.channels.iter().find(|known| known.name() == channel) else {
            return MessageFate::Dropped { reason: format!("no channel: {channel}") };
        };
        // It is given up well before the message may be taken by another courier.
        let most = self.handing * 4 / 5;
        let carried = tokio::time::timeout(most, channel.carry(parcel)).await;
        let later = |reason: String| {
            if attempts < ATTEMPTS {
                let at_ms = self.clock.now_ms().saturating_add(policy::backoff(attempts, &parcel.id));
                MessageFate::Later { at_ms, reason }
            } else {
                MessageFate::Dropped { reason: format!("given up after {} attempts: {reason}", attempts + 1) }
            }
        };
        match carried {
            Ok(Ok(receipt)) => {
                MessageFate::Sent { channel: channel.name().to_owned(), message_id: receipt.message_id }
            }
            Ok(Err(ChannelError::Later(reason))) => later(reason),
            Ok(Err(ChannelError::Never(reason))) => MessageFate::Dropped { reason },
            Ok(Err(ChannelError::NoMailbox(reason))) => MessageFate::NoMailbox { reason },
            Err(_) => later(format!("it took longer than {} s", most.as_secs())),
        }
    }

    /// It is carried: a database in trouble must not make it go out again, however long that takes. Until then no
    /// other courier of this host takes it, and one of another host only when its time is over.
    async fn settle(&self, about: &About, token: i64, fate: &MessageFate) -> Result<(), StoreError> {
        let (mut pause, longest) = SETTLING;
        let settled = loop {
            match self.store.settle_message(&about.id, token, fate, self.clock.now_ms()).await {
                Err(error) if error.is_trouble() || matches!(error, StoreError::Collided(_)) => {
                    tokio::time::sleep(pause).await;
                    pause = longest.min(pause * 3);
                }
                settled => break settled?,
            }
        };
        if settled {
            about.tell(fate);
        } else {
            tracing::warn!(
                message = about.id,
                shop = about.shop,
                "what became of a message is not written down: another courier has it by now"
            );
        }
        Ok(())
    }
}

/// The message's shop, if all that it needs is live; else what is missing.
fn live<'a>(snapshot: &'a Snapshot, message: &StoredMessage) -> Result<&'a Arc<LiveShop>, String> {
    let shop = snapshot
        .shops
        .get(&message.shop)
        .ok_or_else(|| format!("the shop `{}` is not live: see its file", message.shop))?;
    if shop.plugins.iter().any(|live| live.entry.name == message.plugin) {
        Ok(shop)
    } else {
        Err(format!("the plugin `{}` is not live in this shop", message.plugin))
    }
}

/// Something that will come back is not there.
fn waits(message: &StoredMessage, why: String, now_ms: i64) -> Ruling {
    let since = message.message.when.unwrap_or(message.created_at);
    if now_ms.saturating_sub(since) < PATIENCE {
        let at_ms = now_ms.saturating_add(policy::backoff(message.attempts, &message.id));
        Ruling::Later { at_ms, reason: why }
    } else {
        Ruling::Drop(format!("waited for three days: {why}"))
    }
}

/// The same for a message that could go and is not there.
fn or_drop(hand_over: HandOver, why: String) -> HandOver {
    let judge = hand_over.judge;
    let judge = move |standing: &Standing| match judge(standing) {
        Ruling::Send(_) => Ruling::Drop(why.clone()),
        other => other,
    };
    HandOver { judge: Arc::new(judge), ..hand_over }
}

/// The shop's day.
pub(super) fn day(shop: &LiveShop, now_ms: i64) -> Day {
    let zone = &shop.calendar.zone;
    let now = jiff::Timestamp::from_millisecond(now_ms).unwrap_or_default().to_zoned(zone.clone());
    let next = now.date().tomorrow().and_then(|tomorrow| tomorrow.to_zoned(zone.clone()));
    Day {
        date: now.date().to_string(),
        next_ms: next.map_or(now_ms.saturating_add(86_400_000), |next| next.timestamp().as_millisecond()),
    }
}

fn parcel(facts: Facts, rendered: super::render::Rendered, now_ms: i64) -> Parcel {
    let shop = &facts.shop.public;
    let known = facts.customer.as_ref();
    let names = [
        known.and_then(|known| known.customer.first_name.as_deref()),
        known.and_then(|known| known.contact.last_name.as_deref()),
    ];
    let name = names.into_iter().flatten().map(str::trim).collect::<Vec<_>>().join(" ");
    Parcel {
        id: facts.message.id.clone(),
        shop: shop.id.clone(),
        plugin: facts.message.plugin.clone(),
        slug: format!("{}-{}", facts.message.plugin, facts.message.message.template),
        from_name: shop.name.clone(),
        from_address: shop.contact.email.clone().unwrap_or_else(|| no_reply(&shop.url)),
        to_name: (!name.trim().is_empty()).then_some(name),
        // The one that the hand-over finds.
        to_address: String::new(),
        subject: rendered.subject,
        html: rendered.html,
        text: rendered.text,
        locale: facts.locale().to_owned(),
        at_ms: now_ms,
        unsubscribe: facts.unsubscribe,
    }
}

fn no_reply(shop_url: &str) -> String {
    let host = url::Url::parse(shop_url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let host = host.unwrap_or_else(|| "localhost".to_owned());
    format!("no-reply@{}", host.strip_prefix("www.").unwrap_or(&host))
}

/// For the log and the metrics, without a name or an address.
struct About {
    id: String,
    shop: String,
    plugin: String,
    template: String,
}

impl About {
    /// Once, where it is settled.
    fn tell(&self, fate: &MessageFate) {
        let Self { id, shop, plugin, template } = self;
        match fate {
            MessageFate::Sent { channel, .. } => {
                tracing::info!(message = id, shop, plugin, template, channel, "message sent");
                self.count("sent");
            }
            MessageFate::Dropped { reason } | MessageFate::NoMailbox { reason } => {
                tracing::warn!(message = id, shop, plugin, template, reason, "message dropped");
                self.count("dropped");
            }
            MessageFate::Later { reason, .. } => {
                tracing::warn!(
                    message = id,
                    shop,
                    plugin,
                    template,
                    reason,
                    "message waits for another attempt"
                );
                self.count("later");
            }
        }
    }

    fn count(&self, fate: &'static str) {
        metrics::counter!(
            "cartwright_messages_total",
            "shop" => self.shop.clone(),
            "plugin" => self.plugin.clone(),
            "fate" => fate,
        )
        .increment(1);
    }
}

#[cfg(test)]
mod tests;
