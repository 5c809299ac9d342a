//! What two shops share, and what they never do.

use super::*;
use crate::domain::Text;
use crate::wording::Reader;

fn assets(files: &[(&str, &str)]) -> Assets {
    files.iter().map(|(path, content)| ((*path).to_owned(), (*content).to_owned())).collect()
}

const THANKS: &str = "{% extends \"base.html\" %}{% block body %}{{ t(\"hello\") }}{% endblock %}";

/// Two plugins with the same files.
fn plugins() -> BTreeMap<String, Arc<Assets>> {
    let files = [
        ("locales/en.ftl", "hello = Hello\nbye = Bye\n"),
        ("locales/pl.ftl", "hello = Dzień dobry\nbye = Pa\n"),
        ("templates/thanks.html", THANKS),
        ("templates/later.html", THANKS),
    ];
    ["greeter", "waver"].map(|name| (name.to_owned(), Arc::new(assets(&files)))).into()
}

fn built(
    library: &mut Library,
    plugins: &BTreeMap<String, Arc<Assets>>,
    overrides: &[(&str, &[(&str, &str)])],
) -> Wording {
    let overrides = overrides.iter().map(|(name, files)| ((*name).to_owned(), assets(files)));
    library.wording(&["en".to_owned(), "pl".to_owned()], plugins, &overrides.collect()).unwrap()
}

fn says(wording: &Wording, plugin: &str, key: &str, locale: &str) -> String {
    let text = Text { key: key.to_owned(), args: Vec::new(), fallback: "-".to_owned() };
    let (locale, currency, zone) = (locale.to_owned(), "PLN".to_owned(), "UTC".to_owned());
    wording.text(plugin, &text, &Reader { locale, currency, exponent: 2, zone, now_ms: 0 })
}

/// A template's source, and where it lies: one that is shared lies there once.
fn source(wording: &Wording, plugin: &str, template: &str) -> (String, usize) {
    let message = wording.message(plugin, template).unwrap();
    let environment = message.environment();
    let source = environment.get_template(&message.name).unwrap().source().to_owned();
    let place = environment.get_template(&message.name).unwrap().source().as_ptr() as usize;
    (source, place)
}

fn layout(wording: &Wording, plugin: &str) -> String {
    let environment = wording.message(plugin, "thanks").unwrap().environment();
    environment.get_template("brand.html").unwrap().source().to_owned()
}

#[test]
fn two_hundred_shops_with_the_same_plugins_have_one_script_of_each() {
    let (mut library, plugins) = (Library::default(), plugins());
    let shops: Vec<Wording> = (0..200).map(|_| built(&mut library, &plugins, &[])).collect();
    assert_eq!(library.packed.len(), 2);
    let first = &shops[0];
    for shop in &shops {
        assert!(Arc::ptr_eq(&shop.house, &first.house));
        for name in ["greeter", "waver"] {
            assert!(Arc::ptr_eq(&shop.plugins[name], &first.plugins[name]));
        }
    }
    for script in first.plugins.values() {
        assert_eq!(Arc::strong_count(script), 200);
    }
}

#[test]
fn what_one_shop_changes_is_its_own_and_the_rest_is_shared() {
    let (mut library, plugins) = (Library::default(), plugins());
    let plain = built(&mut library, &plugins, &[]);
    let thanks = format!("{THANKS}<!-- own -->");
    let own: &[(&str, &str)] = &[("thanks.html", &thanks), ("locales/en.ftl", "hello = Good day\n")];
    let changed = built(&mut library, &plugins, &[("greeter", own)]);

    assert_eq!(says(&changed, "greeter", "hello", "en"), "Good day");
    assert_eq!(says(&changed, "greeter", "bye", "en"), "Bye");
    assert_eq!(says(&plain, "greeter", "hello", "en"), "Hello");
    assert_eq!(source(&changed, "greeter", "thanks").0, thanks);
    assert_eq!(source(&plain, "greeter", "thanks").0, THANKS);
    // Another template and another language of the same plugin, another plugin, the layout.
    assert_eq!(source(&changed, "greeter", "later"), source(&plain, "greeter", "later"));
    let (one, other) = (&changed.plugins["greeter"].texts, &plain.plugins["greeter"].texts);
    assert!(one.shares(other, "pl") && !one.shares(other, "en"));
    assert!(Arc::ptr_eq(&changed.plugins["waver"], &plain.plugins["waver"]));
    assert!(Arc::ptr_eq(&changed.house, &plain.house));
}

#[test]
fn a_shops_own_layout_is_behind_its_templates_alone() {
    let (mut library, plugins) = (Library::default(), plugins());
    let plain = built(&mut library, &plugins, &[]);
    let of = |brand: &'static str, total: &'static str| -> [(&'static str, &'static str); 2] {
        [("brand.html", brand), ("locales/en.ftl", total)]
    };
    let (red, blue) = (of("red", "order-total = Sum\n"), of("blue", "order-total = All\n"));
    let red = built(&mut library, &plugins, &[("shop", &red)]);
    let blue = built(&mut library, &plugins, &[("shop", &blue)]);
    let total = |wording: &Wording| says(wording, "greeter", "order-total", "en");
    assert_eq!([&plain, &red, &blue].map(total), ["Total", "Sum", "All"]);
    for plugin in ["greeter", "waver"] {
        assert_eq!([layout(&red, plugin), layout(&blue, plugin)], ["red", "blue"]);
        assert!(layout(&plain, plugin).len() > 10);
        // What the plugin brings is compiled once for all of them.
        assert_eq!(source(&red, plugin, "thanks"), source(&plain, plugin, "thanks"));
        assert_eq!(source(&blue, plugin, "thanks"), source(&plain, plugin, "thanks"));
    }
}

#[test]
fn what_no_shop_uses_any_more_is_freed() {
    let (mut library, old) = (Library::default(), plugins());
    let one = built(&mut library, &old, &[]);
    let two = built(&mut library, &old, &[]);
    let former: Vec<_> = one.plugins.values().map(Arc::downgrade).collect();
    let new = plugins();
    let one = {
        drop(one);
        built(&mut library, &new, &[])
    };
    assert!(former.iter().all(|script| script.strong_count() == 1), "the other shop has them still");
    drop(two);
    assert!(former.iter().all(|script| script.strong_count() == 0));
    drop(one);
    drop(built(&mut library, &plugins(), &[]));
    assert!(library.packed.len() <= 2, "it remembers nothing of what is gone: {library:?}");
}

#[test]
fn a_merchant_may_mend_what_is_broken_in_a_plugin() {
    let files = [("templates/thanks.html", "{% if %}"), ("locales/en.ftl", "hello = Hello\n")];
    let plugins = BTreeMap::from([("greeter".to_owned(), Arc::new(assets(&files)))]);
    let mut library = Library::default();
    library.wording(&[], &plugins, &BTreeMap::new()).unwrap_err();
    let mended = built(&mut library, &plugins, &[("greeter", &[("thanks.html", THANKS)])]);
    assert_eq!(source(&mended, "greeter", "thanks").0, THANKS);
}

#[test]
fn what_is_broken_is_told_again_without_being_compiled_until_it_is_mended() {
    let mut library = Library::default();
    let offer = |content: &str| -> BTreeMap<String, Arc<Assets>> {
        let files = [("locales/en.ftl", "hello = Hello\n"), ("templates/thanks.html", content)];
        [("greeter".to_owned(), Arc::new(assets(&files)))].into()
    };
    let broken = THANKS.replace("hello", "none");
    let wording = |library: &mut Library, plugins| library.wording(&[], &plugins, &BTreeMap::new());
    let errors = wording(&mut library, offer(&broken)).unwrap_err();
    assert!(errors[0].what.contains("`none`"), "{errors:?}");
    // As if it had been something else.
    library.broken.values_mut().flatten().for_each(|error| error.what = "kept".to_owned());
    assert_eq!(wording(&mut library, offer(&broken)).unwrap_err()[0].what, "kept");
    assert!(
        wording(&mut library, offer(&broken.replace("none", "nil"))).unwrap_err()[0].what.contains("`nil`")
    );
    wording(&mut library, offer(THANKS)).unwrap();

    for number in 0..2 * BROKEN {
        wording(&mut library, offer(&broken.replace("none", &format!("n{number}")))).unwrap_err();
    }
    assert!(library.broken.len() <= BROKEN);
}
