//! Before the sale: the catalogue, the pages, the checkout.

use anyhow::Context as _;
use serde_json::{Value, json};

use super::super::woocommerce::{Sale, SoldLine};
use super::super::{answer, storefront};
use super::{HOUR, Journey, MINUTE};
use crate::domain::instant::to_rfc3339;

const PRODUCTS: &str = include_str!("../shop/products.ndjson");
const CODE: &str = "WELCOME10";
/// Of the order, in WooCommerce.
const ORDER: u64 = 1042;

impl Journey<'_> {
    pub(super) async fn catalogue(&mut self) -> anyhow::Result<()> {
        self.step("The shop sends its catalogue");
        let reply = self.storefront.put_catalogue(PRODUCTS).await?;
        let import = self.answered(reply, &[200])?;
        let products = PRODUCTS.lines().count();
        let stored = answer::amount(&import, "/stored");
        self.check(stored == i64::try_from(products).ok(), &format!("{products} products are stored"));
        Ok(())
    }

    pub(super) async fn customers(&mut self) -> anyhow::Result<()> {
        self.step("The shop tells of its customers");
        for (id, body) in [
            (
                "7",
                json!({
                    "first_name": "Ania", "last_name": "Kowalska", "email": "ania@mail.example",
                    "locale": "en", "zone": "Europe/Warsaw",
                    "consents": [
                        { "channel": "email", "category": "marketing", "granted": true },
                        { "channel": "email", "category": "updates", "granted": true },
                    ],
                }),
            ),
            ("8", json!({ "first_name": "Marek", "locale": "pl" })),
        ] {
            let reply = self.storefront.put(&format!("/v1/customers/{id}"), &body).await?;
            let stored = self.answered(reply, &[200, 201, 204])?;
            if id == "7" {
                let name = answer::text(&stored, "first_name");
                self.check(name == "Ania", "Ania is known by her number, 7");
            }
        }
        Ok(())
    }

    /// So that there is something to learn from.
    pub(super) async fn earlier_orders(&mut self) -> anyhow::Result<()> {
        self.step("Last week's orders, for the plugins to learn from");
        let now = self.host.clock().now_ms();
        for (number, (customer, products)) in
            [("3", ["101", "102"]), ("4", ["101", "102"]), ("5", ["102", "103"]), ("6", ["102", "103"])]
                .into_iter()
                .enumerate()
        {
            let id = format!("{}", 1_031_usize.saturating_add(number));
            let placed_at = now - 7 * 24 * HOUR + i64::try_from(number)? * HOUR;
            let event = earlier_order(&id, customer, &products, placed_at);
            self.event("order-placed", &format!("order-placed/{id}"), &event).await?;
        }
        Ok(())
    }

    pub(super) async fn product_page(&mut self) -> anyhow::Result<()> {
        self.step("Ania looks at a linen shirt");
        let mut cart = storefront::cart(None);
        if let Some(lines) = cart.get_mut("lines").and_then(Value::as_array_mut) {
            lines.truncate(1);
        }
        let question = json!({ "product": "101", "cart": cart, "customer_id": "7", "locale": "en" });
        let reply = self.storefront.ask("product-page", &question).await?;
        let page = self.answered(reply, &[200])?;
        self.screen.rows(&answer::rows(&page));
        let dated = answer::list(&page, "delivery_options")
            .iter()
            .any(|option| !answer::text(option, "arrival_text").is_empty());
        self.check(dated, "a price of delivery and its dates, before anything is in the cart");
        let recommended = recommended(&page);
        self.check(
            recommended.first().is_some_and(|product| product == "105"),
            "the shop's own pair comes first: buttons go with the shirt",
        );
        self.check(
            recommended.iter().any(|product| product == "102"),
            "learned from last week's orders: mugs went with the shirt",
        );
        self.complete(&page);
        Ok(())
    }

    pub(super) async fn cart(&mut self) -> anyhow::Result<()> {
        self.later(4 * MINUTE).await?;
        self.step("The cart: a shirt, two mugs, and a code");
        let question = json!({ "cart": storefront::cart(Some(CODE)), "customer_id": "7", "locale": "en", "viewed": ["101"] });
        let reply = self.storefront.ask("cart", &question).await?;
        let page = self.answered(reply, &[200])?;
        self.screen.rows(&answer::rows(&page));
        let sums = answer::sums(&page);
        self.check(
            sums.is_some_and(|sums| sums.subtotal == 29_700 && sums.discount == 2_970),
            "10% of 297 zł is taken off",
        );
        self.check(answer::adds_up(&page), "the parts of each discount add up to the grosz");
        let noticed = answer::list(&page, "notices")
            .iter()
            .any(|notice| answer::text(notice, "plugin") == "loyalty-messages");
        self.check(noticed, "a notice of what is missing to the next tier");
        let recommended = recommended(&page);
        self.check(
            !recommended.iter().any(|product| ["101", "102", "106"].contains(&product.as_str())),
            "nothing recommended that is in the cart or out of stock",
        );
        self.complete(&page);
        Ok(())
    }

    pub(super) async fn checkout(&mut self) -> anyhow::Result<()> {
        self.later(5 * MINUTE).await?;
        self.step("The checkout");
        let question = json!({ "cart": storefront::cart(Some(CODE)), "customer_id": "7", "locale": "en" });
        let reply = self.storefront.ask("checkout", &question).await?;
        let page = self.answered(reply, &[200])?;
        self.screen.rows(&answer::rows(&page));
        let options = answer::list(&page, "delivery_options");
        self.check(options.len() >= 3, "at least three ways of delivery");
        let whole = |option: &Value| {
            !answer::text(option, "quote").is_empty() && !answer::text(option, "arrival_text").is_empty()
        };
        self.check(options.iter().all(whole), "each with its dates and a signed quote");
        let prices: Vec<i64> =
            options.iter().filter_map(|option| answer::amount(option, "/price/amount")).collect();
        self.check(
            prices.is_sorted() && prices.len() == options.len(),
            "the longer it takes, the cheaper it is",
        );
        self.check(answer::list(&page, "refusals").is_empty(), "nothing stands in the way of the order");
        self.complete(&page);

        let chosen = options.first().context("there is no way of delivery to choose")?;
        let sums = answer::sums(&page).context("the answer has no totals")?;
        let line = |id: u64, product: u64, title: &str, quantity: u32, full: i64| SoldLine {
            id,
            product,
            title: title.to_owned(),
            quantity,
            full,
            paid: full - answer::taken_off(&page, &id.to_string()),
        };
        self.sale = Some(Sale {
            id: ORDER,
            placed_at_ms: 0,
            currency: "PLN".to_owned(),
            exponent: 2,
            lines: vec![line(1, 101, "Linen shirt", 1, 19_900), line(2, 102, "Stoneware mug", 2, 9_800)],
            code: CODE.to_owned(),
            discount: sums.discount,
            delivery_title: answer::text(chosen, "title"),
            delivery_price: answer::amount(chosen, "/price/amount").context("a price is no amount")?,
            quote: answer::text(chosen, "quote"),
            cart: "cart-7f3a".to_owned(),
            locale: "en".to_owned(),
        });
        let english = options.iter().map(|option| answer::text(option, "title")).collect::<Vec<_>>();
        self.in_polish(&english).await
    }

    /// The same question in the shop's other language.
    async fn in_polish(&mut self, english: &[String]) -> anyhow::Result<()> {
        let question = json!({ "cart": storefront::cart(Some(CODE)), "customer_id": "7", "locale": "pl" });
        let reply = self.storefront.ask("checkout", &question).await?;
        let page = self.answered(reply, &[200])?;
        let mut shown = page.clone();
        if let Some(sections) = shown.as_object_mut() {
            sections.retain(|name, _| ["delivery_options", "discounts", "notices"].contains(&name.as_str()));
        }
        self.screen.rows(&answer::rows(&shown));
        let polish: Vec<String> = answer::list(&page, "delivery_options")
            .iter()
            .map(|option| answer::text(option, "title"))
            .collect();
        self.check(
            polish.len() == english.len()
                && polish.iter().zip(english).all(|(polish, english)| polish != english),
            "the same in Polish, every word",
        );
        Ok(())
    }

    fn complete(&mut self, page: &Value) {
        let incomplete = answer::incomplete(page);
        if incomplete.is_empty() {
            self.check(true, "every section is complete");
        } else {
            self.check(false, &format!("every section is complete ({})", incomplete.join(", ")));
        }
    }
}

fn recommended(page: &Value) -> Vec<String> {
    answer::list(page, "recommendations").iter().map(|item| answer::text(item, "product")).collect()
}

/// An order of one of each; its customer left no address, so nothing is mailed.
fn earlier_order(id: &str, customer: &str, products: &[&str], placed_at: i64) -> Value {
    let prices = |product: &str| match product {
        "101" => ("Linen shirt", 19_900),
        "102" => ("Stoneware mug", 4_900),
        _ => ("Darjeeling, first flush", 3_900),
    };
    let lines: Vec<Value> = products
        .iter()
        .enumerate()
        .map(|(index, product)| {
            let (title, price) = prices(product);
            json!({
                "id": index.saturating_add(1).to_string(), "product": product, "title": title,
                "quantity": 1, "unit_price": price,
            })
        })
        .collect();
    let subtotal: i64 = products.iter().map(|product| prices(product).1).sum();
    json!({
        "order": {
            "id": id, "number": id, "placed_at": to_rfc3339(placed_at), "currency": "PLN", "lines": lines,
            "destination": { "country": "PL", "city": "Gdańsk" }, "prices_include_tax": true,
            "subtotal": subtotal, "total": subtotal + 1_490,
            "delivery": { "id": "standard", "title": "Courier", "price": 1_490 },
        },
        "customer": { "id": customer },
    })
}
