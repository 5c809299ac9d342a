//! The reader against RFC 8259, good and bad.

use super::*;

#[test]
fn every_kind_of_value_is_read() {
    let json =
        Json::parse(r#" { "a": [1, -2.50, 3e2, true, false, null], "b": { "c": "x" }, "d": [], "e": {} } "#);
    let json = json.unwrap();
    let items = json.get("a").unwrap().as_array().unwrap();
    assert_eq!(items[0].as_i64(), Some(1));
    assert_eq!(items[1], Json::Number("-2.50".into()));
    assert_eq!(items[2].as_i64(), Some(300));
    assert_eq!(items[3].as_bool(), Some(true));
    assert_eq!(items[5], Json::Null);
    assert_eq!(json.get("b").unwrap().get("c").unwrap().as_str(), Some("x"));
    assert_eq!(json.write(), r#"{"a":[1,-2.50,3e2,true,false,null],"b":{"c":"x"},"d":[],"e":{}}"#);
}

#[test]
fn escapes_are_resolved_and_written_back() {
    let json = Json::parse(r#""\"\\\/\b\f\n\r\tżółw \u017c\ud83d\ude00""#).unwrap();
    assert_eq!(json.as_str(), Some("\"\\/\u{8}\u{c}\n\r\tżółw ż😀"));
    assert_eq!(Json::parse(&json.write()).unwrap(), json);
    assert_eq!(Json::from("\u{1}\u{1f}").write(), r#""\u0001\u001f""#);
}

#[test]
fn of_two_members_with_one_name_the_last_holds() {
    assert_eq!(Json::parse(r#"{"a":1,"a":2}"#).unwrap().get("a").unwrap().as_i64(), Some(2));
}

#[test]
fn malformed_texts_say_what_is_wrong_and_where() {
    let cases = [
        ("", "it ends where a value is expected", 0),
        ("  ", "it ends where a value is expected", 2),
        ("{", "expected a name in quotes", 1),
        ("{a:1}", "expected a name in quotes", 1),
        (r#"{"a"}"#, "expected `:` after the name", 4),
        (r#"{"a":}"#, "expected a value", 5),
        (r#"{"a":1,}"#, "expected a name in quotes", 7),
        (r#"{"a":1 "b":2}"#, "expected `,` or `}`", 7),
        ("[1,]", "expected a value", 3),
        ("[1 2]", "expected `,` or `]`", 3),
        ("[1", "expected `,` or `]`", 2),
        ("tru", "expected a value", 0),
        ("01", "a number does not begin with 0", 1),
        ("-", "expected a digit", 1),
        ("1.", "expected a digit after the point", 2),
        ("1e", "expected a digit in the exponent", 2),
        ("1 1", "something follows the value", 2),
        (r#""abc"#, "a text is not closed", 4),
        ("\"a\nb\"", "a control character in a text must be escaped", 2),
        (r#""\x""#, "an unknown escape", 2),
        (r#""\u12g4""#, "expected four hexadecimal digits", 5),
        (r#""\ud83d""#, "half of a surrogate pair", 7),
        (r#""\ud83dA""#, "half of a surrogate pair", 7),
        (r#""\ud83d\u0041""#, "half of a surrogate pair", 13),
        (r#""\ude00""#, "half of a surrogate pair", 7),
    ];
    for (text, what, at) in cases {
        assert_eq!(Json::parse(text), Err(Malformed { what, at }), "{text}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(Json::parse(&deep).unwrap_err().what, "nested too deep");
}

#[test]
fn no_cut_of_a_text_makes_it_panic() {
    let whole = r#"{"ż":["\u017c\ud83d\ude00",-1.5e+3,true,null,{"a":"\n"}]}"#;
    for end in (0..whole.len()).filter(|end| whole.is_char_boundary(*end)) {
        assert!(Json::parse(&whole[..end]).is_err(), "{}", &whole[..end]);
    }
    assert!(Json::parse(whole).is_ok());
}

#[test]
fn decimals_become_whole_numbers_without_a_float() {
    let exact = |digits, places| decimal(digits, places, Rounding::Exact);
    assert_eq!(exact("12.90", 2), Some(1290));
    assert_eq!(exact("12.9", 2), Some(1290));
    assert_eq!(exact("49", 2), Some(4900));
    assert_eq!(exact("500", 0), Some(500));
    assert_eq!(exact("0.001", 3), Some(1));
    assert_eq!(exact("-0.10", 2), Some(-10));
    assert_eq!(exact("1.5e1", 0), Some(15));
    assert_eq!(exact("1500e-2", 0), Some(15));
    assert_eq!(exact("0e999999999", 0), Some(0));
    assert_eq!(exact("12.905", 2), None);
    assert_eq!(exact("1e30", 0), None);
    assert_eq!(exact("92233720368547758.08", 2), None);
    assert_eq!(exact("92233720368547758.07", 2), Some(i64::MAX));
    assert_eq!(exact("1e-5", 0), None);
    assert_eq!(exact("", 0), None);
    assert_eq!(exact("1,5", 0), None);
    let rounded = |digits, places| decimal(digits, places, Rounding::HalfUp);
    assert_eq!(rounded("12.905", 2), Some(1291));
    assert_eq!(rounded("12.904", 2), Some(1290));
    assert_eq!(rounded("-12.905", 2), Some(-1291));
    assert_eq!(rounded("0.004", 2), Some(0));
    assert_eq!(rounded("0.0005", 2), Some(0));
    assert_eq!(rounded("5e-1", 0), Some(1));
    assert_eq!(rounded("5e-2", 0), Some(0));
}
