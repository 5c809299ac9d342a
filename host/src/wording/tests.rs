//! Texts, dates, amounts and templates, as shoppers read them.

use super::*;
use crate::domain::CouponValue;

fn assets(files: &[(&str, &str)]) -> Assets {
    files.iter().map(|(path, content)| ((*path).to_owned(), (*content).to_owned())).collect()
}

fn plugin(files: &[(&str, &str)]) -> BTreeMap<String, Arc<Assets>> {
    BTreeMap::from([("greeter".to_owned(), Arc::new(assets(files)))])
}

/// Saturday 28 November 2026, 10:00 in Warsaw.
fn reader(locale: &str) -> Reader {
    Reader {
        locale: locale.to_owned(),
        currency: "PLN".to_owned(),
        exponent: 2,
        zone: "Europe/Warsaw".to_owned(),
        now_ms: 1_795_856_400_000,
    }
}

fn text(key: &str, args: Vec<(&str, Value)>) -> Text {
    Text {
        key: key.to_owned(),
        args: args.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        fallback: "Fallback".to_owned(),
    }
}

fn locales(tags: &[&str]) -> Vec<String> {
    tags.iter().map(|tag| (*tag).to_owned()).collect()
}

#[test]
fn a_text_falls_back_language_by_language_and_then_to_itself() {
    let files = [
        ("locales/en.ftl", "only = English only\nboth = English\n"),
        ("locales/pl.ftl", "both = Po polsku\n"),
    ];
    let wording = Wording::build(&locales(&["en", "pl"]), &plugin(&files), &BTreeMap::new()).unwrap();
    let say = |key: &str, locale: &str| wording.text("greeter", &text(key, vec![]), &reader(locale));
    assert_eq!(say("both", "pl"), "Po polsku");
    assert_eq!(say("only", "pl"), "English only");
    assert_eq!(say("both", "fr"), "English");
    assert_eq!(say("both", "pl-PL"), "Po polsku");
    assert_eq!(say("none", "pl"), "Fallback");
    // The host's texts are there for plugins too, but behind their own.
    assert_eq!(say("order-total", "pl"), "Razem");
}

#[test]
fn a_missing_argument_gives_the_fallback() {
    let files = [("locales/en.ftl", "hello = Hello { $name }\n")];
    let wording = Wording::build(&locales(&["en"]), &plugin(&files), &BTreeMap::new()).unwrap();
    assert_eq!(wording.text("greeter", &text("hello", vec![]), &reader("en")), "Fallback");
    let named = text("hello", vec![("name", Value::String("Ola".to_owned()))]);
    assert_eq!(wording.text("greeter", &named, &reader("en")), "Hello Ola");
    assert_eq!(wording.text("nobody", &text("hello", vec![]), &reader("en")), "Fallback");
}

#[test]
fn the_merchants_texts_come_before_the_plugins_and_those_before_the_hosts() {
    let files = [("locales/en.ftl", "greet = Plugin\nother = Plugin's\norder-total = Plugin's total\n")];
    let overrides = BTreeMap::from([
        ("greeter".to_owned(), assets(&[("locales/en.ftl", "greet = Merchant\n")])),
        ("shop".to_owned(), assets(&[("locales/en.ftl", "order-subtotal = Goods\n")])),
    ]);
    let wording = Wording::build(&locales(&["en"]), &plugin(&files), &overrides).unwrap();
    let say = |key: &str| wording.text("greeter", &text(key, vec![]), &reader("en"));
    assert_eq!(say("greet"), "Merchant");
    assert_eq!(say("other"), "Plugin's");
    assert_eq!(say("order-total"), "Plugin's total");
    assert_eq!(wording.host_text("order-total", &[], &reader("en")), "Total");
    assert_eq!(wording.host_text("order-subtotal", &[], &reader("en")), "Goods");
}

#[test]
fn values_are_written_for_the_reader() {
    let files = [(
        "locales/en.ftl",
        "all = { $sum }, { $day }, { RELATIVE($day) }, { $who }, { $n ->\n    [one] one\n   *[other] { $n }\n}, { $items }\nwho = for { $n } friends\n",
    )];
    let wording = Wording::build(&locales(&["en"]), &plugin(&files), &BTreeMap::new()).unwrap();
    let filled = text(
        "all",
        vec![
            ("sum", Value::Money(1_999)),
            ("day", Value::Date("2026-11-29".to_owned())),
            ("who", Value::Text("who".to_owned())),
            ("n", Value::Int(1_500)),
            ("items", Value::Products(vec!["a".to_owned(), "b".to_owned()])),
        ],
    );
    let said = wording.text("greeter", &filled, &reader("en")).replace('\u{a0}', " ");
    assert_eq!(said, "PLN 19.99, Sunday 29 November, tomorrow, for 1,500 friends, 1,500, 2");
}

#[test]
fn texts_that_name_each_other_end() {
    let files = [("locales/en.ftl", "a = { $b }\nb = { $a }\n")];
    let wording = Wording::build(&locales(&["en"]), &plugin(&files), &BTreeMap::new()).unwrap();
    let looped = text("a", vec![("a", Value::Text("a".to_owned())), ("b", Value::Text("b".to_owned()))]);
    assert!(wording.text("greeter", &looped, &reader("en")).len() < 100);
}

#[test]
fn durations_and_days_near_today() {
    let wording = Wording::build(&locales(&["en", "pl"]), &BTreeMap::new(), &BTreeMap::new()).unwrap();
    assert_eq!(wording.duration(130, &reader("en")), "2 h 10 min");
    assert_eq!(wording.duration(120, &reader("en")), "2 h");
    assert_eq!(wording.duration(5, &reader("pl")), "5 min");
    assert_eq!(wording.duration(130, &reader("pl")), "2 godz. 10 min");
    assert_eq!(wording.relative_date("2026-11-28", &reader("pl")), "dziś");
    assert_eq!(wording.relative_date("2026-11-30", &reader("en")), "Monday 30 November");
    assert_eq!(wording.relative_instant(1_795_856_400_000 + 3_600_000, &reader("en")), "today, 11:00");
    assert_eq!(wording.coupon_value(&CouponValue::Percent(1_000), &reader("en")), "10% off");
    assert_eq!(wording.coupon_value(&CouponValue::FreeDelivery, &reader("pl")), "Darmowa dostawa");
}

#[test]
fn the_hosts_texts_are_complete_in_all_its_languages() {
    let english: Vec<&str> = keys(&shared::SHARED["locales/en.ftl"]);
    for tag in ["pl", "sk", "ru", "zh"] {
        let path = format!("locales/{tag}.ftl");
        assert_eq!(
            keys(&shared::SHARED[&path]),
            english,
            "{path} must have the texts of en.ftl, in their order"
        );
    }
}

fn keys(source: &str) -> Vec<&str> {
    source
        .lines()
        .filter(|line| line.starts_with(|letter: char| letter.is_ascii_lowercase()))
        .filter_map(|line| line.split_once(" =").map(|(key, _)| key))
        .collect()
}

#[test]
fn all_that_is_wrong_is_reported_at_once_with_its_place() {
    let files = [
        ("locales/en.ftl", "fine = Fine\n"),
        (
            "templates/broken.html",
            "{% extends \"base.html\" %}\n{% block body %}{{ t(\"fine\") }\n{% endblock %}",
        ),
        ("templates/free.html", "<p>Hello</p>"),
        ("templates/base.html", "mine"),
        ("templates/note.txt", "mine"),
        (
            "templates/slips.html",
            "{% extends \"base.html\" %}\n{% block body %}\n{{ t(\"missing\") }} {{ customer.email }}\n{{ ordr.total }} {{ blocks.buton(1) }}{% endblock %}",
        ),
    ];
    let errors = Wording::build(&locales(&["en"]), &plugin(&files), &BTreeMap::new()).unwrap_err();
    let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let expect =
        |part: &str| assert!(all.iter().any(|error| error.contains(part)), "no `{part}` in {all:#?}");
    expect("greeter: templates/broken.html:2:");
    expect("greeter: templates/free.html:1: begin with");
    expect("greeter: templates/base.html: `base.html` is the name of a shared template");
    expect("greeter: templates/note.txt: a plugin's templates are `.html`");
    expect("greeter: templates/slips.html:3: there is no text `missing`");
    expect("greeter: templates/slips.html:3: `customer` has no `email`");
    expect("greeter: templates/slips.html:4: nothing is called `ordr`");
    expect("there is no shared piece `blocks.buton`");
}

#[test]
fn a_merchants_broken_file_is_named_as_theirs() {
    let overrides = BTreeMap::from([(
        "shop".to_owned(),
        assets(&[("base.html", "{% if %}"), ("locales/pl.ftl", "mail-contact\n")]),
    )]);
    let errors = Wording::build(&locales(&["en"]), &BTreeMap::new(), &overrides).unwrap_err();
    let files: Vec<&str> = errors.iter().map(|error| error.file.as_str()).collect();
    assert_eq!(files, ["shop/locales/pl.ftl", "shop/base.html"]);
}
