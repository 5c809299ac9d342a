//! The doors of this room for `tests/fuzz`: bodies that nobody chose, through what reads those of strangers.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a broken promise is a panic here"
)]

use std::path::Path;

use jiff::tz::TimeZone;

use super::batch::forms;
use super::problem::Problem;
use super::questions::{CartQuestion, CheckoutQuestion, OrderStatusQuestion, ProductPageQuestion};
use super::{catalog, events, json, tokens};
use crate::adapters::{mail, woocommerce};
use crate::config::{ShopConfig, parse_shop};
use crate::decide::cart::normalise;
use crate::decide::totals::Sheet;
use crate::domain::signature::{self, Signed, SigningSecret};
use crate::domain::{Cart, Event};
use crate::lifecycle::check;

const NOW: i64 = 1_795_856_400_000;
const DEPTH: usize = 32;
const SECRET: &[u8] = b"a secret of at least thirty-two bytes";

const HOOKS: [&str; 9] = [
    "order-placed",
    "order-shipped",
    "delivery-updated",
    "order-delivered",
    "order-cancelled",
    "order-returned",
    "customer-created",
    "cart-abandoned",
    "feedback-received",
];

fn shop() -> ShopConfig {
    let text = "name = 'Test'\nurl = 'https://shop.example'\ncountry = 'PL'\ncurrency = 'EUR'\nlocales = ['en', 'pl']\n\
                zone = 'Europe/Warsaw'\nattributes = ['gift-wrap']\n";
    parse_shop(Path::new("shops/test.toml"), text.into()).expect("a shop")
}

/// The body of a hook, as its first byte chooses.
pub(crate) fn request(bytes: &[u8]) {
    let Some((which, body)) = bytes.split_first() else { return };
    match usize::from(*which) {
        0 => question(json::parse::<ProductPageQuestion>(body, DEPTH).map(|question| question.cart)),
        1 => question(json::parse::<CartQuestion>(body, DEPTH).map(|question| Some(question.cart))),
        2 => question(json::parse::<CheckoutQuestion>(body, DEPTH).map(|question| Some(question.cart))),
        3 => question(json::parse::<OrderStatusQuestion>(body, DEPTH).map(|_| None)),
        4 => {
            for sent in forms::lines(body, DEPTH, 100).into_iter().flatten() {
                event(sent.event.map(|(_, event)| event));
            }
        }
        5 => match forms::cloud_events(body, DEPTH) {
            Ok(sent) => sent.into_iter().for_each(|sent| event(sent.event.map(|(_, event)| event))),
            Err(problem) => refused(&problem),
        },
        6 => match catalog::read(body, DEPTH) {
            Ok(_) => {}
            Err(error) => assert!(!serde_json::to_string(&error).unwrap().is_empty()),
        },
        hook => event(events::read(HOOKS[hook % HOOKS.len()], body, DEPTH)),
    }
}

/// A cart that is taken can be summed, and taking it again changes nothing.
fn question(asked: Result<Option<Cart>, Problem>) {
    match asked {
        Err(problem) => refused(&problem),
        Ok(None) => {}
        Ok(Some(cart)) => match normalise(cart, &shop()) {
            Ok(cart) => {
                let sheet = Sheet::new(&cart).expect("a cart that is taken can be summed");
                assert!(sheet.totals(None).total >= 0);
                assert_eq!(normalise(cart.clone(), &shop()).as_ref(), Ok(&cart));
            }
            Err(problems) => {
                assert!(!problems.is_empty());
                assert!(problems.iter().all(|problem| !problem.field.is_empty() && !problem.what.is_empty()));
            }
        },
    }
}

/// An event that is taken is in one form: checking it again changes nothing.
fn event(read: Result<Event, Problem>) {
    match read {
        Err(problem) => refused(&problem),
        Ok(mut event) => {
            if let Err(error) = check::event(&mut event, &shop(), NOW) {
                assert!(!error.to_string().is_empty());
            } else {
                let once = format!("{event:?}");
                check::event(&mut event, &shop(), NOW).expect("what was taken is taken again");
                assert_eq!(once, format!("{event:?}"));
            }
        }
    }
}

/// A body that is wrong is its sender's fault, and says where.
fn refused(problem: &Problem) {
    assert!((400..500).contains(&problem.status()), "{}", serde_json::to_string(problem).unwrap());
}

/// What platforms and providers send, and what is signed.
pub(crate) fn webhook(bytes: &[u8]) {
    let Some((which, body)) = bytes.split_first() else { return };
    let (headers, text) = body.split_at(body.iter().position(|byte| *byte == b'\n').unwrap_or(body.len()));
    let headers = String::from_utf8_lossy(headers);
    match which % 8 {
        0 => woo("order.updated", body),
        1 => woo("customer.created", body),
        2 => woo(&headers, text),
        3 => {
            assert!(!woocommerce::is_ping(body) || body.is_ascii());
            assert!(!woocommerce::signature_fits(SECRET, text, &headers), "a signature by chance");
        }
        4 => {
            if let Ok(value) = serde_json::from_slice(body)
                && let Err(unreadable) = mail::read(value)
            {
                assert!(!unreadable.to_string().is_empty());
            }
        }
        5 => {
            let mut parts = headers.split('\t');
            let mut part = || parts.next().unwrap_or_default();
            let signed = Signed { id: part(), timestamp: part(), signatures: part() };
            let secret = SigningSecret::of_bytes([7; 32]);
            assert!(signature::verify(&[secret], signed, text, NOW).is_err(), "a signature by chance");
            let _ = SigningSecret::parse(&headers);
        }
        6 => {
            let secret = SigningSecret::of_bytes([9; 32]);
            let seconds = NOW / 1_000;
            let id = if headers.trim().is_empty() { "msg_1" } else { &*headers };
            let signature = signature::sign(&secret, id, seconds, text);
            let signed = Signed { id, timestamp: &seconds.to_string(), signatures: &signature };
            assert_eq!(signature::verify(std::slice::from_ref(&secret), signed, text, NOW), Ok(()));
            let longer = [text, b" "].concat();
            assert!(signature::verify(&[secret], signed, &longer, NOW).is_err(), "another body");
        }
        _ => {
            let token = String::from_utf8_lossy(body);
            assert!(tokens::customer(&token, SECRET, "test", NOW).is_err(), "a token by chance");
        }
    }
}

fn woo(topic: &str, body: &[u8]) {
    match woocommerce::read(topic, body, &TimeZone::UTC) {
        Ok(woocommerce::Reading::Order(order)) => {
            assert!(order.refunded >= 0, "{order:?}");
            let mut placed = Event::OrderPlaced(order.placed);
            // What the platform says may be refused, but only in words.
            if let Err(error) = check::event(&mut placed, &shop(), NOW) {
                assert!(!error.to_string().is_empty());
            }
        }
        Ok(_) => {}
        Err(unreadable) => assert!(!unreadable.to_string().is_empty()),
    }
}
