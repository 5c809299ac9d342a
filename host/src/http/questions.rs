//! What decision hooks are asked with, and who asks.

use secrecy::ExposeSecret;
use serde::Deserialize;
use utoipa::ToSchema;

use super::keys::Caller;
use super::problem::{FieldError, Kind, Problem};
use super::tokens;
use crate::domain::Cart;

/// Who asks, as every decision hook takes it.
#[derive(Debug, Default)]
pub struct Shopper {
    pub locale: Option<String>,
    pub zone: Option<String>,
    pub viewed: Vec<String>,
    pub customer_id: Option<String>,
    pub customer_token: Option<String>,
}

/// The body of a decision hook: its own fields, and those of the shopper.
macro_rules! question {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $kind,)*
            /// The shopper's language, BCP 47; without it the Accept-Language header counts.
            #[serde(default)]
            pub locale: Option<String>,
            /// The shopper's IANA time zone; without it the customer's, else the shop's.
            #[serde(default)]
            pub zone: Option<String>,
            /// Ids of products looked at, newest first.
            #[serde(default)]
            pub viewed: Vec<String>,
            /// Names the customer. Only with a secret key.
            #[serde(default)]
            pub customer_id: Option<String>,
            /// Names the customer to a publishable key: a JWT that the shop's backend signed.
            #[serde(default)]
            pub customer_token: Option<String>,
        }

        impl $name {
            /// The shopper's fields, taken out.
            pub fn shopper(&mut self) -> Shopper {
                Shopper {
                    locale: self.locale.take(),
                    zone: self.zone.take(),
                    viewed: std::mem::take(&mut self.viewed),
                    customer_id: self.customer_id.take(),
                    customer_token: self.customer_token.take(),
                }
            }
        }
    };
}

question! {
    /// What a product page asks with.
    ProductPageQuestion {
        /// Id of the product.
        product: String,
        /// A cart of one line, to say how many, which variant and where to; without it the host makes one of
        /// one piece from the catalogue.
        #[serde(default)]
        cart: Option<Cart>,
    }
}

question! {
    /// What a cart page asks with.
    CartQuestion {
        cart: Cart,
    }
}

question! {
    /// What a checkout asks with.
    CheckoutQuestion {
        cart: Cart,
    }
}

question! {
    /// What the page of an order asks with.
    OrderStatusQuestion {
        /// With a publishable key: an order of the customer whom the token names.
        order_id: String,
    }
}

impl Shopper {
    /// A customer is named by a secret key, or by a token that the shop's backend signed.
    pub fn customer(&self, caller: &Caller, now_ms: i64) -> Result<Option<String>, Problem> {
        let Some(token) = self.customer_token.as_deref() else {
            return match &self.customer_id {
                Some(_) if !caller.is_secret() => Err(Problem::new(
                    Kind::CustomerToken,
                    "With a publishable key a customer is named by `customer_token`, not by `customer_id`.",
                )),
                id => Ok(id.clone()),
            };
        };
        let Some(tokens) = &caller.shop.config.customer_tokens else {
            return Err(Problem::new(
                Kind::CustomerToken,
                "This shop takes no customer tokens: add [customer_tokens] with a `secret` to its file.",
            ));
        };
        let secret = tokens.secret.read(&caller.snapshot.host.folder).map_err(|error| {
            tracing::error!(%error, shop = caller.shop_id(), "customer tokens cannot be checked");
            Problem::new(
                Kind::Internal,
                "The host cannot read the secret of [customer_tokens]; its log says why.",
            )
        })?;
        let named = tokens::customer(token, secret.expose_secret().as_bytes(), caller.shop_id(), now_ms)
            .map_err(|error| Problem::new(Kind::CustomerToken, format!("{error}.")))?;
        match &self.customer_id {
            Some(id) if *id != named => Err(Problem::of_fields(
                Kind::Invalid,
                vec![FieldError::at(
                    "customer_id",
                    "is another customer than `customer_token` names; send one of them",
                )],
            )),
            _ => Ok(Some(named)),
        }
    }
}
