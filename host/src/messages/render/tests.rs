//! Messages as a shopper gets them.

use std::sync::Arc;

use super::*;
use crate::decide::answer::{Amount, ShownRecommendation};
use crate::domain::ShopContact;
use crate::messages::sample;
use crate::wording::Assets;

/// Saturday 28 November 2026, 10:00 in Warsaw.
const NOW: i64 = 1_795_856_400_000;

/// What one test changes of the usual message.
struct Scene {
    shop: Shop,
    reader: Reader,
    files: Vec<(&'static str, String)>,
    overrides: BTreeMap<String, Assets>,
    data: Vec<(String, Value)>,
    order: Option<OrderRecord>,
    products: BTreeMap<String, Arc<Product>>,
    coupons: BTreeMap<u32, KnownCoupon>,
    content: MessageContent,
    hosts: Vec<crate::config::HostGrant>,
    first_name: Option<&'static str>,
    company: Option<&'static str>,
}

impl Scene {
    fn new(body: &str) -> Self {
        let template = format!(
            "{{% extends \"base.html\" %}}{{% block subject %}}Hello{{% endblock %}}{{% block body %}}{body}{{% endblock %}}"
        );
        Self::of(&template)
    }

    fn of(template: &str) -> Self {
        let url = "https://www.linen.example/";
        Self {
            shop: Shop {
                id: "linen".to_owned(),
                name: "Linen & Co".to_owned(),
                url: url.to_owned(),
                currency: "EUR".to_owned(),
                exponent: 2,
                locales: vec!["en".to_owned(), "pl".to_owned()],
                zone: "Europe/Warsaw".to_owned(),
                country: "PL".to_owned(),
                contact: ShopContact {
                    email: Some("hello@linen.example".to_owned()),
                    phone: Some("+48 12 345 67 89".to_owned()),
                    url: Some("https://linen.example/contact".to_owned()),
                },
            },
            reader: Reader {
                locale: "en".to_owned(),
                currency: "EUR".to_owned(),
                exponent: 2,
                zone: "Europe/Warsaw".to_owned(),
                now_ms: NOW,
            },
            files: vec![("templates/m.html", template.to_owned())],
            overrides: BTreeMap::new(),
            data: Vec::new(),
            order: Some(sample::order(url, "PL", "EUR", 2, NOW)),
            products: sample::products(url, "EUR", 2),
            coupons: BTreeMap::from([(0, sample::coupon(NOW))]),
            content: MessageContent { recommendations: Vec::new(), notices: Vec::new(), blocks: Vec::new() },
            hosts: Vec::new(),
            first_name: Some("Ola"),
            company: None,
        }
    }

    fn data(mut self, name: &str, value: Value) -> Self {
        self.data.push((name.to_owned(), value));
        self
    }

    fn string(self, name: &str, value: &str) -> Self {
        self.data(name, Value::String(value.to_owned()))
    }

    fn file(mut self, path: &'static str, content: &str) -> Self {
        self.files.push((path, content.to_owned()));
        self
    }

    fn try_render(&self) -> Result<Rendered, String> {
        let assets: Assets =
            self.files.iter().map(|(path, content)| ((*path).to_owned(), content.clone())).collect();
        let plugins = BTreeMap::from([("mailer".to_owned(), Arc::new(assets))]);
        let wording = Wording::build(&self.shop.locales, &plugins, &self.overrides)
            .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
        render(&Letter {
            wording: &Arc::new(wording),
            reader: &self.reader,
            shop: &self.shop,
            plugin: "mailer",
            template: "m",
            category: Category::Transactional,
            data: &self.data,
            first_name: self.first_name,
            company: self.company,
            order: self.order.as_ref(),
            products: &self.products,
            coupons: &self.coupons,
            content: &self.content,
            hosts: &self.hosts,
            unsubscribe_url: None,
        })
        .map_err(|error| error.to_string())
    }

    fn render(&self) -> Rendered {
        self.try_render().unwrap()
    }

    fn error(&self) -> String {
        self.try_render().unwrap_err()
    }
}

fn plain(text: &str) -> String {
    text.replace(['\u{a0}', '\u{202f}'], " ")
}

#[test]
fn a_message_has_all_that_every_message_shares() {
    let mail =
        Scene::new("<p>The body.</p>{{ blocks.order() }}{{ blocks.delivery() }}{{ blocks.tracking() }}")
            .render();
    assert_eq!(mail.subject, "Hello");
    assert_eq!(mail.remarks, Vec::<String>::new());
    let text = plain(&mail.text);
    for part in [
        "Hello Ola,",
        "The body.",
        "Order #1001",
        "Linen shirt, white",
        "3 × €12.00 — €36.00",
        "Subtotal — €115.00",
        "Discount — -€10.00",
        "Total — €110.00",
        "Including €20.00 tax",
        "Mon 30 November – Wed 2 December",
        "Track your parcel: https://carrier.example/track/620012345678901234567890",
        "Your Linen & Co team",
        "hello@linen.example",
        "+48 12 345 67 89",
        "because of your order at Linen & Co",
    ] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    for part in [
        "<title>Hello</title>",
        "color-scheme",
        "prefers-color-scheme",
        "href=\"tel:+48123456789\"",
        "style=\"",
    ] {
        assert!(mail.html.contains(part), "no `{part}` in {}", mail.html);
    }
    assert!(!mail.html.contains("var("));
}

#[test]
fn people_and_companies_are_greeted_by_name() {
    let greeted = |first_name, company, locale: &str| {
        let mut scene = Scene::new("");
        (scene.first_name, scene.company) = (first_name, company);
        locale.clone_into(&mut scene.reader.locale);
        let text = scene.render().text;
        text.lines().nth(2).unwrap_or_default().to_owned()
    };
    assert_eq!(greeted(Some("Ola"), None, "en"), "Hello Ola,");
    assert_eq!(greeted(Some("Ola"), Some("Kwiaty"), "en"), "Hello Ola (Kwiaty),");
    assert_eq!(greeted(None, Some("Kwiaty Sp. z o.o."), "en"), "Hello Kwiaty Sp. z o.o.,");
    assert_eq!(greeted(None, None, "en"), "Hello,");
    assert_eq!(greeted(Some("  "), None, "pl"), "Dzień dobry,");
    assert_eq!(greeted(Some("Ola"), None, "pl"), "Cześć Ola,");
}

#[test]
fn data_is_shown_and_never_read_as_a_template_or_as_html() {
    let mut scene = Scene::new("<p>{{ data.words }}</p>{{ blocks.order() }}{{ blocks.panel(data.words) }}")
        .string("words", "{{ 7*7 }} {% include 'x' %} <b>bold</b> & \"quotes\"");
    scene.order.as_mut().unwrap().order.lines[0].title = "<script>alert(1)</script>".to_owned();
    scene.first_name = Some("<img src=x onerror=alert(1)>{{ 7*7 }}");
    let mail = scene.render();
    assert!(mail.text.contains("{{ 7*7 }} {% include 'x' %} <b>bold</b> & \"quotes\""), "{}", mail.text);
    assert!(mail.text.contains("<script>alert(1)</script>"), "{}", mail.text);
    for tag in ["<script", "<b>", "<img src=\"x", "49"] {
        assert!(!mail.html.contains(tag), "`{tag}` in {}", mail.html);
    }
}

#[test]
fn a_subject_is_one_line_of_text() {
    let subject = |words: &str| {
        Scene::of("{% extends \"base.html\" %}{% block subject %}{{ data.words }}{% endblock %}{% block body %}x{% endblock %}")
            .string("words", words)
            .render()
            .subject
    };
    assert_eq!(subject("Tom & Ola's \"best\" <3"), "Tom & Ola's \"best\" <3");
    assert_eq!(subject("a\r\nBcc: thief@evil.example\n\n b"), "a Bcc: thief@evil.example b");
    assert_eq!(subject("zażółć\u{0}\u{7}gęślą"), "zażółć gęślą");
    assert_eq!(subject(&"ż".repeat(500)).chars().count(), 150);
    let empty = Scene::of(
        "{% extends \"base.html\" %}{% block subject %} {% endblock %}{% block body %}x{% endblock %}",
    );
    assert_eq!(empty.error(), "m.html: the block `subject` is empty; fill it");
}

#[test]
fn a_template_without_end_runs_out_of_fuel() {
    let loops =
        Scene::new("{% for a in range(9000) %}{% for b in range(9000) %}{{ a * b }}{% endfor %}{% endfor %}");
    assert_eq!(
        loops.error(),
        "mailer/m.html:1: does too much: it ran out of fuel (is there a loop without end?)"
    );
    let pieces = Scene::new("{% for a in range(9000) %}{{ blocks.order() }}{% endfor %}");
    assert!(pieces.error().contains("fuel") || pieces.error().contains("too many"), "{}", pieces.error());
    let mut own = Scene::new("{{ blocks.panel() }}");
    let panel = Assets::from([("blocks/panel.html".to_owned(), "{{ blocks.panel() }}".to_owned())]);
    own.overrides.insert("shop".to_owned(), panel);
    assert!(own.error().contains("without end"), "{}", own.error());
}

#[test]
fn links_to_other_hosts_lose_their_address() {
    let mut scene = Scene::new(
        "{{ blocks.button(data.good, \"Good\") }}{{ blocks.button(data.bad, \"Bad\") }}{{ blocks.button(data.granted, \"Granted\") }}{{ blocks.products([product(\"belt\")]) }}",
    )
    .data("good", Value::Url("https://linen.example/order?x=1&y=2".to_owned()))
    .data("bad", Value::Url("https://evil.example/?who=Ola".to_owned()))
    .data("granted", Value::Url("https://reviews.example/1".to_owned()));
    scene.hosts.push("reviews.example".parse::<crate::domain::HostPattern>().unwrap().into());
    let mail = scene.render();
    assert!(mail.html.contains("href=\"https://linen.example/order?x=1&amp;y=2\""));
    assert!(mail.html.contains("href=\"https://reviews.example/1\""));
    assert!(!mail.html.contains("evil.example"));
    assert!(mail.text.contains("Bad"));
    assert_eq!(
        mail.remarks,
        ["a link to evil.example was taken out: not the shop's host and not among the plugin's `hosts`"]
    );
}

#[test]
fn a_body_cannot_swallow_or_hide_the_legal_line() {
    assert!(Scene::new("<p>x</p><!-- ").error().contains("not closed"));
    let quote = Scene::new("<p title=\"x").render();
    assert!(quote.text.contains("because of your order"), "{}", quote.text);
    let hidden = Scene::new("<style>.legal { display: none }</style></td></tr></table>").render();
    assert!(hidden.text.contains("because of your order"));
    assert!(!hidden.html.contains("display: none }"), "{}", hidden.html);
}

#[test]
fn texts_follow_the_reader_and_what_is_missing_is_a_remark() {
    let mut scene = Scene::new("<p>{{ t(\"lead\", n=data.n, sum=order.total, at=data.at) }}</p><p>{{ t(\"no\" ~ \"ne\") }}</p>{{ data.note }}")
        .file("locales/en.ftl", "lead = { $n ->\n    [one] one\n   *[other] { $n } things\n } for { $sum }, { RELATIVE($at) }\nnote = { $n } notes\n")
        .file("locales/pl.ftl", "lead = { $n ->\n    [one] jedna\n    [few] { $n } rzeczy\n   *[many] { $n } rzeczy\n } za { $sum }, { RELATIVE($at) }\n")
        .data("n", Value::Int(3))
        .data("at", Value::Instant(NOW + 3_600_000))
        .data("note", Value::Text("note".to_owned()));
    let english = scene.render();
    assert!(plain(&english.text).contains("3 things for €110.00, today, 11:00"), "{}", english.text);
    assert!(english.text.contains("3 notes"));
    assert_eq!(english.remarks, ["there is no text `none` in any language"]);
    scene.reader.locale = "pl".to_owned();
    let polish = scene.render();
    assert!(plain(&polish.text).contains("3 rzeczy za 110,00 €, dziś, 11:00"), "{}", polish.text);
    assert!(polish.text.contains("3 notes"), "the shop's default language stands in");
    assert!(polish.html.contains("lang=\"pl\""));
}

#[test]
fn values_are_raw_and_formatted() {
    let scene = Scene::new(
        "{{ data.sum }}|{{ data.sum.amount }}|{{ data.day }}|{{ data.day.iso }}|{{ data.day.relative }}|{{ data.coupon }}|{{ data.coupon.value }}|{{ data.items | length }}|{{ data.items[0] }}|{{ 1250 | money }}|{{ duration(130) }}|{% if data.zero %}yes{% else %}no{% endif %}|{{ nothing.at.all if false }}|{{ order.delivery.promised.latest.iso }}",
    )
    .data("sum", Value::Money(-550))
    .data("zero", Value::Money(0))
    .data("day", Value::Date("2026-11-29".to_owned()))
    .data("coupon", Value::Coupon(0))
    .data("items", Value::Products(vec!["belt".to_owned(), "gone".to_owned()]));
    let scene = Scene {
        files: vec![("templates/m.html", scene.files[0].1.replace("{{ nothing.at.all if false }}", ""))],
        ..scene
    };
    let text = plain(&scene.render().text);
    let line = text.lines().find(|line| line.contains('|')).unwrap();
    assert_eq!(
        line,
        "-€5.50|-550|Sunday 29 November|2026-11-29|tomorrow|THANKS-7F3K9Q|10% off|1|Leather belt|€12.50|2 h 10 min|no||2026-12-02"
    );
}

#[test]
fn the_merchants_layout_and_pieces_stand_in_for_the_hosts() {
    let mut scene = Scene::new("<p>x</p>{{ blocks.panel(\"a\", \"b\") }}");
    scene.overrides.insert(
        "shop".to_owned(),
        Assets::from([
            ("custom.css".to_owned(), "h1 { color: #ff0000; }".to_owned()),
            ("brand.html".to_owned(), "<b>{{ shop.name }}!</b>".to_owned()),
            (
                "blocks/panel.html".to_owned(),
                "{# panel(label, text) #}<i>{{ text }}-{{ label }}</i>".to_owned(),
            ),
        ]),
    );
    let mail = scene.render();
    assert!(mail.html.contains("<b>Linen &amp; Co!</b>"), "{}", mail.html);
    assert!(mail.html.contains("<i>b-a</i>"), "{}", mail.html);
    assert!(mail.html.contains("#ff0000"), "{}", mail.html);
}

#[test]
fn a_plugin_cannot_reach_another_plugins_files_or_change_the_houses_words() {
    let other = Scene::new("{% include \"../other/secret.html\" %}");
    assert!(other.error().contains("mailer"), "{}", other.error());
    let own = Scene::new("{{ t(\"order-total\") }} {% include \"_part.html\" %}{{ blocks.sums(order) }}")
        .file("templates/_part.html", "part")
        .file("locales/en.ftl", "order-total = Mine\nmail-contact = Mine too\n")
        .render();
    assert!(own.text.contains("Mine part"), "{}", own.text);
    assert!(plain(&own.text).contains("Total — €110.00"), "{}", own.text);
    assert!(own.text.contains("Any questions?"), "{}", own.text);
}

#[test]
fn recommendations_fill_the_footer_unless_the_template_says_no() {
    let recommendation = ShownRecommendation {
        id: "r1".to_owned(),
        plugin: "cross-sell".to_owned(),
        product: "belt".to_owned(),
        title: "Leather belt".to_owned(),
        url: Some("https://feed.example/belt".to_owned()),
        image: Some("https://feed.example/belt.jpg".to_owned()),
        currency: "EUR".to_owned(),
        price: Amount { amount: 4_500, text: "€45.00".to_owned() },
        reason: Some("Goes with your shirt".to_owned()),
        placement: "footer".to_owned(),
    };
    let mut scene = Scene::new("<p>x</p>");
    scene.content.recommendations.push(recommendation.clone());
    let mail = scene.render();
    assert!(mail.html.contains("src=\"https://feed.example/belt.jpg\""), "{}", mail.html);
    assert!(mail.text.contains("You may also like"), "{}", mail.text);
    assert!(mail.text.contains("Goes with your shirt"));

    let mut without = Scene::of(
        "{% extends \"base.html\" %}{% set recommendations = [] %}{% block subject %}x{% endblock %}{% block body %}x{% endblock %}",
    );
    without.content.recommendations.push(recommendation);
    assert!(!without.render().text.contains("You may also like"));
}

#[test]
fn a_template_may_write_its_own_text_part() {
    let mail = Scene::of("{% extends \"base.html\" %}{% block subject %}x{% endblock %}{% block body %}<p>html</p>{% endblock %}{% block text %}Tom & {{ shop.name }}{% endblock %}").render();
    assert_eq!(mail.text, "Tom & Linen & Co\n");
}

#[test]
fn errors_name_file_and_line_and_no_value() {
    let mut scene = Scene::new("<p>\n{{ customer.first_name | nosuchfilter }}</p>");
    scene.first_name = Some("Aleksandra");
    let error = scene.error();
    assert!(error.starts_with("mailer/m.html:2: "), "{error}");
    assert!(error.contains("nosuchfilter"), "{error}");
    assert!(!error.contains("Aleksandra"), "{error}");
    assert_eq!(
        {
            let mut missing = Scene::new("x");
            missing.files[0].0 = "templates/other.html";
            missing.error()
        },
        "`mailer` has no template `m`; it has other"
    );
}

#[test]
fn amounts_of_any_currency_are_exact() {
    for (currency, exponent, total) in
        [("JPY", 0, "¥110"), ("KWD", 3, "KWD 110.000"), ("PLN", 2, "PLN 110.00")]
    {
        let mut scene = Scene::new("{{ order.total }}");
        scene.order = Some(sample::order("https://linen.example", "PL", currency, exponent, NOW));
        scene.reader.currency = currency.to_owned();
        scene.reader.exponent = exponent;
        assert!(plain(&scene.render().text).contains(total), "{currency}");
    }
}

/// The first-party plugins' templates, as they are in the sources.
#[test]
fn the_first_party_templates_and_texts_are_sound() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins");
    let Ok(folders) = std::fs::read_dir(root) else { return };
    for folder in folders.flatten().filter(|entry| entry.path().is_dir()) {
        let mut assets = Assets::new();
        for part in ["locales", "templates"] {
            for file in std::fs::read_dir(folder.path().join(part)).into_iter().flatten().flatten() {
                let path = format!("{part}/{}", file.file_name().to_string_lossy());
                assets.insert(path, std::fs::read_to_string(file.path()).unwrap());
            }
        }
        let name = folder.file_name().to_string_lossy().into_owned();
        let plugins = BTreeMap::from([(name.clone(), Arc::new(assets))]);
        let built = Wording::build(&["en".to_owned(), "pl".to_owned()], &plugins, &BTreeMap::new());
        let errors: Vec<String> = built.err().unwrap_or_default().iter().map(ToString::to_string).collect();
        assert_eq!(errors, Vec::<String>::new(), "{name}");
    }
}

/// Writes every first-party message as pages to look at, when `CARTWRIGHT_PAGES` names a folder.
#[test]
fn pages_to_look_at() {
    let Some(folder) = std::env::var_os("CARTWRIGHT_PAGES").map(std::path::PathBuf::from) else { return };
    std::fs::create_dir_all(&folder).unwrap();
    let words = [
        ("stage", "out-for-delivery"),
        ("shipment", "parcel-1"),
        ("tier", "Silver"),
        ("next", "Gold"),
        ("place", "Kraków"),
        ("carrier", "InPost"),
        ("ships", "1"),
        ("ask", "1"),
    ];
    for locale in ["en", "pl"] {
        for plugin in ["order-updates", "discount-coupons", "cross-sell", "loyalty-messages"] {
            let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins").join(plugin);
            for file in std::fs::read_dir(root.join("templates")).unwrap().flatten() {
                let name = file.path().file_stem().unwrap().to_string_lossy().into_owned();
                if name.starts_with('_') {
                    continue;
                }
                let mut scene = Scene::of(&std::fs::read_to_string(file.path()).unwrap());
                for part in ["locales", "templates"] {
                    for other in std::fs::read_dir(root.join(part)).unwrap().flatten() {
                        let path = format!("{part}/{}", other.file_name().to_string_lossy());
                        let content = std::fs::read_to_string(other.path()).unwrap();
                        scene.files.push((Box::leak(path.into_boxed_str()), content));
                    }
                }
                for (name, word) in words {
                    scene = scene.string(name, word);
                }
                for product in scene.products.values_mut() {
                    let product = Arc::make_mut(product);
                    product.image = Some(format!("https://linen.example/{}.svg", product.id));
                }
                scene = scene
                    .data("order_url", Value::Url("https://linen.example/orders/1001".to_owned()))
                    .data("rating_url", Value::Url("https://linen.example/rate?mark={rating}".to_owned()))
                    .data("coupon", Value::Coupon(0))
                    .data("percent", Value::Int(10))
                    .data("points", Value::Int(1_250))
                    .data("missing", Value::Int(250))
                    .data("years", Value::Int(2))
                    .data("since", Value::Date("2024-11-28".to_owned()))
                    .data("earliest", Value::Date("2026-12-01".to_owned()))
                    .data("latest", Value::Date("2026-12-03".to_owned()))
                    .data(
                        "products",
                        Value::Products(["linen-shirt", "wool-socks", "belt"].map(str::to_owned).to_vec()),
                    );
                for product in scene.products.values() {
                    scene.content.recommendations.push(ShownRecommendation {
                        id: product.id.clone(),
                        plugin: "cross-sell".to_owned(),
                        product: product.id.clone(),
                        title: product.title.clone(),
                        url: product.url.clone(),
                        image: product.image.clone(),
                        currency: "EUR".to_owned(),
                        price: Amount {
                            amount: product.price,
                            text: crate::wording::money(product.price, &scene.reader),
                        },
                        reason: Some("Often bought together".to_owned()),
                        placement: "footer".to_owned(),
                    });
                }
                locale.clone_into(&mut scene.reader.locale);
                let mail = scene.render();
                std::fs::write(folder.join(format!("{plugin}-{name}-{locale}.html")), &mail.html).unwrap();
                let text = format!("{}\n{:?}\n\n{}", mail.subject, mail.remarks, mail.text);
                std::fs::write(folder.join(format!("{plugin}-{name}-{locale}.txt")), text).unwrap();
            }
        }
    }
}
