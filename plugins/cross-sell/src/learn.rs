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
            // The length keeps products apart whose ids hold a slash.
            let prefix = format!("pair/{}:{product}/", product.len());
            count(&prefix, &ranking_key(product), &others, min_together);
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
        let key = format!("{prefix}{item}");
        if let Some((_, count)) = counters.iter_mut().find(|(known, _)| known == item) {
            *count += 1;
            memory.add(&key, 1);
        } else if counters.len() < PARTNERS {
            memory.add(&key, 1);
            counters.push(((*item).to_owned(), 1));
        } else if let Some(rarest) = counters.iter_mut().min_by_key(|(_, count)| *count) {
            memory.delete(&format!("{prefix}{}", rarest.0));
            *rarest = ((*item).to_owned(), rarest.1 + 1);
            memory.add(&key, rarest.1);
        }
    }
    let ranked = top(counters, least);
    if memory.get(ranking).unwrap_or_default() != ranked {
        memory.put(ranking, &ranked);
    }
}

/// Where the ranking of a product's partners is kept.
pub fn ranking_key(product: &str) -> String {
    format!("top/{product}")
}

/// The ids of a ranking, the most frequent first.
pub fn ranked(text: &str) -> impl Iterator<Item = &str> {
    text.split(SEPARATOR).filter(|id| !id.is_empty())
}

/// The most frequent first; of equals, by id. A few times over a few dozen: no sort is smaller.
fn top(mut counters: Vec<(String, i64)>, least: i64) -> String {
    let mut ranked = String::new();
    for _ in 0..RANKED {
        let best = counters
            .iter()
            .enumerate()
            .filter(|(_, (_, count))| *count >= least)
            .min_by_key(|(_, (item, count))| (Reverse(*count), item.as_str()));
        let Some((position, _)) = best else { break };
        ranked.push_str(&counters.swap_remove(position).0);
        ranked.push(SEPARATOR);
    }
    ranked
}
