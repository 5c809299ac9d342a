//! `#[derive(Settings)]`: the schema that the host checks, and what the guest reads.

use std::collections::BTreeMap;

use cartwright_sdk::prelude::*;
use cartwright_sdk::settings::{Setting, parse};

/// How parcels go out.
///
/// A second paragraph,
/// on two lines.
#[derive(Settings, Debug, PartialEq)]
struct Options {
    /// Days until it leaves the house.
    #[setting(default = 1, min = 0, max = 30)]
    handling_days: u32,
    /// Says "hello".
    #[setting(default = "Hi\n\"you\"", pattern = "^\\S")]
    greeting: String,
    free_above: Option<Money>,
    #[setting(default = 7.5)]
    share: Percent,
    #[setting(default = -5, rename = "offset")]
    shift: i64,
    #[setting(default = ["a", "b"])]
    tags: Vec<String>,
    methods: Vec<Method>,
    #[setting(default = {})]
    zones: BTreeMap<String, Money>,
    #[setting(default_json = r#"{"id": "x"}"#)]
    nested: Method,
    active: bool,
}

/// One way.
#[derive(Settings, Debug, PartialEq)]
struct Method {
    id: String,
    /// How fast.
    #[setting(default = "standard")]
    speed: Speed,
}

#[derive(Settings, Debug, PartialEq)]
enum Speed {
    Standard,
    NextDay,
    #[setting(rename = "24h")]
    Hours24,
}

#[test]
fn the_schema_says_all_that_the_code_says() {
    // As the SDK writes it: a type's own members, then those of the field that holds it.
    let expected = concat!(
        r#"{"type":"object","additionalProperties":false,"#,
        r#""description":"How parcels go out.\nA second paragraph, on two lines.","#,
        r#""required":["methods","active"],"properties":{"#,
        r#""handling_days":{"type":"integer","minimum":0,"maximum":4294967295,"#,
        r#""description":"Days until it leaves the house.","default":1,"minimum":0,"maximum":30},"#,
        r#""greeting":{"type":"string","description":"Says \"hello\".","default":"Hi\n\"you\"","pattern":"^\\S"},"#,
        r#""free_above":{"type":"object","propertyNames":{"pattern":"^[A-Z]{3}$"},"#,
        r#""additionalProperties":{"type":["number","string"],"minimum":0,"pattern":"^[0-9]+([.][0-9]+)?$"}},"#,
        r#""share":{"type":"number","minimum":0,"maximum":100,"default":7.5},"#,
        r#""offset":{"type":"integer","default":-5},"#,
        r#""tags":{"type":"array","items":{"type":"string"},"default":["a","b"]},"#,
        r#""methods":{"type":"array","items":{"type":"object","additionalProperties":false,"description":"One way.","#,
        r#""required":["id"],"properties":{"id":{"type":"string"},"#,
        r#""speed":{"type":"string","enum":["standard","next-day","24h"],"description":"How fast.","default":"standard"}}}},"#,
        r#""zones":{"type":"object","additionalProperties":{"type":"object","propertyNames":{"pattern":"^[A-Z]{3}$"},"#,
        r#""additionalProperties":{"type":["number","string"],"minimum":0,"pattern":"^[0-9]+([.][0-9]+)?$"}},"default":{}},"#,
        r#""nested":{"type":"object","additionalProperties":false,"description":"One way.","#,
        r#""required":["id"],"properties":{"id":{"type":"string"},"#,
        r#""speed":{"type":"string","enum":["standard","next-day","24h"],"description":"How fast.","default":"standard"}},"#,
        r#""default":{"id": "x"}},"#,
        r#""active":{"type":"boolean"}}}"#,
    );
    assert_eq!(Options::SCHEMA.json(), expected);
    assert!(json::Json::parse(expected).is_ok());
}

#[test]
fn the_compiler_writes_the_same_bytes_into_the_file() {
    const LENGTH: usize = Options::SCHEMA.object_length();
    static BYTES: [u8; LENGTH] = Options::SCHEMA.object_bytes::<LENGTH>();
    assert_eq!(std::str::from_utf8(&BYTES).unwrap(), Options::SCHEMA.json());
}

#[test]
fn what_is_not_written_has_its_default() {
    let options: Options = parse(r#"{"methods": [{"id": "dpd"}], "active": true}"#).unwrap();
    assert_eq!(options.handling_days, 1);
    assert_eq!(options.greeting, "Hi\n\"you\"");
    assert_eq!(options.free_above, None);
    assert_eq!(options.share.basis_points(), 750);
    assert_eq!(options.shift, -5);
    assert_eq!(options.tags, ["a", "b"]);
    assert_eq!(options.methods, [Method { id: "dpd".into(), speed: Speed::Standard }]);
    assert!(options.zones.is_empty());
    assert_eq!(options.nested.id, "x");
    assert!(options.active);
}

#[test]
fn what_is_written_is_read() {
    let text = r#"{
        "handling_days": 3, "greeting": "Cze\u015b\u0107", "free_above": {"EUR": 50, "JPY": "6000"}, "share": 12.345,
        "offset": 7, "tags": [], "methods": [{"id": "a", "speed": "next-day"}, {"id": "b", "speed": "24h"}],
        "zones": {"PL": {"PLN": 9.99}}, "nested": {"id": "y"}, "active": false
    }"#;
    let options: Options = parse(text).unwrap();
    assert_eq!(options.greeting, "Cześć");
    let free_above = options.free_above.unwrap();
    assert_eq!(free_above.in_currency("EUR", 2), Some(5000));
    assert_eq!(free_above.in_currency("JPY", 0), Some(6000));
    assert_eq!(free_above.in_currency("USD", 2), None);
    assert_eq!(free_above.currencies().collect::<Vec<_>>(), ["EUR", "JPY"]);
    assert_eq!(options.share.basis_points(), 1235);
    assert_eq!(options.methods[0].speed, Speed::NextDay);
    assert_eq!(options.methods[1].speed, Speed::Hours24);
    assert_eq!(options.zones["PL"].in_currency("PLN", 2), Some(999));
    assert!(!options.active);
}

#[test]
fn what_does_not_fit_says_where_and_what() {
    let base = |change: &str| {
        let text = format!(r#"{{"methods": [], "active": true, {change}}}"#);
        String::from(parse::<Options>(&text).unwrap_err())
    };
    assert_eq!(base(r#""handling_days": "3""#), "settings.handling_days: expected a whole number");
    assert_eq!(
        base(r#""handling_days": -1"#),
        "settings.handling_days: the number is too small or too large"
    );
    assert_eq!(base(r#""greeting": 1"#), "settings.greeting: expected a text");
    assert_eq!(base(r#""active": "yes""#), "settings.active: expected true or false");
    assert_eq!(base(r#""tags": {}"#), "settings.tags: expected a list");
    assert_eq!(base(r#""zones": []"#), "settings.zones: expected a table");
    assert_eq!(base(r#""nested": 1"#), "settings.nested: expected a table");
    assert_eq!(
        base(r#""methods": [{"id": "a"}, {}]"#),
        "settings.methods[1].id: is missing; it has no default"
    );
    assert_eq!(
        base(r#""methods": [{"id": "a", "speed": "slow"}]"#),
        "settings.methods[0].speed: expected one of standard, next-day, 24h"
    );
    assert_eq!(
        base(r#""zones": {"PL": {"PLN": "free"}}"#),
        "settings.zones.PL.PLN: expected an amount, e.g. 12.90"
    );
    assert_eq!(
        base(r#""free_above": {"EUR": -1}"#),
        "settings.free_above.EUR: expected an amount, e.g. 12.90"
    );
    assert_eq!(base(r#""share": 101"#), "settings.share: expected a percentage from 0 to 100, e.g. 7.5");
    assert_eq!(
        String::from(parse::<Options>("{\"methods\": [],}").unwrap_err()),
        "settings: not JSON at byte 15: expected a name in quotes"
    );
    assert_eq!(String::from(parse::<Options>("[]").unwrap_err()), "settings: expected a table");
}

#[test]
fn shares_are_rounded_half_up() {
    #[derive(Settings)]
    struct One {
        share: Percent,
    }
    let share = parse::<One>(r#"{"share": 7.5}"#).unwrap().share;
    assert_eq!(share.share_of(1000), 75);
    assert_eq!(share.share_of(999), 75);
    assert_eq!(share.share_of(1), 0);
    assert_eq!(share.share_of(i64::MAX), 691_752_902_764_108_186);
}
