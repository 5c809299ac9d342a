//! How the plugins' answers become one answer.

pub mod answer;
mod asked;
pub mod cart;
mod coupons;
pub mod explain;
mod facts;
mod fallback;
mod finish;
mod last_good;
pub mod merge;
mod meters;
mod offers;
mod product_page;
pub mod quote;
mod report;
pub mod stages;
#[cfg(any(test, feature = "fuzzing"))]
mod stand_ins;
pub mod totals;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod trials;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, timeout_at};
use utoipa::ToSchema;

pub use answer::{Answer, MessageContent};

use crate::config::Budgets;
use crate::domain::{Cart, Clock, DecisionHook, Hook, ReadError, Reads};
use crate::plugins::call::Input;
use crate::plugins::registry::{LiveShop, Snapshot};
use crate::store::{Store, StoreError};
use answer::Sections;
use asked::Asked;
use explain::Trace;
use facts::Facts;
use finish::Finish;
use merge::{merge_content, recommended};
use offers::contributions;
use report::{Filled, Report};
use stages::{Caller, Course, Stages};

/// A question of a storefront, authenticated and parsed.
#[derive(Clone)]
pub struct Question {
    pub hook: DecisionHook,
    /// Pinned for the whole question.
    pub snapshot: Arc<Snapshot>,
    /// Of the same snapshot.
    pub shop: Arc<LiveShop>,
    /// Asked with a secret key. Without one, an order is shown only to its own customer, and warnings
    /// tell no details.
    pub secret: bool,
    /// A product page has a cart of one line; without a cart the host makes one of `product`.
    pub cart: Option<Cart>,
    pub product: Option<String>,
    pub order_id: Option<String>,
    /// Named by a secret key or by a customer token.
    pub customer_id: Option<String>,
    /// BCP 47 or Accept-Language.
    pub locale: Option<String>,
    /// IANA; the customer's, else the shop's.
    pub zone: Option<String>,
    /// Ids of products looked at, newest first.
    pub viewed: Vec<String>,
    /// Only a secret key may ask for it; the caller checks.
    pub explain: bool,
    pub request_id: String,
}

/// One thing that is wrong with a question, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, thiserror::Error)]
#[error("{field}: {what}")]
pub struct FieldProblem {
    /// E.g. `cart.lines[2].quantity`.
    pub field: String,
    /// What is wrong and what to do.
    pub what: String,
}

/// Why there is no answer; all else is an answer with warnings.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// Never empty.
    #[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid { problems: Vec<FieldProblem> },
    #[error("no order `{0}`")]
    NoSuchOrder(String),
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

/// Without a better reason, an answer holds for so long, ms.
const ANSWER_HOLDS: i64 = 5 * 60 * 1_000;

/// An answer without all plugins should be asked for again soon, ms.
const PARTIAL_HOLDS: i64 = 15 * 1_000;

/// What the content of a mail may take, ms: nobody waits for it.
const MESSAGE_BUDGET: u32 = 1_000;

/// Beyond the budget, to look up what plugins recommend: nearly always it is in memory.
const CATALOGUE: Duration = Duration::from_millis(50);

/// Answers decision hooks. Cheap to clone.
#[derive(Clone)]
pub struct Decider {
    stages: Stages,
    facts: Arc<dyn Facts>,
    reads: Arc<dyn Reads>,
    clock: Clock,
    quote_key: Arc<[u8; 32]>,
}

impl Decider {
    /// `quote_key` signs quotes.
    #[must_use]
    pub fn new(caller: Arc<dyn Caller>, store: Store, clock: Clock, quote_key: Arc<[u8; 32]>) -> Self {
        Self::over(caller, Arc::new(store.clone()), Arc::new(store), clock, quote_key)
    }

    fn over(
        caller: Arc<dyn Caller>,
        facts: Arc<dyn Facts>,
        reads: Arc<dyn Reads>,
        clock: Clock,
        quote_key: Arc<[u8; 32]>,
    ) -> Self {
        Self { stages: Stages::new(caller), facts, reads, clock, quote_key }
    }

    /// Never an error because of a plugin: what fails or is late is left out, and named in the warnings.
    pub async fn decide(&self, question: Question) -> Result<Answer, DecideError> {
        let started = Instant::now();
        let (hook, secret, explain) = (question.hook, question.secret, question.explain);
        let snapshot = Arc::clone(&question.snapshot);
        let budget_ms = budget(&snapshot.host.budgets, hook);
        let asked = Asked::of(question, self.facts.as_ref(), self.reads.as_ref(), self.clock.now_ms());
        let asked = within(asked, started, budget_ms).await?;
        let course = self.course(&asked, snapshot.generation, started, budget_ms);

        let offers = async {
            let basket = asked.basket.as_ref()?;
            Some(offers::run(&self.stages, &asked, basket, &course, hook.stages()).await)
        };
        let (offered, filled) = futures::join!(offers, self.fill(&asked, &course, hook.name()));

        let now_ms = asked.reader.now_ms;
        let finish = self.finish(&asked);
        let cart = asked.basket.as_ref().map(|basket| basket.cart.as_ref());
        let (recommendations, notices, blocks) = finish.content(&filled.content);
        let mut answer = Answer {
            locale: asked.reader.locale.clone(),
            currency: asked.reader.currency.clone(),
            exponent: asked.reader.exponent,
            delivery_options: Vec::new(),
            discounts: Vec::new(),
            totals: None,
            payments: Vec::new(),
            recommendations,
            notices,
            blocks,
            refusals: Vec::new(),
            codes: Vec::new(),
            sections: Sections::default(),
            warnings: Vec::new(),
            valid_until: now_ms,
            explain: None,
        };
        if let (Some(offered), Some(cart)) = (&offered, cart) {
            // A product page is not bought from: its cart is made up.
            let bought = (hook != DecisionHook::ProductPage).then_some(cart);
            answer.delivery_options = finish.delivery_options(offered, bought);
            answer.discounts = finish.discounts(offered, cart);
            answer.totals = Some(finish.totals(offered));
            answer.payments = finish.payments(&offered.payments);
            answer.refusals = finish.refusals(&offered.refusals);
            answer.codes.clone_from(&offered.codes);
        }
        let report = Report { asked: &asked, offered: offered.as_ref(), filled: &filled };
        answer.sections = report.sections();
        answer.warnings = report.warnings(secret);
        answer.valid_until = valid_until(&asked, &answer, now_ms, finish.quotes_expire);
        if explain {
            answer.explain = Some(report.explanation(snapshot.generation, budget_ms, started.elapsed()));
        }
        meters::count(hook, &answer.sections, started.elapsed());
        Ok(answer)
    }

    /// What fills a mail beside its text: `content` with page `message`. Plugins that fail are left out.
    pub async fn message_content(
        &self,
        snapshot: &Arc<Snapshot>,
        shop: &Arc<LiveShop>,
        customer_id: Option<&str>,
        order_id: Option<&str>,
        locale: Option<&str>,
    ) -> Result<MessageContent, DecideError> {
        let started = Instant::now();
        let (facts, now_ms) = (self.facts.as_ref(), self.clock.now_ms());
        let asked = Asked::of_message(shop, customer_id, order_id, locale, facts, now_ms);
        let asked = within(asked, started, MESSAGE_BUDGET).await?;
        let course = self.course(&asked, snapshot.generation, started, MESSAGE_BUDGET);
        let filled = self.fill(&asked, &course, "message").await;
        let (recommendations, notices, blocks) = self.finish(&asked).content(&filled.content);
        Ok(MessageContent { recommendations, notices, blocks })
    }

    fn course<'a>(&self, asked: &'a Asked, generation: u64, started: Instant, budget_ms: u32) -> Course<'a> {
        Course {
            shop: &asked.shop,
            generation,
            reads: Arc::clone(&self.reads),
            customer_id: asked.customer_id.clone(),
            order_id: asked.order_id.clone(),
            deadline: started + Duration::from_millis(u64::from(budget_ms)),
        }
    }

    fn finish<'a>(&'a self, asked: &'a Asked) -> Finish<'a> {
        let holds = i64::from(asked.shop.config.quote_minutes).saturating_mul(60_000);
        let quotes_expire = asked.reader.now_ms.saturating_add(holds);
        Finish { asked, quote_key: &self.quote_key, quotes_expire }
    }

    /// The `content` stage, which runs beside the others.
    async fn fill(&self, asked: &Asked, course: &Course<'_>, page: &str) -> Filled {
        let input = Input::Content {
            page: page.to_owned(),
            cart: asked.basket.as_ref().map(|basket| Arc::clone(&basket.cart)),
            product: asked.product.clone(),
        };
        let surroundings = Arc::new(asked.surroundings.clone());
        let answered = self.stages.run(course, Hook::Content, &input, &surroundings).await;
        let proposed = contributions(&answered);
        let ids = recommended(&proposed);
        let products = if ids.is_empty() {
            BTreeMap::new()
        } else {
            let found = self.reads.products(&asked.shop.config.id, &ids);
            let found = timeout_at(course.deadline + CATALOGUE, found).await;
            match found.unwrap_or_else(|_| Err(ReadError("it took too long".to_owned()))) {
                Ok(found) => {
                    ids.into_iter().zip(found).filter_map(|(id, found)| Some((id, found?))).collect()
                }
                Err(error) => {
                    tracing::debug!(shop = asked.shop.config.id, %error, "no recommendations: the catalogue did not answer");
                    BTreeMap::new()
                }
            }
        };
        let mut trace = Trace::default();
        let content = merge_content(&proposed, &products, &asked.had(), &asked.shop.config.url, &mut trace);
        Filled { content, answered, trace }
    }
}

/// What the host has to know before it can ask plugins, within the hook's time.
async fn within<T>(
    asked: impl Future<Output = Result<T, DecideError>>,
    started: Instant,
    budget_ms: u32,
) -> Result<T, DecideError> {
    timeout_at(started + Duration::from_millis(u64::from(budget_ms)), asked).await.unwrap_or_else(|_| {
        // One that is slow and does not fail is no trouble that the store would tell of.
        tracing::warn!(
            budget_ms,
            "a question had to be refused: the database did not answer within its time"
        );
        Err(StoreError::Away(format!("it did not answer within the hook's {budget_ms} ms")).into())
    })
}

fn budget(budgets: &Budgets, hook: DecisionHook) -> u32 {
    match hook {
        DecisionHook::ProductPage => budgets.product_page,
        DecisionHook::Cart => budgets.cart,
        DecisionHook::Checkout => budgets.checkout,
        DecisionHook::OrderStatus => budgets.order_status,
    }
}

/// The next cut-off or the end of a coupon, but no longer than the quotes hold; some minutes when there
/// is neither.
fn valid_until(asked: &Asked, answer: &Answer, now_ms: i64, quotes_expire: i64) -> i64 {
    if !answer.warnings.is_empty() {
        return now_ms.saturating_add(PARTIAL_HOLDS);
    }
    let cut_offs = answer.delivery_options.iter().filter_map(|option| option.order_before);
    let coupons = asked.basket.iter().filter_map(|basket| basket.own.expires_at);
    let default = now_ms.saturating_add(ANSWER_HOLDS);
    cut_offs.chain(coupons).min().map_or(default, |first| first.min(quotes_expire)).max(now_ms)
}

#[cfg(test)]
mod tests;
