//! Claiming: jobs are leased to one worker at a time, shops in rotation.

use std::collections::VecDeque;

use sqlx::{AssertSqlSafe, Row as _};

use super::dialect::Dialect;
use super::writer::Tx;
use super::{Result, Store, heads};

/// Plugins with due jobs that are looked at, at a time.
const LANES: usize = 128;

/// Behind every name.
const LAST: &str = "\u{10ffff}";

/// A leased job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    pub id: String,
    pub shop: String,
    pub plugin: String,
    pub hook: String,
    pub event_id: String,
    /// Grows with each claim: what was done under an older one cannot commit.
    pub lease_token: i64,
    /// Failed ones.
    pub attempts: i64,
    /// The clock of its calls, so that each attempt sees the same time.
    pub created_at: i64,
}

/// What may be claimed.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Shops and their live plugins.
    pub live: std::sync::Arc<std::collections::BTreeMap<String, Vec<String>>>,
    /// The shop that was served last: the next one comes first.
    pub after: String,
    pub limit: usize,
    /// Of each shop.
    pub per_shop: usize,
    pub now_ms: i64,
    pub lease_until: i64,
}

impl Store {
    /// The shop whose job ended last.
    pub async fn served_last(&self) -> Result<Option<String>> {
        let row = sqlx::query("SELECT shop FROM jobs_history ORDER BY finished_at DESC LIMIT 1")
            .fetch_optional(&self.inner.reads)
            .await?;
        row.map(|row| Ok(row.try_get(0)?)).transpose()
    }

    /// Leases eligible jobs, shops in rotation. Gives them and the shop that was served last.
    pub async fn claim(&self, claim: Claim) -> Result<(Vec<Claimed>, String)> {
        let (mut claimed, mut served) = (Vec::new(), claim.after.clone());
        if claim.limit == 0 || !self.is_any_due(claim.now_ms).await? {
            return Ok((claimed, served));
        }
        let mut round = Round::behind(&claim.after);
        while claimed.len() < claim.limit {
            let limit = claim.limit.saturating_sub(claimed.len());
            match self.claim_some(&mut round, &claim, limit).await {
                Ok(Some((jobs, last))) => {
                    claimed.extend(jobs);
                    served = last;
                }
                Ok(None) => break,
                // Those that are claimed are done.
                Err(_) if !claimed.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok((claimed, served))
    }

    async fn is_any_due(&self, now_ms: i64) -> Result<bool> {
        let row = sqlx::query("SELECT MIN(run_after + 0) FROM jobs WHERE state IN ('waiting', 'failed')")
            .fetch_one(&self.inner.reads)
            .await?;
        Ok(row.try_get::<Option<i64>, _>(0)?.is_some_and(|first| first <= now_ms))
    }

    /// `None`: the round is over.
    async fn claim_some(
        &self,
        round: &mut Round,
        claim: &Claim,
        limit: usize,
    ) -> Result<Option<(Vec<Claimed>, String)>> {
        // Looking is free; the writer is not. What comes in meanwhile is announced.
        let due = self.some_due(round, claim.now_ms).await?;
        let Some(last) = due.last().map(|(shop, _)| shop.clone()) else { return Ok(None) };
        let part = Part { claim: claim.clone(), due, limit };
        let me = (self.inner.dialect, self.inner.host.clone());
        let (jobs, full) =
            self.write((me, part), |tx, (me, part)| Box::pin(claim_part(tx, me, part))).await?;
        Ok(Some((jobs, full.unwrap_or(last))))
    }

    /// The round's next shops with due jobs, each with the plugins that have some.
    async fn some_due(&self, round: &mut Round, now_ms: i64) -> Result<Vec<DueShop>> {
        while !round.over {
            let mut due = self.due_lanes(&round.from, now_ms).await?;
            let mut more = due.len() >= LANES;
            if round.wrapped && !round.after.is_empty() {
                more &= due.last().is_some_and(|lane| lane.shop <= round.after);
                due.retain(|lane| lane.shop <= round.after);
            }
            let mut shops: Vec<DueShop> = Vec::new();
            for lane in due {
                match shops.last_mut() {
                    Some((shop, lanes)) if *shop == lane.shop => lanes.push(lane),
                    _ => shops.push((lane.shop.clone(), vec![lane])),
                }
            }
            if more && shops.len() > 1 {
                // Not all of its plugins are seen: it is the next one's first.
                shops.pop();
            }
            round.goes_on(shops.last().filter(|_| more));
            if !shops.is_empty() {
                return Ok(shops);
            }
        }
        Ok(Vec::new())
    }

    async fn due_lanes(&self, from: &(String, String), now_ms: i64) -> Result<Vec<DueLane>> {
        let text =
            heads::JOBS.heads("SELECT shop, plugin, run_after FROM head WHERE run_after <= $3 LIMIT $4");
        sqlx::query(AssertSqlSafe(text))
            .bind(&from.0)
            .bind(&from.1)
            .bind(now_ms)
            .bind(i64::try_from(LANES).unwrap_or(i64::MAX))
            .fetch_all(&self.inner.reads)
            .await?
            .iter()
            .map(|row| Ok(DueLane { shop: row.try_get(0)?, plugin: row.try_get(1)?, since: row.try_get(2)? }))
            .collect()
    }
}

/// Once around all shops, beginning behind one.
struct Round {
    after: String,
    /// The shop and the plugin that were seen last.
    from: (String, String),
    wrapped: bool,
    over: bool,
}

impl Round {
    fn behind(shop: &str) -> Self {
        let from = (shop.to_owned(), LAST.to_owned());
        Self { after: shop.to_owned(), from, wrapped: shop.is_empty(), over: false }
    }

    /// `last`: where it goes on, when there may be more behind it.
    fn goes_on(&mut self, last: Option<&DueShop>) {
        match last.and_then(|(shop, lanes)| Some((shop.clone(), lanes.last()?.plugin.clone()))) {
            Some(last) => self.from = last,
            None if self.wrapped => self.over = true,
            None => {
                self.wrapped = true;
                self.from = (String::new(), String::new());
            }
        }
    }
}

/// A plugin of a shop that has due jobs.
struct DueLane {
    shop: String,
    plugin: String,
    /// When the first of them became due.
    since: i64,
}

type DueShop = (String, Vec<DueLane>);

struct Part {
    claim: Claim,
    due: Vec<DueShop>,
    limit: usize,
}

/// And the shop at which there was no more to take, if there was.
async fn claim_part(
    tx: &mut Tx,
    me: &(Dialect, String),
    part: &Part,
) -> Result<(Vec<Claimed>, Option<String>)> {
    let Part { claim, due, limit } = part;
    let mut claimed = Vec::new();
    for (shop, lanes) in due {
        let Some(live) = claim.live.get(shop) else { continue };
        let mut lanes: Vec<&DueLane> = lanes.iter().filter(|lane| live.contains(&lane.plugin)).collect();
        lanes.sort_by_key(|lane| lane.since);
        let limit = claim.per_shop.min(limit.saturating_sub(claimed.len()));
        let plugins = lanes.into_iter().map(|lane| lane.plugin.as_str()).collect();
        claimed.extend(claim_shop(tx, me, claim, shop, plugins, limit).await?);
        if claimed.len() >= part.limit {
            return Ok((claimed, Some(shop.clone())));
        }
    }
    Ok((claimed, None))
}

/// Each plugin in turn gets its share, and what others leave of theirs: the many jobs of one do not stand before the
/// few of another.
async fn claim_shop(
    tx: &mut Tx,
    me: &(Dialect, String),
    claim: &Claim,
    shop: &str,
    mut plugins: VecDeque<&str>,
    limit: usize,
) -> Result<Vec<Claimed>> {
    let mut claimed: Vec<Claimed> = Vec::new();
    while claimed.len() < limit && !plugins.is_empty() {
        let left = limit.saturating_sub(claimed.len());
        let asked: Vec<&str> = plugins.drain(..left.min(plugins.len())).collect();
        let share = left / asked.len().max(1);
        let jobs = claim_of(tx, me, claim, shop, &asked, share).await?;
        let of = |plugin: &str| jobs.iter().filter(|job| job.plugin == plugin).count();
        plugins.extend(asked.into_iter().filter(|plugin| of(plugin) >= share));
        claimed.extend(jobs);
    }
    Ok(claimed)
}

async fn claim_of(
    tx: &mut Tx,
    (dialect, host): &(Dialect, String),
    claim: &Claim,
    shop: &str,
    plugins: &[&str],
    each: usize,
) -> Result<Vec<Claimed>> {
    let mut query = sqlx::query(AssertSqlSafe(dialect.claim(plugins.len())))
        .bind(claim.lease_until)
        .bind(shop)
        .bind(claim.now_ms)
        .bind(i64::try_from(each).unwrap_or(i64::MAX))
        .bind(host);
    for plugin in plugins {
        query = query.bind(*plugin);
    }
    query
        .fetch_all(tx.connection())
        .await?
        .iter()
        .map(|row| {
            Ok(Claimed {
                id: row.try_get(0)?,
                shop: shop.to_owned(),
                plugin: row.try_get(1)?,
                hook: row.try_get(2)?,
                event_id: row.try_get(3)?,
                lease_token: row.try_get(4)?,
                attempts: row.try_get(5)?,
                created_at: row.try_get(6)?,
            })
        })
        .collect()
}
