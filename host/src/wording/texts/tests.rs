//! Plurals, forms, overrides and mistakes of texts.

use super::*;

fn one(tag: &str, source: &str) -> Texts {
    Texts::build([("test.ftl".to_owned(), tag, source)]).unwrap()
}

fn say(texts: &Texts, tag: &str, key: &str, number: i64) -> String {
    match texts.find(tag, key, &vec![("n".to_owned(), Argument::Number(number))]) {
        Some(Found::Whole(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn plurals_are_right_in_every_language_of_the_house() {
    let english = one("en", "items = { $n ->\n    [one] { $n } item\n   *[other] { $n } items\n}\n");
    let cases = [(0, "0 items"), (1, "1 item"), (2, "2 items"), (1_200, "1,200 items")];
    for (number, expected) in cases {
        assert_eq!(say(&english, "en", "items", number), expected);
    }

    let polish = one(
        "pl",
        "items = { $n ->\n    [one] { $n } produkt\n    [few] { $n } produkty\n    [many] { $n } produktów\n   *[other] { $n } produktu\n}\n",
    );
    let cases = [
        (0, "0 produktów"),
        (1, "1 produkt"),
        (2, "2 produkty"),
        (4, "4 produkty"),
        (5, "5 produktów"),
        (11, "11 produktów"),
        (12, "12 produktów"),
        (14, "14 produktów"),
        (21, "21 produktów"),
        (22, "22 produkty"),
        (25, "25 produktów"),
        (102, "102 produkty"),
        (112, "112 produktów"),
    ];
    for (number, expected) in cases {
        assert_eq!(say(&polish, "pl", "items", number), expected);
    }

    let slovak = one("sk", "items = { $n ->\n    [one] kus\n    [few] kusy\n   *[other] kusov\n}\n");
    for (number, expected) in [(1, "kus"), (3, "kusy"), (5, "kusov"), (22, "kusov")] {
        assert_eq!(say(&slovak, "sk", "items", number), expected);
    }

    let russian = one(
        "ru",
        "items = { $n ->\n    [one] товар\n    [few] товара\n    [many] товаров\n   *[other] товара\n}\n",
    );
    for (number, expected) in [(1, "товар"), (2, "товара"), (5, "товаров"), (11, "товаров"), (21, "товар")]
    {
        assert_eq!(say(&russian, "ru", "items", number), expected);
    }

    let chinese = one("zh", "items = { $n ->\n    [one] wrong\n   *[other] { $n } 件\n}\n");
    assert_eq!(say(&chinese, "zh", "items", 1), "1 件");
}

#[test]
fn no_isolating_marks_reach_the_text() {
    let texts = one("en", "hello = Hello { $name }!\n");
    let found = texts.find("en", "hello", &vec![("name".to_owned(), Argument::Text("Ola".to_owned()))]);
    assert_eq!(found, Some(Found::Whole("Hello Ola!".to_owned())));
}

#[test]
fn a_missing_argument_leaves_no_hole() {
    let texts = one("en", "hello = Hello { $name } and { $other }!\n");
    let found = texts.find("en", "hello", &vec![("name".to_owned(), Argument::Text("Ola".to_owned()))]);
    assert_eq!(found, Some(Found::Partly("Hello Ola and !".to_owned())));
    assert_eq!(texts.find("en", "bye", &Vec::new()), None);
    assert_eq!(texts.find("pl", "hello", &Vec::new()), None);
}

#[test]
fn a_text_chooses_the_form_of_a_value() {
    let texts = one("en", "until = until { TIME($at) }, { RELATIVE($at) } ({ $at })\n");
    let at = Shown {
        text: "Monday, 14:05".to_owned(),
        forms: vec![("time", "14:05".to_owned()), ("relative", "today".to_owned())],
    };
    let found = texts.find("en", "until", &vec![("at".to_owned(), Argument::Shown(at))]);
    assert_eq!(found, Some(Found::Whole("until 14:05, today (Monday, 14:05)".to_owned())));
}

#[test]
fn a_later_file_overrides_single_texts() {
    let texts = Texts::build([
        ("a".to_owned(), "en", "one = One\ntwo = Two\nboth = { one }, { two }\n"),
        ("b".to_owned(), "en", "two = Deux\n"),
    ])
    .unwrap();
    assert_eq!(texts.find("en", "both", &Vec::new()), Some(Found::Whole("One, Deux".to_owned())));
}

#[test]
fn what_does_not_parse_is_reported_with_its_line() {
    let errors = Texts::build([("pl.ftl".to_owned(), "pl", "one = One\n\ntwo = { $n ->\n    [one] x\n}\n")])
        .unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].file, "pl.ftl");
    assert!(matches!(errors[0].line, Some(3..=5)), "{errors:?}");

    let errors = Texts::build([("en.ftl".to_owned(), "en", "a = 1\nb = 2\na = 3\n")]).unwrap_err();
    assert_eq!(errors[0].to_string(), "en.ftl:3: `a` is there twice; remove one");

    let errors = Texts::build([("english.ftl".to_owned(), "eng lish", "a = 1\n")]).unwrap_err();
    assert!(errors[0].what.contains("not a language tag"), "{errors:?}");
}
