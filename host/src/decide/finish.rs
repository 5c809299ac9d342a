//! Finished texts, formatted money and dates, quotes: from what was merged to what is answered.

use super::answer::{
    Allocation, Amount, AppliedDiscount, OfferedDelivery, ShownBlock, ShownNotice, ShownPayment,
    ShownRecommendation, ShownRefusal, ShownTotals,
};
use super::asked::Asked;
use super::merge::{
    Applied, Content, OfferedOption, PaymentName, PlacedBlock, PlacedNotice, PlacedRecommendation, Refusal,
    ReviewedPayment,
};
use super::offers::Offered;
use super::quote::{self, Quote};
use super::totals::DeliveryPrice;
use crate::domain::{Cart, DiscountTarget, PickupPoint, Place, Text, Value, money, plain};
use crate::wording::{self, Reader};

/// Writes for one shopper of one shop.
pub struct Finish<'a> {
    pub asked: &'a Asked,
    pub quote_key: &'a [u8; 32],
    /// Until when quotes hold, UTC milliseconds.
    pub quotes_expire: i64,
}

impl Finish<'_> {
    fn amount(&self, amount: i64) -> Amount {
        amount_for(amount, &self.asked.reader)
    }

    /// `plugin` is none for the host's own texts; a text without a key is finished already. One line, whoever
    /// wrote it and whatever it was filled with.
    fn text(&self, plugin: Option<&str>, text: &Text) -> String {
        let (wording, reader) = (&self.asked.shop.wording, &self.asked.reader);
        let text = match plugin {
            Some(plugin) => wording.text(plugin, text, reader),
            None if text.key.is_empty() => text.fallback.clone(),
            None => {
                let arguments: Vec<(&str, Value)> =
                    text.args.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
                wording.host_text(&text.key, &arguments, reader)
            }
        };
        plain::one_line(&text, plain::SHOWN)
    }

    /// With quotes where `cart` is bought from.
    #[must_use]
    pub fn delivery_options(&self, offered: &Offered, cart: Option<&Cart>) -> Vec<OfferedDelivery> {
        let discounting: Vec<Option<&str>> = offered
            .pricing
            .applied
            .iter()
            .filter(|applied| applied.discount.target == DiscountTarget::Delivery)
            .map(|applied| applied.plugin.as_deref())
            .collect();
        let priced = offered.options.iter().zip(&offered.prices.options);
        priced.map(|(option, price)| self.delivery_option(option, price, &discounting, cart)).collect()
    }

    fn delivery_option(
        &self,
        offered: &OfferedOption,
        priced: &DeliveryPrice,
        discounting: &[Option<&str>],
        cart: Option<&Cart>,
    ) -> OfferedDelivery {
        let option = &offered.option;
        let title = self.text(offered.title_of.as_deref(), &option.title);
        let quote = cart.map(|cart| {
            let mut contributors = offered.contributors.clone();
            let cutting = discounting.iter().zip(&priced.cuts).filter(|(_, cut)| **cut > 0);
            for plugin in cutting.filter_map(|(plugin, _)| *plugin) {
                if !contributors.iter().any(|each| each == plugin) {
                    contributors.push(plugin.to_owned());
                }
            }
            let quote = Quote {
                shop: self.asked.shop.config.id.clone(),
                cart: cart.id.clone(),
                option: option.id.clone(),
                // Enough to know it again: it travels with the cart.
                title: plain::one_line(&title, plain::ID),
                price: priced.price,
                currency: cart.currency.clone(),
                exponent: cart.exponent,
                arrival: option.arrival.clone(),
                expires: option
                    .order_before
                    .map_or(self.quotes_expire, |before| before.min(self.quotes_expire)),
                contributors,
            };
            quote::sign(self.quote_key, &quote)
        });
        OfferedDelivery {
            id: option.id.clone(),
            plugin: offered.plugin.clone(),
            title,
            description: option.description.as_ref().map(|text| self.text(offered.plugin.as_deref(), text)),
            kind: word(&option.kind),
            carrier: option.carrier.as_deref().map(word),
            group: option.group.clone(),
            price: self.amount(priced.price),
            full_price: self.amount(option.price),
            arrival: option.arrival.clone(),
            arrival_text: option
                .arrival
                .as_ref()
                .map(|arrival| wording::arrival(arrival, &self.asked.reader)),
            order_before: option.order_before,
            order_before_text: option
                .order_before
                .map(|before| self.asked.shop.wording.relative_instant(before, &self.asked.reader)),
            pickup_points: option.pickup_points.iter().map(pickup_point).collect(),
            quote,
        }
    }

    #[must_use]
    pub fn discounts(&self, offered: &Offered, cart: &Cart) -> Vec<AppliedDiscount> {
        let mut on_delivery = 0_usize;
        offered
            .pricing
            .applied
            .iter()
            .map(|applied| {
                let allocations = if applied.discount.target == DiscountTarget::Delivery {
                    let at = on_delivery;
                    on_delivery = on_delivery.saturating_add(1);
                    off_delivery(offered, at)
                } else {
                    off_lines(applied, cart)
                };
                let sum = allocations.iter().fold(0_i64, |sum, each| sum.saturating_add(each.amount));
                AppliedDiscount {
                    id: applied.discount.id.clone(),
                    plugin: applied.plugin.clone(),
                    title: self.text(applied.plugin.as_deref(), &applied.discount.title),
                    class: word(&applied.discount.class),
                    code: applied.discount.code.clone(),
                    amount: self.amount(sum),
                    allocations,
                }
            })
            .collect()
    }

    #[must_use]
    pub fn totals(&self, offered: &Offered) -> ShownTotals {
        let totals = offered.pricing.sheet.totals(offered.prices.total);
        let text = |amount| wording::money(amount, &self.asked.reader);
        ShownTotals {
            subtotal_text: text(totals.subtotal),
            discount_text: text(totals.discount),
            delivery_text: totals.delivery.map(text),
            tax_text: text(totals.tax),
            total_text: text(totals.total),
            lines: offered.pricing.sheet.lines(),
            totals,
        }
    }

    #[must_use]
    pub fn payments(&self, payments: &[ReviewedPayment]) -> Vec<ShownPayment> {
        let name = |name: &PaymentName| match name {
            PaymentName::Given(name) => name.clone(),
            PaymentName::Renamed { plugin, text } => self.text(plugin.as_deref(), text),
        };
        payments
            .iter()
            .map(|payment| ShownPayment { id: payment.id.clone(), name: name(&payment.name) })
            .collect()
    }

    #[must_use]
    pub fn refusals(&self, refusals: &[Refusal]) -> Vec<ShownRefusal> {
        refusals
            .iter()
            .map(|refusal| ShownRefusal {
                id: refusal.id.clone(),
                plugin: refusal.plugin.clone(),
                code: refusal.code.clone(),
                target: refusal.target.clone(),
                text: self.text(Some(&refusal.plugin), &refusal.text),
            })
            .collect()
    }

    #[must_use]
    pub fn content(
        &self,
        content: &Content,
    ) -> (Vec<ShownRecommendation>, Vec<ShownNotice>, Vec<ShownBlock>) {
        (
            content.recommendations.iter().map(|placed| self.recommendation(placed)).collect(),
            content.notices.iter().map(|placed| self.notice(placed)).collect(),
            content.blocks.iter().map(|placed| self.block(placed)).collect(),
        )
    }

    fn recommendation(&self, placed: &PlacedRecommendation) -> ShownRecommendation {
        let product = &placed.product;
        // The catalogue's price is in its own currency.
        let reader = Reader {
            currency: product.currency.clone(),
            exponent: money::exponent(&product.currency).unwrap_or(self.asked.reader.exponent),
            ..self.asked.reader.clone()
        };
        ShownRecommendation {
            id: placed.id.clone(),
            plugin: placed.plugin.clone(),
            product: product.id.clone(),
            title: product.title.clone(),
            url: product.url.clone(),
            image: product.image.clone(),
            price: amount_for(product.price, &reader),
            currency: product.currency.clone(),
            reason: placed.recommendation.reason.as_ref().map(|text| self.text(Some(&placed.plugin), text)),
            placement: word(&placed.recommendation.placement),
        }
    }

    fn notice(&self, placed: &PlacedNotice) -> ShownNotice {
        let notice = &placed.notice;
        ShownNotice {
            id: notice.id.clone(),
            plugin: placed.plugin.clone(),
            text: self.text(Some(&placed.plugin), &notice.text),
            severity: notice.severity.clone(),
            placement: word(&notice.placement),
        }
    }

    fn block(&self, placed: &PlacedBlock) -> ShownBlock {
        let (block, plugin) = (&placed.block, Some(placed.plugin.as_str()));
        ShownBlock {
            id: block.id.clone(),
            plugin: placed.plugin.clone(),
            title: block.title.as_ref().map(|text| self.text(plugin, text)),
            body: self.text(plugin, &block.body),
            link: block.link.clone(),
            link_title: block.link_title.as_ref().map(|text| self.text(plugin, text)),
            image: block.image.clone(),
            placement: word(&block.placement),
        }
    }
}

fn amount_for(amount: i64, reader: &Reader) -> Amount {
    Amount { amount, text: wording::money(amount, reader) }
}

/// What a storefront may show or choose by, as a plugin wrote it.
fn word(word: &str) -> String {
    plain::one_line(word, plain::ID)
}

fn pickup_point(point: &PickupPoint) -> PickupPoint {
    let Place { country, region, city, postcode } = &point.place;
    let part = |part: &Option<String>| part.as_deref().map(word);
    PickupPoint {
        id: point.id.clone(),
        name: plain::one_line(&point.name, plain::SHOWN),
        place: Place {
            country: word(country),
            region: part(region),
            city: part(city),
            postcode: part(postcode),
        },
    }
}

fn off_lines(applied: &Applied, cart: &Cart) -> Vec<Allocation> {
    applied
        .cuts
        .iter()
        .filter_map(|cut| {
            let line = cart.lines.get(cut.line)?;
            Some(Allocation { target: line.id.clone(), amount: cut.amount })
        })
        .collect()
}

/// What the discount takes off the delivery that the totals count with.
fn off_delivery(offered: &Offered, at: usize) -> Vec<Allocation> {
    let amount = offered.prices.cheapest.iter().fold(0_i64, |sum, chosen| {
        let cut = offered.prices.options.get(*chosen).and_then(|option| option.cuts.get(at));
        sum.saturating_add(cut.copied().unwrap_or(0))
    });
    if amount == 0 { Vec::new() } else { vec![Allocation { target: "delivery".to_owned(), amount }] }
}
