//! The gate, watched. Whoever comes to a point waits there until the watch lets it go on; a watch sees when
//! everybody waits, so that between two of its decisions one goes on alone, and the same decisions make the same
//! schedule. A thread without a watch (every other test) goes through as if there were no gate.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt as _, StreamExt as _};
use sqlx::any::{AnyArguments, AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, AssertSqlSafe, Either, Execute, Executor, SqlSafeStr as _, SqlStr};
use tokio::sync::oneshot;

thread_local! {
    static WATCH: RefCell<Option<Arc<Watch>>> = const { RefCell::new(None) };
}

/// One who waits at a point.
pub(crate) struct Stop {
    /// Tasks are numbered in the order in which they come to their first point.
    pub task: usize,
    pub place: String,
    go: oneshot::Sender<()>,
}

impl Stop {
    /// It goes on, alone, to its next point.
    pub(crate) fn go(self) {
        // Fails when it is gone.
        let _ = self.go.send(());
    }
}

/// Stands at the gate of one simulated process.
#[derive(Default)]
pub(crate) struct Watch {
    stops: Mutex<Vec<Stop>>,
    tasks: Mutex<BTreeMap<tokio::task::Id, usize>>,
    /// Statements that the database has.
    in_flight: AtomicUsize,
    quiet: Mutex<Option<Waker>>,
    /// Texts in statements, and what stands there instead: how a rule is broken on purpose.
    breaks: Vec<(&'static str, &'static str)>,
    /// Statements that were broken.
    pub broken: AtomicUsize,
    /// Of all who share the database.
    commits: Arc<AtomicUsize>,
}

impl Watch {
    pub(crate) fn new(breaks: Vec<(&'static str, &'static str)>, commits: Arc<AtomicUsize>) -> Self {
        Self { breaks, commits, ..Self::default() }
    }

    /// A runtime whose only thread this watch sees pause. `paused`: its timers stand still until they are moved.
    pub(crate) fn runtime(self: &Arc<Self>, paused: bool) -> tokio::runtime::Runtime {
        let watch = Arc::clone(self);
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(paused)
            .on_thread_park(move || {
                if watch.in_flight.load(Ordering::SeqCst) == 0
                    && let Some(waker) = watch.quiet.lock().unwrap().take()
                {
                    waker.wake();
                }
            })
            .build()
            .unwrap()
    }

    /// Until nobody can go on: all wait at points, or for each other.
    pub(crate) fn quiet(self: &Arc<Self>) -> Quiet {
        Quiet { watch: Arc::clone(self), begun: false }
    }

    /// In the order in which they came.
    pub(crate) fn stops(&self) -> std::sync::MutexGuard<'_, Vec<Stop>> {
        self.stops.lock().unwrap()
    }

    /// The calling thread is this process's until it is another's.
    pub(crate) fn stand(self: &Arc<Self>) {
        WATCH.set(Some(Arc::clone(self)));
    }

    pub(crate) fn leave() {
        WATCH.set(None);
    }

    fn stop(&self, place: String) -> oneshot::Receiver<()> {
        let (go, gone) = oneshot::channel();
        let mut tasks = self.tasks.lock().unwrap();
        let next = tasks.len();
        let task = tokio::task::try_id().map_or(usize::MAX, |id| *tasks.entry(id).or_insert(next));
        self.stops().push(Stop { task, place, go });
        gone
    }

    fn text(&self, mut sql: String) -> String {
        for (text, instead) in &self.breaks {
            if sql.contains(text) {
                sql = sql.replace(text, instead);
                self.broken.fetch_add(1, Ordering::SeqCst);
            }
        }
        sql
    }
}

pub(crate) struct Quiet {
    watch: Arc<Watch>,
    begun: bool,
}

impl Future for Quiet {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut quiet = self.watch.quiet.lock().unwrap();
        if self.begun && quiet.is_none() {
            return Poll::Ready(());
        }
        *quiet = Some(context.waker().clone());
        drop(quiet);
        self.begun = true;
        Poll::Pending
    }
}

fn watch() -> Option<Arc<Watch>> {
    WATCH.with_borrow(Clone::clone)
}

/// A point: others may go first here, and the process may end.
pub(crate) async fn point(place: &str) {
    if let Some(watch) = watch() {
        let go = watch.stop(place.to_owned());
        // A process that ends drops whoever waits.
        let _ = go.await;
    }
}

/// The database is asked: not the end of what a task can do.
struct InFlight(Option<Arc<Watch>>);

impl InFlight {
    fn new() -> Self {
        let watch = watch();
        if let Some(watch) = &watch {
            watch.in_flight.fetch_add(1, Ordering::SeqCst);
        }
        Self(watch)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some(watch) = &self.0 {
            watch.in_flight.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// What a statement comes to: told apart from its executor, so that one text serves both.
struct Asked {
    sql: SqlStr,
    arguments: Option<AnyArguments>,
}

type Step = Result<Either<AnyQueryResult, AnyRow>, sqlx::Error>;

impl Asked {
    fn of<'q>(mut query: impl Execute<'q, Any>) -> Result<Self, sqlx::Error> {
        let arguments = query.take_arguments().map_err(sqlx::Error::Encode)?;
        Ok(Self { sql: query.sql(), arguments })
    }

    /// All at once: a point between two rows would be none of the database's.
    async fn steps<'c>(
        asked: Result<Self, sqlx::Error>,
        executor: impl Executor<'c, Database = Any>,
    ) -> Vec<Step> {
        let Self { sql, arguments } = match asked {
            Ok(asked) => asked,
            Err(error) => return vec![Err(error)],
        };
        let (mut sql, watch) = (sql.as_str().to_owned(), watch());
        super::seen::note(&sql);
        if let Some(watch) = &watch {
            sql = watch.text(sql);
            point(&sql).await;
        }
        let commits = sql == "COMMIT";
        let in_flight = InFlight::new();
        let steps: Vec<Step> = match arguments {
            Some(arguments) => {
                executor.fetch_many(sqlx::query_with(AssertSqlSafe(sql), arguments)).collect().await
            }
            None => executor.fetch_many(AssertSqlSafe(sql).into_sql_str()).collect().await,
        };
        drop(in_flight);
        if let (true, Some(watch)) = (commits, &watch) {
            watch.commits.fetch_add(1, Ordering::SeqCst);
            // Committed, and nobody has heard of it.
            point("COMMIT is done").await;
        }
        steps
    }

    async fn first<'c>(
        asked: Result<Self, sqlx::Error>,
        executor: impl Executor<'c, Database = Any>,
    ) -> Result<Option<AnyRow>, sqlx::Error> {
        for step in Self::steps(asked, executor).await {
            if let Either::Right(row) = step? {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }
}

macro_rules! through_the_gate {
    ($executor:ident) => {
        fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Step>
        where
            'c: 'e,
            E: 'q + Execute<'q, Any>,
        {
            let asked = Asked::of(query);
            async move { futures::stream::iter(Asked::steps(asked, self.$executor()).await) }
                .flatten_stream()
                .boxed()
        }

        fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<AnyRow>, sqlx::Error>>
        where
            'c: 'e,
            E: 'q + Execute<'q, Any>,
        {
            let asked = Asked::of(query);
            async move { Asked::first(asked, self.$executor()).await }.boxed()
        }

        fn prepare_with<'e>(
            self,
            sql: SqlStr,
            parameters: &'e [AnyTypeInfo],
        ) -> BoxFuture<'e, Result<AnyStatement, sqlx::Error>>
        where
            'c: 'e,
        {
            async move { self.$executor().prepare_with(sql, parameters).await }.boxed()
        }

        fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<Any>, sqlx::Error>>
        where
            'c: 'e,
        {
            async move { self.$executor().describe(sql).await }.boxed()
        }
    };
}

/// The connections that are read by.
#[derive(Debug)]
pub(crate) struct Reads(AnyPool);

pub(crate) fn reads(pool: AnyPool) -> Reads {
    Reads(pool)
}

impl Reads {
    pub(crate) async fn acquire(&self) -> Result<Acquired, sqlx::Error> {
        point("a connection for reads").await;
        let in_flight = InFlight::new();
        Ok(Acquired { connection: self.0.acquire().await?, _in_flight: in_flight })
    }

    pub(crate) async fn close(&self) {
        self.0.close().await;
    }

    fn pool(&self) -> &AnyPool {
        &self.0
    }
}

impl<'c> Executor<'c> for &'c Reads {
    type Database = Any;
    through_the_gate!(pool);
}

/// Several reads by one connection, which are one to a watch.
pub(crate) struct Acquired {
    connection: PoolConnection<Any>,
    _in_flight: InFlight,
}

impl Deref for Acquired {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.connection
    }
}

impl DerefMut for Acquired {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.connection
    }
}

/// A transaction's connection, for one statement.
pub(crate) struct Statement<'c> {
    connection: &'c mut AnyConnection,
    /// Of one that is used as it is, around the gate.
    in_flight: Option<InFlight>,
}

pub(crate) fn statement(connection: &mut AnyConnection) -> Statement<'_> {
    Statement { connection, in_flight: None }
}

impl<'c> Statement<'c> {
    fn connection(self) -> &'c mut AnyConnection {
        self.connection
    }
}

impl fmt::Debug for Statement<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Statement")
    }
}

impl<'c> Executor<'c> for Statement<'c> {
    type Database = Any;
    through_the_gate!(connection);
}

impl Deref for Statement<'_> {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        self.connection
    }
}

impl DerefMut for Statement<'_> {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        self.in_flight.get_or_insert_with(InFlight::new);
        self.connection
    }
}
