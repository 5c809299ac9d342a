//! `cartwright template preview`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::Ending;
use super::terminal::Paint;
use crate::domain::Clock;
use crate::messages::preview::preview;
use crate::plugins::registry::{LiveShop, Registry};

/// Look at the mails that customers get
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Preview(Preview),
}

/// Render a template with a sample order, to look at it in a browser
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cartwright template preview --shop lipa --plugin order-updates confirmation
  cartwright template preview --shop lipa --plugin order-updates confirmation --locale pl -o mail.html")]
pub struct Preview {
    /// The template: its file's name without .html.
    template: String,
    /// The shop: the name of its file without .toml.
    #[arg(long)]
    shop: String,
    /// The plugin whose template it is, by its name in the shop's file.
    #[arg(long)]
    plugin: String,
    /// Without, the shop's first language.
    #[arg(long)]
    locale: Option<String>,
    /// Where the page goes; without, `preview.html` here.
    #[arg(short, long, value_name = "FILE", default_value = "preview.html")]
    output: PathBuf,
    /// Print the text part instead.
    #[arg(long)]
    text: bool,
}

pub fn run(folder: &Path, command: &Command) -> Ending {
    let Command::Preview(arguments) = command;
    let snapshot = super::runtime()?.block_on(Registry::open(folder))?.current();
    let Some(shop) = snapshot.shops.get(&arguments.shop) else {
        if let Some(problem) =
            snapshot.problems.iter().find(|problem| problem.shop.as_ref() == Some(&arguments.shop))
        {
            bail!("the shop `{}` is not right: {}", arguments.shop, problem.message);
        }
        let shops: Vec<&str> = snapshot.shops.keys().map(String::as_str).collect();
        bail!("there is no shop `{}`; the shops are: {}", arguments.shop, shops.join(", "));
    };
    known_template(shop, &arguments.plugin, &arguments.template)?;
    let mail = preview(
        shop,
        &arguments.plugin,
        &arguments.template,
        arguments.locale.as_deref(),
        Clock::default().now_ms(),
    )
    .map_err(anyhow::Error::msg)?;
    let paint = Paint::for_output();
    if arguments.text {
        super::print(&format!("{}\n\n{}", paint.title(&mail.subject), mail.text))?;
    } else {
        std::fs::write(&arguments.output, &mail.html)
            .with_context(|| format!("{} cannot be written", arguments.output.display()))?;
        let page = std::path::absolute(&arguments.output)?;
        super::print(&format!("{}\nfile://{}", paint.title(&mail.subject), page.display()))?;
    }
    for remark in &mail.remarks {
        super::print(&format!("{} {remark}", paint.doubtful("!")))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// An error that names what there is.
fn known_template(shop: &LiveShop, plugin: &str, template: &str) -> anyhow::Result<()> {
    let Some(live) = shop.plugins.iter().find(|live| live.entry.name == plugin) else {
        let names: Vec<&str> = shop.plugins.iter().map(|live| live.entry.name.as_str()).collect();
        bail!("no plugin `{plugin}` is live in the shop; there are: {}", names.join(", "));
    };
    let templates: Vec<&str> = live
        .plugin
        .manifest
        .assets
        .keys()
        .filter_map(|path| path.strip_prefix("templates/")?.strip_suffix(".html"))
        // Parts of others, not mails of their own.
        .filter(|name| !name.starts_with('_'))
        .collect();
    if !templates.contains(&template) {
        bail!("the plugin `{plugin}` has no template `{template}`; it has: {}", templates.join(", "));
    }
    Ok(())
}
