//! What a message is made of, gathered from the store and the plugins.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::channels::Unsubscribe;
use super::links::Allowed;
use super::policy::Category;
use super::render::{Letter, RenderError, Rendered, render};
use super::view::KnownCoupon;
use crate::decide::{Decider, MessageContent};
use crate::domain::{CustomerRecord, OrderRecord, Product, Value, money};
use crate::plugins::registry::{LiveShop, Snapshot};
use crate::store::{Holder, Store, StoreError, StoredMessage};
use crate::wording::Reader;

/// All of one message, owned, so that it can be rendered on another thread.
pub(super) struct Facts {
    pub shop: Arc<LiveShop>,
    pub message: StoredMessage,
    pub customer: Option<CustomerRecord>,
    pub order: Option<OrderRecord>,
    products: BTreeMap<String, Arc<Product>>,
    coupons: BTreeMap<u32, KnownCoupon>,
    content: MessageContent,
    reader: Reader,
    pub unsubscribe: Unsubscribe,
}

impl Facts {
    #[expect(clippy::too_many_arguments, reason = "each is a source of its own")]
    pub async fn gather(
        snapshot: &Arc<Snapshot>,
        shop: &Arc<LiveShop>,
        store: &Store,
        decider: &Decider,
        message: StoredMessage,
        customer: Option<CustomerRecord>,
        unsubscribe: Unsubscribe,
        now_ms: i64,
    ) -> Result<Self, StoreError> {
        let order = match &message.order_id {
            Some(id) => store.order(&shop.config.id, id).await?,
            None => None,
        };
        let reader = reader(shop, &message, customer.as_ref(), order.as_ref(), now_ms);
        let content = content(snapshot, shop, decider, &message, &reader.locale).await;

        let wanted = wanted(&message, order.as_ref());
        let products = store
            .products(&shop.config.id, &wanted)
            .await?
            .into_iter()
            .flatten()
            .map(|entry| (entry.product.id.clone(), entry.product))
            .collect();
        let mut coupons = BTreeMap::new();
        for (handle, code) in &message.coupons {
            let holder = Holder { customer: message.customer_id.as_deref(), cart: None };
            let standing = store.coupon_standing(&shop.config.id, code, holder, now_ms).await?;
            let coupon = standing.map(|standing| standing.coupon);
            coupons.insert(*handle, KnownCoupon { code: code.clone(), coupon });
        }
        let shop = Arc::clone(shop);
        Ok(Self { shop, message, customer, order, products, coupons, content, reader, unsubscribe })
    }

    pub fn locale(&self) -> &str {
        &self.reader.locale
    }

    pub fn render(&self) -> Result<Rendered, RenderError> {
        let entry = self.shop.plugins.iter().find(|live| live.entry.name == self.message.plugin);
        render(&Letter {
            wording: &self.shop.wording,
            reader: &self.reader,
            shop: &self.shop.public,
            plugin: &self.message.plugin,
            template: &self.message.message.template,
            category: Category::of(&self.message.message.category),
            data: &self.message.message.data,
            first_name: self.customer.as_ref().and_then(|known| known.customer.first_name.as_deref()),
            company: self.customer.as_ref().and_then(|known| known.contact.company.as_deref()),
            order: self.order.as_ref(),
            products: &self.products,
            coupons: &self.coupons,
            content: &self.content,
            hosts: entry.map_or(&[], |live| &live.entry.hosts),
            unsubscribe_url: self.unsubscribe.link(),
        })
    }
}

/// The language the order was placed in, else the customer's, else the shop's; the order's currency.
fn reader(
    shop: &LiveShop,
    message: &StoredMessage,
    customer: Option<&CustomerRecord>,
    order: Option<&OrderRecord>,
    now_ms: i64,
) -> Reader {
    let asked = [
        message.locale.as_deref(),
        order.and_then(|order| order.locale.as_deref()),
        customer.and_then(|known| known.customer.locale.as_deref()),
    ];
    let currency = order.map_or(&shop.public.currency, |order| &order.order.currency).clone();
    let zone = customer
        .and_then(|known| known.customer.zone.clone())
        .filter(|zone| jiff::tz::TimeZone::get(zone).is_ok())
        .unwrap_or_else(|| shop.public.zone.clone());
    Reader {
        locale: shop.wording.negotiate(asked.into_iter().flatten().next()),
        exponent: money::exponent(&currency).unwrap_or(shop.public.exponent),
        currency,
        zone,
        now_ms,
    }
}

/// Ids of the products that the message shows.
fn wanted(message: &StoredMessage, order: Option<&OrderRecord>) -> Vec<String> {
    let of_order =
        order.into_iter().flat_map(|order| order.order.lines.iter().map(|line| line.product.clone()));
    let of_data = message.message.data.iter().flat_map(|(_, value)| match value {
        Value::Products(ids) => ids.clone(),
        _ => Vec::new(),
    });
    let mut ids: Vec<String> = of_order.chain(of_data).collect();
    ids.sort();
    ids.dedup();
    ids
}

/// What plugins put beside the text; a mail goes out without it rather than not at all.
async fn content(
    snapshot: &Arc<Snapshot>,
    shop: &Arc<LiveShop>,
    decider: &Decider,
    message: &StoredMessage,
    locale: &str,
) -> MessageContent {
    let (customer, order) = (message.customer_id.as_deref(), message.order_id.as_deref());
    match decider.message_content(snapshot, shop, customer, order, Some(locale)).await {
        Ok(mut content) => {
            for block in &mut content.blocks {
                let hosts = shop.plugins.iter().find(|live| live.entry.name == block.plugin);
                let mut allowed = Allowed::of_shop([shop.config.url.as_str()]);
                allowed.grant(hosts.into_iter().flat_map(|live| &live.entry.hosts));
                block.link = block.link.take().filter(|link| allowed.permits(link));
                block.image = block.image.take().filter(|image| allowed.permits(image));
            }
            content
        }
        Err(error) => {
            tracing::warn!(shop = shop.config.id, message = message.id, %error, "a message goes out without recommendations");
            MessageContent { recommendations: Vec::new(), notices: Vec::new(), blocks: Vec::new() }
        }
    }
}
