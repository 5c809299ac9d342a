//! What the example shop sells, and carts and orders of it.

use serde_json::{Value, json};

/// Four products; the mug and the tea belong together, the poster is sold out.
pub fn products() -> Vec<Value> {
    vec![
        product("mug", "Stoneware mug", 4_900, true, &["tea"]),
        product("tea", "First flush Darjeeling", 3_500, true, &[]),
        product("shirt", "Linen shirt", 19_900, true, &["shorts"]),
        product("shorts", "Linen shorts", 14_900, true, &[]),
        product("poster", "Sold-out poster", 2_900, false, &[]),
    ]
}

pub fn product(id: &str, title: &str, price: i64, in_stock: bool, related: &[&str]) -> Value {
    json!({
        "id": id, "title": title, "url": format!("https://grove.example/p/{id}"), "currency": "PLN",
        "price": price, "in_stock": in_stock, "tags": [], "related": related,
    })
}

pub fn line(id: &str, product: &str, quantity: u32, unit_price: i64) -> Value {
    json!({
        "id": id, "product": product, "title": format!("A {product}"), "quantity": quantity,
        "unit_price": unit_price, "weight_grams": 300,
    })
}

/// To Warsaw, prices with tax.
pub fn cart(lines: &[Value]) -> Value {
    json!({
        "id": "cart-1", "currency": "PLN", "lines": lines, "prices_include_tax": true,
        "destination": { "country": "PL", "postcode": "00-001", "city": "Warszawa" },
        "payment_methods": [{ "id": "card", "name": "Card" }, { "id": "cod", "name": "Cash on delivery" }],
    })
}

/// A customer with every contact detail there is.
pub fn anna() -> Value {
    json!({
        "id": "c-anna", "first_name": "Anna", "last_name": "Zielińska-Wrona", "company": null,
        "email": "anna.zielinska@mail.example", "phone": "+48 601 234 567", "locale": "en",
        "zone": "Europe/Warsaw",
        "consents": [{ "channel": "email", "category": "marketing", "granted": true }],
    })
}

/// An order of these lines by Anna.
pub fn order_placed(id: &str, placed_at: &str, lines: &[Value]) -> Value {
    let subtotal: i64 = lines
        .iter()
        .map(|line| line["unit_price"].as_i64().unwrap() * line["quantity"].as_i64().unwrap())
        .sum();
    json!({
        "order": {
            "id": id, "number": format!("#{id}"), "placed_at": placed_at, "currency": "PLN", "lines": lines,
            "destination": { "country": "PL", "postcode": "00-001", "city": "Warszawa" },
            "delivery": { "id": "delivery-options/courier", "title": "Courier", "price": 1_500 },
            "payment_method": "card", "prices_include_tax": true,
            "subtotal": subtotal, "total": subtotal + 1_500,
        },
        "customer": anna(),
    })
}

pub fn shipped(order: &str, shipment: &str, at: &str) -> Value {
    json!({
        "order_id": order,
        "shipment": {
            "id": shipment, "carrier": "DPD", "tracking_number": "0012345678",
            "tracking_url": "https://carrier.example/track/0012345678", "lines": [], "shipped_at": at,
        },
    })
}

pub fn update(order: &str, shipment: &str, stage: &str, at: &str) -> Value {
    json!({
        "order_id": order, "shipment_id": shipment,
        "update": { "stage": stage, "at": at, "location": "Łódź" },
    })
}
