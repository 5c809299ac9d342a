//! What a storefront sent, checked and brought into one form. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::FieldProblem;
use crate::config::ShopConfig;
use crate::domain::money::{self, MAX_AMOUNT};
use crate::domain::plain::{self, ID, TEXT, shown};
use crate::domain::{Attribute, Cart, Line, Place};

/// More would let one request ask the database for ever.
const MOST_LINES: usize = 1_000;
const MOST_CODES: usize = 20;
const MOST_GROUPS: usize = 100;
const MOST_PAYMENT_METHODS: usize = 100;
const MOST_ATTRIBUTES: usize = 100;
const MOST_TAGS: usize = 100;
const MOST_SEGMENTS: usize = 100;

/// Sets the exponent, filters attributes through the shop's list, forgets the statuses of codes (the
/// host finds them) and codes entered twice. All problems at once, each with its field.
pub fn normalise(mut cart: Cart, shop: &ShopConfig) -> Result<Cart, Vec<FieldProblem>> {
    let mut problems = Problems::default();
    let currency = cart.currency.trim().to_ascii_uppercase();
    match money::exponent(&currency) {
        Some(exponent) => cart.exponent = exponent,
        None => {
            problems.add(
                "cart.currency",
                format!("`{}` is not an ISO 4217 currency like EUR", shown(&cart.currency)),
            );
        }
    }
    cart.currency = currency;
    if cart.id.trim().is_empty() {
        problems.add("cart.id", "is empty: send the id by which your shop knows the cart");
    }
    problems.plain("cart.id", &cart.id, ID);
    problems.at_most("cart.lines", cart.lines.len(), MOST_LINES);
    problems.at_most("cart.codes", cart.codes.len(), MOST_CODES);
    problems.at_most("cart.groups", cart.groups.len(), MOST_GROUPS);
    problems.at_most("cart.payment_methods", cart.payment_methods.len(), MOST_PAYMENT_METHODS);
    if !["consumer", "business"].contains(&cart.buyer.kind.as_str()) {
        problems.add(
            "cart.buyer.kind",
            format!("`{}` is neither `consumer` nor `business`", shown(&cart.buyer.kind)),
        );
    }
    problems.at_most("cart.buyer.segments", cart.buyer.segments.len(), MOST_SEGMENTS);
    problems.each("cart.buyer.segments", &cart.buyer.segments);
    for (at, code) in cart.codes.iter().enumerate() {
        problems.plain(&format!("cart.codes[{at}].code"), &code.code, ID);
    }
    check_lines(&mut cart, &mut problems);
    check_tax(&cart, &mut problems);
    check_groups(&mut cart, &mut problems);
    if let Some(place) = &mut cart.destination {
        check_place(place, "cart.destination", &mut problems);
    }
    let mut ids = BTreeSet::new();
    for (at, method) in cart.payment_methods.iter().enumerate() {
        let field = format!("cart.payment_methods[{at}].id");
        problems.plain(&field, &method.id, ID);
        problems.plain(&format!("cart.payment_methods[{at}].name"), &method.name, TEXT);
        if method.id.is_empty() {
            problems.add(field, "is empty");
        } else if !ids.insert(method.id.as_str()) {
            problems.add(field, format!("`{}` comes twice", shown(&method.id)));
        }
    }
    if !problems.0.is_empty() {
        return Err(problems.0);
    }
    keep_attributes(&mut cart.attributes, shop);
    for line in &mut cart.lines {
        keep_attributes(&mut line.attributes, shop);
    }
    check_attributes(&cart, &mut problems);
    if !problems.0.is_empty() {
        return Err(problems.0);
    }
    let mut entered = BTreeSet::new();
    cart.codes.retain_mut(|code| {
        code.code = code.code.trim().to_owned();
        "unknown".clone_into(&mut code.status);
        !code.code.is_empty() && entered.insert(code.code.to_ascii_uppercase())
    });
    Ok(cart)
}

/// Only what the shop lets plugins see: a platform's meta fields can hold phone numbers.
pub fn keep_attributes(attributes: &mut Vec<Attribute>, shop: &ShopConfig) {
    attributes.retain(|attribute| shop.attributes.contains(&attribute.key));
}

/// Of those that are kept; the others may hold anything.
fn check_attributes(cart: &Cart, problems: &mut Problems) {
    let of_lines = cart.lines.iter().enumerate();
    let of_lines = of_lines.map(|(at, line)| (format!("cart.lines[{at}].attributes"), &line.attributes));
    let of_cart = std::iter::once(("cart.attributes".to_owned(), &cart.attributes));
    for (field, attributes) in of_cart.chain(of_lines) {
        problems.at_most(&field, attributes.len(), MOST_ATTRIBUTES);
        for (at, attribute) in attributes.iter().enumerate() {
            // A note may have lines.
            let one_line = attribute.value.replace(['\n', '\r', '\t'], " ");
            problems.plain(&format!("{field}[{at}].value"), &one_line, TEXT);
        }
    }
}

fn check_lines(cart: &mut Cart, problems: &mut Problems) {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, line) in cart.lines.iter().enumerate() {
        let field = |name: &str| format!("cart.lines[{at}].{name}");
        if line.id.is_empty() {
            problems.add(field("id"), "is empty: every line needs an id of its own");
        } else if let Some(first) = places.insert(&line.id, at) {
            problems
                .add(field("id"), format!("`{}` is the id of cart.lines[{first}] already", shown(&line.id)));
        }
        if line.product.is_empty() {
            problems.add(field("product"), "is empty: send the product's id");
        }
        for (name, text, longest) in [
            ("id", Some(&line.id), ID),
            ("product", Some(&line.product), ID),
            ("variant", line.variant.as_ref(), ID),
            ("title", Some(&line.title), TEXT),
            ("parent_line", line.parent_line.as_ref(), ID),
        ] {
            problems.plain(&field(name), text.map_or("", String::as_str), longest);
        }
        problems.at_most(&field("tags"), line.tags.len(), MOST_TAGS);
        problems.each(&field("tags"), &line.tags);
        if line.quantity == 0 {
            problems.add(field("quantity"), "is 0: leave the line out instead");
        }
        if line.unit_price < 0 {
            problems.add(field("unit_price"), format!("is negative: {}", line.unit_price));
        } else if line.total().is_none() {
            problems.add(field("unit_price"), format!("times {} is more than 2^53-1", line.quantity));
        }
        if line.tax < 0 {
            problems.add(field("tax"), format!("is negative: {}", line.tax));
        } else if cart.prices_include_tax && line.total().is_some_and(|total| total >= 0 && line.tax > total)
        {
            problems.add(field("tax"), "is more than the line, whose price includes it");
        } else if !money::is_amount(line.tax) {
            problems.add(field("tax"), "is more than 2^53-1");
        }
    }
    let parent_of: BTreeMap<&str, &str> =
        cart.lines.iter().filter_map(|line| Some((line.id.as_str(), line.parent_line.as_deref()?))).collect();
    for (at, Line { id, parent_line, .. }) in cart.lines.iter().enumerate() {
        let Some(parent) = parent_line else { continue };
        let field = format!("cart.lines[{at}].parent_line");
        if !places.contains_key(parent.as_str()) {
            problems.add(field, format!("the cart has no line `{}`", shown(parent)));
        } else if is_own_ancestor(id, &parent_of) {
            problems.add(field, "leads back to the line itself");
        }
    }
}

fn is_own_ancestor(id: &str, parent_of: &BTreeMap<&str, &str>) -> bool {
    let mut above = id;
    for _ in 0..=parent_of.len() {
        match parent_of.get(above) {
            Some(parent) if *parent == id => return true,
            Some(parent) => above = parent,
            None => return false,
        }
    }
    // A circle further up; its own lines report it.
    false
}

fn check_tax(cart: &Cart, problems: &mut Problems) {
    let of_line = |line: &Line| line.total().filter(|total| *total >= 0);
    let subtotal = cart.lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(of_line(line)?));
    let of_lines = cart.lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.tax));
    let (Some(subtotal), Some(of_lines)) = (subtotal, of_lines) else {
        if problems.0.is_empty() {
            problems.add("cart.lines", "come to more than 2^53-1");
        }
        return;
    };
    if cart.tax < 0 {
        problems.add("cart.tax", format!("is negative: {}", cart.tax));
    } else if cart.tax > 0 && subtotal == 0 && of_lines == 0 {
        problems.add("cart.tax", format!("is {} of nothing: the lines cost nothing", cart.tax));
    } else if cart.prices_include_tax && cart.tax > subtotal {
        problems.add("cart.tax", "is more than the lines, whose prices include it");
    } else if subtotal.saturating_add(cart.tax.max(of_lines)) > MAX_AMOUNT {
        problems.add("cart.lines", "come to more than 2^53-1");
    }
}

fn check_groups(cart: &mut Cart, problems: &mut Problems) {
    let lines: BTreeSet<&str> = cart.lines.iter().map(|line| line.id.as_str()).collect();
    let mut ids = BTreeSet::new();
    let mut grouped = BTreeSet::new();
    for (at, group) in cart.groups.iter_mut().enumerate() {
        problems.plain(&format!("cart.groups[{at}].id"), &group.id, ID);
        if group.id.is_empty() {
            problems.add(format!("cart.groups[{at}].id"), "is empty");
        } else if !ids.insert(group.id.clone()) {
            problems.add(format!("cart.groups[{at}].id"), format!("`{}` comes twice", shown(&group.id)));
        }
        for (line_at, line) in group.lines.iter().enumerate() {
            let field = format!("cart.groups[{at}].lines[{line_at}]");
            if !lines.contains(line.as_str()) {
                problems.add(field, format!("the cart has no line `{}`", shown(line)));
            } else if !grouped.insert(line.clone()) {
                problems.add(field, format!("line `{}` is in a group already", shown(line)));
            }
        }
        for (name, place) in [("origin", &mut group.origin), ("destination", &mut group.destination)] {
            if let Some(place) = place {
                check_place(place, &format!("cart.groups[{at}].{name}"), problems);
            }
        }
    }
}

fn check_place(place: &mut Place, field: &str, problems: &mut Problems) {
    let country = place.country.trim().to_ascii_uppercase();
    if country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        place.country = country;
    } else {
        let what = format!("`{}` is not an ISO 3166-1 alpha-2 country like PL", shown(&place.country));
        problems.add(format!("{field}.country"), what);
    }
    for (name, text) in [("region", &place.region), ("city", &place.city), ("postcode", &place.postcode)] {
        problems.plain(&format!("{field}.{name}"), text.as_deref().unwrap_or_default(), ID);
    }
}

#[derive(Default)]
struct Problems(Vec<FieldProblem>);

impl Problems {
    fn add(&mut self, field: impl Into<String>, what: impl Into<String>) {
        self.0.push(FieldProblem { field: field.into(), what: what.into() });
    }

    fn at_most(&mut self, field: &str, number: usize, most: usize) {
        if number > most {
            self.add(field, format!("has {number} items: {most} at most"));
        }
    }
    fn plain(&mut self, field: &str, text: &str, longest: usize) {
        if let Some(what) = plain::fault(text, longest) {
            self.add(field, what);
        }
    }

    fn each(&mut self, field: &str, texts: &[String]) {
        for (at, text) in texts.iter().enumerate() {
            self.plain(&format!("{field}[{at}]"), text, ID);
        }
    }
}
