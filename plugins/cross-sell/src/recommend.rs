//! What to show, and why.

use cartwright_sdk::prelude::*;

use crate::CrossSellSettings;
use crate::learn::{ranked, ranking_key};

/// Products whose partners are looked up, at most: a page waits for this.
const SEEDS: usize = 8;

/// How the shopper met a product that others go with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// In the cart or on this page.
    Here,
    /// On a page before.
    Looked,
    /// In their last order.
    Bought,
}

/// A product that others go with.
pub struct Seed {
    product: String,
    title: Option<String>,
    seen: Seen,
}

impl Seed {
    pub fn new(product: &str, seen: Seen) -> Self {
        Self { product: product.to_owned(), title: None, seen }
    }

    pub fn titled(mut self, title: &str) -> Self {
        self.title = Some(title.to_owned()).filter(|title| !title.is_empty());
        self
    }
}

/// A recommended product.
pub struct Found {
    pub product: String,
    reason: Text,
}

impl Found {
    pub fn recommendation(self) -> Recommendation {
        Recommendation::new(&self.product).because(self.reason)
    }
}

struct Candidate {
    product: String,
    /// The seed it goes with; none: it is popular.
    with: Option<usize>,
    /// The merchant's word, not a count.
    paired: bool,
}

/// The best for these seeds, the nearest of which come first: pairs, then learned, then popular; nothing that is among the seeds,
/// unknown to the catalogue, or out of stock.
pub fn recommend(settings: &CrossSellSettings, mut seeds: Vec<Seed>) -> Vec<Found> {
    // The page's own products are left out even when there are more than we look up.
    let mut shown: Vec<String> = Vec::new();
    let mut is_new = |product: &String| {
        let new = !shown.contains(product);
        if new {
            shown.push(product.clone());
        }
        new
    };
    seeds.retain(|seed| is_new(&seed.product));
    seeds.truncate(SEEDS);

    let mut candidates = candidates(settings, &seeds);
    candidates.retain(|candidate| is_new(&candidate.product));
    // Some may be out of stock; more than three for each place are not worth a page's time.
    candidates.truncate(settings.max_items as usize * 3);
    if candidates.is_empty() {
        return Vec::new();
    }

    let untitled = seeds.iter().filter(|seed| seed.title.is_none()).map(|seed| seed.product.as_str());
    let asked = candidates.iter().map(|candidate| candidate.product.as_str()).chain(untitled);
    let catalogue = catalog::get_many(asked);
    let product = |id: &str| catalogue.iter().find(|product| product.id == id);

    candidates
        .into_iter()
        .filter(|candidate| product(&candidate.product).is_some_and(|product| product.in_stock))
        .take(settings.max_items as usize)
        .map(|candidate| {
            let seed = candidate.with.and_then(|position| seeds.get(position));
            let title = |seed: &Seed| {
                seed.title.clone().or_else(|| product(&seed.product).map(|product| product.title.clone()))
            };
            let reason = match seed.and_then(|seed| Some((seed, title(seed)?))) {
                Some((seed, title)) => reason(seed.seen, candidate.paired, &title),
                None => text("reason-popular").or("Popular with our customers"),
            };
            Found { product: candidate.product, reason }
        })
        .collect()
}

/// What is on the page comes before what was looked at or bought; in each, pairs before learned, and
/// the best partner of every seed before the second-best of any.
fn candidates(settings: &CrossSellSettings, seeds: &[Seed]) -> Vec<Candidate> {
    let keys = seeds.iter().map(|seed| ranking_key(&seed.product)).chain([String::from("popular")]);
    let mut rankings = state::shop().get_many(keys);
    let popular = rankings.pop().flatten().unwrap_or_default();
    let mut found = Vec::new();
    for here in [true, false] {
        let seeds = || seeds.iter().enumerate().filter(move |(_, seed)| (seed.seen == Seen::Here) == here);
        let paired = seeds().map(|(position, seed)| (position, paired_with(settings, &seed.product)));
        found.extend(in_turns(paired.collect(), true));
        let learned = seeds().map(|(position, _)| {
            let ranking = rankings.get(position).and_then(Option::as_deref).unwrap_or_default();
            (position, ranked(ranking).map(str::to_owned).collect())
        });
        found.extend(in_turns(learned.collect(), false));
    }
    if settings.popular {
        let popular =
            ranked(&popular).map(|id| Candidate { product: id.to_owned(), with: None, paired: false });
        found.extend(popular);
    }
    found
}

/// The merchant's pairs: those of the settings, then the catalogue's.
fn paired_with(settings: &CrossSellSettings, product: &str) -> Vec<String> {
    let own = settings.pairs.iter().filter(|pair| pair.product == product).flat_map(|pair| pair.with.clone());
    own.chain(catalog::related(product, settings.max_items)).collect()
}

/// The first of each list, then the second of each, and so on.
fn in_turns(lists: Vec<(usize, Vec<String>)>, paired: bool) -> Vec<Candidate> {
    let longest = lists.iter().map(|(_, list)| list.len()).max().unwrap_or(0);
    (0..longest)
        .flat_map(|turn| lists.iter().filter_map(move |(seed, list)| Some((*seed, list.get(turn)?.clone()))))
        .map(|(seed, product)| Candidate { product, with: Some(seed), paired })
        .collect()
}

fn reason(seen: Seen, paired: bool, title: &str) -> Text {
    let (key, fallback) = match (seen, paired) {
        (Seen::Here, true) => ("reason-goes-with", "Goes well with"),
        (Seen::Here, false) => ("reason-bought-with", "Often bought with"),
        (Seen::Looked, true) => ("reason-goes-with-viewed", "Goes well with"),
        (Seen::Looked, false) => ("reason-bought-with-viewed", "Often bought with"),
        (Seen::Bought, true) => ("reason-goes-with-owned", "Goes well with"),
        (Seen::Bought, false) => ("reason-bought-with-owned", "Often bought with"),
    };
    text(key).arg("product", title).or(&format!("{fallback} {title}"))
}
