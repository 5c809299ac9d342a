//! The forms in which many events are sent: NDJSON, and CloudEvents 1.0 in structured mode, one or a batch
//! (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>). Pure.

use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::domain::Event;
use crate::http::problem::{FieldError, Kind, Problem};
use crate::http::{events, identity, json};
use crate::lifecycle::Identity;

/// An event on a line.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "hook": "order-cancelled", "id": "evt-1001-7", "data": { "order_id": "1001", "reason": "out of stock" }
}))]
pub struct EventLine {
    /// `order-placed`, `order-shipped`, …: the last part of the path that takes it alone.
    hook: String,
    /// Its identity; without one it is known by its hash.
    #[serde(default)]
    id: Option<String>,
    /// The body that the hook's own path takes.
    #[schema(value_type = Object)]
    data: Box<RawValue>,
}

/// A `CloudEvent` 1.0; extensions and further attributes are taken and not used.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({
    "specversion": "1.0", "type": "example.shop.order-cancelled", "source": "/shop/backend", "id": "7",
    "data": { "order_id": "1001", "reason": "out of stock" }
}))]
pub struct CloudEvent {
    /// `1.0`.
    specversion: String,
    /// The hook's name, after dots as you like.
    #[serde(rename = "type")]
    kind: String,
    source: String,
    id: String,
    /// JSON, when given.
    #[serde(default)]
    datacontenttype: Option<String>,
    /// The body that the hook's own path takes.
    #[serde(default)]
    #[schema(value_type = Object)]
    data: Option<Box<RawValue>>,
    #[serde(default)]
    #[schema(ignore)]
    data_base64: Option<serde::de::IgnoredAny>,
}

/// An event as it was sent, or why it is none.
pub struct Sent {
    /// From 1.
    pub line: usize,
    pub id: Option<String>,
    pub event: Result<(Identity, Event), Problem>,
}

/// An event of each line that is not empty; `None` when there are more than `most`.
pub fn lines(body: &[u8], depth: usize, most: usize) -> Option<Vec<Sent>> {
    let mut sent = Vec::new();
    for (index, line) in body.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        if sent.len() == most {
            return None;
        }
        sent.push(self::line(index.saturating_add(1), line, depth));
    }
    Some(sent)
}

fn line(number: usize, text: &[u8], depth: usize) -> Sent {
    let line = match json::parse::<EventLine>(text, depth) {
        Ok(line) => line,
        Err(problem) => return Sent { line: number, id: None, event: Err(problem) },
    };
    let EventLine { hook, id, data } = line;
    let event = (|| {
        let name = id.as_deref().map(|id| identity::given(None, id)).transpose().map_err(wrong)?;
        let data = data.get().as_bytes();
        let event = body(&hook, "hook", data, depth)?;
        Ok((events::identify(name, &event, data), event))
    })();
    Sent { line: number, id, event }
}

/// Each in its place; a problem when the whole is no list.
pub fn cloud_events(body: &[u8], depth: usize) -> Result<Vec<Sent>, Problem> {
    // The list is a level of its own.
    let list: Vec<Box<RawValue>> = json::parse(body, depth.saturating_add(1))?;
    Ok(list
        .iter()
        .enumerate()
        .map(|(index, event)| Sent {
            line: index.saturating_add(1),
            ..cloud_event(event.get().as_bytes(), depth)
        })
        .collect())
}

pub fn cloud_event(text: &[u8], depth: usize) -> Sent {
    match json::parse::<CloudEvent>(text, depth) {
        Ok(event) => Sent { line: 1, id: Some(event.id.clone()), event: translated(&event, depth) },
        Err(problem) => Sent { line: 1, id: None, event: Err(problem) },
    }
}

fn translated(event: &CloudEvent, depth: usize) -> Result<(Identity, Event), Problem> {
    if event.specversion != "1.0" {
        return Err(wrong(FieldError::at("specversion", "must be 1.0")));
    }
    let kind = event.datacontenttype.as_deref().unwrap_or("application/json");
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind != "application/json" && !kind.ends_with("+json") {
        return Err(wrong(FieldError::at("datacontenttype", "must be application/json")));
    }
    if event.data_base64.is_some() {
        return Err(wrong(FieldError::at("data_base64", "is not taken: send the data as JSON, in `data`")));
    }
    let Some(data) = &event.data else {
        return Err(wrong(FieldError::at("data", "is missing: it is the body of the hook")));
    };
    let name = identity::given(Some(&event.source), &event.id).map_err(wrong)?;
    let hook = event.kind.rsplit('.').next().unwrap_or_default();
    let data = data.get().as_bytes();
    let taken = body(hook, "type", data, depth)?;
    Ok((events::identify(Some(name), &taken, data), taken))
}

/// What is wrong with the hook is said of the field that names it, the rest of `data`.
fn body(hook: &str, field: &str, data: &[u8], depth: usize) -> Result<Event, Problem> {
    let known = crate::domain::Hook::from_name(hook).is_some_and(|hook| !hook.is_stage());
    events::read(hook, data, depth).map_err(|problem| problem.within(if known { "data" } else { field }))
}

fn wrong(error: FieldError) -> Problem {
    Problem::of_fields(Kind::InvalidBody, vec![error])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const DEPTH: usize = 32;

    fn cancelled() -> Value {
        json!({ "order_id": "1001", "reason": "out of stock" })
    }

    fn errors(event: &Result<(Identity, Event), Problem>) -> Value {
        serde_json::to_value(event.as_ref().expect_err("a problem")).unwrap()["errors"].clone()
    }

    #[test]
    fn a_line_is_an_event_with_the_identity_that_its_own_path_would_give_it() {
        let text = format!("{}\n\n", json!({ "hook": "order-cancelled", "id": "e1", "data": cancelled() }));
        let sent = lines(text.as_bytes(), DEPTH, 10).unwrap();
        assert_eq!((sent.len(), sent[0].line, sent[0].id.as_deref()), (1, 1, Some("e1")));
        let (identity, event) = sent[0].event.as_ref().unwrap();
        assert_eq!(event.order_id(), Some("1001"));
        let alone = events::identify(
            Some(identity::Name { source: "api".to_owned(), id: "e1".to_owned() }),
            event,
            cancelled().to_string().as_bytes(),
        );
        assert_eq!(*identity, alone);
        let nameless = json!({ "hook": "order-cancelled", "data": cancelled() }).to_string();
        let sent = lines(nameless.as_bytes(), DEPTH, 10).unwrap();
        assert!(sent[0].event.as_ref().unwrap().0.id.starts_with("sha256:"));
    }

    #[test]
    fn each_line_has_its_number_and_its_own_mistake() {
        let text = [
            "{\"hook\": \"order-cancelled\"",
            "",
            &json!({ "hook": "order-eaten", "id": "e1", "data": {} }).to_string(),
            &json!({ "hook": "timer", "data": {} }).to_string(),
            &json!({ "hook": "order-cancelled", "data": { "order_id": 7 } }).to_string(),
            &json!({ "hook": "order-cancelled", "id": "", "data": cancelled() }).to_string(),
            &json!({ "hook": "order-cancelled", "data": [] }).to_string(),
            "[]",
        ]
        .join("\r\n");
        let sent = lines(text.as_bytes(), DEPTH, 10).unwrap();
        let places: Vec<_> = sent
            .iter()
            .map(|sent| (sent.line, errors(&sent.event)[0]["path"].as_str().unwrap().to_owned()))
            .collect();
        let expected =
            [(1, "."), (3, "hook"), (4, "data"), (5, "data.order_id"), (6, "id"), (7, "data"), (8, ".")];
        assert_eq!(places, expected.map(|(line, path)| (line, path.to_owned())));
        assert!(errors(&sent[1].event)[0]["message"].as_str().unwrap().contains("order-placed"));
        assert!(errors(&sent[3].event)[0].get("line").is_none(), "a place in `data` is not one in the body");
        assert!(lines(text.as_bytes(), DEPTH, 6).is_none());
    }

    fn cloud(change: impl Fn(&mut Value)) -> Value {
        let mut event = json!({
            "specversion": "1.0", "type": "example.shop.order-cancelled", "source": "/shop", "id": "7",
            "time": "2026-11-28T09:30:00Z", "traceparent": "00-0", "data": cancelled(),
        });
        change(&mut event);
        event
    }

    #[test]
    fn a_cloud_event_is_known_by_source_and_id() {
        let sent = cloud_event(cloud(|_| ()).to_string().as_bytes(), DEPTH);
        let (identity, event) = sent.event.unwrap();
        assert_eq!((identity.source.as_str(), identity.id.as_str()), ("cloudevents:/shop", "7"));
        assert_eq!(event.order_id(), Some("1001"));
        let bare = cloud(|event| event["type"] = json!("order-cancelled"));
        assert!(cloud_event(bare.to_string().as_bytes(), DEPTH).event.is_ok());
    }

    #[test]
    fn what_is_no_cloud_event_says_which_attribute() {
        type Change = fn(&mut Value);
        let changes: [(&str, Change); 7] = [
            ("specversion", |event| event["specversion"] = json!("0.3")),
            ("type", |event| event["type"] = json!("order-cancelled.v2")),
            ("source", |event| event["source"] = json!("")),
            ("datacontenttype", |event| event["datacontenttype"] = json!("application/xml")),
            ("data_base64", |event| event["data_base64"] = json!("e30=")),
            ("data", |event| event["data"] = Value::Null),
            ("data.order_id", |event| event["data"] = json!({ "order_id": [] })),
        ];
        for (path, change) in changes {
            let sent = cloud_event(cloud(change).to_string().as_bytes(), DEPTH);
            assert_eq!(errors(&sent.event)[0]["path"], path);
        }
    }

    #[test]
    fn a_batch_is_a_list_each_in_its_place() {
        let batch = json!([cloud(|_| ()), 7, cloud(|event| event["id"] = json!("8"))]).to_string();
        let sent = cloud_events(batch.as_bytes(), DEPTH).unwrap();
        let told: Vec<_> = sent.iter().map(|sent| (sent.line, sent.event.is_ok())).collect();
        assert_eq!(told, [(1, true), (2, false), (3, true)]);
        assert!(cloud_events(b"{}", DEPTH).is_err());
        assert!(cloud_events(b"[", DEPTH).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = lines(&bytes, DEPTH, 10);
            let _ = cloud_events(&bytes, DEPTH);
            let _ = cloud_event(&bytes, DEPTH);
        }
    }
}
