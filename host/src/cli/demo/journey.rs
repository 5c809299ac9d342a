//! One customer's journey, step by step, with what each step must bring.

mod after;
mod before;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::tz::TimeZone;
use serde_json::Value;

use super::ground::Ground;
use super::mails::{Mail, Outbox};
use super::screen::{self, Screen};
use super::storefront::{Reply, Storefront};
use super::woocommerce::Sale;
use crate::serve::Host;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// Mails are waited for so long in all; the worker and the courier run on their own.
const MAIL_PATIENCE: Duration = Duration::from_secs(10);
const MAIL_LOOK: Duration = Duration::from_millis(50);

pub(super) struct Journey<'a> {
    host: &'a Host,
    storefront: Storefront,
    ground: &'a Ground,
    screen: &'a Screen,
    zone: TimeZone,
    steps: usize,
    /// Of the step that is under way.
    title: String,
    mails: Vec<Mail>,
    failures: Vec<String>,
    /// What the checkout came to.
    sale: Option<Sale>,
}

impl<'a> Journey<'a> {
    pub(super) fn new(
        host: &'a Host,
        storefront: Storefront,
        ground: &'a Ground,
        screen: &'a Screen,
        zone: TimeZone,
    ) -> Self {
        Self {
            host,
            storefront,
            ground,
            screen,
            zone,
            steps: 0,
            title: String::new(),
            mails: Vec::new(),
            failures: Vec::new(),
            sale: None,
        }
    }

    /// Plays all steps. An error: a step after which the next has no sense.
    pub(super) async fn play(&mut self) -> anyhow::Result<()> {
        let mut outbox = Outbox::open(self.ground.outbox())?;
        self.catalogue().await?;
        self.customers().await?;
        self.earlier_orders().await?;
        self.product_page().await?;
        self.cart().await?;
        self.checkout().await?;
        self.order(&mut outbox).await?;
        self.forgotten_something(&mut outbox).await?;
        self.shipped(&mut outbox).await?;
        self.on_the_road(&mut outbox).await?;
        self.delivered(&mut outbox).await?;
        self.day_after(&mut outbox).await?;
        self.order_status().await
    }

    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    pub(super) fn mails(&self) -> &[Mail] {
        &self.mails
    }

    pub(super) fn failures(&self) -> &[String] {
        &self.failures
    }

    /// Notes that the step under way did not do what it should.
    pub(super) fn fail(&mut self, what: &str) {
        self.failures.push(format!("step {}, {}: {what}", self.steps, self.title));
    }

    fn step(&mut self, title: &str) {
        self.steps = self.steps.saturating_add(1);
        title.clone_into(&mut self.title);
        let clock = screen::moment(self.host.clock().now_ms(), &self.zone);
        self.screen.step(self.steps, title, &clock);
    }

    /// Shows the request; anything but the expected status ends the journey.
    fn answered(&self, reply: Reply, expected: &[u16]) -> anyhow::Result<Value> {
        self.screen.request(&reply.request, &reply.outcome());
        if !expected.contains(&reply.status) {
            bail!("{} answered {}: {}", reply.request, reply.status, reply.problem());
        }
        Ok(reply.body)
    }

    fn check(&mut self, holds: bool, what: &str) {
        self.screen.check(holds, what);
        if !holds {
            self.fail(&format!("not so: {what}"));
        }
    }

    /// Moves the clock, does what falls due, and says so.
    async fn later(&mut self, milliseconds: i64) -> anyhow::Result<()> {
        self.host.clock().advance(milliseconds);
        self.host.lifecycle().wake();
        self.host.settle().await
    }

    /// Moves the clock to a time of day, on this day or so many days later.
    async fn until(&mut self, days: i32, hour: i8, minute: i8) -> anyhow::Result<()> {
        let now = self.host.clock().now_ms();
        let day = crate::config::calendar::Calendar::local(now, &self.zone).date();
        let day = crate::config::calendar::Calendar::add_days(day, days);
        let time = jiff::civil::Time::new(hour, minute, 0, 0)?;
        let then = crate::config::calendar::Calendar::instant(day, time, &self.zone);
        if then < now {
            bail!("the clock would go back");
        }
        self.later(then - now).await
    }

    /// Does the work, then waits for a mail of each of these templates, shows what came and checks that
    /// nothing else did.
    async fn expect_mails(&mut self, outbox: &mut Outbox, slugs: &[&str]) -> anyhow::Result<()> {
        self.host.settle().await?;
        let mut arrived = Vec::new();
        let deadline = tokio::time::Instant::now() + MAIL_PATIENCE;
        loop {
            arrived.extend(outbox.arrived()?);
            let missing = slugs.iter().any(|slug| !arrived.iter().any(|mail: &Mail| mail.is(slug)));
            if !missing || tokio::time::Instant::now() > deadline {
                break;
            }
            tokio::time::sleep(MAIL_LOOK).await;
        }
        for mail in &arrived {
            self.screen.mail(mail, &self.ground.shown(&mail.file));
        }
        for slug in slugs {
            let came = arrived.iter().filter(|mail| mail.is(slug)).count();
            self.check(came == 1, &format!("one mail `{slug}` has arrived"));
        }
        let others: Vec<String> = arrived
            .iter()
            .filter(|mail| !slugs.iter().any(|slug| mail.is(slug)))
            .map(|mail| self.ground.shown(&mail.file))
            .collect();
        if !others.is_empty() {
            self.check(false, &format!("no other mail ({})", others.join(", ")));
        }
        let lacking: Vec<String> = arrived
            .iter()
            .filter(|mail| !Path::exists(&mail.file.with_extension("html")) || mail.to != "ania@mail.example")
            .map(|mail| self.ground.shown(&mail.file))
            .collect();
        if !lacking.is_empty() {
            self.check(false, &format!("each mail is for Ania and has its page ({})", lacking.join(", ")));
        }
        self.mails.extend(arrived);
        Ok(())
    }

    /// Reports an event, shows how the plugins did, and checks that all are done.
    async fn event(&mut self, hook: &str, id: &str, event: &Value) -> anyhow::Result<()> {
        let reply = self.storefront.tell(hook, id, event).await?;
        let receipt = self.answered(reply, &[200, 202])?;
        let jobs = super::answer::list(&receipt, "jobs");
        let undone: Vec<String> = jobs
            .iter()
            .filter(|job| super::answer::text(job, "state") != "done")
            .map(|job| {
                let word = |name: &str| super::answer::text(job, name);
                format!("{}: {} {}", word("plugin"), word("state"), word("fault")).trim().to_owned()
            })
            .collect();
        let mut plugins: Vec<String> = jobs.iter().map(|job| super::answer::text(job, "plugin")).collect();
        plugins.sort();
        if undone.is_empty() && !plugins.is_empty() {
            self.check(true, &format!("done by {}", plugins.join(", ")));
        } else if undone.is_empty() {
            self.check(false, "a plugin has heard of it");
        } else {
            self.check(false, &format!("every plugin is done ({})", undone.join("; ")));
        }
        Ok(())
    }

    fn sale(&self) -> anyhow::Result<&Sale> {
        self.sale.as_ref().context("the checkout sold nothing")
    }
}
