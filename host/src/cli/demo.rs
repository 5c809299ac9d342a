//! `cartwright demo`: the plugins are built from source, a host is started as `serve` starts it, and one
//! customer's journey is played over HTTP. Nothing is faked; only the clock is moved.

mod answer;
mod ground;
mod journey;
mod mails;
mod screen;
mod storefront;
mod woocommerce;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use jiff::tz::TimeZone;

use super::plugin::Bar;
use super::{Ending, package};
use crate::config::LogConfig;
use crate::config::calendar::Calendar;
use crate::domain::Clock;
use crate::serve::{Host, StartOptions, telemetry};
use ground::Ground;
use journey::Journey;
use screen::Screen;
use storefront::Storefront;

/// See a whole order's life: from the product page to the day after delivery
///
/// Builds the first-party plugins from source, starts a host on a fresh folder (data/demo) with an
/// example shop, and plays one customer's journey over HTTP: product page, cart, checkout, a signed
/// WooCommerce webhook, dispatch, delivery, and the day after. Shows each answer and each mail; the
/// mails are kept in data/outbox. Then it stays up, for you to try.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo demo               in a checkout: build, play, stay up until Ctrl-C
  cargo demo -- --once     the same as a test: ends with 0 when each step did what it should

Needs rustup, for the plugins are compiled to WebAssembly.")]
pub struct Arguments {
    /// End after the journey: 0 when each step did what it should, else 1 and the step that failed.
    #[arg(long)]
    once: bool,
    /// Where to listen; without, on a free port.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

pub fn run(arguments: &Arguments) -> Ending {
    let screen = Screen::new();
    let ground = Ground::take()?;
    screen.title("Cartwright: an order's life, played against a real host");

    screen.line("");
    screen.line("Building the first-party plugins from source");
    if package::ensure_target()? {
        screen.line("  added the WebAssembly target to the toolchain");
    }
    let bar = Bar::new();
    let built = package::build_all(&ground.sources(), &ground.plugins(), &mut |progress| bar.show(&progress));
    bar.clear();
    let built = built?;
    let bytes = built.iter().map(|plugin| plugin.bytes).sum();
    screen.line(&format!("  {} components, {} in all", built.len(), super::plugin::size(bytes)));

    let log = std::fs::File::create(ground.log()).context("the demo's log cannot be written")?;
    telemetry::log(&LogConfig::default(), Some(log))?;
    let keys = ground.write_shop()?;
    super::runtime()?.block_on(play(arguments, &ground, keys, &screen))
}

async fn play(arguments: &Arguments, ground: &Ground, keys: ground::Keys, screen: &Screen) -> Ending {
    let zone = TimeZone::get(ground::ZONE)?;
    let clock = Clock::default();
    let now = clock.now_ms();
    clock.advance(ground::opening(now, &calendar(ground, &zone)?).saturating_sub(now));

    let options =
        StartOptions { listen: Some(arguments.listen), clock: clock.clone(), ..StartOptions::default() };
    let host = Host::start(&ground.folder(), options).await?;
    let snapshot = host.registry().current();
    let live = snapshot.shops.get(ground::SHOP).map_or(0, |shop| shop.plugins.len());
    screen.line("");
    screen.line(&format!(
        "A host listens on http://{}, with {live} plugins in the shop `lipa`",
        host.address()
    ));
    screen.line(&format!(
        "Its clock is moved to {}, so that each run meets the same hours",
        screen::moment(clock.now_ms(), &zone)
    ));
    for problem in &snapshot.problems {
        screen.trouble(&problem.message);
    }

    let storefront = Storefront::new(host.address(), &keys)?;
    let mut journey = Journey::new(&host, storefront, ground, screen, zone);
    let outcome = journey.play().await;
    ground.remember_mails(journey.mails())?;
    if let Err(error) = outcome {
        journey.fail(&format!("{error:#}"));
    }
    let failures = journey.failures();
    screen.line("");
    for failure in failures {
        screen.trouble(failure);
    }
    if failures.is_empty() {
        screen.success(&format!(
            "Every step did what it should: {} steps, {} mails",
            journey.steps(),
            journey.mails().len()
        ));
    }
    let code = if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if !arguments.once {
        screen.block(&farewell(&host, &keys, ground, journey.mails()));
        super::serve::stop_signal().await?;
        screen.line("");
        screen.line("Stopping.");
    }
    tokio::time::timeout(Duration::from_secs(30), host.stop())
        .await
        .context("the host did not stop within 30 s")??;
    Ok(if arguments.once { code } else { ExitCode::SUCCESS })
}

fn calendar(ground: &Ground, zone: &TimeZone) -> anyhow::Result<Calendar> {
    let shop = crate::config::load_shop(&ground.shop())?;
    use jiff::civil::Weekday::{Friday, Monday, Thursday, Tuesday, Wednesday};
    Ok(Calendar::new(zone.clone(), vec![Monday, Tuesday, Wednesday, Thursday, Friday], shop.holidays))
}

/// What to open and what to try.
fn farewell(host: &Host, keys: &ground::Keys, ground: &Ground, mails: &[mails::Mail]) -> String {
    let base = format!("http://{}", host.address());
    let mut places = super::terminal::Table::default();
    places.row(["API page", &format!("{base}/docs")]);
    places.row(["Metrics", &format!("{base}/metrics")]);
    places.row(["Shop's file", &ground.shop().display().to_string()]);
    places.row(["Log", &ground.log().display().to_string()]);
    for (index, mail) in mails.iter().enumerate() {
        let page = format!("file://{}", mail.file.with_extension("html").display());
        places.row([if index == 0 { "Mails" } else { "" }, &page]);
    }
    let question = storefront::cart_question("pl", "WELCOME10");
    format!(
        "The host stays up until Ctrl-C. To open:\n{}\n\
         To try, in Polish this time:\n  \
         curl -s {base}/v1/hooks/cart \\\n    \
         -H 'Authorization: Bearer {}' -H 'Content-Type: application/json' \\\n    \
         -d '{question}'\n\n\
         Then change the shop's file, save, and ask again: it is live at once.",
        places.lines("  ", |_, cell| cell.to_owned()),
        keys.secret,
    )
}
