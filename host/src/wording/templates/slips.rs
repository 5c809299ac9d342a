//! What a template names and nothing has, found before a mail goes out.

use std::collections::{BTreeMap, HashSet};

use super::Source;
use crate::wording::WordingError;
use crate::wording::bounds::MISTAKES;
use crate::wording::texts::line_at;

/// Names that a template may use beside its own.
const NAMES: [&str; 28] = [
    "shop",
    "customer",
    "greeting",
    "order",
    "data",
    "recommendations",
    "notices",
    "extras",
    "category",
    "locale",
    "now",
    "unsubscribe_url",
    "blocks",
    "t",
    "house",
    "money",
    "date",
    "instant",
    "arrival",
    "duration",
    "product",
    "range",
    "dict",
    "namespace",
    "loop",
    "self",
    "super",
    "caller",
];

/// What is known of the variables that never differ, so that a slip is found before a mail goes out.
const FIELDS: [(&str, &[&str]); 3] = [
    (
        "shop",
        &["id", "name", "url", "host", "country", "currency", "email", "phone", "phone_url", "contact_url"],
    ),
    ("customer", &["first_name", "company"]),
    (
        "order",
        &[
            "id",
            "number",
            "placed_at",
            "status",
            "lines",
            "has_images",
            "subtotal",
            "discount",
            "delivery",
            "tax",
            "adjustments",
            "total",
            "prices_include_tax",
            "payment_method",
            "destination",
            "shipments",
            "shipment",
        ],
    ),
];

/// Names that nothing has: a template would silently print nothing for them.
pub(super) fn slips<'a>(
    names: &'a HashSet<String>,
    source: &'a Source<'_>,
    pieces: &'a BTreeMap<String, Vec<String>>,
) -> impl Iterator<Item = WordingError> + use<'a> {
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort();
    let found = sorted.into_iter().filter_map(move |name| {
        let mut parts = name.split('.');
        let root = parts.next().unwrap_or_default();
        let field = parts.next();
        let (what, known): (String, Vec<&str>) = if !NAMES.contains(&root) {
            (format!("nothing is called `{root}`"), NAMES.to_vec())
        } else if root == "blocks" {
            let field = field.filter(|field| !pieces.contains_key(*field))?;
            (
                format!("there is no shared piece `blocks.{field}`"),
                pieces.keys().map(String::as_str).collect(),
            )
        } else {
            let fields = FIELDS.iter().find(|(owner, _)| *owner == root)?.1;
            let field = field.filter(|field| !fields.contains(field))?;
            (format!("`{root}` has no `{field}`"), fields.to_vec())
        };
        Some(WordingError {
            file: source.file.clone(),
            line: source.content.find(name.as_str()).map(|at| line_at(source.content, at)),
            what: format!("{what}; there are {}", known.join(", ")),
        })
    });
    found.take(MISTAKES)
}

/// The literal keys of `t("…")`, with their lines.
pub(super) fn text_keys(source: &str) -> impl Iterator<Item = (usize, &str)> {
    ["t(\"", "t('"].into_iter().flat_map(move |call| {
        let (mut line, mut seen) = (1, 0);
        source.match_indices(call).filter_map(move |(at, found)| {
            let before = source.get(..at)?.chars().next_back();
            if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == '.') {
                return None;
            }
            let rest = source.get(at + found.len()..)?;
            let (text, after) = rest.split_once(['"', '\''])?;
            // Counted on from the call before: a template may have very many.
            line += source.get(seen..at)?.bytes().filter(|byte| *byte == b'\n').count();
            seen = at;
            // `t("step-" ~ n)` is made when rendering.
            let whole = matches!(after.trim_start().chars().next(), Some(')' | ','));
            whole.then_some((line, text))
        })
    })
}

/// Whether it begins with the shared layout.
pub(super) fn extends_base(source: &str) -> bool {
    let mut words = source.split_whitespace();
    matches!(words.next(), Some("{%" | "{%-"))
        && words.next() == Some("extends")
        && matches!(words.next(), Some("\"base.html\"" | "'base.html'"))
}
