//! `cartwright jobs`: what is open, what failed and why, and what becomes of it. Asks the running host, which
//! has its database to itself.

mod client;
mod shown;

use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;

use self::client::{Client, Page};
use super::Ending;
use super::terminal::Paint;
use crate::config;
use crate::store::{JobDetails, JobState, JobView};

/// See what plugins still have to do for events, why it failed, and try it again or drop it
///
/// One job is one plugin's work on one event. A job that fails rests and is tried again; after eight attempts
/// it is dead, and waits for you.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "\
Examples:
  cartwright jobs list --state dead          what has failed for good
  cartwright jobs show job_0193…             one job, with each attempt and its cause
  cartwright jobs retry job_0193…            try it again at once
  cartwright jobs drop job_0193… --reason \"the customer was called\"

These commands ask the running host, with a secret key of the shop in CARTWRIGHT_KEY (or --key).")]
pub enum Command {
    List(List),
    Show(Show),
    Retry(Retry),
    Drop(Drop),
}

/// Whom to ask, and as whom.
#[derive(Debug, clap::Args)]
struct Access {
    /// A secret key of the shop. In a variable other users of this machine cannot see it.
    #[arg(long, env = "CARTWRIGHT_KEY", hide_env_values = true)]
    key: Option<String>,
    /// Where the host is, when not at `listen` of cartwright.toml: http://127.0.0.1:8080
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Only if the key is this shop's: a script cannot take one shop for another.
    #[arg(long)]
    shop: Option<String>,
    /// Print JSON, as the host answers it.
    #[arg(long)]
    json: bool,
}

/// List jobs, the newest first: all that are not done and not dropped
#[derive(Debug, clap::Args)]
pub struct List {
    /// Only jobs that are waiting, running, failed (tried again later), dead, done or dropped.
    #[arg(long, value_parser = state)]
    state: Option<JobState>,
    /// Only jobs of this plugin.
    #[arg(long)]
    plugin: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    access: Access,
}

/// Show a job: its event, each failed attempt with its cause, and when it is tried next
#[derive(Debug, clap::Args)]
pub struct Show {
    /// As `jobs list` shows it.
    id: String,
    #[command(flatten)]
    access: Access,
}

/// Try a failed or dead job again at once, its attempts counted from anew
#[derive(Debug, clap::Args)]
pub struct Retry {
    /// As `jobs list` shows it.
    id: String,
    #[command(flatten)]
    access: Access,
}

/// Drop a job: it is never done, and the order's next jobs do not wait for it
///
/// It stays in history as `dropped`, with the key's name and your reason.
#[derive(Debug, clap::Args)]
pub struct Drop {
    /// As `jobs list` shows it.
    id: String,
    /// For whoever looks at it later.
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    access: Access,
}

pub fn run(folder: &Path, command: &Command) -> Ending {
    super::runtime()?.block_on(async {
        match command {
            Command::List(list) => self::list(folder, list).await,
            Command::Show(Show { id, access }) => {
                let job = open(folder, access)?.job(id).await?;
                told(access, &job, shown::job)
            }
            Command::Retry(Retry { id, access }) => {
                let job = open(folder, access)?.retry(id).await?;
                told(access, &job, |job, paint| {
                    format!("{} It waits for its turn now.", paint.name(&job.job.id))
                })
            }
            Command::Drop(Drop { id, reason, access }) => {
                let job = open(folder, access)?.drop(id, reason.as_deref()).await?;
                told(access, &job, |job, paint| {
                    format!("{} It is dropped, and stays in history.", paint.name(&job.job.id))
                })
            }
        }
    })
}

fn state(name: &str) -> Result<JobState, String> {
    JobState::from_name(name)
        .ok_or_else(|| format!("the states are {}", JobState::ALL.map(JobState::name).join(", ")))
}

async fn list(folder: &Path, list: &List) -> Ending {
    let client = open(folder, &list.access)?;
    let mut jobs: Vec<JobView> = Vec::new();
    let mut next = None;
    let wanted = list.limit as usize;
    loop {
        let missing = u32::try_from(wanted.saturating_sub(jobs.len())).unwrap_or(u32::MAX);
        let page: Page = client.jobs(list.state, list.plugin.as_deref(), missing, next.as_deref()).await?;
        jobs.extend(page.jobs);
        next = page.next;
        if next.is_none() || jobs.len() >= wanted {
            break;
        }
    }
    if list.access.json {
        super::print(&serde_json::to_string_pretty(&serde_json::json!({ "jobs": jobs, "next": next }))?)?;
    } else {
        super::print(&shown::table(&jobs, next.is_some(), list.state, Paint::for_output()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn told(access: &Access, job: &JobDetails, words: impl Fn(&JobDetails, Paint) -> String) -> Ending {
    let text = if access.json { serde_json::to_string_pretty(job)? } else { words(job, Paint::for_output()) };
    super::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn open(folder: &Path, access: &Access) -> anyhow::Result<Client> {
    let Some(key) = access.key.as_deref().map(str::trim).filter(|key| !key.is_empty()) else {
        bail!(
            "the host answers only to a secret key of the shop: put one into CARTWRIGHT_KEY, or give --key; \
             `cartwright key create --shop <shop> --kind secret` makes one"
        );
    };
    if let Some(shop) = &access.shop
        && !key.starts_with(&format!("cw_sk_{shop}_"))
    {
        bail!("this is no secret key of the shop `{shop}`: those begin with cw_sk_{shop}_");
    }
    let url = match &access.url {
        Some(url) => url.clone(),
        None => {
            let host = config::load_host(folder)?;
            match (host.tls, host.public_url) {
                (None, _) => client::address(host.listen),
                (Some(_), Some(url)) => url,
                // Its certificate is made out to a name.
                (Some(_), None) => bail!(
                    "the host speaks TLS, so its name is needed: give --url https://<name>, or set public_url in \
                     cartwright.toml"
                ),
            }
        }
    };
    Client::new(&url, key)
}
