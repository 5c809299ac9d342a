//! Where the demo plays: the checkout, and the folders that it writes and clears.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use jiff::civil::time;

use super::mails::Mail;
use crate::cli::key;
use crate::config::KeyKind;
use crate::config::calendar::Calendar;

/// Id of the example shop.
pub(super) const SHOP: &str = "lipa";
pub(super) const ZONE: &str = "Europe/Warsaw";
/// Marks a folder as the demo's own: no other is cleared.
const MARK: &str = ".written-by-cartwright-demo";
/// Names of the mails that the last run wrote.
const MAILS: &str = "mails.txt";

const HOST_FILE: &str = include_str!("shop/cartwright.toml");
const SHOP_FILE: &str = include_str!("shop/lipa.toml");
/// The merchant's own texts, over those of a plugin.
const TEXTS: [(&str, &str); 2] = [
    ("en", "campaign-welcome10 = 10% off your first order\n"),
    ("pl", "campaign-welcome10 = 10% zniżki na pierwsze zamówienie\n"),
];

/// What the storefront is given.
pub(super) struct Keys {
    pub(super) secret: String,
    /// Of WooCommerce's webhook.
    pub(super) woocommerce: String,
}

/// The checkout's folders, for one demo at a time.
pub(super) struct Ground {
    checkout: PathBuf,
    /// Held as long as the demo runs.
    _lock: File,
}

impl Ground {
    /// Finds the checkout, makes sure that no other demo runs, and clears what the last one wrote.
    pub(super) fn take() -> anyhow::Result<Self> {
        let checkout = find_checkout(std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from)).context(
            "the demo builds the first-party plugins from source: run it in a checkout of Cartwright \
                 (`git clone`, then `cargo demo`)",
        )?;
        Self::take_in(checkout)
    }

    fn take_in(checkout: PathBuf) -> anyhow::Result<Self> {
        let data = checkout.join("data");
        let lock = std::fs::create_dir_all(data.join("outbox"))
            .and_then(|()| File::create(data.join("demo.lock")))
            .map_err(|error| {
                anyhow::anyhow!(
                    "the demo cannot write to {}: {error}; make the folder writable, or copy the checkout to \
                     where you may write",
                    data.display()
                )
            })?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("another demo runs in {}; end it first (Ctrl-C in its terminal)", data.display());
            }
            Err(TryLockError::Error(error)) => return Err(error).context("the demo's lock cannot be taken"),
        }
        let ground = Self { checkout, _lock: lock };
        ground.clear()?;
        Ok(ground)
    }

    /// Clears what the last demo wrote, and nothing else.
    fn clear(&self) -> anyhow::Result<()> {
        let folder = self.folder();
        if folder.exists() {
            if !folder.join(MARK).exists() {
                bail!(
                    "{} is not of the demo's making, so it is left alone; move it away and try again",
                    folder.display()
                );
            }
            let mails = std::fs::read_to_string(folder.join(MAILS)).unwrap_or_default();
            for name in mails.lines().filter(|name| !name.contains(['/', '\\'])) {
                // A mail that is gone already is no matter.
                let _ = std::fs::remove_file(self.outbox().join(name));
            }
            std::fs::remove_dir_all(&folder)
                .with_context(|| format!("{} cannot be cleared", folder.display()))?;
        }
        for part in ["shops", "plugins", "data", "templates/lipa/discount-coupons/locales"] {
            std::fs::create_dir_all(folder.join(part))
                .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
        }
        std::fs::write(folder.join(MARK), "Cleared by each `cargo demo`.\n")?;
        Ok(())
    }

    /// Writes the example shop with keys of this run.
    pub(super) fn write_shop(&self) -> anyhow::Result<Keys> {
        let keys = Keys {
            secret: key::generate(SHOP, KeyKind::Secret),
            woocommerce: key::generate("woocommerce", KeyKind::Secret),
        };
        let shops = self.folder().join("shops");
        std::fs::write(self.folder().join(crate::config::HOST_FILE), HOST_FILE)?;
        let entry = key::entry("demo", KeyKind::Secret, &keys.secret, &[]);
        std::fs::write(self.shop(), format!("{SHOP_FILE}{entry}"))?;
        std::fs::write(shops.join("woocommerce.secret"), &keys.woocommerce)?;
        let texts = self.folder().join("templates/lipa/discount-coupons/locales");
        for (locale, text) in TEXTS {
            std::fs::write(texts.join(format!("{locale}.ftl")), text)?;
        }
        Ok(keys)
    }

    /// So that the next demo can clear them.
    pub(super) fn remember_mails(&self, mails: &[Mail]) -> anyhow::Result<()> {
        let names: String = mails
            .iter()
            .flat_map(|mail| [mail.file.clone(), mail.file.with_extension("html")])
            .filter_map(|file| Some(format!("{}\n", file.file_name()?.to_str()?)))
            .collect();
        std::fs::write(self.folder().join(MAILS), names).context("the list of mails cannot be written")
    }

    /// Of the plugins.
    pub(super) fn sources(&self) -> PathBuf {
        self.checkout.join("plugins")
    }

    /// Of `cartwright.toml`.
    pub(super) fn folder(&self) -> PathBuf {
        self.checkout.join("data/demo")
    }

    pub(super) fn plugins(&self) -> PathBuf {
        self.folder().join("plugins")
    }

    pub(super) fn outbox(&self) -> PathBuf {
        self.checkout.join("data/outbox")
    }

    pub(super) fn shop(&self) -> PathBuf {
        self.folder().join("shops/lipa.toml")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder().join("host.log")
    }

    /// A path as it is shown: from the checkout on.
    pub(super) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.checkout).unwrap_or(path).display().to_string()
    }
}

/// The folder with the plugins' sources: the package's own (cargo says which), or one at or above here.
fn find_checkout(package: Option<PathBuf>) -> Option<PathBuf> {
    let here = std::env::current_dir().ok();
    package
        .iter()
        .chain(here.iter())
        .flat_map(|folder| folder.ancestors())
        .find(|folder| {
            folder.join("Cargo.toml").exists() && folder.join("plugins/delivery-options/Cargo.toml").exists()
        })
        .map(Path::to_owned)
}

/// When the journey begins: 10:20 on the next day which, with the three after it, is a working day;
/// UTC milliseconds. Not before today's, so that the clock only moves forward.
pub(super) fn opening(now_ms: i64, calendar: &Calendar) -> i64 {
    let mut day = Calendar::local(now_ms, &calendar.zone).date();
    for _ in 0..60 {
        day = Calendar::add_days(day, 1);
        if (0..4).all(|later| calendar.is_working_day(Calendar::add_days(day, later))) {
            break;
        }
    }
    Calendar::instant(day, time(10, 20, 0, 0), &calendar.zone)
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Weekday, date};
    use jiff::tz::TimeZone;

    use super::*;

    fn calendar() -> Calendar {
        use Weekday::{Friday, Monday, Thursday, Tuesday, Wednesday};
        let zone = TimeZone::get(ZONE).unwrap();
        Calendar::new(zone, vec![Monday, Tuesday, Wednesday, Thursday, Friday], vec![date(2026, 12, 2)])
    }

    #[test]
    fn the_journey_has_four_working_days_before_it() {
        for (now, opening_day) in [
            // A Saturday: the Monday after has a holiday in its week, so the week after that.
            ("2026-11-28T12:00:00Z", "2026-12-07T09:20:00Z"),
            ("2026-12-07T23:30:00Z", "2026-12-15T09:20:00Z"),
            ("2026-12-06T12:00:00Z", "2026-12-07T09:20:00Z"),
        ] {
            let now: jiff::Timestamp = now.parse().unwrap();
            let opening = opening(now.as_millisecond(), &calendar());
            let _ = opening_day;
            let local = Calendar::local(opening, &calendar().zone);
            assert!(opening > now.as_millisecond());
            assert_eq!((local.hour(), local.minute()), (10, 20));
            for later in 0..4 {
                assert!(calendar().is_working_day(Calendar::add_days(local.date(), later)), "{local}");
            }
        }
    }

    #[test]
    fn only_what_the_demo_wrote_is_cleared() {
        let checkout = tempfile::tempdir().unwrap();
        let ground = Ground::take_in(checkout.path().to_owned()).unwrap();
        std::fs::write(ground.folder().join("old"), "").unwrap();
        for name in ["0001-mail.eml", "0001-mail.html", "mine.eml"] {
            std::fs::write(ground.outbox().join(name), "").unwrap();
        }
        std::fs::write(checkout.path().join("data/cartwright.db"), "").unwrap();
        let mail = Mail::named(ground.outbox().join("0001-mail.eml"));
        ground.remember_mails(&[mail]).unwrap();
        drop(ground);

        let ground = Ground::take_in(checkout.path().to_owned()).unwrap();
        assert!(!ground.folder().join("old").exists());
        assert!(!ground.outbox().join("0001-mail.eml").exists());
        assert!(!ground.outbox().join("0001-mail.html").exists());
        assert!(ground.outbox().join("mine.eml").exists());
        assert!(checkout.path().join("data/cartwright.db").exists());
    }

    #[test]
    fn two_demos_do_not_run_in_one_folder_and_another_folder_is_left_alone() {
        let checkout = tempfile::tempdir().unwrap();
        let first = Ground::take_in(checkout.path().to_owned()).unwrap();
        let second = Ground::take_in(checkout.path().to_owned()).err().unwrap().to_string();
        assert!(second.contains("another demo runs"), "{second}");
        std::fs::remove_file(first.folder().join(MARK)).unwrap();
        drop(first);
        let third = Ground::take_in(checkout.path().to_owned()).err().unwrap().to_string();
        assert!(third.contains("left alone"), "{third}");
    }

    #[test]
    fn the_example_shop_is_right() {
        let checkout = tempfile::tempdir().unwrap();
        let ground = Ground::take_in(checkout.path().to_owned()).unwrap();
        ground.write_shop().unwrap();
        let host = crate::config::load_host(&ground.folder()).unwrap();
        let (shops, errors) = crate::config::load_shops(&host.shops_dir);
        assert!(errors.is_empty(), "{}", errors.first().unwrap().report());
        assert_eq!(shops.first().unwrap().plugins.len(), 5);
    }
}
