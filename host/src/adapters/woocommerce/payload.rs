//! The payload as WooCommerce writes it, read with patience: PHP gives a number where a string was, `[]`
//! for an empty object, and `null` or `""` for nothing.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{self, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::Unreadable;
use crate::domain::objects::OnlyObjects;
use crate::domain::plain::is_hidden;
use crate::lifecycle::check::is_email;

/// Characters that an order's texts may have: what is longer is cut, and costs no order.
const TEXT: usize = 2_000;
const NAME: usize = 200;

/// A payload's struct.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Unreadable> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(OnlyObjects(&mut deserializer)).map_err(|error| {
        let (path, inner) = (error.path().to_string(), error.inner());
        let what = if inner.is_data() { "has a form that is not known" } else { "is not JSON" };
        Unreadable::new(path, format!("{what} (line {}, column {})", inner.line(), inner.column()))
    })
}

#[derive(Debug, Deserialize)]
pub struct Order {
    pub id: Loose,
    pub status: String,
    pub currency: String,
    #[serde(default)]
    pub number: Loose,
    #[serde(default, deserialize_with = "or_nothing")]
    pub prices_include_tax: bool,
    #[serde(default)]
    pub date_created: Option<String>,
    #[serde(default)]
    pub date_created_gmt: Option<String>,
    #[serde(default)]
    pub date_modified_gmt: Option<String>,
    #[serde(default)]
    pub date_paid_gmt: Option<String>,
    #[serde(default)]
    pub discount_total: Loose,
    #[serde(default)]
    pub discount_tax: Loose,
    #[serde(default)]
    pub shipping_total: Loose,
    #[serde(default)]
    pub shipping_tax: Loose,
    pub total: Loose,
    #[serde(default)]
    pub total_tax: Loose,
    #[serde(default)]
    pub customer_id: Loose,
    #[serde(default, deserialize_with = "object")]
    pub billing: Address,
    #[serde(default, deserialize_with = "object")]
    pub shipping: Address,
    #[serde(default)]
    pub payment_method: Loose,
    #[serde(default, deserialize_with = "metas")]
    pub meta_data: Vec<Meta>,
    #[serde(default, deserialize_with = "list")]
    pub line_items: Vec<LineItem>,
    #[serde(default, deserialize_with = "list")]
    pub shipping_lines: Vec<ShippingLine>,
    #[serde(default, deserialize_with = "list")]
    pub fee_lines: Vec<FeeLine>,
    #[serde(default, deserialize_with = "list")]
    pub coupon_lines: Vec<CouponLine>,
    #[serde(default, deserialize_with = "list")]
    pub refunds: Vec<Refund>,
}

/// `price` is not here: it is a JSON number with a fraction, after discounts, so it is worked out of
/// `subtotal` and `quantity`.
#[derive(Debug, Deserialize)]
pub struct LineItem {
    #[serde(default)]
    pub id: Loose,
    #[serde(default)]
    pub name: Loose,
    #[serde(default)]
    pub product_id: Loose,
    #[serde(default)]
    pub variation_id: Loose,
    pub quantity: Quantity,
    #[serde(default)]
    pub subtotal: Loose,
    #[serde(default)]
    pub subtotal_tax: Loose,
    #[serde(default)]
    pub total_tax: Loose,
    #[serde(default)]
    pub sku: Loose,
    #[serde(default, deserialize_with = "metas")]
    pub meta_data: Vec<Meta>,
}

#[derive(Debug, Deserialize)]
pub struct ShippingLine {
    #[serde(default)]
    pub method_title: Loose,
    #[serde(default)]
    pub method_id: Loose,
    #[serde(default)]
    pub instance_id: Loose,
    #[serde(default, deserialize_with = "metas")]
    pub meta_data: Vec<Meta>,
}

#[derive(Debug, Deserialize)]
pub struct FeeLine {
    #[serde(default)]
    pub name: Loose,
    #[serde(default)]
    pub total: Loose,
    #[serde(default)]
    pub total_tax: Loose,
}

#[derive(Debug, Deserialize)]
pub struct CouponLine {
    #[serde(default)]
    pub code: Loose,
}

#[derive(Debug, Deserialize)]
pub struct Refund {
    /// Negative.
    #[serde(default)]
    pub total: Loose,
}

#[derive(Debug)]
pub struct Meta {
    pub key: Loose,
    pub value: Value,
}

#[derive(Debug, Deserialize)]
pub struct Customer {
    pub id: Loose,
    #[serde(default)]
    pub email: Loose,
    #[serde(default)]
    pub first_name: Loose,
    #[serde(default)]
    pub last_name: Loose,
    #[serde(default)]
    pub date_created: Option<String>,
    #[serde(default)]
    pub date_created_gmt: Option<String>,
    #[serde(default, deserialize_with = "object")]
    pub billing: Address,
}

/// The street is not read at all.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Address {
    pub first_name: Loose,
    pub last_name: Loose,
    pub company: Loose,
    pub city: Loose,
    pub state: Loose,
    pub postcode: Loose,
    pub country: Loose,
    pub email: Loose,
    pub phone: Loose,
}

/// A string, a whole number, or nothing (`null`, `false`, `""`). A number with a fraction is refused: it
/// would have gone through a float.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loose(pub String);

impl Loose {
    pub fn text(&self) -> Option<String> {
        // One line: a line's end in a name could end a mail's header.
        let line = self.0.replace(is_hidden, " ");
        Some(line.trim()).filter(|text| !text.is_empty()).map(|text| cut(text, TEXT))
    }

    /// A name of a person, place or code, which is shorter than other texts.
    pub fn name(&self) -> Option<String> {
        self.text().map(|text| cut(&text, NAME))
    }

    /// An address that a mail can be sent to; another text is none, and costs no order.
    pub fn email(&self) -> Option<String> {
        self.text().filter(|text| is_email(text))
    }

    /// An id; `0` is none.
    pub fn id(&self) -> Option<String> {
        self.text().filter(|id| id != "0")
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl Visitor<'_> for Any {
            type Value = Loose;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a whole number")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Loose, E> {
                Ok(Loose(text.to_owned()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Loose, E> {
                Ok(Loose(number.to_string()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Loose, E> {
                Ok(Loose(number.to_string()))
            }

            fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Loose, E> {
                if truth {
                    Err(E::custom("true is neither a text nor a number"))
                } else {
                    Ok(Loose::default())
                }
            }

            fn visit_unit<E: de::Error>(self) -> Result<Loose, E> {
                Ok(Loose::default())
            }

            fn visit_none<E: de::Error>(self) -> Result<Loose, E> {
                Ok(Loose::default())
            }
        }

        deserializer.deserialize_any(Any)
    }
}

/// How much of something: also with a fraction, which is written as it stands in the payload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quantity(pub String);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Number(number) => Ok(Self(number.to_string())),
            Value::String(text) => Ok(Self(text)),
            _ => Err(de::Error::custom("neither a text nor a number")),
        }
    }
}

pub fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// `null` is the same as not there.
fn or_nothing<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// An object; PHP writes an empty one as `[]`.
fn object<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(deserializer: D) -> Result<T, D::Error> {
    match Value::deserialize(deserializer)? {
        object @ Value::Object(_) => serde_json::from_value(object).map_err(de::Error::custom),
        Value::Array(items) if items.is_empty() => Ok(T::default()),
        Value::Null => Ok(T::default()),
        _ => Err(de::Error::custom("expected an object")),
    }
}

/// A list; PHP writes one that has gaps as an object of its places.
fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct Items<T>(PhantomData<T>);

    impl<'de, T: DeserializeOwned> Visitor<'de> for Items<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
            let mut read = Vec::new();
            while let Some(item) = items.next_element()? {
                read.push(item);
            }
            Ok(read)
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Vec<T>, A::Error> {
            let mut read = Vec::new();
            while let Some((_, item)) = entries.next_entry::<IgnoredAny, T>()? {
                read.push(item);
            }
            Ok(read)
        }

        fn visit_unit<E: de::Error>(self) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }

        fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Vec<T>, E> {
            if truth { Err(E::custom("true is no list")) } else { Ok(Vec::new()) }
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<T>, E> {
            if text.is_empty() { Ok(Vec::new()) } else { Err(E::custom("a text is no list")) }
        }
    }

    deserializer.deserialize_any(Items(PhantomData))
}

/// Notes of extensions: a list of `key` and `value`, that list with gaps, or names and their values. What is
/// none of these is no note, and costs no order.
fn metas<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Meta>, D::Error> {
    let written = |value: Value| {
        let Value::Object(mut fields) = value else { return None };
        let key = Loose::deserialize(fields.get("key")?).ok()?;
        Some(Meta { key, value: fields.remove("value").unwrap_or_default() })
    };
    Ok(match Value::deserialize(deserializer)? {
        Value::Array(items) => items.into_iter().filter_map(written).collect(),
        Value::Object(entries) => entries
            .into_iter()
            .filter_map(|(key, value)| match value {
                Value::Object(_) => written(value),
                value => Some(Meta { key: Loose(key), value }),
            })
            .collect(),
        _ => Vec::new(),
    })
}
