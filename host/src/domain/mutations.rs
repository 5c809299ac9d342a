//! Arbitrary changes of good JSON, for property tests of everything that takes JSON in.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

/// One to four changes anywhere in it.
pub fn mutated(good: Value) -> impl Strategy<Value = Value> {
    let change = prop_oneof![
        4 => any_json().prop_map(Change::Replace),
        2 => Just(Change::Remove),
        1 => Just(Change::Double),
        1 => hostile_text().prop_map(Change::Append),
    ];
    prop::collection::vec((any::<Index>(), change), 1..4).prop_map(move |changes| {
        let mut value = good.clone();
        for (place, change) in changes {
            let places = count(&value);
            let mut place = place.index(places);
            apply(&mut value, &mut place, &change);
        }
        value
    })
}

/// Any JSON, with what is likely to be taken for something good more often than chance would have it.
pub fn any_json() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec![0, 1, -1, 255, 256, 1 << 32, (1 << 53) - 1, 1 << 53, i64::MAX, i64::MIN])
            .prop_map(|number: i64| Value::from(number)),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        hostile_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(prop::sample::select(NAMES.to_vec()), inner, 0..5)
                .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

const NAMES: [&str; 14] = [
    "id",
    "key",
    "value",
    "total",
    "quantity",
    "subtotal",
    "country",
    "code",
    "lines",
    "product",
    "unit_price",
    "earliest",
    "latest",
    "kind",
];

fn hostile_text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".*",
        "\\PC{0,30}",
        "[0-9]{1,30}\\.[0-9]{0,10}",
        "[a-z]{200,2100}",
        prop::sample::select(vec![
            "",
            " ",
            "1",
            "mug",
            "PL",
            "pl",
            "EUR",
            "PLN",
            "XYZ",
            "JPY",
            "processing",
            "refunded",
            "consumer",
            "ada@shop.example",
            "a\r\nBcc: eve@shop.example",
            "a\0b",
            "\u{202e}gpj.exe",
            "{{ 7 * 7 }}",
            "{ $number }",
            "<script>",
            "../../etc",
            "https://shop.example/1",
            "javascript:alert(1)",
            "-99999999999999999999.99",
            "1.5",
            "2023-07-06T14:17:03",
            "2026-11-28T09:00:00Z",
            "1970-01-01T00:00:00Z",
            "9999-12-30T00:00:00Z",
            "2026-11-28",
            "delivered",
            "email",
            "marketing",
        ])
        .prop_map(str::to_owned),
    ]
}

#[derive(Debug, Clone)]
enum Change {
    Replace(Value),
    Remove,
    /// An item of a list twice.
    Double,
    Append(String),
}

/// How many values there are, this one included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

/// Changes the value at `place`, counted from the top; true when it is to be taken out by its parent.
fn apply(value: &mut Value, place: &mut usize, change: &Change) -> bool {
    if *place == 0 {
        match change {
            Change::Replace(other) => *value = other.clone(),
            Change::Append(text) => {
                if let Value::String(own) = value {
                    own.push_str(text);
                }
            }
            Change::Double => {
                if let Value::Array(items) = value {
                    items.extend(items.first().cloned());
                }
            }
            Change::Remove => return true,
        }
        *place = usize::MAX;
        return false;
    }
    let mut step = |value: &mut Value| {
        if *place == usize::MAX {
            return false;
        }
        *place -= 1;
        let remove = apply(value, place, change);
        if remove {
            *place = usize::MAX;
        }
        remove
    };
    match value {
        Value::Array(items) => items.retain_mut(|item| !step(item)),
        Value::Object(fields) => {
            let removed: Vec<String> =
                fields.iter_mut().filter_map(|(name, value)| step(value).then(|| name.clone())).collect();
            for name in removed {
                fields.remove(&name);
            }
        }
        _ => {}
    }
    false
}
