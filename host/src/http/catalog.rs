//! The catalogue: a stream of lines, each a product. Good lines are kept, bad ones are named.

use axum::extract::{Request, State};
use bytes::{Buf, BytesMut};
use futures::StreamExt;
use serde::Serialize;
use utoipa::ToSchema;

use super::Wire;
use super::json;
use super::keys::Caller;
use super::problem::{FieldError, Kind, Problem};
use crate::domain::plain::{self, ID, TEXT};
use crate::domain::{CatalogEntry, Product, money};
use crate::lifecycle::check::is_web_address;

pub const PATH: &str = "/v1/catalog/products";

/// Products that are written in one transaction.
const BATCH: usize = 500;
/// Bad lines that are named; the rest are only counted.
const NAMED: usize = 1_000;
/// Tags, related products and fields of one product.
const MOST: usize = 1_000;
/// A catalogue may be so many times as long as any other body.
const BODIES: usize = 128;

/// What became of the lines.
#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Import {
    /// Products that are stored now.
    pub stored: u64,
    /// Lines left out.
    pub rejected: u64,
    /// The first 1000 of them.
    pub errors: Vec<LineError>,
}

/// Why a line was left out.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LineError {
    /// From 1; empty lines count.
    pub line: u64,
    /// E.g. `price`; `.` is the whole line.
    pub path: String,
    pub message: String,
}

/// Stores products
///
/// One JSON product on each line (NDJSON). A product that is there already is replaced. Each bad line is
/// reported by its number and left out; the good ones are stored, 500 in a transaction.
#[utoipa::path(
    put,
    path = "/v1/catalog/products",
    operation_id = "put_products",
    tag = "catalog",
    request_body(
        content = CatalogEntry,
        content_type = "application/x-ndjson",
        description = "A product on each line; prices in minor units",
        example = json!({
            "id": "mug", "title": "Mug", "url": "https://shop.example/mug", "currency": "EUR", "price": 1290,
            "in_stock": true, "tags": ["kitchen"], "related": ["teapot"],
        }),
    ),
    responses(
        (status = 200, description = "What was stored and what was not", body = Import),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
    security(("secret_key" = [])),
)]
pub async fn put_products(
    State(wire): State<Wire>,
    caller: Caller,
    request: Request,
) -> Result<axum::Json<Import>, Problem> {
    let kind = json::media_type(request.headers());
    if !kind.is_some_and(|kind| {
        ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/json"]
            .contains(&kind.as_str())
    }) {
        return Err(Problem::new(
            Kind::UnsupportedMediaType,
            "Send one product on each line, with the header Content-Type: application/x-ndjson.",
        ));
    }
    json::refuse_packed(request.headers())?;
    let limits = &caller.snapshot.host.http;
    let longest = limits.body_bytes.saturating_mul(BODIES);
    let mut writer = Writer {
        wire: &wire,
        shop: caller.shop_id(),
        batch: Vec::with_capacity(BATCH),
        import: Import::default(),
    };
    let mut lines = Lines { rest: BytesMut::new(), number: 0, longest: limits.body_bytes };
    let mut seen = 0_usize;
    let mut body = request.into_body().into_data_stream();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| json::broken_off())?;
        seen = seen.saturating_add(chunk.len());
        if seen > longest {
            return Err(Problem::new(
                Kind::TooLarge,
                format!(
                    "The catalogue is longer than {longest} bytes; {} products of it were stored. Send it in parts.",
                    writer.import.stored
                ),
            ));
        }
        lines.rest.extend_from_slice(&chunk);
        while let Some((number, line)) = lines.next()? {
            writer.take(number, &line, limits.json_depth).await?;
        }
    }
    if let Some((number, line)) = lines.last() {
        writer.take(number, &line, limits.json_depth).await?;
    }
    writer.flush().await?;
    Ok(axum::Json(writer.import))
}

/// Cuts a stream into lines.
struct Lines {
    rest: BytesMut,
    number: u64,
    longest: usize,
}

impl Lines {
    /// The next whole line, without its end.
    fn next(&mut self) -> Result<Option<(u64, BytesMut)>, Problem> {
        let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') else {
            if self.rest.len() > self.longest {
                return Err(Problem::new(
                    Kind::TooLarge,
                    format!(
                        "Line {} is longer than {} bytes (http.body_bytes).",
                        self.number + 1,
                        self.longest
                    ),
                ));
            }
            return Ok(None);
        };
        let line = self.rest.split_to(end);
        self.rest.advance(1);
        self.number += 1;
        Ok(Some((self.number, line)))
    }

    /// What is left when the stream has ended.
    fn last(&mut self) -> Option<(u64, BytesMut)> {
        (!self.rest.is_empty()).then(|| (self.number + 1, self.rest.split()))
    }
}

/// Collects products and writes them in batches.
struct Writer<'a> {
    wire: &'a Wire,
    shop: &'a str,
    batch: Vec<CatalogEntry>,
    import: Import,
}

impl Writer<'_> {
    async fn take(&mut self, number: u64, line: &[u8], depth: usize) -> Result<(), Problem> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        match read(line, depth) {
            Ok(entry) => self.batch.push(entry),
            Err(error) => {
                self.import.rejected += 1;
                if self.import.errors.len() < NAMED {
                    self.import.errors.push(LineError {
                        line: number,
                        path: error.path,
                        message: error.message,
                    });
                }
            }
        }
        if self.batch.len() >= BATCH { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<(), Problem> {
        if self.batch.is_empty() {
            return Ok(());
        }
        self.wire.store.put_products(self.shop, &self.batch, self.wire.clock.now_ms()).await?;
        self.import.stored += self.batch.len() as u64;
        self.batch.clear();
        Ok(())
    }
}

/// One line as a product that can be.
pub(super) fn read(line: &[u8], depth: usize) -> Result<CatalogEntry, FieldError> {
    // The product's own fields are flattened into the line, which hides their paths: the product read alone
    // names them.
    let entry: CatalogEntry = json::parse(line, depth)
        .map_err(|problem| json::parse::<Product>(line, depth).err().unwrap_or(problem).into_first())?;
    let product = &entry.product;
    if let Some(what) = plain::fault_of_id(&product.id) {
        return Err(FieldError::at("id", what));
    }
    if money::exponent(&product.currency).is_none() {
        return Err(FieldError::at("currency", "is not a currency of ISO 4217, like EUR"));
    }
    if product.price < 0 || !money::is_amount(product.price) {
        return Err(FieldError::at("price", "must be 0 to 2^53-1 minor units"));
    }
    check_texts(&entry)?;
    for (field, link) in [("url", &product.url), ("image", &product.image)] {
        if link.as_deref().is_some_and(|link| !link.is_empty() && !leads_somewhere(link)) {
            return Err(FieldError::at(field, "must be a link like https://shop.example/mug or /mug"));
        }
    }
    Ok(entry)
}

fn check_texts(entry: &CatalogEntry) -> Result<(), FieldError> {
    let CatalogEntry { product, related, fields } = entry;
    for (field, number) in
        [("tags", product.tags.len()), ("related", related.len()), ("fields", fields.len())]
    {
        if number > MOST {
            return Err(FieldError::at(field, format!("has {number} items: {MOST} at most")));
        }
    }
    let single = [
        ("title", Some(&product.title), TEXT),
        ("url", product.url.as_ref(), TEXT),
        ("image", product.image.as_ref(), TEXT),
        ("category", product.category.as_ref(), ID),
    ];
    let single = single.into_iter().filter_map(|(field, text, longest)| Some((field, text?, longest)));
    let tags = product.tags.iter().map(|tag| ("tags", tag, ID));
    let related = related.iter().map(|id| ("related", id, ID));
    let keys = fields.keys().map(|key| ("fields", key, ID));
    let values = fields.values().map(|value| ("fields", value, TEXT));
    for (field, text, longest) in single.chain(tags).chain(related).chain(keys).chain(values) {
        if let Some(what) = plain::fault(text, longest) {
            return Err(FieldError::at(field, what));
        }
    }
    Ok(())
}

/// A whole link, or a path of the shop's own.
fn leads_somewhere(link: &str) -> bool {
    let own = link.starts_with('/') && !link.starts_with("//") && !link.contains(['\\', ' ']);
    own || is_web_address(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_product_or_says_why_not() {
        let why = |line: &str| {
            read(line.as_bytes(), 8).map(|entry| entry.product.id.clone()).map_err(|error| error.path)
        };
        assert_eq!(why(r#"{"id":"mug","currency":"EUR","price":1290}"#), Ok("mug".to_owned()));
        assert_eq!(why(r#"{"id":"","currency":"EUR","price":1290}"#), Err("id".to_owned()));
        assert_eq!(why(r#"{"id":"mug","currency":"EUX","price":1290}"#), Err("currency".to_owned()));
        assert_eq!(why(r#"{"id":"mug","currency":"EUR","price":-1}"#), Err("price".to_owned()));
        assert_eq!(why(r#"{"id":"mug","currency":"EUR","price":9007199254740992}"#), Err("price".to_owned()));
        assert_eq!(why(r#"{"id":"mug","currency":"EUR","price":"1"}"#), Err("price".to_owned()));
        assert_eq!(why(r#"{"id":"mug","currency":"EUR","price":1,"related":7}"#), Err("related".to_owned()));
        let with = |field: &str, value: &str| {
            why(&format!(r#"{{"id":"mug","currency":"EUR","price":1,"{field}":{value}}}"#))
        };
        assert!(with("url", r#""/mug""#).is_ok() && with("url", r#""https://shop.example/mug""#).is_ok());
        for (field, value) in [
            ("url", r#""javascript:alert(1)""#),
            ("url", r#""//evil.example""#),
            ("url", r#""/\\evil.example""#),
            ("image", r#""data:image/png;base64,AA""#),
            ("title", r#""a\r\nb""#),
            ("tags", r#"["a\u202eb"]"#),
            ("fields", r#"{"a":"b\u0000"}"#),
        ] {
            assert_eq!(with(field, value), Err(field.to_owned()), "{value}");
        }
        assert_eq!(why("{"), Err(".".to_owned()));
        assert_eq!(why("[[[[[[[[[[]]]]]]]]]]"), Err(".".to_owned()));
        for list in ["[]", r#"["mug"]"#] {
            let error = read(list.as_bytes(), 8).unwrap_err();
            assert_eq!(
                (error.path.as_str(), error.message.as_str()),
                (".", "invalid type: sequence, expected an object")
            );
        }
    }

    #[test]
    fn lines_are_found_wherever_the_stream_is_cut() {
        let text = b"one\n\ntwo\r\nthree";
        for cut in 0..text.len() {
            let mut lines = Lines { rest: BytesMut::new(), number: 0, longest: 100 };
            let mut found = Vec::new();
            for part in [&text[..cut], &text[cut..]] {
                lines.rest.extend_from_slice(part);
                while let Some((number, line)) = lines.next().unwrap() {
                    found.push((number, String::from_utf8(line.to_vec()).unwrap()));
                }
            }
            let (number, line) = lines.last().unwrap();
            found.push((number, String::from_utf8(line.to_vec()).unwrap()));
            let expected =
                [(1, "one"), (2, ""), (3, "two\r"), (4, "three")].map(|(n, line)| (n, line.to_owned()));
            assert_eq!(found, expected, "cut at {cut}");
        }
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut lines = Lines { rest: BytesMut::from(&b"12345"[..]), number: 0, longest: 4 };
        assert!(lines.next().is_err());
    }
}
