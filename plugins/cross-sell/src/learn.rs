//! What is bought together, counted as orders come, in a memory that does not grow with the shop.
//!
//! For each product the counters of at most [`PARTNERS`] others are kept. When they are full, a new one
//! takes the place of the rarest and inherits its count (Metwally's space-saving algorithm): whatever
//! is truly frequent is never lost. Beside the counters stands a short ranking, which is all that a
//! page has to read.

use std::cmp::Reverse;

use cartwright_sdk::prelude::*;

/// Counters kept for each product, and of products sold.
const PARTNERS: usize = 48;
/// Length of a ranking.
const RANKED: usize = 12;
/// Products of one order that are paired; more is a wholesaler's order, which says little.
const PAIRED: usize = 12;
/// Between ids in a ranking: no id holds a line break.
const SEPARATOR: char = '\n';

/// Counts the order's products and pairs.
pub fn from_order(order: &Order, min_together: i64) {
    let mut products = order.products();
    products.retain(|id| !order.lines.iter().any(|line| line.product == *id && line.gift_card));
    products.truncate(PAIRED);
    count("sold/", "popular", &products, 1);
    for product in &products {
        let others: Vec<&str> = products.iter().copied().filter(|other| other != product).collect();
        if !others.is_empty() {
            count(&format!("pair/{}/", escaped(product)), &ranking_key(product), &others, min_together);
        }
    }
}

/// Adds one to each item's counter under `prefix`, and keeps the ranking at `ranking` of those with
/// at least `least`.
fn count(prefix: &str, ranking: &str, items: &[&str], least: i64) {
    let memory = state::shop();
    let mut counters: Vec<(String, i64)> = memory
        .list(prefix, PARTNERS as u32)
        .into_iter()
        .filter_map(|(key, count)| Some((key.strip_prefix(prefix)?.to_owned(), count.parse().unwrap_or(0))))
        .collect();
    for item in items {
        let item = escaped(item);
        let key = format!("{prefix}{item}");
        if let Some((_, count)) = counters.iter_mut().find(|(known, _)| *known == item) {
            *count += 1;
            memory.add(&key, 1);
        } else if counters.len() < PARTNERS {
            memory.add(&key, 1);
            counters.push((item, 1));
        } else if let Some(rarest) = counters.iter_mut().min_by_key(|(_, count)| *count) {
            memory.delete(&format!("{prefix}{}", rarest.0));
            *rarest = (item, rarest.1 + 1);
            memory.add(&key, rarest.1);
        }
    }
    counters.retain(|(_, count)| *count >= least);
    counters.sort_by(|a, b| (Reverse(a.1), &a.0).cmp(&(Reverse(b.1), &b.0)));
    counters.truncate(RANKED);
    let ranked =
        counters.iter().map(|(item, _)| unescaped(item)).collect::<Vec<_>>().join(&SEPARATOR.to_string());
    if memory.get(ranking).unwrap_or_default() != ranked {
        memory.put(ranking, &ranked);
    }
}

/// Where the ranking of a product's partners is kept.
pub fn ranking_key(product: &str) -> String {
    format!("top/{}", escaped(product))
}

/// The ids of a ranking, the most frequent first.
pub fn ranked(text: &str) -> impl Iterator<Item = &str> {
    text.split(SEPARATOR).filter(|id| !id.is_empty())
}

/// An id as a part of a key, so that no id can look like another's prefix.
fn escaped(id: &str) -> String {
    id.replace('%', "%25").replace('/', "%2F")
}

fn unescaped(part: &str) -> String {
    part.replace("%2F", "/").replace("%25", "%")
}
