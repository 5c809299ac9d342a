//! JSON bodies: read within limits, checked for depth before any parser sees them, and refused with
//! the path, line and column of what is wrong.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use serde::de::DeserializeOwned;

use super::Wire;
use super::bodies::Crowded;
use super::problem::{FieldError, Kind, Problem};
use crate::domain::objects::OnlyObjects;

/// A JSON body: its value, and its bytes as they came.
pub struct Json<T> {
    pub value: T,
    pub bytes: Bytes,
}

impl<T: DeserializeOwned> FromRequest<Wire> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, wire: &Wire) -> Result<Self, Problem> {
        let limits = &wire.registry.current().host.http;
        let (parts, body) = request.into_parts();
        if !is_json(&parts.headers) {
            return Err(Problem::new(
                Kind::UnsupportedMediaType,
                "Send the body as JSON, with the header Content-Type: application/json.",
            ));
        }
        let bytes = read(&parts.headers, body, limits.body_bytes).await?;
        let value = parse(&bytes, limits.json_depth)?;
        Ok(Self { value, bytes })
    }
}

/// The whole body, if it is not longer than `limit` bytes.
pub async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(
            Kind::TooLarge,
            format!("The body is longer than {limit} bytes (http.body_bytes of cartwright.toml)."),
        )
    };
    refuse_packed(headers)?;
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut stream = body.into_data_stream();
    let mut bytes = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| not_read(&error))?;
        if bytes.len().saturating_add(chunk.len()) > limit {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// Bodies are read as they are: what is small on the wire and large when unpacked is nobody's question or
/// event.
pub fn refuse_packed(headers: &HeaderMap) -> Result<(), Problem> {
    let packed = headers.get_all(header::CONTENT_ENCODING).iter();
    if packed.into_iter().all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Ok(());
    }
    Err(Problem::new(Kind::UnsupportedMediaType, "Send the body as it is, without Content-Encoding."))
}

/// Why a body was not read to its end.
fn not_read(error: &axum::Error) -> Problem {
    if !Crowded::is_cause(error) {
        return broken_off();
    }
    Problem::new(
        Kind::Overloaded,
        "The bodies of the requests that are under way take all the memory that they may (http.bodies_mib of \
         cartwright.toml, a quarter of it for one address); send the same again.",
    )
    .retry_after(1)
}

/// The body ended before it was whole.
pub fn broken_off() -> Problem {
    Problem::new(Kind::InvalidRequest, "The body broke off; send the whole of it.")
}

/// A value of JSON text, nested `depth` levels at most; its records are objects.
pub fn parse<T: DeserializeOwned>(bytes: &[u8], depth: usize) -> Result<T, Problem> {
    if nesting(bytes) > depth {
        return Err(Problem::new(
            Kind::TooDeep,
            format!("The JSON is nested more than {depth} levels deep (http.json_depth of cartwright.toml)."),
        ));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = T::deserialize(OnlyObjects(&mut deserializer))
        .map_err(|error| refused(path_of_misfit::<T>(bytes), &error))?;
    deserializer.end().map_err(|error| refused(".".to_owned(), &error))?;
    Ok(value)
}

/// Reads a text that does not fit once more, with its paths: they cost a text for each field.
fn path_of_misfit<T: DeserializeOwned>(bytes: &[u8]) -> String {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize::<_, T>(OnlyObjects(&mut deserializer));
    read.map_or_else(|error| place(&error.path().to_string()), |_| ".".to_owned())
}

fn refused(path: String, error: &serde_json::Error) -> Problem {
    let kind = match error.classify() {
        serde_json::error::Category::Data => Kind::InvalidBody,
        _ => Kind::MalformedJson,
    };
    let error = FieldError {
        path,
        message: message(error),
        line: Some(error.line()).filter(|line| *line > 0),
        column: Some(error.column()).filter(|_| error.line() > 0),
    };
    Problem::of_fields(kind, vec![error])
}

/// A path as far as it is known: `?` is where the parser did not get to name the rest.
fn place(path: &str) -> String {
    let known = path.trim_end_matches('?').trim_end_matches('.');
    if known.is_empty() { ".".to_owned() } else { known.to_owned() }
}

/// What a parser says, without the place (that is a field of its own) and without the value: it may
/// be a contact detail in the wrong field.
fn message(error: &serde_json::Error) -> String {
    let mut text = error.to_string();
    if let Some(place) = text.rfind(" at line ") {
        text.truncate(place);
    }
    // A struct's name says nothing to who sends JSON.
    if let Some(expected) = text.find(", expected struct ") {
        let given = text.get(..expected).unwrap_or_default();
        text = format!("{given}, expected an object");
    }
    for (kind, open, close) in VALUES {
        let Some(start) = text.find(&format!("{kind} {open}")) else { continue };
        let value = start + kind.len();
        // A string may hold quotes of its own.
        let end = if close == '"' {
            text.rfind(close)
        } else {
            text.match_indices(close).nth(1).map(|(end, _)| end)
        };
        if let Some(end) = end.filter(|end| *end > value + 1) {
            text.replace_range(value..=end, "");
        }
    }
    text
}

/// How the parser quotes a value.
const VALUES: [(&str, char, char); 5] = [
    ("string", '"', '"'),
    ("character", '`', '`'),
    ("integer", '`', '`'),
    ("floating point", '`', '`'),
    ("boolean", '`', '`'),
];

/// How deeply arrays and objects are nested. One pass, no stack: a bomb costs its own length.
#[must_use]
pub fn nesting(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in bytes {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// `application/json`, `application/<anything>+json`, with parameters or without.
fn is_json(headers: &HeaderMap) -> bool {
    media_type(headers).is_some_and(|kind| {
        kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
    })
}

/// The Content-Type without its parameters, in lower case.
#[must_use]
pub fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn written(problem: Problem) -> Value {
        use axum::response::IntoResponse;
        let body = problem.into_response().into_body();
        let bytes = futures::executor::block_on(axum::body::to_bytes(body, usize::MAX)).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    fn problem<T: DeserializeOwned>(text: &str) -> Value {
        written(parse::<T>(text.as_bytes(), 32).err().expect("a problem"))
    }

    #[test]
    fn what_does_not_fit_is_named_with_path_line_and_column() {
        #[derive(serde::Deserialize)]
        struct Body {
            #[serde(rename = "cart")]
            _cart: crate::domain::Cart,
        }
        let problem = problem::<Body>(
            "{\"cart\": {\"id\": \"c\", \"currency\": \"EUR\",\n \"lines\": [{\"id\": \"1\", \"product\": \"p\", \"quantity\": \"two\", \"unit_price\": 1}]}}",
        );
        assert_eq!(problem["type"], "/problems/invalid-body");
        assert_eq!(problem["errors"][0]["path"], "cart.lines[0].quantity");
        assert_eq!(problem["errors"][0]["line"], 2);
        assert_eq!(problem["errors"][0]["message"], "invalid type: string, expected u32");
    }

    #[test]
    fn what_is_not_json_is_malformed_with_its_place() {
        let problem = problem::<Value>("{\"a\": 1,\n \"b\": }");
        assert_eq!(problem["type"], "/problems/malformed-json");
        assert_eq!((&problem["errors"][0]["line"], &problem["errors"][0]["column"]), (&json!(2), &json!(7)));
        assert_eq!(self::problem::<Value>("{} {}")["type"], "/problems/malformed-json");
        assert_eq!(self::problem::<Value>("")["type"], "/problems/malformed-json");
    }

    #[test]
    fn a_list_is_no_object_and_no_name_of_ours_is_told() {
        for text in ["[]", " \n[1, 2]", r#"[{"id": "1"}]"#] {
            let problem = written(parse::<crate::domain::OrderPlaced>(text.as_bytes(), 32).err().unwrap());
            assert_eq!(problem["status"], 400, "{text}");
            assert_eq!(problem["type"], "/problems/invalid-body", "{text}");
            let error = &problem["errors"][0];
            assert_eq!(error["path"], ".", "{text}");
            assert_eq!(error["message"], "invalid type: sequence, expected an object", "{text}");
        }
        for text in [
            "7",
            "null",
            "\"x\"",
            r#"{"order": []}"#,
            r#"{"order": 7}"#,
            r#"{"order": {"destination": 1}}"#,
            r#"{"order": {"destination": ["PL"]}}"#,
        ] {
            let problem = written(parse::<crate::domain::OrderPlaced>(text.as_bytes(), 32).err().unwrap());
            assert_eq!(problem["status"], 400, "{text}");
            let message = problem["errors"][0]["message"].as_str().unwrap();
            assert!(message.contains("an object") && !message.contains("struct"), "{text}: {message}");
        }
    }

    #[test]
    fn no_value_is_repeated_in_a_problem() {
        for (body, value, message) in [
            (r#"["ada@example.com \" x"]"#, "ada", "invalid type: string, expected u32"),
            ("[48601234567]", "486", "invalid value: integer, expected u32"),
            ("[-48601]", "486", "invalid value: integer, expected u32"),
            ("[48601.5]", "486", "invalid type: floating point, expected u32"),
            ("[true]", "true", "invalid type: boolean, expected u32"),
        ] {
            let problem = problem::<Vec<u32>>(body);
            assert_eq!(problem["errors"][0]["message"], message);
            assert!(!problem.to_string().contains(value), "{problem}");
        }
    }

    #[test]
    fn a_depth_bomb_is_refused_before_it_is_parsed() {
        let bomb = "[".repeat(1_000_000);
        let problem = written(parse::<Value>(bomb.as_bytes(), 32).err().unwrap());
        assert_eq!(problem["type"], "/problems/too-deep");
    }

    #[test]
    fn brackets_in_strings_are_text() {
        assert_eq!(nesting(br#"{"a": "[[[[", "b": ["\"[["]}"#), 2);
        assert_eq!(nesting(br#""\\" ["#), 1);
    }

    fn depth_of(value: &Value) -> usize {
        match value {
            Value::Array(items) => 1 + items.iter().map(depth_of).max().unwrap_or(0),
            Value::Object(fields) => 1 + fields.values().map(depth_of).max().unwrap_or(0),
            _ => 0,
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(Value::Null), any::<i64>().prop_map(Value::from), ".*".prop_map(Value::from)];
        leaf.prop_recursive(5, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(".*", inner, 0..4).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_depth_found_is_the_depth_there_is(value in any_json()) {
            prop_assert_eq!(nesting(value.to_string().as_bytes()), depth_of(&value));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse::<crate::domain::OrderPlaced>(&bytes, 32);
        }
    }
}
