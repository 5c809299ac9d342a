//! What a storefront and a shop's backend send.

use std::net::SocketAddr;

use anyhow::ensure;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::ground::{SHOP, key};
use crate::load::{Aim, Connection, Request};

/// The customer who asks.
pub const CUSTOMER: &str = "7";
const PAST_ORDERS: usize = 10;
const PAST_TOTAL: i64 = 19_500;
const PRODUCTS: [&str; 24] = [
    "mug",
    "bowl",
    "candle",
    "apron",
    "teapot",
    "tray",
    "plate",
    "glass",
    "spoon",
    "vase",
    "napkin",
    "carafe",
    "tablecloth",
    "tea-towel",
    "oven-glove",
    "cookbook",
    "rolling-pin",
    "coffee-pot",
    "coffee-grinder",
    "milk-jug",
    "chopping-board",
    "bread-knife",
    "bread-box",
    "butter-dish",
];

pub fn request(method: &str, path: &str, shop: &str, body: &str) -> Request {
    with(method, path, shop, &[("content-type", "application/json")], body)
}

/// The same with headers of its own.
fn with(method: &str, path: &str, shop: &str, own: &[(&str, &str)], body: &str) -> Request {
    let authorisation = format!("Bearer {}", key(shop));
    let mut headers = vec![("host", "localhost"), ("authorization", authorisation.as_str())];
    headers.extend(own);
    Request::new(method, path, &headers, body.as_bytes())
}

/// So many lines, to Kraków.
pub fn cart(lines: usize) -> Value {
    let lines: Vec<Value> = (0..lines)
        .map(|number| {
            json!({ "id": (number + 1).to_string(), "product": PRODUCTS[number % PRODUCTS.len()], "title": "A thing",
                    "quantity": number % 3 + 1, "unit_price": 1_990 + 500 * (number % 7), "weight_grams": 280 })
        })
        .collect();
    json!({
        "id": "cart-1", "currency": "PLN", "prices_include_tax": true, "lines": lines,
        "destination": { "country": "PL", "city": "Kraków", "postcode": "31-147" },
        "payment_methods": [{ "id": "card", "name": "Card" }, { "id": "cod", "name": "Cash on delivery" }],
    })
}

/// What a plugin knows of the customer.
pub fn customer() -> Value {
    let orders: Vec<Value> = (0..PAST_ORDERS)
        .map(|number| {
            json!({ "id": format!("past-{number}"), "placed_at": "2019-06-01T09:00:00Z", "currency": "PLN",
                    "total": PAST_TOTAL, "products": bought(number) })
        })
        .collect();
    json!({
        "id": CUSTOMER, "first_name": "Ania", "locale": "en", "zone": "Europe/Warsaw",
        "buyer": { "kind": "consumer" }, "created_at": "2019-01-01T09:00:00Z",
        "first_order_at": "2019-06-01T09:00:00Z", "orders_count": PAST_ORDERS, "spent": PAST_TOTAL * 10,
        "orders": orders, "points": 0,
    })
}

/// A checkout of the known customer.
pub fn checkout(shop: &str, lines: usize) -> Request {
    let body = json!({ "cart": cart(lines), "customer_id": CUSTOMER, "locale": "en" });
    request("POST", "/v1/hooks/checkout", shop, &body.to_string())
}

/// Checkouts of a host, whose answers are as whole as the first, which `is_whole` looks at.
pub async fn checkouts(
    address: SocketAddr,
    lines: usize,
    is_whole: fn(&Value) -> bool,
) -> anyhow::Result<Aim> {
    let asked = checkout(SHOP, lines);
    let aim = Aim::new(address, 200, move |_| asked.clone());
    // The first calls of a plugin may be late where the machine is busy.
    let mut body = Bytes::new();
    for _ in 0..20 {
        body = aim.once().await?;
        if is_whole(&serde_json::from_slice(&body)?) {
            return Ok(aim.whole_as(&body));
        }
    }
    anyhow::bail!("checkouts are not whole: {}", String::from_utf8_lossy(&body))
}

/// Nothing failed, and some way of delivery is there.
pub fn has_delivery(answer: &Value) -> bool {
    let some = |section: &str| answer[section].as_array().is_some_and(|items| !items.is_empty());
    some("delivery_options") && !some("warnings")
}

/// The reference logic's whole answer.
pub fn is_reference(answer: &Value) -> bool {
    let number = |section: &str| answer[section].as_array().map_or(0, Vec::len);
    number("delivery_options") == 3
        && number("discounts") == 2
        && number("recommendations") == 4
        && number("warnings") == 0
}

/// What the first order and its customer are called.
pub const FIRST_ORDER: [&str; 2] = ["order-00000000", "customer-00000000"];

/// Orders, each new, of a customer each; numbered from `first` on.
pub fn orders(address: SocketAddr, first: u64) -> Aim {
    let template = order("order-template", "customer-template", "2024-06-03T09:00:00Z").to_string();
    Aim::new(address, 202, move |number| {
        let number = first + number;
        let (order, customer) = (format!("order-{number:08}"), format!("customer-{number:08}"));
        let body = template.replace("order-template", &order).replace("customer-template", &customer);
        placed(SHOP, &order, &body)
    })
}

fn placed(shop: &str, name: &str, body: &str) -> Request {
    let headers = [("content-type", "application/json"), ("idempotency-key", name)];
    with("POST", "/v1/hooks/order-placed", shop, &headers, body)
}

pub fn order(id: &str, customer: &str, placed_at: &str) -> Value {
    let cart = cart(5);
    let subtotal: i64 = cart["lines"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|line| {
            line["unit_price"].as_i64().unwrap_or_default() * line["quantity"].as_i64().unwrap_or_default()
        })
        .sum();
    json!({
        "order": {
            "id": id, "number": id, "placed_at": placed_at, "currency": "PLN", "lines": cart["lines"],
            "destination": { "country": "PL", "postcode": "31-147", "city": "Kraków" },
            "delivery": { "id": "post", "title": "Post", "price": 1_500 },
            "payment_method": "card", "prices_include_tax": true, "subtotal": subtotal, "total": subtotal + 1_500,
        },
        "customer": {
            "id": customer, "first_name": "Ania", "email": format!("{customer}@mail.example"), "locale": "en",
            "zone": "Europe/Warsaw", "consents": [],
        },
    })
}

/// The catalogue, and a customer with ten past orders, older than the shop is live: no plugin hears of them.
pub async fn furnish(address: SocketAddr, shop: &str) -> anyhow::Result<()> {
    let mut connection = Connection::open(address).await?;
    let products: String = PRODUCTS
        .iter()
        .map(|id| {
            let product = json!({ "id": id, "title": id, "url": format!("https://lipa.example/{id}"),
                                  "image": format!("https://lipa.example/{id}.jpg"), "currency": "PLN",
                                  "price": 4_900, "in_stock": true });
            format!("{product}\n")
        })
        .collect();
    let lines = [("content-type", "application/x-ndjson")];
    send(&mut connection, with("PUT", "/v1/catalog/products", shop, &lines, &products)).await?;
    let customer = json!({ "first_name": "Ania", "locale": "en", "zone": "Europe/Warsaw" });
    let path = format!("/v1/customers/{CUSTOMER}");
    send(&mut connection, request("PUT", &path, shop, &customer.to_string())).await?;
    for number in 0..PAST_ORDERS {
        let id = format!("past-{number}");
        let mut past = order(&id, CUSTOMER, &format!("2019-{:02}-15T09:00:00Z", number + 1));
        let bought: Vec<Value> = bought(number)
            .iter()
            .map(|product| {
                json!({ "id": product, "product": product, "title": "A thing", "quantity": 1, "unit_price": 6_000 })
            })
            .collect();
        past["order"]["lines"] = bought.into();
        past["order"]["subtotal"] = 18_000.into();
        past["order"]["total"] = PAST_TOTAL.into();
        send(&mut connection, placed(shop, &id, &past.to_string())).await?;
    }
    Ok(())
}

/// Three products of a past order.
pub fn bought(number: usize) -> [&'static str; 3] {
    [0, 7, 14].map(|step| PRODUCTS[(number * 5 + step) % PRODUCTS.len()])
}

async fn send(connection: &mut Connection, request: Request) -> anyhow::Result<()> {
    let (status, body) = connection.ask(request).await?;
    ensure!((200..300).contains(&status), "{status} {}", String::from_utf8_lossy(&body));
    Ok(())
}
