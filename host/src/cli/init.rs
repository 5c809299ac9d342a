//! `cartwright init`: a commented configuration and a first shop.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};

use super::terminal::{Paint, Table};
use super::{Ending, key};
use crate::config::{self, HOST_FILE, KeyKind};

/// Write a commented cartwright.toml and a first shop, with its keys
///
/// Overwrites nothing. The shop begins in test mode: mails go only to addresses that you list.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cartwright init
  cartwright init --shop lipa --name Lipa --url https://lipa.example --country PL --currency PLN \\
                  --zone Europe/Warsaw --locale pl --locale en
  cartwright -C /srv/cartwright init")]
pub struct Arguments {
    /// Its id: small letters, digits and hyphens. Names its file.
    #[arg(long, default_value = "my-shop")]
    shop: String,
    /// What customers read in their mails.
    #[arg(long, default_value = "My shop")]
    name: String,
    /// Where the shop is; links in mails may lead there.
    #[arg(long, default_value = "https://shop.example")]
    url: String,
    /// ISO 3166, two letters.
    #[arg(long, default_value = "DE")]
    country: String,
    /// ISO 4217, three letters.
    #[arg(long, default_value = "EUR")]
    currency: String,
    /// IANA time zone.
    #[arg(long, default_value = "Europe/Berlin")]
    zone: String,
    /// A language of the shop; the first is the default. May be repeated.
    #[arg(long = "locale", value_name = "LOCALE", default_value = "en")]
    locales: Vec<String>,
}

const HOST: &str = include_str!("init/cartwright.toml");
const SHOP: &str = include_str!("init/shop.toml");

pub fn run(folder: &Path, arguments: &Arguments) -> Ending {
    let written = write(folder, arguments)?;
    let paint = Paint::for_output();
    let mut files = Table::default();
    files.row([&config::shown(&written.host), "the host, each setting explained"]);
    files.row([&config::shown(&written.shop), "the first shop, in test mode"]);
    let mut keys = Table::default();
    keys.row(["secret", &written.secret, "for the shop's server"]);
    keys.row(["publishable", &written.publishable, "for web pages: may only ask for decisions"]);
    let painted = |column: usize, cell: &str| match column {
        0 => paint.name(cell),
        _ => cell.to_owned(),
    };
    super::print(&format!(
        "{}\n{}\n{}\n{}\n{}\n{}",
        paint.title("Written"),
        files.lines("  ", painted),
        paint.title("Keys, shown this once (the file holds only their hashes)"),
        keys.lines("  ", painted),
        paint.title("Next"),
        "  put plugins into plugins/ and enable them in the shop's file\n  \
         cartwright config check\n  cartwright serve"
    ))?;
    Ok(ExitCode::SUCCESS)
}

struct Written {
    host: PathBuf,
    shop: PathBuf,
    secret: String,
    publishable: String,
}

fn write(folder: &Path, arguments: &Arguments) -> anyhow::Result<Written> {
    let host = folder.join(HOST_FILE);
    let shop = folder.join("shops").join(format!("{}.toml", arguments.shop));
    for file in [&host, &shop] {
        if file.exists() {
            bail!(
                "{} is there already, and nothing is overwritten; move it away, or name another folder \
                 with --folder",
                config::shown(file)
            );
        }
    }
    if !config::is_shop_id(&arguments.shop) {
        bail!(
            "`{}` cannot be the id of a shop: small letters, digits and hyphens, beginning with a letter or digit",
            arguments.shop
        );
    }
    let secret = key::generate(&arguments.shop, KeyKind::Secret);
    let publishable = key::generate(&arguments.shop, KeyKind::Publishable);
    let text: Arc<str> = shop_text(arguments, &secret, &publishable).into();
    // A mistake in an argument is found before anything is written.
    config::parse_shop(&shop, Arc::clone(&text))
        .context("nothing was written, because the shop would not be right")?;
    for part in ["shops", "plugins", "templates"] {
        let part = folder.join(part);
        std::fs::create_dir_all(&part)
            .with_context(|| format!("the folder {} cannot be made", part.display()))?;
    }
    for (file, text) in [(&host, HOST), (&shop, &*text)] {
        std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))?;
    }
    Ok(Written { host, shop, secret, publishable })
}

fn shop_text(arguments: &Arguments, secret: &str, publishable: &str) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let locales: Vec<String> = arguments.locales.iter().map(|locale| quoted(locale)).collect();
    let origin = reqwest::Url::parse(&arguments.url)
        .map_or_else(|_| arguments.url.clone(), |url| url.origin().ascii_serialization());
    [
        ("@NAME@", quoted(&arguments.name)),
        ("@URL@", quoted(&arguments.url)),
        ("@COUNTRY@", quoted(&arguments.country)),
        ("@CURRENCY@", quoted(&arguments.currency)),
        ("@ZONE@", quoted(&arguments.zone)),
        ("@LOCALES@", format!("[{}]", locales.join(", "))),
        ("@SECRET@", quoted(&key::hash(secret))),
        ("@PUBLISHABLE@", quoted(&key::hash(publishable))),
        ("@ORIGIN@", quoted(&origin)),
    ]
    .into_iter()
    .fold(SHOP.to_owned(), |text, (place, value)| text.replace(place, &value))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Typed {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn typed(words: &[&str]) -> Arguments {
        Typed::parse_from(std::iter::once("init").chain(words.iter().copied())).arguments
    }

    #[test]
    fn what_it_writes_is_right_and_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let written = write(folder.path(), &typed(&[])).unwrap();
        let host = config::load_host(folder.path()).unwrap();
        let (shops, errors) = config::load_shops(&host.shops_dir);
        assert!(errors.is_empty(), "{errors:?}");
        let shop = shops.first().unwrap();
        assert_eq!((shop.id.as_str(), shop.mode), ("my-shop", config::Mode::Test));
        let hashes: Vec<_> = shop.keys.iter().map(|key| key.sha256.clone()).collect();
        assert_eq!(hashes, [key::hash(&written.secret), key::hash(&written.publishable)]);

        let before = std::fs::read_to_string(&written.shop).unwrap();
        assert!(
            write(folder.path(), &typed(&["--shop", "other"]))
                .err()
                .unwrap()
                .to_string()
                .contains("is there already")
        );
        assert_eq!(std::fs::read_to_string(&written.shop).unwrap(), before);
        assert!(!folder.path().join("shops/other.toml").exists());
    }

    #[test]
    fn every_setting_in_the_written_file_is_the_default() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &typed(&[])).unwrap();
        let file = folder.path().join(HOST_FILE);
        let commented = std::fs::read_to_string(&file).unwrap();
        let is_key =
            |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-'));
        // With every `# key = value` line switched on, the file still loads and says what holds without.
        let switched_on: String = commented
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(setting) if setting.split(" = ").next().is_some_and(is_key) => format!("{setting}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        std::fs::write(&file, &switched_on).unwrap();
        let told = config::load_host(folder.path()).unwrap();
        let default = config::HostConfig::default();
        assert_eq!(format!("{:?}", told.limits), format!("{:?}", default.limits));
        assert_eq!(format!("{:?}", told.budgets), format!("{:?}", default.budgets));
        assert_eq!(format!("{:?}", told.http), format!("{:?}", default.http));
        assert_eq!(format!("{:?}", told.retention), format!("{:?}", default.retention));
        assert_eq!(format!("{:?}", told.log), format!("{:?}", default.log));
        assert_eq!(told.listen, default.listen);
        assert_eq!(told.data_dir, folder.path().join(default.data_dir));
    }

    #[test]
    fn a_mistake_in_an_argument_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write(folder.path(), &typed(&["--zone", "Europe/Warsow"])).is_err());
        assert!(write(folder.path(), &typed(&["--shop", "../x"])).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
