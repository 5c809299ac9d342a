//! `shops/<id>.toml`: one merchant's store.

use jiff::civil::Date;
use serde::Deserialize;

use super::civil;
use super::{Origin, PluginEntry, SecretSource, WebhookEndpoint};
use crate::domain::ShopContact;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShopConfig {
    /// The file's name without `.toml`.
    #[serde(skip)]
    pub id: String,
    /// For the checks that come later (grants, settings): where each value stands.
    #[serde(skip)]
    pub origin: Origin,
    pub name: String,
    pub url: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// ISO 4217.
    pub currency: String,
    /// The first is the default; default `["en"]`.
    #[serde(default = "english")]
    pub locales: Vec<String>,
    /// IANA time zone.
    pub zone: String,
    /// Default `test`: messages go only to `test_recipients`.
    #[serde(default)]
    pub mode: Mode,
    #[serde(default)]
    pub test_recipients: Vec<String>,
    /// Messages of a day of the shop's zone, at most: a brake for plugins gone wild. Default 10 000; 0: no limit.
    #[serde(default = "ten_thousand")]
    pub daily_messages: u32,
    /// Orders placed before are not new, whatever a platform reports of them.
    #[serde(default, deserialize_with = "civil::instant")]
    pub live_since: Option<jiff::Timestamp>,
    #[serde(default = "no_contact")]
    pub contact: ShopContact,
    /// `mon` … `sun`; default Monday to Friday.
    #[serde(default = "weekdays")]
    pub working_days: Vec<String>,
    #[serde(default, deserialize_with = "civil::dates")]
    pub holidays: Vec<Date>,
    #[serde(default)]
    pub discounts: DiscountRules,
    /// Delivery options shown when no plugin offers any.
    #[serde(default)]
    pub fallback: Vec<FallbackOption>,
    /// How long a quote holds, minutes; default 60.
    #[serde(default = "an_hour")]
    pub quote_minutes: u32,
    /// Cart, line and order attributes that plugins may see.
    #[serde(default)]
    pub attributes: Vec<String>,
    #[serde(default)]
    pub keys: Vec<Key>,
    #[serde(default)]
    pub customer_tokens: Option<CustomerTokens>,
    #[serde(default)]
    pub woocommerce: Option<WooCommerce>,
    /// The shop's own systems, and what they are told.
    #[serde(default)]
    pub webhooks: Vec<WebhookEndpoint>,
    #[serde(default)]
    pub mail_feedback: Option<MailFeedback>,
    /// In the merchant's order.
    #[serde(default)]
    pub plugins: Vec<PluginEntry>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    #[default]
    Test,
    Live,
}

/// How discounts combine.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DiscountRules {
    /// Classes of which a cart gets at most one discount, and no other discount beside it: the one
    /// that saves most.
    pub exclusive: Vec<String>,
    /// Classes of which only the best discount on each target counts.
    pub best_of: Vec<String>,
    /// Cap of all discounts on goods, in basis points of the subtotal.
    pub max_basis_points: Option<u32>,
    /// Cap of each class, in basis points of the subtotal.
    pub class_caps: std::collections::BTreeMap<String, u32>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FallbackOption {
    pub id: String,
    pub title: String,
    /// Minor units of the shop's currency.
    pub price: i64,
    /// Working days, at least and at most; none: no promise.
    #[serde(default)]
    pub working_days: Option<(u32, u32)>,
    #[serde(default = "home")]
    pub kind: String,
}

/// A key, as `cartwright key create` writes it: only its hash is kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// To tell keys apart in logs and files.
    pub name: String,
    pub kind: KeyKind,
    /// SHA-256 of the key, hex. Keys are random, so a slow hash would protect nothing.
    pub sha256: String,
    /// For publishable keys: the origins that browsers may call from.
    #[serde(default)]
    pub origins: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// Everything, for its shop.
    Secret,
    /// Decision hooks only, from allowed origins.
    Publishable,
}

/// Tokens (JWT, HS256) by which the shop's backend names a customer to a browser.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomerTokens {
    pub secret: SecretSource,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WooCommerce {
    /// The webhook's secret, as entered in WooCommerce.
    pub secret: SecretSource,
}

/// Who may report what became of mails: with a signature (Standard Webhooks), with a name and a password, or
/// both.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailFeedback {
    /// `whsec_…`, as the sender of the reports has it.
    #[serde(default)]
    pub secret: Option<SecretSource>,
    /// For providers that sign nothing.
    #[serde(default)]
    pub basic: Option<BasicAuth>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasicAuth {
    pub username: String,
    pub password: SecretSource,
}

fn english() -> Vec<String> {
    vec!["en".to_owned()]
}

fn weekdays() -> Vec<String> {
    ["mon", "tue", "wed", "thu", "fri"].map(str::to_owned).to_vec()
}

fn no_contact() -> ShopContact {
    ShopContact { email: None, phone: None, url: None }
}

fn ten_thousand() -> u32 {
    10_000
}

fn an_hour() -> u32 {
    60
}

fn home() -> String {
    "home".to_owned()
}
