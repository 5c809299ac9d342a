//! Mistakes as a merchant sees them.

use super::*;

const SHOP: &str = r#"name = "Lipa"
url = "https://lipa.example"
country = "PL"
currency = "PLN"
zone = "Europe/Warsaw"
"#;

fn shop(text: &str) -> Result<ShopConfig, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lipa.toml");
    std::fs::write(&file, text).unwrap();
    load_shop(&file)
}

fn host(text: &str) -> Result<HostConfig, ConfigError> {
    host_in(text, |_| None)
}

fn host_in(text: &str, environment: impl Fn(&str) -> Option<String>) -> Result<HostConfig, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(HOST_FILE), text).unwrap();
    load_host_with(folder.path(), environment)
}

/// The report without the folder, which differs in each run.
fn report(error: &ConfigError) -> String {
    let folder = format!("{}/", error.file().parent().unwrap().display());
    error.report().replace(&folder, "").trim_end().to_owned()
}

/// `line: message (help)` of a shop's only mistake.
fn mistake(change: &str) -> String {
    let error = shop(&format!("{SHOP}{change}")).unwrap_err();
    assert_eq!(error.count(), 1, "{}", error.report());
    let help = miette::Diagnostic::help(&error).map(|help| help.to_string()).unwrap_or_default();
    format!("{}: {error} ({help})", error.line().unwrap_or_default())
}

#[test]
fn an_unknown_key_suggests_the_right_one() {
    let error = host("# our host\nlisetn = \"127.0.0.1:9000\"\n").unwrap_err();
    insta::assert_snapshot!(report(&error), @r#"
    × unknown key `lisetn`
     ╭─[cartwright.toml:2:1]
   1 │ # our host
   2 │ lisetn = "127.0.0.1:9000"
     · ──────
     ╰────
    help: did you mean `listen`?
    "#);
}

#[test]
fn a_wrong_type_says_what_was_expected() {
    let error = host("[limits]\nmemory_mib = \"lots\"\n").unwrap_err();
    insta::assert_snapshot!(report(&error), @r#"
    × expected a whole number, not negative, found the text "lots"
     ╭─[cartwright.toml:2:14]
   1 │ [limits]
   2 │ memory_mib = "lots"
     ·              ──────
     ╰────
    "#);
}

#[test]
fn all_mistakes_of_a_shop_are_shown_at_once() {
    let error = shop(&SHOP.replace("Europe/Warsaw", "Europe/Warsow").replace("PLN", "zloty")).unwrap_err();
    insta::assert_snapshot!(report(&error), @r#"
    × there is no currency `zloty`
     ╭─[lipa.toml:4:12]
   3 │ country = "PL"
   4 │ currency = "zloty"
     ·            ───────
   5 │ zone = "Europe/Warsow"
     ╰────
    help: write the three letters of ISO 4217, like "EUR"
    × there is no time zone `Europe/Warsow`
     ╭─[lipa.toml:5:8]
   4 │ currency = "zloty"
   5 │ zone = "Europe/Warsow"
     ·        ───────────────
     ╰────
    help: did you mean `Europe/Warsaw`?
    "#);
}

#[test]
fn text_that_is_not_toml_is_shown_where_it_breaks() {
    let error = shop("name = \"Lipa\nurl = \"https://lipa.example\"\n").unwrap_err();
    assert_eq!(error.line(), Some(1), "{}", error.report());
}

#[test]
fn each_mistake_has_its_line_and_what_to_do() {
    let mut differences = Vec::new();
    for (change, expected) in [
        ("country_code = \"PL\"\n", "6: unknown key `country_code` (did you mean `country`?)"),
        ("mode = \"tset\"\n", "6: `tset` is not one of the values possible here (did you mean `test`?)"),
        ("quote_minutes = 0\n", "6: a quote cannot hold for 0 minutes (choose from 1 to 10080 (a week))"),
        (
            "locales = []\n",
            "6: the shop has no language (name at least one, like [\"en\"]; the first is the default)",
        ),
        ("locales = [\"en\", \"pt_BR\"]\n", "6: `pt_BR` is not a language (did you mean `pt-BR`?)"),
        (
            "locales = [\"en\", \"en\"]\n",
            "6: the language `en` is there twice (keep one, or name them apart)",
        ),
        ("working_days = [\"mon\", \"tues\"]\n", "6: `tues` is not a day of the week (did you mean `tue`?)"),
        ("holidays = [\"2026-02-30\"]\n", "6: `2026-02-30` is not a date like 2026-12-25 ()"),
        (
            "live_since = \"yesterday\"\n",
            "6: `yesterday` is not an instant with its offset like 2026-11-28T09:30:00Z ()",
        ),
        (
            "[discounts]\nmax_basis_points = 10001\n",
            "7: discounts cannot be more than the whole (10000 basis points are 100 %)",
        ),
        (
            "[[fallback]]\nid = \"post\"\ntitle = \"Post\"\nprice = -1\n",
            "9: -1 is not a price (write minor units of PLN, 0 or more: 499 is 4.99)",
        ),
        (
            "[[fallback]]\nid = \"post\"\ntitle = \"Post\"\nprice = 1\nworking_days = [4, 2]\n",
            "10: at least more days than at most (write the smaller number first, like [2, 4])",
        ),
        (
            "[[fallback]]\nid = \"post\"\ntitle = \"Post\"\nprice = 1\nkind = \"hme\"\n",
            "10: `hme` is not a kind of delivery (did you mean `home`?)",
        ),
        (
            "[[keys]]\nname = \"shop\"\nkind = \"secret\"\nsha256 = \"cw_sk_lipa_abc\"\n",
            "9: this is not a SHA-256 in 64 small hexadecimal digits; a key itself does not belong here (make one with `cartwright key create --shop lipa`)",
        ),
        (
            "[[plugins]]\nname = \"a\"\nsource = \"../a.wasm\"\n",
            "8: `../a.wasm` is not the name of a plugin's file (write the name of a `.wasm` file in the folder of plugins)",
        ),
        (
            "[[plugins]]\nname = \"a\"\nsource = \"a.wasm\"\n[[plugins]]\nname = \"a\"\nsource = \"a.wasm\"\n",
            "10: the plugin `a` is there twice (keep one, or name them apart)",
        ),
        (
            "[[plugins]]\nname = \"shop\"\nsource = \"a.wasm\"\n",
            "7: the name `shop` is taken: it stands for the shop's own texts and templates (choose another name)",
        ),
        ("[[plugins]]\nname = \"a\"\n", "6: `source` is missing (add a line `source = …`)"),
        (
            "[[plugins]]\nname = \"a\"\nsource = \"a.wasm\"\nhosts = [\"https://x.example\"]\n",
            "9: `https://x.example` is not the name of a host (write a name without a path, like \"api.carrier.example\", \"rates.example:8443\" or \"*.carrier.example\", and \"http://…\" only for what has no TLS)",
        ),
        (
            "[[plugins]]\nname = \"a\"\nsource = \"a.wasm\"\nhosts = [\"a.example\", { host = \"a.example\" }]\n",
            "9: the host `a.example` is there twice (keep one)",
        ),
        (
            "[[plugins]]\nname = \"a\"\nsource = \"a.wasm\"\n[[plugins.hosts]]\nhost = \"*.a.example\"\nsecrets = { Authorization = { env = \"A\" } }\n",
            "9: `*.a.example` is any number of hosts, and each would be told the secrets (name the hosts that have secrets one by one)",
        ),
        (
            "[[plugins]]\nname = \"a\"\nsource = \"a.wasm\"\n[[plugins.hosts]]\nhost = \"a.example\"\nsecrets = { Host = { env = \"A\" } }\n",
            "9: `Host` is not a header that can carry a secret (write the header that the server asks for, like Authorization or X-Api-Key)",
        ),
        (
            "[woocommerce]\nsecret = { evn = \"WOO\" }\n",
            "7: `evn` is not one of the values possible here (did you mean `env`?)",
        ),
    ] {
        let found = mistake(change);
        if found != expected {
            differences.push(format!("{change}  found:    {found}\n  expected: {expected}\n"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn dates_and_instants_may_stand_with_or_without_quotes() {
    let shop = shop(&format!(
        "{SHOP}holidays = [2026-12-25, \"2026-12-26\"]\nlive_since = 2026-11-28T09:30:00+01:00\n"
    ))
    .unwrap();
    assert_eq!(shop.holidays.len(), 2);
    assert_eq!(shop.live_since.unwrap().to_string(), "2026-11-28T08:30:00Z");
    assert_eq!(shop.id, "lipa");
}

#[test]
fn the_country_is_two_capitals() {
    for (country, help) in
        [("pl", "did you mean `PL`?"), ("UK", "did you mean `GB`?"), ("Poland", "like \"PL\"")]
    {
        let error = shop(&SHOP.replace("\"PL\"", &format!("\"{country}\""))).unwrap_err();
        assert!(error.report().contains(help), "{}", error.report());
    }
}

#[test]
fn a_file_named_by_no_possible_id_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("My Shop.toml");
    std::fs::write(&file, SHOP).unwrap();
    assert!(load_shop(&file).unwrap_err().to_string().contains("`My Shop` cannot be the id of a shop"));
}

#[test]
fn a_broken_shop_does_not_hide_the_others() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("b.toml"), SHOP).unwrap();
    std::fs::write(folder.path().join("a.toml"), "name = 1").unwrap();
    std::fs::write(folder.path().join("notes.txt"), "not a shop").unwrap();
    let (shops, errors) = load_shops(folder.path());
    assert_eq!(shops.iter().map(|shop| shop.id.as_str()).collect::<Vec<_>>(), ["b"]);
    assert_eq!(errors.len(), 1);
}

#[test]
fn two_shops_cannot_share_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let key = format!("[[keys]]\nname = \"k\"\nkind = \"secret\"\nsha256 = \"{}\"\n", "a".repeat(64));
    for id in ["a", "b"] {
        std::fs::write(folder.path().join(format!("{id}.toml")), format!("{SHOP}{key}")).unwrap();
    }
    let (shops, errors) = load_shops(folder.path());
    // A copy must not take the shop it was made of out of service, whichever name comes first.
    assert_eq!(shops.iter().map(|shop| shop.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(errors.len(), 1);
    let told = errors.first().unwrap().to_string();
    assert!(told.starts_with("the shops `a` and `b` have the same key"), "{told}");
}

#[test]
fn relative_folders_start_at_the_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(HOST_FILE), "plugins_dir = \"wasm\"\ndatabase = \"sqlite:x/y.db\"\n")
        .unwrap();
    let config = load_host_with(folder.path(), |_| None).unwrap();
    assert_eq!(config.plugins_dir, folder.path().join("wasm"));
    assert_eq!(config.outbox(), folder.path().join("data/outbox"));
    assert_eq!(config.database(), format!("sqlite:{}", folder.path().join("x/y.db").display()));
}

#[test]
fn the_environment_wins_over_the_file() {
    let config = host_in("listen = \"127.0.0.1:9000\"\n", |name| {
        (name == "CARTWRIGHT_LISTEN").then(|| "127.0.0.1:9100".to_owned())
    })
    .unwrap();
    assert_eq!(config.listen.port(), 9100);
    let error = host_in("", |name| (name == "CARTWRIGHT_LISTEN").then(|| "9100".to_owned())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the environment variable CARTWRIGHT_LISTEN is `9100`, which is not an address like 127.0.0.1:8080"
    );
}

#[test]
fn numbers_out_of_range_are_refused() {
    let error = host("[limits]\nmemory_mib = 0\n\n[http]\njson_depth = 1000\n").unwrap_err();
    assert_eq!(error.count(), 2);
    assert!(error.report().contains("choose a number from 1 to 4096"));
}

#[test]
fn a_mail_server_is_not_told_secrets_in_the_open_by_mistake() {
    let smtp = |lines: &str| host(&format!("[smtp]\nhost = \"mail.example\"\n{lines}"));
    let signed_in = "username = \"u\"\npassword = { env = \"P\" }\n";
    for good in [
        String::new(),
        signed_in.to_owned(),
        format!("{signed_in}tls = \"wrapper\""),
        "tls = \"opportunistic\"".to_owned(),
        "tls = \"none\"\ninsecure = true".to_owned(),
        format!("{signed_in}tls = \"opportunistic\"\ninsecure = true"),
    ] {
        assert!(smtp(&good).is_ok(), "{good}");
    }
    assert!(host("[smtp]\nhost = \"127.0.0.1\"\ntls = \"none\"").is_ok());
    for (wrong, says) in [
        ("tls = \"none\"".to_owned(), "for anybody to read"),
        (format!("{signed_in}tls = \"opportunistic\""), "the password sent unencrypted"),
        ("username = \"u\"".to_owned(), "belong together"),
        ("password = { env = \"P\" }".to_owned(), "belong together"),
        ("port = 0".to_owned(), "there is no port 0"),
        ("timeout_seconds = 0".to_owned(), "from 1 to 200"),
        ("helo = \"a b\"".to_owned(), "name of a machine"),
        ("tls = \"maybe\"".to_owned(), "maybe"),
    ] {
        let report = smtp(&wrong).unwrap_err().report();
        assert!(report.contains(says), "{wrong}: {report}");
    }
    assert!(host("public_url = \"hooks\"").unwrap_err().report().contains("not the web address of a host"));
}

#[test]
fn a_folder_without_a_configuration_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let error = load_host_with(folder.path(), |_| None).unwrap_err();
    assert!(error.report().contains("cartwright init"), "{}", error.report());
}

#[test]
fn a_file_of_a_secret_is_looked_for_beside_the_shop() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lipa.toml");
    std::fs::write(&file, format!("{SHOP}woocommerce = {{ secret = {{ file = \"woo.secret\" }} }}\n"))
        .unwrap();
    let secret = load_shop(&file).unwrap().woocommerce.unwrap().secret;
    assert_eq!(secret, SecretSource::File(folder.path().join("woo.secret")));
}

#[test]
fn whom_a_shop_tells_is_checked() {
    let endpoint = |lines: &str| {
        let text = String::from(
            "[[webhooks]]\nname = \"erp\"\nsecret = { env = \"ERP\" }\nurl = \"https://erp.example/in\"\n\
             topics = [\"message.*\"]\n",
        );
        lines.lines().fold(text, |text, line| {
            let key = line.split('=').next().unwrap_or_default();
            let kept: Vec<&str> = text.lines().filter(|kept| !kept.starts_with(key)).collect();
            format!("{}\n{line}\n", kept.join("\n"))
        })
    };
    let one =
        shop(&format!("{SHOP}{}", endpoint("topics = [\"*\", \"logistics.order\", \"job.dead\"]"))).unwrap();
    let erp = one.webhooks.first().unwrap();
    assert_eq!((erp.timeout_seconds, erp.insecure, erp.enabled), (15, false, true));
    assert!(shop(&format!("{SHOP}{}", endpoint("url = \"http://127.0.0.1:9/in\""))).is_ok());
    assert!(shop(&format!("{SHOP}{}", endpoint("url = \"http://[::1]/in\""))).is_ok());
    let open = endpoint("url = \"http://erp.example/in\"\ninsecure = true");
    assert!(shop(&format!("{SHOP}{open}")).is_ok());
    for (lines, says) in [
        ("url = \"http://erp.example/in\"", "10: plain http would show"),
        ("url = \"ftp://erp.example/in\"", "10: `ftp://erp.example/in` is not an address"),
        ("url = \"erp\"", "10: `erp` is not a web address"),
        ("url = \"https://me:hunter2@erp.example\"", "10: the address has a user"),
        ("topics = []", "10: the endpoint has no topics"),
        (
            "topics = [\"message.snet\"]",
            "10: the host never tells of `message.snet` (did you mean `message.sent`?)",
        ),
        ("topics = [\"job.late\"]", "10: the host never tells of `job.late`"),
        ("topics = [\"a b\"]", "10: `a b` is not a topic"),
        ("timeout_seconds = 0", "11: 0 is out of range"),
        ("name = \"E R P\"", "10: `E R P` cannot be the name of an endpoint"),
    ] {
        let found = mistake(&endpoint(lines));
        assert!(found.starts_with(says), "{lines}: {found}");
        assert!(!found.contains("hunter2"), "{found}");
    }
    let twice = mistake(&format!("{}{}", endpoint("timeout_seconds = 5"), endpoint("timeout_seconds = 6")));
    assert!(twice.contains("the endpoint `erp` is there twice"), "{twice}");
}

#[test]
fn keys_that_are_none_are_shown_with_their_place() {
    let key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
    let error = host(&format!(
        "[security]\ntrusted_keys = [\n  \"{key}\",\n  {{ key = \"{key}\", name = \"twice\" }},\n  \"RWQf6\",\n  \
         \"RWRTY0IyAAAA\",\n]\n"
    ))
    .unwrap_err();
    let told = report(&error);
    assert_eq!(error.count(), 3, "{told}");
    for part in [
        "this key is there twice",
        "this is not a public key of minisign",
        "56 letters that begin with RW",
        "this is a secret key of minisign",
        "cartwright.toml:5:3",
    ] {
        assert!(told.contains(part), "no `{part}` in {told}");
    }
    insta::assert_snapshot!(report(&host("[security]\nrequire_signed = true\n").unwrap_err()), @r#"
    × no plugin could be loaded: there are no `trusted_keys` whose signatures would count
     ╭─[cartwright.toml:2:18]
   1 │ [security]
   2 │ require_signed = true
     ·                  ────
     ╰────
    help: add `trusted_keys = ["RW…"]` with the public keys of those whose plugins you take
    "#);
    let security =
        host(&format!("[security]\ntrusted_keys = [\"{key}\"]\nrequire_signed = true\n")).unwrap().security;
    assert!(security.require_signed && security.trusted_keys[0].parsed().is_some());
}
