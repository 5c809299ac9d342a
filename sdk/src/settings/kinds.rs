//! What a setting can be.

use std::collections::BTreeMap;

use super::{Error, Part, Schema, Setting};
use crate::cart::Priced;
use crate::json::{Json, Rounding, decimal};

impl Setting for bool {
    const SCHEMA: Schema = Schema(&[Part::Text(r#""type":"boolean""#)]);

    fn read(json: &Json) -> Result<Self, Error> {
        json.as_bool().ok_or_else(|| Error::new("expected true or false"))
    }
}

impl Setting for String {
    const SCHEMA: Schema = Schema(&[Part::Text(r#""type":"string""#)]);

    fn read(json: &Json) -> Result<Self, Error> {
        json.as_str().map(ToOwned::to_owned).ok_or_else(|| Error::new("expected a text"))
    }
}

fn whole<T: TryFrom<i64>>(json: &Json) -> Result<T, Error> {
    let number = json.as_i64().ok_or_else(|| Error::new("expected a whole number"))?;
    T::try_from(number).map_err(|_| Error::new("the number is too small or too large"))
}

macro_rules! whole_numbers {
    ($($number:ty: $schema:literal),+ $(,)?) => { $(
        impl Setting for $number {
            const SCHEMA: Schema = Schema(&[Part::Text($schema)]);

            fn read(json: &Json) -> Result<Self, Error> {
                whole(json)
            }
        }
    )+ };
}

whole_numbers! {
    u8: r#""type":"integer","minimum":0,"maximum":255"#,
    u16: r#""type":"integer","minimum":0,"maximum":65535"#,
    u32: r#""type":"integer","minimum":0,"maximum":4294967295"#,
    u64: r#""type":"integer","minimum":0"#,
    i32: r#""type":"integer","minimum":-2147483648,"maximum":2147483647"#,
    i64: r#""type":"integer""#,
}

impl<T: Setting> Setting for Option<T> {
    const SCHEMA: Schema = T::SCHEMA;

    fn read(json: &Json) -> Result<Self, Error> {
        if *json == Json::Null { Ok(None) } else { T::read(json).map(Some) }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Setting> Setting for Vec<T> {
    const SCHEMA: Schema =
        Schema(&[Part::Text(r#""type":"array","items":{"#), Part::Members(&T::SCHEMA), Part::Text("}")]);

    fn read(json: &Json) -> Result<Self, Error> {
        let items = json.as_array().ok_or_else(|| Error::new("expected a list"))?;
        let mut out = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let item = T::read(item);
            out.push(item.map_err(|error| error.within(&["[", &index.to_string(), "]"].concat()))?);
        }
        Ok(out)
    }
}

impl<T: Setting> Setting for BTreeMap<String, T> {
    const SCHEMA: Schema = Schema(&[
        Part::Text(r#""type":"object","additionalProperties":{"#),
        Part::Members(&T::SCHEMA),
        Part::Text("}"),
    ]);

    fn read(json: &Json) -> Result<Self, Error> {
        let Json::Object(members) = json else {
            return Err(Error::new("expected a table"));
        };
        let mut out = BTreeMap::new();
        for (name, value) in members {
            out.insert(name.clone(), T::read(value).map_err(|error| error.within(name))?);
        }
        Ok(out)
    }
}

/// An amount for each currency, as the merchant writes it: `{ EUR = 12.90, PLN = "49.00", JPY = 500 }`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Money(BTreeMap<String, String>);

impl Money {
    /// The amount in the currency of a cart, an order or the shop, in its minor units; `None` when
    /// the merchant named none. More decimals than the currency has are rounded half up.
    pub fn of(&self, priced: &impl Priced) -> Option<i64> {
        let (currency, exponent) = priced.currency();
        self.in_currency(currency, exponent)
    }

    /// The same for a currency and its number of decimal places.
    pub fn in_currency(&self, currency: &str, exponent: u8) -> Option<i64> {
        decimal(self.0.get(currency)?, exponent, Rounding::HalfUp)
    }

    /// The currencies for which there is an amount.
    pub fn currencies(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl Setting for Money {
    const SCHEMA: Schema = Schema(&[Part::Text(concat!(
        r#""type":"object","propertyNames":{"pattern":"^[A-Z]{3}$"},"#,
        r#""additionalProperties":{"type":["number","string"],"minimum":0,"pattern":"^[0-9]+([.][0-9]+)?$"}"#
    ))]);

    fn read(json: &Json) -> Result<Self, Error> {
        let Json::Object(members) = json else {
            return Err(Error::new("expected an amount for each currency, e.g. { EUR = 12.90 }"));
        };
        let mut amounts = BTreeMap::new();
        for (currency, amount) in members {
            let (Json::Number(digits) | Json::String(digits)) = amount else {
                return Err(Error::new("expected an amount, e.g. 12.90").within(currency));
            };
            if decimal(digits, 4, Rounding::HalfUp).is_none_or(|amount| amount < 0) {
                return Err(Error::new("expected an amount, e.g. 12.90").within(currency));
            }
            amounts.insert(currency.clone(), digits.clone());
        }
        Ok(Self(amounts))
    }
}

/// A share from 0 to 100 percent, as the merchant writes it: `7.5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Percent(u32);

impl Percent {
    /// 1 % = 100.
    pub fn basis_points(self) -> u32 {
        self.0
    }

    /// The share of an amount, rounded half up.
    pub fn share_of(self, amount: i64) -> i64 {
        let share =
            i128::from(amount).saturating_mul(i128::from(self.0)).saturating_add(5_000).div_euclid(10_000);
        i64::try_from(share).unwrap_or(i64::MAX)
    }
}

impl Setting for Percent {
    const SCHEMA: Schema = Schema(&[Part::Text(r#""type":"number","minimum":0,"maximum":100"#)]);

    fn read(json: &Json) -> Result<Self, Error> {
        let points = match json {
            Json::Number(digits) => decimal(digits, 2, Rounding::HalfUp),
            _ => None,
        };
        match points.map(u32::try_from) {
            Some(Ok(points)) if points <= 10_000 => Ok(Self(points)),
            _ => Err(Error::new("expected a percentage from 0 to 100, e.g. 7.5")),
        }
    }
}
