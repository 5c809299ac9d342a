//! What the host knows and a guest never sees: wrappers around the vocabulary that are not lowered.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Buyer, Consent, Customer, Order, Product, Shipment};

/// Contact details. Never in a log, a metric, an error or a guest.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Contact {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contact(…)")
    }
}

/// What a shop says of a customer, in an event or through `PUT /v1/customers/{id}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerInput {
    /// The shop's id; a guest has none and is known by a keyed hash of the e-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buyer: Option<Buyer>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "super::instant::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consents: Option<Vec<Consent>>,
}

/// A stored customer: what plugins may know, and the contact details beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CustomerRecord {
    #[serde(flatten)]
    #[schema(value_type = Customer)]
    pub customer: Arc<Customer>,
    /// Points taken back that had been spent already. While there are any, `points` is 0; what is earned pays
    /// them first.
    #[serde(default)]
    pub points_owed: i64,
    pub contact: Contact,
}

/// A product with what the catalogue keeps beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CatalogEntry {
    #[serde(flatten)]
    #[schema(value_type = Product)]
    pub product: Arc<Product>,
    /// Ids of products that the merchant names as belonging together with this one.
    #[serde(default)]
    pub related: Vec<String>,
    /// Fields of the shop's own.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
}

/// An order with what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderRecord {
    pub order: Order,
    /// The customer's id in this host; a guest's is a keyed hash.
    pub customer_id: Option<String>,
    pub locale: Option<String>,
    /// `placed`, `shipped`, `delivered`, `cancelled`, `returned`.
    pub status: String,
    pub shipments: Vec<Shipment>,
    pub labels: BTreeMap<String, String>,
}
